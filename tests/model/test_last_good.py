"""A source that falls silent is shown as it last was, marked, for a while; nothing is invented in its place."""

from dataclasses import replace
from datetime import timedelta

import pytest

from live_dashboards.analysis.business.report import build_business_report
from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.model.codec import LastGood
from live_dashboards.model.measurement import Origin
from live_dashboards.model.snapshot import SourceState
from live_dashboards.panels import inputs, net
from tests.support.snapshots import live, settings, stand_in, without_mlflow, without_prometheus

LIMIT_SECONDS = 120.0
BOTH = live()


def later(snapshot, seconds):
    return replace(snapshot, at=BOTH.at + timedelta(seconds=seconds))


def without_both(snapshot):
    return without_prometheus(without_mlflow(snapshot))


def filled(snapshot, limit_seconds=LIMIT_SECONDS):
    return LastGood().after(BOTH).fill(snapshot, limit_seconds)


def page(snapshot, **values):
    return build_ab_report(filled(snapshot), stand_in(), settings(**values))


def origins(made):
    return {measurement.origin for measurement in made.measurements}


def test_what_both_sources_answer_now_is_left_as_it_is():
    assert filled(BOTH) == BOTH


def test_a_source_that_fails_is_shown_as_it_last_answered_with_the_reason():
    found = filled(later(without_mlflow(BOTH), 60))
    assert found.mlflow == replace(BOTH.mlflow, origin=Origin.CACHED, status=found.mlflow.status)
    assert (found.mlflow.status.state, found.mlflow.status.answered_at) == (SourceState.CACHED, BOTH.at)
    assert found.mlflow.status.reason == "refuses the connection"


def test_after_the_limit_it_is_missing_with_the_moment_of_its_last_answer():
    found = filled(later(without_prometheus(BOTH), LIMIT_SECONDS + 1))
    assert found.prometheus.instants == ()
    assert (found.prometheus.status.state, found.prometheus.status.answered_at) == (SourceState.FAILED, BOTH.at)


def test_a_source_that_answers_without_data_is_believed():
    found = filled(later(without_prometheus(BOTH, SourceState.NO_AB_DATA, "reachable, no A/B data"), 1))
    assert not found.prometheus.status.has_answered


def test_a_failure_does_not_push_out_the_last_good_answer():
    kept = LastGood().after(BOTH).after(later(without_both(BOTH), 30))
    assert (kept.mlflow, kept.prometheus, kept.mlflow_at) == (BOTH.mlflow, BOTH.prometheus, BOTH.at)


@pytest.mark.parametrize(
    ("snapshot", "badge"),
    [
        (later(without_mlflow(BOTH), 30), "OPERATIONAL DATA"),
        (later(without_prometheus(BOTH), 30), "MODEL DATA"),
        (later(without_both(BOTH), 30), "CACHED DATA"),
        (later(without_both(BOTH), LIMIT_SECONDS + 1), "CACHED DATA"),
        (later(without_mlflow(BOTH), LIMIT_SECONDS + 1), "OPERATIONAL DATA"),
    ],
)
def test_the_badge_counts_what_is_answered_now_and_nothing_is_simulated(snapshot, badge):
    made = page(snapshot)
    assert made.badge.kind.value == badge
    assert Origin.SIMULATED not in origins(made)
    assert "MLflow" in made.badge.second_line or "Prometheus" in made.badge.second_line
    assert made.badge.values_live == sum(one.is_live for one in made.measurements)


@pytest.mark.parametrize(
    ("snapshot", "words"),
    [
        (later(without_mlflow(BOTH), 30), "cached: MLflow 30 s old"),
        (later(without_both(BOTH), 90), "cached: MLflow 2 min, Prometheus 2 min old"),
        (later(without_prometheus(BOTH), LIMIT_SECONDS + 1), "last answer: Prometheus 20 Nov 12:00 UTC"),
    ],
)
def test_the_age_of_a_silent_source_stands_on_the_badge(snapshot, words):
    assert words in page(snapshot).badge.second_line


def test_a_page_without_any_answer_says_why_there_is_no_verdict():
    assert page(later(without_both(BOTH), LIMIT_SECONDS + 1)).verdict.reasons[0].startswith("MLflow: refuses the connection")


def test_past_the_limit_of_both_sources_every_value_is_missing():
    assert origins(page(later(without_both(BOTH), LIMIT_SECONDS + 1))) == {Origin.MISSING}


def test_cached_values_keep_their_moment_and_their_panels_say_so():
    made = page(later(without_both(BOTH), 30))
    values = {one.name: one for one in made.measurements if one.variant == "enhanced"}
    assert values["requests"].observed_at == {one.name: one for one in page(BOTH).measurements if one.variant == "enhanced"}["requests"].observed_at
    assert {made.rate.head.origin, made.runs.head.origin, made.status.origin} == {Origin.CACHED}
    assert any(row.state == "stale" and "cached" in row.label for row in made.health.rows)


@pytest.mark.parametrize("change", [without_mlflow, without_prometheus, without_both])
def test_cached_values_decide_nothing(change):
    fresh, cached = page(BOTH, AB_MINIMUM_DAYS="0"), page(later(change(BOTH), 1), AB_MINIMUM_DAYS="0")
    assert fresh.verdict.verdict != "NO VERDICT"
    assert cached.verdict.verdict == "NO VERDICT"
    assert "decides nothing" in cached.verdict.reasons[0]


def test_the_business_page_withholds_its_recommendation_on_cached_values():
    made = build_business_report(filled(later(without_both(BOTH), 30)), stand_in(), settings())
    assert made.recommendation.verdict.startswith("withheld")
    assert {net.head(made).origin, inputs.head(made).origin} == {Origin.CACHED}
    assert made.case.net.origin is Origin.CACHED
