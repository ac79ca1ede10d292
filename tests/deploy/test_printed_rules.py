"""`live-dashboards rules`: what it prints for each preset is valid, and for the tool's own names it is what deploy/prometheus/ holds."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from live_dashboards.app.cli import main
from live_dashboards.demo.programs import promtool_program
from live_dashboards.model.serving import OWN_NAMES
from live_dashboards.settings import load_settings
from live_dashboards.settings.serving import presets
from live_dashboards.sources.prometheus.rules import rule_groups, rules_text

RULES = Path(__file__).parents[2] / "deploy/prometheus"
SHIPPED = ("ab_test.rules.yml", "ab_test_recorded.rules.yml")
OF_PATHS = ("fastapi", "flask", "starlette")
PATTERN = {"AB_MODEL_PATTERN": r"/(?:v\d/)?(\w+)/predict"}


def promtool(*arguments):
    done = subprocess.run([promtool_program(), *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def serving_of(preset, **settings):
    more = PATTERN if preset in OF_PATHS else {}
    return load_settings(environment={"AB_METRICS": preset, **more, **settings}).serving


def recorded(text):
    """The interval and the rules of each group, in their order."""
    groups = yaml.safe_load(text)["groups"]
    return {group["name"]: (group["interval"], [(rule["record"], rule["expr"].rstrip()) for rule in group["rules"]]) for group in groups}


def test_the_shipped_files_are_what_is_printed_of_the_tools_own_names():
    shipped = {name: rules for file in SHIPPED for name, rules in recorded((RULES / file).read_text()).items()}
    assert recorded(rules_text(OWN_NAMES)) == shipped


def test_the_own_names_put_into_themselves_record_the_same():
    """As with AB_MATCHERS, where names are put into others that are the same."""
    plain, matched = (recorded(rules_text(serving_of("ab_test", **settings))) for settings in ({}, {"AB_MATCHERS": 'traffic!="shadow"'}))
    assert json.loads(json.dumps(matched).replace(', traffic!=\\"shadow\\"', "").replace('{traffic!=\\"shadow\\"}', "")) == json.loads(json.dumps(plain))
    assert plain != matched


@pytest.mark.parametrize("preset", presets())
def test_promtool_accepts_what_is_printed_of_each_preset(preset, tmp_path):
    (tmp_path / "rules.yml").write_text(rules_text(serving_of(preset)))
    promtool("check", "rules", "--lint=all", "--lint-fatal", tmp_path / "rules.yml")


@pytest.mark.parametrize(
    "settings",
    [
        {"AB_ERRORS": 'failures_total{kind="timeout"}'},
        {"AB_ERRORS": "none", "AB_LATENCY": "none"},
        {"AB_REQUESTS": "begun_total + more_total - refused_total", "AB_ERRORS": 'begun_total{code="5"} - mended_total{code="5"}'},
        {"AB_LATENCY": "time_us_total", "AB_LATENCY_KIND": "sum", "AB_LATENCY_UNIT": "us", "AB_LATENCY_COUNT": "a_total + b_total"},
        {"AB_MODEL_LABEL": "exported_model_name", "AB_MATCHERS": 'traffic!~"shadow|test", zone="\\"a\\""'},
    ],
    ids=str,
)
def test_promtool_accepts_what_overrides_a_preset(settings, tmp_path):
    (tmp_path / "rules.yml").write_text(rules_text(serving_of("bentoml", **settings)))
    promtool("check", "rules", "--lint=all", "--lint-fatal", tmp_path / "rules.yml")


@pytest.mark.parametrize("preset", [name for name in presets() if name != "ab_test"])
def test_no_rule_reads_the_tools_own_counters(preset):
    text = " ".join(rule.expr for group in rule_groups(serving_of(preset)) for rule in group.rules)
    assert "ab_test_requests_total" not in text
    assert "ab_test_errors" not in text.replace("experiment_model_name:ab_test_errors", "")
    assert "$" not in text.replace("$1", "").replace("${1}", "")


@pytest.mark.parametrize(
    ("preset", "lacks"),
    [
        ("bentoml", ()),
        ("mlserver", ("seconds_bucket", "p95")),
        ("ray", ("seconds_sum", "mean")),
        ("triton", ("seconds_bucket", "p95")),
        ("torchserve", ("errors", "response_time")),
    ],
)
def test_what_a_preset_cannot_tell_is_not_recorded(preset, lacks):
    every, own = ({rule.record for group in rule_groups(serving) for rule in group.rules} for serving in (OWN_NAMES, serving_of(preset)))
    left_out = {name for name in every if any(each in name for each in (*lacks, "requests_failed"))}
    assert own == every - left_out


def test_a_label_value_that_no_yaml_block_can_hold_is_written_out(tmp_path):
    serving = serving_of("bentoml", AB_MATCHERS='zone!="a: #b\u2028\\\\ c"')
    (tmp_path / "rules.yml").write_text(rules_text(serving))
    promtool("check", "rules", tmp_path / "rules.yml")
    assert recorded(rules_text(serving)) == {group.name: (group.interval, [(rule.record, rule.expr.rstrip()) for rule in group.rules]) for group in rule_groups(serving)}


def main_of(capsys, folder, *options):
    code = main(["rules", "--env-file", str(folder / "settings"), *options], base_folder=folder)
    return code, *capsys.readouterr()


def test_the_command_prints_the_rules_of_the_option_over_those_of_the_settings(capsys, tmp_path):
    (tmp_path / "settings").write_text('AB_METRICS=mlserver\nAB_MATCHERS=zone="a"\n')
    of_settings, of_option = (main_of(capsys, tmp_path, *options) for options in ((), ("--preset", "bentoml")))
    assert of_settings == (0, rules_text(serving_of("mlserver", AB_MATCHERS='zone="a"')), "")
    assert of_option == (0, rules_text(serving_of("bentoml", AB_MATCHERS='zone="a"')), "")


def test_without_a_pattern_that_is_needed_it_is_said_that_every_value_is_a_variant(capsys, tmp_path):
    (tmp_path / "settings").write_text("")
    code, out, said = main_of(capsys, tmp_path, "--preset", "fastapi")
    assert (code, out.startswith("# FastAPI")) == (0, True)
    assert "every value of the label handler of FastAPI" in said
    assert "AB_MODEL_PATTERN" in said


@pytest.mark.parametrize("wrong", ["bento", "no/such.toml"])
def test_an_unknown_preset_is_one_sentence_and_exit_code_2(capsys, tmp_path, wrong):
    (tmp_path / "settings").write_text("")
    code, out, said = main_of(capsys, tmp_path, "--preset", wrong)
    assert (code, out, said.count("\n")) == (2, "", 1)
    assert said.startswith(f"ERROR: AB_METRICS is {wrong!r}, but ")
