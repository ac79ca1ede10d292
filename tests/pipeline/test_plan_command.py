"""`live-dashboards plan`: over real servers, and from given numbers."""

import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
from PIL import Image

from live_dashboards.analysis.statistics.proportions import required_n_per_arm
from live_dashboards.outputs.plan_summary import plan_schema
from tests.pipeline.command import at
from tests.support.ports import closed_port
from tests.support.worlds import BASE

NUMBERS = ("--baseline-accuracy", "90", "--baseline-error-rate", "5", "--baseline-too-slow", "2", "--requests-a-day", "31000", "--overdispersion", "1")
NOWHERE = {"PROMETHEUS_URL": "", "MLFLOW_DB_HOST": "", "AB_EXPERIMENT": ""}
SMALL = ("--output", "plan.png", "--dpi", "50")


@pytest.fixture
def plan(run, worlds):
    def read(*options, **values):
        code, out, said = run("plan", "--summary", "-", *SMALL, *at(worlds), *options, **values)
        assert code == 0, said
        found = json.loads(out)
        jsonschema.validate(found, plan_schema(), format_checker=jsonschema.FormatChecker())
        return found

    return read


def by_name(found, key):
    return {each["gate" if key == "gates" else "name"]: each for each in found[key]}


def test_what_the_sources_know_of_the_baseline_is_what_is_planned_with(plan):
    found = by_name(plan(), "inputs")
    true_rate = 100 * BASE.errors[0] / (BASE.errors[0] + BASE.successes[0])
    assert (found["accuracy"]["value"], found["accuracy"]["n"], found["accuracy"]["source"]) == (pytest.approx(78.2), 5000, "mlflow")
    assert (found["error_rate"]["value"], found["error_rate"]["source"]) == (pytest.approx(true_rate, rel=0.01), "prometheus")
    assert found["over_latency_objective"]["value"] == pytest.approx(2.0, rel=0.02)
    assert found["requests_a_day"]["value"] == pytest.approx(2 * (sum(BASE.successes) + sum(BASE.errors)) * 86_400, rel=0.05)  # blocks are of an hour
    assert {each["origin"] for name, each in found.items() if name != "effect"} == {"measured"}
    assert all(each["query"] and each["observed_at"] for name, each in found.items() if name not in {"effect", "accuracy"})


def test_a_value_is_no_accuracy_to_plan_with(run, worlds):
    code, out, said = run("plan", *SMALL, *at(worlds), AB_ACCURACY_KIND="value")
    assert (code, out) == (2, "")
    assert "accuracy is a value and no share of rows; AB_SUCCESS_METRIC=error_rate plans without it" in said
    assert "--baseline-accuracy" in said


def test_of_given_numbers_nothing_is_asked(plan):
    silent = {"PROMETHEUS_URL": f"http://127.0.0.1:{closed_port()}", "MLFLOW_DB_PORT": str(closed_port())}
    found = plan(*NUMBERS, **silent)
    assert {each["origin"] for each in found["inputs"]} == {"given", "setting"}
    assert found["planned_requests"] == 714_000


def test_the_known_numbers_of_a_plan(plan):
    gates = by_name(plan(*NUMBERS, **NOWHERE), "gates")
    accuracy, errors = gates["success"], gates["error_rate"]
    assert (accuracy["unit"], accuracy["fixed"]["needed"]) == ("test_rows_an_arm", pytest.approx(13_495, abs=1))
    assert accuracy["sequential"]["needed"] == pytest.approx(required_n_per_arm(0.9, 0.91, alpha=0.025))
    assert errors["sequential"]["days"] == [pytest.approx(713_916 / 31_000, rel=1e-3)] * 2
    assert errors["fixed"]["needed"] == pytest.approx(372_822, rel=1e-4)


def test_the_plan_is_that_of_the_settings_margin_and_of_the_options_effect(plan):
    wide = by_name(plan(*NUMBERS, "--effect", "2", AB_ERROR_MARGIN_POINTS="0.4", **NOWHERE), "gates")
    assert wide["error_rate"]["fixed"]["needed"] == pytest.approx(372_822 / 4, rel=1e-3)
    assert wide["success"]["fixed"]["needed"] == pytest.approx(required_n_per_arm(0.9, 0.92))


