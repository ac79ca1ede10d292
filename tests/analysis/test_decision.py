"""The verdict as a table of situations: which rule fires first, and on which numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.model.snapshot import Answer, SourceState
from tests.support.snapshots import AT, DAY, accumulated, live, logging, of_the_window, settings, stand_in, with_instant, with_values, without_mlflow, without_prometheus

COST = {"AB_ACCURACY_METRIC": "my_cost"}
ONLINE = {"AB_ONLINE_LABELLED_METRIC": "labelled_total", "AB_ONLINE_CORRECT_METRIC": "correct_total"}
SPLIT = {"AB_TRAFFIC_SPLIT": "baseline=70,enhanced=30"}


def report(snapshot=None, *, simulate=True, **values):
    return build_ab_report(live() if snapshot is None else snapshot, stand_in() if simulate else None, settings(**values))


def counted(labelled=(20_000, 8_571), correct=(0.8, 0.84), **more):
    """Live data with online counts of a day: requests whose truth is known, and the share answered correctly."""
    with_labels = with_instant(of_the_window(), "labelled", dict(zip(("baseline", "enhanced"), labelled, strict=True)))
    right = {name: round(n * share) for name, n, share in zip(("baseline", "enhanced"), labelled, correct, strict=True)}
    return accumulated(with_instant(with_labels, "correct", right), **more)


def of_cost(snapshot):
    """Runs that log a cost in the place of the accuracy."""
    return logging(snapshot, "my_cost", baseline=[20.4, 20.5, 20.2, 20.3], enhanced=[18.1, 18.0, 18.2, 17.9])


def labelled_apart():
    """Online counts whose labels never come in the same block for both arms, as from two nightly jobs."""
    snapshot = counted(correct=(0.84, 0.7))
    (found,) = snapshot.prometheus.accumulated

    def apart(answer):
        return replace(
            answer,
            series=tuple(
                replace(each, points=tuple((end, value * 2 * (index % 2 == (each.label("model_name") == "enhanced"))) for index, (end, value) in enumerate(each.points)))
                for each in answer.series
            ),
        )

    blocks = tuple(apart(each) if each.name in {"labelled", "correct"} else each for each in found.blocks)
    return replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(replace(found, blocks=blocks),)))


def late_challenger():
    """The challenger has traffic on the last two of eight days alone."""
    snapshot = live()
    (found,) = snapshot.prometheus.accumulated

    def late(answer):
        return replace(
            answer,
            series=tuple(
                each
                if each.label("model_name") != "enhanced"
                else replace(each, points=tuple((end, value * 4 * (index >= 24)) for index, (end, value) in enumerate(each.points)))
                for each in answer.series
            ),
        )

    return replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(replace(found, blocks=tuple(map(late, found.blocks))),)))


def equal_accuracy():
    return with_values(live(), "enhanced", "accuracy", value=next(each.value for each in live().mlflow.values if (each.variant, each.metric) == ("baseline", "accuracy")))


def stale():
    old = AT.timestamp() - 3600
    return with_instant(live(), "newest_requests", {"baseline": old, "enhanced": old})


def ageless():
    now = AT.timestamp()
    return with_instant(live(), "newest_requests", {"baseline": now}, note="older samples could not be looked for")


def of_others(*names, runs=()):
    """Traffic under other names in the label `experiment`; `runs` are the variants of the chosen experiment's runs, () as they are."""
    found = live()
    chosen = tuple(replace(each, variants=tuple((name, 3) for name in runs)) if runs else each for each in found.mlflow.experiments)
    return replace(found, mlflow=replace(found.mlflow, experiments=chosen), prometheus=replace(found.prometheus, added_experiments=names))


