"""What becomes of limits when the value is turned, scaled or moved."""

import pytest

from live_dashboards.model.measurement import Interval


@pytest.mark.parametrize(
    ("limits", "factor", "made"), [((1.0, 2.0), 100, (100.0, 200.0)), ((1.0, 2.0), -1, (-2.0, -1.0)), ((None, 2.0), -10, (-20.0, None)), ((1.0, None), 3, (3.0, None))]
)
def test_a_negative_factor_turns_the_limits_and_open_ends_stay_open(limits, factor, made):
    assert Interval(*limits).times(factor) == Interval(*made)


def test_what_a_rising_function_makes_keeps_the_order():
    assert Interval(None, 2.0).rising(lambda end: end + 5) == Interval(None, 7.0)
