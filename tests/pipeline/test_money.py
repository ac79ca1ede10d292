"""What a challenger is worth, from the whole test on real servers: within blocks of time, whatever the window is, without what is left out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from live_dashboards.panels import inputs
from tests.pipeline.command import log_two_models, page_at
from tests.sources.prometheus_reading import END, HOUR, labels
from tests.sources.test_prometheus_counts import ERRORS, REQUESTS
from tests.support.prometheus_truth import PrometheusTruth

AT = datetime.fromtimestamp(END, UTC)
DAY = 24 * HOUR
LATENCY = "ab_test_response_time_seconds"
OWN = {"BASE_TRADING_VOLUME": "10000000", "ERROR_COST_MULTIPLIER": "5", "LATENCY_COST_PER_MS": "0.001"}


@pytest.fixture
def business(mlflow_database, prometheus):
    """`business(truth, AB_X="...")`: the business page of what Prometheus holds; the same servers for the same truth."""
    log_two_models(mlflow_database, AT, hours_before=12 * 24, accuracies=(0.78, 0.82))
    known = {}

    def make(truth, **own):
        if id(truth) not in known:
            known[id(truth)] = prometheus(truth)
        return page_at(AT, mlflow_database, known[id(truth)], kind="business", **OWN, **own)

    return make


def value(page, name):
    return dict(page.headline)[name].value


def phases(*rows, days):
    """Each phase is as long as the others: requests a second, share of errors and mean response time in seconds of the baseline, then of the challenger."""
    start = END - days * DAY
    truth, seconds = PrometheusTruth(start=start - HOUR, end=END, scrape_seconds=300.0), days * DAY / len(rows)
    for model, first in (("baseline", 0), ("enhanced", 3)):
        begins = [start + index * seconds for index in range(len(rows))]
        rates = [(begin, row[first]) for begin, row in zip(begins, rows, strict=True)]
        truth.counter(REQUESTS, labels(model), [(start - HOUR, 0.0), *rates])
        truth.counter(ERRORS, labels(model), [(start - HOUR, 0.0), *((begin, row[first] * row[first + 1]) for begin, row in zip(begins, rows, strict=True))])
        truth.counter(f"{LATENCY}_sum", labels(model), [(start - HOUR, 0.0), *((begin, row[first] * row[first + 2]) for begin, row in zip(begins, rows, strict=True))])
        truth.counter(f"{LATENCY}_count", labels(model), [(start - HOUR, 0.0), *rates])
        for edge in ("0.25", "+Inf"):
            truth.counter(f"{LATENCY}_bucket", {**labels(model), "le": edge}, [(start - HOUR, 0.0), *rates])
    return truth


# a ramp while errors and response times fall: the challenger has a point more errors and is 20 ms slower in every phase
RAMP = phases((0.99, 0.06, 90.0, 0.01, 0.07, 110.0), (0.8, 0.04, 70.0, 0.2, 0.05, 90.0), (0.5, 0.02, 50.0, 0.5, 0.03, 70.0), days=9)


def test_a_ramp_is_no_gain(business):
    page = business(RAMP)
    inputs = page.case.inputs
    assert inputs.error_rate_improvement.difference.value == pytest.approx(-0.01, abs=1e-3)
    assert inputs.latency_increase.difference.value == pytest.approx(20_000, rel=0.02)
    assert inputs.error_rate_improvement.baseline.value - inputs.error_rate_improvement.challenger.value > 0.3  # over all requests it looks better
    assert value(page, "annual_risk_reduction") == pytest.approx(365 * DAY * -0.01 * 5, rel=0.1)


def test_the_window_changes_nothing_of_a_year(business):
    day, hour = (business(RAMP, AB_WINDOW=window) for window in ("24h", "1h"))
    names = ("annual_revenue_increase", "annual_cost_increase", "annual_risk_reduction", "net_annual_value")
    assert [value(hour, name) for name in names] == pytest.approx([value(day, name) for name in names], rel=0.02)
    assert [row.cells[6].text for row in inputs.charts(hour)[0].rows[1::2]] == ["9d", "7d"]


# by day nearly all of many requests go to the baseline, and both are as quick; by night half of a few go to the challenger, which is 10 ms slower
UNEVEN = phases(*((9.9, 0.02, 0.05, 0.1, 0.02, 0.05), (0.5, 0.02, 0.05, 0.5, 0.02, 0.06)) * 8, days=8)


def test_where_the_difference_moves_with_the_traffic_money_goes_with_it_and_says_so(business):
    moving, constant = (business(truth).case.inputs.latency_increase.difference for truth in (UNEVEN, GROWN))
    assert moving.value == pytest.approx(10.0 * 1 / 11, abs=0.2)  # by how much the blocks tell it would be 8.3
    assert "each block of time by its requests, as the difference moves with the traffic" in moving.reason
    assert constant.value == pytest.approx(10.0, rel=1e-2)
    assert "each block of time by how much it tells" in constant.reason


GROWN = phases((2.0, 0.02, 0.05, 2.0, 0.02, 0.06), (1.0, 0.02, 0.05, 1.0, 0.02, 0.06), (3.0, 0.02, 0.05, 3.0, 0.02, 0.06), days=10.5)


def test_requests_a_day_are_the_mean_of_the_last_seven_whole_days(business):
    page = business(GROWN)
    assert page.case.inputs.requests_per_day.value == pytest.approx(DAY * (3.5 * 2 + 3.5 * 6) / 7, rel=2e-3)
    assert page.case.inputs.days_of_requests == 7
    assert value(page, "annual_cost_increase") == pytest.approx(365 * page.case.inputs.requests_per_day.value * 10 * 0.001, rel=1e-2)


@pytest.mark.parametrize(("days", "whole", "rate"), [(0.9, 0, None), (1.05, 1, 2.0), (2.4, 2, 2.0)])
def test_a_year_is_told_from_whole_days(business, days, whole, rate):
    page = business(phases((1.0, 0.02, 0.05, 1.0, 0.02, 0.06), days=days))
    inputs = page.case.inputs
    assert inputs.days_of_requests == whole
    assert inputs.requests_per_day.value == (None if rate is None else pytest.approx(rate * DAY, rel=2e-3))
    assert value(page, "annual_revenue_increase") == pytest.approx(730_000)
    assert (value(page, "net_annual_value") is None) is (rate is None)
    assert inputs.latency_increase.difference.value == pytest.approx(10.0, rel=1e-2)


def test_what_is_left_out_counts_for_no_money(business):
    """A load test of six hours, in which the challenger failed."""
    start = END - 4 * DAY
    rows = [(1.0, 0.02, 0.05, 1.0, 0.02, 0.06)] * 16
    rows[9] = (30.0, 0.02, 0.05, 30.0, 0.5, 0.5)
    truth = phases(*rows, days=4)
    stretch = "/".join(datetime.fromtimestamp(start + part * DAY / 4, UTC).strftime("%Y-%m-%dT%H:%MZ") for part in (9, 10))
    whole, without = business(truth), business(truth, AB_EXCLUDE=stretch)
    assert whole.case.inputs.requests_per_day.value > 5 * DAY
    assert without.case.inputs.requests_per_day.value == pytest.approx(2 * DAY, rel=5e-3)
    assert without.case.inputs.error_rate_improvement.difference.value == pytest.approx(0, abs=1e-3)
    assert without.case.inputs.latency_increase.difference.value == pytest.approx(10.0, rel=1e-2)
