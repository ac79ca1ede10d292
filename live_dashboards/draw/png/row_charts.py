"""A chart of rows as it is drawn in a picture: names, marks on one axis, numbers in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from live_dashboards.draw.png.frame import BARS_FROM_ZERO, Frame
from live_dashboards.draw.png.panel import say_nothing
from live_dashboards.draw.png.rows import (
    Dot,
    RowPlot,
    bare_rows,
    beside_inches,
    column_inches,
    draw_bars,
    draw_dots,
    fitting,
    heading_height,
    label_ticks,
    open_rows,
)
from live_dashboards.draw.png.text import Look, fitted_name, width_inches
from live_dashboards.draw.png.theme import BAND, FAINT, INK, MUTED, Sizes
from live_dashboards.model.axis import log_labels, log_ticks
from live_dashboards.model.chart import Mark, Row, Rows, Words
from live_dashboards.model.measurement import Interval

_ASIDE_INCHES, _NAMES_GAP_INCHES, _MORE_FOR_NAMES_INCHES = 0.55, 0.1, 0.4
_COLUMN_INCHES, _MOST_COLUMNS = 0.55, 4
_BAR_ROWS, _EMPTY_SHARE = 0.5, 0.12
_WHISKER_BELOW = 0.31
_LANE_ROWS, _ALL_LANES_ROWS = 0.2, 0.6
_SMALLEST_ON_LOG = 1e-9
_TICKS = {"plan": (3.0, 1.6, 2.0), "bound": (1.6, 1.5, 4.0), "mean": (2.0, 1.5, 5.0)}
"""Size beside a dot's, width in points and place above the others of each look of a tick."""


def draw_rows(body: Frame, chart: Rows) -> None:
    """As many of its rows as can be read at this height, and how many are left out."""
    shown, hidden = fitting(body, chart.rows, chart.room.first_rows)
    if not shown:
        say_nothing(body, chart.empty)
        return
    draw_fitting_rows(body, chart, shown, hidden)


def draw_fitting_rows(body: Frame, chart: Rows, shown: Sequence[Row], hidden: str) -> None:
    """These rows of it, `hidden` in words."""
    limits = chart.scale.limits(shown)
    plot = _log_plot(body, chart, shown, limits) if chart.scale.is_log else _plot(body, chart, shown, limits)
    _draw_band(plot, chart, limits, hidden)
    _draw_guides(plot, chart)
    _draw_marks(plot, chart, shown, limits)
    for y, row in enumerate(shown):
        _write_names(plot, y, row, is_small=chart.room.are_words)
        _write_numbers(plot, y, row, chart)
    _write_columns(plot, chart)


def _plot(body: Frame, chart: Rows, shown: Sequence[Row], limits: tuple[float, float]) -> RowPlot:
    names = _names_inches(body, chart, shown)
    if body.sizes.has_notes and any(row.aside for row in shown):
        names = _names_with_asides_inches(body, names, shown)
    numbers = _numbers_inches(body, chart, shown)
    plot = open_rows(body, len(shown), limits, numbers=numbers, unit=chart.scale.unit, names=names)
    return replace(plot, is_tight=chart.room.first_rows > 0)


def _names_inches(body: Frame, chart: Rows, shown: Sequence[Row]) -> float:
    """Of the names on the 16x10 page; a little more where there are several number columns, whose names are
    those of metrics.
    """
    usual, look = chart.room.names_inches, Look(body.sizes.body)
    if not chart.columns:
        return usual
    widest = max(width_inches(f"{row.name}{_arrow(row)}", look) for row in shown)
    return min(
        max(usual, (widest + _NAMES_GAP_INCHES) / body.sizes.room(1.0)), usual + _MORE_FOR_NAMES_INCHES
    )


def _names_with_asides_inches(body: Frame, usual: float, shown: Sequence[Row]) -> float:
    """Of names and of what stands beside them; a little more where a name is long."""
    look = Look(body.sizes.body)
    widest = max(
        width_inches(f"{row.name}{_arrow(row)}", look) + beside_inches(row.aside, body.sizes) for row in shown
    )
    least = usual + _ASIDE_INCHES
    return min(
        max(least, (widest + _NAMES_GAP_INCHES) / body.sizes.room(1.0)), least + _MORE_FOR_NAMES_INCHES
    )


