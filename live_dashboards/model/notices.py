"""One line of the connection test: what was looked at, what was found, and what the reader can do about
it.

What is told beside the numbers, by weight: what makes them wrong or doubtful first, how they were counted
last; and counts that are only the least that they can be, in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from live_dashboards.model.metrics import EXPORTED
from live_dashboards.model.number import format_count
from live_dashboards.model.snapshot import COUNTS, Answer, PrometheusAnswer

COUNTED_TWICE = "requests are counted more than once"
PERHAPS_TWICE = "requests may be counted twice"
COUNTED_ONCE = "copies of one scrape are counted once"
NOT_THERE = "PROMETHEUS_REPLICA_LABELS names"
QUESTIONS_FAILED = "questions failed, what they ask for is missing"
PARTIAL = (
    "Prometheus says that its answer is partial, so every count is at least what is shown: look at "
    "the stores behind it"
)
AT_LEAST = ": at least "
START_NOT_EXACT = "is not known exactly, as a question about it failed"
OLDER_RULES = "what an older version of the rules has recorded in"
MISSING_STEPS = "were not recorded, and what was counted in them is missing"
ESTIMATES = "of the requests of"
ADDED_TOGETHER = "are added together"
ASSUMED_ZERO = "so that 0 is assumed"
WHICH_COUNT = "which series count: "
NAMED_AS = "names in Prometheus are those of "
NOT_RECORDED = "every instance's series were asked, not what the rules recorded"
COUNTED_BY_RULES = "counts come from recording rules"
HISTOGRAMS = "the response times"  # so begin remarks on which histograms are read
TWO_KINDS = "are there as classic and as native histograms"
COUNT_TOGETHER = "count together as variant"
EDGES_LEFT_OUT = "are left out: some instances lacked them at times"
NO_SUM = "is no number (NaN) at times"
NOT_READ = "whose newest value this server does not tell"
NO_PERCENTILES = "have no percentiles"

_WRONG = (COUNTED_TWICE, QUESTIONS_FAILED, PARTIAL)
_DOUBTFUL = (
    PERHAPS_TWICE,
    AT_LEAST,
    START_NOT_EXACT,
    ADDED_TOGETHER,
    NOT_THERE,
    OLDER_RULES,
    MISSING_STEPS,
    EDGES_LEFT_OUT,
    NO_SUM,
    NOT_READ,
    NO_PERCENTILES,
)
_LEFT_OUT = (f"{WHICH_COUNT}none of", "; not those of ", ASSUMED_ZERO, ESTIMATES)
_HOW = (NAMED_AS, NOT_RECORDED, COUNTED_BY_RULES, COUNTED_ONCE, WHICH_COUNT, TWO_KINDS, COUNT_TOGETHER)
_BY_WEIGHT = (_WRONG, _DOUBTFUL, _LEFT_OUT)

OF_A_PARTIAL_ANSWER = "of a partial answer: what some store behind Prometheus holds is missing"
TELL_STARTS = f"let the exporters tell {EXPORTED.process_start} or {EXPORTED.created}, as client libraries do"
AT_LEAST_AND_AT_MOST = "at least, and at most "
_NOT_TOLD = COUNTS - {"requests", "latency_count"}  # with one of these
WHY = "as what series had counted when they began cannot be told"


class CheckState(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """A finished check: `found` is one sentence, `fix` what to do (empty where there is nothing to do),
    `code` names the finding for programs.
    """

    name: str
    ok: CheckState
    found: str
    fix: str = ""
    code: str = ""

    @property
    def has_failed(self) -> bool:
        """Whether this makes the connection test fail."""
        return self.ok is CheckState.FAILED


def by_weight(notices: Iterable[str]) -> tuple[str, ...]:
    """Each once, the weightiest first; of the same weight as they came."""
    return tuple(sorted(dict.fromkeys(notices), key=_weight))


def is_how_counted(notice: str) -> bool:
    """Whether it tells nothing but how something was counted."""
    return _weight(notice) > len(_BY_WEIGHT)


def _weight(notice: str) -> int:
    found = next(
        (weight for weight, parts in enumerate(_BY_WEIGHT) if any(part in notice for part in parts)), None
    )
    if found is not None:
        return found
    # what nobody here knows comes before how it was counted
    return len(_BY_WEIGHT) + any(part in notice for part in _HOW)


def at_least_words(answer: Answer) -> Iterator[str]:
    """What is told of the counts of an answer that are only the least that they can be."""
    if answer.name.startswith("latency_within"):
        return  # with the number of all
    least = {series.labels: series.last for series in answer.series}
    for most in answer.most:
        named, low, high = most.label("model_name"), least.get(most.labels), most.last
        if "le" not in dict(most.labels) and low is not None and high is not None:
            words = answer.name.replace("_", " ")
            yield (
                f"{words} of {named or 'a model'}: at least {format_count(low)}, at most "
                f"{format_count(high)}, {WHY}"
            )


def all_at_least_words(answer: PrometheusAnswer) -> tuple[str, ...]:
    """What is told of the window's counts that are only the least that they can be; of those since the start
    of the test where the window's are known.
    """
    in_window = _at_least_words(answer.instants)
    since = (words for each in answer.accumulated[:1] for words in _at_least_words(each.totals))
    return in_window or tuple(f"since the start of the test, {words}" for words in since)


def _at_least_words(answers: Iterable[Answer]) -> tuple[str, ...]:
    told = (answer for answer in answers if answer.name not in _NOT_TOLD)
    return tuple(words for answer in told for words in at_least_words(answer))
