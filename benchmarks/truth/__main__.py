"""`.venv-dev/bin/python -m benchmarks.truth`: every scenario, as Markdown, with the aims and what the formulas of commit 153d384 do."""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain

import numpy as np

from benchmarks.measuring import table
from benchmarks.truth import money, reports, shifts, splits
from benchmarks.truth.replay import Look, day_of, looks
from benchmarks.truth.worlds import BLOCKS_A_DAY, DAYS, HARM, NO_EFFECT, WIDTH, Numbers

_FEWEST_DAYS = 7  # AB_MINIMUM_DAYS: no SHIP before
_NEVER = float("inf")
_AIMS = {
    "independent requests": ("5", "5"),
    "bursts of 10 to 15 min": ("5", "5"),
    "6-hour incidents in one arm": ("5", "15"),
    "24-hour incidents in one arm": ("5", "30"),
    "each arm's level drifts": ("5", "28"),
    "each arm's slow share drifts": ("5", "36"),
    "2,000 sticky users": ("5", "18"),
    "2,000 sticky users, a few far more active": ("none", "none"),
    "1 to 10 % from the start": "1 h",
    "1 to 10 % from day 8 on": "17 h",
    "1 to 2 % from day 8 on": "68 h",
}


def main() -> int:
    """Prints the report; options choose how many tests are simulated."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth")
    parser.add_argument("--replays", type=int, default=200, help="simulated tests of each scenario (200)")
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--only", choices=sorted(_SECTIONS), nargs="*", default=list(_SECTIONS), help="which sections (all)")
    chosen = parser.parse_args()
    seeds = [int(seed) for seed in np.random.SeedSequence(chosen.seed).generate_state(chosen.replays)]
    with ProcessPoolExecutor() as pool:
        for name in chosen.only:
            sys.stdout.write(f"{_SECTIONS[name](lambda work: list(pool.map(work, seeds, chunksize=2)))}\n")
            sys.stdout.flush()
    return 0


Figures = tuple[float, ...]
Map = Callable[[Callable[[int], Figures]], list[Figures]]


def _no_effect(over: Map) -> str:
    """How often one of the looks of 30 days, one every four hours, says what is false."""
    rows = []
    for index, world in enumerate(NO_EFFECT):
        found = over(partial(_false_claims, index))
        shares = [f"{100 * statistics.fmean(each[place] for each in found):.1f}" for place in range(3)]
        better, harm = _AIMS[world.name]
        rows.append([world.name, shares[0], _at_most(better), shares[1], _at_most(harm), shares[2]])
        sys.stderr.write(f"{' | '.join(rows[-1])}\n")
    head = ["30 days without an effect", "better at 7 days or later, %", "aim", "harm, %", "aim", "either, formulas of 153d384, %"]
    return f"### False claims at any look\n\n{table(head, rows)}\n"


def _false_claims(index: int, seed: int) -> Figures:
    n, events = NO_EFFECT[index].counts(np.random.default_rng(seed))
    better = harm = before = False
    for look in looks(n, events, every_hours=4, until_hours=24 * DAYS):
        better |= day_of(look) >= _FEWEST_DAYS and look.safe.high < 0
        harm |= look.harm.low > 0
        before |= look.before.low > 0 or (day_of(look) >= _FEWEST_DAYS and look.before.high < 0)
    return better, harm, before


def _at_most(aim: str) -> str:
    return aim if aim == "none" else f"≤ {aim}"


def _harm(over: Map) -> str:
    """How long after it began a harm is found, the median."""
    rows = []
    for index, (world, _) in enumerate(HARM):
        found = over(partial(_found_after, index))
        now, before = (statistics.median(each[place] for each in found) for place in range(2))
        aim = _AIMS.get(world.name) or f"{1.5 * before:.3g} h"
        rows.append([world.name, _hours(now), f"≤ {aim}", _hours(before)])
        sys.stderr.write(f"{' | '.join(rows[-1])}\n")
    return f"### Time until a harm is found\n\n{table(['harm', 'limits for harm', 'aim', 'formulas of 153d384'], rows)}\n"


def _found_after(index: int, seed: int) -> Figures:
    world, day = HARM[index]
    n, events = world.counts(np.random.default_rng(seed))
    found = [_NEVER, _NEVER]
    for look in _looks_after(n, events, day):
        for place, each in enumerate((look.harm, look.before)):
            if each.low > 0:
                found[place] = min(found[place], look.hours - 24 * day)
        if _NEVER not in found:
            break
    return found[0], found[1]


def _looks_after(n: Numbers, events: Numbers, day: float) -> Iterator[Look]:
    early = looks(n, events, every_hours=1 / 12, from_hours=24 * day, until_hours=24 * day + 2)
    return chain(early, looks(n, events, every_hours=1, from_hours=24 * day + 2, until_hours=24 * DAYS))


def _hours(value: float) -> str:
    return "never" if value == _NEVER else f"{value:.2g} h" if value < 10 else f"{value:.0f} h"


def _width(over: Map) -> str:
    """The interval's width on day 8, to that of a constant rate by Sato's variance."""
    widths = [over(partial(_widths, index)) for index in range(len(WIDTH))]
    base = statistics.median(each[0] for each in widths[0])
    rows = []
    for world, found in zip(WIDTH, widths, strict=True):
        medians = [statistics.median(each[place] for each in found) / base for place in range(3)]
        rows.append([world.name, f"{medians[0]:.2f}", "≤ 1.05", f"{medians[1]:.2f}", "≤ 1.3", f"{medians[2]:.2f}"])
        sys.stderr.write(f"{' | '.join(rows[-1])}\n")
    head = ["both arms have", "by Sato", "aim", "for safety", "aim", "formulas of 153d384"]
    return f"### Width on day 8, to a constant rate's by Sato's variance\n\n{table(head, rows)}\n"


def _widths(index: int, seed: int) -> Figures:
    n, events = WIDTH[index].counts(np.random.default_rng(seed))
    (look,) = looks(n, events, every_hours=24 * 8, until_hours=24 * 8)
    sato, safe, before = (each.high - each.low for each in (look.sato, look.safe, look.before))
    return sato, safe, before


def _shifts(over: Map) -> str:
    """How often a part of a test is told at one of the daily looks of 30 days."""
    rows = []
    for index, world in enumerate(shifts.SHIFTS):
        found = over(partial(shifts.said, index))
        rows.append([world.name, *(f"{100 * statistics.fmean(each[place] for each in found):.1f}" for place in range(2))])
        sys.stderr.write(f"{' | '.join(rows[-1])}\n")
    return f"### A part that differs, at any daily look\n\n{table(['30 days', 'a beginning, %', 'the last third, %'], rows)}\n"


def _money(over: Map) -> str:
    """How often one of the looks of 30 days, one every two hours from the second day on, says that a net value of 0 is above 0, and how wide it is."""
    rows = []
    for name, hours in (("independent requests", None), ("levels that drift, memory 4 h", 4.0)):
        found = over(partial(_gains, hours))
        shares = [f"{100 * statistics.fmean(each[place] for each in found):.1f}" for place in range(2)]
        width = statistics.median(each[2] for each in found)
        rows.append([name, shares[0], "≤ 5", shares[1], f"{width:.2f}", "≤ 0.75"])
        sys.stderr.write(f"{' | '.join(rows[-1])}\n")
    head = ["a net value of 0", "above 0, %", "aim", "by 153d384's, %", "width on day 8 (errors and latency), to 153d384's of a day", "aim"]
    return f"### Money: false gains at any look\n\n{table(head, rows)}\n"


def _gains(hours: float | None, seed: int) -> Figures:
    test, step = money.world(np.random.default_rng(seed), drift_hours=hours), BLOCKS_A_DAY // 12
    looked = range(BLOCKS_A_DAY + step, DAYS * BLOCKS_A_DAY + 1, step)
    now = any((money.net(test, block).low or 0.0) > 0 for block in looked)
    before = any((money.net_before(test, block).low or 0.0) > 0 for block in looked)
    return now, before, money.traffic_width(test, 8 * BLOCKS_A_DAY) / money.traffic_width_before(test, BLOCKS_A_DAY)


def _latency(over: Map) -> str:
    """How often the limits of the latency difference on day 8 hold the true one, where each arm's level drifts."""
    rows = []
    for hours in (1.0, 4.0, 12.0):
        found = over(partial(_held, hours))
        one, always = (f"{100 * statistics.fmean(each[place] for each in found):.0f}" for place in range(2))
        rows.append([f"{hours:g} h", one, "≥ 92", always])
        sys.stderr.write(f"{' | '.join(rows[-1])}\n")
    found_in = table(["memory of each arm", "for one look, %", "aim", "at every look, %"], rows)
    return f"### Mean latency on day 8: how often its limits hold the true difference\n\n{found_in}\n"


