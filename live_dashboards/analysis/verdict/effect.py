"""Challenger minus baseline, metric by metric, of shares in percentage points: what accumulates with
always-valid intervals, what was tested once with fixed ones.

The success metric of several challengers: p-values that hold for all of them together, beside Bonferroni's
intervals, which decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import fmean

from live_dashboards.analysis.facts.arms import Arm, arm, at_far_edge
from live_dashboards.analysis.facts.counted import counted_of
from live_dashboards.analysis.facts.ends import around_rows, without_interval
from live_dashboards.analysis.facts.mean_latency import mean_arm
from live_dashboards.analysis.facts.page import PageFacts
from live_dashboards.analysis.facts.period import block_begin, period_of
from live_dashboards.analysis.facts.retraining import (
    alpha_of_look,
    looks_at_accuracy,
    looks_at_means,
    over_runs,
)
from live_dashboards.analysis.statistics.proportions import Counts, adjust, difference
from live_dashboards.analysis.statistics.stratified import (
    Strata,
    harm_variance,
    long_run_of,
    sequence_of,
    strata_of,
)
from live_dashboards.analysis.verdict.blocks import (
    Paired,
    SharedBlocks,
    carried,
    paired,
    shared,
    why_descriptive,
)
from live_dashboards.analysis.verdict.latency import BY_MEAN, latency_of
from live_dashboards.analysis.verdict.levels import Levels
from live_dashboards.analysis.verdict.mean_difference import ComparedMeans, judged_means
from live_dashboards.model.judgement import MetricDifference
from live_dashboards.model.measurement import Interval, Measurement, Origin
from live_dashboards.model.metrics import (
    ACCURACY,
    ACCURACY_OVER_RUNS,
    MEAN_LATENCY,
    METRICS,
    ONLINE_ACCURACY,
    OVER_OBJECTIVE,
    Metric,
    metric_of,
)
from live_dashboards.model.quality import PLAIN
from live_dashboards.model.snapshot import Accumulated
from live_dashboards.settings import Settings

_ALPHA = 0.05
_SURE_Z = 4.0  # of requests that are independent: as always-valid limits are wide
# a burst in the first block is no harm: nothing tells yet how requests fail together
_FEWEST_BLOCKS_FOR_HARM = 3
# over all guardrails and challengers, for harm, of which each is looked for at 0.05 at most
_HARM_ALPHA = 0.1
DEFAULT_PLANNED_REQUESTS = 20_000
GAUGE_HAS_NO_COUNT = (
    "the gauge has no count: name counters of labelled and correct requests in "
    "AB_ONLINE_LABELLED_METRIC and AB_ONLINE_CORRECT_METRIC"
)


@dataclass(frozen=True, slots=True)
class ComparedRates:
    """A comparison and the two rates that it compares, treatment first."""

    row: MetricDifference
    inputs: tuple[Measurement, Measurement]


def compared(page: PageFacts) -> tuple[ComparedRates, ...]:
    """Every variant against the baseline: the challenger in all metrics, the others in accuracy, what is
    guarded, and what else has an interval.

    Success metrics and offline ones at 95 % over the family of challengers (Bonferroni); guardrails, which
    must all pass, at 95 % each; harm at 0.1 over all guardrails and challengers.
    """
    challengers = [name for name in page.roles.names if name != page.roles.baseline]
    judged = [row for name in challengers for row in _judged_metrics(page, name, len(challengers))]
    logged = [metric for metric in METRICS if metric != ACCURACY]
    beside = [_offline(page, name, metric, len(challengers)) for name in challengers for metric in logged]
    return (
        *judged,
        *(each for each in beside if each.row.has_interval or each.row.treatment == page.roles.challenger),
    )


def _judged_metrics(page: PageFacts, name: str, family: int) -> list[ComparedRates]:
    """Accuracy in each of its forms, and what is guarded."""
    guarded = (_guarded(page, name, each.metric, family) for each in page.settings.guarded)
    return [_offline(page, name, ACCURACY, family), *_beside_accuracy(page, name, family), *guarded]


def planned_requests(settings: Settings, names: tuple[str, ...], pair: tuple[str, str]) -> int:
    """Planned requests of both arms of a comparison: their share of AB_PLANNED_REQUESTS (of dated plans the
    mean), or 20,000 where none are planned.
    """
    planned, plans = settings["AB_PLANNED_REQUESTS"], settings.traffic_plans
    if planned is None:
        return DEFAULT_PLANNED_REQUESTS
    share = fmean(sum(map(plan.share, pair)) for plan in plans) if plans else 2 / max(2, len(names))
    return max(1, round(int(str(planned)) * (share or 1.0)))


def effect_measurement(each: ComparedRates) -> Measurement:
    """The difference as a measurement, `accuracy_difference` and so on, with its interval."""
    row, inputs = each.row, each.inputs
    moments = [side.observed_at for side in inputs if side.observed_at]
    return Measurement(
        f"{row.metric}_difference",
        row.estimate,
        row.unit,
        row.origin if row.estimate is not None else Origin.MISSING,
        row.treatment,
        Interval(row.low, row.high) if row.has_interval else None,
        source=joined(side.source for side in inputs),
        query=joined(side.query for side in inputs),
        observed_at=min(moments, default=None),
        reason=row.reason or (row.method if row.estimate is not None else "not measured"),
        inputs=inputs,
        stale=row.stale,
    )


def joined(texts: Iterable[str]) -> str:
    """What is told of several inputs, each once."""
    return ", ".join(dict.fromkeys(filter(None, texts)))


def _row(
    metric: str,
    inputs: tuple[Measurement, Measurement],
    family: int,
    entry: Metric | None = None,
) -> MetricDifference:
    """The comparison without an interval; `entry` where it is another metric than the catalogue's."""
    (ours, theirs), what = inputs, entry or metric_of(metric)
    pooled = None if ours.value is None or theirs.value is None else ours.value - theirs.value
    return MetricDifference(
        metric=metric,
        treatment=str(ours.variant),
        control=str(theirs.variant),
        estimate=pooled,
        low=None,
        high=None,
        unit=what.difference_unit,
        confidence=1 - _ALPHA,
        p_value=None,
        method="difference of the two values",
        n_treatment=ours.n,
        n_control=theirs.n,
        sequential=False,
        is_higher_better=what.is_higher_better,
        origin=max(ours.origin, theirs.origin, key=lambda origin: origin.weakness),
        reason=_reason(ours, theirs),
        family=family,
        stale=ours.stale or theirs.stale,
        pooled=pooled,
        entry=entry,
    )


