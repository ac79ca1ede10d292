"""A marked secret in every secret setting and in every URL shows in nothing that comes out: not by success, not by any failure, in no form.

A new secret setting is planted by itself. Where it excludes another one, name it in EXCLUDED; where its text has a form, in `planted`.
"""

import gzip
import json
import os
import signal
import subprocess
import sys
import traceback
import zlib
from base64 import b64encode
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import matplotlib.text
import pytest

from live_dashboards.app.cli import main
from live_dashboards.outputs.image import write_png
from live_dashboards.web.access.passwords import hash_password
from tests.support.fault_proxy import FaultProxy
from tests.support.planted import SECRET_NAMES, Search, marks, quoted, secret
from tests.support.ports import closed_port
from tests.support.receiver import Receiver, wait_for_confirmation
from tests.support.waiting import LONGEST_SECONDS, wait_until
from tests.web.redis_server import RedisServer
from tests.web.web_process import WebProcess

ROOT = Path(__file__).resolve().parents[2]
LOGIN, USER = "LOGIN", "planted_reader"
URL_MARKS = ("PROMETHEUS_URL", LOGIN)  # what is no secret setting, and planted all the same
EXCLUDED = {
    "url and token": {"MLFLOW_DB_PASSWORD", "PROMETHEUS_PASSWORD", "MLFLOW_TRACKING_PASSWORD"},
    "parts": {"MLFLOW_DB_URL", "PROMETHEUS_BEARER_TOKEN", "MLFLOW_TRACKING_TOKEN"},
}
SMALL = ("--dpi", "50", "-v")
PATIENT = {"SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}"}
LOGIN_IN_URL = {"PROMETHEUS_PASSWORD": "", "PROMETHEUS_USERNAME": ""}
NO_BACKUP = dict.fromkeys(("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"), "")
NO_PARTS = dict.fromkeys(("MLFLOW_DB_HOST", "MLFLOW_DB_PORT", "MLFLOW_DB_NAME", "MLFLOW_DB_USER", "MLFLOW_DB_PASSWORD"), "")
HASH = hash_password(secret(LOGIN))
WORDS = {name: marks(name) for name in (*SECRET_NAMES, *URL_MARKS)} | {"DASHBOARD_PASSWORD_HASH": tuple(HASH.split("$")[1:])}
SEARCH = Search(WORDS)


class World:
    """Real sources behind proxies, a receiver of notifications and a Redis; `planted(kind)` are settings that hold all secrets of that kind."""

    def __init__(self, worlds, running, folder):
        self.end, self._truth = worlds.end, worlds.environment
        mlflow, prometheus = (worlds.environment[name] for name in ("MLFLOW_DB_PORT", "PROMETHEUS_URL"))
        self.mlflow = running.enter_context(FaultProxy("127.0.0.1", int(mlflow)))
        self.prometheus = running.enter_context(FaultProxy("127.0.0.1", int(prometheus.rpartition(":")[2])))
        self.tracking = running.enter_context(FaultProxy("127.0.0.1", int(prometheus.rpartition(":")[2])))  # a backup of MLflow's that is none
        self.receiver = running.enter_context(Receiver())
        self.redis = running.enter_context(RedisServer(folder, secret("DASHBOARD_CACHE_URL")))

    def planted(self, kind):
        shapes = {
            "MLFLOW_DB_URL": f"postgresql://{USER}:{quoted('MLFLOW_DB_PASSWORD')}@127.0.0.1:{self.mlflow.port}/worlds?application_name={marks('MLFLOW_DB_URL')[0]}",
            "MLFLOW_TRACKING_URI": f"http://{USER}:{quoted('MLFLOW_TRACKING_URI')}@127.0.0.1:{self.tracking.port}",
            "MLFLOW_TRACKING_TOKEN": ".".join(marks("MLFLOW_TRACKING_TOKEN")),
            "PROMETHEUS_BEARER_TOKEN": ".".join(marks("PROMETHEUS_BEARER_TOKEN")),
            "PROMETHEUS_HEADERS": "X-Key: {}, X-Other: {}".format(*marks("PROMETHEUS_HEADERS")),
            "DASHBOARD_NOTIFY_URL": "{}/services/{}/{}".format(self.receiver.url, *marks("DASHBOARD_NOTIFY_URL")),
            "DASHBOARD_PASSWORD_HASH": HASH,
            "DASHBOARD_API_TOKEN": ".".join(marks("DASHBOARD_API_TOKEN")),
            "DASHBOARD_CACHE_URL": self.redis.url,
        }
        secrets = {name: shapes.get(name, secret(name)) for name in SECRET_NAMES if name not in EXCLUDED[kind]}
        parts = {"MLFLOW_DB_HOST": "127.0.0.1", "MLFLOW_DB_PORT": str(self.mlflow.port), "MLFLOW_DB_NAME": "worlds", "MLFLOW_DB_USER": USER}
        logins = {"PROMETHEUS_USERNAME": "ops", "MLFLOW_TRACKING_USERNAME": USER}
        plain = {"PROMETHEUS_URL": self.prometheus.url, "AB_EXPERIMENT": "base", "AB_WINDOW": "2h", "DASHBOARD_CACHE_DIR": "cache"}
        return {**plain, **PATIENT, **(parts | logins if kind == "parts" else {}), **secrets}

    def pass_through(self):
        for proxy in (self.mlflow, self.prometheus, self.tracking):
            proxy.pass_through()


