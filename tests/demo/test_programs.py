"""Which server programs are started: those that the environment names, else the installed ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from live_dashboards.app.cli import main
from live_dashboards.demo.programs import postgres_programs, prometheus_program, promtool_program
from live_dashboards.errors import SettingsError
from tests.support.engines import victoria_metrics_program

NAMED = {"PROMETHEUS_BINARY": prometheus_program, "VICTORIA_METRICS_BINARY": victoria_metrics_program, "POSTGRES_BIN": postgres_programs}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs that do nothing, in a folder that is not on the PATH; no engine is named."""
    for variable in NAMED:
        monkeypatch.delenv(variable, raising=False)
    for name in ("prometheus", "promtool", "other-build", "initdb", "postgres"):
        (tmp_path / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(("variable", "name"), [("PROMETHEUS_BINARY", "prometheus"), ("VICTORIA_METRICS_BINARY", "other-build"), ("POSTGRES_BIN", "")])
def test_what_the_environment_names_is_started(folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str, name: str) -> None:
    installed = NAMED[variable]()
    monkeypatch.setenv(variable, str(folder / name))
    assert NAMED[variable]() == folder / name != installed
    monkeypatch.setenv(variable, " ")
    assert NAMED[variable]() == installed


def test_a_name_from_the_current_folder_is_a_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PROMETHEUS_BINARY", "./other-build")
    assert prometheus_program() == folder / "other-build"


def test_promtool_is_the_one_beside_the_named_prometheus_else_the_installed_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = promtool_program()
    monkeypatch.setenv("PROMETHEUS_BINARY", str(folder / "prometheus"))
    assert promtool_program() == folder / "promtool"
    (folder / "promtool").unlink()
    assert promtool_program() == installed


@pytest.mark.parametrize("variable", NAMED)
@pytest.mark.parametrize("name", ["nothing-there", "a-folder", "not-to-be-run"])
def test_what_cannot_be_started_is_named_in_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str, name: str) -> None:
    (folder / "a-folder").mkdir()
    (folder / "not-to-be-run").write_text("#!/bin/sh\n", encoding="utf-8")
    monkeypatch.setenv(variable, str(folder / name))
    with pytest.raises(SettingsError, match=rf"^{variable} is '{folder / name}', but must be .+, such as /usr/\S+$"):
        NAMED[variable]()


def test_the_demo_says_which_name_it_cannot_start_and_takes_down_what_was_up(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PROMETHEUS_BINARY", str(folder))
    assert main(["demo"]) == 2
    assert f"PROMETHEUS_BINARY is '{folder}', but must be the path of a program" in capsys.readouterr().err
