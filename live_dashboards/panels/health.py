"""Can this page be trusted: the age of each newest sample against its limit, failures, and notices."""

from __future__ import annotations

from live_dashboards.model.chart import (
    Chart,
    DrawnValue,
    Guide,
    Mark,
    Room,
    Row,
    Rows,
    Said,
    Sayings,
    Scale,
    Sentences,
    Words,
)
from live_dashboards.model.measurement import Interval
from live_dashboards.model.number import format_age
from live_dashboards.model.presentation import AXIS, FAINT, STATE_STYLES, VariantStyle
from live_dashboards.model.report import AbReport, HealthRow
from live_dashboards.panels.sayings import spoken

_LARGEST_PERCENT = 150.0


def charts(report: AbReport) -> tuple[Chart, ...]:
    """A bar a sample, as a share of its limit; beyond 150 percent it ends in an arrow; notices below."""
    return (
        Rows(
            tuple(map(_row, report.health.rows)),
            Scale("percent", fixed=(0.0, _LARGEST_PERCENT)),
            "age, percent of its limit",
            "tick: limit",
            heading="age, % of its limit",
            guides=(Guide(100.0, "under"),),
            empty="no source was asked",
            room=Room(1.3, 0.56, are_words=True),
            table=tuple(_drawn(row, report) for row in report.health.rows),
        ),
        Sentences((*report.health.notices, *_clocks(report)), are_notices=True),
    )


def _clocks(report: AbReport) -> list[str]:
    """What is wrong with the sources' clocks."""
    return [
        f"{status.address or status.source}: {status.clock_warning}"
        for status in report.sources
        if status.clock_warning
    ]


def _share(row: HealthRow) -> float | None:
    """Age as percent of its limit."""
    if row.age_seconds is None or not row.limit_seconds:
        return None
    return max(0.0, 100 * row.age_seconds / row.limit_seconds)


def _row(row: HealthRow) -> Row:
    colour, marker = STATE_STYLES.get(row.state, (AXIS, "o"))
    share, said = _share(row), _said(row)
    state = Mark("dot", colour, 0.0, style=VariantStyle(colour, colour, marker, ()), look="state", said=said)
    age = []
    if share is not None:
        age.append(Mark("span", colour, interval=Interval(0.0, share), look="age", said=said))
    words = Words(row.words, colour if row.state in {"stale", "missing"} else FAINT)
    return Row(row.label, (*age, state), (words,))


def _said(row: HealthRow) -> Sayings:
    share = _share(row)
    used = "" if share is None else f": {round(share, 1):g} % of it used"
    return spoken(
        Said(row.label, "title"),
        Said(row.state, "value"),
        f"age {format_age(row.age_seconds)}" if row.age_seconds is not None else "no age known",
        f"limit {format_age(row.limit_seconds)}{used}" if row.limit_seconds else "no limit",
        Said(row.words, "long"),
        Said(f"source: {row.source}" if row.source else "", "short"),
    )


def _drawn(row: HealthRow, report: AbReport) -> DrawnValue:
    origin = report.health.head.origin.value
    series = f"{row.source}: {row.state}"
    return DrawnValue(
        "health", series, None, row.label, row.age_seconds, None, row.limit_seconds, "seconds", origin, None
    )
