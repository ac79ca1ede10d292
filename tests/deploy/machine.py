"""The machine that the files below deploy/ describe, without an engine: their paths, their user, a root file system that cannot be written."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.waiting import LONGEST_SECONDS

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
USER = 10001
IMAGE_PATH = "/opt/live-dashboards/.venv/bin:/usr/local/bin:/usr/bin:/bin"


def _python():
    """The installation behind .venv."""
    lines = (ROOT / ".venv/pyvenv.cfg").read_text().splitlines()
    return Path(next(line.partition("=")[2].strip() for line in lines if line.startswith("home"))).resolve().parent


def _can_have_mounts():
    return os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False).returncode == 0


needs_mounts = pytest.mark.skipif(not _can_have_mounts(), reason="only root with the right to mount can give a command the folders of an image")


class Machine:
    """One run's folders; `run` waits, `start` does not. What is written to /var/lib/live-dashboards is in `state`."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("state", "cache", "run"):
            (folder / name).mkdir(parents=True)
        for name in ("state", "cache"):
            os.chown(folder / name, USER, USER)

    @property
    def state(self):
        return self.folder / "state"

    @property
    def pictures(self):
        return sorted(path.name for path in self.state.glob("*.png"))

    def secret(self, path, text):
        """Puts a file where the manifest mounts it: systemd for its user alone, the others for everybody inside."""
        inside = self.folder / "run" / Path(path).relative_to("/run")
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.write_text(text)
        if path.startswith("/run/credentials/"):
            os.chown(inside, USER, USER)
        inside.chmod(0o400 if path.startswith("/run/credentials/") else 0o444)

    def settings(self, values):
        """The settings file of a checkout at /opt/live-dashboards."""
        (self.folder / "settings").write_text("".join(f"{name}='{value}'\n" for name, value in values.items()))

    def start(self, command, environment, *, proc="all", confine=(), **more):
        arguments = ["unshare", "--mount", HERE / "machine.sh", self.folder, ROOT, _python(), str(USER), proc, *confine, *command]
        return subprocess.Popen([str(part) for part in arguments], env={"PATH": IMAGE_PATH, **environment}, stdin=subprocess.DEVNULL, text=True, **more)

    def run(self, command, environment, **more):
        with self.start(command, environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more) as process:
            try:
                stdout, stderr = process.communicate(timeout=LONGEST_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)
