"""What the service itself reports of its business impact: a small chart for each quantity."""

from __future__ import annotations

from live_dashboards.figures.frame import Frame
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.rows import column_inches
from live_dashboards.figures.stretches import Plan
from live_dashboards.figures.text import Look
from live_dashboards.figures.theme import FAINT, INK, line_inches
from live_dashboards.figures.timeline import draw_timeline
from live_dashboards.figures.words import end_words
from live_dashboards.model.report import AbReport

_MOST_TYPES = 3


def draw(frame: Frame, report: AbReport) -> None:
    """One axis a metric type, since they are different quantities; only last values at the line ends."""
    panel = report.impact
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None or not panel.types:
        return
    sizes, shown = body.sizes, panel.types[:_MOST_TYPES]
    hidden = len(panel.types) - len(shown)
    values = [words for lines in shown for words in end_words([line.latest for line in lines.lines])]
    names_width = 1.12 if len(shown) == 1 else column_inches(body.columns(len(shown), 0.14)[0], values, sizes.tick)
    for index, (place, lines) in enumerate(zip(body.columns(len(shown), 0.14), shown, strict=True)):
        more = f" (+{hidden} more)" if hidden and index == len(shown) - 1 else ""
        title = (lines.head.title or lines.unit_label).replace("_", " ")
        place.write(0.0, place.height - line_inches(sizes.tick) + 0.03, title + more, Look(sizes.tick, INK if not more else FAINT))
        draw_timeline(
            place.inner(top=line_inches(sizes.tick) + 0.03),
            lines.lines,
            report,
            Plan(
                "",
                is_zero_based=False,
                ticks_width=0.4 * max(0.85, sizes.scale),
                names_width=names_width,
                has_names=len(shown) == 1,
                is_narrow=len(shown) > 1,
                has_zone=index == 0,
            ),
        )
