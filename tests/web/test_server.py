"""The page as a process: what it refuses to start with, that it is there at once, how it ends, and what it logs."""

import contextlib
import json
import re
import resource
import signal
import socket
import threading
import urllib.parse
from pathlib import Path
from types import SimpleNamespace

import pytest

from live_dashboards.errors import SettingsError
from live_dashboards.settings import load_settings
from live_dashboards.web import server as module
from live_dashboards.web.server import End, bound_socket, page_address
from tests.support.fault_proxy import FaultProxy
from tests.support.ports import closed_port
from tests.support.waiting import LONGEST_SECONDS, wait_until
from tests.web.web_process import WebProcess, start

SECRET = "marked-secret"
PATIENT = {"web.server._END_SECONDS": LONGEST_SECONDS, "web.connections._QUIET_SECONDS": 3600.0}  # what is under way is answered on any machine

REFUSALS = {
    "a taken port": ({"DASHBOARD_PORT": "{taken}"}, "port {taken} of 127.0.0.1 is taken by another program; stop it or choose another DASHBOARD_PORT"),
    "a host that is no name": (
        {"DASHBOARD_HOST": "a" * 70, "DASHBOARD_AUTH": "none"},
        "which is no address of this machine; use 127.0.0.1, or 0.0.0.0 for every network",
    ),
    "another machine's address": ({"DASHBOARD_HOST": "192.0.2.1", "DASHBOARD_AUTH": "none"}, "192.0.2.1:{free} cannot be listened on"),
    "every network without a login": ({"DASHBOARD_HOST": "0.0.0.0"}, "or DASHBOARD_AUTH=none to let everybody in"),  # noqa: S104 it must be refused
    "a certificate without its key": ({"DASHBOARD_TLS_CERT": "cert.pem"}, "DASHBOARD_TLS_CERT is set, but DASHBOARD_TLS_KEY is not; set both or neither"),
    "a key without its certificate": ({"DASHBOARD_TLS_KEY": "key.pem"}, "DASHBOARD_TLS_KEY is set, but DASHBOARD_TLS_CERT is not; set both or neither"),
    "a certificate that is not there": ({"DASHBOARD_TLS_CERT": "cert.pem", "DASHBOARD_TLS_KEY": "key.pem"}, "cannot be used: No such file or directory"),
    "a prefix that is no path": ({"DASHBOARD_PATH_PREFIX": "/a b"}, "DASHBOARD_PATH_PREFIX is '/a b', but must be a path"),
    "no Redis URL": ({"DASHBOARD_CACHE_URL": f"redis://:{SECRET}@h:x"}, "DASHBOARD_CACHE_URL is ***, which is no Redis URL"),
}


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """Each of them started at once, and what came of it: exit code, stdout, stderr, and whether a source was asked."""
    with socket.create_server(("127.0.0.1", 0)) as taken, FaultProxy("127.0.0.1", 1) as source:
        source.hang()
        ports = {"taken": taken.getsockname()[1], "free": closed_port()}
        common = {"DASHBOARD_PORT": "{free}", "PROMETHEUS_URL": source.url, "SOURCE_TIMEOUT_SECONDS": "1"}
        started = {}
        for name, (settings, _) in REFUSALS.items():
            folder = tmp_path_factory.mktemp("refused")
            started[name] = folder, start(folder, **{key: value.format(**ports) for key, value in {**common, **settings}.items()})
        found = {name: (process.wait(LONGEST_SECONDS), (folder / "stdout").read_text(), (folder / "stderr").read_text()) for name, (folder, process) in started.items()}
        return found, ports, source.connections


@pytest.mark.parametrize("name", REFUSALS)
def test_what_cannot_be_served_is_refused_with_one_sentence_and_exit_code_2(refused, name):
    found, ports, _ = refused
    code, stdout, stderr = found[name]
    assert (code, stdout) == (2, "")
    assert stderr.startswith("ERROR: ")
    assert stderr.count("\n") == 1
    assert REFUSALS[name][1].format(**ports) in stderr
    assert SECRET not in stderr


