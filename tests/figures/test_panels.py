"""What is drawn is what the report says: dots, intervals, lines and bars stand at its values."""

from dataclasses import replace
from datetime import timedelta

import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from live_dashboards.draw.png.compose import draw_panel
from live_dashboards.draw.png.dashboard import _create_dashboard_panels
from live_dashboards.draw.png.frame import Frame
from live_dashboards.draw.png.lines import segments, spread
from live_dashboards.draw.png.rows import fitting
from live_dashboards.draw.png.theme import ALARM, PAPER, VARIANT_STYLES, Sizes
from live_dashboards.model.chart import Cell, Column, Conditions, Curve, Mark, Panel, Row, Rows, Scale, Sentences, Table, TableRow
from live_dashboards.model.evidence import DatedChange
from live_dashboards.model.judgement import Condition
from live_dashboards.model.measurement import Origin, missing
from live_dashboards.model.report import EffectPanel, Head, QualityRow
from live_dashboards.model.snapshot import Timeline
from live_dashboards.panels import net
from tests.figures.cases import analysed, with_gaps
from tests.figures.pages import axes_of, bars, boxes, curves, fills, markers, page, says, words
from tests.support import business_pages, reports
from tests.support.reports import AT, TWO, comparison, live, report
from tests.support.snapshots import without_prometheus

CONTROL, TREATMENT = (style.colour.lower() for style in VARIANT_STYLES[:2])


def only(figure, panel):
    (axes,) = axes_of(figure, panel)
    return axes


def shares(figure):
    top, _ = axes_of(figure, "split")
    return top


def rates(figure):
    _, below = axes_of(figure, "split")
    return below


def test_the_limits_for_harm_are_drawn_thick_within_the_others():
    row = replace(comparison("error_rate", "enhanced", "baseline", 0.3, (-0.2, 0.8)), harm_low=0.1, harm_high=0.5)
    axes = only(page(report(effect=EffectPanel(report().effect.head, (row,)))), "effect")
    assert {(low, high) for low, high, _ in bars(axes)} == {(-0.2, 0.8), (0.1, 0.5)}
    widths = {tuple(segment[:, 0]): each.get_linewidths()[0] for each in axes.collections if isinstance(each, LineCollection) for segment in each.get_segments()}
    assert widths[0.1, 0.5] > 2 * widths[-0.2, 0.8]


def test_effect_dots_stand_at_the_differences_and_intervals_at_their_limits():
    made = report()
    axes = only(page(made), "effect")
    assert sorted(markers(axes, "s")) == sorted((row.estimate, y) for y, row in enumerate(made.effect.rows))
    assert {(low, high) for low, high, _ in bars(axes)} == {(row.low, row.high) for row in made.effect.rows if row.low is not None}


def test_a_difference_without_interval_is_hollow_and_says_that_n_is_unknown():
    axes = only(page(report(effect=EffectPanel(report().effect.head, (comparison("f1", "enhanced", "baseline", 2.0, None),)))), "effect")
    assert fills(axes, "s") == [PAPER.lower()]


def test_a_difference_with_an_interval_tells_the_n_of_both_arms():
    first, *others = report().effect.rows
    counted = replace(first, n_treatment=1_975, n_control=1_500)
    figure = page(report(effect=replace(report().effect, rows=(counted, *others))))
    assert says(figure, "n 3,475", "effect")
    bare = tuple(replace(row, low=None, high=None) for row in report().effect.rows)
    assert not [text for text in words(page(report(effect=replace(report().effect, rows=bare))), "effect") if text.startswith("n ")]


def test_no_limit_of_a_difference_is_cut_off_on_the_smallest_page():
    assert not [text for text in words(page(analysed(), (12, 6.75)), "effect") if "…" in text]


def test_a_line_with_a_stale_value_keeps_its_name():
    made = report()
    stale = tuple(replace(line, latest=replace(line.latest, stale=True)) for line in made.rate.lines)
    written = words(page(replace(made, rate=replace(made.rate, lines=stale))), "split")
    assert [sum(text.startswith(f"{line.label} ") and text.endswith(" stale") for text in written) for line in stale] == [1] * len(stale)


