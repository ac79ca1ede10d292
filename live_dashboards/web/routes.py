"""The routes beside Dash's own: the document of a view, health, metrics, summaries, tables, and pictures on
request: each drawn once a report, a few at a time, the newest kept.
"""

from __future__ import annotations

import gzip
import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask, Response, abort, g, request

from live_dashboards.errors import DashboardError, UsageError
from live_dashboards.model.dashboards import stamped_stem
from live_dashboards.model.judgement import SHIP
from live_dashboards.model.report import AbReport, Report
from live_dashboards.web.board import Board
from live_dashboards.web.metrics import Metrics
from live_dashboards.web.pages import Services
from live_dashboards.web.refresher import BusyError
from live_dashboards.web.view import parse_view

log = logging.getLogger(__name__)
# the page has no callback of the server, and does not reload itself
_DASH_ONLY = frozenset({"/<path:path>", "/_dash-update-component", "/_reload-hash"})

_PASSES: dict[str, Callable[[AbReport], bool]] = {
    "ship": lambda report: report.answer.verdict == SHIP,
    "not-rollback": lambda report: not report.harmed,
    "rollback": lambda report: bool(report.harmed),
}
_FOR_WEBHOOKS = "/api/v1/verdict"
_MOST_KEPT = 4
_MOST_WAITING = 3


class Routes:
    """Answers from what the board holds now; none of them asks a source."""

    def __init__(self, board: Board, metrics: Metrics, services: Services) -> None:
        self._board, self._metrics, self._services = board, metrics, services
        self._pictures = Pictures(services.picture)

    def health(self) -> Response:
        """The process is there."""
        return _json({"status": "ok"})

    def ready(self) -> Response:
        """Whether there is a page that is not older than its limit."""
        age, limit = self._board.age_seconds(), self._board.pace.limit_seconds
        is_ready = age is not None and age <= limit
        words = "ready" if is_ready else "no page yet" if age is None else "the page is too old"
        return _json({"status": words, "age_seconds": age, "limit_seconds": limit}, 200 if is_ready else 503)

    def metrics(self) -> Response:
        """What Prometheus scrapes."""
        return Response(self._metrics.text(), content_type="text/plain; version=0.0.4; charset=utf-8")

    def page(self) -> Response:
        """The document of a view as it was made, compressed; 304 where the browser has it already."""
        if viewer := request.headers.get("X-Viewer"):
            self._metrics.viewed(viewer)
        look = self._board.look(parse_view(request.args, self._board.settings))
        if look.refused:
            return _json({"error": look.refused}, 404)
        wait = {"X-Next-Seconds": f"{look.next_seconds:.1f}", "Cache-Control": "private, no-cache"}
        if look.page is None:
            return _json({"pending": "the sources are being asked"}, 202, wait)
        if look.page.etag in request.headers.get("If-None-Match", ""):
            return Response(status=304, headers={"ETag": look.page.etag, **wait})
        headers = {"ETag": look.page.etag, "Vary": "Accept-Encoding", **wait}
        if not request.accept_encodings.quality("gzip"):
            return Response(gzip.decompress(look.page.body), content_type="application/json", headers=headers)
        return Response(
            look.page.body, content_type="application/json", headers={**headers, "Content-Encoding": "gzip"}
        )

    def of_page(self, dashboard: str, answer: Callable[[Any], Response]) -> Response:
        """What is answered of one of the page's dashboards, `ab` or `business`."""
        look = self._board.look(parse_view(request.args, self._board.settings))
        if look.refused:
            return _json({"error": look.refused}, 404)
        if look.page is None:
            return _json(
                {"error": "the sources are being asked for the first time; try again in a moment"},
                503,
                {"Retry-After": "2"},
            )
        return answer(getattr(look.page, dashboard))

    def verdict(self, report: AbReport) -> Response:
        """The answer, the verdicts and their gates; with `pass` 200 where that condition holds, else 409, for
        programs that know codes alone.
        """
        wanted = request.args.get("pass")
        if wanted is not None and wanted not in _PASSES:
            raise UsageError(f"pass={wanted[:40]!r} is not known; write pass={' or pass='.join(_PASSES)}")
        is_passed = wanted is None or _PASSES[wanted](report)
        return _json(self._services.verdict(report), 200 if is_passed else 409)

    def summary(self, report: Report) -> Response:
        """The summary."""
        return _json(self._services.summary(report))

    def picture(self, report: Report) -> Response:
        """The picture, as the scripts draw it."""
        return Response(self._pictures.of(report), content_type="image/png", headers=_file(report, "png"))

    def table(self, report: Report) -> Response:
        """What the page draws, as CSV."""
        return Response(
            self._services.csv(report), content_type="text/csv; charset=utf-8", headers=_file(report, "csv")
        )


