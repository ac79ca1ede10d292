"""What the test can see, and how long it takes to the planned requests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from live_dashboards.analysis.statistics.proportions import Counts, difference, required_n_per_arm
from live_dashboards.analysis.verdict.power import days_words
from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.model.measurement import Interval, Measurement, Origin
from live_dashboards.model.snapshot import Timeline
from tests.support.snapshots import live, of_the_window, settings, stand_in, with_values

DAY = 86_400.0


def report(snapshot=None, **values):
    return build_ab_report(live() if snapshot is None else snapshot, stand_in(), settings(**values))


def test_a_fixed_test_sees_what_its_required_n_says():
    found = report(with_values(live(), "enhanced", "accuracy", value=0.782))
    points = found.power.detectable.value
    n = next(row for row in found.comparisons if row.metric == "accuracy").n_treatment
    assert required_n_per_arm(0.782, 0.782 + points / 100) == pytest.approx(n, rel=0.05)


def test_so_often_as_it_says_the_interval_excludes_0():
    found = report(with_values(live(), "enhanced", "accuracy", value=0.782))
    effect, draws = found.power.detectable.value / 100, np.random.default_rng(1)
    n = next(row for row in found.comparisons if row.metric == "accuracy").n_treatment
    pairs = zip(draws.binomial(n, 0.782 + effect, 1000), draws.binomial(n, 0.782, 1000), strict=True)
    seen = sum(difference(Counts(int(ours), n), Counts(int(theirs), n)).low > 0 for ours, theirs in pairs)
    assert seen / 1000 == pytest.approx(0.8, abs=0.05)


def test_days_left_are_the_missing_requests_at_the_slowest_and_quickest_day():
    snapshot = live()
    counted = sum(series.last for series in snapshot.prometheus.accumulated[0].total("requests").series)
    left = report(snapshot, AB_PLANNED_REQUESTS=str(round(counted * 2))).power.days_left
    assert left.value == pytest.approx(8.0, rel=1e-3)  # each of the eight days had the same
    assert (left.interval.low, left.interval.high) == pytest.approx((8.0, 8.0), rel=1e-3)


def test_uneven_days_give_a_range():
    snapshot = live()
    (found,) = snapshot.prometheus.accumulated
    requests = found.block("requests")
    uneven = tuple(
        Timeline(series.labels, tuple((end, value * (2.0 if end > series.points[-1][0] - DAY else 1.0)) for end, value in series.points)) for series in requests.series
    )
    blocks = (replace(requests, series=uneven), *(answer for answer in found.blocks if answer.name != "requests"))
    changed = replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(replace(found, blocks=blocks),)))
    counted = sum(series.last for series in found.total("requests").series)
    left = report(changed, AB_PLANNED_REQUESTS=str(round(counted * 2))).power.days_left
    assert (left.interval.low, left.interval.high) == pytest.approx((4.0, 8.0), rel=1e-3)
    assert 4.0 < left.value < 8.0


def test_a_day_of_which_a_part_is_left_out_is_no_slow_day():
    snapshot = live()
    counted = sum(series.last for series in snapshot.prometheus.accumulated[0].total("requests").series)
    stretch = "2026-11-18T12:00:01Z/2026-11-18T17:59:59Z"  # one of the four blocks of its day
    left = report(snapshot, AB_PLANNED_REQUESTS=str(round(counted * 2)), AB_EXCLUDE=stretch).power.days_left
    assert (left.interval.low, left.interval.high) == pytest.approx((8.25, 8.25), rel=1e-3)
    whole = report(snapshot, AB_PLANNED_REQUESTS=str(round(counted * 2)), AB_EXCLUDE="2026-11-18T12:00:01Z/2026-11-19T11:59:59Z").power.days_left
    assert (whole.interval.low, whole.interval.high) == pytest.approx((9.0, 9.0), rel=1e-3)


def test_stretches_that_overlap_are_left_out_once():
    snapshot = live()
    counted = sum(series.last for series in snapshot.prometheus.accumulated[0].total("requests").series)
    twice = ",".join(["2026-11-18T12:00:01Z/2026-11-18T17:59:59Z"] * 2)
    left = report(snapshot, AB_PLANNED_REQUESTS=str(round(counted * 2)), AB_EXCLUDE=twice).power.days_left
    assert (left.interval.low, left.interval.high) == pytest.approx((8.25, 8.25), rel=1e-3)


def test_minutes_that_are_left_out_take_their_blocks_with_them():
    snapshot = live()
    counted = sum(series.last for series in snapshot.prometheus.accumulated[0].total("requests").series)
    left = report(snapshot, AB_PLANNED_REQUESTS=str(round(counted * 2)), AB_EXCLUDE="2026-11-18T13:00Z/2026-11-18T13:05Z").power.days_left
    assert (left.interval.low, left.interval.high) == pytest.approx((8.25, 8.25), rel=1e-3)


def test_a_plan_that_is_reached_by_a_test_that_has_ended_has_no_days_left():
    snapshot = live()
    (found,) = snapshot.prometheus.accumulated

    def ended(answer):
        return replace(
            answer, series=tuple(replace(each, points=tuple((end, value * (index < 4)) for index, (end, value) in enumerate(each.points))) for each in answer.series)
        )

    silent = replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(replace(found, blocks=tuple(map(ended, found.blocks))),)))
    left = report(silent, AB_PLANNED_REQUESTS="1000").power.days_left
    assert (left.value, left.interval) == (0, Interval(0.0, 0.0))


def test_a_plan_that_is_reached_has_no_days_left():
    found = report(AB_PLANNED_REQUESTS="1000").power
    assert found.days_left.value == 0
    assert "are reached" in found.words


def test_without_a_plan_the_words_say_what_the_intervals_are_tuned_to():
    found = report().power
    assert found.days_left.value is None
    assert "AB_PLANNED_REQUESTS" in found.days_left.reason
    assert "20,000 requests" in found.words


def test_without_a_known_start_no_days_are_told():
    assert report(of_the_window(), AB_PLANNED_REQUESTS="1000000").power.days_left.value is None


@pytest.mark.parametrize(
    ("low", "value", "high", "words"),
    [
        (4.4, 5.2, 6.9, "5 to 7 days (1 week)"),
        (0.2, 0.2, 0.2, "1 day (1 week)"),
        (8.0, 9.0, 16.1, "8 to 17 days (2 weeks)"),
        (90.0, 150.0, None, "90 to over 180 days (22 weeks)"),
        (200.0, 300.0, 400.0, "never at this rate (over 180 days)"),
    ],
)
def test_days_are_said_in_whole_days_and_weeks(low, value, high, words):
    assert days_words(Measurement("days_left", value, "days", Origin.LIVE, interval=Interval(low, high))) == words
