"""Is it worth it per year: the net value as a dot with its interval, and where its uncertainty comes from."""

from __future__ import annotations

from live_dashboards.figures.business.money import ASSUMED, MEASURED, RESULT, USD, zero_line
from live_dashboards.figures.frame import Frame
from live_dashboards.figures.marks import Dot, draw_bars, draw_dots
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.rows import Rows, column_inches, open_rows
from live_dashboards.figures.text import Look, wrapped
from live_dashboards.figures.theme import INK, MUTED, VariantStyle, line_inches
from live_dashboards.model.business_report import BusinessReport, NetPanel
from live_dashboards.model.limits import finite_ends, padded
from live_dashboards.model.measurement import Interval
from live_dashboards.model.number import format_money_limits

_DOT, _PARTIAL = VariantStyle(RESULT, INK, "o", ()), VariantStyle(RESULT, INK, "D", ())


def draw(frame: Frame, report: BusinessReport) -> None:
    """A row for the net value; where a parameter is a range, one each for what was measured and what was
    assumed.
    """
    panel = report.net
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    body = _write_words(body, panel)
    shown = panel.shown
    if shown is None or shown.value is None:
        return
    sources = [(name, limits, colour) for name, limits, colour in _sources(panel) if limits is not None]
    widest = [limits for limits in (panel.interval, *(each for _, each, _ in sources)) if limits is not None]
    words = [panel.shown_words, *(format_money_limits(limits.low, limits.high) for _, limits, _ in sources)]
    rows = open_rows(
        body,
        1 + len(sources),
        padded([*finite_ends([shown.value, 0.0], widest)]),
        numbers=column_inches(body, words),
        unit=USD,
        names=1.15,
    )
    zero_line(rows.axes, is_upright=True)
    _draw_net(rows, panel, shown.value)
    rows.name(0, "net value" if panel.net.value is not None else "partial")
    for y, (name, limits, colour) in enumerate(sources, start=1):
        draw_bars(rows.axes, [(limits, float(y))], colour, rows.body.sizes.line * 1.6, gid=f"spread-{name}")
        rows.name(y, name, colour)
    for y, text in enumerate(words):
        rows.number(y, text, MUTED if y else INK)


def _sources(panel: NetPanel) -> tuple[tuple[str, Interval | None, str], ...]:
    return ("measurements", panel.statistical, MEASURED), ("your ranges", panel.assumed, ASSUMED)


def _draw_net(rows: Rows, panel: NetPanel, value_usd: float) -> None:
    """The interval, and the dot."""
    sizes = rows.body.sizes
    if panel.interval is not None:
        draw_bars(rows.axes, [(panel.interval, 0.0)], RESULT, sizes.line * 2.0, gid="net-interval")
    is_whole = panel.net.value is not None
    draw_dots(
        rows.axes,
        rows.plot,
        [Dot(value_usd, 0.0, None, is_filled=panel.interval is not None)],
        _DOT if is_whole else _PARTIAL,
        RESULT,
        size=sizes.marker * 1.5,
    )


def _write_words(body: Frame, panel: NetPanel) -> Frame:
    """The chance in words below the drawing; the place above it."""
    look = Look(body.sizes.body, INK)
    lines = [line for words in panel.words for line in wrapped(words, look, body.width, 2)]
    for number, line in enumerate(reversed(lines)):
        body.write(0.0, 0.03 + number * line_inches(body.sizes.body), line, look)
    return body.inner(bottom=len(lines) * line_inches(body.sizes.body) + 0.04)
