"""Several processes share what one of them asked, through a real Redis; without it each asks for itself."""

import gzip
import json
import logging
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from live_dashboards.errors import SettingsError, UsageError
from live_dashboards.web import shared as module
from live_dashboards.web.shared import shared
from tests.support.fault_proxy import FaultProxy
from tests.support.pace import ends_within
from tests.support.ports import closed_port
from tests.support.snapshots import live
from tests.support.waiting import LONGEST_SECONDS, wait_until
from tests.web.redis_server import PASSWORD, RedisServer
from tests.web.replaying import settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Redis is waited for as long as a busy machine needs."""
    for name in ("_REDIS_SECONDS", "_READ_SECONDS"):
        monkeypatch.setattr(module, name, LONGEST_SECONDS)


@pytest.fixture
def clock(monkeypatch):
    """The clock by which an answer is new or old, moved by the test."""
    found = {"seconds": 0.0}

    class Moved(datetime):
        @classmethod
        def now(cls, zone):
            return datetime.now(zone) + timedelta(seconds=found["seconds"])

    monkeypatch.setattr(module, "datetime", Moved)
    return found


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory):
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(redis_server):
    with redis_server.client as client:
        client.flushall()
    return redis_server


@pytest.fixture
def own_server(tmp_path):
    """One that the test may stop."""
    with RedisServer(tmp_path) as server:
        yield server


class Process:
    """A shared fetch as one process has it, and how often it asked the sources itself."""

    def __init__(self, url, snapshot=None, **values):
        self.settings = settings(DASHBOARD_CACHE_URL=url, **values)
        self.asked, self.answering = 0, threading.Event()
        self.answering.set()
        self._snapshot = snapshot or live()
        self.fetch = shared(self._ask, self.settings)

    def __call__(self):
        return self.fetch(self.settings)

    def _ask(self, *_):
        self.asked += 1
        assert self.answering.wait(LONGEST_SECONDS)
        return replace(self._snapshot, at=module.datetime.now(UTC))


def pair(server, first=None, second=None):
    return Process(server.url, **(first or {})), Process(server.url, **(second or {}))


def asked(*processes):
    return [process.asked for process in processes]


def test_without_the_setting_nothing_is_shared():
    def fetch(*_):
        return live()

    assert shared(fetch, settings()) is fetch


def test_one_process_asks_and_the_other_is_given_the_same_answer(server):
    one, two = pair(server)
    assert one() == two()
    assert asked(one, two) == [1, 0]


def test_within_an_interval_nobody_asks_again_and_after_it_somebody_does(server, clock):
    values = {"DASHBOARD_REFRESH_INTERVAL": "600"}
    one, two = pair(server, values, values)
    first = one()
    clock["seconds"] += 500
    assert two() == first
    clock["seconds"] += 45
    assert two() != first
    assert one() == two()
    assert asked(one, two) == [1, 1]


def test_who_comes_while_another_asks_waits_for_its_answer(server):
    one, two = pair(server)
    one.answering.clear()
    found = []
    threads = [threading.Thread(target=lambda process=process: found.append(process())) for process in (one, two)]
    threads[0].start()
    wait_until(lambda: one.asked)
    threads[1].start()
    threading.Event().wait(0.3)
    one.answering.set()
    for thread in threads:
        thread.join(LONGEST_SECONDS)
    assert asked(one, two) == [1, 0]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "difference",
    [
        {"AB_EXPERIMENT": "other"},
        {"AB_WINDOW": "7d"},
        {"PROMETHEUS_URL": "http://other.example:9090"},
        {"PROMETHEUS_HEADERS": "X-Scope-OrgID: other"},
        {"PROMETHEUS_BEARER_TOKEN": "other"},
        {"MLFLOW_DB_URL": "postgresql://reader:word@other.example/mlflow"},
    ],
)
def test_another_question_or_other_sources_are_asked_for_themselves(server, difference):
    usual = {"PROMETHEUS_URL": "http://one.example:9090", "PROMETHEUS_HEADERS": "X-Scope-OrgID: one", "MLFLOW_DB_URL": "postgresql://reader:word@one.example/mlflow"}
    usual = {name: value for name, value in usual.items() if name in difference or name == "PROMETHEUS_URL"}
    one, two = pair(server, usual, {**usual, **difference})
    one()
    two()
    assert asked(one, two) == [1, 1]


def test_where_the_page_is_served_makes_no_difference(server):
    one, two = pair(server, {"DASHBOARD_PORT": "8051"}, {"DASHBOARD_PORT": "8052", "DASHBOARD_PASSWORD_HASH": "scrypt:2:2:2$ab$cd"})
    one()
    two()
    assert asked(one, two) == [1, 0]


def test_a_lock_that_stays_is_waited_for_no_longer_than_a_fetch_can_take(server):
    alive = Process(server.url, SOURCE_TIMEOUT_SECONDS="0.2")
    with server.client as client:
        client.set(f"{module._key(alive.settings, alive.fetch.secrets_digest)}:lock", "a dead process", ex=600)
    with ends_within(3 * 0.2):
        alive()
    assert alive.asked == 1


def test_a_lock_is_held_no_longer_than_a_fetch_can_take(server):
    slow = Process(server.url, SOURCE_TIMEOUT_SECONDS="200")
    slow.answering.clear()
    thread = threading.Thread(target=slow)
    thread.start()
    wait_until(lambda: slow.asked)
    with server.client as client:
        lives = [client.pttl(key) for key in client.keys("*:lock")]
    slow.answering.set()
    thread.join(LONGEST_SECONDS)
    assert len(lives) == 1
    assert 0 < lives[0] <= 600_000


def test_a_fetch_that_is_refused_leaves_no_lock_behind(server):
    def refuse(*_):
        raise UsageError("no such experiment")

    own = settings(DASHBOARD_CACHE_URL=server.url)
    with pytest.raises(UsageError, match="no such experiment"):
        shared(refuse, own)(own)
    with server.client as client:
        assert client.keys("*") == []


def test_what_is_stored_ends_by_itself_and_holds_no_secret(server):
    secrets = {
        "MLFLOW_DB_HOST": "db.example",
        "MLFLOW_DB_PASSWORD": "marked-password",
        "PROMETHEUS_URL": "http://u:marked-url@p.example",
        "PROMETHEUS_BEARER_TOKEN": "marked-token",
    }
    Process(server.url, **secrets)()
    with server.client as client:
        (key,) = client.keys("*")
        stored = key + gzip.decompress(client.get(key))
        assert 0 < client.pttl(key) <= 300_000
    assert [word for word in ("marked", PASSWORD, "p.example") if word.encode() in stored] == []


def down(_):
    """A Redis that nobody started."""
    return f"redis://:{PASSWORD[:6]}@127.0.0.1:{closed_port()}/0"


def frozen(own_server):
    own_server.freeze()
    return own_server.url


def with_another_password(own_server):
    return own_server.url.replace("m%40rked", "wrong")


@pytest.mark.parametrize("fault", [down, frozen, with_another_password])
def test_without_redis_each_process_asks_for_itself_soon_and_says_so_without_the_password(own_server, caplog, monkeypatch, fault):
    url = fault(own_server)
    monkeypatch.setattr(module, "_REDIS_SECONDS", 0.3)
    one, two = Process(url), Process(url)
    with ends_within(2 * 0.3):
        assert (one().mlflow, two().mlflow) == (live().mlflow, live().mlflow)
    assert asked(one, two) == [1, 1]
    assert "Redis: " in caplog.text
    assert [word for word in ("m@rked", "m%40rked", "wrong", "redis://", "127.0.0.1") if word in caplog.text] == []


def test_a_redis_that_says_nothing_is_waited_for_once(monkeypatch):
    monkeypatch.setattr(module, "_REDIS_SECONDS", 0.3)
    with FaultProxy("127.0.0.1", closed_port()) as silent:
        silent.hang()
        one = Process(f"redis://127.0.0.1:{silent.port}/0")
        one()
    assert (one.asked, silent.connections) == (1, 1)


def test_redis_killed_while_one_asks_costs_the_answer_nothing_and_its_return_is_noticed(own_server, caplog):
    one, two = pair(own_server)
    one.answering.clear()
    found = []
    thread = threading.Thread(target=lambda: found.append(one()))
    thread.start()
    wait_until(lambda: one.asked)
    own_server.stop()
    one.answering.set()
    thread.join(LONGEST_SECONDS)
    assert found[0].mlflow == live().mlflow
    assert "the answer is not shared" in caplog.text
    own_server.start()
    one()
    two()
    assert asked(one, two) == [2, 0]


def test_an_answer_that_trickles_in_is_not_waited_for(server, caplog, monkeypatch):
    with FaultProxy("127.0.0.1", server.port) as proxy:
        one, two = Process(server.url), Process(server.url.replace(str(server.port), str(proxy.port)))
        assert one() == two()
        monkeypatch.setattr(module, "_READ_SECONDS", 0.5)
        proxy.slow(20)
        with ends_within(0.5):
            two()
    assert asked(one, two) == [1, 1]
    assert "this process asks the sources itself" in caplog.text


@pytest.fixture(scope="module")
def encrypted_server(tmp_path_factory):
    """One with a certificate of its own authority, and that certificate."""
    folder = tmp_path_factory.mktemp("redis-tls")
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    pair = ("-keyout", "redis.key", "-out", "redis.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *pair, *names], cwd=folder, check=True, capture_output=True)
    with RedisServer(folder, pair=(folder / "redis.pem", folder / "redis.key")) as server:
        yield server, folder / "redis.pem"


def test_an_encrypted_redis_is_used_where_its_authority_is_named_and_not_otherwise(encrypted_server, caplog):
    server, certificate = encrypted_server
    url = f"{server.url}?ssl_ca_certs={certificate}"
    one, two = Process(url), Process(url)
    assert one() == two()
    assert asked(one, two) == [1, 0]
    strangers = Process(server.url), Process(server.url)
    for stranger in strangers:
        stranger()
    assert asked(*strangers) == [1, 1]
    assert "this process asks the sources itself" in caplog.text


def stored(server, process, content):
    with server.client as client:
        client.set(module._key(process.settings, process.fetch.secrets_digest), content)


def packed(snapshot, change=lambda document: document):
    document = json.loads(gzip.decompress(module._packed(snapshot)))
    return gzip.compress(json.dumps(change(document)).encode())


GARBAGE = {
    "no archive": b"garbage",
    "a cut archive": module._packed(live())[:500],
    "a damaged archive": gzip.compress(b"[1, 2]")[:10] + b"\xff" * 20,
    "no JSON": gzip.compress(b"{"),
    "no text": gzip.compress(b"\xff\xfe"),
    "another document": gzip.compress(b"[1, 2]"),
    "a key of another version": packed(live(), lambda document: {**document, "added_later": 1}),
    "a missing key": packed(live(), lambda document: {name: value for name, value in document.items() if name != "mlflow"}),
    "deep nesting": gzip.compress(b"[" * 100_000),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_what_cannot_be_read_is_ignored_and_replaced(server, name, caplog):
    one, two = pair(server)
    stored(server, one, GARBAGE[name])
    one()
    two()
    assert asked(one, two) == [1, 0]
    assert "cannot be read" in caplog.text


def test_a_value_of_another_kind_is_ignored(server):
    one = Process(server.url)
    with server.client as client:
        client.rpush(module._key(one.settings, one.fetch.secrets_digest), "a list")
    assert one().mlflow == live().mlflow
    assert one.asked == 1


def test_the_version_of_the_program_is_part_of_the_name(server, monkeypatch):
    one, two = pair(server)
    one()
    monkeypatch.setattr(module, "__version__", "another")
    two()
    assert asked(one, two) == [1, 1]


@pytest.mark.parametrize("seconds", [-60, 60])
def test_an_answer_of_another_time_is_not_taken_for_a_new_one(server, seconds):
    one = Process(server.url)
    stored(server, one, module._packed(replace(live(), at=datetime.now(UTC) + timedelta(seconds=seconds))))
    one()
    assert one.asked == 1


@pytest.mark.parametrize("url", ["redis://:marked@host:notaport/0", "redis://:marked@host:6379/notanumber?socket_timeout=abc", "redis://[::1"])
def test_a_url_that_redis_cannot_read_is_refused_without_showing_it(url):
    own = settings(DASHBOARD_CACHE_URL=url)
    with pytest.raises(SettingsError, match=r"^DASHBOARD_CACHE_URL is \*\*\*, which is no Redis URL; write it as redis://:password@host:6379/0$") as refused:
        shared(lambda *_: live(), own)
    assert refused.value.__cause__ is None


def test_without_the_package_the_setting_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(SettingsError, match=r"the package redis is not installed; run scripts/setup-live-dashboards.sh, or pip install redis"):
        shared(lambda *_: live(), settings(DASHBOARD_CACHE_URL="redis://127.0.0.1/0"))


PROGRAM = """
import sys
from dataclasses import replace
from datetime import UTC, datetime
from live_dashboards.settings import load_settings
from live_dashboards.web import shared as module
from live_dashboards.web.shared import shared
from tests.support.snapshots import live
from tests.support.waiting import LONGEST_SECONDS