def _arrow(row: Row) -> str:
    return " ↓" if row.is_less_better else ""


def _log_plot(body: Frame, chart: Rows, shown: Sequence[Row], limits: tuple[float, float]) -> RowPlot:
    plot = bare_rows(body, len(shown), (1.0, 2.0), numbers=_numbers_inches(body, chart, shown))
    plot.axes.set_xscale("log")
    plot.axes.minorticks_off()
    plot.axes.set_xlim(*limits)
    choices = (log_ticks(*limits, most) for most in (7, 5, 4, 3, 2))
    label_ticks(plot, [(ticks, log_labels(ticks)) for ticks in choices])
    return plot


def _numbers_inches(body: Frame, chart: Rows, shown: Sequence[Row]) -> float:
    if chart.columns:
        return _column_inches(body, chart) * len(chart.columns[:_MOST_COLUMNS]) + 0.04
    texts = [_said(words) + row.suffix for row in shown for words in row.numbers]
    texts += [row.number_below.text for row in shown if row.number_below is not None]
    texts += [row.reason for row in shown if chart.room.has_reasons_beside]
    if chart.scale.is_log:
        texts.append(chart.over_numbers)
    return column_inches(body, texts, chart.room.numbers_share)


def _said(words: Words) -> str:
    return words.text + words.state


def _column_inches(body: Frame, chart: Rows) -> float:
    """Inches of one of several number columns: its heading where there is room, at least a number."""
    columns, look = chart.columns[:_MOST_COLUMNS], Look(body.sizes.tick, is_bold=True)
    widest = max((width_inches(column.text, look) for column in columns), default=0.0) + 0.1
    most = body.width * chart.room.numbers_share / max(2, len(columns))
    return min(max(body.sizes.room(_COLUMN_INCHES), widest), most)


def _draw_band(plot: RowPlot, chart: Rows, limits: tuple[float, float], hidden: str) -> None:
    """The band with its words above it, as near to its middle as the panel allows; else the heading, or the
    legend where rows have no room for their second lines.
    """
    if chart.band is None:
        lacks_lines = not plot.has_two_lines and any(row.below is not None for row in chart.rows)
        left, right = chart.heading or (chart.legend if lacks_lines else ""), hidden or chart.over_numbers
        if hidden and chart.over_numbers and not left:
            left, right = hidden, chart.over_numbers
        plot.heading(left, "" if chart.columns else right)
        if chart.columns and hidden:
            _write_hidden(plot, chart, hidden)
        return
    half, words = chart.band
    plot.axes.axvspan(-half, half, color=BAND, linewidth=0, zorder=0)
    plot.heading(over_numbers=hidden)
    body, look = plot.body, Look(plot.body.sizes.note, MUTED)
    width, taken = width_inches(words, look), width_inches(hidden, look) + 0.1 if hidden else 0.0
    middle = plot.plot.left - body.left + plot.plot.width * (0.0 - limits[0]) / (limits[1] - limits[0])
    x = max(0.0, min(middle - width / 2, body.width - taken - width))
    body.write(
        x, body.height - heading_height(body.sizes) + 0.035, words, look, within=body.width - taken - x
    )


def _write_hidden(plot: RowPlot, chart: Rows, hidden: str) -> None:
    """How many rows are left out, over the names, where the columns' headings leave room."""
    body = plot.body
    taken = _column_inches(body, chart) * len(chart.columns[:_MOST_COLUMNS]) + 0.1
    top = body.height - heading_height(body.sizes) + 0.035
    body.write(0.0, top, hidden, Look(body.sizes.note, MUTED), within=max(0.0, body.width - taken))


def _draw_guides(plot: RowPlot, chart: Rows) -> None:
    low, high = plot.axes.get_xlim()
    for guide in chart.guides:
        if guide.look == "zero" and low <= guide.value <= high:
            plot.axes.axvline(guide.value, color=INK, linewidth=1.0, zorder=2)
        elif guide.look != "zero":
            order = 4 if guide.look == "over" else 2
            plot.axes.axvline(guide.value, color=INK, linewidth=0.9, dashes=(3, 2), zorder=order)


