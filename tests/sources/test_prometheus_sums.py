"""Sums at the edges of blocks say what each series' differences say, whatever series do: random worlds, read in both ways from the same server."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from live_dashboards.sources.prometheus.counting import growth, seams
from tests.sources.prometheus_reading import END, HOUR, ask, filled_engine, values
from tests.support.prometheus_truth import PrometheusTruth, TrueSeries

DAY = 24 * HOUR
REQUESTS, ERRORS, LATENCY = "ab_test_requests_total", "ab_test_errors_total", "ab_test_response_time_seconds"
START = "process_start_time_seconds"
SEEDS = range(8)
SCRAPE = 30.0


class World:
    """One experiment's instances: each with requests, errors and a histogram, alive for a while, with pauses, restarts, late series, new labels and edges spelt anew.

    `requests` is what each model has answered in the last 24 hours, as far as scrapes saw it: the growth of each process from scrape to scrape, from zero on.
    """

    def __init__(self, seed: int, hours: int = 25, scrape_seconds: float = SCRAPE) -> None:
        self._hours, self._pause = hours, scrape_seconds
        self.experiment, self.is_respelt = f"world-{seed}", seed % 4 == 3
        self.is_told = seed % 2 == 0
        self._random = random.Random(seed)  # noqa: S311 # worlds, not secrets
        self.series: list[TrueSeries] = []
        self.requests = {"baseline": 0.0, "enhanced": 0.0}
        for model in ("baseline", "enhanced"):
            for number in range(self._random.randint(2, 7)):
                self._add_instance({"model_name": model, "experiment": self.experiment, "instance": f"{self.experiment}-{model}-{number}", "job": "serving"})

    def _add_instance(self, labels: dict[str, str]) -> None:
        chance, span, pause = self._random.random, self._hours * HOUR, self._pause
        begin = END - span if chance() < 0.5 else END - chance() * span
        last = END if chance() < 0.5 else begin + chance() * (END - begin)
        pauses = [(at, at + chance() * 0.12 * span) for at in (begin + chance() * span for _ in range(self._random.choice((0, 0, 1, 2))))]
        restarts = sorted(begin + chance() * (last - begin) for _ in range(self._random.choice((0, 0, 1, 3))))
        moments = [begin + index * pause for index in range(int((last - begin) / pause) + 1)]
        seen = [at for at in moments if not any(low <= at < high for low, high in pauses)]
        is_told, held, each = self.is_told or chance() < 0.3, self._random.choice((0, 5, 40)), self._random.randint(1, 9)
        starts = [begin - 20.0, *restarts]
        relabelled = self._random.choice((math.inf, math.inf, *(high for _, high in pauses), *restarts, begin + chance() * (last - begin)))

        def counted(at: float, share: float) -> float:
            since = max(start for start in starts if start <= at)
            return float(int(share * ((held if since == starts[0] else 0) + each * (at - since) / pause)))

        def put(name: str, own: dict[str, str], share: float, after: float = 0.0) -> None:
            samples = [(at, counted(at, share)) for at in seen if at >= begin + after]
            self.series.append(TrueSeries(name, {**labels, **own}, tuple(sample for sample in samples if sample[0] < relabelled)))
            self.series.append(TrueSeries(name, {**labels, **own, "version": "2"}, tuple(sample for sample in samples if sample[0] >= relabelled)))
            if name == REQUESTS:
                self.requests[labels["model_name"]] += answered(samples)

        def answered(samples: list[tuple[float, float]]) -> float:
            """A process that began between two scrapes has answered all that it counts."""
            steps = pairwise([(begin - pause, 0.0), *samples])
            return sum(
                after if any(sooner < start <= later for start in restarts) else after - before
                for (sooner, before), (later, after) in steps
                if END - (span - HOUR) < later <= END
            )

        put(REQUESTS, {"status": "success"}, 1.0)
        put(REQUESTS, {"status": "error"}, 0.1, after=self._random.choice((0.0, 0.0, 2 * HOUR)))
        put(ERRORS, {}, 0.1, after=self._random.choice((0.0, 0.0, 3 * HOUR)))
        put(f"{LATENCY}_count", {}, 1.1)
        put(f"{LATENCY}_sum", {}, 0.3)
        self._add_buckets(put, begin, last)
        if is_told:
            told = tuple((at, max(start for start in starts if start <= at)) for at in seen)
            self.series.append(TrueSeries(START, {"instance": labels["instance"], "job": labels["job"]}, told))

    def _add_buckets(self, put, begin: float, last: float) -> None:
        """Now and then an edge is spelt anew, some edges are let in later than the others, or one is no number."""
        is_late = self._random.random() < 0.25
        odd = [("many", 1.0)] if self._random.random() < 0.2 else []
        for edge, share in (("0.1", 0.4), ("1", 0.9), ("2.5", 1.0), ("+Inf", 1.1), *odd):
            put(f"{LATENCY}_bucket", {"le": edge}, share, after=4 * HOUR if is_late and edge == "2.5" else 0.0)
        if self.is_respelt and self._random.random() < 0.5:
            again = begin + self._random.random() * (last - begin)
            for index, each in enumerate(self.series):
                if each.name.endswith("_bucket") and each.labels["le"] == "1" and each.labels["instance"] == self.series[-1].labels["instance"]:
                    self.series[index] = TrueSeries(each.name, each.labels, tuple(sample for sample in each.samples if sample[0] < again))
                    self.series.append(TrueSeries(each.name, {**each.labels, "le": "1.0"}, tuple(sample for sample in each.samples if sample[0] >= again)))


@pytest.fixture(scope="module", params=["prometheus", "victoria-metrics"])
def url(request, tmp_path_factory):
    """A server that holds all worlds."""
    truth = PrometheusTruth(start=END - 26 * HOUR, end=END, scrape_seconds=SCRAPE)
    for seed in SEEDS:
        truth.series += [each for each in World(seed).series if each.samples]
    with filled_engine(request.param, truth, tmp_path_factory.mktemp("worlds")) as url:
        yield url


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_answered_is_at_least_and_where_starts_are_told_at_most_what_is_counted(url, seed):
    world, answer = World(seed), ask(url, window_seconds=DAY, experiment=f"world-{seed}").instant("requests")
    least, most = values(answer), values(answer) | {each.label("model_name"): each.last for each in answer.most}
    assert {model: least[model] <= true for model, true in world.requests.items()} == dict.fromkeys(least, True), (least, world.requests)
    if world.is_told:
        assert {model: true <= most[model] for model, true in world.requests.items()} == dict.fromkeys(least, True), (most, world.requests)


def told(url: str, seed: int, window_seconds: float):
    """All that is told of counts: totals with what they may be beyond, blocks, timelines, the period."""
    answer = ask(url, window_seconds=window_seconds, experiment=f"world-{seed}")
    names = ("requests", "requests_24h", "errors", "latency_count", "latency_sum", "latency_buckets")
    totals = {name: {each.labels: each.last for each in answer.instant(name).series} for name in names}
    more = {name: {each.labels: each.last for each in answer.instant(name).most} for name in names}
    blocks = {name: {(each.labels, at): value for each in answer.block(name).series for at, value in each.points} for name in ("requests", "errors", "latency_count")}
    lines = {name: {(each.labels, at): value for each in answer.timeline(name).series for at, value in each.points} for name in ("request_rate", "response_time")}
    periods = {(period.start_seconds, name): values(period.total(name)) for period in answer.accumulated for name in ("requests", "errors")}
    assert not answer.status.failures
    return {"totals": totals, "more": more, "blocks": blocks, "lines": lines, "periods": periods}


@pytest.mark.parametrize("window_seconds", [2 * HOUR, DAY], ids=["2 h", "24 h"])
@pytest.mark.parametrize("seed", SEEDS)
def test_sums_say_what_differences_say(url, seed, window_seconds, monkeypatch):
    by_sums = told(url, seed, window_seconds)
    monkeypatch.setattr(growth, "is_summed", lambda *_: False)
    monkeypatch.setattr(seams.Looking, "is_summed", False)
    by_differences = told(url, seed, window_seconds)
    for part, of_names in by_differences.items():
        for name, expected in of_names.items():
            found = differing(by_sums[part][name], expected)
            assert not {key: pair for key, pair in found.items() if name != "latency_buckets" or not is_late_edge(key, *pair)}, (part, name)


def differing(found, expected):
    """Where two answers differ by more than rounding, and both values."""
    pairs = {key: (found.get(key), expected.get(key)) for key in {*found, *expected}}
    return {
        key: (one, other) for key, (one, other) in pairs.items() if one != other and (one is None or other is None or one != pytest.approx(other, rel=1e-9, abs=1e-6))
    }


def is_late_edge(key, one, other):
    """An edge that is let in later than the others is looked for with sums alone: they also count, or tell as open, what it held and grew by in its first block."""
    return ("le", "2.5") in key and one is not None and (other is None or one > other)
