"""Snapshots for the pure stages: the seeded simulation's answers dressed as if the sources had given them, and changes to them."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from live_dashboards.model.measurement import Origin
from live_dashboards.model.snapshot import MLFLOW, PROMETHEUS, Accumulated, Answer, MlflowAnswer, PrometheusAnswer, Run, Snapshot, SourceState, SourceStatus, Timeline
from live_dashboards.settings import load_settings
from live_dashboards.sources.simulated import simulate

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = 86_400.0


def settings(**values: str):
    return load_settings(environment=values)


def stand_in(at=AT, window_seconds=DAY, baseline="baseline", challenger="enhanced") -> Snapshot:
    return simulate(at=at, window_seconds=window_seconds, seed=42, baseline=baseline, challenger=challenger)


def live(at=AT, window_seconds=DAY, **names: str) -> Snapshot:
    """A test of eight days with the window's traffic on each."""
    return accumulated(of_the_window(at, window_seconds, **names))


def of_the_window(at=AT, window_seconds=DAY, **names: str) -> Snapshot:
    """The same without anything that was counted since the start of the test."""
    made = stand_in(at, window_seconds, **names)
    return replace(
        made,
        mlflow=replace(made.mlflow, origin=Origin.LIVE, status=SourceStatus(MLFLOW, SourceState.ANSWERED), experiment="fraud", experiments=_renamed(made)),
        prometheus=replace(made.prometheus, origin=Origin.LIVE, status=SourceStatus(PROMETHEUS, SourceState.ANSWERED)),
    )


def accumulated(snapshot: Snapshot, *, days: float = 8.0, blocks: int = 32, is_remembered: bool = True, **factors: float) -> Snapshot:
    """As if the test had begun so many days ago, with the window's traffic on each; `factors` multiply one total, such as errors=2.0 (the challenger's only)."""
    start = snapshot.at.timestamp() - days * DAY
    answers = {name: snapshot.prometheus.instant(name) for name in ("requests", "errors", "latency_sum", "latency_count", "labelled", "correct")}
    buckets = snapshot.prometheus.instant("latency_buckets")
    answers["latency_within"] = replace(buckets, name="latency_within", series=tuple(series for series in buckets.series if series.label("le") == "0.25"))
    kept = {name: answer for name, answer in answers.items() if answer.series}
    scaled = {name: tuple((series, (series.last or 0.0) * days * _factor(series, name, factors)) for series in answer.series) for name, answer in kept.items()}
    totals = tuple(
        replace(kept[name], series=tuple(Timeline(series.labels, ((snapshot.at.timestamp(), value),)) for series, value in each)) for name, each in scaled.items()
    )
    step = days * DAY / blocks
    ends = [start + step * (number + 1) for number in range(blocks)]

    def over_blocks(name: str, value: float, phase: int) -> tuple[tuple[float, float], ...]:
        return _wobbling(value, ends, phase) if name == "latency_sum" else _spread(value, ends)

    by_block = tuple(
        replace(kept[name], series=tuple(Timeline(series.labels, over_blocks(name, value, phase)) for phase, (series, value) in enumerate(each)), step_seconds=step)
        for name, each in scaled.items()
    )
    first = tuple((series.label("model_name"), start) for series in answers["requests"].series)
    found = Accumulated(start, is_remembered, totals, by_block, 0.25)
    return replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(found,), first_traffic=first))


def _spread(value: float, ends: list[float]) -> tuple[tuple[float, float], ...]:
    """A count as evenly over blocks as whole numbers can be."""
    return tuple((end, float(round(value * (index + 1) / len(ends)) - round(value * index / len(ends)))) for index, end in enumerate(ends))


def _wobbling(value: float, ends: list[float], phase: int) -> tuple[tuple[float, float], ...]:
    """A sum over blocks, each up to 10 % off: mean response times are not the same all the time, nor in all arms."""
    off = [1 + 0.1 * math.sin((index + phase) * 2.399) for index in range(len(ends))]
    return tuple((end, value * each / sum(off)) for end, each in zip(ends, off, strict=True))


def _factor(series: Timeline, name: str, factors: dict[str, float]) -> float:
    return factors.get(name, 1.0) if series.label("model_name").startswith("enhanced") else 1.0


def _renamed(snapshot: Snapshot):
    return tuple(replace(experiment, name="fraud") for experiment in snapshot.mlflow.experiments)


def without_mlflow(snapshot: Snapshot, state=SourceState.FAILED, reason="refuses the connection") -> Snapshot:
    return replace(snapshot, mlflow=MlflowAnswer(SourceStatus(MLFLOW, state, reason)))


def without_prometheus(snapshot: Snapshot, state=SourceState.FAILED, reason="refuses the connection") -> Snapshot:
    return replace(snapshot, prometheus=PrometheusAnswer(SourceStatus(PROMETHEUS, state, reason)))


def with_instant(snapshot: Snapshot, name: str, values, **answer) -> Snapshot:
    """`values` by model name, or by (model name, label value) with the label's name as `label`."""
    label = answer.pop("label", None)
    at = snapshot.at.timestamp()
    series = tuple(Timeline((("model_name", key if label is None else key[0]), *(((label, key[1]),) if label else ())), ((at, value),)) for key, value in values.items())
    others = tuple(each for each in snapshot.prometheus.instants if each.name != name)
    changed = Answer(name, f"query of {name}", "count", series, **answer)
    return replace(snapshot, prometheus=replace(snapshot.prometheus, instants=(*others, changed)))


def with_values(snapshot: Snapshot, variant: str, metric: str, **changes) -> Snapshot:
    values = tuple(replace(value, **changes) if (value.variant, value.metric) == (variant, metric) else value for value in snapshot.mlflow.values)
    return replace(snapshot, mlflow=replace(snapshot.mlflow, values=values))


def logging(snapshot: Snapshot, key: str, **logged: list[float]) -> Snapshot:
    """As if each variant's runs had logged these values under the key in the place of the accuracy, an hour apart before the test, the newest last."""
    first = snapshot.at - timedelta(days=20)
    runs = tuple(
        Run(f"{variant}-{number}", f"{variant}-{number}", variant, "FINISHED", start, start + timedelta(minutes=9), False, start + timedelta(minutes=9), value)
        for variant, values in logged.items()
        for number, value in enumerate(values)
        for start in (first + timedelta(hours=number),)
    )
    named = {run.variant: run for run in runs}
    values = tuple(
        replace(
            value,
            key=key,
            value=named[value.variant].accuracy,
            run_id=named[value.variant].run_id,
            run_name=named[value.variant].name,
            run_status="FINISHED",
            started_at=named[value.variant].started_at,
            observed_at=named[value.variant].ended_at,
        )
        if value.metric == "accuracy"
        else value
        for value in snapshot.mlflow.values
    )
    every = [value for each in logged.values() for value in each]
    ranges = tuple((name, min(every), max(every)) if name == "accuracy" else (name, low, high) for name, low, high in snapshot.mlflow.value_ranges)
    return replace(snapshot, mlflow=replace(snapshot.mlflow, runs=runs, values=values, value_ranges=ranges))
