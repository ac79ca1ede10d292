"""How often two test sets have been compared anew since the start of a test: each retrained model is another
look at accuracy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime

from live_dashboards.model.snapshot import MlflowAnswer, Run

_ALPHA = 0.05


def looks_at_accuracy(
    answer: MlflowAnswer, pair: tuple[str, str], start: datetime | None, at: datetime
) -> int:
    """How many pairs of test sets have been compared since the start; where the runs that are read do not
    reach it, as many as at their pace since.
    """
    found = pairs_in_force(answer.runs, pair, start, at)
    begins = [run.started_at for run in answer.runs if run.started_at is not None]
    is_cut = sum(each.runs for each in answer.status_counts) > len(answer.runs)
    if start is None or not is_cut or not start < min(begins, default=at) < at:
        return found
    return math.ceil(found * (at - start) / (at - min(begins)))


def pairs_in_force(runs: Iterable[Run], pair: tuple[str, str], start: datetime | None, at: datetime) -> int:
    """The distinct pairs of newest finished runs, one of each variant, that stood at any time from the start
    on, looked at or not; 1 at least.

    A run stands from its end on, until a newer one (by its start) has ended.
    """
    finished = [
        run
        for run in runs
        if run.status == "FINISHED"
        and not run.is_child
        and run.accuracy is not None
        and _ended(run) is not None
    ]
    moments = sorted(
        {
            moment
            for run in finished
            if run.variant in pair and start is not None and start < (moment := _ended(run) or at) <= at
        }
    )
    looks = [start or at, *moments]
    pairs = {
        tuple(_newest([run for run in finished if run.variant == variant], moment) for variant in pair)
        for moment in looks
    }
    return max(1, sum(None not in each for each in pairs))


def alpha_of_look(looks: int, family: int) -> float:
    """The level at which the k-th pair is judged, 0.05 / (k (k + 1)) over the challengers: 0.05 in all,
    however many will follow.
    """
    return _ALPHA / (looks * (looks + 1)) / family


def _newest(runs: Iterable[Run], moment: datetime) -> str | None:
    ended = [run for run in runs if (end := _ended(run)) is not None and end <= moment]
    return max(ended, key=lambda run: (run.started_at or moment, run.run_id)).run_id if ended else None


def _ended(run: Run) -> datetime | None:
    return run.ended_at or run.started_at