@pytest.fixture(scope="module")
def world(worlds, postgres, tmp_path_factory):
    postgres.create_role(USER, secret("MLFLOW_DB_PASSWORD"))
    postgres.execute(f"grant pg_read_all_data to {USER}", database="worlds")
    with ExitStack() as running:
        yield World(worlds, running, tmp_path_factory.mktemp("redis"))
    postgres.execute(f"drop owned by {USER}; drop role {USER}")


@pytest.fixture
def drawn(monkeypatch):
    """Every text that is drawn, as nobody can search pixels."""
    texts, real = [], matplotlib.text.Text.set_text
    monkeypatch.setattr(matplotlib.text.Text, "set_text", lambda self, words: (texts.append(str(words)), real(self, words))[1])
    return texts


class Sweep:
    """Runs commands with planted settings in a folder each, and keeps all that comes out by its place."""

    def __init__(self, world, folder, capfd, monkeypatch):
        self.world, self.folder, self._capfd, self._monkeypatch = world, folder, capfd, monkeypatch
        self.shown = {}

    def run(self, name, *arguments, kind="parts", code=0, said="", stdin=None, lines="", **changes):
        """The command in this process; what it says, which must hold `said`, so that no case passes for another reason than its own."""
        folder = self.folder / name.replace("/", "-")
        folder.mkdir()
        write_settings(folder, {**self.world.planted(kind), **changes}, lines)
        self._monkeypatch.chdir(folder)
        if stdin is not None:
            self._monkeypatch.setattr(sys, "stdin", stdin)
        ended, crash = ending(arguments)
        out, err = self._capfd.readouterr()
        assert (ended, said in out + err + crash) == (code, True), (name, ended, out, err, crash)
        self.keep(name, folder, out, err, crash)
        return out + err

    def keep(self, name, folder, *texts):
        self.shown |= {f"{name}: text {index}": text.encode() if isinstance(text, str) else text for index, text in enumerate(texts)}
        files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(("settings", "secret-"))]
        self.shown |= {f"{name}: {path.relative_to(folder)}": path.read_bytes() for path in files}
        self.shown[f"{name}: names"] = "\n".join(map(str, files)).encode()

    @property
    def leaks(self):
        return {place: found for place, content in self.shown.items() if (found := SEARCH.found(content))}


def ending(arguments):
    """Exit code, and the traceback of an error that nobody foresaw, as Python prints it; 70 for that."""
    try:
        return main([*arguments, *(() if arguments[0] in {"explain", "hash-password"} else ("--env-file", "settings"))]), ""
    except SystemExit as leaving:
        return leaving.code, ""
    except Exception as error:  # noqa: BLE001 any crash is what is looked for
        return 70, "".join(traceback.format_exception(error))


def write_settings(folder, values, lines=""):
    path = folder / "settings"
    path.touch(0o600)
    path.write_text("\n".join([*(f"{name}={json.dumps(value)}" for name, value in values.items() if value), lines]))
    return path


@pytest.fixture
def sweep(world, tmp_path, capfd, monkeypatch):
    world.pass_through()
    wait_for_confirmation(monkeypatch)
    yield Sweep(world, tmp_path, capfd, monkeypatch)
    world.pass_through()


def test_every_secret_setting_is_planted_somewhere():
    assert set.union(*(set(SECRET_NAMES) - excluded for excluded in EXCLUDED.values())) == set(SECRET_NAMES)
    assert {"MLFLOW_DB_PASSWORD", "PROMETHEUS_BEARER_TOKEN", "DASHBOARD_NOTIFY_URL"} <= set(SECRET_NAMES)


