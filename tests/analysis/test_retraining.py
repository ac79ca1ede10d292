"""Test sets that are compared anew with each retrained model: how often that has happened, and that all looks together are wrong in 5 % at most."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from live_dashboards.analysis.facts.retraining import alpha_of_look, looks_at_accuracy, looks_at_means, means_in_force, pairs_in_force, welch
from live_dashboards.analysis.statistics.special import student_t_quantile
from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.model.number import ordinal
from live_dashboards.model.snapshot import Run, StatusCount
from live_dashboards.stats import Counts, difference
from tests.support.snapshots import AT, live, settings, with_values

START = datetime(2026, 11, 1, tzinfo=UTC)
PAIR = ("enhanced", "baseline")


def run(variant, day, *, status="FINISHED", hours=1.0, is_child=False, accuracy=0.8):
    """A run that began so many days after the start of the test."""
    started = START + timedelta(days=day)
    ended = started + timedelta(hours=hours)
    return Run(f"{variant}-{day}-{hours}", f"run {day}", variant, status, started, ended if status == "FINISHED" else None, is_child, ended, accuracy)


def pairs(*runs, at_day=30.0):
    return pairs_in_force(runs, PAIR, START, START + timedelta(days=at_day))


FIRST = (run("baseline", -3), run("enhanced", -2))


def test_the_pair_that_stood_at_the_start_is_the_first():
    assert pairs(*FIRST) == 1
    assert pairs(*FIRST, run("baseline", -9), run("enhanced", -8)) == 1


def test_each_retrained_model_makes_another_pair_whether_somebody_looked_or_not():
    weekly = [run("enhanced", 7 * week) for week in range(4)]
    assert pairs(*FIRST, *weekly) == 5
    assert pairs(*FIRST, *weekly, *(run("baseline", 7 * week + 1) for week in range(4))) == 9
    assert pairs(*FIRST, *weekly, at_day=10) == 3


@pytest.mark.parametrize(
    "more",
    [
        run("third", 3),
        run("enhanced", 3, status="FAILED"),
        run("enhanced", 3, status="RUNNING"),
        run("enhanced", 3, is_child=True),
        run("enhanced", 3, accuracy=None),
        run("enhanced", -5, hours=24 * 9),
    ],
    ids=["another variant", "failed", "running", "a child", "without accuracy", "older, but ended later"],
)
def test_what_is_never_compared_is_no_look(more):
    assert pairs(*FIRST, more) == 1


def test_both_retrained_at_the_same_time_are_one_more_pair():
    assert pairs(*FIRST, run("baseline", 5), run("enhanced", 5)) == 2


def test_nothing_known_is_one_look():
    assert pairs() == pairs(run("enhanced", -1)) == pairs_in_force(FIRST, PAIR, None, START) == 1


def test_levels_are_those_of_the_statistics():
    """Statistics 18: z 2.24, 2.64, 3.02 at the fourth, 4.04 at the thirtieth; in all 0.05."""
    z = {looks: student_t_quantile(1 - alpha_of_look(looks, 1) / 2, 1e9) for looks in (1, 2, 4, 30)}
    assert z == {1: pytest.approx(2.24, abs=5e-3), 2: pytest.approx(2.64, abs=5e-3), 4: pytest.approx(3.02, abs=6e-3), 30: pytest.approx(4.04, abs=1e-2)}
    assert sum(alpha_of_look(looks, 1) for looks in range(1, 100_000)) == pytest.approx(0.05, rel=1e-4)
    assert alpha_of_look(1, 4) == alpha_of_look(1, 1) / 4


def test_daily_retraining_meets_the_condition_falsely_in_few_months():
    """Pairs of models that are equally good, retrained daily for a month: with one look's limits most months have a better one, with these few."""
    random = np.random.default_rng(18)
    naive = judged = 0
    for _ in range(120):
        correct = random.binomial(5000, 0.8, size=(30, 2))
        found = [difference(Counts(int(ours), 5000), Counts(int(theirs), 5000), 1 - alpha_of_look(day, 1)) for day, (ours, theirs) in enumerate(correct, start=1)]
        judged += any(each.low > 0 for each in found)
        naive += any(difference(Counts(int(ours), 5000), Counts(int(theirs), 5000)).low > 0 for ours, theirs in correct)
    assert naive > 50
    assert judged <= 9


THREE = tuple(run(variant, day) for variant in PAIR for day in (-9, -8, -7))


def means(*runs, at_day=30.0):
    return means_in_force(runs, PAIR, START, START + timedelta(days=at_day))


def test_each_run_that_ends_makes_another_mean_also_one_that_began_before_the_newest():
    late = run("enhanced", -10, hours=24 * 12)
    assert means(*THREE) == 1
    assert means(*THREE, run("enhanced", 3), run("baseline", 4), late) == 4
    assert means(*THREE, run("enhanced", 3), late, at_day=1.5) == 1
    assert pairs(*THREE, late) == 1


@pytest.mark.parametrize(
    "more",
    [run("third", 3), run("enhanced", 3, status="FAILED"), run("enhanced", 3, status="RUNNING"), run("enhanced", 3, is_child=True), run("enhanced", 3, accuracy=None)],
    ids=["another variant", "failed", "running", "a child", "without a value"],
)
def test_what_is_in_no_mean_is_no_look(more):
    assert means(*THREE, more) == 1


