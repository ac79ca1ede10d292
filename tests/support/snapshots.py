"""Snapshots for the pure stages: the seeded simulation's answers dressed as if the sources had given them, and changes to them."""

from dataclasses import replace
from datetime import UTC, datetime

from live_dashboards.model.measurement import Origin
from live_dashboards.model.snapshot import MLFLOW, PROMETHEUS, Answer, MlflowAnswer, PrometheusAnswer, Snapshot, SourceState, SourceStatus, Timeline
from live_dashboards.settings import load_settings
from live_dashboards.sources.simulated import simulate

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = 86_400.0


def settings(**values: str):
    return load_settings(environment=values)


def stand_in(at=AT, window_seconds=DAY, baseline="baseline", challenger="enhanced") -> Snapshot:
    return simulate(at=at, window_seconds=window_seconds, seed=42, baseline=baseline, challenger=challenger)


def live(at=AT, window_seconds=DAY, **names: str) -> Snapshot:
    made = stand_in(at, window_seconds, **names)
    return replace(
        made,
        mlflow=replace(made.mlflow, origin=Origin.LIVE, status=SourceStatus(MLFLOW, SourceState.ANSWERED), experiment="fraud", experiments=_renamed(made)),
        prometheus=replace(made.prometheus, origin=Origin.LIVE, status=SourceStatus(PROMETHEUS, SourceState.ANSWERED)),
    )


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
