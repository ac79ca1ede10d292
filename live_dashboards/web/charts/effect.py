"""Which variant is better, and by how much: a forest of challenger - baseline."""

from __future__ import annotations

from collections.abc import Sequence

from live_dashboards.model.judgement import Comparison
from live_dashboards.model.limits import finite_ends, padded
from live_dashboards.model.measurement import Interval, Measurement, Origin
from live_dashboards.model.number import (
    format_count,
    format_estimate,
    format_interval,
    format_number,
    format_signed,
    shared_decimals,
)
from live_dashboards.model.presentation import (
    BAND,
    FAINT,
    INK,
    colour_of,
    metric_title,
    origin_mark,
    style_of,
)
from live_dashboards.model.report import AbReport
from live_dashboards.web.charts.base import ZERO_LINE, Figure, band
from live_dashboards.web.charts.hover import bold, joined, level_words, origin_words, provenance
from live_dashboards.web.charts.marks import Dot, dot_traces
from live_dashboards.web.charts.rows import Row, number_axis, rows_layout
from live_dashboards.web.charts.text import MOST_QUERY_CHARACTERS, escaped, shown, wrapped

_MOST_ROWS = 14
_LESS = " ↓"


def figure(report: AbReport) -> Figure | None:
    """A row a metric and challenger: the difference with its interval, against zero and the minimum
    effect.
    """
    panel = report.effect
    rows = panel.rows[:_MOST_ROWS]
    if not panel.head.is_drawn or not rows:
        return None
    limits = padded(
        [
            *finite_ends([row.estimate for row in rows], [_interval(row) for row in rows]),
            -panel.band_points,
            panel.band_points,
            0.0,
        ]
    )
    traces = []
    for variant, origin in dict.fromkeys((row.treatment, row.origin) for row in rows):
        style = style_of(report.variant_names, variant)
        dots = [
            _dot(row, y, report)
            for y, row in enumerate(rows)
            if (row.treatment, row.origin) == (variant, origin)
        ]
        traces += dot_traces(
            [dot for dot in dots if dot is not None], style, colour_of(style, origin), limits
        )
    shapes = [band(-panel.band_points, panel.band_points, BAND)]
    x = {**number_axis(_axis_title(report, rows), limits, "points"), **ZERO_LINE}
    return {"data": traces, "layout": rows_layout(_rows(rows, report), x, panel.head.origin, shapes=shapes)}


def _axis_title(report: AbReport, rows: Sequence[Comparison]) -> str:
    hidden = len(report.effect.rows) - len(rows)
    parts = [f"shade: minimum effect ±{format_number(report.effect.band_points, 'points', show_unit=False)}"]
    if any(not row.is_higher_better for row in rows):
        parts.append("↓ less is better")
    if hidden:
        parts.append(f"{hidden} more rows in the table")
    return f"challenger − baseline, points<br>{'; '.join(parts)}"


def _interval(row: Comparison) -> Interval | None:
    return None if row.low is None and row.high is None else Interval(row.low, row.high)


def _rows(rows: Sequence[Comparison], report: AbReport) -> list[Row]:
    has_several = len({row.treatment for row in rows}) > 1
    bare = [row.estimate for row in rows if row.estimate is not None and _interval(row) is None]
    decimals = shared_decimals(bare, "points") if bare else None
    made = []
    for row in rows:
        colour = style_of(report.variant_names, row.treatment).text_colour if has_several else INK
        name = (
            metric_title(row.metric)
            + ("" if row.is_higher_better else _LESS)
            + (f" · {row.treatment}" if has_several else "")
        )
        if row.estimate is None:
            made.append(Row(name, colour=FAINT, reason=row.reason or "not measured"))
        else:
            made.append(Row(name, ((_words(row, decimals), colour),), colour))
    return made


def _words(row: Comparison, decimals: int | None) -> str:
    estimate = row.estimate or 0.0
    state = origin_mark(row.origin)
    if _interval(row) is None:
        return f"{format_signed(estimate, 'points', decimals=decimals)}, no n{state}"
    return f"{format_estimate(estimate, row.low, row.high, 'points', signed=True)}{state}"


def _dot(row: Comparison, y: float, report: AbReport) -> Dot | None:
    if row.estimate is None:
        return None
    interval = _interval(row)
    return Dot(row.estimate, y, interval, interval is not None, _hover(row, report), row.harm_interval)


def _hover(row: Comparison, report: AbReport) -> str:
    limits = _interval(row)
    interval = (
        level_words(row.confidence, limits, "points")
        + (", valid at every look" if row.sequential else ", for one look")
        if limits
        else "no interval"
    )
    has_n = row.n_treatment is not None and row.n_control is not None
    source = _input(row, report)
    return joined(
        bold(metric_title(row.metric).replace("– ", "Accuracy ")),
        f"{shown(row.treatment)} −<br>{shown(row.control)}",
        f"<b>{escaped(format_signed(row.estimate, 'points'))}</b>"
        + ("" if row.is_higher_better else ", less is better"),
        interval,
        _harm_words(row),
        f"n = {format_count(row.n_treatment)} and {format_count(row.n_control)}" if has_n else "n unknown",
        wrapped(row.method, MOST_QUERY_CHARACTERS),
        wrapped(row.reason or "", MOST_QUERY_CHARACTERS),
        provenance(source, report.timezone) if source is not None else "",
        origin_words(row.origin, is_stale=row.stale)
        if source is None or source.origin is Origin.LIVE
        else "",
    )


def _harm_words(row: Comparison) -> str:
    """The limits that are drawn thick."""
    inner = row.harm_interval
    return (
        ""
        if inner is None
        else f"for harm {format_interval(inner.low or 0.0, inner.high or 0.0, 'points', signed=True)}"
    )


def _input(row: Comparison, report: AbReport) -> Measurement | None:
    """The difference as the page lists it, for its source, query and moment: an online accuracy comes from
    two counters, not from the gauge of that name.
    """
    name = f"{row.metric}_difference"
    return next(
        (
            each
            for each in report.measurements
            if each.name == name and each.variant == row.treatment and each.value is not None
        ),
        None,
    )