@pytest.mark.parametrize("kind", EXCLUDED)
def test_no_secret_shows_in_what_a_success_writes(sweep, drawn, kind):
    at = ("--at", f"{sweep.world.end:.0f}")
    everything = ("--sidecars", "--save-snapshot", "moment.json", "--metrics-file", "run.prom", "--latest")
    sweep.run("ab", "ab", *everything, *SMALL, *at, kind=kind, said="live_ab_dashboard", DASHBOARD_OUTPUT_DIR=f"{sweep.folder}/shared")
    sweep.run("all", "all", "--output", "page.pdf", "--sidecars", *SMALL, *at, kind=kind, said="page-business.pdf")
    for name, arguments in {"check": ("check", "-v", *at), "check json": ("check", "--json", *at)}.items():
        assert "accepted, b" in sweep.run(name, *arguments, kind=kind, said="logged in", **NO_BACKUP)
    sweep.run("kept", "business", "--output", "page.svg", *SMALL, kind=kind, said="page.svg")  # answers are kept for the next run where no moment is asked for
    sweep.run("explain", "explain", "requests.baseline", "--summary", str(next((sweep.folder / "shared").glob("live*.json"))), said="last_over_time(")
    sweep.keep("drawn", sweep.folder / "shared", "\n".join(drawn), repr([(headers, text) for _, headers, text in sweep.world.receiver.posts]))
    kinds = {place.rpartition(".")[2] for place in sweep.shown}
    assert {"png", "pdf", "svg", "json", "csv", "md", "prom", "gz"} <= kinds
    assert any("baseline" in text for text in drawn)
    assert sweep.world.receiver.posts[-1][0].endswith(marks("DASHBOARD_NOTIFY_URL")[1])
    assert sweep.leaks == {}


def hostile_reply(kind):
    """What a gateway that repeats the request's secrets would answer."""
    basic = b64encode(f"ops:{secret('PROMETHEUS_PASSWORD')}".encode()).decode()
    told = [*marks("PROMETHEUS_HEADERS"), secret("PROMETHEUS_PASSWORD"), "and" * 20, basic]
    document = {"status": kind, "errorType": "internal", "error": " ".join(told), "warnings": told, "data": {"resultType": "vector", "result": []}}
    return json.dumps(document) if kind != "html" else f"<html><title>{' '.join(told)}</title>{told}</html>"


def hostile_tracking_reply():
    """The same of MLflow's server."""
    password = secret("MLFLOW_TRACKING_PASSWORD")
    return f"{password} {b64encode(f'{USER}:{password}'.encode()).decode()} {secret('MLFLOW_TRACKING_URI')}"


