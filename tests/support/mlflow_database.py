"""One database with MLflow's tables for one test, and how to reach it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 # a class under a lower-case name

from live_dashboards.demo.servers import PostgresServer
from tests.support.mlflow_truth import MlflowTruth

READ_TABLES = "experiments, runs, metrics, latest_metrics, params, tags"
DOCUMENTED_TABLES = {*READ_TABLES.split(", "), "model_versions", "registered_model_aliases", "alembic_version"}  # what the reader of docs/security.md may read


@dataclass(frozen=True)
class MlflowDatabase:
    """Connection facts; `truth` writes into it as MLflow does, `environment` holds the settings that make the product read it."""

    server: PostgresServer
    name: str
    user: str
    password: str
    version: int

    @property
    def host(self) -> str:
        return self.server.host

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def truth(self) -> MlflowTruth:
        return MlflowTruth(self.connect)

    @property
    def environment(self) -> dict[str, str]:
        values = {"HOST": self.host, "PORT": str(self.port), "NAME": self.name, "USER": self.user, "PASSWORD": self.password}
        return {f"MLFLOW_DB_{key}": value for key, value in values.items()}

    def connect(self) -> Connection:
        return psycopg2.connect(host=self.host, port=self.port, dbname=self.name, user=self.user, password=self.password, connect_timeout=60)

    def execute(self, statement: str, parameters: tuple[object, ...] = ()) -> None:
        """Run a statement in this database as the superuser."""
        self.server.execute(statement, parameters, database=self.name)

    def reader(self) -> MlflowDatabase:
        """The same database through a role that can only read what the dashboards need."""
        role = f"reader_of_{self.name}"
        self.server.create_role(role, "only-reads-8d1")
        self.execute(f"grant connect on database {self.name} to {role}")
        self.execute(f"grant usage on schema public to {role}")
        self.execute(f"grant select on {READ_TABLES} to {role}")
        return replace(self, user=role, password="only-reads-8d1")


def drop_database(postgres: PostgresServer, name: str) -> None:
    """Remove a database with whoever is connected to it."""
    postgres.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
