"""Is traffic split as planned, and when did the split change: both judged however often one looks, with
requests that go together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from live_dashboards.analysis.facts.arms import request_blocks, share_of_requests, windowed
from live_dashboards.analysis.facts.page import PageFacts, failure
from live_dashboards.analysis.facts.period import block_begin, period_of
from live_dashboards.analysis.statistics.proportions import Counts
from live_dashboards.analysis.statistics.sequential import proportion_so_far, segmented_split_test
from live_dashboards.analysis.statistics.stratified import (
    FEWEST_BATCHES,
    batch_variance,
    local_overdispersion,
    long_run_variance,
    usual_overdispersion,
)
from live_dashboards.model.judgement import SplitTest
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.moment import format_duration
from live_dashboards.model.snapshot import Accumulated

_SURE_CHI_SQUARE = 30.0  # p 4e-8: hundreds of moments are looked at
_OUT_OF_PLACE_Z = 2.5
_MOST_CHANGES = 40
_TEST_CONFIDENCE = 0.999  # of the split test, which is red at p < 0.001
_FEWEST_BATCHES = 6  # with four, 51 for 49 is found later than in 85 hours
# fewer tell nothing of sessions, of which each request may go with dozens
_FEWEST_BLOCKS, _UNKNOWN_CLUSTERS = 10, 30.0

if TYPE_CHECKING:
    import numpy as np

    IntArray: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

Block = tuple[int, int]
"""Requests of the treatment, and of both arms."""

NO_PLAN = "no plan set: AB_TRAFFIC_SPLIT"
_SUSPECT_P, _MATTERS_POINTS = 0.001, 0.1
TOLD_OVERDISPERSION = 1.05  # below, each request counts as one in the digits that are shown
_SAME_MOMENT_SECONDS = 1.0
_FEWEST_STAYS = 8

_Batch = tuple[float, float, tuple[int, ...]]
"""When a block begins and ends (unix seconds), and the requests of each variant in it."""


@dataclass(frozen=True, slots=True)
class ShareChange:
    """The block with which another split begins, and the treatment's share before and from then on, up to the
    next changes.
    """

    block: int
    before: float
    after: float


def share_changes(blocks: Sequence[Block] | IntArray) -> tuple[ShareChange, ...]:
    """The steps of the treatment's share, in the order of time; blocks have requests each.

    By binary segmentation with Pearson's chi-square of two by two counts, over how much neighbouring blocks
    differ anyway (Scott & Knott 1974, Biometrics 30:507; Vostrikova 1981, Sov. Math. Dokl. 24:55). At most
    40: a share that drifts has no steps.
    """
    import numpy as np

    found = np.array(blocks, dtype=np.int64).reshape(-1, 2)
    return _share_changes(found.tobytes())


# a page asks for the same requests several times: for each comparison, for its words, and for the money
@lru_cache(maxsize=8)
def _share_changes(content: bytes) -> tuple[ShareChange, ...]:
    import numpy as np

    blocks = np.frombuffer(content, dtype=np.int64).reshape(-1, 2)
    sums = np.concatenate((np.zeros((1, 2), dtype=np.int64), blocks.cumsum(axis=0)))
    clusters = usual_overdispersion(blocks) if len(blocks) > _FEWEST_BLOCKS else _UNKNOWN_CLUSTERS
    edges, open_spans = {0, len(blocks)}, [(0, len(blocks))]
    while open_spans and len(edges) < _MOST_CHANGES + 2:
        begin, end = open_spans.pop(0)
        where = _best_split(sums, begin, end, clusters)
        if where is not None:
            edges.add(where)
            open_spans += [(begin, where), (where, end)]
    shares = [
        (begin, float((sums[end, 0] - sums[begin, 0]) / max(1, sums[end, 1] - sums[begin, 1])))
        for begin, end in pairwise(sorted(edges))
    ]
    return tuple(ShareChange(block, before, after) for (_, before), (block, after) in pairwise(shares))


def share_overdispersion(blocks: Sequence[Block], stay_blocks: float = 0.0) -> float:
    """How many independent requests tell as much of a share as one of these, 1 at least: users who stay with
    their variant for hours are routed together.

    The long-run variance of the share over its binomial one (see `long_run_variance`), around the share of
    each span between steps, so that a split that was changed does not pass for users who stay; and how much
    neighbouring blocks differ, which is known sooner. Where users are told to stay for so many blocks, also
    by batches of two stays, at the confidence of the split test, if there are four of them.
    """
    edges = [0, *(change.block for change in share_changes(blocks)), len(blocks)]
    residuals, least = _residuals(blocks, edges)
    local = local_overdispersion([*blocks])
    if least <= 0:
        return local
    staying = _of_stays(blocks, stay_blocks) if stay_blocks > 0 else 1.0
    return max(local, long_run_variance(residuals, least, _FEWEST_BATCHES) / least, staying)


def _residuals(blocks: Sequence[Block], edges: Sequence[int]) -> tuple[list[float], float]:
    """What each block adds to the error of the share, around that of its span, and the share's binomial
    variance.
    """
    n, least, residuals = sum(block[1] for block in blocks), 0.0, list[float]()
    for begin, end in pairwise(edges):
        span = blocks[begin:end]
        trials = sum(block[1] for block in span)
        share = sum(block[0] for block in span) / trials if trials else 0.0
        residuals += [(part - size * share) / n for part, size in span] if n else []
        least += trials * share * (1 - share) / (n * n) if n else 0.0
    return residuals, least


def _of_stays(blocks: Sequence[Block], stay_blocks: float) -> float:
    """The same by batches of two stays, around the share of all: what users who stay do in half a test looks
    like steps of the split. 1 below four batches.
    """
    batches = int(len(blocks) / (2 * stay_blocks))
    if batches < FEWEST_BATCHES:
        return 1.0
    residuals, least = _residuals(blocks, (0, len(blocks)))
    return batch_variance(residuals, batches, _TEST_CONFIDENCE) / least if least > 0 else 1.0


def blocks_of_one_split(blocks: Sequence[Block], changes: Sequence[ShareChange]) -> tuple[range, ...]:
    """The spans between the changes, without a block at their ends that surely is of another split than the
    rest: a step lies in it.
    """
    edges = [0, *(change.block for change in changes), len(blocks)]
    return tuple(
        span for span in (_without_ends(blocks, begin, end) for begin, end in pairwise(edges)) if span
    )


def _without_ends(blocks: Sequence[Block], begin: int, end: int) -> range:
    if begin > 0 and _is_out_of_place(blocks, begin, range(begin + 1, end)):
        begin += 1
    if end < len(blocks) and _is_out_of_place(blocks, end - 1, range(begin, end - 1)):
        end -= 1
    return range(begin, end)


def _is_out_of_place(blocks: Sequence[Block], block: int, others: range) -> bool:
    """Whether a block's share is another one than that of the blocks beside it; one that has none beside it
    is a step of its own.
    """
    rest = sum(blocks[each][0] for each in others), sum(blocks[each][1] for each in others)
    return not rest[1] or _chi_square(blocks[block], rest) > _OUT_OF_PLACE_Z**2


def _best_split(sums: IntArray, begin: int, end: int, clusters: float) -> int | None:
    """Where two parts of a span differ most in their shares, by (x' - n' x / n)² / (n' (n - n')) of the first
    n' requests; None where that is not sure.
    """
    part, n = (sums[end] - sums[begin]).tolist()
    if not 0 < part < n or end - begin < 2:
        return None
    share, (reached, before) = part / n, (sums[begin + 1 : end] - sums[begin]).T.astype(float)
    squares = (reached - before * share) ** 2 / (before * (n - before))
    best = int(squares.argmax())
    is_sure = squares[best] * n / (share * (1 - share)) > _SURE_CHI_SQUARE * clusters
    return begin + 1 + best if is_sure else None


def _chi_square(one: Block, other: Block) -> float:
    """Pearson's, of the shares of two counts; 0 where one has no spread to tell."""
    n, part = one[1] + other[1], one[0] + other[0]
    if not one[1] or not other[1] or not 0 < part < n:
        return 0.0
    p = part / n
    return (one[0] / one[1] - other[0] / other[1]) ** 2 / (p * (1 - p) * (1 / one[1] + 1 / other[1]))


