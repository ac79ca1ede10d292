"""One entry in the catalogue of metrics, and a fifth metric is everywhere: less is better, and it is no proportion of rows."""

from __future__ import annotations

import csv
import io
import json
import runpy
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from PIL import Image

from live_dashboards import _create_dashboard_panels
from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.app.options import parser
from live_dashboards.demo.mlflow_rows import fill_tables
from live_dashboards.demo.world import EXPERIMENT
from live_dashboards.errors import SettingsError
from live_dashboards.model.metrics import METRICS, Metric
from live_dashboards.outputs.changes import changed_numbers
from live_dashboards.outputs.explain import explain
from live_dashboards.outputs.image import write_image
from live_dashboards.outputs.sidecars import csv_text
from live_dashboards.outputs.summary import summary, summary_schema, summary_text
from live_dashboards.settings import load_settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.check import mlflow_checks
from live_dashboards.sources.mlflow.ways import mlflow_source
from tests.pipeline.command import page_at
from tests.support import snapshots
from tests.support.waiting import LONGEST_SECONDS
from tests.web.charts.drawn import figure, labels

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "live_dashboards/outputs/schema/summary.schema.json"
NAME = "calibration_error"
LOGGED = {"baseline": 0.042, "enhanced": 0.036}
SHARES = {"accuracy": 0.8, "precision": 0.7, "recall": 0.6, "f1": 0.65}
AT = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(autouse=True)
def entry(monkeypatch):
    """The one entry."""
    added = Metric(NAME, "Calibration error", unit="fraction", is_higher_better=False, simulated=lambda accuracy: 0.2 * (1 - accuracy))
    monkeypatch.setitem(METRICS, NAME, added)
    return added


def log(database, logged=LOGGED, key=NAME):
    """One finished run of each variant in one experiment, an hour ago."""
    made = database.truth.experiment("fraud")
    for variant, value in logged.items():
        metrics = {**SHARES, **({} if value is None else {key: value})}
        database.truth.run(made, variant, started=AT - timedelta(hours=2), ended=AT - timedelta(hours=1), metrics=metrics, params={"test_size": 5000})


def page(database, **own):
    return page_at(AT, database, **own)


@pytest.fixture
def report(mlflow_database):
    log(mlflow_database)
    return page(mlflow_database)


def document(report):
    return json.loads(summary_text(report))


def rows(report, panel):
    return [row for row in csv.DictReader(io.StringIO(csv_text(report))) if row["panel"] == panel]


def test_every_variant_has_it_as_it_was_logged_after_the_others(report):
    found = document(report)["variants"]
    assert {name: facts[NAME] for name, facts in found.items()} == LOGGED
    assert list(found["baseline"])[:7] == ["accuracy", "online_accuracy", "precision", "recall", "f1", NAME, "requests"]
    assert found["baseline"]["f1"] == pytest.approx(65.0)


def test_the_comparison_knows_that_less_is_better_and_why_it_has_no_interval(report):
    (row,) = (row for row in report.comparisons if row.metric == NAME)
    assert (row.is_higher_better, row.unit, row.has_interval) == (False, "fraction", False)
    (found,) = (row for row in document(report)["comparisons"] if row["metric"] == NAME)
    assert (found["treatment"], found["control"], found["unit"]) == ("enhanced", "baseline", "fraction")
    assert found["estimate"] == pytest.approx(LOGGED["enhanced"] - LOGGED["baseline"])
    assert (found["low"], found["high"], found["n_treatment"]) == (None, None, None)
    assert found["reason"] == "no interval: Calibration error is not a proportion of rows"


def test_every_number_of_it_has_its_origin(report):
    found = {(row["name"], row["variant"]): row for row in document(report)["measurements"]}
    for variant, value in LOGGED.items():
        row = found[NAME, variant]
        assert (row["value"], row["unit"], row["origin"], row["source"], row["n"], row["interval"]) == (value, "fraction", "live", "mlflow", None, None)
        assert f"'{NAME}'" in row["query"]
    difference = found[f"{NAME}_difference", "enhanced"]
    assert (difference["unit"], difference["inputs"]) == ("fraction", [f"{NAME}.enhanced", f"{NAME}.baseline"])


