"""What was measured: each input of both variants, their difference, of how many, over what and when."""

from __future__ import annotations

from live_dashboards.model.business_case import BusinessReport, EffectInput
from live_dashboards.model.chart import Cell, Column, Table, TableRow, drawn_value
from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.metrics import ACCURACY_OVER_RUNS
from live_dashboards.model.number import (
    NOTHING,
    format_count,
    format_interval,
    format_number,
    format_short_age,
    format_signed,
)
from live_dashboards.model.presentation import FAINT, INK
from live_dashboards.model.quality import AS_LOGGED, HIGHER
from live_dashboards.model.report import Head
from live_dashboards.model.snapshot import MLFLOW
from live_dashboards.panels import money

_AS_MEASURED = {"latency_increase_ms": ("ms", 1.0), "error_rate_improvement": ("points", -100.0)}
_HEADINGS = ("difference", "95 % interval", "n", "window", "age")
_SHARES = (0.17, 0.26, 0.0, 0.0, 0.1)
_DIFFERENCE = 3  # its place in a row


def head(report: BusinessReport) -> Head:
    """How many are known."""
    inputs = report.case.inputs.measured
    known = sum(measurement.value is not None for measurement in inputs)
    title = "Measured inputs"
    if report.origin is not Origin.SIMULATED:
        title = f"{known} of {len(inputs)} inputs are measured"
    versus = f"{report.challenger or 'challenger'} against {report.baseline}"
    return money.head(report, title, f"{versus}, 95 % intervals, however often one looks")


def charts(report: BusinessReport) -> tuple[Table, ...]:
    """A row an input; the variants' columns in their colours."""
    columns = (
        Column("input", 0.19),
        _column(report, report.baseline or "baseline", 0.13),
        _column(report, report.challenger or "challenger", 0.15),
        *map(Column, _HEADINGS, _SHARES),
    )
    rows = (*(_difference(effect, report) for effect in report.case.inputs.effects), _requests(report))
    drawn = tuple(
        drawn_value("inputs", row.cells[0].text, "", measurement)
        for row, measurement in zip(rows, report.case.inputs.measured, strict=True)
    )
    return (Table("Measured inputs of the business case", columns, rows, drawn),)


def _column(report: BusinessReport, name: str, share: float) -> Column:
    names = report.variant_names
    return Column(name, share, names.index(name) if name in names else max(4, len(names)))


def _difference(effect: EffectInput, report: BusinessReport) -> TableRow:
    difference = effect.difference
    unit, factor = _as_measured(difference, report)
    value = None if difference.value is None else factor * difference.value
    window = "test set" if MLFLOW in difference.source else _period_words(report)
    if effect.baseline.name == ACCURACY_OVER_RUNS:
        window = "runs"
    n = (effect.baseline.n, effect.challenger.n)
    return _row(
        (
            _label(difference, report),
            format_number(effect.baseline.value, effect.baseline.unit),
            format_number(effect.challenger.value, effect.challenger.unit),
            format_signed(value, unit),
            _interval(difference, unit, factor),
            " / ".join(format_count(each) if each else NOTHING for each in n) if any(n) else NOTHING,
            window,
        ),
        difference,
        report,
    )


def _label(difference: Measurement, report: BusinessReport) -> str:
    quality = report.case.inputs.quality
    return money.sentence(money.input_label(difference.name, quality), quality)


def _as_measured(difference: Measurement, report: BusinessReport) -> tuple[str, float]:
    """Unit and sign of challenger minus baseline, as the difference stands between their values; of a share
    in place of the accuracy the improvement.
    """
    if difference.unit == AS_LOGGED:
        return AS_LOGGED, 1.0 if report.case.inputs.quality.goal == HIGHER else -1.0
    return _AS_MEASURED.get(difference.name, ("points", 100.0))


def _requests(report: BusinessReport) -> TableRow:
    requests, days = report.case.inputs.requests_per_day, report.case.inputs.days_of_requests
    interval = "counted" if requests.value is not None else NOTHING
    window = f"{days}d" if days else money.window_words(report.window_seconds)
    counted = format_count(requests.value)
    return _row(("Requests/day", NOTHING, NOTHING, counted, interval, NOTHING, window), requests, report)


def _row(words: tuple[str, ...], measurement: Measurement, report: BusinessReport) -> TableRow:
    """The words of all columns but the age; below them what has no room in a picture."""
    *_, n, window = words
    below = f"n {n}, {window}" if n != NOTHING else f"over {window}"
    cells = [Cell(text, FAINT if text == NOTHING else INK) for text in (*words, _age(measurement, report))]
    if measurement.value is None:
        below = measurement.reason or "not measured"
        cells[_DIFFERENCE] = cells[_DIFFERENCE]._replace(more=below)
    return TableRow(tuple(cells), below)


def _interval(difference: Measurement, unit: str, factor: float) -> str:
    if difference.interval is None:
        return NOTHING
    limits = difference.interval.times(factor)
    return format_interval(limits.low, limits.high, unit, signed=True)


def _period_words(report: BusinessReport) -> str:
    """How long the differences of traffic have been measured: since the start of the test."""
    start = report.case.inputs.start
    if start is None:
        return money.window_words(report.window_seconds)
    return money.window_words(3600 * round((report.at - start).total_seconds() / 3600) or 3600.0)


def _age(measurement: Measurement, report: BusinessReport) -> str:
    if measurement.observed_at is None or measurement.value is None:
        return NOTHING
    return format_short_age(max(0.0, (report.at - measurement.observed_at).total_seconds()))