def test_a_difference_that_is_missing_has_its_reason_and_no_dot():
    rows = (comparison("accuracy", "enhanced", "baseline", 2.0, (1.0, 3.0)), comparison("f1", "enhanced", "baseline", None, None, reason="enhanced: no f1 is logged"))
    figure = page(report(effect=EffectPanel(report().effect.head, rows)))
    assert markers(only(figure, "effect"), "s") == [(2.0, 0)]
    assert says(figure, "enhanced: no f1 is logged", "effect")


def test_the_minimum_effect_is_a_band_around_zero_that_says_its_size():
    figure = page(report(effect=replace(report().effect, band_points=0.5)))
    (band,) = only(figure, "effect").patches
    assert (band.get_x(), band.get_x() + band.get_width()) == (-0.5, 0.5)
    assert says(figure, "minimum effect ±0.5 pt", "effect")


def test_every_accuracy_is_a_dot_and_a_number_filled_only_with_an_interval():
    made = report()
    figure = page(made)
    axes = only(figure, "quality")
    drawn = {round(x, 6) for x, _ in markers(axes, "o")}
    expected = {round(value.value, 6) for row in made.quality.rows for value in (*row.offline, *row.online) if value.variant == "baseline"}
    assert drawn == expected
    assert sorted(fills(axes, "o")) == sorted([CONTROL, PAPER.lower()])
    assert "78.2" in words(figure, "quality")


def test_a_metric_that_nobody_logged_keeps_its_row_with_the_reason():
    row = QualityRow("Recall", tuple(missing("recall", "percent", "no run has a finite recall", variant=name) for name in TWO))
    made = report()
    figure = page(report(quality=replace(made.quality, rows=(made.quality.rows[0], row))))
    assert says(figure, "no run has a finite recall", "quality")


def test_accuracies_that_differ_in_a_late_digit_stay_different_in_words():
    values = (live("accuracy", 99.961, "percent", "baseline"), live("accuracy", 99.968, "percent", "enhanced"))
    shown = words(page(report(quality=replace(report().quality, rows=(QualityRow("Accuracy", values),)))), "quality")
    assert {"99.96", "99.97"} <= set(shown)


def test_metrics_that_are_left_out_are_counted():
    made = report()
    many = tuple(replace(made.quality.rows[0], label=f"Metric {number}", online=()) for number in range(20))
    figure = page(replace(made, quality=replace(made.quality, rows=many)))
    drawn = sum(text.startswith("Metric ") for text in words(figure, "quality"))
    assert 3 < drawn < 20
    assert says(figure, f"{20 - drawn} more rows in the summary file", "quality")


def test_shares_stand_from_0_to_100_beside_their_plan():
    made = report()
    axes = shares(page(made))
    assert axes.get_xlim() == (0, 100)
    assert markers(axes, "o") + markers(axes, "s") == [(row.share.value, y) for y, row in enumerate(made.split.rows)]
    assert markers(axes, "|") == [(row.planned_percent, y) for y, row in enumerate(made.split.rows)]


def test_without_a_plan_there_is_no_tick():
    made = report()
    rows = tuple(replace(row, planned_percent=None) for row in made.split.rows)
    assert markers(shares(page(replace(made, split=replace(made.split, rows=rows)))), "|") == []


def frames_of(figure):
    """Edges in inches, colour and line width of every rectangle on the page that is not filled."""
    width, height = figure.get_size_inches()
    boxes = [(patch.get_bbox(), patch) for patch in figure.get_children() if isinstance(patch, Rectangle) and not patch.get_fill()]
    return [((box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height), to_hex(patch.get_edgecolor()), patch.get_linewidth()) for box, patch in boxes]


@pytest.mark.parametrize("size", [(16, 10), (12, 6.75)])
def test_a_red_split_stands_in_a_red_frame_and_says_the_word(size):
    figure = page(analysed(AB_TRAFFIC_SPLIT="baseline=60,enhanced=40"), size)
    ((edges, colour, line_width),) = frames_of(figure)
    assert edges == pytest.approx(boxes(figure)["split"].extents)
    assert colour == ALARM.lower()
    assert line_width >= 1.2
    assert says(figure, "NOT as planned", "split")


@pytest.mark.parametrize("case", ["as planned", "no plan", "simulated"])
def test_no_other_split_has_a_frame(case):
    made = {
        "as planned": analysed,
        "no plan": lambda: analysed(AB_TRAFFIC_SPLIT=""),
        "simulated": lambda: analysed(without_prometheus, AB_TRAFFIC_SPLIT="baseline=60,enhanced=40"),
    }[case]()
    assert frames_of(page(made)) == []


