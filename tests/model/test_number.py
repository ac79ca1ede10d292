"""Numbers as people read them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_dashboards.model.number import (
    MINUS,
    NOTHING,
    UNIT_SUFFIXES,
    axis_decimals,
    format_age,
    format_count,
    format_estimate,
    format_interval,
    format_money,
    format_money_estimate,
    format_number,
    format_percent,
    format_short_age,
    format_signed,
    shared_decimals,
    unit_suffix,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)
UNITS = st.sampled_from([*UNIT_SUFFIXES, "", "widgets"])


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (47892, "count", "47,892"),
        (1_234_567, "count", "1.23M"),
        (1_200_000, "count", "1.2M"),
        (999_960_000, "count", "1.00G"),
        (0.4, "count", "<1"),
        (58.31, "ms", "58.3 ms"),
        (9.996, "ms", "10.0 ms"),
        (1193.77, "percent", "1,194 %"),
        (0.08, "percent", "0.08 %"),
        (0.0004, "percent", "<0.001 %"),
        (-0.0004, "points", ">−0.001 pt"),
        (69.98, "percent", "70.0 %"),
        (70.0, "percent", "70 %"),
        (-3.6, "points", "−3.6 pt"),
        (0.0321, "fraction", "0.0321"),
        (12.345, "requests_per_second", "12.3 req/s"),
        (28.21, "days", "28.2 days"),
        (3.2, "widgets", "3.2 widgets"),
        (1.5e30, "", "1.5×10³⁰"),
        (685_700, "usd", "$685.7k"),
        (None, "ms", NOTHING),
    ],
)
def test_a_number_is_written_with_three_digits_and_its_unit(value: float | None, unit: str, text: str) -> None:
    assert format_number(value, unit) == text


@pytest.mark.parametrize(("percent", "text"), [(100, "100 %"), (99.97, "99.97 %"), (99.5, "99.5 %"), (99.99999, ">99.999 %"), (100.04, "100 %")])
def test_less_than_all_is_never_written_as_100_percent(percent: float, text: str) -> None:
    assert format_percent(percent) == text


@pytest.mark.parametrize(("value", "text"), [(3.6, "+3.6 pt"), (-3.6, "−3.6 pt"), (0.0, "0 pt"), (0.0001, "<+0.001 pt")])
def test_a_difference_carries_its_sign(value: float, text: str) -> None:
    assert format_signed(value, "points") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.2e-8, "3.2×10⁻⁸"),
        (1.5e-12, "1.5×10⁻¹²"),
        (-1.2345e-9, "−1.23×10⁻⁹"),
        (2.5e-6, "2.5×10⁻⁶"),
        (1.23e-5, "1.23×10⁻⁵"),
        (5e-5, "0.00005"),
        (1.23e-4, "0.000123"),
        (5e-324, "4.94×10⁻³²⁴"),
    ],
)
def test_what_is_too_small_for_six_decimals_keeps_three_digits(value: float, text: str) -> None:
    assert format_number(value, "as_logged") == format_number(value) == text
    assert format_number(value, "as_logged", decimals=1) == text
    assert format_signed(abs(value), "as_logged") == f"+{text.lstrip('−')}"


def test_small_values_have_small_limits_and_a_limit_of_zero_stays_zero() -> None:
    assert format_estimate(3.2e-8, 1.5e-12, 6e-8, "as_logged", signed=True) == "+3.2×10⁻⁸ (+1.5×10⁻¹² to +6×10⁻⁸)"
    assert format_interval(-3.2e-8, 1.5e-12, "as_logged") == "−3.2×10⁻⁸ to 1.5×10⁻¹²"
    assert format_interval(0.0, 1.5e-12, "as_logged") == "0 to 1.5×10⁻¹²"
    assert shared_decimals([3.2e-8, 1.5e-12], "as_logged") is None


def test_a_value_beside_far_greater_ones_is_not_written_as_0_but_where_its_unit_has_a_last_digit() -> None:
    assert format_interval(1e-9, 0.5, "as_logged") == "1×10⁻⁹ to 0.50"
    assert format_number(0.0003, "as_logged", decimals=1) == "0.0003"
    assert format_number(0.0003, "ms", decimals=1) == "0.0 ms"


@pytest.mark.parametrize("value", [-0.0, 0.0])
def test_zero_has_no_sign(value: float) -> None:
    assert format_number(value, "ms") == format_signed(value, "ms") == "0 ms"
    assert format_money(value) == "$0"


def test_fixed_decimals_align_a_column() -> None:
    assert [format_number(value, "percent", decimals=1) for value in (70.0, 3.25, -0.01)] == ["70.0 %", "3.2 %", "0.0 %"]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((1.0, 0.4625), ("1.00", "0.46")),  # the largest alone would need no decimals
        ((1.537, 0.7685), ("1.54", "0.77")),
        ((110.0, 123.34), ("110", "123")),
        ((2.0, 1.0, 0.0), ("2", "1", "0")),
        ((500.0, 0.4625), ("500", "0.463")),  # a value is not 0
        ((-0.0335, 0.0), ("−0.0335", "0.0000")),
        ((1_234_567.0, 0.5), ("1.23M", "0.5")),
        ((0.00012, None), ("0.00012", "–")),
        ((None,), ("–",)),
        ((), ()),
    ],
)
def test_values_beside_one_axis_have_the_decimals_of_the_largest_and_none_becomes_zero(values, texts) -> None:
    decimals = axis_decimals(values, "as_reported")
    assert tuple(format_number(value, "as_reported", decimals=each, show_unit=False) for value, each in zip(values, decimals, strict=True)) == texts


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (1_200_000, "$1.2M"),
        (53_000, "$53k"),
        (672_450, "$672.5k"),
        (999.6, "$1.0k"),
        (999_960, "$1.0M"),
        (12.5, "$12.50"),
        (50, "$50"),
        (99.999, "$100"),
        (0.0001, "$0.0001"),
        (1e-9, "<$0.000001"),
        (-28_930, "−$28.9k"),
        (-1e-9, ">−$0.000001"),
        (2e9, "$2B"),
    ],
)
def test_money(usd: float, text: str) -> None:
    assert format_money(usd) == text


@pytest.mark.parametrize(
    ("low", "high", "unit", "text"),
    [
        (2.41, 4.79, "points", "2.4 to 4.8 pt"),
        (70.123, 85.31, "percent", "70.1 to 85.3 %"),
        (78.191, 78.212, "percent", "78.19 to 78.21 %"),
        (50, 100, "ms", "50 to 100 ms"),
        (None, 5, "ms", "≤ 5 ms"),
        (1000, None, "ms", "> 1,000 ms"),
        (None, None, "ms", "no bounds"),
        (None, 53_000, "usd", "≤ $53k"),
        (-1000, 53_000, "usd", "−$1k to $53k"),
        (1e6, 2.5e6, "count", "1M to 2.5M"),
    ],
)
def test_an_interval_writes_both_ends_alike(low: float | None, high: float | None, unit: str, text: str) -> None:
    assert format_interval(low, high, unit) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (3.6, 2.413, 4.787, "+3.6 pt (+2.4 to +4.8)"),
        (3.6042, -12.31, 19.5, "+4 pt (−12 to +20)"),
        (58.31, 50.0, 100.0, "+58 pt (+50 to +100)"),
        (1.0, None, None, "+1 pt (no interval)"),
        (1.25, 1.2, None, "+1.2 pt (> +1.2)"),
    ],
)
def test_a_value_has_no_more_decimals_than_its_interval(value: float, low: float | None, high: float | None, text: str) -> None:
    assert format_estimate(value, low, high, "points", signed=True) == text


def test_money_with_its_interval() -> None:
    assert format_estimate(685_700, 100_000, None, "usd") == "$685.7k (> $100k)"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (12, "12 s"),
        (59.6, "1 min"),
        (190, "3 min"),
        (3_599, "1 h"),
        (7_500, "2 h 5 min"),
        (86_399, "1 d"),
        (4 * 86_400, "4 d"),
        (4 * 86_400 + 10_800, "4 d 3 h"),
        (30 * 86_400 + 10_800, "30 d"),
        (-12, "−12 s"),
        (-0.2, "0 s"),
        (None, NOTHING),
    ],
)
def test_an_age_has_at_most_two_units(seconds: float | None, text: str) -> None:
    assert format_age(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.6, "1 min"), (190, "3 min"), (3_569, "59 min"), (3_570, "1 h"), (169_200, "47 h"), (47.8 * 3_600, "2 d"), (30 * 86_400 + 10_800, "30 d")],
)
def test_a_short_age_has_one_unit(seconds: float, text: str) -> None:
    assert format_short_age(seconds) == text


def test_none_is_a_dash_everywhere() -> None:
    assert {format_count(None), format_money(None), format_percent(None), format_signed(None)} == {NOTHING}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("write", [format_number, format_money, format_age, format_count])
def test_what_is_not_finite_is_refused(write: Callable[[float], str], value: float) -> None:
    with pytest.raises(ValueError, match="no number to show"):
        write(value)


def test_a_unit_of_the_source_is_written_as_it_is() -> None:
    assert unit_suffix("widgets") == " widgets"
    assert unit_suffix("") == ""


@given(FINITE, UNITS)
def test_any_finite_number_has_a_short_text_without_a_hyphen_or_an_exponent(value: float, unit: str) -> None:
    texts = [format_number(value, unit), format_signed(value, unit), format_age(value), format_money(value)]
    assert all(len(text) < 24 and "-" not in text and not re.search(r"\de[+-]?\d|nan|inf", text) for text in texts), texts


@given(FINITE, UNITS)
def test_only_a_negative_number_has_a_minus(value: float, unit: str) -> None:
    assert (MINUS in format_number(value, unit)) <= (value < 0)
    assert not re.search(rf"{MINUS}\$?0(\.0*)?( |$)", format_number(value, unit))


@given(st.floats(1e-3, 999_000), st.sampled_from(["", "ms", "widgets"]))
def test_the_text_is_within_half_a_percent_or_a_thousandth_of_the_number(value: float, unit: str) -> None:
    text = format_number(value, unit, show_unit=False)
    assert float(text.replace(",", "")) == pytest.approx(value, rel=0.005, abs=0.0005)


@given(FINITE, FINITE, FINITE, UNITS)
def test_every_interval_can_be_written(first: float, value: float, second: float, unit: str) -> None:
    low, high = sorted((first, second))
    assert " to " in format_interval(low, high, unit)
    assert " to " in format_estimate(value, low, high, unit)


@given(st.floats(-1000, 1000), st.floats(0.01, 100))
def test_different_limits_read_differently(low: float, width: float) -> None:
    left, _, right = format_interval(low, low + width, "points").removesuffix(" pt").partition(" to ")
    assert left != right


def test_a_value_that_is_small_beside_its_interval_is_not_shown_as_nothing():
    assert format_money_estimate(301_000.0, -20e6, 21e6) == "$300k (−$20M to $21M)"
    assert format_money_estimate(0.0, -20e6, 21e6) == "$0 (−$20M to $21M)"
    assert format_money_estimate(12_345_678.0, -20e6, 21e6) == "$12M (−$20M to $21M)"
    assert format_money_estimate(5_000.0, None, 6_000.0) == "$5k (≤ $6k)"
    assert format_money_estimate(5_000.0, None, None) == "$5k (no interval)"