def split_test(page: PageFacts) -> SplitTest:
    """The flag and the numbers behind it; on simulated data, without a plan, requests or a known start no
    flag, but the reason.
    """
    period, since = period_of(page, page.roles.challenger)
    counted = since or windowed(page.counted.prometheus, page.at.timestamp(), page.window_seconds, 0.25)
    if not page.counted.prometheus.status.has_answered:
        return SplitTest(None, failure(page.prometheus_status))
    counts = _observed(page, counted)
    names, segments = _segments(page, counted, counts)
    planned = tuple(zip(names, _expected(segments), strict=True)) if segments else ()
    n = sum(round(each.value or 0.0) for each in counts.values())
    if not n:
        return SplitTest(None, "no request was counted in the analysis period", planned=planned)
    found = SplitTest(
        None, "", n=n, planned=planned, observed=tuple(_share(each, n) for each in counts.values())
    )
    if not planned:
        return replace(found, reason=NO_PLAN)
    if since is None:
        return replace(found, reason=f"not judged: {period.reason}")
    if not any(sum(segment.whole) for segment in segments):
        return replace(
            found,
            reason="not judged: no plan held while requests came; give AB_TRAFFIC_SPLIT "
            "one that begins with the test",
        )
    return judged(found, segments, float(page.settings["AB_STICKY_FOR"] or 0.0))


