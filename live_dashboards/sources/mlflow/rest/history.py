"""The history of a metric by MLflow's REST API, which gives it run by run: of a bounded number of runs, and
values of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from live_dashboards.sources.mlflow.rest.failures import LateError
from live_dashboards.sources.mlflow.rest.pages import Pages
from live_dashboards.sources.mlflow.rest.parsing import point_rows
from live_dashboards.sources.mlflow.rows.records import PointRow, RunRow

_HISTORY_RUNS = 100
_HISTORY_PAGE = 25_000  # the most that MLflow gives at once
_HISTORY_PAGES = 4
_SHARE_OF_TIME = 0.9  # after which no call goes on


class RestHistory:
    """Reads page by page."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def points(self, runs: Sequence[RunRow], key: str, from_ms: int, at_ms: int) -> Sequence[PointRow]:
        """What these runs logged within the window; the runs of a sweep only of a variant that nothing else
        has logged for.
        """
        likely = [
            run for run in runs if run.counts and key in run.metrics and _may_have_logged(run, key, from_ms)
        ]
        points = self._points([run for run in likely if not run.is_child], key, from_ms, at_ms)
        by_id = {run.run_id: (run.experiment_id, run.variant) for run in likely}
        known = {by_id[point.run_id] for point in points}
        return [
            *points,
            *self._points(
                [run for run in likely if run.is_child and by_id[run.run_id] not in known],
                key,
                from_ms,
                at_ms,
            ),
        ]

    def _points(self, runs: Sequence[RunRow], key: str, from_ms: int, at_ms: int) -> list[PointRow]:
        newest = sorted(runs, key=lambda run: ((run.start_ms or 0) > at_ms, -(run.start_ms or 0)))
        found: list[PointRow] = []
        with self._pages.client.limited(_SHARE_OF_TIME):
            for number, run in enumerate(newest):
                points = self._points_of(run, key) if number < _HISTORY_RUNS else None
                if points is None:
                    self._pages.cut(
                        when=True, what=f"the history of the newest {number} of {len(newest)} runs"
                    )
                    break
                found.extend(point for point in points if from_ms < point.at_ms <= at_ms)
        return found

    def _points_of(self, run: RunRow, key: str) -> list[PointRow] | None:
        """None where the time was over before all of them had come."""
        try:
            return self._all_points(run, key)
        except LateError:
            return None

    def _all_points(self, run: RunRow, key: str) -> list[PointRow]:
        found: list[PointRow] = []
        parameters: dict[str, str | int] = {
            "run_id": run.run_id,
            "metric_key": key,
            "max_results": _HISTORY_PAGE,
        }
        for _ in range(_HISTORY_PAGES):
            document = self._pages.client.get("metrics/get-history", parameters)
            found.extend(self._pages.checked(partial(point_rows, run.run_id, document.get("metrics", ()))))
            token = document.get("next_page_token")
            if not token:
                return found
            parameters["page_token"] = str(token)
        self._pages.cut(
            when=True, what=f"the first {_HISTORY_PAGES * _HISTORY_PAGE} values of {key} of run {run.run_id}"
        )
        return found


def _may_have_logged(run: RunRow, key: str, from_ms: int) -> bool:
    """Not where it had ended, and logged its latest value, before the window: each run costs a call."""
    return run.end_ms is None or max(run.end_ms, run.metrics[key].at_ms or 0) > from_ms
