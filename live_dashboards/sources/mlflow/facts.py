"""What runs hold of each chosen experiment, with what some measured of models that others trained: that is
asked for only where runs alone leave something open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from live_dashboards.model.metrics import ACCURACY
from live_dashboards.model.snapshot import Run
from live_dashboards.sources.mlflow import experiments
from live_dashboards.sources.mlflow.experiments import ByExperiment
from live_dashboards.sources.mlflow.logged import Logged, read_logged
from live_dashboards.sources.mlflow.models import Measured, read_measured
from live_dashboards.sources.mlflow.questions import Parameters, Questions
from live_dashboards.sources.mlflow.variants import MODEL, with_known


@dataclass(frozen=True)
class Held:
    """What runs log, and their rows by question (`runs` and what else was asked for); `parameters` are those
    that it was asked with at last, `measured` is what runs measured of models.
    """

    parameters: Parameters
    logged: dict[int, Logged]
    of_runs: dict[str, dict[int, Any]]
    measured: Measured

    def ways(self, experiment_id: int) -> tuple[tuple[str, str], ...]:
        """(variant, way) of the variants whose values stand in runs that measured models."""
        values = self.logged[experiment_id].values
        found = {each.variant for each in values if each.model_id or each.run_id in self.measured.runs}
        return tuple((variant, MODEL) for variant in sorted(found))

    def with_more(self, more: Held) -> Held:
        """With what was asked again of some of the experiments."""
        of_runs = {name: {**rows, **more.of_runs.get(name, {})} for name, rows in self.of_runs.items()}
        return replace(self, logged={**self.logged, **more.logged}, of_runs=of_runs)


def read_facts(connection: Questions, parameters: Parameters, questions: Sequence[str] = ("runs",)) -> Held:
    """What the runs of these experiments hold; some are asked again where models say more."""
    found = _read(connection, parameters, questions, Measured())
    open_ids = [
        each
        for each in parameters["experiment_ids"]
        if _leaves_open(found.logged[each], found.of_runs["runs"].get(each, ()))
    ]
    if not open_ids:
        return found
    measured = read_measured(connection, {**parameters, "experiment_ids": open_ids})
    if measured.grant:
        for each in open_ids:
            told = (*found.logged[each].warnings, _without_rights(measured.grant))
            found.logged[each] = replace(found.logged[each], warnings=told)
    again = [each for each in open_ids if measured.of_experiment(each)]
    if not again:
        return found
    runs = {**parameters["known"].get(MODEL, {}), **measured.runs}
    own = with_known({**parameters, "experiment_ids": again}, {MODEL: runs})
    more = _read(connection, own, questions, measured)
    return Held(
        {**own, "experiment_ids": parameters["experiment_ids"]},
        {**found.logged, **more.logged},
        {name: {**rows, **more.of_runs[name]} for name, rows in found.of_runs.items()},
        measured,
    )


def _read(
    connection: Questions, parameters: Parameters, questions: Sequence[str], measured: Measured
) -> Held:
    logged = read_logged(connection, parameters, measured.values)
    found: dict[str, dict[int, Any]] = {name: {} for name in questions}
    for keys, of_keys in _by_accuracy_keys(logged).items():
        own = {**parameters, "experiment_ids": of_keys, **experiments.accuracy_parameters(keys, parameters)}
        for name in questions:
            rows: ByExperiment[Any] = experiments.read(connection, name, own)
            found[name] |= rows
    return Held(parameters, logged, found, measured)


def _by_accuracy_keys(logged: dict[int, Logged]) -> dict[tuple[str, ...], list[int]]:
    """The experiments by the keys that their accuracy is read under: one question for all of a key."""
    found: dict[tuple[str, ...], list[int]] = {}
    for experiment_id, each in logged.items():
        found.setdefault(each.keys[ACCURACY], []).append(experiment_id)
    return found


def _leaves_open(logged: Logged, runs: Sequence[Run]) -> bool:
    """Whether a run without a variant may have measured the models of some: a variant lacks an accuracy, or
    such a run has one.
    """
    nameless = [run for run in runs if run.variant is None]
    lacks = {run.variant for run in runs} - {
        each.variant for each in logged.values if each.metric == ACCURACY
    }
    return bool(nameless) and (len(lacks) > 1 or any(run.accuracy is not None for run in nameless))


def _without_rights(grant: str) -> str:
    return f"runs without a variant may have measured the models of some, which cannot be looked at: {grant}"
