"""The answer in a sentence, and what to do now."""

from dataclasses import replace

import pytest

from live_dashboards.analysis.business.report import build_business_report
from live_dashboards.analysis.verdict.answer import answer
from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.model.judgement import Recommendation, Verdict
from tests.support.business_cases import case
from tests.support.business_pages import OWN
from tests.support.reports import comparison
from tests.support.snapshots import accumulated, live, of_the_window, settings, with_instant, with_values, without_prometheus

MAY_BRING_NOTHING = {**OWN, "ERROR_COST_MULTIPLIER": "1000"}
EQUAL = {"AB_PLANNED_REQUESTS": "1000", "AB_MINIMUM_EFFECT_POINTS": "5"}


def equal_accuracy():
    found = {each.variant: each.value for each in live().mlflow.values if each.metric == "accuracy"}
    return with_values(live(), "enhanced", "accuracy", value=found["baseline"])


def two_days():
    return accumulated(live(), days=2.0)


@pytest.mark.parametrize(
    ("snapshot", "own", "verdict", "sentence", "do_now"),
    [
        pytest.param(
            live,
            {},
            "SHIP",
            "enhanced gives 3.2 points more accuracy (2.1 to 4.4); errors and slow requests hold",
            "Statistics: ship. Money: set your five amounts, then decide.",
            id="better",
        ),
        pytest.param(live, OWN, "SHIP", "more accuracy", "Statistics: ship. Money: deploy.", id="better and worth it"),
        pytest.param(
            live,
            MAY_BRING_NOTHING,
            "SHIP",
            "more accuracy",
            "Statistics: ship. Money: deploy with monitoring, it may still bring nothing.",
            id="monitored",
        ),
        pytest.param(
            lambda: accumulated(live(), errors=40.0),
            OWN,
            "ROLL BACK",
            "enhanced has 2.44 points more errors (",
            "Statistics: roll back. Money: do not deploy.",
            id="harm",
        ),
        pytest.param(
            equal_accuracy,
            EQUAL,
            "NO MEANINGFUL DIFFERENCE",
            "enhanced and baseline do not differ in accuracy by anything that matters",
            "Statistics: no difference that matters, end the test. Money: no reason to change.",
            id="equal",
        ),
        pytest.param(two_days, OWN, "KEEP RUNNING", "2 days of AB_MINIMUM_DAYS=7", "Statistics: keep running. Money: keep testing.", id="young"),
        pytest.param(
            lambda: without_prometheus(live()),
            OWN,
            "NO VERDICT",
            "no verdict on enhanced: Prometheus: refuses the connection",
            "Statistics: no verdict yet. Money: withheld: partial data.",
            id="half of the data",
        ),
    ],
)
def test_both_pages_give_the_same_answer(snapshot, own, verdict, sentence, do_now):
    found = build_ab_report(snapshot(), None, settings(**own)).answer
    assert (found.verdict, found.do_now) == (verdict, do_now)
    assert sentence in found.sentence
    assert build_business_report(snapshot(), None, settings(**own)).answer == found


def test_a_harm_has_the_limits_of_its_guardrail():
    report = build_ab_report(accumulated(live(), errors=40.0), None, settings())
    (reason,) = [text for text in report.verdict.reasons if "error rate is worse" in text]
    (guard,) = [each for each in report.guardrails if each.outcome == "harm"]
    low, high = (f"{end:.2f}" for end in (guard.comparison.low, guard.comparison.high))
    assert f"({low} to {high})" in report.answer.sentence
    assert f"(+{low} to +{high})" in reason


@pytest.mark.parametrize(
    ("snapshot", "own", "limits"),
    [(live, {}, "(limits for safety)"), (equal_accuracy, EQUAL, "(limits for safety)"), (lambda: accumulated(live(), errors=40.0), {}, "(limits for harm)")],
    ids=["better", "equal", "harm"],
)
def test_a_rule_names_the_limits_that_it_went_by(snapshot, own, limits):
    assert build_ab_report(snapshot(), None, settings(**own)).verdict.rule.endswith(limits)


def test_fewer_errors_are_no_more_of_anything():
    fewer = accumulated(with_instant(live(), "errors", {"baseline": 900.0, "enhanced": 100.0}))
    found = build_ab_report(fewer, None, settings(AB_SUCCESS_METRIC="error_rate")).answer
    assert found.verdict == "SHIP"
    assert found.sentence.startswith("enhanced has 2.")
    assert "points fewer errors (" in found.sentence
    assert found.sentence.endswith("; slow requests hold")


SHIP, ROLL_BACK, KEEP_RUNNING = (Verdict(name, "rule", ("why",), ()) for name in ("SHIP", "ROLL BACK", "KEEP RUNNING"))
ADVICE = case(), Recommendation("deploy", ("why",))