def _draw_marks(plot: RowPlot, chart: Rows, shown: Sequence[Row], limits: tuple[float, float]) -> None:
    for y, row in enumerate(shown):
        if chart.is_joined:
            _join(plot, y, row)
        for mark in row.marks:
            if mark.kind == "span":
                _draw_span(plot, y, mark, row, is_log=chart.scale.is_log)
            elif mark.kind == "tick":
                _draw_tick(plot, y, mark)
            elif mark.kind == "bar":
                _draw_bar(plot, y, mark, limits)
            elif mark.kind == "joint":
                x = mark.value or 0.0
                plot.axes.plot([x, x], [y + 0.2, y + 0.8], color=mark.colour, linewidth=0.7, zorder=2)
    _draw_dots(plot, chart, shown)


def _draw_dots(plot: RowPlot, chart: Rows, shown: Sequence[Row]) -> None:
    """All dots of one look in one artist."""
    dots = [(y, mark) for y, row in enumerate(shown) for mark in row.marks if mark.kind == "dot"]
    looks = dict.fromkeys((mark.style, mark.colour, mark.size, mark.look) for _, mark in dots)
    lanes = max(1, len(chart.columns))
    for style, colour, size, look in looks:
        chosen = [
            (y, mark)
            for y, mark in dots
            if (mark.style, mark.colour, mark.size, mark.look) == (style, colour, size, look)
        ]
        if look == "state":
            _draw_states(plot, chosen)
        elif style is not None:
            made = [_dot(mark, y, lanes, is_log=chart.scale.is_log) for y, mark in chosen]
            draw_dots(plot.axes, plot.plot, made, style, colour, size=plot.body.sizes.marker * size)


def _dot(mark: Mark, y: float, lanes: int, *, is_log: bool) -> Dot:
    """The dot, a little above or below those of other lanes, so that equal values stay visible."""
    shift = (mark.lane - (lanes - 1) / 2) * min(_LANE_ROWS, _ALL_LANES_ROWS / lanes)
    value = max(_SMALLEST_ON_LOG, mark.value or 0.0) if is_log else mark.value or 0.0
    return Dot(value, y + shift, mark.interval, mark.is_filled, mark.inner)


def _draw_states(plot: RowPlot, dots: Sequence[tuple[int, Mark]]) -> None:
    mark = dots[0][1]
    plot.axes.plot(
        [mark.value or 0.0 for _, mark in dots],
        [y for y, _ in dots],
        linestyle="none",
        marker=mark.style.marker if mark.style else "o",
        markersize=plot.body.sizes.marker * 0.9,
        color=mark.colour,
        clip_on=False,
        zorder=5,
    )


def _join(plot: RowPlot, y: int, row: Row) -> None:
    """A line from the row's first dot to its last one."""
    dots = [mark for mark in row.marks if mark.kind == "dot" and mark.value is not None]
    if dots:
        ends = [(max(_SMALLEST_ON_LOG, mark.value or 0.0), y) for mark in (dots[0], dots[-1])]
        line = LineCollection([ends], colors=dots[0].colour, linewidths=1.0, zorder=3.5)
        plot.axes.add_collection(line, autolim=False)


def _draw_span(plot: RowPlot, y: int, mark: Mark, row: Row, *, is_log: bool) -> None:
    interval, (width, alpha, gid) = mark.interval, _span_look(mark, row, plot.body.sizes)
    if interval is None:
        return
    if is_log and not (interval.low and interval.low > 0):  # a bucket that starts at zero
        interval = Interval(_SMALLEST_ON_LOG, interval.high)
    at = y + (_WHISKER_BELOW if mark.look == "whisker" else 0.0)
    draw_bars(plot.axes, [(interval, at)], mark.colour, width, alpha=alpha, gid=gid)


def _span_look(mark: Mark, row: Row, sizes: Sizes) -> tuple[float, float, str | None]:
    """Width in points, opacity, and the name that tests and the check of the layout find it by."""
    looks: dict[str, tuple[float, float, str | None]] = {
        "bucket": (sizes.marker * 1.3, 0.28, None),
        "bound": (sizes.marker, 0.35, BARS_FROM_ZERO),
        "age": (sizes.marker * 0.8, 1.0, BARS_FROM_ZERO),
        "limits": (sizes.line * 2.0, 1.0, "net-interval"),
        "spread": (sizes.line * 1.6, 1.0, f"spread-{row.name}"),
        "whisker": (sizes.line, 1.0, "whisker"),
    }
    return looks[mark.look]


