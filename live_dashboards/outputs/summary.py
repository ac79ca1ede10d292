"""The summary JSON beside a picture: full precision, null with a reason where there is no number; `schema/`
describes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from typing import Any

from live_dashboards.model.business_case import BusinessReport
from live_dashboards.model.judgement import (
    Carried,
    GateForecast,
    Guardrail,
    MetricDifference,
    ModelChange,
    Power,
    Verdict,
)
from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.metrics import ACCURACY, METRICS
from live_dashboards.model.moment import format_moment
from live_dashboards.model.report import AbReport, Report, VariantFacts, fact_names
from live_dashboards.outputs.evidence_summary import evidence
from live_dashboards.outputs.slices import by_label
from live_dashboards.outputs.summary_parts import (
    finite,
    logged_quality,
    page_provenance,
    page_state,
    plain_answer,
    plain_value,
)


def summary_text(report: Report, compare: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> str:
    """The summary as indented JSON in ASCII, so that every terminal and pipe can carry it; `compare` adds
    what changed to its document.
    """
    document = summary(report)
    return json.dumps(compare(document) if compare else document, indent=2, allow_nan=False) + "\n"


def summary_schema(dashboard: str = "ab") -> Any:
    """The published JSON Schema (2020-12) of a dashboard's summary, with the metrics of the catalogue."""
    name = {"ab": "summary", "business": "business-summary"}[dashboard]
    schema = json.loads(
        resources.files("live_dashboards.outputs")
        .joinpath(f"schema/{name}.schema.json")
        .read_text(encoding="utf-8")
    )
    if dashboard == "ab":
        variant = schema["$defs"]["variant"]
        keys = fact_names(METRICS)
        variant["properties"] = {key: variant["properties"].get(key) or _described(key) for key in keys}
        variant["required"] = list(keys)
    return schema


_OF_VERDICT = (
    *("schema_version", "data_source", "badge", "experiment", "experiment_note", "baseline", "challenger"),
    *("at", "window", "analysis_period", "generated_at", "quality", "traffic_split", "guardrails"),
    *("decision_forecast", "verdict", "verdicts", "answer", "sources"),
)
"""What of a summary answers whether to ship."""


def verdict_document(report: AbReport) -> dict[str, Any]:
    """The answer, the verdict on each challenger and its gates: the same keys as in the summary."""
    whole = _ab(report)
    return {name: whole[name] for name in _OF_VERDICT}


def verdict_text(report: AbReport) -> str:
    """The same as indented JSON in ASCII."""
    return json.dumps(verdict_document(report), indent=2, allow_nan=False) + "\n"


def verdict_schema() -> Any:
    """The JSON Schema (2020-12) of that document: the parts of the summary's."""
    schema = summary_schema()
    return {
        "$schema": schema["$schema"],
        "title": "A/B verdict",
        "type": "object",
        "properties": {name: schema["properties"][name] for name in _OF_VERDICT},
        "required": list(_OF_VERDICT),
        "additionalProperties": False,
        "$defs": schema["$defs"],
    }


def _described(name: str) -> dict[str, Any]:
    """What the schema says of a metric."""
    metric = METRICS[name]
    if metric.is_share:
        return {"$ref": "#/$defs/percent"}
    return {"description": f"{metric.words}, {metric.unit}", "type": ["number", "null"]}


def summary(report: Report) -> dict[str, Any]:
    """The summary's document; `changes` is null until it is compared with an earlier one."""
    if isinstance(report, BusinessReport):
        from live_dashboards.outputs.business_summary import business_summary

        return business_summary(report)
    assert isinstance(report, AbReport)  # noqa: S101 for the type checker
    return _ab(report)


def _ab(report: AbReport) -> dict[str, Any]:
    return {
        **page_state(report),
        "analysis_period": {
            "start": format_moment(report.period.start) if report.period.start else None,
            "end": format_moment(report.period.end),
            "reason": report.period.reason,
            "excluded": [
                {
                    "start": format_moment(each.begin),
                    "end": format_moment(each.end),
                    "share": each.share_percent,
                }
                for each in report.period.excluded
            ],
        },
        **{name: plain_value(measurement) for name, measurement in report.headline},
        "quality": logged_quality(report, report.logged_quality, report.variants),
        "variants": {facts.variant: _facts(facts) for facts in report.variants},
        "comparisons": [_comparison(row) for row in report.comparisons],
        "traffic_split": _traffic_split(report),
        "guardrails": [_guardrail(guard) for guard in report.guardrails],
        "evidence": evidence(report),
        "slices": by_label(report.slices),
        "power": _power(report.power),
        "decision_forecast": [_gate_forecast(gate) for gate in report.decision_forecast],
        "verdict": _verdict(report.verdict),
        "verdicts": {name: _verdict(each) for name, each in report.verdicts},
        "model_changes": [_model_change(each) for each in report.model_changes],
        "answer": plain_answer(report.answer),
        **page_provenance(report, report.health.notices),
    }


