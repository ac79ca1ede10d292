"""What a browser is sent: every number with its origin, every panel with its head, names as text, and a place on the page for everything."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from dash.development.base_component import Component

from live_dashboards.app import serving
from live_dashboards.draw.web.panels import places as chart_places
from live_dashboards.model.chart import Sentences
from live_dashboards.model.measurement import Origin
from live_dashboards.model.number import format_number
from live_dashboards.model.presentation import VARIANT_STYLES
from live_dashboards.model.slices import ByLabel
from live_dashboards.panels import net
from live_dashboards.panels.ab import AB_PANELS
from live_dashboards.panels.business import BUSINESS_PANELS
from live_dashboards.web import app
from live_dashboards.web.app import layout
from live_dashboards.web.document import DocumentMaker
from live_dashboards.web.view import View
from tests.figures.cases import HOSTILE, analysed
from tests.support import business_pages, reports
from tests.support.snapshots import AT, live, with_instant, without_mlflow, without_prometheus
from tests.web.replaying import document_of, page_maker, settings, without_both

PANELS = (*AB_PANELS, *BUSINESS_PANELS)
MOST_IMPACTS = next(panel.most_charts for panel in AB_PANELS if panel.name == "impact")
STATES = {"live": lambda snapshot: snapshot, "without MLflow": without_mlflow, "without Prometheus": without_prometheus, "simulated": without_both}
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")


@pytest.fixture(scope="module", params=list(STATES))
def page(request):
    """A page in each state of the sources."""
    return page_maker().make(View(), STATES[request.param](live()))


@pytest.fixture(scope="module")
def live_page():
    return page_maker().make(View(), live())


def made(ab=None, business=None, names=("baseline", "enhanced")):
    """The document of hand-made reports, as the browser reads it."""
    found = DocumentMaker(settings(), serving.summary)(live(), ab or reports.report(), business or business_pages.page(), names)
    return json.loads(json.dumps(found, allow_nan=False, default=lambda component: component.to_plotly_json()))


def texts(tree):
    """Every text in a part of the document."""
    if isinstance(tree, str):
        yield tree
    for part in tree if isinstance(tree, list) else tree.values() if isinstance(tree, dict) else ():
        yield from texts(part)


def words(tree):
    """What a reader reads: the texts of the components, without their properties."""
    if isinstance(tree, list):
        return "".join(words(part) for part in tree)
    if isinstance(tree, dict):
        return words(tree["props"].get("children"))
    return "" if tree is None else str(tree)


def rows_of(document):
    """The rows of the provenance table as their cells' words."""
    body = document["props"]["provenance"]["children"]["props"]["children"]["props"]["children"][2]
    return [[words(cell) for cell in row["props"]["children"]] for row in body["props"]["children"]]


def components(tree):
    if isinstance(tree, dict) and "namespace" in tree:
        yield tree
    for part in tree if isinstance(tree, list) else tree.values() if isinstance(tree, dict) else ():
        yield from components(part)


def places(tree):
    """The ids of a layout."""
    return {component.id for component in tree._traverse() if isinstance(component, Component) and hasattr(component, "id")} | {tree.id}


def test_every_measurement_of_both_summaries_stands_once_in_the_provenance_table_with_its_value_and_origin(page):
    listed = [(cells[0], cells[1], cells[4]) for cells in rows_of(document_of(page))]
    rows = [row for report in (page.ab, page.business) for row in serving.summary(report)["measurements"]]
    expected = {
        (
            row["name"] if row["variant"] is None else f"{row['name']} · {row['variant']}",
            format_number(row["value"], row["unit"]),
            row["origin"] + (", stale" if row["stale"] else ""),
        )
        for row in rows
    }
    assert set(listed) == expected
    assert len(listed) == len(expected) > 50


def test_a_missing_number_has_its_reason_in_the_table(page):
    missing = [cells for cells in rows_of(document_of(page)) if cells[4] == "missing"]
    assert [cells for cells in missing if not cells[8]] == []


def test_a_measured_number_has_source_moment_and_query_in_the_table(live_page):
    counted = [cells for cells in rows_of(document_of(live_page)) if cells[0].startswith("requests ·")]
    assert len(counted) == 2
    assert all(cells[5] == "prometheus" and cells[6].startswith("2026-11-20T") and cells[7] != "—" for cells in counted)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.name)
