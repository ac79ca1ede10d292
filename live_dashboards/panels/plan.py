"""How long a planned test takes: a row a gate, however often one looks and at one look; and the numbers that
it starts from.
"""

from __future__ import annotations

from live_dashboards.model.chart import (
    Cell,
    Column,
    Guide,
    Mark,
    Room,
    Row,
    Rows,
    Said,
    Scale,
    Table,
    TableRow,
    Words,
)
from live_dashboards.model.measurement import Origin
from live_dashboards.model.number import format_percent
from live_dashboards.model.planning import REQUESTS, AbPlan, PlanInput, PlannedGate
from live_dashboards.model.presentation import FAINT, INK, MUTED, variant_style
from live_dashboards.model.report import Head

_SUBTITLE = (
    "requests of all arms until it can be decided; filled: however often one looks, hollow: at one look, "
    "dashed: AB_PLANNED_REQUESTS"
)
_NOTE = "what is taken for true: no difference of a guardrail, the effect to find of the success metric"


def head(plan: AbPlan) -> Head:
    """Which gate takes longest."""
    counted = [gate for gate in plan.gates if gate.unit == REQUESTS and gate.sequential.amount is not None]
    title = "Nothing that accumulates can be planned"
    if counted:
        title = f"{max(counted, key=lambda gate: gate.sequential.amount or 0.0).title} takes longest"
    return Head(title, _SUBTITLE, Origin.LIVE, note=_NOTE)


def rows(plan: AbPlan) -> Rows:
    """A row a gate from 0; what is tested once has rows of test sets, which are no requests."""
    planned = plan.planned_requests
    return Rows(
        tuple(map(_row, plan.gates)),
        Scale("count", around=(0.0, *([float(planned)] if planned else [])), floor=0.0),
        "requests of all arms",
        empty="nothing to plan",
        guides=() if planned is None else (Guide(float(planned), "under"),),
        room=Room(names_inches=2.3, numbers_share=0.36),
        is_joined=True,
    )


def _row(gate: PlannedGate) -> Row:
    below = (
        None
        if gate.baseline_percent is None
        else Words(f"from {format_percent(gate.baseline_percent)}", FAINT)
    )
    if gate.reason:
        return Row(gate.title, colour=FAINT, reason=gate.reason, below=below)
    numbers = (Words(gate.sequential_words),)
    fixed = Words(f"at one look {gate.fixed_words}", MUTED)
    if gate.unit != REQUESTS:
        return Row(
            gate.title, (), numbers, inside="of test sets: not on this axis", below=below, number_below=fixed
        )
    return Row(gate.title, _marks(gate), numbers, below=below, number_below=fixed)


def _marks(gate: PlannedGate) -> tuple[Mark, ...]:
    style = variant_style(0)
    found = (
        (gate.fixed.amount, gate.fixed_words, False),
        (gate.sequential.amount, gate.sequential_words, True),
    )
    return tuple(
        Mark("dot", style.colour, amount, style=style, is_filled=is_filled, said=(Said(words),))
        for amount, words, is_filled in found
        if amount is not None
    )


def inputs(plan: AbPlan) -> Table:
    """A row a number."""
    columns = (Column("number", 0.26), Column("value", 0.12), Column("from", 0.62))
    return Table("What the plan starts from", columns, tuple(map(_input, plan.inputs)))


def inputs_head(plan: AbPlan) -> Head:
    """How many are measured."""
    measured = sum(each.origin == "measured" and each.value is not None for each in plan.inputs)
    title = f"{measured} of {len(plan.inputs)} numbers are measured"
    return Head(title, "what the plan starts from", Origin.LIVE)


def _input(found: PlanInput) -> TableRow:
    colour = INK if found.value is not None else FAINT
    cells = (Cell(found.title, colour), Cell(found.value_words, colour), Cell(found.origin_words, MUTED))
    return TableRow(cells)
