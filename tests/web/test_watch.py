"""When a question is asked again, and how long an earlier answer is shown."""

from dataclasses import replace
from datetime import timedelta

import pytest

from live_dashboards.model.snapshot import SourceState
from live_dashboards.web.refresher import Pace, Watch
from tests.support.snapshots import live, without_mlflow, without_prometheus

PACE = Pace(interval_seconds=2.0, limit_seconds=8.0)
BOTH = live()
NEITHER = without_prometheus(without_mlflow(BOTH))
NEW = Watch(asked=0.0, due=0.0)


def at(snapshot, seconds):
    return replace(snapshot, at=BOTH.at + timedelta(seconds=seconds))


def after(*fetched):
    """The watch after these snapshots, one an interval."""
    watch = NEW
    for number, snapshot in enumerate(fetched):
        watch = watch.after(at(snapshot, 2.0 * number), 100.0 + 2.0 * number, PACE)
    return watch


def states(watch):
    return watch.shown.mlflow.status.state, watch.shown.prometheus.status.state


def test_while_the_sources_answer_the_wait_is_the_interval():
    assert Pace(30.0, 120.0).wait_seconds(0) == 30.0


def test_the_wait_after_failures_doubles_up_to_five_intervals():
    assert [PACE.wait_seconds(failures) for failures in range(1, 6)] == [2.0, 4.0, 8.0, 10.0, 10.0]


def test_the_wait_is_never_longer_than_a_minute():
    assert [Pace(30.0, 120.0).wait_seconds(failures) for failures in (1, 2, 3, 1000)] == [30.0, 60.0, 60.0, 60.0]


@pytest.mark.parametrize("interval", [0.1, 1.0, 11.9, 12.1, 30.0, 60.0])
@pytest.mark.parametrize("failures", [1, 2, 5, 50, 10_000])
def test_the_wait_never_exceeds_five_intervals_or_a_minute_whichever_is_less(interval, failures):
    assert Pace(interval, 4 * interval).wait_seconds(failures) <= min(5 * interval, 60.0)


@pytest.mark.parametrize("change", [without_mlflow, without_prometheus])
def test_one_source_that_answers_is_no_failure(change):
    watch = after(BOTH, change(BOTH), change(BOTH), change(BOTH))
    assert (watch.failures, watch.due) == (0, 106.0 + PACE.interval_seconds)


def test_fetches_without_any_answer_are_counted_and_asked_ever_more_seldom():
    assert [after(BOTH, *[NEITHER] * count).due - (100.0 + 2.0 * count) for count in (1, 2, 3)] == [2.0, 4.0, 8.0]


def test_one_answer_ends_the_waiting():
    watch = after(NEITHER, NEITHER, NEITHER, BOTH)
    assert (watch.failures, watch.due, states(watch)) == (0, 108.0, (SourceState.ANSWERED, SourceState.ANSWERED))


def test_a_source_that_falls_silent_is_shown_as_it_last_was_until_its_limit():
    watch = after(BOTH, without_mlflow(BOTH))
    assert states(watch) == (SourceState.CACHED, SourceState.ANSWERED)
    assert watch.shown.mlflow.values == BOTH.mlflow.values
    assert 102.0 + 6.0 < watch.expires < 102.0 + 6.1


def test_exactly_at_the_limit_the_earlier_answer_is_still_shown_and_just_after_not():
    watch = after(BOTH, without_mlflow(BOTH))
    assert states(watch.aged(at(BOTH, 8.0).at, 108.0, PACE)) == (SourceState.CACHED, SourceState.ANSWERED)
    late = watch.aged(at(BOTH, 8.001).at, 108.001, PACE)
    assert states(late) == (SourceState.FAILED, SourceState.ANSWERED)
    assert (late.shown.mlflow.values, late.shown.mlflow.status.answered_at) == ((), BOTH.at)
    assert late.expires == pytest.approx(110.0, abs=0.1)  # what Prometheus answered at 102


