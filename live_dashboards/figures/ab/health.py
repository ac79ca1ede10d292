"""Can this page be trusted: the age of each newest sample against its limit, failures, and notices."""

from __future__ import annotations

from collections.abc import Sequence

from live_dashboards.figures.frame import BARS_FROM_ZERO, Frame
from live_dashboards.figures.marks import draw_bars
from live_dashboards.figures.panel import open_panel, say_nothing
from live_dashboards.figures.rows import Rows, column_inches, fitting, open_rows, rows_height
from live_dashboards.figures.text import Look, width_inches, wrapped
from live_dashboards.figures.theme import AXIS, FAINT, INK, STATE_STYLES, line_inches
from live_dashboards.model.measurement import Interval
from live_dashboards.model.report import AbReport, HealthRow

_LARGEST_SHARE = 150.0
_MOST_NOTICE_LINES = 3
_BELOW_BARS = 0.06


def draw(frame: Frame, report: AbReport) -> None:
    """A bar a sample, as a share of its limit; beyond 150 percent it ends in an arrow."""
    panel = report.health
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    body = _write_notices(body, panel.notices, body.height - rows_height(body.sizes, len(panel.rows)))
    shown, hidden = fitting(body, panel.rows)
    if not shown:
        say_nothing(body, "no source was asked")
        return
    sizes = body.sizes
    numbers = column_inches(body, [row.words for row in shown], share=0.56)
    rows = open_rows(body, len(shown), (0.0, _LARGEST_SHARE), numbers=numbers, unit="percent", names=1.3)
    rows.heading("age, % of its limit", hidden)
    rows.axes.axvline(100.0, color=INK, linewidth=0.9, dashes=(3, 2), zorder=2)
    for state in dict.fromkeys(row.state for row in shown):
        colour, marker = STATE_STYLES.get(state, (AXIS, "o"))
        chosen = [(y, row) for y, row in enumerate(shown) if row.state == state]
        bars = [(Interval(0.0, _share(row)), float(y)) for y, row in chosen if _share(row) is not None]
        draw_bars(rows.axes, bars, colour, sizes.marker * 0.8, gid=BARS_FROM_ZERO)
        rows.axes.plot(
            [0.0] * len(chosen),
            [y for y, _ in chosen],
            linestyle="none",
            marker=marker,
            markersize=sizes.marker * 0.9,
            color=colour,
            clip_on=False,
            zorder=5,
        )
        for y, row in chosen:
            _write_row(rows, y, row, colour)


def _share(row: HealthRow) -> float | None:
    """Age as percent of its limit."""
    if row.age_seconds is None or not row.limit_seconds:
        return None
    return max(0.0, 100 * row.age_seconds / row.limit_seconds)


def _write_row(rows: Rows, y: int, row: HealthRow, colour: str) -> None:
    rows.name(y, row.label, INK, points=min(rows.points, rows.body.sizes.tick))
    rows.number(y, row.words, colour if row.state in {"stale", "missing"} else FAINT)


def _write_notices(body: Frame, notices: Sequence[str], room: float) -> Frame:
    """Warnings below the bars, the weightiest first, as many as fit into three lines of the room that the
    bars leave; the place above them.

    Where the bars leave none, one line names the weightiest all the same: what the page says may rest on it.
    """
    sizes, look = body.sizes, Look(body.sizes.note, INK)
    most = min(_MOST_NOTICE_LINES, max(1, int((room - _BELOW_BARS) / line_inches(sizes.note))))
    lines = [line for notice in notices for line in wrapped(f"• {notice}", look, body.width, 2)]
    if len(lines) > most:
        lines = _folded(notices, look, body.width, most)
    for number, line in enumerate(reversed(lines)):
        body.write(0.0, 0.02 + number * line_inches(sizes.note), line, look)
    return body.inner(bottom=len(lines) * line_inches(sizes.note) + (_BELOW_BARS if lines else 0.0))


def _folded(notices: Sequence[str], look: Look, width: float, most: int) -> list[str]:
    """As many lines, of which the last one ends with how many notices there are."""
    if len(notices) == 1:
        return wrapped(f"• {notices[0]}", look, width, most)
    ending = f" · {len(notices)} notices in all: summary file"
    lines = wrapped(f"• {notices[0]}", look, width, most, last_indent_inches=width_inches(ending, look))
    return [*lines[:-1], lines[-1] + ending]
