"""What changed between two summaries, over hand-made documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_dashboards.outputs.changes import Change, changes, changes_document
from live_dashboards.outputs.summary import summary_text
from tests.outputs.reports import every_kind
from tests.support.business_pages import OWN, RANGES, page

SUMMARIES: dict[str, Any] = {
    **{name: json.loads(summary_text(report)) for name, report in every_kind().items()},
    "business": json.loads(summary_text(page())),
    "business, ranges": json.loads(summary_text(page(**RANGES))),
}
NUMBER: dict[str, Any] = {
    "name": "error_rate",
    "variant": "enhanced",
    "value": 0.056,
    "unit": "percent",
    "interval": [0.04, 0.08],
    "origin": "live",
    "source": "prometheus",
    "reason": None,
}


def document(**keys: Any) -> dict[str, Any]:
    return {"at": "2026-11-20T12:00:00Z", "measurements": [], **keys}


def of(row: dict[str, Any], **more: Any) -> dict[str, Any]:
    return document(measurements=[{**row, **more}], error_rate=1.0, variants={"enhanced": {"error_rate": 1.0}})


def only(previous: dict[str, Any], current: dict[str, Any]) -> Change:
    (found,) = changes(previous, current)
    return found


@pytest.mark.parametrize("found", SUMMARIES.values(), ids=SUMMARIES)
def test_a_summary_has_not_changed_since_itself(found: dict[str, Any]) -> None:
    assert changes(found, found) == ()


numbers = st.none() | st.floats(-1e9, 1e9)


@given(value=numbers, low=numbers, high=numbers, origin=st.sampled_from(["live", "simulated"]), unit=st.sampled_from(["percent", "usd", "count", "odd"]))
def test_no_number_has_changed_since_itself_even_outside_its_own_interval(value: float | None, low: float | None, high: float | None, origin: str, unit: str) -> None:
    same = of(NUMBER, value=value, interval=[low, high], origin=origin, unit=unit)
    assert changes(same, same) == ()


def pairs() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    yield from ((one, other) for one in SUMMARIES.values() for other in SUMMARIES.values() if one["dashboard"] == other["dashboard"])


def test_whatever_is_told_is_one_printable_line_and_tells_two_different_things() -> None:
    told = [change for one, other in pairs() for change in changes(one, other)]
    assert len(told) > 100
    assert [change for change in told if not change.words.isprintable() or change.before == change.after] == []


def test_a_number_outside_its_interval_of_then_is_told_with_both_and_the_interval() -> None:
    found = only(of(NUMBER), of(NUMBER, value=0.31))
    assert found == Change("error_rate", "enhanced", 0.056, 0.31, "error rate of enhanced: 0.056 % -> 0.31 %, outside its interval of then (0.04 to 0.08 %)")


@pytest.mark.parametrize("value", [0.04, 0.05, 0.08])
def test_a_number_inside_its_interval_of_then_is_not_told(value: float) -> None:
    assert changes(of(NUMBER), of(NUMBER, value=value)) == ()


def test_an_unbounded_end_holds_everything() -> None:
    assert changes(of(NUMBER, interval=[0.04, None]), of(NUMBER, value=99.0)) == ()


def test_two_numbers_are_written_with_the_digits_that_tell_them_apart() -> None:
    found = only(of(NUMBER, value=29.81, unit="ms", interval=[29.80, 29.82]), of(NUMBER, value=29.84, unit="ms"))
    assert "29.81 ms -> 29.84 ms" in found.words


@pytest.mark.parametrize(("value", "is_told"), [(78.2000001, False), (78.3, True)])
def test_a_logged_value_without_interval_is_told_where_it_is_shown_as_another(value: float, *, is_told: bool) -> None:
    logged = {**NUMBER, "source": "mlflow", "interval": None, "value": 78.2}
    assert bool(changes(of(logged), of(logged, value=value))) is is_told


def test_a_gauge_without_interval_moves_all_the_time_and_is_not_told() -> None:
    assert changes(of(NUMBER, interval=None), of(NUMBER, value=0.5)) == ()


def test_a_value_of_another_source_is_not_measured_by_the_interval_of_the_first() -> None:
    found = only(of(NUMBER, source="mlflow"), of(NUMBER, value=0.31))
    assert found.words == "error rate of enhanced: 0.056 % -> 0.31 %, from prometheus and then from mlflow"


def test_a_number_that_is_only_simulated_now_is_gone() -> None:
    found = only(of(NUMBER), of(NUMBER, origin="simulated", value=0.06))
    assert (found.before, found.after, found.words) == (0.056, None, "error rate of enhanced: gone: only simulated now")
    assert only(of(NUMBER, origin="simulated"), of(NUMBER)).words == "error rate of enhanced: there again: 0.056 %"


def test_a_simulated_number_that_moves_is_not_told() -> None:
    assert changes(of(NUMBER, origin="simulated"), of(NUMBER, origin="simulated", value=0.5)) == ()


def test_a_headline_that_is_a_variants_accuracy_is_told_once() -> None:
    rows = [{**NUMBER, "name": name, "value": 81.8, "interval": [80.0, 83.0]} for name in ("enhanced_accuracy", "accuracy")]
    found = changes(document(measurements=rows), document(measurements=[{**row, "value": 90.0} for row in rows]))
    assert [change.what for change in found] == ["accuracy"]


def test_conclusions_come_before_numbers() -> None:
    before = {**of(NUMBER), "verdict": {"verdict": "SHIP", "rule": "4"}, "badge": "LIVE DATA"}
    after = {**of(NUMBER, value=1.0), "verdict": {"verdict": "NO VERDICT", "rule": "1"}, "badge": "OPERATIONAL DATA"}
    assert [change.what for change in changes(before, after)] == ["verdict", "rule", "badge", "error_rate"]


def plan(start: str | None, **planned: float) -> dict[str, Any]:
    return document(traffic_split={"planned": planned or None}, analysis_period={"start": start})


@pytest.mark.parametrize(
    ("start", "is_too_early"),
    [("2026-11-01T00:00:00Z", True), ("2026-11-20T12:00:00.500000Z", False), ("2026-11-20T12:00:00Z", False), ("2026-11-21T00:00:00Z", False), (None, False)],
)
def test_another_plan_asks_for_a_new_start_where_the_period_began_before(start: str | None, *, is_too_early: bool) -> None:
    found = only(plan(start, baseline=70.0, enhanced=30.0), plan(start, baseline=50.0, enhanced=50.0))
    assert found.words.startswith("planned split: baseline 70 %, enhanced 30 % -> baseline 50 %, enhanced 50 %")
    assert ("set AB_START" in found.words) is is_too_early


def test_a_variant_that_came_is_told() -> None:
    found = only(document(variants={"baseline": {}, "enhanced": {}}), document(variants={"baseline": {}, "enhanced": {}, "third": {}}))
    assert found.words == "variants: baseline, enhanced -> baseline, enhanced, third"


def test_each_thing_is_told_once() -> None:
    for one, other in pairs():
        places = [(change.what, change.variant) for change in changes(one, other)]
        assert len(places) == len(set(places))


def comparison(low: float | None, high: float | None) -> dict[str, Any]:
    return document(comparisons=[{"metric": "accuracy", "treatment": "enhanced", "control": "baseline", "estimate": 1.0, "low": low, "high": high}])


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ((-1.0, 2.0), (0.5, 2.0), "undecided -> above 0"),
        ((0.5, 2.0), (-1.0, 2.0), "above 0 -> undecided"),
        ((0.5, 2.0), (-2.0, -0.5), "above 0 -> below 0"),
        ((0.0, 2.0), (None, None), "undecided -> no interval"),
    ],
)
def test_an_interval_that_crosses_0_is_told(before: tuple[float, float], after: tuple[float, float], words: str) -> None:
    assert only(comparison(*before), comparison(*after)).words == f"accuracy of enhanced against baseline: {words}"


def test_an_interval_that_stays_on_its_side_of_0_is_not_told() -> None:
    assert changes(comparison(0.5, 2.0), comparison(0.1, 3.0)) == ()


def test_a_guardrail_and_a_gate_tell_their_new_numbers() -> None:
    rail = {"name": "latency", "treatment": "enhanced", "label": "Over 250 ms not more often", "outcome": "shown", "words": "2 % against 2 %"}
    gate = {"gate": "Error rate not worse", "state": "passed", "words": "1 % against 1 %"}
    before = document(guardrails=[rail], gates=[gate])
    after = document(guardrails=[{**rail, "outcome": "harm", "words": "9 % against 2 %"}], gates=[{**gate, "state": "failed", "words": "4 % against 1 %"}])
    assert [change.words for change in changes(before, after)] == [
        "Over 250 ms not more often, enhanced: shown -> harm (9 % against 2 %)",
        "Error rate not worse: passed -> failed (4 % against 1 %)",
    ]


def test_another_assumption_is_called_a_setting() -> None:
    before, after = (json.loads(summary_text(page(**{**OWN, "ERROR_COST_MULTIPLIER": cost}))) for cost in ("50", "20..80"))
    found = {change.what: change.words for change in changes(before, after)}
    assert found["assumption ERROR_COST_MULTIPLIER"] == "ERROR_COST_MULTIPLIER: 50 -> 20..80, a setting"


def test_a_name_cannot_steer_the_terminal() -> None:
    assert only(document(experiment="a"), document(experiment="b\x1b[2J\nERROR: no")).words == "experiment: a -> b [2J ERROR: no"


def test_without_an_earlier_summary_there_are_no_rows_and_a_reason() -> None:
    found = changes_document(None, document(), "last.json")
    assert found == {"compared_with": "last.json", "since": None, "rows": [], "reason": "there is no earlier summary yet"}
