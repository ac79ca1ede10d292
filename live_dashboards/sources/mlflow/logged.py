"""Under which key each metric is read: MLflow's clients log an accuracy under several, and two variants are
compared under one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from live_dashboards.model.class_scores import is_no_accuracy, scored_dataset
from live_dashboards.model.metrics import ACCURACY, EXAMPLE_COUNT_KEY
from live_dashboards.model.quality import is_of_training
from live_dashboards.model.snapshot import VariantValue
from live_dashboards.model.variants import PREFERRED_CHALLENGER
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.datasets import with_test_rows
from live_dashboards.sources.mlflow.experiments import OF_DATASET, VALIDATION, ByExperiment, read, scored
from live_dashboards.sources.mlflow.questions import Parameters, Questions, milliseconds, moment_or_none

_MOST_LOOKED_INTO = 5


@dataclass(frozen=True, slots=True)
class Logged:
    """What one experiment's runs log: the latest values and their ranges (metric, lowest, highest), each
    metric's under one key, or under several that say the same; `keys` are those by metric. `others` are what
    the runs log else, where an accuracy is missing.
    """

    values: tuple[VariantValue, ...]
    ranges: tuple[tuple[str, float, float], ...]
    keys: Mapping[str, tuple[str, ...]]
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
    keys = {each: _keys(values.get(each, ()), _of_experiment(parameters, each)) for each in ids}
    chosen = [
        (each, _counted(value, parameters))
        for each in ids
        for value in values.get(each, ())
        if value.key in keys[each][value.metric]
    ]
    pointed = _by_point(connection, [value for _, value in chosen], parameters)
    counted, warnings = with_test_rows(connection, pointed, parameters)
    by_id: dict[int, list[VariantValue]] = {each: [] for each in ids}
    for (each, _), value in zip(chosen, counted, strict=True):
        by_id[each].append(value)
    return {
        each: Logged(
            tuple(by_id[each]),
            _ranges(ranges.get(each, ()), keys[each], by_id[each]),
            keys[each],
            _others(connection, by_id[each], _of_experiment(parameters, each)),
            warnings if _lacks_rows(by_id[each]) else (),
        )
        for each in ids
    }


def read_accuracies(
    connection: Questions, parameters: Parameters, measured: ByExperiment[VariantValue]
) -> dict[int, frozenset[str]]:
    """The variants of each experiment that have an accuracy, by the rules of its page, from runs that had
    started by the moment; keys with the name of a data set are looked for in the first experiments alone.
    """
    own = _of_accuracy(parameters)
    found = _accuracies(connection, own, measured)
    for each in [each for each in parameters["experiment_ids"] if len(found[each]) < 2][:_MOST_LOOKED_INTO]:
        more = _with_datasets(own, logged_keys(connection, _of_experiment(own, each)))
        if more is not None:
            found |= _accuracies(connection, {**more, "experiment_ids": [each]}, measured)
    return found


def _accuracies(
    connection: Questions, parameters: Parameters, measured: ByExperiment[VariantValue]
) -> dict[int, frozenset[str]]:
    by_runs: ByExperiment[VariantValue] = read(connection, "values", parameters)
    found: dict[int, frozenset[str]] = {}
    for each in parameters["experiment_ids"]:
        of_models = [value for value in measured.get(each, ()) if value.metric == ACCURACY]
        of_models = [value for value in of_models if (ACCURACY, value.key) in _groups(parameters)]
        values = _best(by_runs.get(each, ()), of_models, parameters)
        keys = _keys(values, _of_experiment(parameters, each))[ACCURACY]
        found[each] = frozenset(
            value.variant
            for value in values
            if value.key in keys and _milliseconds(value.started_at) <= parameters["near_ms"]
        )
    return found


def _of_accuracy(parameters: Parameters) -> dict[str, Any]:
    """The same, asking for the accuracy alone."""
    names = ("metrics", "keys", "signs", "scored", "preferences")
    columns = zip(*(parameters[name] for name in names), strict=True)
    own = zip(*(row for row in columns if row[0] == ACCURACY), strict=True)
    return {**parameters, **{name: list(column) for name, column in zip(names, own, strict=True)}}


def _of_experiment(parameters: Parameters, experiment_id: int) -> Parameters:
    """What is asked of one experiment alone, with the baseline that the page takes."""
    baseline = parameters["baselines"].get(experiment_id, parameters["baseline"])
    return {**parameters, "experiment_ids": [experiment_id], "baseline": baseline}


def _best(
    values: Sequence[VariantValue], measured: Sequence[VariantValue], parameters: Parameters
) -> tuple[VariantValue, ...]:
    """Of each variant, metric and group of keys the value that counts, be it logged by a run or measured of a
    model.
    """
    if not measured:
        return tuple(values)
    groups = _groups(parameters)
    found: dict[tuple[str, str, int], VariantValue] = {}
    for value in sorted((*values, *measured), key=lambda each: _rank(each, parameters["near_ms"])):
        found.setdefault((value.variant, value.metric, groups[value.metric, value.key]), value)
    return tuple(sorted(found.values(), key=lambda each: (each.variant, each.metric, each.key)))


def _groups(parameters: Parameters) -> dict[tuple[str, str], int]:
    """The preference of each metric's keys; those that say the same share one."""
    wanted = zip(parameters["metrics"], parameters["keys"], parameters["preferences"], strict=True)
    return {(metric, key): preference for metric, key, preference in wanted}


