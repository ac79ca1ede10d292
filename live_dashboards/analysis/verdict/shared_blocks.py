"""The blocks of time in which both arms had traffic, paired: what is compared is compared within them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from live_dashboards.analysis.statistics.proportions import Counts
from live_dashboards.analysis.statistics.stratified import together
from live_dashboards.analysis.verdict.split import blocks_of_one_split, share_changes

_FEWEST_OF_A_PAIR = 20  # on average: two requests a block keep 57 % of what they tell, twenty 95 %


@dataclass(frozen=True, slots=True)
class SharedBlocks:
    """Counts of both arms in the same blocks, in the order of time; `ends` are when each ends (unix seconds),
    `groups` the ends of all that it is made of.
    """

    ends: tuple[float, ...] = ()
    treatment: tuple[Counts, ...] = ()
    control: tuple[Counts, ...] = ()
    groups: tuple[tuple[float, ...], ...] = ()


def shared_blocks(treatment: Mapping[float, Counts], control: Mapping[float, Counts]) -> SharedBlocks:
    """The counts by the blocks' ends, paired: neighbours together until a pair has 20 trials on average,
    never over a change of the split.

    Blocks in which an arm has none tell nothing, and one in which the split changes compares two splits.
    """
    ends = sorted({*treatment, *control})
    sizes = [(_n(treatment, end), _n(treatment, end) + _n(control, end)) for end in ends]
    spans = blocks_of_one_split(sizes, share_changes(sizes))
    length = max(1, math.ceil(_FEWEST_OF_A_PAIR * len(sizes) / max(1, sum(n for _, n in sizes))))
    groups = [
        tuple(ends[each] for each in span[start : start + length])
        for span in spans
        for start in range(0, len(span), length)
    ]
    pairs = ((group, _counted(treatment, group), _counted(control, group)) for group in groups)
    kept = [(group, ours, theirs) for group, ours, theirs in pairs if ours is not None and theirs is not None]
    return SharedBlocks(
        tuple(group[-1] for group, _, _ in kept),
        tuple(ours for _, ours, _ in kept),
        tuple(theirs for _, _, theirs in kept),
        tuple(group for group, _, _ in kept),
    )


def _n(counts: Mapping[float, Counts], end: float) -> int:
    return counts[end].n if end in counts else 0


def _counted(counts: Mapping[float, Counts], ends: Sequence[float]) -> Counts | None:
    known = [counts[end] for end in ends if end in counts]
    return known[0] if len(known) == 1 else together(known) if known else None
