"""Known truth in a real PostgreSQL and a real Prometheus, and the report that comes of it."""

from functools import cache

import pytest

from live_dashboards.app.pipeline import Request, ab_report, ask
from live_dashboards.settings import load_settings
from tests.support.worlds import BASE, VARIANTS, WINDOW_SECONDS, WORLDS

ONE_COUNT = 1.5  # the truth is a rate, and counters hold whole numbers


@pytest.fixture(scope="session")
def summary(worlds):
    """`summary(world)`: every number of that world's page by (name, variant)."""

    @cache
    def read(world):
        settings = load_settings(environment={**worlds.environment, "AB_EXPERIMENT": world})
        request = Request(at=worlds.at)
        report = ab_report(ask(settings, request), settings, request)
        assert report.badge.kind.value == "LIVE DATA"
        return {(one.name, one.variant): one for one in report.measurements}

    return read


def value(numbers, name, variant=None):
    return numbers[name, variant].value


def test_totals_are_those_of_both_instances(summary):
    numbers = summary("base")
    for index, variant in enumerate(VARIANTS):
        assert value(numbers, "requests", variant) == pytest.approx(BASE.requests(index), abs=ONE_COUNT)
        assert value(numbers, "errors", variant) == pytest.approx(2 * BASE.errors[index] * WINDOW_SECONDS, abs=ONE_COUNT)
    assert value(numbers, "total_requests") == pytest.approx(BASE.requests(0) + BASE.requests(1), abs=2 * ONE_COUNT)


def test_total_of_24_h_holds_a_day_of_the_twenty_six_hours(summary):
    assert value(summary("base"), "total_requests_24h") == pytest.approx(BASE.requests(0, 24 * 3600) + BASE.requests(1, 24 * 3600), rel=0.002)


def test_error_rate_is_errors_over_requests_in_percent(summary):
    true = 100 * sum(BASE.errors) / (sum(BASE.errors) + sum(BASE.successes))
    assert value(summary("base"), "error_rate") == pytest.approx(true, rel=1e-3)


def test_mean_latency_is_the_true_mean(summary):
    for index, variant in enumerate(VARIANTS):
        assert value(summary("base"), "mean_latency_ms", variant) == pytest.approx(1000 * BASE.mean_seconds(index), rel=1e-3)
    assert value(summary("base"), "avg_response_time_ms") == pytest.approx(500 * (BASE.mean_seconds(0) + BASE.mean_seconds(1)), rel=1e-3)


def test_p95_is_interpolated_in_the_bucket_that_holds_it(summary):
    baseline, enhanced = (summary("base")["p95_latency_ms", variant] for variant in VARIANTS)
    assert baseline.value == pytest.approx(100 + 150 * 0.05 / 0.08, rel=1e-3)
    assert (baseline.interval.low, baseline.interval.high) == (100, 250)
    assert enhanced.value == pytest.approx(250, rel=1e-3)


def test_accuracies_are_those_logged(summary):
    numbers = summary("base")
    assert value(numbers, "baseline_accuracy", "baseline") == pytest.approx(78.2)
    assert value(numbers, "enhanced_accuracy", "enhanced") == pytest.approx(81.8)
    assert value(numbers, "online_accuracy", "enhanced") == pytest.approx(81.0)
    assert numbers["accuracy", "enhanced"].n == 5000


def test_timelines_end_with_the_true_rates(summary):
    numbers = summary("base")
    assert value(numbers, "request_rate_latest", "baseline") == pytest.approx(2 * 7.14, rel=0.01)
    assert value(numbers, "error_rate_latest", "enhanced") == pytest.approx(100 * 0.03 / 3.03, rel=0.1)
    assert value(numbers, "accuracy_latest", "enhanced") == pytest.approx(81.0)
    assert value(numbers, "response_time_latest", "baseline") == pytest.approx(100 + 150 * 0.05 / 0.08, rel=0.01)


LATENCY = {"mean_latency_ms", "p50_latency_ms", "p95_latency_ms", "p99_latency_ms", "avg_response_time_ms", "response_time_latest"}
TOTALS = {"requests", "total_requests", "total_requests_24h", "traffic_share", "error_rate", "error_rate_difference", "request_rate_latest", "error_rate_latest"}
ONLINE = {"online_accuracy_difference", "online_minus_offline_accuracy"}
FOLLOWERS = {
    "more requests": {*TOTALS, "traffic_share_since_start"},
    "more errors": {"errors", "error_rate", "error_rate_difference", "error_rate_latest"},
    "slower": {*LATENCY, "over_latency_objective_difference"},
    "other gauge": {"online_accuracy", "accuracy_latest", *ONLINE},
    "other impact": {"net_business_value"},
    "other accuracy": {"accuracy", "enhanced_accuracy", "accuracy_difference", "detectable_difference", "online_minus_offline_accuracy"},
    "other precision": {"precision", "precision_difference"},
    "other recall": {"recall", "recall_difference"},
    "other f1": {"f1", "f1_difference"},
    "more rows": {"detectable_difference"},
}


def close(one, other):
    if one is None or other is None:
        return one is other
    return one == pytest.approx(other, rel=0.004, abs=1e-9)


@pytest.mark.parametrize("world", [world for world in WORLDS if world != "base"])
def test_just_the_numbers_that_depend_on_a_changed_truth_follow_it(summary, world):
    base, changed = summary("base"), summary(world)
    moved = {name for name, variant in base if (name, variant) in changed and not close(base[name, variant].value, changed[name, variant].value)}
    assert moved == FOLLOWERS[world]


def test_the_interval_follows_the_number_of_rows(summary):
    few, many = summary("base")["accuracy", "enhanced"], summary("more rows")["accuracy", "enhanced"]
    assert many.n == 50_000
    assert many.interval.high - many.interval.low < 0.4 * (few.interval.high - few.interval.low)


def test_each_number_tells_its_source_its_query_and_its_moment(summary, worlds):
    numbers = summary("base")
    assert (numbers["requests", "baseline"].source, numbers["accuracy", "baseline"].source) == ("prometheus", "mlflow")
    assert 'last_over_time(ab_test_requests_total{experiment="base"}[5m])' in numbers["requests", "baseline"].query
    assert "latest_metrics" in numbers["accuracy", "baseline"].query
    assert 0 <= worlds.end - numbers["requests", "baseline"].observed_at.timestamp() <= 15
