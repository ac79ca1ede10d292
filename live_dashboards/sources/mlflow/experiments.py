"""The questions of one test's page: experiments, values, runs, points and versions."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, TypeVar

from live_dashboards.errors import UsageError
from live_dashboards.model.metrics import METRICS
from live_dashboards.model.snapshot import (
    Answer,
    Experiment,
    ModelVersion,
    Run,
    StatusCount,
    Timeline,
    VariantValue,
)
from live_dashboards.settings import Settings
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.questions import Parameters, Questions, Row, moment_or_none
from live_dashboards.sources.mlflow.variants import first_registry, key, said, whole_registry

HISTORY = "accuracy_history"
Record = TypeVar("Record")
ByExperiment = Mapping[int, tuple[Record, ...]]
"""Records by the experiment's id; an experiment without any is not in it."""

_SHOWN_NAMES = 3
_Rank = tuple[int, int, int]


def metric_keys(settings: Settings) -> tuple[tuple[str, str], ...]:
    """(metric, MLflow's key), for a metric with several keys the preferred one first."""
    return tuple(
        (metric.name, key)
        for metric in METRICS.values()
        for key in ((settings[metric.setting],) if settings[metric.setting] else metric.keys)
    )


def with_hits() -> list[str]:
    """The metrics whose n are the hits and misses that the same run logs."""
    return [metric.name for metric in METRICS.values() if metric.n is not None and metric.n.misses]


def hits_pattern() -> str:
    """Matches the key of such a metric; its group is the prefix that its hits and misses have, too, as
    mlflow.evaluate logs them: val_precision_score has val_true_positives beside it.
    """
    return f"^(.*?)(?:{'|'.join(with_hits())})(?:_score)?$"


def step_ms(window_seconds: float) -> int:
    """The length of a time step of the history in milliseconds, so that the window has no more steps than
    points.
    """
    return max(1, math.ceil(window_seconds * 1000 / sql.HISTORY_POINTS))


def _value(row: Row) -> VariantValue:
    (
        variant,
        metric,
        key,
        value,
        logged_ms,
        run_id,
        name,
        status,
        is_child,
        start_ms,
        step,
        siblings,
        *counts,
    ) = row
    found = VariantValue(
        variant,
        metric,
        key,
        value,
        moment_or_none(logged_ms),
        run_id,
        name,
        status,
        is_child,
        moment_or_none(start_ms),
        *counts,
    )
    return replace(found, step=step, siblings=siblings)


def _run(row: Row) -> Run:
    run_id, name, variant, status, start_ms, end_ms, is_child, sign_ms, accuracy = row
    return Run(
        run_id,
        name,
        variant,
        status,
        moment_or_none(start_ms),
        moment_or_none(end_ms),
        is_child,
        moment_or_none(sign_ms),
        accuracy,
    )


QUESTIONS: Mapping[str, tuple[str, Callable[[Row], Any]]] = {
    "values": (sql.VALUES, _value),  # the latest of each variant, metric and key, as logged
    # (metric, key, lowest, highest) as logged, over all active runs
    "value_ranges": (sql.VALUE_RANGES, tuple),
    "status_counts": (sql.STATUS_COUNTS, lambda row: StatusCount(*row)),  # all active runs
    "runs": (sql.RUNS, _run),  # the newest active ones, newest first
    # logged accuracy over the window, averaged by time step: (variant, unix seconds, value) in this order
    "history": (sql.HISTORY, tuple),
}
"""Each question's text, and how a row of its answer becomes a record."""


def read(connection: Questions, question: str, parameters: Parameters) -> ByExperiment[Any]:
    """What one of the questions gives."""
    text, record = QUESTIONS[question]
    return _by_experiment(connection.rows(question, text, parameters), record)


def history_answer(points: Iterable[Row], parameters: Parameters, *, query: str) -> Answer:
    """The history of one experiment, a series a variant."""
    series = tuple(
        Timeline(
            (("variant", variant),), tuple((time_seconds, value) for _, time_seconds, value in of_variant)
        )
        for variant, of_variant in groupby(points, key=lambda row: row[0])
    )
    reason = None if series else "no accuracy was logged within the window"
    return Answer(HISTORY, query, "", series, reason, parameters["step_ms"] / 1000)


def read_versions(connection: Questions, text: str, parameters: Parameters) -> ByExperiment[ModelVersion]:
    """The newest registered model versions made from the experiment's runs; none where they cannot be
    read.
    """
    rows = connection.optional_rows("versions", text, parameters) or []
    return _by_experiment([row for row in rows if moment_or_none(row[3]) is not None], _version)


