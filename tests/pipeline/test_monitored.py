"""`--metrics-file` and `--notify-url` by the real command: what the monitoring and the channel get, also of runs that fail."""

import re
import signal
import subprocess
import time

import pytest

from live_dashboards.demo.programs import promtool_program
from tests.pipeline.command import at
from tests.pipeline.test_unattended import hanging, wait_for_lock
from tests.support.ports import closed_port
from tests.support.receiver import Receiver, wait_for_confirmation
from tests.support.waiting import LONGEST_SECONDS

SMALL = ("--dpi", "50")
METRICS = ("--metrics-file", "live.prom")
SECRET = "/services/T000/B111/verysecret"


@pytest.fixture
def receiver(monkeypatch):
    wait_for_confirmation(monkeypatch)
    with Receiver() as running:
        yield running


def metrics(folder):
    path = folder / "live.prom"
    subprocess.run([promtool_program(), "check", "metrics"], input=path.read_bytes(), check=True)
    assert path.stat().st_mode & 0o777 == 0o644
    rows = [line.rpartition(" ") for line in path.read_text().splitlines() if not line.startswith("#")]
    return {name.removeprefix("live_dashboards_run_"): float(value) for name, _, value in rows}


def test_a_run_and_then_a_failure_and_then_less_than_required(run, worlds, tmp_path):
    label, began = '{dashboard="ab",experiment="base"}', time.time()
    assert run("ab", *METRICS, *SMALL, *at(worlds))[0] == 0
    good = metrics(tmp_path)
    assert (good[f"success{label}"], good['badge{dashboard="ab",experiment="base",badge="LIVE DATA"}']) == (1, 1)
    assert good[f"peak_memory_bytes{label}"] > 5e7
    assert began < good[f"last_success_timestamp_seconds{label}"] <= time.time()
    for arguments, changes, code in [
        (("--output", "/proc/x.png"), {}, 1),
        ((), {"AB_WINDOW": "24"}, 2),
        (("--size", "90x90", "--dpi", "1000"), {}, 2),
        (("--require", "live"), {"MLFLOW_DB_PORT": str(closed_port())}, 3),
    ]:
        assert run("ab", *METRICS, *SMALL, *arguments, **changes)[0] == code
        found = metrics(tmp_path)
        assert (found[f"success{label}"], found[f"last_success_timestamp_seconds{label}"]) == (0, good[f"last_success_timestamp_seconds{label}"])
        assert found[f"last_timestamp_seconds{label}"] > good[f"last_timestamp_seconds{label}"]
    assert found['source_up{dashboard="ab",experiment="base",source="mlflow"}'] == 0
    assert found['badge{dashboard="ab",experiment="base",badge="OPERATIONAL DATA"}'] == 1


def test_both_dashboards_are_in_one_file(run, worlds, tmp_path):
    assert run("all", *METRICS, *SMALL, *at(worlds), AB_EXPERIMENT="")[0] == 0
    found = metrics(tmp_path)
    assert (found['success{dashboard="ab"}'], found['success{dashboard="business"}']) == (1, 1)
    assert len([name for name in found if name.startswith("source_up")]) == 4


def test_a_metrics_file_that_cannot_be_written_is_told_and_costs_nothing_else(run, worlds):
    code, out, err = run("ab", "--metrics-file", "/proc/live.prom", *SMALL, *at(worlds))
    assert (code, out.count("\n"), err.count("\n")) == (0, 1, 1)
    assert "choose another path with --metrics-file" in err


def test_no_secret_is_in_the_metrics(run, worlds, tmp_path, receiver):
    run("ab", *METRICS, *SMALL, *at(worlds), DASHBOARD_NOTIFY_URL=receiver.url + SECRET)
    text = (tmp_path / "live.prom").read_text()
    assert not any(piece in text for piece in ("verysecret", "p@ss", worlds.environment["MLFLOW_DB_PORT"], worlds.environment["PROMETHEUS_URL"]))


