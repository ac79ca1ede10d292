"""The page around its charts, whose graphs stand for themselves: its top, the panels' heads, words and
tables, and the list of where every number comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from dash import html

from live_dashboards.model.axis import moment_words, span_words
from live_dashboards.model.business_case import BusinessReport
from live_dashboards.model.chart import Chart, Conditions, Panel, Sentences, Table
from live_dashboards.model.measurement import Origin
from live_dashboards.model.names import acts
from live_dashboards.model.number import NOTHING, format_interval, format_number
from live_dashboards.model.presentation import BADGE_SHAPES, CACHED_MARK, VERDICT_STYLES
from live_dashboards.model.report import PROJECTED, AbReport, Badge, Head

Tree = Any
"""A component, a text, or a list of them."""
PanelList = tuple[Panel[Any], ...]

LONGEST_WORDS = 300
_FEWEST_OF_WIDE, _LONGEST_OF_NARROW = 6, 120  # columns of a table that may be scrolled; characters of a cell

_STATE_SIGNS = {"passed": "●", "failed": "✕", "unknown": "○"}


def short(text: str, longest: int = LONGEST_WORDS) -> str:
    """The text in one line, cut where it is too long for anybody to read; what turns or hides letters or
    steers a terminal is taken out.
    """
    plain = " ".join(
        "".join(character for character in text if character.isspace() or not acts(character)).split()
    )
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def tag(origin: Origin) -> Tree:
    """The word that says what kind of values these are; nothing for live ones."""
    mark = f" {CACHED_MARK}" if origin is Origin.CACHED else ""
    return (
        None
        if origin is Origin.LIVE
        else html.Span(f"{origin.value.upper()}{mark}", className=f"tag tag-{origin.value}")
    )


def name_of(variant: str | None, names: Sequence[str]) -> Tree:
    """A variant's name in its colour."""
    index = names.index(variant) if variant in names else len(names)
    return html.Span(
        short(variant or "none", 60), className=f"variant variant-{min(index, 6)}", title=short(variant or "")
    )


def long_words(text: str, longest: int = LONGEST_WORDS) -> Tree:
    """Words of a table's cell, which break anywhere rather than make the table wider than its place: a reason
    holds whole queries.
    """
    return html.Span(short(text, longest), className="words")


def pairs(rows: Iterable[tuple[str, str]], class_name: str) -> Tree:
    """A list of names and what they are."""
    return html.Dl(
        [html.Div([html.Dt(name), html.Dd(short(words))]) for name, words in rows if words],
        className=class_name,
    )


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Tree]],
    *,
    class_name: str = "",
    body_id: str | None = None,
) -> Tree:
    """A table whose first cell names its row; it can be scrolled by keyboard where it is wider than its
    place.
    """
    head = html.Thead(html.Tr([html.Th(column, scope="col") for column in columns]))
    body = html.Tbody(
        [
            html.Tr([html.Th(first, scope="row"), *(html.Td(cell) for cell in cells)])
            for first, *cells in rows
        ],
        **({"id": body_id} if body_id else {}),
    )
    made = html.Table([html.Caption(caption), head, body], className=class_name)
    return html.Div(made, className="table", tabIndex=0, role="region", **{"aria-label": caption})


def in_order(page: PanelList) -> PanelList:
    """Its panels as the web page shows them: those that take its whole width come last."""
    return tuple(sorted(page, key=lambda panel: panel.is_wide))


def words(panel: Panel[Any], report: Any) -> Tree:
    """What stands below its charts, or in their place."""
    charts = panel.shown(report)
    return [tree for chart in charts for tree in _of_chart(chart, report.variant_names)] or None


def head(found: Head, name: str) -> Tree:
    """The state, the answer in words, and the measure with its unit."""
    return [
        html.H3([tag(found.origin), short(found.title, 160)], id=f"{name}-title"),
        html.P(short(found.subtitle, 200), className="subtitle"),
    ]


def reason(found: Head) -> Tree:
    """In place of a drawing what was asked and why there is nothing; above a simulated one why it had to
    be.
    """
    if found.origin is Origin.MISSING:
        return pairs(
            (("asked", found.asked), ("reason", found.reason), ("last good", found.last_good)), "why"
        )
    return html.P(short(found.reason), className="failure") if found.reason else None


def note(found: Head) -> Tree:
    """The method, n or caveat below the drawing."""
    return short(found.note, 400)


