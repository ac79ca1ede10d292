"""Challenger minus baseline in mean response time, within blocks of time and in limits that hold at every
look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from live_dashboards.analysis.facts.mean_latency import MeanArm
from live_dashboards.analysis.facts.period import block_begin
from live_dashboards.analysis.statistics.means import (
    FEWEST_MEAN_BLOCKS,
    FEWEST_MEAN_SECONDS,
    MeanStrata,
    Sums,
    harm_mean_variance,
    has_enough,
    mean_sequence,
    mean_strata,
    safe_mean_variance,
)
from live_dashboards.analysis.statistics.proportions import Counts
from live_dashboards.analysis.verdict.blocks import SharedBlocks, shared_blocks
from live_dashboards.analysis.verdict.levels import Levels
from live_dashboards.model.judgement import MetricDifference
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.number import format_age
from live_dashboards.model.snapshot import Accumulated

NEEDS = f"{FEWEST_MEAN_BLOCKS} blocks of time and {FEWEST_MEAN_SECONDS / 3600:g} h"
"""What a mean needs before anything is concluded of it, in words."""


@dataclass(frozen=True, slots=True)
class ComparedMeans:
    """The response times of two arms, treatment first, and how their means are judged; `row` is their
    comparison in ms without limits. `is_whole`: they were counted since the start of the test; else in the
    window.
    """

    row: MetricDifference
    arms: tuple[MeanArm, MeanArm]
    levels: Levels
    counted: Accumulated
    is_whole: bool

    @property
    def inputs(self) -> tuple[Measurement, Measurement]:
        """The two means."""
        return self.arms[0].mean, self.arms[1].mean

    def until(self, at_seconds: float) -> ComparedMeans:
        """The same by the blocks that end by that moment (unix seconds)."""
        return replace(self, arms=(self.arms[0].until(at_seconds), self.arms[1].until(at_seconds)))


def judged_means(found: ComparedMeans, at_seconds: float) -> MetricDifference:
    """The comparison with its limits; without them, and with the reason, where too few blocks tell how sure
    it is, and where the start of the test is not known.
    """
    row, arms, counted = found.row, found.arms, found.counted
    if not found.is_whole:
        return replace(row, reason="no interval: the start of the test is not known")
    blocks = shared_blocks(*(_counts(each) for each in arms))
    if not len(blocks.first):
        reason = f"{row.treatment} and {row.control}: no block of time tells of both at one split"
        return replace(row, estimate=None, reason=reason)
    ours, theirs = ([_together(arm.blocks, group) for group in blocks.groups] for arm in arms)
    within = mean_strata(ours, theirs)
    row = replace(
        row,
        estimate=within.estimate,
        sequential=True,
        n_treatment=within.n[0],
        n_control=within.n[1],
        information=within.information,
    )
    span_seconds = _span_seconds(blocks, counted)
    if not has_enough(within, span_seconds):
        return replace(row, reason=_too_few(within, span_seconds))
    return _with_limits(row, within, blocks, found.levels, at_seconds)


def _with_limits(
    row: MetricDifference, found: MeanStrata, blocks: SharedBlocks, levels: Levels, at_seconds: float
) -> MetricDifference:
    safe = mean_sequence(found, levels.planned_n, levels.alpha, safe_mean_variance(found))
    row = replace(
        row,
        low=safe.low,
        high=safe.high,
        p_value=safe.p_value,
        method=safe.method,
        reason=None,
    )
    if levels.harm is None:
        return row
    variance = harm_mean_variance(found, blocks.last_ends, at_seconds)
    harm = mean_sequence(found, levels.planned_n, levels.harm, variance)
    return replace(row, harm_low=harm.low, harm_high=harm.high)


def _counts(arm: MeanArm) -> dict[float, Counts]:
    """How many response times each block has: they say which blocks are looked at together."""
    return {end: Counts(0, each.n) for end, each in arm.blocks.items()}


def _together(blocks: Mapping[float, Sums], group: tuple[float, ...]) -> Sums:
    mine = [blocks[end] for end in group if end in blocks]
    return Sums(sum(each.total for each in mine), sum(each.n for each in mine))


def _span_seconds(blocks: SharedBlocks, counted: Accumulated) -> float:
    """From when the first block begins to when the last one ends."""
    first = block_begin(blocks.groups[0][0], counted.block("requests").step_seconds, counted.start_seconds)
    return blocks.ends[-1] - first


def _too_few(found: MeanStrata, span_seconds: float) -> str:
    blocks = len(found.residuals)
    told = f"{blocks} {'block' if blocks == 1 else 'blocks'} of time within {format_age(span_seconds)}"
    return f"no interval: {told} {'tells' if blocks == 1 else 'tell'} of both so far, a mean needs {NEEDS}"
