"""What MLflow's answer says of each variant's quality, with the number of rows behind it where that is
known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from live_dashboards.analysis.statistics.proportions import Counts, wilson
from live_dashboards.model.measurement import Interval, Measurement, Origin, missing
from live_dashboards.model.metrics import METRICS, Denominator
from live_dashboards.model.snapshot import MlflowAnswer, VariantValue
from live_dashboards.settings import Settings

_ROUNDING_SLACK_ROWS = 0.01
_MOST_ROWS = 10**12

_CLOCK_SLACK = timedelta(minutes=5)  # clocks of training machines differ


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


def _positives(value: VariantValue, scale: float, counted: Denominator) -> tuple[int | None, str | None]:
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


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Quality of each variant: (variant, metric) to a measurement in the metric's unit, and notices on odd
    values.
    """

    values: Mapping[tuple[str, str], Measurement]
    notices: tuple[str, ...]

    def value(self, variant: str | None, metric: str) -> Measurement:
        """The measurement of that variant and metric."""
        return self.values[variant or "", metric]


def model_facts(
    answer: MlflowAnswer, variants: tuple[str, ...], settings: Settings, at: datetime
) -> ModelFacts:
    """The metrics of the catalogue of each variant at the moment; what is not there is missing with its
    reason.
    """
    found = {(value.variant, value.metric): value for value in answer.values}
    scales = {
        metric.name: scale_of(answer, metric.name, settings) if metric.is_share else 1.0
        for metric in METRICS.values()
    }
    values = {
        (variant, metric): _present(answer, found[variant, metric], scales[metric], settings, at=at)
        if (variant, metric) in found
        else _absent(answer, variant, metric)
        for variant in (*variants, "")
        for metric in METRICS
    }
    return ModelFacts(values, _notices(answer, settings))


def percent_scale(unit: str, largest: float | None) -> float:
    """What a logged value is multiplied with to be percent; `auto`: all values of the metric at most 1 means
    fraction.
    """
    is_fraction = unit == "fraction" or (unit == "auto" and largest is not None and largest <= 1)
    return 100.0 if is_fraction else 1.0


def scale_of(answer: MlflowAnswer, metric: str, settings: Settings) -> float:
    """What that metric's values in MLflow are multiplied with to be percent."""
    largest = next((high for name, _, high in answer.value_ranges if name == metric), None)
    return percent_scale(settings["AB_ACCURACY_UNIT"], largest)


def _absent(answer: MlflowAnswer, variant: str, metric: str) -> Measurement:
    if not answer.status.has_answered:
        reason = answer.status.reason or "MLflow was not asked"
    elif not variant:
        reason = "there is no challenger"
    else:
        reason = (
            f"no finished or running run of variant {variant!r} in {answer.experiment!r} has a finite "
            f"{metric.replace('_', ' ')}"
        )
    return missing(
        metric,
        METRICS[metric].unit,
        reason,
        variant=variant or None,
        source=answer.status.source,
        query=answer.query("values"),
    )


def _present(
    answer: MlflowAnswer, value: VariantValue, scale: float, settings: Settings, *, at: datetime
) -> Measurement:
    n, note = rows_behind(value, scale, str(settings["AB_TEST_COUNT_PARAM"]))
    limits, drawn = _intervals(value, scale, n, float(settings["AB_CONFIDENCE"]))
    is_later = value.started_at is not None and value.started_at > at + _CLOCK_SLACK
    notes = (
        note,
        "run not finished" if value.run_status == "RUNNING" else None,
        "the run started after the page's moment; there is no earlier one" if is_later else None,
        "from a child run" if value.is_child else None,
    )
    return Measurement(
        value.metric,
        value.value * scale,
        METRICS[value.metric].unit,
        answer.origin,
        value.variant,
        limits,
        drawn,
        n,
        answer.status.source,
        answer.query("values"),
        value.observed_at,
        "; ".join(filter(None, notes)) or None,
    )


def _intervals(
    value: VariantValue, scale: float, n: int | None, confidence: float
) -> tuple[Interval | None, Interval | None]:
    rows = rows_correct(value.value, scale, n) if n else None
    if n is None or rows is None:
        return None, None
    limits, drawn = (
        Interval(*(100 * limit for limit in wilson(Counts(rows, n), level))) for level in (0.95, confidence)
    )
    return limits, drawn


def _notices(answer: MlflowAnswer, settings: Settings) -> tuple[str, ...]:
    shares = {metric.name for metric in METRICS.values() if metric.is_share}
    mixed = (
        f"{metric} is logged from {low:g} to {high:g}: fractions and percent seem mixed; set AB_ACCURACY_UNIT"
        for metric, low, high in answer.value_ranges
        if metric in shares and settings["AB_ACCURACY_UNIT"] == "auto" and 0 < low <= 1 < high
    )
    warnings = () if answer.origin is Origin.SIMULATED else answer.status.warnings
    return (*mixed, *(f"MLflow: {warning}" for warning in warnings))
