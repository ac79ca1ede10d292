"""The demo's A/B test as a pure function of time: two variants with two instances each, every request drawn
from a seeded distribution.

A counter at a moment is the sum of whole time cells since the start. Each hour of each instance has a random
stream of its own, so the back-filled history and the live exporter read the same world, in any order, without
remembering anything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

EXPERIMENT = "demo-ab-test"
CELL_SECONDS = 5
LATENCY_BOUNDS_SECONDS = (
    *(0.01, 0.025, 0.04, 0.05, 0.06, 0.075, 0.1, 0.115, 0.13, 0.15),
    *(0.175, 0.2, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)
_CELLS_AN_HOUR = 3600 // CELL_SECONDS
_GAUGE_CELLS = 6 * _CELLS_AN_HOUR  # the gauges tell the last six hours
_LABELLED_SHARE = 0.1  # of the answered requests, the share whose truth becomes known
_BUCKETS = len(LATENCY_BOUNDS_SECONDS) + 1
_ERRORS, _LABELLED, _CORRECT = _BUCKETS, _BUCKETS + 1, _BUCKETS + 2
_COLUMNS = _BUCKETS + 3

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Variant:
    """What is true of one model: its share of the traffic, its error ratio, its latency (log-normal) and how
    often it is right.
    """

    name: str
    model_name: str
    traffic_share: float
    error_ratio: float
    latency_median_seconds: float
    latency_spread: float
    accuracy_ratio: float


BASELINE = Variant("baseline", "baseline-predictor", 0.7, 0.0006, 0.052, 0.46, 0.782)
ENHANCED = Variant("enhanced", "enhanced-predictor", 0.3, 0.0005, 0.060, 0.44, 0.814)
VARIANTS = (BASELINE, ENHANCED)
_INSTANCE_SHARES = (0.52, 0.48)


@dataclass(frozen=True, slots=True)
class Instance:
    """One running copy of a model."""

    variant: Variant
    number: int

    @property
    def name(self) -> str:
        """What the label `instance` says."""
        return f"{self.variant.model_name}-{self.number}"


INSTANCES = tuple(
    Instance(variant, number) for variant in VARIANTS for number in range(len(_INSTANCE_SHARES))
)


@dataclass(frozen=True, slots=True)
class State:
    """One instance at several moments: one row a moment, counters since the start of the world, gauges over
    the last six hours.
    """

    bucket_counts: Counts
    errors: Counts
    labelled: Counts
    correct: Counts
    latency_sum_seconds: NDArray[np.float64]
    accuracy_percent: NDArray[np.float64]
    mean_latency_ms: NDArray[np.float64]

    @property
    def successes(self) -> Counts:
        """Answered requests."""
        answered: Counts = self.bucket_counts.sum(axis=1)
        return answered


@dataclass(frozen=True)
class World:
    """The world from `start` (unix seconds) on."""

    start: float
    seed: int = 20
    mean_requests_per_second: float = 2.4
    _known: dict[Instance, Counts] = field(default_factory=dict, repr=False, compare=False)

    def state(self, instance: Instance, times: NDArray[np.float64]) -> State:
        """The instance at those moments (unix seconds, none before the start)."""
        cells = ((times - self.start) // CELL_SECONDS).astype(np.int64)
        counted = self._counted(instance, int(cells.max()))
        now = counted[cells]
        lately = now - counted[np.maximum(cells - _GAUGE_CELLS, 0)]
        buckets, recent_buckets = now[:, :_BUCKETS], lately[:, :_BUCKETS]
        means_seconds = self._latency[instance.variant][1]
        # before the first request and the first known truth the gauges are NaN
        with np.errstate(invalid="ignore"):
            accuracy_percent = 100.0 * lately[:, _CORRECT] / lately[:, _LABELLED]
            mean_latency_ms = 1000.0 * (recent_buckets @ means_seconds) / recent_buckets.sum(axis=1)
        return State(
            buckets,
            now[:, _ERRORS],
            now[:, _LABELLED],
            now[:, _CORRECT],
            buckets @ means_seconds,
            accuracy_percent,
            mean_latency_ms,
        )

    def _counted(self, instance: Instance, cell: int) -> Counts:
        """Cumulative counts by cell, row 0 being nothing yet, at least up to that cell."""
        known = self._known.get(instance, np.zeros((1, _COLUMNS), np.int64))
        if len(known) <= cell:
            hours = range((len(known) - 1) // _CELLS_AN_HOUR, (cell - 1) // _CELLS_AN_HOUR + 1)
            more = np.vstack([self._hour(instance, hour) for hour in hours])
            known = self._known[instance] = np.vstack([known, known[-1] + np.cumsum(more, axis=0)])
        return known

    def _hour(self, instance: Instance, hour: int) -> Counts:
        """What happened in each cell of one hour since the start."""
        variant = instance.variant
        chance = np.random.default_rng([self.seed, INSTANCES.index(instance), hour])
        middles = self.start + hour * 3600 + CELL_SECONDS * np.arange(0.5, _CELLS_AN_HOUR, dtype=np.float64)
        share = variant.traffic_share * _INSTANCE_SHARES[instance.number]
        requests = chance.poisson(
            self.mean_requests_per_second * share * CELL_SECONDS * _daily_shape(middles)
        )
        errors = chance.binomial(requests, variant.error_ratio)
        buckets = chance.multinomial(requests - errors, self._latency[variant][0])
        labelled = chance.binomial(requests - errors, _LABELLED_SHARE)
        correct = chance.binomial(labelled, variant.accuracy_ratio)
        return np.column_stack([buckets, errors, labelled, correct]).astype(np.int64)

    @cached_property
    def _latency(self) -> dict[Variant, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        return {variant: _latency_buckets(variant) for variant in VARIANTS}


def _daily_shape(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Traffic relative to its mean: a hill in the afternoon (UTC), a shoulder in the morning."""
    hours = times / 3600 % 24
    shape: NDArray[np.float64] = (
        1 + 0.42 * np.sin(2 * np.pi * (hours - 9) / 24) + 0.12 * np.sin(4 * np.pi * (hours - 7) / 24)
    )
    return shape


def _latency_buckets(variant: Variant) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of a log-normal latency: the share of each bucket, and the mean latency in seconds within it."""
    edges = [0.0, *LATENCY_BOUNDS_SECONDS, math.inf]
    shares = np.diff([_below(edge, variant, 0) for edge in edges])
    weights = np.diff([_below(edge, variant, 1) for edge in edges])
    mean = variant.latency_median_seconds * math.exp(variant.latency_spread**2 / 2)
    means = np.divide(weights * mean, shares, out=np.zeros_like(shares), where=shares > 0)
    return shares / shares.sum(), means


def _below(edge: float, variant: Variant, moment: int) -> float:
    """The share of the distribution (moment 0) or of its mean (moment 1) below an edge."""
    if edge in {0.0, math.inf}:
        return 0.0 if edge == 0 else 1.0
    score = (
        math.log(edge / variant.latency_median_seconds) / variant.latency_spread
        - moment * variant.latency_spread
    )
    return 0.5 * (1 + math.erf(score / math.sqrt(2)))
