"""Series that begin within a test, through the whole page: their first values count, and what cannot be told decides nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from live_dashboards.analysis.statistics.proportions import Counts, wilson
from live_dashboards.model.judgement import UNKNOWN
from live_dashboards.model.measurement import Interval
from tests.pipeline.command import log_two_models, page_at
from tests.sources.prometheus_reading import END, HOUR, labels
from tests.sources.test_prometheus_counts import ERRORS, REQUESTS, day_truth, hourly_pods, scaling_to_zero, series, steady

AT = datetime.fromtimestamp(END, UTC)


@pytest.fixture
def report(mlflow_database, prometheus):
    """`report(truth, AB_X="...")`: the page of a test whose models have one finished run each."""
    log_two_models(mlflow_database, AT, hours_before=30, accuracies=(0.78, 0.80))

    def make(truth, kind="ab", **own):
        return page_at(AT, mlflow_database, prometheus(truth), kind=kind, AB_MINIMUM_DAYS="0.5", **own)

    return make


def fact(report, variant, name):
    return getattr(next(each for each in report.variants if each.variant == variant), name)


def told(report):
    return [text for text in report.health.notices if "at least" in text]


def test_first_values_count_on_the_page_and_in_the_guardrail(report):
    truth = day_truth()
    hourly_pods(truth)
    page = report(truth)
    assert [fact(page, name, "errors").value for name in ("baseline", "enhanced")] == [10, 30]
    guard = next(each for each in page.guardrails if each.name == "error_rate")
    assert guard.comparison.estimate == pytest.approx(100 * 20 / 36_000, rel=5e-3)  # the period begins with the first request
    assert told(page) == []


def test_a_share_of_traffic_is_that_of_all_requests_of_pods_that_live_for_minutes(report):
    truth = day_truth()
    scaling_to_zero(truth)
    page = report(truth)
    assert fact(page, "enhanced", "requests").value == 12_800
    assert fact(page, "enhanced", "traffic_share").value == pytest.approx(100 * 12_800 / (12_800 + 21 * 240 * 60), rel=1e-6)


def test_what_cannot_be_told_is_said_to_be_at_least_so_much(report):
    truth = day_truth()
    scaling_to_zero(truth, with_starts=False)
    page = report(truth)
    requests = fact(page, "enhanced", "requests")
    assert requests.value == 8960
    assert requests.reason.startswith("at least, and at most 3,840 more")
    assert any("requests of enhanced: at least 8,960, at most 12,800" in text for text in told(page))


def test_a_guardrail_that_is_another_one_at_the_upper_end_is_unknown_and_no_verdict_rests_on_it(report):
    """The challenger's errors are let in an hour before the end, with 1,400 that may be old; without them it has fewer than the baseline, with them twice as many."""
    truth = day_truth()
    for model in ("baseline", "enhanced"):
        series(truth, REQUESTS, labels(model), steady(END - 26 * HOUR, END, 60.0, 0.0, 60.0))
    series(truth, ERRORS, labels("baseline"), steady(END - 26 * HOUR, END, 60.0, 0.0, 0.5))
    series(truth, ERRORS, labels("enhanced"), steady(END - HOUR, END, 60.0, 1400.0, 0.5))
    page = report(truth)
    guard = next(each for each in page.guardrails if each.name == "error_rate")
    assert guard.outcome == UNKNOWN
    assert "at the least that was counted; " in guard.words
    assert page.verdict.verdict == "NO VERDICT"
    assert "ROLL BACK at the most" in page.verdict.reasons[0]


def test_a_verdict_that_is_the_same_at_both_ends_stands(report):
    """Errors of the baseline that may be old change nothing: the challenger has more in any case."""
    truth = day_truth()
    for model in ("baseline", "enhanced"):
        series(truth, REQUESTS, labels(model), steady(END - 26 * HOUR, END, 60.0, 0.0, 600.0))
        series(truth, ERRORS, labels(model), steady(END - 20 * HOUR, END, 60.0, 2000.0, 1.0) if model == "baseline" else steady(END - 26 * HOUR, END, 60.0, 0.0, 12.0))
    page = report(truth)
    assert (page.verdict.verdict, told(page) != []) == ("ROLL BACK", True)


def doubtful(truth, *, baseline=(0.0, 0.5), enhanced=(400.0, 0.5), per_minute=60.0):
    """Both models count as much; errors of each that began with so many, which may be old, and grow by so much a minute."""
    for model, (first, rate) in (("baseline", baseline), ("enhanced", enhanced)):
        series(truth, REQUESTS, labels(model), steady(END - 26 * HOUR, END, 60.0, 0.0, per_minute))
        series(truth, ERRORS, labels(model), steady(END - (20 if first else 26) * HOUR, END, 60.0, first, rate))


