"""The business page: the rules that a machine can check, and what is drawn where."""

import re
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache

import pytest
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox

from live_dashboards.draw.png.business_page import PAGE
from live_dashboards.draw.png.compose import in_rows
from live_dashboards.draw.png.dashboard import _create_dashboard_panels
from live_dashboards.model.number import format_short_age
from live_dashboards.panels import ledger
from tests.figures.layout_check import layout_faults
from tests.support.business_pages import CASES, OWN, RANGES, page, without_test_rows

NAMES = ("net", "parts", "sensitivity", "break_even", "payback", "performance", "ledger", "inputs", "gates")


@lru_cache(maxsize=40)
def report(name):
    return CASES[name]()


@lru_cache(maxsize=20)
def drawn(name, size=(16, 10), dpi=100):
    return _create_dashboard_panels(report(name), size_inches=size, dpi=dpi)


def boxes(figure):
    places = [place for row in PAGE.places(figure, in_rows(PAGE.panels), report(next(iter(CASES)))) for place in row]
    return {name: Bbox.from_bounds(place.left, place.bottom, place.width, place.height) for name, place in zip(NAMES, places, strict=True)}


def axes_of(figure, panel):
    box, (width, height) = boxes(figure)[panel], figure.get_size_inches()
    return [axes for axes in figure.axes if box.contains(*((axes.get_position().p0 + axes.get_position().p1) / 2 * (width, height)))]


def words(figure, panel=None):
    box, (width, height) = boxes(figure)[panel] if panel else None, figure.get_size_inches()
    return [text.get_text() for text in figure.texts if box is None or box.contains(text.get_position()[0] * width, text.get_position()[1] * height)]


def says(figure, part, panel=None):
    return any(part in text for text in words(figure, panel))


def artists(axes, gid):
    return [artist for artist in axes.get_children() if artist.get_gid() == gid]


def joints(figure):
    """(USD, first row, next row) of each thin line from a bar of the waterfall to the next one."""
    (axes,) = axes_of(figure, "parts")
    thin = [line for line in axes.get_lines() if line.get_linewidth() == 0.7 and len(line.get_xdata()) == 2]
    return [(line.get_xdata()[0], round(line.get_ydata()[0] - 0.2), round(line.get_ydata()[1] + 0.2)) for line in thin]


def bars(figure, panel, look="filled"):
    """(from, to) of each bar, top first."""
    (axes,) = axes_of(figure, panel)
    found = [artist for artist in artists(axes, f"bar-{look}") if isinstance(artist, Rectangle)]
    return [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in sorted(found, key=lambda bar: bar.get_y())]


@pytest.mark.parametrize("seconds", [3_500, 47 * 3_600, 40 * 86_400])
def test_the_age_of_an_input_is_written_out(seconds):
    found = page(without_test_rows(), **OWN)
    observed = {"observed_at": found.at - timedelta(seconds=seconds)}
    effects = ("accuracy_improvement", "latency_increase", "error_rate_improvement")
    inputs = {name: replace(effect, difference=replace(effect.difference, **observed)) for name in effects for effect in (getattr(found.case.inputs, name),)}
    aged = replace(found.case.inputs, **inputs, requests_per_day=replace(found.case.inputs.requests_per_day, **observed))
    figure = _create_dashboard_panels(replace(found, case=replace(found.case, inputs=aged)), size_inches=(16, 10), dpi=100)
    assert words(figure, "inputs").count(format_short_age(seconds)) == 4


@pytest.mark.parametrize("objective_ms", ["50", "1000"])
def test_each_gate_has_its_name_written_out(objective_ms):
    found = page(AB_LATENCY_OBJECTIVE_MS=objective_ms)
    figure = _create_dashboard_panels(found, size_inches=(16, 10), dpi=100)
    assert {gate.label for gate in found.gates} <= set(words(figure, "gates"))


def test_a_guardrail_that_is_not_shown_yet_has_its_numbers_written_out():
    found = page(AB_ERROR_MARGIN_POINTS="0.0001")
    gate = next(gate for gate in found.gates if gate.label == "Error rate not worse")
    figure = _create_dashboard_panels(found, size_inches=(16, 10), dpi=100)
    assert gate.state == "unknown"
    assert re.fullmatch(r"[+−]\S+ pt \([+−]\S+ to [+−]\S+\), max 0.0001", gate.words)
    assert says(figure, gate.words.removesuffix("max 0.0001"), "gates")


@pytest.mark.parametrize("name", CASES)
def test_a_page_keeps_every_rule_that_a_machine_can_check(name):
    figure = drawn(name)
    assert layout_faults(figure, tuple(boxes(figure).values())) == ()


