"""Charts of rows: each row's name and number stand above its mark, so that a phone shows them whole and a
wide screen has no empty column.

A chart of rows as the browser draws it: each row's name and number stand above its marks, so that a phone
shows them whole and a wide screen has no empty column.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from live_dashboards.draw.web.base import ZERO_LINE, Figure, axis, band, layout, seen, word
from live_dashboards.draw.web.lines import LEGEND_PIXELS
from live_dashboards.draw.web.marks import (
    Bar,
    Dot,
    bar_ticks,
    bars_trace,
    dot_traces,
    interval_traces,
    symbol,
    ticks_trace,
)
from live_dashboards.draw.web.words import TEMPLATE, escaped, said, shown, shown_name, width
from live_dashboards.model.axis import log_labels, log_ticks, number_labels, round_ticks
from live_dashboards.model.chart import Mark, Row, Rows, Words
from live_dashboards.model.measurement import Interval, Origin
from live_dashboards.model.presentation import BAND, FAINT, INK, PAPER, VariantStyle

_LABEL_SHIFT, _BAR_SHIFT = 9, 2
_LABEL_PIXELS = 27
_ROW_PIXELS = 40
_AROUND_PIXELS = 66
_FEWEST_ROWS = 3
_PHONE_COLUMNS = 48
_MOST_NUMBERS = 38

_MOST_ROWS, _MOST_COLUMNS = 14, 3
_COLUMN_PIXELS, _LEGEND_COLUMNS = 50, 40
_DOT_PIXELS, _BAR_ROWS, _EMPTY_SHARE = 10, 0.25, 0.12
_BELOW = {"whisker": 0.24}
"""How far below its row's middle a look of a span stands, in rows."""
_SMALLEST_ON_LOG = 1e-9
_SPANS = {
    "bucket": (12, 0.3),
    "bound": (8, 0.4),
    "limits": (4, 1),
    "spread": (4, 1),
    "whisker": (2, 1),
}
"""Width in pixels and opacity of each look of a span."""
_PHONE_WORDS, _FEWEST_WORDS = 42, 12


@dataclass(frozen=True, slots=True)
class Label:
    """What stands above a row's mark: its name on the left, its numbers on the right (each with a colour),
    and why it has no mark.
    """

    name: str
    numbers: tuple[tuple[str, str], ...] = ()
    colour: str = INK
    reason: str = ""


def rows_layout(
    rows: Sequence[Label],
    x: dict[str, Any],
    origin: Origin,
    *,
    lanes: int = 1,
    column: int = 0,
    bar_rows: float = 0.0,
    **more: Any,
) -> dict[str, Any]:
    """The layout of rows from the top down, row i at y = i; `lanes` is how many marks stand under each other
    in a row, `bar_rows` the bars' width.
    """
    pixels = _ROW_PIXELS + lane_pixels() * (lanes - 1)
    height = pixels * max(len(rows), _FEWEST_ROWS) + _AROUND_PIXELS + more.pop("around", 0)
    empty = max(0, _FEWEST_ROWS - len(rows)) / 2
    top, bottom = -_LABEL_PIXELS / pixels - empty, len(rows) - _LABEL_PIXELS / pixels + empty
    y = {"visible": False, "range": [round(bottom, 3), round(top, 3)], "fixedrange": True}
    words = [each for index, row in enumerate(rows) for each in _words(row, index, column, bar_rows / 2)]
    return layout(origin, x=x, y=y, height=height, annotations=[*words, *more.pop("annotations", [])], **more)


def lane_pixels() -> int:
    """How far the lanes of a row are apart."""
    return 10


def lane(index: int, lanes: int) -> float:
    """How far below its row's first mark a lane stands, in rows."""
    return round(index * lane_pixels() / (_ROW_PIXELS + lane_pixels() * (lanes - 1)), 4)


