from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from live_dashboards.model.measurement import Interval, Origin
from live_dashboards.model.presentation import CACHED, PAPER, VARIANT_STYLES
from live_dashboards.model.report import LinesPanel
from tests.figures.cases import CASES
from tests.support import reports
from tests.web.charts.drawn import all_figures, figure, hovers, labels, lines, marks


def changed(panel, **rows):
    made = reports.report()
    return replace(made, **{panel: replace(getattr(made, panel), **rows)})


def traces_of_lines(figure):
    return [trace for trace in figure["data"] if trace["mode"] == "lines+markers"]


def test_the_effect_is_the_difference_with_its_interval():
    row = reports.comparison("accuracy", "enhanced", "baseline", 1.25, (-0.5, 3.0))
    drawn = figure("effect", changed("effect", rows=(row,), band_points=0.75))
    assert marks(drawn) == [(1.25, 0)]
    assert lines(drawn) == [[-0.5, 3.0, None]]
    assert labels(drawn) == ["Accuracy", "+1.2 pt (−0.5 to +3.0)"]


def test_the_effect_stands_against_zero_and_the_minimum_effect():
    layout = figure("effect", changed("effect", band_points=0.75))["layout"]
    assert [(shape["x0"], shape["x1"]) for shape in layout["shapes"]] == [(-0.75, 0.75)]
    assert layout["xaxis"]["zeroline"]


def test_a_difference_of_unknown_certainty_is_hollow_and_says_so():
    drawn = figure("effect", changed("effect", rows=(reports.comparison("recall", "enhanced", "baseline", 2.0, None),)))
    assert drawn["data"][0]["marker"]["color"] == [PAPER]
    assert "no interval" in hovers(drawn)[0]


def test_a_comparison_that_is_missing_says_why():
    drawn = figure("effect", changed("effect", rows=(reports.comparison("recall", "enhanced", "baseline", None, None, reason="no <test> set"),)))
    assert labels(drawn) == ["Recall", "no &lt;test&gt; set"]
    assert not drawn["data"]


def test_the_effects_hover_names_the_query_of_the_difference_itself():
    report = CASES["analysed, live"]()
    listed = {each.name: each for each in report.measurements if each.variant == "enhanced"}
    for row, words in zip(report.effect.rows, hovers(figure("effect", report)), strict=True):
        query = listed[f"{row.metric}_difference"].query
        assert ("query: " in words) == bool(query)
        assert query[:20] in words


def test_the_effects_hover_says_interval_method_and_n():
    words = hovers(figure("effect", CASES["analysed, live"]()))[0]
    for part in ("+3.24 pt", "95 % interval: 2.46 to 4.02 pt", "for one look", "n = 20,000 and 20,000", "Newcombe", "source: ", "query: ", "at 15 Nov 2026"):
        assert part in words


def test_the_limits_for_harm_are_drawn_thick_within_the_others_and_named_in_the_hover():
    row = replace(reports.comparison("error_rate", "enhanced", "baseline", 0.3, (-0.2, 0.8)), harm_low=0.1, harm_high=0.5)
    drawn = figure("effect", changed("effect", rows=(row,)))
    widths = {tuple(trace["x"][:2]): trace["line"]["width"] for trace in drawn["data"] if trace["mode"] == "lines"}
    assert widths == {(-0.2, 0.8): 2, (0.1, 0.5): 5}
    assert "for harm +0.1 to +0.5 pt" in hovers(drawn)[0]


def test_quality_shows_each_variants_value_in_its_lane():
    drawn = figure("quality", reports.report())
    values = [value.value for row in reports.report().quality.rows for value in (*row.offline, *row.online)]
    assert sorted(x for x, _ in marks(drawn)) == pytest.approx(sorted(values))
    assert len(set(marks(drawn))) == len(values)


def test_quality_is_filled_only_where_it_has_an_interval():
    drawn = figure("quality", reports.report())
    baseline = next(trace for trace in drawn["data"] if trace.get("name") == "baseline")
    assert baseline["marker"]["color"] == [VARIANT_STYLES[0].colour, PAPER, PAPER, PAPER, PAPER]


