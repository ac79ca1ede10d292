"""Does the test set tell what happens online: the gap between the two accuracies of each variant, and whether
they rank the variants alike.
"""

from __future__ import annotations

from live_dashboards.analysis.facts.page import Page
from live_dashboards.model.measurement import Measurement, derive
from live_dashboards.model.number import format_signed


def gaps(page: Page) -> tuple[Measurement, ...]:
    """Online minus offline accuracy of each variant, in points; missing where either is, or where both are
    the same gauge.
    """

    def gap(online_percent: float, offline_percent: float) -> float:
        return online_percent - offline_percent

    pairs = (
        (facts.variant, facts.online_accuracy, facts.accuracy)
        for facts in page.counted.variants
        if facts.online_accuracy.source != facts.accuracy.source
    )
    return tuple(
        derive(
            gap,
            "online_minus_offline_accuracy",
            "points",
            variant=name,
            online_percent=online,
            offline_percent=offline,
        )
        for name, online, offline in pairs
    )


def gap_words(page: Page) -> str:
    """The gaps of baseline and challenger and whether the ranking agrees; empty where they are not both
    known.
    """
    known = {str(each.variant): each for each in gaps(page) if each.value is not None}
    if len(page.roles.pair) < 2 or any(name not in known for name in page.roles.pair):
        return ""
    told = ", ".join(f"{name} {format_signed(known[name].value, 'points')}" for name in page.roles.pair)
    return f"online − offline: {told}; {_ranking(page)}"


def _ranking(page: Page) -> str:
    baseline, challenger = (page.counted.of(name) for name in page.roles.pair)
    offline = (challenger.accuracy.value or 0.0) - (baseline.accuracy.value or 0.0)
    online = (challenger.online_accuracy.value or 0.0) - (baseline.online_accuracy.value or 0.0)
    if offline * online > 0:
        return f"both rank {challenger.variant if offline > 0 else baseline.variant} first"
    return "they rank the variants differently" if offline * online < 0 else "one of them sees no difference"