SITUATIONS = {
    "both sources, better, nothing worse": (live, {}, "SHIP", "4", "accuracy better"),
    "nothing but simulated data": (lambda: without_mlflow(without_prometheus(live())), {}, "NO VERDICT", "1", "simulated data"),
    "no Prometheus": (lambda: without_prometheus(live()), {}, "NO VERDICT", "1", "refuses the connection"),
    "no MLflow configured, accuracy only a gauge": (
        lambda: without_mlflow(live(), SourceState.NOT_CONFIGURED, "not configured"),
        {},
        "NO VERDICT",
        "1",
        "gauge without a count",
    ),
    "MLflow is down": (lambda: without_mlflow(live()), {}, "NO VERDICT", "1", "MLflow: refuses the connection, so that accuracy has no interval"),
    "no MLflow, but the truth is counted online": (lambda: without_mlflow(counted()), ONLINE, "SHIP", "4", "online accuracy better"),
    "no MLflow, and errors are what counts": (lambda: without_mlflow(live()), {"AB_SUCCESS_METRIC": "error_rate"}, "KEEP RUNNING", "6", "error rate"),
    "accuracy without test rows": (lambda: with_values(live(), "enhanced", "accuracy", test_count="0.2"), {}, "NO VERDICT", "1", "log the number of test rows"),
    "stale traffic": (stale, {}, "NO VERDICT", "1", "stale"),
    "traffic whose age is not known": (ageless, {}, "NO VERDICT", "1", "stale"),
    "a start that Prometheus may have forgotten": (lambda: accumulated(live(), is_remembered=False), {}, "NO VERDICT", "1", "may be forgotten"),
    "only the window is counted": (of_the_window, {}, "NO VERDICT", "1", "nothing has accumulated"),
    "a start after the moment": (live, {"AB_START": (AT + timedelta(days=1)).isoformat()}, "NO VERDICT", "1", "AB_START is not before"),
    "too few wrong answers": (live, {"AB_MINIMUM_EVENTS": "50000"}, "NO VERDICT", "1", "fewer than AB_MINIMUM_EVENTS=50000"),
    "one variant": (lambda: live(challenger="baseline"), {"AB_CHALLENGER_VARIANT": "nobody"}, "NO VERDICT", "1", "nobody"),
    "traffic of several tests": (lambda: of_others("churn", "fraud"), {}, "NO VERDICT", "1", "the traffic of churn, fraud is added together"),
    "traffic of another test": (
        lambda: of_others("churn", runs=("boosted", "control")),
        {},
        "NO VERDICT",
        "1",
        "the traffic is that of churn, and fraud has no run of baseline and enhanced",
    ),
    "traffic of this test under another name": (lambda: of_others("fraud-v2"), {}, "SHIP", "4", "accuracy better"),
    "a partial answer": (lambda: doubtful(is_partial=True), {}, "NO VERDICT", "1", "its answer is partial"),
    "copies that were recorded": (
        lambda: doubtful(counted_twice="requests are counted more than once: set A"),
        {},
        "NO VERDICT",
        "1",
        "Prometheus: requests are counted more",
    ),
    "a wrong split before a harm": (lambda: accumulated(live(), errors=20.0), {"AB_TRAFFIC_SPLIT": "baseline=50,enhanced=50"}, "NO VERDICT", "2", "not split as planned"),
    "traffic where none was planned": (live, {"AB_TRAFFIC_SPLIT": "baseline=100"}, "NO VERDICT", "2", "enhanced 30 % of 0 %"),
    "the planned split": (live, SPLIT, "SHIP", "4", "accuracy better"),
    "more errors": (lambda: accumulated(live(), errors=20.0), {}, "ROLL BACK", "3", "error rate is worse"),
    "more slow answers": (lambda: accumulated(live(), latency_within=0.9), {}, "ROLL BACK", "3", "too slow requests is worse"),
    "harm within its margin": (lambda: accumulated(live(), latency_within=0.995), {"AB_LATENCY_MARGIN_POINTS": "2"}, "SHIP", "4", "margin 2"),
    "harm on the first day": (lambda: accumulated(live(), days=1.0, errors=20.0), {}, "ROLL BACK", "3", "error rate is worse"),
    "better, but too young": (lambda: accumulated(live(), days=3.0), {}, "KEEP RUNNING", "6", "of AB_MINIMUM_DAYS=7"),
    "better, and the minimum of days is over": (lambda: accumulated(live(), days=3.0), {"AB_MINIMUM_DAYS": "3"}, "SHIP", "4", "accuracy better"),
    "labels of both arms that never come together": (labelled_apart, ONLINE, "NO VERDICT", "1", "none was counted of both in the same block"),
    "a challenger that came six days later": (late_challenger, {"AB_START": (AT - timedelta(days=8)).isoformat()}, "KEEP RUNNING", "6", "2 days of AB_MINIMUM_DAYS=7"),
    "better, a guardrail not known": (lambda: refused_buckets(live()), {}, "KEEP RUNNING", "6", "too slow requests not known: refused"),
    "what is not known is not waived": (lambda: refused_buckets(live()), {"AB_WAIVE": "latency"}, "KEEP RUNNING", "6", "too slow requests not known: refused"),
    "better, and without buckets the mean holds": (lambda: without_counts(live(), "latency_within"), {}, "SHIP", "4", "mean latency: "),
    "better, the mean not shown": (lambda: without_counts(live(), "latency_within"), {"AB_LATENCY_MARGIN_MS": "0.001"}, "KEEP RUNNING", "6", "mean latency not yet"),
    "a mean of the first hours": (
        lambda: without_counts(accumulated(live(), days=0.2), "latency_within"),
        {"AB_MINIMUM_DAYS": "0"},
        "KEEP RUNNING",
        "6",
        "mean latency not known: no interval: ",
    ),
    "better, but without response times": (
        lambda: without_counts(live(), "latency_within", "latency_sum", "latency_count"),
        {},
        "KEEP RUNNING",
        "6",
        "latency not judged, which blocks SHIP: no response times of baseline and enhanced; export them, or set AB_WAIVE=latency",
    ),
    "better without response times, which is waived": (
        lambda: without_counts(live(), "latency_within", "latency_sum", "latency_count"),
        {"AB_WAIVE": "latency"},
        "SHIP",
        "4",
        "latency waived by AB_WAIVE=latency, not judged: no response times of baseline and enhanced",
    ),
    "buckets without a sum": (lambda: without_counts(live(), "latency_sum"), {}, "SHIP", "4", "share of too slow requests: "),
    "slow answers, whatever is waived": (lambda: accumulated(live(), latency_within=0.9), {"AB_WAIVE": "latency"}, "ROLL BACK", "3", "too slow requests is worse"),
    "better, a guardrail not shown": (live, {"AB_ERROR_MARGIN_POINTS": "0.0001"}, "KEEP RUNNING", "6", "not yet shown to be no worse"),
    "better, however little it is worth": (live, {"ERROR_COST_MULTIPLIER": "1000"}, "SHIP", "4", "accuracy better"),
    "worse accuracy": (lambda: with_values(live(), "enhanced", "accuracy", value=0.7), {}, "KEEP RUNNING", "6", "surely worse"),
    "no difference, as planned": (equal_accuracy, {"AB_PLANNED_REQUESTS": "1000", "AB_MINIMUM_EFFECT_POINTS": "5"}, "NO MEANINGFUL DIFFERENCE", "5", "within"),
    "no difference, but no plan": (equal_accuracy, {"AB_MINIMUM_EFFECT_POINTS": "5"}, "KEEP RUNNING", "6", "not decided"),
    "no difference, not yet as planned": (
        equal_accuracy,
        {"AB_PLANNED_REQUESTS": "900000000", "AB_MINIMUM_EFFECT_POINTS": "5"},
        "KEEP RUNNING",
        "6",
        "not decided",
    ),
    "a direction that nobody said": (
        lambda: of_cost(live()),
        COST,
        "NO VERDICT",
        "6",
        "which way my_cost is better is not known: set AB_ACCURACY_GOAL to higher or lower",
    ),
    "a direction that somebody said": (lambda: of_cost(live()), {**COST, "AB_ACCURACY_GOAL": "lower"}, "SHIP", "4", "my_cost over runs better"),
    "a harm, whichever way my_cost is better": (lambda: of_cost(accumulated(live(), errors=20.0)), COST, "ROLL BACK", "3", "error rate is worse"),
    "slow answers, whichever way my_cost is better": (lambda: of_cost(accumulated(live(), latency_within=0.9)), COST, "ROLL BACK", "3", "too slow requests is worse"),
    "a wrong split, whichever way my_cost is better": (
        lambda: of_cost(live()),
        {**COST, "AB_TRAFFIC_SPLIT": "baseline=50,enhanced=50"},
        "NO VERDICT",
        "2",
        "not split as planned",
    ),
    "a young test, whichever way my_cost is better": (lambda: of_cost(accumulated(live(), days=3.0)), COST, "NO VERDICT", "6", "which way my_cost is better"),
    "the truth is counted online, beside a cost": (lambda: of_cost(counted()), {**COST, **ONLINE}, "SHIP", "4", "online accuracy better"),
    "errors are what counts, beside a cost": (lambda: of_cost(live()), {**COST, "AB_SUCCESS_METRIC": "error_rate"}, "KEEP RUNNING", "6", "error rate"),
    "no difference, but it may still matter": (equal_accuracy, {"AB_PLANNED_REQUESTS": "1000", "AB_MINIMUM_EFFECT_POINTS": "0.1"}, "KEEP RUNNING", "6", "not decided"),
}


