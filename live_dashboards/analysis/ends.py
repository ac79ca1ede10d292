"""What Prometheus' answer would be at the other ends of counts that are known only to be at least
something.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from live_dashboards.model.snapshot import Accumulated, Answer, PrometheusAnswer, Timeline
from live_dashboards.model.variants import Roles

# one may be at its most where the other is at its least: they may be counted by series that began apart
_ERRORS, _OTHERS = "errors", "others"
_GROUPS = (_ERRORS, _OTHERS)


def other_ends(answer: PrometheusAnswer, roles: Roles) -> tuple[PrometheusAnswer, ...]:
    """The answer with each mixture of upper ends: of the baseline's and the other variants' errors, and of
    their other counters; none where all is known.
    """
    sides = (
        [model for model, variant in roles.by_model.items() if variant == roles.baseline],
        [model for model, variant in roles.by_model.items() if variant != roles.baseline],
    )
    open_ended = [
        [group for group in _GROUPS if _is_open(answer, group, models)] for models in map(frozenset, sides)
    ]
    choices = [tuple(_subsets(groups)) for groups in open_ended]
    raised = (
        {
            (model, group)
            for models, groups in zip(sides, chosen, strict=True)
            for model in models
            for group in groups
        }
        for chosen in product(*choices)
        if any(chosen)
    )
    return tuple(_raised(answer, frozenset(each)) for each in raised)


def _subsets(groups: list[str]) -> Iterator[frozenset[str]]:
    for kept in product((False, True), repeat=len(groups)):
        yield frozenset(group for group, is_kept in zip(groups, kept, strict=True) if is_kept)


def _is_open(answer: PrometheusAnswer, group: str, models: frozenset[str]) -> bool:
    several = (*answer.instants, *(total for counted in answer.accumulated for total in counted.totals))
    return any(
        _group(each) == group and most.label("model_name") in models for each in several for most in each.most
    )


def _group(answer: Answer) -> str:
    return _ERRORS if answer.name == _ERRORS else _OTHERS


def _raised(answer: PrometheusAnswer, ends: frozenset[tuple[str, str]]) -> PrometheusAnswer:
    accumulated = tuple(_raised_counts(counted, ends) for counted in answer.accumulated)
    return replace(
        answer,
        instants=tuple(_raised_answer(each, ends) for each in answer.instants),
        accumulated=accumulated,
    )


def _raised_counts(counted: Accumulated, ends: frozenset[tuple[str, str]]) -> Accumulated:
    totals = tuple(_raised_answer(each, ends) for each in counted.totals)
    requests = counted.block("requests")
    blocks = tuple(
        _spread_errors(each, requests, ends) if each.name == _ERRORS else _raised_answer(each, ends)
        for each in counted.blocks
    )
    return replace(counted, totals=totals, blocks=blocks)


def _raised_answer(answer: Answer, ends: frozenset[tuple[str, str]]) -> Answer:
    most = {
        series.labels: series
        for series in answer.most
        if (series.label("model_name"), _group(answer)) in ends
    }
    return (
        replace(answer, series=tuple(most.get(series.labels, series) for series in answer.series), most=())
        if answer.most
        else answer
    )


def _spread_errors(errors: Answer, requests: Answer, ends: frozenset[tuple[str, str]]) -> Answer:
    """Errors by block at their most: what was already there when a series was first seen happened some time
    before, at no moment that is told.

    It is spread over the requests of its model up to then, as whole errors; in the one block of the first
    sight it would look like a burst.
    """
    if not errors.most:
        return errors
    most = {series.labels: series for series in errors.most if (series.label("model_name"), _ERRORS) in ends}
    by_model = {series.label("model_name"): series for series in requests.series}
    return replace(
        errors,
        series=tuple(
            _spread(series, most[series.labels], by_model.get(series.label("model_name")))
            if series.labels in most
            else series
            for series in errors.series
        ),
        most=(),
    )


def _spread(least: Timeline, most: Timeline, requests: Timeline | None) -> Timeline:
    found = {end: value or 0.0 for end, value in least.points}
    for end, value in most.points:
        more = (value or 0.0) - found.get(end, 0.0)
        if more <= 0:
            continue
        weights = [
            (each, n) for each, n in (requests.points if requests is not None else ()) if each <= end and n
        ] or [(end, 1.0)]
        whole, so_far, given = sum(n for _, n in weights), 0.0, 0
        for each, n in weights:
            so_far += n
            share = round(more * so_far / whole) - given
            given += share
            found[each] = found.get(each, 0.0) + share
    return replace(least, points=tuple(sorted(found.items())))
