"""When each gate can be decided: with what is assumed, never with the estimate, at the rate and the split of the last days."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from live_dashboards.analysis.facts.retraining import alpha_of_look
from live_dashboards.analysis.statistics.forecast import USUAL_INFLATION, Claim, Gathered, Leg, forecast
from live_dashboards.analysis.statistics.proportions import Counts, required_n_per_arm
from live_dashboards.analysis.statistics.stratified import long_run_of, sequence_of, strata
from live_dashboards.analysis.verdict.report import build_ab_report
from tests.support.drawn import drawn
from tests.support.snapshots import AT, live, of_the_window, settings, stand_in, with_instant, with_values, without_mlflow, without_prometheus


def report(snapshot, **values):
    return build_ab_report(snapshot, stand_in(), settings(**values))


def gates(snapshot, **values):
    return {gate.gate: gate for gate in report(snapshot, **values).decision_forecast}


def equal(snapshot):
    """Test sets that tell nothing."""
    return with_values(with_values(snapshot, "enhanced", "accuracy", value=0.78), "baseline", "accuracy", value=0.78)


def test_a_guardrail_waits_for_the_requests_of_equal_arms_at_the_slowest_and_quickest_day():
    snapshot = drawn(requests_a_day=[20_000.0, 40_000.0, 30_000.0, 30_000.0])
    gate, row = gates(snapshot)["error_rate"], next(each for each in report(snapshot).comparisons if each.metric == "error_rate")
    assert (gate.outcome, gate.assumes[:22]) == ("open", "a true difference of 0")
    assert gate.requests_now == row.n_treatment + row.n_control
    more = gate.requests_needed - gate.requests_now
    assert (gate.days.low, gate.days.high) == (pytest.approx(more / 40_000, rel=0.03), pytest.approx(more / 20_000, rel=0.03))


def test_the_estimate_has_no_say():
    one, other = (gates(drawn(errors=(0.05, rate)))["error_rate"] for rate in (0.05, 0.0505))
    assert one.assumes.split(",")[1] == other.assumes.split(",")[1]  # of the baseline alone
    assert one.requests_needed == pytest.approx(other.requests_needed, rel=0.15)  # as blocks differ


def test_forecasts_of_drawn_tests_hold_four_times_of_five():
    """From the first day on, at the long-run variance that it told, to the day that is forecast: hourly blocks of 7 to 3."""
    draws, shown, days, runs = np.random.default_rng(8), 0, [], 120
    claim = Claim(0.05, 0.05, 0.006, planned_n=20_000)
    for _ in range(runs):
        sizes = [draws.poisson(rate, 24 * 40) for rate in (375, 875)]
        ours, theirs = ([Counts(int(x), int(n)) for x, n in zip(draws.binomial(arm, 0.05), arm, strict=True)] for arm in sizes)
        young = strata(ours[:24], theirs[:24])
        inflation = max(USUAL_INFLATION, long_run_of(young) / young.variance)
        so_far = Gathered(sum(arm.n for arm in young.arms), young.information, young.information * 0.3)
        days.append(forecast(replace(claim, inflation=inflation), [Leg(60.0, 30_000.0, 0.3)], so_far, 39.0).days)
        hours = 24 + round(24 * days[-1])
        found = strata(ours[:hours], theirs[:hours])
        shown += sequence_of(found, 20_000, 0.05, long_run_of(found)).high < 0.006
    assert 3 < np.median(days) < 10
    assert shown / runs == pytest.approx(0.8, abs=0.12)


def test_a_gate_that_is_decided_says_so():
    found = gates(live())
    assert [(gate.is_decided, gate.outcome, gate.days) for gate in found.values()] == [(True, "better", None), (True, "shown", None), (True, "shown", None)]


def test_harm_is_a_decision():
    assert gates(drawn(errors=(0.05, 0.2)))["error_rate"].outcome == "harm"


def test_what_is_due_and_not_decided_is_told_as_such():
    worse = drawn(days=20.0, requests_a_day=60_000.0, errors=(0.01, 0.011), seed=3)
    gate = gates(worse)["error_rate"]
    assert (gate.outcome, gate.days) == ("open", None)
    assert "error rate overdue: of equal arms four of five are decided by now" in gate.words


def test_test_sets_need_rows_and_no_days():
    gate = gates(equal(live()))["success"]
    row = next(each for each in report(equal(live())).comparisons if each.metric == "accuracy")
    assert gate.test_rows_needed == pytest.approx(required_n_per_arm(0.78, 0.79, alpha_of_look(row.looks + 1, 1)))
    assert (gate.days, gate.requests_needed, gate.test_rows_now) == (None, None, 20_000)
    assert gate.words == "accuracy +1 pt needs 50,500 test rows an arm (20,000 now)"


def test_a_planned_step_of_the_split_counts_from_its_date_on():
    snapshot, soon = drawn(shares=(0.95, 0.05)), f"{AT + timedelta(days=2):%Y-%m-%dT%H:%MZ}"
    held = gates(snapshot, AB_TRAFFIC_SPLIT="baseline=95,enhanced=5", AB_ERROR_MARGIN_POINTS="0.5")["error_rate"]
    ramp = gates(snapshot, AB_TRAFFIC_SPLIT=f"baseline=95,enhanced=5;{soon} baseline=50,enhanced=50", AB_ERROR_MARGIN_POINTS="0.5")["error_rate"]
    assert 2 < ramp.days.low < held.days.low / 2


def test_a_day_without_the_challenger_tells_no_days():
    snapshot = drawn()
    (found,) = snapshot.prometheus.accumulated

    def stopped(answer):
        series = (
            replace(each, points=tuple((end, value if end <= AT.timestamp() - 90_000 else 0.0) for end, value in each.points))
            if each.label("model_name") == "enhanced"
            else each
            for each in answer.series
        )
        return replace(answer, series=tuple(series))

    paused = replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(replace(found, blocks=tuple(map(stopped, found.blocks))),)))
    gate = gates(paused, AB_ERROR_MARGIN_POINTS="0.05")["error_rate"]
    assert (gate.days, gate.reason) == (None, "no traffic of both arms in the last day to tell by")


def test_too_little_traffic_is_never_said_in_days():
    gate = gates(drawn(requests_a_day=1000.0))["error_rate"]
    assert (gate.days, gate.reason) == (None, "never at this rate (over 180 days)")
    assert gate.requests_needed > 1_000_000


def test_an_effect_that_the_baseline_has_no_room_for_is_refused_in_words():
    gate = gates(drawn(errors=(0.002, 0.002)), AB_SUCCESS_METRIC="error_rate")["success"]
    assert gate.requests_needed is None
    assert "cannot change by −1 pt: set a smaller AB_MINIMUM_EFFECT_POINTS" in gate.words


@pytest.mark.parametrize("values", [{"AB_MINIMUM_EFFECT_POINTS": "0"}, {"AB_MINIMUM_EFFECT_POINTS": "1e-19", "AB_SUCCESS_METRIC": "error_rate"}])
def test_an_effect_of_nothing_is_not_waited_for(values):
    gate = gates(equal(drawn()), **values)["success"]
    assert (gate.outcome, gate.requests_needed, gate.test_rows_needed) == ("open", None, None)
    assert "there is no effect to wait for" in gate.reason


@pytest.mark.parametrize(("margin", "reason"), [("0", "with a margin of 0 no limit is ever below it"), ("1e-20", "never at this rate (over 180 days)")])
def test_a_margin_of_nothing_is_never_passed(margin, reason):
    assert gates(drawn(), AB_ERROR_MARGIN_POINTS=margin)["error_rate"].reason == reason


def test_a_margin_of_the_settings_is_that_of_the_forecast():
    wide, narrow = (gates(drawn(), AB_ERROR_MARGIN_POINTS=margin)["error_rate"] for margin in ("0.4", "0.2"))
    assert narrow.requests_needed == pytest.approx(4.3 * wide.requests_needed, rel=0.05)  # a sequence pays for looking longer
    assert (wide.needs, narrow.needs) == ("an upper limit below 0.4 pt", "an upper limit below 0.2 pt")


def test_every_challenger_has_its_gates():
    three = with_instant(
        drawn(models=("baseline", "enhanced", "third"), shares=(0.5, 0.25, 0.25), errors=(0.05,) * 3, slow=(0.02,) * 3),
        "requests",
        {"baseline": 15_000, "enhanced": 7_500, "third": 7_500},
    )
    found = report(three).decision_forecast
    assert {gate.treatment for gate in found} == {"enhanced", "third"}
    days = [gate.days for gate in found if gate.gate == "error_rate"]
    assert len(days) == 2
    assert all(each.low > 1 for each in days)


def test_before_anything_is_counted_the_reason_stands_for_the_days():
    gate = gates(equal(of_the_window()))["error_rate"]
    assert gate.days is None
    assert gate.reason


def test_on_simulated_data_nothing_is_forecast():
    assert report(without_mlflow(without_prometheus(live()))).decision_forecast == ()


def test_the_page_says_it_once():
    found = report(equal(drawn(requests_a_day=[25_000.0, 31_000.0, 35_000.0, 30_000.0])))
    told = "; ".join(found.verdict.would_change)
    assert told.startswith("more traffic, decidable in: error rate ")
    assert "test rows an arm" in told
    assert not any(clause in found.power.words for clause in found.verdict.would_change)