def _draw_tick(plot: RowPlot, y: int, mark: Mark) -> None:
    size, width, order = _TICKS[mark.look]
    points = min(plot.body.sizes.marker * size, plot.height * 72 * 0.9 if mark.look == "plan" else 1e9)
    plot.axes.plot(
        [mark.value or 0.0],
        [y],
        linestyle="none",
        marker="|",
        markersize=points,
        markeredgewidth=width,
        color=mark.colour,
        zorder=order,
        clip_on=mark.look != "plan",
    )


def _draw_bar(plot: RowPlot, y: int, mark: Mark, limits: tuple[float, float]) -> None:
    """A bar between two amounts: filled, hatched (simulated) or an empty place (missing)."""
    low, high = sorted(mark.ends or (0.0, 0.0))
    if mark.look == "empty":
        high = low + _EMPTY_SHARE * (limits[1] - limits[0])
    low, high = (min(max(end, limits[0]), limits[1]) for end in (low, high))  # as far as the axis goes
    height = _BAR_ROWS * mark.size
    box = Rectangle(
        (low, y - height / 2),
        high - low,
        height,
        facecolor=mark.colour if mark.look == "filled" else "none",
        edgecolor=mark.colour,
        linewidth=0.9,
        hatch="/////" if mark.look == "hatched" else None,
        linestyle=(0, (3, 2)) if mark.look == "empty" else "solid",
        zorder=3,
        clip_on=False,
    )
    box.set_gid(f"bar-{mark.look}")
    plot.axes.add_patch(box)


def _write_names(plot: RowPlot, y: int, row: Row, *, is_small: bool) -> None:
    """The name with what stands beside it, and below it a second line where there is room."""
    below = row.below or (Words(row.of, row.colour) if row.of else None)
    if below is None and row.is_less_better:
        below = Words("less is better", FAINT)
    has_below = below is not None and plot.has_two_lines
    arrow = _arrow(row) if row.of or not has_below else ""
    first = y - (plot.lift() if has_below else 0.0)
    points = min(plot.points, plot.body.sizes.tick) if is_small else None
    aside = row.aside if plot.body.sizes.has_notes else ""
    plot.name(first, row.name + arrow, row.colour, points=points, beside=aside)
    if aside:
        plot.beside_name(first, aside)
    if has_below and below is not None:
        plot.name(y + plot.lift(), below.text, below.colour, points=plot.body.sizes.note)


def _write_numbers(plot: RowPlot, y: int, row: Row, chart: Rows) -> None:
    note = plot.body.sizes.note
    if row.reason and chart.room.has_reasons_beside:
        plot.number(y, row.reason, row.colour, points=note)
    elif row.reason or row.inside:
        told = () if chart.columns else map(_said, row.numbers)
        plot.inside(y, row.reason or row.inside, beside=max(told, key=len, default=""))
    if chart.columns:
        _write_column_numbers(plot, y, row, chart)
        return
    has_below = row.number_below is not None and plot.has_two_lines
    for words in row.numbers:
        text = _said(words)
        if not plot.has_two_lines and plot.has_room_for_number(text + row.suffix):
            text += row.suffix
        plot.number(y - (plot.lift() if has_below else 0.0), text, words.colour)
    if has_below and row.number_below is not None:
        plot.number(y + plot.lift(), row.number_below.text, row.number_below.colour, points=note)


def _write_column_numbers(plot: RowPlot, y: int, row: Row, chart: Rows) -> None:
    width, count = _column_inches(plot.body, chart), len(chart.columns[:_MOST_COLUMNS])
    for index, words in enumerate(row.numbers[:_MOST_COLUMNS]):
        right = (count - 1 - index) * width
        plot.number(y, _said(words), words.colour, column=right, within=width - 0.04)


def _write_columns(plot: RowPlot, chart: Rows) -> None:
    """The headings of several number columns."""
    body, width = plot.body, _column_inches(plot.body, chart)
    shown = chart.columns[:_MOST_COLUMNS]
    for index, column in enumerate(shown):
        look = Look(body.sizes.tick, column.colour, is_bold=True)
        head = fitted_name(column.text, look, width - 0.05)
        right = body.width - (len(shown) - 1 - index) * width
        top = body.height - heading_height(body.sizes) + 0.035
        body.write(right, top, head, look, within=width, align="right")
