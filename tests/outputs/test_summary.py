"""The summary JSON: every key, null with a reason, nothing simulated among live numbers."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from live_dashboards.model.measurement import Interval, Origin
from live_dashboards.model.moment import format_window, parse_duration_seconds
from live_dashboards.model.report import AbReport, BadgeKind
from live_dashboards.outputs.summary import summary, summary_schema, summary_text
from tests.outputs.reports import every_kind

REPORTS = every_kind()
VALIDATOR = Draft202012Validator(summary_schema(), format_checker=FormatChecker())
HEADLINES = (
    "active_experiments",
    "baseline_accuracy",
    "enhanced_accuracy",
    "total_requests_24h",
    "total_requests",
    "avg_response_time_ms",
    "error_rate",
    "net_business_value",
)
every_report = pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)


def document(report: AbReport | None = None) -> Any:
    return json.loads(summary_text(report or REPORTS["live"]), parse_constant=pytest.fail)


def test_the_schema_itself_is_one() -> None:
    Draft202012Validator.check_schema(summary_schema())


@every_report
def test_every_summary_follows_the_schema(report: AbReport) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(document(report))] == []


@every_report
def test_a_null_headline_has_its_reason_in_the_measurement_of_its_name(report: AbReport) -> None:
    found = document(report)
    reasons = {row["name"]: row["reason"] for row in sorted(found["measurements"], key=lambda row: row["variant"] is None)}
    assert all(reasons[name] for name in HEADLINES if found[name] is None)


@every_report
def test_a_null_of_a_variant_has_its_reason_in_the_measurement_of_its_name(report: AbReport) -> None:
    found = document(report)
    reasons = {(row["variant"], row["name"]): row["reason"] for row in found["measurements"]}
    nulls = [(variant, name) for variant, facts in found["variants"].items() for name, value in facts.items() if value is None]
    assert all(reasons[place] for place in nulls)


@pytest.mark.parametrize("name", ["prometheus only", "mlflow only"])
def test_nothing_simulated_stands_in_a_key_while_a_source_is_live(name: str) -> None:
    found = document(REPORTS[name])
    simulated = {(row["variant"], row["name"]) for row in found["measurements"] if row["origin"] == "simulated"}
    assert simulated
    assert not [place for place in simulated if place[0] is not None and found["variants"].get(place[0], {}).get(place[1]) is not None]
    assert not [place for place in simulated if place[0] is None and found.get(place[1]) is not None]
    assert not [row for row in found["comparisons"] if row["origin"] == "simulated"]


def test_a_simulated_split_is_not_called_observed() -> None:
    assert set(document(REPORTS["mlflow only"])["traffic_split"]["observed"].values()) == {None}


def test_headlines_are_the_reports_own_numbers_in_full_precision() -> None:
    found, report = document(), REPORTS["live"]
    assert {name: found[name] for name in HEADLINES} == {name: measurement.value for name, measurement in report.headline}


def test_variants_hold_the_reports_own_numbers() -> None:
    facts = REPORTS["live"].variants[1]
    found = document()["variants"][facts.variant]
    assert (found["accuracy"], found["requests"], found["p95_latency_ms"]) == (facts.accuracy.value, facts.requests.value, facts.p95_latency_ms.value)
    assert len(found) == 13


def test_counts_are_whole_numbers() -> None:
    found = document()
    assert isinstance(found["total_requests"], int)
    assert all(isinstance(facts["requests"], int) for facts in found["variants"].values())


@pytest.mark.parametrize("kind", list(BadgeKind))
def test_each_badge_has_its_data_source(kind: BadgeKind) -> None:
    report = REPORTS["live"]
    found = document(replace(report, badge=replace(report.badge, kind=kind)))
    assert (found["badge"], found["data_source"]) == (kind.value, kind.data_source)
    assert VALIDATOR.is_valid(found)


def test_planned_and_observed_shares_are_percent() -> None:
    split = document(REPORTS["live with a split"])["traffic_split"]
    assert split["planned"] == pytest.approx({"baseline": 70, "enhanced": 30})
    assert sum(split["observed"].values()) == pytest.approx(100)
    assert split["flag"] is None
    assert split["reason"]


def test_without_a_plan_planned_is_null() -> None:
    assert document()["traffic_split"]["planned"] is None


def test_the_analysis_period_is_not_the_window() -> None:
    period = document(REPORTS["live with a split"])["analysis_period"]
    assert period == {"start": "2026-11-01T00:00:00Z", "end": "2026-11-20T12:00:00Z", "reason": "AB_START", "excluded": []}


def test_an_unbounded_limit_is_null() -> None:
    report = REPORTS["live"]
    first = replace(report.measurements[0], interval=Interval(1.0, None))
    assert document(replace(report, measurements=(first,)))["measurements"][0]["interval"] == [1.0, None]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_null(value: float) -> None:
    report = REPORTS["live"]
    row = replace(report.comparisons[0], low=value, high=value, p_value=value)
    found = document(replace(report, comparisons=(row,)))["comparisons"][0]
    assert (found["low"], found["high"], found["p_value"]) == (None, None, None)


def test_every_input_can_be_looked_up() -> None:
    found = document()
    rows = [*found["measurements"], *found["lineage"]]
    known = {row["name"] if row["variant"] is None else f"{row['name']}.{row['variant']}" for row in rows}
    used = {reference for row in rows for reference in row["inputs"]}
    assert used
    assert used <= known


def test_a_measurement_stands_once() -> None:
    found = document()
    places = [(row["name"], row["variant"]) for row in (*found["measurements"], *found["lineage"])]
    assert len(places) == len(set(places))


def test_a_failed_source_says_why_and_what_to_do() -> None:
    found = document(REPORTS["prometheus only"])["sources"]["mlflow"]
    assert (found["state"], found["reason"]) == ("failed", "refuses the connection")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(86_400, "24h"), (7 * 86_400, "7d"), (1800, "30m"), (5400, "1h30m"), (129_600, "36h"), (172_800, "2d"), (0.5, "500ms"), (90_061, "25h1m1s")],
)
def test_a_window_is_a_prometheus_duration(seconds: float, text: str) -> None:
    assert format_window(seconds) == text


@given(st.integers(1, 10**10).map(lambda milliseconds: milliseconds / 1000))
def test_a_window_reads_back_as_itself(seconds: float) -> None:
    assert parse_duration_seconds(format_window(seconds)) == pytest.approx(seconds, rel=1e-12)


def test_the_text_is_ascii_even_for_odd_names() -> None:
    text = summary_text(replace(REPORTS["live"], experiment="模型 \ud800", alt_text="−1"))
    assert text.isascii()
    assert json.loads(text)["experiment"] == "模型 \ud800"


Breaker = Callable[[Any], object]
BROKEN: dict[str, Breaker] = {
    "a key too much": lambda found: found.update(more=1),
    "another version": lambda found: found.update(schema_version=2),
    "a headline that is text": lambda found: found.update(error_rate="0.3 %"),
    "an error rate of 999": lambda found: found.update(error_rate=999),
    "half a request": lambda found: found.update(total_requests=0.5),
    "a badge of another source": lambda found: found.update(badge="MODEL DATA"),
    "an invented badge": lambda found: found.update(badge="GREAT DATA"),
    "a moment without a zone": lambda found: found.update(generated_at="2026-11-20T12:00:00"),
    "a moment of another zone": lambda found: found.update(generated_at="2026-11-20T12:00:00+02:00"),
    "no window": lambda found: found.update(window=""),
    "a window in words": lambda found: found.update(window="1 day"),
    "a variant without accuracy": lambda found: next(iter(found["variants"].values())).pop("accuracy"),
    "a missing value without reason": lambda found: found["measurements"][0].update(value=None, origin="missing", reason=None),
    "a live value that is null": lambda found: found["measurements"][0].update(value=None, origin="live", reason="gone"),
    "a missing value that is there": lambda found: found["measurements"][0].update(value=1.0, origin="missing"),
    "an origin of its own": lambda found: found["measurements"][0].update(origin="guessed"),
    "an interval of three": lambda found: found["measurements"][0].update(interval=[1, 2, 3]),
    "a comparison without reason": lambda found: found["comparisons"][0].update(estimate=None, low=None, high=None, p_value=None, reason=None),
    "an interval of 90 %": lambda found: found["comparisons"][0].update(confidence=0.9),
    "a p value of 2": lambda found: found["comparisons"][0].update(p_value=2),
    "an adjusted p value of 2": lambda found: found["comparisons"][0].update(p_value_adjusted=2),
    "a flag without reason": lambda found: found["traffic_split"].update(reason=None),
    "a source in an unknown state": lambda found: found["sources"]["mlflow"].update(state="asleep"),
    "a verdict without reasons": lambda found: found["verdict"].update(reasons=[]),
}


@pytest.mark.parametrize("name", summary_schema()["required"])
def test_the_schema_wants_every_key(name: str) -> None:
    broken = document()
    del broken[name]
    assert not VALIDATOR.is_valid(broken)


@pytest.mark.parametrize("breaks", BROKEN.values(), ids=BROKEN)
def test_the_schema_refuses_what_is_wrong(breaks: Breaker) -> None:
    broken = copy.deepcopy(document())
    breaks(broken)
    assert not VALIDATOR.is_valid(broken)


def test_the_schema_takes_a_summary_from_before_p_was_adjusted() -> None:
    earlier = copy.deepcopy(document())
    for row in (*earlier["comparisons"], *earlier["guardrails"]):
        del row["p_value_adjusted"]
    assert VALIDATOR.is_valid(earlier)


def test_the_schema_names_every_key_that_is_written() -> None:
    assert set(summary(REPORTS["live"])) == set(summary_schema()["properties"]) == set(summary_schema()["required"])


def test_origins_of_the_schema_are_those_of_the_code() -> None:
    assert summary_schema()["$defs"]["origin"]["enum"] == [origin.value for origin in Origin]
