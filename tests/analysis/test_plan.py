"""A test before it starts: what the baseline's past tells, and what each gate takes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from live_dashboards.analysis.facts.page import page
from live_dashboards.analysis.planning.inputs import plan_inputs
from live_dashboards.analysis.planning.plan import ab_plan
from live_dashboards.analysis.statistics.forecast import USUAL_INFLATION, own_inflation
from live_dashboards.analysis.statistics.proportions import Counts
from live_dashboards.errors import UsageError
from live_dashboards.model.planning import Given
from live_dashboards.model.snapshot import Answer
from tests.support.drawn import drawn
from tests.support.snapshots import AT, settings, with_values, without_mlflow

NUMBERS = Given(90.0, 5.0, 2.0, 31_000.0, 1.0)
ONLINE = {"AB_ONLINE_LABELLED_METRIC": "labelled_total", "AB_ONLINE_CORRECT_METRIC": "correct_total"}


def planned(given=NUMBERS, facts=None, **values):
    own = settings(**values)
    return ab_plan(plan_inputs(given, facts, own), given, own, at=AT, experiment=None)


def past(snapshot, **values):
    """The facts of a snapshot as those of the days before a test."""
    (found,) = snapshot.prometheus.accumulated
    start = datetime.fromtimestamp(found.start_seconds, UTC)
    return page(snapshot, None, settings(AB_START=f"{start:%Y-%m-%dT%H:%M:%SZ}", **values))


def gates(plan):
    return {gate.gate: gate for gate in plan.gates}


def inputs(plan):
    return {each.name: each for each in plan.inputs}


def before(share=1.0, **changes):
    """A service of one model, of which a week is known."""
    return drawn(days=7.0, models=("baseline",), shares=(share,), errors=(0.05,), slow=(0.02,), **changes)


def test_the_baselines_week_is_what_is_planned_with():
    daily = [20_000.0, 40_000.0, 30_000.0, 30_000.0, 30_000.0, 30_000.0, 30_000.0]
    plan = planned(Given(), past(with_values(before(requests_a_day=daily), "baseline", "accuracy", value=0.9)))
    found = inputs(plan)
    assert found["error_rate"].value == pytest.approx(5.0, abs=0.15)
    assert (found["requests_a_day"].interval.low, found["requests_a_day"].interval.high) == (pytest.approx(20_000, rel=0.03), pytest.approx(40_000, rel=0.03))
    errors = gates(plan)["error_rate"].sequential
    assert errors.days.high == pytest.approx(2 * errors.days.low, rel=0.05)
    assert errors.amount == pytest.approx(713_916 * found["overdispersion_error_rate"].value, rel=0.1)


def test_days_before_the_first_traffic_are_no_slow_days():
    snapshot = before()
    (found,) = snapshot.prometheus.accumulated
    young = replace(found, start_seconds=found.start_seconds - 5 * 86_400)
    facts = past(replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(young,))))
    assert inputs(planned(Given(), facts))["requests_a_day"].interval.low == pytest.approx(30_000, rel=0.03)


def test_what_was_given_goes_over_what_the_sources_say():
    found = inputs(planned(replace(NUMBERS, accuracy_percent=None), past(before())))
    assert (found["error_rate"].value, found["error_rate"].origin, found["accuracy"].origin) == (5.0, "given", "measured")


def test_an_accuracy_is_not_that_of_the_gauge_where_mlflow_is_down():
    with pytest.raises(UsageError, match=r"accuracy \(MLflow: refuses the connection\); give --baseline-accuracy"):
        planned(Given(), past(without_mlflow(before())))


def test_labels_are_counted_where_accuracy_is_counted_online():
    snapshot = before()
    (found,) = snapshot.prometheus.accumulated

    def as_labels(name, answer):
        """Half of the requests have a label, four of five of these are right."""
        share = 0.5 if name == "labelled" else 0.4
        return Answer(
            name,
            name,
            "count",
            tuple(replace(each, points=tuple((end, share * value) for end, value in each.points)) for each in answer.series),
            step_seconds=answer.step_seconds,
        )

    more = replace(
        found,
        totals=(*found.totals, *(as_labels(name, found.total("requests")) for name in ("labelled", "correct"))),
        blocks=(*found.blocks, *(as_labels(name, found.block("requests")) for name in ("labelled", "correct"))),
    )
    facts = past(replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(more,))), **ONLINE)
    plan = planned(Given(overdispersion=1.0), facts, **ONLINE)
    success = gates(plan)["success"]
    assert (success.metric, success.unit, success.baseline_percent) == ("online_accuracy", "requests", pytest.approx(80.0, abs=0.1))
    assert inputs(plan)["labelled_share"].value == pytest.approx(50.0, rel=0.01)
    assert success.fixed.amount == pytest.approx(2 * 2 * 7.849 * (0.16 + 0.81 * 0.19) / 1e-4, rel=0.02)  # twice, as every second one is labelled


def test_the_error_rate_is_the_effect_where_that_is_what_counts():
    found = gates(planned(replace(NUMBERS, accuracy_percent=None), AB_SUCCESS_METRIC="error_rate"))["success"]
    assert (found.title, found.unit) == ("Error rate −1 pt", "requests")
    assert found.fixed.amount == pytest.approx(2 * 7.849 * (0.05 * 0.95 + 0.04 * 0.96) / 1e-4, rel=1e-3)


def test_what_is_planned_is_what_the_slowest_gate_needs_with_that_very_plan():
    plan = planned()
    assert plan.planned_requests == 714_000
    assert max(gate.sequential.amount for gate in plan.gates if gate.unit == "requests") <= plan.planned_requests


def test_a_test_that_starts_later_has_the_split_of_then():
    later = AT + timedelta(days=30)
    ramp = f"baseline=95,enhanced=5;{later:%Y-%m-%dT%H:%MZ} baseline=50,enhanced=50"
    assert planned(AB_START=f"{later:%Y-%m-%dT%H:%MZ}", AB_TRAFFIC_SPLIT=ramp).planned_requests == planned().planned_requests


def test_a_split_without_a_share_for_the_challenger_is_never_decided():
    plan = planned(AB_TRAFFIC_SPLIT="baseline=100,enhanced=0")
    assert (plan.planned_requests, plan.days) == (None, None)
    assert "never with this split" in plan.words[-2]


def test_beyond_half_a_year_no_days_are_told():
    plan = planned(replace(NUMBERS, requests_a_day=1_000.0))
    assert gates(plan)["error_rate"].sequential.reason == "never at this rate (over 180 days)"
    assert plan.planned_requests == 714_000
    assert "never at this rate" in plan.words[-2]


def test_an_effect_of_nothing_and_a_margin_of_nothing_are_said():
    with pytest.raises(UsageError, match="0 points, which no test finds; give a larger --effect"):
        planned(AB_MINIMUM_EFFECT_POINTS="0")
    assert gates(planned(AB_ERROR_MARGIN_POINTS="0"))["error_rate"].reason == "with AB_ERROR_MARGIN_POINTS=0 no limit is ever below it"
    assert "never with this split" in planned(AB_ERROR_MARGIN_POINTS="1e-20").words[-2]


def test_each_number_is_said_with_where_it_is_from():
    words = planned(replace(NUMBERS, overdispersion=None)).words[-1]
    assert "error rate 5 % (given: --baseline-error-rate)" in words
    assert "x 2 (assumed as the page's limits have it of independent requests" in words
    assert "effect to find 1 pt (setting AB_MINIMUM_EFFECT_POINTS)" in words


def test_what_is_assumed_of_independent_requests_is_what_the_limits_make_of_them():
    draws = np.random.default_rng(1)
    drawn_ones = [own_inflation([Counts(int(x), 300) for x in draws.binomial(300, 0.05, 168)]) for _ in range(150)]
    assert (np.median(drawn_ones) + np.mean(drawn_ones)) / 2 == pytest.approx(USUAL_INFLATION, abs=0.3)


def test_incidents_of_hours_tell_that_requests_go_together():
    draws = np.random.default_rng(2)
    rates = np.repeat(np.where(draws.random(28) < 0.2, 0.3, 0.05), 6)
    assert own_inflation([Counts(int(x), 300) for x in draws.binomial(300, rates)]) > 20


@pytest.mark.parametrize("blocks", [[], [Counts(0, 100)] * 20, [Counts(100, 100)] * 20, [Counts(5, 100)] * 3])
def test_what_tells_nothing_of_how_requests_go_together_is_1(blocks):
    assert own_inflation(blocks) == 1.0