def failing(sweep):
    """Every way the sources fail, by name: what to do to the proxies, the settings that change, and what is said then."""
    mlflow, prometheus, world = sweep.world.mlflow, sweep.world.prometheus, sweep.world
    token = ".".join(marks("PROMETHEUS_BEARER_TOKEN"))
    wrong = "".join(marks("MLFLOW_DB_PASSWORD"))
    return {
        "refused": (lambda: (mlflow.refuse(), prometheus.refuse()), {}, "refuses the connection"),
        "hang": (lambda: (mlflow.hang(), prometheus.hang()), {"SOURCE_TIMEOUT_SECONDS": "0.5"}, "no answer"),
        "garbage": (lambda: (mlflow.garbage(), prometheus.garbage()), {}, "does not speak PostgreSQL"),
        "cut": (lambda: (mlflow.cut(40), prometheus.cut(40)), {}, "closes it at once"),
        "wrong password": (lambda: None, {"MLFLOW_DB_PASSWORD": wrong}, "refuses user"),
        "no tables": (lambda: None, {"MLFLOW_DB_NAME": "postgres"}, "no MLflow tables"),
        "no database": (lambda: None, {"MLFLOW_DB_NAME": "nowhere"}, "does not exist"),
        "500": (lambda: prometheus.http_reply(500, "text/html", hostile_reply("html")), {}, "500"),
        "token": (
            lambda: prometheus.http_reply(500, "text/html", "<html>X-Other is 1 and " + token),
            {**LOGIN_IN_URL, "PROMETHEUS_BEARER_TOKEN": token},
            "500",
        ),
        "error": (lambda: prometheus.http_reply(422, "application/json", hostile_reply("error")), {}, "refused a query"),
        "warning": (lambda: prometheus.http_reply(200, "application/json", hostile_reply("success")), {}, "has no A/B data"),
        "html": (lambda: prometheus.http_reply(200, "text/html", hostile_reply("html")), {}, "answers with text/html"),
        "401": (lambda: prometheus.http_reply(401, "text/plain", hostile_reply("html"), (f"WWW-Authenticate: Basic realm={hostile_reply('html')}",)), {}, "401"),
        "302": (lambda: prometheus.http_reply(302, "text/html", "", (f"Location: https://login.example/?token={marks('PROMETHEUS_HEADERS')[0]}",)), {}, "redirect"),
        "url": (
            prometheus.refuse,
            {"PROMETHEUS_URL": f"http://ops:{quoted('PROMETHEUS_URL')}@127.0.0.1:{world.prometheus.port}", **LOGIN_IN_URL},
            "refuses the connection",
        ),
        "unquoted url": (
            mlflow.refuse,
            {**NO_PARTS, "MLFLOW_DB_URL": f"postgres://u:{secret('MLFLOW_DB_URL')}@127.0.0.1:{world.mlflow.port}/m"},
            "refuses the connection",
        ),
        "backup": (
            lambda: (mlflow.refuse(), world.tracking.http_reply(500, "application/json", json.dumps({"message": hostile_tracking_reply()}))),
            {},
            "nor does the backup answer",
        ),
        "backup's token": (
            lambda: (mlflow.refuse(), world.tracking.http_reply(403, "text/html", ".".join(marks("MLFLOW_TRACKING_TOKEN")))),
            {"MLFLOW_TRACKING_USERNAME": "", "MLFLOW_TRACKING_PASSWORD": "", "MLFLOW_TRACKING_TOKEN": ".".join(marks("MLFLOW_TRACKING_TOKEN"))},
            "nor does the backup answer",
        ),
        "backup's url": (
            lambda: (mlflow.refuse(), world.tracking.refuse()),
            {"MLFLOW_TRACKING_USERNAME": "", "MLFLOW_TRACKING_PASSWORD": ""},
            "nor does the backup answer",
        ),
        "webhook": (lambda: world.receiver.statuses.append(404), {}, "the receiver answered 404"),
        "no webhook": (lambda: None, {"DASHBOARD_NOTIFY_URL": f"http://127.0.0.1:{closed_port()}/{marks('DASHBOARD_NOTIFY_URL')[0]}"}, "the receiver refuses"),
    }


def test_no_secret_shows_in_what_any_failure_of_a_source_says_and_writes(sweep, drawn):
    for name, (break_it, changes, said) in failing(sweep).items():
        sweep.world.pass_through()
        break_it()
        sweep.run(name, "ab", "--output", "page.png", "--metrics-file", "run.prom", *SMALL, said=said, **changes)
        if "webhook" not in name:
            sweep.run(f"check, {name}", "check", "-v", code=1, **changes)
    sweep.keep("drawn", sweep.folder / "refused", "\n".join(drawn))
    assert sweep.leaks == {}