def test_sigterm_and_the_deadline_are_failures_and_a_second_run_leaves_the_file_alone(run, start, worlds, fault_proxy, tmp_path):
    running = start("ab", *METRICS, **hanging(worlds, fault_proxy))
    wait_for_lock(tmp_path / "output/.live_ab_dashboard.lock", running)
    assert run("ab", *METRICS)[0] == 1
    assert not (tmp_path / "live.prom").exists()
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=LONGEST_SECONDS)
    assert metrics(tmp_path)['success{dashboard="ab",experiment="base"}'] == 0
    (tmp_path / "live.prom").unlink()
    start("ab", *METRICS, **hanging(worlds, fault_proxy), RUN_TIMEOUT_SECONDS="1").communicate(timeout=LONGEST_SECONDS)
    assert metrics(tmp_path)['success{dashboard="ab",experiment="base"}'] == 0


def test_a_notification_holds_badge_verdict_numbers_and_link(run, worlds, receiver):
    code, out, err = run("ab", "--notify-url", receiver.url + SECRET, *SMALL, *at(worlds), DASHBOARD_PUBLIC_URL="https://pictures.example/ab/")
    assert (code, err) == (0, "")
    (text,) = receiver.texts
    assert re.match(r"LIVE DATA: A/B testing dashboard of base: [A-Z ]+\n", text)
    assert "challenger 81.8 %" in text
    assert text.endswith(f"https://pictures.example/ab/{out.strip().rpartition('/')[2]}")


def test_one_run_of_both_notifies_once(run, worlds, receiver):
    assert run("all", *SMALL, *at(worlds), DASHBOARD_NOTIFY_URL=receiver.url)[0] == 0
    (text,) = receiver.texts
    assert "Business impact dashboard of base" in text
    assert "A/B testing dashboard of base" in text


@pytest.mark.parametrize(("require", "code"), [("any", 0), ("live", 3)])
def test_a_delivery_that_fails_is_told_without_the_url_and_changes_no_exit_code(run, worlds, receiver, require, code):
    receiver.statuses = [404]
    changes = {"MLFLOW_DB_PORT": str(closed_port())} if code else {}
    found, out, err = run("ab", "-v", "--require", require, *SMALL, *at(worlds), DASHBOARD_NOTIFY_URL=receiver.url + SECRET, **changes)
    assert (found, out.count("\n")) == (code, 1)
    assert "the notification was not confirmed: the receiver answered 404" in err
    assert "verysecret" not in err
    assert receiver.url not in err


@pytest.mark.parametrize("url", ["ftp://verysecret/x", "hooks.example/verysecret", "http://", "http://x:0/verysecret", "http://x/very secret"])
def test_a_url_that_is_none_is_refused_without_being_shown(run, url):
    code, out, err = run("ab", "--notify-url", url)
    assert (code, out) == (2, "")
    assert "DASHBOARD_NOTIFY_URL is ***" in err
    assert "secret" not in err


def test_a_run_that_wrote_nothing_notifies_nobody(run, receiver):
    assert run("ab", *SMALL, "--output", "/proc/x.png", DASHBOARD_NOTIFY_URL=receiver.url)[0] == 1
    assert receiver.posts == []


def test_the_wrapper_passes_the_options_on_and_does_not_load_the_webhook_unasked(tmp_path):
    code = "import sys; from live_dashboards.app.cli import main; main(sys.argv[1:]); print('live_dashboards.outputs.webhook' in sys.modules)"
    command = [".venv/bin/python", "-c", code, "ab", "--simulate", *SMALL, "--output", str(tmp_path / "a.png"), "--metrics-file", str(tmp_path / "a.prom")]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, cwd=re.sub(r"/tests/.*", "", __file__))
    assert ended.stdout.splitlines() == [str(tmp_path / "a.png"), "False"]
    assert (tmp_path / "a.prom").exists()
