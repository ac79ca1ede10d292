"""A plan as JSON: full precision, null with a reason where there is no number; `schema/` describes it."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from live_dashboards.model.measurement import Interval
from live_dashboards.model.moment import format_moment
from live_dashboards.model.planning import TEST_ROWS, AbPlan, Need, PlanInput, PlannedGate
from live_dashboards.outputs.image import ImageTexts
from live_dashboards.outputs.summary_parts import SCHEMA_VERSION, finite


def plan_text(plan: AbPlan) -> str:
    """The plan as indented JSON in ASCII."""
    return json.dumps(plan_document(plan), indent=2, allow_nan=False) + "\n"


def plan_schema() -> Any:
    """The published JSON Schema (2020-12) of a plan."""
    path = resources.files("live_dashboards.outputs").joinpath("schema/plan.schema.json")
    return json.loads(path.read_text(encoding="utf-8"))


def plan_document(plan: AbPlan) -> dict[str, Any]:
    """The plan's document."""
    return {
        "schema_version": SCHEMA_VERSION,
        "at": format_moment(plan.at),
        "experiment": plan.experiment,
        "baseline": plan.baseline,
        "challengers": list(plan.challengers),
        "splits": list(plan.splits),
        "power": plan.power_percent,
        "minimum_days": plan.minimum_days,
        "planned_requests": plan.planned_requests,
        "days": _ends(plan.days),
        "reason": plan.reason or None,
        "gates": [_gate(gate) for gate in plan.gates],
        "inputs": [_input(each) for each in plan.inputs],
        "words": list(plan.words),
    }


def _gate(gate: PlannedGate) -> dict[str, Any]:
    return {
        "gate": gate.gate,
        "metric": gate.metric,
        "title": gate.title,
        "unit": "test_rows_an_arm" if gate.unit == TEST_ROWS else "requests",
        "baseline": finite(gate.baseline_percent),
        "difference_points": gate.difference_points,
        "sequential": _need(gate.sequential),
        "fixed": _need(gate.fixed),
        "reason": gate.reason or None,
    }


def _need(need: Need) -> dict[str, Any]:
    return {"needed": finite(need.amount), "days": _ends(need.days), "reason": need.reason or None}


def _ends(days: Interval | None) -> list[float | None] | None:
    return None if days is None else [finite(days.low), finite(days.high)]


def _input(found: PlanInput) -> dict[str, Any]:
    return {
        "name": found.name,
        "value": finite(found.value),
        "unit": found.unit,
        "interval": _ends(found.interval),
        "n": found.n,
        "origin": found.origin if found.value is not None else "missing",
        "source": found.source,
        "query": found.query,
        "observed_at": format_moment(found.observed_at) if found.observed_at else None,
        "reason": found.reason or None,
        "option": found.option or None,
    }


def image_texts(plan: AbPlan) -> ImageTexts:
    """What the picture says of itself."""
    where = f" of {plan.experiment}" if plan.experiment else ""
    title = f"Plan of an A/B test{where} at {format_moment(plan.at)}"
    return ImageTexts(title, "\n".join(plan.words), plan_text(plan))
