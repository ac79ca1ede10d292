"""Each script by its real file: from another folder, without a terminal, with a bare environment."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.scripts.checkout import LONGEST_SECONDS, ROOT, Checkout, make_checkout, python_without_packages

PNG = b"\x89PNG\r\n\x1a\n"
SMALL = ("--simulate", "--at", "2026-11-23T10:00:00Z", "--dpi", "50")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return make_checkout(tmp_path_factory.mktemp("shared"), ".venv", ".venv-dev")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return make_checkout(tmp_path, ".venv")


def test_every_script_that_a_document_names_is_there_and_can_be_started() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md"))}
    named = {page: set(re.findall(r"(?<![\w/-])(?:\./)?(scripts/[\w-]+\.(?:sh|py))", text)) for page, text in texts.items()}
    started = sorted(name for name in set().union(*named.values()) if not Path(name).name.startswith("_"))
    assert {"scripts/run-live-ab-dashboard.sh", "scripts/run-tests.sh"} <= named["README.md"]
    assert set(started) == {path.relative_to(ROOT).as_posix() for path in ROOT.glob("scripts/[!_]*.*")} == named["command-line.md"]
    assert [name for name in started if not os.access(ROOT / name, os.X_OK)] == []


@pytest.mark.parametrize(
    ("script", "named"),
    [
        ("setup-live-dashboards.sh", "--if-needed"),
        ("run-live-ab-dashboard.sh", "--require"),
        ("run-live-business-dashboard.sh", "--require"),
        ("run-demo.sh", "--keep"),
        ("interactive-live-dashboard.py", "--port"),
        ("live-dashboard-generator.py", "--from-snapshot"),
        ("live-business-impact-dashboard.py", "--from-snapshot"),
        ("test-database-connection.py", "--json"),
        ("run-tests.sh", "--collect-only"),
    ],
)
def test_each_script_explains_itself(shared: Checkout, script: str, named: str) -> None:
    outcome = shared.run(script, "--help")
    assert outcome.returncode == 0
    assert named in outcome.stdout


def test_the_cron_command_sets_itself_up_and_prints_only_the_path_written(checkout: Checkout) -> None:
    outcome = checkout.run("run-live-ab-dashboard.sh", *SMALL)
    image = Path(outcome.stdout.removesuffix("\n"))
    assert outcome.returncode == 0
    assert image.parent == checkout.root / "output"
    assert image.name.endswith("-SIMULATED.png")
    assert image.read_bytes().startswith(PNG)
    assert json.loads(image.with_suffix(".json").read_text())["data_source"] == "SIMULATED_DATA"
    assert checkout.settings.exists()


@pytest.mark.parametrize(("script", "stem"), [("run-live-ab-dashboard.sh", "live_ab_dashboard"), ("run-live-business-dashboard.sh", "business_impact_dashboard")])
def test_the_cron_commands_take_the_options_of_unattended_runs(checkout: Checkout, script: str, stem: str) -> None:
    output = checkout.root / "output"
    output.mkdir()
    (output / f"{stem}_20260101_000000-SIMULATED.png").touch()
    outcome = checkout.run(script, *SMALL, "--latest", "--keep", "1", "--metrics-file", "run.prom", RUN_TIMEOUT_SECONDS=f"{LONGEST_SECONDS}")
    assert outcome.returncode == 0
    assert sorted(path.name for path in output.iterdir()) == sorted(
        f"{stem}_{part}-SIMULATED.{suffix}" for part in ("20261123_100000", "latest") for suffix in ("png", "json")
    )
    assert (checkout.elsewhere / "run.prom").stat().st_mode & 0o777 == 0o644


def test_a_python_without_the_packages_continues_in_the_environment(checkout: Checkout) -> None:
    script = str(checkout.root / "scripts" / "live-dashboard-generator.py")
    outcome = checkout.run(*python_without_packages(), script, *SMALL, "--output", "here.png")
    assert (outcome.returncode, outcome.stdout) == (0, "here.png\n")
    assert (checkout.elsewhere / "here.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize("script", ["live-dashboard-generator.py", "live-business-impact-dashboard.py", "test-database-connection.py"])
def test_without_an_environment_a_script_names_the_set_up_and_exits_2(tmp_path: Path, script: str) -> None:
    bare = make_checkout(tmp_path)
    outcome = bare.run(sys.executable, str(bare.root / "scripts" / script))
    assert outcome.returncode == 2
    assert str(bare.root / "scripts" / "setup-live-dashboards.sh") in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def test_an_unfinished_environment_counts_as_none(tmp_path: Path) -> None:
    bare = make_checkout(tmp_path)
    (bare.root / ".venv" / "bin").mkdir(parents=True)
    (bare.root / ".venv" / "bin" / "python").symlink_to(sys.executable)
    assert bare.run(sys.executable, str(bare.root / "scripts" / "live-dashboard-generator.py")).returncode == 2


def test_the_settings_file_of_the_checkout_is_read_from_anywhere(checkout: Checkout) -> None:
    checkout.settings.write_text("AB_WINDOW=24\n")
    outcome = checkout.run("run-live-ab-dashboard.sh", *SMALL)
    assert outcome.returncode == 2
    assert "AB_WINDOW is '24'" in outcome.stderr
    assert outcome.stdout == ""


def test_the_exit_code_passes_through_the_wrapper(checkout: Checkout) -> None:
    outcome = checkout.run("run-live-ab-dashboard.sh", *SMALL, "--require", "partial", "--output", "less.png")
    assert (outcome.returncode, outcome.stdout) == (3, "less.png\n")


def test_the_connection_test_names_what_is_not_configured(checkout: Checkout) -> None:
    outcome = checkout.run("test-database-connection.py")
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert "MLFLOW_DB_HOST" in outcome.stderr
    assert "PROMETHEUS_URL" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_the_demo_draws_live_data(checkout: Checkout) -> None:
    outcome = checkout.run("run-demo.sh", "--dpi", "50", "--output", "demo.png", SOURCE_TIMEOUT_SECONDS=f"{LONGEST_SECONDS}")
    assert (outcome.returncode, outcome.stdout) == (0, "demo.png\ndemo-business.png\n")
    summaries = [json.loads((checkout.elsewhere / name).read_text()) for name in ("demo.json", "demo-business.json")]
    assert [summary["badge"] for summary in summaries] == ["LIVE DATA", "LIVE DATA"]
    assert summaries[1]["net_annual_value_interval"] is not None


def test_the_business_command_sets_itself_up_and_draws(checkout: Checkout) -> None:
    outcome = checkout.run("run-live-business-dashboard.sh", *SMALL)
    image = Path(outcome.stdout.removesuffix("\n"))
    assert outcome.returncode == 0
    assert image.name.startswith("business_impact_dashboard_")
    assert json.loads(image.with_suffix(".json").read_text())["recommendation"]["verdict"] == "withheld: simulated data"
