"""MLflow's clients and servers of several versions, each in an environment of its own outside of the checkout, and the test that runs them.

    .venv-dev/bin/python -m tests.support.mlflow_versions

makes the environments that are missing (a few minutes, once) and runs tests/pipeline/test_mlflow_versions.py, which is no part of the suite.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FOLDER_VARIABLE = "MLFLOW_ENVIRONMENTS"
# 2.22 does not import with SQLAlchemy 2.1; the newest is what pip can install of 3.x
VERSIONS = {"2.22": ("mlflow==2.22.*", "sqlalchemy<2.1"), "3.10": ("mlflow==3.10.*",), "newest": ("mlflow>=3.11,<4",)}
FOLDER = Path("~/.cache/live-dashboards-mlflow")
TEST = "tests/pipeline/test_mlflow_versions.py"


def python_of(version: str) -> Path:
    """The interpreter of that MLflow; only where the folder is named."""
    return Path(os.environ[FOLDER_VARIABLE]) / version / "bin" / "python"


def make_environments(folder: Path) -> None:
    """Those that are missing; one is there once all of it is."""
    for version, packages in VERSIONS.items():
        environment = folder / version
        if (environment / "made").exists():
            continue
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True)
        subprocess.run([str(environment / "bin" / "pip"), "install", "--quiet", *packages, "psycopg2-binary"], check=True)
        (environment / "made").touch()


def main() -> int:
    folder = FOLDER.expanduser()
    make_environments(folder)
    command = [sys.executable, "-m", "pytest", TEST, *sys.argv[1:]]
    return subprocess.run(command, env={**os.environ, FOLDER_VARIABLE: str(folder)}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
