"""Totals and gauges of the window: each follows the truth in a real server."""

from __future__ import annotations

import math

import pytest

from live_dashboards.model.snapshot import SourceState
from tests.sources.prometheus_reading import END, HOUR, ask, labels, short_truth, traffic, values
from tests.support.engines import engine_versions
from tests.support.standard_truth import BASELINE, ENHANCED, EXPERIMENT

LATENCY = "ab_test_response_time_seconds"


@pytest.fixture(scope="module")
def standard(standard_prometheus):
    return ask(standard_prometheus.url, at=standard_prometheus.end, window_seconds=2 * HOUR, experiment=EXPERIMENT)


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("requests", "ab_test_requests_total"),
        ("errors", "ab_test_errors_total"),
        ("latency_sum", f"{LATENCY}_sum"),
        ("latency_count", f"{LATENCY}_count"),
    ],
)
def test_each_total_equals_what_was_counted_in_the_window(standard, standard_prometheus, name, metric):
    start = standard_prometheus.end - 2 * HOUR
    truth = {model: standard_prometheus.truth.increase(metric, start=start, model_name=model) for model in (BASELINE, ENHANCED)}
    assert values(standard.instant(name)) == pytest.approx(truth)


def test_the_last_24_hours_are_counted_whatever_the_window_is(standard, standard_prometheus):
    truth = {model: standard_prometheus.truth.increase("ab_test_requests_total", model_name=model) for model in (BASELINE, ENHANCED)}
    assert values(standard.instant("requests_24h")) == pytest.approx(truth, rel=1e-4)


def test_each_bucket_equals_what_was_counted_in_it(standard, standard_prometheus):
    start = standard_prometheus.end - 2 * HOUR
    found = {series.label("le"): series.last for series in standard.instant("latency_buckets").series if series.label("model_name") == ENHANCED}
    truth = {le: standard_prometheus.truth.increase(f"{LATENCY}_bucket", start=start, model_name=ENHANCED, le=le) for le in ("0.05", "0.25", "1", "+Inf")}
    assert {le: found[le] for le in truth} == pytest.approx(truth)


def test_a_gauge_is_the_mean_of_its_instances(standard):
    assert values(standard.instant("online_accuracy")) == pytest.approx({BASELINE: 78.2, ENHANCED: 81.8})


def test_each_type_of_business_impact_is_a_quantity_of_its_own(standard):
    found = {(series.label("model_name"), series.label("metric_type")): series.last for series in standard.instant("business_impact").series}
    assert found[ENHANCED, "revenue_impact"] == pytest.approx(1.8)
    assert found[ENHANCED, "latency_cost"] == pytest.approx(0.3)
    assert len(found) == 6


def test_the_newest_sample_of_each_model_has_its_own_time(standard, standard_prometheus):
    for name in ("requests", "latency_count", "online_accuracy"):
        assert values(standard.instant(f"newest_{name}")) == {BASELINE: standard_prometheus.end, ENHANCED: standard_prometheus.end}


def test_the_status_names_the_server_and_the_answer_its_experiments(standard, standard_prometheus):
    assert (standard.status.state, standard.status.address, standard.status.warnings) == (SourceState.ANSWERED, standard_prometheus.url, ())
    assert standard.status.version.startswith(engine_versions()["Prometheus"])
    assert abs(standard.status.clock_difference_seconds) < 60  # of one clock, on a machine that may stand still meanwhile
    assert (standard.experiments, standard.experiment_filter) == ((EXPERIMENT,), EXPERIMENT)


def test_a_counter_that_starts_again_loses_nothing(prometheus):
    truth = short_truth()
    traffic(truth, resets=(END - 1800, END - 600))
    traffic(truth, instance="i2", rate=1.0, resets=(END - 900,))
    found = values(ask(prometheus(truth).url).instant("requests"))
    assert found == pytest.approx({"baseline": truth.increase("ab_test_requests_total", start=END - HOUR)}, rel=0.01)
    assert found["baseline"] > 10_000  # the last value minus the first one would be far below


def test_a_gap_of_one_instance_is_bridged(prometheus):
    truth = short_truth()
    traffic(truth)
    traffic(truth, instance="i2", gaps=[(END - 2400, END - 1200)])
    assert values(ask(prometheus(truth).url).instant("requests")) == pytest.approx({"baseline": 14_400})