def test_each_variant_has_one_place_in_the_legend():
    named = [trace["name"] for trace in figure("quality", reports.report()).get("data") if trace.get("showlegend")]
    assert named == ["baseline", "enhanced"]


def test_the_split_is_the_share_with_its_interval_and_the_plan():
    drawn = figure("split", reports.report())
    assert marks(drawn) == [(50, 0), (50, 1), (51, 0), (51, 1)]
    assert lines(drawn) == [[50, 52, None], [50, 52, None]]
    assert drawn["layout"]["xaxis"]["range"] == [0, 100]
    assert "plan: 50 %" in hovers(drawn)[2]
    assert "requests: 33,540" in hovers(drawn)[2]


def test_a_line_holds_the_reports_points():
    report = reports.report()
    for line, trace in zip(report.rate.lines, traces_of_lines(figure("split-timeline", report)), strict=True):
        assert trace["y"] == pytest.approx([value for _, value in line.timeline.points], rel=1e-5)
        assert len(trace["x"]) == 96


def test_a_gap_stays_a_gap():
    drawn = figure("split-timeline", CASES["gaps"]())
    first = traces_of_lines(drawn)[0]
    assert [index for index, y in enumerate(first["y"]) if y is None] == [0, 1, 2, 30, 31, 32, 50, 52, 60, 61, 62, 63, 64]
    assert not any(trace["connectgaps"] for trace in traces_of_lines(drawn))


def test_a_point_between_two_gaps_is_marked():
    drawn = figure("split-timeline", CASES["gaps"]())
    whole, points = drawn["data"][0], drawn["data"][1]
    assert points["x"] == [whole["x"][51], whole["x"][95]]


def test_a_number_that_is_none_is_a_gap():
    line = reports.line("baseline", 0.4, "requests_per_second")
    broken = replace(line.timeline, points=((1.0, float("nan")), (2.0, float("inf")), (3.0, 0.5)))
    drawn = figure("split-timeline", changed("rate", lines=(replace(line, timeline=broken),)))
    assert drawn["data"][0]["y"] == [None, None, 0.5]


def test_rates_start_at_zero_and_the_window_is_whole():
    layout = figure("split-timeline", reports.report())["layout"]
    assert layout["yaxis"]["range"][0] == 0
    assert layout["xaxis"]["range"] == ["2026-11-19 12:00", "2026-11-20 12:00"]


def test_last_values_stand_apart_at_the_line_ends():
    ends = [each for each in figure("split-timeline", reports.report())["layout"]["annotations"] if each["xref"] == "paper"]
    assert [each["text"] for each in ends] == ["0.328", "0.377"]
    assert abs(ends[0]["y"] - ends[1]["y"]) > 0.04


def test_the_last_value_of_a_small_line_beside_a_round_one_is_not_written_as_zero():
    rows = reports.report().rate.lines[:2]
    rows = tuple(replace(each, latest=replace(each.latest, value=value)) for each, value in zip(rows, (1.0, 0.4625), strict=True))
    drawn = figure("split-timeline", changed("rate", lines=rows))
    assert [each["text"] for each in drawn["layout"]["annotations"] if each["xref"] == "paper"] == ["1.00", "0.46"]


def test_a_line_that_ends_early_says_when():
    assert any(text.endswith("ends 05:30") for text in labels(figure("split-timeline", CASES["gaps"]())))


def test_many_lines_have_only_a_legend():
    drawn = figure("split-timeline", CASES["nine variants"]())
    assert labels(drawn) == []
    assert [trace["name"] for trace in traces_of_lines(drawn)] == list("abcdefghi")


