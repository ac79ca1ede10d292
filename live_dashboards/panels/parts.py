"""Where does it come from: the terms of the net value as a waterfall, with whiskers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from live_dashboards.model.business_report import BusinessReport, PartBar, PartsPanel
from live_dashboards.model.chart import (
    DrawnValue,
    Guide,
    Mark,
    Room,
    Row,
    Rows,
    Said,
    Sayings,
    Scale,
    Words,
    drawn_value,
)
from live_dashboards.model.measurement import Interval
from live_dashboards.model.number import USD
from live_dashboards.model.presentation import ASSUMED, AXIS, FAINT, INK, MEASURED, RESULT
from live_dashboards.panels.sayings import level_words, provenance, spoken


@dataclass(frozen=True, slots=True)
class _Step:
    """A bar with where it begins and ends, in USD a year; `counts`: it is part of the total."""

    part: PartBar
    start_usd: float
    end_usd: float
    counts: bool = True
    is_total: bool = False

    @property
    def look(self) -> str:
        """Empty (missing), hatched (simulated) or filled."""
        return "empty" if self.part.value.value is None else "filled" if self.counts else "hatched"

    @property
    def colour(self) -> str:
        """By how it is known."""
        if self.look == "empty":
            return AXIS
        return RESULT if self.is_total else MEASURED if self.counts else ASSUMED

    @property
    def whisker(self) -> Interval | None:
        """The interval where the bar stands."""
        limits = self.part.interval
        if limits is None or self.part.value.value is None:
            return None
        return Interval(*(None if end is None else self.start_usd + end for end in (limits.low, limits.high)))


def charts(report: BusinessReport) -> tuple[Rows, ...]:
    """A row a term, each beginning where the last one ended, and the total from zero."""
    steps = _steps(report.parts, is_page_simulated=report.is_simulated)
    after = (*steps[1:], None)
    has_whisker = any(step.whisker is not None for step in steps)
    return (
        Rows(
            tuple(_row(step, following, report) for step, following in zip(steps, after, strict=True)),
            Scale(USD, around=(0.0,)),
            "USD a year",
            "whisker: 95 % interval" if has_whisker else "",
            guides=(Guide(0.0),),
            room=Room(0.95, 0.34),
            table=tuple(_drawn(step.part) for step in steps),
        ),
    )


def _steps(panel: PartsPanel, *, is_page_simulated: bool) -> Sequence[_Step]:
    """What is only simulated stands apart at zero: the total does not hold it."""
    steps, reached = [], 0.0
    for part in panel.bars:
        value = part.value.value or 0.0
        counts = part.state == "measured" or is_page_simulated
        start = reached if counts else 0.0
        steps.append(_Step(part, start, start + value, counts))
        reached = start + value if counts else reached
    if panel.total is not None:
        steps.append(_Step(panel.total, 0.0, panel.total.value.value or 0.0, is_total=True))
    return steps


def _row(step: _Step, after: _Step | None, report: BusinessReport) -> Row:
    ends, said = (step.start_usd, step.end_usd), _said(step, report)
    marks = [Mark("bar", step.colour, ends=ends, look=step.look, size=0.8, said=said)]
    if step.whisker is not None:
        marks.append(Mark("span", INK, interval=step.whisker, look="whisker"))
    if after is not None and step.counts and after.counts and step.look != "empty":
        marks.append(Mark("joint", AXIS, step.end_usd))
    return Row(step.part.label, tuple(marks), (_words(step),))


def _words(step: _Step) -> Words:
    if step.look == "empty":
        return Words(step.part.words or "not measured", INK if step.is_total else FAINT)
    return Words(f"{'' if step.counts else 'SIMULATED '}{step.part.amount_words}")


def _said(step: _Step, report: BusinessReport) -> Sayings:
    part, is_known = step.part, step.look != "empty"
    words = f"{part.amount_words} a year" if is_known else f"none: {part.value.reason}"
    return spoken(
        Said(part.label, "title"),
        Said(words, "value"),
        level_words(0.95, part.interval, USD) if part.interval is not None else "no interval",
        "" if step.counts or not is_known else "outside the total",
        Said((part.words or part.value.reason or "") if is_known else "", "long"),
        f"n = {part.value.n:,}" if part.value.n is not None else "",
        *provenance(part.value, report.timezone),
    )


def _drawn(part: PartBar) -> DrawnValue:
    low, high = (part.interval.low, part.interval.high) if part.interval else (None, None)
    return drawn_value("parts", part.state, part.label, part.value)._replace(low=low, high=high)
