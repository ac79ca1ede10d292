"""The last good answer of each source: it stands in, marked as cached, while the source gives none, and no longer than a limit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from live_dashboards.model.measurement import Origin
from live_dashboards.model.snapshot import MlflowAnswer, PrometheusAnswer, Snapshot, SourceState, SourceStatus


@dataclass(frozen=True, slots=True)
class LastGood:
    """What each source answered last with A/B data, and for which moment; None where it never did."""

    mlflow: MlflowAnswer | None = None
    mlflow_at: datetime | None = None
    prometheus: PrometheusAnswer | None = None
    prometheus_at: datetime | None = None

    def after(self, fetched: Snapshot) -> LastGood:
        """With the answers of a new fetch in place of older ones."""
        kept = self
        if fetched.mlflow.status.state is SourceState.ANSWERED:
            kept = replace(kept, mlflow=fetched.mlflow, mlflow_at=fetched.at)
        if fetched.prometheus.status.state is SourceState.ANSWERED:
            kept = replace(kept, prometheus=fetched.prometheus, prometheus_at=fetched.at)
        return kept

    def fill(self, fetched: Snapshot, limit_seconds: float) -> Snapshot:
        """The fetched snapshot in which a source that failed now shows its last good answer, as CACHED, while that is not older than the limit.

        An older answer, or one of a source that is reachable but has no A/B data any more, is not shown; the status tells its moment.
        """
        mlflow, prometheus = fetched.mlflow, fetched.prometheus
        if self.mlflow is not None and self.mlflow_at is not None and mlflow.status.state is not SourceState.ANSWERED:
            status = _status(self.mlflow.status, mlflow.status, self.mlflow_at, (fetched.at - self.mlflow_at).total_seconds() <= limit_seconds)
            mlflow = replace(self.mlflow, origin=Origin.CACHED, status=status) if status.has_answered else replace(mlflow, status=status)
        if self.prometheus is not None and self.prometheus_at is not None and prometheus.status.state is not SourceState.ANSWERED:
            status = _status(self.prometheus.status, prometheus.status, self.prometheus_at, (fetched.at - self.prometheus_at).total_seconds() <= limit_seconds)
            prometheus = replace(self.prometheus, origin=Origin.CACHED, status=status) if status.has_answered else replace(prometheus, status=status)
        return replace(fetched, mlflow=mlflow, prometheus=prometheus)


def _status(good: SourceStatus, now: SourceStatus, answered_at: datetime, is_young: bool) -> SourceStatus:  # noqa: FBT001 private, one caller
    """Of now, with the moment of the last answer; CACHED, with the earlier answer's version and address, where that is shown."""
    if now.state is SourceState.FAILED and is_young:
        return replace(good, state=SourceState.CACHED, reason=now.reason, fix=now.fix, duration_seconds=now.duration_seconds, answered_at=answered_at)
    return replace(now, answered_at=answered_at)
