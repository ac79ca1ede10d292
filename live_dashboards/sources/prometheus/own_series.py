"""Which series are of this test, as one text of matchers: those with its name, their models' unlabelled past
on the same target, its variants' unlabelled ones.

Series that carry another test's name never count. Where one selector cannot tell unlabelled series of this
test from others, they are left out, and that is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from live_dashboards.model.names import listed
from live_dashboards.model.notices import WHICH_COUNT
from live_dashboards.model.snapshot import Timeline
from live_dashboards.model.variants import named_variant
from live_dashboards.sources.prometheus.exchange import Ask, looked_up, over_time, values_of
from live_dashboards.sources.prometheus.promql import (
    MODEL_LABEL,
    joined,
    labelled,
    labelled_or_not,
    none_of,
    of_variants,
    one_of,
)
from live_dashboards.sources.prometheus.reply import answered, failure_in, series_in
from live_dashboards.sources.queries import EXPERIMENT_LABEL, REQUESTS

HISTORY_SECONDS = 90 * 86_400.0  # as far back as the start of a test is looked for
_UNLABELLED = f'{EXPERIMENT_LABEL}=""'
_TARGET = (MODEL_LABEL, "job", "instance")
_LOOK_SECONDS = 3600.0

Target = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class AskedTest:
    """The test that is asked for: its name (None: whatever there is), MLflow's variants of it (empty: MLflow
    did not tell), the variant of aliased model names.
    """

    name: str | None
    variants: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    def has(self, model: str) -> bool:
        """Whether the model is a variant of this test, as far as is known."""
        return not self.variants or named_variant(self.aliases.get(model, model), self.variants) is not None

    def of_variants(self, more: Iterable[str] = ()) -> str:
        """The matcher of its variants' models and of `more`; nothing where its variants are not known."""
        return of_variants(self.variants, self.aliases, more) if self.variants else ""


@dataclass(frozen=True, slots=True)
class OwnSeries:
    """The matchers that `$experiment` stands for, empty where all series count; what is told of it; and why
    recorded steps could not be told apart.
    """

    matchers: str = ""
    told: tuple[str, ...] = ()
    needs_targets: str = ""


@dataclass(frozen=True, slots=True)
class _Models:
    """The models with requests under the test's name, and those with requests under none."""

    labelled: frozenset[str]
    unlabelled: frozenset[str]

    @property
    def both(self) -> frozenset[str]:
        return self.labelled & self.unlabelled


def find_own_series(
    ask: Ask, test: AskedTest, known: tuple[str, ...], *, at_seconds: float, metric: str = REQUESTS
) -> OwnSeries:
    """The series of the test, by the labels of its requests, or of their recorded steps; `known` are the
    names that series carry.

    SourceError where it cannot be told which models have series without the label: one test's page would show
    the traffic of all.
    """
    if test.name is None:
        return OwnSeries()
    since = at_seconds - HISTORY_SECONDS
    matchers = (labelled(test.name), _UNLABELLED)
    answers = ask([values_of(MODEL_LABEL, f"{metric}{{{each}}}", since, at_seconds) for each in matchers])
    models = _Models(*(frozenset(answered(answer).names) for answer in answers))
    if test.name in known and not any(map(test.has, models.unlabelled)) and not models.both:
        return OwnSeries(labelled(test.name), _told_strange(test, models))
    if not models.both:
        told = (*_told_unlabelled(test, models, known), *_told_strange(test, models))
        return OwnSeries(joined(labelled_or_not(test.name), test.of_variants(models.labelled)), told)
    if metric != REQUESTS:
        return OwnSeries(
            needs_targets=f"which steps without the label {EXPERIMENT_LABEL} are of "
            f"{listed(sorted(models.both))} "
            "in this test, only the targets tell"
        )
    return _with_past(ask, test, models, at_seconds)