def _reason(ours: Measurement, theirs: Measurement) -> str | None:
    """Why there is no value, or else why there is no interval."""
    gaps = [
        str(side.reason) if ours.reason == theirs.reason else f"{side.variant}: {side.reason}"
        for side in (ours, theirs)
        if side.value is None
    ]
    if not gaps:
        gaps = [str(side.reason) for side in (ours, theirs) if side.n is None and side.reason]
    return "; ".join(dict.fromkeys(gaps)) or None


def _with_limits(
    row: MetricDifference, found: object, times: float = 100.0, **changes: object
) -> MetricDifference:
    low, high, p_value, method = (getattr(found, name) for name in ("low", "high", "p_value", "method"))
    words = f"{method}; Bonferroni over {row.family} challengers" if row.family > 1 else str(method)
    limits = {"low": times * low, "high": times * high}
    return replace(row, **limits, p_value=p_value, method=words, reason=None, **changes)  # type: ignore[arg-type]


def _offline(page: PageFacts, name: str, metric: str, family: int) -> ComparedRates:
    """Two test sets, each looked at once: Newcombe's interval where both n are known."""
    inputs = (page.counted.of(name).quality[metric], page.counted.of(page.roles.baseline).quality[metric])
    row = _row(metric, inputs, family, _entry(page, metric))
    ours, theirs = (_counts(side) for side in inputs)
    if ours is None or theirs is None:
        return ComparedRates(row, inputs)
    found = difference(ours, theirs, 1 - _ALPHA / family)
    shown = _with_limits(row, replace(found, method=f"{found.method}; unpaired test rows"))
    return ComparedRates(_judged_anew(page, shown, (ours, theirs)) if metric == ACCURACY else shown, inputs)


