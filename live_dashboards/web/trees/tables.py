"""What is better read than drawn: gates, inputs, assumptions, and where every number of the page comes
from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from dash import html

from live_dashboards.model.business_report import BusinessReport, InputRow, PerformanceRow
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.number import NOTHING, format_interval, format_number
from live_dashboards.model.report import AbReport
from live_dashboards.web.trees.parts import Tree, long_words, name_of, short, table

_STATE_SIGNS = {"passed": "●", "failed": "✕", "unknown": "○"}


def notices(report: AbReport) -> Tree:
    """What the sources, their clocks or their data make doubtful."""
    clocks = (
        f"{status.address or status.source}: {status.clock_warning}"
        for status in report.sources
        if status.clock_warning
    )
    found = (*report.health.notices, *clocks)
    return html.Ul([html.Li(short(notice)) for notice in found], className="notices") if found else None


def gates(report: BusinessReport) -> Tree:
    """The conditions of a decision, each with its state as sign and word."""
    rows = [
        (
            gate.label,
            html.Span(f"{_STATE_SIGNS[gate.state]} {gate.state}", className=f"state-{gate.state}"),
            long_words(gate.words),
        )
        for gate in report.gates.gates
    ]
    return table("Conditions of a decision", ("condition", "state", "numbers"), rows)


def inputs(report: BusinessReport) -> Tree:
    """What was measured."""
    names = report.variant_names
    columns = (
        "input",
        name_of(report.baseline, names),
        name_of(report.challenger, names),
        "difference",
        "95 % interval",
        "n",
        "window",
        "age",
    )
    rows = [
        (
            row.label,
            row.baseline_words,
            row.challenger_words,
            *_difference(row),
            row.n_words,
            row.window_words,
            row.age_words,
        )
        for row in report.inputs.rows
    ]
    return table("Measured inputs of the business case", columns, rows, class_name="inputs")


def _difference(row: InputRow) -> tuple[Tree, Tree]:
    if row.measurement.value is None:
        return long_words(row.measurement.reason or "not measured"), NOTHING
    return row.difference_words, row.interval_words


def ledger(report: BusinessReport) -> Tree:
    """What was assumed, whose it is, and where the answer would flip."""
    rows = [
        (
            row.assumption.name,
            row.value_words,
            row.unit_words,
            row.range_words or NOTHING,
            row.owner_words,
            row.flip.words if row.flip is not None and row.flip.amount is not None else NOTHING,
        )
        for row in report.ledger.rows
    ]
    return table(
        "Assumptions of the business case",
        ("setting", "value", "unit", "range", "whose", "answer flips"),
        rows,
    )


def performance(report: BusinessReport) -> Tree:
    """How the two models do, each value with its interval."""
    names = report.variant_names
    columns = ("quantity", name_of(report.baseline, names), name_of(report.challenger, names), "better is")
    return table("Both models", columns, [_performance(row) for row in report.performance.rows])


def _performance(row: PerformanceRow) -> tuple[Tree, ...]:
    return (
        row.label,
        _with_interval(row.baseline),
        _with_interval(row.challenger),
        "more" if row.is_higher_better else "less",
    )


def _with_interval(measurement: Measurement) -> Tree:
    if measurement.value is None:
        return long_words(f"{NOTHING} ({measurement.reason})", 120)
    value = format_number(measurement.value, measurement.unit)
    limits = measurement.interval
    return (
        value if limits is None else f"{value} ({format_interval(limits.low, limits.high, measurement.unit)})"
    )


_SHOWN_OF_QUERY, _LONGEST_QUERY = 70, 4000
PROVENANCE_COLUMNS = (
    "number",
    "value",
    "95 % interval",
    "n",
    "origin",
    "source",
    "observed at",
    "query",
    "reason",
)


def provenance(rows: Iterable[Mapping[str, Any]]) -> Tree:
    """Where every number of the page comes from, a row each, as the summaries list them."""
    return table(
        "Where every number comes from",
        PROVENANCE_COLUMNS,
        [_provenance(row) for row in rows],
        class_name="provenance",
        body_id="provenance-rows",
    )


def _provenance(row: Mapping[str, Any]) -> tuple[Tree, ...]:
    called = short(row["name"], 100)  # the service names its kinds of impact as it likes
    name = called if row["variant"] is None else f"{called} · {short(row['variant'], 60)}"
    interval = (
        NOTHING
        if row["interval"] is None
        else format_interval(row["interval"][0], row["interval"][1], row["unit"])
    )
    return (
        name,
        format_number(row["value"], row["unit"]),
        interval,
        NOTHING if row["n"] is None else f"{row['n']:,}",
        html.Span(f"{row['origin']}{', stale' if row['stale'] else ''}", className=f"origin-{row['origin']}"),
        row["source"] or NOTHING,
        _second(row["observed_at"]),
        _query(short(row["query"], _LONGEST_QUERY)),
        short(row["reason"] or ""),
    )


def _query(text: str) -> Tree:
    """The beginning of a query, and the whole of it behind that."""
    if len(text) <= _SHOWN_OF_QUERY:
        return html.Code(text) if text else NOTHING
    return html.Details([html.Summary(html.Code(short(text, _SHOWN_OF_QUERY))), html.Code(text)])


def _second(moment: str | None) -> str:
    """The moment to the second."""
    return re.sub(r"\.\d+Z$", "Z", moment) if moment else NOTHING
