from dataclasses import replace

import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from live_dashboards.draw.png.ab_page import PAGE
from live_dashboards.draw.png.compose import in_rows
from live_dashboards.draw.png.dashboard import _create_dashboard_panels
from live_dashboards.draw.png.frame import BARS_FROM_ZERO
from live_dashboards.draw.png.text import Look, font_properties, put
from tests.figures.cases import CASES
from tests.figures.layout_check import layout_faults
from tests.figures.pages import axes_of, boxes, drawn, page
from tests.support.reports import report

SMALL = (12.8, 7.2)


@pytest.mark.parametrize("name", CASES)
def test_a_page_keeps_every_rule_that_a_machine_can_check(name):
    figure = page(CASES[name]())
    assert layout_faults(figure, tuple(boxes(figure).values())) == ()


@pytest.mark.parametrize(
    "name", ["two variants", "five variants", "names of 40 characters", "hostile names", "all simulated", "all missing", "long words", "analysed, live"]
)
def test_the_smallest_preset_keeps_them_too(name):
    figure = page(CASES[name](), SMALL)
    assert layout_faults(figure, tuple(boxes(figure).values())) == ()


@pytest.mark.parametrize("name", ["two variants", "five variants", "all simulated"])
@pytest.mark.parametrize(("size", "dpi"), [((12, 6.75), 100), ((12, 18), 100), ((32, 20), 50), ((16, 10), 300)])
def test_any_other_size_and_resolution_keeps_them_too(name, size, dpi):
    figure = page(CASES[name](), size, dpi)
    assert layout_faults(figure, tuple(boxes(figure).values())) == ()


def test_there_are_at_most_nine_panels_and_all_have_their_place():
    assert sum(panel.is_shown(report()) for panel in PAGE.panels) <= 9
    figure = page(report())
    assert all(axes_of(figure, panel) for panel in boxes(figure))


def test_the_grid_is_the_same_whatever_the_report_holds():
    assert [box.bounds for box in boxes(page(report())).values()] == [box.bounds for box in boxes(page(CASES["all missing"]())).values()]


def test_a_small_page_drops_the_notes_and_nothing_else():
    large, small = ({text.get_text() for text in page(report(), size).texts} for size in ((16, 10), SMALL))
    assert "95 % intervals; hollow: no interval" in large
    assert "95 % intervals; hollow: no interval" not in small
    assert "Accuracy better by +3.6 pt" in small


def with_two_texts_over_each_other(figure):
    put(figure, (1, 1), "one", Look(9), within_inches=3)
    put(figure, (1.05, 1.02), "other", Look(9), within_inches=3)


def with_a_text_beyond_the_page(figure):
    figure.text(0.99, 0.5, "long words", fontproperties=font_properties(9.0))


def with_small_text(figure):
    put(figure, (1, 1), "words", Look(6), within_inches=3)


def with_faint_text(figure):
    put(figure, (1, 1), "words", Look(9, "#999999"), within_inches=3)


def with_a_formula(figure):
    figure.text(0.2, 0.5, "$x$", fontproperties=font_properties(9.0))


def with_a_bar_off_zero(figure):
    axes = figure.add_axes((0.2, 0.2, 0.5, 0.5))
    axes.set(xlim=(0, 3), xticks=[], yticks=[])
    axes.add_collection(LineCollection([[(1, 0), (2, 0)]], gid=BARS_FROM_ZERO))


def with_two_quantities_on_an_axis(figure):
    figure.add_axes((0.2, 0.2, 0.5, 0.5)).set(xticks=[], yticks=[])
    figure.add_axes((0.2, 0.2, 0.5, 0.5)).set(xticks=[], yticks=[])


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (with_two_texts_over_each_other, "overlap"),
        (with_a_text_beyond_the_page, "leaves the page"),
        (with_small_text, "6 pt"),
        (with_faint_text, "contrast"),
        (with_a_formula, "read as a formula"),
        (with_a_bar_off_zero, "bars start at"),
        (with_two_quantities_on_an_axis, "one quantity"),
    ],
)
def test_the_check_sees_what_is_wrong(spoil, fault):
    figure = Figure((6, 4), dpi=100)
    spoil(figure)
    assert any(fault in found for found in layout_faults(figure))


def test_the_check_sees_words_that_cross_a_panels_edge():
    figure = drawn(report())
    box = boxes(figure)["effect"]
    figure.text((box.x1 - 0.4) / 16, box.y0 / 10 + 0.002, "words over the edge", fontproperties=font_properties(9.0), horizontalalignment="center")
    assert any("leaves its panel" in fault for fault in layout_faults(figure, (box,)))


@pytest.mark.parametrize(("panels", "rows"), [(1, [1]), (3, [3]), (4, [4]), (5, [3, 2]), (9, [3, 3, 3]), (10, [3, 3, 4]), (11, [3, 3, 3, 2])])
def test_panels_stand_three_in_a_row_and_a_single_one_does_not_take_a_row_of_its_own(panels, rows):
    assert [len(row) for row in in_rows(range(panels))] == rows


def test_a_panel_that_a_report_does_not_have_leaves_no_place():
    without = replace(PAGE, panels=tuple(replace(panel, is_shown=lambda _: False) if panel.name == "health" else panel for panel in PAGE.panels))
    drawn = _create_dashboard_panels(report(), dpi=60, layout=without)
    assert report().health.head.title not in {text.get_text() for text in drawn.texts}
    assert report().health.head.title in {text.get_text() for text in page(report()).texts}


@pytest.mark.parametrize(("hours", "size"), [(23, (16, 10)), (1, (12, 6.75))])
def test_marks_over_the_timelines_touch_no_words(hours, size):
    made = report()
    marks = ((made.at.timestamp() - hours * 3600, "new enhanced"), (made.at.timestamp() - (hours - 0.9) * 3600, "new baseline"))
    figure = page(replace(made, **{name: replace(getattr(made, name), marks=marks) for name in ("rate", "latency", "errors")}), size)
    assert layout_faults(figure, tuple(boxes(figure).values())) == ()
