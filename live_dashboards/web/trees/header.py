"""The top of the page: whose it is, the badge, the verdict with its rule, the recommendation, and the numbers
that sum it up.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from dash import html

from live_dashboards.model.axis import moment_words, span_words
from live_dashboards.model.business_report import BusinessReport
from live_dashboards.model.measurement import Origin
from live_dashboards.model.presentation import BADGE_SHAPES
from live_dashboards.model.report import AbReport, Badge
from live_dashboards.web.trees.panels import Tree, name_of, pairs, short


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
    """What to do, the rule that says so, its numbers, what would change it, and what this test can see."""
    found = report.verdict
    rows = (
        ("rule", found.rule),
        ("because", "; ".join(found.reasons)),
        ("would change it", "; ".join(found.would_change)),
        ("this test", report.power.words),
    )
    return [
        html.H2(["Verdict: ", html.Span(found.verdict, className=_verdict_class(found.verdict))]),
        pairs(rows, "grounds"),
    ]


def _verdict_class(words: str) -> str:
    return "verdict-word " + words.lower().replace(" ", "-")


def recommendation(report: BusinessReport) -> Tree:
    """What the business page advises, and why."""
    advice = report.recommendation
    return [
        html.H2(["Recommendation: ", html.Span(advice.verdict, className="verdict-word")]),
        html.P(short("; ".join(advice.reasons), 400), className="reasons"),
    ]


def status(report: AbReport, business: BusinessReport) -> Tree:
    """Short words over their values: first what the case is worth, each with its interval, then the state of
    the test.
    """
    worth = [_number(label, value, beside) for label, value, beside in business.headline_words]
    origin = report.status.origin
    state = [_number("status", origin.value.upper(), "")] if origin is not Origin.LIVE else []
    return html.Dl(
        [*worth, *state, *(_number(label, value, "") for label, value in report.status.items)],
        className="numbers",
    )


def _number(label: str, value: str, beside: str) -> Tree:
    return html.Div(
        [
            html.Dt(label),
            html.Dd([html.Strong(short(value, 60)), html.Small(short(beside, 120)) if beside else None]),
        ]
    )