def _with_past(ask: Ask, test: AskedTest, models: _Models, at_seconds: float) -> OwnSeries:
    """Where models have series with and without the name: the latter count on targets that carry the name
    later.
    """
    assert test.name is not None  # noqa: S101 for the type checker
    whole = joined(labelled_or_not(test.name), test.of_variants(models.labelled))
    since = at_seconds - HISTORY_SECONDS
    found, at_once = ask(
        [
            looked_up("series", f"{REQUESTS}{{{whole}}}", since, at_seconds),
            over_time(_at_once(test.name, models.both), since, at_seconds, _LOOK_SECONDS),
        ]
    )
    failure = failure_in((found, at_once))
    kept, left = _parted(series_in(found), series_in(at_once), models)
    without = _without(kept, left)
    if without is None or failure is not None:
        lost = sorted(
            models.both | {model for model in models.unlabelled - models.labelled if test.has(model)}
        )
        because = (
            "one target has some that are of this test and some that are not"
            if failure is None
            else f"their targets could not be looked at: {failure}"
        )
        return OwnSeries(
            labelled(test.name),
            (
                (
                    f"{WHICH_COUNT}of {listed(sorted(lost))} none without the label "
                    f"{EXPERIMENT_LABEL}: {because}"
                ),
                *_told_strange(test, models),
            ),
        )
    told = (
        _told_past(models.both, left),
        *_told_unlabelled(test, models, (test.name,)),
        *_told_strange(test, models),
    )
    return OwnSeries(joined(whole, without), told)


def _at_once(name: str, models: Iterable[str]) -> str:
    """The targets where a model has had series with and without the name for 20 minutes at a time: there the
    latter are no past of the former.

    By windows, as VictoriaMetrics lets a bare selector look back over a whole step.
    """
    of_models, on = one_of(MODEL_LABEL, models), f"and on ({', '.join(_TARGET)})"
    selectors = (f"{REQUESTS}{{{joined(each, of_models)}}}" for each in (_UNLABELLED, labelled(name)))
    seen = (
        f"count_over_time({selector}[10m]{offset})"
        for selector in selectors
        for offset in ("", " offset 20m")
    )
    return f"count by ({', '.join(_TARGET)}) ({f' {on} '.join(seen)})"


def _parted(
    series: tuple[Timeline, ...], at_once: tuple[Timeline, ...], models: _Models
) -> tuple[set[Target], set[Target]]:
    """The targets whose series count, and those whose series without the name do not."""
    own = {_target(each) for each in series if each.label(EXPERIMENT_LABEL)}
    unlabelled = {_target(each) for each in series if not each.label(EXPERIMENT_LABEL)}
    left = {target for target in unlabelled if target[0] in models.labelled and target not in own} | {
        _target(each) for each in at_once
    }
    return own | (unlabelled - left), left


def _target(series: Timeline) -> Target:
    model, job, instance = (series.label(label) for label in _TARGET)
    return model, job, instance


def _without(kept: set[Target], left: set[Target]) -> str | None:
    """Matchers that leave out these targets and none that is kept; None where there are none."""
    kept_jobs, kept_instances = {job for _, job, _ in kept}, {instance for *_, instance in kept}
    instances = {instance for *_, instance in left} - kept_instances
    jobs = {job for _, job, instance in left if instance not in instances}
    if jobs & kept_jobs:
        return None
    return joined(none_of("instance", instances) if instances else "", none_of("job", jobs) if jobs else "")


def _told_unlabelled(test: AskedTest, models: _Models, known: tuple[str, ...]) -> tuple[str, ...]:
    """That series without the label count, where others have it: else it is as if there were no such
    label.
    """
    counted = [model for model in models.unlabelled - models.labelled if test.has(model)]
    if not counted or not known:
        return ()
    why = "they are variants of this experiment" if test.variants else "MLflow does not tell whose they are"
    return (
        f"{WHICH_COUNT}of {listed(sorted(counted))} those without the label {EXPERIMENT_LABEL}, as {why}",
    )


def _told_past(models: Iterable[str], left: set[Target]) -> str:
    elsewhere = (
        f"; not those of {listed(sorted({instance or job for _, job, instance in left}))}, which "
        "never carried it"
        if left
        else ""
    )
    return (
        f"{WHICH_COUNT}of {listed(sorted(models))} also those from before their target carried the "
        f"label {EXPERIMENT_LABEL}{elsewhere}"
    )


def _told_strange(test: AskedTest, models: _Models) -> tuple[str, ...]:
    strange = [model for model in models.unlabelled - models.labelled if not test.has(model)]
    if not strange:
        return ()
    fix = f"name them with AB_VARIANT_ALIASES, or give their series the label {EXPERIMENT_LABEL}, if they are"
    return (
        (
            f"{WHICH_COUNT}none of {listed(sorted(strange))}, as they are no variants of {test.name!r} "
            f"({listed(sorted(test.variants))}); {fix}"
        ),
    )