def test_no_secret_shows_in_an_error_about_a_setting_an_output_or_the_program_itself(sweep, monkeypatch):
    for name in SECRET_NAMES:
        excluding = next(kind for kind, excluded in EXCLUDED.items() if name not in excluded)
        (sweep.folder / f"secret-{name}").write_text(secret(name) + "\0")
        run = partial(sweep.run, kind=excluding, code=2, said=name)
        run(f"{name} twice", "ab", lines=f"{name}_FILE=/nowhere", **{name: secret(name)})
        run(f"{name} unreadable", "check", **{name: "", f"{name}_FILE": f"{sweep.folder}/secret-{name}"})
    for name, value in {
        "MLFLOW_DB_URL": f"mysql+{secret('MLFLOW_DB_URL')}://u:{secret('MLFLOW_DB_URL')}@h/d",
        "DASHBOARD_NOTIFY_URL": f"hooks.example/{secret('DASHBOARD_NOTIFY_URL')}",
        "DASHBOARD_PASSWORD_HASH": HASH[:-3] + "G",
        "DASHBOARD_API_TOKEN": f"{secret('DASHBOARD_API_TOKEN')} two words",
        "DASHBOARD_CACHE_URL": f"http://:{quoted('DASHBOARD_CACHE_URL')}@h",
        "PROMETHEUS_HEADERS": secret("PROMETHEUS_HEADERS"),
        "PROMETHEUS_BEARER_TOKEN": f"{secret('PROMETHEUS_BEARER_TOKEN')} two words",
        "PROMETHEUS_URL": f"prometheus://u:{quoted('PROMETHEUS_URL')}@h",
        "MLFLOW_TRACKING_URI": f"ftp://u:{quoted('MLFLOW_TRACKING_URI')}@h",
        "MLFLOW_TRACKING_TOKEN": f"{secret('MLFLOW_TRACKING_TOKEN')} two words",
        "MLFLOW_DB_HOST": f"u:{secret('MLFLOW_DB_PASSWORD')}@h",
    }.items():
        kind = "url and token" if name in EXCLUDED["parts"] else "parts"
        sweep.run(f"{name} unusable", "ab", *SMALL, kind=kind, code=2, said=name, **{name: value})
    misspelt = f"MLFLOW_DB_PASWORD={marks('MLFLOW_DB_PASSWORD')[0]}\nunfinished='{marks('MLFLOW_DB_PASSWORD')[1]}\n"
    sweep.run("misspelt", "ab", "--simulate", *SMALL, said="did you mean MLFLOW_DB_PASSWORD?", lines=misspelt)
    sweep.run("unwritable", "ab", "--simulate", "--output", "/proc/page.png", *SMALL, code=1, said="--output")
    monkeypatch.setattr("live_dashboards.app.pipeline.report", lambda *given: len(given) / 0)
    sweep.run("crash", "ab", "--output", "page.png", *SMALL, code=70, said="ZeroDivisionError")
    monkeypatch.setattr("live_dashboards.app.pipeline.report", lambda *given: (_ for _ in ()).throw(RuntimeError(repr(given))))
    sweep.run("crash with values", "ab", "--output", "page.png", *SMALL, code=70, said="<Snapshot ")
    monkeypatch.setattr("live_dashboards.app.cli._settings", lambda *given: given[0].no_such_attribute)
    sweep.run("crash at once", "check", code=70, said="AttributeError")
    assert sweep.leaks == {}


