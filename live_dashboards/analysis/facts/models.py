"""What MLflow's answer says of each variant's quality, with the number of rows behind it where that is
known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from live_dashboards.analysis.statistics.proportions import Counts, wilson
from live_dashboards.model.class_scores import no_accuracy_words, score_words
from live_dashboards.model.measurement import Interval, Measurement, Origin, missing
from live_dashboards.model.metrics import ACCURACY, EXAMPLE_COUNT_KEY, METRICS, Denominator, Metric
from live_dashboards.model.names import escaped, listed
from live_dashboards.model.number import format_number
from live_dashboards.model.quality import PLAIN, Quality, is_of_training, quality_read
from live_dashboards.model.snapshot import MlflowAnswer, VariantValue, search_words
from live_dashboards.model.variants import told_ways
from live_dashboards.settings import Settings

_ROUNDING_SLACK_ROWS = 0.01
_MOST_ROWS = 10**12
_SHOWN_KEYS = 12

_CLOCK_SLACK = timedelta(minutes=5)  # clocks of training machines differ


def rows_behind(
    value: VariantValue, metric: Metric, scale: float, test_count_param: str
) -> tuple[int | None, str | None]:
    """The n of a proportion whose percent are `scale` times what is logged, or the reason why there is
    none.
    """
    if metric.n is None:
        return None, f"no interval: {metric.title} is not a proportion of rows"
    if is_of_training(value.key):
        key = escaped(value.key)
        return None, f"no interval: {key} is measured on the rows that the model was trained with"
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
    param = value.test_count_key or param
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
    has_none = (
        value.true_positives is None and value.false_positives is None and value.false_negatives is None
    )
    if has_none and value.test_count_key == EXAMPLE_COUNT_KEY:
        # of two classes mlflow.models.evaluate logs the counts beside it
        return None, "no interval: over several classes it is a mean, and no share of rows"
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
    values. `quality` is what stands in the place of the accuracy.
    """

    values: Mapping[tuple[str, str], Measurement]
    notices: tuple[str, ...]
    quality: Quality = PLAIN

    def value(self, variant: str | None, metric: str) -> Measurement:
        """The measurement of that variant and metric."""
        return self.values[variant or "", metric]

    def metric(self, name: str) -> Metric:
        """The entry of the catalogue, of the accuracy what is logged in its place."""
        return self.quality.metric() if name == ACCURACY else METRICS[name]


def model_facts(
    answer: MlflowAnswer, variants: tuple[str, ...], settings: Settings, at: datetime
) -> ModelFacts:
    """The metrics of the catalogue of each variant at the moment; what is not there is missing with its
    reason.
    """
    found = {(value.variant, value.metric): value for value in answer.values}
    quality = logged_quality(answer, settings)
    metrics = [quality.metric() if metric.name == ACCURACY else metric for metric in METRICS.values()]
    values = {
        (variant, metric.name): _present(answer, found[variant, metric.name], metric, settings, at=at)
        if (variant, metric.name) in found
        else _absent(answer, variant, metric)
        for variant in (*variants, "")
        for metric in metrics
    }
    return ModelFacts(values, _notices(answer, quality, settings), quality)


def logged_quality(answer: MlflowAnswer, settings: Settings) -> Quality:
    """What the runs log under AB_ACCURACY_METRIC; what is simulated is the accuracy itself."""
    if answer.origin is Origin.SIMULATED:
        return PLAIN
    limits = next(((low, high) for name, low, high in answer.value_ranges if name == ACCURACY), None)
    named = settings[METRICS[ACCURACY].setting] or METRICS[ACCURACY].keys[0]
    keys = [value.key for value in answer.values if value.metric == ACCURACY]
    return quality_read(settings, keys or [str(named)], limits)


def percent_scale(unit: str, largest: float | None) -> float:
    """What a logged value is multiplied with to be percent; `auto`: all values of the metric at most 1 means
    fraction.
    """
    is_fraction = unit == "fraction" or (unit == "auto" and largest is not None and largest <= 1)
    return 100.0 if is_fraction else 1.0


def scale_of(answer: MlflowAnswer, metric: Metric, settings: Settings) -> float:
    """What that metric's values in MLflow are multiplied with to be in its unit: 1 of what is no share."""
    if not metric.is_share:
        return 1.0
    largest = next((high for name, _, high in answer.value_ranges if name == metric.name), None)
    return percent_scale(settings["AB_ACCURACY_UNIT"], largest)


def _absent(answer: MlflowAnswer, variant: str, metric: Metric) -> Measurement:
    if not answer.status.has_answered:
        reason = answer.status.reason or "MLflow was not asked"
    elif not variant:
        reason = "there is no challenger"
    else:
        reason = (
            f"no finished or running run of variant {variant!r} in {answer.experiment!r} has a finite "
            f"{metric.name.replace('_', ' ') if METRICS[metric.name] is metric else metric.words}"
            f"{keys_words(answer) if metric.name == ACCURACY else ''}"
        )
    return missing(
        metric.name,
        metric.unit,
        reason,
        variant=variant or None,
        source=answer.status.source,
        query=answer.query("values"),
    )


