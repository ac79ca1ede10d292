"""Differences within blocks of time, against worked examples, independent formulas and simulated truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student_t
from statsmodels.stats.contingency_tables import StratifiedTable

from live_dashboards import stats
from live_dashboards.analysis.statistics.stratified import batch_variance, harm_variance, strata
from live_dashboards.stats import Counts, confidence_sequence, long_run_variance, stratified_difference, stratified_sequence

# phases of a ramp: requests and errors of the baseline, requests and errors of the challenger
WORSE = ((99_000, 2970, 1000, 36), (95_000, 1900, 5000, 120), (80_000, 1200, 20_000, 360), (50_000, 500, 50_000, 600))
EQUAL = ((99_000, 990, 1000, 10), (95_000, 1425, 5000, 75), (80_000, 1600, 20_000, 400), (50_000, 1500, 50_000, 1500))
BETTER = ((90_000, 900, 10_000, 75), (50_000, 1500, 50_000, 1125))
DAY_SECONDS = 86_400.0


def arms(phases):
    return [Counts(x2, n2) for _, _, n2, x2 in phases], [Counts(x1, n1) for n1, x1, _, _ in phases]


def evenly(counts, blocks):
    """A phase's counts in so many equal blocks, as whole numbers."""
    edges = [round(counts.events * index / blocks) for index in range(blocks + 1)], [round(counts.n * index / blocks) for index in range(blocks + 1)]
    return [Counts(after - before, n_after - n_before) for before, after, n_before, n_after in zip(edges[0], edges[0][1:], edges[1], edges[1][1:], strict=False)]


@pytest.mark.parametrize(("phases", "points", "half"), [(WORSE, 0.263, 0.110), (EQUAL, 0.0, 0.140), (BETTER, -0.618, 0.152)])
def test_worked_examples_of_ramps(phases, points, half):
    found = stratified_difference(*arms(phases))
    assert 100 * found.estimate == pytest.approx(points, abs=5e-4)
    assert 50 * (found.high - found.low) == pytest.approx(half, abs=5e-4)
    assert (found.high + found.low) / 2 == pytest.approx(found.estimate)


def test_the_weights_are_those_of_mantel_and_haenszel():
    """The difference is the Mantel-Haenszel one: against the textbook form, and 0 exactly where the pooled odds ratio of statsmodels is 1."""
    treatment, control = arms(WORSE)
    textbook = sum((ours.events * theirs.n - theirs.events * ours.n) / (ours.n + theirs.n) for ours, theirs in zip(treatment, control, strict=True))
    whole = sum(ours.n * theirs.n / (ours.n + theirs.n) for ours, theirs in zip(treatment, control, strict=True))
    assert stratified_difference(treatment, control).estimate == pytest.approx(textbook / whole)
    tables = [np.array([[ours.events, ours.n - ours.events], [theirs.events, theirs.n - theirs.events]]) for ours, theirs in zip(*arms(EQUAL), strict=True)]
    assert StratifiedTable(tables).oddsratio_pooled == pytest.approx(1.0)
    assert stratified_difference(*arms(EQUAL)).estimate == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("blocks", "shares", "size"), [(400, (0.05, 0.5), 20), (4, (0.05, 0.5), 100_000), (60, (0.5, 0.5), 200)])
def test_satos_variance_is_that_of_simulated_tests_with_sparse_and_with_large_blocks(blocks, shares, size):
    """Statistics 14: 95 % of intervals hold the truth, and the mean variance is that of the estimates."""
    random = np.random.default_rng(14)
    estimates, variances, hits = [], [], 0
    for _ in range(400):
        ours = np.clip(random.binomial(size, np.linspace(*shares, blocks)), 1, size - 1)
        rates = 0.03 + 0.02 * np.sin(np.arange(blocks))
        x2, x1 = random.binomial(ours, rates), random.binomial(size - ours, rates)
        treatment, control = [Counts(int(x), int(n)) for x, n in zip(x2, ours, strict=True)], [Counts(int(x), int(size - n)) for x, n in zip(x1, ours, strict=True)]
        found = strata(treatment, control)
        estimates.append(found.estimate)
        variances.append(found.variance)
        limits = stratified_difference(treatment, control)
        hits += limits.low <= 0 <= limits.high
    assert np.mean(variances) == pytest.approx(np.var(estimates), rel=0.2)
    assert 0.92 <= hits / 400 <= 0.98


