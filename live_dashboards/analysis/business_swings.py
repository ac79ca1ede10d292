"""What decides: how far each input alone moves the net value between its 95 % limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from live_dashboards.analysis.business_uncertainty import Part
from live_dashboards.model.business_case import Assumption, Swing

_MOST = 6
_TITLES = {
    "accuracy_improvement": "accuracy improvement",
    "latency_increase": "latency increase",
    "error_rate_improvement": "error rate improvement",
    "BASE_TRADING_VOLUME": "trading volume",
    "ACCURACY_REVENUE_MULTIPLIER": "revenue per accuracy",
    "LATENCY_COST_PER_MS": "cost per millisecond",
    "ERROR_COST_MULTIPLIER": "cost per error",
}


def swings(
    parts: Sequence[Part], assumptions: Sequence[Assumption], points: Mapping[str, float]
) -> tuple[Swing, ...]:
    """The six widest, widest first: effects at their 95 % limits, ranges at a fortieth from either end,
    everything else at its point.
    """
    found = [*_of_effects(parts), *_of_ranges(parts, assumptions, points)]
    return tuple(
        sorted((swing for swing in found if swing.width_usd > 0), key=lambda swing: -swing.width_usd)[:_MOST]
    )


def _of_effects(parts: Sequence[Part]) -> Iterator[Swing]:
    net = sum(part.contribution_usd for part in parts)
    for part in parts:
        limits = part.effect.difference.interval
        if limits is not None and limits.low is not None and limits.high is not None:
            low, high = (net - part.contribution_usd + part.weight * end for end in (limits.low, limits.high))
            effect = part.formula.effect
            yield Swing(
                effect,
                _TITLES.get(effect, part.formula.title),
                False,
                limits.low,
                limits.high,
                part.effect.difference.unit,
                low,
                high,
            )


def _of_ranges(
    parts: Sequence[Part], assumptions: Sequence[Assumption], points: Mapping[str, float]
) -> Iterator[Swing]:
    for each in assumptions:
        if each.amount.is_range and any(each.name in part.formula.factors for part in parts):
            tail = (each.amount.high - each.amount.low) / 40
            low, high = each.amount.low + tail, each.amount.high - tail
            nets = [
                sum(
                    part.formula.per_effect({**points, each.name: end})
                    * (part.effect.difference.value or 0.0)
                    for part in parts
                )
                for end in (low, high)
            ]
            yield Swing(
                each.name, _TITLES.get(each.name, each.name), True, low, high, each.unit, nets[0], nets[1]
            )
