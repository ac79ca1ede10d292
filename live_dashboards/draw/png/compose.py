"""How a page is divided, by its size only: strips above a grid of panels, a footer below; and a panel as its
charts say: sentences below, rows above lines, lines side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, Generic

from matplotlib.figure import Figure

from live_dashboards.draw.png.curves import draw_curve
from live_dashboards.draw.png.frame import Frame
from live_dashboards.draw.png.lines import LinesLayout, draw_below, draw_timeline
from live_dashboards.draw.png.panel import draw_simulation_marks, open_panel, say_nothing
from live_dashboards.draw.png.row_charts import draw_fitting_rows, draw_rows
from live_dashboards.draw.png.rows import column_inches, rows_height
from live_dashboards.draw.png.strips import draw_footer
from live_dashboards.draw.png.tables import draw_conditions, draw_table
from live_dashboards.draw.png.text import Look, end_words, fitted, width_inches, wrapped
from live_dashboards.draw.png.theme import INK, Sizes, line_inches, page_scale
from live_dashboards.model.chart import (
    Chart,
    Conditions,
    Curve,
    Lines,
    OfReport,
    Panel,
    Row,
    Rows,
    Sentences,
    Table,
)
from live_dashboards.model.report import AbReport

_WHOLE_PANELS: dict[type, Callable[[Frame, Any], None]] = {
    Table: draw_table,
    Conditions: draw_conditions,
    Curve: draw_curve,
}
"""What draws a chart that has a panel to itself."""

_BORDER_INCHES = 0.13
_IN_A_ROW = 3
_MOST_BESIDE = 3
_MOST_NOTICE_LINES = 3
_MOST_OF_VALUES = 0.5
_MOST_OF_SENTENCES = 0.6
_BELOW_BARS_INCHES = 0.06


@dataclass(frozen=True, slots=True)
class Layout(Generic[OfReport]):
    """The strips with their heights in inches at a page's sizes, the panels, of which some are drawn by hand,
    and the rows' shares of the height of a report's page; a further row has a share of 1. `dashboard` is the
    one whose reports it draws.
    """

    strips: Callable[[Sizes], tuple[tuple[Callable[[Frame, OfReport], None], float], ...]]
    panels: tuple[Panel[OfReport], ...]
    by_hand: Mapping[str, Callable[[Frame, OfReport], None]] = field(hash=False)
    row_shares: Callable[[OfReport], tuple[float, ...]]
    dashboard: str

    def draw(self, figure: Figure, report: OfReport) -> None:
        """Everything on the page, from top to bottom."""
        page = _page(figure)
        if report.is_simulated:
            draw_simulation_marks(figure, page.sizes, _BORDER_INCHES * page.sizes.scale)
        rest, gap = _inside(page), _gap(page.sizes)
        for draw, strip_height in self.strips(page.sizes):
            draw(rest.upper(strip_height), report)
            rest = rest.inner(top=strip_height + gap)
        draw_footer(rest.lower(_footer_height(page.sizes)), report)
        rows = in_rows([panel for panel in self.panels if panel.is_shown(report)])
        for panels, places in zip(rows, self.places(figure, rows, report), strict=True):
            for panel, place in zip(panels, places, strict=True):
                self.by_hand.get(panel.name, partial(draw_panel, panel))(place, report)

    def places(
        self, figure: Figure, rows: Sequence[Sequence[Panel[OfReport]]], report: OfReport
    ) -> tuple[tuple[Frame, ...], ...]:
        """The frames of panels by row."""
        page = _page(figure)
        gap = _gap(page.sizes)
        above = sum(height + gap for _, height in self.strips(page.sizes)) + 0.02
        area = _inside(page).inner(top=above, bottom=_footer_height(page.sizes) + gap)
        shares = [*self.row_shares(report), *[1.0] * len(rows)][: len(rows)]
        unit, found = (area.height - gap * (len(rows) - 1)) / sum(shares), []
        for panels, share in zip(rows, shares, strict=True):
            found.append(area.upper(unit * share).columns(len(panels), 0.32 * page.sizes.scale))
            area = area.inner(top=unit * share + gap)
        return tuple(found)


def in_rows(panels: Sequence[Panel[OfReport]]) -> tuple[tuple[Panel[OfReport], ...], ...]:
    """Three in a row; a single one that is left over stands in the last row, too."""
    starts = [*range(0, len(panels), _IN_A_ROW)]
    if len(panels) % _IN_A_ROW == 1 and len(starts) > 1:
        starts.pop()
    return tuple(tuple(panels[begin:end]) for begin, end in pairwise([*starts, len(panels)]))


def _page(figure: Figure) -> Frame:
    width, height = (float(side) for side in figure.get_size_inches())
    return Frame(figure, 0.0, 0.0, width, height, Sizes(page_scale((width, height))))


def _inside(page: Frame) -> Frame:
    """The page within its margins."""
    scale = page.sizes.scale
    return page.inner(left=0.42 * scale, right=0.42 * scale, top=0.3 * scale, bottom=0.24 * scale)


def _footer_height(sizes: Sizes) -> float:
    return line_inches(sizes.note, 1.5)


def _gap(sizes: Sizes) -> float:
    return 0.14 * sizes.scale


def draw_panel(panel: Panel[Any], frame: Frame, report: Any) -> None:
    """Its head, and what it says of this report."""
    body = open_panel(frame, panel.head(report), is_page_simulated=report.is_simulated)
    if body is not None:
        _draw_charts(body, panel, panel.shown(report), report)


def _draw_charts(body: Frame, panel: Panel[Any], charts: Sequence[Chart], report: Any) -> None:
    rows = next((chart for chart in charts if isinstance(chart, Rows)), None)
    lines = [chart for chart in charts if isinstance(chart, Lines)]
    for said in (chart for chart in charts if isinstance(chart, Sentences)):
        body = _write_sentences(body, said, rows)
    for whole in (chart for chart in charts if type(chart) in _WHOLE_PANELS):
        _WHOLE_PANELS[type(whole)](body, whole)
    if rows is not None and lines:
        _draw_above(body, rows, lines[0], report)
    elif rows is not None:
        draw_rows(body, rows)
    elif len(lines) == 1 and not lines[0].caption:
        draw_timeline(body, report, LinesLayout(lines[0]))
    elif lines:
        _draw_beside(body, lines, report)
    elif not charts:
        say_nothing(body, panel.empty)


def _draw_above(body: Frame, rows: Rows, lines: Lines, report: AbReport) -> None:
    """Rows, and the caption and lines below them."""

    def draw(place: Frame, shown: Sequence[Row], hidden: str) -> None:
        draw_fitting_rows(place, rows, shown, hidden)

    lower = draw_below(body, rows.rows, lines.caption, draw)
    draw_timeline(lower, report, LinesLayout(lines))


def _draw_beside(body: Frame, lines: Sequence[Lines], report: AbReport) -> None:
    """Small charts side by side, each with its caption; of several only last values stand at line ends."""
    shown, hidden = lines[:_MOST_BESIDE], len(lines) - _MOST_BESIDE
    places = body.columns(len(shown), 0.14 * body.sizes.scale)
    values = [words for chart in shown for words in end_words([line.latest for line in chart.lines])]
    names_width = column_inches(places[0], values, _MOST_OF_VALUES) if len(shown) > 1 else None
    for index, (place, chart) in enumerate(zip(places, shown, strict=True)):
        more = f" (+{hidden} more)" if hidden > 0 and index == len(shown) - 1 else ""
        look = Look(place.sizes.tick, INK)
        caption = fitted(chart.caption, look, place.width - width_inches(more, look))
        place.write(0.0, place.height - line_inches(place.sizes.tick) + 0.03, caption + more, look)
        is_narrow, room = len(shown) > 1, place.inner(top=line_inches(body.sizes.tick))
        plan = LinesLayout(
            chart, ticks_width=0.36, names_width=names_width, is_narrow=is_narrow, has_zone=index == 0
        )
        draw_timeline(room, report, plan)


def _write_sentences(body: Frame, chart: Sentences, rows: Rows | None) -> Frame:
    """The words below the drawing; the place above them."""
    if chart.are_notices:
        count = len(rows.rows) if rows is not None else 0
        return _write_notices(body, chart.texts, body.height - rows_height(body.sizes, count))
    look = Look(body.sizes.body, INK)
    most = max(1, int(body.height * _MOST_OF_SENTENCES / line_inches(body.sizes.body)))
    lines = [line for words in chart.texts for line in wrapped(words, look, body.width, 2)][:most]
    for number, line in enumerate(reversed(lines)):
        body.write(0.0, 0.03 + number * line_inches(body.sizes.body), line, look)
    return body.inner(bottom=len(lines) * line_inches(body.sizes.body) + 0.04)


def _write_notices(body: Frame, notices: Sequence[str], room: float) -> Frame:
    """Warnings below the bars, the weightiest first, as many as fit into three lines of the room that the
    bars leave; the place above them.

    Where the bars leave none, one line names the weightiest all the same: what the page says may rest on it.
    """
    sizes, look = body.sizes, Look(body.sizes.note, INK)
    most = min(_MOST_NOTICE_LINES, max(1, int((room - _BELOW_BARS_INCHES) / line_inches(sizes.note))))
    lines = [line for notice in notices for line in wrapped(f"• {notice}", look, body.width, 2)]
    if len(lines) > most:
        lines = _folded(notices, look, body.width, most)
    for number, line in enumerate(reversed(lines)):
        body.write(0.0, 0.02 + number * line_inches(sizes.note), line, look)
    return body.inner(bottom=len(lines) * line_inches(sizes.note) + (_BELOW_BARS_INCHES if lines else 0.0))


def _folded(notices: Sequence[str], look: Look, width: float, most: int) -> list[str]:
    """As many lines, of which the last one ends with how many notices there are."""
    if len(notices) == 1:
        return wrapped(f"• {notices[0]}", look, width, most)
    ending = f" · {len(notices)} notices in all: summary file"
    lines = wrapped(f"• {notices[0]}", look, width, most, last_indent_inches=width_inches(ending, look))
    return [*lines[:-1], lines[-1] + ending]
