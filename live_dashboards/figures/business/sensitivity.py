"""Which input decides: how far each moves the net value alone."""

from __future__ import annotations

from live_dashboards.figures.business.money import ASSUMED, MEASURED, USD, bar, zero_line
from live_dashboards.figures.frame import Frame
from live_dashboards.figures.panel import open_panel, say_nothing
from live_dashboards.figures.rows import Rows, column_inches, fitting, open_rows
from live_dashboards.figures.theme import FAINT, INK, MUTED
from live_dashboards.model.business_case import Swing
from live_dashboards.model.business_report import BusinessReport
from live_dashboards.model.limits import padded
from live_dashboards.model.number import format_interval, format_money, format_number


def draw(frame: Frame, report: BusinessReport) -> None:
    """A tornado: a bar an input from one of its 95 % limits to the other, around the net value."""
    panel = report.sensitivity
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    shown, hidden = fitting(body, panel.swings)
    if not shown:
        say_nothing(body, "no input varies")
        return
    net = panel.net_usd or 0.0
    words = [_words(swing) for swing in shown]
    ends = [net, 0.0, *(end for swing in shown for end in (swing.net_at_low_usd, swing.net_at_high_usd))]
    rows = open_rows(
        body,
        len(shown),
        padded(ends),
        numbers=column_inches(body, [f"{text}, measured" for text in words], share=0.4),
        unit=USD,
        names=1.62,
    )
    zero_line(rows.axes, is_upright=True)
    rows.axes.axvline(net, color=INK, linewidth=0.9, dashes=(3, 2), zorder=4)
    rows.heading("dashed: net value", hidden or "95 % limits")
    for y, (swing, text) in enumerate(zip(shown, words, strict=True)):
        bar(
            rows.axes,
            y,
            (swing.net_at_low_usd, swing.net_at_high_usd),
            ASSUMED if swing.is_assumed else MEASURED,
        )
        _write(rows, y, swing, text)


def _write(rows: Rows, y: int, swing: Swing, text: str) -> None:
    """The input's name and whether it was measured or assumed."""
    kind = "assumed" if swing.is_assumed else "measured"
    if rows.has_two_lines:
        rows.name(y - rows.lift(), swing.title, INK)
        rows.name(y + rows.lift(), kind, ASSUMED if swing.is_assumed else FAINT, points=rows.body.sizes.note)
    else:
        rows.name(y, swing.title, INK)
    rows.number(y, text if rows.has_two_lines else f"{text}, {kind}", MUTED)


def _words(swing: Swing) -> str:
    low, high = swing.input_low, swing.input_high
    if swing.unit == "fraction":
        return format_interval(100 * low, 100 * high, "points", signed=True)
    if swing.unit == "ms":
        return format_interval(low, high, "ms", signed=True)
    if swing.unit.startswith("USD"):
        return f"{format_money(low)} to {format_money(high)}"
    return f"{format_number(low)} to {format_number(high)}"
