"""Where does it come from: the terms of the net value as a waterfall, with whiskers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from live_dashboards.model.business_report import BusinessReport, PartBar, PartsPanel
from live_dashboards.model.limits import padded
from live_dashboards.model.measurement import Interval
from live_dashboards.model.presentation import AXIS, FAINT, INK
from live_dashboards.web.charts.bars import Bar, bars_trace
from live_dashboards.web.charts.base import Figure, seen
from live_dashboards.web.charts.hover import bold, joined, level_words
from live_dashboards.web.charts.marks import interval_traces
from live_dashboards.web.charts.money import ASSUMED, MEASURED, RESULT, money_axis, origin_of
from live_dashboards.web.charts.rows import Row, rows_layout
from live_dashboards.web.charts.text import MOST_QUERY_CHARACTERS, wrapped

_EMPTY_SHARE = 0.12
_BAR_ROWS, _WHISKER_ROWS = 0.26, 0.24


@dataclass(frozen=True, slots=True)
class _Step:
    """A bar with where it begins and ends, in USD a year; `counts`: it is part of the total."""

    part: PartBar
    start_usd: float
    end_usd: float
    counts: bool
    is_total: bool = False

    @property
    def whisker(self) -> Interval | None:
        """The interval where the bar stands."""
        limits = self.part.interval
        if limits is None or self.part.value.value is None:
            return None
        return Interval(*(None if end is None else self.start_usd + end for end in (limits.low, limits.high)))


def figure(report: BusinessReport) -> Figure | None:
    """A row a term, each beginning where the last one ended, and the total from zero."""
    panel = report.parts
    steps = _steps(panel, is_page_simulated=report.is_simulated)
    if not panel.head.is_drawn or not steps:
        return None
    limits = padded([0.0, *(end for step in steps for end in _ends(step))])
    bars = [_bar(step, float(y), limits, report) for y, step in enumerate(steps)]
    whiskers = [(step.whisker, y + _WHISKER_ROWS) for y, step in enumerate(steps) if step.whisker is not None]
    traces = [
        *_joints(steps),
        *bars_trace(bars, width_rows=_BAR_ROWS),
        *interval_traces(whiskers, INK, limits),
    ]
    note = "; whisker: 95 % interval" if whiskers else ""
    x = money_axis(f"USD a year{note}", limits)
    return {
        "data": traces,
        "layout": rows_layout([_row(step) for step in steps], x, panel.head.origin, bar_rows=_BAR_ROWS),
    }


def _steps(panel: PartsPanel, *, is_page_simulated: bool) -> list[_Step]:
    """What is only simulated stands apart at zero: the total does not hold it."""
    steps, reached = [], 0.0
    for part in panel.bars:
        value = part.value.value or 0.0
        counts = part.state == "measured" or is_page_simulated
        start = reached if counts else 0.0
        steps.append(_Step(part, start, start + value, counts))
        reached = start + value if counts else reached
    if panel.total is not None:
        steps.append(_Step(panel.total, 0.0, panel.total.value.value or 0.0, counts=True, is_total=True))
    return steps


def _ends(step: _Step) -> list[float]:
    whisker = step.whisker
    return [
        step.start_usd,
        step.end_usd,
        *(end for end in ((whisker.low, whisker.high) if whisker else ()) if end is not None),
    ]


def _bar(step: _Step, y: float, limits: tuple[float, float], report: BusinessReport) -> Bar:
    hover = _hover(step, report)
    if step.part.value.value is None:
        return Bar(
            step.start_usd, step.start_usd + _EMPTY_SHARE * (limits[1] - limits[0]), y, AXIS, hover, "empty"
        )
    if not step.counts:
        return Bar(step.start_usd, step.end_usd, y, ASSUMED, hover, "hatched")
    return Bar(step.start_usd, step.end_usd, y, RESULT if step.is_total else MEASURED, hover)


def _joints(steps: Sequence[_Step]) -> list[dict[str, Any]]:
    """Thin lines from where a bar ends to where the next one begins."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for y, (step, after) in enumerate(pairwise(steps)):
        if step.counts and after.counts and step.part.value.value is not None:
            xs += [seen(step.end_usd), seen(step.end_usd), None]
            ys += [y, y + 1, None]
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": xs,
        "y": ys,
        "connectgaps": False,
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return [{**line, "line": {"color": AXIS, "width": 1}}] if xs else []


def _hover(step: _Step, report: BusinessReport) -> str:
    part = step.part
    words = part.amount_words + " a year" if part.value.value is not None else f"none: {part.value.reason}"
    reason = part.words or part.value.reason or ""
    return joined(
        bold(part.label),
        f"<b>{wrapped(words, MOST_QUERY_CHARACTERS)}</b>",
        level_words(0.95, part.interval, "usd_per_year") if part.interval is not None else "no interval",
        "" if step.counts or part.value.value is None else "outside the total",
        wrapped(reason, MOST_QUERY_CHARACTERS) if part.value.value is not None else "",
        f"n = {part.value.n:,}" if part.value.n is not None else "",
        origin_of(part.value, report),
    )


def _row(step: _Step) -> Row:
    part = step.part
    if part.value.value is None:
        return Row(part.label, ((part.words or "not measured", FAINT),))
    amount = part.amount_words
    return Row(part.label, ((amount, INK),) if step.counts else ((f"SIMULATED {amount}", ASSUMED),))