def test_rates_start_at_zero_and_are_drawn_as_they_came():
    made = report()
    axes = rates(page(made))
    assert axes.get_ylim()[0] == 0
    for line, curve in zip(made.rate.lines, curves(axes), strict=True):
        assert [tuple(point) for point in curve.get_xydata()] == list(line.timeline.points)


def test_the_time_axis_is_the_whole_window_also_where_there_is_no_value():
    axes = rates(page(with_gaps()))
    assert axes.get_xlim() == (AT.timestamp() - 86_400, AT.timestamp())


def test_gaps_stay_gaps():
    made = with_gaps()
    drawn = sorted(
        tuple(map(tuple, line.get_xydata()))
        for line in rates(page(made)).get_lines()
        if line.get_linestyle() != "None" and line.get_gid() is None and len(set(line.get_xdata())) > 1
    )
    expected = sorted(tuple(stretch) for line in made.rate.lines for stretch in segments(line.timeline) if len(stretch) > 1)
    assert drawn == expected


def test_a_point_alone_between_two_gaps_is_a_dot():
    line = with_gaps().rate.lines[0]
    (alone,) = [stretch[0] for stretch in segments(line.timeline) if len(stretch) == 1]
    assert alone in markers(rates(page(with_gaps())), "o")


def test_what_is_not_finite_is_a_gap():
    assert segments(Timeline((), ((1, 2.0), (2, float("nan")), (3, None), (4, 5.0), (5, float("inf"))))) == [[(1, 2.0)], [(4, 5.0)]]


def test_the_last_point_is_marked_and_its_time_and_zone_stand_below():
    figure = page(report())
    line = report().rate.lines[0]
    assert markers(rates(figure), "o") == [line.timeline.points[-1]]
    assert "12:00 UTC" in words(figure, "split")


def test_a_last_point_that_was_rounded_to_just_after_the_window_has_its_time_too():
    made = report()
    lines = tuple(replace(line, timeline=replace(line.timeline, points=(*line.timeline.points[:-1], (AT.timestamp() + 0.0005, 1.0)))) for line in made.rate.lines)
    assert "12:00 UTC" in words(page(replace(made, rate=replace(made.rate, lines=lines))), "split")


def test_a_line_that_ends_early_says_when():
    assert says(page(with_gaps()), "ends 05:30", "split")


def test_lines_carry_name_and_value_up_to_four_of_them():
    assert sum(name in text for text in words(page(report(tuple("abcd")), (16, 12)), "split") for name in ("a 0.", "b 0.", "c 0.", "d 0.")) == 4
    assert not any(text.startswith("a 0.") for text in words(page(report(tuple("abcde"))), "split"))


def test_the_last_value_of_a_small_line_beside_a_round_one_is_not_written_as_zero():
    two = zip(report().rate.lines, (1.0, 0.4625), strict=True)
    lines = tuple(replace(each, latest=replace(each.latest, value=value)) for each, value in two)
    shown = page(replace(report(), rate=replace(report().rate, lines=lines)))
    assert says(shown, f"{TWO[0]} 1.00", "split")
    assert says(shown, f"{TWO[1]} 0.46", "split")


def test_a_variant_looks_the_same_in_every_panel():
    figure = page(report())
    for panel in ("effect", "quality", "split", "latency", "errors", "impact"):
        for axes in axes_of(figure, panel):
            lines = [line for line in axes.get_lines() if to_hex(line.get_color()) == TREATMENT and line.get_marker() not in {"None", "|", ">", "<", ""}]
            assert {line.get_marker() for line in lines} <= {"s"}


def test_deploys_are_dashed_verticals_with_their_label():
    figure = page(with_gaps())
    verticals = [line.get_xdata()[0] for line in rates(figure).get_lines() if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2]
    assert verticals == [AT.timestamp() - 40_000, AT.timestamp() - 39_000]
    assert says(figure, "deploy v3", "split")


