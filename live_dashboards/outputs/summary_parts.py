"""What the summaries of both dashboards have in common."""

from __future__ import annotations

from typing import Any

from live_dashboards.model.dashboards import Report, dashboard_name
from live_dashboards.model.judgement import PlainAnswer
from live_dashboards.model.moment import format_moment, format_window
from live_dashboards.model.snapshot import SourceStatus
from live_dashboards.outputs.measurement_rows import finite, lineage, rows

SCHEMA_VERSION = 1


def page_state(report: Report) -> dict[str, Any]:
    """Which dashboard of what, at which moment, and how live it is."""
    return {
        "schema_version": SCHEMA_VERSION,
        "dashboard": dashboard_name(report),
        "data_source": report.badge.kind.data_source,
        "badge": report.badge.kind.value,
        "experiment": report.experiment,
        "experiment_note": report.experiment_note,
        "baseline": report.baseline,
        "challenger": report.challenger,
        "at": format_moment(report.at),
        "window": format_window(report.window_seconds),
        "window_seconds": report.window_seconds,
        "generated_at": format_moment(report.generated_at),
        "observed_at": {
            source: format_moment(moment) if moment else None for source, moment in report.observed_at
        },
    }


def page_provenance(report: Report, notices: tuple[str, ...]) -> dict[str, Any]:
    """How many values are live, how asking the sources ended, and every number with what it was computed
    from.
    """
    return {
        "values_live": report.badge.values_live,
        "values_total": report.badge.values_total,
        "sources": {status.source: _source(status) for status in report.sources},
        "notices": list(notices),
        "changes": None,
        "alt_text": report.alt_text,
        "measurements": rows(report.measurements),
        "lineage": rows(
            lineage((*report.measurements, *(measurement for _, measurement in report.headline)))
        ),
    }


def plain_answer(answer: PlainAnswer) -> dict[str, str]:
    """The answer, the same in both summaries."""
    return {"verdict": answer.verdict, "sentence": answer.sentence, "do_now": answer.do_now}


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