def test_one_block_is_the_plain_difference():
    ours, theirs = Counts(120, 4000), Counts(90, 5000)
    found = stratified_difference([ours], [theirs])
    assert found.estimate == pytest.approx(ours.proportion - theirs.proportion)
    plain = math.sqrt(sum(arm.proportion * (1 - arm.proportion) / arm.n for arm in (ours, theirs)))
    assert found.high - found.low == pytest.approx(2 * 1.959964 * plain, rel=1e-2)


def test_too_few_events_have_the_interval_of_all_together():
    found = stratified_difference([Counts(0, 500)] * 4, [Counts(1, 500)] * 4)
    assert found.low < -0.002 < found.high
    assert "Fisher" in found.method


def hours(counts, blocks=24):
    return [counts] * blocks


def test_a_ramp_does_not_decide_at_few_events_either():
    """A week without errors, then most traffic for the challenger, and one hour in which both arms fail equally: all requests together say much worse."""
    treatment = [*hours(Counts(0, 400), 168), *hours(Counts(0, 792)), Counts(440, 793)]
    control = [*hours(Counts(0, 400), 168), *hours(Counts(0, 8)), Counts(4, 8)]
    for found in (stratified_difference(treatment, control), stratified_sequence(treatment, control, 20_000)):
        assert found.low < 0 < found.high
        assert found.p_value >= 0.05


def test_an_outage_of_both_arms_tells_nothing():
    """Every request of an hour fails in both arms, and none else: the difference is 0 then, and no more is known of it than without that hour."""
    down, up = hours(Counts(100, 100), 1), hours(Counts(0, 100), 10)
    for function in (stratified_difference, lambda *arms: stratified_sequence(*arms, 20_000)):
        found, without = function([*up, *down], [*up, *down]), function(up, up)
        assert found.high - found.low >= 0.9 * (without.high - without.low) > 0
        alone = function(down, down)
        assert (alone.low, alone.high, alone.p_value) == (-1.0, 1.0, 1.0)


@pytest.mark.parametrize(("treatment", "control"), [([], []), ([Counts(1, 2)], []), ([Counts(1, 2)], [Counts(1, 2)] * 2)])
def test_blocks_that_are_no_pairs_are_refused(treatment, control):
    for function in (stratified_difference, lambda *each: stratified_sequence(*each, 20_000)):
        with pytest.raises(ValueError, match="blocks of the treatment"):
            function(treatment, control)


@pytest.mark.parametrize("changes", [{"planned_n": 0}, {"alpha": 0.0}, {"alpha": 1.0}])
def test_what_a_sequence_cannot_use_is_refused(changes):
    with pytest.raises(ValueError, match="must be above 0"):
        stratified_sequence([Counts(50, 1000)], [Counts(50, 1000)], **{"planned_n": 20_000, **changes})


def test_before_eight_blocks_a_sequence_is_the_plain_one_with_satos_variance():
    treatment, control = [Counts(50, 1000)] * 4, [Counts(40, 1000)] * 4
    found, plain = stratified_sequence(treatment, control, 20_000), confidence_sequence(Counts(200, 4000), Counts(160, 4000), 20_000)
    assert (found.estimate, found.p_value) == (pytest.approx(plain.estimate), pytest.approx(plain.p_value, rel=0.05))
    assert (found.low, found.high) == (pytest.approx(plain.low, rel=0.01), pytest.approx(plain.high, rel=0.01))


def test_a_sequence_over_a_ramp_in_hours_has_the_width_of_the_example():
    """Statistics 14: example A's always-valid half-width is 0.187 by Sato's variance alone, wider with the differences between its phases."""
    treatment, control = ([block for counts in arm for block in evenly(counts, 48)] for arm in arms(WORSE))
    found = strata(treatment, control)
    n, rho2 = sum(arm.n for arm in found.arms), (-2 * math.log(0.05) + math.log(1 - 2 * math.log(0.05))) / 20_000
    half = math.sqrt(found.variance) * math.sqrt(2 * (n * rho2 + 1) / (n * rho2) * math.log(math.sqrt(n * rho2 + 1) / 0.05))
    assert 100 * half == pytest.approx(0.187, abs=2e-3)
    sequence = stratified_sequence(treatment, control, 20_000)
    assert 100 * sequence.estimate == pytest.approx(0.263, abs=2e-3)
    assert sequence.low > 0
    assert (sequence.high - sequence.low) / 2 > half


