"""The standard truth: three hours of an A/B test of two models on two instances each, scraped every 15 s, all five metric families.

Per second and instance (instance i1 / i2; totals per model are their sums):

| | baseline-predictor | enhanced-predictor |
|---|---|---|
| requests, success | 7.0 / 6.0 | 3.0 / 2.5 |
| requests, error (= errors_total) | 0.14 / 0.12 | 0.03 / 0.025 |
| latency of successes, share of each bucket | BASELINE_LATENCY | ENHANCED_LATENCY |
| accuracy gauge, percent | 78.1 / 78.3 | 81.7 / 81.9 |
| business impact: revenue_impact, latency_cost, net_business_value | 0, 0, 0 | 1.8, 0.3, 1.5 on both |
"""

from __future__ import annotations

import math

from tests.support.prometheus_truth import PrometheusTruth

EXPERIMENT = "ab-test-standard"
BASELINE = "baseline-predictor"
ENHANCED = "enhanced-predictor"
INSTANCES = ("10.0.0.1:8000", "10.0.0.2:8000")
SPAN_SECONDS = 3 * 3600
SCRAPE_SECONDS = 15
BOUNDS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)

SUCCESSES_PER_SECOND = {BASELINE: (7.0, 6.0), ENHANCED: (3.0, 2.5)}
ERRORS_PER_SECOND = {BASELINE: (0.14, 0.12), ENHANCED: (0.03, 0.025)}
ACCURACY_PERCENT = {BASELINE: (78.1, 78.3), ENHANCED: (81.7, 81.9)}
BUSINESS = {
    BASELINE: {"revenue_impact": 0.0, "latency_cost": 0.0, "net_business_value": 0.0},
    ENHANCED: {"revenue_impact": 1.8, "latency_cost": 0.3, "net_business_value": 1.5},
}
BASELINE_LATENCY = {0.025: 0.10, 0.05: 0.40, 0.075: 0.25, 0.1: 0.15, 0.25: 0.08, 0.5: 0.02}
ENHANCED_LATENCY = {0.05: 0.20, 0.075: 0.35, 0.1: 0.25, 0.25: 0.15, 0.5: 0.04, 1.0: 0.01}
LATENCY = {BASELINE: BASELINE_LATENCY, ENHANCED: ENHANCED_LATENCY}


def standard_truth(end: float) -> PrometheusTruth:
    """The truth of the three hours before `end` (unix seconds, a whole minute)."""
    truth = PrometheusTruth(start=end - SPAN_SECONDS, end=end, scrape_seconds=SCRAPE_SECONDS)
    for model in (BASELINE, ENHANCED):
        for index, instance in enumerate(INSTANCES):
            add_model(truth, model, index, {"model_name": model, "experiment": EXPERIMENT, "instance": instance, "job": "ab"})
    return truth


def add_model(truth: PrometheusTruth, model: str, index: int, labels: dict[str, str]) -> None:
    successes, errors = SUCCESSES_PER_SECOND[model][index], ERRORS_PER_SECOND[model][index]
    truth.counter("ab_test_requests_total", {**labels, "status": "success"}, successes)
    truth.counter("ab_test_requests_total", {**labels, "status": "error"}, errors)
    truth.counter("ab_test_errors_total", labels, errors)
    shares = LATENCY[model]
    truth.histogram("ab_test_response_time_seconds", labels, {bound: successes * shares.get(bound, 0.0) for bound in (*BOUNDS, math.inf)})
    truth.gauge("ab_test_model_accuracy", labels, ACCURACY_PERCENT[model][index])
    for kind, value in BUSINESS[model].items():
        truth.gauge("ab_test_business_impact", {**labels, "metric_type": kind}, value)
