"""What must not get worse: the error rate, and the share of requests slower than the objective, each within
its margin.
"""

from __future__ import annotations

import math

from live_dashboards.analysis.effect import MARGINS, Compared
from live_dashboards.analysis.facts.page import Page
from live_dashboards.analysis.facts.period import period_of
from live_dashboards.model.judgement import HARM, NOT_SHOWN, SHOWN, UNKNOWN, Comparison, Guardrail
from live_dashboards.model.metrics import ERROR_RATE, OVER_OBJECTIVE
from live_dashboards.model.number import format_estimate, format_number


def guardrails(page: Page, rows: tuple[Compared, ...]) -> tuple[Guardrail, ...]:
    """Error rate and latency of every challenger, judged by the very intervals that the effect panel
    shows.
    """
    return tuple(_guardrail(page, each.row) for each in rows if each.row.metric in MARGINS)


def outcome(harm_low_points: float | None, high_points: float | None, margin_points: float) -> str:
    """`shown` where the upper limit is below the margin, even if the lower one is above 0; else `harm` where
    the lower one is; else `not_shown`.

    Harm has a limit of its own, which finds it early: missing one costs more than a false alarm. None is one
    that cannot be told yet.
    """
    if high_points is None:
        return UNKNOWN
    return (
        SHOWN
        if high_points < margin_points
        else HARM
        if harm_low_points is not None and harm_low_points > 0
        else NOT_SHOWN
    )


def _guardrail(page: Page, row: Comparison) -> Guardrail:
    margin = float(page.settings[MARGINS[row.metric]])
    is_known = row.has_interval and row.estimate is not None
    words = (
        f"{_estimate_words(row, margin)}, margin {margin:g}{_edge_words(page, row)}"
        if is_known
        else row.reason or "not measured"
    )
    return Guardrail(
        "latency" if row.metric == OVER_OBJECTIVE else row.metric,
        _label(page, row),
        _outcome(row, margin),
        margin,
        row,
        words,
    )


def _outcome(row: Comparison, margin_points: float) -> str:
    return outcome(row.harm_low if row.sequential else row.low, row.high, margin_points)


def _estimate_words(row: Comparison, margin_points: float) -> str:
    """The difference with its limits; with those for harm where they decide, and say something else than the
    others.
    """
    decides = (
        _outcome(row, margin_points) != SHOWN
        and row.low is not None
        and row.harm_low is not None
        and (row.low > 0) != (row.harm_low > 0)
    )
    low, high = (row.harm_low, row.harm_high) if decides else (row.low, row.high)
    words = format_estimate(row.estimate or 0.0, low, high, "points", signed=True)
    return f"{words}, limits for harm" if decides else words


def _label(page: Page, row: Comparison) -> str:
    if row.metric == ERROR_RATE:
        return "Error rate not worse"
    return f"Over {format_number(float(page.settings['AB_LATENCY_OBJECTIVE_MS']), 'ms')} not more often"


def _edge_words(page: Page, row: Comparison) -> str:
    """Which bucket edge is judged where the objective is none."""
    counted = period_of(page, row.treatment)[1]
    objective_ms = float(page.settings["AB_LATENCY_OBJECTIVE_MS"])
    if (
        row.metric != OVER_OBJECTIVE
        or counted is None
        or counted.edge_seconds is None
        or math.isclose(counted.edge_seconds * 1000, objective_ms)
    ):
        return ""
    if counted.far_edge_seconds is not None:
        low, high = sorted((counted.edge_seconds, counted.far_edge_seconds))
        return (
            f"; {objective_ms:g} ms lies in the bucket from {low * 1000:.3g} to {high * 1000:.3g} ms, "
            "whose ends are both judged"
        )
    return f"; {objective_ms:g} ms is no bucket edge, so {counted.edge_seconds * 1000:g} ms is judged"
