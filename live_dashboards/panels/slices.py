"""Where a difference comes from: each gate by the values of AB_SLICE_LABEL, what is worst first."""

from __future__ import annotations

from collections.abc import Sequence

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
from live_dashboards.model.measurement import Origin
from live_dashboards.model.metrics import ONLINE_ACCURACY, OVER_OBJECTIVE, metric_of
from live_dashboards.model.number import (
    format_count,
    format_interval,
    format_number,
    format_signed,
    shared_decimals,
)
from live_dashboards.model.presentation import FAINT, colour_of, metric_title, origin_mark, style_of
from live_dashboards.model.report import AbReport, Head
from live_dashboards.model.slices import ByLabel, Heterogeneity, SliceRow
from live_dashboards.panels.sayings import provenance, spoken

_SHORT = {OVER_OBJECTIVE: "slow", ONLINE_ACCURACY: "right"}
_SMALLEST_P, _ALPHA = 0.001, 0.05


def is_shown(report: AbReport) -> bool:
    """Whether AB_SLICE_LABEL asks for it."""
    return report.slices is not None


def head(report: AbReport) -> Head:
    """Where harm comes from, or that no value stands out; below, whether the values differ at all."""
    found = _found(report)
    if found.origin is Origin.MISSING:
        subtitle = f"each gate by {found.label}"
        return Head(f"No data by {found.label}", subtitle, Origin.MISSING, reason=found.reason)
    worst, *others = found.standing_out or (f"No {found.label} stands out",)
    claim, _, moral = worst.rpartition(": ")
    title = claim or worst
    shown = f"{found.shown_count} of {found.values_count} shown" if found.has_others else ""
    said = (moral if claim else "", *others, shown, "no verdict goes by it", _differ(found))
    note = "; ".join(filter(None, said))
    return Head(title[:1].upper() + title[1:], _subtitle(found), found.origin, note=note)


def _subtitle(found: ByLabel) -> str:
    """What is compared with what."""
    is_by_arm = [row.is_within_arm for row in found.rows]
    if all(is_by_arm):
        return f"{found.label} against the rest of its arm, points"
    if any(is_by_arm):
        return f"by {found.label}: challenger − baseline, or against its arm, points"
    return f"challenger − baseline by {found.label}, points"


def charts(report: AbReport) -> tuple[Rows, ...]:
    """A row a gate and value: its difference with its interval, against zero."""
    found = _found(report)
    gates = [*dict.fromkeys(row.metric for row in found.rows)]
    rows = sorted(found.rows, key=lambda row: _place(row, gates))
    return (
        Rows(
            tuple(_row(row, report) for row in rows),
            Scale("points", around=(0.0,)),
            "difference, points",
            "↓ less is better",
            empty="no gate was counted by it",
            guides=(Guide(0.0),),
            room=Room(names_inches=1.6, numbers_share=0.3),
            table=tuple(map(_drawn, rows)),
        ),
    )


def _found(report: AbReport) -> ByLabel:
    assert report.slices is not None  # noqa: S101 is_shown says so
    return report.slices


def _short(metric: str) -> str:
    return _SHORT.get(metric, metric_of(metric).amount)


def _place(row: SliceRow, gates: Sequence[str]) -> tuple[bool, int, float]:
    """What stands out first, then the gates in their order, in each the worst first."""
    value = row.difference.value
    harm = float("-inf") if value is None else value
    return (
        not row.stands_out,
        gates.index(row.metric),
        harm if metric_of(row.metric).is_higher_better and value is not None else -harm,
    )


def _row(row: SliceRow, report: AbReport) -> Row:
    style, difference = style_of(report.variant_names, row.arm), row.difference
    name = f"{_short(row.metric)}: {row.name}"
    of = "against its arm" if row.is_within_arm else f"against {row.compared_with}"
    less = not metric_of(row.metric).is_higher_better
    if difference.value is None:
        reason = difference.reason or "not measured"
        return Row(name, colour=FAINT, reason=reason, of=of, is_less_better=less)
    dot = Mark(
        "dot",
        colour_of(style, difference.origin),
        difference.value,
        difference.interval,
        style=style,
        is_filled=difference.interval is not None,
        said=_said(row, report),
    )
    number = f"{_number(row)}{origin_mark(difference.origin)}"
    return Row(
        name, (dot,), (Words(number, style.text_colour),), style.text_colour, of=of, is_less_better=less
    )


def _number(row: SliceRow) -> str:
    """The difference, in no more digits than its interval carries."""
    value, limits = row.difference.value, row.difference.interval
    known = [] if limits is None else [each for each in (limits.low, limits.high) if each is not None]
    decimals = shared_decimals(known, row.difference.unit) if known else None
    return format_signed(value, row.difference.unit, 2, decimals=decimals)


def _said(row: SliceRow, report: AbReport) -> Sayings:
    difference, limits = row.difference, row.difference.interval
    own, other = difference.inputs
    interval = f"no interval: {difference.reason}"
    if limits is not None:
        words = format_interval(limits.low, limits.high, difference.unit, signed=True)
        interval = f"95 % interval: {words}, valid at every look"
    return spoken(
        Said(f"{metric_title(row.metric)}, {row.name}", "title"),
        Said(f"{row.arm} there, against {row.compared_with}", "short"),
        Said(format_signed(difference.value, difference.unit), "value"),
        interval,
        f"{format_number(own.value, own.unit)} and {format_number(other.value, other.unit)} of all requests",
        f"n = {format_count(row.n)} and {format_count(row.n_compared)}",
        "worse than the others by more than chance" if row.stands_out else "",
        Said(row.method, "long"),
        *provenance(difference, report.timezone),
    )


def _differ(found: ByLabel) -> str:
    """In what the values differ, by tests of 5 % together (Bonferroni); else the least p."""
    tests = [test for test in found.heterogeneity if test.p_value is not None]
    if not tests:
        return ""
    least = min(tests, key=lambda test: test.p_value or 0.0)
    sure = [test for test in tests if (test.p_value or 0.0) < _ALPHA / len(tests)]
    if not sure:
        several = f", the least of {len(tests)}" if len(tests) > 1 else ""
        return f"Q for one look: no sign that they differ (p {_p_words(least)}{several})"
    names = ", ".join(f"{_short(test.metric)} of {test.of} (p {_p_words(test)})" for test in sure)
    return f"Q for one look: they differ in {names}"


def _p_words(test: Heterogeneity) -> str:
    p = test.p_value or 0.0
    return f"< {_SMALLEST_P:g}" if p < _SMALLEST_P else f"{p:.2g}"


def _drawn(row: SliceRow) -> DrawnValue:
    series = f"{row.metric}: {row.arm} against {row.compared_with}"
    return drawn_value("slices", series, row.name, row.difference)
