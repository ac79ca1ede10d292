"""Where does it come from: the terms of the net value as a waterfall, with whiskers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from live_dashboards.model.business_case import BusinessReport, Term
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
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.number import USD, format_money_rounded
from live_dashboards.model.presentation import ASSUMED, AXIS, FAINT, INK, MEASURED, RESULT
from live_dashboards.model.report import Head
from live_dashboards.panels import money
from live_dashboards.panels.sayings import level_words, provenance, spoken

_SUBTITLE = "contribution to the net value, USD a year"


@dataclass(frozen=True, slots=True)
class _Step:
    """A bar from `start_usd` on, in USD a year, with its interval; `state` is measured, simulated (hatched)
    or missing (empty).

    What does not count is simulated and stands apart: the total does not hold it. `words` stand for the value
    where there is none.
    """

    label: str
    value: Measurement
    interval: Interval | None
    state: str
    words: str = ""
    start_usd: float = 0.0
    counts: bool = True
    is_total: bool = False

    @property
    def end_usd(self) -> float:
        """Where it ends."""
        return self.start_usd + (self.value.value or 0.0)

    @property
    def look(self) -> str:
        """Empty (missing), hatched (simulated) or filled."""
        return "empty" if self.value.value is None else "filled" if self.counts else "hatched"

    @property
    def colour(self) -> str:
        """By how it is known."""
        if self.look == "empty":
            return AXIS
        return RESULT if self.is_total else MEASURED if self.counts else ASSUMED

    @property
    def amount_words(self) -> str:
        """Its value with sign."""
        low, high = (self.interval.low, self.interval.high) if self.interval else (None, None)
        return format_money_rounded(self.value.value, low, high, signed=True)

    @property
    def whisker(self) -> Interval | None:
        """The interval where the bar stands."""
        if self.interval is None or self.value.value is None:
            return None
        return self.interval.rising(lambda end: self.start_usd + end)


def head(report: BusinessReport) -> Head:
    """Which term is most of it."""
    case = report.case
    known = [term for term in case.terms if term.contribution.value is not None]
    if not known and all(step.state == "missing" for step in _terms(report)):
        asked = "accuracy, mean latency, error rate of both variants"
        return money.nothing("No part is measured", _SUBTITLE, asked, case.net.reason)
    title = "Nothing measured"
    if known:
        largest = max(known, key=lambda term: abs(term.contribution.value or 0.0))
        amount = money.rounded_money(largest.contribution, signed=True)
        title = f"Most of it is {money.term_words(largest)}: {amount}"
    has_interval = any(term.contribution.interval for term in known)
    return money.head(report, title, _SUBTITLE, f"whisker: {money.INTERVAL}" if has_interval else "")


def charts(report: BusinessReport) -> tuple[Rows, ...]:
    """A row a term, each beginning where the last one ended, and the total from zero."""
    steps = _steps(report)
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
            table=tuple(map(_drawn, steps)),
        ),
    )


def _steps(report: BusinessReport) -> Sequence[_Step]:
    """Each where the last one that counts has ended, then the total, or the partial one."""
    steps, reached, case = [], 0.0, report.case
    for step in _terms(report):
        steps.append(replace(step, start_usd=reached if step.counts else 0.0))
        reached = steps[-1].end_usd if step.counts else reached
    label, whole = ("net", case.net) if case.net.value is not None else ("partial", case.partial_total)
    if whole.value is not None:
        state = "simulated" if report.is_simulated else "measured"
        steps.append(_Step(label, whole, case.net.interval, state, is_total=True))
    return steps


def _terms(report: BusinessReport) -> list[_Step]:
    """A term that is not measured is a simulated bar where a stand-in is given, else an empty one."""
    substitutes = {term.name: term for term in report.stand_in.terms} if report.stand_in else {}
    return [_term(report, term, substitutes.get(term.name)) for term in report.case.terms]


def _term(report: BusinessReport, term: Term, substitute: Term | None) -> _Step:
    is_saving = term.sign < 0 and (term.contribution.value or 0.0) > 0
    label = f"{money.term_words(term)} saved" if is_saving else money.term_words(term)
    if term.contribution.value is not None:
        state = "simulated" if report.is_simulated else "measured"
        return _Step(label, term.contribution, term.contribution.interval, state)
    if substitute is not None and substitute.contribution.value is not None:
        said = f"SIMULATED: {term.value.reason}"
        return _Step(label, substitute.contribution, None, "simulated", said, counts=False)
    return _Step(label, term.contribution, None, "missing", "not measured", counts=report.is_simulated)


def _row(step: _Step, after: _Step | None, report: BusinessReport) -> Row:
    ends, said = (step.start_usd, step.end_usd), _said(step, report)
    marks = [Mark("bar", step.colour, ends=ends, look=step.look, size=0.8, said=said)]
    if step.whisker is not None:
        marks.append(Mark("span", INK, interval=step.whisker, look="whisker"))
    if after is not None and step.counts and after.counts and step.look != "empty":
        marks.append(Mark("joint", AXIS, step.end_usd))
    return Row(step.label, tuple(marks), (_words(step),))


def _words(step: _Step) -> Words:
    if step.look == "empty":
        return Words(step.words, FAINT)
    return Words(f"{'' if step.counts else 'SIMULATED '}{step.amount_words}")


def _said(step: _Step, report: BusinessReport) -> Sayings:
    is_known = step.look != "empty"
    words = f"{step.amount_words} a year" if is_known else f"none: {step.value.reason}"
    return spoken(
        Said(step.label, "title"),
        Said(words, "value"),
        level_words(0.95, step.interval, USD) if step.interval is not None else "no interval",
        "" if step.counts or not is_known else "outside the total",
        Said((step.words or step.value.reason or "") if is_known else "", "long"),
        f"n = {step.value.n:,}" if step.value.n is not None else "",
        *provenance(step.value, report.timezone),
    )


def _drawn(step: _Step) -> DrawnValue:
    low, high = (step.interval.low, step.interval.high) if step.interval else (None, None)
    return drawn_value("parts", step.state, step.label, step.value)._replace(low=low, high=high)
