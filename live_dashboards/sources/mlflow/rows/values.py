"""Which run's value counts for each variant and metric: the rules of the SQL's VALUES, applied to rows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from live_dashboards.model.metrics import BEST
from live_dashboards.sources.mlflow.experiments import hit_keys
from live_dashboards.sources.mlflow.questions import Parameters, Row
from live_dashboards.sources.mlflow.rows.records import LONGEST_TEXT, MetricRow, RunRow

_PLAIN_DIGITS_BELOW = 1e15  # from here on PostgreSQL writes a number with an exponent
_CLOSE = 1e-9

_Group = Sequence[tuple[str, int]]
"""Keys that say the same, each with whether it is the score of a class (see `experiments.scored`)."""


class _Found(NamedTuple):
    """A run's value under one of a group's keys. Of a trial, `best` is what its parent logs as the best, None
    where that logs none; of a parent that stands for its trials its own value. `searched` is the run whose
    trials these are, the run itself where it is on its own.
    """

    run: RunRow
    key: str
    latest: MetricRow
    best: float | None
    is_search: bool
    searched: str

    @property
    def is_best(self) -> bool:
        """Whether it is what the search found best."""
        return self.best is not None and math.isclose(self.latest.value, self.best, rel_tol=_CLOSE)


class _Shown(NamedTuple):
    """What counts, with the number of trials of its search."""

    found: _Found
    siblings: int


def value_rows(runs: Sequence[RunRow], parameters: Parameters) -> list[Row]:
    """For each variant, metric and group of keys the first of: top-level before child, FINISHED before
    RUNNING, newest start; later runs than the moment come last.
    """
    family = _Family(runs)
    best: dict[tuple[str, str, int], _Shown] = {}
    for (preference, metric), (group, sign) in sorted(_groups(parameters).items()):
        candidates = _Candidates(family.found(group, parameters), sign, parameters["near_ms"])
        for shown in candidates.ranked():
            best.setdefault((shown.found.run.variant or "", metric, preference), shown)
    placed = sorted(best.items(), key=lambda item: (item[0][0] not in parameters["favoured"], item[0]))[
        : parameters["most_values"]
    ]
    return [_value_row(variant, metric, shown, family, parameters) for (variant, metric, _), shown in placed]


def accuracy_key(run: RunRow, parameters: Parameters) -> str | None:
    """The key under which the run's accuracy counts, None where there is none."""
    group = zip(parameters["accuracy_keys"], parameters["accuracy_scored"], strict=True)
    return counted_key(run, [*group], parameters)


def counted_key(run: RunRow, group: _Group, parameters: Parameters) -> str | None:
    """Of keys that say the same the one that a run counts under: the plain one first; none where two scores
    differ, as it is not told which of the models is meant. A score that may be none of a classifier is none
    where the run logs what autolog does of regressors, or another scorer.
    """
    values = {key: run.finite(key) for key, kind in group}
    plain = [key for key, kind in group if not kind and values[key] is not None]
    if plain:
        return min(plain)
    scores = {
        key: value
        for key, kind in group
        if (value := values[key]) is not None and 0 <= value <= 1 and (kind < 2 or _is_sure(run, parameters))
    }
    return min(scores) if len(set(scores.values())) == 1 else None


def _is_sure(run: RunRow, parameters: Parameters) -> bool:
    is_classifier = run.finite(parameters["r2_key"]) is None
    return (
        is_classifier and run.params.get(parameters["scorer_key"], "None") in parameters["accuracy_scorers"]
    )


def finite(run: RunRow, key: str | None) -> float | None:
    """The run's value under that key, None where there is none."""
    return None if key is None else run.finite(key)


def newest_first(run: RunRow) -> tuple[bool, int, str]:
    """By start, then by id."""
    return run.start_ms is None, -(run.start_ms or 0), run.run_id


def _groups(parameters: Parameters) -> dict[tuple[int, str], tuple[list[tuple[str, int]], float]]:
    """The keys of each preference and metric, and whether more is better (1) or less (-1)."""
    found: dict[tuple[int, str], tuple[list[tuple[str, int]], float]] = {}
    names = ("preferences", "metrics", "keys", "scored", "signs")
    for preference, metric, key, kind, sign in zip(*(parameters[name] for name in names), strict=True):
        found.setdefault((preference, metric), ([], sign))[0].append((key, kind))
    return found


