"""Whether recorded steps hold a period whole: enough of its steps, and where its start was found in them, a
step before that start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from live_dashboards.errors import SourceError
from live_dashboards.sources.prometheus.exchange import Question, instant
from live_dashboards.sources.prometheus.recorded import RECORDED_UNTIL, STEP_SECONDS
from live_dashboards.sources.prometheus.recorded_scope import (
    ENOUGH_STEPS,
    estimates,
    missing_steps,
    older_rules,
    steps_questions,
    steps_share,
    utc_words,
)
from live_dashboards.sources.prometheus.reply import Outcome
from live_dashboards.sources.prometheus.scope import Scope

_STEPS_BEFORE = f"count_over_time({RECORDED_UNTIL}[1h])"
_FILL_IN = "fill in the past with promtool (docs/scaling.md)"


@dataclass(frozen=True, slots=True)
class Memory:
    """Whether nothing of a period is forgotten, else what is lacking with its fix; and what is told of the
    little that is missing, and of estimates.
    """

    is_whole: bool
    lack: str = ""
    told: tuple[str, ...] = ()


def memory_questions(scope: Scope, start_seconds: float) -> list[Question]:
    """What there is to tell of the period's steps, and whether there are any before the one in which its
    traffic was first seen.

    A found start is up to 15 s after the moment of that step.
    """
    return [*steps_questions(scope), instant(_STEPS_BEFORE, start_seconds - STEP_SECONDS / 2)]


def memory(scope: Scope, start_seconds: float, outcomes: Sequence[Outcome], *, is_found: bool) -> Memory:
    """The answers' meaning: a start that is the first step of all is where the rules began, and says nothing
    of the test.
    """
    steps, estimated, older, before = outcomes
    share = steps_share(steps, scope.window_seconds)
    if share < ENOUGH_STEPS:
        return Memory(
            False,
            f"the rules have recorded {100 * share:.0f} % of the steps since then, and "
            f"what was counted in the others is missing: {_FILL_IN}",
        )
    if is_found and (isinstance(before, SourceError) or not before.series):
        return Memory(
            False,
            "the rules have recorded nothing before, so the test may have begun earlier: "
            f"{_FILL_IN}, or set AB_START",
        )
    span = f"the analysis period since {utc_words(start_seconds)}"
    return Memory(
        True, told=(*missing_steps(share, span), *estimates(estimated, span), *older_rules(older, span))
    )
