"""Whether labels come so that online accuracies can be compared: where they come later for one arm, or the
split changed meanwhile, they cannot.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import median

from live_dashboards.analysis.facts.arms import by_block, request_blocks
from live_dashboards.analysis.facts.page import Page
from live_dashboards.analysis.statistics.proportions import Counts
from live_dashboards.analysis.statistics.stratified import sequence_of, strata, usual_overdispersion
from live_dashboards.analysis.verdict.split import share_changes
from live_dashboards.model.number import format_age, format_percent
from live_dashboards.model.snapshot import Accumulated

# of the share that is labelled: below, what is missing can hardly turn an accuracy
_ALPHA, _MATTERS = 0.01, 0.01
_DAY_SECONDS = 86_400.0
_REMEDY = "count labels by the time of their request, or after one fixed wait"

Blocks = Mapping[float, float]


def why_descriptive(found: Page, counted: Accumulated, challenger: str, planned_n: int) -> str:
    """Why nothing stands on the online accuracy of a challenger against the baseline; empty where it can be
    compared.
    """
    names = (challenger, found.roles.baseline)
    labelled = [by_block(found, counted.block("labelled"), name) for name in names]
    requests = [request_blocks(found, counted, name) for name in names]
    if not all(sum(each.values()) >= 1 for each in (*labelled, *requests)):
        return ""
    return _unlike(names, labelled, requests, planned_n) or _changed_meanwhile(
        found, challenger, labelled, requests
    )


def _unlike(names: tuple[str, str], labelled: list[Blocks], requests: list[Blocks], planned_n: int) -> str:
    """Where another share of one arm's requests has its label: the missing ones may be answered otherwise
    than those that are there.

    Shares are compared within days: what is labelled may change over a test, and so may the split.
    """
    last = max(end for arm in requests for end in arm)
    arms = [_by_day(labels, all_, last) for labels, all_ in zip(labelled, requests, strict=True)]
    days = sorted({*arms[0]} & {*arms[1]})
    if not days:
        return ""
    found = strata([arms[0][day] for day in days], [arms[1][day] for day in days])
    shares = [
        math.fsum(weight * arm[day].proportion for weight, day in zip(found.weights, days, strict=True))
        for arm in arms
    ]
    if abs(found.estimate) < _MATTERS * max(shares):
        return ""
    clusters = max(
        usual_overdispersion(_pairs(labels, all_)) for labels, all_ in zip(labelled, requests, strict=True)
    )
    apart = sequence_of(found, planned_n, _ALPHA, clusters * found.variance)
    if apart.low <= 0 <= apart.high:
        return ""
    of_each = " and ".join(
        f"{format_percent(100 * share)} of {name}'s" for name, share in zip(names, shares, strict=True)
    )
    return f"{of_each} requests have their label, so one arm's come later or not at all; {_REMEDY}"


def _by_day(labelled: Blocks, requests: Blocks, last: float) -> dict[int, Counts]:
    """Labels of requests by day, counted back from the last block."""
    sums: dict[int, list[float]] = {}
    for end, n in requests.items():
        day = sums.setdefault(int((last - end) // _DAY_SECONDS), [0.0, 0.0])
        day[0] += labelled.get(end, 0.0)
        day[1] += n
    return {
        day: Counts(min(round(labels), round(n)), round(n))
        for day, (labels, n) in sums.items()
        if round(n) > 0
    }


def _pairs(labelled: Blocks, requests: Blocks) -> list[tuple[int, int]]:
    rounded = ((round(labelled.get(end, 0.0)), round(n)) for end, n in sorted(requests.items()))
    return [(min(labels, n), n) for labels, n in rounded if n > 0]


def _changed_meanwhile(found: Page, challenger: str, labelled: list[Blocks], requests: list[Blocks]) -> str:
    """Where the split changed within the usual delay: labels of now are of requests from before."""
    delay_seconds = _delay_seconds(_both(labelled), _both(requests))
    arms = [{end: round(n) for end, n in arm.items()} for arm in requests]
    ends = [end for end in sorted({*arms[0], *arms[1]}) if arms[0].get(end, 0) + arms[1].get(end, 0) > 0]
    changes = share_changes(
        [(arms[0].get(end, 0), arms[0].get(end, 0) + arms[1].get(end, 0)) for end in ends]
    )
    if not changes or delay_seconds <= 0:
        return ""
    age_seconds = found.at.timestamp() - ends[max(0, changes[-1].block - 1)]
    if age_seconds >= delay_seconds:
        return ""
    return (
        f"the share of {challenger} changed {format_age(age_seconds)} ago, and labels usually come "
        f"{format_age(delay_seconds)} after their request; {_REMEDY}"
    )


def _both(arms: list[Blocks]) -> Blocks:
    return {end: sum(arm.get(end, 0.0) for arm in arms) for end in sorted({*arms[0], *arms[1]})}


def _delay_seconds(labelled: Blocks, requests: Blocks) -> float:
    """How long after their requests labels usually come: those that are outstanding at the rate of the last
    day (Little 1961, Oper. Res. 9:383).

    Of what share of the requests labels come at all is the median over the days, of both arms together; 0 in
    a test younger than three days.
    """
    ends = sorted(requests)
    if not ends or ends[-1] - ends[0] < 3 * _DAY_SECONDS:
        return 0.0
    sums = _days(ends, labelled, requests)
    share = median(labels / n for labels, n in sums if n) if any(n for _, n in sums) else 0.0
    rate = sums[-1][1] / _DAY_SECONDS
    outstanding = share * sum(requests.values()) - sum(labelled.values())
    return outstanding / (share * rate) if share > 0 and rate > 0 else 0.0


def _days(ends: list[float], labelled: Blocks, requests: Blocks) -> list[tuple[float, float]]:
    """Labels and requests of each whole day, counted back from the last block."""
    whole = int((ends[-1] - ends[0]) // _DAY_SECONDS)
    sums = [[0.0, 0.0] for _ in range(whole)]
    for end in ends:
        day = whole - 1 - int((ends[-1] - end) // _DAY_SECONDS)
        if day >= 0:
            sums[day][0] += labelled.get(end, 0.0)
            sums[day][1] += requests[end]
    return [(labels, n) for labels, n in sums]
