"""Each variant's facts from the answers: units, n, intervals, and why something is missing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from statsmodels.stats.proportion import proportion_confint

from live_dashboards.analysis.facts.models import rows_correct
from live_dashboards.analysis.facts.page import page
from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.model.snapshot import Timeline
from tests.support.snapshots import AT, live, settings, with_instant, with_values, without_mlflow


def facts(snapshot, variant="baseline", **values):
    return page(snapshot, None, settings(**values)).counted.of(variant)


def logged(value, count="20000"):
    return with_values(live(), "baseline", "accuracy", value=value, test_count=count)


def test_a_fraction_becomes_percent_with_the_wilson_interval_of_its_rows():
    found = facts(logged(0.782)).accuracy
    assert (found.value, found.n) == (pytest.approx(78.2), 20_000)
    assert (found.interval.low, found.interval.high) == (pytest.approx(77.622, abs=0.001), pytest.approx(78.766, abs=0.001))


def test_percent_stays_percent_where_a_value_of_the_metric_is_above_one():
    snapshot = logged(78.2)
    percent = replace(snapshot.mlflow, value_ranges=(("accuracy", 0.5, 78.2),))
    found = page(replace(snapshot, mlflow=percent), None, settings()).counted
    assert found.of("baseline").accuracy.value == pytest.approx(78.2)
    assert "seem mixed" in found.model.notices[0]


def test_the_configured_unit_stands_over_auto():
    assert facts(logged(0.9), AB_ACCURACY_UNIT="percent").accuracy.value == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        ("0.2", "fraction"),
        (None, "logs no test_size"),
        ("many", "no number of rows"),
        ("10.5", "no number of rows"),
        ("nan", "no number of rows"),
        ("7", "does not fit"),
        ("1e200", "no number of rows"),
    ],
)
def test_without_a_number_of_rows_there_is_no_interval_and_the_reason_is_told(count, reason):
    found = facts(logged(0.782, count)).accuracy
    assert found.interval is None
    assert found.n is None
    assert reason in found.reason


@pytest.mark.parametrize(("value", "n", "rows"), [(0.782, 1000, 782), (0.78, 1000, 780), (0.333, 3, 1), (0.98, 3, None), (0.5, 3, None), (2 / 3, 3, 2)])
def test_rows_fit_within_the_digits_that_were_logged(value, n, rows):
    assert rows_correct(value, 100.0, n) == rows


def test_precision_recall_and_f1_have_no_interval_from_the_test_rows():
    found = facts(live())
    assert all(each.interval is None and "no interval" in each.reason for each in (found.value(name) for name in ("precision", "recall", "f1")))


def hits(metric, value, right, wrong):
    """The baseline's precision or recall as logged, with true positives and the misses that belong to it."""
    other = {"precision": "false_positives", "recall": "false_negatives"}[metric]
    return with_values(live(), "baseline", metric, value=value, true_positives=right, **{other: wrong})


@pytest.mark.parametrize("metric", ["precision", "recall"])
def test_their_n_is_the_predicted_or_the_actual_positives(metric):
    found = facts(hits(metric, 0.8, 400.0, 100.0)).value(metric)
    assert (found.value, found.n, found.reason) == (pytest.approx(80), 500, None)
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(100 * limit for limit in proportion_confint(400, 500, method="wilson")))


def test_digits_that_were_not_logged_do_not_lose_the_n():
    assert facts(hits("precision", 0.67, 2.0, 1.0)).value("precision").n == 3


@pytest.mark.parametrize(
    ("value", "right", "wrong", "reason"),
    [
        (0.8, None, None, "its n, the predicted positives, is not logged; log true_positives and false_positives"),
        (0.8, 400.0, None, "log false_positives in the same run"),
        (0.81, 300.0, 100.0, "0.81 is not 300 of 400 predicted positives"),
        (0.803, 400.0, 100.0, "do not fit this precision"),
        (0.8, 400.5, 100.0, "true_positives 400.5 is no number of rows"),
        (0.8, 400.0, -1.0, "false_positives -1 is no number of rows"),
        (0.8, 4e200, 1e200, "is no number of rows"),
        (0.0, 0.0, 0.0, "there are no predicted positives"),
    ],
)
def test_counts_that_are_absent_or_do_not_fit_give_no_interval_and_the_reason(value, right, wrong, reason):
    found = facts(hits("precision", value, right, wrong)).value("precision")
    assert (found.n, found.interval) == (None, None)
    assert reason in found.reason


def test_a_run_that_is_not_finished_is_marked():
    assert "run not finished" in facts(with_values(live(), "baseline", "accuracy", run_status="RUNNING")).accuracy.reason


