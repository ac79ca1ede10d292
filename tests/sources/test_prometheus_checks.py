"""The connection test of Prometheus: each finding has its line, its state and its fix."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from live_dashboards.model.notices import CheckState
from live_dashboards.settings import load_settings
from live_dashboards.sources.prometheus.check import prometheus_checks
from tests.sources.prometheus_reading import BUCKETS, END, HOUR, labels, settings_of, short_truth, traffic
from tests.sources.test_prometheus_copies import steps, two_models, workers
from tests.sources.test_prometheus_counts import day_truth, scaling_to_zero
from tests.support.standard_truth import EXPERIMENT
from tests.support.stored_copies import store_copies

OK, WARNING, FAILED, SKIPPED = CheckState.OK, CheckState.WARNING, CheckState.FAILED, CheckState.SKIPPED


def checks(url: str, *, at: float = END, **settings: str) -> dict[str, tuple[CheckState, str, str, str]]:
    """State, sentence, fix and code of each check by its name without the source."""
    found = prometheus_checks(settings_of(url, **settings), datetime.fromtimestamp(at, UTC))
    return {check.name.removeprefix("Prometheus "): (check.ok, check.found, check.fix, check.code) for check in found}


def states(found: dict[str, tuple[CheckState, str, str, str]]) -> dict[str, CheckState]:
    return {name: state for name, (state, *_) in found.items()}


def test_a_healthy_server_is_all_right_in_every_line(standard_prometheus, monkeypatch):
    monkeypatch.setattr("live_dashboards.sources.prometheus.check._CLOCK_LIMIT_SECONDS", 60)  # a machine that stands still looks like another clock
    found = checks(standard_prometheus.url, at=standard_prometheus.end, AB_EXPERIMENT=EXPERIMENT)
    assert {name: state for name, state in states(found).items() if state is not OK} == {"TLS": SKIPPED}
    assert found["query request_rate"][1].startswith("2 series")
    assert found["query business_impact"][1].startswith("6 series")
    assert found["labels"][1] == f"model_name: baseline-predictor, enhanced-predictor; experiment: {EXPERIMENT}; status: error, success"
    assert found["newest sample"][1] == "baseline-predictor just now, enhanced-predictor just now"
    assert found["accuracy unit"][1] == "values from 78.2 to 81.8 look like percent"
    assert found["latency buckets"][1] == "14 buckets, one of which ends at the objective of 250 ms"


def test_without_a_url_one_line_says_what_to_set():
    found = list(prometheus_checks(load_settings(environment={}), datetime.now(UTC)))
    assert [(check.ok, check.fix) for check in found] == [(SKIPPED, "set PROMETHEUS_URL")]


@pytest.mark.parametrize(
    ("url", "failed", "worked"),
    [("http://prometheus.invalid:9090", "host", ["settings"]), ("http://127.0.0.1:1", "port", ["settings", "host"])],
)
def test_the_layer_that_failed_is_named_and_the_rest_is_skipped(url, failed, worked):
    found = states(checks(url))
    assert [name for name, state in found.items() if state is FAILED] == [failed]
    assert [name for name, state in found.items() if state is OK] == worked
    assert "newest sample" in found


@pytest.mark.parametrize(("status", "failed"), [(401, "login"), (404, "API"), (502, "API"), (302, "login")])
def test_an_answer_that_is_none_belongs_to_its_layer(fault_proxy, status, failed):
    proxy = fault_proxy("127.0.0.1", 1)
    proxy.http_reply(status, "text/html", "no", ("Location: /login",) if status == 302 else ())
    found = checks(proxy.url)
    assert [name for name, (state, *_) in found.items() if state is FAILED] == [failed]
    assert found[failed][2]


def test_a_server_without_ab_data_fails_that_line_and_skips_the_rest(prometheus):
    truth = short_truth(hours=0.2)
    truth.gauge("other", {"a": "b"}, 1.0)
    found = checks(prometheus(truth).url)
    assert found["A/B data"][0] is FAILED
    assert found["labels"][0] is SKIPPED


def test_a_missing_metric_warns_with_its_name(prometheus):
    truth = short_truth(hours=0.2)
    traffic(truth, "a")
    traffic(truth, "b")
    found = checks(prometheus(truth).url)
    assert found["query accuracy"][:2] == (WARNING, "ab_test_model_accuracy has no series in the last 1d")
    assert found["errors"][0] is WARNING
    assert found["latency buckets"][3] == "no_buckets"


def test_the_status_label_is_named_as_the_source_of_errors(prometheus):
    truth = short_truth(hours=0.2)
    for status in ("success", "error"):
        truth.counter("ab_test_requests_total", labels(status=status), 1.0)
    state, sentence, *_ = checks(prometheus(truth).url)["errors"]
    assert (state, 'status="error"' in sentence) == (OK, True)


def test_a_status_that_never_says_error_is_warned_of(prometheus):
    truth = short_truth(hours=0.2)
    for status in ("200", "500"):
        truth.counter("ab_test_requests_total", labels(status=status), 1.0)
    assert checks(prometheus(truth).url)["errors"][:2] == (WARNING, "no request has status=error; the values seen are 200, 500")


def test_old_samples_are_stale_with_their_age(prometheus):
    truth = short_truth()
    traffic(truth, "a", ends_at=END - 1200)
    traffic(truth, "b")
    state, sentence, _, code = checks(prometheus(truth).url)["newest sample"]
    assert (state, code, sentence) == (WARNING, "stale", "a 20m before, b just now")
    assert checks(prometheus(truth).url, AB_STALE_AFTER="30m")["newest sample"][0] is OK


def test_a_model_whose_age_cannot_be_found_is_named(prometheus):
    truth = short_truth(hours=4.0)
    between_looks = (END - 3 * HOUR) // 1800 * 1800 + 60  # over 30 days one looks every 30 minutes
    traffic(truth, "a", starts_at=between_looks, ends_at=between_looks + 900)
    traffic(truth, "b")
    state, sentence, _, code = checks(prometheus(truth).url, AB_WINDOW="30d")["newest sample"]
    assert (state, code, sentence) == (WARNING, "stale", "the age of a is not known: its newest sample was not found")


def test_a_clock_that_differs_is_warned_of(fault_proxy):
    proxy = fault_proxy("127.0.0.1", 1)
    late = (datetime.now(UTC) - timedelta(seconds=600)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    proxy.http_reply(200, "application/json", '{"status":"success","data":{"resultType":"vector","result":[]}}', (f"Date: {late}",))
    state, sentence, *_ = checks(proxy.url)["clock"]
    assert state is WARNING
    assert sentence.endswith("s behind this one")


@pytest.mark.parametrize(
    ("pair", "unit", "state", "code"),
    [((0.78, 0.81), "auto", OK, ""), ((78.0, 81.0), "auto", OK, ""), ((78.0, 81.0), "fraction", WARNING, "accuracy_unit"), ((0.78, 81.0), "auto", WARNING, "mixed_unit")],
)
def test_the_unit_of_accuracy_is_judged_by_its_values(prometheus, pair, unit, state, code):
    truth = short_truth(hours=0.2)
    for model, value in zip("ab", pair, strict=True):
        traffic(truth, model)
        truth.gauge("ab_test_model_accuracy", labels(model), value)
    found = checks(prometheus(truth).url, AB_ACCURACY_UNIT=unit)["accuracy unit"]
    assert (found[0], found[3]) == (state, code)


def test_buckets_without_the_objective_as_an_edge_are_warned_of(prometheus):
    truth = short_truth(hours=0.2)
    traffic(truth, "a")
    truth.histogram("ab_test_response_time_seconds", labels("a"), BUCKETS)
    url = prometheus(truth).url
    assert checks(url)["latency buckets"][0] is OK
    state, sentence, *_ = checks(url, AB_LATENCY_OBJECTIVE_MS="300")["latency buckets"]
    assert (state, "the nearest edge is 250 ms" in sentence) == (WARNING, True)


def test_buckets_without_infinity_are_warned_of(prometheus):
    truth = short_truth(hours=0.2)
    traffic(truth, "a")
    truth.counter("ab_test_response_time_seconds_bucket", labels("a", le="0.25"), 1.0)
    assert checks(prometheus(truth).url)["latency buckets"][3] == "no_inf_bucket"


def test_a_model_alone_cannot_be_compared_and_requests_without_a_model_cannot_be_used(prometheus):
    truth = short_truth(hours=0.2)
    traffic(truth, "only")
    assert checks(prometheus(truth).url)["labels"][3] == "one_model"
    nameless = short_truth(hours=0.2)
    nameless.counter("ab_test_requests_total", {"instance": "i"}, 1.0)
    assert checks(prometheus(nameless).url)["labels"][::3] == (FAILED, "no_model_name")


def test_an_experiment_that_no_series_names_has_no_data_and_the_names_there_are_told(standard_prometheus):
    state, sentence, _, code = checks(standard_prometheus.url, at=standard_prometheus.end, AB_EXPERIMENT="other")["A/B data"]
    assert (state, code) == (FAILED, "no_ab_data")
    assert f"the label experiment has the values {EXPERIMENT};" in sentence


def test_what_may_be_copies_is_warned_of_with_its_label_and_what_they_are_is_told(prometheus):
    truth = short_truth(hours=0.5)
    truth.counter("ab_test_requests_total", labels("m"), 1.0)
    store_copies(truth, {"a": 0.0, "b": 7.0}, label="pod")
    url = prometheus(truth).url
    state, sentence, fix, code = checks(url)["copies"]
    assert (state, code, "the label pod alone" in sentence, "PROMETHEUS_REPLICA_LABELS" in fix) == (WARNING, "copies", True, True)
    assert checks(url, PROMETHEUS_REPLICA_LABELS="pod")["copies"][:2] == (
        OK,
        "copies of one scrape are counted once: those that differ in the label pod alone, as PROMETHEUS_REPLICA_LABELS says",
    )
    assert checks(url, PROMETHEUS_REPLICA_LABELS="none")["copies"][0] is OK
    assert checks(url, PROMETHEUS_REPLICA_LABELS="none")["completeness"][3] == "at_least"  # the later copy begins with some requests
    assert checks(url, PROMETHEUS_REPLICA_LABELS="prod")["copies"][3] == "copies"


def test_counts_that_are_only_the_least_are_no_answers_without_warnings(prometheus):
    truth = day_truth()
    scaling_to_zero(truth, with_starts=False)
    state, sentence, fix, code = checks(prometheus(truth).url)["completeness"]
    assert (state, code) == (WARNING, "at_least")
    assert "requests of enhanced: at least 8,960, at most 12,800" in sentence
    assert fix == "let the exporters tell process_start_time_seconds or _created, as client libraries do"


@pytest.mark.parametrize(("raw", "said"), [(two_models, "counted more than once"), (lambda: workers(with_latency=False, delay=7.0), "may be counted twice")])
def test_copies_that_rules_have_recorded_are_warned_of_with_what_the_rules_must_do(prometheus, raw, said):
    truth = raw()
    if raw is two_models:
        store_copies(truth)
    found = checks(prometheus(steps(raw=truth, counted=900.0)).url, PROMETHEUS_RECORDED="on")["copies"]
    state, sentence, fix, _ = found
    assert (state, said in sentence, "let the rules record one copy" in sentence) == (WARNING, True, False)
    assert "let the rules record one copy of each scrape alone" in fix
    assert "PROMETHEUS_REPLICA_LABELS" not in fix


def test_a_placeholder_password_is_warned_of(standard_prometheus):
    found = checks(standard_prometheus.url, at=standard_prometheus.end, PROMETHEUS_USERNAME="ops", PROMETHEUS_PASSWORD="changeme")
    assert found["settings"][3] == "placeholder"
