"""Blocks in which both arms had traffic, and the moments at which the split between them changed."""

from __future__ import annotations

import numpy as np
import pytest

from live_dashboards.analysis.statistics.proportions import Counts
from live_dashboards.analysis.verdict.blocks import shared_blocks
from live_dashboards.analysis.verdict.split import blocks_of_one_split, share_changes


def requests(shares, n=800, seed=1):
    """Blocks of so many requests each, of which the treatment gets these shares."""
    return [(int(part), n) for part in np.random.default_rng(seed).binomial(n, shares)]


def spans(blocks):
    return [(span.start, span.stop) for span in blocks_of_one_split(blocks, share_changes(blocks))]


def test_each_step_of_a_ramp_is_found_at_its_block():
    blocks = requests([0.01] * 48 + [0.05] * 48 + [0.2] * 48 + [0.5] * 48)
    found = share_changes(blocks)
    assert [change.block for change in found] == [48, 96, 144]
    assert [(change.before, change.after) for change in found] == [pytest.approx(pair, abs=0.02) for pair in [(0.01, 0.05), (0.05, 0.2), (0.2, 0.5)]]
    assert spans(blocks) == [(0, 48), (48, 96), (96, 144), (144, 192)]


@pytest.mark.parametrize("between", [0.15, 0.3, 0.45])
def test_the_block_in_which_the_split_changes_is_left_out(between):
    blocks = requests([0.1] * 48 + [between] + [0.5] * 48)
    assert spans(blocks) == [(0, 48), (49, 97)]


def test_a_split_that_switches_by_day_and_night_hides_no_step_behind_the_others():
    """Eight days, many requests by day and few by night; each hour before a switch is of both splits, and there are so many that most unlike neighbours are."""
    random = np.random.default_rng(2)
    hours = [(20_000, 0.055) if hour % 12 == 11 else ((36_000, 0.01), (3600, 0.5))[hour // 12 % 2] for hour in range(191)]
    blocks = [(int(random.binomial(n, share)), n) for n, share in hours]
    kept = {hour for span in blocks_of_one_split(blocks, share_changes(blocks)) for hour in span}
    assert not kept & {hour for hour in range(191) if hour % 12 == 11}
    assert len(kept) >= 170


def test_a_few_requests_a_block_tell_a_step_too():
    (change,) = share_changes(requests([0.5] * 300 + [0.1] * 400, n=2))
    assert change.block == pytest.approx(300, abs=15)


@pytest.mark.parametrize("share", [0.5, 0.02])
def test_a_steady_split_has_no_step(share):
    for seed in range(20):
        assert share_changes(requests([share] * 720, seed=seed)) == ()


def test_sessions_that_are_routed_together_are_no_steps():
    """Twenty requests a session: the share of a block differs twenty times as much as it would by single requests."""
    for seed in range(10):
        sessions = np.random.default_rng(seed).binomial(40, 0.5, size=400)
        assert share_changes([(int(20 * part), 800) for part in sessions]) == ()


@pytest.mark.parametrize("session", [20, 60])
def test_a_young_test_does_not_take_sessions_for_steps(session):
    for seed in range(30):
        part = np.random.default_rng(seed).binomial(840 // session, 0.5, size=6)
        assert share_changes([(int(session * each), 840) for each in part]) == ()


def test_a_young_ramp_has_its_steps_all_the_same():
    assert [change.block for change in share_changes(requests([0.02] * 3 + [0.5] * 3))] == [3]


def test_a_share_that_drifts_gives_no_more_steps_than_are_looked_for():
    assert 1 < len(share_changes(requests(np.linspace(0.05, 0.95, 2000)))) <= 40


@pytest.mark.parametrize("blocks", [[], [(1, 2)], [(0, 5)] * 20, [(5, 5)] * 20])
def test_nothing_to_tell_is_no_step(blocks):
    assert share_changes(blocks) == ()
    assert [each for span in blocks_of_one_split(blocks, ()) for each in span] == [*range(len(blocks))]


def evenly(n, events, ends):
    return {float(end): Counts(events, n) for end in ends}


def test_blocks_without_traffic_of_one_arm_are_left_out():
    found = shared_blocks(evenly(100, 3, range(10)), evenly(100, 2, range(5, 15)))
    assert found.ends == tuple(map(float, range(5, 10)))
    assert (set(found.treatment), set(found.control)) == ({Counts(3, 100)}, {Counts(2, 100)})
    assert shared_blocks(evenly(100, 3, range(10)), {}).ends == ()


def test_sparse_blocks_are_put_together_until_a_pair_has_twenty_requests_on_average():
    found = shared_blocks(evenly(2, 1, range(100)), evenly(3, 0, range(100)))
    assert len(found.ends) == 25
    assert (found.treatment[0], found.control[0]) == (Counts(4, 8), Counts(0, 12))
    assert sum(each.n for each in found.control) == 300


def test_no_blocks_are_put_together_over_a_change_of_the_split():
    treatment = {**evenly(1, 0, range(501)), **evenly(9, 0, range(501, 1000))}
    control = {**evenly(9, 0, range(501)), **evenly(1, 0, range(501, 1000))}
    found = shared_blocks(treatment, control)
    shares = {ours.n / (ours.n + theirs.n) for ours, theirs in zip(found.treatment, found.control, strict=True)}
    assert shares == {0.1, 0.9}
    assert sum(ours.n + theirs.n for ours, theirs in zip(found.treatment, found.control, strict=True)) == 10_000
