"""Counts that are only the least that they can be, in words."""

from __future__ import annotations

from collections.abc import Iterator

from live_dashboards.model.metrics import EXPORTED
from live_dashboards.model.number import format_count
from live_dashboards.model.snapshot import Answer, PrometheusAnswer

OF_A_PARTIAL_ANSWER = "of a partial answer: what some store behind Prometheus holds is missing"
TELL_STARTS = f"let the exporters tell {EXPORTED.process_start} or {EXPORTED.created}, as client libraries do"
AT_LEAST = "at least, and at most "
_COUNTED = ("requests", "errors", "latency_count")
WHY = "as what series had counted when they began cannot be told"


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
    in_window = tuple(words for name in _COUNTED for words in at_least_words(answer.instant(name)))
    since = (
        words
        for each in answer.accumulated[:1]
        for name in _COUNTED
        for words in at_least_words(each.total(name))
    )
    return in_window or tuple(f"since the start of the test, {words}" for words in since)