def test_every_number_that_follows_from_an_open_count_has_limits_that_hold_at_every_end(report):
    truth = day_truth()
    doubtful(truth)
    page = report(truth)
    errors, rate = fact(page, "enhanced", "errors"), fact(page, "enhanced", "error_rate")
    assert (errors.value, errors.interval) == (600, Interval(600, 1000))
    assert rate.value == pytest.approx(100 * 600 / 86_400)
    assert rate.interval == Interval(pytest.approx(100 * wilson(Counts(600, 86_400))[0]), pytest.approx(100 * wilson(Counts(1000, 86_400))[1]))
    assert rate.reason.startswith("between 0.69 and 1.16 %, ")
    row = next(each for each in page.comparisons if each.metric == "error_rate")
    assert row.low < 0 < row.high
    assert row.method.endswith("; the widest of all that may have been counted")
    assert next(each for each in page.guardrails if each.name == "error_rate").comparison == row


def test_a_share_of_traffic_of_an_open_count_is_within_its_two_ends_on_either_side(report):
    truth = day_truth()
    scaling_to_zero(truth, with_starts=False)
    page = report(truth)
    theirs = 21 * 240 * 60
    for name, least, most in (("baseline", theirs / (theirs + 12_800), theirs / (theirs + 8960)), ("enhanced", 8960 / (theirs + 8960), 12_800 / (theirs + 12_800))):
        share = fact(page, name, "traffic_share")
        assert share.interval.low < 100 * least < 100 * most < share.interval.high
        assert "at most" not in share.reason


def test_a_share_since_the_start_of_an_open_count_has_limits_that_hold_at_both_ends(report):
    truth = day_truth()
    scaling_to_zero(truth, with_starts=False)
    page = report(truth)
    theirs, most = 20 * 240 * 60, 8960 + 79 * 48  # the first pod's first sample is the start
    share = next(each for each in page.split_test.observed if each.variant == "enhanced")
    assert share.interval.low < 100 * 8960 / (theirs + 8960) < 100 * most / (theirs + most) < share.interval.high
    assert share.reason.startswith("between 3.02 and 4.24 %, ")
    row = next(each for each in page.split.rows if each.share.variant == "enhanced")
    assert (row.requests.value, row.requests.interval) == (8960, Interval(8960, most))
    assert report(truth, AB_TRAFFIC_SPLIT="baseline=0.5,enhanced=0.5").split_test.flag == "red"


def test_errors_at_the_most_go_with_requests_at_the_least_as_other_targets_may_have_counted_them(report):
    """Requests of one instance that may be old make the challenger's rate smaller, errors of another one greater."""
    truth = day_truth()
    for model in ("baseline", "enhanced"):
        series(truth, REQUESTS, labels(model), steady(END - 26 * HOUR, END, 60.0, 0.0, 60.0))
    series(truth, ERRORS, labels("baseline"), steady(END - 26 * HOUR, END, 60.0, 0.0, 0.5))
    series(truth, ERRORS, labels("enhanced"), steady(END - HOUR, END, 60.0, 1400.0, 0.5))
    series(truth, REQUESTS, labels("enhanced", "i9"), steady(END - 20 * HOUR, END, 60.0, 60_000.0, 0.25))
    page = report(truth)
    guard = next(each for each in page.guardrails if each.name == "error_rate")
    requests = fact(page, "enhanced", "requests")
    assert requests.interval.high - requests.interval.low == 60_000
    assert guard.outcome == UNKNOWN
    assert guard.comparison.high > 100 * (1400 / requests.value - 720 / 86_400)


def test_nothing_is_deployed_on_a_net_value_that_is_above_zero_at_the_least_alone(report):
    truth = day_truth()
    doubtful(truth, enhanced=(200.0, 0.45))
    for model in ("baseline", "enhanced"):
        truth.histogram("ab_test_response_time_seconds", labels(model), {0.1: 0.6, 0.5: 0.4})
    page = report(truth, kind="business", ERROR_COST_MULTIPLIER="50")
    assert page.case.net.value > 0 > page.case.net.interval.low
    assert page.verdict.verdict == "NO VERDICT"
    assert page.recommendation.verdict not in {"deploy", "deploy with monitoring"}

    assert page.case.probability_net_positive.interval.low < 0.95 < page.case.probability_net_positive.interval.high
    assert page.case.payback.interval.high is None
    words = {label: (value, beside) for label, value, beside in page.headline_words}
    assert re.fullmatch(r"9\d(\.\d)? to 9\d(\.\d)? %", words["Chance of net > 0"][0])
    assert words["Payback"][1].startswith("95 %: > ")
