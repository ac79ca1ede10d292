"""What the panels about money share: colours that tell measured from assumed."""

from __future__ import annotations

from live_dashboards.model.presentation import CALM, CAUTION, INK

MEASURED, ASSUMED, RESULT = CALM, CAUTION, INK
USD = "usd_per_year"
