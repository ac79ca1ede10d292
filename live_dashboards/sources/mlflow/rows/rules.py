"""The rules of the SQL, applied to rows: which experiment, which run's value counts, and what is told of
it.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

from live_dashboards.errors import SourceError
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.experiments import HISTORY
from live_dashboards.sources.mlflow.questions import Parameters, Row
from live_dashboards.sources.mlflow.rows.records import (
    LONGEST_TEXT,
    ExperimentRow,
    ModelPoint,
    ModelRow,
    PointRow,
    RowSource,
    RunRow,
    VersionRow,
    WantedKeys,
)
from live_dashboards.sources.mlflow.rows.values import accuracy_key, finite, newest_first, value_rows
from live_dashboards.sources.mlflow.variants import LOGGED, known_runs, trimmed

_DAY_MS = 86_400_000
_DELETED_SHOWN = 3

_MOST_ALIASES = 10

_RULES = {
    "experiments": "by experiment, the runs with each value of the first of these ways that gives one: "
    "{ways}",
    "values": "by variant, metric and key, the latest finite value of the newest run: a top-level one before "
    "a child, a FINISHED one before a RUNNING one; of children what their parent logs as the best, else the "
    "best",
    "value_ranges": "by metric and key, the lowest and highest latest finite value of all active runs",
    "status_counts": "active runs by variant, status, and whether they are children",
    "runs": "the newest active runs",
    HISTORY: "the finite values within the window, averaged by variant and time step, child runs only "
    "where no top-level run has any",
    "model points": "of runs without a variant, the last value of each key and model whose own params and "
    "tags, or those of the run that trained it, tell a variant",
    "versions": "the newest versions made from the experiment's runs",
}


_Runs = Mapping[int, Sequence[RunRow]]
"""The active runs by experiment, in the order of the experiments' ids."""


def experiment_rows(
    experiments: Iterable[ExperimentRow], runs: Sequence[RunRow], parameters: Parameters
) -> list[Row]:
    """(id, name, workspace, variant, runs, way) of each active experiment and variant; one row without a
    variant where there is none.
    """
    wanted, counts = parameters["experiment"], _counted(runs)
    ways: dict[tuple[int, str | None], int] = {}
    for run in runs:
        place = run.experiment_id, run.variant
        ways[place] = min(ways.get(place, run.way), run.way)

    def order(each: ExperimentRow, *, is_cut: bool) -> tuple[bool, bool, int]:
        return (
            each.name != wanted,
            is_cut and len(counts.get(each.experiment_id, ())) < 2,
            -each.experiment_id,
        )

    known = sorted(
        (each for each in experiments if each.is_active), key=lambda each: order(each, is_cut=True)
    )[: sql.MAX_EXPERIMENTS]
    rows: list[Row] = []
    for experiment in sorted(known, key=lambda each: order(each, is_cut=False)):
        shown = _shown_variants(counts.get(experiment.experiment_id, Counter()), parameters["favoured"]) or [
            (None, None)
        ]
        rows.extend(
            (
                experiment.experiment_id,
                experiment.name,
                experiment.workspace,
                variant,
                count,
                ways.get((experiment.experiment_id, variant)),
            )
            for variant, count in shown
        )
    return rows[: sql.MAX_EXPERIMENT_ROWS]


def deleted_rows(experiments: Iterable[ExperimentRow], runs: Iterable[RunRow]) -> list[Row]:
    """(name, is deleted) of the newest experiments that would have two variants if nothing were deleted."""
    counts = _counted(runs)
    found = sorted(
        (each for each in experiments if len(counts.get(each.experiment_id, ())) >= 2),
        key=lambda each: -each.experiment_id,
    )
    return [(each.name, not each.is_active) for each in found[:_DELETED_SHOWN]]


def activity_rows(runs: Sequence[RunRow], parameters: Parameters) -> list[Row]:
    """(id, newest activity known at the moment, newest activity at all) of each experiment, in
    milliseconds.
    """
    tomorrow_ms = time.time() * 1000 + _DAY_MS
    by_experiment: dict[int, list[RunRow]] = {}
    for run in runs:
        by_experiment.setdefault(run.experiment_id, []).append(run)
    return [
        (each, _known_ms(of_one, parameters), _newest_ms(of_one, tomorrow_ms))
        for each, of_one in sorted(by_experiment.items())
    ]


def _counted(runs: Iterable[RunRow]) -> dict[int, Counter[str]]:
    counts: dict[int, Counter[str]] = {}
    for run in runs:
        if run.variant is not None:
            counts.setdefault(run.experiment_id, Counter())[run.variant] += 1
    return counts


