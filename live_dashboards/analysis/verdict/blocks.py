"""What blocks of time tell of a difference: which both arms share, which stretch carries it, and whether
labels come later for one arm.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate, combinations
from statistics import median
from typing import TYPE_CHECKING, Any, TypeAlias

from live_dashboards.analysis.facts.arms import by_block, request_blocks
from live_dashboards.analysis.facts.page import PageFacts
from live_dashboards.analysis.statistics.proportions import Counts
from live_dashboards.analysis.statistics.stratified import (
    Strata,
    sequence_of,
    strata,
    usual_overdispersion,
)
from live_dashboards.analysis.verdict.split import blocks_of_one_split, share_changes
from live_dashboards.model.judgement import Carried
from live_dashboards.model.number import format_age, format_percent
from live_dashboards.model.snapshot import Accumulated

_TENTH, _FEWEST_BLOCKS = 0.1, 20
_DRAWS, _QUANTILE, _SEED = 1000, 0.99, 16
_SAME_MOMENT_SECONDS = 1.0

if TYPE_CHECKING:
    import numpy as np

    FloatArray: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
    IntArray: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

Run = tuple[int, int]
"""The first block of a contiguous stretch, and the one after its last."""

_FEWEST_OF_A_PAIR = 20  # on average: two requests a block keep 57 % of what they tell, twenty 95 %

# of the share that is labelled: below, what is missing can hardly turn an accuracy
_ALPHA, _MATTERS = 0.01, 0.01
_DAY_SECONDS = 86_400.0
_REMEDY = "count labels by the time of their request, or after one fixed wait"

Blocks = Mapping[float, float]


def carried(
    found: Strata,
    treatment: Sequence[Counts],
    control: Sequence[Counts],
    spans: Sequence[tuple[float, float]],
) -> Carried | None:
    """The worst tenth of a harm (a difference above 0); None where a constant difference would show one as
    bad in one test of a hundred or more.

    `spans` are when each block begins and ends (unix seconds). The threshold is drawn: the blocks'
    differences are the same and vary as their counts say.
    """
    if len(spans) < _FEWEST_BLOCKS or found.estimate <= 0:
        return None
    runs = _runs(spans)
    parts = [
        residual + weight * found.estimate
        for residual, weight in zip(found.residuals, found.weights, strict=True)
    ]
    sums = [0.0, *accumulate(parts)]
    first, after = max(runs, key=lambda run: sums[run[1]] - sums[run[0]])
    if sums[after] - sums[first] <= _by_chance(found, treatment, control, runs):
        return None
    first, after = _core(found, parts, (first, after))
    rest = [*range(first), *range(after, len(spans))]
    without = strata([treatment[block] for block in rest], [control[block] for block in rest]).estimate
    begin, end = (datetime.fromtimestamp(seconds, UTC) for seconds in (spans[first][0], spans[after - 1][1]))
    return Carried(begin, end, 100 * (sums[after] - sums[first]) / found.estimate, 100 * without)


def _core(found: Strata, parts: Sequence[float], run: Run) -> Run:
    """The part of a stretch that stands out most, by what it adds beyond the blocks outside over its root of
    information: an incident is seldom as long as a tenth.
    """
    first, after = run
    weights = found.weights[first:after]
    usual = (found.estimate - math.fsum(parts[first:after])) / (1 - math.fsum(weights))
    beyond = [
        0.0,
        *accumulate(part - weight * usual for part, weight in zip(parts[first:after], weights, strict=True)),
    ]
    informed = [0.0, *accumulate(weights)]
    begin, end = max(
        combinations(range(len(beyond)), 2),
        key=lambda each: (
            (beyond[each[1]] - beyond[each[0]]) / math.sqrt(informed[each[1]] - informed[each[0]])
        ),
    )
    return first + begin, first + end


def _runs(spans: Sequence[tuple[float, float]]) -> list[Run]:
    """Every stretch of blocks that is as long as a tenth of the whole, or as near below it as blocks are."""
    longest = _TENTH * (spans[-1][1] - spans[0][0]) + _SAME_MOMENT_SECONDS
    found, after = [], 0
    for first, (begin, _) in enumerate(spans):
        after = max(after, first + 1)
        while after < len(spans) and spans[after][1] - begin <= longest:
            after += 1
        found.append((first, after))
    return found


def _by_chance(
    found: Strata, treatment: Sequence[Counts], control: Sequence[Counts], runs: Sequence[Run]
) -> float:
    """How much the worst stretch adds to a constant difference in 99 of 100 tests."""
    import numpy as np

    ours, theirs = (
        np.array([[each.events, each.n] for each in arm], dtype=float) for arm in (treatment, control)
    )
    rate = (ours[:, 0] + theirs[:, 0]).sum() / (ours[:, 1] + theirs[:, 1]).sum()
    weights = np.array(found.weights)
    spread = weights * math.sqrt(rate * (1 - rate)) * np.sqrt(1 / ours[:, 1] + 1 / theirs[:, 1])
    drawn = np.random.default_rng(_SEED).standard_normal((_DRAWS, len(weights))) * spread
    # of tests that found the same difference
    drawn += weights * (found.estimate - drawn.sum(axis=1, keepdims=True))
    sums = np.concatenate([np.zeros((_DRAWS, 1)), drawn.cumsum(axis=1)], axis=1)
    edges = np.array(runs)
    return float(np.quantile((sums[:, edges[:, 1]] - sums[:, edges[:, 0]]).max(axis=1), _QUANTILE))


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """What both arms counted by block, in the order of time: when the blocks end (unix seconds), and events
    and trials of the treatment, then of the control; 0 in a block in which an arm has none.
    """

    ends: FloatArray
    counts: IntArray

    def until(self, at_seconds: float) -> Paired:
        """The blocks that end by that moment."""
        kept = int(self.ends.searchsorted(at_seconds + _SAME_MOMENT_SECONDS, side="right"))
        return Paired(self.ends[:kept], self.counts[:, :kept])


def paired(treatment: Mapping[float, Counts], control: Mapping[float, Counts]) -> Paired:
    """The counts of both arms by the blocks' ends."""
    import numpy as np

    ends = sorted({*treatment, *control})
    rows = [
        [getattr(counts[end], name) if end in counts else 0 for end in ends]
        for counts in (treatment, control)
        for name in ("events", "n")
    ]
    return Paired(np.array(ends, dtype=float), np.array(rows, dtype=np.int64).reshape(4, -1))


