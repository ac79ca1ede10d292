"""The composed stack without an engine: PostgreSQL, the exporter and Prometheus as compose.yaml and its files set them up, on free loopback ports."""

import json
import os
import signal
import subprocess
from contextlib import ExitStack
from functools import partial
from urllib.error import URLError
from urllib.request import urlopen

import yaml

from live_dashboards.demo.programs import postgres_programs
from live_dashboards.demo.server_process import ServerProcess
from live_dashboards.demo.servers import PostgresServer, PrometheusServer
from tests.deploy import files
from tests.deploy.files import DEPLOY, ROOT
from tests.deploy.machine import Machine
from tests.support.ports import free_port
from tests.support.waiting import LONGEST_SECONDS, wait_until

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what the files say, to be replaced


def body(url):
    try:
        with urlopen(url, timeout=LONGEST_SECONDS) as answer:  # noqa: S310 - our own servers
            return answer.read().decode()
    except (URLError, OSError):
        return ""


def is_healthy(port):
    return body(f"http://127.0.0.1:{port}/health") == "OK"


class Stack:
    """A context manager; `secrets` are those that make-secrets.sh made, by name."""

    def __init__(self, folder):
        self.folder = folder
        self.web_port, self._traffic_port = free_port(), free_port()
        self._running = ExitStack()

    def __enter__(self):
        with ExitStack() as undo:
            undo.callback(self._running.close)
            self.secrets = self._make_secrets()
            self._start_postgres()
            self._start_mlflow()
            self._start_traffic()
            self._start_prometheus()
            self._end_mlflow()
            undo.pop_all()
        return self

    def __exit__(self, *_):
        self._running.close()

    @property
    def addresses(self):
        """Where the servers are instead, as settings."""
        return {"MLFLOW_DB_HOST": self.postgres.host, "MLFLOW_DB_PORT": str(self.postgres.port), "PROMETHEUS_URL": self.prometheus.url}

    def value(self, query):
        found = json.loads(body(f"{self.prometheus.url}/api/v1/query?query={query}") or '{"data": {"result": []}}')["data"]["result"]
        return float(found[0]["value"][1]) if found else 0.0

    def machine(self, name, run, values):
        """A machine for a run, and the run's environment there; `values` are the contents of the secrets by setting."""
        machine = Machine(self.folder / name)
        for setting, path in run.environment.items():
            if setting.endswith("_FILE"):
                machine.secret(path, values[setting.removesuffix("_FILE")])
        known = {name: value for name, value in self.addresses.items() if name in run.environment or name == "MLFLOW_DB_PORT"}
        return machine, {**run.environment, **known, "DASHBOARD_PORT": str(self.web_port)}

    def _make_secrets(self):
        folder = self.folder / "secrets"
        for _ in range(2):  # the second time changes nothing
            before = {path.name: path.read_text() for path in folder.glob("*")}
            subprocess.run([DEPLOY / "docker/make-secrets.sh", folder], capture_output=True, check=True)
            made = {path.name: path.read_text() for path in folder.glob("*")}
            assert before in ({}, made)
        assert set(made) == set(files.compose()["secrets"])
        assert (folder.stat().st_mode & 0o777, (folder / "web_password").stat().st_mode & 0o777) == (0o700, 0o444)
        return made

    def _start_traffic(self):
        run = files.composed("traffic")
        machine = Machine(self.folder / "traffic")
        command = [{"8000": str(self._traffic_port), EVERYWHERE: "127.0.0.1"}.get(part, part) for part in run.command]
        self.traffic = machine.start(command, run.environment)
        self._running.callback(self.traffic.wait)
        self._running.callback(self.traffic.kill)
        wait_until(lambda: body(f"http://127.0.0.1:{self._traffic_port}/healthz") == "ok\n", "the exporter")

    def _start_prometheus(self):
        text = (DEPLOY / "docker/prometheus.yml").read_text()
        text = text.replace("traffic:8000", f"127.0.0.1:{self._traffic_port}").replace("dashboard:8050", f"127.0.0.1:{self.web_port}")
        said = yaml.safe_load(text.replace("/run/secrets", str(self.folder / "secrets")))
        said["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        server = PrometheusServer(configuration=said)
        self._running.callback(server.stop)
        for path in (DEPLOY / "prometheus").glob("*.rules.yml"):
            (server.folder / "rules").mkdir(exist_ok=True)
            (server.folder / "rules" / path.name).write_text(path.read_text().replace("interval: 1m", "interval: 1s"))
        self.prometheus = server.start()

    def _start_postgres(self):
        """The database and its roles, by the image's script."""
        self.postgres = self._running.enter_context(PostgresServer())
        self.postgres.create_database("mlflow", owner=self.postgres.user)
        self.libpq = {"PGHOST": self.postgres.host, "PGPORT": str(self.postgres.port), "PATH": f"{postgres_programs()}:{os.environ['PATH']}"}
        environment = {**self.libpq, "PGPASSWORD": self.postgres.password, "POSTGRES_USER": self.postgres.user, "POSTGRES_DB": "mlflow"}
        subprocess.run([DEPLOY / "docker/postgres-init.sh"], env={**environment, "SECRETS": str(self.folder / "secrets")}, capture_output=True, check=True)

    def _start_mlflow(self):
        """Runs the composed command of MLflow's server."""
        service = files.compose()["services"]["mlflow"]
        environment = {**service["environment"], "PATH": f"{self._mlflow_program()}:{os.environ['PATH']}", "HOME": str(self.folder)}
        self._mlflow = ServerProcess("MLflow", partial(self._mlflow_command, service["command"]), folder=self.folder, is_ready=is_healthy, environment=environment)
        self._running.callback(self._mlflow.stop, signal.SIGTERM)
        self._mlflow.start()

    def _mlflow_command(self, composed, port):
        shell, option, script = (part.replace("$$", "$") for part in composed)
        ours = {
            "@postgres:5432/": f"@{self.postgres.host}:{self.postgres.port}/",
            "--port 5000": f"--port {port}",
            EVERYWHERE: "127.0.0.1",
            "/run/secrets": str(self.folder / "secrets"),
            "/var/lib/mlflow": str(self.folder / "artifacts"),
        }
        for theirs, own in ours.items():
            script = script.replace(theirs, own)
        return [shell, option, script]

    def _mlflow_program(self):
        """A folder with the commands of MLflow's image, `mlflow` and `python`, of .venv-dev, wherever that was made."""
        folder = self.folder / "bin"
        folder.mkdir()
        for name, arguments in (("mlflow", "-m mlflow "), ("python", "")):
            (folder / name).write_text(f'#!/bin/sh\nexec "{ROOT}/.venv-dev/bin/python" {arguments}"$@"\n')
            (folder / name).chmod(0o755)
        return folder

    def _end_mlflow(self):
        """Looks whether it is healthy, and ends it; its tables stay."""
        check = [part.replace(":5000", f":{self._mlflow.port}") for part in files.compose()["services"]["mlflow"]["healthcheck"]["test"][1:]]
        image = self.libpq | {"PATH": f"{self.folder / 'bin'}:{self.libpq['PATH']}"}
        self.mlflow_is_healthy = wait_until(lambda: subprocess.run(["/usr/bin/env", *check], env=image, check=False).returncode == 0, "a healthy MLflow")
        self._mlflow.process.terminate()
        self.mlflow_ended = self._mlflow.process.wait(LONGEST_SECONDS)