@pytest.mark.parametrize("name", CASES)
def test_the_smallest_preset_keeps_them_too(name):
    figure = drawn(name, (12.8, 7.2))
    assert layout_faults(figure, tuple(boxes(figure).values())) == ()


@pytest.mark.parametrize("name", ["ranges", "simulated", "without test rows"])
@pytest.mark.parametrize(("size", "dpi"), [((12, 6.75), 100), ((12, 18), 100), ((32, 20), 50), ((16, 10), 300)])
def test_any_other_size_and_resolution_keeps_them_too(name, size, dpi):
    figure = drawn(name, size, dpi)
    assert layout_faults(figure, tuple(boxes(figure).values())) == ()


@pytest.mark.parametrize(
    ("notices", "said"),
    [
        (("first", "second"), "• first • second"),
        (("first", "second", "third"), "• first • second · 3 notices in all: summary file"),
        (("first " * 60, "second"), " · 2 notices in all: summary file"),
        (("alone",), "• alone"),
    ],
)
@pytest.mark.parametrize("size", [(16, 10), (12.8, 7.2)])
def test_the_weightiest_notices_stand_in_a_line(notices, said, size):
    figure = _create_dashboard_panels(replace(report("own parameters"), notices=notices), size_inches=size, dpi=100)
    (line,) = [text for text in words(figure) if text.startswith("• ")]
    assert line.endswith(said)
    assert line.startswith(f"• {notices[0][:20]}")
    assert layout_faults(figure, tuple(boxes(figure).values())) == ()


def test_without_notices_there_is_no_line():
    figure = _create_dashboard_panels(replace(report("own parameters"), notices=()), size_inches=(16, 10), dpi=100)
    assert not [text for text in words(figure) if text.startswith("•")]


def test_there_are_nine_panels():
    assert len(PAGE.panels) == len(NAMES) == 9


def test_the_dot_stands_at_the_net_value_within_its_interval():
    case = report("own parameters").case
    (axes,) = axes_of(drawn("own parameters"), "net")
    (dot,) = [line for line in axes.lines if line.get_marker() == "o"]
    assert list(dot.get_xdata()) == [case.net.value]
    (segments,) = artists(axes, "net-interval")
    assert [point[0] for point in segments.get_segments()[0]] == pytest.approx([case.net.interval.low, case.net.interval.high])


def test_measured_and_assumed_uncertainty_stand_apart_where_there_are_ranges():
    spread = report("ranges").case.spread
    (axes,) = axes_of(drawn("ranges"), "net")
    for name, limits in (("measurements", spread.statistical), ("your ranges", spread.assumed)):
        (segments,) = artists(axes, f"spread-{name}")
        assert [point[0] for point in segments.get_segments()[0]] == pytest.approx([limits.low, limits.high])
    assert artists(axes_of(drawn("own parameters"), "net")[0], "spread-measurements") == []


def test_a_partial_sum_has_another_mark_and_no_roi():
    figure = drawn("model data")
    (axes,) = axes_of(figure, "net")
    (mark,) = [line for line in axes.lines if line.get_marker() == "D"]
    assert list(mark.get_xdata()) == [report("model data").case.partial_total.value]
    assert says(figure, "Revenue only", "net")
    assert says(figure, "cost and risk not measured")


def test_each_bar_of_the_waterfall_begins_where_the_last_one_ended_and_the_net_at_zero():
    contributions = [term.contribution.value for term in report("own parameters").case.terms]
    *steps, total = bars(drawn("own parameters"), "parts")
    reached = 0.0
    for value, ends in zip(contributions, steps, strict=True):
        assert sorted((reached, reached + value)) == pytest.approx(ends)
        reached += value
    assert total == pytest.approx((0.0, reached))


def test_whiskers_are_the_intervals_where_the_bars_stand():
    case = report("own parameters").case
    (axes,) = axes_of(drawn("own parameters"), "parts")
    whiskers = [[point[0] for point in each.get_segments()[0]] for each in artists(axes, "whisker")]
    starts = [0.0, case.terms[0].contribution.value, sum(term.contribution.value for term in case.terms[:2]), 0.0]
    limits = [*(term.contribution.interval for term in case.terms), case.net.interval]
    for whisker, start, interval in zip(whiskers, starts, limits, strict=True):
        assert whisker == pytest.approx([start + interval.low, start + interval.high])


def test_simulated_bars_are_hatched_named_and_outside_the_total():
    figure = drawn("model data")
    assert len(bars(figure, "parts", "hatched")) == 2
    assert all(low == 0 for low, _ in bars(figure, "parts", "hatched"))
    assert bars(figure, "parts")[-1] == pytest.approx((0.0, report("model data").case.partial_total.value))
    assert says(figure, "SIMULATED", "parts")


