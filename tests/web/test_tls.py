"""The page over TLS with a certificate of its own: who speaks it is served, who does not holds nobody up."""

import contextlib
import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest

from live_dashboards.errors import SettingsError
from live_dashboards.settings import load_settings
from live_dashboards.web.connections import tls_context
from tests.support.pace import ends_within
from tests.support.waiting import LONGEST_SECONDS, wait_until
from tests.web import test_server
from tests.web.test_server import drawing
from tests.web.web_process import END_SECONDS, WebProcess

PATIENT = {**test_server.PATIENT, "web.connections._HANDSHAKE_SECONDS": LONGEST_SECONDS}


def openssl(*arguments, folder):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A folder with two pairs: `a.pem` and `a.key`, `b.pem` and `b.key`, and with `locked.key`, which is a.key behind a password."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("a", "b"):
        subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        openssl(
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.pem",
            *subject,
            folder=folder,
        )
    openssl("pkey", "-in", "a.key", "-aes256", "-passout", "pass:word", "-out", "locked.key", folder=folder)
    (folder / "garbage.pem").write_text("no certificate")
    return folder


def context_of(certificate, key):
    return tls_context(load_settings(environment={"DASHBOARD_TLS_CERT": str(certificate), "DASHBOARD_TLS_KEY": str(key)}))


@pytest.mark.parametrize(
    ("certificate", "key", "reason"),
    [
        ("a.pem", "b.key", "they do not belong together, or are no PEM files"),
        ("garbage.pem", "a.key", "they do not belong together, or are no PEM files"),
        ("a.pem", "garbage.pem", "they do not belong together, or are no PEM files"),
        ("a.pem", "locked.key", "the key is encrypted, and nobody is there to type its password"),
        ("nowhere.pem", "a.key", "No such file or directory"),
        ("a.pem", ".", "Is a directory"),
    ],
)
def test_a_pair_that_cannot_be_used_is_refused_with_both_names_and_the_reason(certificates, certificate, key, reason):
    with pytest.raises(SettingsError) as refused:
        context_of(certificates / certificate, certificates / key)
    words = f"DASHBOARD_TLS_CERT={certificates / certificate} and DASHBOARD_TLS_KEY={certificates / key} cannot be used: {reason}; give readable PEM files of one pair"
    assert str(refused.value) == words


def test_a_pair_makes_a_server_of_tls_1_2_and_newer(certificates):
    assert context_of(certificates / "a.pem", certificates / "a.key").minimum_version is ssl.TLSVersion.TLSv1_2


def test_without_a_certificate_there_is_no_tls():
    assert tls_context(load_settings(environment={})) is None


def settings_of(certificates):
    return {"DASHBOARD_TLS_CERT": str(certificates / "a.pem"), "DASHBOARD_TLS_KEY": str(certificates / "a.key")}


@pytest.fixture(scope="module")
def page(certificates, tmp_path_factory):
    with WebProcess(tmp_path_factory.mktemp("tls"), constants=PATIENT, **settings_of(certificates)) as running:
        yield running


@pytest.fixture(scope="module")
def trusting(certificates):
    """A client that trusts that certificate only."""
    return ssl.create_default_context(cafile=str(certificates / "a.pem"))


def connection_of(page, trusting, **more):
    return http.client.HTTPSConnection("localhost", page.port, context=trusting, timeout=LONGEST_SECONDS, **more)


def test_the_page_says_where_it_is_over_https(page):
    assert f"The page is at https://localhost:{page.port}/ (" in page.said


def test_who_speaks_tls_is_served_and_told_to_stay_with_it(page, trusting):
    answer, body = page.get("/", context=trusting)
    assert answer.status == 200
    assert body.startswith(b"<!DOCTYPE html>")
    assert answer.headers["Strict-Transport-Security"]


def test_a_large_answer_comes_whole(page, trusting):
    path = re.search(r'src="([^"]*dcc/dash_core_components-shared[^"]*)"', page.get("/", context=trusting)[1].decode()).group(1)
    answer, body = page.get(path, context=trusting)
    assert (answer.status, len(body)) == (200, int(answer.headers["Content-Length"]))
    assert len(body) > 10_000


def test_clients_that_leave_in_the_middle_of_an_answer_leave_nothing_behind(page, trusting):
    path = re.search(r'src="([^"]*dcc/dash_core_components\.v[^"]*)"', page.get("/", context=trusting)[1].decode()).group(1)
    before = len(open_files(page.process.pid))
    for _ in range(30):
        with closing(connection_of(page, trusting)) as connection:
            connection.request("GET", path)
            with connection.getresponse() as answer:
                answer.read(1000)
    wait_until(lambda: len(open_files(page.process.pid)) <= before, "the end of their connections")
    assert "ERROR" not in page.said


def test_several_requests_go_over_one_connection(page, trusting):
    with closing(connection_of(page, trusting)) as connection:
        connection.connect()
        held = connection.sock
        for _ in range(3):
            connection.request("GET", "/healthz")
            assert json.loads(connection.getresponse().read()) == {"status": "ok"}
        assert connection.sock is held


def test_who_does_not_trust_the_certificate_is_not_served_by_it(page):
    with pytest.raises(ssl.SSLCertVerificationError):
        page.get("/", context=ssl.create_default_context())


def test_plain_http_is_not_answered(page):
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        page.get("/")


