"""One run in one line, for the log: what was written, how live it is, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from live_dashboards.model.report import Report
from live_dashboards.model.snapshot import SourceState

_NOTHING_NEW = {
    SourceState.FAILED: "failed",
    SourceState.CACHED: "failed, shown as it last was",
    SourceState.NO_AB_DATA: "has no A/B data",
}


@dataclass(frozen=True, slots=True)
class Written:
    """A picture and its page, and whether it is as live as was required."""

    image: Path
    report: Report
    is_enough: bool


def run_line(written: Sequence[Written], seconds: float, *, required: str) -> tuple[str, bool]:
    """The line, and whether something is wrong."""
    pictures = "; ".join(f"{each.image}: {_state(each.report)}" for each in written)
    wrong = tuple(dict.fromkeys(word for each in written for word in wrong_with(each, required)))
    return f"{pictures}; {seconds:.1f} s" + (f"; wrong: {', '.join(wrong)}" if wrong else ""), bool(wrong)


def wrong_with(each: Written, required: str) -> Iterator[str]:
    """What somebody should look at: a source that was asked and gave nothing new, stale values, less than was
    required. Not that a source is not set up or not asked.
    """
    report = each.report
    yield from (
        f"{status.source} {_NOTHING_NEW[status.state]}"
        for status in report.sources
        if status.state in _NOTHING_NEW
    )
    yield from (f"questions to {status.source} failed" for status in report.sources if status.failures)
    yield from (f"{status.source} answered only in part" for status in report.sources if status.is_partial)
    yield from (
        f"{status.source} counts requests more than once" for status in report.sources if status.counted_twice
    )
    if report.has_stale:
        yield "stale values"
    if not each.is_enough:
        yield f"{report.badge.kind.value}, but --require {required} asks for more"


def _state(report: Report) -> str:
    of = f" of {report.experiment!r}" if report.experiment else ""
    badge = report.badge
    return (
        f"{report.dashboard}{of}, {badge.kind.value}, {badge.values_live} of {badge.values_total} "
        f"values live, {report.conclusion}"
    )