def _shown_variants(counts: Counter[str], favoured: Sequence[str]) -> list[tuple[str | None, int | None]]:
    """The variants that count within the limit, most runs first."""
    within = sorted(counts.items(), key=lambda row: (row[0] not in favoured, -row[1], row[0]))[
        : sql.MAX_VARIANTS
    ]
    return [(variant, count) for variant, count in sorted(within, key=lambda row: (-row[1], row[0]))]


def _known_ms(runs: Sequence[RunRow], parameters: Parameters) -> int | None:
    """A start, end or metric after the moment and its slack was not known then; a later metric of a run that
    had started by then counts as that moment.
    """
    at_ms, near_ms = parameters["at_ms"], parameters["near_ms"]
    times = [
        moment
        for run in runs
        for moment in (run.start_ms, run.end_ms)
        if moment is not None and moment <= near_ms
    ]
    signs = (
        run.newest_sign_ms if run.start_ms is not None and run.start_ms <= near_ms else run.near_sign_ms
        for run in runs
    )
    newest = max((*times, *(sign for sign in signs if sign is not None)), default=None)
    return None if newest is None else min(newest, at_ms)


def _newest_ms(runs: Sequence[RunRow], tomorrow_ms: float) -> int | None:
    times = [
        moment
        for run in runs
        for moment in (run.start_ms, run.end_ms)
        if moment is not None and moment <= tomorrow_ms
    ]
    return max(
        (*times, *(run.newest_sign_ms for run in runs if run.newest_sign_ms is not None)), default=None
    )


def value_range_rows(runs: Sequence[RunRow], parameters: Parameters) -> list[Row]:
    """(metric, key, lowest, highest) over all runs."""
    found: dict[tuple[str, str], list[float]] = {}
    for metric, key, kind in zip(*(parameters[name] for name in ("metrics", "keys", "scored")), strict=True):
        found.setdefault((metric, key), []).extend(
            value for run in runs if (value := run.finite(key)) is not None and (not kind or 0 <= value <= 1)
        )
    return [(*wanted, min(values), max(values)) for wanted, values in sorted(found.items()) if values]


def status_count_rows(runs: Iterable[RunRow], parameters: Parameters) -> list[Row]:  # noqa: ARG001 as the others
    """(variant, status, is child, runs), most runs first."""
    counts = Counter((run.variant, run.status, run.is_child) for run in runs)
    placed = sorted(
        counts.items(), key=lambda row: (-row[1], row[0][0] is None, row[0][0] or "", *row[0][1:])
    )
    return [(*group, count) for group, count in placed[: sql.MAX_STATUS_ROWS]]


def run_rows(runs: Iterable[RunRow], parameters: Parameters) -> list[Row]:
    """The newest runs, newest first."""
    near_ms = parameters["near_ms"]
    newest = sorted(runs, key=lambda run: ((run.start_ms or 0) > near_ms, *newest_first(run)))[: sql.MAX_RUNS]
    return [
        (
            run.run_id,
            run.name,
            run.variant,
            run.status,
            run.start_ms,
            run.end_ms,
            run.is_child,
            run.newest_sign_ms,
            finite(run, accuracy_key(run, parameters)),
        )
        for run in sorted(newest, key=newest_first)
    ]


def version_rows(versions: Iterable[VersionRow]) -> list[Row]:
    """(name, version, made, run, aliases), newest first."""
    placed = sorted(versions, key=lambda each: (-each.created_ms, each.name, -each.version))[
        : sql.MAX_VERSIONS
    ]
    return [
        (each.name, each.version, each.created_ms, each.run_id, sorted(each.aliases)[:_MOST_ALIASES])
        for each in placed
    ]


def metric_key_rows(counts: Mapping[str, int], parameters: Parameters) -> list[Row]:
    """The keys that most runs log, and all that autolog logs of a data set, and how many log them."""
    wanted, prefixes = WantedKeys.of(parameters), tuple(parameters["dataset_prefixes"])
    own = [(key, count) for key, count in counts.items() if not key.startswith("system/")]
    placed = sorted(own, key=lambda row: (-row[1], row[0]))
    return [
        row
        for place, row in enumerate(placed)
        if place < sql.MAX_KEYS or row[0].startswith(prefixes) or wanted.is_of_dataset(row[0])
    ][: sql.MAX_DATASET_KEYS]


def odd_value_rows(runs: Iterable[RunRow], parameters: Parameters) -> list[Row]:
    """The newest run with a latest value that is no number: (key, run, is NaN, how many such values there
    are).
    """
    odd = [
        (run, key)
        for run in sorted(runs, key=newest_first)
        for key in sorted(parameters["keys"])
        if key in run.metrics and run.finite(key) is None
    ]
    return [(key[:LONGEST_TEXT], run.run_id, run.metrics[key].is_nan, len(odd)) for run, key in odd[:1]]


OF_RUNS: Mapping[str, Callable[[Sequence[RunRow], Parameters], list[Row]]] = {
    "values": value_rows,
    "value_ranges": value_range_rows,
    "status_counts": status_count_rows,
    "runs": run_rows,
}


