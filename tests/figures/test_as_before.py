"""Nothing that is drawn changes by accident: every case looks as it was when somebody last looked at it."""

import pytest

from tests.figures import as_before
from tests.figures.as_before import EVERY_CASE, instructions, pictures, pixels, stored


@pytest.mark.parametrize(("page", "case"), EVERY_CASE)
def test_the_pictures(page, case):
    parts = stored()[f"{page}: {case}"]
    for size, figure in pictures(page, case).items():
        assert pixels(figure) == parts[f"pixels, {size}"] or instructions(figure) == parts[f"instructions, {size}"], size


@pytest.mark.parametrize(("page", "case"), EVERY_CASE)
def test_the_charts_of_the_web_page(page, case):
    parts = stored()[f"{page}: {case}"]
    assert as_before.charts(page, case) == {name.removeprefix("chart "): each for name, each in parts.items() if name.startswith("chart ")}


@pytest.mark.parametrize(("page", "case"), EVERY_CASE)
def test_the_table_of_drawn_values(page, case):
    assert as_before.values(page, case) == stored()[f"{page}: {case}"]["values"]


def test_a_picture_that_differs_by_one_word_or_a_point_is_found():
    figure = pictures("ab", "two variants")["small"]
    before = pixels(figure), instructions(figure)
    figure.texts[5].set_text(figure.texts[5].get_text() + ".")
    assert (pixels(figure), instructions(figure)) != before
    assert pixels(figure) != before[0]
    assert instructions(figure) != before[1]