def test_counts_are_rounded_and_errors_capped_at_requests():
    snapshot = with_instant(with_instant(live(), "requests", {"baseline": 99.6, "enhanced": 50.2}), "errors", {"baseline": 120.0, "enhanced": 2.4})
    found = facts(snapshot)
    assert (found.requests.value, found.errors.value) == (100, 100)
    assert "capped" in found.errors.reason
    assert facts(snapshot, "enhanced").error_rate.value == pytest.approx(4.0)


def test_models_that_are_one_variant_are_added():
    snapshot = with_instant(live(), "requests", {"baseline-a": 10.0, "baseline-b": 20.0, "enhanced": 5.0})
    assert facts(snapshot).requests.value == 30


def test_no_error_seen_is_zero_with_an_upper_limit():
    snapshot = with_instant(with_instant(live(), "requests", {"baseline": 1000.0, "enhanced": 500.0}), "errors", {"baseline": 0.0, "enhanced": 0.0})
    found = facts(snapshot).error_rate
    assert (found.value, found.interval.low) == (0, 0)
    assert found.interval.high == pytest.approx(0.3827, abs=0.0001)


def test_without_an_error_metric_the_error_rate_is_missing_with_the_reason():
    found = facts(with_instant(live(), "errors", {}, reason="neither ab_test_errors_total nor the label status exists"))
    assert found.error_rate.value is None
    assert "neither" in found.error_rate.reason


def test_mean_latency_is_sum_over_count():
    snapshot = with_instant(with_instant(live(), "latency_sum", {"baseline": 5.83, "enhanced": 1.0}), "latency_count", {"baseline": 100.0, "enhanced": 10.0})
    assert facts(snapshot).mean_latency_ms.value == pytest.approx(58.3)


@pytest.mark.parametrize(("times", "low_ms"), [(1, 100.0), (100, 250.0)])
def test_percentiles_come_from_the_summed_buckets_and_carry_those_that_surely_hold_them(times, low_ms):
    buckets = {("baseline", "0.1"): 50.0, ("baseline", "0.25"): 90.0, ("baseline", "0.5"): 100.0, ("baseline", "+Inf"): 100.0}
    found = facts(with_instant(live(), "latency_buckets", {key: count * times for key, count in buckets.items()}, label="le")).p95_latency_ms
    assert (found.value, found.interval.low, found.interval.high) == (pytest.approx(375.0), low_ms, 500.0)


def test_a_percentile_beyond_the_last_edge_has_no_upper_limit():
    buckets = {("baseline", "0.1"): 1.0, ("baseline", "+Inf"): 100.0}
    found = facts(with_instant(live(), "latency_buckets", buckets, label="le")).p95_latency_ms
    assert (found.value, found.interval.high) == (100.0, None)


@pytest.mark.parametrize(
    ("window", "day", "whole"),
    [
        ({"baseline": 500.0}, {"baseline": 20_000.0, "enhanced": 9_000.0}, 29_000),  # one stopped before a short window
        ({"baseline": 70_000.0, "enhanced": 30_000.0, "old": 900.0}, {"baseline": 20_000.0, "enhanced": 9_000.0}, 29_000),  # one retired days ago
        ({}, {"baseline": 14_400.0}, 14_400),  # none within a short window
    ],
)
def test_the_requests_of_the_day_are_those_of_all_variants_whatever_the_window(window, day, whole):
    report = build_ab_report(with_instant(with_instant(live(), "requests", window), "requests_24h", day), None, settings())
    assert next(each.value for each in report.measurements if each.name == "total_requests_24h") == whole


def test_a_day_that_cannot_be_asked_is_missing_with_that_reason():
    report = build_ab_report(with_instant(live(), "requests_24h", {}, reason="too large"), None, settings())
    day = next(each for each in report.measurements if each.name == "total_requests_24h")
    assert (day.value, day.reason) == (None, "too large")


def ageless(snapshot=None, **answer):
    """The challenger's exporter was not found within the minutes that an instant query looks back."""
    found = snapshot or live()
    moment = found.at.timestamp() - 20
    return with_instant(with_instant(found, "newest_requests", {"baseline": moment}, **answer), "newest_latency_count", {"baseline": moment}, **answer)


def test_a_value_whose_age_nobody_knows_is_stale_and_says_so():
    found = facts(ageless(note="older samples could not be looked for: too large"), "enhanced")
    assert found.requests.stale
    assert found.errors.stale
    assert found.mean_latency_ms.stale
    assert found.requests.reason == "the age of its newest sample is not known: older samples could not be looked for: too large"
    assert not facts(ageless()).requests.stale


def test_the_page_tells_whose_age_is_not_known_and_is_not_live_enough():
    report = build_ab_report(ageless(), None, settings())
    rows = {row.label: (row.state, row.words) for row in report.health.rows}
    assert rows["requests"] == rows["response times"] == ("stale", "age unknown, enhanced")
    assert report.has_stale


