"""The files beside a picture."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from live_dashboards.model.measurement import Origin
from live_dashboards.model.report import AbReport
from live_dashboards.outputs import sidecars
from live_dashboards.outputs.sidecars import COLUMNS, csv_text, markdown_text
from tests.outputs.reports import every_kind

REPORTS = every_kind()
LIVE = REPORTS["live with a split"]
every_report = pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)


def table(report: AbReport = LIVE) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(csv_text(report)))


def panel(name: str, report: AbReport = LIVE) -> pd.DataFrame:
    found = table(report)
    return found[found["panel"] == name]


def test_the_table_is_tidy() -> None:
    assert tuple(table().columns) == COLUMNS
    assert {"header", "effect", "quality", "split", "rate", "latency", "errors", "impact", "runs", "health"} == set(table()["panel"])


def test_each_drawn_value_has_one_row() -> None:
    drawn = table().drop(columns=["value", "low", "high", "origin", "n"])
    assert not drawn.duplicated().any(), drawn[drawn.duplicated()]


def test_a_line_is_its_points_with_gaps_as_gaps() -> None:
    line = LIVE.rate.lines[0]
    points = ((line.timeline.points[0][0], 1.25), (line.timeline.points[1][0], None))
    rate = replace(LIVE.rate, lines=(replace(line, timeline=replace(line.timeline, points=points)),))
    rows = panel("rate", replace(LIVE, rate=rate))
    assert list(rows["x"]) == ["2026-11-19T12:15:00Z", "2026-11-19T12:30:00Z"]
    assert list(rows["value"].isna()) == [False, True]


def test_an_effect_has_the_limits_that_are_drawn() -> None:
    rows = panel("effect").set_index("x")
    drawn = {row.metric: row for row in LIVE.effect.rows}
    assert rows.loc["accuracy", "low"] == drawn["accuracy"].low
    assert rows.loc["accuracy", "n"] == drawn["accuracy"].n_treatment


def test_an_effect_has_its_limits_for_harm_in_a_row_of_their_own() -> None:
    first = next(row for row in LIVE.effect.rows if row.has_interval)
    thick = replace(first, harm_low=first.low + 0.1, harm_high=first.high - 0.1)
    rows = panel("effect", replace(LIVE, effect=replace(LIVE.effect, rows=(thick,))))
    assert list(rows["series"]) == ["enhanced - baseline", "enhanced - baseline, limits for harm"]
    assert list(rows["low"]) == pytest.approx([thick.low, thick.harm_low])
    assert list(rows["high"]) == pytest.approx([thick.high, thick.harm_high])


def test_planned_shares_stand_beside_the_observed_ones() -> None:
    rows = panel("split")
    assert dict(rows[rows["series"] == "planned"][["x", "value"]].to_numpy()) == pytest.approx({"baseline": 70.0, "enhanced": 30.0})


def test_a_simulated_panel_says_so_in_every_row() -> None:
    assert set(panel("rate", REPORTS["mlflow only"])["origin"]) == {"simulated"}
    assert set(panel("quality", REPORTS["mlflow only"])["origin"]) <= {"live", "missing", "simulated"}


def test_a_panel_without_data_has_no_rows() -> None:
    assert panel("rate", REPORTS["mlflow only, marked"]).empty


@every_report
def test_every_value_has_an_origin_and_none_is_missing_with_a_value(report: AbReport) -> None:
    found = table(report)
    assert set(found["origin"]) <= {*Origin, "setting"}
    assert found[found["origin"] == "missing"]["value"].isna().all()


@every_report
def test_the_words_hold_alt_text_badge_and_every_headline(report: AbReport) -> None:
    words = markdown_text(report)
    assert report.alt_text in words
    assert report.badge.kind.value in words
    assert all(f"| {name}" in words for name, _ in report.headline)


def test_a_headline_is_written_for_people() -> None:
    assert "| total_requests | 47,520 | – | – | live | 2026-11-20T12:00:00Z |  |" in markdown_text(LIVE)


def test_a_name_does_not_break_the_table() -> None:
    odd = replace(LIVE, headline=tuple((name, replace(each, reason="a|b\nc")) for name, each in LIVE.headline))
    rows = [line for line in markdown_text(odd).splitlines() if line.startswith("| ")]
    assert all("a\\|b c |" in row for row in rows[1:])


def test_the_files_do_not_change_from_run_to_run() -> None:
    later = replace(LIVE, generated_at=LIVE.generated_at + timedelta(hours=1))
    assert (csv_text(later), markdown_text(later)) == (csv_text(LIVE), markdown_text(LIVE))


def test_names_are_neither_markup_nor_links_nor_formulas() -> None:
    name = "*bold* _it_ ~s~ `c` [l](x) <b> www.example.org http://example.org a@example.org snake_case"
    text = markdown_text(replace(LIVE, challenger=name))
    assert r"\*bold\* \_it\_ \~s\~ \`c\` \[l\](x) &lt;b&gt; www&#46;example.org http&#58;//example.org a&#64;example.org snake_case" in text
    assert sidecars._plain("＝1+1") == "'＝1+1"
