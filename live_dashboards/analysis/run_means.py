"""How much accuracy differs from run to run: a second source of uncertainty that the number of test rows does
not hold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, variance

from live_dashboards.analysis.model_facts import percent_scale
from live_dashboards.analysis.page import Page
from live_dashboards.analysis.statistics.special import student_t_below, student_t_quantile
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.metrics import ACCURACY, ACCURACY_OVER_RUNS

_FEWEST_RUNS = 3


@dataclass(frozen=True, slots=True)
class OverRuns:
    """Welch's interval (fractions) of the difference of mean accuracies, and the means (percent) with their
    numbers of runs, treatment first.
    """

    low: float
    high: float
    p_value: float
    method: str
    inputs: tuple[Measurement, Measurement]
    n: tuple[int, int]


def over_runs(page: Page, variant: str, confidence: float) -> OverRuns | None:
    """The accuracy of finished top-level runs of a variant against the baseline's; None where either has
    fewer than 3.
    """
    ours, theirs = (_accuracies(page, name) for name in (variant, page.roles.baseline))
    if min(len(ours), len(theirs)) < _FEWEST_RUNS:
        return None
    limits = welch(ours, theirs, confidence)
    if limits is None:
        return None
    low, high, p_value = limits
    inputs = (_mean(page, variant, ours), _mean(page, page.roles.baseline, theirs))
    return OverRuns(low / 100, high / 100, p_value, "Welch t over runs", inputs, (len(ours), len(theirs)))


def welch(
    treatment: list[float], control: list[float], confidence: float
) -> tuple[float, float, float] | None:
    """Limits of the difference of means and its two-sided p (Welch 1947, Biometrika 34:28); each needs two
    values.

    None where neither has any spread: repeated runs that are all alike tell nothing of how much runs differ.
    """
    parts = [variance(values) / len(values) for values in (treatment, control)]
    estimate, spread = fmean(treatment) - fmean(control), math.sqrt(sum(parts))
    if spread == 0:
        return None
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(values) - 1) for part, values in zip(parts, (treatment, control), strict=True)
    )
    half = student_t_quantile((1 + confidence) / 2, freedom) * spread
    return estimate - half, estimate + half, min(1.0, 2 * student_t_below(-abs(estimate) / spread, freedom))


def _accuracies(page: Page, variant: str) -> list[float]:
    """In percent, of finished top-level runs that had begun by the page's moment."""
    answer = page.counted.mlflow
    largest = next((high for name, _, high in answer.value_ranges if name == ACCURACY), None)
    scale = percent_scale(page.settings["AB_ACCURACY_UNIT"], largest)
    return [
        run.accuracy * scale
        for run in answer.runs
        if run.variant == variant
        and run.status == "FINISHED"
        and not run.is_child
        and run.accuracy is not None
        and (run.started_at is None or run.started_at <= page.at)
    ]


def _mean(page: Page, variant: str, accuracies: list[float]) -> Measurement:
    newest = page.counted.of(variant).accuracy
    answer = page.counted.mlflow
    return Measurement(
        ACCURACY_OVER_RUNS,
        fmean(accuracies),
        "percent",
        answer.origin,
        variant,
        n=len(accuracies),
        source=answer.status.source,
        query=answer.query("runs"),
        observed_at=newest.observed_at,
        reason=f"mean of {len(accuracies)} finished runs; n counts runs",
    )