def history_rows(runs: Sequence[RunRow], points: Iterable[PointRow], parameters: Parameters) -> list[Row]:
    """(variant, unix seconds, value): the mean of the values of a step at the mean of their times; child runs
    only where no top-level run has any.
    """
    by_id = {run.run_id: run for run in runs if run.counts}
    steps: dict[tuple[str, int, bool], list[PointRow]] = {}
    for point in points:
        run = by_id.get(point.run_id)
        if (
            run is not None
            and parameters["from_ms"] < point.at_ms <= parameters["at_ms"]
            and abs(point.value) < sql.LARGEST
        ):
            step = (point.at_ms - parameters["from_ms"] - 1) // parameters["step_ms"]
            steps.setdefault((run.variant or "", step, run.is_child), []).append(point)
    with_own = {variant for variant, _, is_child in steps if not is_child}
    shown = sorted(
        (variant, step, is_child) for variant, step, is_child in steps if is_child != (variant in with_own)
    )
    return [
        (variant, *_mean(steps[variant, step, is_child]))
        for variant, step, is_child in shown[: sql.MAX_VARIANTS * sql.HISTORY_POINTS]
    ]


def _mean(points: Sequence[PointRow]) -> tuple[float, float]:
    """The mean time in unix seconds and the mean value."""
    return float(Fraction(sum(point.at_ms for point in points), 1000 * len(points))), math.fsum(
        point.value for point in points
    ) / len(points)


def model_variant(model: ModelRow, source: RunRow | None, parameters: Parameters) -> str | None:
    """The first variant that a way leads to: of its own params and tags, else those of the run that trained
    it.
    """
    for way in parameters["variant_ways"]:
        if way.kind in LOGGED:
            of_model, of_run = (
                {} if each is None else {"param": each.params, "tag": each.tags}[way.kind]
                for each in (model, source)
            )
            found = trimmed(of_model.get(way.name)) or trimmed(of_run.get(way.name))
        else:
            found = parameters["known"].get(way.kind, {}).get(source.run_id) if source else None
        if found:
            return found
    return None


def last_points(model: ModelRow, parameters: Parameters) -> list[ModelPoint]:
    """Of each run and wanted key the point that counts as its last, where that is a number."""
    wanted = WantedKeys.of(parameters)
    is_by_time = parameters["metric_point"] == "time"
    found: dict[tuple[str, str], ModelPoint] = {}
    for point in sorted(
        model.points,
        key=lambda each: (each.at_ms if is_by_time else each.step, each.step, each.at_ms, each.value),
    ):
        if wanted.has_metric(point.key):
            found[point.run_id, point.key] = point
    return [point for point in found.values() if abs(point.value) < sql.LARGEST]


def model_point_row(
    variant: str | None, model: ModelRow, run: RunRow, point: ModelPoint, parameters: Parameters
) -> Row:
    """As the SQL gives it."""
    count = run.params.get(parameters["test_count_key"])
    told = (run.run_id, run.name, run.status, run.is_child, run.start_ms)
    counted = None if count is None else count[:LONGEST_TEXT]
    measured = (point.key, point.value, point.at_ms, point.step)
    return (model.experiment_id, variant, model.model_id, *told, counted, *measured)


