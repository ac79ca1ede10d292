"""Copies of one scrape count what all of them together have seen, whatever copies and processes do: random worlds, read from real servers."""

from __future__ import annotations

import random

import pytest

from tests.sources.prometheus_reading import END, HOUR, ask, filled_engine, values
from tests.support.prometheus_truth import PrometheusTruth, TrueSeries
from tests.support.scraped_pairs import Life, Pair, scrapes, without

DAY, SPAN = 24 * HOUR, 25 * HOUR
SEEDS = (*range(9), 123, 150, 163, 294, 345)
CLOCK_SECONDS, UNHEARD_SECONDS = 1.0, 10.0


class World:
    """Two or three copies that scrape with jitter, miss scrapes and are down now and then, and instances that begin, restart, pause and end.

    `is_told`: all processes tell when they began; else a restart that no scrape saw a fall at may count for less. `unheard` is what each model grows by in the
    seconds after restarts in which a copy is not heard, where clocks differ.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 # worlds, not secrets
        self.experiment, self.is_told = f"world-{seed}", seed % 3 != 2
        step = self._random.choice((15.0, 30.0, 60.0))
        copies = {f"p{number}": self._moments(step) for number in range(self._random.choice((2, 2, 3)))}
        clock_seconds = CLOCK_SECONDS if seed % 4 == 3 else 0.0
        self.pair, self.unheard = Pair(copies, clocks={"p1": clock_seconds}), {"baseline": 1e-6, "enhanced": 1e-6}
        for model in ("baseline", "enhanced"):
            for number in range(self._random.randint(1, 3)):
                name, rate = f"{self.experiment}-{model}-{number}", self._random.choice((0.3, 1.0, 3.0))
                lives = self._lives()
                self.unheard[model] += UNHEARD_SECONDS * rate * len(lives) if clock_seconds else 0.0
                self.pair.instance(model, name, lives, rate, tells_starts=self.is_told, experiment=self.experiment)

    def _moments(self, step: float) -> list[float]:
        chance = self._random.random
        jitter, missing = self._random.choice((0.0, 0.2 * step)), self._random.choice((0.0, 0.02, 0.1))
        moments = [round(at + jitter * chance(), 3) for at in scrapes(END - SPAN, END, step, chance() * step) if chance() >= missing]
        outages = [(at, at + self._random.choice((200.0, 900.0, 3 * HOUR)) * chance()) for at in (END - chance() * SPAN for _ in range(self._random.choice((0, 2, 5))))]
        return without(moments, *outages)

    def _lives(self) -> list[Life]:
        chance = self._random.random
        begin = END - 30 * HOUR if chance() < 0.7 else END - chance() * SPAN
        end = END + HOUR if chance() < 0.7 else begin + chance() * (END - begin)
        ends = sorted(begin + chance() * (end - begin) for _ in range(self._random.choice((0, 1, 3, 8))))
        begins = [begin, *(at + self._random.choice((1.0, 20.0, 400.0)) for at in ends)]
        return [Life(round(began, 2), ended) for began, ended in zip(begins, [*ends, end], strict=True) if began < ended]


@pytest.fixture(scope="module", params=["prometheus", "victoria-metrics"])
def url(request, tmp_path_factory):
    """A server that holds all worlds."""
    truth = PrometheusTruth(start=0.0, end=0.0)
    truth.series = [TrueSeries(each.name, each.labels, each.samples) for seed in SEEDS for each in World(seed).pair.truth().series]
    with filled_engine(request.param, truth, tmp_path_factory.mktemp("worlds")) as url:
        yield url


@pytest.mark.parametrize("window_seconds", [HOUR, 5 * HOUR, DAY], ids=["1 h", "5 h", "24 h"])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_any_copy_has_seen_is_counted_once(url, seed, window_seconds):
    world = World(seed)
    answer = ask(url, window_seconds=window_seconds, experiment=world.experiment)
    assert any(text.startswith("copies of one scrape are counted once") for text in answer.status.warnings)
    true = world.pair.requests(END - window_seconds, END)
    for name, share in (("requests", 1.0), ("latency_count", 1.0), ("latency_sum", 0.2)):
        least = values(answer.instant(name))
        most = least | {each.label("model_name"): each.last for each in answer.instant(name).most}
        for model, requests in true.items():
            assert (least.get(model) or 0.0) <= share * requests + 1e-6, (name, model)
            assert not world.is_told or (most.get(model) or 0.0) >= share * (requests - world.unheard[model]), (name, model)
    blocks = {series.label("model_name"): [value or 0.0 for _, value in series.points] for series in answer.block("requests").series}
    assert {model: sum(each) for model, each in blocks.items()} == pytest.approx(values(answer.instant("requests")))
    assert min((value for each in blocks.values() for value in each), default=0.0) >= 0
