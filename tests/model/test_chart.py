"""A mark has a kind and look that can be drawn, and a place."""

import math
from contextlib import nullcontext
from dataclasses import replace

import pytest

from live_dashboards.model.chart import Cell, Column, Curve, Lines, Mark, Panel, Row, Rows, Scale, Table, TableRow
from live_dashboards.model.judgement import Condition
from live_dashboards.model.measurement import Interval
from live_dashboards.model.presentation import INK, VARIANT_STYLES

STYLE = VARIANT_STYLES[0]
ROWS, LINES = Rows((), Scale("percent"), "percent"), Lines("toy", (), "percent", "percent")
WRONG = {
    "a kind that there is not": {"kind": "dott", "value": 1.0, "style": STYLE},
    "a tick without a look": {"kind": "tick", "value": 1.0},
    "a span without a look": {"kind": "span", "interval": Interval(0.0, 1.0)},
    "a dot without a value": {"kind": "dot", "style": STYLE},
    "a dot without a style": {"kind": "dot", "value": 1.0},
    "a tick without a value": {"kind": "tick", "look": "plan"},
    "a span without ends": {"kind": "span", "look": "bucket"},
    "a bar without ends": {"kind": "bar", "look": "filled"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_mark_that_could_only_be_drawn_wrongly_is_refused(wrong):
    with pytest.raises(ValueError, match=r"there is no mark|leave the mark out|needs the style"):
        Mark(colour=INK, **wrong)


def test_an_axis_reaches_what_its_marks_hold_and_not_beyond_its_floor():
    dot = Mark("dot", INK, 3.0, Interval(1.0, None), style=STYLE)
    low, high = Scale("percent", around=(0.0,), floor=0.0, ceiling=100.0).limits([Row("one", (dot,))])
    assert (low, high) == (0.0, pytest.approx(3.24))
    assert Scale("percent", fixed=(0.0, 100.0)).limits([Row("one", (dot,))]) == (0.0, 100.0)


def test_a_log_axis_leaves_out_what_is_not_above_zero():
    marks = (Mark("dot", INK, 0.0, style=STYLE), Mark("dot", INK, 10.0, style=STYLE))
    low, high = Scale("ms", is_log=True).limits([Row("one", marks)])
    assert (low, high) == (pytest.approx(10 / 1.15), pytest.approx(12.5))
    assert Scale("ms", is_log=True).limits([Row("none")]) == (1.0, 1000.0)


@pytest.mark.parametrize(
    ("charts", "fits"), [((ROWS,), True), ((ROWS, LINES), True), ((LINES, LINES, LINES), True), ((), True), ((ROWS, ROWS), False), ((ROWS, LINES, LINES), False)]
)
def test_a_panel_with_more_charts_than_it_has_places_for_is_refused(charts, fits):
    panel = Panel("toy", lambda _: charts)
    with nullcontext() if fits else pytest.raises(ValueError, match="the panel 'toy' has"):
        assert panel.shown(None) == charts


@pytest.mark.parametrize("name", ["", "My Panel", "../up", "a-b", "1st"])
def test_a_panel_s_name_can_stand_in_the_web_page(name):
    with pytest.raises(ValueError, match="is no panel's name"):
        Panel(name, lambda _: ())


TABLE = Table("toys", (Column("name"), Column("value")), (TableRow((Cell("one"), Cell("1"))),))
CURVE = Curve(((0.0, 1.0), (1.0, 2.0)), lambda *_: (), "months", ((0.0, "0"),), "USD")


@pytest.mark.parametrize("charts", [(TABLE, ROWS), (CURVE, LINES), (TABLE, CURVE)])
def test_a_table_or_a_curve_has_its_panel_to_itself(charts):
    with pytest.raises(ValueError, match="the panel 'toy' has"):
        Panel("toy", lambda _: charts).shown(None)


def test_a_row_has_a_cell_a_column():
    with pytest.raises(ValueError, match="the table 'toys' has 2 columns and a row of 1 cells"):
        replace(TABLE, rows=(TableRow((Cell("one"),)),))


@pytest.mark.parametrize("points", [(), ((0.0, 1.0),), ((0.0, 1.0), (0.0, 2.0)), ((1.0, 1.0), (0.0, 2.0)), ((0.0, math.nan), (1.0, 2.0)), ((0.0, 1.0), (math.inf, 2.0))])
def test_a_curve_goes_from_left_to_right(points):
    with pytest.raises(ValueError, match="needs two or more finite points"):
        replace(CURVE, points=points)


def test_a_condition_is_passed_failed_or_unknown():
    with pytest.raises(ValueError, match="Both live is 'maybe'"):
        Condition("Both live", "maybe", "")


@pytest.mark.parametrize("share", [-0.5, math.nan, math.inf])
def test_a_column_has_a_share_that_a_picture_has(share):
    with pytest.raises(ValueError, match="has a column whose share is not from 0 on"):
        replace(TABLE, columns=(Column("name"), Column("value", share)))
