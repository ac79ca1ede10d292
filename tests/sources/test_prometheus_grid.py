"""The grid of a timeline, and the texts of queries, for any input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.prometheus.grid import timeline_grid
from live_dashboards.sources.queries import quoted, render


@given(at_seconds=st.floats(1e9, 2e9), window_seconds=st.floats(1, 3.2e8))
def test_a_grid_has_at_most_300_steps_within_its_window_and_ends_at_its_moment(at_seconds, window_seconds):
    grid = timeline_grid(at_seconds, window_seconds)
    steps = (grid.end_seconds - grid.start_seconds) / grid.step_seconds
    assert grid.end_seconds == at_seconds
    assert grid.step_seconds >= 15
    assert steps == pytest.approx(round(steps), abs=1e-6)
    assert steps <= 300.001
    assert grid.end_seconds - grid.start_seconds <= window_seconds + 1e-3


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
    assert render("x{$experiment}[$window]", experiment="$window $errors", window_seconds=3600) == 'x{experiment="$window $errors"}[1h]'


def test_without_an_experiment_no_empty_matcher_is_left():
    assert render('x{a="b", $experiment} + y{$experiment}') == 'x{a="b"} + y'