def _words(row: Label, index: int, column: int, half_bar_rows: float) -> list[dict[str, Any]]:
    """Name, numbers and reason of a row; several numbers stand in columns of so many pixels."""
    at: dict[str, Any] = {
        "y": round(index - half_bar_rows, 3),
        "xref": "paper",
        "yanchor": "bottom",
        "yshift": _BAR_SHIFT if half_bar_rows else _LABEL_SHIFT,
    }
    taken = (
        max((width(text) for text, _ in row.numbers), default=0)
        if len(row.numbers) < 2
        else len(row.numbers) * column // 6
    )
    name = shown_name(row.name, max(10, _PHONE_COLUMNS - taken))
    words = [word(name, x=0, colour=row.colour, xanchor="left", align="left", **at)]
    for place, (text, colour) in enumerate(reversed(row.numbers)):
        words.append(
            word(
                shown(text, _MOST_NUMBERS),
                x=1,
                colour=colour,
                xanchor="right",
                align="right",
                xshift=-place * column,
                **at,
            )
        )
    if row.reason:
        words.append(
            word(
                shown(row.reason, _PHONE_COLUMNS),
                x=0,
                y=index,
                colour=FAINT,
                xref="paper",
                xanchor="left",
                yanchor="middle",
                size=11,
            )
        )
    return words


def rows_figure(chart: Rows, origin: Origin) -> Figure | None:
    """The rows from the top down, on one axis; None where there is none."""
    shown = chart.rows[:_MOST_ROWS]
    if not shown:
        return None
    limits, lanes = chart.scale.limits(shown), max(1, len(chart.columns))
    has_bars = any(mark.kind == "bar" or mark.look == "age" for row in shown for mark in row.marks)
    columns = len(chart.columns) if len(chart.columns) <= _MOST_COLUMNS else 0
    has_legend = bool(chart.columns)
    made = rows_layout(
        [_label(row, columns if has_legend else 1, chart) for row in shown],
        _axis(chart, limits, len(chart.rows) - len(shown)),
        origin,
        lanes=lanes,
        column=_COLUMN_PIXELS if has_legend else 0,
        bar_rows=_BAR_ROWS if has_bars else 0.0,
        around=LEGEND_PIXELS * max(1, lanes - 1) if has_legend else 0,
        **({"showlegend": True} if has_legend else {}),
        **({"shapes": [band(-chart.band[0], chart.band[0], BAND)]} if chart.band else {}),
    )
    return {"data": _traces(chart, shown, limits, lanes), "layout": made}


def _axis(chart: Rows, limits: tuple[float, float], hidden: int) -> dict[str, Any]:
    left_out = f"{hidden} more {'row' if hidden == 1 else 'rows'} in the table" if hidden else ""
    legend = "; ".join(filter(None, (chart.legend, left_out)))
    joint = "<br>" if len(chart.axis) + len(legend) > _PHONE_WORDS else "; "
    title = joint.join(escaped(words) for words in (chart.axis, legend) if words)
    if chart.scale.is_log:
        ticks = log_ticks(*limits, 5)
        made = axis(title, (0, 0), ticks=ticks, labels=log_labels(ticks), type="log")
        return {**made, "range": [round(math.log10(limit), 4) for limit in limits]}
    ticks = round_ticks(*limits, 6 if chart.scale.fixed == (0.0, 100.0) else 5)
    zero = ZERO_LINE if any(guide.look == "zero" for guide in chart.guides) else {}
    return axis(title, limits, ticks=ticks, labels=number_labels(ticks, chart.scale.unit), **zero)


def _label(row: Row, columns: int, chart: Rows) -> Label:
    """What stands above the row's marks: name and numbers; words as many as a phone has room for."""
    name = row.name + (" ↓" if row.is_less_better else "") + (f" · {row.of}" if row.of else "")
    numbers = () if row.reason else row.numbers[:columns]
    if not chart.columns:
        fit = _fitting if chart.room.are_words else _whole
        texts = tuple((fit(words, name), words.colour) for words in numbers)
        return Label(name, texts, row.colour, row.reason or row.inside)
    texts = tuple((words.text + words.state.removesuffix(" stale") or "–", words.colour) for words in numbers)
    return Label(name, texts, row.colour, row.reason or row.inside)


