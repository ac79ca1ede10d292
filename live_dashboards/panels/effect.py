"""Which variant is better, and by how much: a forest of challenger - baseline."""

from __future__ import annotations

from collections.abc import Sequence

from live_dashboards.model.chart import DrawnValue, Guide, Mark, Room, Row, Rows, Said, Sayings, Scale, Words
from live_dashboards.model.judgement import HARM, NOT_SHOWN, SHOWN, UNKNOWN, WAIVED, MetricDifference
from live_dashboards.model.measurement import Interval, Measurement, Origin
from live_dashboards.model.metrics import ACCURACY, ACCURACY_OVER_RUNS, Metric
from live_dashboards.model.number import (
    format_count,
    format_estimate,
    format_interval,
    format_number,
    format_percent,
    format_signed,
    shared_decimals,
)
from live_dashboards.model.presentation import (
    FAINT,
    INK,
    MUTED,
    colour_of,
    metric_title,
    origin_mark,
    style_of,
)
from live_dashboards.model.report import AbReport
from live_dashboards.panels.sayings import level_words, origin_words, provenance, spoken

_STATES = {SHOWN: "held", NOT_SHOWN: "open", HARM: "harmed", UNKNOWN: "unknown", WAIVED: "waived"}
OWN_UNIT = "a unit of its own: not on this axis"


def charts(report: AbReport) -> tuple[Rows, ...]:
    """A row a metric and challenger: the difference with its interval, against zero and the minimum
    effect.
    """
    panel = report.effect
    several = len({row.treatment for row in (*panel.rows, *panel.own_scale)}) > 1
    is_own = any(row.metric == panel.success_metric for row in panel.own_scale)
    alone = (*panel.own_scale, *panel.rows) if is_own else (*panel.rows, *panel.own_scale)
    everything = _ordered(report) if several else alone
    bare = [row.estimate for row in panel.rows if row.estimate is not None and _interval(row) is None]
    decimals = shared_decimals(bare, "points") if bare else None
    rows = tuple(_row(row, report, decimals, several=several) for row in everything)
    least = format_number(panel.band_points, "points", show_unit=False)
    legend = f"shade: minimum effect ±{least}"
    if any(row.is_less_better for row in rows):
        legend += "; ↓ less is better"
    band = panel.band_points, f"minimum effect ±{format_number(panel.band_points, 'points')}"
    first = sum(_is_judged(row, report) for row in everything) if several else 0
    return (
        Rows(
            rows,
            Scale("points", around=(-panel.band_points, panel.band_points, 0.0)),
            "challenger − baseline, points",
            legend,
            band=band,
            empty="nothing to compare",
            guides=(Guide(0.0),),
            room=Room(numbers_share=0.48, has_reasons_beside=True, first_rows=first),
            table=tuple(value for row in everything for value in _table(row)),
        ),
    )


def _ordered(report: AbReport) -> tuple[MetricDifference, ...]:
    """What the verdicts on several challengers are about comes first, then all else of the page's own."""
    panel = report.effect
    rows = (*panel.rows, *panel.own_scale)
    places = {id(row): (not _is_judged(row, report), row.treatment != report.challenger) for row in rows}
    return tuple(sorted(rows, key=lambda row: places[id(row)]))


def _interval(row: MetricDifference) -> Interval | None:
    return None if row.low is None and row.high is None else Interval(row.low, row.high)


def _row(row: MetricDifference, report: AbReport, decimals: int | None, *, several: bool) -> Row:
    text_colour = style_of(report.variant_names, row.treatment).text_colour if several else INK
    name, of, less = _name(row), row.treatment if several else "", not row.is_higher_better
    if several and _is_judged(row, report) and row.estimate is not None:
        return _challenger(row, report, decimals, text_colour)
    if row.estimate is None:
        reason = row.reason or "not measured"
        return Row(name, colour=FAINT, reason=reason, of=of, is_less_better=less)
    has_place = row.unit == "points"
    numbers = (Words(_words(row, decimals if has_place else None), text_colour),)
    return Row(
        name,
        (_mark(row, report),) if has_place else (),
        numbers,
        text_colour,
        of=of,
        inside="" if has_place else OWN_UNIT,
        aside=_n_words(row),
        is_less_better=less,
    )


def _is_judged(row: MetricDifference, report: AbReport) -> bool:
    """Whether it is what the verdict on its challenger is about; of a challenger without enough runs that is
    the difference of the newest ones.
    """
    success = report.effect.success_metric
    if row.metric == success:
        return True
    has_own = any(
        each.metric == success and each.treatment == row.treatment for each in report.effect.own_scale
    )
    return success == ACCURACY_OVER_RUNS and row.metric == ACCURACY and not has_own