def _ranges(
    ranges: Iterable[tuple[str, str, float, float]],
    keys: Mapping[str, Sequence[str]],
    values: Sequence[VariantValue],
) -> tuple[tuple[str, float, float], ...]:
    """Of each metric the lowest and the highest value that is logged under its keys, or was measured of a
    model, of which a run keeps one alone, or is what a search found best.
    """
    found: dict[str, list[float]] = {}
    for metric, key, *ends in ranges:
        if key in keys[metric]:
            found.setdefault(metric, []).extend(ends)
    for value in values:
        if value.model_id or value.search:
            found.setdefault(value.metric, []).append(value.value)
    return tuple((metric, min(ends), max(ends)) for metric, ends in sorted(found.items()))


def _lacks_rows(values: Sequence[VariantValue]) -> bool:
    return any(each.metric == ACCURACY and each.test_count is None for each in values)


_Wanted = tuple[str, str, float, int]
"""A metric, a key, 1 or -1 as more or less is better, and whether it is the score of a class."""


def _with_datasets(parameters: Parameters, keys: Sequence[str]) -> Parameters | None:
    """With what autolog logs after the run, `accuracy_score_<dataset>` and the like, before what is logged of
    validation rows; None where nothing of that is among the keys that the runs log.
    """
    names = ("metrics", "keys", "signs", "scored", "preferences")
    groups: list[list[_Wanted]] = []
    for metric, key, sign, kind, _ in zip(*(parameters[name] for name in names), strict=True):
        if metric in parameters["unnamed_metrics"] and key == f"{VALIDATION}{metric}":
            found = _of_datasets(metric, keys, parameters)
            groups.extend(
                [(metric, each, sign, scored(each, parameters)) for each in group] for group in found
            )
        groups.append([(metric, key, sign, kind)])
    if len(groups) == len(parameters["keys"]):
        return None
    rows = [(*row, preference) for preference, group in enumerate(groups) for row in group]
    more = {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    limit = parameters["most_values"] * len(groups) // len(parameters["keys"])
    return {**parameters, **more, "most_values": limit}


def _of_datasets(metric: str, keys: Sequence[str], parameters: Parameters) -> Iterable[list[str]]:
    """The keys of a metric that are logged of a data set, by data set. Of an accuracy also the scores of
    classes that may be classifiers: the class in front of the same data set is no other metric. Data sets
    that have a plain key come first.
    """
    own = [key for key in keys if not is_of_training(key)]
    begin = f"{metric}{OF_DATASET}"
    groups = {key.removeprefix(begin): [key] for key in own if key.startswith(begin) and key != begin}
    for key in own:
        if metric == ACCURACY and scored(key, parameters) and not is_no_accuracy(key):
            groups.setdefault(scored_dataset(key), []).append(key)
    return groups.values()


def _keys(values: Sequence[VariantValue], parameters: Parameters) -> dict[str, tuple[str, ...]]:
    """The keys of each metric: one, or those that say the same."""
    by_metric: dict[str, dict[int, list[str]]] = {}
    for (metric, key), preference in _groups(parameters).items():
        by_metric.setdefault(metric, {}).setdefault(preference, []).append(key)
    return {
        metric: tuple(
            groups[_preference([each for each in values if each.metric == metric], groups, parameters)]
        )
        for metric, groups in by_metric.items()
    }


def _preference(
    values: Sequence[VariantValue], groups: Mapping[int, Sequence[str]], parameters: Parameters
) -> int:
    """The first group of keys that the runs which count for baseline and challenger both have; else the first
    that any runs of both have; else the first that one of them has, or anybody.
    """
    if len(groups) == 1:
        return next(iter(groups))
    group_of = {key: preference for preference, keys in groups.items() for key in keys}
    pair = _pair(values, parameters)
    newest = [
        {group_of[key] for key in _keys_of_newest(values, name, parameters["near_ms"])} for name in pair
    ]
    any_run = [{group_of[each.key] for each in values if each.variant == name} for name in pair]
    everybody = {group_of[each.key] for each in values}
    known = (
        set.intersection(*newest) if newest else set(),
        set.intersection(*any_run) if any_run else set(),
        set().union(*any_run),
        everybody,
    )
    return min(next(filter(None, known), set(groups)))


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
    return start_seconds * 1000 > near_ms, value.is_of_search, is_unfinished, -start_seconds, value.run_id


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
    stepped = [each for each in values if _has_points(each)]
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
    if newest is None or not _has_points(value) or newest[1] <= _milliseconds(value.observed_at):
        return value
    if math.isclose(newest[0], value.value) and parameters["metric_point"] == "step":
        return value
    if parameters["metric_point"] == "step":
        return replace(value, other_point=newest[0])
    return replace(value, value=newest[0], observed_at=moment_or_none(newest[1]), other_point=value.value)


def _has_points(value: VariantValue) -> bool:
    """Whether its run may have logged other points of it: what a search found best is one value."""
    return value.step > 0 and not value.model_id and value.search is None


def _milliseconds(moment: datetime | None) -> int:
    return 0 if moment is None else milliseconds(moment)


def _others(connection: Questions, chosen: Sequence[VariantValue], parameters: Parameters) -> tuple[str, ...]:
    """The keys that most runs log, where baseline or challenger has no accuracy, or one of validation rows
    alone.
    """
    known = {each.variant: each.key for each in chosen if each.metric == ACCURACY}
    is_validation = any(key.startswith(VALIDATION) for key in known.values())
    if len(known) > 1 and parameters["baseline"] in known and not is_validation:
        return ()
    return logged_keys(connection, parameters)


def logged_keys(connection: Questions, parameters: Parameters) -> tuple[str, ...]:
    """The keys that most runs of these experiments log, and all that autolog logs of a data set; none where
    they cannot be read.
    """
    rows = connection.optional_rows("metric keys", sql.METRIC_KEYS, parameters) or []
    return tuple(key for key, _ in rows)
