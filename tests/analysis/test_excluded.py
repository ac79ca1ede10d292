"""Stretches of time that are left out of all arms: every block that touches one, and what was counted in a gap within one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from live_dashboards.analysis.facts.period import without_stretches
from live_dashboards.model.snapshot import Accumulated, Answer, Timeline

HOUR, START = 3600.0, 1_800_000_000.0


def stretch(first_hour, last_hour):
    return datetime.fromtimestamp(START + first_hour * HOUR, UTC), datetime.fromtimestamp(START + last_hour * HOUR, UTC)


def counted(*values, most=None):
    """Requests of one model by hour since the start, None where nothing was scraped; errors in the last hour alone."""
    points = tuple((START + (index + 1) * HOUR, value) for index, value in enumerate(values))
    known = [value for value in values if value is not None]
    labels = (("model_name", "baseline"),)

    def answers(name, several, total, extra):
        block = Answer(name, "q", "count", (Timeline(labels, several),), step_seconds=HOUR, most=(Timeline(labels, extra),) if extra else ())
        ends = ((points[-1][0], total),)
        whole = Answer(name, "q", "count", (Timeline(labels, ends),), most=(Timeline(labels, ((points[-1][0], sum(each[1] for each in extra)),)),) if extra else ())
        return block, whole

    requests = answers("requests", points, sum(known), tuple((end, value + most) for end, value in points if value is not None) if most else ())
    errors = answers("errors", ((points[-1][0], 7.0),), 7.0, ())
    return Accumulated(START, True, (requests[1], errors[1]), (requests[0], errors[0]))


def total(found, name="requests"):
    return found.total(name).series[0].last


@pytest.mark.parametrize(
    ("stretches", "left", "shares"),
    [
        ([(1, 2)], 60, [40.0]),
        ([(1.5, 1.6)], 60, [40.0]),
        ([(0, 1), (2, 9)], 40, [10.0, 50.0]),
        ([(1, 2), (1.5, 3)], 30, [40.0, 70.0]),
        ([(-5, 0)], 100, [0.0]),
        ([(0, 4)], 0, [100.0]),
    ],
)
def test_blocks_that_touch_a_stretch_count_for_nothing_and_the_total_is_that_of_the_rest(stretches, left, shares):
    found, excluded = without_stretches(counted(10, 40, 30, 20), [stretch(*each) for each in stretches])
    assert total(found) == left
    assert sum(value for _, value in found.block("requests").series[0].points) == left
    assert [each.share_percent for each in excluded] == pytest.approx(shares)


def test_what_was_counted_in_a_gap_belongs_to_the_time_of_the_gap():
    """Prometheus was down with the service: the hour after it holds the growth of all five."""
    found, (excluded,) = without_stretches(counted(10, None, None, None, 50, 10), [stretch(1, 4)])
    assert (total(found), excluded.share_percent) == (20, pytest.approx(100 * 50 / 70))


def test_errors_are_left_out_by_the_blocks_of_the_requests():
    """Errors are there in the last hour alone: it is an hour long for them, too."""
    found, _ = without_stretches(counted(10, 40, 30, 20), [stretch(0, 1)])
    assert total(found, "errors") == 7
    assert total(without_stretches(counted(10, 40, 30, 20), [stretch(3, 4)])[0], "errors") == 0


def test_the_upper_ends_of_open_counts_are_left_out_too():
    found, _ = without_stretches(counted(10, 40, 30, 20, most=5), [stretch(1, 2)])
    assert found.total("requests").most[0].last == 10 + 30 + 20 + 3 * 5