def _of_chart(chart: Chart, names: Sequence[str]) -> list[Tree]:
    """What a chart is in words: a table, a list of notices, sentences; nothing for what is drawn."""
    if isinstance(chart, Table):
        return [_table(chart, names)]
    if isinstance(chart, Conditions):
        return [_conditions(chart)]
    if not isinstance(chart, Sentences) or not chart.texts:
        return []
    if chart.are_notices:
        return [html.Ul([html.Li(short(notice)) for notice in chart.texts], className="notices")]
    return [html.P(short(text), className="said") for text in chart.texts]


def _table(chart: Table, names: Sequence[str]) -> Tree:
    headings = [
        short(column.heading) if column.variant is None else name_of(column.heading, names)
        for column in chart.columns
    ]
    is_wide = len(headings) >= _FEWEST_OF_WIDE
    rows = [
        [
            long_words(cell.more, LONGEST_WORDS if is_wide else _LONGEST_OF_NARROW)
            if cell.more
            else short(cell.text)
            for cell in row.cells
        ]
        for row in chart.rows
    ]
    return table(short(chart.caption), headings, rows, class_name="wide" if is_wide else "")


def _conditions(chart: Conditions) -> Tree:
    rows = [
        (
            short(condition.label),
            html.Span(
                f"{_STATE_SIGNS[condition.state]} {condition.state}", className=f"state-{condition.state}"
            ),
            long_words(condition.words),
        )
        for condition in chart.conditions
    ]
    return table(short(chart.caption), ("condition", "state", "numbers"), rows)


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


def title(report: AbReport) -> Tree:
    """The experiment's name."""
    return short(report.experiment or "A/B test", 120)


def subtitle(report: AbReport) -> Tree:
    """Challenger against baseline, and the window with its zone."""
    names = report.variant_names
    versus = [name_of(report.challenger, names), " against "] if report.challenger else []
    others = len(names) - (2 if report.challenger else 1)
    more = f" and {others} more" if others > 0 else ""
    note = f" · {short(report.experiment_note, 200)}" if report.experiment_note else ""
    return [*versus, name_of(report.baseline, names), f"{more} · {_window(report)}{note}"]


def _window(report: AbReport) -> str:
    moment = moment_words(report.at, ZoneInfo(report.timezone))
    return f"{span_words(report.window_seconds)} to {moment}" + (
        "" if moment.endswith(report.timezone) else f" ({report.timezone})"
    )


def badge(found: Badge) -> Tree:
    """The disc, its words, and what stands behind them."""
    shape = BADGE_SHAPES[found.kind]
    disc = html.Span(
        className="disc",
        style={"background": shape.fill, "borderColor": shape.edge},
        **{"aria-hidden": "true"},
    )
    return [
        html.Strong([disc, found.kind.value], className="badge-word"),
        html.Span(short(found.second_line), className="badge-line"),
    ]


def verdict(report: AbReport) -> Tree:
    """What to do in a filled band, beside it one sentence, what to do now, and the grounds."""
    found, answer = report.verdict, report.answer
    style = VERDICT_STYLES[answer.verdict]
    rows = (
        ("rule", found.rule),
        ("because", "; ".join(found.reasons)),
        ("would change it", "; ".join(found.would_change)),
        ("this test", report.power.words),
    )
    word = [
        html.Span("Verdict: ", className="unseen"),
        html.Span(style.sign, className="sign", **{"aria-hidden": "true"}),
        answer.verdict,
    ]
    colours = {"background": style.fill, "color": style.ink, "borderColor": style.edge}
    return [
        html.H2(word, className="verdict-word", style=colours),
        html.Div(
            [
                html.P(short(answer.sentence), className="sentence"),
                html.P([html.Span("do now", className="label"), short(answer.do_now)], className="do-now"),
                pairs(rows, "grounds"),
            ],
            className="said-beside",
        ),
    ]


def recommendation(report: BusinessReport) -> Tree:
    """What the business page advises, and why."""
    advice = report.recommendation
    return [
        html.H2(["Recommendation: ", html.Strong(advice.verdict)]),
        html.P(short("; ".join(advice.reasons), 400), className="reasons"),
    ]


def status(report: AbReport, business: BusinessReport) -> Tree:
    """Short words over their values: first what the case is worth, each with its interval, then the state of
    the test, whose projected net value stands there already.
    """
    worth = [_number(label, value, beside) for label, value, beside in business.headline_words]
    origin = report.status.origin
    state = [_number("status", origin.value.upper(), "")] if origin is not Origin.LIVE else []
    return html.Dl(
        [
            *worth,
            *state,
            *(_number(label, value, "") for label, value in report.status.items if label != PROJECTED),
        ],
        className="numbers",
    )


def _number(label: str, value: str, beside: str) -> Tree:
    return html.Div(
        [
            html.Dt(label),
            html.Dd([html.Strong(short(value, 60)), html.Small(short(beside, 120)) if beside else None]),
        ]
    )
