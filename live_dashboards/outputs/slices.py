"""The gates by the values of a label, as the summary shows them."""

from __future__ import annotations

from typing import Any

from live_dashboards.model.slices import ByLabel, Heterogeneity, SliceRow
from live_dashboards.outputs.summary_parts import finite, plain_value, reference


def by_label(found: ByLabel | None) -> dict[str, Any] | None:
    """The summary's `slices`; null where AB_SLICE_LABEL is not set."""
    if found is None:
        return None
    return {
        "label": found.label,
        "values_count": found.values_count,
        "values": [_row(row) for row in found.rows],
        "heterogeneity": [_heterogeneity(test) for test in found.heterogeneity],
        "sentences": list(found.sentences),
        "origin": found.origin.value,
        "reason": found.reason or None,
    }


def _row(row: SliceRow) -> dict[str, Any]:
    difference, (own, compared) = row.difference, row.difference.inputs
    interval = difference.interval
    return {
        "value": row.value,
        "name": row.name,
        "metric": row.metric,
        "arm": row.arm,
        "compared_with": row.compared_with,
        "is_within_arm": row.is_within_arm,
        "estimate": plain_value(difference),
        "low": None if interval is None else finite(interval.low),
        "high": None if interval is None else finite(interval.high),
        "unit": difference.unit,
        "confidence": 0.95,
        "sequential": True,
        "method": row.method,
        "rate": plain_value(own),
        "rate_compared": plain_value(compared),
        "n": row.n,
        "n_compared": row.n_compared,
        "stands_out": row.stands_out,
        "origin": difference.origin.value,
        "measurement": reference(difference),
        "reason": difference.reason,
    }


def _heterogeneity(test: Heterogeneity) -> dict[str, Any]:
    return {
        "metric": test.metric,
        "of": test.of,
        "q": finite(test.q),
        "degrees": test.degrees,
        "p_value": finite(test.p_value),
        "method": test.method,
        "origin": test.origin.value,
        "reason": test.reason or None,
    }
