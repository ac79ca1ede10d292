"""What was measured: of each variant, the difference, its interval, n, window and age."""

from __future__ import annotations

from live_dashboards.figures.business.table import Column, Row, draw_table
from live_dashboards.figures.frame import Frame
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.theme import FAINT, INK
from live_dashboards.model.business_report import BusinessReport, InputRow
from live_dashboards.model.presentation import style_of


def draw_inputs(frame: Frame, report: BusinessReport) -> None:
    """A row an input; the variants' columns in their colours."""
    panel = report.inputs
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is not None:
        draw_table(body, _columns(report), [_row(each) for each in panel.rows])


def _columns(report: BusinessReport) -> tuple[Column, ...]:
    baseline, challenger = (
        style_of(report.variant_names, name).text_colour for name in (report.baseline, report.challenger)
    )
    return (
        Column("input", 0.19, "left"),
        Column(report.baseline or "baseline", 0.13, colour=baseline),
        Column(report.challenger or "challenger", 0.15, colour=challenger),
        Column("difference", 0.17),
        Column("95 % interval", 0.26),
        Column("age", 0.1),
    )


def _row(each: InputRow) -> Row:
    cells = (
        each.label,
        each.baseline_words,
        each.challenger_words,
        each.difference_words,
        each.interval_words,
        each.age_words,
    )
    below = f"n {each.n_words}, {each.window_words}" if each.n_words != "–" else f"over {each.window_words}"
    if each.measurement.value is None:
        below = each.measurement.reason or "not measured"
    return Row(cells, below, tuple(FAINT if cell == "–" else INK for cell in cells))