def _whole(words: Words, _: str) -> str:
    return words.text + words.state


def _fitting(words: Words, name: str) -> str:
    """As much of it as a phone has room for beside the name, which is needed whole; all is told on hover."""
    text, room = words.text + words.state, max(_FEWEST_WORDS, int(_PHONE_WORDS - width(name)))
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _traces(
    chart: Rows, shown: Sequence[Row], limits: tuple[float, float], lanes: int
) -> list[dict[str, Any]]:
    marks = [(float(y), mark) for y, row in enumerate(shown) for mark in row.marks]
    bars = [_bar(mark, y, limits) for y, mark in marks if mark.kind == "bar" or mark.look == "age"]
    return [
        *_joints([(y, mark) for y, mark in marks if mark.kind == "joint"]),
        *bars_trace(bars, width_rows=_BAR_ROWS),
        *_plans([(y, mark) for y, mark in marks if mark.look == "plan"]),
        *_spans(marks, limits, is_log=chart.scale.is_log),
        *_dots(chart, marks, limits, lanes),
        *(
            trace
            for y, mark in marks
            if mark.kind == "tick" and mark.look != "plan"
            for trace in _tick(mark, y)
        ),
        *_guides(chart, shown),
        *_arrows([(y, mark) for y, mark in marks if mark.look == "age"], limits[1]),
    ]


def _bar(mark: Mark, y: float, limits: tuple[float, float]) -> Bar:
    start, end = mark.ends or (0.0, 0.0)
    if mark.interval is not None:
        start, end = mark.interval.low or 0.0, min(mark.interval.high or 0.0, limits[1])
    if mark.look == "empty":
        end = start + _EMPTY_SHARE * (limits[1] - limits[0])
    look = mark.look if mark.kind == "bar" else "filled"
    return Bar(start, end, y, mark.colour, said(mark.said), look)


def _arrows(marks: Sequence[tuple[float, Mark]], limit: float) -> list[dict[str, Any]]:
    """At the ends of bars that go on beyond the axis."""
    beyond = [(y, mark) for y, mark in marks if mark.interval and (mark.interval.high or 0.0) > limit]
    if not beyond:
        return []
    marker = {
        "symbol": "triangle-right",
        "size": 11,
        "opacity": 1,
        "color": [mark.colour for _, mark in beyond],
    }
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "hovertemplate": TEMPLATE,
            "showlegend": False,
            "cliponaxis": False,
            "x": [limit] * len(beyond),
            "y": [y for y, _ in beyond],
            "customdata": [said(mark.said) for _, mark in beyond],
            "marker": marker,
        }
    ]


def _plans(marks: Sequence[tuple[float, Mark]]) -> list[dict[str, Any]]:
    ticks = [(mark.value or 0.0, y, said(mark.said)) for y, mark in marks]
    return ticks_trace(ticks, marks[0][1].colour) if marks else []


def _tick(mark: Mark, y: float) -> list[dict[str, Any]]:
    return ticks_trace([(mark.value or 0.0, y, said(mark.said))], mark.colour)


def _spans(
    marks: Sequence[tuple[float, Mark]], limits: tuple[float, float], *, is_log: bool
) -> list[dict[str, Any]]:
    """Lines from end to end, those of one look together; their words come with them where no dot says
    them.
    """
    spans = [(y, mark) for y, mark in marks if mark.kind == "span" and mark.look != "age"]
    traces: list[dict[str, Any]] = []
    for look, colour, sayings in dict.fromkeys((mark.look, mark.colour, mark.said) for _, mark in spans):
        chosen = [
            (y, mark) for y, mark in spans if (mark.look, mark.colour, mark.said) == (look, colour, sayings)
        ]
        width_pixels, opacity = _SPANS[look]
        ends = [(_on_axis(mark.interval, is_log=is_log), y + _BELOW.get(look, 0.0)) for y, mark in chosen]
        made = interval_traces(ends, colour, limits, width=width_pixels, opacity=opacity)
        traces += [_saying(trace, said(sayings)) for trace in made] if sayings else made
    return traces


