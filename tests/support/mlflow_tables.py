"""MLflow's tables, made by MLflow itself: into a database, and from there into a file that psycopg2 can run.

    python -m tests.support.mlflow_tables PYTHON FILE

writes FILE from a new database that the MLflow of PYTHON filled.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from live_dashboards.demo.programs import postgres_programs
from live_dashboards.demo.servers import PostgresServer

SCHEMA_OF_MLFLOW_2 = Path(__file__).parent / "mlflow_2_22_schema.sql"
SCHEMA_OF_MLFLOW_3 = Path(__file__).parents[2] / "live_dashboards" / "demo" / "mlflow_schema.sql"

FIRST_CALL = "import sys; from mlflow import MlflowClient; MlflowClient(tracking_uri=sys.argv[1]).search_experiments()"
VERSION = "import mlflow; print(mlflow.__version__)"
HEADER = """\
-- The tables of MLflow {version} with the rows that MLflow itself puts into a new database. Made, not written:
--   python -m venv made && made/bin/pip install {packages}
--   createdb mlflow
--   made/bin/python -c "from mlflow import MlflowClient; MlflowClient(tracking_uri='postgresql:///mlflow').search_experiments()"
--   pg_dump --inserts --no-owner --no-privileges mlflow
-- without the SET lines, comments and psql commands: python -m tests.support.mlflow_tables made/bin/python FILE does it all.

"""
_LEFT_OUT = ("--", "\\", "SET ", "SELECT pg_catalog.set_config")


def make_tables(uri: str, python: str = sys.executable) -> None:
    """Let MLflow's own client make its tables, as its first call to an empty database does."""
    arguments = [python, "-W", "ignore", "-c", FIRST_CALL, uri]
    done = subprocess.run(arguments, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def tracking_uri(server: PostgresServer, database: str, user: str | None = None, password: str | None = None) -> str:
    return f"postgresql+psycopg2://{user or server.user}:{quote(password or server.password, safe='')}@{server.host}:{server.port}/{database}"


def dump_tables(uri: str) -> str:
    arguments = ["--inserts", "--no-owner", "--no-privileges", uri.replace("+psycopg2", "")]
    done = subprocess.run([postgres_programs() / "pg_dump", *arguments], capture_output=True, text=True, check=True)
    kept = [line for line in done.stdout.splitlines() if line and not line.startswith(_LEFT_OUT)]
    return "\n".join(kept) + "\n"


def main(python: str, path: str) -> None:
    version = subprocess.run([python, "-W", "ignore", "-c", VERSION], cwd="/", capture_output=True, text=True, check=True).stdout.strip()
    packages = f"mlflow=={version} psycopg2-binary" + (" 'sqlalchemy<2.1'" if version.startswith("2.") else "")
    with PostgresServer() as server:
        server.create_database("mlflow")
        uri = tracking_uri(server, "mlflow")
        make_tables(uri, python)
        Path(path).write_text(HEADER.format(version=version, packages=packages) + dump_tables(uri), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