def test_means_over_fewer_than_three_runs_are_compared_by_nobody():
    first = THREE[0], *THREE[3:]
    assert means(*first, run("enhanced", 3)) == 1
    assert means(*first, run("enhanced", 3), run("enhanced", 4)) == means(*THREE[1:], run("enhanced", 4)) == 1
    assert means(*first, run("enhanced", 3), run("enhanced", 4), run("enhanced", 5)) == 2
    assert means() == means_in_force(THREE, PAIR, None, START) == 1


def test_the_pace_of_runs_that_are_not_read_counts_for_means_too():
    week = tuple(run("enhanced", 21 + day) for day in range(8))
    before = tuple(run("baseline", 20 + hour / 24) for hour in range(3))
    known = replace(live().mlflow, runs=(*week, *before), status_counts=(StatusCount("enhanced", "FINISHED", is_child=False, runs=11),))
    cut = replace(known, status_counts=(*known.status_counts, StatusCount("enhanced", "FINISHED", is_child=True, runs=5000)))
    at = START + timedelta(days=30)
    assert (looks_at_means(known, PAIR, START, at), looks_at_means(cut, PAIR, START, at)) == (6, 18)


def is_told_apart(arms, confidence):
    low, high, _ = welch(*map(list, arms), confidence)
    return not low <= 0 <= high


def test_means_of_models_that_are_retrained_daily_are_told_apart_falsely_in_few_tests():
    """Two variants that are equally good, three runs each before the test and then one each a day, at its own hour."""
    random = np.random.default_rng(31)
    naive = judged = 0
    for number in range(200):
        ours, theirs = random.normal(20, 1, size=(2, 10))
        looks = [(ours[: (look + 7) // 2], theirs[: (look + 6) // 2]) for look in range(14)]
        judged += any(is_told_apart(arms, 1 - alpha_of_look(look, 1)) for look, arms in enumerate(looks, start=1))
        naive += number < 60 and any(is_told_apart(arms, 0.95) for arms in looks)
    assert naive > 5  # of the first sixty
    assert judged <= 10  # of two hundred: 5 %


def retrained(times):
    """The page of a test whose challenger is barely better, retrained so often since the start."""
    snapshot = with_values(with_values(live(), "baseline", "accuracy", value=0.78), "enhanced", "accuracy", value=0.8)
    start = AT - timedelta(days=8)
    runs = [
        Run(f"r{index}", "r", "enhanced", "FINISHED", start + timedelta(hours=index), start + timedelta(hours=index + 0.5), accuracy=0.8) for index in range(1, times + 1)
    ]
    before = [Run(name, name, name, "FINISHED", start - timedelta(days=1), start - timedelta(hours=20), accuracy=0.8) for name in PAIR]
    return build_ab_report(replace(snapshot, mlflow=replace(snapshot.mlflow, runs=(*before, *runs))), None, settings())


def test_the_verdict_goes_by_the_pair_and_says_so_and_the_interval_stays_that_of_one_look():
    once, often = retrained(0), retrained(9)
    first, tenth = (next(row for row in page.comparisons if row.metric == "accuracy") for page in (once, often))
    assert (first.looks, tenth.looks) == (1, 10)
    assert (first.low, first.high) == (tenth.low, tenth.high)
    assert tenth.judged_low < first.judged_low < first.low
    assert (once.period, often.period) == (once.period, once.period)
    words = " ".join((*often.verdict.reasons, often.verdict.rule))
    assert "the 10th pair of test sets since the start" in words
    assert "at 97.5 %" in " ".join(once.verdict.reasons)


def test_where_the_runs_that_are_read_do_not_reach_the_start_their_pace_tells():
    """A study of thousands of runs beside the test fills the newest ones that are read."""
    week = tuple(run("enhanced", 21 + day) for day in range(8))
    known = replace(live().mlflow, runs=(*week, run("baseline", 20)), status_counts=(StatusCount("enhanced", "FINISHED", is_child=False, runs=9),))
    cut = replace(known, status_counts=(StatusCount("enhanced", "FINISHED", is_child=False, runs=9), StatusCount("enhanced", "FINISHED", is_child=True, runs=5000)))
    at = START + timedelta(days=30)
    assert looks_at_accuracy(known, PAIR, START, at) == 8
    assert looks_at_accuracy(cut, PAIR, START, at) == 24  # eight within the last ten of thirty days
    assert looks_at_accuracy(cut, PAIR, START + timedelta(days=22), at) == pairs_in_force(cut.runs, PAIR, START + timedelta(days=22), at)


@pytest.mark.parametrize(("number", "word"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"), (21, "21st"), (112, "112th")])
def test_ordinals(number, word):
    assert ordinal(number) == word


def test_runs_that_differ_in_the_last_digit_of_a_float_alone_do_not_differ():
    alike = [0.3, 0.3, 0.1 + 0.2]
    assert len({*alike}) == 2
    assert welch(alike, [0.29] * 3, 0.95) is None
    assert welch([0.3, 0.3, 0.3001], [0.29] * 3, 0.95) is not None
