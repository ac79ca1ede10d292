"""The command on real servers: what it writes, what it prints, and its exit codes."""

import json
import re

import jsonschema
import pytest
from PIL import Image

from live_dashboards.outputs.summary import summary_schema
from tests.pipeline.command import at
from tests.support.ports import closed_port

SECRET = "p@ss:w/o%rd #1'x"


def test_a_live_picture_prints_its_path_alone_and_its_summary_fits_the_schema(run, worlds, tmp_path):
    code, out, err = run("ab", "--require", "live", *at(worlds))
    image = tmp_path / out.strip()
    assert (code, err) == (0, "")
    assert re.fullmatch(r"output/live_ab_dashboard_\d{8}_\d{6}\.png\n", out)
    summary = json.loads(image.with_suffix(".json").read_text())
    jsonschema.validate(summary, summary_schema())
    assert summary["data_source"] == "REAL_PRODUCTION_DATA"
    assert (summary["baseline_accuracy"], summary["enhanced_accuracy"]) == (pytest.approx(78.2), pytest.approx(81.8))
    assert summary["active_experiments"] == len(worlds.truths)
    with Image.open(image) as picture:
        assert picture.size == (4800, 3000)


def test_the_same_data_and_moment_give_the_same_bytes(run, worlds, tmp_path):
    for name in ("one.png", "two.png"):
        run("ab", "--output", name, *at(worlds))
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_a_stored_moment_draws_the_same_picture_without_any_source(run, worlds, tmp_path):
    run("ab", "--output", "one.png", "--save-snapshot", "moment.json", *at(worlds))
    dead = {"PROMETHEUS_URL": f"http://127.0.0.1:{closed_port()}", "MLFLOW_DB_PORT": str(closed_port())}
    assert run("ab", "--output", "two.png", "--from-snapshot", "moment.json", **dead)[0] == 0
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_the_summary_can_go_to_stdout(run, worlds):
    code, out, _ = run("ab", "--output", "one.png", "--summary", "-", *at(worlds))
    assert code == 0
    assert json.loads(out)["badge"] == "LIVE DATA"


@pytest.mark.parametrize(("dead", "require", "code"), [("MLFLOW_DB_PORT", "partial", 0), ("MLFLOW_DB_PORT", "live", 3), ("PROMETHEUS_URL", "live", 3)])
def test_less_than_required_is_written_and_exits_with_3(run, worlds, tmp_path, *, dead, require, code):
    port = closed_port()
    changes = {dead: f"http://127.0.0.1:{port}" if dead == "PROMETHEUS_URL" else str(port)}
    found, out, err = run("ab", "--require", require, "--output", "one.png", *at(worlds), **changes)
    assert (found, out) == (code, "one.png\n")
    assert "refuses the connection" in err
    assert (tmp_path / "one.png").exists()


def test_nothing_configured_is_simulated_in_name_and_says_what_to_set(run, tmp_path):
    nothing = dict.fromkeys(("MLFLOW_DB_HOST", "MLFLOW_DB_PORT", "MLFLOW_DB_NAME", "MLFLOW_DB_USER", "MLFLOW_DB_PASSWORD", "PROMETHEUS_URL", "AB_EXPERIMENT"), "")
    code, out, err = run("ab", **nothing)
    assert (code, err.count("\n")) == (0, 1)
    assert "set MLFLOW_DB_HOST and PROMETHEUS_URL" in err
    assert out.endswith("-SIMULATED.png\n")
    assert (tmp_path / out.strip()).exists()
    assert run("check", **nothing)[0] == 2


