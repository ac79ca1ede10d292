"""A label that goes back and forth on one process is no new process: its counters go on, whichever of the names they have."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from tests.sources.prometheus_reading import END, HOUR, ask, filled_engine, labels, values
from tests.sources.test_prometheus_counts import DAY, ERRORS, LATENCY, MODELS, REQUESTS, START, day_truth, most, series

RATES = {"baseline": 0.25, "enhanced": 0.5}  # of requests a second
FAILED, QUICK = 0.04, 0.6  # of the requests: those that fail, those within 0.1 s
MEAN_SECONDS = 0.25  # of a response; a sum of such is exact
SHARES = {"requests": 1.0, "latency_count": 1.0, "errors": FAILED}
CREATED = tuple(f"{metric.removesuffix('_total')}_created" for metric in (REQUESTS, ERRORS, LATENCY))
TELLS = ((), ("start",), ("created",), ("start", "created"))
OLD, NOW = (END - 26 * HOUR) // HOUR * HOUR, END // 300 * 300


@dataclass(frozen=True)
class State:
    """What a scrape sees: under which name a process is there, how long it has worked, when it began."""

    name: str
    worked_seconds: float
    began: float


World = Callable[[float], State | None]


def scrapes(pause=60.0, phase=7.0):
    return [OLD + phase + index * pause for index in range(int((NOW - OLD - phase) / pause) + 1)]


def told_by(state, rate, tells):
    """What a process tells of itself, by metric and further labels."""
    answered = int(rate * state.worked_seconds)
    found = {(REQUESTS, ""): answered, (ERRORS, ""): int(FAILED * answered), (f"{LATENCY}_count", ""): answered, (f"{LATENCY}_sum", ""): MEAN_SECONDS * answered}
    found |= {(f"{LATENCY}_bucket", edge): int(share * answered) for edge, share in (("0.1", QUICK), ("0.5", 0.9), ("+Inf", 1.0))}
    found |= dict.fromkeys(((metric, "") for metric in CREATED if "created" in tells), state.began + 3.0)
    return found | ({(START, ""): state.began - 1.0} if "start" in tells else {})


def stored(truth, model, experiment, world: World, *, label, tells, moments):
    """What scrapes at these moments store of a world."""
    samples: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for at in moments:
        state = world(at)
        for (metric, edge), value in told_by(state, RATES[model], tells).items() if state is not None else ():
            samples.setdefault((metric, edge, state.name), []).append((at, float(value)))
    for (metric, edge, name), points in samples.items():
        own = labels(model, f"{experiment}-{model}", experiment=experiment, **{label: name}, **({"le": edge} if edge else {}))
        series(truth, metric, {key: value for key, value in own.items() if metric != START or key not in {"model_name", "experiment"}}, points)


def seen_growth(model, world: World, share, moments):
    """What a model's processes counted in the last day, as far as scrapes saw it: each process from zero, or from what it had in the scrape before the day."""
    total, last = 0.0, {}
    for at in moments:
        state = world(at)
        if state is not None:
            value = int(share * int(RATES[model] * state.worked_seconds))
            if at > NOW - DAY:
                total += value - last.get(state.began, 0.0)
            last[state.began] = value
    return total


def runs(seconds: Sequence[float], names: str = "ab"):
    """From when to when each name stands there: for as many seconds each, in this order again and again."""
    at, found = OLD, []
    for name, length in zip(itertools.cycle(names), itertools.cycle(seconds), strict=False):
        if at >= NOW:
            return found
        found.append((name, at, at + length))
        at += length
    return found


def run_at(found, at):
    return found[bisect_right(found, at, key=lambda each: each[1]) - 1]


def one_process(found, *, restarts=()) -> World:
    """One process whose label takes turns; it begins anew at some moments."""

    def world(at):
        began = max((each for each in restarts if each <= at), default=OLD - 5 * HOUR)
        return State(run_at(found, at)[0], at - began, began)

    return world


def deploys(found) -> World:
    """Another process in each turn, which begins with it."""

    def world(at):
        name, began, _ = run_at(found, at)
        return State(name, at - began, began)

    return world


def idle_in_turn(found, name, *, ahead=0.0) -> World:
    """A process that works and is scraped in its turns alone, and keeps what it has counted."""
    began = OLD - 5 * HOUR - ahead
    own = [(begin, end - begin) for each, begin, end in found if each == name]
    worked = dict(zip((begin for begin, _ in own), itertools.accumulate((length for _, length in own), initial=0.0), strict=False))

    def world(at):
        now, begin, _ = run_at(found, at)
        return State(name, ahead + worked[begin] + at - begin, began) if now == name else None

    return world


TURNS = {"10 min": [600.0], "1 h": [3600.0], "irregular": [400.0, 5000.0, 1300.0, 900.0, 9000.0, 610.0]}


@dataclass(frozen=True)
class Case:
    """Processes of one experiment, and what they tell of when they began; whether samples can tell all that they have counted."""

    worlds: tuple[World, ...]
    tells: tuple[str, ...]
    is_known: bool = True

    def true(self, name):
        """What was counted, by model."""
        return {model: sum(seen_growth(model, world, SHARES[name], scrapes()) for world in self.worlds) for model in MODELS}


def cases():
    found = {f"{length}, tells {'+'.join(tells) or 'nothing'}": Case((one_process(runs(TURNS[length])),), tells) for length in TURNS for tells in TELLS}
    turns = runs(TURNS["irregular"])
    for tells in ((), ("start",)):
        told, is_known = f"tells {'+'.join(tells) or 'nothing'}", "start" in tells
        found[f"begins anew within turns, {told}"] = Case((one_process(turns, restarts=[OLD + 5 * HOUR + 1700, OLD + 15 * HOUR + 150]),), tells)
        found[f"another process in each turn, {told}"] = Case((deploys(turns),), tells)
        found[f"two processes that work in turn, {told}"] = Case((idle_in_turn(turns, "a"), idle_in_turn(turns, "b", ahead=100.0)), tells, is_known)
        found[f"two of which one has counted more, {told}"] = Case((idle_in_turn(turns, "a"), idle_in_turn(turns, "b", ahead=40_000.0)), tells, is_known)
    return found


CASES = cases()


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A server that holds all cases."""
    truth = day_truth()
    for (name, case), model in itertools.product(CASES.items(), MODELS):
        for world in case.worlds:
            stored(truth, model, name, world, label="pod", tells=case.tells, moments=scrapes())
    with filled_engine("prometheus", truth, tmp_path_factory.mktemp("turns")) as url:
        yield url


@pytest.mark.parametrize("name", CASES)
def test_turns_of_a_label_count_what_its_processes_have_counted(url, name):
    answer, case = ask(url, at=NOW, window_seconds=DAY, experiment=name), CASES[name]
    for counter in SHARES:
        true, least, upper = case.true(counter), values(answer.instant(counter)), most(answer.instant(counter))
        if case.is_known:
            assert (least, upper) == (true, {}), counter
        for model in MODELS:
            assert least[model] <= true[model] <= upper.get(model, least[model]), counter
    blocks = {each.label("model_name"): sum(value or 0.0 for _, value in each.points) for each in answer.block("requests").series}
    assert blocks == values(answer.instant("requests"))
