"""The files for Argo Rollouts and Flagger: what they ask of the page and of the command is what these answer, and their pods keep to what the others keep to."""

from urllib.parse import parse_qs, urlsplit

import kubernetes_validate
import pytest
import yaml

from live_dashboards.app import options
from live_dashboards.model.judgement import ROLL_BACK, SHIP
from live_dashboards.outputs.summary import verdict_schema
from live_dashboards.settings import load_settings
from live_dashboards.web.routes import _FOR_WEBHOOKS, _PASSES
from live_dashboards.web.view import parse_view
from tests.deploy.files import DEPLOY

FOLDER = DEPLOY / "progressive-delivery"
ARGO = {each["metadata"]["name"]: each["spec"] for each in yaml.safe_load_all((FOLDER / "argo-analysis-template.yaml").read_text())}
(FLAGGER,) = yaml.safe_load_all((FOLDER / "flagger-webhooks.yaml").read_text())
HOOKS = {each["type"]: each for each in FLAGGER["spec"]["analysis"]["webhooks"]}
WEB = ARGO["ab-verdict"]["metrics"][0]
JOB = ARGO["ab-verdict-job"]["metrics"][0]["provider"]["job"]["spec"]
SERVICE = yaml.safe_load((DEPLOY / "kubernetes/service.yaml").read_text())["metadata"]["name"]


def asked(url):
    """The parameters of an address that leads to the verdict of the web page's service."""
    parts = urlsplit(url)
    assert (parts.scheme, parts.hostname, parts.path) == ("http", SERVICE, _FOR_WEBHOOKS)
    return {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=True).items()}


@pytest.mark.parametrize(("kind", "wanted"), [("confirm-promotion", "ship"), ("rollout", "not-rollback"), ("rollback", "rollback")])
def test_each_hook_of_flagger_asks_for_what_its_kind_means(kind, wanted):
    parameters = asked(HOOKS[kind]["url"])
    assert parameters.pop("pass") == wanted
    assert wanted in _PASSES
    assert parse_view(parameters, load_settings(environment={})).experiment == "fraud"


def test_argo_reads_a_word_of_the_answer_and_knows_both_ends():
    assert asked(WEB["provider"]["web"]["url"]) == {"experiment": "{{args.experiment}}"}
    assert WEB["provider"]["web"]["jsonPath"] == "{$.answer.verdict}"
    assert "verdict" in verdict_schema()["properties"]["answer"]["properties"]
    assert (WEB["successCondition"], WEB["failureCondition"]) == (f'result == "{SHIP}"', f'result == "{ROLL_BACK}"')


def test_the_job_runs_the_command_by_its_exit_code_as_others_run_theirs():
    pod = JOB["template"]["spec"]
    parsed = options.parser().parse_args(pod["containers"][0]["args"])
    assert (parsed.command, parsed.exit_code, parsed.require) == ("verdict", True, "live")
    kubernetes_validate.validate({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "verdict"}, "spec": JOB}, "1.34", strict=True)
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"]
