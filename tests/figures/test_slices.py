"""The panel by label: only where it is asked for, what is worst first, and words on it that keep their place."""

from __future__ import annotations

from functools import cache

import pytest
from matplotlib.transforms import Bbox

from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.draw.png.ab_page import PAGE
from live_dashboards.draw.png.compose import in_rows
from live_dashboards.outputs.sidecars import drawn_values
from live_dashboards.panels import slices
from tests.figures.layout_check import layout_faults
from tests.figures.pages import page
from tests.support import snapshots
from tests.support.sliced import instances, regions, sliced
from tests.web.charts.drawn import figure, hovers, labels

LONG = "eu-central-1/serving-cluster-of-the-checkout-team/" + "x" * 200
HOSTILE = '<b>$x_1$</b>\n\u202eevil"{}'
CASES = {
    "one": (instances(count=1), "instance"),
    "three": (instances(faulty=0.1), "instance"),
    "more than are shown": (instances(faulty=0.1, count=13), "instance"),
    "regions": (regions("eu", "us", "ap", worse={"us": 0.05}), "region"),
    "25 regions": (regions(*(f"zone-{number}" for number in range(25))), "zone"),
    "names that nobody should give": (regions(LONG, HOSTILE, "模型🤖 עברית"), "cluster"),
}


@cache
def report(name):
    parts, label = CASES[name]
    return build_ab_report(sliced(parts, label), None, snapshots.settings(AB_SLICE_LABEL=label))


def places(drawn):
    found = [place for row in PAGE.places(drawn, in_rows(PAGE.panels), next(report(name) for name in CASES)) for place in row]
    return tuple(Bbox.from_bounds(place.left, place.bottom, place.width, place.height) for place in found)


@pytest.mark.parametrize("size", [(16, 10), (12.8, 7.2)])
@pytest.mark.parametrize("name", CASES)
def test_words_and_marks_keep_their_places(name, size):
    drawn = page(report(name), size)
    assert layout_faults(drawn, places(drawn)) == ()


def texts(name):
    return [text.get_text().replace("\n", " ") for text in page(report(name)).texts]


def test_it_is_not_on_a_page_without_the_setting():
    plain = build_ab_report(sliced(instances(), "instance"), None, snapshots.settings())
    assert not slices.is_shown(plain)
    assert not any("instance" in text.get_text() for text in page(plain).texts)
    assert figure("slices", plain) is None


def test_what_stands_out_is_first_and_in_the_title():
    (chart,) = slices.charts(report("three"))
    assert (chart.rows[0].name, chart.rows[0].of) == ("errors: b0:9000", "against its arm")
    head = slices.head(report("three"))
    assert head.title == "Errors of enhanced come from instance b0:9000 (9.6 %, the rest 0.99 %)"
    assert head.note == "an instance fault is no model fault; no verdict goes by it; Q for one look: they differ in errors of enhanced (p < 0.001)"
    assert {"errors: b0:9000 ↓", "+8.6 pt"} <= set(texts("three"))


def test_how_many_are_shown_is_told():
    assert "20 of 26 shown" in slices.head(report("more than are shown")).note


def test_one_value_an_arm_has_nothing_to_show_and_says_why():
    head = slices.head(report("one"))
    assert (head.is_drawn, head.title) == (False, "No data by instance")
    assert head.reason == "instance b0:9000 is the only one of enhanced; instance a0:9000 is the only one of baseline"


@pytest.mark.parametrize("name", ["three", "regions", "names that nobody should give"])
def test_the_web_page_and_the_table_of_drawn_values_have_every_row(name):
    rows = report(name).slices.rows
    table = [value for value in drawn_values(report(name)) if value.panel == "slices"]
    assert {(each.variant, each.value) for each in table} == {(row.arm, row.difference.value) for row in rows}
    assert len(labels(figure("slices", report(name)))) == 2 * len(rows)  # name and number


def test_a_mark_says_against_what_it_is_compared_and_where_it_comes_from():
    said = hovers(figure("slices", report("three")))
    (words,) = [each for each in said if "b0:9000" in each and "Error rate" in each]
    for part in ("enhanced there, against the rest of enhanced", "9.64 % and 0.986 % of all requests", "valid at every look", "source: prometheus", "query of errors"):
        assert part in words