class RowAnswers:
    """Rows to questions, in the shape that the SQL gives them; for one moment and one thread."""

    def __init__(self, source: RowSource) -> None:
        self._source = source
        self._runs: dict[int, list[RunRow]] = {}
        self._of_all: Mapping[str, Callable[[Parameters], list[Row]]] = {
            "experiments": self._experiments,
            "deleted experiments": self._deleted_experiments,
            "activity": self._activity,
            "aliases": lambda _: [*self._source.aliased()],
            "model names": lambda _: [*self._source.model_names()],
            "rights": lambda _: [(True, True, "")],
            "model points": self._model_points,
        }
        self._of_several = {
            "history": self._history,
            "versions": self._versions,
            "metric keys": self._metric_keys,
            "odd values": self._odd_values,
            "newest points": self._newest_points,
            "datasets": self._datasets,
        }

    @property
    def warnings(self) -> tuple[str, ...]:
        """Where what was read was cut off."""
        return self._source.warnings

    def rows(self, question: str, sql: str, parameters: Parameters) -> list[Row]:  # noqa: ARG002 the name says what is asked
        """The rows; SourceError where the source cannot be read."""
        if question in self._of_all:
            return self._of_all[question](parameters)
        runs = _named(self._runs_of(parameters["experiment_ids"]), parameters)
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
        ways = ", ".join(map(str, parameters["variant_ways"]))
        return f"{self._source.text(question, parameters)} -- {_RULES[question].replace('{ways}', ways)}"

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
        marked = self._source.marked_runs(experiments, known_runs(parameters), deleted_too=False)
        return experiment_rows(experiments, [run.named(parameters) for run in marked], parameters)

    def _deleted_experiments(self, parameters: Parameters) -> list[Row]:
        every = self._source.experiments(deleted_too=True)
        marked = self._source.marked_runs(every, known_runs(parameters), deleted_too=True)
        return deleted_rows(every, [run.named(parameters) for run in marked])

    def _activity(self, parameters: Parameters) -> list[Row]:
        return activity_rows(self._source.recent_runs(parameters["experiment_ids"]), parameters)

    def _history(self, runs: _Runs, parameters: Parameters) -> list[Row]:
        points = [
            point for key in parameters["accuracy_keys"] for point in self._points(runs, key, parameters)
        ]
        return _with_id({each: history_rows(of_one, points, parameters) for each, of_one in runs.items()})

    def _points(self, runs: _Runs, key: str, parameters: Parameters) -> list[PointRow]:
        """The accuracies under that key, of several keys only of the runs that count under it."""
        is_any = not parameters["is_accuracy_scored"]
        mine = [run for run in _all(runs) if is_any or accuracy_key(run, parameters) == key]
        ids = {run.run_id for run in mine}
        points = self._source.history(mine, key, parameters["from_ms"], parameters["at_ms"]) if mine else ()
        return [point for point in points if point.run_id in ids]

    def _datasets(self, runs: _Runs, parameters: Parameters) -> list[Row]:
        """(run, context, name, profile) of the data sets of these runs."""
        wanted = set(parameters["run_ids"])
        return [(run.run_id, *each) for run in _all(runs) if run.run_id in wanted for each in run.datasets]

    def _newest_points(self, runs: _Runs, parameters: Parameters) -> list[Row]:
        """(run, key, value, milliseconds): the newest point in time of each of these runs and keys."""
        by_id, found = {run.run_id: run for run in _all(runs)}, []
        wanted = zip(parameters["point_runs"], parameters["point_keys"], strict=True)
        for run, key in ((by_id[run_id], key) for run_id, key in wanted if run_id in by_id):
            points = self._source.history([run], key, (run.start_ms or 1) - 1, parameters["near_ms"])
            newest = max(
                (each for each in points if each.run_id == run.run_id and abs(each.value) < sql.LARGEST),
                key=lambda each: each.at_ms,
                default=None,
            )
            if newest is not None:
                found.append((run.run_id, key, newest.value, newest.at_ms))
        return found

    def _model_points(self, parameters: Parameters) -> list[Row]:
        """Of runs without a variant, the last point of each key and model that has one; runs are read only
        where models were measured.
        """
        models = [each for each in self._source.models(parameters["experiment_ids"]) if each.points]
        runs = _named(self._runs_of({each.experiment_id for each in models}), parameters)
        by_id, rows = {run.run_id: run for run in _all(runs)}, []
        for model in models:
            variant = model_variant(model, by_id.get(model.source_run_id or ""), parameters)
            for point in last_points(model, parameters) if variant is not None else ():
                run = by_id.get(point.run_id)
                if run is not None and run.variant is None and run.experiment_id == model.experiment_id:
                    is_nan = point.value == 0 and point[3:] in self._source.nan_points(run.run_id, point.key)
                    rows += [] if is_nan else [model_point_row(variant, model, run, point, parameters)]
        return sorted(rows, key=lambda row: (row[0], row[3], row[2], row[9]))[: sql.MAX_POINTS]

    def _versions(self, runs: _Runs, parameters: Parameters) -> list[Row]:  # noqa: ARG002 as the others
        made = self._source.versions(_all(runs))
        of_runs = {each: {run.run_id for run in of_one} for each, of_one in runs.items()}
        return _with_id(
            {
                each: version_rows(version for version in made if version.run_id in ids)
                for each, ids in of_runs.items()
            }
        )

    def _metric_keys(self, runs: _Runs, parameters: Parameters) -> list[Row]:
        return metric_key_rows(self._source.metric_keys(list(runs)), parameters)

    def _odd_values(self, runs: _Runs, parameters: Parameters) -> list[Row]:
        return odd_value_rows(_all(runs), parameters)


def _named(runs: _Runs, parameters: Parameters) -> _Runs:
    """With the variants that are known by now."""
    if not parameters["known"]:
        return runs
    return {each: [run.named(parameters) for run in of_one] for each, of_one in runs.items()}


def _all(runs: _Runs) -> Sequence[RunRow]:
    return [run for of_one in runs.values() for run in of_one]


def _with_id(rows: Mapping[int, list[Row]]) -> list[Row]:
    """The rows with the experiment's id before them, as the SQL gives them."""
    return [(experiment_id, *row) for experiment_id, of_one in rows.items() for row in of_one]
