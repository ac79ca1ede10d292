"""Processes that count evenly, scraped by several Prometheus at moments of their own: what each of them stores, and what all of them together have seen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.support.prometheus_truth import PrometheusTruth, TrueSeries

COPY_LABEL = "prometheus_replica"
_EDGES = {"0.1": 0.6, "0.5": 0.9, "+Inf": 1.0}
_SAME_MOMENT_SECONDS = 0.0005


def scrapes(begin: float, end: float, step_seconds: float, phase_seconds: float) -> list[float]:
    """The moments from begin to end that lie that long after whole multiples of the step."""
    first = math.ceil((begin - phase_seconds) / step_seconds)
    return [phase_seconds + index * step_seconds for index in range(first, math.floor((end - phase_seconds) / step_seconds) + 1)]


def without(moments: Iterable[float], *outages: tuple[float, float]) -> list[float]:
    """The moments that lie in no outage, which holds its begin and not its end."""
    return [at for at in moments if not any(begin <= at < end for begin, end in outages)]


@dataclass(frozen=True)
class Life:
    """One process: when it began, and when it ended."""

    began: float
    ended: float = math.inf

    def is_alive(self, at: float) -> bool:
        return self.began <= at < self.ended


@dataclass
class Pair:
    """The copies by name with the moments at which each scrapes, and the instances that they scrape.

    `clocks` says by how many seconds a copy's clock is ahead: it tells of a moment that much earlier than it says.
    """

    copies: Mapping[str, Sequence[float]]
    clocks: Mapping[str, float] = field(default_factory=dict)
    label: str = COPY_LABEL
    series: list[TrueSeries] = field(default_factory=list)
    _instances: list[tuple[str, float, Sequence[Life]]] = field(default_factory=list)

    def instance(self, model: str, name: str, lives: Sequence[Life], rate: float, *, tells_starts: bool = True, **more: str) -> None:
        """Processes at one address, one after the other, each with requests, errors and latencies, that count from zero."""
        self._instances.append((model, rate, lives))
        for copy, moments in self.copies.items():
            seen = [(at, life) for at in moments if (life := self._alive(lives, at - self.clocks.get(copy, 0.0))) is not None]
            target = {"instance": name, "job": "serving", self.label: copy, **more}
            for metric, labels, share in _counters(model):
                samples = tuple((at, _counted(life, at - self.clocks.get(copy, 0.0), rate, share, whole=not metric.endswith("_sum"))) for at, life in seen)
                self.series.append(TrueSeries(metric, {**labels, **target}, samples))
            if tells_starts:
                self.series.append(TrueSeries("process_start_time_seconds", target, tuple((at, life.began) for at, life in seen)))

    def truth(self) -> PrometheusTruth:
        """What the store holds."""
        found = PrometheusTruth(start=0.0, end=0.0)
        found.series = [each for each in self.series if each.samples]
        return found

    def requests(self, since: float, until: float) -> dict[str, float]:
        """What each model has answered from one moment to another, as far as any copy saw it: of each process from scrape to scrape, from zero on."""
        moments = [(at, at - self.clocks.get(copy, 0.0)) for copy, each in self.copies.items() for at in each]
        found = dict.fromkeys((model for model, _, _ in self._instances), 0.0)
        for model, rate, lives in self._instances:
            for life in lives:
                seen = [(at, _counted(life, true_at, rate, 1.0)) for at, true_at in moments if life.is_alive(true_at)]
                before, after = (max((value for at, value in seen if at <= edge + _SAME_MOMENT_SECONDS), default=0.0) for edge in (since, until))
                found[model] += after - before
        return found

    @staticmethod
    def _alive(lives: Sequence[Life], at: float) -> Life | None:
        return next((life for life in lives if life.is_alive(at)), None)


def _counters(model: str) -> list[tuple[str, dict[str, str], float]]:
    latency, labels = "ab_test_response_time_seconds", {"model_name": model}
    buckets = [(f"{latency}_bucket", {**labels, "le": edge}, share) for edge, share in _EDGES.items()]
    return [
        ("ab_test_requests_total", labels, 1.0),
        ("ab_test_errors_total", labels, 0.05),
        (f"{latency}_count", labels, 1.0),
        (f"{latency}_sum", labels, 0.2),
        *buckets,
    ]


def _counted(life: Life, at: float, rate: float, share: float, *, whole: bool = True) -> float:
    requests = math.floor(rate * (at - life.began) + 1e-6)
    return float(math.floor(share * requests + 1e-6)) if whole else share * requests