def test_a_ramp_takes_longer_than_its_last_split(plan, worlds):
    soon = f"{worlds.at + timedelta(days=5):%Y-%m-%dT%H:%MZ}"
    held = plan(*NUMBERS, "--split", "baseline=50,enhanced=50", **NOWHERE)
    ramp = plan(*NUMBERS, "--split", f"baseline=95,enhanced=5;{soon} baseline=50,enhanced=50", **NOWHERE)
    assert held["days"][0] + 3 < ramp["days"][0] < held["days"][0] + 5
    assert ramp["splits"][1].startswith("from day 5")


def test_more_challengers_share_the_level_and_the_requests(plan):
    two = plan(*NUMBERS, "--split", "baseline=50,enhanced=25,third=25", **NOWHERE)
    assert by_name(two, "gates")["success"]["fixed"]["needed"] == pytest.approx(required_n_per_arm(0.9, 0.91, alpha=0.025))
    assert two["planned_requests"] > 1_000_000


def test_words_and_the_path_are_printed_and_the_picture_says_all_of_it(run):
    code, out, _ = run("plan", *SMALL, *NUMBERS, **NOWHERE)
    *words, path = out.splitlines()
    assert (code, path, Path(path).with_suffix(".json").is_file()) == (0, "plan.png", True)
    assert words[-2].startswith("Set AB_PLANNED_REQUESTS=714000 before the test starts: 24 days (4 weeks)")
    with Image.open(path) as picture:
        assert picture.info["Description"].splitlines() == words


def test_the_same_numbers_make_the_same_picture(run, worlds):
    pictures = []
    for _ in range(2):
        assert run("plan", *SMALL, *NUMBERS, *at(worlds), **NOWHERE)[0] == 0
        pictures.append(Path("plan.png").read_bytes())
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize(
    ("options", "settings", "words"),
    [
        ((), {"PROMETHEUS_URL": "http://127.0.0.1:9"}, "give --baseline-error-rate, --requests-a-day"),
        (("--requests-a-day", "31000"), {"PROMETHEUS_URL": ""}, "give --baseline-error-rate"),
        ((), {"MLFLOW_DB_PORT": "9"}, "give --baseline-accuracy"),
        ((), {"AB_BASELINE_VARIANT": "nobody"}, "what nobody does is not known"),
        ((*NUMBERS, "--effect", "10.5"), {}, "has no room for it; give a smaller --effect"),
        ((*NUMBERS, "--split", "a=50,b=50"), {}, "another variant; give --split baseline=50,challenger=50"),
        (("--baseline-error-rate", "0"), {}, "'0' is not a rate in percent, above 0 and below 100"),
        (("--baseline-accuracy", "101"), {}, "'101' is not a rate in percent"),
        (("--effect", "0"), {}, "'0' is not an effect in points above 0"),
        (("--requests-a-day", "many"), {}, "'many' is not a number of requests a day"),
        (("--power", "100"), {}, "'100' is not a power in percent"),
        (("--overdispersion", "0.5"), {}, "'0.5' is not a number from 1"),
        (("--split", "half"), {}, "'half' must be variant=share"),
        (("--summary", "plan.png"), {}, "are both plan.png"),
    ],
)
def test_what_cannot_be_planned_is_a_sentence_and_exit_2(run, worlds, options, settings, words):
    code, out, said = run("plan", *SMALL, *at(worlds), *options, **settings)
    assert (code, out) == (2, "")
    assert words in said
    assert not Path("plan.png").exists()


def test_without_a_share_of_slow_requests_that_guardrail_is_not_planned_and_says_so(plan):
    gate = by_name(plan("--baseline-accuracy", "90", "--baseline-error-rate", "5", "--requests-a-day", "31000", **NOWHERE), "gates")["latency"]
    assert (gate["sequential"]["needed"], gate["baseline"]) == (None, None)
    assert "give --baseline-too-slow" in gate["reason"]
