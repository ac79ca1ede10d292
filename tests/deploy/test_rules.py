"""The Prometheus files: valid, every alert seen firing and silent, and the recording rules equal to the dashboards' own queries."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from live_dashboards.demo.exporter import JOB
from live_dashboards.demo.programs import promtool_program
from live_dashboards.demo.world import BASELINE, ENHANCED
from live_dashboards.model.report import BadgeKind
from live_dashboards.sources.prometheus.failed_requests import COUNTER_ERRORS
from live_dashboards.sources.queries import AB_QUERIES, render
from live_dashboards.web.metrics import Metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = sorted((DEPLOY / "prometheus").glob("*.rules.yml"))
UNIT_TESTS = sorted((DEPLOY / "prometheus/tests").glob("*.test.yml"))
RECORDED = {
    "request_rate": "sum by (model_name) (experiment_model_name:ab_test_requests:rate5m)",
    "response_time": "1000 * histogram_quantile(0.95, sum by (le, model_name) (experiment_le_model_name:ab_test_response_time_seconds_bucket:rate5m))",
    "accuracy": "avg by (model_name) (experiment_model_name:ab_test_model_accuracy:avg)",
    "error_rate": "100 * sum by (model_name) (experiment_model_name:ab_test_errors:rate5m) / sum by (model_name) (experiment_model_name:ab_test_requests:rate5m)",
    "business_impact": "avg by (model_name, metric_type) (experiment_metric_type_model_name:ab_test_business_impact:avg)",
}


def promtool(*arguments, folder=DEPLOY / "prometheus"):
    done = subprocess.run([promtool_program(), *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules(kind):
    return [rule for path in RULES for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"] if kind in rule]


def unit_tests():
    return [test for path in UNIT_TESTS for test in yaml.safe_load(path.read_text())["tests"]]


def test_promtool_accepts_the_rules():
    promtool("check", "rules", "--lint=all", "--lint-fatal", *RULES)


def test_promtool_would_refuse_a_rule_that_is_none(tmp_path):
    (tmp_path / "odd.rules.yml").write_text('{"groups": [{"name": "odd", "rules": [{"record": "odd", "expr": "sum by ("}]}]}')
    with pytest.raises(AssertionError, match="parse"):
        promtool("check", "rules", "--lint=all", "--lint-fatal", tmp_path / "odd.rules.yml")


def test_the_unit_tests_pass():
    assert promtool("test", "rules", *UNIT_TESTS).count("SUCCESS") == len(UNIT_TESTS)


def test_promtool_accepts_the_composed_configuration(tmp_path):
    shutil.copy(DEPLOY / "docker/prometheus.yml", tmp_path)
    shutil.copytree(DEPLOY / "prometheus", tmp_path / "rules")
    found = promtool("check", "config", "prometheus.yml", folder=tmp_path)
    assert re.findall(r"(\d+) rule files found", found) == [str(len(RULES))]


def test_every_alert_is_seen_firing_and_silent():
    seen = {(case["alertname"], bool(case["exp_alerts"])) for test in unit_tests() for case in test.get("alert_rule_test", ())}
    assert seen == {(rule["alert"], fires) for rule in rules("alert") for fires in (True, False)}


def test_every_recorded_name_says_level_metric_and_operations():
    for rule in rules("record"):
        level, _, _ = rule["record"].split(":")
        by = re.search(r"by \(([a-z_, ]+)\) \((?:rate|avg|increase|timestamp)", rule["expr"])
        assert by is None or level == "_".join(by[1].split(", "))


def test_alerts_read_aggregates_and_never_each_instance():
    for rule in rules("alert"):
        assert not re.search(r"(?<![:\w])ab_test_\w+", rule["expr"]), rule["alert"]


def test_the_plan_names_the_models_of_the_sample_and_sums_to_one():
    plan = {rule["labels"]["model_name"]: float(rule["expr"][7:-1]) for rule in rules("record") if "planned" in rule["record"]}
    assert plan == {variant.model_name: variant.traffic_share for variant in (BASELINE, ENHANCED)}


def test_the_alerts_of_the_page_name_metrics_and_the_badge_that_it_has():
    metrics = Metrics(60.0)
    metrics._badge.labels(BadgeKind.LIVE.value).set(1.0)
    told = metrics.text().decode()
    expressions = " ".join(rule["expr"] for rule in rules("alert"))
    named = set(re.findall(r"live_dashboards_\w+(?:\{badge=\"[A-Z ]+\"\})?", expressions))
    assert len(named) == 3
    assert all(name in told for name in named)


def test_the_alert_of_the_exporters_names_the_job_that_is_scraped():
    jobs = {job["job_name"] for job in yaml.safe_load((DEPLOY / "docker/prometheus.yml").read_text())["scrape_configs"]}
    named = set(re.findall(r'job="([^"]+)"', json.dumps([rule["expr"] for rule in rules("alert")]).replace('\\"', '"')))
    assert named == jobs == {JOB, "live-dashboards"}


@pytest.fixture(scope="module")
def first_test():
    return next(test for test in unit_tests() if test["name"].startswith("two instances"))


@pytest.mark.parametrize("name", AB_QUERIES)
def test_a_recorded_aggregate_is_what_the_dashboards_ask_for(name, first_test, tmp_path):
    asked = render(AB_QUERIES[name].promql, errors=COUNTER_ERRORS.replace("{$experiment}", ""))
    cases = [(f"count(({RECORDED[name]}) > 0) > bool 0", 1), (f"count(abs(({asked}) - ({RECORDED[name]})) > 1e-9) or vector(0)", 0)]
    test = {**first_test, "promql_expr_test": [{"expr": expr, "eval_time": "80m", "exp_samples": [{"labels": "{}", "value": value}]} for expr, value in cases]}
    (tmp_path / "rules.test.yml").write_text(json.dumps({"rule_files": [str(path) for path in RULES], "evaluation_interval": "1m", "tests": [test]}))
    promtool("test", "rules", tmp_path / "rules.test.yml")
