"""A notification reaches a real receiver, or it is told why not, within seconds and without its URL."""

from __future__ import annotations

import logging
import ssl
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from live_dashboards.outputs import webhook
from live_dashboards.outputs.webhook import deliver
from tests.support.pace import ends_within
from tests.support.ports import closed_port
from tests.support.receiver import Receiver, wait_for_confirmation
from tests.support.waiting import LONGEST_SECONDS, wait_until

PATH = "/services/T000/B111/verysecret"
ALL_SECONDS, ANSWER_SECONDS = webhook._ALL_SECONDS, webhook._ANSWER_SECONDS


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    wait_for_confirmation(monkeypatch)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each pause before it was tried again; they pass at once."""
    found: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time", SimpleNamespace(sleep=found.append, time=time.time))
    return found


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


def post(address: str, caplog: pytest.LogCaptureFixture) -> str | None:
    caplog.set_level(logging.DEBUG)
    failure = deliver(address + PATH, "LIVE DATA: 78.2 % → 81.8 %")
    assert "verysecret" not in f"{caplog.text}{failure}"
    return failure


def test_it_is_posted_as_json(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    assert post(receiver.url, caplog) is None
    ((path, headers, document),) = receiver.posts
    assert (path, headers["Content-Type"], document) == (PATH, "application/json", {"text": "LIVE DATA: 78.2 % → 81.8 %"})


def test_a_login_in_the_url_is_sent_as_a_header(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    assert post(receiver.url.replace("//", "//me:p%40ss@"), caplog) is None
    assert receiver.posts[0][1]["authorization"] == "Basic bWU6cEBzcw=="


@pytest.mark.parametrize("status", [500, 502, 503, 429])
@pytest.mark.usefixtures("pauses")
def test_trouble_that_passes_is_tried_again(receiver: Receiver, caplog: pytest.LogCaptureFixture, status: int) -> None:
    receiver.statuses = [status, status]
    assert post(receiver.url, caplog) is None
    assert len(receiver.posts) == 3


def test_retry_after_is_honoured(receiver: Receiver, caplog: pytest.LogCaptureFixture, pauses: list[float]) -> None:
    receiver.statuses, receiver.headers = [429], {"Retry-After": "3"}
    assert (post(receiver.url, caplog), len(receiver.posts)) == (None, 2)
    assert pauses == [3]


def test_trouble_that_stays_is_told(receiver: Receiver, caplog: pytest.LogCaptureFixture, pauses: list[float]) -> None:
    receiver.statuses = [500] * 10
    assert (post(receiver.url, caplog), len(receiver.posts)) == ("the receiver answered 500", 4)
    assert 0 < sum(pauses) < ALL_SECONDS / 2


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_is_not_tried_again(receiver: Receiver, caplog: pytest.LogCaptureFixture, status: int) -> None:
    receiver.statuses = [status]
    assert (post(receiver.url, caplog), len(receiver.posts)) == (f"the receiver answered {status}", 1)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, caplog: pytest.LogCaptureFixture, status: int) -> None:
    with Receiver() as other:
        receiver.statuses, receiver.headers = [status], {"Location": other.url}
        assert post(receiver.url, caplog) == f"the receiver answered {status}, a redirect, which is not followed"
        assert (len(receiver.posts), other.posts) == (1, [])


def test_a_receiver_that_hangs_or_wants_to_wait_for_an_hour_costs_seconds(receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ALL_SECONDS < 10
    monkeypatch.setattr(webhook, "_ALL_SECONDS", 0.5)
    receiver.is_hanging = True
    with ends_within(0.5):
        assert post(receiver.url, caplog) == "the receiver did not take it within 0.5 s; it may have arrived all the same"
    receiver.is_hanging, receiver.statuses, receiver.headers = False, [503], {"Retry-After": "3600"}
    assert post(receiver.url, caplog) == "the receiver did not take it within 0.5 s; it may have arrived all the same"


def test_a_slow_receiver_gets_it_once(receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "_CONNECT_SECONDS", 0.3)
    receiver.delay_seconds = 0.6  # longer than it may take to connect
    assert post(receiver.url, caplog) is None
    assert len(receiver.posts) == 1


def test_no_answer_is_told_as_unsure_and_not_posted_again(receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ANSWER_SECONDS < ALL_SECONDS
    monkeypatch.setattr(webhook, "_ANSWER_SECONDS", 0.1)
    receiver.is_hanging = True
    assert post(receiver.url, caplog) == "the receiver gave no answer within 0.1 s; it may have arrived all the same"
    wait_until(lambda: len(receiver.posts) == 1, "the only post")
    monkeypatch.setattr(webhook, "_ANSWER_SECONDS", LONGEST_SECONDS)
    receiver._release.set()  # from now on it closes the connection without an answer
    assert post(receiver.url, caplog) == "the connection to the receiver broke (ProtocolError); it may have arrived all the same"
    assert len(receiver.posts) == 2


def test_nobody_there_and_no_http_there_are_told(caplog: pytest.LogCaptureFixture, fault_proxy, pauses: list[float]) -> None:
    assert post(f"http://127.0.0.1:{closed_port()}", caplog) == "the receiver refuses the connection or cannot be reached"
    assert 0 < sum(pauses) < ALL_SECONDS / 2
    proxy = fault_proxy("127.0.0.1", closed_port())
    proxy.garbage()
    assert "broke" in (post(proxy.url, caplog) or "")
    assert post(proxy.url.replace("http:", "https:"), caplog)
    assert post("http://nowhere.invalid", caplog) == "the receiver's name is not known"


def test_over_tls_only_a_trusted_receiver_gets_it(receiver: Receiver, caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = [tmp_path / "cert.pem", tmp_path / "key.pem"]
    made = f"req -x509 -newkey rsa:2048 -nodes -days 2 -out {pair[0]} -keyout {pair[1]} -subj /CN=here -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(["openssl", *made.split()], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    receiver._server.socket = context.wrap_socket(receiver._server.socket, server_side=True)
    address = receiver.url.replace("http:", "https:")
    assert post(address, caplog) == "the receiver's certificate is not trusted"
    assert receiver.posts == []
    monkeypatch.setenv("SSL_CERT_FILE", str(pair[0]))
    assert post(address, caplog) is None
    assert len(receiver.posts) == 1
