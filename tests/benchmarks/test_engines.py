"""The table of engines compares what was read with what the samples say, and would show an error of either."""

from __future__ import annotations

import math

import pytest

from benchmarks.engines import FIGURES, MODELS, Span, deviations, engine_truth, read_figures, true_figures
from tests.conftest import filled_prometheus
from tests.sources.prometheus_reading import END

SPAN = Span(END, window_hours=3.0, period_hours=2.5)
A_SCRAPE = 5 * SPAN.scrape_seconds * 5.0  # of five instances, at five requests a second


@pytest.fixture(scope="module")
def truth():
    return engine_truth(SPAN)


def test_the_truth_is_what_the_rates_say(truth):
    true = true_figures(truth, SPAN)
    whole, late, early = 3 * 3 * 3600, 1.5 * 3600, 2 * 3600
    assert true["requests", "baseline"] == pytest.approx(5.0 * (whole + late + early), abs=9 * 75)  # each of nine restarts loses up to a scrape
    assert true["p95", "baseline"] == pytest.approx(1000 * (0.25 + 0.25 * (0.95 * 5 - 4.73) / 0.21), rel=0.01)
    assert true["mean latency", "enhanced"] == pytest.approx(1000 * (2.4 * 0.025 + 1.5 * 0.075 + 0.83 * 0.175 + 0.21 * 0.375 + 0.06 * 0.75) / 5, rel=0.01)
    assert true["period", "baseline"] == true["sum of the period's blocks", "baseline"] < true["requests", "baseline"]


def test_every_figure_is_read_from_a_real_server_and_near_its_truth(truth, tmp_path):
    true = true_figures(truth, SPAN)
    with filled_prometheus(truth, tmp_path) as server:
        found = read_figures(server.url, SPAN, 7.0)
    assert found.keys() == {(figure, model) for figure in FIGURES for model in MODELS}
    for figure in ("requests", "period", "sum of the period's blocks", "sum of the blocks"):
        assert found[figure, "baseline"] == pytest.approx(true[figure, "baseline"], abs=2 * A_SCRAPE), figure
    for figure in ("mean latency", "p95"):
        assert found[figure, "enhanced"] == pytest.approx(true[figure, "enhanced"], rel=0.01), figure


def test_the_model_that_is_further_off_stands_in_the_table_and_a_missing_value_is_no_0():
    true = {(figure, model): 200.0 for figure in FIGURES for model in MODELS}
    found = true | {("requests", "enhanced"): 199.0, ("requests", "baseline"): 200.2, ("errors", "baseline"): math.nan}
    assert deviations(found, true) == ["-0.5000 %", "missing", *["0"] * (len(FIGURES) - 2)]
