"""Whether the traffic of the window was split as planned, as a gate of the business page."""

from __future__ import annotations

from live_dashboards.analysis.page import Page
from live_dashboards.analysis.traffic import sample_ratio
from live_dashboards.model.business_report import Gate
from live_dashboards.model.number import format_percent

LABEL = "Traffic is split as planned"


def split_gate(found: Page) -> Gate:
    """Failed where a share is off by 0.1 points or more at p below 0.001; unknown without a plan or without requests."""
    planned = found.settings.split
    if not planned:
        return Gate(LABEL, "unknown", "no plan set: AB_TRAFFIC_SPLIT")
    counted = {name: found.counted.of(name).requests for name in found.roles.names}
    observed = {name: round(requests.value) for name, requests in counted.items() if requests.value is not None and requests.is_live}
    if not observed or not sum(observed.values()):
        return Gate(LABEL, "unknown", "no request counts")
    names = tuple(dict.fromkeys((*planned, *observed)))
    test = sample_ratio([observed.get(name, 0) for name in names], [planned.get(name, 0.0) for name in names])
    shares = " / ".join(format_percent(100 * observed.get(name, 0) / sum(observed.values())) for name in names)
    plan = " / ".join(format_percent(100 * planned.get(name, 0.0)) for name in names)
    words = f"{shares} of {plan}, p {test.p_value:.2g}" if test.p_value >= 0.001 else f"{shares} of {plan}, p < 0.001"
    return Gate(LABEL, "failed" if test.flag == "red" else "passed", words)
