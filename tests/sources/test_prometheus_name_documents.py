"""Presets of frameworks that ran nowhere here, on series as their documents say them; and what names of requests, errors and response times leave
alone. On a real Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from live_dashboards.model.notices import CheckState
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.prometheus.check import FRAMEWORKS, prometheus_checks
from tests.sources.prometheus_reading import END, HOUR, ask, settings_of, values
from tests.sources.test_prometheus_names import AT, RECORDED
from tests.support.expositions import Exposition
from tests.support.prometheus_truth import PrometheusTruth

RATES = {"baseline": 2.0, "enhanced": 1.0}  # requests a second, of which a tenth fail
SLOW_SECONDS = {"baseline": 0.08, "enhanced": 0.12}
WINDOW_SECONDS = 3 * HOUR
REQUESTS = {model: rate * WINDOW_SECONDS for model, rate in RATES.items()}


@dataclass(frozen=True)
class Documented:
    """A preset, and what a target exposes of one model by requests a second and by the seconds that each takes; `mean` is what its mean is to be of
    what requests take, None where there is none."""

    preset: str
    expose: Callable[[PrometheusTruth, str, float, float], None]
    has_buckets: bool = True
    mean: float | None = 1.0

    def __str__(self) -> str:
        return self.preset


def target(**labels: str) -> dict[str, str]:
    return {"job": "models", "instance": "one", **labels}


def seldon(truth, model, rate, seconds):
    """Every node of a predictor's graph has a model_name of its own; the summary family is a copy."""
    for code, share in (("200", 0.9), ("500", 0.1)):
        for node in ("a", "b"):
            own = target(predictor_name=model, model_name=node, code=code)
            truth.histogram("seldon_api_executor_client_requests_seconds", own, {0.1: 0.0, 0.25: rate * share / 2}, sum_rate=rate * share * seconds / 2)


def istio(truth, model, rate, seconds):
    """Source and destination report the same request."""
    for reporter in ("source", "destination"):
        for code, share in (("200", 0.9), ("503", 0.1)):
            own = target(destination_version=model, reporter=reporter, response_code=code)
            truth.counter("istio_requests_total", own, rate * share)
            truth.histogram("istio_request_duration_milliseconds", own, {100: 0.0, 250: rate * share}, sum_rate=1000 * rate * share * seconds)


def knative(truth, model, rate, seconds):
    for code, share in (("200", 0.9), ("500", 0.1)):
        own = target(kn_revision_name=model, http_response_status_code=code)
        truth.histogram("kn_serving_invocation_duration_seconds", own, {0.1: 0.0, 0.25: rate * share}, sum_rate=rate * share * seconds)


def knative_1_18(truth, model, rate, seconds):
    for code, share in (("2xx", 0.9), ("5xx", 0.1)):
        own = target(revision_name=model, response_code_class=code)
        truth.counter("revision_app_request_count", own, rate * share)
        truth.histogram("revision_app_request_latencies", own, {100: 0.0, 250: rate * share}, sum_rate=1000 * rate * share * seconds)


def triton(truth, model, rate, seconds):
    """Failed requests add no time; of the reasons to fail, three are there at 0."""
    own = target(model=model, version="1")
    truth.counter("nv_inference_request_success", own, rate * 0.9)
    for reason, share in (("BACKEND", 0.1), ("OTHER", 0.0), ("CANCELED", 0.0), ("REJECTED", 0.0)):
        truth.counter("nv_inference_request_failure", {**own, "reason": reason}, rate * share)
    truth.counter("nv_inference_request_duration_us", own, 1e6 * rate * 0.9 * seconds)


def tfserving(truth, model, rate, seconds):
    """Requests by API and status; response times by entry point, in microseconds."""
    for status, share in (("OK", 0.9), ("INVALID_ARGUMENT", 0.1)):
        truth.counter(":tensorflow:serving:request_count", target(model_name=model, status=status), rate * share)
    for api in ("REST", "GRPC"):
        own = target(model_name=model, API=api, entrypoint=api)
        truth.histogram(":tensorflow:serving:request_latency", own, {100_000: 0.0, 250_000: rate * 0.45}, sum_rate=1e6 * rate * 0.45 * seconds)


def vllm(truth, model, rate, seconds):
    for engine in ("0", "1"):
        for reason, share in (("stop", 0.6), ("length", 0.3), ("abort", 0.06), ("error", 0.04)):
            truth.counter("vllm:request_success_total", target(model_name=model, engine=engine, finished_reason=reason), rate * share / 2)
        own = target(model_name=model, engine=engine)
        truth.histogram("vllm:e2e_request_latency_seconds", own, {0.3: rate / 2, 0.5: 0.0}, sum_rate=rate * seconds / 2)


DOCUMENTED = (
    *(Documented(name, expose) for name, expose in (("seldon", seldon), ("istio", istio), ("knative", knative), ("knative-1.18", knative_1_18))),
    Documented("triton", triton, has_buckets=False),
    Documented("tfserving", tfserving),
    Documented("vllm", vllm),
)


