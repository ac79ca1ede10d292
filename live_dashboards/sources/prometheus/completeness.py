"""The connection test of whether Prometheus' answers hold all that was asked for: a line for each thing that
they lack, with its own fix.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from live_dashboards.model.notices import (
    ADDED_TOGETHER,
    COUNTED_BY_RULES,
    COUNTED_ONCE,
    COUNTED_TWICE,
    EDGES_LEFT_OUT,
    ESTIMATES,
    MISSING_STEPS,
    NO_PERCENTILES,
    NO_SUM,
    NOT_READ,
    NOT_RECORDED,
    NOT_THERE,
    OLDER_RULES,
    PERHAPS_TWICE,
    START_NOT_EXACT,
    TELL_STARTS,
    TWO_KINDS,
    WHICH_COUNT,
    Check,
    CheckState,
    all_at_least_words,
)
from live_dashboards.model.snapshot import PrometheusAnswer
from live_dashboards.sources.prometheus.exchange import Failure
from live_dashboards.sources.prometheus.recorded import FILL_IN, LOAD_PRESENT

COMPLETE = "Prometheus completeness"
OF_COPIES = (COUNTED_ONCE, COUNTED_TWICE, PERHAPS_TWICE, NOT_THERE)
_CHOICES = (COUNTED_BY_RULES, WHICH_COUNT)
_ASK_RAW = "PROMETHEUS_RECORDED=off asks them without this note"
_STORES = "look at the stores behind this Prometheus"
_FIXES = (  # by a part of what is told: what to do, and the finding's name for programs
    (OLDER_RULES, LOAD_PRESENT, "older_rules"),
    (ESTIMATES, "see why instances restart again and again", "estimates"),
    (
        "restarted so often that their counts are estimates",
        "see why instances restart again and again",
        "estimates",
    ),
    (
        MISSING_STEPS,
        (
            "see why the rules were not evaluated: Prometheus was down, or an evaluation took "
            "longer than its interval"
        ),
        "missing_steps",
    ),
    ("that cannot be, such as", "see what the exporter or the query gives there", "impossible_values"),
    (ADDED_TOGETHER, "choose one with --experiment or AB_EXPERIMENT", "several_experiments"),
    (EDGES_LEFT_OUT, "let all instances export the same buckets", "unlike_buckets"),
    (NO_PERCENTILES, "let all instances export the same buckets", "unlike_buckets"),
    (NO_SUM, "find the observation that is no number; after a restart the sum is one again", "nan_sum"),
    (NOT_READ, "ask a newer server, or let the exporter expose classic buckets too", "native_histograms"),
    (START_NOT_EXACT, "set AB_START, or let Prometheus answer all questions", "start_not_exact"),
)


def look_at_completeness(answer: PrometheusAnswer, failures: Sequence[Failure]) -> Iterator[Check]:
    """A warning for each thing that is missing or open; else that there is none, with the choices that were
    made.
    """
    found = [*_failed(failures), *_told(answer), *_at_least(answer)]
    yield from found
    if not found:
        choices = [text for text in answer.status.warnings if _is_choice(text)]
        yield Check(COMPLETE, CheckState.OK, "; ".join(("the answers came without warnings", *choices)))


def _is_choice(text: str) -> bool:
    return text.startswith(_CHOICES) or TWO_KINDS in text


def _failed(failures: Sequence[Failure]) -> Iterator[Check]:
    for each in failures:
        yield _warning(each.found, each.fix, "failed_questions")


def _told(answer: PrometheusAnswer) -> Iterator[Check]:
    """What was told beside the answers; what nobody here knows is the server's own word, of stores where its
    answer is partial.
    """
    status, others = answer.status, []
    for text in status.warnings:
        if text in status.failures or _is_choice(text) or text.startswith(OF_COPIES):
            continue
        known = next(((fix, code) for part, fix, code in _FIXES if part in text), None)
        if text.startswith(NOT_RECORDED):
            yield _warning(
                text.removesuffix(f": {FILL_IN}"),
                FILL_IN if text.endswith(FILL_IN) else _ASK_RAW,
                "not_recorded",
            )
        elif known is not None:
            yield _warning(text.removesuffix(known[0]).rstrip(":; "), *known)
        else:
            others.append(text)
    if others or status.is_partial:
        yield _warning(
            "; ".join(others) or "the answer is partial",
            _STORES if status.is_partial else "",
            "partial" if status.is_partial else "remarks",
        )


def _at_least(answer: PrometheusAnswer) -> Iterator[Check]:
    words = all_at_least_words(answer)
    if words:
        yield _warning("; ".join(words), TELL_STARTS, "at_least")


def _warning(found: str, fix: str, code: str) -> Check:
    return Check(COMPLETE, CheckState.WARNING, found, fix, code)
