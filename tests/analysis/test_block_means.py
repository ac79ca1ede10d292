"""The standard error of a mean from the blocks of the window."""

import numpy as np
import pytest

from live_dashboards.analysis.facts.ends import latency_blocks, mean_standard_error
from live_dashboards.model.snapshot import PROMETHEUS, Answer, PrometheusAnswer, SourceState, SourceStatus, Timeline

BLOCKS = 96


def blocks_of(sums, counts):
    return {900.0 * index: (float(total), float(count)) for index, (total, count) in enumerate(zip(sums, counts, strict=True))}


def answer(**series):
    blocks = tuple(
        Answer(name, "", "", tuple(Timeline((("model_name", model),), points) for model, points in by_model.items()), step_seconds=900)
        for name, by_model in series.items()
    )
    return PrometheusAnswer(SourceStatus(PROMETHEUS, SourceState.ANSWERED), blocks=blocks)


def test_with_equal_counts_it_is_the_standard_deviation_of_block_means_over_root_blocks():
    means = np.random.default_rng(1).normal(50, 4, BLOCKS)
    expected = np.std(means, ddof=1) / np.sqrt(BLOCKS)
    assert mean_standard_error(blocks_of(means * 10, [10] * BLOCKS)).value == pytest.approx(expected)


def test_blocks_that_drift_together_widen_it():
    drift = np.sin(np.linspace(0, 6, BLOCKS)) * 10 + 50
    assert mean_standard_error(blocks_of(drift, [1] * BLOCKS)).value > 3 * np.std(drift, ddof=1) / np.sqrt(BLOCKS)


def test_too_few_blocks_give_none_and_say_how_many_are_needed():
    found = mean_standard_error(blocks_of([1.0] * 12, [1] * 12))
    assert (found.value, found.blocks) == (None, 12)
    assert "12 blocks" in found.reason
    assert "20 are needed" in found.reason


def test_models_of_one_variant_are_added_and_gaps_left_out():
    sums, counts = ((0.0, 2.0), (900.0, None), (1800.0, 4.0)), ((0.0, 20.0), (900.0, None), (1800.0, 0.0))
    found = latency_blocks(answer(latency_sum={"b-1": sums, "b-2": sums}, latency_count={"b-1": counts, "b-2": counts}), lambda _: "b", "b")
    assert found == {0.0: (4000.0, 40.0)}
