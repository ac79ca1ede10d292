"""A question that stays refused is a value that is missing: said on stderr and on the page, and less than --require live asks for."""

import json
from urllib.parse import unquote_plus, urlsplit

import pytest

from tests.pipeline.command import at
from tests.support.doorman import Doorman

SAID = " questions failed, what they ask for is missing (about ab_test_response_time_seconds_sum): http://"


@pytest.fixture
def door(worlds):
    pieces = urlsplit(worlds.environment["PROMETHEUS_URL"])
    with Doorman(pieces.hostname, pieces.port) as before:
        yield before


def refusing(status):
    """The sum of response times, of the window and of the test, and nothing else, is refused for ever."""

    def refuse(path, sent):
        asked = unquote_plus(sent.decode())
        is_it = path.endswith("/query_range") and "query=sum by (model_name) (last_over_time(ab_test_response_time_seconds_sum" in asked
        return (status, {}) if is_it else None

    return refuse


@pytest.mark.parametrize("status", [429, 503])
def test_what_stays_refused_is_said_everywhere_and_is_less_than_live(run, worlds, door, tmp_path, status):
    door.refuse = refusing(status)
    code, out, err = run("ab", "--require", "live", "--output", "p.png", "--dpi", "50", *at(worlds), PROMETHEUS_URL=door.url)
    found = json.loads((tmp_path / "p.json").read_text())
    assert (code, out) == (3, "p.png\n")
    assert "WARNING: prometheus: 2 of " in err
    assert SAID in err
    assert "questions to prometheus failed" in err
    assert "Prometheus answered only in part" in found["alt_text"]
    assert (found["badge"], found["avg_response_time_ms"]) == ("LIVE DATA", None)
    assert SAID in found["sources"]["prometheus"]["warnings"][0]
    assert any(SAID in notice for notice in found["notices"])


def test_what_is_refused_once_is_nobodys_business(run, worlds, door):
    left = [429]
    door.refuse = lambda *_: (left.pop(), {"Retry-After": "1"}) if left else None
    code, _, err = run("ab", "--require", "live", "--dpi", "50", *at(worlds), PROMETHEUS_URL=door.url)
    assert (code, err, left) == (0, "", [])


def test_the_connection_test_names_it_too(run, door):
    door.refuse = refusing(503)
    _, out, _ = run("check", PROMETHEUS_URL=door.url)
    assert "(about ab_test_response_time_seconds_sum): http://" in out


def fixes(out):
    """Of the connection test's warnings what was found, by the last part, which says what to do."""
    return [line for line in out.splitlines() if line.startswith("WARNING Prometheus")]


def test_each_thing_that_is_missing_has_its_own_remedy_in_the_connection_test(run, door):
    door.refuse = lambda path, sent: (503, {}) if path.endswith("/query_range") and "(last_over_time(ab_test_errors_total" in unquote_plus(sent.decode()) else None
    found = fixes(run("check", PROMETHEUS_URL=door.url)[1])
    about = [line for line in found if "errors" in line or "error_rate" in line]
    assert len(about) == 3
    assert all(line.endswith("or start it, if a proxy answers in its place") for line in about)


def test_recorded_steps_that_are_not_there_are_no_fault_of_stores(run):
    found = fixes(run("check", PROMETHEUS_RECORDED="on")[1])
    (line,) = [each for each in found if "what the rules recorded" in each]
    assert line.endswith("is newer than 15m; load ab_test_recorded.rules.yml, and fill in the past with promtool")


PARTIAL = "Prometheus says that its answer is partial, so every count is at least what is shown"


def test_a_partial_answer_is_less_than_live_and_said_everywhere(run, worlds, door, tmp_path):
    door.alter = lambda path, _sent, body: body.replace(b'{"status":"success"', b'{"status":"success","warnings":["store-7 is down"]', 1) if "/query" in path else body
    code, _, err = run("ab", "--require", "live", "--output", "p.png", "--dpi", "50", *at(worlds), PROMETHEUS_URL=door.url)
    found = json.loads((tmp_path / "p.json").read_text())
    assert code == 3
    assert f"WARNING: prometheus: {PARTIAL}" in err
    assert "prometheus answered only in part" in err
    assert any(PARTIAL in text for text in (found["verdict"]["reasons"]))
    assert run("ab", "--output", "q.png", "--dpi", "50", *at(worlds), PROMETHEUS_URL=door.url)[0] == 0
    explained = run("explain", "requests.baseline", "--summary", "p.json")[1]
    assert "of a partial answer: what some store behind Prometheus holds is missing" in explained
    (line,) = [each for each in fixes(run("check", PROMETHEUS_URL=door.url)[1]) if "completeness" in each]
    assert line.endswith("store-7 is down; look at the stores behind this Prometheus")


def test_a_start_that_is_known_to_an_hour_only_is_said_and_judges_nothing(run, worlds, door, tmp_path):
    """What is asked finely is the hour before a model was first seen."""

    def refuse(path, sent):
        asked = unquote_plus(sent.decode())
        return (422, {}) if path.endswith("/query_range") and "ab_test_requests_total" in asked and 'model_name="' in asked and "> 0" in asked else None

    run("ab", "--output", "whole.png", "--dpi", "50", *at(worlds), PROMETHEUS_URL=door.url)
    door.refuse = refuse
    run("ab", "--output", "p.png", "--dpi", "50", *at(worlds), PROMETHEUS_URL=door.url)
    whole, found = (json.loads((tmp_path / name).read_text()) for name in ("whole.json", "p.json"))
    assert "not known exactly" not in str(whole["notices"])
    assert any("is not known exactly, as a question about it failed: it may be up to an hour earlier" in text for text in found["notices"])
    assert "it may be up to an hour earlier, or more, as a question about the first traffic failed" in found["analysis_period"]["reason"]
    assert found["verdict"]["verdict"] == "NO VERDICT"
    assert "it may be up to an hour earlier" in found["verdict"]["reasons"][0]
