"""Formulas over numbers: they know no page and no source; `live_dashboards.stats` publishes them."""
