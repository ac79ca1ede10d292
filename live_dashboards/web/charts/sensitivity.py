"""Which input decides: how far each moves the net value alone."""

from __future__ import annotations

from live_dashboards.model.business_case import Swing
from live_dashboards.model.business_report import BusinessReport
from live_dashboards.model.limits import padded
from live_dashboards.model.number import format_interval, format_money, format_number
from live_dashboards.model.presentation import INK
from live_dashboards.web.charts.bars import Bar, bar_ticks, bars_trace
from live_dashboards.web.charts.base import Figure
from live_dashboards.web.charts.hover import bold, joined
from live_dashboards.web.charts.money import ASSUMED, MEASURED, money_axis, origin_of
from live_dashboards.web.charts.rows import Row, rows_layout
from live_dashboards.web.charts.text import escaped

_BAR_ROWS = 0.24


def figure(report: BusinessReport) -> Figure | None:
    """A tornado: a bar an input from one of its 95 % limits to the other, around the net value."""
    panel = report.sensitivity
    if not panel.head.is_drawn or not panel.swings:
        return None
    net = panel.net_usd or 0.0
    limits = padded(
        [net, 0.0, *(end for swing in panel.swings for end in (swing.net_at_low_usd, swing.net_at_high_usd))]
    )
    bars = [_bar(swing, float(y), report) for y, swing in enumerate(panel.swings)]
    rows = [
        Row(_title(swing), ((_words(swing), ASSUMED if swing.is_assumed else INK),)) for swing in panel.swings
    ]
    x = money_axis("net value, USD a year, at an input's 95 % limits<br>tick: net value", limits)
    return {
        "data": [*bars_trace(bars, width_rows=_BAR_ROWS), bar_ticks(net, range(len(bars)), _BAR_ROWS)],
        "layout": rows_layout(rows, x, panel.head.origin, around=16, bar_rows=_BAR_ROWS),
    }


def _bar(swing: Swing, y: float, report: BusinessReport) -> Bar:
    low, high = sorted((swing.net_at_low_usd, swing.net_at_high_usd))
    words = joined(
        bold(swing.title),
        "assumed" if swing.is_assumed else "measured",
        escaped(f"low end {_one(swing, swing.input_low)}: net {format_money(swing.net_at_low_usd)} a year"),
        escaped(
            f"high end {_one(swing, swing.input_high)}: net {format_money(swing.net_at_high_usd)} a year"
        ),
        escaped(f"net value {format_interval(low, high, 'usd')}"),
        origin_of(report.net.net, report),
    )
    return Bar(low, high, y, ASSUMED if swing.is_assumed else MEASURED, words)


def _title(swing: Swing) -> str:
    return f"{swing.title}, assumed" if swing.is_assumed else swing.title


def _one(swing: Swing, value: float) -> str:
    if swing.unit == "fraction":
        return format_number(100 * value, "points", signed=True)
    if swing.unit == "ms":
        return format_number(value, "ms", signed=True)
    return format_money(value) if swing.unit.startswith("USD") else format_number(value)


def _words(swing: Swing) -> str:
    low, high = swing.input_low, swing.input_high
    if swing.unit == "fraction":
        return format_interval(100 * low, 100 * high, "points", signed=True)
    if swing.unit == "ms":
        return format_interval(low, high, "ms", signed=True)
    return f"{_one(swing, low)} to {_one(swing, high)}"
