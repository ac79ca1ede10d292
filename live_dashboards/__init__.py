"""A/B test dashboards of machine-learning models from MLflow and Prometheus, where every number says where it
comes from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from live_dashboards.analysis.business.calculator import BusinessMetricsCalculator
    from live_dashboards.api import _create_dashboard_panels, ab_test, business
    from live_dashboards.sources.connector import LiveDataConnector

__all__ = [
    "BusinessMetricsCalculator",
    "LiveDataConnector",
    "__version__",
    "_create_dashboard_panels",
    "ab_test",
    "business",
]
_HOMES = {
    "BusinessMetricsCalculator": "live_dashboards.analysis.business.calculator",
    "LiveDataConnector": "live_dashboards.sources.connector",
    "_create_dashboard_panels": "live_dashboards.api",
    "ab_test": "live_dashboards.api",
    "business": "live_dashboards.api",
}


def __getattr__(name: str) -> object:
    """Imports a public name on first use, so that `--help` and settings stay quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'live_dashboards' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Also the names that are not loaded yet, for those who look what there is."""
    return sorted({*globals(), *__all__})