def test_the_summary_follows_its_schema_and_the_one_that_was_published_before(report):
    required = summary_schema()["$defs"]["variant"]["required"]
    assert required[4:6] == ["f1", NAME]
    for schema in (summary_schema(), json.loads(PUBLISHED.read_text(encoding="utf-8"))):
        validator = Draft202012Validator(schema, format_checker=FormatChecker())
        assert [error.message for error in validator.iter_errors(document(report))] == []


def test_the_schema_misses_it_where_it_is_not_told(report):
    found = document(report)
    del found["variants"]["enhanced"][NAME]
    assert [error.message for error in Draft202012Validator(summary_schema()).iter_errors(found)] == [f"'{NAME}' is a required property"]


def test_the_table_of_drawn_values_has_both_variants_and_the_difference(report):
    quality = [row for row in rows(report, "quality") if row["x"] == "Calibration error"]
    assert {row["variant"]: float(row["value"]) for row in quality} == LOGGED
    assert {(row["series"], row["unit"], row["n"], row["origin"]) for row in quality} == {("offline", "fraction", "", "live")}
    (effect,) = (row for row in rows(report, "effect") if row["x"] == NAME)
    assert (float(effect["value"]), effect["unit"], effect["low"], effect["high"]) == (pytest.approx(-0.006), "fraction", "", "")


def test_it_stands_apart_from_what_has_an_axis_in_percent_or_points(report):
    assert {row.unit for row in report.quality.rows} == {"percent"}
    assert {row.unit for row in report.effect.rows} == {"points"}
    assert [(row.metric, row.label, row.unit) for row in report.quality.own_scale] == [(NAME, "Calibration error", "fraction")]
    assert [row.metric for row in report.effect.own_scale] == [NAME]
    shown = [one.value for row in report.quality.rows for one in row.offline]
    assert min(shown) == pytest.approx(60.0)


@pytest.mark.parametrize("kind", ["ab", "business"])
def test_it_breaks_no_picture(mlflow_database, tmp_path, kind):
    log(mlflow_database)
    made = page(mlflow_database, kind=kind)
    write_image(_create_dashboard_panels(made, size_inches=(16, 10), dpi=50), tmp_path / "page.png", dpi=50, report=made)
    with Image.open(tmp_path / "page.png") as picture:
        assert picture.size == (800, 500)


def test_the_picture_shows_it_among_the_metrics_and_the_differences_but_on_no_axis(report):
    words = [text.get_text() for text in _create_dashboard_panels(report, dpi=50).texts]
    assert words.count("Calibration error ↓") == 2
    assert words.count("a unit of its own: not on this axis") == 2
    assert {"0.042", "0.036", "−0.006, no n"} <= set(words)


def test_the_web_page_shows_it_too(report):
    quality, effect = (figure(place, report) for place in ("quality", "effect"))
    for drawn in (quality, effect):
        assert "Calibration error ↓" in labels(drawn)
        assert "a unit of its own: not on this axis" in labels(drawn)
    assert {"0.042", "0.036"} <= set(labels(quality))
    assert "−0.006, no n" in labels(effect)
    low, high = quality["layout"]["xaxis"]["range"]
    assert (50 < low < 60, 80 < high < 90) == (True, True)


def test_a_panel_asks_for_it_by_its_name_and_its_words(report):
    assert f"f1, {NAME} in latest_metrics" in report.quality.head.asked
    assert "F1, calibration error in MLflow" in report.effect.head.asked


