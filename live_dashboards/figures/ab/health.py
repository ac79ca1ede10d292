"""Can this page be trusted: the age of each newest sample against its limit, failures, and notices."""

from __future__ import annotations

from collections.abc import Sequence

from live_dashboards.figures.frame import Frame
from live_dashboards.figures.marks import draw_bars
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.rows import Rows, column_inches, open_rows
from live_dashboards.figures.text import Look, wrapped
from live_dashboards.figures.theme import AXIS, FAINT, INK, MUTED, STATE_STYLES, line_inches
from live_dashboards.model.measurement import Interval
from live_dashboards.model.report import AbReport, HealthRow

_LARGEST_SHARE = 150.0
_MOST_NOTICE_LINES = 3


def draw(frame: Frame, report: AbReport) -> None:
    """A bar a sample, as a share of its limit; beyond 150 percent it ends in an arrow."""
    panel = report.health
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    body = _write_notices(body, panel.notices)
    if not panel.rows:
        return
    sizes = body.sizes
    room = max(1, int((body.height - 0.2) / line_inches(sizes.note, 1.15)))
    shown = panel.rows[:room]
    rows = open_rows(
        body,
        len(shown),
        (0.0, _LARGEST_SHARE),
        names=1.25 * sizes.scale + 0.1,
        numbers=column_inches(body, [row.words for row in shown], sizes.tick, share=0.56),
        unit="percent",
        top=line_inches(sizes.note),
        most_ticks=4,
    )
    rows.body.write(rows.plot.left - body.left, body.height - line_inches(sizes.note) + 0.04, "age, % of its limit", Look(sizes.note, MUTED))
    rows.axes.axvline(100.0, color=INK, linewidth=0.9, dashes=(3, 2), zorder=2)
    for state in dict.fromkeys(row.state for row in shown):
        colour, marker = STATE_STYLES.get(state, (AXIS, "o"))
        chosen = [(y, row) for y, row in enumerate(shown) if row.state == state]
        bars = [(Interval(0.0, _share(row)), float(y)) for y, row in chosen if _share(row) is not None]
        draw_bars(rows.axes, bars, colour, sizes.marker * 0.8)
        rows.axes.plot([0.0] * len(chosen), [y for y, _ in chosen], linestyle="none", marker=marker, markersize=sizes.marker * 0.9, color=colour, clip_on=False, zorder=5)
        for y, row in chosen:
            _write_row(rows, y, row, colour)


def _share(row: HealthRow) -> float | None:
    """Age as percent of its limit."""
    if row.age_seconds is None or not row.limit_seconds:
        return None
    return max(0.0, 100 * row.age_seconds / row.limit_seconds)


def _write_row(rows: Rows, y: int, row: HealthRow, colour: str) -> None:
    sizes = rows.body.sizes
    points = sizes.tick if rows.height() >= line_inches(sizes.tick) else sizes.note
    rows.name(y, row.label, INK, points=points)
    rows.number(y, row.words, colour if row.state in {"stale", "missing"} else FAINT, points=points)


def _write_notices(body: Frame, notices: Sequence[str]) -> Frame:
    """Warnings below the bars, as many as fit into three lines; the place above them."""
    sizes, look = body.sizes, Look(body.sizes.note, INK)
    lines = [line for notice in notices for line in wrapped(f"• {notice}", look, body.width, 2)]
    if len(lines) > _MOST_NOTICE_LINES:
        lines = [*lines[: _MOST_NOTICE_LINES - 1], f"• and {len(notices)} notices in all: see the summary file"]
    for number, line in enumerate(reversed(lines)):
        body.write(0.0, 0.02 + number * line_inches(sizes.note), line, look)
    return body.inner(bottom=len(lines) * line_inches(sizes.note) + (0.06 if lines else 0.0))
