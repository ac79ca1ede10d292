"""One line tells a run; something is wrong where somebody should look."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from live_dashboards.model.report import AbReport
from live_dashboards.model.snapshot import SourceState
from live_dashboards.outputs.run_line import Written, run_line
from tests.outputs.reports import live_report, simulated_report

LIVE = live_report()


def told(report: AbReport, *, is_enough: bool = True) -> tuple[str, bool]:
    return run_line([Written(Path("a.png"), report, is_enough)], 2.04, required="live")


def with_state(state: SourceState) -> AbReport:
    return replace(LIVE, sources=(replace(LIVE.sources[0], state=state), LIVE.sources[1]))


def test_a_healthy_run_is_one_line_without_a_fault() -> None:
    line, is_wrong = told(LIVE)
    assert line.startswith("a.png: ab of 'fraud', LIVE DATA, " if LIVE.experiment == "fraud" else "a.png: ab")
    assert f"{LIVE.badge.values_live} of {LIVE.badge.values_total} values live, {LIVE.verdict.verdict}; 2.0 s" in line
    assert (is_wrong, "\n" in line) == (False, False)


@pytest.mark.parametrize(
    ("state", "words"), [(SourceState.FAILED, "mlflow failed"), (SourceState.CACHED, "shown as it last was"), (SourceState.NO_AB_DATA, "mlflow has no A/B data")]
)
def test_a_source_that_gave_nothing_new_is_wrong(state: SourceState, words: str) -> None:
    line, is_wrong = told(with_state(state))
    assert is_wrong
    assert words in line.partition("; wrong: ")[2]


@pytest.mark.parametrize("state", [SourceState.NOT_ASKED, SourceState.NOT_CONFIGURED])
def test_a_source_that_nobody_wanted_is_not_wrong(state: SourceState) -> None:
    assert not told(with_state(state))[1]


def test_stale_values_and_less_than_required_are_wrong() -> None:
    assert told(replace(LIVE, has_stale=True))[0].endswith("; wrong: stale values")
    assert told(simulated_report(), is_enough=False)[0].endswith("SIMULATED DATA, but --require live asks for more")


def test_what_is_wrong_with_both_dashboards_is_told_once() -> None:
    written = [Written(Path(name), with_state(SourceState.FAILED), is_enough=True) for name in ("a.png", "b.png")]
    assert run_line(written, 1.0, required="any")[0].count("mlflow failed") == 1


def test_a_hostile_experiment_name_stays_on_the_line() -> None:
    assert "\n" not in told(replace(LIVE, experiment="a\nERROR: b\u202e"))[0]
