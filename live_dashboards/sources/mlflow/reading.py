"""Reads what one experiment's page needs, whatever the way to MLflow: asks within the deadline, keeps what
was answered, and tells what was not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from live_dashboards.model.class_scores import ACCURACY_SCORERS, R2_OF_TRAINING, SCORER
from live_dashboards.model.metrics import ACCURACY, EXAMPLE_COUNT_KEY, METRICS
from live_dashboards.model.quality import HIGHER, quality_by
from live_dashboards.model.snapshot import MLFLOW, ChosenTest, MlflowAnswer, SourceState, SourceStatus
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow import experiments, sql
from live_dashboards.sources.mlflow.baselines import named, read_for_baselines
from live_dashboards.sources.mlflow.choosing import ChosenExperiment, choice_of, choose_experiment
from live_dashboards.sources.mlflow.facts import Held
from live_dashboards.sources.mlflow.models import MODEL_POINTS, model_parameters
from live_dashboards.sources.mlflow.questions import (
    ANY_TEST,
    Preference,
    Questions,
    milliseconds,
    require_text,
)
from live_dashboards.sources.mlflow.variants import way_parameters

_TEXTS = {
    "experiments": sql.EXPERIMENTS,
    "values": sql.VALUES,
    "value_ranges": sql.VALUE_RANGES,
    "status_counts": sql.STATUS_COUNTS,
    "runs": sql.RUNS,
    experiments.HISTORY: sql.HISTORY,
}

_OF_RUNS = ("status_counts", "history")

# clocks of training machines differ: what was logged up to 5 minutes after the moment counts as known at it
_CLOCK_SLACK_MS = 300_000
_BOUND_SETTINGS = (
    "AB_EXPERIMENT",
    "AB_BASELINE_VARIANT",
    "AB_CHALLENGER_VARIANT",
    "AB_TEST_COUNT_PARAM",
)


@dataclass(frozen=True)
class Asked:
    """Whom is asked, for which moment (the bound parameters), and until when; `versions_text` is the question
    for model versions where it can be asked.
    """

    address: str
    connection: Questions
    version: str
    clock_difference_seconds: float | None
    versions_text: str | None
    parameters: Mapping[str, Any]
    deadline: Deadline

    def status(self, state: SourceState, choice: ChosenExperiment) -> SourceStatus:
        """How asking ended, as of now."""
        return SourceStatus(
            MLFLOW,
            state,
            reason=choice.reason,
            fix=choice.fix,
            warnings=(*choice.warnings, *choice.told, *self.connection.warnings),
            version=self.version,
            address=self.address,
            duration_seconds=self.deadline.elapsed_seconds,
            clock_difference_seconds=self.clock_difference_seconds,
        )

    def nothing(self, choice: ChosenExperiment) -> MlflowAnswer:
        """The answer where there is no A/B data to read."""
        return MlflowAnswer(
            self.status(SourceState.NO_AB_DATA, choice),
            experiments=choice.experiments,
            known_experiments=choice.known,
            experiment=choice.chosen.name if choice.chosen else None,
        )

    def read(self, choices: Sequence[ChosenExperiment]) -> tuple[MlflowAnswer, ...]:
        """An answer for each chosen experiment, in this order."""
        ids = [choice.chosen.experiment_id for choice in choices if choice.chosen]
        parameters = {**choices[0].parameters, "experiment_ids": ids}
        variants = {each: of_one for choice in choices for each, of_one in named(choice).items()}
        facts = read_for_baselines(
            self.connection, parameters, variants, self.versions_text, ("runs", *_OF_RUNS)
        )
        answers = tuple(self._answer(choice, facts) for choice in choices)
        ended = self.deadline.elapsed_seconds
        return tuple(
            replace(answer, status=replace(answer.status, duration_seconds=ended)) for answer in answers
        )

    def _answer(self, choice: ChosenExperiment, facts: Held) -> MlflowAnswer:
        chosen = choice.experiments[0]
        values = facts.logged[chosen.experiment_id]
        texts = {**_TEXTS, **({"versions": self.versions_text} if self.versions_text else {})}
        parameters = {
            **facts.parameters,
            "experiment_ids": [chosen.experiment_id],
            **experiments.accuracy_parameters(values.keys[ACCURACY], facts.parameters),
        }
        queries = {
            name: " ".join(self.connection.text(name, text, parameters).split())
            for name, text in texts.items()
        }
        if any(each.model_id for each in values.values):
            bound = model_parameters(parameters)
            text = self.connection.text(MODEL_POINTS, sql.MODEL_POINTS, bound)
            queries["model_points"] = " ".join(text.split())
        own = {name: answers.get(chosen.experiment_id, ()) for name, answers in facts.of_runs.items()}
        status = self.status(SourceState.ANSWERED, choice)
        return MlflowAnswer(
            replace(status, warnings=(*status.warnings, *values.warnings)),
            experiment=chosen.name,
            experiments=choice.experiments,
            known_experiments=choice.known,
            values=values.values,
            value_ranges=values.ranges,
            logged_keys=values.others,
            status_counts=own["status_counts"],
            runs=own["runs"],
            history=experiments.history_answer(
                own["history"], parameters, query=queries[experiments.HISTORY]
            ),
            versions=own.get("versions", ()),
            newest_at=chosen.last_activity_at,
            queries=tuple(queries.items()),
            variant_ways=tuple(
                dict.fromkeys((*choice.ways.get(chosen.experiment_id, ()), *facts.ways(chosen.experiment_id)))
            ),
        )


def question_parameters(settings: Settings, at: datetime, window_seconds: float) -> dict[str, Any]:
    """What the questions are bound to, but for the experiment's id; times in milliseconds."""
    keys, unnamed = experiments.metric_keys(settings), experiments.unnamed_metrics(settings)
    at_ms = milliseconds(at)
    found: dict[str, Any] = {
        **way_parameters(settings["AB_VARIANT_FROM"]),
        "parent_key": sql.PARENT_KEY,
        "run_name_key": sql.RUN_NAME_KEY,
        "experiment": settings["AB_EXPERIMENT"],
        "favoured": [
            settings["AB_BASELINE_VARIANT"],
            settings["AB_CHALLENGER_VARIANT"] or "enhanced",
            *settings.planned_names,
        ],
        "metrics": [metric for metric, _ in keys],
        "keys": [key for _, key in keys],
        "preferences": list(range(len(keys))),
        "signs": [_sign(metric, key, settings) for metric, key in keys],
        "scored": [0] * len(keys),
        "unnamed_metrics": unnamed,
        "dataset_prefixes": experiments.dataset_prefixes(unnamed),
        "with_scores": ACCURACY in unnamed,
        "r2_key": R2_OF_TRAINING,
        "scorer_key": SCORER,
        "accuracy_scorers": list(ACCURACY_SCORERS),
        "with_hits": experiments.with_hits(),
        "hits_pattern": experiments.hits_pattern(),
        "most_values": sql.MAX_VARIANTS * len(keys),
        "metric_point": settings["AB_METRIC_POINT"],
        "baseline": settings["AB_BASELINE_VARIANT"],
        "is_baseline_given": "AB_BASELINE_VARIANT" in settings.given,
        "baselines": {},  # by experiment, where that is another one
        "challenger": settings["AB_CHALLENGER_VARIANT"],
        "test_count_key": settings["AB_TEST_COUNT_PARAM"],
        # whoever names the param means it
        "example_count_key": "" if "AB_TEST_COUNT_PARAM" in settings.given else EXAMPLE_COUNT_KEY,
        "at_ms": at_ms,
        "near_ms": at_ms + _CLOCK_SLACK_MS,
        "from_ms": at_ms - round(window_seconds * 1000),
        "step_ms": experiments.step_ms(window_seconds),
    }
    plain = next(key for metric, key in keys if metric == ACCURACY)
    return {**found, **experiments.accuracy_parameters([plain], found)}


