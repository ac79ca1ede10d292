"""What was counted of a challenger and its baseline, since the start of their test or in the window."""

from __future__ import annotations

from live_dashboards.analysis.facts.arms import windowed
from live_dashboards.analysis.facts.page import PageFacts
from live_dashboards.analysis.facts.period import period_of
from live_dashboards.model.snapshot import Accumulated


def counted_of(page: PageFacts, challenger: str) -> tuple[Accumulated, bool]:
    """What accumulates, and whether since the start of the test: else in the window, where the analysis
    period is not known.
    """
    _, since = period_of(page, challenger)
    if since is not None:
        return since, True
    objective_seconds = float(page.settings["AB_LATENCY_OBJECTIVE_MS"]) / 1000
    at_seconds = page.at.timestamp()
    return windowed(page.counted.prometheus, at_seconds, page.window_seconds, objective_seconds), False
