"""What the service itself reports of its business impact: a small chart for each quantity."""

from __future__ import annotations

from live_dashboards.figures.frame import Frame
from live_dashboards.figures.panel import open_panel, say_nothing
from live_dashboards.figures.rows import column_inches
from live_dashboards.figures.stretches import Plan
from live_dashboards.figures.text import Look, fitted, width_inches
from live_dashboards.figures.theme import INK, line_inches
from live_dashboards.figures.timeline import draw_timeline
from live_dashboards.figures.words import end_words
from live_dashboards.model.report import AbReport, LinesPanel

_MOST_TYPES = 3


def draw(frame: Frame, report: AbReport) -> None:
    """One axis a metric type, since they are different quantities; only last values at the line ends."""
    panel = report.impact
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    shown, hidden = panel.types[:_MOST_TYPES], len(panel.types) - _MOST_TYPES
    if not shown:
        say_nothing(body, "no metric type is reported")
        return
    places = body.columns(len(shown), 0.14 * body.sizes.scale)
    values = [words for lines in shown for words in end_words([line.latest for line in lines.lines])]
    names_width = column_inches(places[0], values) if len(shown) > 1 else None
    for index, (place, lines) in enumerate(zip(places, shown, strict=True)):
        _write_title(place, lines, f" (+{hidden} more)" if hidden > 0 and index == len(shown) - 1 else "")
        plan = Plan(
            "",
            is_zero_based=False,
            ticks_width=0.36,
            names_width=names_width,
            is_narrow=len(shown) > 1,
            has_zone=index == 0,
        )
        draw_timeline(place.inner(top=line_inches(body.sizes.tick)), lines.lines, report, plan)


def _write_title(place: Frame, lines: LinesPanel, more: str) -> None:
    look = Look(place.sizes.tick, INK)
    title = fitted(
        (lines.head.title or lines.unit_label).replace("_", " "), look, place.width - width_inches(more, look)
    )
    place.write(0.0, place.height - line_inches(place.sizes.tick) + 0.03, title + more, look)
