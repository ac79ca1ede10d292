"""How the evidence of a test grew, on real servers: each point is what the page of that moment said, and a part that differs from the rest is told."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from live_dashboards.model.measurement import Origin
from live_dashboards.model.moment import format_moment
from live_dashboards.outputs.evidence_summary import evidence
from live_dashboards.panels.evidence import charts
from tests.pipeline.command import log_two_models, page_at
from tests.sources.prometheus_reading import END, HOUR, labels
from tests.sources.test_prometheus_counts import ERRORS, REQUESTS
from tests.support.prometheus_truth import PrometheusTruth

AT = datetime.fromtimestamp(END, UTC)
DAY = 24 * HOUR
LATENCY = "ab_test_response_time_seconds"


def replay(days, rates, scrape_seconds=300.0):
    """A test of so many days; `rates(hour)` gives the share of errors of baseline and challenger in that hour of it, of 400 requests an hour each."""
    start = END - days * DAY
    truth = PrometheusTruth(start=start - 2 * HOUR, end=END, scrape_seconds=scrape_seconds)
    hours = range(round(days * 24))
    for number, model in enumerate(("baseline", "enhanced")):
        truth.counter(REQUESTS, labels(model), [(start - HOUR, 0.0), (start, 400 / HOUR)])
        phases = [(start + hour * HOUR, 400 * rates(hour)[number] / HOUR) for hour in hours]
        truth.counter(ERRORS, labels(model), [(start - HOUR, 0.0), *phases])
        truth.histogram(LATENCY, labels(model), {0.1: 0.1, 0.25: 0.01, 0.5: 0.001}, starts_at=start)
    return truth


def noisy(hour):
    draw = random.Random(hour // 3)  # noqa: S311 noise
    return 0.03 * draw.uniform(0.5, 1.5), 0.034 * draw.uniform(0.5, 1.5)


@pytest.fixture
def page(mlflow_database, prometheus):
    """`page(truth, at, AB_X="...")`: the A/B page of that moment."""
    log_two_models(mlflow_database, AT, hours_before=20 * 24, accuracies=(0.78, 0.82))
    servers = {}

    def make(truth, at=AT, **own):
        if id(truth) not in servers:
            servers[id(truth)] = prometheus(truth)
        return page_at(at, mlflow_database, servers[id(truth)], **own)

    return make


def line(page, metric="error_rate"):
    return next(each for each in page.evidence.lines if each.metric == metric)


def told(point):
    return point.estimate, point.low, point.high, point.harm_low, point.harm_high


def compared(page, metric="error_rate"):
    row = next(each for each in page.comparisons if each.metric == metric)
    return row.estimate, row.low, row.high, row.harm_low, row.harm_high


def test_each_point_is_what_the_page_of_that_moment_said(page):
    truth = replay(9, noisy)
    whole = page(truth)
    points = {metric: line(whole, metric).points for metric in ("error_rate", "over_latency_objective")}
    ages = [(each.at.timestamp() - END) / DAY + 9 for each in points["error_rate"]]
    days = [index for index, each in enumerate(points["error_rate"]) if each.at.hour == 0 and ages[index] >= 1]
    assert len(days) == 8
    for index in (*days, -1):
        of_that_day = page(truth, points["error_rate"][index].at)
        for metric, found in points.items():
            assert told(found[index]) == pytest.approx(compared(of_that_day, metric), abs=1e-9), (metric, found[index].at)


STEADY, NOISY = (lambda _: (0.03, 0.034)), noisy


@pytest.mark.parametrize(("rates", "factor"), [(STEADY, 1.02), (NOISY, 3)])
def test_within_the_first_day_blocks_are_longer_than_they_were_then_which_limits_notice_only_where_rates_move(page, rates, factor):
    """The difference is the same. Limits follow from how much blocks scatter, which few longer blocks tell as well where nothing moves, and only
    roughly where it does: 0.5 to 1.9 times in 19 trials at other times of day."""
    truth = replay(9, rates)
    young = [each for each in line(page(truth)).points if 1.1 < 24 * ((each.at.timestamp() - END) / DAY + 9) < 24]
    assert len(young) >= 3
    for point in young:
        row = compared(page(truth, point.at))
        assert point.estimate == pytest.approx(row[0], abs=1e-9)
        assert 1 / factor < (point.high - point.low) / (row[2] - row[1]) < factor


def test_a_cold_start_is_told_with_the_start_that_leaves_it_out(page):
    truth = replay(9, lambda hour: (0.03, 0.2 if hour < 6 else 0.03))
    whole = page(truth)
    shift = line(whole).shift
    start = END - 9 * DAY
    assert shift.is_early
    assert abs(shift.end.timestamp() - start - 6 * HOUR) <= HOUR
    assert shift.within == pytest.approx(17, abs=2)
    assert shift.elsewhere == pytest.approx(0, abs=0.2)
    ab_start = f"{shift.end:%Y-%m-%dT%H:%MZ}"
    assert any(f"AB_START={ab_start} leaves the beginning out, chosen after looking" in notice for notice in whole.health.notices)
    anew = page(truth, AB_START=ab_start)
    assert line(anew).shift is None
    widths = [high - low for _, low, high, *_ in map(compared, (whole, anew))]
    assert widths[1] < widths[0] / 2


def test_a_last_third_that_differs_is_told_and_offers_no_start(page):
    whole = page(replay(9, lambda hour: (0.03, 0.03 if hour < 150 else 0.06)))
    shift = line(whole).shift
    assert not shift.is_early
    assert (shift.within, shift.elsewhere) == (pytest.approx(3, abs=0.3), pytest.approx(0, abs=0.3))
    (notice,) = [each for each in whole.health.notices if "in the last third of the test" in each]
    assert "no one difference describes the whole" in notice
    assert "AB_START" not in notice


def test_a_steady_difference_has_no_part_that_differs(page):
    assert line(page(replay(9, lambda _: (0.03, 0.034)))).shift is None


def test_a_test_of_three_hours_is_told_block_by_block(page):
    points = line(page(replay(3 / 24, lambda _: (0.05, 0.05), scrape_seconds=15.0), AB_START=f"{END - 3 * HOUR:.0f}")).points
    assert len(points) > 20
    assert points[-1].at == AT


@pytest.mark.parametrize("after_edge_seconds", [-1, 1, 600, 1800])
def test_restarts_and_steps_of_the_split_stand_beside_the_evidence(page, after_edge_seconds):
    """A restart is seen wherever it is, also between the last scrape of a block and the first of the next."""
    start = END - 9 * DAY
    edge = (start + 6 * DAY) // HOUR * HOUR
    truth = PrometheusTruth(start=edge - 6 * DAY - 3 * HOUR + 100, end=END, scrape_seconds=300.0)
    for model, share in (("baseline", 0.9), ("enhanced", 0.1)):
        steps = [(start - HOUR, 0.0), (start, share * 800 / HOUR), (start + 4 * DAY, 400 / HOUR)]
        resets = (edge + after_edge_seconds,) if model == "enhanced" else ()
        truth.counter(REQUESTS, labels(model), steps, resets=resets)
        truth.counter(ERRORS, labels(model), [(at, rate / 30) for at, rate in steps], resets=resets)
    whole = page(truth)
    found = [(each.what, each.label, (each.at.timestamp() - start) / DAY) for each in whole.evidence.changes]
    assert found == [("split", "enhanced 50 %", pytest.approx(4, abs=0.05)), ("restart", "enhanced restarts", pytest.approx(6, abs=0.05))]
    (chart,) = charts(whole)
    assert [label for _, label in chart.marks] == ["enhanced 50 %", "enhanced restarts"]


def test_the_summary_holds_every_point_and_nothing_that_stands_in_for_a_source(page):
    whole = page(replay(9, lambda _: (0.03, 0.034)))
    (found,) = [each for each in evidence(whole) if each["metric"] == "error_rate"]
    assert [(each["at"], each["estimate"], each["low"]) for each in found["points"]] == [(format_moment(each.at), each.estimate, each.low) for each in line(whole).points]
    stand_in = replace(line(whole), origin=Origin.SIMULATED)
    assert evidence(replace(whole, evidence=replace(whole.evidence, lines=(stand_in,)))) == []
