"""Since when the test runs, and whether Prometheus may have forgotten a part of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from live_dashboards.analysis.facts.page import page
from live_dashboards.analysis.facts.period import period_of
from tests.support.snapshots import AT, DAY, accumulated, live, of_the_window, settings, stand_in


def period(snapshot, **values):
    return period_of(page(snapshot, stand_in(), settings(**values)), "enhanced")


def forgetful(days, *, retention_days=None, is_remembered=False):
    snapshot = accumulated(of_the_window(), days=days, is_remembered=is_remembered)
    return replace(snapshot, prometheus=replace(snapshot.prometheus, retention_seconds=None if retention_days is None else retention_days * DAY))


def test_without_ab_start_it_begins_when_the_later_of_both_had_traffic():
    snapshot = live()
    first = (("baseline", AT.timestamp() - 20 * DAY), ("enhanced", AT.timestamp() - 8 * DAY))
    found, counted = period(replace(snapshot, prometheus=replace(snapshot.prometheus, first_traffic=first)))
    assert found.start == AT - timedelta(days=8)
    assert counted is not None


def test_ab_start_comes_before_traffic():
    snapshot = live()
    chosen = replace(snapshot.prometheus.accumulated[0], start_seconds=(AT - timedelta(days=2)).timestamp())
    found, counted = period(replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(chosen,))), AB_START=(AT - timedelta(days=2)).isoformat())
    assert (found.start, found.reason, counted) == (AT - timedelta(days=2), "AB_START", chosen)


def test_without_traffic_it_begins_with_the_challengers_first_run():
    snapshot = of_the_window()
    found, counted = period(snapshot)
    runs = [run.started_at for run in snapshot.mlflow.runs if run.variant == "enhanced"]
    assert (found.start, found.reason, counted) == (min(runs), "first run of the challenger", None)


@pytest.mark.parametrize(
    ("days", "retention_days", "is_remembered", "is_whole"),
    [
        (8, None, True, True),  # it saw the time before
        (8, 15, False, True),  # it keeps longer than the test runs
        (14, 15, False, False),  # the test may have begun before its oldest sample
        (8, None, False, False),  # it does not tell
        (89.95, None, True, False),  # looked for no further back
    ],
)
def test_a_start_counts_only_where_nothing_before_it_can_be_forgotten(days, retention_days, is_remembered, is_whole):
    found, _ = period(forgetful(days, retention_days=retention_days, is_remembered=is_remembered))
    assert found.is_whole is is_whole
    assert ("AB_START" in found.reason) is not is_whole


def test_a_chosen_start_from_before_its_memory_asks_for_a_longer_one():
    found, _ = period(forgetful(30, retention_days=15), AB_START=(AT - timedelta(days=30)).isoformat())
    assert not found.is_whole
    assert "it keeps 15d" in found.reason
    assert "keep samples longer than the test" in found.reason


def test_what_the_source_knows_to_be_lacking_is_the_reason():
    snapshot = forgetful(8)
    counted = replace(snapshot.prometheus.accumulated[0], lack="the rules have recorded nothing before: set AB_START")
    found, _ = period(replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(counted,))))
    assert not found.is_whole
    assert found.reason.endswith("both had traffic; the rules have recorded nothing before: set AB_START")


def test_without_a_challenger_there_is_no_start():
    snapshot = of_the_window()
    nameless = replace(snapshot, mlflow=replace(snapshot.mlflow, runs=tuple(replace(run, variant=None) for run in snapshot.mlflow.runs)))
    found, _ = period_of(page(nameless, None, settings()), None)
    assert (found.start, found.is_whole) == (None, False)