def _sign(metric: str, key: str, settings: Settings) -> float:
    """1 of a metric that is the better the higher, else -1."""
    if metric != ACCURACY:
        return 1.0 if METRICS[metric].is_higher_better else -1.0
    return 1.0 if quality_by(settings, key).goal == HIGHER else -1.0


def check_texts(settings: Settings) -> None:
    """SettingsError where a name that MLflow is asked for is no text."""
    for name in (*_BOUND_SETTINGS, *(metric.setting for metric in METRICS.values())):
        require_text(name, settings[name] or "")
    require_text("AB_TRAFFIC_SPLIT", "".join(settings.planned_names))


class Abortable(AbstractContextManager[Any], Protocol):
    """What is open while it is asked."""

    def abort(self) -> None:
        """Ends a question that is under way in another thread."""


Opened = TypeVar("Opened", bound=Abortable)


class OpenedSource(ABC, Generic[Opened]):
    """A MlflowSource (see `questions`) over something that is opened anew for each read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opened: Opened | None = None
        check_texts(settings)

    def read(
        self,
        *,
        at: datetime,
        window_seconds: float,
        deadline: Deadline,
        on_experiment: Callable[[ChosenTest | None], None],
        preference: Preference = ANY_TEST,
    ) -> MlflowAnswer:
        """What MLflow holds on the chosen experiment at that moment.

        `on_experiment` is called once, as early as possible, with the chosen experiment's name and variants,
        None where there is none. `preference` counts where AB_EXPERIMENT names none. Raises SourceError where
        MLflow cannot be asked, UsageError where AB_EXPERIMENT names no active experiment.
        """
        with ExitStack() as untold:
            untold.callback(on_experiment, None)
            with self._open_to_abort(deadline) as opened:
                asked = self._asked(opened, question_parameters(self._settings, at, window_seconds), deadline)
                wanted = self._settings["AB_EXPERIMENT"]
                choice = choose_experiment(asked.connection, wanted, asked.parameters, preference)
                untold.pop_all()
                on_experiment(
                    ChosenTest(choice.chosen.name, tuple(name for name, _ in choice.chosen.variants))
                    if choice.chosen
                    else None
                )
                return asked.nothing(choice) if choice.reason else asked.read([choice])[0]

    def read_all(
        self, *, at: datetime, window_seconds: float, deadline: Deadline
    ) -> tuple[MlflowAnswer, ...]:
        """What `read` gives for each A/B experiment, the one with the newest activity first, by as many
        questions as for one.

        One answer without an experiment where there is none. Raises SourceError where MLflow cannot be asked.
        """
        with self._open_to_abort(deadline) as opened:
            asked = self._asked(opened, question_parameters(self._settings, at, window_seconds), deadline)
            choice = choose_experiment(asked.connection, None, asked.parameters)
            if choice.reason:
                return (asked.nothing(choice),)
            return asked.read(
                [choice_of(choice, experiment) for experiment in choice.experiments if experiment.is_ab_test]
            )

    def abort(self) -> None:
        """Ends a read that is under way in another thread; it raises SourceError there."""
        if self._opened is not None:
            self._opened.abort()

    def _open_to_abort(self, deadline: Deadline) -> Opened:
        """Known before it is entered, since that may take long."""
        self._opened = self._open(deadline)
        return self._opened

    @abstractmethod
    def _open(self, deadline: Deadline) -> Opened:
        """What is to be asked, not entered yet."""

    @abstractmethod
    def _asked(self, opened: Opened, parameters: Mapping[str, Any], deadline: Deadline) -> Asked:
        """The same with all that the questions need."""