@pytest.mark.parametrize(("hours", "stands"), [(20, True), (2, False)])
def test_the_label_of_a_change_does_not_stand_on_the_words_of_the_target(hours, stands):
    made = report().latency
    flat = replace(made, objective_ms=max(value for line in made.lines for _, value in line.timeline.points), marks=((AT.timestamp() - hours * 3600, "new model"),))
    figure = page(report(latency=flat))
    assert says(figure, "objective", "latency")
    assert says(figure, "new model", "latency") == stands


def test_of_names_over_the_runs_that_would_touch_the_newest_stands():
    marks = tuple((AT - timedelta(hours=hours), name) for hours, name in ((40, "new baseline"), (38, "new enhanced"), (300, "fraud v1")))
    figure = page(report(runs=replace(report().runs, marks=marks)), (16, 13))
    assert [says(figure, name, "runs") for _, name in marks] == [False, True, True]


def test_percentiles_stand_on_a_log_axis_in_their_buckets():
    made = report()
    top, _ = axes_of(page(made), "latency")
    assert top.get_xscale() == "log"
    assert [x for x, _ in markers(top, "o")] == [48, 120, 260]
    assert (25, 50, 0) in bars(top)
    assert (100, 250, 0) in bars(top)
    assert (58, 0) in markers(top, "|")


def test_a_percentile_in_the_last_bucket_runs_on_in_an_arrow():
    figure = page(report())
    top, _ = axes_of(figure, "latency")
    assert markers(top, ">") == [(top.get_xlim()[1], 0), (top.get_xlim()[1], 1)]
    assert says(figure, "48 / 120 / >260", "latency")


@pytest.mark.parametrize(("objective_ms", "is_drawn"), [(250.0, True), (90_000.0, False)])
def test_the_objective_is_drawn_where_it_does_not_flatten_the_lines(objective_ms, is_drawn):
    figure = page(report(latency=replace(report().latency, objective_ms=objective_ms)))
    assert says(figure, "objective", "latency") is is_drawn


def test_no_error_seen_is_a_bar_up_to_what_there_may_be():
    figure = page(report(errors=reports.no_errors()))
    top, _ = axes_of(figure, "errors")
    assert [bar[:2] for bar in bars(top)] == [(0, 0.011), (0, 0.011)]
    assert markers(top, "o") == []
    assert says(figure, "≤ 0.011 % · 0 of 33,264", "errors")


def test_error_rates_stand_at_their_values_from_zero():
    made = report()
    top, _ = axes_of(page(made), "errors")
    assert top.get_xlim()[0] == 0
    assert markers(top, "o") == [(made.errors.rows[0].rate.value, 0)]


def test_each_metric_type_has_an_axis_of_its_own():
    made = report()
    axes = axes_of(page(made), "impact")
    assert len(axes) == 3
    for own, panel in zip(axes, made.impact.types, strict=True):
        assert [curve.get_ydata()[0] for curve in curves(own)] == [line.timeline.points[0][1] for line in panel.lines]


def test_metric_types_beyond_the_third_are_counted():
    made = report()
    assert says(page(replace(made, impact=replace(made.impact, types=(*made.impact.types, made.impact.types[0])))), "(+1 more)", "impact")


def test_runs_are_bars_from_start_to_end_and_a_running_one_reaches_the_moment():
    made = report()
    drawn = bars(only(page(made, (16, 13)), "runs"))
    for y, bar in enumerate(made.runs.bars):
        end = {"running": AT, "scheduled": bar.started_at}.get(bar.state, bar.ended_at)
        assert drawn[y] == (bar.started_at.timestamp(), end.timestamp(), y)


def test_a_run_that_ended_after_the_moment_of_the_page_ends_within_its_panel():
    made = report()
    late = replace(made.runs.bars[0], state="finished", ended_at=AT + timedelta(hours=7))
    axes = only(page(replace(made, runs=replace(made.runs, bars=(late, *made.runs.bars[1:])))), "runs")
    assert max(x for x, _ in markers(axes, "|")) == late.ended_at.timestamp()
    assert axes.get_xlim()[1] >= late.ended_at.timestamp()


def test_every_state_of_a_run_is_said_and_has_its_own_mark():
    figure = page(report())
    assert {"running", "failed", "finished", "silent", "killed", "scheduled"} <= set(words(figure, "runs"))


def test_older_runs_that_are_not_drawn_are_counted():
    made = report(runs=reports.runs(TWO, ("finished",) * 40))
    drawn = len(bars(only(page(made), "runs")))
    assert says(page(made), f"{40 - drawn + 3} older not drawn", "runs")


