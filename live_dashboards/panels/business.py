"""The business page's panels in their order, three in a row of a picture.

A new panel is one file and one line here.
"""

from __future__ import annotations

from live_dashboards.model.business_report import BusinessReport
from live_dashboards.model.chart import Panel, drawn_by_hand
from live_dashboards.panels import net, parts, sensitivity

BUSINESS_PANELS: tuple[Panel[BusinessReport], ...] = (
    Panel("net", net.charts),
    Panel("parts", parts.charts),
    Panel("sensitivity", sensitivity.charts),
    Panel("break_even", drawn_by_hand),
    Panel("payback", drawn_by_hand),
    Panel("performance", drawn_by_hand, most_charts=0),
    Panel("ledger", drawn_by_hand, most_charts=0, is_wide=True),
    Panel("inputs", drawn_by_hand, most_charts=0, is_wide=True),
    Panel("gates", drawn_by_hand, most_charts=0, is_wide=True),
)
