"""The catalogue of metrics: what an entry says, and that it is the one place where it is said."""

import ast
from contextlib import nullcontext
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from live_dashboards.model import metrics
from live_dashboards.model.metrics import BESIDE, EXPORTED, METRICS, TAKEN, TEST_ROWS, Metric, check_events_name, metric_of
from live_dashboards.model.presentation import metric_title
from live_dashboards.model.report import VariantFacts
from live_dashboards.model.serving import OWN_NAMES
from live_dashboards.model.snapshot import COUNTS
from live_dashboards.outputs.summary import summary_schema
from live_dashboards.settings.table import all_settings, sections
from live_dashboards.sources.mlflow.experiments import hits_pattern, with_hits
from live_dashboards.sources.queries import AB_QUERIES
from tests.figures.cases import analysed
from tests.support import snapshots

PACKAGE = Path(metrics.__file__).parents[1]


def test_what_runs_log_stands_in_the_order_of_the_page():
    assert list(METRICS) == ["accuracy", "precision", "recall", "f1"]
    assert not METRICS.keys() & BESIDE.keys()


@pytest.mark.parametrize("metric", [*METRICS.values(), *BESIDE.values()], ids=lambda metric: metric.name)
def test_an_entry_is_found_by_its_name_and_has_words(metric):
    assert metric_of(metric.name) is metric
    assert metric_title(metric.name) == metric.row_title
    assert metric.title
    assert metric.words.strip()


def test_what_is_in_no_catalogue_is_the_rate_of_such_events_of_which_less_is_better():
    found = metric_of("read_timeouts")
    assert (found.title, found.words, found.amount, found.difference_unit) == ("Read timeouts", "rate of read timeouts", "read timeouts", "points")
    assert (found.is_higher_better, metric_title("read_timeouts")) == (False, "Read timeouts")
    with pytest.raises(ValueError, match="cannot be called 'Queue length'"):
        metric_of("Queue length")


def test_no_guardrail_can_have_the_name_of_a_key_of_the_summaries_or_of_a_total():
    schemas = [summary_schema(dashboard) for dashboard in ("ab", "business")]
    keys = {key for schema in schemas for each in (schema, schema["$defs"].get("variant", {})) for key in each.get("properties", ())}
    answer = snapshots.live().prometheus
    totals = {each.name for each in (*answer.instants, *answer.blocks, *answer.timelines)}
    for name in keys | totals | COUNTS | METRICS.keys() | BESIDE.keys():
        with pytest.raises(ValueError, match=f"'{name}' cannot be a guardrail's name, as the summary has something else"):
            check_events_name(name)
    check_events_name("timeouts")


def test_what_is_left_out_follows_from_name_and_title():
    found = Metric("brier_score", "Brier score", unit="", is_higher_better=False)
    assert (found.keys, found.setting) == (("brier_score",), "AB_BRIER_SCORE_METRIC")
    assert (found.words, found.amount, found.row_title) == ("brier score", "brier score", "Brier score")


def test_shares_differ_by_points_and_other_values_by_their_own_unit():
    assert [(metric.is_share, metric.difference_unit) for metric in (METRICS["f1"], Metric("loss", "Loss", unit="nats"))] == [(True, "points"), (False, "nats")]


@pytest.mark.parametrize("name", ["", "Calibration error", "calibration-error", "1st", "größe", "a\n"])
def test_a_name_that_can_be_no_key_is_refused_with_what_can(name):
    with pytest.raises(ValueError, match="small letters, digits and _, as in brier_score"):
        Metric(name, "Title")


def test_a_proportion_of_rows_is_a_share():
    with pytest.raises(ValueError, match="a proportion of test rows, so its unit is percent, not nats"):
        Metric("loss", "Loss", unit="nats", n=TEST_ROWS)


def test_less_is_better_of_errors_slow_requests_and_latency_alone():
    less = {metric.name for metric in (*METRICS.values(), *BESIDE.values()) if not metric.is_higher_better}
    assert less == {"error_rate", "over_latency_objective", "mean_latency_ms"}


def test_no_metric_has_the_name_of_another_fact():
    assert not METRICS.keys() & set(VariantFacts.__slots__)


def test_no_two_settings_have_one_name():
    names = [setting.name for setting in all_settings()]
    assert len(names) == len(set(names))


def test_the_settings_of_an_added_metric_stand_beside_those_of_the_others(monkeypatch):
    monkeypatch.setitem(METRICS, "auc", Metric("auc", "AUC", keys=("roc_auc", "auc")))
    names = [setting.name for setting in dict(sections())["A/B test"]]
    assert names[names.index("AB_F1_METRIC") + 1] == "AB_AUC_METRIC"
    (row,) = (setting for setting in all_settings() if setting.name == "AB_AUC_METRIC")
    assert (row.default, row.meaning) == (None, "MLflow metric key; default: the first that baseline and challenger both have of roc_auc or auc")


def test_hits_and_misses_are_read_beside_what_they_are_the_n_of(monkeypatch):
    assert (with_hits(), hits_pattern()) == (["precision", "recall"], "^(.*?)(?:precision|recall)(?:_score)?$")
    monkeypatch.setitem(METRICS, "sensitivity", Metric("sensitivity", "Sensitivity", n=metrics.ACTUAL_POSITIVES))
    assert with_hits() == ["precision", "recall", "sensitivity"]