def test_when_it_expires_the_earlier_answer_is_over():
    watch = after(BOTH, NEITHER)
    aged = watch.aged(BOTH.at + timedelta(seconds=watch.expires - 100.0), watch.expires, PACE)
    assert states(aged) == (SourceState.FAILED, SourceState.FAILED)


def test_the_source_whose_answer_is_older_expires_first():
    watch = after(BOTH, without_prometheus(BOTH), NEITHER)
    assert watch.expires - 104.0 == pytest.approx(4.0, abs=0.1)
    aged = watch.aged(at(BOTH, 8.05).at, watch.expires, PACE)
    assert states(aged) == (SourceState.CACHED, SourceState.FAILED)
    assert aged.expires - watch.expires == pytest.approx(2.0, abs=0.1)


def test_an_answer_after_which_none_came_expires_too():
    watch = after(BOTH, NEITHER, BOTH)
    assert watch.expires == pytest.approx(112.0, abs=0.1)
    aged = watch.aged(BOTH.at + timedelta(seconds=12.1), watch.expires, PACE)
    assert states(aged) == (SourceState.FAILED, SourceState.FAILED)
    assert "no answer for more than 8 s" in aged.shown.mlflow.status.reason
    assert (aged.shown.mlflow.values, aged.shown.prometheus.instants) == ((), ())


def test_a_live_answer_is_not_over_before_the_next_one_can_be_there():
    short = Pace(interval_seconds=2.0, limit_seconds=1.0)
    watch = NEW.after(BOTH, 100.0, short)
    assert states(watch.aged(at(BOTH, 3.9).at, 103.9, short)) == (SourceState.ANSWERED, SourceState.ANSWERED)
    assert states(watch.aged(at(BOTH, 4.1).at, 104.1, short)) == (SourceState.FAILED, SourceState.FAILED)


def test_a_clock_that_is_put_back_neither_keeps_nor_loses_an_answer():
    watch = after(BOTH, NEITHER)
    an_hour_ago = BOTH.at - timedelta(hours=1)
    assert states(watch.aged(an_hour_ago, 107.9, PACE)) == (SourceState.CACHED, SourceState.CACHED)
    assert states(watch.aged(an_hour_ago, 108.1, PACE)) == (SourceState.FAILED, SourceState.FAILED)


def test_a_source_that_answered_another_question_is_marked_and_never_simulated():
    new = replace(NEW, kept=NEW.kept.seen_elsewhere(BOTH.at, None)).after(at(NEITHER, 5.0), 105.0, PACE)
    assert (new.shown.mlflow.status.state, new.shown.mlflow.status.answered_at) == (SourceState.FAILED, BOTH.at)
    assert new.shown.prometheus.status.answered_at is None


def test_traffic_of_one_experiment_never_stands_below_another():
    other = replace(BOTH, mlflow=replace(BOTH.mlflow, experiment="new test"))
    shown = after(BOTH, without_prometheus(other)).shown
    assert (shown.prometheus.status.state, shown.prometheus.instants) == (SourceState.FAILED, ())
    assert after(BOTH, without_prometheus(BOTH)).shown.prometheus.status.state is SourceState.CACHED


def test_a_refused_question_is_asked_again_as_seldom_as_can_be_and_shows_nothing():
    refused = after(BOTH, NEITHER).refuse("no such experiment", 200.0, PACE)
    assert (refused.refused, refused.due, refused.shown, refused.expires) == ("no such experiment", 210.0, None, None)


def test_a_question_that_can_be_answered_again_is_refused_no_more():
    again = after(BOTH).refuse("no such experiment", 200.0, PACE).after(at(BOTH, 110.0), 210.0, PACE)
    assert (again.refused, states(again), again.due) == ("", (SourceState.ANSWERED, SourceState.ANSWERED), 212.0)


def test_nothing_of_a_refused_question_ages():
    refused = after(BOTH, NEITHER).refuse("no such experiment", 200.0, PACE)
    assert refused.aged(at(BOTH, 101.0).at, 201.0, PACE) == refused
