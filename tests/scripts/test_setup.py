"""The set-up, for real: environments made from a lock that names no package, so that nothing is fetched."""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path

import pytest

from live_dashboards.settings import load_settings
from live_dashboards.web.access.passwords import matches
from tests.scripts.checkout import BARE, LONGEST_SECONDS, Checkout, make_checkout

NOTHING = "# nothing\n"


@pytest.fixture
def fresh(tmp_path: Path) -> Checkout:
    """A checkout where nothing is set up."""
    checkout = make_checkout(tmp_path)
    (checkout.root / "requirements.lock").write_text(NOTHING)
    return checkout


@pytest.fixture
def ready(tmp_path: Path) -> Checkout:
    """A checkout with this one's environment."""
    return make_checkout(tmp_path, ".venv")


def test_set_up_makes_the_environment_with_the_package_and_its_command_in_it(fresh: Checkout) -> None:
    assert fresh.run("setup-live-dashboards.sh").returncode == 0
    shown = fresh.run(str(fresh.root / ".venv/bin/python"), "-c", "import live_dashboards as package; print(package.__file__)")
    assert shown.stdout == f"{fresh.root}/live_dashboards/__init__.py\n"
    assert fresh.run(str(fresh.root / ".venv/bin/live-dashboards"), "--version").stdout.startswith("live-dashboards ")


def test_an_interrupted_set_up_is_made_anew(fresh: Checkout) -> None:
    left_over = fresh.root / ".venv" / "bin" / "python"
    left_over.parent.mkdir(parents=True)
    left_over.write_text("half a file")
    left_over.chmod(0o755)
    assert fresh.run("setup-live-dashboards.sh").returncode == 0
    assert fresh.run(str(left_over), "-c", "print('whole')").stdout == "whole\n"


def test_a_changed_lock_makes_the_environment_anew_and_the_same_lock_does_not(fresh: Checkout) -> None:
    fresh.run("setup-live-dashboards.sh")
    left_over = fresh.root / ".venv" / "left-over"
    left_over.touch()
    fresh.run("setup-live-dashboards.sh")
    assert left_over.exists()
    (fresh.root / "requirements.lock").write_text(f"{NOTHING}# still nothing\n")
    fresh.run("setup-live-dashboards.sh")
    assert not left_over.exists()


def test_of_two_first_runs_at_once_one_works_and_the_other_waits(fresh: Checkout) -> None:
    command = [str(fresh.root / "scripts" / "setup-live-dashboards.sh"), "--if-needed"]
    both = [subprocess.Popen(command, env=BARE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=LONGEST_SECONDS)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("Setting up .venv" in text for text in said) == 1


def test_a_package_that_cannot_be_had_fails_with_a_sentence_and_leaves_it_unfinished(fresh: Checkout) -> None:
    (fresh.root / "requirements.lock").write_text(f"no-such-package==1 --hash=sha256:{'0' * 64}\n")
    outcome = fresh.run("setup-live-dashboards.sh", PIP_NO_INDEX="1")
    assert outcome.returncode == 1
    assert outcome.stderr.endswith("The packages of requirements.lock could not be installed; see above, and run this again.\n")
    assert not (fresh.root / ".venv" / "installed.lock").exists()


def test_the_settings_file_is_made_once_for_its_owner_only(ready: Checkout) -> None:
    ready.run("setup-live-dashboards.sh")
    assert stat.S_IMODE(ready.settings.stat().st_mode) == 0o600
    example = (ready.root / ".env.live-dashboards.example").read_text().splitlines()
    made = ready.settings.read_text().splitlines()
    assert [line for line in made if line not in example] == [line for line in made if line.startswith("DASHBOARD_PASSWORD_HASH='scrypt:")]
    assert len(made) == len(example)
    assert sorted(ready.root.glob(".env.live-dashboards*")) == [ready.settings, Path(f"{ready.settings}.example")]


def test_the_set_up_makes_a_login_whose_password_it_shows_once(ready: Checkout) -> None:
    first, second = ready.run("setup-live-dashboards.sh"), ready.run("setup-live-dashboards.sh")
    shown = re.findall(r"user dashboard, password ([\w-]{20,}) ", first.stderr)
    password_hash = load_settings(environment={}, base_folder=ready.root)["DASHBOARD_PASSWORD_HASH"]
    assert len(shown) == 1
    assert matches(password_hash.reveal(), shown[0])
    assert shown[0] not in second.stderr + ready.settings.read_text()


def test_each_set_up_makes_another_password(ready: Checkout) -> None:
    ready.run("setup-live-dashboards.sh")
    first = ready.settings.read_text()
    ready.settings.unlink()
    ready.run("setup-live-dashboards.sh")
    assert ready.settings.read_text() != first


def test_without_the_web_packages_there_is_a_settings_file_and_a_sentence(fresh: Checkout) -> None:
    outcome = fresh.run("setup-live-dashboards.sh")
    assert "No login for the web page could be made" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert fresh.settings.read_text() == (fresh.root / ".env.live-dashboards.example").read_text()


def test_of_two_set_ups_at_once_one_makes_the_settings_and_tells_the_password_that_holds(ready: Checkout) -> None:
    command = [str(ready.root / "scripts" / "setup-live-dashboards.sh")]
    both = [subprocess.Popen(command, env=BARE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    shown = re.findall(r"password ([\w-]{20,}) ", "".join(process.communicate(timeout=LONGEST_SECONDS)[1] for process in both))
    password_hash = load_settings(environment={}, base_folder=ready.root)["DASHBOARD_PASSWORD_HASH"]
    assert [matches(password_hash.reveal(), password) for password in shown] == [True]


def test_a_settings_file_that_cannot_be_finished_is_not_begun(ready: Checkout) -> None:
    (ready.root / ".env.live-dashboards.example").unlink()
    assert ready.run("setup-live-dashboards.sh").returncode != 0
    assert sorted(ready.root.glob(".env.live-dashboards*")) == []


def test_a_settings_file_that_is_there_stays_as_it_is(ready: Checkout) -> None:
    ready.settings.write_text("AB_EXPERIMENT=mine\n")
    ready.settings.chmod(0o640)
    assert ready.run("setup-live-dashboards.sh").returncode == 0
    assert ready.settings.read_text() == "AB_EXPERIMENT=mine\n"
    assert stat.S_IMODE(ready.settings.stat().st_mode) == 0o640


def test_stdout_stays_empty_and_if_needed_says_nothing_once_all_is_there(ready: Checkout) -> None:
    first, second = ready.run("setup-live-dashboards.sh"), ready.run("setup-live-dashboards.sh", "--if-needed")
    assert (first.stdout, second.stdout, second.stderr) == ("", "", "")
    assert "Ready" in first.stderr


def test_an_unknown_option_is_a_usage_error(ready: Checkout) -> None:
    outcome = ready.run("setup-live-dashboards.sh", "--force")
    assert outcome.returncode == 2
    assert "--force" in outcome.stderr


def test_the_tests_say_which_programs_are_missing_where_they_may_not_install_them(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path, ".venv", ".venv-dev")
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "readlink", "dirname", "cmp"):
        (programs / name).symlink_to(Path("/usr/bin") / name)
    (programs / "id").write_text("#!/bin/sh\necho 1000\n")
    (programs / "id").chmod(0o755)
    outcome = checkout.run("run-tests.sh", PATH=str(programs))
    assert outcome.returncode == 1
    assert "apt-get install" in outcome.stderr
    assert "prometheus" in outcome.stderr
    assert outcome.stdout == ""
