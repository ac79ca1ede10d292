"""Latency without buckets through the pages: judged by its mean within blocks of time; without any, not judged, which blocks SHIP unless that is waived."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import jsonschema
import numpy as np
import pytest

from live_dashboards.outputs.sidecars import csv_text
from live_dashboards.outputs.summary import summary_schema, summary_text
from tests.conftest import filled_prometheus
from tests.pipeline.command import page_at
from tests.sources.prometheus_reading import END, labels
from tests.support.prometheus_truth import PrometheusTruth, TrueSeries

AT = datetime.fromtimestamp(END, UTC)
HOURS, SCRAPE_SECONDS, REQUESTS_A_SCRAPE = 8, 60, 600
LATENCY = "ab_test_response_time_seconds"
BASELINE_MS = 200.0
PLAIN, HISTOGRAM, NOTHING, NO_SUM, COUNT = "sum and count", "with buckets", "nothing", "buckets without a sum", "count alone"
# milliseconds that the challenger takes longer, and what the baseline and the challenger expose
WORLDS = {
    "equal": (0.0, PLAIN, PLAIN),
    "slower": (60.0, PLAIN, PLAIN),
    "half": (0.0, HISTOGRAM, PLAIN),
    "half-slower": (60.0, HISTOGRAM, PLAIN),
    "buckets": (0.0, HISTOGRAM, HISTOGRAM),
    "buckets-slower": (60.0, HISTOGRAM, HISTOGRAM),
    "silent": (0.0, NOTHING, NOTHING),
    "half-silent": (0.0, PLAIN, NOTHING),
    "unlike": (0.0, NO_SUM, PLAIN),
    "without-sums": (0.0, NO_SUM, NO_SUM),
    "count-alone": (0.0, PLAIN, COUNT),
}


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    truth = PrometheusTruth(start=END - HOURS * 3600, end=END, scrape_seconds=SCRAPE_SECONDS)
    random = np.random.default_rng(11)
    for name, (slower_ms, *exposed) in WORLDS.items():
        for model, more_ms, kind in zip(("baseline", "enhanced"), (0.0, slower_ms), exposed, strict=True):
            _expose(truth, labels(model, job="ab", experiment=name), kind, BASELINE_MS + more_ms, random)
    with filled_prometheus(truth, tmp_path_factory.mktemp("means")) as server:
        yield server


def _expose(truth, own, kind, mean_ms, random):
    """Requests that take times with that mean and a spread of 150 ms, and what is counted of them."""
    scrapes = HOURS * 3600 // SCRAPE_SECONDS
    requests = random.poisson(REQUESTS_A_SCRAPE, scrapes)
    seconds = (mean_ms * requests + 150 * np.sqrt(requests) * random.normal(size=scrapes)) / 1000
    slow = random.binomial(requests, 0.05 if mean_ms == BASELINE_MS else 0.15)
    told = {"ab_test_requests_total": requests, "ab_test_errors_total": random.binomial(requests, 0.001)}
    if kind != NOTHING:
        told |= {f"{LATENCY}_count": requests}
    if kind in {PLAIN, HISTOGRAM}:
        told |= {f"{LATENCY}_sum": seconds}
    for metric, grown in told.items():
        truth.series.append(_series(truth, metric, own, grown))
    if kind in {HISTOGRAM, NO_SUM}:
        for bound, grown in (("0.25", requests - slow), ("+Inf", requests)):
            truth.series.append(_series(truth, f"{LATENCY}_bucket", {**own, "le": bound}, grown))


def _series(truth, metric, own, grown):
    times = truth.start + SCRAPE_SECONDS * np.arange(len(grown) + 1)
    values = np.concatenate([[0.0], np.cumsum(grown, dtype=float)])
    return TrueSeries(metric, dict(own), tuple(zip(times.tolist(), values.tolist(), strict=True)))


@pytest.fixture
def page(counted, mlflow_database):
    began = AT - timedelta(hours=HOURS)
    for name in WORLDS:
        experiment = mlflow_database.truth.experiment(name)
        for variant, accuracy in (("baseline", 0.7), ("enhanced", 0.8)):
            mlflow_database.truth.run(experiment, variant, started=began - timedelta(hours=1), ended=began, metrics={"accuracy": accuracy}, params={"test_size": 5000})

    def made(name, **own):
        return page_at(AT, mlflow_database, counted, AB_EXPERIMENT=name, AB_MINIMUM_DAYS="0", **own)

    return made


def latency(report):
    (found,) = (guard for guard in report.guardrails if guard.name == "latency")
    return found


def document(report):
    found = json.loads(summary_text(report))
    jsonschema.validate(found, summary_schema())
    return found


MEAN_TOLD = "latency is judged by its mean, which hides the slow tail: no buckets of response times of both arms"
NOT_JUDGED = "not judged, which blocks SHIP: no response times of {}; export them, or set AB_WAIVE=latency"
WAIVED = "waived by AB_WAIVE=latency, not judged: no response times of {}"


@pytest.mark.parametrize("world", ["equal", "half"])
def test_without_buckets_in_an_arm_equal_means_hold_and_ship(page, world):
    report = page(world)
    guard = latency(report)
    assert (guard.outcome, guard.label, guard.margin, guard.comparison.metric, guard.comparison.unit) == (
        "shown",
        "Mean latency not worse",
        25.0,
        "mean_latency_ms",
        "ms",
    )
    assert abs(guard.comparison.estimate) < 3
    assert report.verdict.verdict == "SHIP"
    assert guard.words.endswith(", margin 25 ms")
    assert f"mean latency: {guard.words}" in report.verdict.reasons
    assert report.answer.sentence.endswith("; errors and mean latency hold")


@pytest.mark.parametrize("world", ["slower", "half-slower"])
def test_a_challenger_that_takes_60_ms_longer_is_rolled_back(page, world):
    report = page(world)
    guard = latency(report)
    assert (guard.outcome, guard.comparison.sequential) == ("harm", True)
    assert guard.comparison.estimate == pytest.approx(60, abs=3)
    assert 58 < guard.comparison.low <= guard.comparison.harm_low < guard.comparison.harm_high <= guard.comparison.high < 63
    assert (report.verdict.verdict, report.verdict.rule[0]) == ("ROLL BACK", "3")
    assert report.verdict.reasons == (f"mean latency is worse: {guard.words}",)
    assert report.answer.sentence.startswith("mean latency of enhanced is 60")
    assert " ms more (" in report.answer.sentence


def test_a_greater_margin_holds_and_it_is_the_one_that_is_set(page):
    guard = latency(page("slower", AB_LATENCY_MARGIN_MS="80"))
    assert (guard.outcome, guard.margin) == ("shown", 80.0)
    assert guard.words.endswith(", margin 80 ms")


def test_the_page_says_once_that_it_is_the_mean_that_is_judged(page):
    report = page("equal")
    assert report.health.notices.count(MEAN_TOLD) == 1
    assert sum("hides the slow tail" in text for text in document(report)["notices"]) == 1


def test_the_json_the_drawn_values_and_the_effect_panel_have_the_mean_in_its_unit(page):
    report = page("slower")
    found = document(report)
    (gate,) = (row for row in found["guardrails"] if row["name"] == "latency")
    (row,) = (row for row in found["comparisons"] if row["metric"] == "mean_latency_ms")
    assert (gate["metric"], gate["unit"], gate["margin"], gate["outcome"]) == ("mean_latency_ms", "ms", 25.0, "harm")
    assert (row["unit"], row["sequential"], row["low"], row["harm_low"]) == ("ms", True, gate["low"], gate["harm_low"])
    assert not [row for row in found["comparisons"] if row["metric"] == "over_latency_objective"]
    difference = next(each for each in found["measurements"] if each["name"] == "mean_latency_ms_difference")
    assert (difference["origin"], difference["unit"]) == ("live", "ms")
    assert f"{LATENCY}_sum" in difference["query"]
    assert [each.metric for each in report.effect.own_scale] == ["mean_latency_ms"]
    assert ",mean_latency_ms," in csv_text(report)


def test_the_evidence_over_time_is_that_of_the_mean_and_ends_at_the_page_s_own_limits(page):
    report = page("slower")
    line = next(each for each in report.evidence.lines if each.metric == "mean_latency_ms")
    assert (report.evidence.metric, line.unit) == ("mean_latency_ms", "ms")
    assert report.evidence.head.title.startswith("Mean latency worse since ")
    guard = latency(report).comparison
    last = line.points[-1]
    assert (last.at, last.estimate, last.low, last.harm_high) == (AT, guard.estimate, guard.low, guard.harm_high)
    assert [each.low is None for each in line.points][:3] == [True] * 3
    (told,) = (each for each in document(report)["evidence"] if each["metric"] == "mean_latency_ms")
    assert (told["unit"], told["points"][-1]["low"]) == ("ms", guard.low)


def test_the_latency_panel_shows_the_means_where_there_are_no_percentiles(page):
    panel = page("slower").latency
    assert panel.head.title.startswith("Mean 26")
    assert " ms against 20" in panel.head.title
    assert panel.head.note == "tick: mean; without buckets there are no percentiles"


def test_with_buckets_nothing_but_the_share_is_judged_whatever_the_mean_is(page):
    for world, outcome in (("buckets", "shown"), ("buckets-slower", "harm")):
        report = page(world, AB_LATENCY_MARGIN_MS="0.001")
        assert (latency(report).outcome, latency(report).comparison.metric, latency(report).margin) == (outcome, "over_latency_objective", 1.0)
        assert not [text for text in report.health.notices if "latency" in text]


def test_with_buckets_and_no_sums_the_share_is_judged(page):
    guard = latency(page("without-sums"))
    assert (guard.outcome, guard.comparison.metric) == ("shown", "over_latency_objective")


@pytest.mark.parametrize(
    ("world", "arms"),
    [
        ("silent", "baseline and enhanced"),
        ("half-silent", "enhanced"),
        ("unlike", "baseline and enhanced of one kind"),
        ("count-alone", "enhanced (enhanced has no sum of its response times)"),
    ],
)
def test_without_response_times_the_guardrail_is_not_judged_and_nothing_ships(page, world, arms):
    report = page(world)
    assert (latency(report).outcome, latency(report).words) == ("unknown", NOT_JUDGED.format(arms))
    assert report.verdict.verdict == "KEEP RUNNING"
    assert report.verdict.reasons == (f"latency {NOT_JUDGED.format(arms)}",)
    assert report.verdict.would_change == ("response times of both arms for latency, or AB_WAIVE=latency",)
    assert f"latency of enhanced is {NOT_JUDGED.format(arms)}" in report.health.notices


@pytest.mark.parametrize(("world", "arms"), [("silent", "baseline and enhanced"), ("half-silent", "enhanced")])
def test_a_waiver_lets_it_ship_and_page_json_verdict_and_answer_say_so(page, world, arms):
    report = page(world, AB_WAIVE="latency")
    assert report.verdict.verdict == "SHIP"
    assert report.verdict.reasons[-1] == f"latency {WAIVED.format(arms)}"
    assert report.answer.sentence.endswith("; latency is not judged (waived)")
    found = document(report)
    (gate,) = (row for row in found["guardrails"] if row["name"] == "latency")
    assert (gate["outcome"], gate["words"], gate["estimate"]) == ("waived", WAIVED.format(arms), None)
    assert f"latency of enhanced is {WAIVED.format(arms)}" in found["notices"]
    assert WAIVED.format(arms) in found["alt_text"]


@pytest.mark.parametrize("world", ["slower", "half-slower", "buckets-slower"])
def test_a_waiver_waives_no_latency_that_is_measured(page, world):
    assert page(world, AB_WAIVE="latency").verdict.verdict == "ROLL BACK"


def test_before_six_hours_a_mean_is_not_known_and_a_waiver_does_not_help(page):
    report = page("slower", AB_START=f"{END - 3 * 3600:.0f}", AB_WAIVE="latency")
    guard = latency(report)
    assert (guard.outcome, guard.comparison.low, guard.comparison.estimate) == ("unknown", None, pytest.approx(60, abs=4))
    assert guard.words.startswith("no interval: ")
    assert guard.words.endswith(" tell of both so far, a mean needs 24 blocks of time and 6 h")
    assert report.verdict.verdict == "KEEP RUNNING"
    assert "mean latency once there are 24 blocks of time and 6 h" in report.verdict.would_change


def test_an_open_mean_has_its_forecast_by_the_variance_so_far(page):
    report = page("equal", AB_LATENCY_MARGIN_MS="0.5")
    gate = next(each for each in report.decision_forecast if each.gate == "latency")
    assert (gate.outcome, gate.metric, gate.needs) == ("open", "mean_latency_ms", "an upper limit below 0.5 ms")
    assert " ms so far, " in gate.assumes
    assert gate.requests_needed > gate.requests_now > 0
    assert 0.3 < gate.days.low <= gate.days.high < 60


def test_the_business_page_has_the_gate(counted, mlflow_database, page):
    page("equal")
    report = page_at(AT, mlflow_database, counted, kind="business", AB_EXPERIMENT="slower", AB_MINIMUM_DAYS="0")
    gate = next(each for each in report.gates if each.label == "Mean latency not worse")
    assert gate.state == "failed"
    assert gate.words.endswith(", max 25 ms")
    waived = page_at(AT, mlflow_database, counted, kind="business", AB_EXPERIMENT="silent", AB_MINIMUM_DAYS="0", AB_WAIVE="latency")
    gate = next(each for each in waived.gates if each.label.startswith("Over 250 ms"))
    assert (gate.state, gate.words) == ("unknown", WAIVED.format("baseline and enhanced"))
