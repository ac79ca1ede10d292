"""The grid of a timeline, and the texts of queries, for any input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_dashboards.model.snapshot import Timeline
from live_dashboards.settings import load_settings
from live_dashboards.sources.prometheus.failed_requests import COUNTER_ERRORS, EventsCounted
from live_dashboards.sources.prometheus.grid import timeline_grid
from live_dashboards.sources.prometheus.promql import labelled
from live_dashboards.sources.prometheus.reading import read_answers
from live_dashboards.sources.prometheus.reply import Reply
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import quoted, render

YEAR_SECONDS = 365 * 86_400.0
AT = 1.8e9
DRAWN, LOOKED_THROUGH, COUNTED = 301, 2161, 2501  # points of a timeline; the hours of the 90 days in which the first traffic is looked for; edges of blocks


@given(at_seconds=st.floats(1e9, 2e9), window_seconds=st.floats(1, 3.2e8))
def test_a_grid_has_at_most_300_steps_within_its_window_and_ends_at_its_moment(at_seconds, window_seconds):
    grid = timeline_grid(at_seconds, window_seconds)
    steps = (grid.end_seconds - grid.start_seconds) / grid.step_seconds
    assert grid.end_seconds == at_seconds
    assert grid.step_seconds >= 15
    assert steps == pytest.approx(round(steps), abs=1e-6)
    assert steps <= 300.001
    assert grid.end_seconds - grid.start_seconds <= window_seconds + 1e-3


def questions(window_seconds, period_seconds, shortest_rate_seconds=300.0):
    """Everything that a reading asks, where nothing is found; a period of None begins with the first traffic."""
    asked = []

    def ask(several):
        asked.extend(several)
        return tuple(
            Reply()
            if "resets(" in question.parameters["query"]
            else Reply(tuple(Timeline((("model_name", model),), ((AT - YEAR_SECONDS, 1.0),)) for model in ("a", "b")))
            for question in several
        )

    start = {} if period_seconds is None else {"AB_START": str(AT - period_seconds)}
    scope = Scope(AT, window_seconds, None, (), has_requests=True, errors=EventsCounted(COUNTER_ERRORS), shortest_rate_seconds=shortest_rate_seconds)
    read_answers(ask, scope, load_settings(environment=start))
    return asked


def points(question):
    span = {name: float(question.parameters[name]) for name in ("start", "end", "step")}
    return int((span["end"] - span["start"]) / span["step"] + 1e-6) + 1


@given(
    window_seconds=st.floats(60, 10 * YEAR_SECONDS),
    period_seconds=st.one_of(st.none(), st.floats(600, 20 * YEAR_SECONDS)),
    shortest_rate_seconds=st.sampled_from([300.0, 1200.0, 14_400.0]),
)
def test_no_window_and_no_period_asks_for_more_points_than_any_server_gives(window_seconds, period_seconds, shortest_rate_seconds):
    ranges = [question for question in questions(window_seconds, period_seconds, shortest_rate_seconds) if question.path == "query_range"]
    assert len(ranges) >= 8
    assert max(map(points, ranges)) <= COUNTED < 11_000
    assert all(points(question) <= DRAWN for question in window_ranges(window_seconds, shortest_rate_seconds))


def window_ranges(window_seconds, shortest_rate_seconds=300.0):
    """What is asked over time where the period is within the window: its blocks are the window's."""
    asked = questions(window_seconds, min(window_seconds, 600.0), shortest_rate_seconds)
    return [question for question in asked if question.path == "query_range" and "up[15m]" not in question.parameters["query"]]


def test_a_month_asks_for_as_many_points_as_a_day():
    day, month = (sum(map(points, window_ranges(days * 86_400))) for days in (1, 30))
    assert 0.8 < month / day < 1.1


@pytest.mark.parametrize(("window_days", "hours", "step_seconds"), [(7, 2.5, 300), (30, 2.5, 300), (7, 23, 600), (7, 48, 3600), (30, 120, 3600)])
def test_a_long_window_does_not_give_a_young_test_long_blocks(window_days, hours, step_seconds):
    """A ramp of two hours within one block of three would compare nothing."""
    assert period_step_seconds(hours * 3600, window_days * 86_400) == step_seconds


def period_step_seconds(period_seconds, window_seconds=3600):
    """The step of what is asked over time from the start of the period on."""
    (step,) = {
        float(question.parameters["step"])
        for question in questions(window_seconds, period_seconds)
        if question.path == "query_range" and abs(float(question.parameters["start"]) - (AT - period_seconds)) < float(question.parameters["step"])
    }
    return step


def test_a_period_has_blocks_of_minutes_on_its_first_day_and_then_of_hours():
    steps = {days: period_step_seconds(days * 86_400) for days in (0.5, 1.5, 8, 30, 100, 400)}
    assert steps == {0.5: 300, 1.5: 3600, 8: 3600, 30: 3600, 100: 3600, 400: 21_600}


@pytest.mark.parametrize(("hours", "step_seconds"), [(0.5, 15), (3, 60), (24, 300), (168, 3600), (720, 10_800), (8760, 172_800)])
def test_steps_are_those_that_people_use(hours, step_seconds):
    assert timeline_grid(2e9, hours * 3600).step_seconds == step_seconds


def test_every_missing_moment_between_two_points_is_a_gap_and_none_outside():
    grid = timeline_grid(1000, 150)
    spread = grid.spread(Timeline((), ((880.0, 1.0), (925.0, None), (940.0, 2.0))))
    assert spread.points == ((880.0, 1.0), (895.0, None), (910.0, None), (925.0, None), (940.0, 2.0))


def test_a_series_without_any_number_has_no_points():
    assert timeline_grid(1000, 150).spread(Timeline((), ((880.0, None),))).points == ()


@pytest.mark.parametrize(("value", "text"), [("a", '"a"'), ('a"b', '"a\\"b"'), ("a\\", '"a\\\\"'), ("a\nb", '"a\\nb"')])
def test_a_label_value_is_escaped(value, text):
    assert quoted(value) == text


def test_no_part_of_a_label_value_is_taken_for_a_variable():
    assert render("x{$experiment}[$window]", matchers=labelled("$window $errors"), window_seconds=3600) == 'x{experiment="$window $errors"}[1h]'


def test_without_an_experiment_no_empty_matcher_is_left():
    assert render('x{a="b", $experiment} + y{$experiment}') == 'x{a="b"} + y'
