"""What the runs of one experiment say: the rows of VALUES, VALUE_RANGES, STATUS_COUNTS, RUNS, VERSIONS,
METRIC_KEYS and ODD_VALUES of `sql`, without its id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.questions import Parameters, Row
from live_dashboards.sources.mlflow.rows.records import RunRow, VersionRow
from live_dashboards.sources.mlflow.rows.wanted import LONGEST_TEXT, hit_keys

_MOST_ALIASES = 10
_MOST_KEYS = 20
_PLAIN_DIGITS_BELOW = 1e15  # from here on PostgreSQL writes a number with an exponent


def value_rows(runs: Sequence[RunRow], parameters: Parameters) -> list[Row]:
    """For each variant and metric the first of: top-level before child, FINISHED before RUNNING, newest
    start; later runs than the moment come last.
    """
    best: dict[tuple[str, str], tuple[RunRow, str]] = {}
    wanted = sorted(zip(parameters["preferences"], parameters["metrics"], parameters["keys"], strict=True))
    for run in sorted((run for run in runs if run.counts), key=lambda run: _rank(run, parameters["near_ms"])):
        for _, metric, key in wanted:
            if run.finite(key) is not None:
                best.setdefault((run.variant or "", metric), (run, key))
    placed = sorted(best.items(), key=lambda item: (item[0][0] not in parameters["favoured"], item[0]))[
        : parameters["most_values"]
    ]
    return [_value_row(variant, metric, run, key, parameters) for (variant, metric), (run, key) in placed]


def value_range_rows(runs: Sequence[RunRow], parameters: Parameters) -> list[Row]:
    """(metric, lowest, highest) over all runs."""
    found: dict[str, list[float]] = {}
    for metric, key in zip(parameters["metrics"], parameters["keys"], strict=True):
        found.setdefault(metric, []).extend(value for run in runs if (value := run.finite(key)) is not None)
    return [(metric, min(values), max(values)) for metric, values in sorted(found.items()) if values]


def status_count_rows(runs: Iterable[RunRow], parameters: Parameters) -> list[Row]:  # noqa: ARG001 as the others
    """(variant, status, is child, runs), most runs first."""
    counts = Counter((run.variant, run.status, run.is_child) for run in runs)
    placed = sorted(
        counts.items(), key=lambda row: (-row[1], row[0][0] is None, row[0][0] or "", *row[0][1:])
    )
    return [(*group, count) for group, count in placed[: sql.MAX_STATUS_ROWS]]


def run_rows(runs: Iterable[RunRow], parameters: Parameters) -> list[Row]:
    """The newest runs, newest first."""
    near_ms, key = parameters["near_ms"], parameters["accuracy_key"]
    newest = sorted(runs, key=lambda run: ((run.start_ms or 0) > near_ms, *_newest_first(run)))[
        : sql.MAX_RUNS
    ]
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
            run.finite(key),
        )
        for run in sorted(newest, key=_newest_first)
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


def metric_key_rows(counts: Mapping[str, int]) -> list[Row]:
    """The keys that most runs log, and how many do."""
    own = [(key, count) for key, count in counts.items() if not key.startswith("system/")]
    return sorted(own, key=lambda row: (-row[1], row[0]))[:_MOST_KEYS]


def odd_value_rows(runs: Iterable[RunRow], parameters: Parameters) -> list[Row]:
    """The newest run with a latest value that is no number: (key, run, is NaN, how many such values there
    are).
    """
    odd = [
        (run, key)
        for run in sorted(runs, key=_newest_first)
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


def _newest_first(run: RunRow) -> tuple[bool, int, str]:
    return run.start_ms is None, -(run.start_ms or 0), run.run_id


def _rank(run: RunRow, near_ms: int) -> tuple[object, ...]:
    return (run.start_ms or 0) > near_ms, run.is_child, run.status != "FINISHED", *_newest_first(run)


def _value_row(variant: str, metric: str, run: RunRow, key: str, parameters: Parameters) -> Row:
    latest = run.metrics[key]
    what = (
        variant,
        metric,
        key,
        latest.value,
        latest.at_ms,
        run.run_id,
        run.name,
        run.status,
        run.is_child,
        run.start_ms,
    )
    has_hits = metric in parameters["with_hits"]
    return (
        *what,
        _test_count(run, parameters["test_count_key"]),
        *(run.finite(name) if has_hits else None for name in hit_keys(key)),
    )


def _test_count(run: RunRow, key: str) -> str | None:
    param, metric = run.params.get(key), run.metrics.get(key)
    if param is not None:
        return param[:LONGEST_TEXT]
    return _digits(metric.value) if metric is not None and not metric.is_nan else None


def _digits(value: float) -> str:
    """The number as PostgreSQL writes it."""
    if abs(value) >= _PLAIN_DIGITS_BELOW:
        return f"{Decimal(repr(value)).normalize():e}"
    return repr(value).removesuffix(".0")
