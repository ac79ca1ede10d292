"""What the summaries of both dashboards share: where a page stands, and every measurement as a row."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from live_dashboards.model.judgement import PlainAnswer
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.moment import format_moment, format_window
from live_dashboards.model.quality import Quality
from live_dashboards.model.report import Report, VariantFacts
from live_dashboards.model.snapshot import SourceStatus

if TYPE_CHECKING:
    import pandas as pd


_COLUMNS = (
    "name",
    "variant",
    "value",
    "unit",
    "low",
    "high",
    "n",
    "origin",
    "source",
    "query",
    "observed_at",
    "reason",
    "stale",
)
_KINDS = {"value": "float64", "low": "float64", "high": "float64", "n": "Int64", "stale": "bool"}

SCHEMA_VERSION = 1


def rows(measurements: Iterable[Measurement]) -> list[dict[str, Any]]:
    """One row a measurement, in full precision."""
    return [row(measurement) for measurement in measurements]


def row(measurement: Measurement) -> dict[str, Any]:
    """Name, value and where it comes from; `inputs` are the references of the measurements it was computed
    from.
    """
    return {
        "name": measurement.name,
        "variant": measurement.variant,
        "value": plain_value(measurement),
        "unit": measurement.unit,
        "interval": None
        if measurement.interval is None
        else [finite(measurement.interval.low), finite(measurement.interval.high)],
        "n": measurement.n,
        "origin": measurement.origin.value,
        "source": measurement.source,
        "query": measurement.query,
        "observed_at": format_moment(measurement.observed_at) if measurement.observed_at else None,
        "reason": measurement.reason,
        "stale": measurement.stale,
        "inputs": list(dict.fromkeys(reference(each) for each in measurement.inputs)),
    }


def frame(measurements: Iterable[Measurement]) -> pd.DataFrame:
    """A tidy frame, a row a measurement: the rows of the JSON, with `low` and `high` of the 95 % interval and
    without the inputs. What there is none of is NaN, NaT or NA; `n` is a whole number, `observed_at` is in
    UTC.
    """
    import pandas as pd

    found = pd.DataFrame(
        [{**row(each), "low": _end(each, "low"), "high": _end(each, "high")} for each in measurements],
        columns=list(_COLUMNS),
    )
    moments = pd.to_datetime(found["observed_at"], utc=True, format="ISO8601")
    return found.assign(observed_at=moments).astype(_KINDS)


def _end(measurement: Measurement, side: str) -> float | None:
    interval = measurement.interval
    return None if interval is None else finite(getattr(interval, side))


def reference(measurement: Measurement) -> str:
    """How a measurement is referred to: `name`, or `name.variant`."""
    return measurement.name if measurement.variant is None else f"{measurement.name}.{measurement.variant}"


def lineage(measurements: Iterable[Measurement]) -> tuple[Measurement, ...]:
    """What the measurements were computed from, all the way down, without themselves; one of each
    reference.
    """
    shown = tuple(measurements)
    found = {reference(each): each for each in shown}
    waiting = [each for measurement in shown for each in measurement.inputs]
    while waiting:
        each = waiting.pop(0)
        if reference(each) not in found:
            found[reference(each)] = each
            waiting.extend(each.inputs)
    return tuple(found.values())[len({reference(each) for each in shown}) :]


def plain_value(measurement: Measurement) -> float | int | None:
    """The value; whole counts as whole numbers."""
    value = finite(measurement.value)
    return int(value) if value is not None and measurement.unit == "count" and value == int(value) else value


def finite(value: float | None) -> float | None:
    """The value, None where it is not finite."""
    return value if value is not None and math.isfinite(value) else None


def logged_quality(report: Report, quality: Quality, variants: Iterable[VariantFacts]) -> dict[str, Any]:
    """What the runs log of quality, of baseline and challenger, in percent or as it is logged; without a goal
    where it is not known which way is better.
    """
    by_name = {facts.variant: facts.accuracy for facts in variants}
    pair = {"baseline": report.baseline, "challenger": report.challenger}
    return {
        "metric": quality.key,
        "goal": None if quality.is_assumed else quality.goal,
        "kind": quality.kind,
        "unit": quality.unit,
        **{
            role: plain_value(by_name[name]) if name is not None and name in by_name else None
            for role, name in pair.items()
        },
    }


def page_state(report: Report) -> dict[str, Any]:
    """Which dashboard of what, at which moment, and how live it is."""
    return {
        "schema_version": SCHEMA_VERSION,
        "dashboard": report.dashboard,
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
