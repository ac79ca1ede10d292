"""Which of several A/B experiments is shown where no setting names one: the newest with something to compare,
before one that merely had activity; where one was shown before, that stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from live_dashboards.model.names import escaped
from live_dashboards.model.snapshot import Experiment
from live_dashboards.sources.mlflow.logged import read_accuracies
from live_dashboards.sources.mlflow.models import read_measured
from live_dashboards.sources.mlflow.questions import Parameters, Preference, Questions
from live_dashboards.sources.mlflow.variants import MODEL, with_known

VALUES, TRAFFIC, ACTIVITY = "values of both variants", "requests of both variants", "newest activity"
_SHOWN_BEFORE = "shown before"
_LOOKED_AT, _MOST_RUNS = 50, 5_000  # of the newest


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
    shown = next((each for each in candidates if each.name == preference.shown), None)
    if shown is not None:
        return _staying(connection, shown, candidates[0], parameters)
    found = _best(connection, candidates, parameters, preference)
    if preference.shown is None:
        return found
    told = (
        f"{escaped(preference.shown)}, which was shown before, is no A/B experiment any more: "
        f"{escaped(found.experiment.name)} is shown instead"
    )
    return replace(found, told=(told, *found.told))


def _staying(
    connection: Questions, shown: Experiment, newest: Experiment, parameters: Parameters
) -> Preferred:
    """What was shown before, with what is told of a newer one that has values: others are not looked into at
    each refresh.
    """
    if newest is shown or not _has_both(newest, _with_values(connection, [newest], parameters), parameters):
        return Preferred(shown, _SHOWN_BEFORE)
    told = (
        f"{escaped(newest.name)} would be chosen now ({VALUES}); {escaped(shown.name)} stays until another "
    )
    return Preferred(shown, _SHOWN_BEFORE, (f"{told}one is chosen",))


def _best(
    connection: Questions, candidates: Sequence[Experiment], parameters: Parameters, preference: Preference
) -> Preferred:
    newest = candidates[0]
    if len(candidates) == 1:
        return Preferred(newest)
    if _has_both(newest, _with_values(connection, [newest], parameters), parameters):
        return Preferred(newest, VALUES)
    looked_at, small = candidates[:_LOOKED_AT], _within_limits(candidates[:_LOOKED_AT])
    measured = _with_values(connection, small, parameters, with_models=True) if small else {}
    served = preference.served(looked_at)
    for each in looked_at:
        how = VALUES if _has_both(each, measured, parameters) else TRAFFIC
        if how == VALUES or each.experiment_id in served:
            return Preferred(each, how, () if each is newest else (_passed_over(newest, each, how),))
    return Preferred(newest)


def _within_limits(candidates: Sequence[Experiment]) -> Sequence[Experiment]:
    """The newest ones, so many that their runs are read in a second or two: one of very many runs is left
    out, and only its requests count.
    """
    found: list[Experiment] = []
    left = _MOST_RUNS
    for each in candidates:
        runs = sum(count for _, count in each.variants)
        if runs <= left:
            found.append(each)
            left -= runs
    return found


def _with_values(
    connection: Questions,
    experiments: Sequence[Experiment],
    parameters: Parameters,
    *,
    with_models: bool = False,
) -> Mapping[int, frozenset[str]]:
    """The variants of each of these experiments that have an accuracy on its page; where that is asked for,
    also from what runs measured of models.
    """
    bound = {**parameters, "experiment_ids": [each.experiment_id for each in experiments]}
    if not with_models:
        return read_accuracies(connection, bound, {})
    measured = read_measured(connection, bound)
    return read_accuracies(connection, with_known(bound, {MODEL: measured.runs}), measured.values)


def _passed_over(newest: Experiment, chosen: Experiment, how: str) -> str:
    return (
        f"shown is {escaped(chosen.name)}, the newest with {how}: {escaped(newest.name)} was active later "
        "and has nothing to compare yet (AB_EXPERIMENT chooses)"
    )


def _has_both(experiment: Experiment, measured: Mapping[int, frozenset[str]], parameters: Parameters) -> bool:
    """Whether two variants have a value, and of baseline and challenger those that are there."""
    known = measured.get(experiment.experiment_id, frozenset())
    named = {parameters["baseline"], parameters["challenger"]} & {name for name, _ in experiment.variants}
    return len(known) > 1 and named <= known
