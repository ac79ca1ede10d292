"""The comparisons of the page: which are sequential, which fixed, over how many challengers, and what has no interval."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from scipy.stats import ttest_ind
from statsmodels.stats.multitest import multipletests

from live_dashboards.analysis.facts.retraining import welch
from live_dashboards.analysis.statistics.proportions import Counts, difference
from live_dashboards.analysis.statistics.stratified import stratified_sequence
from live_dashboards.analysis.verdict.effect import planned_requests
from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.model.snapshot import Timeline
from tests.support.snapshots import AT, accumulated, live, of_the_window, settings, stand_in, with_instant, with_values, without_mlflow


def report(snapshot=None, **values):
    return build_ab_report(live() if snapshot is None else snapshot, stand_in(), settings(**values))


def rows(found, treatment="enhanced"):
    return {row.metric: row for row in found.comparisons if row.treatment == treatment}


def counts_of(snapshot, events, n):
    (found,) = snapshot.prometheus.accumulated
    values = {name: {series.label("model_name"): round(series.last) for series in found.total(name).series} for name in (events, n)}
    return tuple(Counts(values[events][name], values[n][name]) for name in ("enhanced", "baseline"))


def blocks_of(snapshot, events, n):
    (found,) = snapshot.prometheus.accumulated
    series = {name: {each.label("model_name"): [round(value) for _, value in each.points] for each in found.block(name).series} for name in (events, n)}
    return tuple([Counts(*pair) for pair in zip(series[events][name], series[n][name], strict=True)] for name in ("enhanced", "baseline"))


def three(factor=1.0):
    snapshot = of_the_window()
    for name in ("requests", "latency_count"):
        snapshot = with_instant(snapshot, name, {"baseline": 30_000, "enhanced": 15_000, "third": 15_000})
    snapshot = accumulated(with_instant(snapshot, "errors", {"baseline": 300, "enhanced": 150, "third": 150 * factor}))
    values = snapshot.mlflow.values
    more = tuple(replace(value, variant="third") for value in values if value.variant == "enhanced")
    return replace(snapshot, mlflow=replace(snapshot.mlflow, values=(*values, *more)))


def test_what_accumulates_has_the_confidence_sequence_since_the_start():
    row = rows(report())["error_rate"]
    ours, theirs = counts_of(live(), "errors", "requests")
    expected = stratified_sequence(*blocks_of(live(), "errors", "requests"), 20_000)
    assert row.sequential
    assert (row.estimate, row.low, row.high) == pytest.approx((100 * expected.estimate, 100 * expected.low, 100 * expected.high))
    assert (row.p_value, row.n_treatment, row.n_control) == (pytest.approx(expected.p_value), ours.n, theirs.n)
    assert row.pooled == pytest.approx(100 * (ours.proportion - theirs.proportion))


def test_test_sets_have_newcombes_interval_for_one_look():
    row = rows(report())["accuracy"]
    assert not row.sequential
    assert "Newcombe" in row.method
    assert row.low < row.estimate < row.high


def test_the_share_over_the_objective_is_compared_over_the_period():
    row = rows(report())["over_latency_objective"]
    (found,) = live().prometheus.accumulated
    share = {
        name: 1 - next(s.last for s in found.total("latency_within").series if s.label("model_name") == name) / count
        for name, count in ((s.label("model_name"), s.last) for s in found.total("latency_count").series)
    }
    assert row.pooled == pytest.approx(100 * (share["enhanced"] - share["baseline"]), abs=1e-3)
    assert row.estimate == pytest.approx(row.pooled, abs=1e-3)
    assert (row.sequential, row.is_higher_better) == (True, False)


def test_the_window_alone_is_compared_for_one_look():
    row = rows(report(of_the_window()))["error_rate"]
    assert (row.sequential, "for one look" in row.method) == (False, True)


def test_a_gauge_has_a_difference_and_no_interval_and_says_what_to_export():
    row = rows(report())["online_accuracy"]
    assert (row.estimate is None, row.low, row.p_value) == (False, None, None)
    assert "AB_ONLINE_LABELLED_METRIC" in row.reason


def test_metrics_whose_n_is_not_logged_have_none():
    found = rows(report())
    assert {metric for metric, row in found.items() if not row.has_interval} == {"online_accuracy", "precision", "recall", "f1"}
    assert "log true_positives and false_positives" in found["precision"].reason


@pytest.mark.parametrize(("metric", "misses"), [("precision", "false_positives"), ("recall", "false_negatives")])
def test_precision_and_recall_have_newcombes_interval_where_both_log_their_hits_and_misses(metric, misses):
    one = with_values(live(), "enhanced", metric, value=0.8, true_positives=800.0, **{misses: 200.0})
    assert not rows(report(one))[metric].has_interval
    row = rows(report(with_values(one, "baseline", metric, value=0.75, true_positives=600.0, **{misses: 200.0})))[metric]
    expected = difference(Counts(800, 1000), Counts(600, 800))
    assert (row.low, row.high, row.p_value) == pytest.approx((100 * expected.low, 100 * expected.high, expected.p_value))
    assert (row.n_treatment, row.n_control, row.sequential, row.reason) == (1000, 800, False, None)


def test_three_variants_are_each_compared_with_the_baseline_over_a_family_of_two():
    found = report(three())
    accuracy, errors = rows(found, "third")["accuracy"], rows(found, "third")["error_rate"]
    assert (accuracy.family, errors.family) == (2, 1)  # guardrails must all pass, so that none of them is adjusted
    assert "Bonferroni over 2 challengers" in accuracy.method
    n = accuracy.n_treatment
    sides = [round(facts.accuracy.value / 100 * n) for name in ("third", "baseline") for facts in found.variants if facts.variant == name]
    expected = difference(Counts(sides[0], n), Counts(sides[1], n), 0.975)
    assert (accuracy.low, accuracy.high) == pytest.approx((100 * expected.low, 100 * expected.high))
    assert "Bonferroni over 2 challengers" in found.effect.head.note


def test_the_error_rate_is_adjusted_where_it_is_what_counts():
    assert rows(report(three(), AB_SUCCESS_METRIC="error_rate"), "third")["error_rate"].family == 2


def bursting(snapshot, block_of):
    """All errors of each model in one block."""
    (found,) = snapshot.prometheus.accumulated
    errors = found.block("errors")
    bursts = tuple(
        replace(
            series,
            points=tuple(
                (end, sum(value for _, value in series.points) * (index == block_of[series.label("model_name")])) for index, (end, _) in enumerate(series.points)
            ),
        )
        for series in errors.series
    )
    blocks = (replace(errors, series=bursts), *(answer for answer in found.blocks if answer.name != "errors"))
    return report(replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(replace(found, blocks=blocks),))))


def test_errors_in_bursts_count_less_and_the_panel_says_so():
    calm, burst = report(), bursting(live(), {"baseline": 5, "enhanced": 20})
    wide, narrow = rows(burst)["error_rate"], rows(calm)["error_rate"]
    assert wide.overdispersion > 2
    assert (wide.high - wide.low) / (narrow.high - narrow.low) > 1.4
    assert wide.pooled == narrow.pooled
    assert wide.estimate == pytest.approx(narrow.estimate, abs=0.01)
    assert "requests count as" in burst.effect.head.note
    assert "requests count as" not in calm.effect.head.note


def test_what_hits_both_arms_at_once_widens_nothing():
    equal = of_the_window()
    for name, factor in (("requests", 100), ("errors", 1)):
        equal = with_instant(equal, name, {"baseline": 320 * factor, "enhanced": 160 * factor})
    alike, apart = (rows(bursting(accumulated(equal), {"baseline": 5, "enhanced": block}))["error_rate"] for block in (5, 20))
    assert (alike.estimate, alike.overdispersion) == (pytest.approx(0.0), 1.0)
    assert alike.high - alike.low < 0.5 * (apart.high - apart.low)


def test_every_comparison_is_a_number_that_can_be_explained():
    found = report()
    named = {(one.name, one.variant): one for one in found.measurements}
    for row in found.comparisons:
        assert named[f"{row.metric}_difference", row.treatment].value == row.estimate
    sides = named["error_rate_difference", "enhanced"].inputs
    assert [(side.name, side.variant) for side in sides] == [("error_rate_compared", "enhanced"), ("error_rate_compared", "baseline")]
    assert named["error_rate_difference", "enhanced"].query


def test_planned_requests_of_a_pair_are_its_share_of_all():
    planned = settings(AB_PLANNED_REQUESTS="100000", AB_TRAFFIC_SPLIT="baseline=50,enhanced=30,third=20")
    assert planned_requests(planned, ("baseline", "enhanced", "third"), ("baseline", "enhanced")) == 80_000
    assert planned_requests(settings(AB_PLANNED_REQUESTS="90000"), ("a", "b", "c"), ("a", "b")) == 60_000
    assert planned_requests(settings(), ("a", "b"), ("a", "b")) == 20_000


def runs(*accuracies):
    """Live data whose variants have these finished runs, (baseline, enhanced)."""
    snapshot = live()
    shape = next(run for run in snapshot.mlflow.runs if run.status == "FINISHED" and not run.is_child)
    made = tuple(
        replace(shape, run_id=f"{variant}{number}", variant=variant, accuracy=value, started_at=AT - timedelta(days=3))
        for variant, values in zip(("baseline", "enhanced"), accuracies, strict=True)
        for number, value in enumerate(values)
    )
    return replace(snapshot, mlflow=replace(snapshot.mlflow, runs=made))


def test_three_runs_of_each_give_welchs_interval_beside_it():
    row = rows(report(runs((0.78, 0.79, 0.77), (0.81, 0.82, 0.83, 0.8))))["accuracy_over_runs"]
    expected = ttest_ind([81, 82, 83, 80], [78, 79, 77], equal_var=False)
    limits = expected.confidence_interval(0.95)
    assert (row.low, row.high, row.p_value) == pytest.approx((limits.low, limits.high, expected.pvalue), rel=1e-6)
    assert (row.n_treatment, row.n_control) == (4, 3)


@pytest.mark.parametrize("accuracies", [((0.78, 0.79), (0.81, 0.82, 0.83)), ((0.78,) * 3, (0.8,) * 3)])
def test_two_runs_or_runs_all_alike_tell_nothing_of_how_runs_differ(accuracies):
    assert "accuracy_over_runs" not in rows(report(runs(*accuracies)))


def test_welch_of_values_without_spread_is_none():
    assert welch([1.0, 1.0], [2.0, 2.0], 0.95) is None


def test_the_gap_between_online_and_offline_is_told_with_the_ranking():
    found = report()
    gaps = {one.variant: one.value for one in found.measurements if one.name == "online_minus_offline_accuracy"}
    facts = {each.variant: each for each in found.variants}
    assert gaps == pytest.approx({name: facts[name].online_accuracy.value - facts[name].accuracy.value for name in ("baseline", "enhanced")})
    assert "both rank enhanced first" in found.quality.head.note


def test_a_ranking_that_turns_round_online_is_told():
    found = report(with_instant(live(), "online_accuracy", {"baseline": 82.0, "enhanced": 70.0}))
    assert "they rank the variants differently" in found.quality.head.note


def test_a_gauge_that_stands_for_the_accuracy_is_no_gap():
    assert not [one for one in report(without_mlflow(live())).measurements if one.name == "online_minus_offline_accuracy"]


def test_a_difference_of_unfitting_test_rows_has_no_interval():
    row = rows(report(with_values(live(), "enhanced", "accuracy", test_count="7")))["accuracy"]
    assert (row.low, "is no share of 7 rows" in row.reason) == (None, True)


@pytest.mark.parametrize(("values", "metric"), [({}, "accuracy"), ({"AB_SUCCESS_METRIC": "error_rate"}, "error_rate")])
def test_the_metric_that_decides_has_holms_p_over_the_challengers(values, metric):
    found = report(three(1.3), **values)
    names = ("enhanced", "third")
    p_values = [rows(found, name)[metric].p_value for name in names]
    assert [rows(found, name)[metric].p_value_adjusted for name in names] == pytest.approx(multipletests(p_values, method="holm")[1])
    assert {row.metric for row in found.comparisons if row.p_value_adjusted is not None} == {metric}


def test_one_challenger_has_no_adjusted_p():
    assert all(row.p_value_adjusted is None for row in report().comparisons)


def test_a_challenger_without_a_p_stays_in_the_family_without_one():
    found = report(with_values(three(), "third", "accuracy", test_count=None))
    ours, third = (rows(found, name)["accuracy"] for name in ("enhanced", "third"))
    assert third.p_value_adjusted is None
    assert ours.p_value_adjusted == pytest.approx(2 * ours.p_value)


def test_a_guardrail_carries_the_row_of_the_comparison_with_its_adjusted_p():
    found = report(three(1.3), AB_SUCCESS_METRIC="error_rate")
    guard = next(each for each in found.guardrails if (each.name, each.comparison.treatment) == ("error_rate", "third"))
    assert guard.comparison == rows(found, "third")["error_rate"]


def test_every_challenger_is_compared_in_precision_where_its_n_is_known_over_the_family():
    snapshot = three()
    for name, value, right in (("baseline", 0.75, 600.0), ("enhanced", 0.8, 640.0), ("third", 0.7, 560.0)):
        snapshot = with_values(snapshot, name, "precision", value=value, true_positives=right, false_positives=800 - right)
    found = report(snapshot)
    row = rows(found, "third")["precision"]
    expected = difference(Counts(560, 800), Counts(600, 800), 0.975)
    assert (row.low, row.high, row.family) == (pytest.approx(100 * expected.low), pytest.approx(100 * expected.high), 2)
    assert rows(found, "enhanced")["precision"].has_interval
    assert {"recall", "f1"}.isdisjoint(rows(found, "third"))


def test_runs_of_every_challenger_are_compared_over_the_family():
    snapshot = three()
    made = runs((0.78, 0.79, 0.77), (0.81, 0.82, 0.83, 0.8)).mlflow.runs
    more = tuple(replace(run, run_id=f"third{run.run_id}", variant="third", accuracy=run.accuracy - 0.02) for run in made if run.variant == "enhanced")
    row = rows(report(replace(snapshot, mlflow=replace(snapshot.mlflow, runs=(*made, *more)))), "third")["accuracy_over_runs"]
    limits = ttest_ind([79, 80, 81, 78], [78, 79, 77], equal_var=False).confidence_interval(0.975)
    assert (row.low, row.high) == pytest.approx((limits.low, limits.high), rel=1e-6)


def with_far_edge(snapshot, share=1.0, edge_seconds=0.5):
    """The snapshot as if the objective lay in a bucket whose other end is this, with so much more of the challenger's requests below it, none of the baseline's."""
    (found,) = snapshot.prometheus.accumulated

    def far(answers):
        (near,) = (answer for answer in answers if answer.name == "latency_within")

        def more(series):
            factor = share if series.label("model_name").startswith("enhanced") else 1.0
            return replace(series, points=tuple((at, value * factor) for at, value in series.points))

        return (*answers, replace(near, name="latency_within_far", series=tuple(map(more, near.series))))

    wide = replace(found, totals=far(found.totals), blocks=far(found.blocks), far_edge_seconds=edge_seconds)
    return replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(wide,)))


@pytest.mark.parametrize("share", [0.9, 1.0, 1.01])
def test_an_objective_within_a_bucket_has_the_limits_that_hold_at_both_its_ends(share):
    near = rows(report())["over_latency_objective"]
    (found,) = live().prometheus.accumulated
    other = rows(report(with_counted(with_far_edge(live(), share))))["over_latency_objective"]
    wide = rows(report(with_far_edge(live(), share)))["over_latency_objective"]
    assert (wide.estimate, wide.low, wide.high) == (near.estimate, min(near.low, other.low), max(near.high, other.high))
    assert (wide.p_value, wide.method) == (max(near.p_value, other.p_value), f"{near.method}; the widest at both ends of the objective's bucket")
    assert found.far_edge_seconds is None


def with_counted(snapshot):
    """The far edge as the only one."""
    (found,) = snapshot.prometheus.accumulated

    def only(answers):
        return tuple(replace(answer, name="latency_within") if answer.name == "latency_within_far" else answer for answer in answers if answer.name != "latency_within")

    far = replace(found, totals=only(found.totals), blocks=only(found.blocks), far_edge_seconds=None)
    return replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(far,)))


def test_a_guardrail_whose_objective_lies_within_a_bucket_names_its_ends_and_must_hold_at_both():
    narrow = {guard.name: guard for guard in report(AB_LATENCY_OBJECTIVE_MS="300").guardrails}["latency"]
    guard = {guard.name: guard for guard in report(with_far_edge(live(), 0.9), AB_LATENCY_OBJECTIVE_MS="300").guardrails}["latency"]
    assert (narrow.outcome, guard.outcome) == ("shown", "not_shown")
    assert guard.words.endswith("300 ms lies in the bucket from 250 to 500 ms, whose ends are both judged")


def test_where_one_end_of_the_bucket_is_not_known_there_are_no_limits():
    snapshot = with_far_edge(live())
    (found,) = snapshot.prometheus.accumulated
    totals = tuple(replace(answer, series=(), reason="the buckets were wider at times") if answer.name == "latency_within_far" else answer for answer in found.totals)
    row = rows(report(replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(replace(found, totals=totals),)))))["over_latency_objective"]
    assert (row.has_interval, row.reason) == (False, "the buckets were wider at times")


def test_harm_is_looked_for_at_one_level_over_all_guardrails_and_challengers():
    """Two guardrails: with one challenger at 0.05 each, with two at 0.025; what is shown stays at 0.05."""
    alone, family = rows(report(of_two()))["error_rate"], rows(report(three()))["error_rate"]
    assert (alone.harm_low, alone.harm_high) == (pytest.approx(alone.low), pytest.approx(alone.high))
    assert (family.low, family.high) == (pytest.approx(alone.low), pytest.approx(alone.high))
    assert family.harm_low < alone.harm_low < alone.harm_high < family.harm_high


def of_two():
    snapshot = of_the_window()
    for name in ("requests", "latency_count"):
        snapshot = with_instant(snapshot, name, {"baseline": 30_000, "enhanced": 15_000})
    return accumulated(with_instant(snapshot, "errors", {"baseline": 300, "enhanced": 150}))


def test_what_is_no_guardrail_has_no_limits_for_harm():
    assert all((row.harm_low, row.harm_high) == (None, None) for row in report().comparisons if row.metric not in {"error_rate", "over_latency_objective"})


def test_arms_that_never_had_traffic_at_the_same_time_are_not_compared():
    snapshot = live()
    (found,) = snapshot.prometheus.accumulated

    def first_half(answer):
        series = (replace(each, points=tuple((end, value * (index < 16) * 2) for index, (end, value) in enumerate(each.points))) for each in answer.series)
        turned = (
            replace(each, points=tuple((end, 0.0 if value else 1000.0) for end, value in each.points)) if each.label("model_name") == "enhanced" else each
            for each in series
        )
        return replace(answer, series=tuple(turned))

    blocks = tuple(first_half(answer) if answer.name in {"requests", "errors"} else answer for answer in found.blocks)
    row = rows(report(replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(replace(found, blocks=blocks),)))))["error_rate"]
    assert (row.estimate, row.has_interval) == (None, False)
    assert row.reason == "enhanced and baseline: none was counted of both in the same block of time"


def twins(**third):
    """The page's snapshot with a third variant like the challenger in all; `third` multiplies its totals and blocks, as by errors=20."""
    snapshot = live()

    def twin(answer, factor=1.0):
        copies = tuple(
            Timeline(
                tuple((name, "third" if name == "model_name" else value) for name, value in each.labels),
                tuple((at, None if value is None else value * factor) for at, value in each.points),
            )
            for each in answer.series
            if each.label("model_name") == "enhanced"
        )
        return replace(answer, series=(*answer.series, *copies))

    found = snapshot.prometheus
    (counted,) = found.accumulated
    counted = replace(
        counted,
        totals=tuple(twin(each, third.get(each.name, 1.0)) for each in counted.totals),
        blocks=tuple(twin(each, third.get(each.name, 1.0)) for each in counted.blocks),
    )
    prometheus = replace(
        found,
        accumulated=(counted,),
        instants=tuple(map(twin, found.instants)),
        timelines=tuple(map(twin, found.timelines)),
        blocks=tuple(map(twin, found.blocks)),
        first_traffic=(*found.first_traffic, ("third", counted.start_seconds)),
    )
    values = tuple(replace(value, variant="third") for value in snapshot.mlflow.values if value.variant == "enhanced")
    return replace(snapshot, prometheus=prometheus, mlflow=replace(snapshot.mlflow, values=(*snapshot.mlflow.values, *values)))