def test_ages_are_bars_from_zero_in_percent_of_their_limit():
    axes = only(page(report()), "health")
    assert sorted(bar[:2] for bar in bars(axes)) == [(0, 4), (0, 140), (0, 150)]
    assert markers(axes, ">") == [(150, 3)]


def test_a_source_that_failed_says_so_in_words_and_shape():
    figure = page(report())
    assert markers(only(figure, "health"), "X") == [(0, 4)]
    assert says(figure, "no sample in the window", "health")


def test_more_notices_than_fit_are_counted():
    made = report()
    figure = page(replace(made, health=replace(made.health, notices=tuple(f"notice {number}" for number in range(7)))))
    assert says(figure, "7 notices in all", "health")


@pytest.mark.parametrize("size", [(16, 10), (12.8, 7.2)])
def test_notices_leave_the_ages_their_rows_and_the_weightiest_is_named(size):
    made = report()
    long = tuple(f"notice {number} {'which goes on and on ' * 12}" for number in range(3))
    health = replace(made.health, notices=long)
    figure = _create_dashboard_panels(replace(made, health=health), size_inches=size, dpi=100)
    if size == (16, 10):  # on the smallest page one line is named all the same
        assert not says(figure, "more rows in the summary file")
        assert all(says(figure, row.label) for row in health.rows)
    assert says(figure, "• notice 0 which goes on")
    assert says(figure, "3 notices in all")


def test_errors_that_are_assumed_to_be_none_say_so_in_the_place_of_a_rate():
    made = reports.no_errors()
    rows = tuple(replace(row, is_assumed=True) if row.errors.value == 0 else row for row in made.rows)
    figure = page(report(errors=replace(made, rows=rows)))
    assert says(figure, "0 assumed, of 33,264", "errors")
    assert not says(figure, "≤", "errors")


def test_labels_are_moved_apart_and_stay_in_order():
    assert spread([1.0, 1.01, 3.0], 0.5, 0.0, 4.0) == pytest.approx([1.0, 1.5, 3.0])
    assert spread([3.9, 4.0], 0.5, 0.0, 4.0) == pytest.approx([3.5, 4.0])


def test_a_page_with_one_variant_compares_nothing():
    figure = page(report(("baseline",)))
    assert says(figure, "nothing to compare", "effect")
    assert "against" not in words(figure)


def test_the_longest_possible_window_is_drawn():
    assert len(axes_of(page(report(window_seconds=timedelta(days=3_650).total_seconds())), "split")) == 2


def test_sentences_below_a_drawing_leave_the_drawing_its_room(monkeypatch):
    many = tuple(f"sentence {number}" for number in range(40))
    monkeypatch.setattr(net, "_words", lambda _: many)
    figure = _create_dashboard_panels(business_pages.page(**business_pages.OWN), size_inches=(16, 10), dpi=60)
    written = [text for text in figure.texts if text.get_text().startswith("sentence ")]
    assert 3 < len(written) < 20
    assert max(text.get_position()[1] for text in written) < 0.75


CURVE = Curve(((0.0, -5.0), (10.0, 5.0)), lambda *_: (), "months", ((0.0, "0"), (10.0, "10")), "USD")
BELOW = Sentences(("said below",))


def drawn_on(*charts):
    """A figure of one panel that has these charts, and all axes."""
    figure = Figure(figsize=(6, 4))
    frame = Frame(figure, 0.0, 0.0, 6.0, 4.0, Sizes(1.0))
    toy = Panel("toy", lambda _: charts, words=lambda _: Head("toy", "percent", Origin.LIVE))
    draw_panel(toy, frame, report())
    return figure, figure.axes


def drawn_alone(*charts):
    figure, axes = drawn_on(*charts)
    return figure, axes[0]


def place(text):
    """Inches from the left, where the words are anchored."""
    return text.get_position()[0] * text.figure.get_size_inches()[0]


def beyond(value, **more):
    return Row("row", (Mark("dot", ALARM, value, style=VARIANT_STYLES[0], **more),))


