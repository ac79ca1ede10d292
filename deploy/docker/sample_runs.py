"""Writes the demo's training runs into MLflow's tables, once, so that the composed page has something to
show; the settings say where.

It writes as the tables' owner. Leave it out where MLflow already holds runs of your own.
"""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import UTC, datetime

import psycopg2

from live_dashboards.demo.mlflow_rows import fill_tables
from live_dashboards.demo.world import EXPERIMENT
from live_dashboards.settings import load_settings


def main() -> None:
    """Fills the tables unless the demo's experiment is there."""
    settings = load_settings()
    address = {
        "host": settings["MLFLOW_DB_HOST"],
        "port": settings["MLFLOW_DB_PORT"],
        "dbname": settings["MLFLOW_DB_NAME"],
        "user": settings["MLFLOW_DB_USER"],
    }
    with closing(
        psycopg2.connect(**address, password=settings["MLFLOW_DB_PASSWORD"].reveal(), connect_timeout=10)
    ) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute("select exists (select from experiments where name = %s)", (EXPERIMENT,))
            is_there = cursor.fetchone() == (True,)
        if not is_there:
            fill_tables(connection, datetime.now(UTC))
    sys.stdout.write(f"{EXPERIMENT} {'was there' if is_there else 'written'}\n")


if __name__ == "__main__":
    main()
