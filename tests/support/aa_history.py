"""Thirty days of A/A tests, drawn with a fixed seed: both arms are the same service, so that every alarm is a false one; two controls are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tests.support.prometheus_truth import PrometheusTruth, TrueSeries

DAYS = 30
STEP_SECONDS = 900
TESTS = tuple(f"aa-{number:02d}" for number in range(40))
WORSE, BETTER = "bb-worse", "bb-better"
LABELLED, CORRECT = "ab_test_labelled_total", "ab_test_correct_total"
MODELS = ("baseline-predictor", "enhanced-predictor")
SHARES = (0.7, 0.3)


@dataclass(frozen=True)
class Service:
    """What is so for one arm: chance of an error, of an answer slower than 250 ms, and of a right answer."""

    errors: float = 0.01
    slow: float = 0.05
    correct: float = 0.8


SERVICES: Mapping[str, tuple[Service, Service]] = {
    **dict.fromkeys(TESTS, (Service(), Service())),
    WORSE: (Service(), Service(errors=0.03)),
    BETTER: (Service(), Service(correct=0.84)),
}


def aa_history(end: float, *, requests_a_day: float = 10_000.0, seed: int = 20_261_124) -> PrometheusTruth:
    """The histories up to `end` (unix seconds), a sample every quarter of an hour, each request routed on its own, half of them labelled."""
    truth = PrometheusTruth(start=end - DAYS * 86_400, end=end, scrape_seconds=STEP_SECONDS)
    draws = np.random.default_rng(seed)
    steps = DAYS * 86_400 // STEP_SECONDS
    times = truth.start + STEP_SECONDS * np.arange(steps + 1)
    for experiment, services in SERVICES.items():
        for model, share, service in zip(MODELS, SHARES, services, strict=True):
            requests = draws.poisson(share * requests_a_day * STEP_SECONDS / 86_400, steps)
            labels = {"model_name": model, "experiment": experiment, "instance": "one:1"}
            labelled = draws.binomial(requests, 0.5)
            slow = draws.binomial(requests, service.slow)
            counted = {
                "ab_test_requests_total": requests,
                "ab_test_errors_total": draws.binomial(requests, service.errors),
                LABELLED: labelled,
                CORRECT: draws.binomial(labelled, service.correct),
                "ab_test_response_time_seconds_count": requests,
            }
            for name, increments in counted.items():
                truth.series.append(_series(name, labels, times, increments))
            for bound, increments in (("0.25", requests - slow), ("+Inf", requests)):
                truth.series.append(_series("ab_test_response_time_seconds_bucket", {**labels, "le": bound}, times, increments))
    return truth


def _series(name: str, labels: dict[str, str], times: np.ndarray, increments: np.ndarray) -> TrueSeries:
    values = np.concatenate([[0], np.cumsum(increments)])
    return TrueSeries(name, dict(labels), tuple(zip(times.tolist(), values.astype(float).tolist(), strict=True)))
