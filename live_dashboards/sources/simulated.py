"""The seeded simulation: answers the same questions as the real sources, as a pure function of the seed and
the moment.

Nothing in here is measured; every value that comes of it has the origin `simulated`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from live_dashboards.model.measurement import Origin
from live_dashboards.model.metrics import METRICS, Metric
from live_dashboards.model.snapshot import (
    Answer,
    Experiment,
    MlflowAnswer,
    PrometheusAnswer,
    Run,
    Snapshot,
    SourceState,
    SourceStatus,
    StatusCount,
    Timeline,
    VariantValue,
)

SIMULATION = "simulation"
EXPERIMENT = "simulated-experiment"
_POINTS = 96
_DAY_SECONDS = 86_400.0
_EDGES_SECONDS = (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.075, 0.1, 0.15, 0.2, 0.25, 0.5, 1.0, 2.5, math.inf)
_IMPACT_PERCENT = {"revenue_impact": 1.8, "latency_cost": 0.4, "net_business_value": 1.4}


@dataclass(frozen=True, slots=True)
class _SimulatedVariant:
    """What one simulated variant is like."""

    variant: str
    share: float
    accuracy: float
    error_share: float
    median_seconds: float
    impact: float


@dataclass(frozen=True, slots=True)
class _SimulatedTest:
    seed: int
    at: datetime
    window_seconds: float
    arms: tuple[_SimulatedVariant, ...]
    events: tuple[str, ...]

    @property
    def query(self) -> str:
        return f"seeded simulation, seed {self.seed}"

    def noise(self, *key: object) -> float:
        """A standard normal draw that belongs to this key."""
        return random.Random(f"{self.seed}:{key}").gauss(0.0, 1.0)  # noqa: S311 simulation, not cryptography


@lru_cache(maxsize=1)
def simulate(
    *,
    at: datetime,
    window_seconds: float,
    seed: int,
    baseline: str,
    challenger: str,
    events: tuple[str, ...] = (),
) -> Snapshot:
    """A whole simulated snapshot with these two variants, and with counts of these events of further
    guardrails; the last one is kept, as both dashboards of a moment ask for the same.
    """
    draw = random.Random(f"{seed}:arms")  # noqa: S311 simulation, not cryptography
    arms = (
        _SimulatedVariant(
            baseline, 0.7, 0.782 + draw.gauss(0, 0.004), 0.0009, 0.047 + draw.gauss(0, 0.002), 0.0
        ),
        _SimulatedVariant(
            challenger, 0.3, 0.818 + draw.gauss(0, 0.004), 0.0006, 0.052 + draw.gauss(0, 0.002), 1.0
        ),
    )
    world = _SimulatedTest(seed, at, window_seconds, arms, events)
    return Snapshot(at, window_seconds, _mlflow(world), _prometheus(world), at, is_now=False)


def _status() -> SourceStatus:
    return SourceStatus(SIMULATION, SourceState.ANSWERED)


def _mlflow(world: _SimulatedTest) -> MlflowAnswer:
    runs = tuple(run for index, arm in enumerate(world.arms) for run in _runs(world, arm, index))
    counts: dict[tuple[str | None, str], int] = {}
    for run in runs:
        counts[run.variant, run.status] = counts.get((run.variant, run.status), 0) + 1
    variants = tuple((arm.variant, sum(run.variant == arm.variant for run in runs)) for arm in world.arms)
    newest = max(run.last_sign_at for run in runs if run.last_sign_at)
    values = tuple(_value(arm, metric, runs) for arm in world.arms for metric in METRICS.values())
    return MlflowAnswer(
        status=_status(),
        origin=Origin.SIMULATED,
        experiment=EXPERIMENT,
        experiments=(Experiment(0, EXPERIMENT, "default", variants, newest, is_active=True),),
        known_experiments=(EXPERIMENT,),
        status_counts=tuple(
            StatusCount(variant, status, is_child=False, runs=count)
            for (variant, status), count in counts.items()
        ),
        runs=runs,
        values=values,
        value_ranges=tuple(_value_range(metric, values) for metric in METRICS),
        history=Answer("accuracy_history", world.query, "as_logged", reason="not simulated"),
        newest_at=newest,
        queries=tuple((name, world.query) for name in ("experiments", "runs", "values", "history")),
    )


def _runs(world: _SimulatedTest, arm: _SimulatedVariant, index: int) -> tuple[Run, ...]:
    """Four runs a variant over the last two weeks; the newest baseline one has failed, the newest challenger
    one is still running.
    """
    statuses = ("FINISHED", "FINISHED", "FINISHED", ("FAILED", "RUNNING")[index % 2])
    rows = []
    for number, status in enumerate(statuses):
        started = world.at - timedelta(days=13 - 4 * number, hours=5 * index + 2)
        ended = None if status == "RUNNING" else started + timedelta(hours=5 + number)
        accuracy = arm.accuracy - 0.004 * (2 - number) if status == "FINISHED" else None
        name = f"{arm.variant}-{number + 1}"
        rows.append(
            Run(
                f"simulated-{index}-{number}",
                name,
                arm.variant,
                status,
                started,
                ended,
                last_sign_at=ended or world.at,
                accuracy=accuracy,
            )
        )
    return tuple(rows)


def _value_range(metric: str, values: tuple[VariantValue, ...]) -> tuple[str, float, float]:
    logged = [each.value for each in values if each.metric == metric]
    return metric, min(logged), max(logged)


def _value(arm: _SimulatedVariant, metric: Metric, runs: tuple[Run, ...]) -> VariantValue:
    run = [run for run in runs if run.variant == arm.variant and run.status == "FINISHED"][-1]
    rows = round(metric.simulated(arm.accuracy) * 20_000)
    return VariantValue(
        arm.variant,
        metric.name,
        metric.keys[0],
        rows / 20_000,
        run.ended_at,
        run.run_id,
        run.name,
        run.status,
        run.is_child,
        run.started_at,
        "20000",
    )


def _prometheus(world: _SimulatedTest) -> PrometheusAnswer:
    instants = (
        _instant(world, "requests", "count", lambda arm: _requests(world, arm, world.window_seconds)),
        _instant(world, "requests_24h", "count", lambda arm: _requests(world, arm, _DAY_SECONDS)),
        *(
            _instant(
                world,
                events,
                "count",
                lambda arm: round(_requests(world, arm, world.window_seconds) * arm.error_share),
            )
            for events in ("errors", *world.events)
        ),
        _instant(
            world,
            "latency_sum",
            "seconds",
            lambda arm: _requests(world, arm, world.window_seconds) * arm.median_seconds * 1.15,
        ),
        _instant(world, "latency_count", "count", lambda arm: _requests(world, arm, world.window_seconds)),
        _instant(world, "online_accuracy", "as_logged", lambda arm: arm.accuracy - 0.006),
        *(
            _instant(world, f"newest_{name}", "unix_seconds", lambda _: world.at.timestamp())
            for name in ("requests", "latency_count", "online_accuracy", "business_impact")
        ),
        _buckets(world),
        Answer(
            "business_impact",
            world.query,
            "as_reported",
            tuple(_impact_series(world, arm, kind, 1) for arm in world.arms for kind in _IMPACT_PERCENT),
        ),
    )
    return PrometheusAnswer(
        status=_status(),
        origin=Origin.SIMULATED,
        instants=instants,
        timelines=_timelines(world),
        blocks=_blocks(world),
    )


def _instant(
    world: _SimulatedTest, name: str, unit: str, value: Callable[[_SimulatedVariant], float]
) -> Answer:
    at = world.at.timestamp()
    return Answer(
        name,
        world.query,
        unit,
        tuple(Timeline((("model_name", arm.variant),), ((at, value(arm)),)) for arm in world.arms),
    )


def _rate(arm: _SimulatedVariant, seconds: float) -> float:
    """Requests per second at a moment: a daily wave around 0.55 a second over all variants."""
    return arm.share * 0.55 * (1 + 0.35 * math.sin(2 * math.pi * seconds / _DAY_SECONDS))


def _requests(world: _SimulatedTest, arm: _SimulatedVariant, span_seconds: float) -> int:
    """The integral of the rate over the span before the moment."""
    end, steps = world.at.timestamp(), 200
    return round(
        sum(_rate(arm, end - span_seconds * (step + 0.5) / steps) for step in range(steps))
        * span_seconds
        / steps
    )


def _buckets(world: _SimulatedTest) -> Answer:
    at, series = world.at.timestamp(), []
    for arm in world.arms:
        whole = _requests(world, arm, world.window_seconds)
        for edge in _EDGES_SECONDS:
            labels = (("le", "+Inf" if math.isinf(edge) else f"{edge:g}"), ("model_name", arm.variant))
            series.append(Timeline(labels, ((at, round(whole * _share_below(arm, edge))),)))
    return Answer("latency_buckets", world.query, "count", tuple(series))


def _share_below(arm: _SimulatedVariant, edge_seconds: float) -> float:
    """Share of requests faster than the edge: log-normal with sigma 0.5."""
    return (
        1.0
        if math.isinf(edge_seconds)
        else 0.5 * math.erfc(-math.log(edge_seconds / arm.median_seconds) / (0.5 * math.sqrt(2)))
    )


def _timelines(world: _SimulatedTest) -> tuple[Answer, ...]:
    def wobble(arm: _SimulatedVariant, name: str, seconds: float) -> float:
        return world.noise(arm.variant, name, round(seconds))

    p95_ratio = math.exp(1.645 * 0.5)
    return (
        _timeline(
            world,
            "request_rate",
            "requests_per_second",
            lambda arm, t: _rate(arm, t) * (1 + 0.03 * wobble(arm, "rate", t)),
        ),
        _timeline(
            world,
            "response_time",
            "ms",
            lambda arm, t: 1000 * arm.median_seconds * p95_ratio * (1 + 0.02 * wobble(arm, "p95", t)),
        ),
        _timeline(
            world,
            "accuracy",
            "as_logged",
            lambda arm, t: arm.accuracy - 0.006 + 0.001 * wobble(arm, "accuracy", t),
        ),
        _timeline(
            world,
            "error_rate",
            "percent",
            lambda arm, t: 100 * max(0.0, arm.error_share * (1 + 0.3 * wobble(arm, "errors", t))),
        ),
        Answer(
            "business_impact",
            world.query,
            "as_reported",
            tuple(
                _impact_series(world, arm, kind, _POINTS) for arm in world.arms for kind in _IMPACT_PERCENT
            ),
        ),
    )


def _blocks(world: _SimulatedTest) -> tuple[Answer, ...]:
    """What each counter grew by between the moments of the timelines; the mean latency wobbles from block to
    block.
    """
    step_seconds = world.window_seconds / _POINTS

    def requests(arm: _SimulatedVariant, seconds: float) -> float:
        return round(_rate(arm, seconds - step_seconds / 2) * step_seconds)

    def mean_seconds(arm: _SimulatedVariant, seconds: float) -> float:
        return arm.median_seconds * 1.15 * (1 + 0.02 * world.noise(arm.variant, "mean", round(seconds)))

    return (
        _timeline(world, "requests", "count", requests),
        _timeline(
            world,
            "errors",
            "count",
            lambda arm, t: round(
                requests(arm, t) * arm.error_share * (1 + 0.3 * world.noise(arm.variant, "errors", round(t)))
            ),
        ),
        _timeline(world, "latency_sum", "seconds", lambda arm, t: requests(arm, t) * mean_seconds(arm, t)),
        _timeline(world, "latency_count", "count", requests),
    )


def _grid(world: _SimulatedTest, points: int) -> list[float]:
    end, step = world.at.timestamp(), world.window_seconds / _POINTS
    return [end - step * (points - 1 - index) for index in range(points)]


def _timeline(
    world: _SimulatedTest, name: str, unit: str, value: Callable[[_SimulatedVariant, float], float]
) -> Answer:
    moments = _grid(world, _POINTS)
    series = (
        Timeline((("model_name", arm.variant),), tuple((moment, value(arm, moment)) for moment in moments))
        for arm in world.arms
    )
    return Answer(name, world.query, unit, tuple(series), step_seconds=world.window_seconds / _POINTS)


def _impact_series(world: _SimulatedTest, arm: _SimulatedVariant, kind: str, points: int) -> Timeline:
    labels = (("metric_type", kind), ("model_name", arm.variant))
    centre = _IMPACT_PERCENT[kind] * arm.impact
    return Timeline(
        labels,
        tuple(
            (moment, centre + 0.02 * world.noise(arm.variant, kind, round(moment)))
            for moment in _grid(world, points)
        ),
    )
