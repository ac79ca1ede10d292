"""Which variant is better, and by how much: a forest of challenger - baseline."""

from __future__ import annotations

from collections.abc import Sequence

from live_dashboards.figures.frame import Frame
from live_dashboards.figures.marks import Dot, draw_dots
from live_dashboards.figures.panel import open_panel, say_nothing
from live_dashboards.figures.rows import NAMES_INCHES, Rows, column_inches, fitting, heading_height, open_rows
from live_dashboards.figures.text import Look, width_inches
from live_dashboards.figures.theme import BAND, FAINT, INK, MUTED
from live_dashboards.model.judgement import Comparison
from live_dashboards.model.limits import finite_ends, padded
from live_dashboards.model.measurement import Interval
from live_dashboards.model.number import (
    format_count,
    format_estimate,
    format_number,
    format_signed,
    shared_decimals,
)
from live_dashboards.model.presentation import colour_of, metric_title, origin_mark, style_of
from live_dashboards.model.report import AbReport

_N_INCHES = 0.55


def draw(frame: Frame, report: AbReport) -> None:
    """A row a metric: the difference with its interval, against zero and the minimum effect."""
    panel = report.effect
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    shown, hidden = fitting(body, panel.rows)
    if not shown:
        say_nothing(body, "nothing to compare")
        return
    limits = _limits(shown, panel.band_points)
    words = _words(shown)
    names = NAMES_INCHES + (_N_INCHES if body.sizes.has_notes and any(map(_n_words, shown)) else 0.0)
    rows = open_rows(
        body, len(shown), limits, numbers=column_inches(body, words, 0.48), unit="points", names=names
    )
    rows.axes.axvspan(-panel.band_points, panel.band_points, color=BAND, linewidth=0, zorder=0)
    rows.axes.axvline(0.0, color=INK, linewidth=1.0, zorder=1)
    rows.heading(over_numbers=hidden)
    _name_band(rows, panel.band_points, limits, hidden)
    _draw_dots(rows, shown, report)
    has_several = len({row.treatment for row in shown}) > 1
    for y, row in enumerate(shown):
        colour = (
            FAINT
            if row.estimate is None
            else style_of(report.variant_names, row.treatment).text_colour
            if has_several
            else INK
        )
        _write_name(rows, y, row, colour, has_several=has_several)
        rows.number(y, words[y], colour, points=body.sizes.note if row.estimate is None else None)


def _limits(rows: Sequence[Comparison], band_points: float) -> tuple[float, float]:
    ends = finite_ends([row.estimate for row in rows], [_interval(row) for row in rows])
    return padded([*ends, -band_points, band_points, 0.0])


def _interval(row: Comparison) -> Interval | None:
    return None if row.low is None and row.high is None else Interval(row.low, row.high)


def _draw_dots(rows: Rows, shown: Sequence[Comparison], report: AbReport) -> None:
    for variant, origin in dict.fromkeys((row.treatment, row.origin) for row in shown):
        style = style_of(report.variant_names, variant)
        dots = [
            _dot(row, y) for y, row in enumerate(shown) if (row.treatment, row.origin) == (variant, origin)
        ]
        draw_dots(rows.axes, rows.plot, dots, style, colour_of(style, origin))


def _dot(row: Comparison, y: float) -> Dot | None:
    interval = _interval(row)
    return (
        None
        if row.estimate is None
        else Dot(row.estimate, y, interval, is_filled=interval is not None, inner=row.harm_interval)
    )


def _name_band(rows: Rows, band_points: float, limits: tuple[float, float], hidden: str) -> None:
    """Says above the band what it means, as near to its middle as the panel allows."""
    body, look = rows.body, Look(rows.body.sizes.note, MUTED)
    words = f"minimum effect ±{format_number(band_points, 'points')}"
    width, room = (
        width_inches(words, look),
        body.width - (width_inches(hidden, look) + 0.1 if hidden else 0.0),
    )
    middle = rows.plot.left - body.left + rows.plot.width * (0.0 - limits[0]) / (limits[1] - limits[0])
    x = max(0.0, min(middle - width / 2, room - width))
    body.write(x, body.height - heading_height(body.sizes) + 0.035, words, look, within=room - x)


def _write_name(rows: Rows, y: int, row: Comparison, colour: str, *, has_several: bool) -> None:
    """The metric's name with the n of both arms, and below it the variant or that less is better."""
    hint = row.treatment if has_several else "" if row.is_higher_better else "less is better"
    has_hint = bool(hint) and rows.has_two_lines
    arrow = "" if row.is_higher_better or (has_hint and not has_several) else " ↓"
    first_line = y - (rows.lift() if has_hint else 0.0)
    rows.name(first_line, metric_title(row.metric) + arrow, colour)
    if rows.body.sizes.has_notes:
        rows.beside_name(first_line, _n_words(row))
    if has_hint:
        rows.name(y + rows.lift(), hint, colour if has_several else FAINT, points=rows.body.sizes.note)


def _n_words(row: Comparison) -> str:
    """Observations of both arms together, empty where there is no interval."""
    return (
        f"n {format_count(row.n_treatment + row.n_control)}"
        if row.has_interval and row.n_treatment and row.n_control
        else ""
    )


def _words(rows: Sequence[Comparison]) -> list[str]:
    """Each row's difference with its interval, or why there is none."""
    bare = [row.estimate for row in rows if row.estimate is not None and _interval(row) is None]
    decimals = shared_decimals(bare, "points") if bare else None
    return [_row_words(row, decimals) for row in rows]


def _row_words(row: Comparison, decimals: int | None) -> str:
    if row.estimate is None:
        return row.reason or "not measured"
    state = origin_mark(row.origin)
    if _interval(row) is None:
        return f"{format_signed(row.estimate, 'points', decimals=decimals)}, no n{state}"
    return f"{format_estimate(row.estimate, row.low, row.high, 'points', signed=True)}{state}"
