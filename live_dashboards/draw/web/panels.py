"""A panel's charts as figures of the browser, by their places on the page; training runs are drawn by
hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from live_dashboards.draw.web.base import Figure, moment_text, time_axis, upright, word
from live_dashboards.draw.web.curves import curve_figure
from live_dashboards.draw.web.lines import lines_figure
from live_dashboards.draw.web.rows import Label, rows_figure, rows_layout
from live_dashboards.draw.web.words import TEMPLATE, said, shown
from live_dashboards.model.axis import moment_words
from live_dashboards.model.chart import Curve, Lines, Panel, Rows, Said
from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.number import format_number
from live_dashboards.model.presentation import MUTED, PAPER, colour_of, state_words, style_of
from live_dashboards.model.report import AbReport, RunBar
from live_dashboards.model.snapshot import MLFLOW
from live_dashboards.panels.sayings import origin_words, provenance, spoken

_MOST_BARS = 8
_ROOM_SHARE = 0.02
_END_SYMBOLS = {
    "finished": ("line-ns", True),
    "running": ("triangle-right", True),
    "silent": ("triangle-right", False),
    "failed": ("x", True),
    "killed": ("x", False),
    "scheduled": ("circle", False),
}


def runs_figure(report: AbReport) -> Figure | None:
    """The newest runs, newest on top; the mark at a bar's end is its state, and the word stands beside it."""
    panel = report.runs
    bars = sorted(panel.bars, key=lambda bar: bar.started_at, reverse=True)[:_MOST_BARS]
    if not panel.head.is_drawn or not bars:
        return None
    start, end = panel.span(bars, report.at)
    room = (end - start) * _ROOM_SHARE
    span = round(start - room), round(end + room)
    x = time_axis(report, *span)
    older = len(panel.bars) - len(bars) + panel.hidden_runs
    x["title"]["text"] += f"; {older} older not drawn" if older else ""
    marks = sorted(
        (moment.timestamp(), label)
        for moment, label in panel.marks
        if span[0] <= moment.timestamp() <= span[1]
    )
    made = rows_layout(
        [_row(bar, report) for bar in bars],
        x,
        panel.head.origin,
        around=16 if marks else 0,
        shapes=[upright(moment_text(moment, report), colour=MUTED, dash="4px,3px") for moment, _ in marks],
        annotations=_mark_words(marks, span, report),
        margin={"l": 12, "r": 14, "t": 24 if marks else 10, "b": 8, "pad": 0},
        dragmode="zoom",
    )
    return {
        "data": [trace for y, bar in enumerate(bars) for trace in _traces(bar, y, report)],
        "layout": made,
    }


def _mark_words(
    marks: Sequence[tuple[float, str]], span: tuple[float, float], report: AbReport
) -> list[dict[str, Any]]:
    """Names of model versions above the plot; one that would touch a newer one is left out."""
    words, free_to, room = [], span[1] + 1, (span[1] - span[0]) * 0.3
    for moment, label in reversed(marks):
        if moment <= free_to:
            anchor = "right" if span[1] - moment < room else "left"
            words.append(
                word(
                    shown(label, 16),
                    x=moment_text(moment, report),
                    y=1,
                    colour=MUTED,
                    size=11,
                    yref="paper",
                    xanchor=anchor,
                    yanchor="bottom",
                )
            )
            free_to = moment - room * (2 if anchor == "right" else 1)
    return words


def _row(bar: RunBar, report: AbReport) -> Label:
    colour = style_of(report.variant_names, bar.variant).text_colour
    words = " · ".join(filter(None, (_accuracy_words(bar.accuracy), bar.state)))
    return Label(bar.label, ((words, colour),), colour)