def _entry(page: PageFacts, metric: str) -> Metric | None:
    """What is compared in the place of that accuracy; None where it is the catalogue's."""
    quality, of_accuracy = page.counted.model.quality, metric in {ACCURACY, ACCURACY_OVER_RUNS}
    return quality.metric(metric) if of_accuracy and quality != PLAIN else None


def _judged_anew(page: PageFacts, row: MetricDifference, arms: tuple[Counts, Counts]) -> MetricDifference:
    """With the limits that the verdict goes by: each retrained model since the start of the test was another
    look.
    """
    looks = looks_at_accuracy(page.counted.mlflow, *_looked_at(page, row))
    found = difference(*arms, 1 - alpha_of_look(looks, row.family))
    return replace(row, looks=looks, judged_low=100 * found.low, judged_high=100 * found.high)


def _online(page: PageFacts, name: str, family: int) -> list[ComparedRates]:
    """The online accuracy where a count or a gauge exists; a gauge has no interval."""
    if page.settings["AB_ONLINE_CORRECT_METRIC"] is not None:
        return [_counted(page, name, ONLINE_ACCURACY, family)]
    inputs = (page.counted.of(name).online_accuracy, page.counted.of(page.roles.baseline).online_accuracy)
    if (
        any(gauge.value is None for gauge in inputs)
        or page.counted.of(name).accuracy.source == inputs[0].source
    ):
        return []
    return [
        ComparedRates(
            replace(_row(ONLINE_ACCURACY, inputs, family), reason=f"no interval: {GAUGE_HAS_NO_COUNT}"),
            inputs,
        )
    ]


def _beside_accuracy(page: PageFacts, name: str, family: int) -> list[ComparedRates]:
    """The online accuracy, and the accuracy over runs where each variant has three."""
    rows = _online(page, name, family)
    runs = over_runs(page, name, 1 - _ALPHA / family)
    if runs is not None:
        row = _row(ACCURACY_OVER_RUNS, runs.inputs, family, _entry(page, ACCURACY_OVER_RUNS))
        row = _with_limits(replace(row, n_treatment=runs.n[0], n_control=runs.n[1]), runs, 1.0)
        judged = row if row.what.is_share else _runs_judged_anew(page, row)
        rows.append(ComparedRates(judged, runs.inputs))
    return rows


def _runs_judged_anew(page: PageFacts, row: MetricDifference) -> MetricDifference:
    """A value has no test rows, so its runs are what a verdict goes by: each run that ended since the start
    of the test was another look.
    """
    looks = looks_at_means(page.counted.mlflow, *_looked_at(page, row))
    found = over_runs(page, row.treatment, 1 - alpha_of_look(looks, row.family))
    return row if found is None else replace(row, looks=looks, judged_low=found.low, judged_high=found.high)


def _looked_at(page: PageFacts, row: MetricDifference) -> tuple[tuple[str, str], datetime | None, datetime]:
    """The pair that is compared, since when, and until when."""
    return (row.treatment, row.control), period_of(page, row.treatment)[0].start, page.at


def _counts(measurement: Measurement) -> Counts | None:
    """The counts behind a proportion in percent; the rounding only undoes the division."""
    if not measurement.n or measurement.value is None:
        return None
    return Counts(min(measurement.n, round(measurement.value / 100 * measurement.n)), measurement.n)


@dataclass(frozen=True, slots=True)
class ComparedCounts:
    """What two arms have counted of a metric, and how it is judged; `row` is their comparison without limits.
    `is_whole`: it was counted since the start of the test; else in the window.
    """

    row: MetricDifference
    arms: tuple[Arm, Arm]
    levels: Levels
    counted: Accumulated
    is_whole: bool

    @property
    def pair(self) -> Paired:
        """What both arms counted, block by block."""
        return paired(self.arms[0].blocks, self.arms[1].blocks)

    @property
    def inputs(self) -> tuple[Measurement, Measurement]:
        """The two rates, treatment first."""
        return self.arms[0].rate, self.arms[1].rate