def doubtful(**status):
    """Live data of a Prometheus that says so of its answer."""
    found = live()
    return replace(found, prometheus=replace(found.prometheus, status=replace(found.prometheus.status, **status)))


def without_counts(snapshot, *names):
    """Nothing was counted of these since the start."""
    (found,) = snapshot.prometheus.accumulated
    kept = {kind: tuple(answer for answer in getattr(found, kind) if answer.name not in names) for kind in ("totals", "blocks")}
    return replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(replace(found, **kept),)))


def refused_buckets(snapshot):
    """The question about the buckets was refused."""
    without = without_counts(snapshot, "latency_within")
    (found,) = without.prometheus.accumulated
    totals = (*found.totals, Answer("latency_within", "", "count", reason="refused"))
    status = replace(without.prometheus.status, failures=("1 of 9 questions failed (about ab_test_response_time_seconds_bucket): refused",))
    return replace(without, prometheus=replace(without.prometheus, status=status, accumulated=(replace(found, totals=totals),)))


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_first_rule_that_fires_decides_and_tells_its_numbers(name):
    make, values, verdict, rule, words = SITUATIONS[name]
    found = report(make(), **values).verdict
    assert (found.verdict, found.rule[0]) == (verdict, rule)
    assert words in " | ".join(found.reasons)


