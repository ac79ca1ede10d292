"""What of a run is read: a run may log hundreds of metrics and params, of which the rules need a dozen."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.questions import Parameters
from live_dashboards.sources.mlflow.readings import hits_pattern

LONGEST_TEXT = 250
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """The keys that are kept, and by when a metric is a sign of life: known at the moment asked for, and at
    all (milliseconds since 1970).
    """

    metrics: frozenset[str]
    params: frozenset[str]
    tags: frozenset[str]
    near_ms: int
    tomorrow_ms: int

    @classmethod
    def of(cls, parameters: Parameters) -> Wanted:
        """What the questions bound to these parameters need; a caller of MLflow may log any time, and later
        ones than tomorrow are no sign of activity.
        """
        count = parameters["test_count_key"]
        hits = {
            name
            for metric, key in zip(parameters["metrics"], parameters["keys"], strict=True)
            if metric in parameters["with_hits"]
            for name in hit_keys(key)
        }
        tags = frozenset({sql.VARIANT_KEY, sql.PARENT_KEY, sql.RUN_NAME_KEY})
        tomorrow_ms = int(time.time() * 1000) + _DAY_MS
        return cls(
            frozenset({*parameters["keys"], *hits, count}),
            frozenset({sql.VARIANT_KEY, count}),
            tags,
            parameters["near_ms"],
            tomorrow_ms,
        )

    def signs(self, times_ms: Iterable[int | None]) -> tuple[int | None, int | None]:
        """The newest of them at all, and the newest that was known at the moment."""
        known = [each for each in times_ms if each is not None and each <= self.tomorrow_ms]
        return max(known, default=None), max((each for each in known if each <= self.near_ms), default=None)


def hit_keys(key: str) -> tuple[str, ...]:
    """Where mlflow.evaluate logs hits and misses: under the prefix that the metric's own key has."""
    match = re.fullmatch(hits_pattern(), key, re.DOTALL)
    prefix = match[1] if match else ""
    return tuple(f"{prefix}{name}" for name in sql.HITS_AND_MISSES)
