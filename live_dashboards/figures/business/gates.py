"""May I decide: each condition with its state as shape and word, and the numbers behind it."""

from __future__ import annotations

from matplotlib.lines import Line2D

from live_dashboards.figures.frame import Frame
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.text import Look, width_inches, wrapped
from live_dashboards.figures.theme import ALARM, CALM, INK, MUTED, PAPER, line_inches
from live_dashboards.model.business_report import BusinessReport, Gate

GATE_MARKS = {"passed": (CALM, "o", True), "failed": (ALARM, "X", True), "unknown": (MUTED, "o", False)}
"""Colour, marker and whether it is filled, of each state."""
_STATE_INCHES, _MOST_OF_LABELS = 0.84, 0.42
_LEADING = 1.08


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
