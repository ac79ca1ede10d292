"""The metrics file is what promtool takes, whole, readable, and remembers the last success."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from live_dashboards.demo.programs import promtool_program
from live_dashboards.outputs.metrics_file import RunFacts, metrics_text, write_metrics
from tests.outputs.reports import every_kind, live_report, simulated_report

LIVE = live_report()
GOOD = RunFacts(("ab",), "fraud", has_settings=True, ended_seconds=1000.5, duration_seconds=2.25, peak_memory_bytes=10**8, is_success=True, reports=(LIVE,))
FAILED = replace(GOOD, ended_seconds=2000, is_success=False, reports=())


def checked(text: str) -> dict[str, float]:
    """The samples by name and labels, after promtool has found nothing to say."""
    ended = subprocess.run([promtool_program(), "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")
    rows = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name.removeprefix("live_dashboards_run_"): float(value) for name, _, value in rows}


def test_a_good_run_tells_everything() -> None:
    found = checked(metrics_text(GOOD))
    label = 'dashboard="ab",experiment="fraud"'
    assert found[f"last_success_timestamp_seconds{{{label}}}"] == found[f"last_timestamp_seconds{{{label}}}"] == 1000.5
    assert (found[f"success{{{label}}}"], found[f"duration_seconds{{{label}}}"], found[f"peak_memory_bytes{{{label}}}"]) == (1, 2.25, 1e8)
    assert (found[f"values_live{{{label}}}"], found[f"values_shown{{{label}}}"]) == (LIVE.badge.values_live, LIVE.badge.values_total)
    assert [name for name, value in found.items() if name.startswith("badge") and value] == [f'badge{{{label},badge="LIVE DATA"}}']
    assert len([name for name in found if name.startswith("badge")]) == 5
    assert found[f'source_up{{{label},source="mlflow"}}'] == 1
    assert f'source_duration_seconds{{{label},source="prometheus"}}' in found


@pytest.mark.parametrize("name", list(every_kind()))
def test_every_kind_of_picture_is_valid(name: str) -> None:
    assert checked(metrics_text(replace(GOOD, reports=(every_kind()[name],))))


def test_a_failed_run_keeps_the_moment_of_the_last_success() -> None:
    once = metrics_text(FAILED, metrics_text(GOOD))
    found = checked(metrics_text(FAILED, once))
    label = '{dashboard="ab",experiment="fraud"}'
    assert (found[f"success{label}"], found[f"last_success_timestamp_seconds{label}"], found[f"last_timestamp_seconds{label}"]) == (0, 1000.5, 2000)
    assert not any(value for name, value in found.items() if name.startswith("badge"))


def test_a_run_whose_settings_could_not_be_read_keeps_the_labels_of_the_file() -> None:
    found = checked(metrics_text(replace(FAILED, experiment=None, has_settings=False), metrics_text(GOOD)))
    assert found['last_success_timestamp_seconds{dashboard="ab",experiment="fraud"}'] == 1000.5


@pytest.mark.parametrize("before", ["", "garbage\n\0{}", 'live_dashboards_run_last_success_timestamp_seconds{dashboard="business"} 5\n'])
def test_where_there_never_was_a_success_none_is_claimed(before: str) -> None:
    assert not any(name.startswith("last_success") for name in checked(metrics_text(FAILED, before)))


def test_of_several_pictures_the_least_live_counts() -> None:
    found = checked(metrics_text(replace(GOOD, reports=(LIVE, simulated_report(), LIVE))))
    assert [name for name, value in found.items() if name.startswith("badge") and value] == ['badge{dashboard="ab",experiment="fraud",badge="SIMULATED DATA"}']
    assert found['source_up{dashboard="ab",experiment="fraud",source="mlflow"}'] == 0


def test_a_hostile_experiment_name_is_one_bounded_label_and_is_found_again() -> None:
    name = 'a"} 1\nup{x="\\' + "é" * 10_000 + "\ud800"
    text = metrics_text(replace(GOOD, experiment=name))
    assert checked(text)
    assert max(map(len, text.splitlines())) < 300
    assert [value for key, value in checked(metrics_text(replace(FAILED, experiment=name), text)).items() if key.startswith("last_success")] == [1000.5]


def test_the_file_is_readable_by_the_collector_whatever_the_umask_and_the_old_file_say(tmp_path: Path) -> None:
    path = tmp_path / "live.prom"
    path.touch(mode=0o600)
    before = os.umask(0o077)
    write_metrics(path, GOOD)
    os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644
    assert [each.name for each in tmp_path.iterdir()] == ["live.prom"]
