"""The business summary: every key, null with a reason, the worked example."""

import json

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from live_dashboards.analysis.business.report import build_business_report
from live_dashboards.outputs.sidecars import drawn_values, markdown_text
from live_dashboards.outputs.summary import summary_schema, summary_text
from tests.support.snapshots import live, settings, stand_in, without_mlflow, without_prometheus

VALIDATOR = Draft202012Validator(summary_schema("business"), format_checker=FormatChecker())
RANGES = {"LATENCY_COST_PER_MS": "0.00005..0.0002"}
REPORTS = {
    "live": build_business_report(live(), stand_in(), settings()),
    "ranges": build_business_report(live(), stand_in(), settings(**RANGES)),
    "model": build_business_report(without_prometheus(live()), stand_in(), settings()),
    "operational": build_business_report(without_mlflow(live()), stand_in(), settings()),
    "marked": build_business_report(without_mlflow(live()), None, settings()),
    "simulated": build_business_report(without_mlflow(without_prometheus(live())), stand_in(), settings()),
    "nothing": build_business_report(without_mlflow(without_prometheus(live())), None, settings()),
}
NUMBERS = ("annual_revenue_increase", "annual_cost_increase", "annual_risk_reduction", "net_annual_value", "roi_percentage", "payback_days")
every_report = pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)


def document(report):
    return json.loads(summary_text(report), parse_constant=pytest.fail)


def test_the_schema_itself_is_one():
    Draft202012Validator.check_schema(summary_schema("business"))


@every_report
def test_every_summary_follows_the_schema(report):
    assert [error.message for error in VALIDATOR.iter_errors(document(report))] == []


@every_report
def test_a_null_key_or_interval_has_its_reason_in_the_measurement_of_its_name(report):
    found = document(report)
    reasons = {row["name"]: row["reason"] for row in found["measurements"]}
    assert all(reasons[name] for name in (*NUMBERS, "probability_net_positive") if found[name] is None)
    assert all(reasons[name] for name in NUMBERS if found[f"{name}_interval"] is None)


@every_report
def test_nothing_simulated_is_among_the_numbers_while_a_source_is_live(report):
    found = document(report)
    simulated = [row["name"] for row in found["measurements"] if row["origin"] == "simulated"]
    if not report.is_simulated:
        assert all(name.endswith("_simulated") for name in simulated)


@every_report
def test_every_input_of_a_measurement_can_be_looked_up(report):
    found = document(report)
    rows = [*found["measurements"], *found["lineage"]]
    known = {row["name"] if row["variant"] is None else f"{row['name']}.{row['variant']}" for row in rows}
    assert {name for row in rows for name in row["inputs"]} <= known


def test_terms_add_up_to_the_net_value():
    found = document(REPORTS["live"])
    assert found["net_annual_value"] == pytest.approx(found["annual_revenue_increase"] - found["annual_cost_increase"] + found["annual_risk_reduction"])
    assert found["roi_percentage"] == pytest.approx((found["net_annual_value"] - 53_000) / 53_000 * 100)
    assert found["partial_total"] == {"value": found["net_annual_value"], "terms": list(NUMBERS[:3])}


def test_an_assumption_tells_its_amount_its_unit_and_whose_it_is():
    by_name = {row["name"]: row for row in document(REPORTS["ranges"])["assumptions"]}
    assert by_name["LATENCY_COST_PER_MS"] | {"meaning": "", "break_even": None, "break_even_words": ""} == {
        "name": "LATENCY_COST_PER_MS",
        "value": 0.000125,
        "low": 0.00005,
        "high": 0.0002,
        "unit": "USD per request and ms",
        "meaning": "",
        "is_default": False,
        "break_even": None,
        "break_even_words": "",
    }
    assert by_name["BASE_TRADING_VOLUME"]["is_default"]
    assert document(REPORTS["ranges"])["default_assumptions"] == 4


def test_the_table_of_drawn_values_holds_the_bars_and_the_cash():
    rows = drawn_values(REPORTS["live"])
    bars = {row.x: row.value for row in rows if row.panel == "parts"}
    assert bars["net"] == pytest.approx(sum(value for name, value in bars.items() if name != "net"))
    assert [row.x for row in rows if row.panel == "payback"][-1] == "month 12"


def test_the_alt_text_leads_with_the_recommendation():
    text = markdown_text(REPORTS["live"])
    assert text.startswith("# Business impact dashboard: enhanced against baseline")
    assert "Recommendation: keep testing" in text
