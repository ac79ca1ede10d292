"""What MLflow's answer says of each variant's quality, shares in percent, with the number of rows behind them
where that is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from live_dashboards.analysis.rows_behind import rows_behind, rows_correct
from live_dashboards.analysis.statistics.proportions import Counts, wilson
from live_dashboards.model.measurement import Interval, Measurement, Origin, missing
from live_dashboards.model.metrics import METRICS
from live_dashboards.model.snapshot import MlflowAnswer, VariantValue
from live_dashboards.settings import Settings

_CLOCK_SLACK = timedelta(minutes=5)  # clocks of training machines differ


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
        metric.name: percent_scale(settings["AB_ACCURACY_UNIT"], _largest(answer, metric.name))
        if metric.is_share
        else 1.0
        for metric in METRICS.values()
    }
    values: dict[tuple[str, str], Measurement] = {}
    for variant in (*variants, ""):
        for metric in METRICS:
            value = found.get((variant, metric))
            values[variant, metric] = (
                _absent(answer, variant, metric)
                if value is None
                else _present(answer, value, scales[metric], settings, at=at)
            )
    return ModelFacts(values, _notices(answer, settings))


def percent_scale(unit: str, largest: float | None) -> float:
    """What a logged value is multiplied with to be percent; `auto`: all values of the metric at most 1 means
    fraction.
    """
    is_fraction = unit == "fraction" or (unit == "auto" and largest is not None and largest <= 1)
    return 100.0 if is_fraction else 1.0


def _largest(answer: MlflowAnswer, metric: str) -> float | None:
    return next((high for name, _, high in answer.value_ranges if name == metric), None)


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
    notes = [note] if note else []
    if value.run_status == "RUNNING":
        notes.append("run not finished")
    if value.started_at is not None and value.started_at > at + _CLOCK_SLACK:
        notes.append("the run started after the page's moment; there is no earlier one")
    if value.is_child:
        notes.append("from a child run")
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
        "; ".join(notes) or None,
    )


def _intervals(
    value: VariantValue, scale: float, n: int | None, confidence: float
) -> tuple[Interval | None, Interval | None]:
    rows = rows_correct(value.value, scale, n) if n else None
    if n is None or rows is None:
        return None, None
    return tuple(_percent(wilson(Counts(rows, n), level)) for level in (0.95, confidence))  # type: ignore[return-value]


def _percent(limits: tuple[float, float]) -> Interval:
    return Interval(limits[0] * 100, limits[1] * 100)


def _notices(answer: MlflowAnswer, settings: Settings) -> tuple[str, ...]:
    notices = []
    shares = {metric.name for metric in METRICS.values() if metric.is_share}
    for metric, low, high in answer.value_ranges:
        if metric in shares and settings["AB_ACCURACY_UNIT"] == "auto" and 0 < low <= 1 < high:
            notices.append(
                f"{metric} is logged from {low:g} to {high:g}: fractions and percent seem "
                "mixed; set AB_ACCURACY_UNIT"
            )
    if answer.origin is not Origin.SIMULATED:
        notices.extend(f"MLflow: {warning}" for warning in answer.status.warnings)
    return tuple(notices)
