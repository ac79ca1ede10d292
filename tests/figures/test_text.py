import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font

from live_dashboards.draw.png.text import REPLACEMENT, Look, clean, fitted, fitted_name, font_properties, put, width_inches, wrapped

BODY = Look(9.0)
KNOWN = set.intersection(*(set(FT2Font(str(font_properties(9.0, is_bold=is_bold).get_file())).get_charmap()) for is_bold in (False, True)))


@given(st.text(max_size=80))
def test_whatever_comes_in_the_font_can_draw_what_comes_out(text):
    assert all(ord(character) in KNOWN for character in clean(text))


@given(st.text(max_size=80))
def test_cleaning_twice_changes_nothing(text):
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize("text", ["\u202e", "\u2066", "\x00", "\x1b", "\ud800", "模", "\U0001f9ff"])
def test_what_could_act_or_cannot_be_drawn_is_seen_as_replaced(text):
    assert clean(f"a{text}b") == f"a{REPLACEMENT}b"


def test_white_space_of_any_kind_is_one_space():
    assert clean("a\n\t b\u2003c") == "a b c"


def test_right_to_left_names_do_not_move_the_number_beside_them():
    assert clean("עברית 3.6") == "\u200eעברית\u200e 3.6\u200e"


def test_a_dollar_sign_stays_a_dollar_sign():
    text = put(Figure((4, 4)), (1, 1), "$x_1$", BODY, within_inches=3)
    assert text.get_text() == "$x_1$"
    assert not text.get_parse_math()


@given(st.text(max_size=60), st.floats(0.05, 3.0))
def test_a_fitted_text_is_no_wider_than_its_room(text, room):
    assert width_inches(fitted(text, BODY, room), BODY) <= room + 1e-9
    assert width_inches(fitted_name(text, BODY, room), BODY) <= room + 1e-9


def test_ten_thousand_characters_are_cut_with_an_ellipsis():
    assert fitted("name" * 2_500, BODY, 1.0).endswith("…")


def test_a_name_that_is_too_long_keeps_both_ends():
    shown = fitted_name("checkout-ranker-2026-q4-transformer-arm-b", BODY, 1.0)
    assert shown.startswith("check")
    assert shown.endswith("arm-b")


def test_text_wraps_at_spaces_and_the_last_line_says_that_more_follows():
    lines = wrapped("one two three four five six seven eight nine ten eleven twelve", BODY, 1.0, 2)
    assert len(lines) == 2
    assert " ".join(lines).startswith("one two three")
    assert lines[-1].endswith("…")


def test_no_words_take_no_lines():
    assert wrapped("", BODY, 1.0, 2) == []


def test_widths_are_what_the_renderer_draws():
    figure = Figure((8, 2), dpi=300)
    text = put(figure, (0.1, 1), "enhanced: accuracy better by +3.24 pt", BODY, within_inches=7)
    drawn = text.get_window_extent().width / 300
    assert drawn <= width_inches(text.get_text(), BODY) <= drawn * 1.1