@dataclass(slots=True)
class _Family:
    """The runs of one experiment, by id and by parent."""

    runs: Sequence[RunRow]
    by_id: dict[str, RunRow] = field(init=False)
    children: dict[str, list[RunRow]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_id = {run.run_id: run for run in self.runs}
        self.children = {}
        for run in self.runs:
            if run.is_child:
                self.children.setdefault(run.parent, []).append(run)

    def found(self, group: _Group, parameters: Parameters) -> list[_Found]:
        """What each run has under one of the keys."""
        return [
            each
            for run in self.runs
            if run.counts
            for each in (*self._own(run, group, parameters), *self._of_trials(run, group))
        ]

    def trials(self, parent: RunRow, key: str) -> list[RunRow]:
        """Its children that have a value of that key."""
        return [
            run for run in self.children.get(parent.run_id, ()) if run.is_good and run.finite(key) is not None
        ]

    def _own(self, run: RunRow, group: _Group, parameters: Parameters) -> Iterator[_Found]:
        key = counted_key(run, group, parameters)
        if key is not None:
            parent = self.by_id.get(run.parent) if run.is_child and not dict(group)[key] else None
            best = parent.finite(f"{BEST}{key}") if parent is not None and parent.is_good else None
            searched = run.parent if run.is_child else run.run_id
            yield _Found(run, key, run.metrics[key], best, run.is_child, searched)

    def _of_trials(self, run: RunRow, group: _Group) -> Iterator[_Found]:
        """What a run with a variant logs as the best of its trials, which have none."""
        children = self.children.get(run.run_id, ())
        if not children or any(child.variant is not None for child in children):
            return
        for key, kind in group:
            best = run.finite(f"{BEST}{key}")
            if not kind and best is not None and run.finite(key) is None:
                latest = run.metrics[f"{BEST}{key}"]
                yield _Found(run, key, latest, best, is_search=True, searched=run.run_id)


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The values of one group of keys, of which `sign` times the value is the better the greater."""

    found: Sequence[_Found]
    sign: float
    near_ms: int

    def ranked(self) -> Iterator[_Shown]:
        """The first counts, each with the number of runs of its search: top-level before child, FINISHED
        before RUNNING, newest start, of children of the newest search what the parent logs as the best, else
        the best one; those after the moment come last.
        """
        counts = Counter(map(self._search, self.found))
        starts: dict[tuple[object, ...], int | None] = dict.fromkeys(counts)
        for each in self.found:
            start_ms, search = each.run.start_ms, self._search(each)
            known_ms = starts[search]
            if start_ms is not None and (known_ms is None or start_ms > known_ms):
                starts[search] = start_ms

        def rank(each: _Found) -> tuple[object, ...]:
            run, start_ms = each.run, starts[self._search(each)]
            return (
                *(self._is_late(run), each.is_search, run.status != "FINISHED"),
                *(start_ms is None, -(start_ms or 0), not each.is_best),
                -each.latest.value * self.sign if each.is_search else 0.0,
                *newest_first(run),
            )

        for each in sorted(self.found, key=rank):
            yield _Shown(each, counts[self._search(each)] if each.is_search else 1)

    def _search(self, each: _Found) -> tuple[object, ...]:
        run = each.run
        return run.variant, each.is_search, each.searched, self._is_late(run), run.status

    def _is_late(self, run: RunRow) -> bool:
        return (run.start_ms or 0) > self.near_ms


def _value_row(variant: str, metric: str, shown: _Shown, family: _Family, parameters: Parameters) -> Row:
    found, siblings = shown
    run, key = found.run, found.key
    if found.is_search and found.searched == run.run_id:
        trials = family.trials(run, key)
        run, siblings = _trial(trials, found) or run, len(trials)
    has_hits = metric in parameters["with_hits"]
    parent = family.by_id.get(found.searched)
    return (
        variant,
        metric,
        key,
        found.best if found.is_best else found.latest.value,
        found.latest.at_ms,
        run.run_id,
        run.name,
        run.status,
        run.is_child,
        run.start_ms,
        found.latest.step,
        siblings,
        parent.name if found.is_best and parent is not None else None,
        _test_count(run, parameters["test_count_key"]),
        _logged_count(run, parameters["example_count_key"]),
        *(run.finite(name) if has_hits else None for name in hit_keys(key)),
    )


def _trial(trials: Sequence[RunRow], found: _Found) -> RunRow | None:
    """The trial that has the best value."""
    own = [
        run
        for run in trials
        if math.isclose(run.metrics[found.key].value, found.latest.value, rel_tol=_CLOSE)
    ]
    return min(own, key=lambda run: (run.status != "FINISHED", *newest_first(run)), default=None)


def _test_count(run: RunRow, key: str) -> str | None:
    param = run.params.get(key)
    return param[:LONGEST_TEXT] if param is not None else _logged_count(run, key)


def _logged_count(run: RunRow, key: str) -> str | None:
    metric = run.metrics.get(key)
    return _digits(metric.value) if metric is not None and not metric.is_nan else None


def _digits(value: float) -> str:
    """The number as PostgreSQL writes it."""
    if abs(value) >= _PLAIN_DIGITS_BELOW:
        return f"{Decimal(repr(value)).normalize():e}"
    return repr(value).removesuffix(".0")