def test_a_late_variant_counts_from_its_first_sample(prometheus):
    truth = short_truth()
    traffic(truth)
    traffic(truth, "late", starts_at=END - 600)
    assert values(ask(prometheus(truth).url).instant("requests")) == pytest.approx({"baseline": 7200, "late": 1200})


def test_requests_that_stay_0_are_0_and_not_absent(prometheus):
    truth = short_truth()
    traffic(truth)
    traffic(truth, "idle", rate=0.0)
    assert values(ask(prometheus(truth).url).instant("requests"))["idle"] == 0


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_an_instance_whose_gauge_is_no_number_does_not_spoil_the_mean(prometheus, odd):
    truth = short_truth()
    traffic(truth)
    for instance, value in (("i1", 78.0), ("i2", odd), ("i3", 80.0)):
        truth.gauge("ab_test_model_accuracy", labels(instance=instance), value)
        truth.gauge("ab_test_business_impact", labels(instance=instance, metric_type="net_business_value"), value)
    answer = ask(prometheus(truth).url)
    assert values(answer.instant("online_accuracy")) == {"baseline": 79.0}
    assert values(answer.instant("business_impact")) == {"baseline": 79.0}


def test_a_gauge_of_nothing_but_nan_is_absent_with_that_reason(prometheus):
    truth = short_truth()
    traffic(truth)
    truth.gauge("ab_test_model_accuracy", labels(), math.nan)
    answer = ask(prometheus(truth).url)
    assert answer.instant("online_accuracy").series == ()
    assert "only NaN" in answer.instant("online_accuracy").reason
    assert answer.instant("newest_online_accuracy").series == ()


def test_a_metric_that_is_not_exported_is_named_in_the_reason(prometheus):
    truth = short_truth()
    traffic(truth)
    answer = ask(prometheus(truth).url)
    assert answer.instant("online_accuracy").reason == "ab_test_model_accuracy has no series in the last 1h"
    assert answer.timeline("accuracy").reason == "ab_test_model_accuracy has no series in the last 1h"
    assert answer.instant("latency_buckets").reason == "ab_test_response_time_seconds_bucket has no series in the last 1h"


def test_counters_that_are_named_otherwise_are_no_reason_for_a_warning(prometheus):
    """Prometheus 3 adds to its answer that such a metric might not be a counter, which the setting says it is."""
    truth = short_truth()
    traffic(truth)
    for name in ("predictions_labelled", "predictions_right"):
        truth.counter(name, labels(), 1.0)
    answer = ask(prometheus(truth).url, AB_ONLINE_LABELLED_METRIC="predictions_labelled", AB_ONLINE_CORRECT_METRIC="predictions_right")
    assert values(answer.instant("labelled")) == pytest.approx({"baseline": 3600}, rel=1e-3)
    assert answer.status.warnings == ()


def test_labelled_and_correct_requests_are_counted_where_their_metrics_are_named(prometheus):
    truth = short_truth()
    traffic(truth)
    truth.counter("labelled_total", labels(), 1.0)
    truth.counter("right_total", labels(), 0.5)
    url = prometheus(truth).url
    answer = ask(url, AB_ONLINE_LABELLED_METRIC="labelled_total", AB_ONLINE_CORRECT_METRIC="right_total")
    assert values(answer.instant("labelled")) == pytest.approx({"baseline": 3600})
    assert values(answer.instant("correct")) == pytest.approx({"baseline": 1800})
    assert values(answer.instant("newest_correct")) == {"baseline": END}
    assert ask(url).instant("labelled").reason == "not asked"


def test_a_bucket_without_a_number_as_its_edge_is_left_out(prometheus):
    truth = short_truth(hours=0.5)
    traffic(truth)
    for le in ("0.1", "oops", "+Inf"):
        truth.counter(f"{LATENCY}_bucket", labels(le=le), 1.0)
    assert set(values(ask(prometheus(truth).url).instant("latency_buckets"), "le")) == {"0.1", "+Inf"}


def test_what_is_asked_for_the_past_is_answered_for_the_past(prometheus):
    truth = short_truth()
    traffic(truth, rate=[(END - 2 * HOUR, 1.0), (END - HOUR, 5.0)])
    assert values(ask(prometheus(truth).url, at=END - HOUR).instant("requests")) == pytest.approx({"baseline": 3600}, rel=0.01)