def test_a_page_that_is_refused_has_asked_no_source(refused):
    assert refused[2] == 0


def settings(**values):
    return load_settings(environment=values)


def test_a_host_that_no_resolver_knows_is_refused():
    with pytest.raises(SettingsError, match=r"^DASHBOARD_HOST is 'nowhere\.example', which is no address of this machine"):
        bound_socket(settings(DASHBOARD_HOST="nowhere.example"))


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({}, "http://localhost:8050/"),
        ({"DASHBOARD_HOST": "0.0.0.0"}, "http://localhost:8050/"),  # noqa: S104 nothing listens there
        ({"DASHBOARD_HOST": "::1"}, "http://localhost:8050/"),
        ({"DASHBOARD_HOST": "[2001:db8::1]"}, "http://[2001:db8::1]:8050/"),
        ({"DASHBOARD_HOST": "192.0.2.1", "DASHBOARD_PATH_PREFIX": "ab-test/"}, "http://192.0.2.1:8050/ab-test/"),
        ({"DASHBOARD_HOST": "dashboards", "DASHBOARD_TLS_CERT": "c", "DASHBOARD_TLS_KEY": "k"}, "https://dashboards:8050/"),
    ],
)
def test_where_the_page_is_said_to_be(values, address):
    assert page_address(settings(**values), 8050) == address


@pytest.fixture(scope="module")
def hanging(tmp_path_factory):
    """A page below a path, whose sources never answer; one of them knows a secret."""
    with FaultProxy("127.0.0.1", 1) as source:
        source.hang()
        secrets = {
            "MLFLOW_DB_HOST": source.host,
            "MLFLOW_DB_PORT": str(source.port),
            "MLFLOW_DB_PASSWORD": SECRET,
            "PROMETHEUS_URL": source.url,
            "PROMETHEUS_BEARER_TOKEN": SECRET,
        }
        with WebProcess(tmp_path_factory.mktemp("hanging"), DASHBOARD_PATH_PREFIX="/ab-test", SOURCE_TIMEOUT_SECONDS="3600", **secrets) as page:
            yield page


def test_the_page_is_there_before_the_first_answer_and_says_so(hanging):
    answer, body = hanging.get("/ab-test/_dash-layout")
    assert answer.status == 200
    assert b"Asking the sources for the first time" in body
    answer, body = hanging.get("/ab-test/api/v1/page")
    assert (answer.status, json.loads(body)) == (202, {"pending": "the sources are being asked"})
    assert hanging.get("/ab-test/readyz")[0].status == 503
    assert hanging.get("/ab-test/healthz")[0].status == 200


def test_below_a_path_every_address_of_the_page_has_it(hanging):
    answer, body = hanging.get("/ab-test/")
    assert answer.status == 200
    assert b'"requests_pathname_prefix":"/ab-test/"' in body.replace(rb"\u002f", b"/")
    sources = [part.split(b'"')[0].decode() for part in body.split(b'src="')[1:]]
    assert sources
    assert [source for source in sources if not source.startswith("/ab-test/") or hanging.get(source)[0].status != 200] == []


def test_the_log_has_a_line_for_each_request_without_its_query_and_no_secret(hanging):
    asked = urllib.parse.quote("/ab-test/no/such page\n\x1b[31m") + f"?token={SECRET}&experiment=hidden-word"
    hanging.get(asked, source="127.0.0.9", Authorization=f"Bearer {SECRET}", Cookie=f"a={SECRET}")
    line = wait_until(lambda: [line for line in hanging.said.splitlines() if "no/such page" in line])[0]
    assert line.startswith(r"INFO: 127.0.0.9 - GET /no/such page\n\x1b[31m 404 ")
    assert [word for word in (SECRET, "hidden-word", "Bearer") if word in hanging.said] == []


def test_nothing_is_printed_to_stdout(hanging):
    hanging.get("/ab-test/")
    assert hanging.printed == ""