def _on_axis(interval: Interval | None, *, is_log: bool) -> Interval:
    """A bucket that starts at zero starts at a log axis' edge, without an arrow."""
    low, high = (interval.low, interval.high) if interval is not None else (None, None)
    return Interval(_SMALLEST_ON_LOG if is_log and not (low and low > 0) else low, high)


def _saying(trace: dict[str, Any], words: str) -> dict[str, Any]:
    return {**trace, "customdata": [words] * len(trace["x"]), "hovertemplate": TEMPLATE, "hoverinfo": "all"}


def _dots(
    chart: Rows, marks: Sequence[tuple[float, Mark]], limits: tuple[float, float], lanes: int
) -> list[dict[str, Any]]:
    """All dots of one look as one trace; in a legend each series has one place."""
    dots = [(y, mark) for y, mark in marks if mark.kind == "dot"]
    traces: list[dict[str, Any]] = []
    named: set[str] = set()
    for style, colour, size, series in dict.fromkeys(
        (mark.style, mark.colour, mark.size, mark.series) for _, mark in dots
    ):
        if style is None:
            continue
        chosen = [
            (y, mark)
            for y, mark in dots
            if (mark.style, mark.colour, mark.size, mark.series) == (style, colour, size, series)
        ]
        if chart.is_joined:
            traces += _joined(chosen, style, colour)
            continue
        made = [_dot(mark, y + lane(mark.lane, lanes)) for y, mark in chosen]
        name = shown_name(series, _LEGEND_COLUMNS) if chart.columns and series not in named else ""
        named.add(series)
        traces += dot_traces(made, style, colour, limits, size=int(_DOT_PIXELS * size), name=name)
    return traces


def _dot(mark: Mark, y: float) -> Dot:
    return Dot(mark.value or 0.0, y, mark.interval, mark.is_filled, said(mark.said), mark.inner)


def _joined(dots: Sequence[tuple[float, Mark]], style: VariantStyle, colour: str) -> list[dict[str, Any]]:
    """A row's dots with a line through them."""
    ys = dict.fromkeys(y for y, _ in dots)
    return [_joined_row([mark for y, mark in dots if y == row], row, style, colour) for row in ys]


def _joined_row(marks: Sequence[Mark], y: float, style: VariantStyle, colour: str) -> dict[str, Any]:
    edge = {"color": PAPER, "width": 1}
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [seen(max(_SMALLEST_ON_LOG, mark.value or 0.0)) for mark in marks],
        "y": [y] * len(marks),
        "customdata": [said(mark.said) for mark in marks],
        "hovertemplate": TEMPLATE,
        "showlegend": False,
        "cliponaxis": False,
        "line": {"color": colour, "width": 1.5},
        "marker": {"symbol": symbol(style), "size": _DOT_PIXELS, "color": colour, "opacity": 1, "line": edge},
    }


def _joints(marks: Sequence[tuple[float, Mark]]) -> list[dict[str, Any]]:
    """Thin lines from where a bar ends to where the next one begins."""
    if not marks:
        return []
    line = {
        "type": "scatter",
        "mode": "lines",
        "connectgaps": False,
        "hoverinfo": "skip",
        "showlegend": False,
    }
    xs = [x for _, mark in marks for x in (seen(mark.value or 0.0), seen(mark.value or 0.0), None)]
    ys = [at for y, _ in marks for at in (y, y + 1, None)]
    return [{**line, "x": xs, "y": ys, "line": {"color": marks[0][1].colour, "width": 1}}]


def _guides(chart: Rows, shown: Sequence[Row]) -> list[dict[str, Any]]:
    """A tick in each row that is held against it, so that no line crosses the words above."""
    rows = [y for y, row in enumerate(shown) if any(mark.kind in {"bar", "span"} for mark in row.marks)]
    return [
        bar_ticks(guide.value, rows, _BAR_ROWS) for guide in chart.guides if guide.look != "zero" and rows
    ]
