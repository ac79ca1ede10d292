"""Known series as OpenMetrics text: what a Prometheus would hold had it scraped them, so that its answers can be compared with the truth."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Rate = float | Sequence[tuple[float, float]]
Value = float | Sequence[tuple[float, float]] | Callable[[float], float]
Spans = Sequence[tuple[float, float]]
Labels = Mapping[str, str]


@dataclass(frozen=True)
class TrueSeries:
    """One series: its name, labels and (unix seconds, value) samples."""

    name: str
    labels: dict[str, str]
    samples: tuple[tuple[float, float], ...]

    def increase(self, start: float, end: float) -> float:
        """What the samples from `start` to `end`, both included, say was counted; a fall is a restart from 0."""
        values = [value for at, value in self.samples if start <= at <= end]
        return sum(after - before if after >= before else after for before, after in itertools.pairwise(values))

    def lines(self) -> Iterator[str]:
        labels = ",".join(f'{key}="{_escaped(value)}"' for key, value in sorted(self.labels.items()))
        return (f"{self.name}{{{labels}}} {_number(value)} {at:.3f}\n" for at, value in self.samples)


class PrometheusTruth:
    """Series on the common scrape times start, start + scrape_seconds, ... end (unix seconds).

    Every counter and histogram starts at 0, so Prometheus extrapolates nothing before its first sample and increase() over a window that is
    aligned with the scrape equals `increase` here.
    """

    def __init__(self, *, start: float, end: float, scrape_seconds: float = 15) -> None:
        self.start = start
        self.end = end
        self.scrape_seconds = scrape_seconds
        self.series: list[TrueSeries] = []

    def counter(
        self,
        name: str,
        labels: Labels,
        rate: Rate,
        *,
        resets: Sequence[float] = (),
        gaps: Spans = (),
        starts_at: float | None = None,
        ends_at: float | None = None,
    ) -> None:
        """A whole-number counter growing by `rate` per second: one number, or (from, rate) pairs. At each of `resets` it starts from 0 again."""
        begin = self.start if starts_at is None else starts_at
        grown = _growth(rate, begin)
        self._add(name, labels, lambda at: math.floor(_since_reset(grown, at, resets) + 1e-6), gaps, begin, ends_at)

    def gauge(self, name: str, labels: Labels, value: Value, *, gaps: Spans = (), starts_at: float | None = None, ends_at: float | None = None) -> None:
        """A gauge: one number (NaN allowed), (from, value) pairs, or a function of unix seconds."""
        self._add(name, labels, value if callable(value) else _steps(value), gaps, self.start if starts_at is None else starts_at, ends_at)

    def histogram(
        self,
        name: str,
        labels: Labels,
        bucket_rates: Mapping[float, float],
        *,
        sum_rate: float | None = None,
        resets: Sequence[float] = (),
        gaps: Spans = (),
        starts_at: float | None = None,
        ends_at: float | None = None,
    ) -> None:
        """A classic histogram from observations per second in each bucket (by upper bound, not cumulative; +Inf is added).

        `sum_rate` is the growth of _sum per second; unset, every observation lies in the middle of its bucket (those above the last bound, on it).
        """
        bounds = sorted({*bucket_rates, math.inf})
        rates = [bucket_rates.get(bound, 0.0) for bound in bounds]
        when = {"resets": resets, "gaps": gaps, "starts_at": starts_at, "ends_at": ends_at}
        for bound, rate in zip(bounds, itertools.accumulate(rates), strict=True):
            self.counter(f"{name}_bucket", {**labels, "le": _bound(bound)}, rate, **when)  # type: ignore[arg-type]
        self.counter(f"{name}_count", labels, sum(rates), **when)  # type: ignore[arg-type]
        grown = _growth(_middle_sum(bounds, rates) if sum_rate is None else sum_rate, self.start if starts_at is None else starts_at)
        self._add(f"{name}_sum", labels, lambda at: _since_reset(grown, at, resets), gaps, self.start if starts_at is None else starts_at, ends_at)

    def increase(self, name: str, *, start: float | None = None, end: float | None = None, **labels: str) -> float:
        """What all series of that name with those labels counted from `start` to `end`."""
        span = (self.start if start is None else start, self.end if end is None else end)
        return sum(series.increase(*span) for series in self.find(name, **labels))

    def find(self, name: str, **labels: str) -> list[TrueSeries]:
        """The series of that name that carry those labels; none is a mistake of the test."""
        found = [series for series in self.series if series.name == name and labels.items() <= series.labels.items()]
        assert found, f"no true series {name} {labels}"
        return found

    def write(self, path: Path) -> Path:
        with path.open("w", encoding="utf-8") as text:
            for series in self.series:
                text.writelines(series.lines())
            text.write("# EOF\n")
        return path

    def _add(self, name: str, labels: Labels, value: Callable[[float], float], gaps: Spans, begin: float, end: float | None) -> None:  # noqa: PLR0917 # private, called thrice
        last = self.end if end is None else end
        times = (self.start + index * self.scrape_seconds for index in range(int((self.end - self.start) / self.scrape_seconds) + 1))
        kept = (at for at in times if begin <= at <= last and not any(low <= at < high for low, high in gaps))
        self.series.append(TrueSeries(name, dict(labels), tuple((at, float(value(at))) for at in kept)))


def _growth(rate: Rate, begin: float) -> Callable[[float], float]:
    pieces = [(begin, float(rate))] if isinstance(rate, int | float) else sorted((max(start, begin), value) for start, value in rate)
    ends = [*(start for start, _ in pieces[1:]), math.inf]
    return lambda at: sum(value * max(0.0, min(at, end) - start) for (start, value), end in zip(pieces, ends, strict=True))


def _since_reset(grown: Callable[[float], float], at: float, resets: Sequence[float]) -> float:
    return grown(at) - max((grown(reset) for reset in resets if reset <= at), default=0.0)


def _steps(value: float | Sequence[tuple[float, float]]) -> Callable[[float], float]:
    if isinstance(value, int | float):
        return lambda _: float(value)
    pieces = sorted(value)
    return lambda at: next((held for start, held in reversed(pieces) if start <= at), pieces[0][1])


def _middle_sum(bounds: Sequence[float], rates: Sequence[float]) -> float:
    edges = [0.0, *(bound for bound in bounds if math.isfinite(bound))]
    middles = [*((low + high) / 2 for low, high in itertools.pairwise(edges)), edges[-1]]
    return sum(rate * middle for rate, middle in zip(rates, middles, strict=True))


def _bound(bound: float) -> str:
    return "+Inf" if math.isinf(bound) else format(bound, "g")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
