"""A notification reaches a real receiver, or it is told why not, within seconds and without its URL."""

from __future__ import annotations

import logging
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from live_dashboards.outputs import webhook
from live_dashboards.outputs.webhook import deliver
from tests.support.ports import closed_port
from tests.support.receiver import Receiver

PATH = "/services/T000/B111/verysecret"


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


def post(address: str, caplog: pytest.LogCaptureFixture) -> tuple[str | None, float]:
    caplog.set_level(logging.DEBUG)
    began = time.monotonic()
    failure = deliver(address + PATH, "LIVE DATA: 78.2 % → 81.8 %")
    assert "verysecret" not in f"{caplog.text}{failure}"
    return failure, time.monotonic() - began


def test_it_is_posted_as_json(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    assert post(receiver.url, caplog)[0] is None
    ((path, headers, document),) = receiver.posts
    assert (path, headers["Content-Type"], document) == (PATH, "application/json", {"text": "LIVE DATA: 78.2 % → 81.8 %"})


def test_a_login_in_the_url_is_sent_as_a_header(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    assert post(receiver.url.replace("//", "//me:p%40ss@"), caplog)[0] is None
    assert receiver.posts[0][1]["authorization"] == "Basic bWU6cEBzcw=="


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_trouble_that_passes_is_tried_again(receiver: Receiver, caplog: pytest.LogCaptureFixture, status: int) -> None:
    receiver.statuses = [status, status]
    assert post(receiver.url, caplog)[0] is None
    assert len(receiver.posts) == 3


def test_retry_after_is_honoured(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.statuses, receiver.headers = [429], {"Retry-After": "1"}
    failure, seconds = post(receiver.url, caplog)
    assert (failure, len(receiver.posts)) == (None, 2)
    assert seconds >= 1


def test_trouble_that_stays_is_told(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.statuses = [500] * 10
    failure, seconds = post(receiver.url, caplog)
    assert (failure, len(receiver.posts)) == ("the receiver answered 500", 4)
    assert seconds < 6


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_is_not_tried_again(receiver: Receiver, caplog: pytest.LogCaptureFixture, status: int) -> None:
    receiver.statuses = [status]
    assert (post(receiver.url, caplog)[0], len(receiver.posts)) == (f"the receiver answered {status}", 1)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, caplog: pytest.LogCaptureFixture, status: int) -> None:
    with Receiver() as other:
        receiver.statuses, receiver.headers = [status], {"Location": other.url}
        failure, _ = post(receiver.url, caplog)
        assert failure == f"the receiver answered {status}, a redirect, which is not followed"
        assert (len(receiver.posts), other.posts) == (1, [])


def test_a_receiver_that_hangs_or_wants_to_wait_for_an_hour_costs_seconds(receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    assert webhook._ALL_SECONDS < 10
    monkeypatch.setattr(webhook, "_ALL_SECONDS", 1.5)
    receiver.is_hanging = True
    failure, seconds = post(receiver.url, caplog)
    assert failure == "the receiver did not take it within 1.5 s; it may have arrived all the same"
    assert seconds < 3
    receiver.is_hanging, receiver.statuses, receiver.headers = False, [503], {"Retry-After": "3600"}
    assert post(receiver.url, caplog)[0] == "the receiver did not take it within 1.5 s; it may have arrived all the same"


def test_a_slow_receiver_gets_it_once(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.delay_seconds = 2.1  # longer than it takes to connect
    assert post(receiver.url, caplog)[0] is None
    assert len(receiver.posts) == 1


def test_no_answer_is_told_as_unsure_and_not_posted_again(receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    assert webhook._ANSWER_SECONDS < webhook._ALL_SECONDS
    monkeypatch.setattr(webhook, "_ANSWER_SECONDS", 0.1)
    receiver.is_hanging = True
    assert post(receiver.url, caplog)[0] == "the receiver gave no answer within 0.1 s; it may have arrived all the same"
    assert len(receiver.posts) == 1
    receiver._release.set()  # from now on it closes the connection without an answer
    assert post(receiver.url, caplog)[0] == "the connection to the receiver broke (ProtocolError); it may have arrived all the same"
    assert len(receiver.posts) == 2


def test_nobody_there_and_no_http_there_are_told(caplog: pytest.LogCaptureFixture, fault_proxy) -> None:
    failure, seconds = post(f"http://127.0.0.1:{closed_port()}", caplog)
    assert failure == "the receiver refuses the connection or cannot be reached"
    assert seconds < 6
    proxy = fault_proxy("127.0.0.1", closed_port())
    proxy.garbage()
    assert "broke" in (post(proxy.url, caplog)[0] or "")
    assert post(proxy.url.replace("http:", "https:"), caplog)[0]
    assert post("http://nowhere.invalid", caplog)[0] == "the receiver's name is not known"


def test_over_tls_only_a_trusted_receiver_gets_it(receiver: Receiver, caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = [tmp_path / "cert.pem", tmp_path / "key.pem"]
    made = f"req -x509 -newkey rsa:2048 -nodes -days 2 -out {pair[0]} -keyout {pair[1]} -subj /CN=here -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(["openssl", *made.split()], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    receiver._server.socket = context.wrap_socket(receiver._server.socket, server_side=True)
    address = receiver.url.replace("http:", "https:")
    assert post(address, caplog)[0] == "the receiver's certificate is not trusted"
    assert receiver.posts == []
    monkeypatch.setenv("SSL_CERT_FILE", str(pair[0]))
    assert post(address, caplog)[0] is None
    assert len(receiver.posts) == 1