def _observed(page: PageFacts, counted: Accumulated) -> dict[str, Measurement]:
    each = {name: share_of_requests(page, counted, name)[1] for name in page.roles.names}
    return {name: measured for name, measured in each.items() if measured.value is not None}


def _share(requests: Measurement, n: int) -> Measurement:
    """A variant's share of the requests, in percent, with limits that hold at every look."""
    counts = Counts(round(requests.value or 0.0), n)
    limits = Interval(*(100 * limit for limit in proportion_so_far(counts)))
    return replace(
        requests,
        name="traffic_share_since_start",
        value=100 * counts.proportion,
        unit="percent",
        interval=limits,
        drawn_interval=limits,
        n=n,
    )


@dataclass(frozen=True, slots=True)
class Segment:
    """The requests of each variant by block, and in all, while one plan held; since a moment where there are
    several; and the planned shares.

    `seconds` is how long the blocks are together.
    """

    since: datetime | None
    blocks: tuple[tuple[int, ...], ...]
    seconds: float
    whole: tuple[int, ...]
    shares: tuple[float, ...]

    @property
    def off_points(self) -> float:
        """By how much the share is off that is off most."""
        n = sum(self.whole)
        return (
            max(abs(100 * (count / n - share)) for count, share in zip(self.whole, self.shares, strict=True))
            if n
            else 0.0
        )


def _segments(
    page: PageFacts, counted: Accumulated, counts: Mapping[str, Measurement]
) -> tuple[tuple[str, ...], tuple[Segment, ...]]:
    """The variants, and what came while each plan held; a block in which the plan changes is of none. With
    one plan the whole is exact, where blocks are rounded.
    """
    plans, names = page.settings.traffic_plans, tuple(dict.fromkeys((*page.settings.planned_names, *counts)))
    if not plans:
        return names, ()
    batches = _batches(page, counted, names)
    if len(plans) == 1 and plans[0].since is None:
        whole = tuple(round(counts[name].value or 0.0) if name in counts else 0 for name in names)
        return names, (_segment(None, batches, whole, tuple(map(plans[0].share, names))),)
    begins = [plan.since.timestamp() if plan.since is not None else -math.inf for plan in plans]
    found = []
    for plan, first, last in zip(plans, begins, [*begins[1:], math.inf], strict=True):
        own = [
            each
            for each in batches
            if each[0] >= first - _SAME_MOMENT_SECONDS and each[1] <= last + _SAME_MOMENT_SECONDS
        ]
        whole = (
            tuple(map(sum, zip(*(batch for _, _, batch in own), strict=True))) if own else (0,) * len(names)
        )
        found.append(_segment(plan.since, own, whole, tuple(map(plan.share, names))))
    return names, tuple(found)


def _segment(
    since: datetime | None, batches: Sequence[_Batch], whole: tuple[int, ...], shares: tuple[float, ...]
) -> Segment:
    return Segment(
        since,
        tuple(batch for _, _, batch in batches),
        sum(end - begin for begin, end, _ in batches),
        whole,
        shares,
    )