@cache
def literals(path: Path) -> set[str]:
    """The texts of a file's code, but for its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    told = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, documented) and isinstance(node.body[0], ast.Expr)}
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told}


def spelled_in(*texts: str) -> dict[str, set[str]]:
    """The files of the package, but for the catalogue, in whose code one of these texts is a literal."""
    paths = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
    found = {name: literals(path) & set(texts) for name, path in paths.items() if name != "model/metrics.py"}
    return {name: spelled for name, spelled in found.items() if spelled}


def test_a_metric_is_spelled_in_the_catalogue_alone():
    """But for the demo, which counts these from one table of hits and misses."""
    assert spelled_in("precision", "recall", "f1", "f1_score", "Precision", "Recall", "F1") == {"demo/mlflow_rows.py": {"precision", "recall", "f1"}}


def test_titles_of_what_is_compared_are_spelled_in_the_catalogue_alone():
    titles = {metric.title for metric in (*METRICS.values(), *BESIDE.values())} | {metric.row_title for metric in BESIDE.values()}
    assert spelled_in(*titles) == {}


NAMES = [each.removesuffix("_total") for each in (EXPORTED.requests, EXPORTED.errors, EXPORTED.latency, EXPORTED.accuracy, EXPORTED.impact, EXPORTED.process_start)]


def test_a_name_in_prometheus_is_spelled_in_the_catalogue_and_the_specification_s_five_queries_alone():
    """Also within other words, as in a pattern or an advice."""
    paths = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
    assert {name for name, path in paths.items() if any(each in text for each in NAMES for text in literals(path))} == {"model/metrics.py", "sources/queries.py"}
    spelled = {text for text in literals(paths["sources/queries.py"]) if any(each in text for each in NAMES)}
    assert all(any(text in query.promql for query in AB_QUERIES.values()) for text in spelled)


def test_the_five_queries_ask_of_what_the_catalogue_names():
    assert {name: query.promql for name, query in AB_QUERIES.items()} == {
        "request_rate": "sum by (model_name) (rate(ab_test_requests_total{$experiment}[$rate]))",
        "response_time": "1000 * histogram_quantile(0.95, sum by (le, model_name) (rate(ab_test_response_time_seconds_bucket{$experiment}[$rate])))",
        "accuracy": "avg by (model_name) (ab_test_model_accuracy{$experiment} > -Inf < +Inf)",
        "error_rate": "clamp_max(100 * (sum by (model_name) (rate($errors[$rate])) or sum by (model_name) (rate(ab_test_requests_total{$experiment}[$rate])) * 0)"
        " / sum by (model_name) (rate(ab_test_requests_total{$experiment}[$rate])), 100)",
        "business_impact": "avg by (model_name, metric_type) (ab_test_business_impact{$experiment} > -Inf < +Inf)",
    }
    assert all(query.metric in query.promql for query in AB_QUERIES.values())


def test_all_names_of_an_exporter_have_the_prefix_by_which_they_are_found():
    names = (EXPORTED.requests, EXPORTED.errors, EXPORTED.latency, EXPORTED.accuracy, EXPORTED.impact)
    assert all(name.startswith(EXPORTED.prefix) for name in names)
    questions = ("requests", "request_rate", "errors", "response_time", "business_impact")
    assert all(any(name in OWN_NAMES.asked(question) for name in names) for question in questions)


@pytest.mark.parametrize("name", ["requests", "errors", "error_rate", "online_accuracy", "p95_latency_ms", "enhanced_accuracy", "accuracy_difference", "rate_latest"])
def test_a_name_that_the_summary_has_for_something_else_is_refused(name, monkeypatch):
    monkeypatch.setitem(METRICS, name, Metric(name, "Another thing"))
    with pytest.raises(ValueError, match=f"cannot be called '{name}'"):
        all_settings()


def test_the_names_that_are_taken_are_those_of_the_summary():
    facts = {field.name for field in fields(VariantFacts)} - {"variant", "quality"}
    headline = {name for name, _ in analysed().headline}
    assert facts | headline == TAKEN


@pytest.mark.parametrize("name", ["success", "accuracy_success"])
def test_a_metric_whose_setting_is_another_one_is_refused(name, monkeypatch):
    monkeypatch.setitem(METRICS, name, Metric(name, "Success", keys=("success_rate",)))
    is_other = name == "success"
    with pytest.raises(ValueError, match="AB_SUCCESS_METRIC is a setting of another meaning") if is_other else nullcontext():
        all_settings()


def test_an_entry_under_another_name_is_refused(monkeypatch):
    monkeypatch.setitem(METRICS, "auc", Metric("roc_auc", "Area under the curve"))
    with pytest.raises(ValueError, match="'roc_auc' stands in the catalogue as 'auc'"):
        all_settings()


@pytest.mark.parametrize("wrong", [{"keys": "roc_auc"}, {"keys": ("",)}, {"title": ""}, {"unit": "%"}])
def test_a_slip_in_an_entry_is_told(wrong):
    with pytest.raises(ValueError, match="auc"):
        Metric(**{"name": "auc", "title": "Area", **wrong})
