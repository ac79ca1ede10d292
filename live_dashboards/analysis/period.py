"""Since when the test runs: what is judged has accumulated from a fixed start, never over the rolling
window.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from live_dashboards.analysis.excluded import without_stretches
from live_dashboards.analysis.page import Page
from live_dashboards.model.judgement import Period
from live_dashboards.model.measurement import Origin
from live_dashboards.model.moment import format_duration
from live_dashboards.model.snapshot import Accumulated

_NOT_EXACT = (
    "it may be up to an hour earlier, or more, as a question about the first traffic failed: set "
    "AB_START, or let Prometheus answer all questions"
)
_SURELY_KEPT_SHARE = 0.9  # a server deletes whole blocks: data may be somewhat younger than its retention
# as far back as traffic is looked for, less the two coarse steps at its edge
_LONGEST_LOOK_SECONDS = 90 * 86_400.0 - 7200


def period_of(found: Page, challenger: str | None) -> tuple[Period, Accumulated | None]:
    """The analysis period of a challenger, and what Prometheus counted in it (None where it did not).

    From AB_START, else the first sample at which baseline and challenger both had traffic, else the
    challenger's first run; without the stretches of AB_EXCLUDE.
    """
    period, counted = whole_period_of(found, challenger)
    stretches = found.settings["AB_EXCLUDE"]
    if counted is None or not stretches:
        return period, counted
    counted, excluded = without_stretches(counted, stretches)
    return replace(period, excluded=excluded), counted


def whole_period_of(found: Page, challenger: str | None) -> tuple[Period, Accumulated | None]:
    """The same with all that AB_EXCLUDE leaves out."""
    first = _first_traffic(found)
    if found.settings.start is not None:
        return _from_setting(found, found.settings.start)
    if challenger in first and found.roles.baseline in first:
        seconds = max(first[challenger], first[found.roles.baseline])
        counted = _counted_since(found, seconds)
        words = "first sample at which baseline and challenger both had traffic"
        if any(
            first[variant] == seconds
            for variant in _inexact(found)
            if variant in {challenger, found.roles.baseline}
        ):
            return Period(
                datetime.fromtimestamp(seconds, UTC), found.at, f"{words}; {_NOT_EXACT}", is_whole=False
            ), counted
        return _judged(found, Period(datetime.fromtimestamp(seconds, UTC), found.at, words), counted), counted
    runs = [
        run.started_at
        for run in found.counted.mlflow.runs
        if challenger and run.variant == challenger and run.started_at is not None
    ]
    if runs and found.counted.mlflow.origin is Origin.LIVE:
        return Period(min(runs), found.at, "first run of the challenger"), None
    return Period(None, found.at, "the start of the test is unknown: set AB_START", is_whole=False), None


def _first_traffic(found: Page) -> dict[str, float]:
    """Of each variant, the earliest of its models."""
    return {
        found.roles.by_model.get(model, model): seconds
        for model, seconds in sorted(found.counted.prometheus.first_traffic, key=lambda each: -each[1])
    }


def _inexact(found: Page) -> set[str]:
    """The variants whose first traffic may have been earlier."""
    return {found.roles.by_model.get(model, model) for model in found.counted.prometheus.inexact_starts}


def _from_setting(found: Page, start: datetime) -> tuple[Period, Accumulated | None]:
    if start >= found.at:
        return Period(
            None,
            found.at,
            "AB_START is not before the page's moment: correct it or choose a later --at",
            is_whole=False,
        ), None
    counted = _counted_since(found, start.timestamp())
    return _judged(found, Period(start, found.at, "AB_START"), counted), counted


def _counted_since(found: Page, start_seconds: float) -> Accumulated | None:
    return next(
        (each for each in found.counted.prometheus.accumulated if each.start_seconds == start_seconds), None
    )


def _judged(found: Page, period: Period, counted: Accumulated | None) -> Period:
    """The period, with what Prometheus may have forgotten of it."""
    if counted is None or period.start is None or found.is_simulated:
        return period
    span_seconds = (found.at - period.start).total_seconds()
    retention_seconds = found.counted.prometheus.retention_seconds
    is_chosen = found.settings.start is not None
    if not is_chosen and span_seconds > _LONGEST_LOOK_SECONDS:
        return Period(
            period.start,
            period.end,
            "the test began more than 90 days ago, and traffic is looked for no further back: set AB_START",
            is_whole=False,
        )
    if counted.is_remembered or (
        retention_seconds is not None and span_seconds < _SURELY_KEPT_SHARE * retention_seconds
    ):
        return period
    if counted.lack:
        return Period(period.start, period.end, f"{period.reason}; {counted.lack}", is_whole=False)
    kept = f" (it keeps {format_duration(retention_seconds)})" if retention_seconds else ""
    lack = f"Prometheus holds nothing from before{kept}, so what was counted earlier may be forgotten"
    fix = (
        "keep samples longer than the test"
        if is_chosen
        else "set AB_START, and keep samples longer than the test"
    )
    return Period(period.start, period.end, f"{period.reason}; {lack}: {fix}", is_whole=False)
