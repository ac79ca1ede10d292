"""Tests whose traffic split changes while the error rate moves, through the whole page on real servers: what counts is the difference at the same time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.pipeline.command import log_two_models, page_at
from tests.sources.prometheus_reading import END, HOUR, labels
from tests.sources.test_prometheus_counts import ERRORS, REQUESTS
from tests.support.prometheus_truth import PrometheusTruth

AT = datetime.fromtimestamp(END, UTC)
DAYS = 8.0
DAY = 24 * HOUR
START = END - DAYS * DAY
LATENCY = "ab_test_response_time_seconds"

# by phase of equal length: requests and errors of the baseline, requests and errors of the challenger
WORSE = ((99_000, 2970, 1000, 36), (95_000, 1900, 5000, 120), (80_000, 1200, 20_000, 360), (50_000, 500, 50_000, 600))
EQUAL = ((99_000, 990, 1000, 10), (95_000, 1425, 5000, 75), (80_000, 1600, 20_000, 400), (50_000, 1500, 50_000, 1500))
BETTER = ((90_000, 900, 10_000, 75), (50_000, 1500, 50_000, 1125))
STEADY = ((50_000, 1500, 50_000, 1125), (50_000, 1500, 50_000, 1125))


@pytest.fixture
def report(mlflow_database, prometheus):
    """`report(phases, AB_X="...")`: the A/B page of a test that went through these phases."""
    log_two_models(mlflow_database, AT, hours_before=9 * 24, accuracies=(0.78, 0.82))

    def make(phases, **own):
        return page_at(AT, mlflow_database, prometheus(ramp(phases)), **own)

    return make


def ramp(phases):
    """Each phase's counts, evenly over its time; response times are all within the objective."""
    truth = PrometheusTruth(start=START - HOUR, end=END, scrape_seconds=300.0)
    seconds = DAYS * DAY / len(phases)
    for model, first in (("baseline", 0), ("enhanced", 2)):
        for name, column in ((REQUESTS, first), (ERRORS, first + 1)):
            truth.counter(name, labels(model), [(START - HOUR, 0.0), *((START + index * seconds, phase[column] / seconds) for index, phase in enumerate(phases))])
        truth.histogram(LATENCY, labels(model), {0.1: 0.1, 0.25: 0.05}, starts_at=START)
    return truth


def error_rate(page):
    return next(each for each in page.comparisons if each.metric == "error_rate")


@pytest.mark.parametrize(
    ("phases", "within", "pooled", "verdict"),
    [
        pytest.param(WORSE, 0.263, -0.56, "ROLL BACK", id="20 % more errors in every phase"),
        pytest.param(EQUAL, 0.0, 0.91, "KEEP RUNNING", id="the same in every phase"),
        pytest.param(BETTER, -0.618, 0.29, "SHIP", id="25 % fewer errors in every phase"),
        pytest.param(STEADY, -0.75, -0.75, "SHIP", id="no ramp"),
    ],
)
def test_a_ramp_does_not_decide(report, phases, within, pooled, verdict):
    page = report(phases)
    row = error_rate(page)
    assert row.estimate == pytest.approx(within, abs=0.02)
    assert row.pooled == pytest.approx(pooled, abs=0.02)
    assert row.low < within < row.high
    assert row.low <= row.harm_low < row.harm_high <= row.high
    assert page.verdict.verdict == verdict


OUTAGE = (END - 4 * DAY - 2 * HOUR, END - 4 * DAY + 4 * HOUR)


@pytest.fixture
def outage(mlflow_database, prometheus):
    """`outage(AB_X="...")`: the A/B page of a test in which the challenger failed for six hours, and was like the baseline else."""
    truth = PrometheusTruth(start=START - HOUR, end=END, scrape_seconds=300.0)
    for model in ("baseline", "enhanced"):
        truth.counter(REQUESTS, labels(model), [(START - HOUR, 0.0), (START, 0.15)])
        errors = [(START - HOUR, 0.0), (START, 0.0015), *(((OUTAGE[0], 0.09), (OUTAGE[1], 0.0015)) if model == "enhanced" else ())]
        truth.counter(ERRORS, labels(model), errors)
        truth.histogram(LATENCY, labels(model), {0.1: 0.1, 0.25: 0.05}, starts_at=START)
    served = prometheus(truth)

    def make(**own):
        return page_at(AT, mlflow_database, served, **own)

    return make


def moment(seconds):
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%MZ")


