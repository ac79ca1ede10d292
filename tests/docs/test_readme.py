"""README's ten minutes, as they stand there: its scripts, scrape, role, settings and commands, over a real PostgreSQL and a real Prometheus.

Only ports, the password and the database's name are put in.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
import yaml

from live_dashboards.demo.server_process import ServerProcess
from live_dashboards.demo.servers import PostgresServer, PrometheusServer
from tests.conftest import MLFLOW_PASSWORD, MLFLOW_ROLE
from tests.scripts.checkout import BARE, Checkout, make_checkout
from tests.support.mlflow_database import MlflowDatabase, drop_database
from tests.support.mlflow_tables import tracking_uri
from tests.support.waiting import LONGEST_SECONDS, wait_until

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
TEN_MINUTES = README.partition("## Ten minutes to a page of your own\n")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEN_MINUTES, re.MULTILINE | re.DOTALL)
MOST_LINES = 150
MOST_COLUMNS = 110
DATABASE = "ten_minutes"
PASSWORD = "reads/only 1"
VARIANTS = ("v1", "v2")
SHOWN = {  # what README writes where each reader writes their own
    "port": "8000",
    "password": "'…'",
    "mlflow": "postgresql://dashboard:your_secure_password@localhost:5432/mlflow",
    "prometheus": "http://localhost:9090",
}
MLFLOW_S_OWN = {"PYTHONWARNINGS": "ignore", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


def block(language: str, number: int = 0) -> str:
    """The text of the section's block of code in that language."""
    return [text for name, text in BLOCKS if name == language][number]


def with_own(text: str, **places: str) -> str:
    """The text with a port, password or address of this test in the place of README's."""
    for name, own in places.items():
        assert text.count(SHOWN[name]) == 1, text
        text = text.replace(SHOWN[name], own)
    return text


@dataclass(frozen=True)
class Page:
    """What README's commands printed, the summary they wrote, and where it was asked."""

    printed: tuple[tuple[str, str], ...]
    checks: str
    summary: Mapping[str, Any]
    database: MlflowDatabase
    prometheus_url: str

    def variant(self, name: str) -> Mapping[str, float]:
        return self.summary["variants"][name]