def test_every_challenger_has_its_verdict_and_two_that_ship_are_both_named():
    page = report(twins())
    assert list(dict(page.verdicts)) == ["enhanced", "third"]
    assert dict(page.verdicts)["enhanced"] == page.verdict
    assert [each.verdict for _, each in page.verdicts] == ["SHIP", "SHIP"]
    assert "verdicts on the other challengers: third SHIP" in page.health.notices
    harmed = report(twins(errors=20.0))
    assert {name: each.verdict for name, each in harmed.verdicts} == {"enhanced": "SHIP", "third": "ROLL BACK"}
    assert list(dict(report().verdicts)) == ["enhanced"]
    assert not [text for text in report().health.notices if "other challengers" in text]


def burst_at_first(blocks):
    """A test of so many blocks of which the challenger's first holds thirty errors more."""
    snapshot = accumulated(of_the_window(), days=blocks / 288, blocks=blocks)
    (found,) = snapshot.prometheus.accumulated
    errors = found.block("errors")
    more = tuple(
        replace(each, points=tuple((end, value + (each.label("model_name") == "enhanced" and index == 0) * 30) for index, (end, value) in enumerate(each.points)))
        for each in errors.series
    )
    several = (replace(errors, series=more), *(answer for answer in found.blocks if answer.name != "errors"))
    return report(replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(replace(found, blocks=several),))))


