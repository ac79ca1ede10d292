"""The questions of a reading that failed while others were answered: told in a line for each reason, since
what they ask for is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from live_dashboards.errors import SourceError
from live_dashboards.model.listing import listed
from live_dashboards.model.notices import QUESTIONS_FAILED
from live_dashboards.sources.http.failure import excerpt
from live_dashboards.sources.prometheus.exchange import Question
from live_dashboards.sources.prometheus.reply import Outcome, Reply

_METRIC = re.compile(r"([A-Za-z_:][\w:]*)[{\[]")
_METRICS_SHOWN = 4

Ask = Callable[[list[Question]], tuple[Outcome, ...]]


@dataclass(frozen=True, slots=True)
class Failure:
    """Questions that failed for one reason: what is said of them, that reason, and what to do about it."""

    found: str
    reason: str
    fix: str

    def __str__(self) -> str:
        return f"{self.found}; {self.fix}" if self.fix else self.found


class FailedQuestions:
    """Asks as `ask` does, and keeps what failed."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._asked_count = 0
        self._failed: dict[tuple[str, str], list[Question]] = {}  # by reason and remedy
        self.is_partial = False  # whether any answer lacked what some store holds

    def ask(self, questions: list[Question]) -> tuple[Outcome, ...]:
        """The outcome of each question, in their order."""
        outcomes = self._ask(questions)
        self._asked_count += len(outcomes)
        for question, outcome in zip(questions, outcomes, strict=True):
            if isinstance(outcome, SourceError) and not question.is_optional:
                self._failed.setdefault((outcome.reason, outcome.fix), []).append(question)
            self.is_partial |= isinstance(outcome, Reply) and outcome.is_partial
        return outcomes

    def failures(self) -> tuple[Failure, ...]:
        """One for each reason: how many, about which metrics, why, and what to do."""
        return tuple(
            Failure(
                f"{len(questions)} of {self._asked_count} {QUESTIONS_FAILED} (about "
                f"{_about(questions)}): {reason}",
                reason,
                fix,
            )
            for (reason, fix), questions in self._failed.items()
        )


def _about(questions: list[Question]) -> str:
    names = tuple(dict.fromkeys(name for question in questions for name in _names(question)))
    return listed(names, _METRICS_SHOWN)


def _names(question: Question) -> list[str]:
    text = question.parameters.get("query", question.path)
    return _METRIC.findall(text) or [excerpt(text)]
