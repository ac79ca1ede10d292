"""The page of each view: made once a snapshot for everybody who looks, and kept as the bytes that a browser
is sent.

What the web page is given to work with are `Services`: it asks, computes and draws nothing itself.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import methodcaller
from typing import Any

from live_dashboards.errors import UsageError
from live_dashboards.model.business_case import BusinessReport
from live_dashboards.model.codec import LastGood
from live_dashboards.model.report import AbReport, Report
from live_dashboards.model.snapshot import ChosenTest, Snapshot
from live_dashboards.settings import Settings
from live_dashboards.web.view import View, settings_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Services:
    """The pipeline's steps as callables.

    `fetch` asks both sources (UsageError for an experiment that does not exist), Prometheus for the given
    test where MLflow cannot choose one; `recall` gives what an earlier process was last answered to these
    settings, `keep` hands that on to a later one;
    `variants` are the names in a snapshot; `reports` makes both pages of it;
    `summary` is a page's document, `verdict` what of it answers whether to ship, `csv` its drawn values,
    `picture` its PNG (DashboardError where it could not be drawn).
    """

    fetch: Callable[[Settings, ChosenTest | None], Snapshot]
    recall: Callable[[Settings], LastGood]
    keep: Callable[[Settings, LastGood], None]
    variants: Callable[[Snapshot, Settings], tuple[str, ...]]
    reports: Callable[[Snapshot, Settings], tuple[AbReport, BusinessReport]]
    summary: Callable[[Report], dict[str, Any]]
    verdict: Callable[[AbReport], dict[str, Any]]
    csv: Callable[[Report], str]
    picture: Callable[[Report], bytes]


@dataclass(frozen=True, slots=True)
class Page:
    """Both reports of a snapshot for one view, and the document that the browser draws them from, compressed;
    `refused` instead says why there are none.
    """

    view: View
    snapshot: Snapshot
    ab: AbReport | None = None
    business: BusinessReport | None = None
    body: bytes = b""
    etag: str = ""
    refused: str = ""


Document = Callable[[Snapshot, AbReport, BusinessReport, Sequence[str]], dict[str, Any]]


class PageMaker:
    """From a snapshot to the page of a view; it remembers the names of the last page that had data, so that a
    page without any still says whose it is.
    """

    def __init__(self, services: Services, settings: Settings, document: Document) -> None:
        self._services, self._settings, self._document = services, settings, document
        self._names: dict[View, dict[str, str]] = {}
        self._variants: dict[View, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def make(self, view: View, snapshot: Snapshot) -> Page:
        """The page, or why there is none: a variant that the answer does not hold."""
        names = self._services.variants(snapshot, settings_of(view.question, self._settings))
        try:
            _refuse_unknown(
                view, tuple(dict.fromkeys((*names, *self._known(view, names, snapshot)))), snapshot
            )
            ab, business = self._services.reports(snapshot, self._settings_for(view, snapshot))
        except UsageError as error:
            return Page(view, snapshot, refused=str(error))
        self._remember(view, ab, snapshot)
        content = json.dumps(
            self._document(snapshot, ab, business, names),
            separators=(",", ":"),
            allow_nan=False,
            default=methodcaller("to_plotly_json"),  # a Dash component as the browser reads it
        ).encode()
        return Page(
            view,
            snapshot,
            ab,
            business,
            gzip.compress(content, 6, mtime=0),
            f'"{hashlib.sha256(content).hexdigest()[:24]}"',
        )

    def _known(self, view: View, names: tuple[str, ...], snapshot: Snapshot) -> tuple[str, ...]:
        """The variants of the last answer that both sources took part in: those that only a silent source
        knows do not cease to exist.
        """
        with self._lock:
            if snapshot.mlflow.status.has_answered and snapshot.prometheus.status.has_answered:
                self._variants[view] = names
            return self._variants.get(view, ())

    def _settings_for(self, view: View, snapshot: Snapshot) -> Settings:
        chosen = settings_of(view, self._settings)
        if _answers(snapshot):
            return chosen
        with self._lock:
            return replace(chosen, values={**chosen.values, **self._names.get(view, {})})

    def _remember(self, view: View, ab: AbReport, snapshot: Snapshot) -> None:
        if not _answers(snapshot):
            return
        names = {
            "AB_EXPERIMENT": ab.experiment,
            "AB_BASELINE_VARIANT": ab.baseline,
            "AB_CHALLENGER_VARIANT": ab.challenger,
        }
        with self._lock:
            self._names[view] = {name: value for name, value in names.items() if value is not None}

    def forget(self, view: View) -> None:
        """Nobody looks at it any more."""
        with self._lock:
            self._names.pop(view, None)
            self._variants.pop(view, None)


def _answers(snapshot: Snapshot) -> bool:
    return snapshot.mlflow.status.has_answered or snapshot.prometheus.status.has_answered


def _refuse_unknown(view: View, names: Sequence[str], snapshot: Snapshot) -> None:
    """Whether baseline and challenger are variants that the answer holds, where it holds any."""
    for chosen in (view.baseline, view.challenger):
        if chosen is not None and chosen not in names and _answers(snapshot):
            raise UsageError(
                f"there is no variant {chosen[:60]!r} in this experiment; its variants are "
                f"{', '.join(name[:60] for name in names[:8])}"
            )
