"""Guardrails of one's own through the pages: a harmed one rolls back, one that holds is shown, one that nobody counts ships nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest

from live_dashboards.outputs.sidecars import csv_text
from live_dashboards.outputs.summary import summary_schema, summary_text
from tests.conftest import filled_prometheus
from tests.pipeline.command import page_at
from tests.sources.prometheus_reading import END, labels
from tests.support.prometheus_truth import PrometheusTruth

AT = datetime.fromtimestamp(END, UTC)
ARMS = {"baseline": (0.05, 0.0), "careless": (0.5, 0.0), "enhanced": (0.04, 60.0)}  # timeouts and retries a second, of 40 requests
TIMEOUTS = 'timeouts:ab_test_timeouts_total{kind=~"read|slow,read"}:0.1'


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    truth = PrometheusTruth(start=END - 3 * 3600, end=END, scrape_seconds=60)
    for model, (timeouts, retries) in ARMS.items():
        own = labels(model, job="ab", experiment="launch")
        truth.counter("ab_test_requests_total", own, 40.0)
        truth.counter("ab_test_errors_total", own, 0.02)
        truth.histogram("ab_test_response_time_seconds", own, {0.1: 40.0, 0.5: 0.0})
        truth.counter("ab_test_timeouts_total", {**own, "kind": "slow,read"}, timeouts)
        truth.counter("ab_test_timeouts_total", {**own, "kind": "write"}, 1.0 if model == "enhanced" else 0.05)
        truth.counter("ab_test_retries_total", own, retries)
    with filled_prometheus(truth, tmp_path_factory.mktemp("guarded")) as server:
        yield server


@pytest.fixture
def page(counted, mlflow_database):
    experiment, began = mlflow_database.truth.experiment("launch"), AT - timedelta(hours=2)
    for variant in ARMS:
        metrics, params = {"accuracy": 0.7 if variant == "baseline" else 0.8}, {"test_size": 5000}
        mlflow_database.truth.run(experiment, variant, started=began, ended=began + timedelta(hours=1), metrics=metrics, params=params)

    def made(guardrails, **own):
        own = {"AB_MINIMUM_DAYS": "0", "AB_LATENCY_OBJECTIVE_MS": "500", "AB_WINDOW": "2h", "AB_GUARDRAILS": guardrails, **own}
        return page_at(AT, mlflow_database, counted, **own)

    return made


def test_a_harmed_guardrail_rolls_back_and_is_named_and_one_that_holds_is_shown_and_ships(page):
    report = page(TIMEOUTS)
    outcomes = {guard.comparison.treatment: guard.outcome for guard in report.guardrails if guard.name == "timeouts"}
    assert outcomes == {"careless": "harm", "enhanced": "shown"}
    verdicts = dict(report.verdicts)
    assert verdicts["careless"].verdict == "ROLL BACK"
    assert verdicts["careless"].reasons[0].startswith("rate of timeouts is worse: +1.1")
    assert verdicts["careless"].would_change == ("rate of timeouts back within the margin",)
    assert verdicts["enhanced"].verdict == "SHIP"
    assert report.answer.sentence.endswith("; errors, slow requests and timeouts hold")
    assert (row := next(each for each in report.effect.rows if (each.metric, each.treatment) == ("timeouts", "careless")))
    assert row.estimate == pytest.approx(100 * (0.5 - 0.05) / 40, rel=0.02)


def test_only_the_events_that_the_selector_names_are_guarded(page):
    report = page('timeouts:ab_test_timeouts_total{kind="write"}:0.1')
    assert dict(report.verdicts)["enhanced"].verdict == "ROLL BACK"
    assert report.answer.do_now.startswith("Statistics: ship: careless, roll back: enhanced")


@pytest.mark.parametrize("counter", ["ab_test_crashes_total", 'ab_test_timeouts_total{kind="raed"}'])
def test_a_counter_that_nobody_counts_is_unknown_with_the_reason_and_nothing_ships(page, counter):
    report = page(f"crashes:{counter}:0.1")
    (guard,) = (guard for guard in report.guardrails if guard.name == "crashes" and guard.comparison.treatment == "enhanced")
    reason = f"crashes are not counted: Prometheus has no series {counter} of this experiment"
    assert (guard.outcome, guard.words, guard.comparison.estimate) == ("unknown", reason, None)
    assert dict(report.verdicts)["enhanced"].verdict == "KEEP RUNNING"
    assert dict(report.verdicts)["enhanced"].reasons == (f"rate of crashes not known: {reason}",)


def test_more_events_than_requests_are_capped_and_that_is_said(page):
    report = page("retries:ab_test_retries_total:1")
    guard = next(guard for guard in report.guardrails if (guard.name, guard.comparison.treatment) == ("retries", "enhanced"))
    assert (guard.outcome, guard.comparison.estimate) == ("harm", pytest.approx(100))
    (told,) = (text for text in report.health.notices if "capped" in text)
    assert told.startswith("rate of retries of enhanced: 21")
    assert told.endswith("retries beyond the requests of their time are left out (capped at the requests)")


def test_the_summary_the_drawn_values_and_the_alt_text_have_them_and_the_built_in_ones_are_as_before(page):
    without, report = page(""), page(TIMEOUTS)
    plain, found = (json.loads(summary_text(each)) for each in (without, report))
    jsonschema.validate(found, summary_schema())
    built_in = [row for row in found["guardrails"] if row["name"] != "timeouts"]
    assert [(row["name"], row["metric"], row["label"], row["margin"]) for row in built_in] == [
        (row["name"], row["metric"], row["label"], row["margin"]) for row in plain["guardrails"]
    ]
    assert [row["treatment"] for row in found["comparisons"] if row["metric"] == "timeouts"] == ["enhanced", "careless"]
    difference = next(row for row in found["measurements"] if (row["name"], row["variant"]) == ("timeouts_difference", "careless"))
    assert difference["origin"] == "live"
    assert 'ab_test_timeouts_total{kind=~"read|slow,read", experiment' in difference["query"]
    assert "rate of timeouts" in report.alt_text
    assert "timeouts" in csv_text(report)


def test_harm_is_looked_for_at_one_level_over_all_guardrails(page):
    def width(guardrails):
        return next(row.harm_high - row.harm_low for row in page(guardrails).comparisons if (row.metric, row.treatment) == ("error_rate", "enhanced"))

    more = ",".join(f"more_{name}:ab_test_timeouts_total:1" for name in "abc")
    assert width(more) > width("")
