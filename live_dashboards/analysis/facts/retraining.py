"""Accuracies of models that are trained again and again: means over the runs, which pairs have been looked
at, and what stood before the newest.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, variance

from live_dashboards.analysis.facts.models import scale_of
from live_dashboards.analysis.facts.page import PageFacts
from live_dashboards.analysis.statistics.special import student_t_below, student_t_quantile
from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.metrics import ACCURACY, ACCURACY_OVER_RUNS
from live_dashboards.model.names import escaped
from live_dashboards.model.number import format_number, format_short_age
from live_dashboards.model.quality import FEWEST_RUNS
from live_dashboards.model.snapshot import MlflowAnswer, Run, VariantValue

_ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class OverRuns:
    """Welch's interval of the difference of mean accuracies, and the means with their numbers of runs,
    treatment first; in percent, or in the unit of what stands in the place of the accuracy.
    """

    low: float
    high: float
    p_value: float
    method: str
    inputs: tuple[Measurement, Measurement]
    n: tuple[int, int]


def over_runs(page: PageFacts, variant: str, confidence: float) -> OverRuns | None:
    """The accuracy of finished top-level runs of a variant against the baseline's; None where either has
    fewer than 3.
    """
    ours, theirs = (values_of_runs(page, name) for name in (variant, page.roles.baseline))
    if min(len(ours), len(theirs)) < FEWEST_RUNS:
        return None
    limits = welch(ours, theirs, confidence)
    if limits is None:
        return None
    low, high, p_value = limits
    inputs = (_mean(page, variant, ours), _mean(page, page.roles.baseline, theirs))
    return OverRuns(low, high, p_value, "Welch t over runs", inputs, (len(ours), len(theirs)))


_NOISE = 1e-9  # of the largest value


def welch(
    treatment: list[float], control: list[float], confidence: float
) -> tuple[float, float, float] | None:
    """Limits of the difference of means and its two-sided p (Welch 1947, Biometrika 34:28); each needs two
    values.

    None where neither has any spread but that of the last digits of floats: repeated runs that are all alike
    tell nothing of how much runs differ.
    """
    # of the largest, as squares of a loss that has diverged have no room in a float
    largest = max(map(abs, (*treatment, *control))) or 1.0
    arms = [[value / largest for value in values] for values in (treatment, control)]
    parts = [variance(values) / len(values) for values in arms]
    estimate, spread = fmean(arms[0]) - fmean(arms[1]), math.sqrt(sum(parts))
    if spread < _NOISE:
        return None
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(values) - 1) for part, values in zip(parts, arms, strict=True)
    )
    half = student_t_quantile((1 + confidence) / 2, freedom) * spread
    p_value = min(1.0, 2 * student_t_below(-abs(estimate) / spread, freedom))
    return (estimate - half) * largest, (estimate + half) * largest, p_value


def values_of_runs(page: PageFacts, variant: str) -> list[float]:
    """What a variant's finished top-level runs that had begun by the page's moment logged as accuracy or in
    its place, in percent or as logged.
    """
    answer = page.counted.mlflow
    scale = scale_of(answer, page.counted.model.metric(ACCURACY), page.settings)
    return [
        run.accuracy * scale
        for run in answer.runs
        if run.variant == variant
        and run.status == "FINISHED"
        and not run.is_child
        and run.accuracy is not None
        and (run.started_at is None or run.started_at <= page.at)
    ]


def _mean(page: PageFacts, variant: str, accuracies: list[float]) -> Measurement:
    newest = page.counted.of(variant).accuracy
    answer = page.counted.mlflow
    return Measurement(
        ACCURACY_OVER_RUNS,
        fmean(accuracies),
        page.counted.model.quality.unit,
        answer.origin,
        variant,
        n=len(accuracies),
        source=answer.status.source,
        query=answer.query("runs"),
        observed_at=newest.observed_at,
        reason=f"mean of {len(accuracies)} finished runs; n counts runs",
    )


@dataclass(frozen=True, slots=True)
class Behind:
    """The run behind a variant's accuracy, and the finished one before it, with its value in the accuracy's
    unit; None where there is none.
    """

    value: VariantValue
    before: Run | None
    value_before: float | None

    def age_words(self, at: datetime) -> str:
        """`enhanced-v5 (6 d)`: its name, and how long its value is known."""
        return _with_age(self.value.run_name, self.value.observed_at or self.value.started_at, at)


def run_behind(page: PageFacts, variant: str) -> Behind | None:
    """The run behind that variant's accuracy; None where that is none of a run."""
    answer = page.counted.mlflow
    mine = (each for each in answer.values if (each.variant, each.metric) == (variant, ACCURACY))
    value = next(mine, None)
    if value is None or answer.origin is Origin.SIMULATED:
        return None
    # trials of one search do not follow each other, and of runs the value by step is known
    is_by_time = page.settings["AB_METRIC_POINT"] == "time" and value.other_point is not None
    if value.is_of_search or is_by_time:
        return Behind(value, None, None)
    start = value.started_at or page.at
    earlier = [
        run
        for run in answer.runs
        if run.variant == variant
        and run.run_id != value.run_id
        and run.status == "FINISHED"
        and not run.is_child
        and run.accuracy is not None
        and (run.started_at or page.at) <= start
    ]
    before = max(earlier, key=lambda run: (run.started_at or page.at, run.run_id), default=None)
    if before is None or before.accuracy is None:
        return Behind(value, None, None)
    scale = scale_of(answer, page.counted.model.metric(ACCURACY), page.settings)
    return Behind(value, before, before.accuracy * scale)


