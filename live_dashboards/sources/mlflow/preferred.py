"""Which of several A/B experiments is shown where no setting names one: the newest with something to compare,
before one that merely had activity; where one was shown before, that stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from live_dashboards.model.class_scores import is_no_accuracy
from live_dashboards.model.metrics import ACCURACY, BEST
from live_dashboards.model.names import escaped
from live_dashboards.model.quality import is_of_training
from live_dashboards.model.snapshot import Experiment
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.experiments import dataset_prefixes
from live_dashboards.sources.mlflow.models import read_measured
from live_dashboards.sources.mlflow.questions import Parameters, Preference, Questions

VALUES, TRAFFIC, ACTIVITY = "values of both variants", "requests of both variants", "newest activity"
_LOOKED_AT = 50  # the newest


@dataclass(frozen=True, slots=True)
class Preferred:
    """The experiment that is shown, for what it was chosen, and what is told of those that were not."""

    experiment: Experiment
    how: str = ACTIVITY
    told: tuple[str, ...] = ()


def prefer(
    connection: Questions, candidates: Sequence[Experiment], parameters: Parameters, preference: Preference
) -> Preferred:
    """One of the candidates, of which there is at least one, newest activity first."""
    found = _best(connection, candidates, parameters, preference)
    if preference.shown is None or found.experiment.name == preference.shown:
        return found
    shown = next((each for each in candidates if each.name == preference.shown), None)
    best = escaped(found.experiment.name)
    before = escaped(preference.shown)
    if shown is None:
        told = f"{before}, which was shown before, is no A/B experiment any more: {best} is shown instead"
        return Preferred(found.experiment, found.how, (told, *found.told))
    told = f"{best} would be chosen now ({found.how}); {before} stays until another one is chosen"
    return Preferred(shown, "shown before", (told,))


def _best(
    connection: Questions, candidates: Sequence[Experiment], parameters: Parameters, preference: Preference
) -> Preferred:
    newest, others = candidates[0], candidates[1:_LOOKED_AT]
    if not others:
        return Preferred(newest)
    bound = _of_accuracy(parameters)
    known = _measured(connection, [newest], bound).get(newest.experiment_id, frozenset())
    if _has_both(newest, known, bound):
        return Preferred(newest, VALUES)
    looked_at = [newest, *others]
    measured = _measured(connection, looked_at, bound)
    ids = [each.experiment_id for each in looked_at]
    of_models = read_measured(connection, {**bound, "experiment_ids": ids}).variants
    served = preference.served(looked_at)
    for each in looked_at:
        known = measured.get(each.experiment_id, frozenset()) | {*of_models.get(each.experiment_id, ())}
        how = VALUES if _has_both(each, known, bound) else TRAFFIC
        if how == VALUES or each.experiment_id in served:
            return Preferred(each, how, () if each is newest else (_passed_over(newest, each, how),))
    return Preferred(newest)


def _passed_over(newest: Experiment, chosen: Experiment, how: str) -> str:
    return (
        f"shown is {escaped(chosen.name)}, the newest with {how}: {escaped(newest.name)} was active later "
        "and has nothing to compare yet (AB_EXPERIMENT chooses)"
    )


def _of_accuracy(parameters: Parameters) -> dict[str, Any]:
    """The same, asking for keys of the accuracy alone, or what a search found best of it."""
    keys = [
        key
        for metric, key in zip(parameters["metrics"], parameters["keys"], strict=True)
        if metric == ACCURACY
    ]
    keys += [f"{BEST}{key}" for key in keys]
    own = {
        "metrics": [ACCURACY] * len(keys),
        "keys": keys,
        "signs": [1.0] * len(keys),
        "scored": [0] * len(keys),
        "preferences": [*range(len(keys))],
    }
    unnamed = [metric for metric in parameters["unnamed_metrics"] if metric == ACCURACY]
    return {**parameters, **own, "dataset_prefixes": dataset_prefixes(unnamed)}


def _measured(
    connection: Questions, experiments: Sequence[Experiment], parameters: Parameters
) -> Mapping[int, frozenset[str]]:
    """The variants of each of these experiments that have a value."""
    ids = sorted(each.experiment_id for each in experiments)
    rows = connection.rows("measured variants", sql.MEASURED, {**parameters, "experiment_ids": ids})
    found: dict[int, frozenset[str]] = {}
    for experiment_id, variant, key in rows:
        if key is None or not (is_of_training(key) or is_no_accuracy(key)):
            found[experiment_id] = found.get(experiment_id, frozenset()) | {variant}
    return found


def _has_both(experiment: Experiment, known: frozenset[str], parameters: Parameters) -> bool:
    """Whether two variants have a value, and of baseline and challenger those that are there."""
    named = {parameters["baseline"], parameters["challenger"]} & {name for name, _ in experiment.variants}
    return len(known) > 1 and named <= known
