"""How the two models do: accuracy, mean latency and error rate, each with its interval."""

from __future__ import annotations

from live_dashboards.model.business_case import BusinessCase, BusinessReport
from live_dashboards.model.chart import Cell, Column, Table, TableRow, drawn_value
from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.metrics import ACCURACY, ERROR_RATE, MEAN_LATENCY, Metric, metric_of
from live_dashboards.model.number import NOTHING, format_interval, format_number
from live_dashboards.model.report import Head
from live_dashboards.model.snapshot import PROMETHEUS
from live_dashboards.panels import money

COMPARED = (ACCURACY, MEAN_LATENCY, ERROR_RATE)


def quantities(report: BusinessReport) -> tuple[tuple[Metric, Measurement, Measurement], ...]:
    """Each metric with its values of baseline and challenger."""
    baseline, challenger = report.models
    metrics = {name: metric_of(name) for name in COMPARED} | {ACCURACY: report.logged_quality.metric()}
    return tuple((metric, baseline.value(name), challenger.value(name)) for name, metric in metrics.items())


def head(report: BusinessReport) -> Head:
    """Which of them surely differ."""
    subtitle = "accuracy, mean latency, error rate"
    if report.challenger is None:
        reason = "there is no second variant to compare with"
        return Head("No challenger", subtitle, Origin.MISSING, reason=reason)
    sides = [side for _, *pair in quantities(report) for side in pair]
    if all(side.value is None for side in sides):
        reason = "; ".join(dict.fromkeys(str(side.reason) for side in sides[::2]))
        return Head("No data on either model", subtitle, Origin.MISSING, reason=reason)
    logged = report.logged_quality.metric().words
    kind = "online gauge" if report.models[1].accuracy.source == PROMETHEUS else "offline"
    return money.head(
        report,
        _title(report.case),
        f"{logged} ({kind}), mean latency, error rate; {money.window_words(report.window_seconds)}",
        "in parentheses: 95 % interval; title: interval of the difference",
    )


def charts(report: BusinessReport) -> tuple[Table, ...]:
    """A row a metric: both values with their intervals."""
    columns = (
        Column("quantity"),
        Column(report.baseline or "baseline", variant=0),
        Column(report.challenger or "challenger", variant=1),
        Column("better is"),
    )
    found = quantities(report)
    rows = tuple(
        TableRow(
            (
                Cell(metric.title),
                _value(baseline),
                _value(challenger),
                Cell(_better(metric)),
            )
        )
        for metric, baseline, challenger in found
    )
    drawn = tuple(
        drawn_value("performance", metric.title, str(side.variant), side)
        for metric, *pair in found
        for side in pair
    )
    return (Table("Both models", columns, rows, drawn),)


def _better(metric: Metric) -> str:
    if not metric.is_direction_known:
        return "not known"
    return "more" if metric.is_higher_better else "less"


def _value(side: Measurement) -> Cell:
    words, limits = format_number(side.value, side.unit), side.interval
    if side.value is None:
        return Cell(words, more=f"{NOTHING} ({side.reason})")
    if limits is None:
        return Cell(words)
    return Cell(f"{words} ({format_interval(limits.low, limits.high, side.unit)})")


def _title(case: BusinessCase) -> str:
    """`Accuracy better; mean latency worse; error rate unclear`, as is of what nobody says which way is
    better.
    """
    found: dict[str, list[str]] = {"better": [], "worse": [], "unclear": [], "missing": []}
    for effect in case.inputs.effects:
        label = money.input_label(effect.difference.name, case.inputs.quality)
        is_open = effect is case.inputs.accuracy_improvement and case.inputs.quality.is_assumed
        found["unclear" if is_open else _direction(effect.difference)].append(label)
    words = "; ".join(f"{', '.join(names)} {direction}" for direction, names in found.items() if names)
    return money.sentence(words, case.inputs.quality)


def _direction(difference: Measurement) -> str:
    """Whether the 95 % interval of a difference lies on one side of 0, as seen from the challenger."""
    if difference.value is None:
        return "missing"
    low, high = (difference.interval.low, difference.interval.high) if difference.interval else (None, None)
    is_less_better = difference.name == "latency_increase_ms"
    if low is not None and low > 0:
        return "worse" if is_less_better else "better"
    if high is not None and high < 0:
        return "better" if is_less_better else "worse"
    return "unclear"
