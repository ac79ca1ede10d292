"""Which variant a Prometheus model is, and which variants are baseline and challenger: one rule for what is
asked of Prometheus and for what is made of its answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from live_dashboards.model.names import escaped, listed
from live_dashboards.model.setting_types import VariantWay
from live_dashboards.model.snapshot import MlflowAnswer, ModelVersion, PrometheusAnswer, Run

SEPARATORS = "-_"
CHAMPION = "champion"
"""The registry's alias of the model that serves, as MLflow's docs have it."""
_ENDING = re.compile(r".+?([-_][^-_]+)")
PREFERRED_CHALLENGER = "enhanced"
_MOST_NAMED = 6
_ALIAS = VariantWay("alias")


class Naming(Protocol):
    """What the settings say of the variants' names."""

    def __getitem__(self, name: str, /) -> Any: ...

    @property
    def planned_names(self) -> tuple[str, ...]:
        """The variants that a planned split names."""
        ...

    @property
    def given(self) -> frozenset[str]:
        """The settings that somebody gave."""
        ...

    @property
    def aliases(self) -> dict[str, str]:
        """The variant of each aliased Prometheus model name."""
        ...


@dataclass(frozen=True, slots=True)
class Roles:
    """Baseline, challenger (None where there is no other variant), all variants in the page's order, and the
    variant of each model name.

    `found` are the variants that runs or traffic name, sorted. `told` says why the baseline is another than
    the settings name, empty where it is not.
    """

    baseline: str
    challenger: str | None
    names: tuple[str, ...]
    by_model: Mapping[str, str]
    found: tuple[str, ...] = ()
    told: str = ""

    @property
    def pair(self) -> tuple[str, ...]:
        """Baseline and, if there is one, challenger."""
        return (self.baseline,) if self.challenger is None else (self.baseline, self.challenger)

    @property
    def lacks_baseline(self) -> bool:
        """Whether there are variants, but none of the baseline's name."""
        return bool(self.found) and self.baseline not in self.found

    @property
    def no_baseline(self) -> str:
        """That, and what to set."""
        names = ", ".join(map(repr, self.found[:_MOST_NAMED]))
        more = f" and {len(self.found) - _MOST_NAMED} more" if len(self.found) > _MOST_NAMED else ""
        return (
            f"no variant is called {self.baseline!r}, there is {names}{more}: name the baseline with "
            "AB_BASELINE_VARIANT"
        )


def roles(mlflow: MlflowAnswer, prometheus: PrometheusAnswer, settings: Naming) -> Roles:
    """Names, roles and order of the variants that either source knows: baseline, challenger, then the others
    by name, so that colours and marks stay.
    """
    chosen = next(
        (experiment for experiment in mlflow.experiments if experiment.name == mlflow.experiment), None
    )
    runs = tuple(name for name, _ in chosen.variants) if chosen else ()
    by_model = variants_of_models(_models(prometheus), _candidates(mlflow, settings), settings.aliases)
    present = dict.fromkeys((*runs, *by_model.values(), *settings.planned_names))
    found = tuple(sorted({*runs, *by_model.values()}))
    baseline, told = _baseline(mlflow, found, settings)
    challenger = settings["AB_CHALLENGER_VARIANT"] or _default_challenger(baseline, present)
    others = sorted(name for name in present if name not in {baseline, challenger})
    first = [baseline] if challenger is None else [baseline, challenger]
    return Roles(baseline, challenger, (*first, *others), by_model, found, told)


def _baseline(mlflow: MlflowAnswer, found: Sequence[str], settings: Naming) -> tuple[str, str]:
    """The variant of AB_BASELINE_VARIANT, else the champion, and that it is."""
    name = str(settings["AB_BASELINE_VARIANT"])
    if name in found or "AB_BASELINE_VARIANT" in settings.given:
        return name, ""
    champions = champion_versions(mlflow.runs, mlflow.versions)
    champion = champion_of(found, mlflow.variant_ways, champions, settings["AB_CHALLENGER_VARIANT"])
    if champion is None:
        return name, ""
    if champion == CHAMPION and is_by_alias(mlflow.variant_ways):
        return champion, (
            f"the baseline is {CHAMPION}, as variants are the registry's aliases; AB_BASELINE_VARIANT names "
            "another one"
        )
    version = champions[champion]
    return champion, (
        f"the baseline is {champion}, as {escaped(version.name)} v{version.version} has the alias {CHAMPION} "
        "in the registry; AB_BASELINE_VARIANT names another one"
    )


def champion_of(
    found: Iterable[str],
    ways: Iterable[tuple[str, str]],
    champions: Iterable[str],
    challenger: str | None,
) -> str | None:
    """The baseline where nobody set one and none of these variants has its usual name: the alias champion,
    where that is a variant, else the only one whose model is the registry's champion; None where that is
    none, or the challenger.
    """
    variants = [*found]
    known = [variant for variant in champions if variant in variants]
    if is_by_alias(ways) and challenger != CHAMPION:
        return CHAMPION
    return known[0] if len(known) == 1 and known[0] != challenger else None