def _held(hours: float, seed: int) -> Figures:
    _, slower = money.traffic(money.world(np.random.default_rng(seed), drift_hours=hours), 8 * BLOCKS_A_DAY)
    limits = [each for each in (slower.one_look, slower.always) if each is not None]
    return tuple(float(low <= 0 <= high) for low, high in limits)


def _splits(over: Map) -> str:
    """How often a fair split turns red at one of the looks of 30 days, and how long a split of 51 to 49 takes to."""
    aims = {"independent requests": ("3", "85 h"), "sessions of 20 requests": ("3", "none"), "400 users who stay 2 h": ("3", "none")}
    rows = []
    for index, world in enumerate(splits.WORLDS):
        fair, wrong = ([each[0] for each in over(partial(_until_red, index, share))] for share in (0.5, 0.51))
        red, found = 100 * statistics.fmean(hours < _NEVER for hours in fair), statistics.median(wrong)
        aim = aims.get(world.name, ("2" if world.told_hours else "none", "none"))
        rows.append([world.name, f"{red:.1f}", _at_most(aim[0]), _hours(found), _at_most(aim[1])])
        sys.stderr.write(f"{' | '.join(rows[-1])}\n")
    head = ["traffic of 20,000 requests a day", "a fair split is red, %", "aim", "51 to 49 is red after (median)", "aim"]
    return f"### The traffic split\n\n{table(head, rows)}\n"


