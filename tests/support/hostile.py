"""An A/B test whose every name attacks something, in a real MLflow database and a real Prometheus, as far as these can hold such names."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from tests.support.mlflow_truth import MlflowTruth
from tests.support.prometheus_truth import PrometheusTruth

BAD = "\n\r\t\x1b[31m\x07\u202e\u2066\u200b\u2028\x85"  # line ends, terminal codes, a bell, marks that turn or hide letters
_MARKUP = "</script><script>alert(1)</script><img src=x onerror=alert(2)> &lt; [a](javascript:alert(3)) | `x` "
_TEXT = "$\\frac{a}{0}$ $x_1 %(at)s {0} 模型🤖 עברית Zalgo" + "e\u0301\u0323" * 9
EXPERIMENT = f"'; drop table runs; -- \"}} or vector(1) #{BAD}{_MARKUP}{_TEXT}"[:255] + "."  # MLflow's names hold 256 characters
BASELINE = f"=cmd|' /C calc'!A0 \\\"}}[5m]) or (up{{{BAD}{_MARKUP}{_TEXT}"[:240] + "<baseline>"
CHALLENGER = f"@SUM(1+1)*\u202e.+|^$ \\d+ {BAD}'\"`; drop table runs; {_MARKUP}"[:238] + "<challenger>"
RUN = f"../../etc/passwd {BAD}{_MARKUP}"
IMPACT = f"+1+1 {BAD}{_MARKUP}{_TEXT}" + "Z" * 10_000
ENDLESS = "A" * 10_000
ACCURACY = {BASELINE: 0.782, CHALLENGER: 0.818}
SUCCESSES, SPAN_SECONDS, WINDOW_SECONDS = {BASELINE: 7.0, CHALLENGER: 3.0}, 26 * 3600, 2 * 3600
_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0)


def requests() -> int:
    """True requests of both variants over the window; every hundredth is an error."""
    return round(sum(1.01 * rate for rate in SUCCESSES.values()) * WINDOW_SECONDS)


def fill_mlflow(truth: MlflowTruth, end: float) -> None:
    ended = datetime.fromtimestamp(end, UTC) - timedelta(hours=1)
    experiment = truth.experiment(EXPERIMENT)
    for variant, accuracy in ACCURACY.items():
        metrics = dict.fromkeys(("precision", "recall", "f1"), accuracy) | {"accuracy": accuracy}
        truth.run(experiment, variant, started=ended - timedelta(hours=1), ended=ended, metrics=metrics, params={"test_size": 5000, "note": "N" * 8000}, name=RUN)


def fill_prometheus(end: float) -> PrometheusTruth:
    truth = PrometheusTruth(start=end - SPAN_SECONDS, end=end, scrape_seconds=60)
    for variant, rate in SUCCESSES.items():
        labels = {"model_name": variant, "experiment": EXPERIMENT, "instance": "a:1", "job": "ab"}
        truth.counter("ab_test_requests_total", {**labels, "status": "success"}, rate)
        truth.counter("ab_test_requests_total", {**labels, "status": "error"}, rate / 100)
        truth.counter("ab_test_errors_total", labels, rate / 100)
        truth.histogram("ab_test_response_time_seconds", labels, dict.fromkeys(_BOUNDS, 20.0) | {math.inf: 0.0})
        truth.gauge("ab_test_model_accuracy", labels, 100 * ACCURACY[variant])
        truth.gauge("ab_test_business_impact", {**labels, "metric_type": IMPACT}, 1.5)
    truth.counter("ab_test_requests_total", {"model_name": ENDLESS, "experiment": EXPERIMENT, "instance": "a:1", "job": "ab", "status": "success"}, 1.0)
    return truth
