"""The web page's services over stored moments instead of servers: real analysis, summaries and tables."""

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime

from live_dashboards.app import serving
from live_dashboards.outputs.sidecars import csv_text
from live_dashboards.settings import load_settings
from live_dashboards.web.document import DocumentMaker
from live_dashboards.web.pages import PageMaker, Services
from tests.support.snapshots import without_mlflow, without_prometheus


def settings(**values):
    return load_settings(environment=values)


def services(fetch=None, **changes):
    """`fetch` is called with the settings; where it is left out, nothing may be asked."""
    made = Services(
        fetch or _nothing_may_be_asked,
        *serving.memory(settings()),
        serving.variants,
        serving.reports,
        serving.summary,
        serving.verdict,
        csv_text,
        lambda report: b"PNG of " + report.badge.kind.value.encode(),
    )
    return replace(made, **changes)


def _nothing_may_be_asked(_):
    raise AssertionError("a page was made by asking the sources")


def page_maker(own=None, **changes):
    given, own = services(**changes), own or settings()
    return PageMaker(given, own, DocumentMaker(own, given.summary))


def document_of(page):
    return json.loads(gzip.decompress(page.body))


def now(snapshot):
    """The same answers as if they had been given now."""
    return replace(snapshot, at=datetime.now(UTC))


def without_both(snapshot):
    return without_prometheus(without_mlflow(snapshot))
