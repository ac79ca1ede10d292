"""Which labels could tell copies of one scrape apart, by the names of the series alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from live_dashboards.sources.queries import EXPERIMENT_LABEL

# they tell apart what is counted
NEVER_COPIES = frozenset({"__name__", "model_name", EXPERIMENT_LABEL, "status", "le", "metric_type"})
_IDENTITY = NEVER_COPIES | {"job", "instance"}  # of what is scraped, too: never found, but may be named

LabelSet = tuple[tuple[str, str], ...]


def possible_labels(names: Iterable[str]) -> tuple[str, ...]:
    """Of a metric's label names those in which copies may differ."""
    return tuple(sorted(name for name in set(names) - _IDENTITY if name.isascii() and name.isidentifier()))


def candidates(series: Iterable[LabelSet], possible: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """The labels in which alone some of these series differ: each by itself, and those that differ only
    together.
    """
    names = frozenset(possible)
    by_target: dict[LabelSet, list[Mapping[str, str]]] = defaultdict(list)
    for labels in series:
        by_target[without(labels, names)].append(dict(labels))
    found = {
        candidate for each in by_target.values() if len(each) > 1 for candidate in _of_a_target(each, names)
    }
    return tuple(sorted(found))


def without(labels: LabelSet, names: Iterable[str]) -> LabelSet:
    """The labels but for those of these names."""
    left_out = frozenset(names)
    return tuple(pair for pair in labels if pair[0] not in left_out)


def _of_a_target(series: list[Mapping[str, str]], names: frozenset[str]) -> set[tuple[str, ...]]:
    values = {name: [each.get(name, "") for each in series] for name in names}
    differing = tuple(sorted(name for name in names if len(set(values[name])) > 1))
    alone: set[tuple[str, ...]] = {(name,) for name in differing if _collapses(series, name, differing)}
    is_together = len(differing) > 1 and all(len(set(values[name])) == len(series) for name in differing)
    return alone or ({differing} if is_together else set())


def _collapses(series: list[Mapping[str, str]], name: str, differing: tuple[str, ...]) -> bool:
    """Whether two of the series differ in that label and in no other one."""
    rest = [other for other in differing if other != name]
    return len({tuple(each.get(other, "") for other in rest) for each in series}) < len(series)
