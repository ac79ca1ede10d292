from dataclasses import replace
from functools import lru_cache

import pytest

from live_dashboards.draw.web.base import CLEAR
from live_dashboards.model.presentation import PAPER
from live_dashboards.panels import break_even
from tests.support.business_pages import CASES
from tests.web.charts.drawn import figure, hovers, labels, lines, marks


@lru_cache(maxsize=16)
def report(case="ranges"):
    return CASES[case]()


def bars(figure):
    return next(trace for trace in figure["data"] if trace["type"] == "bar")


def test_parts_are_a_waterfall_that_ends_at_the_total():
    case, drawn = report().case, bars(figure("parts", report()))
    values = [term.contribution.value for term in case.terms]
    assert drawn["x"] == pytest.approx([*values, case.net.value], rel=1e-5)
    assert drawn["base"] == pytest.approx([0, values[0], sum(values[:2]), 0], rel=1e-5)


def test_whiskers_stand_where_their_bar_stands():
    whiskers = lines(figure("parts", report()))[-1]
    first = report().case.terms[0].contribution.interval
    assert whiskers[:2] == pytest.approx([first.low, first.high], rel=1e-5)


def test_a_simulated_part_is_hatched_and_outside_the_total():
    drawn = figure("parts", report("model data"))
    assert bars(drawn)["marker"]["pattern"]["shape"] == ["", "/", "/", ""]
    assert bars(drawn)["base"] == [0, 0, 0, 0]
    assert bars(drawn)["x"][0] == bars(drawn)["x"][3]
    assert "outside the total" in hovers(drawn)[1]
    assert any(text.startswith("SIMULATED +$") for text in labels(drawn))


def test_a_missing_part_is_outlined_and_empty():
    drawn = figure("parts", report("model data, marked"))
    assert bars(drawn)["marker"]["color"][1:3] == [CLEAR, CLEAR]
    assert labels(drawn).count("not measured") == 2


def test_the_net_is_a_dot_over_its_interval():
    drawn, net = figure("net", report()), report().case.net
    assert drawn["data"][0]["x"][:2] == pytest.approx((net.interval.low, net.interval.high), rel=1e-5)
    assert drawn["data"][-1]["x"] == pytest.approx([net.value], rel=1e-5)
    assert "95 % interval" in drawn["data"][-1]["customdata"][0]


def test_a_partial_net_is_another_mark():
    drawn = figure("net", report("model data"))
    assert drawn["data"][-1]["marker"]["symbol"] == "diamond"
    assert drawn["data"][-1]["marker"]["color"] == [PAPER]
    assert labels(drawn)[0] == "partial"


def test_payback_is_the_cumulative_value_over_its_band():
    band, _, line, mark = figure("payback", report())["data"]
    points = report().case.cash
    assert line["y"] == pytest.approx([point.value_usd for point in points], rel=1e-5)
    assert band["y"] == pytest.approx([*(point.low_usd for point in points), *(point.high_usd for point in points[::-1])], rel=1e-5)
    assert mark["x"] == pytest.approx([report().case.payback.value / (365 / 12)], rel=1e-5)


def test_what_is_never_paid_back_has_no_mark():
    drawn = figure("payback", report("a loss"))
    assert not [trace for trace in drawn["data"] if trace["mode"] == "markers"]
    assert labels(drawn) == ["not paid back within a year in &gt; 99.9 % of<br>cases"]


def test_a_cumulative_value_without_an_interval_has_no_band():
    drawn = figure("payback", report("without test rows"))
    assert not [trace for trace in drawn["data"] if "fill" in trace]
    assert "no interval" in hovers(drawn)[0]


def test_the_tornado_reaches_from_p10_to_p90():
    drawn, swings = bars(figure("sensitivity", report())), report().case.swings
    lows = [min(swing.net_at_low_usd, swing.net_at_high_usd) for swing in swings]
    assert drawn["base"] == pytest.approx(lows, rel=1e-5)
    assert drawn["x"] == pytest.approx([swing.width_usd for swing in swings], rel=1e-4)


def test_the_tornado_stands_around_the_net_value():
    ticks = lines(figure("sensitivity", report()))[0]
    assert ticks[:2] == pytest.approx([report().case.net.value] * 2, rel=1e-5)


def test_an_assumed_input_says_so():
    words = labels(figure("sensitivity", report()))
    assert "trading volume · assumed" in words
    assert "accuracy improvement" in words


def test_break_even_is_the_line_through_the_measured_point():
    drawn, (curve,) = figure("break-even", report()), break_even.charts(report())
    x, y = marks(drawn)[-1]
    assert (x, y) == pytest.approx((100 * report().case.inputs.accuracy_improvement.difference.value, report().case.net.value), rel=1e-5)
    shade = next(shape for shape in drawn["layout"]["shapes"] if shape["type"] == "rect")
    assert (shade["x0"], shade["x1"]) == pytest.approx(curve.shade, rel=1e-5)


def test_an_effect_without_an_interval_is_hollow_and_unshaded():
    drawn = figure("break-even", report("without test rows"))
    assert drawn["data"][-1]["marker"]["color"] == [PAPER]
    assert not [shape for shape in drawn["layout"]["shapes"] if shape["type"] == "rect"]
    assert "effect unknown" in drawn["layout"]["xaxis"]["title"]["text"]


def test_a_break_even_far_away_is_named_and_not_drawn():
    assert any(text.endswith("off the axis") for text in labels(figure("break-even", report("a trillion"))))


def test_the_figures_follow_the_report():
    made = report()
    moved = replace(made, case=replace(made.case, net=replace(made.case.net, value=1_234_000.0)))
    assert figure("net", moved)["data"][-1]["x"] == [1_234_000]


def test_every_mark_of_money_says_where_it_comes_from():
    for place in ("parts", "payback", "sensitivity", "break-even"):
        assert all("source: mlflow" in words or "source: prometheus" in words for words in hovers(figure(place, report())))


def test_words_above_a_curve_have_lines_that_a_phone_has_room_for_and_room_above_it():
    drawn = figure("payback", report())
    (above,) = [each for each in drawn["layout"]["annotations"] if "within a year" in each["text"]]
    lines = above["text"].split("<br>")
    assert (len(lines), max(map(len, lines)) <= 44) == (2, True)
    assert drawn["layout"]["margin"]["t"] >= 16 * len(lines)
