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
    """The window's sum of response times, and nothing else, is refused for ever."""

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
    assert "WARNING: prometheus: 1 of " in err
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