def test_the_start_is_told_in_one_line_with_the_address(hanging):
    assert hanging.said.startswith(f"The page is at http://localhost:{hanging.port}/ab-test/ (Ctrl-C ends it)\n")


def test_sigterm_ends_it_soon_even_while_the_sources_hang(tmp_path, fault_proxy):
    source = fault_proxy("127.0.0.1", 1)
    source.hang()
    with WebProcess(tmp_path, PROMETHEUS_URL=source.url, MLFLOW_DB_HOST=source.host, MLFLOW_DB_PORT=str(source.port), SOURCE_TIMEOUT_SECONDS="3600") as page:
        wait_until(lambda: source.connections >= 2)
        assert page.terminate() == 0
        assert "Traceback" not in page.said


def test_all_who_are_waited_for_at_the_end_have_one_deadline_together(monkeypatch):
    now, told = [0.0], []
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    end, found = End(lambda: told.append(now[0])), []
    for now[0] in (7.0, 8.5, 10.0, 12.0):
        end.begin()
        found.append(end.left_seconds())
    assert (found, told) == ([4.0, 2.5, 1.0, 0.0], [7.0])


def test_sigterm_lets_what_is_under_way_be_answered_even_to_who_reads_slowly(tmp_path):
    with WebProcess(tmp_path, constants=PATIENT) as page, socket.socket() as slow:
        path = b"/_dash-component-suites/plotly/package_data/plotly.min.js"
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20_000)
        slow.settimeout(LONGEST_SECONDS)
        slow.connect(("127.0.0.1", page.port))
        slow.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path)
        head, _, begun = slow.recv(20_000).partition(b"\r\n\r\n")
        rest = []
        reading = threading.Thread(target=lambda: rest.extend(iter(lambda: slow.recv(100_000), b"")))
        page.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "stopping" in page.said)
        reading.start()
        assert page.process.wait(LONGEST_SECONDS) == 0
        reading.join(LONGEST_SECONDS)
        length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
        assert length > 1_000_000
        assert len(begun) + sum(map(len, rest)) == length


def test_sigterm_ends_a_drawing_and_the_process_soon_and_tells_who_waits_for_it(tmp_path):
    with WebProcess(tmp_path, constants=PATIENT, TMPDIR=str(tmp_path)) as page:
        wait_until(lambda: page.get("/readyz")[0].status == 200)
        answers = []
        asking = threading.Thread(target=lambda: answers.append(page.get("/dashboard/ab.png")))
        asking.start()
        children = wait_until(lambda: drawing(page.process.pid), "the drawing")
        assert page.terminate() == 0
        asking.join(LONGEST_SECONDS)
        assert [child for child in children if Path(f"/proc/{child}").exists()] == []
        ((answer, body),) = answers
        assert (answer.status, json.loads(body)["error"]) == (503, "the server is stopping and draws no more; try again when it is back")
        assert "Traceback" not in page.said
        assert list(tmp_path.glob("live-dashboards-*")) == []


def drawing(parent):
    """The processes that a thread of the process has started."""
    found = []
    for path in Path(f"/proc/{parent}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # the thread has ended meanwhile
            found += path.read_text().split()
    return found


def test_the_process_may_open_as_many_files_as_its_user_may(tmp_path):
    with WebProcess(tmp_path, limit="-Sn 200") as page:
        soft, hard = resource.prlimit(page.process.pid, resource.RLIMIT_NOFILE)
        assert soft == hard > 200


def test_more_idle_connections_than_there_are_files_leave_the_page_its_sources_and_the_log_in_peace(tmp_path):
    with WebProcess(tmp_path, limit="-n 256", constants=PATIENT) as page:
        idle = [socket.create_connection(("127.0.0.1", page.port)) for _ in range(300)]
        wait_until(lambda: "connection limit" in page.said)
        assert len(list(Path(f"/proc/{page.process.pid}/fd").iterdir())) < 200
        for connection in idle:
            connection.close()
        wait_until(lambda: page.get("/dashboard/ab.csv")[0].status == 200)
        assert page.said.count("connection limit") == 1
        assert "Traceback" not in page.said