def countings(page: PageFacts, name: str, metric: str, family: int) -> tuple[ComparedCounts, ...]:
    """What accumulates of a metric of that challenger: since the start of the test, or in the window, where
    the period is not known; a second time at the far end of the bucket that holds the latency objective.
    """
    counted, is_whole = counted_of(page, name)
    is_success = metric == ONLINE_ACCURACY or metric == page.settings["AB_SUCCESS_METRIC"]
    alpha = _ALPHA / family if is_success else _ALPHA
    levels = _levels(page, name, alpha, _harm_alpha(page, metric, family))

    def of(edge: Accumulated) -> ComparedCounts:
        arms = arm(page, edge, name, metric), arm(page, edge, page.roles.baseline, metric)
        row = _row(metric, (arms[0].rate, arms[1].rate), family if is_success else 1)
        return ComparedCounts(row, arms, levels, edge, is_whole)

    far = at_far_edge(counted) if metric == OVER_OBJECTIVE else None
    return (of(counted),) if far is None else (of(counted), of(far))


def _levels(page: PageFacts, name: str, alpha: float, harm: float | None) -> Levels:
    pair = (name, page.roles.baseline)
    return Levels(alpha, harm, planned_requests(page.settings, page.roles.names, pair))


def margins(page: PageFacts) -> dict[str, float]:
    """The margin in points of each metric that is guarded."""
    return {each.metric: each.margin for each in page.settings.guarded}


def _harm_alpha(page: PageFacts, metric: str, family: int) -> float | None:
    """The level at which harm is looked for; None of what is not guarded."""
    guarded = margins(page)
    return min(_ALPHA, _HARM_ALPHA / (len(guarded) * family)) if metric in guarded else None


def _guarded(page: PageFacts, name: str, metric: str, family: int) -> ComparedRates:
    """What is guarded; the mean latency in the place of the share over the objective, where there are no
    buckets.
    """
    if metric == OVER_OBJECTIVE and latency_of(page, name) == BY_MEAN:
        found = mean_counting(page, name, family)
        return ComparedRates(judged_means(found, page.at.timestamp()), found.inputs)
    return _counted(page, name, metric, family)


def mean_counting(page: PageFacts, name: str, family: int) -> ComparedMeans:
    """What accumulates of that challenger's response times, where they are judged by their mean."""
    counted, is_whole = counted_of(page, name)
    arms = mean_arm(page, counted, name), mean_arm(page, counted, page.roles.baseline)
    row = _row(MEAN_LATENCY, (arms[0].mean, arms[1].mean), 1)
    levels = _levels(page, name, _ALPHA, _harm_alpha(page, OVER_OBJECTIVE, family))
    return ComparedMeans(row, arms, levels, counted, is_whole)


def _counted(page: PageFacts, name: str, metric: str, family: int) -> ComparedRates:
    """What accumulates: an always-valid interval over the analysis period; over the window, where the period
    is not known, a fixed one for one look.
    """
    found = countings(page, name, metric, family)
    return ComparedRates(within_bucket([_judged(page, each) for each in found]), found[0].inputs)


def within_bucket(ends: Sequence[MetricDifference]) -> MetricDifference:
    """The comparison at the nearer end of the bucket that holds the objective, with the limits that hold at
    either end; without limits where one has none. As it is where there is one end.
    """
    near, *far = ends
    if not far:
        return near
    wide = around_rows(near, far)
    if wide is None:
        return without_interval(near, near.reason or far[0].reason)
    return replace(wide, method=f"{near.method}; the widest at both ends of the objective's bucket")


