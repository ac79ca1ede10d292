"""What was assumed, what was measured and how the two models do: the ledger, the inputs and the performance
panel, and the share of each.
"""

from __future__ import annotations

from datetime import datetime

from live_dashboards.analysis.facts.page import Page
from live_dashboards.model.business_case import Assumption, BusinessCase, EffectInput
from live_dashboards.model.business_report import (
    InputRow,
    InputsPanel,
    LedgerPanel,
    LedgerRow,
    PerformancePanel,
    PerformanceRow,
    SharePart,
)
from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.metrics import ACCURACY, ERROR_RATE, MEAN_LATENCY, metric_of
from live_dashboards.model.moment import format_duration
from live_dashboards.model.number import (
    NOTHING,
    format_count,
    format_interval,
    format_money,
    format_number,
    format_percent,
    format_short_age,
    format_signed,
)
from live_dashboards.model.report import Head
from live_dashboards.model.setting_types import Amount
from live_dashboards.model.snapshot import MLFLOW, PROMETHEUS

PERFORMANCE = (ACCURACY, MEAN_LATENCY, ERROR_RATE)
_LABELS = {
    "accuracy_improvement": "accuracy",
    "latency_increase_ms": "mean latency",
    "error_rate_improvement": "error rate",
    "requests_per_day": "requests a day",
}
_OF_VARIANTS = {"accuracy_improvement": 1, "latency_increase_ms": 1, "error_rate_improvement": -1}


def effects(case: BusinessCase) -> tuple[EffectInput, ...]:
    """The three measured differences."""
    return case.inputs.accuracy_improvement, case.inputs.latency_increase, case.inputs.error_rate_improvement


def measured_inputs(case: BusinessCase) -> tuple[Measurement, ...]:
    """The three differences and the requests a day."""
    return (*(each.difference for each in effects(case)), case.inputs.requests_per_day)


def shares(case: BusinessCase) -> tuple[SharePart, ...]:
    """How the inputs are known: measured, assumed by you or by default, simulated or missing."""
    kinds: dict[str, list[str]] = {"measured": [], "assumed": [], "simulated": [], "missing": []}
    for measurement in measured_inputs(case):
        kind = {Origin.MISSING: "missing", Origin.SIMULATED: "simulated"}.get(measurement.origin, "measured")
        kinds[kind].append(_LABELS[measurement.name])
    kinds["assumed"] = [each.name for each in case.assumptions]
    return tuple(SharePart(kind, tuple(names)) for kind, names in kinds.items() if names)


def ledger_panel(case: BusinessCase, notices: tuple[str, ...] = ()) -> LedgerPanel:
    """The assumptions, each with its unit, range and owner, and where the answer would flip; `notices` are
    doubts about them.
    """
    defaults = sum(each.is_default for each in case.assumptions)
    title = (
        f"{defaults} of {len(case.assumptions)} assumptions are defaults, not yours"
        if defaults
        else "All assumptions are yours"
    )
    flips = {each.parameter: each for each in case.break_evens}
    rows = tuple(
        LedgerRow(
            each,
            _amount(each),
            each.unit,
            _range(each.amount, each),
            "default, not yours" if each.is_default else "yours",
            flips.get(each.name),
        )
        for each in case.assumptions
    )
    return LedgerPanel(
        Head(
            title,
            "business parameters of the settings, with their units",
            Origin.LIVE,
            note="; ".join(notices),
        ),
        rows,
    )


def _amount(each: Assumption) -> str:
    return (
        format_number(each.amount.point, "fraction")
        if each.name == "ACCURACY_REVENUE_MULTIPLIER"
        else format_money(each.amount.point)
    )


def _range(amount: Amount, each: Assumption) -> str:
    if not amount.is_range:
        return ""
    write = (
        (lambda value: format_number(value, "fraction"))
        if each.name == "ACCURACY_REVENUE_MULTIPLIER"
        else format_money
    )
    return f"{write(amount.low)} to {write(amount.high)}"


def inputs_panel(found: Page, case: BusinessCase) -> InputsPanel:
    """What was measured, of which variant, over what and when."""
    rows = (*(_row(found, case, each) for each in effects(case)), _requests_row(found, case))
    known = sum(measurement.value is not None for measurement in measured_inputs(case))
    origin = found.page_origin
    title = (
        f"{known} of {len(rows)} inputs are measured" if origin is not Origin.SIMULATED else "Measured inputs"
    )
    return InputsPanel(
        Head(
            title,
            f"{found.roles.challenger or 'challenger'} against "
            f"{found.roles.baseline}, 95 "
            "% intervals, however often one looks",
            origin,
        ),
        rows,
    )