@pytest.mark.parametrize("name", SITUATIONS)
def test_verdict_and_interval_never_contradict_each_other(name):
    make, values, *_ = SITUATIONS[name]
    found = report(make(), **values)
    drawn = {row.metric: row for row in (*found.effect.rows, *found.effect.own_scale) if row.treatment == found.challenger}
    if found.verdict.verdict == "SHIP":
        success = drawn[found.effect.success_metric]
        assert success.low > 0 if success.is_higher_better else success.high < 0
        assert all(guard.comparison.high < guard.margin for guard in found.guardrails if guard.outcome != "waived")
    if found.verdict.verdict == "ROLL BACK":
        assert any(drawn[guard.comparison.metric].low > 0 for guard in found.guardrails)


def test_nothing_is_concluded_where_nothing_may_be_simulated_either():
    found = report(without_mlflow(without_prometheus(live())), simulate=False)
    assert (found.verdict.verdict, found.verdict.reasons) == ("NO VERDICT", ("neither source gave A/B data",))


def test_a_better_error_rate_ships_where_that_is_what_counts():
    fewer = accumulated(with_instant(of_the_window(), "errors", {"baseline": 900, "enhanced": 120}))
    found = report(fewer, AB_SUCCESS_METRIC="error_rate").verdict
    assert (found.verdict, found.reasons[0].split(":")[0]) == ("SHIP", "error rate better")


def test_what_keeps_it_running_tells_how_long_it_takes():
    found = report(equal_accuracy(), AB_PLANNED_REQUESTS="1000000")
    assert found.verdict.verdict == "KEEP RUNNING"
    assert found.verdict.would_change == tuple(gate.words for gate in found.decision_forecast if not gate.is_decided)
    assert "49,100 test rows an arm" in found.verdict.would_change[0]


def test_other_challengers_harm_does_not_roll_back_the_chosen_one():
    snapshot = live()
    third = {name: {"baseline": 1000, "enhanced": 1000, "third": 1000} for name in ("requests", "latency_count")}
    for name, values in third.items():
        snapshot = with_instant(snapshot, name, values)
    snapshot = accumulated(with_instant(snapshot, "errors", {"baseline": 10, "enhanced": 10, "third": 900}))
    found = report(snapshot)
    outcomes = {(guard.comparison.treatment, guard.name): guard.outcome for guard in found.guardrails}
    assert outcomes["third", "error_rate"] == "harm"
    assert found.verdict.verdict != "ROLL BACK"


def test_the_period_begins_with_the_first_traffic_of_both():
    period = report().period
    assert (AT - period.start).total_seconds() == 8 * DAY
    assert "both had traffic" in period.reason
