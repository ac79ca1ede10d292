"""Where values come from can be seen: simulated, missing, estimated, stale, cached."""

import re
from dataclasses import replace

import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.patches import PathPatch

from live_dashboards.draw.png.theme import BADGE_SHAPES, CACHED, HATCH
from live_dashboards.model.measurement import Origin
from live_dashboards.model.report import Badge, BadgeKind
from tests.figures.cases import one_simulated
from tests.figures.pages import PANELS, axes_of, curves, markers, page, says, words
from tests.support.reports import all_missing, live, report, simulated, with_heads


def hatches(figure):
    return [artist for artist in figure.artists if isinstance(artist, LineCollection)]


def has_watermark(figure):
    return any(artist.get_gid() == "watermark" for artist in figure.artists if isinstance(artist, PathPatch))


def test_a_live_page_has_neither_hatching_nor_watermark_nor_the_word():
    figure = page(report())
    assert not hatches(figure)
    assert not has_watermark(figure)
    assert not says(figure, "SIMULATED")


def test_a_simulated_page_has_a_hatched_border_a_watermark_and_the_word_in_every_panel():
    figure = page(simulated(report()))
    assert len(hatches(figure)) == 4
    assert has_watermark(figure)
    assert all(says(figure, "SIMULATED", panel) for panel in PANELS)
    assert says(figure, "SIMULATED DATA")


def test_one_simulated_panel_is_hatched_and_says_why_and_the_others_are_not():
    figure = page(one_simulated())
    assert [to_hex(lines.get_color()[0]) for lines in hatches(figure)] == [HATCH.lower()]
    assert [panel for panel in PANELS if says(figure, "SIMULATED", panel)] == ["runs"]
    assert says(figure, "MLflow: refuses the connection; is it running?", "runs")
    assert not has_watermark(figure)


@pytest.mark.parametrize("panel", PANELS)
def test_a_missing_panel_keeps_its_place_and_shows_question_reason_and_last_good_time_but_no_number(panel):
    figure = page(all_missing(with_heads(report(), title="No data", subtitle="measure", note="95 % intervals")))
    assert not axes_of(figure, panel)
    for part in ("MISSING", "ab_test_requests_total", "Prometheus: refuses the connection", "last answered at nine in the morning"):
        assert says(figure, part, panel)
    assert not any(re.search(r"\d", text) for text in words(figure, panel))


def test_missing_panels_are_hatched():
    assert len(hatches(page(all_missing(report())))) == len(PANELS)


def test_an_estimated_value_says_so():
    made = report()
    row = replace(made.split.rows[1], requests=replace(made.split.rows[1].requests, origin=Origin.ESTIMATED, reason="by the plan"))
    figure = page(replace(made, split=replace(made.split, rows=(made.split.rows[0], row))))
    assert says(figure, "33,540 requests est.", "split")


def test_a_stale_value_says_so():
    made = report()
    lines = (replace(made.rate.lines[0], latest=replace(made.rate.lines[0].latest, stale=True)), made.rate.lines[1])
    figure = page(replace(made, rate=replace(made.rate, lines=lines)))
    assert sum("stale" in text for text in words(figure, "split")) == 1


def test_a_stale_online_gauge_says_so_in_its_row():
    made = report()
    row = replace(made.quality.rows[0], online=tuple(live("online_accuracy", 78.0, "percent", name, stale=True) for name in ("baseline", "enhanced")))
    assert says(page(replace(made, quality=replace(made.quality, rows=(row,)))), "stale", "quality")


def test_a_cached_line_is_grey():
    made = report()
    lines = tuple(replace(line, latest=replace(line.latest, origin=Origin.CACHED)) for line in made.rate.lines)
    _, axes = axes_of(page(replace(made, rate=replace(made.rate, lines=lines))), "split")
    assert {to_hex(line.get_color()) for line in curves(axes)} == {CACHED.lower()}


def test_cached_panels_wear_the_word():
    assert all(says(page(with_heads(report(), origin=Origin.CACHED)), "CACHED", panel) for panel in ("effect",))


@pytest.mark.parametrize("kind", BadgeKind)
def test_every_badge_is_a_disc_and_its_word(kind):
    figure = page(report(badge=Badge(kind, "second line", 3, 5)))
    assert says(figure, kind.value)
    fills = [to_hex(artist.get_facecolor()) for artist in figure.artists if hasattr(artist, "radius")]
    assert fills == [BADGE_SHAPES[kind].fill.lower()]


def test_a_simulated_value_is_never_a_panels_bare_number():
    figure = page(simulated(report()))
    assert markers(axes_of(figure, "effect")[0], "s")
    assert says(figure, "SIMULATED", "effect")
