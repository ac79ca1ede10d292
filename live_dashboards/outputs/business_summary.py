"""The business dashboard's summary: what the challenger is worth, as a document."""

from __future__ import annotations

from typing import Any

from live_dashboards.model.business_case import Assumption, BusinessCase, BusinessReport
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.outputs.summary_parts import (
    finite,
    logged_quality,
    page_provenance,
    page_state,
    plain_answer,
    plain_value,
)

_WITHOUT_INTERVAL = frozenset({"probability_net_positive"})


def business_summary(report: BusinessReport) -> dict[str, Any]:
    """The document; a null key's reason is that of the measurement of the same name."""
    case = report.case
    return {
        **page_state(report),
        "quality": logged_quality(report, report.logged_quality, report.models),
        **{key: value for name, measurement in report.headline for key, value in _number(name, measurement)},
        "net_annual_value_intervals": [{"confidence": 0.95, "interval": _ends(case.net.interval)}]
        if case.net.interval is not None
        else [],
        "spread": {"statistical": _ends(case.spread.statistical), "assumed": _ends(case.spread.assumed)},
        "recommendation": {
            "verdict": report.recommendation.verdict,
            "reasons": list(report.recommendation.reasons),
        },
        "verdict": {
            "verdict": report.verdict.verdict,
            "rule": report.verdict.rule,
            "reasons": list(report.verdict.reasons),
            "would_change": list(report.verdict.would_change),
        },
        "answer": plain_answer(report.answer),
        "gates": [{"gate": gate.label, "state": gate.state, "words": gate.words} for gate in report.gates],
        "assumptions": [_assumption(each, case) for each in case.assumptions],
        "default_assumptions": sum(each.is_default for each in case.assumptions),
        "sensitivity": [
            {
                "input": swing.name,
                "assumed": swing.is_assumed,
                "unit": swing.unit,
                "inputs": [swing.input_low, swing.input_high],
                "net": [swing.net_at_low_usd, swing.net_at_high_usd],
            }
            for swing in case.swings
        ],
        "cumulative_value": [
            {"month": point.month, "value": point.value_usd, "low": point.low_usd, "high": point.high_usd}
            for point in case.cash
        ],
        "partial_total": {"value": plain_value(case.partial_total), "terms": list(case.partial_terms)},
        **page_provenance(report, report.notices),
    }


def _number(name: str, measurement: Measurement) -> tuple[tuple[str, Any], ...]:
    value = (name, plain_value(measurement))
    return (
        (value,) if name in _WITHOUT_INTERVAL else (value, (f"{name}_interval", _ends(measurement.interval)))
    )


def _ends(interval: Interval | None) -> list[float | None] | None:
    return None if interval is None else [finite(interval.low), finite(interval.high)]


def _assumption(each: Assumption, case: BusinessCase) -> dict[str, Any]:
    flip = next((found for found in case.break_evens if found.parameter == each.name), None)
    return {
        "name": each.name,
        "value": each.amount.point,
        "low": each.amount.low,
        "high": each.amount.high,
        "unit": each.unit,
        "meaning": each.meaning,
        "is_default": each.is_default,
        "break_even": None if flip is None else finite(flip.amount),
        "break_even_words": "" if flip is None else flip.words,
    }