@pytest.fixture(scope="module")
def page(postgres: PostgresServer, mlflow_3_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The exporter and its scrape first, so that they go on while the models are trained."""
    folder = tmp_path_factory.mktemp("ten-minutes")
    with ExitStack() as running:
        exporter = exporter_in(folder)
        running.callback(exporter.stop)
        exporter.start()
        scrape = yaml.safe_load(with_own(block("yaml"), port=f"{exporter.port}"))
        prometheus = running.enter_context(PrometheusServer(configuration=scrape))
        database = running.enter_context(trained(postgres, mlflow_3_template, folder))
        checkout = make_checkout(folder, ".venv")
        checkout.settings.touch(mode=0o600)
        reader = f"postgresql://dashboard:{quote(PASSWORD, safe='')}@{database.host}:{database.port}/{DATABASE}"
        checkout.settings.write_text(with_own(block("bash"), mlflow=reader, prometheus=prometheus.url))
        wait_until(lambda: is_scraped(prometheus.url), "three scrapes of both variants")
        checks = run(checkout, "python3 scripts/test-database-connection.py")
        printed = tuple((command, run(checkout, command)) for command, _ in shown_commands())
        (summary,) = (checkout.root / "output").glob("*.json")
        yield Page(printed, checks, json.loads(summary.read_text(encoding="utf-8")), database, prometheus.url)


@contextmanager
def trained(postgres: PostgresServer, template: str, folder: Path) -> Iterator[MlflowDatabase]:
    """A database of MLflow's in which README's training script has logged, and README's role."""
    postgres.create_database(DATABASE, template, owner=MLFLOW_ROLE)
    database = MlflowDatabase(postgres, DATABASE, MLFLOW_ROLE, MLFLOW_PASSWORD, 3)
    script = folder / "train.py"
    script.write_text(block("python"), encoding="utf-8")
    own = {**BARE, **MLFLOW_S_OWN, "HOME": str(folder), "MLFLOW_TRACKING_URI": tracking_uri(postgres, DATABASE, MLFLOW_ROLE, MLFLOW_PASSWORD)}
    done = subprocess.run([sys.executable, script], cwd=folder, env=own, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS)
    assert done.returncode == 0, done.stderr
    database.execute(with_own(block("sql"), password=f"'{PASSWORD}'"))
    yield database
    database.execute("drop owned by dashboard; drop role dashboard")
    drop_database(postgres, DATABASE)


def exporter_in(folder: Path) -> ServerProcess:
    """README's exporter, not yet started, on a port that nobody else has."""
    script = folder / "exporter.py"

    def command(port: int) -> list[str]:
        script.write_text(with_own(block("python", 1), port=f"{port}"), encoding="utf-8")
        return [sys.executable, str(script)]

    return ServerProcess("README's exporter", command, folder=folder, is_ready=answers)


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/metrics", timeout=LONGEST_SECONDS).ok
    except requests.ConnectionError:
        return False


def asked(url: str, query: str, at: float) -> dict[str, float]:
    """Prometheus' own answer by model, without the product."""
    reply = requests.get(f"{url}/api/v1/query", params={"query": query, "time": f"{at:f}"}, timeout=LONGEST_SECONDS)
    return {each["metric"]["model_name"]: float(each["value"][1]) for each in reply.json()["data"]["result"]}


def is_scraped(url: str) -> bool:
    counts = asked(url, "count_over_time(ab_test_requests_total[10m])", time.time())
    return set(counts) == set(VARIANTS) and min(counts.values()) >= 3


def shown_commands() -> list[tuple[str, str]]:
    """The commands of the section's terminal, each with what it prints."""
    return [(command, text) for command, text in re.findall(r"^\$ (.+)\n((?:[^$].*\n)*)", block("console"), re.MULTILINE)]


def run(checkout: Checkout, command: str) -> str:
    """What the command says in the checkout's folder, by a shell; stderr among stdout, as a terminal has it."""
    own = {"PATH": os.environ["PATH"], "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}"}
    done = subprocess.run(
        ["/bin/bash", "-c", command],
        cwd=checkout.root,
        env=own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=LONGEST_SECONDS,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.replace(str(checkout.root), "/srv/live-dashboards")


def without_moments(text: str) -> str:
    """What is printed, but for moments and durations."""
    return re.sub(r"\d+\.\d s$", "DURATION", re.sub(r"\d{8}_\d{6}", "MOMENT", text), flags=re.MULTILINE)


def test_the_terminal_shows_what_readme_says(page: Page) -> None:
    """A line that changed for good is written into README."""
    assert len(page.printed) == 2
    for (command, printed), (_, shown) in zip(page.printed, shown_commands(), strict=True):
        assert without_moments(printed) == without_moments(shown), command


def test_the_connection_test_finds_nothing_wrong(page: Page) -> None:
    lines = page.checks.splitlines()
    assert "OK      variants in both sources: v1, v2 in both" in lines
    assert [line for line in lines if line.startswith("FAILED")] == []


def test_the_badge_is_live_and_the_baseline_the_one_that_the_settings_name(page: Page) -> None:
    found = page.summary
    assert (found["badge"], found["data_source"]) == ("LIVE DATA", "REAL_PRODUCTION_DATA")
    assert (found["experiment"], found["baseline"], found["challenger"]) == ("digits", *VARIANTS)


def test_the_accuracies_are_those_that_the_training_script_logged(page: Page) -> None:
    statement = """select v.value, m.value, n.value::int from latest_metrics m join params v on v.run_uuid = m.run_uuid and v.key = 'model_variant'
                   join params n on n.run_uuid = m.run_uuid and n.key = 'test_size' where m.key = 'accuracy'"""
    with closing(page.database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        logged = {variant: (100 * accuracy, rows) for variant, accuracy, rows in cursor}
    rows = {row["variant"]: row for row in page.summary["measurements"] if row["name"] == "accuracy"}
    assert set(logged) == set(rows) == set(VARIANTS)
    for variant, (accuracy_percent, rows_count) in logged.items():
        assert (rows[variant]["value"], rows[variant]["n"]) == (pytest.approx(accuracy_percent), rows_count)
        assert rows[variant]["interval"][0] < accuracy_percent < rows[variant]["interval"][1]


@pytest.mark.parametrize(
    ("key", "query", "scale"),
    [
        ("requests", "ab_test_requests_total", 1),
        ("errors", "ab_test_errors_total", 1),
        ("mean_latency_ms", "ab_test_response_time_seconds_sum / ab_test_response_time_seconds_count", 1000),
        ("online_accuracy", "ab_test_model_accuracy", 100),
    ],
)
def test_the_traffic_is_what_the_exporter_counted_since_it_began(page: Page, key: str, query: str, scale: float) -> None:
    (moment,) = {row["observed_at"] for row in page.summary["measurements"] if row["name"] == "total_requests"}
    counted = asked(page.prometheus_url, query, datetime.fromisoformat(moment).timestamp())
    assert {name: page.variant(name)[key] for name in VARIANTS} == {name: pytest.approx(scale * value) for name, value in counted.items()}


def test_readme_is_read_in_ten_minutes() -> None:
    lines = README.splitlines()
    assert len(lines) <= MOST_LINES
    prose = re.sub(r"^```.*?^```$|^\|[^\n]*$", "", README, flags=re.MULTILINE | re.DOTALL).splitlines()
    assert len(prose) > 50
    assert [line for line in prose if len(line) > MOST_COLUMNS] == []
