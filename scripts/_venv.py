"""Runs a command of live_dashboards in the project's own environment, whichever python3 started the script.

Old interpreters read this file too, so it keeps to what every Python 3 understands.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"


def run(command: list) -> None:
    """Run the command with this script's own options, and exit with its code."""
    if Path(sys.prefix).resolve() != VENV.resolve():
        _continue_in_venv()
    sys.path.insert(0, str(ROOT))  # the code beside this script, not another installation
    from live_dashboards.app.cli import main

    sys.exit(main([*command, *sys.argv[1:]], base_folder=ROOT))


def _continue_in_venv() -> None:
    python = VENV / "bin" / "python"
    if not (VENV / "installed.lock").is_file() or not os.access(str(python), os.X_OK):
        sys.stderr.write(
            "The environment {} is not set up; run {} once.\n".format(
                VENV, ROOT / "scripts" / "setup-live-dashboards.sh"
            )
        )
        sys.exit(2)
    os.execv(str(python), [str(python), *sys.argv])  # noqa: S606 - the same script, by another Python


if __name__ == "__main__":
    run([])
