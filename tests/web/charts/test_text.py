import pytest

from live_dashboards.draw.web.words import shown, shown_name, width, wrapped


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("<b>&</b>", "&lt;b&gt;&amp;&lt;/b&gt;"),
        ("%{x}", "%&#123;x}"),
        ("two\nlines\u202e \x00 and \ud800", "two lines and"),
        ("$x_1$", "$x_1$"),
        ("עברית", "עברית"),
    ],
)
def test_a_label_is_neither_markup_nor_a_template(text, label):
    assert shown(text) == label


def test_a_long_text_is_cut():
    assert shown("A" * 10_000) == "A" * 59 + "…"


def test_names_that_differ_at_their_ends_stay_apart():
    arms = [shown_name(f"checkout-ranker-2026-q4-transformer-arm-{arm}", 24) for arm in "ab"]
    assert arms == ["checkout-ranker…er-arm-a", "checkout-ranker…er-arm-b"]


@pytest.mark.parametrize("name", ["模型" * 40, "W" * 90, "x" * 90, "a"])
def test_a_name_is_no_wider_than_its_room(name):
    assert width(shown_name(name, 20)) <= 20


def test_a_query_takes_lines_of_a_phones_width():
    lines = wrapped("sum(rate(requests_total[5m])) " * 9, 120).split("<br>")
    assert max(map(len, lines)) <= 44
    assert lines[-1].endswith("…")
