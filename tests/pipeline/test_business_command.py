"""The business dashboard and both together, as commands on real servers."""

import json
import re

import jsonschema
import pytest
from PIL import Image

from live_dashboards.outputs.summary import summary_schema
from tests.pipeline.command import at
from tests.support.fault_proxy import FaultProxy
from tests.support.ports import closed_port

SMALL = ("--dpi", "50")
OWN = {
    "BASE_TRADING_VOLUME": "10000000",
    "ACCURACY_REVENUE_MULTIPLIER": "0.005",
    "LATENCY_COST_PER_MS": "0.0000001",
    "ERROR_COST_MULTIPLIER": "0.001",
    "INFRASTRUCTURE_ANNUAL_COST": "53000",
}


def dead(*names):
    ports = {"MLFLOW_DB_PORT": str(closed_port()), "PROMETHEUS_URL": f"http://127.0.0.1:{closed_port()}"}
    return {name: ports[name] for name in names}


def summary_of(folder, out):
    found = json.loads((folder / out.strip()).with_suffix(".json").read_text())
    jsonschema.validate(found, summary_schema("business"))
    return found


def test_a_live_business_picture_and_its_summary(run, worlds, tmp_path):
    code, out, err = run("business", "--require", "live", *at(worlds), AB_LATENCY_OBJECTIVE_MS="500", AB_MINIMUM_DAYS="0", **OWN)
    assert (code, err) == (0, "")
    assert re.fullmatch(r"output/business_impact_dashboard_\d{8}_\d{6}\.png\n", out)
    summary = summary_of(tmp_path, out)
    assert (summary["data_source"], summary["recommendation"]["verdict"]) == ("REAL_PRODUCTION_DATA", "deploy")
    assert summary["annual_revenue_increase"] == pytest.approx(657_000)
    with Image.open(tmp_path / out.strip()) as picture:
        assert picture.size == (4800, 3000)
        assert picture.text["Title"].startswith("Business impact dashboard of base at ")
    assert (tmp_path / out.strip()).stat().st_size < 2_500_000


def test_a_test_of_a_day_is_kept_running_however_much_it_brings(run, worlds, tmp_path):
    _, out, _ = run("business", *SMALL, *at(worlds), AB_LATENCY_OBJECTIVE_MS="500", **OWN)
    summary = summary_of(tmp_path, out)
    assert summary["recommendation"]["verdict"] == "keep testing"
    assert any("of AB_MINIMUM_DAYS=7" in reason for reason in summary["recommendation"]["reasons"])


def test_a_challenger_that_is_slow_more_often_is_not_deployed_however_much_it_brings(run, worlds, tmp_path):
    _, out, _ = run("business", *SMALL, *at(worlds), **OWN)
    summary = summary_of(tmp_path, out)
    assert summary["net_annual_value_interval"][0] > 0
    assert summary["recommendation"]["verdict"] == "do not deploy"
    assert any("too slow requests is worse" in reason for reason in summary["recommendation"]["reasons"])


def test_the_same_data_and_moment_give_the_same_bytes_also_with_ranges(run, worlds, tmp_path):
    for name in ("one.png", "two.png"):
        run("business", "--output", name, *SMALL, *at(worlds), ERROR_COST_MULTIPLIER="20..80")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_without_prometheus_there_is_revenue_only(run, worlds, tmp_path):
    code, out, _ = run("business", *SMALL, *at(worlds), **dead("PROMETHEUS_URL"))
    summary = summary_of(tmp_path, out)
    assert (code, summary["badge"], summary["recommendation"]["verdict"]) == (0, "MODEL DATA", "withheld: partial data")
    assert summary["partial_total"] == {"value": pytest.approx(657_000), "terms": ["annual_revenue_increase"]}
    assert (summary["net_annual_value"], summary["roi_percentage"], summary["payback_days"]) == (None, None, None)


def test_without_mlflow_accuracy_is_the_online_gauge(run, worlds, tmp_path):
    code, out, _ = run("business", *SMALL, *at(worlds), **dead("MLFLOW_DB_PORT"))
    summary = summary_of(tmp_path, out)
    assert (code, summary["badge"]) == (0, "OPERATIONAL DATA")
    assert summary["annual_revenue_increase"] == pytest.approx(365 * 10_000_000 * 0.03 * 0.005)
    assert summary["annual_revenue_increase_interval"] is None