def _challenger(row: MetricDifference, report: AbReport, decimals: int | None, colour: str) -> Row:
    """One of several challengers: its name, what the verdict is about, the verdict, and its gates and share
    where there is room.
    """
    has_place, verdict = row.unit == "points", _verdict_words(row.treatment, report)
    told = " · ".join(filter(None, (verdict, *_gates(row.treatment, report))))
    return Row(
        row.treatment,
        (_mark(row, report),) if has_place else (),
        (Words(_words(row, decimals if has_place else None), colour),),
        colour,
        inside="" if has_place else OWN_UNIT,
        below=Words(_share(row.treatment, report), MUTED),
        number_below=Words(told, colour),
        suffix=f" · {verdict}" if verdict else "",
        is_less_better=not row.is_higher_better,
    )


def _verdict_words(treatment: str, report: AbReport) -> str:
    return dict(report.verdicts)[treatment].verdict if treatment in dict(report.verdicts) else ""


def _gates(treatment: str, report: AbReport) -> list[str]:
    """Each guardrail with its state."""
    mine = (guard for guard in report.guardrails if guard.comparison.treatment == treatment)
    return [f"{_name(guard.comparison).lower()} {_STATES[guard.outcome]}" for guard in mine]


def _name(row: MetricDifference) -> str:
    """The metric's name before its row."""
    return row.what.row_title if row.entry is not None else metric_title(row.metric)


def _share(treatment: str, report: AbReport) -> str:
    observed = {str(share.variant): share for share in report.split_test.observed}
    if treatment not in observed or observed[treatment].value is None:
        return ""
    return f"{format_percent(observed[treatment].value, 2)} of traffic"


def _mark(row: MetricDifference, report: AbReport) -> Mark:
    style, interval = style_of(report.variant_names, row.treatment), _interval(row)
    return Mark(
        "dot",
        colour_of(style, row.origin),
        row.estimate,
        interval,
        row.harm_interval,
        style=style,
        is_filled=interval is not None,
        said=_said(row, report),
    )


def _n_words(row: MetricDifference) -> str:
    """Observations of both arms together, empty where there is no interval."""
    if not (row.has_interval and row.n_treatment and row.n_control):
        return ""
    return f"n {format_count(row.n_treatment + row.n_control)}"


def _words(row: MetricDifference, decimals: int | None) -> str:
    estimate, state = row.estimate or 0.0, origin_mark(row.origin)
    if _interval(row) is None:
        return f"{format_signed(estimate, row.unit, decimals=decimals)}, no n{state}"
    return f"{format_estimate(estimate, row.low, row.high, row.unit, signed=True)}{state}"


def _said(row: MetricDifference, report: AbReport) -> Sayings:
    limits, source = _interval(row), _input(row, report.measurements)
    interval = "no interval"
    if limits is not None:
        looks = "valid at every look" if row.sequential else "for one look"
        interval = f"{level_words(row.confidence, limits, row.unit)}, {looks}"
    has_n = row.n_treatment is not None and row.n_control is not None
    is_told = source is not None and source.origin is not Origin.LIVE
    return spoken(
        Said(row.what.title, "title"),
        Said(f"{row.treatment} −", "short"),
        Said(row.control, "short"),
        Said(format_signed(row.estimate, row.unit), "value", _way_words(row.what)),
        interval,
        _harm_words(row),
        f"n = {format_count(row.n_treatment)} and {format_count(row.n_control)}" if has_n else "n unknown",
        Said(row.method, "long"),
        Said(row.reason or "", "long"),
        *(provenance(source, report.timezone) if source is not None else ()),
        "" if is_told else origin_words(row.origin, is_stale=row.stale),
    )


def _way_words(metric: Metric) -> str:
    """Which way is better, where that is not up."""
    is_up = metric.is_higher_better and metric.is_direction_known
    return "" if is_up else f", {metric.better_words}"


def _harm_words(row: MetricDifference) -> str:
    """The limits that are drawn thick."""
    inner = row.harm_interval
    if inner is None:
        return ""
    return f"for harm {format_interval(inner.low or 0.0, inner.high or 0.0, row.unit, signed=True)}"


def _input(row: MetricDifference, measurements: Sequence[Measurement]) -> Measurement | None:
    """The difference as the page lists it, for its source, query and moment: an online accuracy comes from
    two counters, not from the gauge of that name.
    """
    name = f"{row.metric}_difference"
    found = (each for each in measurements if each.name == name and each.variant == row.treatment)
    return next((each for each in found if each.value is not None), None)


def _table(row: MetricDifference) -> tuple[DrawnValue, ...]:
    series = f"{row.treatment} - {row.control}"
    drawn = DrawnValue(
        "effect",
        series,
        row.treatment,
        row.metric,
        row.estimate,
        row.low,
        row.high,
        row.unit,
        row.origin.value,
        row.n_treatment,
    )
    if row.harm_interval is None:
        return (drawn,)
    return drawn, drawn._replace(series=f"{series}, limits for harm", low=row.harm_low, high=row.harm_high)
