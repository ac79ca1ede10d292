"""The business case where counts are known only to be at least something: its values at the least, its limits
those that hold at every end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from live_dashboards.analysis.facts.ends import around, outermost, widest
from live_dashboards.model.business_case import (
    BusinessCase,
    BusinessInputs,
    CashPoint,
    EffectInput,
    Spread,
    Term,
)
from live_dashboards.model.measurement import Interval, Measurement


def widest_case(case: BusinessCase, others: Sequence[BusinessCase]) -> BusinessCase:
    """The business case with the limits that hold at every end."""
    if not others:
        return case

    def of(value: Callable[[BusinessCase], Measurement]) -> Measurement:
        return widest(value(case), map(value, others))

    return replace(
        case,
        inputs=_inputs(case.inputs, [other.inputs for other in others]),
        terms=tuple(
            _term(term, [other.terms[index] for other in others]) for index, term in enumerate(case.terms)
        ),
        net=of(lambda each: each.net),
        roi=of(lambda each: each.roi),
        payback=_payback(of(lambda each: each.payback), others),
        probability_net_positive=of(lambda each: each.probability_net_positive),
        break_even_accuracy_improvement=of(lambda each: each.break_even_accuracy_improvement),
        spread=Spread(
            _around([each.spread.statistical for each in (case, *others)]),
            _around([each.spread.assumed for each in (case, *others)]),
        ),
        partial_total=of(lambda each: each.partial_total),
        cash=tuple(
            _cash([case.cash[index], *(other.cash[index] for other in others)])
            for index in range(len(case.cash))
        ),
        never_paid_back_probability=of(lambda each: each.never_paid_back_probability),
    )


def _payback(found: Measurement, others: Sequence[BusinessCase]) -> Measurement:
    """Without an upper limit where at some end nothing is paid back."""
    if found.value is None or all(other.payback.value is not None for other in others):
        return found
    low = found.value if found.interval is None else found.interval.low
    return replace(found, interval=Interval(low, None), drawn_interval=Interval(low, None))


def _inputs(found: BusinessInputs, others: Sequence[BusinessInputs]) -> BusinessInputs:
    return BusinessInputs(
        accuracy_improvement=_effect(
            found.accuracy_improvement, [other.accuracy_improvement for other in others]
        ),
        latency_increase=_effect(found.latency_increase, [other.latency_increase for other in others]),
        error_rate_improvement=_effect(
            found.error_rate_improvement, [other.error_rate_improvement for other in others]
        ),
        requests_per_day=widest(found.requests_per_day, [other.requests_per_day for other in others]),
        days_of_requests=found.days_of_requests,
        start=found.start,
    )


def _effect(found: EffectInput, others: Sequence[EffectInput]) -> EffectInput:
    return EffectInput(
        widest(found.difference, [other.difference for other in others]),
        widest(found.baseline, [other.baseline for other in others]),
        widest(found.challenger, [other.challenger for other in others]),
        found.one_look,
        found.residuals,
    )


def _term(found: Term, others: Sequence[Term]) -> Term:
    return replace(
        found,
        value=widest(found.value, [other.value for other in others]),
        contribution=widest(found.contribution, [other.contribution for other in others]),
    )


def _around(several: Sequence[Interval | None]) -> Interval | None:
    """The limits around all; None where one has none."""
    known = [each for each in several if each is not None]
    return around([(None, each) for each in known]) if len(known) == len(several) else None


def _cash(points: Sequence[CashPoint]) -> CashPoint:
    return replace(
        points[0],
        low_usd=outermost([each.low_usd for each in points], min),
        high_usd=outermost([each.high_usd for each in points], max),
    )
