"""Series that several Prometheus have scraped, each at moments of its own: what a store behind a highly available pair holds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from tests.support.prometheus_truth import PrometheusTruth, TrueSeries

PAIR = {"prometheus-0": 0.0, "prometheus-1": 11.0}


@dataclass(frozen=True)
class Gap:
    """From when to when (unix seconds) the copy of that name was not scraped."""

    name: str
    start: float
    end: float


def store_copies(
    truth: PrometheusTruth, delays: Mapping[str, float] = PAIR, *, label: str = "prometheus_replica", gaps: tuple[Gap, ...] = (), moves: bool = True
) -> None:
    """Every series once for each of `delays` (the label's value and by how many seconds its scrapes are later), but for its gaps.

    `moves`: the counters have grown between the scrapes, evenly; else each copy holds the same values.
    """
    gaps_of = {name: [gap for gap in gaps if gap.name == name] for name in delays}
    truth.series = [_copy(series, {label: name}, delay, gaps_of[name], moves=moves) for series in truth.series for name, delay in delays.items()]


def _copy(series: TrueSeries, added: dict[str, str], delay: float, gaps: list[Gap], *, moves: bool) -> TrueSeries:
    samples = ((at + delay, _at(series, at + delay) if moves and delay else value) for at, value in series.samples)
    kept = tuple((at, value) for at, value in samples if not any(gap.start <= at < gap.end for gap in gaps))
    return TrueSeries(series.name, {**series.labels, **added}, kept)


def _at(series: TrueSeries, moment: float) -> float:
    """The value between two samples, of counts a whole number; at a restart, and after the last sample, the one before."""
    index = bisect_right(series.samples, moment, key=lambda sample: sample[0]) - 1
    (start, value), (end, after) = series.samples[index], series.samples[min(index + 1, len(series.samples) - 1)]
    if after <= value:
        return value
    grown = value + (after - value) * (moment - start) / (end - start)
    return grown if series.name.endswith("_sum") else float(int(grown))
