"""From where to where an axis goes."""

import pytest

from live_dashboards.model.axis import number_labels, padded, round_ticks


def test_values_have_some_room_on_both_sides():
    assert padded([1.0, 2.0], 0.1) == pytest.approx((0.9, 2.1))
    assert padded([5.0, 5.0]) == pytest.approx((4.5, 5.5))
    assert padded([0.0]) == (-1.0, 1.0)


def test_a_floor_and_a_ceiling_are_not_passed_but_by_values():
    assert padded([0.0, 100.0], floor=0.0, ceiling=100.0) == (0.0, 100.0)
    assert padded([-1.0, 101.0], floor=0.0, ceiling=100.0) == pytest.approx((-9.16, 109.16))


def test_values_that_rounding_alone_tells_apart_have_an_axis_with_plain_numbers():
    limits = padded([84.99999999999999, 85.00000000000004], 0.1)
    assert number_labels(round_ticks(*limits)) == ("80", "85", "90")