@dataclass(frozen=True, slots=True, eq=False)
class SharedBlocks:
    """Counts of both arms in the same blocks, in the order of time: events and trials of the treatment, then
    of the control. Each is made of the `sizes` next of some blocks, from the `first` one on; `every_end` is
    when those end (unix seconds).
    """

    counts: IntArray
    first: IntArray
    sizes: IntArray
    every_end: FloatArray

    @property
    def last_ends(self) -> FloatArray:
        """When each ends."""
        found: FloatArray = self.every_end[self.first + self.sizes - 1]
        return found

    @property
    def ends(self) -> tuple[float, ...]:
        """When each ends, as a tuple."""
        return tuple(self.last_ends.tolist())

    @property
    def treatment(self) -> tuple[Counts, ...]:
        """The treatment's counts."""
        return tuple(Counts(events, n) for events, n in self.counts[:2].T.tolist())

    @property
    def control(self) -> tuple[Counts, ...]:
        """The control's counts."""
        return tuple(Counts(events, n) for events, n in self.counts[2:].T.tolist())

    @property
    def groups(self) -> tuple[tuple[float, ...], ...]:
        """The ends of all that each is made of."""
        return tuple(
            tuple(self.every_end[first : first + size].tolist())
            for first, size in zip(self.first.tolist(), self.sizes.tolist(), strict=True)
        )


def shared_blocks(treatment: Mapping[float, Counts], control: Mapping[float, Counts]) -> SharedBlocks:
    """The counts by the blocks' ends, paired: see `shared`."""
    return shared(paired(treatment, control))


