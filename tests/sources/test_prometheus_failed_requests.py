"""No failed request was counted: 0 where this test's exporters would have counted one, else missing with the reason."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from prometheus_client import CollectorRegistry, Counter, start_http_server

from live_dashboards.demo.servers import PrometheusServer
from live_dashboards.model.snapshot import Answer
from tests.sources.prometheus_reading import END, HOUR, ask, labels, short_truth, traffic, values
from tests.support.victoria_metrics import VictoriaMetricsServer
from tests.support.waiting import wait_until

ERRORS = "ab_test_errors_total"
BOTH = ("baseline", "enhanced")


def errors_of(url: str, experiment: str | None = None, *, at: float = END) -> tuple[dict[str, float | None], Answer]:
    """The errors by model, and the answer that holds them; the timeline names the same models, where there is traffic to divide by."""
    answer = ask(url, experiment=experiment, at=at)
    found = answer.instant("errors")
    assert set(values(answer.timeline("error_rate"))) == {model for model in values(found) if values(answer.timeline("request_rate")).get(model)}
    return values(found), found


def two_experiments(truth):
    for name in ("a", "b"):
        for model in BOTH:
            traffic(truth, model, experiment=name)
    for model in BOTH:
        truth.counter(ERRORS, labels(model, experiment="a"), 0.1)


def test_another_tests_error_counter_makes_no_test_spotless_whose_own_exporters_count_no_errors(prometheus):
    truth = short_truth()
    two_experiments(truth)
    url = prometheus(truth).url
    found, answer = errors_of(url, "b")
    assert found == {}
    assert answer.reason == ("failed requests are not counted: there is neither ab_test_errors_total nor a label status on ab_test_requests_total of this experiment")
    assert errors_of(url, "a")[0] == pytest.approx({"baseline": 360, "enhanced": 360})


def test_two_experiments_with_their_own_errors_keep_them(prometheus):
    truth = short_truth()
    two_experiments(truth)
    truth.counter(ERRORS, labels(experiment="b"), 0.2)
    url = prometheus(truth).url
    assert errors_of(url, "a")[0] == pytest.approx({"baseline": 360, "enhanced": 360})
    assert errors_of(url, "b")[0] == pytest.approx({"baseline": 720, "enhanced": 0})


def test_an_arm_of_another_job_is_taken_to_have_none_where_the_other_arm_counts_and_no_metadata_tell_and_the_job_is_named(prometheus):
    truth = short_truth()
    for model, job in (("baseline", "old"), ("enhanced", "new")):
        truth.counter("ab_test_requests_total", labels(model, job=job), 2.0)
    truth.counter(ERRORS, labels("baseline", job="old"), 0.1)
    found, answer = errors_of(prometheus(truth).url)
    assert found == pytest.approx({"baseline": 360, "enhanced": 0})
    assert (answer.note, answer.assumed) == ("", ("enhanced",))
    assert answer.of_models == (("enhanced", "no error series in job new, so that 0 is assumed"),)


def test_an_arm_whose_errors_are_counted_by_status_while_the_other_one_has_a_counter_is_not_spotless(prometheus):
    truth = short_truth()
    truth.counter("ab_test_requests_total", labels("baseline", job="old"), 2.0)
    truth.counter(ERRORS, labels("baseline", job="old"), 0.1)
    for status in ("success", "error"):
        truth.counter("ab_test_requests_total", labels("enhanced", job="new", status=status), 1.0)
    found, answer = errors_of(prometheus(truth).url)
    assert found == pytest.approx({"baseline": 360})
    assert answer.notes == "enhanced: failed requests are not counted: job new counts them by the label status, other jobs by ab_test_errors_total"


def test_errors_before_the_window_show_that_they_are_counted(prometheus):
    truth = short_truth(hours=30)
    traffic(truth, experiment="a")
    traffic(truth, experiment="b")
    truth.counter(ERRORS, labels(experiment="a"), 0.1, ends_at=END - 28 * HOUR)
    url = prometheus(truth).url
    assert errors_of(url, "a")[0] == {"baseline": 0}
    assert errors_of(url, "b")[0] == {}


def test_an_unlabelled_past_holds_its_errors_too(prometheus):
    truth = short_truth()
    traffic(truth, ends_at=END - HOUR / 2 - 1)
    traffic(truth, experiment="a", starts_at=END - HOUR / 2)
    truth.counter(ERRORS, labels(), 0.1, ends_at=END - HOUR / 2 - 1)
    assert errors_of(prometheus(truth).url, "a")[0] == pytest.approx({"baseline": 180}, abs=3)


@pytest.mark.parametrize("engine", ["prometheus", "victoria-metrics"])
def test_back_filled_data_are_judged_alike_on_both_engines_and_no_question_fails_for_it(engine, prometheus):
    truth = short_truth()
    two_experiments(truth)
    with ExitStack() as running:
        if engine == "prometheus":
            url = prometheus(truth).url
        else:
            victoria = running.enter_context(VictoriaMetricsServer())
            victoria.fill(truth)
            url = victoria.url
        answer = ask(url, experiment="b")
        assert (values(answer.instant("errors")), answer.status.failures) == ({}, ())
        assert values(ask(url, experiment="a").instant("errors")) == pytest.approx({"baseline": 360, "enhanced": 360}, rel=0.02)


@contextmanager
def exporter(*models: str, declares_errors: bool = True, failing: str = "") -> Iterator[str]:
    """The address of an exporter with a labelled counter of requests, and one of errors that has counted those of one model or none."""
    registry = CollectorRegistry()
    requests = Counter("ab_test_requests", "answered", ["model_name"], registry=registry)
    for model in models:
        requests.labels(model).inc(100)
    if declares_errors:
        errors = Counter("ab_test_errors", "failed", ["model_name"], registry=registry)
        if failing:
            errors.labels(failing).inc(3)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def scraped(*jobs: tuple[str, str]) -> Iterator[str]:
    """The URL of a Prometheus that has scraped each (job, address) twice."""
    configured = [{"job_name": job, "static_configs": [{"targets": [address]}]} for job, address in jobs]
    with PrometheusServer(scrape_interval_seconds=1, configuration={"scrape_configs": configured}) as server:
        wait_until(lambda: len(ask(server.url, at=time.time()).timeline("request_rate").series) == len(jobs), "two samples of each target")
        yield server.url


def test_a_labelled_counter_that_was_never_counted_by_is_declared_and_means_0():
    with exporter("baseline") as first, exporter("enhanced") as second, scraped(("one", first), ("two", second)) as url:
        found, answer = errors_of(url, at=time.time())
        assert found == {"baseline": 0, "enhanced": 0}
        assert answer.reason is None


def test_an_arm_whose_exporter_declares_no_counter_of_errors_is_missing_though_the_other_one_counts():
    with ExitStack() as running:
        addresses = [running.enter_context(exporter("baseline", failing="baseline")), running.enter_context(exporter("enhanced", declares_errors=False))]
        url = running.enter_context(scraped(*zip(("old", "new"), addresses, strict=True)))
        found, answer = errors_of(url, at=time.time())
    assert set(found) == {"baseline"}
    assert answer.notes == "enhanced: failed requests are not counted: its targets in job new declare no ab_test_errors_total"


def test_where_no_exporter_declares_a_counter_of_errors_there_are_none_and_the_job_is_named():
    with exporter("baseline", declares_errors=False) as address, scraped(("ab", address)) as url:
        found, answer = errors_of(url, at=time.time())
        assert found == {}
        assert answer.reason == ("failed requests are not counted: its targets in job ab declare no ab_test_errors_total, and ab_test_requests_total has no label status")
