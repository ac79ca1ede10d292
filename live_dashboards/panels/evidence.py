"""How the evidence grew: a line a challenger, its difference by all that was counted up to each moment,
within the limits that hold at every look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from live_dashboards.model.axis import finite_ends, padded
from live_dashboards.model.chart import Band, Lines, Whisker
from live_dashboards.model.evidence import DatedChange, DifferenceAt, DifferenceLine
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.report import AbReport, Line
from live_dashboards.model.snapshot import Timeline

_SETTLED = 0.1  # of the requests: the limits of what came before say little, and would flatten the rest
_MOST_BANDS = 2
_MOST_RESTARTS = 6
_WHISKERS_APART = 0.018


def charts(report: AbReport) -> tuple[Lines, ...]:
    """The differences of the panel's metric; with one challenger also the limits for harm."""
    panel = report.evidence
    drawn = panel.drawn
    if not drawn:
        return ()
    return (
        Lines(
            "evidence",
            tuple(map(_line, drawn)),
            drawn[0].unit,
            f"difference, {drawn[0].unit}",
            is_zero_based=False,
            marks=_marks(panel.changes),
            span=_span(drawn, report),
            bands=tuple(_bands(drawn)),
            whiskers=tuple(_whiskers(drawn, _span(drawn, report))),
            fixed=_limits(drawn),
            has_zero=True,
        ),
    )


def _marks(changes: Sequence[DatedChange]) -> tuple[tuple[float, str], ...]:
    """What changed; restarts only where they are few, as those of every day would hide all else."""
    restarts = [each for each in changes if each.what == "restart"]
    shown = [each for each in changes if each.what != "restart" or len(restarts) <= _MOST_RESTARTS]
    return tuple((each.at.timestamp(), each.label) for each in shown)


def _span(drawn: Sequence[DifferenceLine], report: AbReport) -> tuple[float, float]:
    """From the start of the test, or the first point of one that is known by its window alone."""
    first = min(line.points[0].at for line in drawn)
    start = report.period.start if report.period.start is not None else first
    return min(start, first).timestamp(), report.at.timestamp()


def _line(line: DifferenceLine) -> Line:
    points = tuple((each.at.timestamp(), each.estimate) for each in line.points)
    return Line(line.treatment, line.treatment, Timeline((), points), _latest(line))


def _latest(line: DifferenceLine) -> Measurement:
    last = line.points[-1]
    return Measurement(
        f"{line.metric}_difference",
        last.estimate,
        line.unit,
        line.origin,
        line.treatment,
        Interval(last.low, last.high),
        source=line.source,
        query=line.query,
        observed_at=last.at,
    )


def _bands(drawn: Sequence[DifferenceLine]) -> Iterator[Band]:
    if len(drawn) > _MOST_BANDS:
        return
    for line in drawn:
        safe = tuple((each.at.timestamp(), each.low, each.high) for each in line.points)
        yield Band(line.treatment, tuple(_known(safe)))
        harm = tuple((each.at.timestamp(), each.harm_low, each.harm_high) for each in line.points)
        inner = tuple(_known(harm))
        if len(drawn) == 1 and inner:
            yield Band(line.treatment, inner, is_inner=True)


def _whiskers(drawn: Sequence[DifferenceLine], span: tuple[float, float]) -> Iterator[Whisker]:
    """Of more lines than have bands, the last limits beside each other."""
    for number, line in enumerate(drawn if len(drawn) > _MOST_BANDS else ()):
        last, (start, end) = line.points[-1], span
        if last.low is not None and last.high is not None:
            at_seconds = end - (number + 1) * _WHISKERS_APART * (end - start)
            yield Whisker(line.treatment, at_seconds, last.low, last.high)


def _known(
    points: Sequence[tuple[float, float | None, float | None]],
) -> Iterator[tuple[float, float, float]]:
    return ((at, low, high) for at, low, high in points if low is not None and high is not None)


def _limits(drawn: Sequence[DifferenceLine]) -> tuple[float, float]:
    """As far as the differences and limits of all but the first requests go: before that little is known."""
    settled = [point for line in drawn for point in _settled(line.points)]
    ends = [Interval(point.low, point.high) for point in settled]
    return padded([*finite_ends((point.estimate for point in settled), ends), 0.0])


def _settled(points: Sequence[DifferenceAt]) -> list[DifferenceAt]:
    least = _SETTLED * (points[-1].n_treatment or 0)
    return [point for point in points if (point.n_treatment or 0) >= least]
