"""The business page's panels in their order, three in a row of a picture.

A new panel is one file and one line here.
"""

from __future__ import annotations

from live_dashboards.model.business_case import BusinessReport
from live_dashboards.model.chart import Panel
from live_dashboards.panels import (
    break_even,
    gates,
    inputs,
    ledger,
    net,
    parts,
    payback,
    performance,
    sensitivity,
)

BUSINESS_PANELS: tuple[Panel[BusinessReport], ...] = (
    Panel("net", net.charts, words=net.head),
    Panel("parts", parts.charts, words=parts.head),
    Panel("sensitivity", sensitivity.charts, words=sensitivity.head),
    Panel("break_even", break_even.charts, words=break_even.head),
    Panel("payback", payback.charts, words=payback.head),
    Panel("performance", performance.charts, most_charts=0, words=performance.head),
    Panel("ledger", ledger.charts, most_charts=0, is_wide=True, words=ledger.head),
    Panel("inputs", inputs.charts, most_charts=0, is_wide=True, words=inputs.head),
    Panel("gates", gates.charts, most_charts=0, is_wide=True, words=gates.head),
)
