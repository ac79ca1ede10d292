"""Counts that are known only to lie between two ends: what is concluded stands where it is the same at all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from live_dashboards.analysis.at_least import at_least_words
from live_dashboards.analysis.decision import NO_VERDICT
from live_dashboards.analysis.page import Page
from live_dashboards.model.judgement import UNKNOWN, Guardrail, Verdict
from live_dashboards.model.snapshot import Accumulated, Answer, PrometheusAnswer

Judged = tuple[tuple[Guardrail, ...], Verdict]
_TELL = "let the exporters tell process_start_time_seconds or _created, as client libraries do"


def standing(page: Page, judge: Callable[[Page], Judged]) -> Judged:
    """The guardrails and the verdict of the lower ends, each as unknown where it is another one at an upper end of one model or of all.

    A guardrail's words then name both; a verdict becomes NO VERDICT, which names what it would be.
    """
    guards, verdict = judge(page)
    others = [judge(each) for each in _upper_ends(page)]
    stood = tuple(_guardrail(guard, [each[0] for each in others]) for guard in guards)
    different = sorted({each.verdict for _, each in others} - {verdict.verdict})
    if not different:
        return stood, verdict
    reasons = (f"{verdict.verdict} at the least that was counted, {' or '.join(different)} at the most", *_words(page))
    return stood, Verdict(NO_VERDICT, "1: the data allow none", reasons, (_TELL,))


def _guardrail(guard: Guardrail, others: list[tuple[Guardrail, ...]]) -> Guardrail:
    same = [each for guards in others for each in guards if (each.name, each.comparison.treatment) == (guard.name, guard.comparison.treatment)]
    different = next((each for each in same if each.outcome != guard.outcome), None)
    if different is None:
        return guard
    return replace(guard, outcome=UNKNOWN, words=f"{guard.words} at the least that was counted; {different.words} at the most")


def _words(page: Page) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for counted in page.counted.prometheus.accumulated for answer in counted.totals for text in at_least_words(answer)))


def _upper_ends(page: Page) -> Iterator[Page]:
    """The page with the upper ends of all models, and of each one alone."""
    open_ended = {most.label("model_name") for counted in page.counted.prometheus.accumulated for answer in counted.totals for most in answer.most}
    groups = [open_ended, *({model} for model in sorted(open_ended) if len(open_ended) > 1)] if open_ended else []
    for models in groups:
        yield replace(page, counted=replace(page.counted, prometheus=_raised(page.counted.prometheus, models)))


def _raised(answer: PrometheusAnswer, models: set[str]) -> PrometheusAnswer:
    return replace(answer, accumulated=tuple(_raised_counts(counted, models) for counted in answer.accumulated))


def _raised_counts(counted: Accumulated, models: set[str]) -> Accumulated:
    return replace(counted, totals=tuple(_raised_answer(answer, models) for answer in counted.totals))


def _raised_answer(answer: Answer, models: set[str]) -> Answer:
    most = {series.labels: series for series in answer.most if series.label("model_name") in models}
    return replace(answer, series=tuple(most.get(series.labels, series) for series in answer.series)) if most else answer
