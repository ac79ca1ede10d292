from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from live_dashboards.model.axis import log_labels, log_ticks, moment_words, number_labels, round_ticks, span_words, time_ticks
from live_dashboards.model.moment import zone_words

BERLIN = ZoneInfo("Europe/Berlin")


def seconds(*moment):
    return datetime(*moment, tzinfo=UTC).timestamp()


def test_ticks_are_round_and_inside():
    assert round_ticks(-1.3, 4.2) == (0, 2, 4)


@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12), st.integers(2, 7))
def test_there_are_never_more_ticks_than_asked_for_and_all_lie_inside(low, span, most):
    assume(span > abs(low) * 1e-6)  # closer than that, floats have no round numbers between them
    high = low + span
    ticks = round_ticks(low, high, most)
    assert len(ticks) <= most
    assert all(low - span * 1e-6 <= tick <= high + span * 1e-6 for tick in ticks)


def test_zero_is_exactly_zero():
    assert 0.0 in round_ticks(-0.3, 0.3)


@pytest.mark.parametrize(
    ("low", "high", "ticks"), [(1, 100, (1, 2, 5, 10, 20, 50, 100)), (1, 1e7, (1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7)[::2]), (11, 19, (12, 14, 16, 18))]
)
def test_log_ticks(low, high, ticks):
    assert log_ticks(low, high) == pytest.approx(ticks)


def test_labels_that_rounding_would_make_equal_are_powers_of_ten():
    assert number_labels((0.0, 1e-9, 2e-9)) == ("0", "1×10⁻⁹", "2×10⁻⁹")


def test_labels_have_as_many_decimals_as_tell_them_apart():
    assert number_labels((99.96, 99.962, 99.964), "percent") == ("99.960", "99.962", "99.964")
    assert number_labels((-0.45, -0.4, -0.35)) == ("−0.45", "−0.40", "−0.35")
    assert number_labels((0.0, 0.05, 0.1)) == ("0", "0.05", "0.10")
    assert number_labels(round_ticks(99.9, 100.0), "percent")[-1] == "100.00"


def test_labels_of_a_log_axis_have_their_own_digits():
    assert log_labels((0.5, 1, 2, 5, 10, 1_000)) == ("0.5", "1", "2", "5", "10", "1,000")


def test_labels_have_thousands_separators_and_a_real_minus():
    assert number_labels((-1_000, 0, 1_000)) == ("−1,000", "0", "1,000")


def test_a_day_in_utc_has_ticks_at_round_hours_and_the_date_at_midnight():
    ticks = time_ticks(seconds(2026, 11, 19, 12), seconds(2026, 11, 20, 12), ZoneInfo("UTC"), 6)
    assert [words for _, words in ticks] == ["12:00", "16:00", "20:00", "20 Nov", "04:00", "08:00", "12:00"]


def test_midnight_is_that_of_the_zone():
    ticks = {words: moment for moment, words in time_ticks(seconds(2026, 11, 19, 12), seconds(2026, 11, 20, 12), BERLIN, 6)}
    assert ticks["20 Nov"] == seconds(2026, 11, 19, 23)


@pytest.mark.parametrize("day", [(2026, 3, 28, 12), (2026, 10, 24, 12)])
def test_ticks_are_in_order_when_the_clock_changes(day):
    start = seconds(*day)
    moments = [moment for moment, _ in time_ticks(start, start + 86_400, BERLIN, 24)]
    assert moments == sorted(set(moments))
    assert len(moments) >= 20


@pytest.mark.parametrize("span", [60, 1_800, 86_400, 7 * 86_400, 40 * 86_400, 400 * 86_400, 9 * 365 * 86_400])
def test_every_window_has_between_two_and_eight_ticks(span):
    ticks = time_ticks(seconds(2026, 11, 20, 12) - span, seconds(2026, 11, 20, 12), BERLIN, 6)
    assert 2 <= len(ticks) <= 8
    assert all(earlier < later for earlier, later in pairwise(moment for moment, _ in ticks))


def test_years_have_ticks_at_the_first_of_the_same_month():
    start = seconds(2016, 11, 20)
    assert [words for _, words in time_ticks(start, seconds(2026, 11, 20), BERLIN, 6)] == ["Jan 2018", "Jan 2020", "Jan 2022", "Jan 2024", "Jan 2026"]


@pytest.mark.parametrize(("length", "words"), [(86_400, "24 h"), (7 * 86_400, "7 d"), (1_800, "30 min"), (90, "90 s"), (5_400, "90 min")])
def test_windows_in_words(length, words):
    assert span_words(length) == words


def test_a_zone_without_a_name_is_an_offset_from_utc():
    assert zone_words(seconds(2026, 11, 20), ZoneInfo("America/Argentina/Buenos_Aires")) == "UTC-03"


def test_a_moment_names_its_zone():
    assert moment_words(datetime(2026, 11, 20, 12, tzinfo=UTC), BERLIN) == "20 Nov 2026, 13:00 CET"
