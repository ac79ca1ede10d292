"""The page's skeleton: every component that the document fills, in the order in which it is read."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from live_dashboards.draw.web.compose import places
from live_dashboards.model.chart import Panel
from live_dashboards.panels.ab import AB_PANELS
from live_dashboards.panels.business import BUSINESS_PANELS
from live_dashboards.web.trees.panels import WORDS, Page, in_order
from live_dashboards.web.trees.tables import Tree

GRAPH_CONFIG = {
    "displaylogo": False,
    "responsive": True,
    "scrollZoom": False,
    "modeBarButtonsToRemove": ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d"],
}
_DOWNLOADS = (
    ("ab-png", "dashboard/ab.png", "A/B picture (PNG)"),
    ("business-png", "dashboard/business.png", "Business picture (PNG)"),
    ("ab-csv", "dashboard/ab.csv", "A/B values (CSV)"),
    ("business-csv", "dashboard/business.csv", "Business values (CSV)"),
    ("ab-json", "api/v1/summary", "A/B summary (JSON)"),
    ("business-json", "api/v1/business-summary", "Business summary (JSON)"),
)


def layout(interval_seconds: float, *, has_login: bool) -> Tree:
    """The page before its first document: it says that the sources are being asked."""
    return html.Div(
        [
            html.A("Skip to the panels", href="#panels", className="skip"),
            _header(has_login=has_login),
            html.Div(id="notice", className="notice", role="status"),
            html.Main(
                [
                    html.Div(
                        [
                            html.Section(id="verdict", className="strip", **{"aria-label": "Verdict"}),
                            html.Section(id="recommendation", className="strip"),
                        ],
                        className="strips",
                    ),
                    html.Section(id="status", **{"aria-label": "In numbers"}),
                    html.Div(
                        [*_section("A/B test", AB_PANELS), *_section("Business impact", BUSINESS_PANELS)],
                        id="panels",
                        tabIndex=-1,
                    ),
                    html.P(
                        "Intervals of differences and of the split are 95 %. Hover or tap a mark for "
                        "its value, interval, n, source and query.",
                        className="foot",
                    ),
                ],
                id="main",
            ),
            _drawer(),
            dcc.Interval(id="tick", interval=max(1000, round(interval_seconds * 1000))),
        ],
        id="page",
        className="page",
        **{"data-interval": f"{interval_seconds:g}", "data-login": "yes" if has_login else ""},
    )


def _header(*, has_login: bool) -> Tree:
    log_out = (
        [html.Form(html.Button("Log out", type="submit"), action="logout", method="post")]
        if has_login
        else []
    )
    return html.Header(
        [
            html.Div(
                [html.H1("A/B test", id="experiment-title"), html.P(id="subtitle", className="subtitle")],
                className="title",
            ),
            html.Div(
                [
                    html.Div("Asking the sources for the first time …", id="badge", className="badge"),
                    html.P(id="age", className="age"),
                ],
                className="state",
            ),
            html.Div(
                [*map(_choice, ("experiment", "window", "baseline", "challenger")), *_buttons(), *log_out],
                className="controls",
                role="group",
                **{"aria-label": "View"},
            ),
        ],
        className="head",
    )


def _choice(name: str) -> Tree:
    """A native choice: keyboards, phones and screen readers know it; the script fills it."""
    return html.Label(
        [html.Span(name.capitalize()), html.Select(id=f"choose-{name}", disabled=True)], className="choice"
    )


def _buttons() -> tuple[Tree, ...]:
    links = [
        html.Li(
            html.A(
                words,
                id=f"download-{name}",
                href=path,
                download="",
                className="download",
                **{"data-path": path},
            )
        )
        for name, path, words in _DOWNLOADS
    ]
    return (
        html.Button("Pause", id="pause", type="button", **{"aria-pressed": "false"}),
        html.Details([html.Summary("Download"), html.Ul(links)], className="menu"),
        html.Button(
            "Where numbers come from", id="open-drawer", type="button", **{"aria-haspopup": "dialog"}
        ),
        html.Button("Theme: auto", id="theme", type="button"),
    )


def _section(title: str, page: Page) -> tuple[Tree, ...]:
    return html.H2(title, className="section"), html.Div(list(map(_panel, in_order(page))), className="grid")


def _panel(panel: Panel[Any]) -> Tree:
    words = [html.Div(id=f"{panel.name}-words")] if panel.name in WORDS else []
    graphs = list(map(_graph, places(panel)))
    return html.Section(
        [
            html.Div(html.H3("Waiting for the sources", id=f"{panel.name}-title"), id=f"{panel.name}-head"),
            html.Div(id=f"{panel.name}-reason"),
            *([html.Div(graphs, className="figures")] if graphs else []),
            *words,
            html.P(id=f"{panel.name}-note", className="note"),
        ],
        id=f"{panel.name}-panel",
        className="panel",
        **{"aria-labelledby": f"{panel.name}-title"},
    )


def _graph(chart: str) -> Tree:
    """A graph that shows nothing until it is drawn: Plotly's own axes would look like an empty chart."""
    clear, hidden = "rgba(0,0,0,0)", {"visible": False}
    nothing = {
        "data": [],
        "layout": {"paper_bgcolor": clear, "plot_bgcolor": clear, "xaxis": hidden, "yaxis": hidden},
    }
    graph = dcc.Graph(id=f"{chart}-chart", config=GRAPH_CONFIG, responsive=True, figure=nothing)
    return html.Figure(graph, id=f"{chart}-figure", className="figure is-empty")


def _drawer() -> Tree:
    search = html.Label(
        [
            html.Span("Find"),
            dcc.Input(id="find-number", type="search", placeholder="name, variant, source or query"),
        ],
        className="choice",
    )
    head = html.Div(
        [
            html.H2("Where every number comes from", id="drawer-title"),
            search,
            html.Button("Close", id="close-drawer", type="button"),
        ],
        className="drawer-head",
    )
    return html.Dialog([head, html.Div(id="provenance")], id="drawer", **{"aria-labelledby": "drawer-title"})
