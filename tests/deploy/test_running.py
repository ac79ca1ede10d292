"""What images, pods, units and cron run is run for real: the commands, environments, folders and users of the files below deploy/, over real servers.

No engine, cluster or systemd takes part; machine.py gives the commands the folders, the user and the read-only root file system that those would.
"""

import base64
import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache

import psycopg2
import pytest

from tests.deploy import files
from tests.deploy.files import DEPLOY, UNITS
from tests.deploy.machine import Machine, needs_mounts
from tests.deploy.stack import Stack
from tests.support.mlflow_database import DOCUMENTED_TABLES
from tests.support.pace import ends_within
from tests.support.waiting import LONGEST_SECONDS, wait_until
from tests.web.redis_server import RedisServer

pytestmark = needs_mounts
STEMS = {"ab": "live_ab_dashboard", "business": "business_impact_dashboard"}
UNIT = {path.stem.removeprefix("live-dashboards-"): path for path in UNITS}


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="module")
def sampled(stack):
    """The stack once the sample's runs are written, which is done once, and Prometheus has seen requests."""
    run = files.composed("sample-runs")
    values = {"MLFLOW_DB_PASSWORD": stack.secrets["mlflow_password"]}
    machine, environment = stack.machine("sample-runs", run, values)
    said = [machine.run(run.command, environment) for _ in range(2)]
    assert [(done.returncode, done.stdout) for done in said] == [(0, "demo-ab-test written\n"), (0, "demo-ab-test was there\n")], said
    wait_until(lambda: stack.value("count(sum%20by(model_name)(increase(ab_test_requests_total[1m]))>0)") == 2.0, "traffic on both arms")
    return stack


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


def plant(machine, dashboards):
    """Pictures of 29 and of 32 days ago, and another file; what of them is to be there after a run."""
    now, kept = datetime.now(UTC), {"notes.txt"}
    (machine.state / "notes.txt").touch()
    for age_days in (29, 32):
        for dashboard in dashboards:
            names = {f"{dashboard}_{now - timedelta(days=age_days):%Y%m%d_%H%M%S}{ending}" for ending in (".png", ".json", "-SIMULATED.png")}
            kept |= names if age_days == 29 else set()
            for name in names:
                (machine.state / name).touch()
                os.chown(machine.state / name, *(machine.state.stat().st_uid,) * 2)
    return kept


def written(machine, planted):
    """The new files; what is older is as it has to be."""
    there = {path.name for path in machine.state.iterdir() if path.name[0] != "."}
    assert planted <= there
    return sorted(there - planted)


def endings(dashboard):
    return [f"{dashboard}_STAMP.json", f"{dashboard}_STAMP.png", f"{dashboard}_latest.json", f"{dashboard}_latest.png"]


def unstamped(names):
    return sorted(re.sub(r"_\d{8}_\d{6}", "_STAMP", name) for name in names)


def values(stack, redis=None):
    """The secrets' contents by setting."""
    cache_url = {"DASHBOARD_CACHE_URL": redis.url} if redis is not None else {}
    return {"MLFLOW_DB_PASSWORD": stack.secrets["reader_password"], "DASHBOARD_PASSWORD_HASH": stack.secrets["web_password_hash"], **cache_url}


@cache
def system_calls():
    """What SystemCallFilter= of the units lets through, by name."""
    (wanted,) = {files.unit(path)["SystemCallFilter"][0] for path in UNITS}
    text = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True, check=True).stdout
    groups, name = {}, ""
    for line in text.splitlines():
        if line.startswith("@"):
            name = line.strip()
        elif line.strip() and not line.strip().startswith("#"):
            groups.setdefault(name, []).append(line.strip())

    def flat(entry):
        return [each for inner in groups[entry] for each in flat(inner)] if entry.startswith("@") else [entry]

    return ",".join(sorted(set(flat(wanted))))


