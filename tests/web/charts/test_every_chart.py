import json
import re
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import pytest

from live_dashboards.draw.web.base import CLEAR, DARK, USUAL_HEIGHT
from live_dashboards.draw.web.lines import lines_figure
from live_dashboards.draw.web.panels import places
from live_dashboards.draw.web.rows import rows_figure
from live_dashboards.model.chart import Mark, Row, Rows, Scale
from live_dashboards.model.measurement import Origin
from live_dashboards.model.presentation import INK, VARIANT_STYLES
from live_dashboards.panels import split
from live_dashboards.panels.ab import AB_PANELS
from live_dashboards.panels.business import BUSINESS_PANELS
from tests.figures.cases import CASES, HOSTILE
from tests.support import reports
from tests.web.charts.drawn import EVERY_CASE, all_figures, colours, figure, figures, hovers, labels, walk

TEMPLATE_FIELDS = {"%{customdata}", "%{meta[0]}", "%{meta[1]}", "%{meta[2]}", "%{x|%-d %b %Y, %H:%M:%S}"}
OUR_TAGS = {"<br>", "<b>", "</b>"}
A_PAGE_BYTES = 200_000


@pytest.mark.parametrize(("page", "case"), EVERY_CASE)
def test_a_figure_is_json_without_nan_or_infinity(page, case):
    for drawn in figures(page, case).values():
        assert json.loads(json.dumps(drawn, allow_nan=False)) == drawn


@pytest.mark.parametrize(("page", "case"), EVERY_CASE)
def test_every_colour_has_its_dark_one(page, case):
    found = set().union(*(colours(drawn) for drawn in figures(page, case).values()))
    assert found - {CLEAR} <= set(DARK)


@pytest.mark.parametrize(("page", "case"), EVERY_CASE)
def test_a_template_holds_only_our_own_words(page, case):
    for drawn in figures(page, case).values():
        templates = [value for key, value in walk(drawn) if key == "hovertemplate"]
        assert {field for template in templates for field in re.findall(r"%\{[^}]*\}", template)} <= TEMPLATE_FIELDS
        assert all(template.endswith("<extra></extra>") for template in templates)


@pytest.mark.parametrize(("page", "case"), EVERY_CASE)
def test_the_only_markup_is_ours_and_no_text_is_a_template(page, case):
    for drawn in figures(page, case).values():
        texts = [value for key, value in walk(drawn) if isinstance(value, str) and key != "hovertemplate"]
        assert {tag for text in texts for tag in re.findall(r"<[^>]*>", text)} <= OUR_TAGS
        assert not any("%{" in text or "\n" in text.replace("\n%", "") for text in texts)


@pytest.mark.parametrize(("page", "case"), EVERY_CASE)
def test_a_text_is_never_long(page, case):
    for drawn in figures(page, case).values():
        assert max(len(line) for text in (*labels(drawn), *hovers(drawn)) for line in text.split("<br>")) <= 140
        assert max(len(text) for text in labels(drawn) or [""]) <= 90


@pytest.mark.parametrize("case", ["two variants", "hostile names", "gaps", "all simulated"])
def test_the_chart_library_knows_every_attribute(case):
    for drawn in figures("ab", case).values():
        go.Figure(drawn)


@pytest.mark.parametrize("case", ["ranges", "model data", "simulated"])
def test_the_chart_library_knows_every_attribute_of_the_business_charts(case):
    for drawn in figures("business", case).values():
        go.Figure(drawn)


def test_an_attribute_that_the_chart_library_does_not_know_would_be_named():
    drawn = figures("ab", "two variants")["split-timeline"]
    with pytest.raises(ValueError, match="no_such_thing"):
        go.Figure({**drawn, "layout": {**drawn["layout"], "no_such_thing": 1}})


def test_every_mark_says_where_it_comes_from():
    for name, drawn in figures("ab", "analysed, live").items():
        silent = [words for words in hovers(drawn) if "source: " not in words and "from the settings" not in words]
        assert not silent, name


def test_zoom_survives_a_refresh_and_rows_cannot_be_dragged():
    drawn = figures("ab", "two variants")
    assert {each["layout"]["uirevision"] for each in drawn.values()} == {"kept"}
    assert {name for name, each in drawn.items() if each["layout"]["dragmode"]} == {
        "evidence",
        "split-timeline",
        "latency-timeline",
        "errors-timeline",
        "runs",
        *(n for n in drawn if n.startswith("impact")),
    }