def is_by_alias(ways: Iterable[tuple[str, str]]) -> bool:
    """Whether the alias champion is a variant."""
    return (CHAMPION, str(_ALIAS)) in ways


def champion_versions(runs: Iterable[Run], versions: Iterable[ModelVersion]) -> dict[str, ModelVersion]:
    """The registry's champions by the variant of the run that they were made from."""
    variants = {run.run_id: run.variant for run in runs}
    return {
        variant: version
        for version in versions
        if CHAMPION in version.aliases and (variant := variants.get(version.run_id)) is not None
    }


def told_ways(ways: Iterable[tuple[str, str]], wanted: Sequence[VariantWay]) -> str:
    """Which variants are read elsewhere than where the first of the wanted ways says, empty where none is; a
    tag is no other way than the param of its name.
    """
    first = wanted[0]
    others: dict[str, list[str]] = {}
    for variant, way in dict.fromkeys(ways):
        if way != str(first) and (not first.name or way.partition(":")[2] != first.name):
            others.setdefault(way, []).append(escaped(variant))
    if not others:
        return ""
    found = (f"{listed(names, _MOST_NAMED)} by {_way(way).words}" for way, names in others.items())
    return f"variants are read elsewhere than as {first}: {'; '.join(found)} (AB_VARIANT_FROM says where)"


def _way(text: str) -> VariantWay:
    kind, _, name = text.partition(":")
    return VariantWay(kind, name)


def matches(
    mlflow: MlflowAnswer, prometheus: PrometheusAnswer, settings: Naming
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Variants that both sources have, those only of the chosen experiment, and those only of Prometheus;
    each sorted.
    """
    runs = {
        name
        for experiment in mlflow.experiments
        if experiment.name == mlflow.experiment
        for name, _ in experiment.variants
    }
    traffic = set(roles(mlflow, prometheus, settings).by_model.values())
    return tuple(sorted(runs & traffic)), tuple(sorted(runs - traffic)), tuple(sorted(traffic - runs))


def named_variant(name: str, variants: Iterable[str]) -> str | None:
    """The variant that the name equals, or that it starts with followed by `-` or `_`: the longest one, None
    where there is none.
    """
    found = [
        variant
        for variant in variants
        if name == variant or name.startswith(tuple(f"{variant}{separator}" for separator in SEPARATORS))
    ]
    return max(found, key=len, default=None)


def variants_of_models(
    models: Sequence[str], candidates: Sequence[Iterable[str]], aliases: Mapping[str, str]
) -> dict[str, str]:
    """The variant of each Prometheus model name.

    After the aliases: the candidate that it equals, or that it starts with followed by `-` or `_`, the
    longest one of the first group of candidates that has any; else the name without the ending that all names
    share; else the name.
    """
    ending = _shared_ending(models)
    return {model: _variant(aliases.get(model, model), candidates, ending) for model in models}


def _variant(name: str, candidates: Sequence[Iterable[str]], ending: str) -> str:
    for group in candidates:
        found = named_variant(name, group)
        if found is not None:
            return found
    return name.removesuffix(ending)


def _shared_ending(models: Sequence[str]) -> str:
    endings = {match.group(1) if (match := _ENDING.fullmatch(model)) else "" for model in models}
    return endings.pop() if len(endings) == 1 else ""


def _candidates(mlflow: MlflowAnswer, settings: Naming) -> tuple[tuple[str, ...], ...]:
    chosen = tuple(
        name
        for experiment in mlflow.experiments
        if experiment.name == mlflow.experiment
        for name, _ in experiment.variants
    )
    any_test = tuple(
        name for experiment in mlflow.experiments if experiment.is_ab_test for name, _ in experiment.variants
    )
    configured = (settings["AB_BASELINE_VARIANT"], settings["AB_CHALLENGER_VARIANT"], *settings.planned_names)
    return chosen, any_test, tuple(str(name) for name in configured if name)


def _models(prometheus: PrometheusAnswer) -> tuple[str, ...]:
    """The models that any answer names."""
    answers = (*prometheus.instants, *prometheus.timelines)
    return tuple(
        sorted({series.label("model_name") for answer in answers for series in answer.series} - {""})
    )


def _default_challenger(baseline: str, present: Iterable[str]) -> str | None:
    """`enhanced`, or the first by name: traffic and results change from look to look, and whom a page is
    about must not.
    """
    others = {name for name in present if name != baseline}
    return PREFERRED_CHALLENGER if PREFERRED_CHALLENGER in others else min(others, default=None)
