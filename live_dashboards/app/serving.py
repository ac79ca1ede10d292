"""The web page over the pipeline: the same sources, reports, summaries and pictures as the scripts."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from live_dashboards.app import pipeline
from live_dashboards.app.endings import heard
from live_dashboards.app.options import Request
from live_dashboards.model.business_case import BusinessReport
from live_dashboards.model.codec import LastGood
from live_dashboards.model.report import AbReport, Report
from live_dashboards.model.snapshot import ChosenTest, Snapshot
from live_dashboards.settings import Settings
from live_dashboards.web.pages import Services

if TYPE_CHECKING:
    from live_dashboards.app.writing import Drawings

log = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Serves the page until it is told to stop; SettingsError, before anything is asked, where the settings
    do not allow it.
    """
    from live_dashboards.app.writing import Drawings
    from live_dashboards.web.app import make_app, make_board
    from live_dashboards.web.connections import tls_context
    from live_dashboards.web.server import bound_socket, page_address
    from live_dashboards.web.server import serve as serve_application

    context, drawings = tls_context(settings), Drawings()
    given = services(settings, drawings)
    board, metrics = make_board(given, settings)
    application = make_app(given, settings, board, metrics)

    def stop() -> None:
        heard()
        drawings.stop()

    with bound_socket(settings) as listening:
        pipeline.tell_unconfigured(settings)
        address = page_address(settings, listening.getsockname()[1])
        board.start()
        try:
            words = f"The page is at {address} (Ctrl-C ends it)"
            serve_application(
                application, settings, listening, context, on_ready=lambda: _say(words), on_stop=stop
            )
        finally:
            board.stop()


def services(settings: Settings, drawings: Drawings | None = None) -> Services:
    """The pipeline's steps for the web page; what the sources answer is shared with other processes where
    that is set.
    """
    from live_dashboards.app.writing import Drawings
    from live_dashboards.outputs.sidecars import csv_text
    from live_dashboards.web.shared import shared

    recall, keep = memory(settings)
    return Services(
        fetch=shared(fetch, settings),
        recall=recall,
        keep=keep,
        variants=variants,
        reports=reports,
        summary=summary,
        verdict=verdict,
        csv=csv_text,
        picture=(drawings or Drawings()).draw,
    )


def fetch(settings: Settings, known_test: ChosenTest | None = None) -> Snapshot:
    """What both sources answer now, of the test that was shown before as long as there is that one: whoever
    looks at a page is not led to another one.
    """
    from live_dashboards.sources.connector import LiveDataConnector

    return LiveDataConnector(settings).fetch(known_test=known_test, stays=True)


def memory(settings: Settings) -> tuple[Callable[[Settings], LastGood], Callable[[Settings, LastGood], None]]:
    """Gives what a question was last answered before this process began, and keeps that for a later one;
    nothing and nowhere without DASHBOARD_CACHE_DIR.
    """
    if settings["DASHBOARD_CACHE_DIR"] is None:
        return lambda _: LastGood(), lambda *_: None
    from live_dashboards.outputs.snapshot_files import LastGoodFile
    from live_dashboards.settings.digest import secrets_digest

    secrets_part = secrets_digest(settings)  # slow on purpose, and the same for every question
    return lambda asked: LastGoodFile(asked, secrets_part).kept, lambda asked, kept: LastGoodFile(
        asked, secrets_part
    ).keep(kept)


def variants(snapshot: Snapshot, settings: Settings) -> tuple[str, ...]:
    """The variants that can be chosen."""
    from live_dashboards.model.variants import roles

    return roles(snapshot.mlflow, snapshot.prometheus, settings).names


def reports(snapshot: Snapshot, settings: Settings) -> tuple[AbReport, BusinessReport]:
    """Both pages; a source that never answered is simulated panel by panel, as in the pictures."""
    from live_dashboards.analysis.business.report import build_business_report

    page = pipeline.ab_report(snapshot, settings, Request())
    return page, build_business_report(snapshot, pipeline.simulated(snapshot, settings, Request()), settings)


def verdict(report: AbReport) -> dict[str, Any]:
    """What of the summary answers whether to ship."""
    from live_dashboards.outputs import summary as outputs

    return outputs.verdict_document(report)


def summary(report: Report) -> dict[str, Any]:
    """The summary's document."""
    from live_dashboards.outputs import summary as outputs

    return outputs.summary(report)


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()