def shared(pair: Paired) -> SharedBlocks:
    """Blocks of both arms: neighbours together until a pair has 20 trials on average, never over a change of
    the split.

    Blocks in which an arm has none tell nothing, and one in which the split changes compares two splits.
    """
    import numpy as np

    trials = pair.counts[1] + pair.counts[3]
    sizes = np.stack((pair.counts[1], trials), axis=1)
    spans = blocks_of_one_split(sizes.tolist(), share_changes(sizes)) if len(trials) else ()
    length = max(1, math.ceil(_FEWEST_OF_A_PAIR * len(trials) / max(1, int(trials.sum()))))
    none = [np.zeros(0, dtype=np.int64)]
    first = np.concatenate([np.arange(span.start, span.stop, length) for span in spans] or none)
    stops = np.concatenate([np.full(-(-len(span) // length), span.stop) for span in spans] or none)
    last = np.minimum(first + length, stops)
    sums = np.concatenate((np.zeros((4, 1), dtype=np.int64), pair.counts.cumsum(axis=1)), axis=1)
    counts = sums[:, last] - sums[:, first]
    kept = (counts[1] > 0) & (counts[3] > 0)
    return SharedBlocks(counts[:, kept], first[kept], (last - first)[kept], pair.ends)


def why_descriptive(page: PageFacts, counted: Accumulated, challenger: str, planned_n: int) -> str:
    """Why nothing stands on the online accuracy of a challenger against the baseline; empty where it can be
    compared.
    """
    names = (challenger, page.roles.baseline)
    labelled = [by_block(page, counted.block("labelled"), name) for name in names]
    requests = [request_blocks(page, counted, name) for name in names]
    if not all(sum(each.values()) >= 1 for each in (*labelled, *requests)):
        return ""
    return _unlike(names, labelled, requests, planned_n) or _changed_meanwhile(
        page, challenger, labelled, requests
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
    return {
        day: Counts(min(round(labels), round(n)), round(n))
        for day, (labels, n) in _sums_by_day(labelled, requests, last).items()
        if round(n) > 0
    }


def _sums_by_day(labelled: Blocks, requests: Blocks, last: float) -> dict[int, list[float]]:
    """Labels and requests by day, counted back from the last block."""
    sums: dict[int, list[float]] = {}
    for end, n in requests.items():
        day = sums.setdefault(int((last - end) // _DAY_SECONDS), [0.0, 0.0])
        day[0] += labelled.get(end, 0.0)
        day[1] += n
    return sums


def _pairs(labelled: Blocks, requests: Blocks) -> list[tuple[int, int]]:
    rounded = ((round(labelled.get(end, 0.0)), round(n)) for end, n in sorted(requests.items()))
    return [(min(labels, n), n) for labels, n in rounded if n > 0]


def _changed_meanwhile(
    page: PageFacts, challenger: str, labelled: list[Blocks], requests: list[Blocks]
) -> str:
    """Where the split changed within the usual delay: labels of now are of requests from before."""
    delay_seconds = _delay_seconds(_both(labelled), _both(requests))
    arms = [{end: round(n) for end, n in arm.items()} for arm in requests]
    ends = [end for end in sorted({*arms[0], *arms[1]}) if arms[0].get(end, 0) + arms[1].get(end, 0) > 0]
    changes = share_changes(
        [(arms[0].get(end, 0), arms[0].get(end, 0) + arms[1].get(end, 0)) for end in ends]
    )
    if not changes or delay_seconds <= 0:
        return ""
    age_seconds = page.at.timestamp() - ends[max(0, changes[-1].block - 1)]
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
    by_day = _sums_by_day(labelled, requests, ends[-1])
    whole = range(int((ends[-1] - ends[0]) // _DAY_SECONDS))
    shares = [labels / n for labels, n in (by_day[day] for day in whole if day in by_day) if n]
    share = median(shares) if shares else 0.0
    rate = by_day[0][1] / _DAY_SECONDS
    outstanding = share * sum(requests.values()) - sum(labelled.values())
    return outstanding / (share * rate) if share > 0 and rate > 0 else 0.0
