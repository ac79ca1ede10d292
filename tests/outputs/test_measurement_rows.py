"""Measurements as a frame of pandas, against the rows of the JSON."""

import pandas as pd
import pytest

from live_dashboards.outputs.summary_parts import frame, rows
from tests.outputs.reports import every_kind

REPORTS = every_kind()
SAME = ("name", "variant", "value", "unit", "n", "origin", "source", "query", "reason", "stale")


def plain(value):
    return None if pd.isna(value) else value


@pytest.mark.parametrize("name", REPORTS)
def test_a_frame_holds_what_the_rows_of_the_json_hold(name):
    measurements = REPORTS[name].measurements
    found, expected = frame(measurements), rows(measurements)
    assert [{key: plain(value) for key, value in row.items()} for row in found[list(SAME)].to_dict("records")] == [{key: row[key] for key in SAME} for row in expected]
    assert [[plain(low), plain(high)] for low, high in zip(found["low"], found["high"], strict=True)] == [row["interval"] or [None, None] for row in expected]
    assert [moment.to_pydatetime() if pd.notna(moment) else None for moment in found["observed_at"]] == [each.observed_at for each in measurements]


@pytest.mark.parametrize("measurements", [REPORTS["live"].measurements, REPORTS["live"].measurements[:1], ()])
def test_columns_hold_the_same_kinds_however_many_rows_there_are(measurements):
    kinds = frame(measurements).dtypes.astype(str)
    assert dict(kinds[["value", "low", "high", "n", "stale"]]) == {"value": "float64", "low": "float64", "high": "float64", "n": "Int64", "stale": "bool"}
    assert kinds["observed_at"].endswith(", UTC]")