def confinement():
    return ("/opt/live-dashboards/.venv/bin/python", "-I", "/mnt/root/tests/deploy/confine.py", system_calls())


def get(stack, path, password=None):
    request = urllib.request.Request(f"http://127.0.0.1:{stack.web_port}{path}")
    if password is not None:
        request.add_header("Authorization", "Basic " + base64.b64encode(f"dashboard:{password}".encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=LONGEST_SECONDS) as answer:  # noqa: S310 - our own page
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""
    except OSError:
        return 0, b""


class Page:
    """The web page as a file below deploy/ runs it, until SIGTERM; a context manager that waits until it is ready."""

    def __init__(self, stack, name, run, contents, **more):
        self.stack, self.run, self.more = stack, run, more
        self.machine, self.environment = stack.machine(name, run, contents)

    def __enter__(self):
        self.log = (self.machine.folder / "log").open("w+")
        self.process = self.machine.start(self.run.command, self.environment, stdout=self.log, stderr=self.log, **self.more)
        try:
            wait_until(lambda: get(self.stack, "/readyz")[0] == 200 or self.process.poll() is not None, "the page")
            assert self.process.poll() is None, (self.machine.folder / "log").read_text()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def wait_until_live(self):
        """Until both sources have answered."""
        wait_until(lambda: self._summary().get("data_source") == "REAL_PRODUCTION_DATA", "live data")

    def _summary(self):
        return json.loads(get(self.stack, "/api/v1/summary", self.stack.secrets["web_password"])[1] or "{}")

    def end(self, within_seconds):
        """The exit code after SIGTERM."""
        with ends_within(within_seconds):
            self.process.send_signal(signal.SIGTERM)
            return self.process.wait(LONGEST_SECONDS)


def test_the_exporter_and_the_scrapes_of_the_composed_prometheus_work(sampled):
    wait_until(lambda: sampled.value('sum(up{job="ab-test-models"})') == 4.0, "all four targets")
    wait_until(lambda: sampled.value("count(experiment_model_name:ab_test_requests:rate5m)") == 2.0, "the recording rules")


def test_the_reader_of_the_composed_database_can_read_mlflows_tables_and_not_write(sampled):
    address = {"host": sampled.postgres.host, "port": sampled.postgres.port, "dbname": "mlflow", "user": "dashboard", "password": sampled.secrets["reader_password"]}
    with closing(psycopg2.connect(**address)) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) > 0 from latest_metrics")
        assert cursor.fetchone() == (True,)
        connection.rollback()
        cursor.execute("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and has_table_privilege(oid, 'select')")
        assert {name for (name,) in cursor} == DOCUMENTED_TABLES
        connection.rollback()
        cursor.execute("set transaction read write")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("delete from runs")


def test_the_composed_server_of_mlflow_is_healthy_and_ends_with_sigterm(stack):
    assert stack.mlflow_is_healthy
    assert stack.mlflow_ended in {0, -signal.SIGTERM, 128 + signal.SIGTERM}


def test_the_composed_page_is_live_asks_for_its_login_and_ends_with_sigterm(sampled):
    check, unanswered = files.health_check(), Machine(sampled.folder / "unanswered")
    with Page(sampled, "dashboard", files.composed("dashboard"), values(sampled)) as page:
        page.wait_until_live()
        assert get(sampled, "/metrics")[0] == 401
        wait_until(lambda: sampled.value('up{job="live-dashboards"}') == 1.0, "the scrape with the password file")
        healthy = wait_until(lambda: (done := page.machine.run(check, page.environment)).returncode == 0 and done, "a check in time")
        other = page.machine.run(check, {**page.environment, "DASHBOARD_PORT": str(sampled.prometheus.port)})
        assert page.end(within_seconds=5) == 0
    assert (healthy.stderr, other.returncode) == ("", 1)
    assert unanswered.run(check, page.environment).returncode == 1


