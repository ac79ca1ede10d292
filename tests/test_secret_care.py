"""Secrets in a file that others can read, and passwords that a document shows, are told in one line; what a container engine mounts is not."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from live_dashboards.settings import load_settings, secrets

ROOT = Path(__file__).parents[1]
NOBODY = 65_534


@pytest.fixture
def open_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that everybody may enter, from the root on; pytest's own are for one user, so what is above them is taken for open."""
    real = Path.stat
    monkeypatch.setattr(Path, "stat", lambda self, **more: as_open(real(self, **more)) if self in tmp_path.parents else real(self, **more))
    tmp_path.chmod(0o755)
    return tmp_path


def as_open(found: os.stat_result) -> os.stat_result:
    return os.stat_result((found.st_mode | 0o011, *found[1:]))


def made(path: Path, text: str, mode: int, *, owner: int | None = None) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    if owner is not None and os.geteuid() == 0:
        os.chown(path, owner, -1)
    return path


def warnings_of(folder: Path, caplog: pytest.LogCaptureFixture, text: str, mode: int = 0o644, *, owner: int | None = None, **environment: str) -> list[str]:
    caplog.clear()
    made(folder / ".env.live-dashboards", text, mode, owner=owner)
    load_settings(environment=environment, base_folder=folder)
    return caplog.messages


@pytest.mark.parametrize("line", ["MLFLOW_DB_PASSWORD=hunter22", "PROMETHEUS_URL=http://u:hunter22@p:9090", "DASHBOARD_NOTIFY_URL=https://hooks.example/hunter22"])
def test_a_settings_file_with_a_secret_that_others_can_read_is_told_in_one_line(open_folder: Path, caplog: pytest.LogCaptureFixture, line: str) -> None:
    (found,) = warnings_of(open_folder, caplog, f"AB_WINDOW=1h\n{line}\n")
    assert found == f"{open_folder}/.env.live-dashboards holds {line.partition('=')[0]} and can be read by other users of this machine; run chmod 600 on it"


@pytest.mark.parametrize(("mode", "owner", "is_told"), [(0o600, None, False), (0o640, NOBODY, True), (0o640, 0, os.geteuid() != 0), (0o604, None, True)])
def test_it_is_for_its_owner_alone_or_root_s_and_for_a_group(open_folder: Path, caplog: pytest.LogCaptureFixture, *, mode: int, owner: int, is_told: bool) -> None:
    assert bool(warnings_of(open_folder, caplog, "MLFLOW_DB_PASSWORD=hunter22\n", mode, owner=owner)) is is_told


def test_a_file_without_a_secret_may_be_read_by_all(open_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert warnings_of(open_folder, caplog, "MLFLOW_DB_HOST=db\nMLFLOW_DB_PASSWORD=\nPROMETHEUS_URL=http://p:9090\n") == []


def test_a_file_in_a_folder_that_nobody_else_can_enter_is_read_by_nobody_else(open_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_folder.chmod(0o700)
    assert warnings_of(open_folder, caplog, "MLFLOW_DB_PASSWORD=hunter22\n") == []


def test_a_secret_s_own_file_is_looked_at_too(open_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = made(open_folder / "token", "hunter22", 0o644)
    (found,) = warnings_of(open_folder, caplog, "", PROMETHEUS_BEARER_TOKEN_FILE=str(path))
    assert found.startswith(f"{path} holds PROMETHEUS_BEARER_TOKEN and can be read by other users")
    path.chmod(0o600)
    assert warnings_of(open_folder, caplog, "", PROMETHEUS_BEARER_TOKEN_FILE=str(path)) == []


def test_what_kubernetes_or_docker_mounted_is_not_told(open_folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kubelet lays a Secret out: a dated folder, the link `..data` to it, and each key a link through that."""
    (open_folder / "..2026_11_26").mkdir()
    made(open_folder / "..2026_11_26/token", "hunter22", 0o444)
    (open_folder / "..data").symlink_to("..2026_11_26")
    (open_folder / "token").symlink_to("..data/token")
    assert warnings_of(open_folder, caplog, "", PROMETHEUS_BEARER_TOKEN_FILE=str(open_folder / "token")) == []
    made(open_folder / "plain", "hunter22", 0o444)
    monkeypatch.setattr(secrets, "_CONTAINER_SECRETS", open_folder)  # /run/secrets, which no test may write
    assert warnings_of(open_folder, caplog, "", PROMETHEUS_BEARER_TOKEN_FILE=str(open_folder / "plain")) == []


@pytest.mark.parametrize(
    "setting",
    [
        "MLFLOW_DB_PASSWORD=your_secure_password",
        "MLFLOW_DB_URL=postgresql+psycopg2://mlflow:your_password@192.168.1.100:5432/mlflow",
        "MLFLOW_DB_URL=postgresql://mlflow:password@host:5432/mlflow",
        "PROMETHEUS_URL=http://u:Changeme@p:9090",
        "DASHBOARD_CACHE_URL=redis://:REPLACE-ME@redis.live-dashboards.svc.cluster.local:6379/0",
        "PROMETHEUS_BEARER_TOKEN=secret",
    ],
)
def test_a_placeholder_is_told_and_does_not_end_the_run(tmp_path: Path, caplog: pytest.LogCaptureFixture, setting: str) -> None:
    name, _, value = setting.partition("=")
    settings = load_settings(environment={name: value}, base_folder=tmp_path)
    assert settings.placeholders == (name,)
    assert caplog.messages == [f"{name} is a placeholder of the documentation; set the real one"]


def test_every_password_that_a_document_or_an_example_shows_is_a_known_placeholder(tmp_path: Path) -> None:
    texts = [
        path.read_text(encoding="utf-8") for path in (ROOT / "README.md", ROOT / ".env.live-dashboards.example", *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/**/*.yaml"))
    ]
    urls = {url for text in texts for url in re.findall(r"(?:postgresql(?:\+psycopg2)?|rediss?)://[^/\s:]*:[^@\s]+@[^\s`'…]*", text)}
    words = {word for text in texts for word in re.findall(r"^\s*#?MLFLOW_DB_PASSWORD=(\S+)", text, re.MULTILINE)}
    assert len(urls) >= 4
    assert words == {"your_secure_password"}
    shown = [*(("DASHBOARD_CACHE_URL" if url.startswith("redis") else "MLFLOW_DB_URL", url) for url in urls), *(("MLFLOW_DB_PASSWORD", word) for word in words)]
    assert [value for name, value in shown if not load_settings(environment={name: value}, base_folder=tmp_path).placeholders] == []


def test_a_real_password_is_no_placeholder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    environment = {"MLFLOW_DB_URL": "postgresql://password:hunter22@password/secret", "PROMETHEUS_HEADERS": "X-Key: password of mine"}
    assert load_settings(environment=environment, base_folder=tmp_path).placeholders == ()
    assert caplog.messages == []
