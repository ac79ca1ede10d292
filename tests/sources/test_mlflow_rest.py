"""An MLflow server that is down, hangs, refuses or is none says why within the deadline, without a secret; many runs cost a bounded number of calls."""

from __future__ import annotations

import base64
import inspect
import re
import ssl
import subprocess
from types import SimpleNamespace
from urllib.parse import quote, urlsplit

import pytest

from live_dashboards.errors import SettingsError, SourceError
from live_dashboards.settings import load_settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow.rest import exchange, runs, source
from live_dashboards.sources.mlflow.rest.exchange import LateError
from tests.sources.hand_clock import HandClock
from tests.sources.mlflow_ways import facts, history, read
from tests.support.doorman import Doorman
from tests.support.pace import ends_within
from tests.support.waiting import LONGEST_SECONDS

SECONDS = 1.5
PASSWORD = "p@ss:w/o%rd #1'x"
HTML = "<html><head><title>Sign in</title></head><body>Sign in</body></html>"
HOST_REFUSED = "Invalid Host header - possible DNS rebinding attack detected"


@pytest.fixture
def proxy(ways, fault_proxy):
    pieces = urlsplit(ways.server_url)
    return fault_proxy(pieces.hostname, pieces.port)


@pytest.fixture
def doorman(ways):
    pieces = urlsplit(ways.server_url)
    with Doorman(pieces.hostname, pieces.port) as before:
        yield before


def failure(url: str, *, seconds: float = LONGEST_SECONDS, **settings: str) -> SourceError:
    """The failure of asking, which must come soon: at a deadline that is short where it is to be one of time."""
    with ends_within(SECONDS), pytest.raises(SourceError) as caught:
        read({"MLFLOW_TRACKING_URI": url}, deadline=Deadline(seconds), **settings)
    assert caught.value.fix
    assert "\n" not in str(caught.value)
    assert "PROMETHEUS" not in str(caught.value).upper()
    return caught.value


def limit(monkeypatch, name: str, value: float) -> None:
    """Set a bound of the REST API's modules, in the one that has it."""
    (module,) = (each for each in (source, runs, exchange) if name in vars(each) and f"{name} = " in inspect.getsource(each))
    monkeypatch.setattr(module, name, value)


