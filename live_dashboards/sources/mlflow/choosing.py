"""Which experiment is looked at, and which variants each has."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from live_dashboards.errors import UsageError
from live_dashboards.model.snapshot import Experiment
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.models import Measured, read_measured
from live_dashboards.sources.mlflow.preferred import ACTIVITY, prefer
from live_dashboards.sources.mlflow.questions import Parameters, Preference, Questions, Row, moment_or_none
from live_dashboards.sources.mlflow.variants import (
    MODEL,
    first_registry,
    key,
    said,
    whole_registry,
    with_known,
)

_SHOWN_NAMES = 3
_MEASURED_EXPERIMENTS = 50
_Rank = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ChosenExperiment:
    """The experiments with the chosen one first, all active names, and why there is none or what is odd about
    it. `how` says for what it was chosen, `told` what of others. `ways` are (variant, way) of each
    experiment's variants by its id, `parameters` what to ask on with: they hold what had to be asked to know
    the variants.
    """

    chosen: Experiment | None
    experiments: tuple[Experiment, ...]
    known: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    reason: str | None = None
    fix: str | None = None
    parameters: Parameters = field(default_factory=dict)
    ways: Mapping[int, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    how: str = "AB_EXPERIMENT"
    told: tuple[str, ...] = ()


def choose_experiment(
    connection: Questions,
    wanted: str | None,
    parameters: Mapping[str, Any],
    preference: Preference | None = None,
) -> ChosenExperiment:
    """The named experiment, or the A/B experiment that is preferred (None: that with the newest activity);
    UsageError where no active experiment has that name.
    """
    own, grants = first_registry(connection, {**parameters, "experiment": wanted})
    rows = connection.rows("experiments", sql.EXPERIMENTS, own)
    if not _has_test(rows, wanted):
        rows, own, more = _by_registry(connection, rows, own)
        grants = grants or more
    if not _has_test(rows, wanted):
        rows, own, more = _by_models(connection, rows, wanted, own)
        grants += more
    choice = _choice(connection, rows, wanted, own, preference)
    return replace(choice, parameters=own, ways=_ways(rows, own), fix=_with_grants(choice.fix, grants))


def _with_grants(fix: str | None, grants: Sequence[str]) -> str | None:
    """What helps, too, where only what may not be looked at tells the variants."""
    if not grants or fix is None:
        return fix
    return f"{fix}; if the registry or models tell the variants: {'; '.join(grants)}"


def _by_registry(
    connection: Questions, rows: list[Row], parameters: Parameters
) -> tuple[list[Row], dict[str, Any], list[str]]:
    """The experiments with what the registry knows, where it knows anything; and the grants that are
    lacking.
    """
    own, grants = whole_registry(connection, parameters)
    if own["known"] != parameters["known"]:
        rows = connection.rows("experiments", sql.EXPERIMENTS, own)
    return rows, own, grants


def _by_models(
    connection: Questions, rows: list[Row], wanted: str | None, parameters: Parameters
) -> tuple[list[Row], dict[str, Any], list[str]]:
    """The experiments with the variants of the models that runs measured; and the grants that are lacking."""
    ids = sorted({experiment_id for experiment_id, name, *_ in rows if wanted in {None, name}}, reverse=True)
    bound = {**parameters, "experiment_ids": ids[:_MEASURED_EXPERIMENTS]}
    measured = read_measured(connection, bound)
    own = with_known(parameters, {MODEL: measured.runs})
    if measured.runs:
        rows = connection.rows("experiments", sql.EXPERIMENTS, own)
    return [*rows, *_of_models(rows, measured, own)], own, [measured.grant] if measured.grant else []


def _of_models(rows: Sequence[Row], measured: Measured, parameters: Parameters) -> list[Row]:
    """Rows of the variants that no run has alone, with how many runs measured them."""
    known = {(experiment_id, variant) for experiment_id, _, _, variant, *_ in rows}
    names = {experiment_id: (name, workspace) for experiment_id, name, workspace, *_ in rows}
    way = len(parameters["variant_ways"]) - 1
    return [
        (experiment_id, *names[experiment_id], variant, count, way)
        for experiment_id, variants in measured.variants.items()
        for variant, count in sorted(variants.items())
        if experiment_id in names and (experiment_id, variant) not in known
    ]


def _has_test(rows: Iterable[Row], wanted: str | None) -> bool:
    """Whether there is an experiment of that name, or any, with two variants; or none of the name at all."""
    mine = [each for each in _experiments(rows) if wanted in {None, each.name}]
    return any(each.is_ab_test for each in mine) or (wanted is not None and not mine)


def _choice(
    connection: Questions,
    rows: Sequence[Row],
    wanted: str | None,
    parameters: Parameters,
    preference: Preference | None,
) -> ChosenExperiment:
    found = _experiments(rows)
    known = tuple(dict.fromkeys(name for _, name, *_ in rows))
    candidates = [each for each in found if (each.is_ab_test if wanted is None else each.name == wanted)]
    active, ranks = _with_activity(connection, found, candidates, parameters)
    if not candidates:
        reason, fix = _nothing_found(connection, found, known, wanted, parameters)
        return ChosenExperiment(None, tuple(active), known, reason=reason, fix=fix)
    ids = {each.experiment_id for each in candidates}
    placed = sorted(active, key=lambda each: _newest_first(each, ranks))
    best = next(each for each in placed if each.experiment_id in ids)
    told: tuple[str, ...] = ()
    how = ACTIVITY
    if wanted is None and preference is not None:
        among = [each for each in placed if each.experiment_id in ids]
        preferred = prefer(connection, among, parameters, preference)
        best, how, told = preferred.experiment, preferred.how, preferred.told
    ordered = [best, *(each for each in placed if each is not best)]
    chosen = _chosen(ordered, known, parameters)
    return replace(chosen, how=how if wanted is None else chosen.how, told=told)


def _newest_first(experiment: Experiment, ranks: Mapping[int, _Rank]) -> list[int]:
    """By the newest activity; of equals the one that was made last."""
    rank = ranks.get(experiment.experiment_id, (-1, -1, experiment.experiment_id))
    return [-part for part in rank]


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