def test_every_panel_has_its_head_in_every_state(page, panel):
    report = page.ab if panel in AB_PANELS else page.business
    props = document_of(page)["props"]
    if not panel.is_shown(report):
        assert props[f"{panel.name}-panel"]["className"] == "panel is-absent"
        return
    head = panel.head(report)
    shown = words(props[f"{panel.name}-head"]["children"])
    assert head.title[:100] in shown
    assert props[f"{panel.name}-panel"]["className"].startswith(f"panel is-{head.origin.value}")


@pytest.mark.parametrize(("planned", "is_alarm"), [("baseline=60,enhanced=40", True), ("baseline=70,enhanced=30", False), ("", False)])
def test_a_split_that_is_not_as_planned_stands_in_a_red_frame(planned, is_alarm):
    props = made(analysed(AB_TRAFFIC_SPLIT=planned))["props"]
    assert [name for name, each in props.items() if "is-alarm" in each.get("className", "")] == (["split-panel"] if is_alarm else [])


def test_what_a_picture_says_below_a_drawing_stands_on_the_page_too(live_page):
    said = next(chart for chart in net.charts(live_page.business) if isinstance(chart, Sentences)).texts
    assert said
    assert words(document_of(live_page)["props"]["net-words"]["children"]) == "".join(said)


@pytest.mark.parametrize("origin", list(Origin))
def test_a_panel_that_is_not_live_wears_the_word_of_its_origin(origin):
    document = made(reports.with_heads(reports.report(), origin=origin, reason="why", asked="what"))
    heads = [head for name, head in document["props"].items() if name in {f"{panel.name}-head" for panel in AB_PANELS}]
    tags = {words(part) for head in heads for part in components(head) if "tag" in part["props"].get("className", "")}
    word = {Origin.CACHED: "CACHED †"}.get(origin, origin.value.upper())
    assert tags == (set() if origin is Origin.LIVE else {word})


def test_a_missing_panel_says_what_was_asked_why_there_is_nothing_and_when_there_was():
    document = made(reports.all_missing(reports.report()))
    assert words(document["props"]["split-reason"]["children"]) == (
        "askedab_test_requests_totalreasonPrometheus: refuses the connectionlast goodlast answered at nine in the morning"
    )
    assert [
        name for name, props in document["props"].items() if "figure" in props and name in {f"{chart}-chart" for panel in AB_PANELS for chart in chart_places(panel)}
    ] == []


def test_a_panel_without_a_drawing_hides_its_graph_and_one_with_it_does_not():
    empty, full = made(reports.all_missing(reports.report())), made()
    assert (empty["props"]["split-figure"]["className"], full["props"]["split-figure"]["className"]) == ("figure is-empty", "figure")


def test_a_simulated_panel_says_why_it_had_to_be():
    page = page_maker().make(View(), without_mlflow(live()))
    assert "refuses the connection" in words(document_of(page)["props"]["runs-reason"]["children"])


def hostile():
    names = {"baseline": HOSTILE[0][:200], "challenger": HOSTILE[1][:200]}
    ab = reports.report(HOSTILE, experiment=HOSTILE[0], experiment_note=HOSTILE[1])
    return made(ab, business_pages.named(names), HOSTILE)


def test_hostile_names_bring_no_component_of_their_own():
    known = {(part["namespace"], part["type"]) for part in components(made())}
    assert {(part["namespace"], part["type"]) for part in components(hostile()["props"])} <= known


def test_hostile_names_stay_text_and_are_cut():
    document = hostile()
    assert words(document["props"]["experiment-title"]["children"]).startswith("$x_1$ evil <script>alert(1)</script> AAA")
    assert [text[:80] for text in texts(document["props"]) if len(text) > 1000] == []
    assert len(document["title"]) < 250


def test_nothing_turns_the_direction_of_writing_but_the_choices_that_must_be_spelled_as_they_are():
    document = hostile()
    assert [text[:80] for part in (document["props"], document["title"]) for text in texts(part) if TURNING.search(text)] == []
    assert HOSTILE[0] in document["controls"]["baseline"]["options"]


def test_a_hostile_kind_of_impact_stays_text_in_the_table():
    snapshot = with_instant(live(), "business_impact", {("baseline-predictor", HOSTILE[0]): 1.0, ("enhanced-predictor", HOSTILE[0]): 2.0}, label="metric_type")
    document = document_of(page_maker().make(View(), snapshot))
    assert [text[:80] for text in texts(document["props"]) if TURNING.search(text) or len(text) > 1000] == []


