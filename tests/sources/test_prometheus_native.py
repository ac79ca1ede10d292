"""Response times in native histograms: the same numbers as in classic ones, and of one model never both kinds.

What an engine cannot tell it is asked for all the same, and then the page says so: Prometheus 2.42 has no newest value of a native histogram.
"""

from __future__ import annotations

import http.server
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import requests

from live_dashboards.demo.servers import PrometheusServer
from live_dashboards.model.snapshot import PrometheusAnswer
from live_dashboards.sources.prometheus.promql import RECORDED_UNTIL, STEPS
from live_dashboards.sources.prometheus.recorded import COUNTED_BY_RULES
from live_dashboards.sources.queries import REQUESTS
from tests.conftest import filled_prometheus
from tests.sources.prometheus_reading import END, HOUR, ask, labels, values
from tests.support.engines import engine_versions
from tests.support.native_histograms import CUSTOM, NativeSeries, native, written_prometheus
from tests.support.prometheus_truth import PrometheusTruth, TrueSeries
from tests.support.waiting import wait_until

NAME = "ab_test_response_time_seconds"
QUICK, SLOW = {0.0625: 5.0, 0.125: 3.0, 0.25: 1.5, 0.5: 0.5}, {0.0625: 5.0, 0.125: 3.0, 0.25: 1.5, 0.5: 0.9}
IS_NEW = int(engine_versions()["Prometheus"].split(".")[0]) >= 3  # earlier ones know no buckets at chosen bounds, and some tell no newest value
SCHEMAS = (0, 3, CUSTOM) if IS_NEW else (0, 3)
LATENCIES = ("latency_count", "latency_sum", "latency_buckets")


def service(truth: PrometheusTruth, model: str, instance: str, rates: dict[float, float], *, finite: bool = True, **when: object) -> None:
    """Requests of a model and how long they took; without finite buckets as a text exposition of a native histogram has it."""
    of_instance = {"job": "ab", **labels(model, instance)}
    truth.counter("ab_test_requests_total", of_instance, sum(rates.values()), **when)  # type: ignore[arg-type]
    total = sum(rate * bound for bound, rate in rates.items())
    truth.histogram(NAME, of_instance, rates, sum_rate=total, **when)  # type: ignore[arg-type]
    if not finite:
        truth.series = [series for series in truth.series if series.labels.get("le", "+Inf") == "+Inf" or series.labels["instance"] != instance]


def world() -> PrometheusTruth:
    """Two instances a model: one restarts, one ends early, one begins late."""
    truth = PrometheusTruth(start=END - 8 * HOUR, end=END, scrape_seconds=60)
    service(truth, "baseline", "i1", QUICK)
    service(truth, "baseline", "i2", QUICK, ends_at=END - 3 * HOUR - 100)
    service(truth, "enhanced", "i1", SLOW, resets=[END - 2 * HOUR - 7])
    service(truth, "enhanced", "i2", SLOW, starts_at=END - 4 * HOUR - 30)
    return truth


def read(url: str, *, objective_ms: str = "250", **settings: str) -> PrometheusAnswer:
    return ask(url, window_seconds=6 * HOUR, AB_LATENCY_OBJECTIVE_MS=objective_ms, **settings)


def latencies(answer: PrometheusAnswer) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """The window's totals of the response time by name and labels, each edge as a number; empty buckets, of which native ones tell nothing, left out."""
    found = {name: {_with_number(each.labels): round(each.last or 0, 6) for each in answer.instant(name).series} for name in LATENCIES}
    classic = {f"{edge:g}" for edge in (*QUICK, float("inf"))}
    found["latency_buckets"] = {key: value for key, value in found["latency_buckets"].items() if dict(key)["le"] in classic}
    return found


