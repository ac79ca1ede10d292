"""The success metric of several challengers: p-values that hold for all of them together, beside Bonferroni's
intervals, which decide.
"""

from __future__ import annotations

from dataclasses import replace

from live_dashboards.analysis.effect import Compared
from live_dashboards.analysis.statistics.proportions import adjust


def with_adjusted_p(rows: tuple[Compared, ...], success: Compared | None) -> tuple[Compared, ...]:
    """The rows, those of the success metric with Holm's p over all challengers; as they are where there is
    one challenger.

    A challenger without a p counts as 1: it stays in the family, as it does for the intervals.
    """
    if success is None or success.row.family < 2:
        return rows
    members = [each for each in rows if each.row.metric == success.row.metric]
    adjusted = adjust([1.0 if each.row.p_value is None else each.row.p_value for each in members])
    by_treatment = {
        each.row.treatment: p_value
        for each, p_value in zip(members, adjusted, strict=True)
        if each.row.p_value is not None
    }
    return tuple(
        _with_p(each, by_treatment.get(each.row.treatment)) if each in members else each for each in rows
    )


def _with_p(each: Compared, p_value: float | None) -> Compared:
    return replace(each, row=replace(each.row, p_value_adjusted=p_value))
