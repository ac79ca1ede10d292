"""What is drawn in each panel, as the rows of one tidy table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from live_dashboards.model.business_report import BusinessReport, PartsPanel, PaybackPanel, SensitivityPanel
from live_dashboards.model.dashboards import Report
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.moment import format_moment
from live_dashboards.model.report import (
    AbReport,
    EffectPanel,
    HealthPanel,
    LatencyPanel,
    Line,
    QualityPanel,
    RunsPanel,
    SplitPanel,
)


class DrawnValue(NamedTuple):
    """One drawn value: `x` is a time or the label on the axis, `low` and `high` are the limits as drawn, all
    in `unit`; `n` of a difference is the treatment's.
    """

    panel: str
    series: str
    variant: str | None
    x: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    origin: str
    n: int | None


COLUMNS = DrawnValue._fields


def drawn_values(report: Report) -> list[DrawnValue]:
    """Every value of the panels that are drawn, panel by panel; a panel without data has none."""
    return _ab(report) if isinstance(report, AbReport) else _business(report)


def _ab(report: AbReport) -> list[DrawnValue]:
    return [
        *(_measured("header", name, "", measurement) for name, measurement in report.headline),
        *_effect(report.effect),
        *_quality(report.quality),
        *_split(report.split),
        *_lines("rate", report.rate.lines),
        *_latency(report.latency),
        *(_measured("errors", "error_rate", row.variant, row.rate) for row in report.errors.rows),
        *_lines("errors", report.errors.lines),
        *(value for kind in report.impact.types for value in _lines("impact", kind.lines)),
        *_runs(report.runs),
        *_health(report.health),
    ]


def _measured(panel: str, series: str, x: str, measurement: Measurement) -> DrawnValue:
    limits = measurement.drawn_interval or measurement.interval
    low, high = (limits.low, limits.high) if limits else (None, None)
    return DrawnValue(
        panel,
        series,
        measurement.variant,
        x,
        measurement.value,
        low,
        high,
        measurement.unit,
        measurement.origin.value,
        measurement.n,
    )


def _effect(panel: EffectPanel) -> Iterator[DrawnValue]:
    for row in (*panel.rows, *panel.own_scale) if panel.head.is_drawn else ():
        series = f"{row.treatment} - {row.control}"
        drawn = DrawnValue(
            "effect",
            series,
            row.treatment,
            row.metric,
            row.estimate,
            row.low,
            row.high,
            row.unit,
            row.origin.value,
            row.n_treatment,
        )
        yield drawn
        if row.harm_interval is not None:
            yield drawn._replace(series=f"{series}, limits for harm", low=row.harm_low, high=row.harm_high)


def _quality(panel: QualityPanel) -> Iterator[DrawnValue]:
    for row in (*panel.rows, *panel.own_scale):
        yield from (_measured("quality", "offline", row.label, measurement) for measurement in row.offline)
        yield from (_measured("quality", "online", row.label, measurement) for measurement in row.online)


def _split(panel: SplitPanel) -> Iterator[DrawnValue]:
    for row in panel.rows:
        yield _measured("split", "observed", row.variant, row.share)
        yield _measured("split", "requests", row.variant, row.requests)
        if row.planned_percent is not None:
            yield DrawnValue(
                "split",
                "planned",
                row.variant,
                row.variant,
                row.planned_percent,
                None,
                None,
                "percent",
                "setting",
                None,
            )


def _latency(panel: LatencyPanel) -> Iterator[DrawnValue]:
    for row in panel.rows:
        for measurement in (row.p50, row.p95, row.p99, row.mean):
            yield _measured("latency", measurement.name, row.variant, measurement)
    yield from _lines("latency", panel.lines)


def _lines(panel: str, lines: tuple[Line, ...]) -> Iterator[DrawnValue]:
    for line in lines:
        quantity = line.latest.name.removesuffix("_latest")
        series = quantity if line.variant is not None else f"{quantity}: {line.label}"
        frame = _measured(panel, series, "", line.latest)._replace(
            variant=line.variant, low=None, high=None, n=None
        )
        yield from (
            frame._replace(x=format_moment(datetime.fromtimestamp(at_seconds, UTC)), value=value)
            for at_seconds, value in line.timeline.points
        )


def _runs(panel: RunsPanel) -> Iterator[DrawnValue]:
    """A run's accuracy at its start, and its end where it has one."""
    for bar in panel.bars:
        accuracy = bar.accuracy_percent
        value = accuracy.value if accuracy else None
        start = DrawnValue(
            "runs",
            f"{bar.label} ({bar.state})",
            bar.variant,
            format_moment(bar.started_at),
            value,
            None,
            None,
            "percent",
            panel.head.origin.value,
            None,
        )
        yield start
        if bar.ended_at is not None:
            yield start._replace(x=format_moment(bar.ended_at))


def _health(panel: HealthPanel) -> Iterator[DrawnValue]:
    for row in panel.rows:
        yield DrawnValue(
            "health",
            f"{row.source}: {row.state}",
            None,
            row.label,
            row.age_seconds,
            None,
            row.limit_seconds,
            "seconds",
            panel.head.origin.value,
            None,
        )


def _business(report: BusinessReport) -> list[DrawnValue]:
    return [
        *(_measured("header", name, "", measurement) for name, measurement in report.headline),
        *(
            [_measured("net", "net_annual_value", "", report.net.net)]
            if report.net.interval is not None
            else []
        ),
        *_parts(report.parts),
        *_sensitivity(report.sensitivity),
        *(
            [_measured("break_even", "measured improvement", "", report.break_even.measured)]
            if report.break_even.measured
            else []
        ),
        *_payback(report.payback),
        *(_measured("inputs", row.label, "", row.measurement) for row in report.inputs.rows),
        *(
            _measured("performance", row.label, str(side.variant), side)
            for row in report.performance.rows
            for side in (row.baseline, row.challenger)
        ),
    ]


def _parts(panel: PartsPanel) -> Iterator[DrawnValue]:
    for bar in (*panel.bars, *((panel.total,) if panel.total else ())):
        low, high = (bar.interval.low, bar.interval.high) if bar.interval else (None, None)
        yield _measured("parts", bar.state, bar.label, bar.value)._replace(low=low, high=high)


def _sensitivity(panel: SensitivityPanel) -> Iterator[DrawnValue]:
    for swing in panel.swings:
        series = "assumed" if swing.is_assumed else "measured"
        yield DrawnValue(
            "sensitivity",
            series,
            None,
            swing.name,
            panel.net_usd,
            swing.net_at_low_usd,
            swing.net_at_high_usd,
            "usd_per_year",
            panel.head.origin.value,
            None,
        )


def _payback(panel: PaybackPanel) -> Iterator[DrawnValue]:
    for point in panel.points:
        yield DrawnValue(
            "payback",
            "cumulative value",
            None,
            f"month {point.month:g}",
            point.value_usd,
            point.low_usd,
            point.high_usd,
            "usd",
            panel.head.origin.value,
            None,
        )
