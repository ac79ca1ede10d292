"""The standard error of a mean from the blocks of the window."""

import numpy as np
import pytest

from live_dashboards.analysis.block_means import difference_standard_error, event_blocks, latency_blocks, mean_standard_error
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


def test_what_hits_both_arms_at_once_does_not_count():
    shock = np.random.default_rng(2).normal(50, 20, BLOCKS)
    counts = [10] * BLOCKS
    control, treatment = blocks_of(shock * 10, counts), blocks_of((shock + 5) * 10, counts)
    assert difference_standard_error(treatment, control).value == pytest.approx(0.0, abs=1e-9)
    assert mean_standard_error(control).value > 1


def test_blocks_that_drift_together_widen_it():
    drift = np.sin(np.linspace(0, 6, BLOCKS)) * 10 + 50
    assert mean_standard_error(blocks_of(drift, [1] * BLOCKS)).value > 3 * np.std(drift, ddof=1) / np.sqrt(BLOCKS)


def test_its_interval_covers_the_true_difference_as_often_as_it_says():
    random, covered = np.random.default_rng(3), 0
    for _ in range(600):
        counts = random.poisson(40, (2, BLOCKS)) + 1
        sums = [random.gamma(2 * counts[arm], 25 + 2.5 * arm) for arm in range(2)]
        treatment, control = blocks_of(sums[1], counts[1]), blocks_of(sums[0], counts[0])
        estimate = sums[1].sum() / counts[1].sum() - sums[0].sum() / counts[0].sum()
        covered += abs(estimate - 5) < 1.96 * difference_standard_error(treatment, control).value
    assert 0.92 <= covered / 600 <= 0.975


def test_too_few_blocks_give_none_and_say_how_many_are_needed():
    found = mean_standard_error(blocks_of([1.0] * 12, [1] * 12))
    assert (found.value, found.blocks) == (None, 12)
    assert "12 blocks" in found.reason
    assert "20 are needed" in found.reason


def test_models_of_one_variant_are_added_and_gaps_left_out():
    sums, counts = ((0.0, 2.0), (900.0, None), (1800.0, 4.0)), ((0.0, 20.0), (900.0, None), (1800.0, 0.0))
    found = latency_blocks(answer(latency_sum={"b-1": sums, "b-2": sums}, latency_count={"b-1": counts, "b-2": counts}), lambda _: "b", "b")
    assert found == {0.0: (4000.0, 40.0)}


def test_errors_are_never_more_than_requests_and_absent_ones_are_none():
    found = event_blocks(answer(errors={"b": ((0.0, 3.4),)}, requests={"b": ((0.0, 2.6), (900.0, 5.0)), "c": ((0.0, 9.0),)}), {"b": "b", "c": "c"}.get, "b")
    assert found == ((3, 3), (0, 5))
