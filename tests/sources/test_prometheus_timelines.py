"""Timelines of the five queries, and of any that is added: values, grid, gaps, several instances."""

from __future__ import annotations

import math

import pytest

from live_dashboards.sources.queries import AB_QUERIES, AbQuery
from tests.sources.prometheus_reading import BUCKETS, END, HOUR, ask, labels, points, short_truth, traffic
from tests.support.prometheus_truth import PrometheusTruth
from tests.support.standard_truth import BASELINE, ENHANCED, EXPERIMENT

LATENCY = "ab_test_response_time_seconds"


@pytest.fixture(scope="module")
def standard(standard_prometheus):
    return ask(standard_prometheus.url, at=standard_prometheus.end, window_seconds=HOUR, experiment=EXPERIMENT)


@pytest.mark.parametrize(
    ("name", "unit", "baseline", "enhanced", "tolerance"),
    [
        ("request_rate", "requests_per_second", 13.26, 5.555, 0.03),
        ("response_time", "ms", 193.75, 250.0, 0.03),
        ("accuracy", "as_logged", 78.2, 81.8, 0.03),
        ("error_rate", "percent", 100 * 0.26 / 13.26, 100 * 0.055 / 5.555, 0.12),  # of 16.5 errors in five minutes one more or less at either end
    ],
)
def test_each_query_gives_one_right_series_a_model_over_its_instances(standard, name, unit, baseline, enhanced, tolerance):  # noqa: PLR0917
    answer = standard.timeline(name)
    last = {series.label("model_name"): series.last for series in answer.series}
    assert (len(answer.series), answer.unit) == (2, unit)
    assert last == pytest.approx({BASELINE: baseline, ENHANCED: enhanced}, rel=tolerance)


def test_business_impact_has_one_series_a_model_and_type(standard):
    found = {(series.label("model_name"), series.label("metric_type")): series.last for series in standard.timeline("business_impact").series}
    assert found[ENHANCED, "net_business_value"] == pytest.approx(1.5)
    assert len(found) == 6


def test_every_query_says_what_it_measures_and_by_which_labels(standard):
    for name, query in AB_QUERIES.items():
        assert query.name == name
        assert query.meaning
        assert all({*query.labels} == dict(series.labels).keys() for series in standard.timeline(name).series)


def test_an_added_query_reaches_the_timelines_by_its_name_alone(standard_prometheus, monkeypatch):
    monkeypatch.setitem(AB_QUERIES, "instances", AbQuery("instances", "count by (model_name) (ab_test_model_accuracy{$experiment})", "count"))
    answer = ask(standard_prometheus.url, at=standard_prometheus.end, experiment=EXPERIMENT).timeline("instances")
    assert [series.last for series in answer.series] == [2, 2]
    assert answer.query == f'count by (model_name) (ab_test_model_accuracy{{experiment="{EXPERIMENT}"}})'


def test_one_query_that_the_server_refuses_costs_only_itself(standard_prometheus, monkeypatch):
    monkeypatch.setitem(AB_QUERIES, "wrong", AbQuery("wrong", "ab_test_requests_total / on (model_name) ab_test_requests_total", "count"))
    answer = ask(standard_prometheus.url, at=standard_prometheus.end)
    assert "refused a query" in answer.timeline("wrong").reason
    assert answer.timeline("request_rate").series


@pytest.mark.parametrize("span_seconds", [60, 1800, 86_400, 604_800, 30 * 86_400, 400 * 86_400])
def test_a_timeline_of_any_span_has_at_most_300_points_a_series_and_ends_at_the_moment(standard_prometheus, span_seconds):
    answer = ask(standard_prometheus.url, at=standard_prometheus.end - 7.25, window_seconds=span_seconds).timeline("accuracy")
    moments = [seconds for series in answer.series for seconds, _ in series.points]
    assert max(moments) == standard_prometheus.end - 7.25
    assert answer.step_seconds >= max(15, span_seconds / 300)
    assert min(moments) >= standard_prometheus.end - 7.25 - span_seconds


def test_an_added_query_without_an_end_stays_within_300_points(standard_prometheus, monkeypatch):
    monkeypatch.setitem(AB_QUERIES, "steady", AbQuery("steady", "vector(1)", "count", labels=()))
    for span_seconds in (86_400, 604_800, 400 * 86_400):
        answer = ask(standard_prometheus.url, at=standard_prometheus.end, window_seconds=span_seconds).timeline("steady")
        assert 100 < len(answer.series[0].points) <= 301


def test_a_gap_stays_a_gap_at_every_step(prometheus):
    truth = short_truth(hours=1)
    traffic(truth, gaps=[(END - 1800, END - 900)])
    truth.gauge("ab_test_model_accuracy", labels(), 80.0, gaps=[(END - 1800, END - 900)])
    answer = ask(prometheus(truth).url).timeline("accuracy")
    found = points(answer, "baseline")
    assert [found[ago] for ago in (1815, 1800, 1200, 915, 900)] == [80.0, 80.0, None, None, 80.0]
    assert all(earlier - later == answer.step_seconds for earlier, later in zip(list(found), list(found)[1:], strict=False))


