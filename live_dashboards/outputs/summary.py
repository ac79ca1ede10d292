"""The summary JSON beside a picture: full precision, null with a reason where there is no number; `schema/summary.schema.json` describes it."""

from __future__ import annotations

import json
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any

from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.moment import format_moment
from live_dashboards.model.report import AbReport, Comparison, VariantFacts
from live_dashboards.model.snapshot import SourceStatus
from live_dashboards.outputs.files import write_text
from live_dashboards.outputs.measurement_rows import finite, lineage, plain_value, rows

SCHEMA_VERSION = 1
_NO_SPLIT_TEST = "no split test in this version: planned and observed shares are shown, not judged"


def write_summary(text: str, path: Path) -> None:
    """Writes the summary's text, as a whole or not at all."""
    write_text(path, text)


def summary_text(report: AbReport) -> str:
    """The summary as indented JSON in ASCII, so that every terminal and pipe can carry it."""
    return json.dumps(summary(report), indent=2, allow_nan=False) + "\n"


def summary_schema() -> Any:
    """The published JSON Schema (2020-12) of the summary."""
    return json.loads(resources.files("live_dashboards.outputs").joinpath("schema/summary.schema.json").read_text(encoding="utf-8"))


def summary(report: AbReport) -> dict[str, Any]:
    """The summary's document."""
    return {
        "schema_version": SCHEMA_VERSION,
        "dashboard": "ab",
        **_state(report),
        **{name: plain_value(measurement) for name, measurement in report.headline},
        "variants": {facts.variant: _facts(facts) for facts in report.variants},
        "comparisons": [_comparison(row) for row in report.comparisons],
        "traffic_split": _traffic_split(report),
        "guardrails": [],
        "verdict": {
            "verdict": report.verdict.verdict,
            "rule": report.verdict.rule,
            "reasons": list(report.verdict.reasons),
            "would_change": list(report.verdict.would_change),
        },
        "values_live": report.badge.values_live,
        "values_total": report.badge.values_total,
        "sources": {status.source: _source(status) for status in report.sources},
        "notices": list(report.health.notices),
        "alt_text": report.alt_text,
        "measurements": rows(report.measurements),
        "lineage": rows(lineage((*report.measurements, *(measurement for _, measurement in report.headline)))),
    }


def window_text(seconds: float) -> str:
    """The window as a Prometheus duration, hours up to two days: `30m`, `24h`, `7d`, `1h30m`."""
    milliseconds = max(1, round(seconds * 1000))
    if milliseconds % 86_400_000 == 0 and milliseconds > 86_400_000:
        return f"{milliseconds // 86_400_000}d"
    parts = []
    for size, unit in ((3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")):
        count, milliseconds = divmod(milliseconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def _state(report: AbReport) -> dict[str, Any]:
    return {
        "data_source": report.badge.kind.data_source,
        "badge": report.badge.kind.value,
        "experiment": report.experiment,
        "experiment_note": report.experiment_note,
        "baseline": report.baseline,
        "challenger": report.challenger,
        "at": format_moment(report.at),
        "window": window_text(report.window_seconds),
        "window_seconds": report.window_seconds,
        "analysis_period": {
            "start": format_moment(report.period.start) if report.period.start else None,
            "end": format_moment(report.period.end),
            "reason": report.period.reason,
        },
        "generated_at": format_moment(report.generated_at),
        "observed_at": {source: format_moment(moment) if moment else None for source, moment in report.observed_at},
    }


def _facts(facts: VariantFacts) -> dict[str, float | int | None]:
    return {field.name: plain_value(getattr(facts, field.name)) for field in fields(facts) if field.name != "variant"}


def _comparison(row: Comparison) -> dict[str, Any]:
    return {
        "metric": row.metric,
        "treatment": row.treatment,
        "control": row.control,
        "estimate": finite(row.estimate),
        "low": finite(row.low),
        "high": finite(row.high),
        "unit": row.unit,
        "confidence": row.confidence,
        "p_value": finite(row.p_value),
        "method": row.method,
        "n_treatment": row.n_treatment,
        "n_control": row.n_control,
        "sequential": row.sequential,
        "origin": row.origin.value,
        "reason": row.reason,
    }


def _traffic_split(report: AbReport) -> dict[str, Any]:
    """Planned and observed shares in percent; a panel that only stands in for a source that is down observes nothing."""
    planned = {row.variant: row.planned_percent for row in report.split.rows if row.planned_percent is not None}
    return {
        "planned": planned or None,
        "observed": {row.variant: _observed(row.share, report) for row in report.split.rows} or None,
        "flag": None,
        "reason": _NO_SPLIT_TEST if report.split.head.is_drawn else f"{report.split.head.reason or 'no request counts'}; {_NO_SPLIT_TEST}",
    }


def _observed(share: Measurement, report: AbReport) -> float | int | None:
    is_stand_in = share.origin is Origin.SIMULATED and not report.is_simulated
    return None if is_stand_in else plain_value(share)


def _source(status: SourceStatus) -> dict[str, Any]:
    return {
        "state": status.state.value,
        "reason": status.reason,
        "fix": status.fix,
        "warnings": list(status.warnings),
        "version": status.version,
        "address": status.address,
        "duration_seconds": finite(status.duration_seconds),
        "clock_difference_seconds": finite(status.clock_difference_seconds),
    }
