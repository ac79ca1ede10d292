"""The demo's servers and the tests' own fixtures, on the real programs."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
import pytest
import requests

from live_dashboards.demo.server_process import LONGEST_PATH, ServerStartError, hold_port, make_work_folder, postgres_account, remove_work_folder
from live_dashboards.demo.servers import PostgresServer, PrometheusServer
from tests.conftest import RunningPrometheus
from tests.support.closed_network import NetworkClosedError
from tests.support.fault_proxy import FaultProxy
from tests.support.mlflow_database import MlflowDatabase
from tests.support.prometheus_truth import PrometheusTruth
from tests.support.standard_truth import BASELINE, ENHANCED
from tests.support.waiting import LONGEST_SECONDS

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ask(url: str, query: str, at: float) -> dict[str, float]:
    answer = requests.post(f"{url}/api/v1/query", data={"query": query, "time": at}, timeout=LONGEST_SECONDS).json()
    return {series["metric"].get("model_name", ""): float(series["value"][1]) for series in answer["data"]["result"]}


def test_a_wrong_password_is_refused(postgres: PostgresServer) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        postgres.connect(password="wrong")


def test_postgres_leaves_nothing_behind() -> None:
    with PostgresServer() as server:
        folder, process_id = server.folder, server.process_id
    assert not folder.exists()
    assert process_id is not None
    assert not Path(f"/proc/{process_id}").exists()


def test_a_server_that_fails_to_start_names_the_cause_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(ServerStartError, match="no-such-flag"):
        PrometheusServer(flags=["--no-such-flag"]).start()
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_folder_that_the_account_cannot_enter_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    account = postgres_account()
    folder = make_work_folder(account)
    remove_work_folder(folder)
    assert folder.is_relative_to(tmp_path) == (account is None and len(str(folder)) <= LONGEST_PATH)


def test_a_held_port_refuses_is_given_to_nobody_else_and_can_be_had_by_the_server_it_is_for() -> None:
    with hold_port() as held:
        address = held.getsockname()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        with socket.socket() as stranger, pytest.raises(OSError, match="already in use"):
            stranger.bind(address)
        with socket.create_server(address) as server, socket.create_connection(address), server.accept()[0]:
            pass


def test_a_running_server_keeps_its_port_to_itself(standard_prometheus: RunningPrometheus) -> None:
    with socket.socket() as stranger, pytest.raises(OSError, match="already in use"):
        stranger.bind((standard_prometheus.host, standard_prometheus.port))


@pytest.mark.mlflow_versions(2, 3)
def test_the_written_truth_is_what_the_tables_hold(mlflow_database: MlflowDatabase) -> None:
    truth = mlflow_database.truth
    run = truth.run(truth.experiment("ab-test"), "enhanced", metrics={"loss": math.nan}, params={"test_size": 20000})
    truth.metric(run, "accuracy", 0.9, AT, step=5)
    truth.metric(run, "accuracy", math.inf, AT, step=2)
    with closing(mlflow_database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("select key, value, step, is_nan from latest_metrics order by key")
        assert cursor.fetchall() == [("accuracy", 0.9, 5, False), ("loss", 0.0, 0, True)]
        cursor.execute("select key, value from params order by key")
        assert cursor.fetchall() == [("model_variant", "enhanced"), ("test_size", "20000")]


def test_the_reader_cannot_write(mlflow_reader: MlflowDatabase) -> None:
    with closing(mlflow_reader.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from runs")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("delete from runs")


def test_prometheus_counts_what_the_truth_counted(standard_prometheus: RunningPrometheus) -> None:
    counted = ask(standard_prometheus.url, "sum by (model_name) (increase(ab_test_requests_total[3h]))", standard_prometheus.end)
    truth = standard_prometheus.truth
    assert counted == pytest.approx({model: truth.increase("ab_test_requests_total", model_name=model) for model in (BASELINE, ENHANCED)}, rel=1e-12)
    assert counted[BASELINE] == 13.26 * 3 * 3600


def test_resets_gaps_and_late_starts_are_counted_once(prometheus: Callable[..., RunningPrometheus], end_moment: float) -> None:
    truth = PrometheusTruth(start=end_moment - 3600, end=end_moment)
    truth.counter("made_total", {"model_name": "restarted"}, 2.0, resets=[end_moment - 1800])
    truth.counter("made_total", {"model_name": "unscraped"}, [(truth.start, 1.0), (end_moment - 600, 3.0)], gaps=[(end_moment - 1200, end_moment - 900)])
    truth.counter("made_total", {"model_name": "late"}, 4.0, starts_at=end_moment - 900)
    counted = ask(prometheus(truth).url, "increase(made_total[1h])", end_moment)
    assert counted == pytest.approx({"restarted": 7170.0, "unscraped": 3000 + 1800.0, "late": 3600.0}, rel=0.01)
    assert truth.increase("made_total", model_name="late") == 3600.0


def test_buckets_and_sum_follow_the_given_rates(prometheus: Callable[..., RunningPrometheus], end_moment: float) -> None:
    truth = PrometheusTruth(start=end_moment - 600, end=end_moment)
    truth.histogram("took_seconds", {"model_name": "m"}, {0.1: 3.0, 0.2: 1.0})
    truth.gauge("held", {"model_name": "m"}, math.nan)
    url = prometheus(truth).url
    assert ask(url, "histogram_quantile(0.5, rate(took_seconds_bucket[10m]))", end_moment)["m"] == pytest.approx(0.1 * 2 / 3)
    assert ask(url, "increase(took_seconds_sum[10m])", end_moment)["m"] == pytest.approx(600 * (3 * 0.05 + 0.15))
    assert math.isnan(ask(url, "held", end_moment)["m"])


def test_the_proxy_passes_until_told_otherwise(standard_prometheus: RunningPrometheus, fault_proxy: Callable[[str, int], FaultProxy]) -> None:
    proxy = fault_proxy(standard_prometheus.host, standard_prometheus.port)
    ready = f"{proxy.url}/-/ready"
    with socket.create_connection((proxy.host, proxy.port)) as raw:
        raw.sendall(b"GET /-/ready HTTP/1.0\r\n\r\n")
        head = raw.recv(4096).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    proxy.refuse()
    with pytest.raises(requests.ConnectionError, match="refused"):
        requests.get(ready, timeout=LONGEST_SECONDS)
    proxy.hang()
    with pytest.raises(requests.ReadTimeout):
        requests.get(ready, timeout=(LONGEST_SECONDS, 0.3))
    proxy.garbage()
    with pytest.raises(requests.ConnectionError, match=r"BadStatusLine|Connection aborted"):
        requests.get(ready, timeout=LONGEST_SECONDS)
    proxy.cut(len(head) + 5)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(ready, timeout=LONGEST_SECONDS)
    proxy.http_reply(502, "text/html", "<h1>bad gateway</h1>")
    assert requests.post(ready, data={"query": "up"}, timeout=LONGEST_SECONDS).text == "<h1>bad gateway</h1>"
    proxy.pass_through()
    assert requests.get(ready, timeout=LONGEST_SECONDS).status_code == 200
    assert proxy.connections == 6


def test_the_proxy_trickles(standard_prometheus: RunningPrometheus, fault_proxy: Callable[[str, int], FaultProxy]) -> None:
    proxy = fault_proxy(standard_prometheus.host, standard_prometheus.port)
    proxy.slow(400)
    began = time.monotonic()
    answer = requests.get(f"{proxy.url}/-/ready", timeout=LONGEST_SECONDS)
    assert time.monotonic() - began > len(answer.content) / 400


def test_sockets_leave_no_further_than_loopback() -> None:
    with socket.socket() as outward, pytest.raises(NetworkClosedError, match=r"192\.0\.2\.1"):
        outward.connect(("192.0.2.1", 80))
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("example.invalid", 80)
