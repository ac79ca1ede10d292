"""The web application: Dash's page, the routes beside it, who is let in, and the headers of every answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from dash import ClientsideFunction, Dash, Input
from flask import Flask

from live_dashboards.settings import Settings
from live_dashboards.web.access.guard import install
from live_dashboards.web.access.policy import Mode, policy_of
from live_dashboards.web.access.responses import install_headers
from live_dashboards.web.board import Board
from live_dashboards.web.compression import install_compression
from live_dashboards.web.document import DocumentMaker
from live_dashboards.web.layout import layout
from live_dashboards.web.metrics import Metrics
from live_dashboards.web.routes import install_routes
from live_dashboards.web.services import Services

ASSETS = Path(__file__).with_name("assets")
OPEN_PATHS = ("/healthz", "/readyz")


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
    hashes = _script_hashes(page)
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


def _script_hashes(page: Dash) -> Sequence[str]:
    hashes: Sequence[str] = page.csp_hashes()
    return hashes


def _warm(server: Flask, page: Dash) -> None:
    """Fills Dash's registry of scripts; before it is full, a browser's first requests for them fail."""
    with server.test_request_context("/"):
        page.index()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
