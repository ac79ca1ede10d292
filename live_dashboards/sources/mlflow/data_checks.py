"""The checks of what MLflow holds: A/B experiments, metrics, test counts, odd values and age."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from live_dashboards.errors import UsageError
from live_dashboards.model.class_scores import no_accuracy_words, score_words
from live_dashboards.model.metrics import ACCURACY, METRICS
from live_dashboards.model.moment import format_duration
from live_dashboards.model.names import escaped, listed
from live_dashboards.model.notices import Check, CheckState
from live_dashboards.model.number import format_number
from live_dashboards.model.quality import FEWEST_RUNS, Quality, is_of_training, quality_read
from live_dashboards.model.snapshot import Experiment, Run, VariantValue, search_words
from live_dashboards.model.variants import told_ways
from live_dashboards.settings import Settings
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.baselines import named, needs_versions, read_for_baselines
from live_dashboards.sources.mlflow.choosing import ChosenExperiment, choose_experiment
from live_dashboards.sources.mlflow.facts import Held
from live_dashboards.sources.mlflow.logged import Logged, logged_keys
from live_dashboards.sources.mlflow.questions import ANY_TEST, Preference, Questions
from live_dashboards.sources.mlflow.reading import question_parameters
from live_dashboards.sources.mlflow.variants import key

_SHOWN = 5
_SET_GOAL = "set AB_ACCURACY_GOAL to higher or lower; until then no verdict and no revenue rests on it"
_SHOWN_KEYS = 20
_SMALL = 1e-4  # from here on an exponent would be written


class MlflowData:
    """What the checks look at, whatever answers the questions; each is asked once, when the first check needs
    it.
    """

    def __init__(
        self,
        connection: Questions,
        settings: Settings,
        at: datetime,
        preference: Preference = ANY_TEST,
        versions_text: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.connection, self.settings, self.at, self.preference = connection, settings, at, preference
        self._versions_text = versions_text

    @cached_property
    def choice(self) -> ChosenExperiment | UsageError:
        """The experiments and the chosen one, or why the configured one cannot be."""
        try:
            return choose_experiment(
                self.connection, self.settings["AB_EXPERIMENT"], self._parameters, self.preference
            )
        except UsageError as error:
            return error

    @property
    def chosen(self) -> Experiment | None:
        """The experiment that the page would show."""
        return None if isinstance(self.choice, UsageError) else self.choice.chosen

    @cached_property
    def facts(self) -> Held:
        """What the runs of the chosen experiment hold."""
        variants = {} if isinstance(self.choice, UsageError) else named(self.choice)
        is_asked = needs_versions(variants.get(self.chosen_id), self.parameters)
        text = self._versions_text() if is_asked else None
        return read_for_baselines(self.connection, self.parameters, variants, text)

    @property
    def logged(self) -> Logged:
        """What the runs of the chosen experiment log, each metric under one key."""
        return self.facts.logged[self.chosen_id]

    @property
    def values(self) -> tuple[VariantValue, ...]:
        """The latest values of the chosen experiment."""
        return self.logged.values

    @property
    def ranges(self) -> tuple[tuple[str, float, float], ...]:
        """(metric, lowest, highest) as logged in the chosen experiment."""
        return self.logged.ranges

    @property
    def runs(self) -> tuple[Run, ...]:
        """The newest runs of the chosen experiment."""
        found: tuple[Run, ...] = self.facts.of_runs["runs"].get(self.chosen_id, ())
        return found

    @property
    def ways(self) -> tuple[tuple[str, str], ...]:
        """(variant, way) of the chosen experiment's variants."""
        known = () if isinstance(self.choice, UsageError) else self.choice.ways.get(self.chosen_id, ())
        return (*known, *self.facts.ways(self.chosen_id))

    @property
    def chosen_id(self) -> int:
        """Its id, -1 where there is none."""
        return self.chosen.experiment_id if self.chosen else -1

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What the questions about the chosen experiment are bound to."""
        found = self._parameters if isinstance(self.choice, UsageError) else self.choice.parameters
        return {**found, "experiment_ids": [self.chosen_id]}

    @cached_property
    def _parameters(self) -> dict[str, Any]:
        return question_parameters(self.settings, self.at, self.settings.window_seconds)


def _experiments(data: MlflowData) -> Check:
    name, choice = "MLflow A/B experiments", data.choice
    if isinstance(choice, UsageError):
        return Check(
            name,
            CheckState.FAILED,
            str(choice),
            "set AB_EXPERIMENT to one of MLflow's experiments",
            "unknown_experiment",
        )
    tests = [experiment for experiment in choice.experiments if experiment.is_ab_test]
    if choice.reason:
        return Check(name, CheckState.FAILED, choice.reason, choice.fix or "", "no_ab_data")
    shown = listed([repr(experiment.name) for experiment in tests], _SHOWN)
    return Check(
        name,
        CheckState.OK,
        f"{len(tests)} of {len(choice.known)} experiments have two or more variants: {shown}",
    )


def _chosen(data: MlflowData) -> Check:
    name, chosen = "MLflow experiment", data.chosen
    if chosen is None or isinstance(data.choice, UsageError):
        return _no_experiment(name)
    variants = (
        ", ".join(f"{variant} {runs} run{'' if runs == 1 else 's'}" for variant, runs in chosen.variants)
        or "no variant"
    )
    told = told_ways(data.ways, data.settings["AB_VARIANT_FROM"])
    said = (
        f"{chosen.name!r} (chosen by {data.choice.how}): {variants}",
        told,
        *data.choice.told,
        *data.choice.warnings,
    )
    found = "; ".join(each for each in said if each)
    if not chosen.is_ab_test:
        return Check(
            name,
            CheckState.WARNING,
            found,
            f"log a second value of {key(data.settings['AB_VARIANT_FROM'])} in its runs",
            "one_variant",
        )
    return Check(
        name,
        CheckState.WARNING if data.choice.warnings else CheckState.OK,
        found,
        code="several_workspaces" if data.choice.warnings else "",
    )


def _metrics(data: MlflowData) -> Check:
    name = "MLflow metrics"
    if data.chosen is None:
        return _no_experiment(name)
    present = {metric for metric, *_ in data.ranges}
    named = {metric.name: data.settings[metric.setting] for metric in METRICS.values()}
    absent = [
        f"{metric} ({named[metric]})" if named[metric] else metric
        for metric in METRICS
        if metric not in present
    ]
    found = ", ".join(
        f"{_as_read(data, metric)} from {_number(low)} to {_number(high)}"
        for metric, low, high in data.ranges
    )
    without = sorted(
        {variant for variant, _ in data.chosen.variants}
        - {value.variant for value in data.values if value.metric == ACCURACY}
    )
    if ACCURACY in present and without:
        absent.append(f"accuracy of a finished or running run of {', '.join(without)}")
    is_open = ACCURACY in present and _quality(data).is_assumed
    if not absent:
        told = f"{found}{_unit(data)}{_searched(data)}{_newer_failed(data)}"
        return (
            Check(name, CheckState.WARNING, told, _SET_GOAL, "no_goal")
            if is_open
            else Check(name, CheckState.OK, told)
        )
    lost = f"no {', no '.join(absent)}; the runs log {_keys_words(data)}" + (
        f"; found {found}{_unit(data)}{_searched(data)}" if found else ""
    )
    *settings, last = (metric.setting for metric in METRICS.values())
    return Check(
        name,
        CheckState.WARNING if ACCURACY in present else CheckState.FAILED,
        lost + _newer_failed(data),
        f"{f'{_SET_GOAL}; ' if is_open else ''}name the keys with {', '.join(settings)} and {last}",
        "no_goal" if is_open else "no_metric",
    )


def _number(value: float) -> str:
    """As it is logged; a small one as on the page, in three digits."""
    return format_number(value) if 0 < abs(value) < _SMALL else f"{value:g}"


def _keys_words(data: MlflowData) -> str:
    """What the runs log, and which of it looks like an accuracy and is none."""
    # what is logged of training rows is meant least
    keys = sorted(logged_keys(data.connection, data.parameters), key=is_of_training)
    told = no_accuracy_words(keys)
    return (listed([repr(key) for key in keys], _SHOWN_KEYS) or "none") + (f" ({told})" if told else "")


def _searched(data: MlflowData) -> str:
    """Which accuracies are those of the best trial of a search."""
    told = [
        f"{value.metric} of {escaped(value.variant)} is {search_words(value)}"
        for value in data.values
        if value.metric == ACCURACY and value.is_of_search
    ]
    return f"; {listed(told, _SHOWN)}" if told else ""


def _newer_failed(data: MlflowData) -> str:
    """How many runs that did not end well hold newer accuracies, which do not count."""
    starts = {value.variant: value.started_at for value in data.values if value.metric == ACCURACY}
    newer = [
        run
        for run in data.runs
        if run.status in {"FAILED", "KILLED"}
        and run.accuracy is not None
        and run.started_at is not None
        and (start := starts.get(run.variant or "")) is not None
        and run.started_at > start
    ]
    if not newer:
        return ""
    named = listed(sorted({str(run.variant) for run in newer}), _SHOWN)
    runs = f"{len(newer)} failed or killed run{'' if len(newer) == 1 else 's'} of {named}"
    return f"; newer accuracies of {runs} do not count"


def _as_read(data: MlflowData, metric: str) -> str:
    """The metric, with the key that it is read under where that is not the plain one."""
    told = score_words(data.values) if data.settings[METRICS[metric].setting] is None else ""
    if metric == ACCURACY and told:
        return f"{told},"
    key = data.logged.keys[metric][0]
    return metric if key == METRICS[metric].keys[0] else f"{metric} ({escaped(key)})"


def _test_counts(data: MlflowData) -> Check:
    name, param = "MLflow test count", data.settings["AB_TEST_COUNT_PARAM"]
    accuracies = [value for value in data.values if value.metric == ACCURACY]
    if not accuracies:
        return Check(name, CheckState.SKIPPED, "no accuracy to look at", code="skipped")
    if not _quality(data).is_share:
        return _run_counts(data, name, accuracies)
    counts = {value.variant: value.test_count for value in accuracies}
    without = [
        f"{variant}: {'not logged' if count is None else repr(count)}"
        for variant, count in counts.items()
        if not _is_count(count)
    ]
    if without:
        return Check(
            name,
            CheckState.WARNING,
            f"{param} gives no number of test rows, so no interval ({'; '.join(without)})",
            "log the number of test rows as that param (a fraction such as 0.2 is none), or name another "
            "one with AB_TEST_COUNT_PARAM",
            "no_test_count",
        )
    by_key = {value.test_count_key or param for value in accuracies}
    return Check(
        name,
        CheckState.OK,
        f"{' and '.join(sorted(by_key))}: "
        + ", ".join(f"{variant} {count}" for variant, count in counts.items()),
    )


def _run_counts(data: MlflowData, name: str, values: Sequence[VariantValue]) -> Check:
    """A value has its interval by runs, so test rows are not looked for."""
    finished: dict[str, int] = {}
    for run in data.runs:
        if run.variant and run.status == "FINISHED" and not run.is_child and run.accuracy is not None:
            finished[run.variant] = finished.get(run.variant, 0) + 1
    counts = {value.variant: finished.get(value.variant, 0) for value in values}
    words = ", ".join(f"{variant} {count}" for variant, count in counts.items())
    found = f"not needed: {_quality(data).said}; its interval is by finished runs: {words}"
    if all(count >= FEWEST_RUNS for count in counts.values()):
        return Check(name, CheckState.OK, found)
    return Check(
        name,
        CheckState.WARNING,
        found,
        f"log it in {FEWEST_RUNS} finished runs and more of each variant; with fewer there is no interval",
        "few_runs",
    )


def _odd_values(data: MlflowData) -> Check:
    name = "MLflow odd values"
    if data.chosen is None:
        return _no_experiment(name)
    rows = data.connection.rows("odd values", sql.ODD_VALUES, data.parameters)
    if not rows:
        return Check(name, CheckState.OK, "no NaN, no infinite and no too large value among the latest ones")
    key, run_id, is_nan, count = rows[0]
    word = "NaN" if is_nan else "infinite or too large"
    return Check(
        name,
        CheckState.WARNING,
        f"{count} latest value{'' if count == 1 else 's'} NaN, infinite or too large and left out, "
        f"such as {key!r} ({word}) of run {run_id}",
        "look at why that run diverged",
        "odd_values",
    )


def _age(data: MlflowData) -> Check:
    name = "MLflow newest activity"
    if data.chosen is None:
        return _no_experiment(name)
    newest = data.chosen.last_activity_at
    if newest is None:
        return Check(
            name,
            CheckState.WARNING,
            "no run started, ended or logged a metric before the moment asked for",
            "check --at and the clocks",
            "no_activity",
        )
    found = (
        f"{format_duration((data.at - newest).total_seconds())} before the moment asked for "
        f"({newest:%Y-%m-%d %H:%M} UTC)"
    )
    if data.chosen.is_active:
        return Check(name, CheckState.OK, found)
    return Check(
        name,
        CheckState.WARNING,
        f"{found}, longer than AB_WINDOW",
        "is this still the current experiment? AB_EXPERIMENT names another one",
        "old",
    )


def _no_experiment(name: str) -> Check:
    return Check(name, CheckState.SKIPPED, "not looked at: there is no experiment", code="skipped")


def _quality(data: MlflowData) -> Quality:
    """What stands in the place of the accuracy."""
    limits = next(((low, high) for metric, low, high in data.ranges if metric == ACCURACY), None)
    return quality_read(data.settings, data.logged.keys[ACCURACY], limits)


def _unit(data: MlflowData) -> str:
    """What the accuracy is taken for, and how its unit is read."""
    quality = _quality(data)
    if quality.metric() is METRICS[ACCURACY]:
        return _unit_of_shares(data)
    told = f"; {quality.said} (AB_ACCURACY_GOAL and AB_ACCURACY_KIND say otherwise)"
    return told + (_unit_of_shares(data) if quality.is_share else "")


def _unit_of_shares(data: MlflowData) -> str:
    unit = data.settings["AB_ACCURACY_UNIT"]
    highest = next((high for metric, _, high in data.ranges if metric == ACCURACY), None)
    if unit != "auto" or highest is None:
        return "" if highest is None else f"; accuracy is taken as {unit} (AB_ACCURACY_UNIT)"
    return f"; accuracy looks like {'a fraction' if highest <= 1 else 'percent'}"


def _is_count(text: str | None) -> bool:
    try:
        return text is not None and float(text) >= 1 and float(text).is_integer()
    except ValueError:
        return False


AB_CHECKS: Mapping[str, Callable[[MlflowData], Check]] = {
    "MLflow A/B experiments": _experiments,
    "MLflow experiment": _chosen,
    "MLflow metrics": _metrics,
    "MLflow test count": _test_counts,
    "MLflow odd values": _odd_values,
    "MLflow newest activity": _age,
}
