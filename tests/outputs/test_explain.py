"""Where a number of a summary comes from."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from live_dashboards.errors import UsageError
from live_dashboards.outputs.explain import explain, find_last_summary
from live_dashboards.outputs.snapshot_files import save_snapshot
from live_dashboards.outputs.summary import summary, summary_text
from tests.outputs.reports import every_kind, live_report
from tests.support import snapshots

REPORT = live_report()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "summary.json").write_text(summary_text(REPORT), encoding="utf-8")
    return tmp_path / "summary.json"


def refusal(name: str, path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        explain(name, path)
    return str(caught.value)


def test_value_interval_n_origin_and_query_are_told(path: Path) -> None:
    rate = next(facts.error_rate for facts in REPORT.variants if facts.variant == "enhanced")
    text = explain("error_rate.enhanced", path)
    assert f"value     {rate.value:.15g} percent" in text
    assert "(95 %)" in text
    assert f"n         {rate.n}" in text
    assert "origin    live" in text
    assert f"query     {rate.query}" in text
    assert "observed  2026-11-20T12:00:00Z" in text


def test_inputs_are_told_all_the_way_down(path: Path) -> None:
    lines = [line.strip() for line in explain("error_rate", path).splitlines()]
    errors = sum(int(facts.errors.value or 0) for facts in REPORT.variants)
    assert f"inputs    errors = {errors} count (live)" in lines
    assert any(line.startswith("errors.baseline = ") for line in lines)
    assert any(line.startswith("requests.enhanced = ") for line in lines)


def test_a_total_names_its_variants(path: Path) -> None:
    assert "by variant: error_rate.baseline, error_rate.enhanced" in explain("error_rate", path)


def test_a_name_without_variant_explains_each_variant(path: Path) -> None:
    text = explain("accuracy", path)
    assert "accuracy.baseline\n" in text
    assert "accuracy.enhanced\n" in text


def test_a_headline_is_found_by_its_key(path: Path) -> None:
    assert "baseline_accuracy" in explain("baseline_accuracy", path)


def test_a_number_that_is_only_an_input_is_found_too(path: Path) -> None:
    assert "errors = " not in explain("latency_sum", path)
    assert "latency_sum" in explain("latency_sum", path)


def test_a_missing_number_says_why(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text(summary_text(every_kind()["mlflow only, marked"]), encoding="utf-8")
    text = explain("total_requests", tmp_path / "summary.json")
    assert "value     none" in text
    assert "reason    " in text
    assert "refuses the connection" in text


def test_every_measurement_can_be_explained(path: Path) -> None:
    for row in summary(REPORT)["measurements"]:
        name = row["name"] if row["variant"] is None else f"{row['name']}.{row['variant']}"
        assert explain(name, path).startswith(name)


def test_an_unknown_name_is_answered_with_the_three_nearest(path: Path) -> None:
    message = refusal("eror_rate.enhanced", path)
    assert "no number called 'eror_rate.enhanced'; the nearest are error_rate.enhanced, " in message
    assert message.count(",") == 2


def changed(path: Path, change: dict[str, Any]) -> None:
    row = {**json.loads(path.read_text(encoding="utf-8"))["measurements"][0], **change}
    path.write_text(json.dumps({"schema_version": 1, "measurements": [row]}), encoding="utf-8")


def test_a_number_that_is_its_own_input_does_not_go_on_for_ever(path: Path) -> None:
    changed(path, {"name": "snake", "variant": None, "inputs": ["snake", "unknown"]})
    assert explain("snake", path).count("snake = ") == 1


def test_what_would_steer_a_terminal_is_not_printed(path: Path) -> None:
    changed(path, {"name": "odd", "variant": None, "query": "SELECT 1\n\x1b[2J\ud800"})
    assert "\x1b" not in explain("odd", path)
    explain("odd", path).encode("utf-8")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a summary of this version"),
        ('{"schema_version": 2, "measurements": []}', "is not a summary of this version"),
        ('{"schema_version": 1, "measurements": [{}]}', r"measurements\[0\].name is missing"),
        ('{"schema_version": 1, "measurements": []}', "it holds no numbers"),
    ],
)
def test_a_file_that_is_no_summary_is_named(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "summary.json").write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=reason):
        explain("requests", tmp_path / "summary.json")


def test_a_summary_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refusal("requests", tmp_path / "summary.json")


def test_the_newest_summary_is_found_among_other_files(tmp_path: Path, path: Path) -> None:
    newer = tmp_path / "another.json"
    newer.write_text(summary_text(REPORT), encoding="utf-8")
    save_snapshot(snapshots.live(), tmp_path / "moment.json")
    (tmp_path / "foreign.json").write_text("{", encoding="utf-8")
    for age, each in enumerate((newer, path, tmp_path / "moment.json", tmp_path / "foreign.json")):
        os.utime(each, (1000 + age, 1000 + age))
    assert find_last_summary(tmp_path) == path


@pytest.mark.parametrize("folder", ["", "not-there"])
def test_where_no_summary_is_the_fix_is_told(tmp_path: Path, folder: str) -> None:
    with pytest.raises(UsageError, match=r"there is no summary in .*; draw a dashboard first"):
        find_last_summary(tmp_path / folder)