@pytest.mark.parametrize("documented", DOCUMENTED, ids=str)
def test_a_preset_gives_what_its_document_says(prometheus, documented):
    truth = PrometheusTruth(start=END - 4 * HOUR, end=END, scrape_seconds=30)
    for model, rate in RATES.items():
        documented.expose(truth, model, rate, SLOW_SECONDS[model])
    url = prometheus(truth).url
    answer = ask(url, window_seconds=WINDOW_SECONDS, AB_METRICS=documented.preset)
    assert values(answer.instant("requests")) == {model: pytest.approx(count, abs=8) for model, count in REQUESTS.items()}
    assert values(answer.instant("errors")) == {model: pytest.approx(count / 10, abs=8) for model, count in REQUESTS.items()}
    seconds, counts = (values(answer.instant(name)) for name in ("latency_sum", "latency_count"))
    assert {model: seconds[model] / counts[model] for model in RATES} == {model: pytest.approx(each, rel=0.01) for model, each in SLOW_SECONDS.items()}
    edges = {float(series.label("le")) for series in answer.instant("latency_buckets").series}
    assert bool(edges) == documented.has_buckets
    assert edges <= {0.1, 0.25, 0.3, 0.5, float("inf")}  # in seconds, whatever they were in
    (line,) = [each for each in prometheus_checks(settings_of(url, AB_WINDOW="3h"), AT) if each.name == FRAMEWORKS]
    assert f"set AB_METRICS={documented.preset}" in line.fix


@pytest.mark.parametrize("count", ["", "calls_total"])
def test_a_counter_of_time_is_divided_by_the_requests_or_by_what_is_named(prometheus, count):
    truth = PrometheusTruth(start=END - 4 * HOUR, end=END, scrape_seconds=30)
    for model, rate in RATES.items():
        own = target(model_name=model)
        truth.counter("calls_total", own, rate)
        truth.counter("refused_total", own, rate)
        truth.counter("busy_milliseconds_total", own, 1000 * rate * SLOW_SECONDS[model])
    settings = {"AB_REQUESTS": "calls_total + refused_total", "AB_ERRORS": "refused_total", "AB_LATENCY": "busy_milliseconds_total"}
    kind = {"AB_LATENCY_KIND": "sum", "AB_LATENCY_UNIT": "ms"}
    more = {"AB_LATENCY_COUNT": count} if count else {}
    answer = ask(prometheus(truth).url, window_seconds=WINDOW_SECONDS, **settings, **kind, **more)
    seconds, counts = (values(answer.instant(name)) for name in ("latency_sum", "latency_count"))
    share = 1 if count else 0.5
    assert {model: seconds[model] / counts[model] for model in RATES} == {model: pytest.approx(share * each, rel=0.01) for model, each in SLOW_SECONDS.items()}


def test_gauges_and_online_counters_keep_their_names_and_their_label(prometheus):
    truth = Exposition.of("mlserver-1.7.1").grown(start=END - 2 * HOUR, end=END)
    for model, share in {"baseline": 0.8, "enhanced": 0.9}.items():
        own = {"model_name": model, "job": "exporter", "instance": "two"}
        truth.gauge("ab_test_model_accuracy", own, share)
        truth.gauge("ab_test_business_impact", {**own, "metric_type": "revenue"}, 100 * share)
        truth.counter("truths_total", own, 1.0)
        truth.counter("hits_total", own, share)
    online = {"AB_ONLINE_LABELLED_METRIC": "truths_total", "AB_ONLINE_CORRECT_METRIC": "hits_total"}
    answer = ask(prometheus(truth).url, window_seconds=HOUR, AB_METRICS="mlserver", **online)
    assert values(answer.instant("online_accuracy")) == {"baseline": 0.8, "enhanced": 0.9}
    assert values(answer.instant("business_impact")) == {"baseline": 80, "enhanced": 90}
    assert values(answer.instant("labelled")) == {"baseline": HOUR, "enhanced": HOUR}
    assert values(answer.instant("correct")) == {"baseline": pytest.approx(0.8 * HOUR, abs=2), "enhanced": pytest.approx(0.9 * HOUR, abs=2)}
    assert "model_infer" not in answer.instant("online_accuracy").query


@pytest.mark.parametrize("recorded", RECORDED[:1], ids=str)
def test_what_could_not_be_looked_for_is_not_said_to_be_absent(prometheus, recorded, monkeypatch):
    """Only what is asked for frameworks comes too late: the server has nothing left of its time."""
    from live_dashboards.sources.prometheus import check

    url = prometheus(Exposition.of(recorded.name).grown(start=END - 2 * HOUR, end=END)).url
    asked = check.find_frameworks

    def too_late(ask_, *args, **more):
        monkeypatch.setattr(check.PrometheusAbSource, "ask_plainly", lambda self, questions, _: self._client.ask_all(questions, Deadline(0.0)))
        return asked(ask_, *args, **more)

    monkeypatch.setattr(check, "find_frameworks", too_late)
    found = [each for each in prometheus_checks(settings_of(url, AB_WINDOW="3h", AB_METRICS="mlserver"), AT) if each.name == FRAMEWORKS]
    assert [each.ok for each in found] == [CheckState.WARNING]
    assert "questions failed" in found[0].found
