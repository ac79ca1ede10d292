"""Is traffic split as planned, over the analysis period and however often one looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from live_dashboards.analysis.always_valid import proportion_so_far
from live_dashboards.analysis.arms import request_blocks, share_of_requests, windowed
from live_dashboards.analysis.page import Page, failure
from live_dashboards.analysis.period import period_of
from live_dashboards.analysis.proportions import Counts
from live_dashboards.analysis.sequential import traffic_split_test
from live_dashboards.model.judgement import SplitTest
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.snapshot import Accumulated

NO_PLAN = "no plan set: AB_TRAFFIC_SPLIT"
_SUSPECT_P, _MATTERS_POINTS = 0.001, 0.1
_FEWEST_PAIRS = 10


def split_test(page: Page) -> SplitTest:
    """The flag and the numbers behind it; on simulated data, without a plan, requests or a known start no flag, but the reason."""
    period, since = period_of(page, page.roles.challenger)
    counted = since or windowed(page.counted.prometheus, page.at.timestamp(), page.window_seconds, 0.25)
    if not page.counted.prometheus.status.has_answered:
        return SplitTest(None, failure(page.prometheus_status))
    counts = _observed(page, counted)
    planned = tuple((name, 100 * page.settings.split.get(name, 0.0)) for name in dict.fromkeys((*page.settings.split, *counts))) if page.settings.split else ()
    n = sum(round(each.value or 0.0) for each in counts.values())
    if not n:
        return SplitTest(None, "no request was counted in the analysis period", planned=planned)
    found = SplitTest(None, "", n=n, planned=planned, observed=tuple(_share(each, n) for each in counts.values()))
    if not planned:
        return replace(found, reason=NO_PLAN)
    if since is None:
        return replace(found, reason=f"not judged: {period.reason}")
    return _judged(page, since, found, counts)


def _observed(page: Page, counted: Accumulated) -> dict[str, Measurement]:
    each = {name: share_of_requests(page, counted, name)[1] for name in page.roles.names}
    return {name: measured for name, measured in each.items() if measured.value is not None}


def _share(requests: Measurement, n: int) -> Measurement:
    """A variant's share of the requests, in percent, with limits that hold at every look."""
    counts = Counts(round(requests.value or 0.0), n)
    limits = Interval(*(100 * limit for limit in proportion_so_far(counts)))
    return replace(requests, name="traffic_share_since_start", value=100 * counts.proportion, unit="percent", interval=limits, drawn_interval=limits, n=n)


def _judged(page: Page, counted: Accumulated, found: SplitTest, counts: Mapping[str, Measurement]) -> SplitTest:
    names, shares = tuple(name for name, _ in found.planned), tuple(percent / 100 for _, percent in found.planned)
    blocks = _batches(page, counted, names)
    clusters = local_overdispersion([(batch[0], sum(batch)) for batch in blocks])
    whole = [round(counts[name].value or 0.0) if name in counts else 0 for name in names]
    p_value = traffic_split_test([*_cumulative(blocks, whole, clusters)], shares)[-1]
    observed = [count / sum(whole) for count in whole]
    off = max(abs(100 * (share - plan)) for share, plan in zip(observed, shares, strict=True))
    flag = "ok" if p_value >= _SUSPECT_P else "red" if off >= _MATTERS_POINTS else "amber"
    widest = f"shares are off by up to {off:.2g} pt" if flag != "ok" else ""
    clustered = f"requests go together (x {clusters:.2g})" if clusters > 1 else ""
    return replace(found, flag=flag, reason="; ".join(filter(None, (widest, clustered))), p_value=p_value, overdispersion=clusters)


def _batches(page: Page, counted: Accumulated, names: tuple[str, ...]) -> list[tuple[int, ...]]:
    """Requests of each variant by block, for the blocks that have any."""
    by_name = [request_blocks(page, counted, name) for name in names]
    ends = sorted({end for each in by_name for end in each})
    return [batch for batch in (tuple(round(each.get(end, 0.0)) for each in by_name) for end in ends) if sum(batch)]


def _cumulative(blocks: list[tuple[int, ...]], whole: list[int], clusters: float) -> list[tuple[int, ...]]:
    """What each look added, the last one up to the exact total, as so many independent requests as they are worth."""
    seen = [0] * len(whole)
    looks = []
    for block in blocks:
        seen = [min(most, before + count) for before, count, most in zip(seen, block, whole, strict=True)]
        looks.append([_worth(count, clusters) for count in seen])
    looks.append([_worth(count, clusters) for count in whole])
    zero = [0] * len(whole)
    return [tuple(after - before for before, after in zip(one, other, strict=True)) for one, other in pairwise([zero, *looks])]


def _worth(count: int, clusters: float) -> int:
    """Effective requests; one that was counted stays one, for where none are planned it is a failure."""
    return max(min(count, 1), round(count / clusters))


def local_overdispersion(blocks: list[tuple[int, int]]) -> float:
    """How much more the share of (part, n) differs between neighbouring blocks than independent requests would make it; 1 at least.

    From squared successive differences (von Neumann, Kent, Bellinson & Hart 1941, Ann. Math. Stat. 12:153), so that a plan that was changed once does not
    pass for clustering, as it would in Pearson's statistic. 1 with fewer than 10 pairs of blocks.
    """
    pairs = [(one, other) for one, other in pairwise(blocks) if one[1] and other[1]]
    n, part = sum(block[1] for block in blocks), sum(block[0] for block in blocks)
    if len(pairs) < _FEWEST_PAIRS or not 0 < part < n:
        return 1.0
    p = part / n
    squares = [(one[0] / one[1] - other[0] / other[1]) ** 2 / (p * (1 - p) * (1 / one[1] + 1 / other[1])) for one, other in pairs]
    return max(1.0, sum(squares) / len(squares))