def answered(**verdicts):
    successes = {name: replace(comparison("accuracy", name, "baseline", 2.0, (1.0, 3.0))) for name in verdicts}
    return answer(tuple(verdicts.items()), successes, (), ADVICE, "b")


def test_what_is_surely_worse_is_said_and_stopped():
    found = build_ab_report(with_values(live(), "enhanced", "accuracy", value=0.7), None, settings()).answer
    assert found.verdict == "KEEP RUNNING"
    assert found.sentence.startswith("enhanced gives 8.")
    assert "points less accuracy (" in found.sentence
    assert found.do_now.startswith("Statistics: may be stopped, it is worse. Money: ")
    assert "set your five amounts" not in found.do_now


def test_each_challenger_is_told_by_its_own_success_metric():
    """The page's own is judged by its online count, the other, which has none, by its test set."""
    online = with_instant(with_instant(of_the_window(), "labelled", {"baseline": 20_000.0, "enhanced": 8_571.0}), "correct", {"baseline": 16_000.0, "enhanced": 6_900.0})
    counted = accumulated(online)
    mlflow = counted.mlflow
    twins = tuple(replace(each, variant="third", value=each.value + 0.02) for each in mlflow.values if each.variant == "enhanced")
    third = replace(
        counted,
        mlflow=replace(mlflow, values=(*mlflow.values, *twins), experiments=tuple(replace(each, variants=(*each.variants, ("third", 1))) for each in mlflow.experiments)),
    )
    prometheus = third.prometheus

    def with_third(answer):
        enhanced = [series for series in answer.series if series.label("model_name") == "enhanced"]
        own = tuple(replace(series, labels=tuple((name, "third" if name == "model_name" else value) for name, value in series.labels)) for series in enhanced)
        return answer if answer.name in {"labelled", "correct", "online_accuracy"} else replace(answer, series=(*answer.series, *own))

    (found,) = prometheus.accumulated
    found = replace(found, totals=tuple(map(with_third, found.totals)), blocks=tuple(map(with_third, found.blocks)))
    first = (*prometheus.first_traffic, ("third", found.start_seconds))
    third = replace(third, prometheus=replace(prometheus, accumulated=(found,), first_traffic=first, instants=tuple(map(with_third, prometheus.instants))))
    report = build_ab_report(third, None, settings(AB_ONLINE_LABELLED_METRIC="labelled_total", AB_ONLINE_CORRECT_METRIC="correct_total"))
    rows = {(each.treatment, each.metric): each for each in report.comparisons}
    assert rows["enhanced", "online_accuracy"].has_interval
    assert dict(report.verdicts)["third"].verdict == "SHIP"
    assert "third gives 5.24 points more accuracy (" in report.answer.sentence


def test_two_that_may_be_shipped_are_both_named():
    found = answered(b=SHIP, c=SHIP, d=ROLL_BACK)
    assert found.verdict == "SHIP"
    assert found.sentence == "b gives 2 points more accuracy (1 to 3); c gives 2 points more accuracy (1 to 3)"
    assert found.do_now == "Statistics: ship: b or c, roll back: d. Money (b): deploy."


def test_the_one_to_ship_is_named_though_the_page_is_about_another():
    found = answered(b=KEEP_RUNNING, c=SHIP)
    assert (found.verdict, found.do_now) == ("SHIP", "Statistics: ship: c, keep running: b. Money (b): deploy.")
    assert found.sentence.startswith("c gives")


def test_without_any_to_ship_it_is_about_the_pages_own():
    found = answered(a=ROLL_BACK, b=KEEP_RUNNING)
    assert (found.verdict, found.sentence) == ("KEEP RUNNING", "b is not decided yet: why")


def test_without_a_challenger_there_is_nothing_to_answer():
    assert answer((), {}, (), ADVICE, None).sentence == "no verdict: there is no challenger"


def worth(snapshot, **own):
    """What the A/B page says of money beside the service's own gauge."""
    page = build_ab_report(snapshot, None, settings(**own))
    return dict(page.status.items), {each.name: each for each in page.measurements}


def test_the_net_value_with_its_interval_stands_on_the_ab_page_where_somebody_set_an_amount():
    items, measured = worth(live(), **OWN)
    business = build_business_report(live(), None, settings(**OWN))
    assert items["net value a year, projected"] == "$830k ($480k to $1.2M)"
    assert measured["net_annual_value"] == business.case.net
    assert items["net value, reported"] == "1.41 %"
    one_of_five, _ = worth(live(), ERROR_COST_MULTIPLIER="60")
    assert "net value a year, projected" in one_of_five


@pytest.mark.parametrize(("snapshot", "own"), [(live, {}), (lambda: without_prometheus(live()), OWN)], ids=["defaults", "no traffic"])
def test_no_net_value_stands_there_of_default_amounts_or_parts(snapshot, own):
    items, measured = worth(snapshot(), **own)
    assert "net value a year, projected" not in items
    assert "net_annual_value" not in measured