def _file(report: Report, suffix: str) -> dict[str, str]:
    """The name of a downloaded file, as the scripts call it."""
    return {"Content-Disposition": f'inline; filename="{stamped_stem(report)}.{suffix}"'}


def _json(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(document, allow_nan=False), status, headers, content_type="application/json")


def install_routes(server: Flask, board: Board, metrics: Metrics, services: Services) -> None:
    """Adds the routes, what their errors look like, the log of requests, and 404 for every path that Dash
    would answer with its page.
    """
    routes = Routes(board, metrics, services)
    views: dict[str, Callable[[], Response]] = {
        "/healthz": routes.health,
        "/readyz": routes.ready,
        "/metrics": routes.metrics,
        "/api/v1/page": routes.page,
        _FOR_WEBHOOKS: partial(routes.of_page, "ab", routes.verdict),
        "/api/v1/summary": partial(routes.of_page, "ab", routes.summary),
        "/api/v1/business-summary": partial(routes.of_page, "business", routes.summary),
        "/dashboard/ab.png": partial(routes.of_page, "ab", routes.picture),
        "/dashboard/business.png": partial(routes.of_page, "business", routes.picture),
        "/dashboard/ab.csv": partial(routes.of_page, "ab", routes.table),
        "/dashboard/business.csv": partial(routes.of_page, "business", routes.table),
    }
    for path, view in views.items():
        # a webhook posts what it knows of its rollout, of which nothing is needed
        methods = ["GET", "POST"] if path == _FOR_WEBHOOKS else ["GET"]
        server.add_url_rule(path, endpoint=path, view_func=view, methods=methods)
    server.register_error_handler(UsageError, lambda error: _json({"error": str(error)}, 400))
    server.register_error_handler(
        BusyError, lambda error: _json({"error": str(error)}, 503, {"Retry-After": "60"})
    )
    server.register_error_handler(
        DashboardError, lambda error: _json({"error": str(error)}, 503, {"Retry-After": "5"})
    )
    server.before_request(_begin)
    server.before_request(_refuse_unknown_path)
    server.after_request(lambda response: _log_request(response, metrics))


def _begin() -> None:
    g.began = time.monotonic()


def _refuse_unknown_path() -> None:
    """Dash has a rule for every path, and two that this page does not need; a probe on a wrong one should not
    look healthy.
    """
    if request.url_rule is not None and request.url_rule.rule in _DASH_ONLY:
        abort(404)


def _log_request(response: Response, metrics: Metrics) -> Response:
    """One line a request, without its parameters, cookies and headers: they may hold what a log should
    not.
    """
    seconds = time.monotonic() - g.get("began", time.monotonic())
    route = request.url_rule.rule if request.url_rule is not None else "none"
    metrics.answered(route, response.status_code, seconds)
    user = g.get("user") or "-"
    path = request.path[:200].encode("unicode_escape").decode()
    log.info(
        "%s %s %s %s %d %.1f ms",
        request.remote_addr,
        user,
        request.method,
        path,
        response.status_code,
        seconds * 1000,
    )
    return response


class Pictures:
    """Draws one picture at a time, so that many who ask at once do not slow the page down for all."""

    def __init__(self, draw: Callable[[Report], bytes]) -> None:
        self._draw = draw
        self._kept: OrderedDict[int, tuple[Report, bytes]] = OrderedDict()
        self._drawing = threading.Lock()
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)

    def of(self, report: Report) -> bytes:
        """The report's PNG; DashboardError where too many are asked for at once or it could not be drawn."""
        if (found := self._kept.get(id(report))) is not None:
            return found[1]
        if not self._waiting.acquire(blocking=False):
            raise DashboardError("several pictures are being drawn; try again in a few seconds")
        try:
            with self._drawing:
                return self._of_locked(report)
        finally:
            self._waiting.release()

    def _of_locked(self, report: Report) -> bytes:
        found = self._kept.get(id(report))
        if found is None:
            # the report is kept too, so that its id stays its own
            found = self._kept[id(report)] = report, self._draw(report)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return found[1]