def test_a_nan_in_a_gauge_is_a_gap(prometheus):
    truth = short_truth(hours=1)
    traffic(truth)
    truth.gauge("ab_test_model_accuracy", labels(), [(END - HOUR, 80.0), (END - 1800, math.nan), (END - 900, 81.0)])
    found = points(ask(prometheus(truth).url).timeline("accuracy"), "baseline")
    assert [found[ago] for ago in (1815, 1800, 915, 900)] == [80.0, None, None, 81.0]


def test_a_late_series_has_no_points_before_its_beginning(prometheus):
    truth = short_truth(hours=1)
    traffic(truth)
    traffic(truth, "late", starts_at=END - 600)
    assert max(points(ask(prometheus(truth).url).timeline("request_rate"), "late")) <= 600


def test_a_restart_makes_no_spike(prometheus):
    truth = short_truth(hours=1)
    traffic(truth, resets=(END - 1800,))
    traffic(truth, instance="i2", resets=(END - 900,))
    found = points(ask(prometheus(truth).url).timeline("request_rate"), "baseline")
    assert all(3.5 < found[ago] < 4.1 for ago in range(0, 3000, 15))


def test_the_percentile_is_that_of_all_requests_and_not_the_mean_of_its_instances(prometheus):
    truth = short_truth(hours=1)
    traffic(truth)
    truth.histogram(LATENCY, labels(instance="busy"), {0.1: 100.0, 1.0: 0.0})
    truth.histogram(LATENCY, labels(instance="slow"), {0.1: 0.0, 1.0: 1.0})
    found = points(ask(prometheus(truth).url).timeline("response_time"), "baseline")
    assert found[0] == pytest.approx(1000 * 0.1 * 0.95 * 101 / 100, rel=0.01)


def test_bucket_edges_in_two_spellings_are_one_edge(prometheus):
    truth = short_truth(hours=1)
    traffic(truth)
    for instance, one in (("go", "1"), ("python", "1.0")):
        for le, rate in (("0.5", 1.0), (one, 4.0), ("+Inf", 4.0)):
            truth.counter(f"{LATENCY}_bucket", labels(instance=instance, le=le), rate)
    answer = ask(prometheus(truth).url)
    assert points(answer.timeline("response_time"), "baseline")[0] == pytest.approx(1000 * (0.5 + 0.5 * (0.95 * 4 - 1) / 3), rel=0.01)


def test_without_observations_the_percentile_is_absent_and_not_nan(prometheus):
    truth = short_truth(hours=1)
    traffic(truth)
    truth.histogram(LATENCY, labels(), dict.fromkeys(BUCKETS, 0.0))
    answer = ask(prometheus(truth).url).timeline("response_time")
    assert answer.series == ()
    assert "no number to show" in answer.reason


def test_a_counter_without_traffic_has_no_error_rate(prometheus):
    truth = short_truth(hours=1)
    traffic(truth, rate=0.0)
    truth.counter("ab_test_errors_total", labels(), 0.0)
    assert ask(prometheus(truth).url).timeline("error_rate").series == ()


def test_more_errors_than_requests_are_100_percent(prometheus):
    truth = short_truth(hours=1)
    traffic(truth, rate=1.0)
    truth.counter("ab_test_errors_total", labels(), 2.0)
    assert points(ask(prometheus(truth).url).timeline("error_rate"), "baseline")[0] == 100


def test_the_error_rate_is_0_before_the_first_error_and_not_absent(prometheus):
    truth = short_truth(hours=1)
    traffic(truth)
    truth.counter("ab_test_errors_total", labels(), 0.5, starts_at=END - 900)
    found = points(ask(prometheus(truth).url).timeline("error_rate"), "baseline")
    assert found[1800] == 0
    assert found[0] == pytest.approx(25, rel=0.05)


def test_no_request_falls_between_the_steps_of_a_long_timeline(prometheus):
    truth = short_truth(hours=3)
    traffic(truth, rate=[(END - 3 * HOUR, 0.0), (END - 2400, 3.0), (END - 1200, 0.0)])
    answer = ask(prometheus(truth).url, window_seconds=7 * 24 * HOUR).timeline("request_rate")
    beyond = END % HOUR  # the last point is of a whole hour and of what has passed of the next
    assert answer.series[0].last == pytest.approx(3600 / (HOUR + beyond), rel=0.01)


@pytest.mark.parametrize("hours", [1, 6, 24])
@pytest.mark.parametrize("scrape_seconds", [15, 60, 120])
def test_a_steady_rate_is_steady_whatever_the_scrapes_and_the_moment(prometheus, scrape_seconds, hours):
    """Two minutes between scrapes do not make up blocks of five, and the last block ends between two scrapes."""
    truth = PrometheusTruth(start=END - (hours + 2) * HOUR, end=END + 600, scrape_seconds=scrape_seconds)
    for model, rate in (("baseline", 2.0), ("enhanced", 0.8)):
        truth.counter("ab_test_requests_total", labels(model), rate)
    server = prometheus(truth)
    for seconds in (0, 45, 107, 233):
        answer = ask(server.url, at=END + seconds, window_seconds=hours * HOUR).timeline("request_rate")
        found = {series.label("model_name"): [value for _, value in series.points] for series in answer.series}
        assert found == {model: pytest.approx([rate] * len(found[model])) for model, rate in (("baseline", 2.0), ("enhanced", 0.8))}
