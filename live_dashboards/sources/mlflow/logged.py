"""Under which key each metric is read: MLflow's clients log an accuracy under several, and two variants are
compared under one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from live_dashboards.model.metrics import ACCURACY, EXAMPLE_COUNT_KEY
from live_dashboards.model.quality import is_of_training
from live_dashboards.model.snapshot import VariantValue
from live_dashboards.model.variants import PREFERRED_CHALLENGER
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.datasets import with_test_rows
from live_dashboards.sources.mlflow.experiments import ByExperiment, read
from live_dashboards.sources.mlflow.questions import Parameters, Questions, milliseconds, moment_or_none
from live_dashboards.sources.mlflow.rows.records import VALIDATION


@dataclass(frozen=True, slots=True)
class Logged:
    """What one experiment's runs log: the latest values and their ranges (metric, lowest, highest), each
    metric's under one key; `keys` are those by metric. `others` are what the runs log else, where an accuracy
    is missing.
    """

    values: tuple[VariantValue, ...]
    ranges: tuple[tuple[str, float, float], ...]
    keys: Mapping[str, str]
    others: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def read_logged(
    connection: Questions, parameters: Parameters, measured: ByExperiment[VariantValue]
) -> dict[int, Logged]:
    """What the runs of each experiment log, by as many questions as for one where their accuracies are
    there; of one without any run there is nothing. `measured` is what runs measured of several models.
    """
    found = _read(connection, parameters, measured)
    for experiment_id, each in [*found.items()]:
        more = _with_datasets(parameters, each.others)
        if more is not None:
            found |= _read(connection, {**more, "experiment_ids": [experiment_id]}, measured)
    return found


def _read(
    connection: Questions, parameters: Parameters, measured: ByExperiment[VariantValue]
) -> dict[int, Logged]:
    by_runs: ByExperiment[VariantValue] = read(connection, "values", parameters)
    ranges: ByExperiment[tuple[str, str, float, float]] = read(connection, "value_ranges", parameters)
    ids = parameters["experiment_ids"]
    values = {each: _best(by_runs.get(each, ()), measured.get(each, ()), parameters) for each in ids}
    keys = {each: _keys(values.get(each, ()), parameters) for each in ids}
    chosen = [
        (each, _counted(value, parameters))
        for each in ids
        for value in values.get(each, ())
        if value.key == keys[each][value.metric]
    ]
    pointed = _by_point(connection, [value for _, value in chosen], parameters)
    counted, warnings = with_test_rows(connection, pointed, parameters)
    by_id: dict[int, list[VariantValue]] = {each: [] for each in ids}
    for (each, _), value in zip(chosen, counted, strict=True):
        by_id[each].append(value)
    return {
        each: Logged(
            tuple(by_id[each]),
            tuple(
                _widened(metric, low, high, by_id[each])
                for metric, key, low, high in ranges.get(each, ())
                if key == keys[each][metric]
            ),
            keys[each],
            _others(connection, by_id[each], parameters, each),
            warnings if _lacks_rows(by_id[each]) else (),
        )
        for each in ids
    }


def _best(
    values: Sequence[VariantValue], measured: Sequence[VariantValue], parameters: Parameters
) -> tuple[VariantValue, ...]:
    """Of each variant, metric and key the value that counts, be it logged by a run or measured of a model."""
    if not measured:
        return tuple(values)
    found: dict[tuple[str, str, str], VariantValue] = {}
    for value in sorted((*values, *measured), key=lambda each: _rank(each, parameters["near_ms"])):
        found.setdefault((value.variant, value.metric, value.key), value)
    return tuple(sorted(found.values(), key=lambda each: (each.variant, each.metric, each.key)))


def _widened(
    metric: str, low: float, high: float, values: Sequence[VariantValue]
) -> tuple[str, float, float]:
    """The range with what was measured of models, of which a run keeps one alone."""
    mine = [each.value for each in values if each.metric == metric and each.model_id]
    return metric, min((low, *mine)), max((high, *mine))


def _lacks_rows(values: Sequence[VariantValue]) -> bool:
    return any(each.metric == ACCURACY and each.test_count is None for each in values)


def _with_datasets(parameters: Parameters, keys: Sequence[str]) -> Parameters | None:
    """With what autolog logs after the run, `accuracy_score_<dataset>` and the like, before what is logged of
    validation rows; None where nothing of that is among the keys that the runs log.
    """
    names = ("metrics", "keys", "signs")
    rows: list[tuple[str, str, float]] = []
    for metric, key, sign in zip(*(parameters[name] for name in names), strict=True):
        if key == f"{VALIDATION}{metric}":
            found = [
                each for each in keys if each.startswith(f"{metric}_score_") and not is_of_training(each)
            ]
            rows.extend((metric, each, sign) for each in found)
        rows.append((metric, key, sign))
    if len(rows) == len(parameters["keys"]):
        return None
    metrics, wanted, signs = (list(column) for column in zip(*rows, strict=True))
    limit = parameters["most_values"] * len(rows) // len(parameters["keys"])
    return {
        **parameters,
        "metrics": metrics,
        "keys": wanted,
        "signs": signs,
        "preferences": list(range(len(rows))),
        "most_values": limit,
    }


def _keys(values: Sequence[VariantValue], parameters: Parameters) -> dict[str, str]:
    """The key of each metric."""
    wanted = [*zip(parameters["metrics"], parameters["keys"], strict=True)]
    return {
        metric: _key(
            [each for each in values if each.metric == metric],
            [key for of, key in wanted if of == metric],
            parameters,
        )
        for metric in dict.fromkeys(metric for metric, _ in wanted)
    }


def _key(values: Sequence[VariantValue], keys: Sequence[str], parameters: Parameters) -> str:
    """The first key that the runs which count for baseline and challenger both have; else the first that any
    runs of both have; else the first that one of them has, or anybody.
    """
    if len(keys) == 1:
        return keys[0]
    pair = _pair(values, parameters)
    newest = [_keys_of_newest(values, name, parameters["near_ms"]) for name in pair]
    any_run = [{each.key for each in values if each.variant == name} for name in pair]
    everybody = {each.key for each in values}
    groups = (
        set.intersection(*newest) if newest else set(),
        set.intersection(*any_run) if any_run else set(),
        set().union(*any_run),
        everybody,
    )
    return next((key for group in groups for key in keys if key in group), keys[0])


def _pair(values: Iterable[VariantValue], parameters: Parameters) -> list[str]:
    """Baseline and challenger as far as the runs tell; all variants where there is no baseline."""
    variants = sorted({each.variant for each in values})
    baseline, challenger = parameters["baseline"], parameters["challenger"]
    if baseline not in variants:
        return variants
    others = [name for name in variants if name != baseline]
    usual = PREFERRED_CHALLENGER if PREFERRED_CHALLENGER in others else min(others, default=baseline)
    return [baseline, challenger or usual] if challenger in {None, *others} else [baseline]


def _keys_of_newest(values: Sequence[VariantValue], variant: str, near_ms: int) -> set[str]:
    """What the run logs that counts for a variant."""
    mine = [each for each in values if each.variant == variant]
    best = min(mine, key=lambda each: _rank(each, near_ms), default=None)
    return {each.key for each in mine if best is not None and each.run_id == best.run_id}


def _rank(value: VariantValue, near_ms: int) -> tuple[Any, ...]:
    """As the question ranks runs: top-level before child, FINISHED before RUNNING, newest start; those after
    the moment come last.
    """
    start_seconds = value.started_at.timestamp() if value.started_at is not None else 0.0
    is_unfinished = value.run_status != "FINISHED"
    return start_seconds * 1000 > near_ms, value.is_child, is_unfinished, -start_seconds, value.run_id


def _counted(value: VariantValue, parameters: Parameters) -> VariantValue:
    """With the number of test rows: that of AB_TEST_COUNT_PARAM, else what mlflow.models.evaluate logs."""
    if value.test_count is not None:
        return replace(value, example_count=None, test_count_key=parameters["test_count_key"])
    if value.example_count is None:
        return value
    return replace(
        value, test_count=value.example_count, example_count=None, test_count_key=EXAMPLE_COUNT_KEY
    )


def _by_point(
    connection: Questions, values: Sequence[VariantValue], parameters: Parameters
) -> tuple[VariantValue, ...]:
    """MLflow keeps the point of the greatest step; where a newer one has a smaller step, as a final value
    that is logged without one, AB_METRIC_POINT says which counts.
    """
    stepped = [each for each in values if each.step > 0 and not each.model_id]
    if not stepped:
        return tuple(values)
    rows = connection.rows(
        "newest points",
        sql.NEWEST_POINTS,
        {
            **parameters,
            "point_runs": [each.run_id for each in stepped],
            "point_keys": [each.key for each in stepped],
            "point_starts": [_milliseconds(each.started_at) for each in stepped],
        },
    )
    newest = {(run_id, key): (value, at_ms) for run_id, key, value, at_ms in rows}
    return tuple(_at_point(each, newest.get((each.run_id, each.key)), parameters) for each in values)


def _at_point(value: VariantValue, newest: tuple[float, int] | None, parameters: Parameters) -> VariantValue:
    if newest is None or value.step <= 0 or value.model_id or newest[1] <= _milliseconds(value.observed_at):
        return value
    if math.isclose(newest[0], value.value) and parameters["metric_point"] == "step":
        return value
    if parameters["metric_point"] == "step":
        return replace(value, other_point=newest[0])
    return replace(value, value=newest[0], observed_at=moment_or_none(newest[1]), other_point=value.value)


def _milliseconds(moment: datetime | None) -> int:
    return 0 if moment is None else milliseconds(moment)


def _others(
    connection: Questions, chosen: Sequence[VariantValue], parameters: Parameters, experiment_id: int
) -> tuple[str, ...]:
    """The keys that most runs log, where baseline or challenger has no accuracy, or one of validation rows
    alone.
    """
    known = {each.variant: each.key for each in chosen if each.metric == ACCURACY}
    is_validation = any(key.startswith(VALIDATION) for key in known.values())
    if len(known) > 1 and parameters["baseline"] in known and not is_validation:
        return ()
    rows = connection.optional_rows(
        "metric keys", sql.METRIC_KEYS, {**parameters, "experiment_ids": [experiment_id]}
    )
    return tuple(key for key, _ in rows or [])
