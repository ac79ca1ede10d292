"""The demo on its real servers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psycopg2
import pytest
import requests

from live_dashboards.demo import programs
from live_dashboards.demo.demo import Demo
from live_dashboards.demo.exporter import Exporter
from live_dashboards.demo.programs import MissingProgramError
from live_dashboards.demo.world import INSTANCES, World
from live_dashboards.settings import load_settings
from tests.support.waiting import LONGEST_SECONDS, wait_until

SCRAPED = "max_over_time(up[1d]) == 1"  # once at least: a machine that stands still misses some


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with Demo(history_days=1.2) as running:
        wait_until(lambda: len(answers(running, SCRAPED)) == len(INSTANCES), "a scrape of every instance")
        yield running


def answers(demo: Demo, query: str) -> list[tuple[dict[str, str], float]]:
    answer = requests.get(f"{demo.environment['PROMETHEUS_URL']}/api/v1/query", params={"query": query}, timeout=LONGEST_SECONDS)
    result: list[dict[str, Any]] = answer.json()["data"]["result"]
    return [(series["metric"], float(series["value"][1])) for series in result]


def test_prometheus_scrapes_every_instance(demo: Demo) -> None:
    assert sorted(labels["instance"] for labels, _ in answers(demo, SCRAPED)) == sorted(instance.name for instance in INSTANCES)


def test_the_scraped_series_go_on_where_the_history_ended(demo: Demo) -> None:
    assert [value for _, value in answers(demo, "count(count_over_time(ab_test_requests_total[1d]))")] == [2 * len(INSTANCES)]
    assert {value for _, value in answers(demo, "resets(ab_test_requests_total[1d])")} == {0.0}


def test_the_history_reaches_back_over_the_whole_window(demo: Demo) -> None:
    counted = {labels["model_name"]: value for labels, value in answers(demo, "sum by (model_name) (increase(ab_test_requests_total[1d]))")}
    assert counted["baseline-predictor"] == pytest.approx(86400 * World(0).mean_requests_per_second * 0.7, rel=0.03)
    assert counted["enhanced-predictor"] == pytest.approx(86400 * World(0).mean_requests_per_second * 0.3, rel=0.03)


def test_what_prometheus_stores_is_what_the_world_says() -> None:
    world = World(time.time() // 1 - 7200)
    with Exporter(world) as exporter:
        before, text, after = time.time(), requests.get(f"http://{exporter.address}{exporter.path(INSTANCES[0])}", timeout=LONGEST_SECONDS).text, time.time()
        assert requests.get(f"http://{exporter.address}/metrics", timeout=LONGEST_SECONDS).status_code == 404
    told = next(int(line.split()[-1]) for line in text.splitlines() if line.startswith("ab_test_errors_total{"))
    low, high = world.state(INSTANCES[0], np.array([before, after])).errors
    assert low <= told <= high


def test_the_account_can_read_and_not_write(demo: Demo) -> None:
    host, port, name, user, password = (demo.environment[f"MLFLOW_DB_{fact}"] for fact in ("HOST", "PORT", "NAME", "USER", "PASSWORD"))
    with closing(psycopg2.connect(host=host, port=port, dbname=name, user=user, password=password)) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from experiments where name like 'demo-ab-%'")
        assert cursor.fetchone() == (3,)
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
            cursor.execute("delete from runs")


def test_the_settings_can_be_pasted_into_a_file(demo: Demo, tmp_path: Path) -> None:
    pasted = tmp_path / "settings"
    pasted.write_text(demo.settings_text(), encoding="utf-8")
    settings = load_settings(env_file=pasted, environment={})
    assert settings.has_mlflow
    assert settings.has_prometheus
    assert settings.split_at(datetime.now(UTC)) == pytest.approx({"baseline": 0.7, "enhanced": 0.3})


def test_without_prometheus_it_goes_on_and_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PROMETHEUS_BINARY", raising=False)
    with Demo() as demo:
        assert "PROMETHEUS_URL" not in demo.environment
        assert "apt-get install prometheus" in " ".join(demo.notes)
        assert "MLFLOW_DB_HOST" in demo.environment


def test_without_postgresql_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("POSTGRES_BIN", raising=False)
    monkeypatch.setattr(programs, "POSTGRES_VERSIONS", tmp_path)
    with pytest.raises(MissingProgramError, match="apt-get install postgresql") as refused:
        Demo().start()
    assert refused.value.exit_code == 1
