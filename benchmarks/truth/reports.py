"""Simulated tests through the whole A/B report: the snapshot that the sources would give, and the verdict on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.truth.worlds import BLOCK_SECONDS, BLOCKS_A_DAY, NO_EFFECT, Numbers, Random
from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.model.measurement import Origin
from live_dashboards.model.snapshot import MLFLOW, PROMETHEUS, Accumulated, Answer, Snapshot, SourceState, SourceStatus, Timeline
from live_dashboards.settings import load_settings
from live_dashboards.sources.simulated import simulate

_START = datetime(2026, 1, 1, tzinfo=UTC)
_NAMES = ("baseline", "enhanced")
_HOUR_BLOCKS = 3600 // BLOCK_SECONDS
_RAMP_DAYS = 8
_PER_PHASE = 100_000
_SETTINGS = load_settings(environment={"AB_SUCCESS_METRIC": "error_rate", "AB_MINIMUM_EVENTS": "1"})

Phases = tuple[tuple[int, int, int, int], ...]
"""By phase: requests and errors of the baseline, requests and errors of the challenger."""


@dataclass(frozen=True, slots=True)
class Told:
    """A world, over how many days it is looked at each day, and which verdict it should have at last and which never; None where any but those is right."""

    name: str
    counts: Callable[[Random], tuple[Numbers, Numbers]]
    days: int
    wanted: str | None
    never: tuple[str, ...]


def ramp(phases: Phases) -> Callable[[Random], tuple[Numbers, Numbers]]:
    """100,000 requests a phase, in phases of equal length over eight days."""

    def counts(random: Random) -> tuple[Numbers, Numbers]:
        length = _RAMP_DAYS * BLOCKS_A_DAY // len(phases)
        shares = np.repeat([[row[0] / _PER_PHASE, row[2] / _PER_PHASE] for row in phases], length, axis=0).T
        rates = np.repeat([[row[1] / row[0], row[3] / row[2]] for row in phases], length, axis=0).T
        n = random.poisson(shares * _PER_PHASE / length)
        return n, random.binomial(n, rates)

    return counts


WORLDS = (
    Told("no effect, independent requests", NO_EFFECT[0].counts, 30, None, ("SHIP", "ROLL BACK")),
    Told("no effect, 6-hour incidents", NO_EFFECT[2].counts, 30, None, ("SHIP", "ROLL BACK")),
    Told(
        "ramp A, 20 % more errors in each phase",
        ramp(((99_000, 2970, 1000, 36), (95_000, 1900, 5000, 120), (80_000, 1200, 20_000, 360), (50_000, 500, 50_000, 600))),
        _RAMP_DAYS,
        None,
        ("SHIP",),
    ),
    Told(
        "ramp B, no effect",
        ramp(((99_000, 990, 1000, 10), (95_000, 1425, 5000, 75), (80_000, 1600, 20_000, 400), (50_000, 1500, 50_000, 1500))),
        _RAMP_DAYS,
        None,
        ("SHIP", "ROLL BACK"),
    ),
    Told("ramp C, 25 % fewer errors in each phase", ramp(((90_000, 900, 10_000, 75), (50_000, 1500, 50_000, 1125))), _RAMP_DAYS, "SHIP", ("ROLL BACK",)),
)


def verdicts(world: Told, seed: int) -> list[str]:
    """What the page says at the end of each day."""
    n, errors = world.counts(np.random.default_rng(seed))
    return [build_ab_report(_snapshot(n, errors, day * BLOCKS_A_DAY), None, _SETTINGS).verdict.verdict for day in range(1, world.days + 1)]


def _snapshot(n: Numbers, errors: Numbers, block: int) -> Snapshot:
    at = _START + timedelta(seconds=block * BLOCK_SECONDS)
    made = simulate(at=at, window_seconds=86_400.0, seed=1, baseline=_NAMES[0], challenger=_NAMES[1])
    length = 3 if block <= 2 * BLOCKS_A_DAY else _HOUR_BLOCKS
    counted = {"requests": n, "errors": errors, "latency_count": n, "latency_within": n}
    blocks = tuple(_answer(name, each[:, :block], length) for name, each in counted.items())
    totals = tuple(_answer(name, each[:, :block], block) for name, each in counted.items())
    found = Accumulated(_START.timestamp(), True, totals, blocks, 0.25)
    prometheus = replace(
        made.prometheus,
        origin=Origin.LIVE,
        status=SourceStatus(PROMETHEUS, SourceState.ANSWERED),
        accumulated=(found,),
        first_traffic=tuple((name, _START.timestamp()) for name in _NAMES),
    )
    mlflow = replace(made.mlflow, origin=Origin.LIVE, status=SourceStatus(MLFLOW, SourceState.ANSWERED))
    return replace(made, mlflow=mlflow, prometheus=prometheus)


def _answer(name: str, values: Numbers, length: int) -> Answer:
    sums = np.add.reduceat(values, np.arange(0, values.shape[1], length), axis=1)
    seconds = [_START.timestamp() + BLOCK_SECONDS * min(values.shape[1], (index + 1) * length) for index in range(sums.shape[1])]
    series = tuple(Timeline((("model_name", variant),), tuple(zip(seconds, map(float, row), strict=True))) for variant, row in zip(_NAMES, sums, strict=True))
    return Answer(name, f"simulated {name}", "count", series, step_seconds=float(length * BLOCK_SECONDS))