def test_an_unknown_experiment_exits_with_2_and_writes_nothing(run, worlds, tmp_path):
    code, out, err = run("ab", "--experiment", "other acuracy", *at(worlds))
    assert (code, out) == (2, "")
    assert "'other accuracy'" in err
    assert list(tmp_path.glob("**/*.png")) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--window", "24x"), "AB_WINDOW"),
        (("--at", "yesterday"), "RFC 3339"),
        (("--at", "0001-01-01T00:00:00Z"), "1970 to 2999"),
        (("--at", "9999-12-31T23:59:59Z"), "1970 to 2999"),
        (("--output", "x.gif"), ".png"),
        (("--output", "folder"), ".png"),
        (("--size", "1x1"), "8x5"),
        (("--size", "100x100", "--dpi", "1200"), "pixels"),
        (("--dpi", "5"), "50 to 1200"),
        (("--from-snapshot", "none.json"), "none.json"),
        (("--env-file", "none.env"), "none.env"),
    ],
)
def test_bad_usage_is_one_sentence_exits_with_2_and_leaves_nothing(run, tmp_path, arguments, words):
    code, out, err = run("ab", *arguments)
    assert (code, out) == (2, "")
    assert [path.name for path in tmp_path.iterdir() if path.name not in {".env.live-dashboards", "output"}] == []
    assert words in err
    assert "Traceback" not in err


def test_a_folder_that_takes_no_files_exits_with_1(run, worlds):
    code, out, err = run("ab", "--output", "/proc/picture.png", *at(worlds))
    assert (code, out) == (1, "")
    assert "--output" in err


def test_the_connection_test_is_all_right_on_good_servers(run):
    code, out, _ = run("check", "--json")
    states = {check["name"]: check["ok"] for check in json.loads(out)["checks"]}
    assert (states["variants in both sources"], states["start of the test"]) == ("ok", "ok")
    assert code == 0, states


def test_the_connection_test_warns_of_a_start_that_prometheus_may_have_forgotten(run):
    code, out, _ = run("check", AB_START="2001-01-01T00:00:00Z")
    (line,) = [line for line in out.splitlines() if "start of the test" in line]
    assert (code, line.split()[0]) == (0, "WARNING")
    assert "keep samples longer than the test" in line


def test_the_connection_test_fails_where_no_name_matches(run):
    code, out, _ = run("check", AB_VARIANT_ALIASES="baseline-predictor=x,enhanced-predictor=y")
    assert code == 1
    assert "AB_VARIANT_ALIASES" in next(line for line in out.splitlines() if line.startswith("FAILED"))


def test_the_connection_test_tells_every_check_of_an_unknown_experiment(run):
    code, out, _ = run("check", "--json", AB_EXPERIMENT="nowhere")
    failed = [check["name"] for check in json.loads(out)["checks"] if check["ok"] == "failed"]
    assert code == 1
    assert "variants in both sources" in failed


def test_explain_tells_where_a_number_of_the_last_summary_comes_from(run, worlds):
    run("ab", *at(worlds))
    code, out, _ = run("explain", "requests.baseline")
    assert code == 0
    assert 'last_over_time(ab_test_requests_total{experiment="base"}[5m])' in out
    assert run("explain", "requets")[0] == 2


@pytest.mark.parametrize("fault", [{}, {"MLFLOW_DB_PASSWORD": "wr@ng:se/cr%et"}, {"MLFLOW_DB_NAME": "nowhere"}, {"MLFLOW_DB_PORT": "1"}])
def test_no_secret_shows_in_anything_that_comes_out(run, worlds, tmp_path, fault):
    code, out, err = run("ab", "-v", "--sidecars", "--save-snapshot", "moment.json", *at(worlds), **fault)
    checked = run("check", "-v", **fault)
    assert code == 0
    secret = fault.get("MLFLOW_DB_PASSWORD", SECRET)
    files = [path.read_bytes() for path in tmp_path.glob("**/*") if path.is_file() and not path.name.startswith(".env")]
    assert len(files) >= 5
    shown = "\n".join((out, err, *map(str, checked))).encode() + b"".join(files)
    assert secret.encode() not in shown
    assert all(piece.encode() not in shown for piece in re.split(r"[@:/%# ']", secret) if len(piece) >= 4)
