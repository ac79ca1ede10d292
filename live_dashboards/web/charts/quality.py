"""How good each variant is: accuracy, precision, recall and F1 as dots on one percent axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from live_dashboards.model.limits import finite_ends, padded
from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.number import shared_decimals
from live_dashboards.model.presentation import CACHED_MARK, FAINT, INK, colour_of, drawn_interval, style_of
from live_dashboards.model.report import AbReport, QualityRow
from live_dashboards.web.charts.base import Figure
from live_dashboards.web.charts.lines import LEGEND_PIXELS
from live_dashboards.web.charts.marks import dot_traces
from live_dashboards.web.charts.rows import Row, lane, measured_dot, number_axis, number_words, rows_layout
from live_dashboards.web.charts.text import shown_name

_MOST_COLUMNS = 3
_COLUMN_PIXELS = 50
_LEGEND_COLUMNS = 40


@dataclass(frozen=True, slots=True)
class _Line:
    label: str
    values: tuple[Measurement, ...]

    @property
    def is_known(self) -> bool:
        return any(value.value is not None for value in self.values)


def figure(report: AbReport) -> Figure | None:
    """A row a metric with a dot a variant; what the service measures online stands in a row of its own."""
    panel = report.quality
    lines = _lines(panel.rows)
    if not panel.head.is_drawn or not lines:
        return None
    names = [
        name
        for name in report.variant_names
        if any(value.variant == name for line in lines for value in line.values)
    ]
    values = [value for line in lines for value in line.values]
    limits = padded(
        finite_ends([value.value for value in values], [drawn_interval(value) for value in values]),
        floor=0.0,
        ceiling=100.0,
    )
    traces = [
        trace
        for index, name in enumerate(names)
        for trace in _variant(report, lines, name, lane(index, len(names)), limits)
    ]
    rows = [
        _row(line, names[:_MOST_COLUMNS] if len(names) <= _MOST_COLUMNS else [], report, _decimals(lines))
        for line in lines
    ]
    around = LEGEND_PIXELS * max(1, len(names) - 1)
    made = rows_layout(
        rows,
        number_axis("percent", limits, "percent"),
        panel.head.origin,
        lanes=len(names),
        column=_COLUMN_PIXELS,
        around=around,
        showlegend=True,
    )
    return {"data": traces, "layout": made}


def _lines(rows: Sequence[QualityRow]) -> list[_Line]:
    """The online gauge below the offline values of the same metric."""
    made = []
    for row in rows:
        made.append(_Line(row.label, row.offline))
        if any(value.value is not None for value in row.online):
            made.append(_Line(f"{row.label}, online{_state(row.online)}", row.online))
    return made


def _state(values: Sequence[Measurement]) -> str:
    """What is to be said of the whole row, whose columns have no room for it."""
    is_cached, is_stale = (
        any(value.origin is Origin.CACHED for value in values),
        any(value.stale for value in values),
    )
    return (CACHED_MARK if is_cached else "") + (", stale" if is_stale else "")


def _variant(
    report: AbReport, lines: Sequence[_Line], name: str, lane_rows: float, limits: tuple[float, float]
) -> list[Figure]:
    """A variant's dots; values of another origin have another colour, but one place in the legend."""
    style = style_of(report.variant_names, name)
    values = [
        (y, line.label, value)
        for y, line in enumerate(lines)
        for value in line.values
        if value.variant == name and value.value is not None
    ]
    traces: list[Figure] = []
    for origin in dict.fromkeys(value.origin for _, _, value in values):
        dots = [
            measured_dot(f"{label}, {name}", value, y + lane_rows, report)
            for y, label, value in values
            if value.origin is origin
        ]
        legend_name = (
            "" if any(trace["showlegend"] for trace in traces) else shown_name(name, _LEGEND_COLUMNS)
        )
        traces += dot_traces(
            [dot for dot in dots if dot is not None],
            style,
            colour_of(style, origin),
            limits,
            size=9,
            name=legend_name,
        )
    return traces


def _row(line: _Line, columns: Sequence[str], report: AbReport, decimals: int | None) -> Row:
    if not line.is_known:
        return Row(
            line.label,
            colour=FAINT,
            reason=next((value.reason for value in line.values if value.reason), "not measured"),
        )
    numbers = []
    for name in columns:
        value = next((value for value in line.values if value.variant == name), None)
        words = (
            "–"
            if value is None
            else number_words(value, show_unit=False, decimals=decimals)
            .removesuffix(" stale")
            .removesuffix(CACHED_MARK)
        )
        numbers.append((words, style_of(report.variant_names, name).text_colour))
    return Row(line.label, tuple(numbers), INK)


def _decimals(lines: Sequence[_Line]) -> int | None:
    """As many digits after the point as tell the variants apart in every row."""
    needed = [
        shared_decimals(values, "percent")
        for line in lines
        if (values := [value.value for value in line.values if value.value is not None])
    ]
    return None if None in needed else max((count for count in needed if count is not None), default=None)