def test_a_time_axis_is_the_pages_local_time_and_names_its_zone():
    report = reports.report(timezone="Asia/Kolkata")
    axis = figure("split-timeline", report)["layout"]["xaxis"]
    assert axis["title"]["text"] == "time, IST"
    assert axis["range"][1] == f"{report.at.astimezone(ZoneInfo('Asia/Kolkata')):%Y-%m-%d %H:%M}" == "2026-11-20 17:30"


def test_a_change_of_the_clocks_neither_repeats_nor_leaves_out_an_hour():
    report = reports.report(timezone="Europe/Berlin", window_seconds=40 * 86_400.0)
    xs = figure("split-timeline", report)["data"][0]["x"]
    steps = {round((later - earlier).total_seconds()) for earlier, later in pairwise(map(datetime.fromisoformat, xs))}
    assert steps == {36_000}


def test_what_is_missing_has_no_figure():
    assert figures("ab", "all missing") == figures("ab", "nothing in any panel") == {}


def test_what_is_simulated_says_so_behind_the_data():
    for drawn in figures("ab", "all simulated").values():
        words = [shape["label"]["text"] for shape in drawn["layout"]["shapes"] if "label" in shape]
        assert words == ["SIMULATED"]
        assert {shape["layer"] for shape in drawn["layout"]["shapes"]} == {"below"}


def test_only_the_simulated_panel_says_so():
    marked = [name for name, drawn in figures("ab", "one panel simulated").items() if any("label" in shape for shape in drawn["layout"]["shapes"])]
    assert marked == ["runs"]


def test_names_of_users_are_shown_as_they_are_but_short():
    texts = [text for drawn in figures("ab", "hostile names").values() for text in (*labels(drawn), *hovers(drawn))]
    assert any("&lt;script&gt;" in text for text in texts)
    assert not any(HOSTILE[0][:300] in text or "\u202e" in text or "A" * 61 in text for text in texts)


def test_a_page_of_a_day_is_small():
    report = CASES["analysed, live"]()
    page = list(all_figures("ab", report).values())
    assert len(json.dumps(page, ensure_ascii=False).encode()) < A_PAGE_BYTES


def test_a_figure_is_higher_only_where_its_rows_need_it():
    heights = [figures("ab", case)["effect"]["layout"].get("height", USUAL_HEIGHT) for case in ("two variants", "nine variants")]
    assert heights[0] == 320
    assert heights[1] > 500


def test_the_charts_have_the_pages_ids():
    ab = [
        "effect",
        "evidence",
        "quality",
        "split",
        "split-timeline",
        "latency",
        "latency-timeline",
        "errors",
        "errors-timeline",
        *(f"impact-{number}" for number in range(6)),
        "runs",
        "health",
        "slices",
    ]
    assert [place for panel in AB_PANELS for place in places(panel)] == ab
    assert [place for panel in BUSINESS_PANELS for place in places(panel)] == ["net", "parts", "sensitivity", "break-even", "payback"]
    assert list(all_figures("ab", reports.report())) == [place for place in ab if place not in {"impact-3", "impact-4", "impact-5", "slices"}]


@pytest.mark.parametrize(("value", "edge", "symbol"), [(15.0, 10.0, "triangle-right"), (-3.0, 0.0, "triangle-left")])
def test_a_dot_beyond_a_fixed_axis_is_an_arrow_at_its_edge(value, edge, symbol):
    dots = tuple(Row("row", (Mark("dot", INK, each, style=VARIANT_STYLES[0]),)) for each in (value, 5.0))
    drawn = rows_figure(Rows(dots, Scale("percent", fixed=(0.0, 10.0)), "percent"), Origin.LIVE)
    trace = drawn["data"][-1]
    assert (trace["x"], trace["marker"]["symbol"]) == ([edge, 5.0], [symbol, "circle"])


def test_the_words_of_an_axis_are_no_markup():
    evil = "<b>%{x}</b>"
    rows = rows_figure(Rows((Row("row"),), Scale("percent", fixed=(0.0, 10.0)), evil, evil), Origin.LIVE)
    lines = lines_figure(replace(rates(), target=rates().lines[0].latest.value, target_words=evil), CASES["two variants"](), Origin.LIVE)
    for drawn in (rows, lines):
        assert not [text for _, text in walk(drawn["layout"]) if isinstance(text, str) and ("<b>" in text or "%{" in text)]


def rates():
    """The chart of requests per second."""
    _, chart = split.charts(CASES["two variants"]())
    return chart