def _row(found: Page, case: BusinessCase, effect: EffectInput) -> InputRow:
    measurement = effect.difference
    unit, sign, factor = (
        ("ms", 1.0, 1.0)
        if measurement.unit == "ms"
        else ("points", float(_OF_VARIANTS[measurement.name]), 100.0)
    )
    value = None if measurement.value is None else sign * factor * measurement.value
    interval = NOTHING
    if measurement.interval is not None:
        low, high = (
            None if end is None else sign * factor * end
            for end in (measurement.interval.low, measurement.interval.high)
        )
        interval = (
            format_interval(low, high, unit, signed=True)
            if sign > 0
            else format_interval(high, low, unit, signed=True)
        )
    write = (
        format_percent
        if effect.baseline.unit == "percent"
        else (lambda each: format_number(each, effect.baseline.unit))
    )
    return InputRow(
        label=_LABELS[measurement.name].capitalize(),
        baseline_words=write(effect.baseline.value),
        challenger_words=write(effect.challenger.value),
        difference_words=format_signed(value, unit),
        interval_words=interval,
        n_words=_n(effect.baseline, effect.challenger),
        window_words="test set" if MLFLOW in measurement.source else _period_words(found, case),
        age_words=_age(found.at, measurement),
        measurement=measurement,
    )


def _period_words(found: Page, case: BusinessCase) -> str:
    """How long the differences of traffic have been measured: since the start of the test."""
    start = case.inputs.start
    return window_words(
        found.window_seconds
        if start is None
        else 3600 * round((found.at - start).total_seconds() / 3600) or 3600.0
    )


def _requests_row(found: Page, case: BusinessCase) -> InputRow:
    requests, days = case.inputs.requests_per_day, case.inputs.days_of_requests
    return InputRow(
        label="Requests/day",
        baseline_words=NOTHING,
        challenger_words=NOTHING,
        difference_words=format_count(requests.value),
        interval_words="counted" if requests.value is not None else NOTHING,
        n_words=NOTHING,
        window_words=f"{days}d" if days else window_words(found.window_seconds),
        age_words=_age(found.at, requests),
        measurement=requests,
    )


def window_words(seconds: float) -> str:
    """The window as people say it, hours up to two days: `24h`, `7d`."""
    hours = seconds / 3600
    return f"{hours:g}h" if hours == int(hours) and hours <= 48 else format_duration(seconds)


def _n(*sides: Measurement) -> str:
    return (
        " / ".join(format_count(side.n) if side.n else NOTHING for side in sides)
        if any(side.n for side in sides)
        else NOTHING
    )


def _age(at: datetime, measurement: Measurement) -> str:
    if measurement.observed_at is None or measurement.value is None:
        return NOTHING
    return format_short_age(max(0.0, (at - measurement.observed_at).total_seconds()))


def performance_panel(found: Page, case: BusinessCase) -> PerformancePanel:
    """Accuracy, mean latency and error rate of baseline and challenger; the title says which of them surely
    differ.
    """
    if found.roles.challenger is None:
        return PerformancePanel(
            Head(
                "No challenger",
                "accuracy, mean latency, error rate",
                Origin.MISSING,
                reason="there is no second variant to compare with",
            )
        )
    baseline, challenger = (found.counted.of(name) for name in found.roles.pair)
    rows = tuple(
        PerformanceRow(
            metric.title,
            "%" if metric.is_share else metric.unit,
            getattr(baseline, metric.name),
            getattr(challenger, metric.name),
            is_higher_better=metric.is_higher_better,
        )
        for metric in map(metric_of, PERFORMANCE)
    )
    if all(side.value is None for row in rows for side in (row.baseline, row.challenger)):
        reason = "; ".join(dict.fromkeys(str(row.baseline.reason) for row in rows))
        return PerformancePanel(
            Head(
                "No data on either model", "accuracy, mean latency, error rate", Origin.MISSING, reason=reason
            )
        )
    kind = "online gauge" if challenger.accuracy.source == PROMETHEUS else "offline"
    note = "dot: measured; line: 95 % interval; hollow: none; title: interval of the difference"
    subtitle = f"accuracy ({kind}), mean latency, error rate; {window_words(found.window_seconds)}"
    return PerformancePanel(Head(_performance_title(case), subtitle, found.page_origin, note=note), rows)


def _performance_title(case: BusinessCase) -> str:
    """`Accuracy better; mean latency worse; error rate unclear`."""
    found: dict[str, list[str]] = {"better": [], "worse": [], "unclear": [], "missing": []}
    for effect in effects(case):
        found[_direction(effect.difference)].append(_LABELS[effect.difference.name])
    words = "; ".join(f"{', '.join(names)} {direction}" for direction, names in found.items() if names)
    return words[0].upper() + words[1:]


def _direction(difference: Measurement) -> str:
    """Whether the 95 % interval of a difference lies on one side of 0, as seen from the challenger."""
    if difference.value is None:
        return "missing"
    low, high = (difference.interval.low, difference.interval.high) if difference.interval else (None, None)
    if low is not None and low > 0:
        return "worse" if difference.name == "latency_increase_ms" else "better"
    if high is not None and high < 0:
        return "better" if difference.name == "latency_increase_ms" else "worse"
    return "unclear"
