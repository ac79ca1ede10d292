"""How good each variant is: accuracy, precision, recall and F1 as dots on one percent axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from live_dashboards.figures.frame import Frame
from live_dashboards.figures.marks import colour_of, dot, draw_dots, drawn_interval, finite_ends, padded, style_of
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.rows import Rows, open_rows
from live_dashboards.figures.text import Look, fitted_name, width_inches
from live_dashboards.figures.theme import FAINT, INK, line_inches
from live_dashboards.figures.words import value_words
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.report import AbReport, QualityRow

_COLUMN_INCHES = 0.55
_MOST_COLUMNS = 4


@dataclass(frozen=True, slots=True)
class _Row:
    label: str
    values: tuple[Measurement, ...]


def draw(frame: Frame, report: AbReport) -> None:
    """A row a metric with a dot a variant; accuracy from the tests and online stand under each other."""
    panel = report.quality
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    rows = _split_rows(panel.rows)
    if body is None or not rows:
        return
    sizes = body.sizes
    names = [name for name in report.variant_names if any(value.variant == name for row in rows for value in row.values)]
    columns = names[:_MOST_COLUMNS]
    widest = max(width_inches(name, Look(sizes.tick, is_bold=True)) for name in names) + 0.1
    column = min(max(_COLUMN_INCHES * sizes.scale, widest), body.width * 0.42 / max(2, len(columns)))
    limits = padded(finite_ends([v.value for row in rows for v in row.values], [drawn_interval(v) for row in rows for v in row.values]), floor=0.0, ceiling=100.0)
    chart = open_rows(body, len(rows), limits, names=1.12 * sizes.scale + 0.12, numbers=column * len(columns) + 0.08, unit="percent", top=line_inches(sizes.tick))
    _draw_variants(chart, rows, names, report)
    _write_columns(chart, rows, columns, column, report)
    for y, row in enumerate(rows):
        is_known = any(value.value is not None for value in row.values)
        chart.name(y, row.label, INK if is_known else FAINT, points=None if chart.height() > line_inches(sizes.body) else sizes.note)
        if not is_known:
            chart.inside(y, next((value.reason for value in row.values if value.reason), "not measured"))


def _split_rows(rows: Sequence[QualityRow]) -> list[_Row]:
    split = []
    for row in rows:
        split.append(_Row(row.label, row.offline))
        if row.online:
            is_stale = any(value.stale for value in row.online)
            split.append(_Row(f"{row.label}, online{', stale' if is_stale else ''}", row.online))
    return split


def _draw_variants(chart: Rows, rows: Sequence[_Row], names: Sequence[str], report: AbReport) -> None:
    """The dots of each variant, a little above or below each other so that equal values stay visible."""
    for index, name in enumerate(names):
        shift = (index - (len(names) - 1) / 2) * min(0.2, 0.6 / len(names))
        style = style_of(report.variant_names, name)
        values = [(y, value) for y, row in enumerate(rows) for value in row.values if value.variant == name]
        for origin in dict.fromkeys(value.origin for _, value in values):
            dots = [dot(value, y + shift) for y, value in values if value.origin is origin]
            draw_dots(chart.axes, chart.plot, dots, style, colour_of(style, origin), size=chart.body.sizes.marker * 0.9)


def _write_columns(chart: Rows, rows: Sequence[_Row], columns: Sequence[str], width: float, report: AbReport) -> None:
    sizes = chart.body.sizes
    for index, name in enumerate(columns):
        right = (len(columns) - 1 - index) * width
        look = Look(sizes.tick, style_of(report.variant_names, name).text_colour, is_bold=True)
        head = fitted_name(name, look, width - 0.05)
        chart.body.write(chart.body.width - right, chart.body.height - line_inches(sizes.tick) + 0.04, head, look, within=width, align="right")
        for y, row in enumerate(rows):
            value = next((value for value in row.values if value.variant == name), None)
            if value is not None and any(other.value is not None for other in row.values):
                chart.number(y, value_words(value, show_unit=False), look.colour, column=right, within=width - 0.04)
