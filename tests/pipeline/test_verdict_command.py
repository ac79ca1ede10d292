"""`live-dashboards verdict`: one line or JSON, and an exit code for a step of a pipeline; no drawing library is loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from live_dashboards.app.cli import main
from live_dashboards.model.judgement import PlainAnswer, Verdict
from live_dashboards.outputs.snapshot_files import save_snapshot
from live_dashboards.outputs.summary import verdict_schema
from live_dashboards.web.routes import _PASSES
from tests.support.reports import report
from tests.support.snapshots import accumulated, live, with_values, without_mlflow, without_prometheus

ROOT = Path(__file__).resolve().parents[2]


def equal():
    found = {each.variant: each.value for each in live().mlflow.values if each.metric == "accuracy"}
    return with_values(live(), "enhanced", "accuracy", value=found["baseline"])


CASES = {
    "SHIP": (live, {}, 0),
    "KEEP RUNNING": (equal, {}, 10),
    "NO MEANINGFUL DIFFERENCE": (equal, {"AB_PLANNED_REQUESTS": "1000", "AB_MINIMUM_EFFECT_POINTS": "5"}, 11),
    "NO VERDICT": (lambda: without_prometheus(live()), {}, 12),
    "ROLL BACK": (lambda: accumulated(live(), errors=40.0), {}, 20),
}


@pytest.fixture
def verdict(tmp_path, monkeypatch, capsys):
    """`verdict(snapshot, "--json", AB_X="...")`: exit code and what was printed."""
    monkeypatch.chdir(tmp_path)

    def call(snapshot, *options, **own):
        for name, value in own.items():
            monkeypatch.setenv(name, value)
        path = tmp_path / "snapshot.json"
        save_snapshot(snapshot, path)
        code = main(["verdict", "--from-snapshot", str(path), *options])
        return code, capsys.readouterr().out

    return call


@pytest.mark.parametrize("word", CASES)
def test_each_verdict_has_its_code_where_that_is_asked_for(verdict, word):
    snapshot, own, code = CASES[word]
    found, text = verdict(snapshot(), "--exit-code", **own)
    assert (found, text.partition(":")[0], text.count("\n")) == (code, word, 1)
    assert verdict(snapshot(), **own)[0] == 0


def test_the_line_is_the_answer_with_test_and_badge(verdict):
    code, text = verdict(live())
    answer = "enhanced gives 3.2 points more accuracy (2.1 to 4.4); errors and slow requests hold. Statistics: ship. Money: set your five amounts, then decide."
    assert (code, text) == (0, f"SHIP: {answer} (fraud, LIVE DATA)\n")


def test_the_json_follows_its_schema_and_holds_answer_verdicts_and_gates(verdict):
    code, text = verdict(live(), "--json", "--exit-code")
    found = json.loads(text)
    jsonschema.validate(found, verdict_schema())
    assert (code, found["answer"]["verdict"], found["verdicts"]["enhanced"]["verdict"]) == (0, "SHIP", "SHIP")
    assert {each["name"] for each in found["guardrails"]} == {"error_rate", "latency"}
    assert "measurements" not in found


def test_what_is_less_than_required_has_code_3_whatever_the_verdict(verdict):
    assert verdict(without_mlflow(live()), "--require", "live", "--exit-code")[0] == 3
    assert verdict(live(), "--require", "live", "--exit-code")[0] == 0


def test_nothing_is_simulated_and_nothing_written(verdict, tmp_path):
    code, text = verdict(without_mlflow(without_prometheus(live())), "--json", "--exit-code")
    found = json.loads(text)
    assert (code, found["data_source"], found["experiment"]) == (12, "SIMULATED_DATA", None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["snapshot.json"]


def test_where_no_source_answers_the_line_says_why(verdict):
    code, text = verdict(without_mlflow(without_prometheus(live())), "--exit-code")
    assert (code, text.count("no verdict:")) == (12, 0)
    assert text.startswith("NO VERDICT: neither source gave A/B data")


@pytest.mark.parametrize(("word", "code"), [("SHIP", 0), ("KEEP RUNNING", 20)])
def test_one_challenger_that_is_harmed_is_told_whatever_becomes_of_the_others(verdict, monkeypatch, word, code):
    verdicts = tuple((name, Verdict(each, "rule", ("why",), ())) for name, each in (("b", word), ("c", "ROLL BACK")))
    made = replace(report(tuple("abc")), verdicts=verdicts, answer=PlainAnswer(word, "one of them", "Statistics: look."))
    monkeypatch.setattr("live_dashboards.app.pipeline.ab_report", lambda *_: made)
    assert verdict(live(), "--exit-code")[0] == code
    assert {name: holds(made) for name, holds in _PASSES.items()} == {"ship": word == "SHIP", "not-rollback": False, "rollback": True}


def test_no_drawing_library_is_loaded(tmp_path):
    save_snapshot(accumulated(live()), tmp_path / "snapshot.json")
    program = (
        "import sys; from live_dashboards.app.cli import main; main(['verdict', '--json', '--from-snapshot', 'snapshot.json']); "
        "print([name for name in ('matplotlib', 'seaborn', 'pandas', 'PIL') if name in sys.modules], file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    assert ended.stderr.strip().splitlines()[-1] == "[]"
