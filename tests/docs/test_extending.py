"""The programs of docs/extending.md, and the cells of docs/notebook.md as one, run as they stand there over real sources; what they print and draw is compared with
what the sources hold.
"""

import csv
import json
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import MLFLOW_PASSWORD, MLFLOW_ROLE, filled_prometheus
from tests.support.mlflow_database import MlflowDatabase, drop_database
from tests.support.waiting import LONGEST_SECONDS
from tests.web.two_tests import ACCURACY, fill_mlflow, fill_prometheus

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv/bin/python"
TEXT = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
PROGRAMS = dict(re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
CELLS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs/notebook.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
IN_A_NOTEBOOK = "In a notebook"  # which tests/test_notebook.py looks at cell by cell, with the tests' packages
ALL = {**PROGRAMS, IN_A_NOTEBOOK: "\n".join((*CELLS, "print(ab)"))}
QUEUE = {"baseline-predictor": (3.0, 5.0), "enhanced-predictor": (8.0, 10.0)}  # of two instances

CALIBRATION = {"baseline": 0.042, "enhanced": 0.036}
_LOG = """
insert into latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
select %s, %s, r.end_time, 0, false, r.run_uuid from runs r join params p on p.run_uuid = r.run_uuid where p.key = 'model_variant' and p.value = %s"""


@pytest.fixture(scope="module")
def environment(postgres, mlflow_3_template, end_moment, tmp_path_factory):
    """Settings of two sources, of which Prometheus holds a metric that the product does not know."""
    postgres.create_database("extended", mlflow_3_template, owner=MLFLOW_ROLE)
    database = MlflowDatabase(postgres, "extended", MLFLOW_ROLE, MLFLOW_PASSWORD, 3)
    fill_mlflow(database.truth)
    for variant, error in CALIBRATION.items():
        database.execute(_LOG, ("calibration_error", error, variant))
    truth = fill_prometheus(end_moment + 3600)  # goes on, so that a long suite finds fresh samples
    for model, lengths in QUEUE.items():
        for instance, length in zip("ab", lengths, strict=True):
            truth.gauge("ab_test_queue_length", {"model_name": model, "experiment": "checkout", "instance": f"{instance}:1", "job": "ab"}, length)
    with filled_prometheus(truth, tmp_path_factory.mktemp("extended")) as prometheus:
        yield {**database.environment, **prometheus.environment, "AB_WINDOW": "1h", "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}"}
    drop_database(postgres, "extended")


@pytest.fixture
def run(environment, tmp_path):
    """`run("A metric of Prometheus")`: what that section's program prints."""

    def call(heading, **settings):
        program = tmp_path / "program.py"
        program.write_text(ALL[heading], encoding="utf-8")
        own = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environment, **settings}
        done = subprocess.run([PYTHON, program], cwd=tmp_path, env=own, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def test_a_metric(run):
    *lines, query = run("A metric of Prometheus").splitlines()
    assert dict(line.split(" ") for line in lines) == {model: str(sum(lengths) / 2) for model, lengths in QUEUE.items()}
    assert 'ab_test_queue_length{experiment="checkout"}' in query


def test_a_metric_of_mlflow(run):
    found = json.loads(run("A metric of MLflow"))
    logged = {name: facts["calibration_error"] for name, facts in found["variants"].items()}
    assert logged == {**CALIBRATION, "third": None}
    row = next(row for row in found["comparisons"] if row["metric"] == "calibration_error")
    assert (row["treatment"], row["estimate"], row["unit"]) == ("enhanced", pytest.approx(-0.006), "fraction")
    assert row["reason"] == "no interval: Calibration error is not a proportion of rows"
    (measured,) = (row for row in found["measurements"] if (row["name"], row["variant"]) == ("calibration_error", "enhanced"))
    assert (measured["value"], measured["origin"], measured["source"]) == (0.036, "live", "mlflow")


def test_a_formula(run):
    printed = dict(line.split(" ", 1) for line in run("A formula of the business case").splitlines())
    values = {name: float(words.split(" ", 1)[0]) for name, words in printed.items()}
    improvement = ACCURACY["checkout"][1] - ACCURACY["checkout"][0]
    assert values["annual_support_savings"] == pytest.approx(365 * 400 * 9 * improvement)
    others = values["annual_revenue_increase"] - values["annual_cost_increase"] + values["annual_risk_reduction"]
    assert values["net_annual_value"] == pytest.approx(others + values["annual_support_savings"])
    assert "Interval(low=" in printed["annual_support_savings"]


def test_a_panel(run, tmp_path):
    run("A panel")
    with Image.open(tmp_path / "with-answered.png") as picture:
        assert picture.size == (1600, 1250)
        bottom_row = np.asarray(picture.convert("L"))[1000:1200, 60:1500]
    assert (bottom_row < 200).mean() > 0.002
    with (tmp_path / "with-answered.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    answered = {row["variant"]: float(row["value"]) for row in rows if row["panel"] == "answered" and row["origin"] == "live"}
    failed = {row["variant"]: float(row["value"]) for row in rows if (row["panel"], row["x"]) == ("errors", row["variant"])}
    assert answered == {name: pytest.approx(100 - percent) for name, percent in failed.items()}
    assert {"baseline", "enhanced"} <= set(answered)
    assert ". Answered." in (tmp_path / "with-answered.md").read_text()


def test_a_source(run, tmp_path):
    rows = ["baseline,0.5,100,2026-01-01T00:00:00+00:00", "baseline,0.61,1000,2026-01-02T00:00:00+00:00", "enhanced,0.72,1000,2026-01-02T00:00:00+00:00"]
    (tmp_path / "results.csv").write_text("\n".join(["variant,accuracy,test_size,finished", *rows]))
    found = json.loads(run("A source"))
    assert (found["badge"], found["baseline_accuracy"], found["enhanced_accuracy"]) == ("LIVE DATA", 61.0, 72.0)
    accuracy = next(row for row in found["measurements"] if row["name"] == "enhanced_accuracy")
    assert (accuracy["n"], accuracy["query"], found["sources"]["mlflow"]["address"]) == (1000, "the newest row of each variant in results.csv", "results.csv")
    assert found["total_requests"] > 0
    with Image.open(tmp_path / "from-file.png") as picture:
        assert picture.size == (1600, 1000)


def test_the_cells_of_a_notebook_run_with_the_product_s_packages(run, tmp_path):
    lines = run(IN_A_NOTEBOOK).splitlines()
    assert lines[0].startswith("LIVE DATA: real production data")
    assert [line.split()[0] for line in lines[-5:-1]] == ["variant", "baseline", "enhanced", "third"]
    assert (tmp_path / "ab-test.pdf").read_bytes().startswith(b"%PDF")


UNREADABLE = {
    "no file": (None, "results.csv cannot be read: "),
    "no row": ("variant,accuracy,test_size,finished", "results.csv holds no result up to "),
    "no zone": ("variant,accuracy,test_size,finished\nbaseline,0.5,100,2026-01-01T00:00:00", "results.csv cannot be read: can't compare offset-naive"),
}


@pytest.mark.parametrize("fault", UNREADABLE)
def test_a_source_that_cannot_be_read_is_told(run, tmp_path, fault):
    text, words = UNREADABLE[fault]
    if text is not None:
        (tmp_path / "results.csv").write_text(text)
    found = json.loads(run("A source"))
    assert found["badge"] == "OPERATIONAL DATA"
    assert found["sources"]["mlflow"]["reason"].startswith(words)


def test_every_section_with_a_program_is_run_here():
    tested = {name for name in PROGRAMS if f'"{name}"' in Path(__file__).read_text(encoding="utf-8")}
    assert tested == set(PROGRAMS)
    assert len(PROGRAMS) == 5
