"""How good each variant is: accuracy, precision, recall and F1 as dots on one percent axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from live_dashboards.figures.frame import Frame
from live_dashboards.figures.marks import dot, draw_dots
from live_dashboards.figures.panel import open_panel, say_nothing
from live_dashboards.figures.rows import Rows, fitting, heading_height, open_rows
from live_dashboards.figures.text import Look, fitted_name, width_inches
from live_dashboards.figures.theme import FAINT, INK
from live_dashboards.figures.words import value_words
from live_dashboards.model.limits import finite_ends, padded
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.number import shared_decimals
from live_dashboards.model.presentation import colour_of, drawn_interval, style_of
from live_dashboards.model.report import AbReport, QualityRow

_COLUMN_INCHES = 0.55
_MOST_COLUMNS = 4


@dataclass(frozen=True, slots=True)
class _Row:
    label: str
    values: tuple[Measurement, ...]

    @property
    def is_known(self) -> bool:
        return any(value.value is not None for value in self.values)


def draw(frame: Frame, report: AbReport) -> None:
    """A row a metric with a dot a variant; accuracy from the tests and online stand under each other."""
    panel = report.quality
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    rows, _ = fitting(body, _split_rows(panel.rows))
    if not rows:
        say_nothing(body, "no metric to show")
        return
    names = [
        name
        for name in report.variant_names
        if any(value.variant == name for row in rows for value in row.values)
    ]
    columns = names[:_MOST_COLUMNS]
    width = _column_width(body, columns)
    limits = padded(
        finite_ends(
            [v.value for row in rows for v in row.values],
            [drawn_interval(v) for row in rows for v in row.values],
        ),
        floor=0.0,
        ceiling=100.0,
    )
    chart = open_rows(
        body, len(rows), limits, numbers=width * len(columns) + 0.04, unit="percent", names=1.24
    )
    _draw_variants(chart, rows, names, report)
    _write_columns(chart, rows, columns, width, report)
    for y, row in enumerate(rows):
        chart.name(y, row.label, INK if row.is_known else FAINT)
        if not row.is_known:
            chart.inside(y, next((value.reason for value in row.values if value.reason), "not measured"))


def _split_rows(rows: Sequence[QualityRow]) -> list[_Row]:
    """The online gauge in a row of its own, below the offline values of the same metric."""
    split = []
    for row in rows:
        split.append(_Row(row.label, row.offline))
        if any(value.value is not None for value in row.online):
            is_stale = any(value.stale for value in row.online)
            split.append(_Row(f"{row.label}, online{', stale' if is_stale else ''}", row.online))
    return split


def _column_width(body: Frame, columns: Sequence[str]) -> float:
    """Inches of a variant's number column: its name where there is room, at least a number."""
    look = Look(body.sizes.tick, is_bold=True)
    widest = max((width_inches(name, look) for name in columns), default=0.0) + 0.1
    return min(max(body.sizes.room(_COLUMN_INCHES), widest), body.width * 0.42 / max(2, len(columns)))


def _draw_variants(chart: Rows, rows: Sequence[_Row], names: Sequence[str], report: AbReport) -> None:
    """The dots of each variant, a little above or below each other so that equal values stay visible."""
    for index, name in enumerate(names):
        shift = (index - (len(names) - 1) / 2) * min(0.2, 0.6 / len(names))
        style = style_of(report.variant_names, name)
        values = [(y, value) for y, row in enumerate(rows) for value in row.values if value.variant == name]
        for origin in dict.fromkeys(value.origin for _, value in values):
            dots = [dot(value, y + shift) for y, value in values if value.origin is origin]
            draw_dots(
                chart.axes,
                chart.plot,
                dots,
                style,
                colour_of(style, origin),
                size=chart.body.sizes.marker * 0.9,
            )


def _write_columns(
    chart: Rows, rows: Sequence[_Row], columns: Sequence[str], width: float, report: AbReport
) -> None:
    """A column of numbers a variant under its name."""
    body, sizes, decimals = chart.body, chart.body.sizes, _decimals(rows)
    for index, name in enumerate(columns):
        right = (len(columns) - 1 - index) * width
        look = Look(sizes.tick, style_of(report.variant_names, name).text_colour, is_bold=True)
        head = fitted_name(name, look, width - 0.05)
        body.write(
            body.width - right,
            body.height - heading_height(sizes) + 0.035,
            head,
            look,
            within=width,
            align="right",
        )
        for y, row in enumerate(rows):
            value = next((value for value in row.values if value.variant == name), None)
            if value is not None and row.is_known:
                chart.number(
                    y,
                    value_words(value, show_unit=False, decimals=decimals),
                    look.colour,
                    column=right,
                    within=width - 0.04,
                )


def _decimals(rows: Sequence[_Row]) -> int | None:
    """As many digits after the point as tell the variants apart in every row."""
    needed = [
        shared_decimals(values, "percent")
        for row in rows
        if (values := [value.value for value in row.values if value.value is not None])
    ]
    return None if None in needed else max((count for count in needed if count is not None), default=None)
