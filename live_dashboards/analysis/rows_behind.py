"""The number of rows that a logged share counts, or why it is not known: test rows, predicted positives,
actual positives.
"""

from __future__ import annotations

import math

from live_dashboards.model.metrics import METRICS, Rows
from live_dashboards.model.snapshot import VariantValue

_ROUNDING_SLACK_ROWS = 0.01
_MOST_ROWS = 10**12


def rows_behind(value: VariantValue, scale: float, test_count_param: str) -> tuple[int | None, str | None]:
    """The n of a proportion whose percent are `scale` times what is logged, or the reason why there is
    none.
    """
    metric = METRICS[value.metric]
    if metric.n is None:
        return None, f"no interval: {metric.title} is not a proportion of rows"
    if metric.n.misses:
        return _positives(value, scale, metric.n)
    return _test_rows(value, scale, test_count_param)


def rows_correct(logged: float, scale: float, n: int) -> int | None:
    """How many of n rows a logged share stands for, None where no whole number fits within the digits that
    were logged.
    """
    rows = round(logged * scale / 100 * n)
    return rows if 0 <= rows <= n and _fits(rows, logged, scale, n) else None


def _fits(rows: int, logged: float, scale: float, n: int) -> bool:
    """Whether so many rows of n are that share, within the digits that were logged."""
    digits = len(repr(logged).partition(".")[2].partition("e")[0])
    slack = n * 0.5 * 10.0**-digits * scale / 100 if digits < 15 else 0.0
    return abs(rows - logged * scale / 100 * n) <= slack + _ROUNDING_SLACK_ROWS


def _test_rows(value: VariantValue, scale: float, param: str) -> tuple[int | None, str | None]:
    if value.test_count is None:
        return None, f"no interval: the run logs no {param}"
    try:
        count = float(value.test_count)
    except ValueError:
        count = math.nan
    if 0 < count < 1:
        return None, f"no interval: {param} {value.test_count} is a fraction; log the number of test rows"
    if not _is_count(count) or count == 0:
        return None, f"no interval: {param} {value.test_count[:20]!r} is no number of rows"
    if rows_correct(value.value, scale, int(count)) is None:
        return (
            None,
            (
                f"no interval: {value.value:g} is no share of {int(count)} rows; {param} does not fit "
                f"this {METRICS[value.metric].words}"
            ),
        )
    return int(count), None


def _positives(value: VariantValue, scale: float, counted: Rows) -> tuple[int | None, str | None]:
    """Hits and misses together, where the value is the hits' share of them."""
    name, misses_key = counted.words, counted.misses
    logged = {"true_positives": value.true_positives, misses_key: getattr(value, misses_key)}
    counts = {key: int(count) for key, count in logged.items() if count is not None and _is_count(count)}
    if None in logged.values():
        lost = " and ".join(key for key, count in logged.items() if count is None)
        return (
            None,
            (
                f"no interval: its n, the {name}, is not logged; log {lost} in the same run, as "
                "mlflow.evaluate does"
            ),
        )
    if len(counts) < len(logged):
        odd = next(f"{key} {count:g}" for key, count in logged.items() if key not in counts)
        return None, f"no interval: {odd} is no number of rows"
    hits, n = counts["true_positives"], sum(counts.values())
    if n == 0:
        return None, f"no interval: there are no {name}"
    if rows_correct(value.value, scale, n) is None or not _fits(hits, value.value, scale, n):
        return (
            None,
            (
                f"no interval: {value.value:g} is not {hits} of {n} {name}; true_positives and "
                f"{misses_key} do not fit this {METRICS[value.metric].words}"
            ),
        )
    return n, None


def _is_count(number: float) -> bool:
    return 0 <= number <= _MOST_ROWS and number == int(number)