def test_a_stretch_that_is_left_out_counts_for_no_arm_and_is_told(outage):
    stretch = f"{moment(OUTAGE[0])}/{moment(OUTAGE[1])}"
    whole, without = outage(), outage(AB_EXCLUDE=f"{stretch}, 2020-01-01T00:00Z/2020-01-02T00:00Z")
    assert error_rate(whole).estimate > 1
    row = error_rate(without)
    assert row.estimate == pytest.approx(0, abs=5e-3)
    assert row.pooled == pytest.approx(0, abs=5e-3)
    other, excluded = without.period.excluded
    assert other.share_percent == 0
    assert (excluded.begin.timestamp(), excluded.end.timestamp()) == OUTAGE
    assert excluded.share_percent == pytest.approx(100 * 6 / (DAYS * 24), abs=0.6)  # blocks of an hour that touch the stretch
    lost = error_rate(whole).n_treatment - row.n_treatment
    assert 6 <= lost / (0.15 * HOUR) <= 7.01
    (notice,) = [text for text in without.health.notices if "AB_EXCLUDE" in text]
    assert notice.startswith("left out of all arms by AB_EXCLUDE, of the requests since the start: 1 Jan 00:00 UTC to 2 Jan 00:00 UTC (nothing of this test), ")
    assert whole.period.excluded == ()
    assert [each.n for each in without.split_test.observed] == [row.n_treatment + row.n_control] * 2


def test_what_carries_a_harm_is_told_with_what_would_leave_it_out(outage):
    page = outage()
    row = error_rate(page)
    assert abs(row.carried.begin.timestamp() - OUTAGE[0]) <= HOUR
    assert abs(row.carried.end.timestamp() - OUTAGE[1]) <= HOUR
    assert row.carried.share_percent > 80  # the edges of the outage lie within blocks
    (told,) = [text for text in page.health.notices if "AB_EXCLUDE=" in text]
    assert told.startswith("error rate of enhanced: ")
    assert told.endswith("leaves that out, chosen after looking")
    without = outage(AB_EXCLUDE=told.partition("AB_EXCLUDE=")[2].split(" ")[0])
    assert error_rate(without).estimate == pytest.approx(row.carried.without, abs=0.05)
    assert error_rate(without).carried is None
    assert error_rate(without).high - error_rate(without).low < 0.5 * (row.high - row.low)


def test_what_is_within_its_margin_needs_no_cause(outage):
    assert not any("AB_EXCLUDE=" in text for text in outage(AB_ERROR_MARGIN_POINTS="50").health.notices)


def test_a_harm_that_is_there_all_the_time_is_carried_by_none(report):
    page = report(WORSE)
    assert (page.verdict.verdict, error_rate(page).carried) == ("ROLL BACK", None)


HARMED_MORE = (*((50_000, 500, 50_000, 1500),) * 5, (50_000, 500, 50_000, 2500), *((50_000, 500, 50_000, 1500),) * 6)


def test_a_roll_back_tells_what_part_of_it_one_stretch_carries(report):
    page = report(HARMED_MORE)
    reasons = [text for text in page.verdict.reasons if "AB_EXCLUDE=" in text]
    assert (page.verdict.verdict, len(reasons)) == ("ROLL BACK", 1)
    assert "+2.00 pt without" in reasons[0]


def plans(*shares):
    """A plan for each phase: the challenger's share in percent."""
    seconds = DAYS * DAY / len(shares)
    return "; ".join(f"{moment(START + index * seconds)} baseline={100 - share},enhanced={share}" for index, share in enumerate(shares))


def test_each_part_of_a_ramp_is_held_against_its_own_plan(report):
    kept = report(WORSE, AB_TRAFFIC_SPLIT=plans(1, 5, 20, 50)).split_test
    assert kept.flag == "ok"
    assert dict(kept.planned) == {"baseline": pytest.approx(81, abs=0.2), "enhanced": pytest.approx(19, abs=0.2)}  # of what came in all


def test_a_part_that_is_not_as_planned_is_named_and_steps_of_the_data_excuse_nothing(report):
    off = report(WORSE, AB_TRAFFIC_SPLIT=plans(1, 5, 25, 50))
    assert off.split_test.flag == "red"
    assert off.split_test.reason.startswith(f"shares are off by up to 5 pt since {datetime.fromtimestamp(START + 4 * DAY, UTC):%-d %b %H:%M} UTC")
    assert off.verdict.verdict == "NO VERDICT"
    assert report(WORSE, AB_TRAFFIC_SPLIT="baseline=50,enhanced=50").split_test.flag == "red"
