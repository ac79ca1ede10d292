"""The page's skeleton: every component that the document fills, in the order in which it is read.

The web application: Dash's page, the routes beside it, who is let in, and the headers of every answer.

Scripts and styles are sent compressed, each compressed once: the largest is 4.7 MB, and phones have slow
lines.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dash import ClientsideFunction, Dash, Input, dcc, html
from flask import Flask, Response, request

from live_dashboards.draw.web.panels import places
from live_dashboards.model.chart import Panel
from live_dashboards.panels.ab import AB_PANELS
from live_dashboards.panels.business import BUSINESS_PANELS
from live_dashboards.settings import Settings
from live_dashboards.web.access.guard import install
from live_dashboards.web.access.policy import Mode, policy_of
from live_dashboards.web.access.responses import install_headers
from live_dashboards.web.board import Board
from live_dashboards.web.document import DocumentMaker
from live_dashboards.web.metrics import Metrics
from live_dashboards.web.pages import Services
from live_dashboards.web.routes import install_routes
from live_dashboards.web.trees import PanelList, Tree, in_order

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

ASSETS = Path(__file__).with_name("assets")
OPEN_PATHS = ("/healthz", "/readyz")

_PATHS = ("/_dash-component-suites/", "/assets/", "/_dash-layout", "/_dash-dependencies")
_SMALLEST_BYTES = 1024
_MOST_KEPT_BYTES = 16_000_000


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


def _section(title: str, page: PanelList) -> tuple[Tree, ...]:
    return html.H2(title, className="section"), html.Div(list(map(_panel, in_order(page))), className="grid")


def _panel(panel: Panel[Any]) -> Tree:
    graphs = list(map(_graph, places(panel)))
    return html.Section(
        [
            html.Div(html.H3("Waiting for the sources", id=f"{panel.name}-title"), id=f"{panel.name}-head"),
            html.Div(id=f"{panel.name}-reason"),
            *([html.Div(graphs, className="figures")] if graphs else []),
            html.Div(id=f"{panel.name}-words"),
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


def make_board(services: Services, settings: Settings) -> tuple[Board, Metrics]:
    """What the page shows, not yet started, and what is told to Prometheus about it."""
    metrics = Metrics(2 * float(settings["DASHBOARD_REFRESH_INTERVAL"]))
    board = Board(services, settings, DocumentMaker(settings, services.summary), metrics)
    metrics.ages_from(board.age_seconds, board.last_answer_age_seconds)
    return board, metrics


def make_app(services: Services, settings: Settings, board: Board, metrics: Metrics) -> Flask:
    """The application over that board, warm: whoever asks first finds everything registered. SettingsError
    where nobody says who is let in.
    """
    policy = policy_of(settings)
    server = Flask("live_dashboards.web", static_folder=None)
    page = _dash(server, settings, has_login=policy.mode is Mode.PASSWORD)
    install_routes(server, board, metrics, services)
    install_compression(server)
    hashes: Sequence[str] = page.csp_hashes()
    _warm(server, page)
    install(server, settings, open_paths=OPEN_PATHS)
    install_headers(server, lambda: hashes, is_tls=settings["DASHBOARD_TLS_CERT"] is not None)
    return server


def _dash(server: Flask, settings: Settings, *, has_login: bool) -> Dash:
    """Dash's page; all that changes on it is done by the browser, from the document that it fetches."""
    prefix = f"{settings['DASHBOARD_PATH_PREFIX'] or ''}/"
    page = Dash(
        "live_dashboards.web",
        server=server,
        assets_folder=str(ASSETS),
        routes_pathname_prefix="/",
        requests_pathname_prefix=prefix,
        title="Live dashboards",
        update_title="",
        serve_locally=True,
        compress=False,
        enable_mcp=False,
        add_log_handler=False,
        meta_tags=[
            {"name": "viewport", "content": "width=device-width, initial-scale=1"},
            {"name": "color-scheme", "content": "light dark"},
        ],
    )
    page.index_string = page.index_string.replace("<html>", '<html lang="en">')
    page.layout = layout(float(settings["DASHBOARD_REFRESH_INTERVAL"]), has_login=has_login)
    page.clientside_callback(ClientsideFunction("live_page", "refresh"), Input("tick", "n_intervals"))
    return page


def _warm(server: Flask, page: Dash) -> None:
    """Fills Dash's registry of scripts; before it is full, a browser's first requests for them fail."""
    with server.test_request_context("/"):
        page.index()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)


def install_compression(server: Flask) -> None:
    """Compresses what does not change between requests, for browsers that take it."""
    compressed = Compressed()

    def compress(response: Response) -> Response:
        if not _is_worth_it(response):
            return response
        response.direct_passthrough = False
        response.set_data(compressed.of(response.get_data()))
        response.headers["Content-Encoding"] = "gzip"
        response.headers.add("Vary", "Accept-Encoding")
        return response

    server.after_request(compress)


class Compressed:
    """The compressed form of contents, by the contents themselves: the same script has many addresses. What
    was asked for longest ago makes room.
    """

    def __init__(self, most_bytes: int = _MOST_KEPT_BYTES) -> None:
        self._most_bytes, self._kept_bytes = most_bytes, 0
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, content: bytes) -> bytes:
        """The content as gzip, compressed now or earlier."""
        key = hashlib.sha256(content).digest()
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        body = gzip.compress(content, 6, mtime=0)
        with self._lock:
            self._keep(key, body)
        return body

    def _keep(self, key: bytes, body: bytes) -> None:
        if key not in self._kept and len(body) <= self._most_bytes:
            self._kept[key] = body
            self._kept_bytes += len(body)
        while self._kept_bytes > self._most_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._kept_bytes -= len(dropped)


def _is_worth_it(response: Response) -> bool:
    takes_gzip = bool(request.accept_encodings.quality("gzip"))
    is_plain = (
        response.status_code == 200
        and "Content-Encoding" not in response.headers
        and (response.mimetype or "").endswith(("javascript", "css", "json", "svg+xml"))
    )
    return (
        takes_gzip
        and is_plain
        and request.path.startswith(_PATHS)
        and (response.content_length or _SMALLEST_BYTES) >= _SMALLEST_BYTES
    )