def test_without_either_it_is_simulated_in_name_and_withheld(run, worlds, tmp_path):
    code, out, _ = run("business", *SMALL, "--require", "partial", *at(worlds), **dead("MLFLOW_DB_PORT", "PROMETHEUS_URL"))
    summary = summary_of(tmp_path, out)
    assert (code, summary["badge"], summary["recommendation"]["verdict"]) == (3, "SIMULATED DATA", "withheld: simulated data")
    assert out.endswith("-SIMULATED.png\n")


def test_a_slip_of_the_pen_is_warned_about(run, worlds):
    code, _, err = run("business", *SMALL, *at(worlds), ACCURACY_REVENUE_MULTIPLIER="0.5")
    assert code == 0
    assert "is ACCURACY_REVENUE_MULTIPLIER=0.5 meant per percentage point?" in err


@pytest.mark.parametrize(
    ("name", "value"), [("LATENCY_COST_PER_MS", "0.2..0.1"), ("ERROR_COST_MULTIPLIER", "-1"), ("BASE_TRADING_VOLUME", "plenty"), ("INFRASTRUCTURE_ANNUAL_COST", "nan")]
)
def test_a_parameter_that_cannot_be_used_is_named_before_anything_is_asked(run, tmp_path, name, value):
    code, out, err = run("business", **{name: value}, **dead("MLFLOW_DB_PORT"))
    assert (code, out) == (2, "")
    assert name in err
    assert value in err
    assert "refuses" not in err
    assert list(tmp_path.glob("**/*.png")) == []


def test_explain_finds_the_net_value_and_its_inputs(run, worlds):
    run("business", *SMALL, *at(worlds))
    code, out, _ = run("explain", "net_annual_value")
    assert code == 0
    assert "annual_revenue_increase" in out
    assert "latest_metrics" in out


def test_both_dashboards_come_from_one_fetch(run, worlds, tmp_path):
    with FaultProxy("127.0.0.1", int(worlds.environment["MLFLOW_DB_PORT"])) as proxy:
        code, out, err = run("all", *SMALL, *at(worlds), MLFLOW_DB_PORT=str(proxy.port))
        connections = proxy.connections
    images = [tmp_path / line for line in out.splitlines()]
    assert (code, err, len(images), connections) == (0, "", 2, 1)
    ab, business = (json.loads(image.with_suffix(".json").read_text()) for image in images)
    assert (ab["dashboard"], business["dashboard"]) == ("ab", "business")
    assert ab["generated_at"] == business["generated_at"]
    assert ab["answer"] == business["answer"]
    assert (ab["answer"]["verdict"], ab["answer"]["do_now"]) == (ab["verdict"]["verdict"], "Statistics: roll back. Money: do not deploy.")


def test_every_experiment_gets_both_in_files_of_its_own(run, worlds, tmp_path):
    code, out, _ = run("all", "--all-experiments", "--output", "pictures", *SMALL, *at(worlds))
    images = [tmp_path / line for line in out.splitlines()]
    assert (code, len(set(images))) == (0, 2 * len(worlds.truths))
    experiments = [json.loads(image.with_suffix(".json").read_text())["experiment"] for image in images]
    assert sorted(experiments) == sorted([*worlds.truths] * 2)


def test_every_experiment_costs_one_connection_to_mlflow(run, worlds):
    with FaultProxy("127.0.0.1", int(worlds.environment["MLFLOW_DB_PORT"])) as proxy:
        code, out, _ = run("all", "--all-experiments", *SMALL, *at(worlds), MLFLOW_DB_PORT=str(proxy.port))
        assert (code, len(out.splitlines()), proxy.connections) == (0, 2 * len(worlds.truths), 1)


def test_every_experiment_without_mlflow_is_one_page_of_what_is_there(run, worlds, tmp_path):
    code, out, _ = run("all", "--all-experiments", *SMALL, *at(worlds), **dead("MLFLOW_DB_PORT"))
    images = [tmp_path / line for line in out.splitlines()]
    assert (code, [json.loads(image.with_suffix(".json").read_text())["badge"] for image in images]) == (0, ["OPERATIONAL DATA"] * 2)


def test_every_experiment_of_a_stored_moment_is_refused(run):
    code, out, err = run("all", "--all-experiments", "--simulate")
    assert (code, out) == (2, "")
    assert "--simulate" in err


def test_an_image_name_gives_the_other_one_its_name(run, worlds):
    code, out, _ = run("all", "--output", "page.svg", *at(worlds))
    assert (code, out) == (0, "page.svg\npage-business.svg\n")
