"""What is read for the baseline that the page takes: where nobody set one, that may be the registry's
champion, and the key of each metric is one that it and the challenger both have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from live_dashboards.model.variants import CHAMPION, champion_of, champion_versions, is_by_alias
from live_dashboards.sources.mlflow.choosing import ChosenExperiment
from live_dashboards.sources.mlflow.experiments import read_versions
from live_dashboards.sources.mlflow.facts import Held, read_facts
from live_dashboards.sources.mlflow.questions import Parameters, Questions

_PAIR = 2


@dataclass(frozen=True, slots=True)
class Named:
    """The variants of an experiment's runs, and where each was read."""

    variants: tuple[str, ...]
    ways: tuple[tuple[str, str], ...]


def named(choice: ChosenExperiment) -> dict[int, Named]:
    """The variants of each experiment's id."""
    return {
        each.experiment_id: Named(
            tuple(name for name, _ in each.variants), choice.ways.get(each.experiment_id, ())
        )
        for each in choice.experiments
    }


def read_for_baselines(
    connection: Questions,
    parameters: Parameters,
    variants: Mapping[int, Named],
    versions_text: str | None,
    questions: Sequence[str] = ("runs",),
) -> Held:
    """What the runs of these experiments hold, and their model versions where these can be asked for; some
    are asked again where the registry's champion is another baseline than was thought.
    """
    ids = parameters["experiment_ids"]
    own = {**parameters, "baselines": _by_alias(variants, parameters)}
    found = read_facts(connection, own, questions)
    if versions_text:
        found.of_runs["versions"] = dict(read_versions(connection, versions_text, found.parameters))
    champions = {each: name for each in ids if (name := _champion(found, each, variants, own)) is not None}
    if not champions:
        return found
    again = {**parameters, "experiment_ids": [*champions], "baselines": champions}
    return found.with_more(read_facts(connection, again, questions))


def _by_alias(variants: Mapping[int, Named], parameters: Parameters) -> dict[int, str]:
    """The experiments whose baseline is the alias champion."""
    return {
        each: CHAMPION
        for each, its in variants.items()
        if _is_open(its, parameters) and is_by_alias(its.ways) and parameters["challenger"] != CHAMPION
    }


def needs_versions(its: Named | None, parameters: Parameters) -> bool:
    """Whether the model versions tell the baseline by which keys are chosen; of two variants these are the
    same whoever is the baseline.
    """
    return its is not None and len(its.variants) > _PAIR and _is_open(its, parameters)


def _champion(
    found: Held, experiment_id: int, variants: Mapping[int, Named], parameters: Parameters
) -> str | None:
    """The variant whose model is the champion, where that decides and is not known yet."""
    its = variants.get(experiment_id)
    if its is None or experiment_id in parameters["baselines"] or not needs_versions(its, parameters):
        return None
    rows: dict[str, Any] = {name: of_all.get(experiment_id, ()) for name, of_all in found.of_runs.items()}
    champions = champion_versions(rows["runs"], rows.get("versions", ()))
    return champion_of(its.variants, its.ways, champions, parameters["challenger"])


def _is_open(its: Named, parameters: Parameters) -> bool:
    """Whether nobody set a baseline, and no variant has its usual name."""
    return not parameters["is_baseline_given"] and parameters["baseline"] not in its.variants