def _traces(bar: RunBar, y: int, report: AbReport) -> list[dict[str, Any]]:
    """The bar, and the mark of its state at the end."""
    style = style_of(report.variant_names, bar.variant)
    colour = colour_of(style, report.runs.head.origin)
    ends = [moment_text(moment.timestamp(), report) for moment in (bar.started_at, bar.end(report.at))]
    symbol, is_filled = _END_SYMBOLS.get(bar.state, ("circle", False))
    hover = {"hovertemplate": TEMPLATE, "showlegend": False, "type": "scatter"}
    words = _hover(bar, report)
    dash = "4px,3px" if bar.state in {"silent", "scheduled"} else "solid"
    edge = {
        "color": colour if symbol == "line-ns" or not is_filled else PAPER,
        "width": 2 if symbol == "line-ns" or not is_filled else 1,
    }
    return [
        {
            **hover,
            "mode": "lines",
            "x": ends,
            "y": [y, y],
            "customdata": [words, words],
            "line": {"color": colour, "width": 7, "dash": dash},
        },
        {
            **hover,
            "mode": "markers",
            "x": ends[1:],
            "y": [y],
            "customdata": [words],
            "cliponaxis": False,
            "marker": {
                "symbol": symbol,
                "size": 12,
                "opacity": 1,
                "color": colour if is_filled else PAPER,
                "line": edge,
            },
        },
    ]


def _accuracy_words(accuracy: Measurement | None) -> str:
    return (
        f"{format_number(accuracy.value, accuracy.unit)}{state_words(accuracy)}"
        if accuracy is not None and accuracy.value is not None
        else ""
    )


def _hover(bar: RunBar, report: AbReport) -> str:
    zone, accuracy = ZoneInfo(report.timezone), bar.accuracy
    has_accuracy = accuracy is not None and accuracy.value is not None
    head = report.runs.head
    origin = spoken(f"source: {MLFLOW}", Said(head.asked, "query"), origin_words(head.origin))
    return said(
        spoken(
            Said(bar.label, "title"),
            Said(f"variant: {bar.variant}" if bar.variant is not None else "", "short"),
            Said(bar.state, "value"),
            f"started {moment_words(bar.started_at, zone)}",
            f"ended {moment_words(bar.ended_at, zone)}" if bar.ended_at else "no end recorded",
            f"{report.logged_quality.metric().words} {_accuracy_words(accuracy)}" if has_accuracy else "",
            *(provenance(accuracy, report.timezone) if accuracy is not None and has_accuracy else origin),
        )
    )


BY_HAND: Mapping[str, Callable[[Any], Figure | None]] = {
    "runs": runs_figure,
}


def places(panel: Panel[Any]) -> tuple[str, ...]:
    """The names of a panel's places for charts: its own, of two `-timeline` too, of many their numbers."""
    name = panel.name.replace("_", "-")
    if panel.most_charts <= 1:
        return (name,) * panel.most_charts
    return (
        (name, f"{name}-timeline")
        if panel.most_charts == 2
        else tuple(f"{name}-{index}" for index in range(panel.most_charts))
    )


def figures(panel: Panel[Any], report: Any) -> dict[str, Figure]:
    """The figures of those of its charts that have something to draw, by place."""
    if not panel.head(report).is_drawn:
        return {}
    made = [BY_HAND[panel.name](report)] if panel.name in BY_HAND else _drawn(panel, report)
    return {place: figure for place, figure in zip(places(panel), made, strict=False) if figure is not None}


def _drawn(panel: Panel[Any], report: Any) -> list[Figure | None]:
    """One a chart in its place; of many those that have something to draw."""
    origin = panel.head(report).origin
    made = [
        _figure(chart, report, origin)
        for chart in panel.shown(report)
        if isinstance(chart, Rows | Lines | Curve)
    ]
    return made if panel.most_charts <= 2 else [figure for figure in made if figure is not None]


def _figure(chart: Rows | Lines | Curve, report: Any, origin: Origin) -> Figure | None:
    if isinstance(chart, Curve):
        return curve_figure(chart, origin)
    return rows_figure(chart, origin) if isinstance(chart, Rows) else lines_figure(chart, report, origin)
