"""A card of a few lines: how long and wide it may be, and that what others named is only text."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_dashboards.model.card import MOST_LINES, WIDTH, Card, wrapped
from live_dashboards.model.names import columns, cut, short
from tests.support import hostile

NAMES = (hostile.BASELINE, hostile.CHALLENGER, hostile.IMPACT, hostile.ENDLESS, "模型" * 200, "", "e\u0301" * 300)
CARD = Card(("LIVE DATA", "SHIP: it is better"), ("variant", "requests"), (("baseline", "33,264"), ("enhanced", "9")), ("requests",), "a note")


def test_words_table_and_note_stand_below_each_other_with_numbers_to_the_right():
    assert CARD.text().split("\n") == ["LIVE DATA", "SHIP: it is better", "", "variant   requests", "baseline    33,264", "enhanced         9", "a note"]


def test_html_says_the_same():
    found = re.sub(r"<[^>]*>", "\n", CARD.html()).split("\n")
    assert [word for word in found if word] == ["LIVE DATA", "SHIP: it is better", "variant", "requests", "baseline", "33,264", "enhanced", "9", "a note"]


def test_of_many_rows_the_first_are_shown_and_how_many_more_there_are():
    lines = replace(CARD, rows=tuple((f"arm {number}", "1") for number in range(40))).text().split("\n")
    assert lines[-3:] == ["arm 4               1", "and 35 more", "a note"]


@given(words=st.lists(st.sampled_from(NAMES) | st.text(), min_size=1, max_size=4), rows=st.lists(st.tuples(*[st.sampled_from(NAMES)] * 5), max_size=9))
def test_no_card_is_longer_or_wider_whatever_is_in_it(words, rows):
    lines = Card(tuple(words), ("variant", "requests", "accuracy", "error rate", "p95"), tuple(rows), note=words[0]).text().split("\n")
    assert len(lines) <= MOST_LINES
    assert max(map(columns, lines)) <= WIDTH
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u200b\u2028\u202e\u2066]", "".join(lines))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_only_text_in_html(name):
    found = Card((name, name), (name,), ((name,),), note=name).html()
    assert set(re.findall(r"</?([a-z]+)", found)) <= {"div", "strong", "br", "table", "thead", "tbody", "tr", "th", "td", "small"}
    assert not re.search("[\u202e\u2066\u200b\x1b]", found)


def test_dollars_are_no_formulas_in_html():
    assert CARD.html().startswith('<div class="tex2jax_ignore mathjax_ignore">')


def test_marks_without_end_above_one_letter_are_cut_too():
    assert len(cut("e" + "\u0301" * 10_000, 40)) <= 160


@pytest.mark.parametrize(("text", "width", "shown"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("模型模型", 4, "模…"), ("e\u0301e\u0301", 2, "e\u0301e\u0301")])
def test_a_text_is_cut_by_the_columns_that_it_takes(text, width, shown):
    assert cut(text, width) == shown
    assert columns(shown) <= width


@pytest.mark.parametrize(
    ("text", "lines"),
    [("one two three", ["one two", "three"]), ("one two three four", ["one two", "three f…"]), ("onetwothree", ["onetwoth", "ree"]), ("one", ["one"])],
)
def test_a_text_is_broken_between_words_and_cut_at_the_last_line(text, lines):
    assert wrapped(text, 8, 2) == lines


@pytest.mark.parametrize("name", NAMES)
def test_a_record_shows_itself_on_one_line(name):
    assert columns(short("Answer", name, name)) <= WIDTH
    assert "\n" not in short("Answer", name, name)