def test_it_is_explained(report, tmp_path):
    path = tmp_path / "summary.json"
    path.write_text(summary_text(report), encoding="utf-8")
    told = explain(f"{NAME}.enhanced", path)
    assert "value     0.036 fraction\n" in told
    assert "source    mlflow\n" in told
    assert "note      no interval: Calibration error is not a proportion of rows\n" in told


def test_another_key_is_named_by_its_own_setting(mlflow_database):
    log(mlflow_database, key="val/ece")
    assert document(page(mlflow_database))["variants"]["enhanced"][NAME] is None
    found = document(page(mlflow_database, AB_CALIBRATION_ERROR_METRIC="val/ece"))
    assert {name: facts[NAME] for name, facts in found["variants"].items()} == LOGGED


def test_its_setting_is_held_to_what_the_others_are(mlflow_database):
    settings = load_settings(environment={**mlflow_database.environment, "AB_CALIBRATION_ERROR_METRIC": "e\udce9"})
    with pytest.raises(SettingsError, match="AB_CALIBRATION_ERROR_METRIC holds bytes"):
        mlflow_source(settings).read(at=AT, window_seconds=3600.0, deadline=Deadline(LONGEST_SECONDS), on_experiment=lambda _: None)


def test_where_no_run_logs_it_the_reason_is_told(mlflow_database):
    log(mlflow_database, {"baseline": 0.042, "enhanced": None})
    found = document(page(mlflow_database))
    assert found["variants"]["enhanced"][NAME] is None
    (row,) = (row for row in found["measurements"] if (row["name"], row["variant"]) == (NAME, "enhanced"))
    assert (row["unit"], row["reason"]) == ("fraction", "no finished or running run of variant 'enhanced' in 'fraud' has a finite calibration error")
    (difference,) = (row for row in found["comparisons"] if row["metric"] == NAME)
    assert (difference["estimate"], difference["reason"]) == (None, f"enhanced: {row['reason']}")


def test_values_above_and_below_one_are_no_mix_of_fractions_and_percent(mlflow_database):
    log(mlflow_database, {"baseline": 1.4, "enhanced": 0.9})
    made = page(mlflow_database)
    assert {name: facts[NAME] for name, facts in document(made)["variants"].items()} == {"baseline": 1.4, "enhanced": 0.9}
    assert not [notice for notice in made.health.notices if "seem mixed" in notice]


def test_as_many_variants_as_ever_have_all_of_its_values(mlflow_database):
    log(mlflow_database, {f"v{number:03}": 0.05 for number in range(sql.MAX_VARIANTS)})
    found = mlflow_source(load_settings(environment=mlflow_database.environment)).read(
        at=AT, window_seconds=3600.0, deadline=Deadline(LONGEST_SECONDS), on_experiment=lambda _: None
    )
    assert len(found.values) == sql.MAX_VARIANTS * (len(SHARES) + 1)


def metrics_check(database, **own):
    base = {**database.environment, "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}"}
    return next(check for check in mlflow_checks(load_settings(environment={**base, **own}), AT) if check.name == "MLflow metrics")


def test_the_connection_test_finds_it(mlflow_database):
    log(mlflow_database)
    found = metrics_check(mlflow_database)
    assert (found.ok, "calibration_error from 0.036 to 0.042" in found.found) == ("ok", True)


def test_the_connection_test_misses_it_and_names_its_setting(mlflow_database):
    log(mlflow_database, key="ece")
    found = metrics_check(mlflow_database)
    assert (found.ok, found.code) == ("warning", "no_metric")
    assert "no calibration_error (calibration_error); the runs log " in found.found
    assert "'ece'" in found.found
    assert found.fix == "name the keys with AB_ACCURACY_METRIC, AB_PRECISION_METRIC, AB_RECALL_METRIC, AB_F1_METRIC and AB_CALIBRATION_ERROR_METRIC"


def test_what_changed_since_an_earlier_page_is_told(mlflow_database, report):
    before = summary(report)
    mlflow_database.execute("update latest_metrics set value = 0.05 where key = %s and value > 0.04", (NAME,))
    told = [change.words for change in changed_numbers(before, summary(page(mlflow_database)))]
    assert "calibration error of baseline: 0.042 -> 0.05" in told