def test_batch_means_are_those_of_the_textbook():
    """Flegal & Jones 2010: batches of 4 of 32 residuals, and the t limit of 7 degrees of freedom."""
    random = np.random.default_rng(2)
    residuals = random.normal(size=32)
    residuals -= residuals.mean()
    sums = residuals.reshape(8, 4).sum(axis=1)
    expected = 8 / 7 * float(sums @ sums) * (student_t.ppf(0.975, 7) / 1.959964) ** 2
    assert batch_variance(residuals.tolist(), 8) == pytest.approx(expected)
    assert long_run_variance(residuals.tolist(), 0.0) >= expected
    assert long_run_variance(residuals.tolist(), 1e9) == 1e9
    assert long_run_variance(residuals.tolist()[:7], 3.0) == 3.0


def incidents(random, days, per_day=24):
    """Hourly blocks of 400 requests an arm at 1 % errors; one arm has six hours at 5 % now and then."""
    rates = np.full((2, days * per_day), 0.01)
    for arm in range(2):
        for begin in np.nonzero(random.random(days * per_day) < 0.02)[0]:
            rates[arm, begin : begin + 6] = 0.05
    events = random.binomial(400, rates)
    return [[Counts(int(x), 400) for x in row] for row in events]


def test_incidents_of_hours_in_one_arm_are_seen_by_the_variance():
    """Any interval without 0 at a daily look in 20 days: by Sato's variance alone most such tests, by the long-run variance few."""
    random = np.random.default_rng(15)
    naive = seen = 0
    for _ in range(60):
        treatment, control = incidents(random, 20)
        looks = [stratified_sequence(treatment[:end], control[:end], 20_000) for end in range(24, 481, 24)]
        seen += any(not look.low <= 0 <= look.high for look in looks)
        naive += any(abs(each.estimate) > 3.5 * math.sqrt(each.variance) for each in (strata(treatment[:end], control[:end]) for end in range(24, 481, 24)))
    assert naive > 30
    assert seen < 12


def late_harm(random, *, from_day, rate, days=12):
    rates = np.full((2, days * 24), 0.01)
    rates[0, from_day * 24 :] = rate
    return [[Counts(int(x), 400) for x in row] for row in random.binomial(400, rates)]


def test_a_harm_that_begins_late_is_found_within_hours_by_the_limits_for_harm():
    treatment, control = late_harm(np.random.default_rng(8), from_day=8, rate=0.1)
    ends = [3600.0 * (index + 1) for index in range(len(treatment))]

    def z(hours):
        """By the limits for harm, and by those for what is better or safe."""
        found = strata(treatment[:hours], control[:hours])
        early = harm_variance(found, ends[:hours], ends[hours - 1])
        return [found.estimate / math.sqrt(variance) for variance in (early, long_run_variance(found.residuals, found.variance))]

    early, safe = z(8 * 24 + 17)
    assert early > 3.5 > safe
    assert max(abs(z(hours)[0]) for hours in range(24, 8 * 24, 6)) < 3.5


def test_what_only_the_last_days_tell_does_not_widen_the_limits_for_harm():
    """An incident within the last three days is no news of how long incidents last; once it is older it is."""
    calm = [Counts(4 + index % 3, 400) for index in range(240)]
    treatment = [*calm[:200], *[Counts(40, 400)] * 12, *calm[212:]]
    ends = [3600.0 * (index + 1) for index in range(240)]
    found = strata(treatment, calm)
    fresh, old = (harm_variance(found, ends, at) for at in (ends[-1], ends[-1] + 3 * DAY_SECONDS))
    assert fresh < 0.5 * old


@given(
    blocks=st.lists(st.tuples(*(st.integers(1, 10**6), st.floats(0, 1)) * 2), min_size=1, max_size=40),
    planned=st.integers(1, 10**9),
)
def test_any_counts_have_limits_around_the_estimate(blocks, planned):
    treatment, control = [Counts(round(share * n), n) for n, share, _, _ in blocks], [Counts(round(share * n), n) for _, _, n, share in blocks]
    for found in (stratified_difference(treatment, control), stratified_sequence(treatment, control, planned)):
        assert -1 <= found.low <= found.estimate <= found.high <= 1
        assert 0 <= found.p_value <= 1
    swapped = stratified_difference(control, treatment)
    assert swapped.estimate == pytest.approx(-stratified_difference(treatment, control).estimate, abs=1e-12)


def test_everything_published_is_there_and_documented():
    assert all(getattr(stats, name).__doc__ for name in stats.__all__)
    assert {"stratified_difference", "stratified_sequence", "Counts", "Comparison"} <= set(stats.__all__)
    assert all(f"`{name}`" in stats.__doc__ for name in stats.__all__ if name[0].islower() and name != "normal_quantile")