def _judged(page: PageFacts, counting: ComparedCounts) -> MetricDifference:
    row, arms, since = counting.row, counting.arms, counting.counted
    ours, theirs = (each.counts for each in arms)
    if ours is None or theirs is None:
        return row
    if not counting.is_whole:
        found = difference(ours, theirs, 1 - counting.levels.alpha)
        return _with_limits(row, replace(found, method=f"{found.method}; the window, for one look"))
    blocks = shared(counting.pair)
    if not len(blocks.first):
        return replace(row, estimate=None, reason=f"{row.treatment} and {row.control}: {_apart(arms)}")
    within = strata_of(blocks.counts)
    row = _within_blocks(row, within, blocks, counting.levels, page.at.timestamp())
    margin_points = margins(page).get(row.metric)
    if margin_points is not None and (row.high is None or row.high >= margin_points):
        row = _with_carried(row, within, blocks, since)
    return (
        row
        if row.metric != ONLINE_ACCURACY
        else replace(row, descriptive=why_descriptive(page, since, row.treatment, counting.levels.planned_n))
    )


def judged_until(counting: ComparedCounts, pair: Paired, at_seconds: float) -> MetricDifference | None:
    """The comparison as the blocks that end by that moment (unix seconds) give it; None where they compare
    nothing.
    """
    blocks = shared(pair.until(at_seconds))
    if not len(blocks.first):
        return None
    within = strata_of(blocks.counts)
    return _within_blocks(counting.row, within, blocks, counting.levels, at_seconds)


def _apart(arms: tuple[Arm, Arm]) -> str:
    """Why no block of time compares two arms."""
    if arms[0].blocks.keys() & arms[1].blocks.keys():
        return "the split between them changed in every block of time"
    return "none was counted of both in the same block of time"


def _within_blocks(
    row: MetricDifference, found: Strata, blocks: SharedBlocks, levels: Levels, at_seconds: float
) -> MetricDifference:
    """The comparison within blocks of time, with both limits: for what is claimed to be better or safe, and
    for harm, which is to be found early.
    """
    safe = long_run_of(found)
    limits = sequence_of(found, levels.planned_n, levels.alpha, safe)
    clusters = max(1.0, safe / found.variance) if found.variance > 0 else 1.0
    row = replace(
        row,
        estimate=100 * found.estimate,
        sequential=True,
        overdispersion=clusters,
        n_treatment=found.arms[0].n,
        n_control=found.arms[1].n,
        information=found.information,
    )
    if levels.harm is not None and len(blocks.ends) >= _FEWEST_BLOCKS_FOR_HARM:
        variance = harm_variance(found, blocks.last_ends, at_seconds)
        harm = sequence_of(found, levels.planned_n, levels.harm, variance)
        row = replace(row, harm_low=100 * harm.low, harm_high=100 * harm.high)
    return _with_limits(row, limits)


def _with_carried(
    row: MetricDifference, found: Strata, blocks: SharedBlocks, since: Accumulated
) -> MetricDifference:
    """The comparison with what carries a harm, also of one that is not judged as such because it came all at
    once.
    """
    if found.estimate <= _SURE_Z * math.sqrt(found.variance):
        return row
    step_seconds = since.block("requests").step_seconds
    spans = tuple(
        (block_begin(group[0], step_seconds, since.start_seconds), group[-1]) for group in blocks.groups
    )
    return replace(row, carried=carried(found, blocks.treatment, blocks.control, spans))


def with_adjusted_p(
    rows: tuple[ComparedRates, ...], success: ComparedRates | None
) -> tuple[ComparedRates, ...]:
    """The rows, those of the success metric with Holm's p over all challengers; as they are where there is
    one challenger.

    A challenger without a p counts as 1: it stays in the family, as it does for the intervals.
    """
    if success is None or success.row.family < 2:
        return rows
    members = [each for each in rows if each.row.metric == success.row.metric]
    adjusted = adjust([1.0 if each.row.p_value is None else each.row.p_value for each in members])
    by_treatment = {
        each.row.treatment: p_value
        for each, p_value in zip(members, adjusted, strict=True)
        if each.row.p_value is not None
    }
    return tuple(
        replace(each, row=replace(each.row, p_value_adjusted=by_treatment.get(each.row.treatment)))
        if each in members
        else each
        for each in rows
    )
