"""What is asked of MLflow's REST API, as documents and as text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.rest.exchange import API
from live_dashboards.sources.mlflow.rest.parsing import Document

EXPERIMENT_PAGE = 1000
MARKED_PAGE = 1000  # a server takes about a second for a thousand runs
RUN_PAGE = 500
MARKED = tuple(f"{place}.{sql.VARIANT_KEY} LIKE '%'" for place in ("params", "tags"))
VERSIONS: dict[str, str | int] = {"order_by": "creation_timestamp DESC", "max_results": 1000}
_VIEWS = {False: "ACTIVE_ONLY", True: "ALL"}


def experiments_search(*, deleted_too: bool) -> dict[str, Any]:
    """All experiments, newest first."""
    return {
        "view_type": _VIEWS[deleted_too],
        "order_by": ["experiment_id DESC"],
        "max_results": EXPERIMENT_PAGE,
    }


def runs_search(experiment_ids: Sequence[Any], wanted: str, *, deleted_too: bool) -> dict[str, Any]:
    """The runs of these experiments that the filter wants, newest first."""
    ids, size = [str(each) for each in experiment_ids], MARKED_PAGE if wanted else RUN_PAGE
    return {
        "experiment_ids": ids,
        "filter": wanted,
        "run_view_type": _VIEWS[deleted_too],
        "order_by": ["attributes.start_time DESC"],
        "max_results": size,
    }


def request(path: str, document: Document) -> str:
    """The search in text."""
    return f"POST {API}{path} {json.dumps(document, ensure_ascii=False)}"