@pytest.mark.parametrize("scale", [1e-9, 1e12])
def test_the_document_is_json_without_nan_for_any_size_of_number(scale):
    assert made(reports.report(scale=scale))["at"] == "2026-11-20T12:00:00Z"


@pytest.mark.parametrize("has_login", [False, True])
def test_everything_that_the_document_fills_has_its_place_on_the_page(page, has_login):
    assert set(document_of(page)["props"]) <= places(layout(30.0, has_login=has_login))


def test_every_panel_of_the_page_is_filled():
    empty = {place for place in places(layout(30.0, has_login=False)) if place.endswith(("-head", "-reason", "-note", "-panel", "-words", "-figure"))}
    assert {place.rpartition("-")[2] for place in empty} == {"head", "reason", "note", "panel", "words", "figure"}
    assert empty <= set(made(reports.report(slices=ByLabel("instance")))["props"])


def test_every_chart_of_the_page_is_drawn_in_a_whole_live_report(live_page):
    charts = {place for place in places(layout(30.0, has_login=False)) if place.endswith("-chart")}
    found = document_of(live_page)["props"]
    spare = {f"impact-{number}-chart" for number in range(len(live_page.ab.impact.types), MOST_IMPACTS)} | {"slices-chart"}  # only where it is set
    assert charts - spare == {place for place in charts if found.get(place, {}).get("figure")}


def test_reported_quantities_without_a_place_are_told(live_page):
    types = live_page.ab.impact.types
    many = replace(live_page.ab, impact=replace(live_page.ab.impact, types=types * 4))
    made = DocumentMaker(settings(), serving.summary)(live_page.snapshot, many, live_page.business, ("baseline", "enhanced"))
    assert f"{len(types) * 4 - MOST_IMPACTS} more quantities" in made["props"]["impact-note"]["children"]


def test_no_id_stands_twice_on_the_page():
    tree = layout(30.0, has_login=True)
    ids = [component.id for component in tree._traverse() if isinstance(component, Component) and hasattr(component, "id")]
    assert len(ids) == len(set(ids))


def test_the_controls_hold_what_can_be_chosen_and_what_is():
    controls = document_of(page_maker().make(View(), live()))["controls"]
    assert controls == {
        "experiment": {"options": ["fraud"], "value": "fraud"},
        "window": {"options": ["1h", "6h", "24h", "7d"], "value": "24h"},
        "baseline": {"options": ["baseline", "enhanced"], "value": "baseline"},
        "challenger": {"options": ["enhanced"], "value": "enhanced"},
    }


def test_a_chosen_window_is_the_one_that_the_controls_show():
    page = page_maker().make(View(window="7d"), live(AT, 604_800.0))
    assert document_of(page)["controls"]["window"]["value"] == "7d"


def test_log_out_is_there_where_there_is_a_login_only():
    actions = [[getattr(part, "action", None) for part in layout(30.0, has_login=has_login)._traverse()] for has_login in (False, True)]
    assert ["logout" in found for found in actions] == [False, True]


STYLE_SHEET = Path(app.ASSETS, "page.css").read_text(encoding="utf-8")


def colours(theme):
    """The custom properties of one block of the style sheet."""
    block = STYLE_SHEET.partition(theme)[2].partition("}")[0]
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", block))


def test_the_variants_words_have_the_pictures_colours_on_a_light_page():
    found = colours(":root {")
    assert [found[f"variant-{index}"] for index in range(7)] == [style.text_colour.lower() for style in VARIANT_STYLES]


def test_every_variant_has_its_colour_class():
    classes = dict(re.findall(r"\.variant-(\d) \{ color: var\(--variant-(\d)\); \}", STYLE_SHEET))
    assert classes == {f"{index}": f"{index}" for index in range(7)}


def test_both_ways_into_the_dark_theme_have_the_same_colours():
    chosen, wanted = colours(':root[data-theme="dark"] {'), colours(':root:not([data-theme="light"]) {')
    assert chosen == wanted
    assert set(chosen) == set(colours(":root {"))


def test_children_are_never_a_list_in_a_list(page):
    """Of which the browser's library would take the whole part of the page away."""
    for name, props in document_of(page)["props"].items():
        children = props.get("children")
        nested = [child for child in children if isinstance(child, list)] if isinstance(children, list) else []
        assert not nested, name


def test_the_table_of_both_models_says_what_its_parentheses_are_and_speaks_of_no_dots(live_page):
    note = document_of(live_page)["props"]["performance-note"]["children"]
    assert note.startswith("in parentheses: 95 % interval")
    assert "dot" not in note
