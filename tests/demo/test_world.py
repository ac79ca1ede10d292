"""The demo's world: what the exporter and the history both read."""

from __future__ import annotations

import numpy as np
import pytest

from live_dashboards.demo.exporter import exposition
from live_dashboards.demo.world import BASELINE, ENHANCED, INSTANCES, VARIANTS, Variant, World

START = 1_790_000_000.0
DAY = np.array([START + 86400.0])


def total(world: World, variant: Variant, name: str) -> float:
    return float(sum(getattr(world.state(instance, DAY), name).sum() for instance in INSTANCES if instance.variant == variant))


def test_the_past_does_not_depend_on_what_was_asked_before() -> None:
    asked_late_first, asked_in_order = World(START), World(START)
    moment, later = np.array([START + 5000.0]), np.array([START + 90000.0])
    asked_late_first.state(INSTANCES[0], later)
    assert np.array_equal(asked_late_first.state(INSTANCES[0], moment).bucket_counts, asked_in_order.state(INSTANCES[0], moment).bucket_counts)


def test_counters_begin_at_nothing_and_never_fall() -> None:
    state = World(START).state(INSTANCES[3], START + np.arange(0.0, 20000.0, 7.0))
    for counted in (state.successes, state.errors, state.labelled, state.correct, state.latency_sum_seconds):
        assert counted[0] == 0
        assert (np.diff(counted) >= 0).all()


def test_another_seed_is_another_world() -> None:
    assert not np.array_equal(World(START, seed=1).state(INSTANCES[0], DAY).bucket_counts, World(START, seed=2).state(INSTANCES[0], DAY).bucket_counts)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_day_shows_what_is_true_of_the_variant(variant: Variant) -> None:
    world = World(START)
    successes, errors = total(world, variant, "successes"), total(world, variant, "errors")
    four_deviations = 4 * (variant.error_ratio / (successes + errors)) ** 0.5
    assert errors / (successes + errors) == pytest.approx(variant.error_ratio, abs=four_deviations)
    assert total(world, variant, "correct") / total(world, variant, "labelled") == pytest.approx(variant.accuracy_ratio, abs=0.02)
    mean_seconds = variant.latency_median_seconds * np.exp(variant.latency_spread**2 / 2)
    assert total(world, variant, "latency_sum_seconds") / successes == pytest.approx(mean_seconds, rel=0.005)


def test_traffic_follows_the_planned_split() -> None:
    world = World(START)
    baseline, enhanced = (total(world, variant, "successes") for variant in (BASELINE, ENHANCED))
    assert baseline / (baseline + enhanced) == pytest.approx(0.7, abs=0.003)


def test_the_accuracy_gauge_is_nan_before_the_first_truth_is_known() -> None:
    assert 'ab_test_model_accuracy{model_name="baseline-predictor",experiment="demo-ab-test"} NaN' in exposition(World(START), INSTANCES[0], START)
