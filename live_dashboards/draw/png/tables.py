"""The tables of the business page, drawn by hand: what was measured, what was assumed, and the conditions of
a decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.lines import Line2D

from live_dashboards.draw.png.frame import Frame
from live_dashboards.draw.png.panel import open_panel
from live_dashboards.draw.png.text import Look, fitted_name, width_inches, wrapped
from live_dashboards.draw.png.theme import ALARM, CALM, CAUTION, FAINT, INK, MUTED, PAPER, RULE, line_inches
from live_dashboards.model.business_report import BusinessReport, Gate, InputRow, LedgerRow
from live_dashboards.model.presentation import style_of

_GAP_INCHES = 0.08

GATE_MARKS = {"passed": (CALM, "o", True), "failed": (ALARM, "X", True), "unknown": (MUTED, "o", False)}
"""Colour, marker and whether it is filled, of each state."""
_STATE_INCHES, _MOST_OF_LABELS = 0.84, 0.42
_LEADING = 1.08


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, the share of the width it takes, how its cells are aligned and its heading's colour."""

    heading: str
    share: float
    align: str = "right"
    colour: str = FAINT


@dataclass(frozen=True, slots=True)
class Row:
    """A row's cells, and a smaller second line below them (empty: none)."""

    cells: tuple[str, ...]
    below: str = ""
    colours: tuple[str, ...] = ()


def draw_table(body: Frame, columns: Sequence[Column], rows: Sequence[Row]) -> None:
    """Headings, a thin rule, and the rows; second lines only where all of them fit."""
    sizes = body.sizes
    heading = line_inches(sizes.note, 1.35)
    lefts = _lefts(body, columns)
    for column, left in zip(columns, lefts, strict=True):
        _cell(
            body,
            column,
            (left, body.height - line_inches(sizes.note, 1.0)),
            column.heading,
            Look(sizes.note, column.colour),
        )
    body.rule(body.height - heading, RULE, 0.6)
    height = min(
        (body.height - heading) / max(1, len(rows)),
        line_inches(sizes.body, 1.5) + line_inches(sizes.note, 1.4),
    )
    has_below = height >= line_inches(sizes.tick, 1.15) + line_inches(sizes.note, 1.15)
    for index, row in enumerate(rows):
        top = body.height - heading - index * height
        lift = line_inches(sizes.note, 1.15) / 2 if has_below and row.below else 0.0
        _draw_table_row(body, columns, lefts, row, top - height / 2 + lift)
        if lift:
            body.write(
                0.0, top - height / 2 - lift, row.below, Look(sizes.note, FAINT), stand="center_baseline"
            )


def _lefts(body: Frame, columns: Sequence[Column]) -> list[float]:
    """The left edge of each column in inches of the page."""
    lefts, left, whole = [], body.left, sum(column.share for column in columns)
    for column in columns:
        lefts.append(left)
        left += body.width * column.share / whole
    return lefts


def _draw_table_row(
    body: Frame, columns: Sequence[Column], lefts: Sequence[float], row: Row, y: float
) -> None:
    for index, (column, left, text) in enumerate(zip(columns, lefts, row.cells, strict=True)):
        colour = row.colours[index] if row.colours else INK
        _cell(
            body,
            column,
            (left, y),
            text,
            Look(body.sizes.tick if 0 < index < len(columns) - 1 else body.sizes.note, colour),
            stand="center_baseline",
        )


def _cell(
    body: Frame, column: Column, at: tuple[float, float], text: str, look: Look, *, stand: str = "baseline"
) -> None:
    left, y = at
    width = body.width * column.share - _GAP_INCHES * body.sizes.scale
    x = left - body.left + (width if column.align == "right" else 0.0)
    body.write(x, y, fitted_name(text, look, width), look, within=width, align=column.align, stand=stand)


def draw_inputs(frame: Frame, report: BusinessReport) -> None:
    """A row an input; the variants' columns in their colours."""
    panel = report.inputs
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is not None:
        draw_table(body, _input_columns(report), [_input_row(each) for each in panel.rows])


def _input_columns(report: BusinessReport) -> tuple[Column, ...]:
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


def _input_row(each: InputRow) -> Row:
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


_COLUMNS = (Column("setting", 0.45, "left"), Column("value", 0.2), Column("whose", 0.35))
_WITH_RANGE = (
    Column("setting", 0.37, "left"),
    Column("value", 0.14),
    Column("range", 0.24),
    Column("whose", 0.25),
)


def draw_ledger(frame: Frame, report: BusinessReport) -> None:
    """A row an assumption; a default says so in words and colour."""
    panel = report.ledger
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is not None:
        has_range = any(each.range_words for each in panel.rows)
        draw_table(
            body,
            _WITH_RANGE if has_range else _COLUMNS,
            [_ledger_row(each, has_range=has_range) for each in panel.rows],
        )


def _ledger_row(each: LedgerRow, *, has_range: bool) -> Row:
    owner = CAUTION if each.assumption.is_default else INK
    flip = f"; flips {each.flip.words}" if each.flip is not None and each.flip.amount is not None else ""
    middle = ((each.range_words or "–", INK if each.range_words else FAINT),) if has_range else ()
    cells = ((each.assumption.name, INK), (each.value_words, INK), *middle, (each.owner_words, owner))
    return Row(
        tuple(text for text, _ in cells), f"{each.unit_words}{flip}", tuple(colour for _, colour in cells)
    )


def draw_gates(frame: Frame, report: BusinessReport) -> None:
    """A line a gate."""
    panel = report.gates
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    height = min(body.height / max(1, len(panel.gates)), line_inches(body.sizes.body, 2.1))
    label = min(
        _MOST_OF_LABELS * body.width,
        max((width_inches(gate.label, Look(body.sizes.tick)) for gate in panel.gates), default=0.0),
    )
    for index, gate in enumerate(panel.gates):
        _draw_gate(body, gate, body.height - (index + 0.5) * height, height, label)


def _draw_gate(body: Frame, gate: Gate, y: float, height: float, label: float) -> None:
    sizes = body.sizes
    colour, marker, is_filled = GATE_MARKS[gate.state]
    _mark(body, y + sizes.tick * 0.02 / 72, colour, marker, is_filled=is_filled)
    left = sizes.room(_STATE_INCHES)
    body.write(
        0.16,
        y,
        gate.state,
        Look(sizes.tick, colour, is_bold=True),
        within=left - 0.16,
        stand="center_baseline",
    )
    body.write(left, y, gate.label, Look(sizes.tick, INK), within=label, stand="center_baseline")
    x, look = left + label + 0.1, Look(sizes.note, MUTED)
    lines = wrapped(
        gate.words, look, body.width - x, 2 if height >= 2 * line_inches(sizes.note, _LEADING) else 1
    )
    for number, line in enumerate(lines):
        shift = ((len(lines) - 1) / 2 - number) * line_inches(sizes.note, _LEADING)
        body.write(x, y + shift, line, look, within=body.width - x, stand="center_baseline")


def _mark(body: Frame, y: float, colour: str, marker: str, *, is_filled: bool) -> None:
    width, height = body.figure.get_size_inches()
    artist = Line2D(
        [(body.left + 0.06) / width],
        [(body.bottom + y) / height],
        linestyle="none",
        marker=marker,
        markersize=body.sizes.marker * 1.05,
        color=colour,
        markerfacecolor=colour if is_filled else PAPER,
        markeredgewidth=1.2,
        transform=body.figure.transFigure,
    )
    artist.set_gid(f"gate-{marker}")
    body.figure.add_artist(artist)
