"""Which variant is better, and by how much: a forest of challenger - baseline."""

from __future__ import annotations

from collections.abc import Sequence

from live_dashboards.figures.frame import Frame
from live_dashboards.figures.marks import Dot, colour_of, draw_dots, finite_ends, padded, style_of
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.rows import Rows, column_inches, open_rows
from live_dashboards.figures.text import Look, width_inches
from live_dashboards.figures.theme import BAND, FAINT, INK, MUTED, line_inches
from live_dashboards.figures.words import metric_title
from live_dashboards.model.measurement import Interval, Origin
from live_dashboards.model.number import format_estimate, format_number, format_signed
from live_dashboards.model.report import AbReport, Comparison


def draw(frame: Frame, report: AbReport) -> None:
    """A row a metric: the difference with its interval, against zero and the minimum effect."""
    panel = report.effect
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None or not panel.rows:
        return
    sizes = body.sizes
    limits = _limits(panel.rows, panel.band_points)
    rows = open_rows(
        body,
        len(panel.rows),
        limits,
        names=1.0 * sizes.scale + 0.12,
        numbers=column_inches(body, [_words(row) for row in panel.rows], sizes.tick),
        unit="points",
        top=line_inches(sizes.note) + 0.02,
    )
    axes = rows.axes
    axes.axvspan(-panel.band_points, panel.band_points, color=BAND, linewidth=0, zorder=0)
    axes.axvline(0.0, color=INK, linewidth=1.0, zorder=1)
    _name_band(rows, panel.band_points, limits)
    for variant in dict.fromkeys(row.treatment for row in panel.rows):
        style = style_of(report.variant_names, variant)
        for origin in dict.fromkeys(row.origin for row in panel.rows if row.treatment == variant):
            dots = [_dot(row, y) for y, row in enumerate(panel.rows) if row.treatment == variant and row.origin is origin]
            draw_dots(axes, rows.plot, dots, style, colour_of(style, origin))
    has_several = len({row.treatment for row in panel.rows}) > 1
    for y, row in enumerate(panel.rows):
        _write_row(rows, y, row, report, has_several=has_several)


def _limits(rows: Sequence[Comparison], band_points: float) -> tuple[float, float]:
    ends = finite_ends([row.estimate for row in rows], [_interval(row) for row in rows])
    return padded([*ends, -band_points, band_points, 0.0])


def _interval(row: Comparison) -> Interval | None:
    return None if row.low is None and row.high is None else Interval(row.low, row.high)


def _dot(row: Comparison, y: float) -> Dot | None:
    interval = _interval(row)
    return None if row.estimate is None else Dot(row.estimate, y, interval, is_filled=interval is not None)


def _name_band(rows: Rows, band_points: float, limits: tuple[float, float]) -> None:
    """Says above the band what it means, as near to its middle as the panel allows."""
    body, look = rows.body, Look(rows.body.sizes.note, MUTED)
    words = f"minimum effect ±{format_number(band_points, 'points')}"
    left, width = rows.plot.left - body.left, width_inches(words, look)
    middle = left + rows.plot.width * (0.0 - limits[0]) / (limits[1] - limits[0])
    x = min(max(middle - width / 2, 0.0), body.width - width)
    body.write(x, body.height - line_inches(body.sizes.note) + 0.03, words, look, within=width + 0.01)


def _write_row(rows: Rows, y: int, row: Comparison, report: AbReport, *, has_several: bool) -> None:
    sizes = rows.body.sizes
    style = style_of(report.variant_names, row.treatment)
    is_known = row.estimate is not None
    hint = row.treatment if has_several else "" if row.is_higher_better else "less is better"
    has_two_lines = bool(hint) and rows.height() >= line_inches(sizes.body) + line_inches(sizes.note)
    arrow = "" if row.is_higher_better or (has_two_lines and not has_several) else " ↓"
    colour = (style.text_colour if has_several else INK) if is_known else FAINT
    lift = line_inches(sizes.note, 1.1) / 2 / rows.height() if has_two_lines else 0.0
    rows.name(y - lift, metric_title(row.metric) + arrow, colour, points=None if rows.height() > line_inches(sizes.body) else sizes.note)
    if has_two_lines:
        rows.name(y + lift, hint, FAINT if not has_several else colour, points=sizes.note)
    if row.estimate is None:
        rows.inside(y, row.reason or "not measured")
    else:
        rows.number(y, _words(row), style.text_colour if has_several else INK, points=None if rows.height() > line_inches(sizes.tick) else sizes.note)


def _words(row: Comparison) -> str:
    """The difference with its interval, or that there is none."""
    if row.estimate is None:
        return ""
    state = {Origin.ESTIMATED: " est.", Origin.CACHED: " cached"}.get(row.origin, "")
    if row.low is None and row.high is None:
        return f"{format_signed(row.estimate, 'points')}, no n{state}"
    return f"{format_estimate(row.estimate, row.low, row.high, 'points', signed=True)}{state}"