def test_a_variant_looks_the_same_in_every_chart():
    report = reports.report(("one", "two", "three", "four"))
    for drawn in (figure("split-timeline", report), figure("latency-timeline", report), figure("errors-timeline", report)):
        looks = [(trace["line"]["color"], trace["line"]["dash"], trace["marker"]["symbol"]) for trace in traces_of_lines(drawn)]
        assert [colour for colour, _, _ in looks] == [style.colour for style in VARIANT_STYLES[:4]]
        assert [symbol for _, _, symbol in looks] == ["circle", "square", "triangle-up", "diamond"]
        assert [dash for _, dash, _ in looks] == ["solid", "10px,2.8px", "2.4px,2.4px", "10px,2.8px,2.4px,2.8px"]


def test_cached_values_are_grey_and_say_so():
    row = reports.report().split.rows[0]
    old = replace(row, share=replace(row.share, origin=Origin.CACHED, stale=True))
    drawn = figure("split", changed("split", rows=(old,)))
    assert drawn["data"][-1]["marker"]["color"] == [CACHED]
    assert "cached: of an earlier answer, stale" in hovers(drawn)[1]


def test_latency_shows_percentiles_over_their_buckets_on_a_log_axis():
    drawn = figure("latency", reports.report())
    assert drawn["layout"]["xaxis"]["type"] == "log"
    assert [x for x, y in marks(drawn) if y == 0] == [48, 120, 260, 58]
    assert lines(drawn)[0][:5] == [25, 50, None, 100, 250]
    assert "bucket: 100 to 250 ms" in hovers(drawn)[1]
    assert "bucket: &gt; 250 ms" in hovers(drawn)[2]


def test_the_objective_is_drawn_where_it_does_not_flatten_the_lines():
    near, far = (figure("latency-timeline", changed("latency", objective_ms=objective)) for objective in (250.0, 5_000.0))
    assert [shape["y0"] for shape in near["layout"]["shapes"]] == [250]
    assert far["layout"]["shapes"] == []


def test_error_rates_start_at_zero_with_their_interval():
    drawn = figure("errors", reports.report())
    assert drawn["layout"]["xaxis"]["range"][0] == 0
    assert lines(drawn)[0][:2] == pytest.approx([0.063, 0.126])
    assert "30 errors of 33,264 requests" in hovers(drawn)[0]


def test_no_error_shows_how_many_there_may_be():
    drawn = figure("errors", CASES["no errors"]())
    assert lines(drawn)[0] == [0, 0.011, None]
    assert labels(drawn)[1] == "≤ 0.011 % · 0 of 33,264"


def titles_of_impacts(report):
    return {place: drawn["layout"]["yaxis"]["title"]["text"] for place, drawn in all_figures("ab", report).items() if place.startswith("impact")}


def test_each_reported_quantity_has_its_own_chart():
    words = ("net business value, reported", "latency cost, reported", "revenue impact, reported")
    assert titles_of_impacts(reports.report()) == {f"impact-{number}": text for number, text in enumerate(words)}


def test_quantities_of_any_name_have_places_of_their_own():
    made = reports.report().impact
    odd = tuple(replace(kind, unit_label=name) for kind, name in zip(made.types, ("a.b{c}", "a b c", ""), strict=True))
    words = ("a.b{c}, reported", "a b c, reported", "business impact, reported")
    assert titles_of_impacts(changed("impact", types=odd)) == {f"impact-{number}": text for number, text in enumerate(words)}


def test_a_quantity_without_a_value_leaves_its_place_to_the_next():
    made = reports.report().impact
    gone = reports.line("baseline", 0.4, "as_reported", gaps=tuple(range(96)))
    first = replace(made.types[0], lines=(gone,))
    titles = titles_of_impacts(changed("impact", types=(first, *made.types[1:])))
    assert titles == {"impact-0": "latency cost, reported", "impact-1": "revenue impact, reported"}


def test_runs_are_bars_from_start_to_end_with_the_newest_on_top():
    report = reports.report()
    drawn = figure("runs", report)
    newest = max(report.runs.bars, key=lambda bar: bar.started_at)
    assert drawn["data"][0]["x"] == [f"{newest.started_at:%Y-%m-%d %H:%M}", "2026-11-20 12:00"]
    assert labels(drawn)[:2] == ["baseline-0", "running"]
    assert "fraud v3" in labels(drawn)


