"""The summary to compare with is checked before anything else is done with it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_dashboards.errors import UsageError
from live_dashboards.outputs.changes import changes_document
from live_dashboards.outputs.earlier_summary import read_previous
from live_dashboards.outputs.summary import summary_text
from tests.outputs.reports import live_report
from tests.support.business_pages import page

SPLIT = {"AB_TRAFFIC_SPLIT": "baseline=70,enhanced=30"}
LIVE: Any = json.loads(summary_text(live_report(**SPLIT)))
BUSINESS: Any = json.loads(summary_text(page()))


def written(folder: Path, document: Any) -> Path:
    path = folder / "last.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def refusal(path: Path, dashboard: str = "ab") -> str:
    with pytest.raises(UsageError) as caught:
        read_previous(path, dashboard)
    assert str(caught.value).endswith("name a summary that this version wrote with --compare, or leave it out")
    return str(caught.value)


@pytest.mark.parametrize("document", [LIVE, BUSINESS], ids=["ab", "business"])
def test_what_was_written_is_read(tmp_path: Path, document: Any) -> None:
    assert read_previous(written(tmp_path, document), document["dashboard"]) == document


def test_a_file_that_is_not_there_yet_is_none(tmp_path: Path) -> None:
    assert read_previous(tmp_path / "new" / "last.json", "ab") is None


def test_a_summary_of_the_other_dashboard_is_refused(tmp_path: Path) -> None:
    assert "of the business dashboard, not of ab" in refusal(written(tmp_path, BUSINESS))


@pytest.mark.parametrize("name", [".", "x" * 300, "nul\0"])
def test_a_path_that_cannot_be_read_is_a_sentence(tmp_path: Path, name: str) -> None:
    assert "cannot be read" in refusal(tmp_path / name)


def set_key(key: str, value: Any) -> Callable[[Any], object]:
    return lambda found: found.update({key: value})


def set_in(key: str, **values: Any) -> Callable[[Any], object]:
    return lambda found: found[key][0].update(values)


DAMAGED: dict[str, tuple[Callable[[Any], object], str]] = {
    "a number of nothing": (set_key("measurements", [{}]), "measurements[0].name is missing"),
    "numbers that are one": (set_key("measurements", 5), "measurements must be a list"),
    "a number that is text": (set_in("measurements", value="many"), "measurements[0].value must be a number"),
    "a number that is not one": (set_in("measurements", value="NaN"), "measurements[0] must be"),
    "an interval of one end": (set_in("measurements", interval=[1.0]), "measurements[0].interval must be a list of 2"),
    "a comparison that is text": (set_key("comparisons", ["one"]), "comparisons[0] must be an object"),
    "a limit beyond all numbers": (set_in("comparisons", low=10**400), "comparisons[0].low must be a number"),
    "a guardrail without outcome": (lambda found: found["guardrails"][0].pop("outcome"), "guardrails[0].outcome is missing"),
    "a split that is text": (set_key("traffic_split", "half"), "traffic_split must be an object"),
    "variants that are one": (set_key("variants", 1), "variants must be an object"),
    "a verdict beyond all numbers": (set_key("verdict", {"verdict": float("inf"), "rule": ""}), "verdict.verdict must be text"),
    "a share that is text": (set_key("traffic_split", {"planned": {"a": "half"}}), "traffic_split.planned[0].planned_percent must be a number"),
    "a moment that is none": (set_key("at", "yesterday"), "at must be a moment"),
    "no moment": (lambda found: found.pop("at"), "at is missing"),
}


@pytest.mark.parametrize(("damages", "words"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_summary_is_refused_and_the_place_is_told(tmp_path: Path, damages: Callable[[Any], object], words: str) -> None:
    found = copy.deepcopy(LIVE)
    damages(found)
    assert words in refusal(written(tmp_path, found))


@pytest.mark.parametrize("key", ["gates", "assumptions"])
def test_a_damaged_business_summary_is_refused(tmp_path: Path, key: str) -> None:
    assert f"{key}[0]" in refusal(written(tmp_path, {**BUSINESS, key: [{}]}), "business")


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just([]) | st.just({}) | st.just([{}])


@given(key=st.sampled_from(sorted(LIVE)), value=values)
def test_whatever_is_let_pass_can_be_compared(tmp_path_factory: pytest.TempPathFactory, key: str, value: Any) -> None:
    path = written(tmp_path_factory.getbasetemp(), {**LIVE, key: value})
    try:
        found = read_previous(path, "ab")
    except UsageError:
        return
    assert found is not None
    json.dumps(changes_document(found, LIVE, "last.json"), allow_nan=False)


def test_keys_of_another_version_that_are_not_compared_do_no_harm(tmp_path: Path) -> None:
    found = copy.deepcopy(LIVE)
    found["measurements"][0]["colour"] = "blue"
    assert read_previous(written(tmp_path, found), "ab") == found
