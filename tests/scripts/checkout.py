"""A checkout of its own for a test: the real scripts and package, and where wanted the environments of this one, below a folder that only its owner can enter."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BARE = {"PATH": "/usr/bin:/bin"}
LONGEST_SECONDS = 600  # a set-up, or a whole demo, on a slow machine
_PARTS = ("scripts", "live_dashboards", "requirements.lock", "requirements-dev.lock", ".env.live-dashboards.example")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A copy of the project; programs in it start in `elsewhere`, with a bare environment and no terminal."""

    root: Path
    elsewhere: Path

    @property
    def settings(self) -> Path:
        return self.root / ".env.live-dashboards"

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a script of this checkout by its name, or any other program by its path."""
        program = command[0] if command[0].startswith("/") else str(self.root / "scripts" / command[0])
        place = {"env": BARE | environment, "cwd": self.elsewhere, "stdin": subprocess.DEVNULL}
        return subprocess.run([program, *command[1:]], **place, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS)


def make_checkout(folder: Path, *environments: str) -> Checkout:
    """A copy below a folder of mode 0700 with a space in its name; the named environments are those of this checkout."""
    private, elsewhere = folder / "only mine", folder / "elsewhere"
    private.mkdir(mode=0o700)
    elsewhere.mkdir()
    root = private / "live-dashboards"
    root.mkdir()
    for part in _PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, root / part)
    for name in environments:
        (root / name).symlink_to(ROOT / name)
    return Checkout(root, elsewhere)


def python_without_packages() -> tuple[str, ...]:
    """A Python that sees the standard library only."""
    base = getattr(sys, "_base_executable", sys.executable)
    return (str(Path(base).resolve()), "-I", "-S")