def test_one_burst_in_the_first_blocks_is_no_harm_yet():
    for blocks in (1, 2):
        page = burst_at_first(blocks)
        guard = next(each for each in page.guardrails if each.name == "error_rate")
        assert (guard.comparison.harm_low, guard.outcome) == (None, "not_shown")
    assert rows(burst_at_first(3))["error_rate"].harm_low is not None


def test_the_panels_title_says_what_the_verdict_goes_by():
    page = report(with_values(with_values(live(), "baseline", "accuracy", value=0.78, test_count="5000"), "enhanced", "accuracy", value=0.798, test_count="5000"))
    row = rows(page)["accuracy"]
    assert row.judged_low < 0 < row.low
    assert "accuracy is not decided" in page.verdict.reasons[0]
    assert page.effect.head.title.startswith("Accuracy: no clear difference")


def test_the_latest_harm_is_in_the_title_where_errors_are_what_counts():
    snapshot = accumulated(of_the_window(), blocks=192)
    (found,) = snapshot.prometheus.accumulated
    calm = found.block("errors")
    worse = tuple(
        replace(
            each, points=tuple((end, value * (12 if each.label("model_name") == "enhanced" and index >= 140 else 1)) for index, (end, value) in enumerate(each.points))
        )
        for each in calm.series
    )
    blocks = (replace(calm, series=worse), *(answer for answer in found.blocks if answer.name != "errors"))
    page = report(replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(replace(found, blocks=blocks),))), AB_SUCCESS_METRIC="error_rate")
    row = rows(page)["error_rate"]
    assert row.low < 0 < row.harm_low
    assert page.verdict.verdict == "ROLL BACK"
    assert page.verdict.reasons[0].endswith("limits for harm, margin 0.2")
    assert page.effect.head.title.startswith("enhanced: error rate worse")