def _until_red(index: int, share: float, seed: int) -> Figures:
    world = splits.WORLDS[index]
    return (splits.hours_until_red(splits.requests(np.random.default_rng(seed), world, share), world),)


def _reports(over: Map) -> str:
    """What the whole A/B report says, looked at at the end of each day."""
    rows = []
    for index, world in enumerate(reports.WORLDS):
        found = over(partial(_told, index))
        wrong, right, harm = (f"{100 * statistics.fmean(each[place] for each in found):.1f}" for place in range(3))
        rows.append([world.name, " or ".join(world.never), wrong, right if world.wanted else "", harm])
        sys.stderr.write(f"{' | '.join(rows[-1])}\n")
    head = ["test, looked at daily", "must not be said", "is said at some look, %", "SHIP at last, %", "ROLL BACK at some look, %"]
    return f"### Verdicts of the whole report (success metric: error rate)\n\n{table(head, rows)}\n"


def _told(index: int, seed: int) -> Figures:
    world = reports.WORLDS[index]
    said = reports.verdicts(world, seed)
    return any(each in world.never for each in said), said[-1] == world.wanted, "ROLL BACK" in said


_SECTIONS = {"no-effect": _no_effect, "harm": _harm, "width": _width, "money": _money, "latency": _latency, "splits": _splits, "reports": _reports, "shifts": _shifts}


if __name__ == "__main__":
    raise SystemExit(main())