def keys_words(answer: MlflowAnswer) -> str:
    """What the runs log, and the setting that names one of it; empty where that is not known."""
    if not answer.logged_keys:
        return ""
    # what is logged of training rows is meant least
    placed = sorted(answer.logged_keys, key=is_of_training)
    keys, told = listed([repr(escaped(key)) for key in placed], _SHOWN_KEYS), no_accuracy_words(placed)
    none = f" ({told})" if told else ""
    return f"; its runs log {keys}{none}: name the key with {METRICS[ACCURACY].setting}"


def _present(
    answer: MlflowAnswer, value: VariantValue, metric: Metric, settings: Settings, *, at: datetime
) -> Measurement:
    scale = scale_of(answer, metric, settings)
    n, note = rows_behind(value, metric, scale, str(settings["AB_TEST_COUNT_PARAM"]))
    limits, drawn = _intervals(value, scale, n, float(settings["AB_CONFIDENCE"]))
    is_later = value.started_at is not None and value.started_at > at + _CLOCK_SLACK
    notes = (
        note,
        "run not finished" if value.run_status == "RUNNING" else None,
        "the run started after the page's moment; there is no earlier one" if is_later else None,
        search_words(value, is_direction_known=metric.is_direction_known) if value.is_of_search else None,
    )
    return Measurement(
        value.metric,
        value.value * scale,
        metric.unit,
        answer.origin,
        value.variant,
        limits,
        drawn,
        n,
        answer.status.source,
        answer.query("model_points" if value.model_id else "values"),
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


def _notices(answer: MlflowAnswer, quality: Quality, settings: Settings) -> tuple[str, ...]:
    shares = {metric.name for metric in METRICS.values() if metric.is_share}
    if not quality.is_share:
        shares.remove(ACCURACY)
    mixed = (
        f"{metric} is logged from {low:g} to {high:g}: fractions and percent seem mixed; set AB_ACCURACY_UNIT"
        for metric, low, high in answer.value_ranges
        if metric in shares and settings["AB_ACCURACY_UNIT"] == "auto" and 0 < low <= 1 < high
    )
    warnings = () if answer.origin is Origin.SIMULATED else answer.status.warnings
    return (
        *mixed,
        *_read_elsewhere(answer, settings),
        *_read_as(answer, settings),
        *_of_searches(answer),
        *_of_training(answer),
        *_of_points(answer, quality, settings),
        *_assumed(answer, quality),
        *(f"MLflow: {warning}" for warning in warnings),
    )


def _read_as(answer: MlflowAnswer, settings: Settings) -> tuple[str, ...]:
    """Under which keys metrics are read, where these are not the plain ones."""
    if answer.origin is Origin.SIMULATED:
        return ()
    own = [value for value in answer.values if settings[METRICS[value.metric].setting] is None]
    scores, keys = score_words(own), {value.metric: value.key for value in own}
    other = [
        metric
        for metric in METRICS.values()
        if keys.get(metric.name, metric.keys[0]) != metric.keys[0]
        and not (scores and metric.name == ACCURACY)
    ]
    told = ", ".join(f"{metric.words} is {escaped(keys[metric.name])}" for metric in other)
    return (
        *((f"{scores}; {METRICS[ACCURACY].setting} names another key",) if scores else ()),
        *((f"in MLflow {told}; {other[0].setting} names another key",) if other else ()),
    )


def _of_searches(answer: MlflowAnswer) -> tuple[str, ...]:
    """Which values are those that a search logs as its best."""
    return tuple(
        f"{METRICS[value.metric].words} of {escaped(value.variant)} is {search_words(value)}"
        for value in answer.values
        if value.search is not None and answer.origin is not Origin.SIMULATED
    )


def _read_elsewhere(answer: MlflowAnswer, settings: Settings) -> tuple[str, ...]:
    told = told_ways(answer.variant_ways, settings["AB_VARIANT_FROM"])
    return (told,) if told and answer.origin is not Origin.SIMULATED else ()


def _of_training(answer: MlflowAnswer) -> tuple[str, ...]:
    """Which metrics tell of rows that the model has seen."""
    if answer.origin is Origin.SIMULATED:
        return ()
    keys = sorted({value.key for value in answer.values if is_of_training(value.key)})
    return tuple(
        f"{escaped(key)} is measured on training data, on which a model looks better than on new rows"
        for key in keys
    )


def _of_points(answer: MlflowAnswer, quality: Quality, settings: Settings) -> tuple[str, ...]:
    """Where the last point by step is another than the last by time, which counts."""
    words = {"step": "that of the greatest step", "time": "the newest in time"}
    point = settings["AB_METRIC_POINT"]
    (other,) = words.keys() - {point}
    told = []
    for value in answer.values:
        if value.other_point is None:
            continue
        metric = quality.metric() if value.metric == ACCURACY else METRICS[value.metric]
        scale = scale_of(answer, metric, settings)
        now, then = (format_number(each * scale, metric.unit) for each in (value.value, value.other_point))
        told.append(
            f"{metric.words} of {value.variant} is {now}, {words[point]}; {words[other]} is {then}: "
            f"AB_METRIC_POINT={other} takes that"
        )
    return tuple(told)


def _assumed(answer: MlflowAnswer, quality: Quality) -> tuple[str, ...]:
    """That nothing follows from what may be better either way."""
    if not quality.is_assumed or not any(value.metric == ACCURACY for value in answer.values):
        return ()
    return (f"{quality.unknown_direction}; until then no verdict and no revenue rests on it",)
