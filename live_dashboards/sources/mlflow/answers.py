"""From a connection to answers: what the chosen experiments hold, by as many statements for forty of them as
for one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from live_dashboards.model.snapshot import MLFLOW, MlflowAnswer, SourceState, SourceStatus
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow import readings, sql
from live_dashboards.sources.mlflow.experiments import Choice
from live_dashboards.sources.mlflow.questions import Questions

_TEXTS = {
    "experiments": sql.EXPERIMENTS,
    "values": sql.VALUES,
    "value_ranges": sql.VALUE_RANGES,
    "status_counts": sql.STATUS_COUNTS,
    "runs": sql.RUNS,
    readings.HISTORY: sql.HISTORY,
}


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

    def status(self, state: SourceState, choice: Choice) -> SourceStatus:
        """How asking ended, as of now."""
        return SourceStatus(
            MLFLOW,
            state,
            reason=choice.reason,
            fix=choice.fix,
            warnings=(*choice.warnings, *self.connection.warnings),
            version=self.version,
            address=self.address,
            duration_seconds=self.deadline.elapsed_seconds,
            clock_difference_seconds=self.clock_difference_seconds,
        )

    def nothing(self, choice: Choice) -> MlflowAnswer:
        """The answer where there is no A/B data to read."""
        name = choice.chosen.name if choice.chosen else None
        return MlflowAnswer(
            self.status(SourceState.NO_AB_DATA, choice),
            experiments=choice.experiments,
            known_experiments=choice.known,
            experiment=name,
        )

    def read(self, choices: Sequence[Choice]) -> tuple[MlflowAnswer, ...]:
        """An answer for each chosen experiment, in this order."""
        ids = [choice.chosen.experiment_id for choice in choices if choice.chosen]
        found = _Found.read(self.connection, {**self.parameters, "experiment_ids": ids}, self.versions_text)
        answers = tuple(self._answer(choice, found) for choice in choices)
        ended = self.deadline.elapsed_seconds
        return tuple(
            replace(answer, status=replace(answer.status, duration_seconds=ended)) for answer in answers
        )

    def _answer(self, choice: Choice, found: _Found) -> MlflowAnswer:
        chosen = choice.experiments[0]
        parameters = {**self.parameters, "experiment_ids": [chosen.experiment_id]}
        queries = {
            name: " ".join(self.connection.text(name, text, parameters).split())
            for name, text in found.texts.items()
        }
        own = chosen.experiment_id
        return MlflowAnswer(
            self.status(SourceState.ANSWERED, choice),
            experiment=chosen.name,
            experiments=choice.experiments,
            known_experiments=choice.known,
            values=found.latest.get(own, ()),
            value_ranges=found.value_ranges.get(own, ()),
            status_counts=found.status_counts.get(own, ()),
            runs=found.runs.get(own, ()),
            history=readings.history_answer(
                found.history.get(own, ()), parameters, query=queries[readings.HISTORY]
            ),
            versions=found.versions.get(own, ()),
            newest_at=chosen.last_activity_at,
            queries=tuple(queries.items()),
        )


@dataclass(frozen=True)
class _Found:
    """What each question gave, by the experiment's id, and the questions' texts."""

    texts: Mapping[str, str]
    latest: readings.ByExperiment[Any]
    value_ranges: readings.ByExperiment[Any]
    status_counts: readings.ByExperiment[Any]
    runs: readings.ByExperiment[Any]
    history: readings.ByExperiment[Any]
    versions: readings.ByExperiment[Any]

    @classmethod
    def read(cls, connection: Questions, parameters: Mapping[str, Any], versions_text: str | None) -> _Found:
        """Asks each question once for all experiments."""
        return cls(
            {**_TEXTS, **({"versions": versions_text} if versions_text else {})},
            readings.read_values(connection, parameters),
            readings.read_value_ranges(connection, parameters),
            readings.read_status_counts(connection, parameters),
            readings.read_runs(connection, parameters),
            readings.read_history(connection, parameters),
            readings.read_versions(connection, versions_text, parameters) if versions_text else {},
        )