def _expected(segments: Sequence[Segment]) -> tuple[float, ...]:
    """The shares (percent) that all plans together lead to one to expect of the requests that came."""
    if len(segments) == 1 or not any(sum(segment.whole) for segment in segments):
        return tuple(100 * share for share in segments[0].shares)
    weights = [sum(segment.whole) for segment in segments]
    by_variant = zip(*(segment.shares for segment in segments), strict=True)
    return tuple(
        100 * sum(weight * share for weight, share in zip(weights, shares, strict=True)) / sum(weights)
        for shares in by_variant
    )


def judged(found: SplitTest, segments: Sequence[Segment], stay_seconds: float) -> SplitTest:
    """The flag, by the evidence of all segments together.

    Of users who stay for long the first stays tell hardly anything: a split that looks wrong in them is
    amber. Those segments are judged that last for eight.
    """
    told = tuple(
        segment for segment in segments if segment.blocks and segment.seconds >= _FEWEST_STAYS * stay_seconds
    )
    flagged = _flagged(found, told or segments, stay_seconds)
    if told:
        return flagged
    waiting = f"judged after {_FEWEST_STAYS} stays of {format_duration(stay_seconds)}"
    reason = "; ".join(filter(None, (waiting, flagged.reason)))
    return replace(
        flagged, flag="amber" if flagged.flag == "red" else flagged.flag, reason=reason, waits_for=waiting
    )


def _flagged(found: SplitTest, segments: Sequence[Segment], stay_seconds: float) -> SplitTest:
    clusters = max(_clusters(segment, stay_seconds) for segment in segments)
    p_value = segmented_split_test(
        [(_cumulative(segment.blocks, segment.whole, clusters), segment.shares) for segment in segments]
    )[-1]
    furthest = max(segments, key=lambda segment: segment.off_points)
    flag = "ok" if p_value >= _SUSPECT_P else "red" if furthest.off_points >= _MATTERS_POINTS else "amber"
    since = f" since {furthest.since:%-d %b %H:%M} UTC" if furthest.since is not None else ""
    widest = f"shares are off by up to {furthest.off_points:.2g} pt{since}" if flag != "ok" else ""
    clustered = f"requests go together (x {clusters:.2g})" if clusters >= TOLD_OVERDISPERSION else ""
    return replace(
        found,
        flag=flag,
        reason="; ".join(filter(None, (widest, clustered))),
        p_value=p_value,
        overdispersion=clusters,
    )


def _clusters(segment: Segment, stay_seconds: float) -> float:
    stay_blocks = stay_seconds * len(segment.blocks) / segment.seconds if segment.seconds else 0.0
    return share_overdispersion([(batch[0], sum(batch)) for batch in segment.blocks], stay_blocks)


def _batches(page: PageFacts, counted: Accumulated, names: tuple[str, ...]) -> list[_Batch]:
    """Requests of each variant by block (its begin and end, unix seconds), for the blocks that have any."""
    by_name = [request_blocks(page, counted, name) for name in names]
    found = (
        (end, tuple(round(each.get(end, 0.0)) for each in by_name))
        for end in sorted({end for each in by_name for end in each})
    )
    step = counted.block("requests").step_seconds
    return [(block_begin(end, step, counted.start_seconds), end, batch) for end, batch in found if sum(batch)]


def _cumulative(
    blocks: Sequence[tuple[int, ...]], whole: Sequence[int], clusters: float
) -> list[tuple[int, ...]]:
    """What each look added, the last one up to the exact total, as so many independent requests as they are
    worth.
    """
    seen = accumulate(
        blocks,
        lambda seen, block: tuple(
            min(most, before + count) for before, count, most in zip(seen, block, whole, strict=True)
        ),
        initial=(0,) * len(whole),
    )
    looks = [[_worth(count, clusters) for count in each] for each in (*seen, whole)]
    return [
        tuple(after - before for before, after in zip(one, other, strict=True))
        for one, other in pairwise(looks)
    ]


def _worth(count: int, clusters: float) -> int:
    """Effective requests; one that was counted stays one, for where none are planned it is a failure."""
    return max(min(count, 1), round(count / clusters))
