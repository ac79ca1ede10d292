"""TLS as asked for: certificates that fit, that do not, that are missing, and a server without any."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from live_dashboards.demo.server_process import make_work_folder, postgres_account, remove_work_folder, run_program
from live_dashboards.demo.servers import PostgresServer
from live_dashboards.errors import SourceError
from live_dashboards.settings import load_settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow.postgres import MlflowConnection
from tests.support.pace import ends_within
from tests.support.waiting import LONGEST_SECONDS, wait_until

SELF_SIGNED = "req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key.pem -out cert.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost"
OF_A_CLIENT = "req -x509 -newkey rsa:2048 -nodes -days 2 -keyout client-key.pem -out client.pem -subj /CN=holder"
ONLY_WITH_A_CERTIFICATE = "hostssl all holder all scram-sha-256 clientcert=verify-full\n"


@dataclass(frozen=True)
class TlsServer:
    server: PostgresServer
    certificate: Path

    def connect(self, **settings: str) -> MlflowConnection:
        own = {"HOST": "localhost", "PORT": str(self.server.port), "NAME": "postgres", "USER": "postgres", "PASSWORD": self.server.password}
        environment = {**{f"MLFLOW_DB_{name}": text for name, text in own.items()}, **settings}
        return MlflowConnection(load_settings(environment=environment), deadline=Deadline(LONGEST_SECONDS))

    def refusal(self, **settings: str) -> SourceError:
        with pytest.raises(SourceError) as failed, self.connect(**settings):
            pass
        return failed.value


@pytest.fixture(scope="module")
def tls() -> Iterator[TlsServer]:
    account = postgres_account()
    folder = make_work_folder(account)
    try:
        for arguments in (SELF_SIGNED, OF_A_CLIENT):
            run_program(["/usr/bin/openssl", *arguments.split()], folder=folder, account=account)
        for key in ("key.pem", "client-key.pem"):
            (folder / key).chmod(0o600)
        files = {"ssl_cert_file": "cert.pem", "ssl_key_file": "key.pem", "ssl_ca_file": "client.pem"}
        with PostgresServer(settings={"ssl": "on", **{name: str(folder / file) for name, file in files.items()}}) as server:
            want_a_certificate(server)
            yield TlsServer(server, folder / "cert.pem")
    finally:
        remove_work_folder(folder)


def want_a_certificate(server: PostgresServer) -> None:
    """Lets the role `holder` in with a certificate of that name alone."""
    server.create_role("holder", "held")
    rules = next(server.folder.rglob("pg_hba.conf"))
    rules.write_text(ONLY_WITH_A_CERTIFICATE + rules.read_text())
    before = loaded_at(server)
    server.execute("select pg_reload_conf()")
    wait_until(lambda: loaded_at(server) > before, "a server with the new rules")


def loaded_at(server: PostgresServer) -> datetime:
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("select pg_conf_load_time()")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("mode", ["prefer", "require", "verify-ca", "verify-full"])
def test_each_mode_encrypts(tls, mode):
    verified = {"MLFLOW_DB_SSLROOTCERT": str(tls.certificate)} if mode.startswith("verify") else {}
    with tls.connect(MLFLOW_DB_SSLMODE=mode, **verified) as connected:
        assert connected.encryption == "TLSv1.3"
        assert connected.rows("tls", "select ssl from pg_stat_ssl where pid = pg_backend_pid()", {}) == [(True,)]


def test_disable_does_not_encrypt(tls):
    with tls.connect(MLFLOW_DB_SSLMODE="disable") as connected:
        assert connected.encryption is None


def test_an_unknown_authority_is_refused(tls, tmp_path):
    other = tmp_path / "other.pem"
    run_program(["/usr/bin/openssl", *SELF_SIGNED.split()], folder=tmp_path)
    (tmp_path / "cert.pem").rename(other)
    error = tls.refusal(MLFLOW_DB_SSLMODE="verify-ca", MLFLOW_DB_SSLROOTCERT=str(other))
    assert (error.code, "certificate verify failed" in error.reason) == ("tls_certificate", True)
    assert "MLFLOW_DB_SSLROOTCERT" in error.fix


def test_another_host_name_is_refused_by_verify_full_alone(tls):
    settings = {"MLFLOW_DB_HOST": "127.0.0.1", "MLFLOW_DB_SSLROOTCERT": str(tls.certificate)}
    error = tls.refusal(MLFLOW_DB_SSLMODE="verify-full", **settings)
    assert (error.code, "does not match host name" in error.reason) == ("tls_certificate", True)
    with tls.connect(MLFLOW_DB_SSLMODE="verify-ca", **settings) as connected:
        assert connected.encryption


def test_a_server_that_wants_a_client_certificate_gets_it(tls):
    held = {"MLFLOW_DB_USER": "holder", "MLFLOW_DB_PASSWORD": "held", "MLFLOW_DB_SSLMODE": "verify-full", "MLFLOW_DB_SSLROOTCERT": str(tls.certificate)}
    pair = {"MLFLOW_DB_SSLCERT": str(tls.certificate.with_name("client.pem")), "MLFLOW_DB_SSLKEY": str(tls.certificate.with_name("client-key.pem"))}
    with tls.connect(**held, **pair) as connected:
        assert connected.rows("name", "select client_dn from pg_stat_ssl where pid = pg_backend_pid()", {}) == [("/CN=holder",)]
    error = tls.refusal(**held)
    assert (error.code, "MLFLOW_DB_SSLCERT" in error.fix) == ("client_certificate", True)


def test_a_missing_certificate_file_is_named(tls):
    error = tls.refusal(MLFLOW_DB_SSLMODE="verify-full", MLFLOW_DB_SSLROOTCERT="/no/such.pem")
    assert (error.code, "/no/such.pem" in error.reason) == ("tls_file", True)


def test_a_wrong_password_over_tls_is_said_once_for_all_attempts(tls):
    error = tls.refusal(MLFLOW_DB_PASSWORD="wrong", MLFLOW_DB_HOST="127.0.0.1")
    assert error.reason == f"PostgreSQL 127.0.0.1:{tls.server.port} refuses user 'postgres' or its password"


def test_a_server_without_tls_says_so_where_it_is_wanted(mlflow_database):
    settings = load_settings(environment={**mlflow_database.environment, "MLFLOW_DB_SSLMODE": "require"})
    with pytest.raises(SourceError, match="offers no TLS") as failed, MlflowConnection(settings, deadline=Deadline(LONGEST_SECONDS)):
        pass
    assert failed.value.code == "tls_missing"


def test_a_hang_over_tls_is_ended_too(tls, fault_proxy):
    proxy = fault_proxy("127.0.0.1", tls.server.port)
    with tls.connect(MLFLOW_DB_HOST="127.0.0.1", MLFLOW_DB_PORT=str(proxy.port), MLFLOW_DB_SSLMODE="require") as connected:
        proxy.hang()
        threading.Timer(0.3, connected.abort).start()
        with ends_within(0.3), pytest.raises(SourceError, match="did not answer"):
            connected.rows("hanging", "select 1", {})