module._REDIS_SECONDS = module._READ_SECONDS = LONGEST_SECONDS

def fetch(*_):
    print("asked", flush=True)
    sys.stdin.readline()
    return replace(live(), at=datetime.now(UTC))

own = load_settings(environment={"DASHBOARD_CACHE_URL": sys.argv[1], "SOURCE_TIMEOUT_SECONDS": sys.argv[2], "DASHBOARD_REFRESH_INTERVAL": "3600"})
print("ready", flush=True)
print(shared(fetch, own)(own).at.isoformat(), flush=True)
"""


def process(server, timeout_seconds):
    return subprocess.Popen([sys.executable, "-c", PROGRAM, server.url, timeout_seconds], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_two_processes_ask_once(server):
    with process(server, "60") as one, process(server, "60") as two:
        for each in (one, two):
            each.stdin.write("\n")
            each.stdin.flush()
        outs = [each.communicate(timeout=LONGEST_SECONDS)[0].split() for each in (one, two)]
    assert sorted(len(out) for out in outs) == [2, 3]
    assert outs[0][-1] == outs[1][-1]


def test_a_process_killed_while_it_asks_holds_nobody_up_for_long(server):
    with process(server, "0.5") as one:
        assert [one.stdout.readline(), one.stdout.readline()] == ["ready\n", "asked\n"]
        one.kill()
    heir = Process(server.url, SOURCE_TIMEOUT_SECONDS="0.5", DASHBOARD_REFRESH_INTERVAL="3600")
    with ends_within(3 * 0.5):
        heir()
    assert heir.asked == 1


def test_nothing_of_this_is_logged_while_all_is_well(server, caplog):
    caplog.set_level(logging.DEBUG, "live_dashboards")
    one, two = pair(server)
    one()
    two()
    assert caplog.text == ""