def test_no_secret_shows_in_the_commands_lines_or_what_processes_leave_however_they_end(sweep, world):
    """Real processes at once: killed by SIGTERM, out of time, the scripts by their files, a demo, a hash, a crash."""
    world.mlflow.hang()
    python, everywhere = sys.executable, {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    settings = {
        **everywhere,
        **world.planted("parts"),
        "SOURCE_TIMEOUT_SECONDS": "600",
        **{name: str(sweep.folder / "out") for name in ("DASHBOARD_OUTPUT_DIR", "DASHBOARD_CACHE_DIR")},
    }
    command = (python, "-m", "live_dashboards")
    crash = "import live_dashboards.app.pipeline as p; from live_dashboards.app.cli import main; p.lock = None; main(['ab', '-v'])"
    cases = {
        "SIGTERM": ((*command, "ab", *SMALL), {}, 143, ""),
        "out of time": ((*command, "business", *SMALL), {"RUN_TIMEOUT_SECONDS": "1.5"}, 1, "RUN_TIMEOUT_SECONDS"),
        "script": (
            (python, str(ROOT / "scripts/live-business-impact-dashboard.py"), "--output", "page.png", *SMALL),
            {"SOURCE_TIMEOUT_SECONDS": "1"},
            0,
            "no answer",
        ),
        "connection test": ((python, str(ROOT / "scripts/test-database-connection.py"), "-v"), {"SOURCE_TIMEOUT_SECONDS": "1"}, 1, "FAILED"),
        "crash": ((python, "-c", crash), {}, 1, "TypeError"),
        "hash": ((*command, "hash-password"), {}, 0, "DASHBOARD_PASSWORD_HASH="),
        "demo": ((*command, "demo", "--output", "demo", *SMALL), {}, 0, "live_ab_dashboard"),
    }
    running = {name: started(sweep.folder / f"process {name}", line, {**settings, **changes}) for name, (line, changes, _, _) in cases.items()}
    lines, ended, lock = set(), [], sweep.folder / "out/.live_ab_dashboard.lock"

    def are_over():
        lines.update(command_lines({process.pid for process in running.values()}))
        if not ended and lock.exists() and lock.read_text() == f"{running['SIGTERM'].pid}\n":  # it asks the sources now
            ended.append(running["SIGTERM"].send_signal(signal.SIGTERM))
        return all(process.poll() is not None for process in running.values())

    wait_until(are_over, "the end of all processes")
    for name, (_, _, code, said) in cases.items():
        folder = sweep.folder / f"process {name}"
        text = (folder / "stdout").read_text() + (folder / "stderr").read_text()
        assert (running[name].returncode, said in text) == (code, True), (name, running[name].returncode, text)
        sweep.keep(name, folder)
    sweep.keep("command lines", sweep.folder / "out", b"\n".join(lines))
    assert any(b"postgres" in line for line in lines), "the demo's children are looked at too"
    assert sweep.leaks == {}


def started(folder, line, environment):
    folder.mkdir()
    (folder / "settings-typed").write_text(secret(LOGIN) + "\n")
    with (folder / "settings-typed").open("rb") as stdin, (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
        return subprocess.Popen(line, cwd=folder, env={**environment, "HOME": str(folder)}, stdin=stdin, stdout=stdout, stderr=stderr)


def command_lines(roots):
    """The command lines of these processes and all below them, as every user of the machine can read them."""
    parents, lines = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            stat, line = (entry / "stat").read_text(), (entry / "cmdline").read_bytes()
        except OSError:  # it has just ended
            continue
        parents[int(entry.name)], lines[int(entry.name)] = int(stat.rpartition(")")[2].split()[1]), line
    below = set(roots)
    while more := {child for child, parent in parents.items() if parent in below} - below:
        below |= more
    return {lines[each] for each in below if each in lines}


def test_no_secret_shows_on_the_web_page_in_its_log_or_in_redis(sweep, world):
    settings = {**world.planted("parts"), **PATIENT, "DASHBOARD_AUTH": "password", "DASHBOARD_CACHE_DIR": ""}
    folder = sweep.folder / "web"
    folder.mkdir()
    login = {"Authorization": "Basic " + b64encode(f"dashboard:{secret(LOGIN)}".encode()).decode()}
    with WebProcess(folder, **settings) as page:
        wait_until(lambda: page.get("/readyz")[0].status == 200, "the first answers")
        for path in (
            "/",
            "/login",
            "/api/v1/summary",
            "/api/v1/page",
            "/metrics",
            "/dashboard/ab.csv",
            "/dashboard/ab.png",
            "/no/page",
            f"/api/v1/summary?experiment=x&token={marks(LOGIN)[0]}",
        ):
            for headers in ({}, login):
                answer, body = page.get(path, **headers)
                sweep.keep(f"{path} {bool(headers)} {answer.status}", folder, str(answer.headers), body)
        wrong, right = (page.get("/login", body=urlencode({"username": "dashboard", "password": word})) for word in (secret(LOGIN) + "x", secret(LOGIN)))
        assert (wrong[0].status, right[0].status) == (401, 303)
        sweep.keep("logins", folder, *(f"{answer.headers}{body!r}" for answer, body in (wrong, right)))
        sweep.keep("command lines", folder, b"\n".join(command_lines({page.process.pid})))
        kept = wait_until(lambda: page.get("/api/v1/summary", **login) and held(world.redis), "an answer that is shared")
        sweep.keep("redis", folder, *kept, *kept.values())
        assert page.terminate() == 0
    sweep.keep("log", folder, page.said + page.printed)
    assert {"/api/v1/summary True 200: text 1", "/dashboard/ab.png True 200: text 1"} <= set(sweep.shown)
    assert sweep.leaks == {}


def held(redis):
    """What is in Redis by its key, where that is more than locks."""
    with redis.client as client:
        found = {key: value for key in client.keys("*") if (value := client.get(key)) is not None}
    return found if any(not key.endswith(b":lock") for key in found) else {}


def test_the_search_finds_a_secret_in_every_form_that_comes_out(tmp_path):
    """The sweep's own test: a leak in each form is found."""
    name = "PROMETHEUS_PASSWORD"
    with (tmp_path / "x.png").open("wb") as stream:
        write_png(stream, (1, 1), [b"\0\0\0\0"], dpi=50, texts={"Description": "a" * 3000 + secret(name)})
    leaks = {
        "plain": secret(name).encode(),
        "a piece": marks(name)[1].encode(),
        "percent": quoted(name).encode(),
        "json": json.dumps(secret(name)).encode(),
        "png": (tmp_path / "x.png").read_bytes(),
        "gzip": gzip.compress(secret(name).encode()),
        "pdf": b"%PDF-1.4\nstream\n" + zlib.compress(secret(name).encode()) + b"\nendstream",
        **{f"base64 {user}": b"Basic " + b64encode(f"{user}:{secret(name)}".encode()) for user in ("u", "us", "use")},
    }
    assert {form: SEARCH.found(content) for form, content in leaks.items()} == {form: {name} for form in leaks}
    assert SEARCH.found(b"nothing but words, ops:*** and " + b64encode(b"ops:other")) == set()