@pytest.mark.parametrize("hours", [0.02, 3, 50])
def test_a_run_that_ended_after_the_moment_of_the_page_ends_within_its_axis(hours):
    late = replace(reports.report().runs.bars[0], state="finished", ended_at=reports.AT + timedelta(hours=hours))
    drawn = figure("runs", changed("runs", bars=(late, *reports.report().runs.bars[1:])))
    low, high = map(datetime.fromisoformat, drawn["layout"]["xaxis"]["range"])
    assert low < datetime.fromisoformat(f"{late.ended_at:%Y-%m-%d %H:%M:%S}") < high


def test_a_runs_state_is_a_symbol_and_a_word():
    drawn = figure("runs", reports.report())
    symbols = [trace["marker"]["symbol"] for trace in drawn["data"] if trace["mode"] == "markers"]
    assert symbols[:6] == ["triangle-right", "x", "line-ns", "triangle-right", "x", "circle"]
    assert {"running", "failed", "silent", "killed", "scheduled", "78.2 % · finished"} <= set(labels(drawn))


def test_older_runs_are_counted():
    assert figure("runs", reports.report())["layout"]["xaxis"]["title"]["text"] == "time, UTC; 3 older not drawn"


def test_a_phone_shows_the_labels_of_health_whole_beside_as_many_words_as_fit():
    made = reports.report()
    row = replace(made.health.rows[0], label="online accuracy", words='experiment_model_name:ab_test_model_accuracy:avg{experiment=~"a|"} has no series in the last 1d')
    name, words = (each["text"] for each in figure("health", replace(made, health=replace(made.health, rows=(row,))))["layout"]["annotations"])
    assert (name, words) == ("online accuracy", "experiment_model_name:ab_t…")


def test_health_is_the_age_as_a_share_of_its_limit():
    bars = figure("health", reports.report())["data"][0]
    assert list(zip(bars["y"], bars["x"], strict=True)) == [(1, 4), (2, 140), (3, 150)]
    assert set(bars["base"]) == {0}


def test_an_age_far_beyond_its_limit_ends_in_an_arrow():
    arrow = figure("health", reports.report())["data"][-1]
    assert (arrow["marker"]["symbol"], arrow["x"], arrow["y"]) == ("triangle-right", [150], [3])


def test_the_words_of_a_source_stand_beside_its_age():
    drawn = figure("health", reports.report())
    assert "no sample in the window" in labels(drawn)
    assert "limit 5 min: 140 % of it used" in "".join(hovers(drawn))


def test_deploys_are_named_once_where_they_stand_close():
    drawn = figure("split-timeline", CASES["gaps"]())
    assert len([shape for shape in drawn["layout"]["shapes"] if shape["type"] == "line"]) == 2
    assert [text for text in labels(drawn) if text.startswith("deploy")] == ["deploy v3"]


def test_of_names_over_the_runs_that_would_touch_the_newest_stands():
    named = tuple((reports.AT - timedelta(hours=hours), name) for hours, name in ((40, "new baseline"), (38, "new enhanced"), (300, "fraud v1")))
    assert [text for text in labels(figure("runs", changed("runs", marks=named))) if text in dict(map(reversed, named))] == ["new enhanced", "fraud v1"]


def test_a_wider_interval_than_the_page_says_which_it_is():
    row = reports.report().split.rows[0]
    wider = replace(row.share, drawn_interval=Interval(48.0, 54.0), n=33_540)
    drawn = figure("split", replace(changed("split", rows=(replace(row, share=wider),)), confidence=0.99))
    assert lines(drawn) == [[48, 54, None]]
    assert "99 % interval: 48 to 54 %<br>n = 33,540<br>source: prometheus<br>query: query<br>at 20 Nov 2026, 12:00 UTC" in hovers(drawn)[1]


def test_a_window_without_a_value_has_no_timeline():
    gone = reports.line("baseline", 0.4, "requests_per_second", gaps=tuple(range(96)))
    assert figure("split-timeline", replace(reports.report(), rate=LinesPanel(reports.report().rate.head, "requests/s", (gone,)))) is None