def _version(row: Row) -> ModelVersion:
    name, version, created_ms, run_id, aliases = row
    created_at = moment_or_none(created_ms)
    assert created_at is not None  # noqa: S101 others are left out before
    return ModelVersion(name, version, created_at, run_id, tuple(aliases))


def _by_experiment(rows: Iterable[Row], read: Callable[[Row], Record]) -> ByExperiment[Record]:
    """Rows that begin with the experiment's id and come in its order, as records by id."""
    return {
        experiment_id: tuple(read(row[1:]) for row in of_one)
        for experiment_id, of_one in groupby(rows, key=lambda row: row[0])
    }


@dataclass(frozen=True, slots=True)
class ChosenExperiment:
    """The experiments with the chosen one first, all active names, and why there is none or what is odd about
    it. `ways` are (variant, way) of each experiment's variants by its id, `parameters` what to ask on with:
    they hold what had to be asked to know the variants.
    """

    chosen: Experiment | None
    experiments: tuple[Experiment, ...]
    known: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    reason: str | None = None
    fix: str | None = None
    parameters: Parameters = field(default_factory=dict)
    ways: Mapping[int, tuple[tuple[str, str], ...]] = field(default_factory=dict)


def choose_experiment(
    connection: Questions, wanted: str | None, parameters: Mapping[str, Any]
) -> ChosenExperiment:
    """The named experiment, or the A/B experiment with the newest activity; UsageError where no active
    experiment has that name.
    """
    own = first_registry(connection, {**parameters, "experiment": wanted})
    rows = connection.rows("experiments", sql.EXPERIMENTS, own)
    if not _has_test(rows, wanted):
        known = len(own["known"])
        own = whole_registry(connection, own)
        if len(own["known"]) > known:
            rows = connection.rows("experiments", sql.EXPERIMENTS, own)
    return replace(_choice(connection, rows, wanted, own), parameters=own, ways=_ways(rows, own))


def _has_test(rows: Iterable[Row], wanted: str | None) -> bool:
    """Whether there is an experiment of that name, or any, with two variants; or none of the name at all."""
    mine = [each for each in _experiments(rows) if wanted in {None, each.name}]
    return any(each.is_ab_test for each in mine) or (wanted is not None and not mine)


def _choice(
    connection: Questions, rows: Sequence[Row], wanted: str | None, parameters: Parameters
) -> ChosenExperiment:
    found = _experiments(rows)
    known = tuple(dict.fromkeys(name for _, name, *_ in rows))
    candidates = [
        experiment
        for experiment in found
        if (experiment.is_ab_test if wanted is None else experiment.name == wanted)
    ]
    active, ranks = _with_activity(connection, found, candidates, parameters)
    if not candidates:
        reason, fix = _nothing_found(connection, found, known, wanted, parameters)
        return ChosenExperiment(None, tuple(active), known, reason=reason, fix=fix)
    chosen_id = max(
        candidates,
        key=lambda experiment: ranks.get(experiment.experiment_id, (-1, -1, experiment.experiment_id)),
    ).experiment_id
    ordered = sorted(
        active,
        key=lambda experiment: (
            experiment.experiment_id != chosen_id,
            [-part for part in ranks.get(experiment.experiment_id, (-1, -1, -1))],
        ),
    )
    return _chosen(ordered, known, parameters)


def _ways(rows: Iterable[Row], parameters: Parameters) -> dict[int, tuple[tuple[str, str], ...]]:
    """(variant, way) of the variants of each experiment's id."""
    found: dict[int, tuple[tuple[str, str], ...]] = {}
    for experiment_id, _, _, variant, _, way in rows:
        if variant is not None and way is not None:
            found[experiment_id] = (
                *found.get(experiment_id, ()),
                (variant, str(parameters["variant_ways"][way])),
            )
    return found


def choice_of(choice: ChosenExperiment, experiment: Experiment) -> ChosenExperiment:
    """The same experiments with this one chosen."""
    others = tuple(each for each in choice.experiments if each is not experiment)
    known = (experiment.name, *(name for name in choice.known if name != experiment.name))
    chosen = _chosen((experiment, *others), known, choice.parameters)
    return replace(chosen, parameters=choice.parameters, ways=choice.ways)


