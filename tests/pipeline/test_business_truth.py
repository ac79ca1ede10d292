"""Known truth in real servers, and what the business case makes of it."""

from functools import cache

import pytest

from live_dashboards.app.pipeline import BUSINESS, Request, ask, every_snapshot, report
from live_dashboards.settings import load_settings
from tests.support.worlds import BASE, WORLDS

TERMS = ("annual_revenue_increase", "annual_cost_increase", "annual_risk_reduction")
RESULTS = {"net_annual_value", "roi_percentage", "payback_days"}
DAY_SECONDS = 86_400


@pytest.fixture(scope="session")
def business(worlds):
    """`business(world)`: the headline numbers of that world's business page."""

    @cache
    def read(world, **changes):
        settings = load_settings(environment={**worlds.environment, "AB_EXPERIMENT": world, **changes})
        request = Request(at=worlds.at)
        page = report(BUSINESS, ask(settings, request), settings, request)
        assert page.badge.kind.value == "LIVE DATA"
        return page

    return read


def numbers(page):
    return {name: measurement.value for name, measurement in page.headline}


def test_the_terms_are_those_of_the_truth(business):
    found = numbers(business("base"))
    per_day = BASE.requests(0, DAY_SECONDS) + BASE.requests(1, DAY_SECONDS)
    slower_ms = 1000 * (BASE.mean_seconds(1) - BASE.mean_seconds(0))
    ratios = [BASE.errors[index] / (BASE.errors[index] + BASE.successes[index]) for index in (0, 1)]
    assert found["annual_revenue_increase"] == pytest.approx(365 * 10_000_000 * 0.036 * 0.005)
    assert found["annual_cost_increase"] == pytest.approx(365 * per_day * slower_ms * 0.0001, rel=2e-3)
    assert found["annual_risk_reduction"] == pytest.approx(365 * per_day * (ratios[0] - ratios[1]) * 50, rel=2e-2)
    assert found["net_annual_value"] == pytest.approx(found[TERMS[0]] - found[TERMS[1]] + found[TERMS[2]])


FOLLOWERS = {
    "more requests": {"annual_cost_increase", "annual_risk_reduction"},
    "more errors": {"annual_risk_reduction"},
    "slower": {"annual_cost_increase"},
    "other accuracy": {"annual_revenue_increase"},
    "other gauge": set(),
    "other impact": set(),
    "other f1": set(),
}


@pytest.mark.parametrize("world", FOLLOWERS)
def test_just_the_terms_that_depend_on_a_changed_truth_follow_it(business, world):
    base, changed = numbers(business("base")), numbers(business(world))
    moved = {name for name in (*TERMS, *RESULTS) if changed[name] != pytest.approx(base[name], rel=0.004)}
    assert moved == FOLLOWERS[world] | (RESULTS if FOLLOWERS[world] else set())


def test_more_test_rows_narrow_the_revenue_alone(business):
    few, many = business("base").case, business("more rows").case
    widths = [[term.value.interval.high - term.value.interval.low for term in case.terms] for case in (few, many)]
    assert widths[1][0] < 0.8 * widths[0][0]  # only one of the two test sets grew
    assert widths[1][1:] == pytest.approx(widths[0][1:], rel=0.01)


def test_each_term_names_its_queries_down_to_the_sources(business):
    terms = {term.name: term.value for term in business("base").case.terms}
    assert (terms["annual_revenue_increase"].source, terms["annual_cost_increase"].source) == ("mlflow", "prometheus")
    assert "latest_metrics" in terms["annual_revenue_increase"].query
    assert "ab_test_response_time_seconds_sum" in terms["annual_cost_increase"].query


def test_every_experiment_gets_the_page_it_gets_alone(business, worlds):
    settings, request = load_settings(environment=worlds.environment), Request(at=worlds.at)
    pages = {snapshot.mlflow.experiment: numbers(report(BUSINESS, snapshot, settings, request)) for snapshot in every_snapshot(settings, request)}
    assert set(pages) == set(WORLDS)
    assert {name: pages[name] for name in ("slower", "more errors")} == {name: numbers(business(name)) for name in ("slower", "more errors")}