def fall_words(page: PageFacts) -> Iterator[str]:
    """Of each variant whose newest run is worse than the one before by more than its interval: a script that
    crashed may have left it, and MLflow calls that finished, too. Of none where nobody knows what is worse.
    """
    metric = page.counted.model.metric(ACCURACY)
    if not metric.is_direction_known:
        return
    for name in page.roles.names:
        behind, now = run_behind(page, name), page.counted.of(name).accuracy
        if behind is None or behind.before is None or behind.value_before is None or now.interval is None:
            continue
        is_worse = (
            behind.value_before > (now.interval.high or 0.0)
            if metric.is_higher_better
            else behind.value_before < (now.interval.low or 0.0)
        )
        if is_worse:
            before = _with_age(behind.before.name, _ended(behind.before), page.at)
            yield (
                f"{metric.words} of {name} was {format_number(behind.value_before, metric.unit)} in {before} "
                f"and is {format_number(now.value, metric.unit)} in {behind.age_words(page.at)}: a script "
                "that crashes after start_run() leaves a finished run, too; delete it if it is no good"
            )


def _with_age(name: str, moment: datetime | None, at: datetime) -> str:
    age = "" if moment is None else f" ({format_short_age(max(0.0, (at - moment).total_seconds()))})"
    return f"{escaped(name)}{age}"


def looks_at_accuracy(
    answer: MlflowAnswer, pair: tuple[str, str], start: datetime | None, at: datetime
) -> int:
    """How many pairs of test sets have been compared since the start; where the runs that are read do not
    reach it, as many as at their pace since.
    """
    return _at_their_pace(pairs_in_force(answer.runs, pair, start, at), answer, start, at)


def looks_at_means(answer: MlflowAnswer, pair: tuple[str, str], start: datetime | None, at: datetime) -> int:
    """The same of means over runs."""
    return _at_their_pace(means_in_force(answer.runs, pair, start, at), answer, start, at)


def _at_their_pace(found: int, answer: MlflowAnswer, start: datetime | None, at: datetime) -> int:
    begins = [run.started_at for run in answer.runs if run.started_at is not None]
    is_cut = sum(each.runs for each in answer.status_counts) > len(answer.runs)
    if start is None or not is_cut or not start < min(begins, default=at) < at:
        return found
    return math.ceil(found * (at - start) / (at - min(begins)))


def pairs_in_force(runs: Iterable[Run], pair: tuple[str, str], start: datetime | None, at: datetime) -> int:
    """The distinct pairs of newest finished runs, one of each variant, that stood at any time from the start
    on, looked at or not; 1 at least.

    A run stands from its end on, until a newer one (by its start) has ended.
    """
    finished = _finished(runs, pair)
    pairs = {
        tuple(_newest([run for run in finished if run.variant == variant], moment) for variant in pair)
        for moment in _moments(finished, start, at)
    }
    return max(1, sum(None not in each for each in pairs))


def means_in_force(runs: Iterable[Run], pair: tuple[str, str], start: datetime | None, at: datetime) -> int:
    """The distinct pairs of means over finished runs, of three of each variant or more, that stood at any
    time from the start on, looked at or not; 1 at least.

    Each run makes another mean at its end, also one that had begun before the newest.
    """
    finished = _finished(runs, pair)
    counts = {
        tuple(
            sum(run.variant == variant and (_ended(run) or at) <= moment for run in finished)
            for variant in pair
        )
        for moment in _moments(finished, start, at)
    }
    return max(1, sum(min(each) >= FEWEST_RUNS for each in counts))


def _finished(runs: Iterable[Run], pair: tuple[str, str]) -> list[Run]:
    """The runs of a pair that may count."""
    return [
        run
        for run in runs
        if run.variant in pair
        and run.status == "FINISHED"
        and not run.is_child
        and run.accuracy is not None
        and _ended(run) is not None
    ]


def _moments(finished: Iterable[Run], start: datetime | None, at: datetime) -> list[datetime]:
    """When there was something else to look at: at the start, and at each end of a run since."""
    ends = {_ended(run) or at for run in finished}
    return [start or at, *sorted(end for end in ends if start is not None and start < end <= at)]


def alpha_of_look(looks: int, family: int) -> float:
    """The level at which the k-th pair is judged, 0.05 / (k (k + 1)) over the challengers: 0.05 in all,
    however many will follow.
    """
    return _ALPHA / (looks * (looks + 1)) / family


def _newest(runs: Iterable[Run], moment: datetime) -> str | None:
    ended = [run for run in runs if (end := _ended(run)) is not None and end <= moment]
    return max(ended, key=lambda run: (run.started_at or moment, run.run_id)).run_id if ended else None


def _ended(run: Run) -> datetime | None:
    return run.ended_at or run.started_at