@pytest.mark.parametrize(("value", "edge", "marker"), [(15.0, 10.0, ">"), (-3.0, 0.0, "<")])
def test_a_dot_beyond_a_fixed_axis_is_an_arrow_at_its_edge(value, edge, marker):
    _, axes = drawn_alone(Rows((beyond(value), beyond(5.0)), Scale("percent", fixed=(0.0, 10.0)), "percent"))
    assert [(line.get_marker(), list(line.get_xdata())) for line in axes.get_lines() if line.get_marker() in "<>"] == [(marker, [edge])]


def test_a_bar_ends_where_a_fixed_axis_does():
    bar = Row("row", (Mark("bar", ALARM, ends=(-5.0, 20.0), look="filled"),))
    _, axes = drawn_alone(Rows((bar,), Scale("percent", fixed=(0.0, 10.0)), "percent"))
    (box,) = [patch for patch in axes.patches if patch.get_gid() == "bar-filled"]
    assert (box.get_x(), box.get_width()) == (0.0, 10.0)


@pytest.mark.parametrize(("more", "words"), [(1, "1 more row in the summary file"), (2, "2 more rows in the summary file")])
def test_rows_that_are_left_out_are_counted_in_good_english(more, words):
    place = Frame(Figure(figsize=(6, 4)), 0.0, 0.0, 6.0, 4.0, Sizes(1.0))
    fits = len(fitting(place, range(1_000))[0])
    assert fitting(place, range(fits + more)) == (range(fits), words)


@pytest.mark.parametrize("size_inches", [(16, 10), (12, 6.75)])
@pytest.mark.parametrize("value", [-0.00432, -0.000512, 0.0000123])
def test_a_small_reported_value_has_fewer_digits_rather_than_being_cut(value, size_inches):
    made = report()
    types = tuple(replace(each, lines=tuple(replace(line, latest=replace(line.latest, value=value)) for line in each.lines)) for each in made.impact.types)
    figure = page(replace(made, impact=replace(made.impact, types=types)), size_inches, dpi=60)
    written = [text for text in words(figure, "impact") if text.startswith(("−0.0", "0.0")) or "×10" in text]
    assert len(written) >= 2
    assert not any("…" in text for text in written)


def table(rows, *shares):
    return Table(
        "toys",
        tuple(Column(f"column {index}", share) for index, share in enumerate(shares)),
        tuple(TableRow((Cell(f"row {row}"), Cell("1"), Cell("2"))) for row in range(rows)),
    )


@pytest.mark.parametrize("shares", [(1.0, 1.0, 1.0), (0.1, 0.1, 0.1), (0.0, 0.0, 0.0)])
def test_columns_share_the_whole_width_whatever_their_shares_add_up_to(shares):
    figure, _ = drawn_on(table(2, *shares))
    rights = [place(text) for text in figure.texts if text.get_text() in {"1", "2"}]
    assert max(rights) == pytest.approx(6.0, abs=0.1)
    assert {text.get_text() for text in figure.texts} >= {"column 0", "column 1", "column 2"}


@pytest.mark.parametrize("chart", [table(60, 0.5, 0.3, 0.2), Conditions("conditions", tuple(Condition(f"row {row}", "passed", "") for row in range(60)))])
def test_what_has_no_room_in_a_table_is_counted(chart):
    figure, _ = drawn_on(chart)
    written = [text.get_text() for text in figure.texts if text.get_text().startswith("row ")]
    assert f"{60 - len(written)} more rows in the summary file" in {text.get_text() for text in figure.texts}
    assert 10 < len(written) < 60


@pytest.mark.parametrize("charts", [(CURVE, BELOW), (BELOW, CURVE)])
def test_sentences_stand_below_a_curve_in_whatever_order_they_are_given(charts):
    figure, (axes,) = drawn_on(*charts)
    (said,) = [text for text in figure.texts if text.get_text() == "said below"]
    assert said.get_position()[1] < axes.get_position().y0


def test_the_evidence_of_one_challenger_lies_in_its_bands_and_that_of_four_has_whiskers_beside_each_other():
    one, four = (only(page(made), "evidence") for made in (report(), report(tuple("abcde"))))
    assert {collection.get_facecolor().tobytes() for collection in one.collections} != set()
    last = report().evidence.lines[0].points[-1]
    edges = {line.get_ydata()[-1] for line in one.get_lines()}
    assert {last.low, last.high, last.estimate} <= edges
    paths = (path.vertices for each in four.collections for path in each.get_paths() if len(path.vertices) == 2)
    whiskers = [ys.tolist() for xs, ys in (each.T for each in paths) if xs[0] == xs[1] and ys[0] != ys[1]]
    assert sorted(whiskers) == sorted([[line.points[-1].low, line.points[-1].high] for line in report(tuple("abcde")).evidence.lines])