def test_the_pod_of_the_page_is_live_over_redis_and_its_probes_answer(sampled, redis):
    pod = files.pods()["web"]
    with Page(sampled, "pod", files.contained(pod), values(sampled, redis)) as page:
        container = pod["containers"][0]
        paths = {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert {path: get(sampled, path)[0] for path in paths} == {"/healthz": 200, "/readyz": 200}
        page.wait_until_live()
        wait_until(lambda: redis.client.dbsize() > 0, "an answer in Redis")
        program, _ = container["lifecycle"]["preStop"]["exec"]["command"]
        assert page.machine.run([program, "0"], page.environment).returncode == 0
        assert page.end(within_seconds=pod["terminationGracePeriodSeconds"]) == 0


def test_the_unit_of_the_page_runs_under_its_filters_and_ends_with_sigterm(sampled):
    with Page(sampled, "unit", files.started(UNIT["web"]), values(sampled), proc="pid", confine=confinement()) as page:
        page.wait_until_live()
        assert get(sampled, "/dashboard/ab.png", sampled.secrets["web_password"])[0] == 200
        assert page.end(within_seconds=5) == 0


def test_the_pod_of_the_cron_job_writes_both_pictures(sampled):
    run = files.contained(files.pods()["pictures"])
    machine, environment = sampled.machine("cron-job", run, values(sampled))
    planted = plant(machine, STEMS.values())
    done = machine.run(run.command, environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert unstamped(written(machine, planted)) == sorted(name for stem in STEMS.values() for name in endings(stem))


def test_a_picture_that_is_less_than_live_fails_its_job_and_is_written(sampled):
    run = files.composed("pictures")
    machine, environment = sampled.machine("not-live", run, {"MLFLOW_DB_PASSWORD": "wrong"})
    done = machine.run((*run.command, "--dpi", "50"), environment)
    assert (done.returncode, len(machine.pictures)) == (3, 2)


@pytest.mark.parametrize("kind", ["ab", "business"])
def test_the_units_of_the_pictures_write_one_under_their_filters(sampled, kind):
    run = files.started(UNIT[kind])
    machine, environment = sampled.machine(f"unit-{kind}", run, values(sampled))
    planted = plant(machine, [STEMS[kind]])
    done = machine.run(run.command, environment, proc="pid", confine=confinement())
    assert (done.returncode, done.stderr) == (0, "")
    found = written(machine, planted)
    assert unstamped(found) == endings(STEMS[kind])
    assert done.stdout == f"/var/lib/live-dashboards/{found[1]}\n"


@pytest.mark.parametrize(("index", "kind"), [(0, "ab"), (1, "business")])
def test_the_cron_lines_write_a_picture_remove_old_ones_and_say_nothing(sampled, index, kind):
    variables, rows = files.crontab()
    machine = Machine(sampled.folder / f"cron-{index}")
    planted = plant(machine, [STEMS[kind]])
    machine.settings({**sampled.addresses, "MLFLOW_DB_USER": "dashboard", "MLFLOW_DB_PASSWORD": sampled.secrets["reader_password"]})
    done = machine.run([variables["SHELL"], "-c", rows[index][2]], variables)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert unstamped(written(machine, planted)) == endings(STEMS[kind])


def test_a_run_writes_nothing_but_its_pictures_and_its_cache(sampled):
    run = files.composed("pictures")
    machine, environment = sampled.machine("clean", run, values(sampled))
    refused = machine.run(["sh", "-c", "for folder in / /etc /opt /opt/live-dashboards /run /usr /var; do touch $folder/x && echo $folder; done"], environment)
    assert (refused.stdout, refused.stderr.count("Read-only file system")) == ("", 7)
    assert machine.run(["id", "-u"], environment).stdout == "10001\n" == dict(files.dockerfile("Dockerfile"))["USER"].partition(":")[0] + "\n"


def test_the_scripts_are_bash_that_parses():
    for path in (DEPLOY / "docker").glob("*.sh"):
        assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
        assert os.access(path, os.X_OK)