def test_the_simulation_has_it(entry):
    report = build_ab_report(snapshots.without_prometheus(snapshots.without_mlflow(snapshots.live())), snapshots.stand_in(), snapshots.settings())
    for facts in report.variants:
        found, accuracy = facts.value(NAME), facts.accuracy.value
        assert (found.origin, found.unit) == ("simulated", "fraction")
        assert found.value == pytest.approx(entry.simulated(accuracy / 100), abs=1e-4)


def test_a_simulated_one_never_stands_among_live_numbers(prometheus_only):
    assert {facts[NAME] for facts in document(prometheus_only)["variants"].values()} == {None}


@pytest.fixture
def prometheus_only():
    return build_ab_report(snapshots.without_mlflow(snapshots.live()), snapshots.stand_in(), snapshots.settings())


def test_the_demo_logs_it(mlflow_database, entry):
    now = datetime.now(UTC)
    with closing(mlflow_database.connect()) as connection:
        fill_tables(connection, now)
        with connection.cursor() as cursor:
            cursor.execute("select c.value, a.value from metrics c join metrics a using (run_uuid, step) where c.key = %s and a.key = 'accuracy'", (NAME,))
            logged = cursor.fetchall()
    assert len(logged) > 100
    assert [value for value, _ in logged] == pytest.approx([entry.simulated(accuracy) for _, accuracy in logged])
    found = page_at(now, mlflow_database, AB_EXPERIMENT=EXPERIMENT)
    assert all(0.03 < facts.value(NAME).value < 0.05 for facts in found.variants)


def test_the_docs_and_the_help_list_it(capsys):
    docs = runpy.run_path(str(ROOT / "scripts/_settings_docs.py"))
    assert "# MLflow metric key\n#AB_CALIBRATION_ERROR_METRIC=calibration_error\n" in docs["example"]()
    assert "| `AB_CALIBRATION_ERROR_METRIC` | `calibration_error` | MLflow metric key |\n" in docs["table"]()
    row = "| Calibration error | less | fraction | none, as it is no proportion of rows | `calibration_error` | `AB_CALIBRATION_ERROR_METRIC` |\n"
    assert row in docs["numbers"]((ROOT / "docs/numbers.md").read_text(encoding="utf-8"))
    assert json.loads(docs["schema"]())["$defs"]["variant"]["properties"][NAME] == {"description": "calibration error, fraction", "type": ["number", "null"]}
    with pytest.raises(SystemExit):
        parser().parse_args(["ab", "--help"])
    assert "  AB_CALIBRATION_ERROR_METRIC=calibration_error\n      MLflow metric key" in capsys.readouterr().out


def test_a_share_that_is_added_has_an_interval_and_a_place_on_the_common_axis(mlflow_database, monkeypatch):
    """450 of 500 predicted positives."""
    monkeypatch.setitem(METRICS, "ppv", Metric("ppv", "Predictive value", n=METRICS["precision"].n))
    made = mlflow_database.truth.experiment("fraud")
    for variant in LOGGED:
        metrics = {**SHARES, "ppv": 0.9, "true_positives": 450.0, "false_positives": 50.0}
        mlflow_database.truth.run(made, variant, started=AT - timedelta(hours=2), metrics=metrics, params={"test_size": 5000})
    report = page(mlflow_database)
    assert [row.label for row in report.quality.rows] == ["Accuracy", "Precision", "Recall", "F1", "Predictive value"]
    assert [(facts.value("ppv").value, facts.value("ppv").n) for facts in report.variants] == [(pytest.approx(90.0), 500)] * 2
    (row,) = (row for row in report.comparisons if row.metric == "ppv")
    assert (row.unit, row.has_interval, row.is_higher_better) == ("points", True, True)
