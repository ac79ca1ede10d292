"""An A/B test by the values of a label, through the whole page on real servers: what an instance does wrong is told, and decides nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from live_dashboards.draw.png.dashboard import _create_dashboard_panels
from tests.pipeline.command import at, log_two_models, page_at
from tests.sources.prometheus_reading import END, HOUR, labels
from tests.sources.test_prometheus_counts import ERRORS, LATENCY, REQUESTS
from tests.support.prometheus_truth import PrometheusTruth

AT = datetime.fromtimestamp(END, UTC)
START = END - 48 * HOUR


def three_instances_each():
    """Of each model three instances in two regions; the challenger's second one fails ten times as often as all others."""
    truth = PrometheusTruth(start=START - HOUR, end=END, scrape_seconds=300.0)
    for model, letter in (("baseline", "a"), ("enhanced", "b")):
        for number in range(3):
            own = labels(model, f"{letter}{number}:9000", region=("eu", "us")[number % 2])
            share = 0.1 if (letter, number) == ("b", 1) else 0.01
            for name, rate in ((REQUESTS, 0.5), (ERRORS, 0.5 * share), ("ab_test_timeouts_total", 0.5 * share)):
                truth.counter(name, own, [(START - HOUR, 0.0), (START, rate)])
            truth.histogram(LATENCY, own, {0.1: 0.45, 0.5: 0.05}, starts_at=START)
    return truth


@pytest.fixture
def report(mlflow_database, prometheus):
    """`report(AB_X="...")`: the page of that test."""
    log_two_models(mlflow_database, AT, hours_before=50, accuracies=(0.78, 0.82))
    server = prometheus(three_instances_each())
    return lambda **own: page_at(AT, mlflow_database, server, AB_MINIMUM_DAYS="1", **own)


def test_an_instances_fault_is_told_and_the_verdict_is_what_it_was(report):
    plain, page = report(), report(AB_SLICE_LABEL="instance")
    assert (page.verdict, page.guardrails, page.comparisons) == (plain.verdict, plain.guardrails, plain.comparisons)
    assert (plain.slices, plain.verdict.verdict) == (None, "ROLL BACK")
    errors = {row.value: row for row in page.slices.rows if row.metric == "error_rate"}
    assert [value for value, row in errors.items() if row.stands_out] == ["b1:9000"]
    assert errors["b1:9000"].difference.value == pytest.approx(9.0, abs=0.3)
    assert errors["b1:9000"].compared_with == "the rest of enhanced"
    assert page.slices.standing_out == ("errors of enhanced come from instance b1:9000 (10 %, the rest 1.0 %): an instance fault is no model fault",)
    tests = {(test.metric, test.of): test.p_value for test in page.slices.heterogeneity}
    assert tests["error_rate", "enhanced"] < 0.001
    assert tests["error_rate", "baseline"] > 0.05
    counted = {row.arm: 0 for row in errors.values()}
    for row in errors.values():
        counted[row.arm] += row.difference.inputs[0].n
    whole = next(each for each in page.comparisons if each.metric == "error_rate")
    assert (counted["enhanced"], counted["baseline"]) == pytest.approx((whole.n_treatment, whole.n_control), abs=3)


def test_by_region_both_arms_are_compared_where_they_are(report):
    found = report(AB_SLICE_LABEL="region").slices
    errors = {row.value: row for row in found.rows if row.metric == "error_rate"}
    assert {(value, row.compared_with) for value, row in errors.items()} == {("eu", "baseline"), ("us", "baseline")}
    assert errors["us"].difference.value == pytest.approx(9.0, abs=0.3)
    assert errors["eu"].difference.value == pytest.approx(0.0, abs=0.1)
    assert [row.value for row in found.rows if row.stands_out] == ["us"]


def test_a_guardrail_of_ones_own_is_told_by_the_label_too(report):
    page = report(AB_SLICE_LABEL="instance", AB_GUARDRAILS="timeouts:ab_test_timeouts_total:0.1")
    timeouts = {row.value: row for row in page.slices.rows if row.metric == "timeouts"}
    assert [value for value, row in timeouts.items() if row.stands_out] == ["b1:9000"]
    assert timeouts["b1:9000"].difference.value == pytest.approx(9.0, abs=0.3)
    assert any(words.startswith("timeouts of enhanced come from instance b1:9000") for words in page.slices.standing_out)
    written = [text.get_text() for text in _create_dashboard_panels(page, dpi=50).texts]
    assert all(any(text.startswith(name) for text in written) for name in ("errors: b1:9000", "timeouts: b1:9000"))


def test_a_label_that_no_series_has_leaves_the_page_with_a_sentence(report):
    page = report(AB_SLICE_LABEL="datacentre")
    assert page.slices.reason.startswith("no series of ab_test_requests_total has the label datacentre; they have instance, model_name, region")
    assert page.slices.reason in page.alt_text
    assert page.verdict == report().verdict


@pytest.mark.parametrize("label", ["model_name", "le", "experiment", "__name__", "no-label"])
def test_a_label_that_cannot_be_one_ends_before_anything_is_asked(run, worlds, label):
    code, _, told = run("ab", "--output", "page.png", *at(worlds), AB_SLICE_LABEL=label)
    assert code == 2
    assert "AB_SLICE_LABEL" in told
    assert label in told
