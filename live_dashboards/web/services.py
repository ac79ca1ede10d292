"""What the web page is given to work with; it asks, computes and draws nothing itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from live_dashboards.model.business_report import BusinessReport
from live_dashboards.model.dashboards import Report
from live_dashboards.model.last_good import LastGood
from live_dashboards.model.report import AbReport
from live_dashboards.model.snapshot import ChosenTest, Snapshot
from live_dashboards.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """The pipeline's steps as callables.

    `fetch` asks both sources (UsageError for an experiment that does not exist), Prometheus for the given
    test where MLflow cannot choose one; `recall` gives what an earlier process was last answered to these
    settings, `keep` hands that on to a later one;
    `variants` are the names in a snapshot; `reports` makes both pages of it;
    `summary` is a page's document, `csv` its drawn values, `picture` its PNG (DashboardError where it could
    not be drawn).
    """

    fetch: Callable[[Settings, ChosenTest | None], Snapshot]
    recall: Callable[[Settings], LastGood]
    keep: Callable[[Settings, LastGood], None]
    variants: Callable[[Snapshot, Settings], tuple[str, ...]]
    reports: Callable[[Snapshot, Settings], tuple[AbReport, BusinessReport]]
    summary: Callable[[Report], dict[str, Any]]
    csv: Callable[[Report], str]
    picture: Callable[[Report], bytes]
