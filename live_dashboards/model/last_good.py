"""The last good answer of each source: it stands in, marked as cached, while the source gives none, and no
longer than a limit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from live_dashboards.model.measurement import Origin
from live_dashboards.model.snapshot import (
    ChosenTest,
    MlflowAnswer,
    PrometheusAnswer,
    Snapshot,
    SourceState,
    SourceStatus,
)

Ages = tuple[float, float]
"""Seconds since MLflow's and since Prometheus' last good answer."""


@dataclass(frozen=True, slots=True)
class LastGood:
    """What each source answered last with A/B data, and for which moment; None where it never did.

    A moment without an answer is that of an answer to another question: nothing of it can be shown here, but
    the source is known to have been there. `prometheus_experiment` is the test that Prometheus' answer is of.
    """

    mlflow: MlflowAnswer | None = None
    mlflow_at: datetime | None = None
    prometheus: PrometheusAnswer | None = None
    prometheus_at: datetime | None = None
    prometheus_experiment: str | None = None

    @property
    def experiment(self) -> str | None:
        """The name of the experiment that MLflow chose last; Prometheus is to be asked for it while MLflow
        does not answer.
        """
        return None if self.mlflow is None else self.mlflow.experiment

    @property
    def chosen(self) -> ChosenTest | None:
        """The same with its variants."""
        return None if self.mlflow is None else self.mlflow.chosen

    def after(self, fetched: Snapshot) -> LastGood:
        """With the answers of a new fetch in place of older ones."""
        kept = self
        if fetched.mlflow.status.state is SourceState.ANSWERED:
            kept = replace(kept, mlflow=fetched.mlflow, mlflow_at=fetched.at)
        if fetched.prometheus.status.state is SourceState.ANSWERED:
            of = fetched.prometheus.experiment_filter or kept.experiment
            kept = replace(
                kept, prometheus=fetched.prometheus, prometheus_at=fetched.at, prometheus_experiment=of
            )
        return kept

    def seen_elsewhere(self, mlflow_at: datetime | None, prometheus_at: datetime | None) -> LastGood:
        """With the moments at which the sources answered another question, where they never answered this
        one.
        """
        return replace(
            self, mlflow_at=self.mlflow_at or mlflow_at, prometheus_at=self.prometheus_at or prometheus_at
        )

    def within(self, at: datetime, limit_seconds: float) -> LastGood:
        """Without the answers that are older than the limit at that moment: as if their source had never been
        there.
        """
        kept = self
        if _distance(at, self.mlflow_at) > limit_seconds:
            kept = replace(kept, mlflow=None, mlflow_at=None)
        if _distance(at, self.prometheus_at) > limit_seconds:
            kept = replace(kept, prometheus=None, prometheus_at=None, prometheus_experiment=None)
        return kept

    def fill(self, fetched: Snapshot, limit_seconds: float, ages: Ages | None = None) -> Snapshot:
        """The fetched snapshot in which a source that failed now shows its last good answer, as CACHED, while
        that is not older than the limit.

        An older answer, one of another experiment than the page's, or one of a source that is reachable but
        has no A/B data any more, is not shown; the status tells its moment. `ages` None: by the wall clock,
        of which an answer from the future is as far away as one from the past.
        """
        mlflow_age, prometheus_age = ages or (
            _distance(fetched.at, self.mlflow_at),
            _distance(fetched.at, self.prometheus_at),
        )
        now = fetched.mlflow.status
        if now.state is not SourceState.ANSWERED and self.mlflow_at is not None:
            status = _status(self.mlflow, now, self.mlflow_at, may_be_shown=mlflow_age <= limit_seconds)
            shown = self.mlflow if self.mlflow is not None and status.has_answered else fetched.mlflow
            fetched = replace(
                fetched,
                mlflow=replace(
                    shown, status=status, origin=Origin.CACHED if status.has_answered else shown.origin
                ),
            )
        now = fetched.prometheus.status
        if now.state is not SourceState.ANSWERED and self.prometheus_at is not None:
            is_same = self.prometheus_experiment in {
                None,
                fetched.mlflow.experiment or self.prometheus_experiment,
            }
            status = _status(
                self.prometheus,
                now,
                self.prometheus_at,
                may_be_shown=is_same and prometheus_age <= limit_seconds,
            )
            answer = (
                self.prometheus if self.prometheus is not None and status.has_answered else fetched.prometheus
            )
            fetched = replace(
                fetched,
                prometheus=replace(
                    answer, status=status, origin=Origin.CACHED if status.has_answered else answer.origin
                ),
            )
        return fetched


def _distance(at: datetime, answered_at: datetime | None) -> float:
    return 0.0 if answered_at is None else abs((at - answered_at).total_seconds())


def _status(
    good: MlflowAnswer | PrometheusAnswer | None,
    now: SourceStatus,
    answered_at: datetime,
    *,
    may_be_shown: bool,
) -> SourceStatus:
    """Of now, with the moment of the last answer; CACHED, with the earlier answer's version and address,
    where that is shown.
    """
    if good is not None and now.state is SourceState.FAILED and may_be_shown:
        return replace(
            good.status,
            state=SourceState.CACHED,
            reason=now.reason,
            fix=now.fix,
            duration_seconds=now.duration_seconds,
            answered_at=answered_at,
        )
    return replace(now, answered_at=answered_at)
