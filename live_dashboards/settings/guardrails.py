"""Reads AB_GUARDRAILS and AB_WAIVE, and lists all that is guarded: the error rate, the latency and these."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from live_dashboards.model.guarded import EventCounter, Guarded, LabelMatcher
from live_dashboards.model.metrics import (
    ERROR_RATE,
    LATENCY_GUARD,
    MEAN_LATENCY,
    OVER_OBJECTIVE,
    check_events_name,
    metric_of,
)
from live_dashboards.model.number import format_number
from live_dashboards.settings.selectors import QUOTED, selector
from live_dashboards.settings.values import positive

_EXAMPLE = 'timeouts:ab_test_timeouts_total{kind="read"}:0.1'
_PIECE = re.compile(rf"{QUOTED}|.", re.DOTALL)
_NOT_FREE = frozenset({"__name__", "model_name", "experiment"})


def guardrails(value: str) -> tuple[EventCounter, ...]:
    """Guardrails `name:counter:margin`, comma-separated: the name up to the first colon, the margin in
    percentage points after the last one; commas within braces and quotes are the counter's.
    """
    found = tuple(_guardrail(part) for part in _parts(value) if part)
    names = [each.name for each in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"two guardrails are called {twice!r}; give each a name of its own")
    if not found:
        raise ValueError(f"must be name:counter:margin, comma-separated, such as {_EXAMPLE}")
    return found


def waived(value: str) -> tuple[str, ...]:
    """The guardrails, comma-separated, that block nothing where they cannot be judged: `latency` alone."""
    names = tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
    other = [name for name in names if name != LATENCY_GUARD]
    if other or not names:
        which = f", not {', '.join(other)}" if other else ""
        raise ValueError(
            f"only {LATENCY_GUARD} can be waived{which}; give AB_WAIVE={LATENCY_GUARD}, or unset it"
        )
    return names


def mean_guarded(values: Mapping[str, Any]) -> Guarded:
    """What is guarded in the place of the share over the latency objective where there are no buckets."""
    return Guarded(
        LATENCY_GUARD,
        MEAN_LATENCY,
        "Mean latency not worse",
        float(values["AB_LATENCY_MARGIN_MS"]),
    )


def all_guarded(values: Mapping[str, Any]) -> tuple[Guarded, ...]:
    """All that is guarded by these settings, each with its margin and what counts its events, in the order of
    the page.
    """
    objective = format_number(float(values["AB_LATENCY_OBJECTIVE_MS"]), "ms")
    own: tuple[EventCounter, ...] = values["AB_GUARDRAILS"] or ()
    return (
        Guarded(
            ERROR_RATE,
            ERROR_RATE,
            "Error rate not worse",
            float(values["AB_ERROR_MARGIN_POINTS"]),
        ),
        Guarded(
            LATENCY_GUARD,
            OVER_OBJECTIVE,
            f"Over {objective} not more often",
            float(values["AB_LATENCY_MARGIN_POINTS"]),
        ),
        *(
            Guarded(
                each.name,
                each.name,
                f"{metric_of(each.name).title} not more often",
                each.margin_points,
            )
            for each in own
        ),
    )


def _parts(value: str) -> Iterator[str]:
    """The text between commas that are neither in braces nor in quotes."""
    part, depth = "", 0
    for piece in _PIECE.findall(value):
        if piece == "," and depth == 0:
            yield part.strip()
            part = ""
            continue
        depth = max(0, depth + (piece == "{") - (piece == "}"))
        part += piece
    yield part.strip()


def _guardrail(text: str) -> EventCounter:
    name, first, rest = text.partition(":")
    counter, last, margin = rest.rpartition(":")
    if not first or not last:
        raise ValueError(f"{text!r} is no name:counter:margin, such as {_EXAMPLE}")
    name = name.strip()
    check_events_name(name)
    metric, matchers = _selector(name, counter.strip())
    return EventCounter(name, metric, matchers, _margin_points(name, margin.strip()))


def _margin_points(name: str, text: str) -> float:
    try:
        found = positive(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= 100:
        raise ValueError(
            f"the margin of {name} is {text!r}; give percentage points above 0 and at most 100, such as 0.1"
        )
    return found


def _selector(name: str, text: str) -> tuple[str, tuple[LabelMatcher, ...]]:
    try:
        return selector(text, _NOT_FREE)
    except ValueError as error:
        raise ValueError(
            f"the counter of {name} is {text!r}, which cannot be read ({error}); give a metric's name, and "
            'in braces labels with =, !=, =~ or !~ and a text in quotes, as in x_total{kind="read"}'
        ) from None