def _with_number(labels: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((key, f"{float(value):g}" if key == "le" else value) for key, value in labels)


def timelines(answer: PrometheusAnswer) -> dict[str, list[tuple[float, float | None]]]:
    return {series.label("model_name"): list(series.points) for each in answer.timelines if each.name == "response_time" for series in each.series}


def accumulated(answer: PrometheusAnswer, name: str) -> dict[str, float | None]:
    return values(answer.accumulated[0].total(name))


def tells_newest(server: PrometheusServer, name: str = NAME) -> bool:
    """Whether this engine answers the newest value of a native histogram as a histogram; 2.42 answers 0."""
    query = {"query": f"last_over_time({name}[1h])", "time": str(END)}
    result = requests.get(f"{server.url}/api/v1/query", params=query, timeout=60).json()["data"]["result"]
    return bool(result) and "histogram" in result[0]


@pytest.fixture(scope="module")
def classic(tmp_path_factory: pytest.TempPathFactory) -> PrometheusAnswer:
    with filled_prometheus(world(), tmp_path_factory.mktemp("classic")) as server:
        return read(server.url)


@contextmanager
def native_world(change: Callable[[PrometheusTruth], list[NativeSeries]], *, objective_ms: str = "250") -> Iterator[tuple[PrometheusAnswer, bool]]:
    """The world with some of its histograms changed to native ones as it is read, and whether this engine can tell them."""
    truth = world()
    histograms = change(truth)
    with written_prometheus(truth, histograms) as server:
        yield read(server.url, objective_ms=objective_ms), tells_newest(server)


def is_told(answer: PrometheusAnswer, models: str) -> bool:
    return any(f"the response times of {models} are native histograms, whose newest value this server does not tell" in text for text in answer.status.warnings)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_native_histograms_give_the_numbers_of_classic_ones(classic: PrometheusAnswer, schema: int):
    with native_world(lambda truth: native(truth, NAME, schema=schema)) as (answer, can):
        assert values(answer.instant("requests")) == values(classic.instant("requests"))
        if not can:
            assert is_told(answer, "baseline, enhanced")
            assert not answer.instant("latency_count").series
            return
    assert latencies(answer) == latencies(classic)
    assert answer.status.warnings == ()
    assert [accumulated(answer, name) for name in ("latency_count", "latency_within")] == [accumulated(classic, name) for name in ("latency_count", "latency_within")]
    assert answer.accumulated[0].edge_seconds == classic.accumulated[0].edge_seconds == 0.25
    assert {model: [at for at, _ in points] for model, points in timelines(answer).items()} == {
        model: [at for at, _ in points] for model, points in timelines(classic).items()
    }
    if schema == CUSTOM:
        assert timelines(answer) == timelines(classic)
    assert f"{NAME}[" in answer.instant("latency_buckets").query
    assert "_bucket" not in answer.instant("latency_buckets").query
    assert f"histogram_count(last_over_time({NAME}[" in answer.instant("latency_count").query


def test_classic_histograms_beside_complete_native_ones_are_read_and_never_added(classic: PrometheusAnswer):
    with native_world(lambda truth: native(truth, NAME, schema=3, keep_classic=True)) as (answer, _):
        assert latencies(answer) == latencies(classic)
        assert answer.status.warnings == ()


def test_each_model_is_read_from_what_it_has(classic: PrometheusAnswer):
    with native_world(lambda truth: native(truth, NAME, schema=3, model_name="enhanced")) as (answer, can):
        expected = latencies(classic)
        if not can:
            expected = {name: {key: value for key, value in several.items() if ("model_name", "baseline") in key} for name, several in expected.items()}
            assert is_told(answer, "enhanced")
        assert latencies(answer) == expected


def test_native_histograms_beside_a_last_bucket_alone_are_read(classic: PrometheusAnswer):
    def change(truth: PrometheusTruth) -> list[NativeSeries]:
        histograms = native(truth, NAME, schema=3, keep_classic=True)
        truth.series = [series for series in truth.series if series.labels.get("le", "+Inf") == "+Inf"]
        return histograms

    with native_world(change) as (answer, can):
        if can:
            assert latencies(answer) == latencies(classic)
        else:
            assert is_told(answer, "baseline, enhanced")
            assert latencies(answer)["latency_count"] == latencies(classic)["latency_count"]


def test_where_one_kind_follows_the_other_that_which_holds_more_is_read():
    change_at = END - 2 * HOUR
    truth = PrometheusTruth(start=END - 8 * HOUR, end=END, scrape_seconds=60)
    for model in ("baseline", "enhanced"):
        service(truth, model, "i1", QUICK)
    histograms = [replace(each, samples=tuple(sample for sample in each.samples if sample[0] >= change_at)) for each in native(truth, NAME, schema=3, keep_classic=True)]
    truth.series = [
        replace(series, samples=tuple(sample for sample in series.samples if sample[0] < change_at or not series.name.startswith(NAME))) for series in truth.series
    ]
    with written_prometheus(truth, histograms) as server:
        answer = read(server.url)
        assert values(answer.instant("latency_count")) == dict.fromkeys(("baseline", "enhanced"), 10.0 * (4 * HOUR - 60))
        told = "the response times of {} are there as classic and as native histograms, the classic ones are read, which hold more"
        if tells_newest(server):
            assert answer.status.warnings == tuple(map(told.format, ("baseline", "enhanced")))


def test_an_objective_within_an_exponential_bucket_is_judged_at_both_its_ends():
    with native_world(lambda truth: native(truth, NAME, schema=0), objective_ms="300") as (answer, can):
        if not can:
            assert is_told(answer, "baseline, enhanced")
            return
    counted = answer.accumulated[0]
    assert (counted.edge_seconds, counted.far_edge_seconds) == (0.25, 0.5)
    assert accumulated(answer, "latency_within_far") == accumulated(answer, "latency_count")
    near, every = accumulated(answer, "latency_within"), accumulated(answer, "latency_count")
    assert near["baseline"] == pytest.approx(0.95 * (every["baseline"] or 0), rel=1e-3)


def test_an_objective_that_no_observation_is_near_is_an_edge_itself():
    with native_world(lambda truth: native(truth, NAME, schema=3), objective_ms="300") as (answer, can):
        if can:
            assert (answer.accumulated[0].edge_seconds, answer.accumulated[0].far_edge_seconds) == (0.3, None)
        else:
            assert is_told(answer, "baseline, enhanced")


def test_copies_of_native_histograms_count_once(classic: PrometheusAnswer):
    copies = (("a", 0.0), ("b", 11.0))

    def change(truth: PrometheusTruth) -> list[NativeSeries]:
        histograms = native(truth, NAME, schema=3)
        truth.series = [
            TrueSeries(each.name, {**each.labels, "prometheus_replica": copy}, tuple((at + late, value) for at, value in each.samples if at + late <= END))
            for each in truth.series
            for copy, late in copies
        ]
        return [
            replace(
                each,
                labels={**each.labels, "prometheus_replica": copy},
                samples=tuple((at + late, total, counts) for at, total, counts in each.samples if at + late <= END),
            )
            for each in histograms
            for copy, late in copies
        ]

    with native_world(change) as (answer, can):
        if can:
            assert values(answer.instant("requests")) == values(classic.instant("requests"))
            assert latencies(answer) == latencies(classic)
        else:
            assert is_told(answer, "baseline, enhanced")


@pytest.mark.parametrize("name", [NAME, "call_seconds"])
def test_recorded_steps_count_the_requests_and_each_instance_is_asked_for_its_native_histograms(name: str):
    """The rules know nothing of native histograms, whatever they are called."""
    truth = PrometheusTruth(start=END - 28 * HOUR, end=END, scrape_seconds=60)
    moments = [END // 300 * 300 - index * 300 for index in range(27 * 12)][::-1]
    truth.series.append(TrueSeries(RECORDED_UNTIL, {}, tuple((at, at - 60) for at in moments)))
    for model in ("baseline", "enhanced"):
        service(truth, model, "i1", QUICK)
        truth.series.append(TrueSeries(STEPS[REQUESTS], {"model_name": model}, tuple((at, 3000.0) for at in moments)))
    histograms = [replace(each, name=name) for each in native(truth, NAME, schema=3)]
    with written_prometheus(truth, histograms) as server:
        answer = read(server.url, PROMETHEUS_RECORDED="on", AB_LATENCY=name)
        assert values(answer.instant("requests")) == dict.fromkeys(("baseline", "enhanced"), 6 * 12 * 3000.0)
        if tells_newest(server, name):
            assert latencies(answer)["latency_count"] == {(("model_name", model),): 6 * HOUR * 10 for model in ("baseline", "enhanced")}
            assert f"histogram_count(last_over_time({name}[" in answer.instant("latency_count").query
            assert any(text.startswith(COUNTED_BY_RULES) for text in answer.status.warnings)
        else:
            assert is_told(answer, "baseline, enhanced")


@pytest.mark.parametrize("schemas", [(0, 3), (CUSTOM, 3), (CUSTOM, CUSTOM)] if IS_NEW else [(0, 3)])
def test_instances_whose_buckets_end_at_unlike_bounds_have_no_percentiles_and_all_the_rest(schemas: tuple[int, int]):
    """Exponential buckets of two schemas go together; the server cannot add up others."""
    truth = PrometheusTruth(start=END - 8 * HOUR, end=END, scrape_seconds=60)
    service(truth, "baseline", "i1", QUICK)
    service(truth, "baseline", "i2", {0.1: 5.0, 0.3: 5.0} if schemas == (CUSTOM, CUSTOM) else QUICK)
    service(truth, "enhanced", "i1", SLOW)
    histograms = [*native(truth, NAME, schema=schemas[0], instance="i1"), *native(truth, NAME, schema=schemas[1], instance="i2")]
    with written_prometheus(truth, histograms) as server:
        answer, can = read(server.url), tells_newest(server)
    if not can:
        assert is_told(answer, "baseline, enhanced")
        return
    assert values(answer.instant("latency_count")) == values(answer.instant("requests"))
    told = "the response times of baseline have no percentiles: the buckets of their instances end at unlike bounds, which cannot be added up"
    assert answer.status.warnings == ((told,) if CUSTOM in schemas else ())
    assert {series.label("model_name") for series in answer.instant("latency_buckets").series} == ({"enhanced"} if CUSTOM in schemas else {"baseline", "enhanced"})


class _Exporter(http.server.BaseHTTPRequestHandler):
    """A classic histogram that grows by ten quick requests and one slow one with each scrape."""

    scrapes = itertools.count(1)

    def do_GET(self) -> None:
        number = next(self.scrapes)
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        lines = [f"# TYPE {REQUESTS} counter", f"# TYPE {NAME} histogram"]
        for model in ("baseline", "enhanced"):
            lines.append(f'{REQUESTS}{{model_name="{model}"}} {11 * number}')
            lines += [f'{NAME}_bucket{{model_name="{model}",le="{edge}"}} {count * number}' for edge, count in (("0.1", 10), ("0.3", 10), ("1", 11), ("+Inf", 11))]
            lines += [f'{NAME}_sum{{model_name="{model}"}} {1.5 * number}', f'{NAME}_count{{model_name="{model}"}} {11 * number}']
        self.wfile.write("\n".join([*lines, ""]).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_classic_histogram_that_is_converted_at_the_scrape_is_read():
    """`convert_classic_histograms_to_nhcb` is of Prometheus 3; an earlier one keeps it as it is, with the same numbers."""
    exporter = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Exporter)
    threading.Thread(target=exporter.serve_forever, daemon=True).start()
    job: dict[str, object] = {"job_name": "ab", "static_configs": [{"targets": [f"127.0.0.1:{exporter.server_port}"]}]}
    if IS_NEW:
        job["convert_classic_histograms_to_nhcb"] = True

    def shares(server: PrometheusServer) -> tuple[float, ...]:
        """The requests within 100 ms, 300 ms and a second, and the seconds, each to a request of the baseline."""
        found = ask(server.url, at=time.time(), AB_LATENCY_OBJECTIVE_MS="300")
        counts, sums = (values(found.instant(name)).get("baseline") for name in ("latency_count", "latency_sum"))
        buckets = {float(each.label("le")): each.last for each in found.instant("latency_buckets").series if each.label("model_name") == "baseline"}
        below = [buckets.get(edge) for edge in (0.1, 0.3, 1.0)]
        return tuple(round(each / counts, 9) for each in (*below, sums) if each is not None) if counts else ()

    with PrometheusServer(scrape_interval_seconds=1, configuration={"scrape_configs": [job]}, flags=["--enable-feature=native-histograms"]) as server:
        wait_until(lambda: shares(server) == tuple(round(each / 11, 9) for each in (10, 10, 11, 1.5)), "numbers of whole scrapes")
        names = requests.get(f"{server.url}/api/v1/label/__name__/values", timeout=60).json()["data"]
    exporter.shutdown()
    exporter.server_close()
    assert (NAME in names, f"{NAME}_bucket" in names) == (IS_NEW, not IS_NEW)
