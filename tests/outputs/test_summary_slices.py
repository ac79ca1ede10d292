"""The summary's `slices`: null without the setting, every number with its origin, and as bounded as the page."""

from __future__ import annotations

import json
from typing import Any

from live_dashboards.outputs.summary import summary, summary_text
from tests.outputs.reports import every_kind, report
from tests.support.sliced import instances, sliced

KINDS = every_kind()


def found(count: int = 3) -> Any:
    return json.loads(summary_text(report(sliced(instances(faulty=0.1, count=count), "instance"), AB_SLICE_LABEL="instance")))


def test_without_the_setting_it_is_null() -> None:
    assert summary(KINDS["live"])["slices"] is None


def test_a_row_says_what_is_compared_with_what_and_where_it_comes_from() -> None:
    document = found()
    (row,) = [row for row in document["slices"]["values"] if row["value"] == "b0:9000" and row["metric"] == "error_rate"]
    assert (row["arm"], row["compared_with"], row["is_within_arm"], row["stands_out"]) == ("enhanced", "the rest of enhanced", True, True)
    assert row["low"] < row["estimate"] < row["high"]
    assert abs(row["rate"] - row["rate_compared"] - row["estimate"]) < 0.1
    (measurement,) = [each for each in document["measurements"] if f"{each['name']}.{each['variant']}" == row["measurement"]]
    assert (measurement["value"], measurement["interval"], measurement["origin"]) == (row["estimate"], [row["low"], row["high"]], "live")
    assert {*measurement["inputs"]} <= {f"{each['name']}.{each['variant']}" for each in document["lineage"]}


def test_a_label_of_a_hundred_values_is_as_large_as_one_of_twenty() -> None:
    many, twenty = found(50)["slices"], found(10)["slices"]
    assert (many["values_count"], twenty["values_count"]) == (100, 20)
    assert len(many["values"]) <= len(twenty["values"]) + 4
    assert {row["name"] for row in many["values"] if row["value"] is None} == {"others (80 values)"}


def test_a_label_that_cannot_be_shown_has_its_reason() -> None:
    slices = summary(KINDS["by a label that was not asked"])["slices"]
    assert (slices["values"], slices["origin"]) == ([], "missing")
    assert slices["reason"] == "these answers were asked without AB_SLICE_LABEL=region: ask the sources again"
