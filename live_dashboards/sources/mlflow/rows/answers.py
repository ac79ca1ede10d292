"""Answers the questions of `sql` by name from a source of rows; what several of them need is read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from live_dashboards.errors import SourceError
from live_dashboards.sources.mlflow.questions import Parameters, Row
from live_dashboards.sources.mlflow.readings import HISTORY
from live_dashboards.sources.mlflow.rows.choosing import activity_rows, deleted_rows, experiment_rows
from live_dashboards.sources.mlflow.rows.facts import OF_RUNS, metric_key_rows, odd_value_rows, version_rows
from live_dashboards.sources.mlflow.rows.history import history_rows
from live_dashboards.sources.mlflow.rows.records import RowSource, RunRow

_RULES = {
    "experiments": "by experiment, the runs with each value of the param, else the tag, model_variant",
    "values": "by variant and metric, the latest finite value of the newest run: a top-level one before a "
    "child, a FINISHED one before a RUNNING one",
    "value_ranges": "by metric, the lowest and highest latest finite value of all active runs",
    "status_counts": "active runs by variant, status, and whether they are children",
    "runs": "the newest active runs",
    HISTORY: "the finite values within the window, averaged by variant and time step, child runs only "
    "where no top-level run has any",
    "versions": "the newest versions made from the experiment's runs",
}


_Runs = Mapping[int, Sequence[RunRow]]
"""The active runs by experiment, in the order of the experiments' ids."""


class RowAnswers:
    """Rows to questions, in the shape that the SQL gives them; for one moment and one thread."""

    def __init__(self, source: RowSource) -> None:
        self._source = source
        self._runs: dict[int, list[RunRow]] = {}
        self._of_all = {
            "experiments": self._experiments,
            "deleted experiments": self._deleted_experiments,
            "activity": self._activity,
        }
        self._of_several = {
            "history": self._history,
            "versions": self._versions,
            "metric keys": self._metric_keys,
            "odd values": self._odd_values,
        }

    @property
    def warnings(self) -> tuple[str, ...]:
        """Where what was read was cut off."""
        return self._source.warnings

    def rows(self, question: str, sql: str, parameters: Parameters) -> list[Row]:  # noqa: ARG002 the name says what is asked
        """The rows; SourceError where the source cannot be read."""
        if question in self._of_all:
            return self._of_all[question](parameters)
        runs = self._runs_of(parameters["experiment_ids"])
        if question in self._of_several:
            return self._of_several[question](runs, parameters)
        return _with_id({each: OF_RUNS[question](of_one, parameters) for each, of_one in runs.items()})

    def optional_rows(self, question: str, sql: str, parameters: Parameters) -> list[Row] | None:
        """The rows, or None where this cannot be read; a deadline that is over shows at the next question."""
        try:
            return self.rows(question, sql, parameters)
        except SourceError:
            return None

    def text(self, question: str, sql: str, parameters: Parameters) -> str:  # noqa: ARG002 the name says what is asked
        """What is asked of the source, and what is made of it."""
        return f"{self._source.text(question, parameters)} -- {_RULES[question]}"

    def _runs_of(self, experiment_ids: Iterable[int]) -> _Runs:
        """The active runs by experiment, in the order of the experiments' ids."""
        wanted = sorted(set(experiment_ids))
        new = [each for each in wanted if each not in self._runs]
        if new:
            self._runs |= {each: [] for each in new}
            for run in self._source.runs(new):
                self._runs[run.experiment_id].append(run)
        return {each: self._runs[each] for each in wanted}

    def _experiments(self, parameters: Parameters) -> list[Row]:
        experiments = self._source.experiments(deleted_too=False)
        return experiment_rows(
            experiments, self._source.marked_runs(experiments, deleted_too=False), parameters
        )

    def _deleted_experiments(self, parameters: Parameters) -> list[Row]:  # noqa: ARG002 as the others
        every = self._source.experiments(deleted_too=True)
        return deleted_rows(every, self._source.marked_runs(every, deleted_too=True))

    def _activity(self, parameters: Parameters) -> list[Row]:
        return activity_rows(self._source.recent_runs(parameters["experiment_ids"]), parameters)

    def _history(self, runs: _Runs, parameters: Parameters) -> list[Row]:
        points = self._source.history(
            _all(runs), parameters["accuracy_key"], parameters["from_ms"], parameters["at_ms"]
        )
        return _with_id({each: history_rows(of_one, points, parameters) for each, of_one in runs.items()})

    def _versions(self, runs: _Runs, parameters: Parameters) -> list[Row]:  # noqa: ARG002 as the others
        made = self._source.versions(_all(runs))
        of_runs = {each: {run.run_id for run in of_one} for each, of_one in runs.items()}
        return _with_id(
            {
                each: version_rows(version for version in made if version.run_id in ids)
                for each, ids in of_runs.items()
            }
        )

    def _metric_keys(self, runs: _Runs, parameters: Parameters) -> list[Row]:  # noqa: ARG002 as the others
        return metric_key_rows(self._source.metric_keys(list(runs)))

    def _odd_values(self, runs: _Runs, parameters: Parameters) -> list[Row]:
        return odd_value_rows(_all(runs), parameters)


def _all(runs: _Runs) -> Sequence[RunRow]:
    return [run for of_one in runs.values() for run in of_one]


def _with_id(rows: Mapping[int, list[Row]]) -> list[Row]:
    """The rows with the experiment's id before them, as the SQL gives them."""
    return [(experiment_id, *row) for experiment_id, of_one in rows.items() for row in of_one]