def test_a_value_older_than_the_limit_is_stale():
    old = with_instant(live(), "newest_requests", {"baseline": AT.timestamp() - 400, "enhanced": AT.timestamp() - 200})
    assert facts(old).requests.stale
    assert not facts(old, "enhanced").requests.stale
    assert not facts(old, AB_STALE_AFTER="10m").requests.stale


def test_without_mlflow_the_online_gauge_is_the_accuracy():
    found = facts(without_mlflow(with_instant(live(), "online_accuracy", {"baseline": 78.2, "enhanced": 81.8})))
    assert found.accuracy.value == pytest.approx(78.2)
    assert found.accuracy.source == "prometheus"
    assert found.value("precision").value is None


def test_requests_of_a_planned_variant_without_a_series_are_estimated_and_in_no_total():
    snapshot = with_instant(live(), "requests", {"baseline": 700.0})
    made = page(snapshot, None, settings(AB_TRAFFIC_SPLIT="baseline=70,enhanced=30"))
    found = made.counted.of("enhanced").requests
    assert (found.value, found.origin) == (pytest.approx(300.0), "estimated")
    assert made.counted.traffic.totals["total_requests"].value == 700


def test_a_run_that_started_after_the_moment_says_so():
    later = with_values(live(), "baseline", "accuracy", started_at=AT + timedelta(hours=1))
    assert "started after the page's moment" in facts(later).accuracy.reason
    assert "started after" not in str(facts(live()).accuracy.reason)


ASSUMED = {"of_models": (("enhanced", "no error series in job new, so that 0 is assumed"),), "assumed": ("enhanced",)}


def test_an_assumed_zero_is_told_of_its_arm_alone_and_in_the_notices():
    snapshot = with_instant(live(), "errors", {"baseline": 30, "enhanced": 0}, **ASSUMED)
    assert facts(snapshot, "enhanced").errors.reason == "no error series in job new, so that 0 is assumed"
    assert facts(snapshot).errors.reason is None
    made = build_ab_report(snapshot, None, settings())
    assert "Prometheus: errors of enhanced: no error series in job new, so that 0 is assumed" in made.health.notices
    assert [(row.variant, row.is_assumed) for row in made.errors.rows] == [("baseline", False), ("enhanced", True)]
    assert made.errors.head.title.startswith("Errors 0 % (assumed) against ")
    assert made.errors.head.note.endswith("assumed: no series of errors is there")


def test_a_note_on_errors_joins_what_else_is_told_of_them():
    few = with_instant(live(), "requests", {"baseline": 10, "enhanced": 100})
    at = few.at.timestamp()
    most = (Timeline((("model_name", "enhanced"),), ((at, 45.0),)),)
    found = with_instant(few, "errors", {"baseline": 30, "enhanced": 5}, note="counted as x", of_models=(("baseline", "told of it"),), most=most)
    assert facts(found).errors.reason == "30 errors counted, capped at the requests; counted as x; told of it"
    open_ended, told = facts(found, "enhanced").errors.reason.split("; ")
    assert (open_ended.startswith("at least, and at most 40 more, as what series"), told) == (True, "counted as x")


def test_numbers_of_a_partial_answer_say_so():
    found = live()
    partial = replace(found, prometheus=replace(found.prometheus, status=replace(found.prometheus.status, is_partial=True)))
    assert "of a partial answer" in facts(partial).requests.reason
    assert "of a partial answer" in facts(partial).mean_latency_ms.reason
    assert "of a partial answer" not in (facts(found).requests.reason or "")


def ended_before(snapshot, seconds, *warnings, step_seconds=300.0):
    """The same with lines in points so far apart, whose last one is so old."""
    end = snapshot.at.timestamp() - seconds
    timelines = [
        replace(answer, step_seconds=step_seconds, series=tuple(Timeline(each.labels, ((end, each.points[-1][1]),)) for each in answer.series))
        for answer in snapshot.prometheus.timelines
    ]
    status = replace(snapshot.prometheus.status, warnings=warnings)
    return replace(snapshot, prometheus=replace(snapshot.prometheus, timelines=tuple(timelines), status=status))


@pytest.mark.parametrize(
    ("seconds", "step_seconds", "is_recorded", "is_stale"),
    [(480, 300, False, True), (480, 300, True, False), (700, 300, True, True), (3_900, 3_600, True, False), (4_000, 3_600, True, True)],
)
def test_the_last_point_of_a_recorded_line_may_be_as_old_as_the_block_after_it_takes(seconds, step_seconds, is_recorded, is_stale):
    warnings = ("counts come from recording rules, in whole steps of 5m until 2026-11-20 11:57:12 UTC",) if is_recorded else ()
    report = build_ab_report(ended_before(live(), seconds, *warnings, step_seconds=float(step_seconds)), None, settings())
    assert {line.latest.stale for line in report.rate.lines} == {is_stale}
