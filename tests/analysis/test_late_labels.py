"""Labels that come late: where an online accuracy cannot be compared, nothing stands on it."""

from dataclasses import replace

import numpy as np
import pytest

from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.model.snapshot import Accumulated, Answer, Timeline
from tests.support.snapshots import AT, live, settings

ONLINE = {"AB_ONLINE_LABELLED_METRIC": "labelled_total", "AB_ONLINE_CORRECT_METRIC": "correct_total"}
HOUR, DAYS = 3600.0, 8
HOURS = 24 * DAYS
A_HOUR = 2000
NAMES = ("baseline", "enhanced")


def labels(requests, wait_hours):
    """Labels by hour: of each hour's requests those that come after exactly so long."""
    arrived = np.zeros(len(requests))
    arrived[wait_hours:] = requests[: len(requests) - wait_hours]
    return arrived


def page(shares, waits, *, wrong_waits=None, accuracy=(0.8, 0.8), share_labelled=1.0, errors=(0.0, 0.0), traffic=None, **own):
    """The A/B page of a test whose challenger has these shares by hour, and whose labels (right ones, wrong ones) come after these hours in each arm."""
    random = np.random.default_rng(4)
    rates = np.full(HOURS, A_HOUR) if traffic is None else traffic
    requests = [random.poisson(rates * arm).astype(float) for arm in (1 - shares, shares)]
    right, wrong = [], []
    for arm, (wait, late, level) in enumerate(zip(waits, wrong_waits or waits, accuracy, strict=True)):
        known = random.binomial(requests[arm].astype(int), share_labelled)
        correct = random.binomial(known, level)
        right.append(labels(correct.astype(float), wait))
        wrong.append(labels((known - correct).astype(float), late))
    counts = {
        "requests": requests,
        "errors": [each * rate for each, rate in zip(requests, errors, strict=True)],
        "correct": right,
        "labelled": [one + other for one, other in zip(right, wrong, strict=True)],
    }
    start = AT.timestamp() - HOURS * HOUR
    ends = [start + HOUR * (hour + 1) for hour in range(HOURS)]

    def answers(value):
        return tuple(
            Answer(name, f"query of {name}", "count", tuple(Timeline((("model_name", NAMES[arm]),), value(each)) for arm, each in enumerate(arms)), step_seconds=HOUR)
            for name, arms in counts.items()
        )

    found = Accumulated(start, True, answers(lambda each: ((AT.timestamp(), float(each.sum())),)), answers(lambda each: tuple(zip(ends, map(float, each), strict=True))))
    snapshot = live()
    first = tuple((name, start) for name in NAMES)
    snapshot = replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(found,), first_traffic=first))
    return build_ab_report(snapshot, None, settings(**ONLINE, **own))


def online(found):
    return next(row for row in found.comparisons if row.metric == "online_accuracy")


HALF = np.full(HOURS, 0.5)
RAMP = np.repeat([0.01, 0.05, 0.2, 0.5], HOURS // 4)


def stepped(hours_ago):
    return np.where(np.arange(HOURS) < HOURS - hours_ago, 0.1, 0.2)


@pytest.mark.parametrize("share_labelled", [1.0, 0.2])
def test_labels_that_come_at_once_or_after_one_wait_can_be_compared(share_labelled):
    for waits in ((0, 0), (6, 6)):
        assert online(page(HALF, waits, share_labelled=share_labelled)).descriptive == ""
    assert online(page(RAMP, (0, 0), share_labelled=share_labelled)).descriptive == ""


def test_labels_of_one_arm_that_come_later_decide_nothing():
    found = page(HALF, (1, 12), accuracy=(0.8, 0.9))
    row = online(found)
    assert row.low > 0
    assert "% of enhanced's and 99.4 % of baseline's requests have their label" in row.descriptive
    assert "by the time of their request" in row.descriptive
    assert found.verdict.verdict == "KEEP RUNNING"
    assert row.descriptive in found.verdict.reasons[0]
    assert any(row.descriptive in notice for notice in found.health.notices)
    assert found.effect.head.title.startswith("Online accuracy +")
    assert found.effect.head.title.endswith("its labels decide nothing")


def test_wrong_answers_that_come_later_during_a_ramp_are_no_gain():
    """The truth is no difference; that by the hour of arrival is."""
    row = online(page(RAMP, (0, 0), wrong_waits=(24, 24)))
    assert row.estimate > 0.5
    assert "requests have their label" in row.descriptive


def test_a_split_that_changed_within_the_usual_delay_decides_nothing_until_it_is_over():
    few = {"share_labelled": 0.1}  # so that the share of labels tells nothing yet
    told = online(page(stepped(5), (12, 12), **few)).descriptive
    assert told.startswith("the share of enhanced changed 5 h ago, and labels usually come 1")
    assert online(page(stepped(30), (12, 12), **few)).descriptive == ""
    assert online(page(stepped(5), (0, 0), **few)).descriptive == ""


def test_hours_without_a_request_tell_nothing_and_stop_nothing():
    nights = np.where(np.arange(HOURS) % 24 < 6, 0.0, 0.5)
    assert online(page(nights, (0, 0), traffic=np.where(nights > 0, A_HOUR, 0))).descriptive == ""


def test_a_step_leaves_the_labels_of_one_arm_behind():
    assert "requests have their label" in online(page(stepped(40), (12, 12))).descriptive
    assert online(page(stepped(40), (0, 0))).descriptive == ""


def test_labels_that_begin_in_the_middle_of_a_ramp_can_be_compared():
    begun = np.r_[np.full(24, 0.0), np.full(HOURS - 24, 0.5)]
    row = online(page(RAMP, (0, 0), accuracy=(0.8, 0.85), share_labelled=begun))
    assert row.descriptive == ""
    assert row.low < 5 < row.high


def test_what_the_errors_say_stands():
    assert page(HALF, (1, 12), accuracy=(0.8, 0.9), errors=(0.01, 0.05)).verdict.verdict == "ROLL BACK"