def _facts(facts: VariantFacts) -> dict[str, float | int | None]:
    return {name: _in_percent(name, facts.value(name)) for name in facts.names}


def _in_percent(name: str, value: Measurement) -> float | int | None:
    """The fact; of an accuracy that is no share none, as the summary has accuracies in percent."""
    return None if name == ACCURACY and value.unit != "percent" else plain_value(value)


def _comparison(row: MetricDifference) -> dict[str, Any]:
    return {
        "metric": row.metric,
        "treatment": row.treatment,
        "control": row.control,
        "estimate": finite(row.estimate),
        "low": finite(row.low),
        "high": finite(row.high),
        "harm_low": finite(row.harm_low),
        "harm_high": finite(row.harm_high),
        "pooled": finite(row.pooled),
        "looks": row.looks,
        "judged_low": finite(row.judged_low),
        "judged_high": finite(row.judged_high),
        "carried_by": _carried(row.carried),
        "descriptive": row.descriptive or None,
        "unit": row.unit,
        "confidence": row.confidence,
        "p_value": finite(row.p_value),
        "p_value_adjusted": finite(row.p_value_adjusted),
        "method": row.method,
        "n_treatment": row.n_treatment,
        "n_control": row.n_control,
        "sequential": row.sequential,
        "family": row.family,
        "overdispersion": row.overdispersion,
        "origin": row.origin.value,
        "reason": row.reason,
    }


def _carried(found: Carried | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "start": format_moment(found.begin),
        "end": format_moment(found.end),
        "share": found.share_percent,
        "estimate_without": found.without,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "verdict": verdict.verdict,
        "rule": verdict.rule,
        "reasons": list(verdict.reasons),
        "would_change": list(verdict.would_change),
    }


def _model_change(change: ModelChange) -> dict[str, str]:
    return {
        "variant": change.variant,
        "at": format_moment(change.at),
        "what": change.what,
        "source": change.source,
    }


def _traffic_split(report: AbReport) -> dict[str, Any]:
    """Planned and observed shares in percent over the analysis period (the window, where that is not known),
    and the always-valid test's flag.
    """
    test = report.split_test
    window = {
        # a stand-in is no share that was observed
        row.variant: plain_value(row.share)
        if report.is_simulated or row.share.origin is not Origin.SIMULATED
        else None
        for row in report.split.rows
    }
    return {
        "planned": dict(test.planned)
        or {row.variant: row.planned_percent for row in report.split.rows if row.planned_percent is not None}
        or None,
        "observed": {str(share.variant): plain_value(share) for share in test.observed} or window or None,
        "flag": test.flag,
        "p_value": finite(test.p_value),
        "n": test.n,
        "overdispersion": test.overdispersion,
        "reason": test.reason or None,
    }


def _guardrail(guard: Guardrail) -> dict[str, Any]:
    return {
        "name": guard.name,
        "label": guard.label,
        "outcome": guard.outcome,
        "margin": guard.margin,
        "words": guard.words,
        **_comparison(guard.comparison),
    }


def _power(power: Power) -> dict[str, Any]:
    """What can be detected in points, and the range of days left; null with a reason."""
    interval = power.days_left.interval
    return {
        "detectable_points": plain_value(power.detectable),
        "days_left": plain_value(power.days_left),
        "days_left_low": finite(interval.low) if interval else None,
        "days_left_high": finite(interval.high) if interval else None,
        "words": power.words,
    }


def _gate_forecast(gate: GateForecast) -> dict[str, Any]:
    """A gate as it is, and what decides it where it is open; an end of the days beyond half a year is
    null.
    """
    return {
        "gate": gate.gate,
        "treatment": gate.treatment,
        "metric": gate.metric,
        "decided": gate.is_decided,
        "outcome": gate.outcome,
        "needs": gate.needs,
        "assumes": gate.assumes,
        "requests_needed": finite(gate.requests_needed),
        "requests_now": gate.requests_now,
        "test_rows_needed": finite(gate.test_rows_needed),
        "test_rows_now": gate.test_rows_now,
        "days": None if gate.days is None else [finite(gate.days.low), finite(gate.days.high)],
        "reason": gate.reason,
        "words": gate.words or None,
    }