def test_dated_changes_stand_in_the_evidence_and_many_restarts_do_not():
    made = report()
    restarts = tuple(DatedChange(AT - timedelta(hours=each), "enhanced restarts", "restart", "enhanced") for each in range(1, 9))
    few, many = (replace(made, evidence=replace(made.evidence, changes=(*made.evidence.changes, *restarts[:count]))) for count in (1, 8))
    assert [says(page(each), "enhanced 50 %", "evidence") for each in (few, many)] == [True, True]
    dashed = [sum(line.get_linestyle() == "--" and len(line.get_xdata()) == 2 for line in only(page(each), "evidence").get_lines()) for each in (few, many)]
    assert dashed == [2, 1]


@pytest.mark.parametrize("size", [(16, 10), (12.8, 7.2)])
@pytest.mark.parametrize("names", ["abcd", "abcdef"])
def test_every_challenger_has_a_row_with_its_verdict_gates_and_share(names, size):
    written = words(page(report(tuple(names)), size), "effect")
    assert [name in written for name in names[1:]] == [True] * (len(names) - 1)
    assert written.count("NO VERDICT · error rate held") == len(names) - 1
    assert sum(text.endswith(" % of traffic") for text in written) == len(names) - 1


def test_more_challengers_have_their_verdicts_beside_the_numbers_where_they_fit_whole():
    made = report(tuple("abcdefghi"))
    large, small = (words(page(made, size), "effect") for size in ((16, 10), (12.8, 7.2)))
    assert sum(text.endswith(" · NO VERDICT") for text in large) == 8
    assert not any("…" in text for text in (*large, *small))


@pytest.mark.parametrize("size", [(16, 10), (12.8, 7.2)])
def test_of_three_variants_and_more_each_has_a_row_of_its_quality_under_its_whole_name(size):
    names = ("baseline", "enhanced", "candidate-c", "wide-and-deep", "distilled", "gbm-2026")
    made = report(names)
    figure = page(made, size)
    written = words(figure, "quality")
    assert [name for name in names if name not in written] == []
    assert "Accuracy / Accuracy, online / Precision / Recall / F1" in written
    assert "78.2 / 77.8 / 77.6 / 77.0 / 76.4" in written
    dots = [x for style in VARIANT_STYLES[:6] for x, _ in markers(only(figure, "quality"), style.marker)]
    assert sorted(dots) == sorted(value.value for value in made.quality.rows[0].offline)


def test_a_value_of_many_variants_has_its_direction_over_the_numbers_and_no_percent():
    made = report(tuple("abcd"))
    values = QualityRow("rmse", tuple(live("accuracy", 20.0 + number, "as_logged", name) for number, name in enumerate("abcd")), is_less_better=True)
    figure = page(replace(made, quality=replace(made.quality, rows=(), own_scale=(values,))))
    written = words(figure, "quality")
    assert "rmse ↓" in written
    assert {"20", "21", "22", "23"} <= set(written)


def test_a_metric_that_none_of_many_variants_has_stands_below_them_with_its_reason():
    made = report(tuple("abcdef"))
    lacking = QualityRow("Recall", tuple(missing("recall", "percent", "no run has a finite recall", variant=name) for name in "abcdef"))
    figure = page(replace(made, quality=replace(made.quality, rows=(made.quality.rows[0], lacking))))
    assert says(figure, "Recall", "quality")
    assert says(figure, "no run has a finite recall", "quality")
    assert "Accuracy / Accuracy, online" in words(figure, "quality")


def test_of_many_metrics_of_many_variants_five_are_written_and_the_rest_counted():
    made = report(tuple("abcdef"))
    many = tuple(replace(made.quality.rows[0], label=f"M{number}", online=()) for number in range(8))
    figure = page(replace(made, quality=replace(made.quality, rows=many)))
    assert says(figure, "M0 / M1 / M2 / M3 / M4 / 3 more in the summary file", "quality")