def test_marked_bars_are_empty_and_say_that_they_are_not_measured():
    figure = drawn("model data, marked")
    assert len(bars(figure, "parts", "empty")) == 2
    assert says(figure, "not measured", "parts")
    assert not says(figure, "SIMULATED")


@pytest.mark.parametrize(("case", "rows"), [("own parameters", [0, 1, 2]), ("model data, marked", []), ("model data", []), ("simulated", [0, 1, 2])])
def test_only_bars_that_follow_each_other_in_the_total_are_joined(case, rows):
    assert [(first, after) for _, first, after in joints(drawn(case))] == [(row, row + 1) for row in rows]


def test_the_tornado_goes_from_the_net_at_p10_to_that_at_p90():
    swings = report("ranges").case.swings
    assert bars(drawn("ranges"), "sensitivity") == [pytest.approx(tuple(sorted((swing.net_at_low_usd, swing.net_at_high_usd)))) for swing in swings]
    assert says(drawn("ranges"), "assumed", "sensitivity")


def test_the_break_even_line_crosses_zero_at_its_tick_and_the_measured_interval_is_shaded():
    case = report("own parameters").case
    (axes,) = axes_of(drawn("own parameters"), "break_even")
    (tick,) = artists(axes, "guide")
    assert tick.get_xdata()[0] == pytest.approx(100 * case.break_even_accuracy_improvement.value)
    (dot,) = artists(axes, "measured")
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == pytest.approx((100 * case.inputs.accuracy_improvement.difference.value, case.net.value))
    (shade,) = artists(axes, "shade")
    limits = case.inputs.accuracy_improvement.difference.interval
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == pytest.approx((100 * limits.low, 100 * limits.high))


def test_without_test_rows_nothing_is_shaded_and_the_note_says_why():
    figure = drawn("without test rows")
    (axes,) = axes_of(figure, "break_even")
    assert artists(axes, "shade") == []
    assert says(figure, "effect unknown: no interval: log the number of test rows", "break_even")


def test_the_cash_line_and_its_band_are_those_of_the_case():
    case = report("own parameters").case
    (axes,) = axes_of(drawn("own parameters"), "payback")
    (line,) = artists(axes, "curve")
    assert list(line.get_ydata()) == pytest.approx([point.value_usd for point in case.cash])
    (mark,) = artists(axes, "payback")
    assert mark.get_xdata()[0] == pytest.approx(case.payback.value * 12 / 365)
    assert artists(axes, "band")
    assert artists(axes_of(drawn("without test rows"), "payback")[0], "band") == []


def test_a_loss_has_no_payback_point_and_says_so():
    figure = drawn("a loss")
    (axes,) = axes_of(figure, "payback")
    assert artists(axes, "payback") == []
    assert says(figure, "Never paid back", "payback")


def test_every_assumption_says_whose_it_is():
    assert sum("default, not yours" in text for text in words(drawn("defaults"), "ledger")) == 5
    assert sum(text == "yours" for text in words(drawn("own parameters"), "ledger")) == 5
    assert says(drawn("defaults"), "with 5 default assumptions")


def test_every_gate_stands_with_its_state_as_word_and_shape():
    figure = drawn("model data")
    states = [gate.state for gate in report("model data").gates]
    assert [text for text in words(figure, "gates") if text in {"passed", "failed", "unknown"}] == states
    crosses = [line for line in figure.get_children() if line.get_gid() == "gate-X"]
    assert len(crosses) == states.count("failed")


def test_how_much_is_measured_is_a_bar_in_proportion():
    figure = drawn("model data")
    widths = {patch.get_gid(): patch.get_width() for patch in figure.get_children() if str(patch.get_gid()).startswith("share-")}
    assert widths["share-missing"] / widths["share-measured"] == pytest.approx(3, rel=0.1)
    assert says(figure, "3 missing: mean latency, error rate, requests a day")


def test_a_simulated_page_withholds_its_recommendation_under_a_watermark():
    figure = drawn("simulated")
    assert says(figure, "withheld: simulated data")
    assert [patch for patch in figure.get_children() if patch.get_gid() == "watermark"]
    assert "passed" not in words(figure, "gates")


@pytest.mark.parametrize("size_inches", [(16, 10), (12, 6.75)])
@pytest.mark.parametrize("own", [RANGES, {**RANGES, "LATENCY_COST_PER_MS": "0.0001"}, {"LATENCY_COST_PER_MS": "0.000012..0.000345"}])
def test_no_number_of_the_ledger_is_cut(own, size_inches):
    found = page(**own)
    (table,) = ledger.charts(found)
    figure = _create_dashboard_panels(found, size_inches=size_inches, dpi=60)
    numbers = {row.cells[place].text for row in table.rows for place in (1, 3)} - {"–"}
    assert numbers <= set(words(figure, "ledger"))