def _chosen(
    ordered: Sequence[Experiment], known: tuple[str, ...], parameters: Parameters
) -> ChosenExperiment:
    chosen = ordered[0]
    with_variants = tuple(experiment for experiment in ordered if experiment.variants)
    same_name = sorted(experiment.workspace for experiment in ordered[1:] if experiment.name == chosen.name)
    warnings = (
        [
            (
                f"experiment {chosen.name!r} is there in several workspaces; shown is the one of "
                f"{chosen.workspace}, not {', '.join(same_name)}"
            )
        ]
        if same_name
        else []
    )
    if len(chosen.variants) >= sql.MAX_VARIANTS:
        warnings.append(
            f"experiment {chosen.name!r} has {sql.MAX_VARIANTS} or more variants; of the rest "
            "nothing is shown"
        )
    if chosen.variants:
        return ChosenExperiment(chosen, with_variants, known, tuple(warnings))
    ways = parameters["variant_ways"]
    reason = f"no active run of experiment {chosen.name!r} has a {said(ways)}"
    return ChosenExperiment(
        chosen,
        with_variants,
        known,
        tuple(warnings),
        reason,
        f"log {key(ways)} in its runs, or set AB_EXPERIMENT to another experiment",
    )


def _experiments(rows: Iterable[tuple[Any, ...]]) -> list[Experiment]:
    """One experiment for each id; its rows hold one variant each."""
    variants: dict[tuple[int, str, str], list[tuple[str, int]]] = {}
    for experiment_id, name, workspace, variant, runs, _ in rows:
        counted = variants.setdefault((experiment_id, name, workspace), [])
        if variant is not None:
            counted.append((variant, runs))
    return [Experiment(*key, tuple(counted), None) for key, counted in variants.items()]


def _with_activity(
    connection: Questions,
    found: Iterable[Experiment],
    candidates: Iterable[Experiment],
    parameters: Mapping[str, Any],
) -> tuple[list[Experiment], dict[int, _Rank]]:
    """The experiments with the newest activity of the A/B tests and candidates, and how they rank: newest by
    the moment, newest at all, newest made.
    """
    ids = {experiment.experiment_id for experiment in (*found, *candidates) if experiment.is_ab_test} | {
        experiment.experiment_id for experiment in candidates
    }
    rows = (
        connection.rows("activity", sql.ACTIVITY, {**parameters, "experiment_ids": sorted(ids)})
        if ids
        else []
    )
    newest = {experiment_id: by_then_ms for experiment_id, by_then_ms, _ in rows}
    ranks = {
        experiment_id: (by_then_ms or -1, at_all_ms or -1, experiment_id)
        for experiment_id, by_then_ms, at_all_ms in rows
    }
    return [
        _active(experiment, newest.get(experiment.experiment_id), parameters["from_ms"])
        for experiment in found
    ], ranks


def _active(experiment: Experiment, by_then_ms: int | None, from_ms: int) -> Experiment:
    return replace(
        experiment,
        last_activity_at=moment_or_none(by_then_ms),
        is_active=by_then_ms is not None and by_then_ms > from_ms,
    )


def _nothing_found(
    connection: Questions,
    found: Sequence[Experiment],
    known: Sequence[str],
    wanted: str | None,
    parameters: Mapping[str, Any],
) -> tuple[str, str]:
    deleted = connection.optional_rows("deleted experiments", sql.DELETED, parameters) or []
    if wanted is not None:
        raise UsageError(
            _unknown(wanted, known, is_deleted=any(name == wanted and gone for name, gone in deleted))
        )
    ways = parameters["variant_ways"]
    log = f"log the {said(ways)} with two values in one experiment's runs"
    if deleted:
        names = ", ".join(repr(name) for name, _ in deleted)
        return (
            (
                "reachable, no A/B data: every experiment with two variants is deleted, or its runs are "
                f"({names})"
            ),
            f"restore it (mlflow experiments restore), or {log}",
        )
    names = ", ".join(repr(name) for name in known[:_SHOWN_NAMES])
    single = next((experiment for experiment in found if experiment.variants), None)
    only = f"; {single.name!r} has only {single.variants[0][0]!r}" if single else ""
    count = f"{len(known)} experiment{'' if len(known) == 1 else 's'}"
    return (
        f"reachable, no A/B data: {count} ({names}), none with two values of {key(ways)}{only}",
        f"{log}, or name one with AB_EXPERIMENT",
    )


def _unknown(wanted: str, known: Sequence[str], *, is_deleted: bool) -> str:
    if is_deleted:
        return (
            f"experiment {wanted!r} is deleted in MLflow; restore it (mlflow experiments restore) or "
            "name another one"
        )
    near = difflib.get_close_matches(wanted, known, n=_SHOWN_NAMES, cutoff=0.0)
    names = ", ".join(repr(name) for name in near)
    return (
        f"MLflow has no active experiment {wanted!r}; the nearest names are {names}"
        if near
        else f"MLflow has no active experiment {wanted!r}, and no other; run an experiment first"
    )