FAULTS = {
    "refused": (lambda proxy: proxy.refuse(), "refused", "refuses the connection"),
    "hang": (lambda proxy: proxy.hang(), "timeout", "gave no complete answer in 1.5 s"),
    "cut in the head": (lambda proxy: proxy.cut(30), "cut", "cut the connection"),
    "cut in the body": (lambda proxy: proxy.cut(400), "cut", "cut the connection"),
    "slow trickle": (lambda proxy: proxy.slow(2), "timeout", "gave no complete answer in 1.5 s"),
    "garbage": (lambda proxy: proxy.garbage(), "not_http", "does not speak HTTP"),
    "html": (lambda proxy: proxy.http_reply(200, "text/html", HTML), "not_mlflow", "text/html instead of MLflow's JSON"),
    "html called json": (lambda proxy: proxy.http_reply(200, "application/json", HTML), "not_mlflow", "JSON that is damaged"),
    "json list": (lambda proxy: proxy.http_reply(200, "application/json", "[]"), "not_mlflow", "no object"),
    "not gzip": (lambda proxy: proxy.http_reply(200, "application/json", "plain", ("Content-Encoding: gzip",)), "not_mlflow", "compression"),
    "deep json": (lambda proxy: proxy.http_reply(200, "application/json", "[" * 200_000), "not_mlflow", "damaged"),
    "odd shape": (lambda proxy: proxy.http_reply(200, "application/json", '{"experiments": [{"name": 3}]}'), "not_mlflow", "of another shape"),
    "experiments that are none": (lambda proxy: proxy.http_reply(200, "application/json", '{"experiments": 7}'), "not_mlflow", "of another shape"),
    "redirect": (lambda proxy: proxy.http_reply(302, "text/html", "", ("Location: http://[bad",)), "redirect", "redirects to what is no address"),
    "401": (lambda proxy: proxy.http_reply(401, "text/plain", "Unauthorized"), "auth", "wants a login"),
    "403": (lambda proxy: proxy.http_reply(403, "text/plain", "Permission denied"), "auth", "refuses this user"),
    "host": (lambda proxy: proxy.http_reply(403, "text/plain", HOST_REFUSED), "host_not_allowed", "does not serve this host name"),
    "404": (lambda proxy: proxy.http_reply(404, "text/html", HTML), "not_found", "MLflow's REST API is not there"),
    "500": (lambda proxy: proxy.http_reply(500, "application/json", '{"error_code": "INTERNAL_ERROR", "message": "no\\ndatabase"}'), "http_error", "500: no database"),
    "502": (lambda proxy: proxy.http_reply(502, "text/html", HTML), "proxy_backend", "cannot reach MLflow"),
    "https": (lambda proxy: proxy.http_reply(400, "text/plain", "Client sent an HTTP request to an HTTPS server."), "tls_scheme", "speaks https"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_failure_has_its_reason_and_shows_no_secret(proxy, fault):
    misbehave, code, words = FAULTS[fault]
    misbehave(proxy)
    seconds = SECONDS if code == "timeout" else LONGEST_SECONDS
    error = failure(f"http://ops:{quote(PASSWORD, safe='')}@{proxy.host}:{proxy.port}", seconds=seconds)
    assert error.code == code
    assert words in error.reason
    assert not any(piece in str(error) for piece in (PASSWORD, quote(PASSWORD, safe=""), "w/o%rd", "ops:"))


def test_a_port_without_tls_is_told(proxy):
    assert failure(f"https://{proxy.host}:{proxy.port}").code == "tls_scheme"


def test_a_redirect_is_not_followed_so_no_login_reaches_a_stranger(proxy, ways, fault_proxy):
    stranger = fault_proxy("127.0.0.1", urlsplit(ways.server_url).port)
    proxy.http_reply(307, "text/html", "", (f"Location: {stranger.url}/api/2.0/mlflow/experiments/search?token=secret",))
    error = failure(proxy.url, MLFLOW_TRACKING_TOKEN="token-of-mine")
    assert (error.code, stranger.connections) == ("redirect", 0)
    assert "secret" not in str(error)


BASIC = f"Basic {base64.b64encode(f'ops:{PASSWORD}'.encode()).decode()}"
LOGINS = {
    "settings": (BASIC, "http://127.0.0.1:{port}/", {"MLFLOW_TRACKING_USERNAME": "ops", "MLFLOW_TRACKING_PASSWORD": PASSWORD}),
    "uri": (BASIC, f"http://ops:{quote(PASSWORD, safe='')}@127.0.0.1:{{port}}", {}),
    "token": ("Bearer token-of-mine", "http://127.0.0.1:{port}", {"MLFLOW_TRACKING_TOKEN": "token-of-mine"}),
}


@pytest.mark.parametrize("login", LOGINS)
def test_each_login_is_let_in_and_the_address_does_not_show_it(doorman, ways, login):
    doorman.wanted, uri, settings = LOGINS[login]
    answer = read({"MLFLOW_TRACKING_URI": uri.format(port=doorman.port)}, **settings)
    assert facts(answer) == facts(read({"MLFLOW_TRACKING_URI": ways.server_url}))
    assert answer.status.address == f"http://127.0.0.1:{doorman.port}"


def test_a_wrong_login_is_told_without_showing_it(doorman):
    doorman.wanted = BASIC
    error = failure(f"http://127.0.0.1:{doorman.port}", MLFLOW_TRACKING_USERNAME="ops", MLFLOW_TRACKING_PASSWORD="no-such-pass")
    assert (error.code, "no-such-pass" in str(error), "MLFLOW_TRACKING_TOKEN" in error.fix) == ("auth", False, True)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a certificate for localhost, which is its own authority, and its key."""
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    made = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    subprocess.run(["openssl", "req", *made, "-keyout", file, "-out", file.with_suffix(".crt")], check=True, capture_output=True)
    file.write_text(file.read_text() + file.with_suffix(".crt").read_text())
    return file


def test_an_authority_and_a_client_certificate_of_ones_own_open_an_encrypted_server(ways, certificate):
    pieces, context = urlsplit(ways.server_url), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificate.with_suffix(".crt"))
    context.load_cert_chain(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    with Doorman(pieces.hostname, pieces.port, tls=context) as before:
        url, authority = f"https://localhost:{before.port}", {"MLFLOW_TRACKING_SERVER_CERT_PATH": str(certificate.with_suffix(".crt"))}
        untrusted, stranger = failure(url), failure(url, **authority)
        answer = read({"MLFLOW_TRACKING_URI": url}, **authority, MLFLOW_TRACKING_CLIENT_CERT_PATH=str(certificate))
    assert (untrusted.code, "MLFLOW_TRACKING_SERVER_CERT_PATH" in untrusted.fix) == ("tls_untrusted", True)
    assert stranger.code in {"tls_client", "cut"}  # the server's alert may get lost in its closing of the connection
    assert answer.status.has_answered
    assert failure(url, MLFLOW_TRACKING_SERVER_CERT_PATH="/nowhere/ca.pem").reason.startswith("MLFLOW_TRACKING_SERVER_CERT_PATH names /nowhere/ca.pem")


def test_a_time_that_no_number_holds_is_another_shape(doorman):
    doorman.alter = lambda _path, _sent, body: re.sub(rb'"start_time": ?\d+', b'"start_time": 1e999', body)
    assert (found := failure(f"http://127.0.0.1:{doorman.port}")).code == "not_mlflow", found


def test_runs_of_another_experiment_than_asked_for_are_left_out_and_told(doorman, ways):
    whole = read({"MLFLOW_TRACKING_URI": ways.server_url})

    def alter(path: str, sent: bytes, body: bytes) -> bytes:
        return re.sub(rb'("experiment_id": ?)"\d+"', rb'\1"987654"', body, count=1) if path.endswith("runs/search") and b"LIKE" not in sent else body

    doorman.alter = alter
    answer = read({"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{doorman.port}"})
    assert (len(answer.runs), set(answer.runs) < set(whole.runs)) == (len(whole.runs) - 1, True)
    assert any("gave runs of another experiment than it was asked for" in warning for warning in answer.status.warnings)


def test_two_logins_at_once_are_refused():
    with pytest.raises(SettingsError, match="keep one login"):
        read({"MLFLOW_TRACKING_URI": "http://127.0.0.1:1", "MLFLOW_TRACKING_TOKEN": "a", "MLFLOW_TRACKING_USERNAME": "b"})


def test_the_queries_name_endpoints_and_filters(ways):
    answer = read({"MLFLOW_TRACKING_URI": ways.server_url})
    assert re.fullmatch(r"3\.\d+\.\d+, REST API", answer.status.version)
    assert "POST /api/2.0/mlflow/experiments/search" in answer.query("experiments")
    assert "params.model_variant LIKE '%'" in answer.query("experiments")
    assert f'"experiment_ids": ["{answer.experiments[0].experiment_id}"]' in answer.query("values")
    assert "metrics/get-history" in answer.history.query
    assert not any("select" in text or "SQL" in text for _, text in answer.queries)


def test_small_pages_give_the_same_answer(ways, monkeypatch):
    environment = {"MLFLOW_TRACKING_URI": ways.server_url}
    whole = read(environment)
    for name, value in {"EXPERIMENT_PAGE": 4, "RUN_PAGE": 4, "_HISTORY_PAGE": 30}.items():
        limit(monkeypatch, name, value)
    assert (facts(read(environment)), history(read(environment))) == (facts(whole), history(whole))


def test_what_is_cut_off_is_said(ways, monkeypatch):
    for name, value in {"RUN_PAGE": 3, "_RUN_PAGES": 1, "MARKED_PAGE": 3, "_MARKED_PAGES": 2, "_HISTORY_RUNS": 1, "_HISTORY_PAGE": 10, "_HISTORY_PAGES": 2}.items():
        limit(monkeypatch, name, value)
    told = " ".join(read({"MLFLOW_TRACKING_URI": ways.server_url}, AB_EXPERIMENT="ab main").status.warnings)
    for words in ("the newest runs with a variant", "the newest 6 runs", "the history of the newest 1 of", "MLFLOW_DB_HOST"):
        assert words in told
    limit(monkeypatch, "_HISTORY_RUNS", 100)
    limit(monkeypatch, "_RUN_PAGES", 100)
    whole = read({"MLFLOW_TRACKING_URI": ways.server_url}, AB_EXPERIMENT="ab main")
    assert any("the first 20 values of accuracy of run" in warning for warning in whole.status.warnings)
    assert len(whole.runs) == len(read(ways.database.environment).runs)


def test_where_time_runs_short_pages_are_left_out_and_an_answer_is_given(ways, monkeypatch):
    for name, value in {"RUN_PAGE": 1, "MARKED_PAGE": 1, "_SHARE_OF_MARKED": 0, "_SHARE_OF_RUNS": 0, "_SHARE_OF_TIME": 0}.items():
        limit(monkeypatch, name, value)
    answer = read({"MLFLOW_TRACKING_URI": ways.server_url}, AB_EXPERIMENT="ab main")
    assert (answer.status.has_answered, len(answer.runs), history(answer)) == (True, 1, {})
    told = " ".join(answer.status.warnings)
    assert ("the newest 1 runs" in told, "the newest runs with a variant" in told) == (True, True)


def _is_runs_search(path: str, sent: bytes, *, marked: bool) -> bool:
    return path.endswith("runs/search") and (b"LIKE" in sent) == marked


# how many experiments are known by then depends on which of the runs that began at one time come first
SLOW = {
    r"the runs of the newest 1 of \d+ experiments": lambda path, sent: _is_runs_search(path, sent, marked=False) and b"wanted" not in sent,
    "the history of the newest 0 of": lambda path, _: "get-history" in path,
    "the newest runs with a variant": lambda path, sent: _is_runs_search(path, sent, marked=True) and b"wanted" not in sent,  # the second page
    "the newest 7 runs": lambda path, sent: _is_runs_search(path, sent, marked=False) and b"page_token" in sent,
    "the newest 0 model versions of the server": lambda path, _: "model-versions" in path,
}


@pytest.mark.parametrize("cut", [tuple(SLOW)[:2], tuple(SLOW)[2:]], ids=["experiments and history", "pages and versions"])
def test_calls_that_do_not_end_within_their_share_are_cut_and_what_was_read_is_shown(doorman, ways, monkeypatch, cut):
    wanted = next(each.experiment_id for each in read({"MLFLOW_TRACKING_URI": ways.server_url}).experiments if each.name == "ab main")
    limit(monkeypatch, "RUN_PAGE", 7)
    limit(monkeypatch, "MARKED_PAGE", 7)
    clock = HandClock()
    monkeypatch.setattr(exchange, "Deadline", clock.deadline)
    monkeypatch.setattr(exchange, "threading", SimpleNamespace(Timer=clock.timer))

    def alter(path: str, sent: bytes, body: bytes) -> bytes:
        if any(SLOW[words](path, sent.replace(f'"{wanted}"'.encode(), b"wanted")) for words in cut):
            clock.run_on()
        return body

    doorman.alter = alter
    answer = read({"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{doorman.port}"}, deadline=clock.deadline(LONGEST_SECONDS), AB_EXPERIMENT="ab main")
    assert clock.now_seconds < LONGEST_SECONDS
    assert (answer.experiment, len(answer.runs) >= 7, answer.values != (), answer.status_counts != ()) == ("ab main", True, True, True)
    for words in cut:
        assert any(re.search(f"by its REST API only {words}", warning) for warning in answer.status.warnings), words
    assert ("enhanced" in history(answer)) == ("the history of the newest 0 of" not in cut)


def test_a_call_that_hangs_ends_with_its_share_of_the_time_and_others_may_follow(proxy):
    settings, share = load_settings(environment={"MLFLOW_TRACKING_URI": proxy.url}), 0.3 / LONGEST_SECONDS
    with exchange.RestClient(settings, deadline=HandClock().deadline(LONGEST_SECONDS)) as client:
        proxy.hang()
        with ends_within(0.3), pytest.raises(LateError), client.limited(share):
            client.post("experiments/search", {"max_results": 1})
        proxy.pass_through()
        assert client.post("experiments/search", {"max_results": 1})["experiments"]


def test_model_versions_come_page_by_page_and_what_is_cut_off_is_said(ways, monkeypatch):
    environment = {"MLFLOW_TRACKING_URI": ways.server_url}
    whole = read(environment)
    monkeypatch.setitem(runs.VERSIONS, "max_results", 1)
    assert (read(environment).versions, len(whole.versions)) == (whole.versions, 2)
    limit(monkeypatch, "_PAGES", 1)
    limit(monkeypatch, "_MODELS", 0)
    answer = read(environment)
    assert [(each.version, each.aliases) for each in answer.versions] == [(1, ())]
    for words in ("the newest 1 model versions of the server", "the aliases of 0 of 1 models"):
        assert any(f"only {words} could be read" in warning for warning in answer.status.warnings)


def test_answers_that_are_too_large_are_given_up(ways, monkeypatch):
    monkeypatch.setattr(exchange, "LARGEST_ANSWERS_BYTES", 5000)
    error = failure(ways.server_url)
    assert (error.code, "AB_EXPERIMENT" in error.fix) == ("too_large", True)
