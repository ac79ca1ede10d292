"""Where a picture's numbers come from, as the JSON text inside the picture; nothing in it changes from run to
run.
"""

from __future__ import annotations

import json

from live_dashboards.model.dashboards import Report, dashboard_name
from live_dashboards.model.moment import format_moment
from live_dashboards.outputs.measurement_rows import lineage, rows


def provenance_text(report: Report) -> str:
    """Badge, moment, variants and every measurement with its queries: a function of the sources' answers,
    without clocks, durations and addresses.
    """
    document = {
        "schema_version": 1,
        "dashboard": dashboard_name(report),
        "data_source": report.badge.kind.data_source,
        "badge": report.badge.kind.value,
        "at": format_moment(report.at),
        "window_seconds": report.window_seconds,
        "experiment": report.experiment,
        "baseline": report.baseline,
        "challenger": report.challenger,
        "sources": {status.source: status.state.value for status in report.sources},
        "measurements": rows(report.measurements),
        "lineage": rows(lineage(report.measurements)),
    }
    return json.dumps(document, allow_nan=False)
