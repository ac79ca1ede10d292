"""What must not get worse: the error rate, and the share of requests slower than the objective, each within its margin."""

from __future__ import annotations

import math
from dataclasses import dataclass

from live_dashboards.analysis.page import Facts
from live_dashboards.analysis.proportions import Counts, non_inferiority
from live_dashboards.analysis.traffic_facts import bucket_counts
from live_dashboards.analysis.variants import Roles
from live_dashboards.model.number import format_number, format_percent
from live_dashboards.settings import Settings

SHOWN, NOT_SHOWN, HARM, UNKNOWN = "shown", "not_shown", "harm", "unknown"


@dataclass(frozen=True, slots=True)
class Guardrail:
    """One guardrail: `outcome` is shown (not worse by the margin), not_shown, harm or unknown; `words` the numbers behind it, margin in points."""

    name: str
    label: str
    outcome: str
    words: str
    margin_points: float
    treatment: Counts | None = None
    control: Counts | None = None


def guardrails(facts: Facts, roles: Roles, settings: Settings) -> tuple[Guardrail, ...]:
    """Error rate and latency of the challenger against the baseline, over the window."""
    return _error_rate(facts, roles, settings), _latency(facts, roles, settings)


def _error_rate(facts: Facts, roles: Roles, settings: Settings) -> Guardrail:
    margin = float(settings["AB_ERROR_MARGIN_POINTS"])
    rates = [facts.of(name).error_rate for name in roles.pair]
    if len(rates) < 2 or any(rate.value is None or not rate.n for rate in rates):
        reason = next((rate.reason for rate in rates if rate.value is None), None) or "there is no challenger"
        return Guardrail("error_rate", "Error rate not worse", UNKNOWN, str(reason), margin)
    control, treatment = (Counts(round((rate.value or 0.0) / 100 * (rate.n or 1)), rate.n or 1) for rate in rates)
    return _judged("error_rate", "Error rate not worse", treatment, control, margin=margin)


def _latency(facts: Facts, roles: Roles, settings: Settings) -> Guardrail:
    margin, objective_ms = float(settings["AB_LATENCY_MARGIN_POINTS"]), float(settings["AB_LATENCY_OBJECTIVE_MS"])
    label = f"Slower than {format_number(objective_ms, 'ms')} not more often"
    arms = [bucket_counts(facts.prometheus, roles, name) for name in roles.pair]
    edge = _edge(arms, objective_ms / 1000)
    if len(arms) < 2 or edge is None or any(_whole(arm) < 1 for arm in arms):
        reason = facts.prometheus.instant("latency_buckets").reason or "no histogram of response times for both variants"
        return Guardrail("latency", label, UNKNOWN, facts.prometheus.status.reason or reason, margin)
    control, treatment = (Counts(_whole(arm) - min(_whole(arm), round(arm[edge])), _whole(arm)) for arm in arms)
    note = "" if math.isclose(edge * 1000, objective_ms) else f"; {objective_ms:g} ms is no bucket edge, so {edge * 1000:g} ms is judged"
    return _judged("latency", label, treatment, control, margin=margin, note=note)


def _edge(arms: list[dict[float, float]], objective_seconds: float) -> float | None:
    """The finite bucket edge, shared by all arms, that is nearest to the objective."""
    shared = set.intersection(*(set(arm) for arm in arms)) - {math.inf} if arms else set()
    return min(shared, key=lambda edge: abs(edge - objective_seconds), default=None)


def _whole(arm: dict[float, float]) -> int:
    return round(arm.get(math.inf, 0.0))


def _judged(name: str, label: str, treatment: Counts, control: Counts, *, margin: float, note: str = "") -> Guardrail:
    outcome = non_inferiority(treatment, control, margin / 100).outcome
    words = f"{format_percent(100 * treatment.proportion)} against {format_percent(100 * control.proportion)}, margin {margin:g} pt{note}"
    return Guardrail(name, label, outcome, words, margin, treatment, control)