def test_clients_that_connect_and_say_nothing_keep_nobody_waiting(page, trusting):
    silent = [socket.create_connection(("127.0.0.1", page.port)) for _ in range(30)]
    try:
        assert page.get("/healthz", context=trusting)[0].status == 200
    finally:
        for connection in silent:
            connection.close()


def test_a_silent_client_is_let_go_after_a_while(certificates, tmp_path):
    hasty = {"web.connections._HANDSHAKE_SECONDS": 0.3}
    with (
        WebProcess(tmp_path, constants=hasty, **settings_of(certificates)) as page,
        socket.create_connection(("127.0.0.1", page.port), timeout=LONGEST_SECONDS) as silent,
    ):
        assert silent.recv(1) == b""


def test_the_log_names_the_client_s_own_address(page, trusting):
    page.get("/healthz", source="127.0.0.7", context=trusting)
    wait_until(lambda: "INFO: 127.0.0.7 - GET /healthz 200 " in page.said)


def test_a_client_that_breaks_off_leaves_no_trace_in_the_log(page, trusting):
    with socket.create_connection(("127.0.0.1", page.port)) as raw:
        made = trusting.wrap_socket(raw, server_hostname="localhost")
        made.sendall(b"GET /healthz HTTP/1.1\r\nHost: loc")
        made.close()
    assert page.get("/healthz", context=trusting)[0].status == 200
    assert [line for line in page.said.splitlines() if not line.startswith(("INFO: ", "WARNING: no source is configured", "The page is at "))] == []
    assert page.printed == ""


def test_who_comes_past_the_front_is_refused(page):
    inner = next(port for port in listening_ports(page.process.pid) if port != page.port)
    with closing(http.client.HTTPConnection("127.0.0.1", inner, timeout=LONGEST_SECONDS)) as connection:
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 421


def listening_ports(process):
    """TCP ports on which the process listens."""
    sockets = open_files(process)
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]


def open_files(process):
    """What the process has open; what it closes meanwhile is left out."""
    found = set()
    for path in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(path.readlink().name)
    return found


def test_sigterm_ends_it_soon_with_connections_open(certificates, trusting, tmp_path):
    constants = {**PATIENT, "web.server._END_SECONDS": 1.0}
    with WebProcess(tmp_path, constants=constants, **settings_of(certificates)) as page, closing(connection_of(page, trusting)) as idle:
        idle.request("GET", "/healthz")
        idle.getresponse().read()
        assert page.terminate() == 0
        assert "Traceback" not in page.said


def test_sigterm_lets_answers_be_read(certificates, trusting, tmp_path):
    with WebProcess(tmp_path, constants=PATIENT, **settings_of(certificates)) as page, closing(connection_of(page, trusting)) as slow:
        slow.request("GET", "/_dash-component-suites/plotly/package_data/plotly.min.js", headers={"Connection": "close"})
        answer = slow.getresponse()
        page.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "stopping" in page.said)
        assert len(answer.read()) == int(answer.headers["Content-Length"]) > 1_000_000
        with ends_within(END_SECONDS):
            assert page.process.wait(LONGEST_SECONDS) == 0
        assert "Traceback" not in page.said


@pytest.mark.parametrize("has_handshake", [True, False])
def test_more_idle_connections_than_there_are_files_lock_nobody_out_and_fill_no_log(certificates, trusting, tmp_path, has_handshake):
    with WebProcess(tmp_path, limit="-n 256", constants=PATIENT, **settings_of(certificates)) as page, contextlib.ExitStack() as held:
        for _ in range(150):
            raw = held.enter_context(socket.create_connection(("127.0.0.1", page.port), timeout=LONGEST_SECONDS))
            if has_handshake:
                held.enter_context(trusting.wrap_socket(raw, server_hostname="localhost"))
        for _ in range(3):
            assert page.get("/healthz", source="127.0.0.8", context=trusting)[0].status == 200
        assert len(open_files(page.process.pid)) < 220
        assert page.said.count("the connection limit of 42 is reached") == 1
        assert [
            line for line in page.said.splitlines() if not line.startswith(("INFO: ", "WARNING: no source", "WARNING: the connection limit", "The page is at "))
        ] == []


def test_who_holds_the_most_connections_makes_room_and_nobody_else(certificates, trusting, tmp_path):
    with (
        WebProcess(tmp_path, limit="-n 256", constants=PATIENT, **settings_of(certificates)) as page,
        closing(connection_of(page, trusting, source_address=("127.0.0.8", 0))) as early,
        contextlib.ExitStack() as held,
    ):
        early.connect()
        own = early.sock
        for _ in range(100):
            raw = held.enter_context(socket.create_connection(("127.0.0.1", page.port), timeout=LONGEST_SECONDS))
            held.enter_context(trusting.wrap_socket(raw, server_hostname="localhost"))
        early.request("GET", "/healthz")
        assert early.getresponse().status == 200
        assert early.sock is own


def test_sigterm_ends_it_soon_over_tls_while_a_picture_is_drawn(certificates, trusting, tmp_path):
    with WebProcess(tmp_path, constants=PATIENT, **settings_of(certificates)) as page:
        wait_until(lambda: page.get("/readyz", context=trusting)[0].status == 200)
        answers = []
        asking = threading.Thread(target=lambda: answers.append(page.get("/dashboard/ab.png", context=trusting)))
        asking.start()
        wait_until(lambda: drawing(page.process.pid), "the drawing")
        assert page.terminate() == 0
        asking.join(LONGEST_SECONDS)
        assert answers[0][0].status == 503
        assert "Traceback" not in page.said
