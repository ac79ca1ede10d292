"""Asks both sources at the same time, each within its own deadline; a source that cannot be asked becomes
missing values with a reason.
"""

from __future__ import annotations

import difflib
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from live_dashboards.errors import DashboardError, SourceError, UsageError
from live_dashboards.model.notices import PARTIAL
from live_dashboards.model.snapshot import (
    MLFLOW,
    PROMETHEUS,
    ChosenTest,
    MlflowAnswer,
    PrometheusAnswer,
    Snapshot,
    SourceState,
    SourceStatus,
)
from live_dashboards.settings import Settings, load_settings
from live_dashboards.sources.asking import Asking, Deadline
from live_dashboards.sources.mlflow.questions import MlflowSource, Preference
from live_dashboards.sources.mlflow.ways import mlflow_source
from live_dashboards.sources.prometheus.served import served_tests
from live_dashboards.sources.prometheus.source import PrometheusAbSource

if TYPE_CHECKING:
    from live_dashboards.sources.metrics import AbTestMetrics

_TO_SET = {MLFLOW: "MLFLOW_DB_HOST, MLFLOW_DB_URL or MLFLOW_TRACKING_URI", PROMETHEUS: "PROMETHEUS_URL"}

Result = TypeVar("Result")
_DROP_SECONDS = 1.0
_FAILURES_IN_TURN = 2  # one may pass
log = logging.getLogger(__name__)


class _AwaitedTest:
    """The test, which one source finds and the other one waits for; where none is found, the configured name,
    with the variants that were known before.
    """

    def __init__(self, configured: str | None, known: ChosenTest | None = None) -> None:
        self.configured = None if configured is None else ChosenTest(configured)
        self._test = known if known is not None and configured in {None, known.name} else self.configured
        self._settled = threading.Event()
        self.was_awaited = False

    def settle(self, test: ChosenTest | None) -> None:
        if not self._settled.is_set():
            self._test = test if test is not None else self._test
            self._settled.set()

    def wait(self, seconds: float | None = None) -> ChosenTest | None:
        self.was_awaited = not self._settled.is_set()
        self._settled.wait(seconds)
        return self._test


@dataclass(frozen=True, slots=True)
class _AskedSource(Generic[Result]):
    """A source that is being asked."""

    asking: Asking[Result]
    deadline: Deadline
    abort: Callable[[], None]
    what: str

    def drop(self) -> None:
        """Ends it, as its answer is not needed any more."""
        self.abort()
        self.asking.wait(_DROP_SECONDS)


class LiveDataConnector:
    """Pulls MLflow's runs, metrics and params, and Prometheus' series, into one snapshot; settings default to
    the environment's.

    `model_source` makes what is asked for the models' facts in place of the MLflow that the settings name.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        model_source: Callable[[Settings], MlflowSource] | None = None,
    ) -> None:
        self.settings = settings if settings is not None else load_settings()
        self._model_source = model_source or (mlflow_source if self.settings.has_mlflow else None)

    def get_ab_test_metrics(
        self, *, at: datetime | None = None, window_seconds: float | None = None
    ) -> AbTestMetrics:
        """The five queries (and any that was added to AB_QUERIES) over the window, by name, and the window's
        totals per model.
        """
        from live_dashboards.sources.metrics import AbTestMetrics  # which no picture needs

        return AbTestMetrics.of(self.fetch(at=at, window_seconds=window_seconds), self.settings)

    def fetch(
        self,
        *,
        at: datetime | None = None,
        window_seconds: float | None = None,
        known_test: ChosenTest | None = None,
        stays: bool = False,
    ) -> Snapshot:
        """Both sources' answers for a moment (default: now) and a window (default: AB_WINDOW).

        `known_test` is what MLflow chose before: Prometheus is asked for it where MLflow cannot be asked now,
        and where it `stays` MLflow chooses no other one as long as it is an A/B experiment.
        Raises UsageError where the configured experiment does not exist, as far as a source can tell.
        """
        moment = at if at is not None else datetime.now(UTC)
        window = window_seconds if window_seconds is not None else self.settings.window_seconds
        chosen = _AwaitedTest(self.settings["AB_EXPERIMENT"], known_test)
        mlflow, prometheus = (
            self._start_mlflow(moment, window, chosen, known_test.name if known_test and stays else None),
            self._start_prometheus(moment, window, chosen),
        )
        try:
            model = self._mlflow_answer(mlflow)
        except DashboardError:
            if prometheus is not None:
                prometheus.drop()
            raise
        finally:
            chosen.settle(None)
        traffic = self._prometheus_answer(prometheus, chosen)
        if known_test is None or self.settings["AB_EXPERIMENT"] != known_test.name:
            self._refuse_unknown(model, traffic)
        if at is None:
            _tell_clocks(model.status, traffic.status)
        return Snapshot(moment, window, model, traffic, datetime.now(UTC), is_now=at is None)

    def chosen_test(self, *, at: datetime) -> ChosenTest | None:
        """The test that MLflow chooses at that moment; where it cannot be asked the configured one, None
        where none is configured.
        """
        chosen = _AwaitedTest(self.settings["AB_EXPERIMENT"])
        question = self._start_mlflow(at, self.settings.window_seconds, chosen)
        if question is None:
            return chosen.configured
        test = chosen.wait(question.deadline.remaining_seconds)
        question.drop()
        return test

    def fetch_all(
        self, *, at: datetime | None = None, window_seconds: float | None = None
    ) -> Iterator[Snapshot]:
        """A snapshot for each A/B experiment of MLflow, the one with the newest activity first; one alone
        where MLflow cannot tell which there are.

        MLflow is asked once for all. Prometheus is asked for each experiment, whose series or whose variants'
        they are. Each time the deadline is its own. Where it has failed for two experiments one after the
        other, it is not asked for the others: each could cost the whole deadline.
        """
        moment = at if at is not None else datetime.now(UTC)
        window = window_seconds if window_seconds is not None else self.settings.window_seconds
        shared: PrometheusAnswer | None = None
        failures = 0
        for model in self._mlflow_answers(moment, window):
            traffic = shared if shared is not None else self._traffic_of(model.chosen, moment, window)
            has_failed = traffic.status.state is SourceState.FAILED
            failures = failures + 1 if has_failed else 0
            shared = traffic if failures >= _FAILURES_IN_TURN else None
            yield Snapshot(moment, window, model, traffic, datetime.now(UTC), is_now=at is None)

    def _mlflow_answers(self, at: datetime, window_seconds: float) -> tuple[MlflowAnswer, ...]:
        if self._model_source is None:
            return (MlflowAnswer(_not_configured(MLFLOW)),)
        source, deadline = self._model_source(self.settings), Deadline(self.settings.timeout_seconds)
        asking = Asking(
            "mlflow", lambda: source.read_all(at=at, window_seconds=window_seconds, deadline=deadline)
        )
        try:
            return asking.result(deadline, abort=source.abort, what=source.what)
        except SourceError as error:
            return (MlflowAnswer(_failed(MLFLOW, error, deadline)),)

    def _traffic_of(self, test: ChosenTest | None, at: datetime, window_seconds: float) -> PrometheusAnswer:
        chosen = _AwaitedTest(None, test)
        chosen.settle(None)
        return self._prometheus_answer(self._start_prometheus(at, window_seconds, chosen), chosen)

    def preference(self, at: datetime, window_seconds: float, shown: str | None = None) -> Preference:
        """What decides between several A/B experiments where no setting names one."""
        if not self.settings.has_prometheus:
            return Preference(shown)
        return Preference(shown, partial(served_tests, self.settings, at, window_seconds))

    def _start_mlflow(
        self, at: datetime, window_seconds: float, chosen: _AwaitedTest, shown: str | None = None
    ) -> _AskedSource[MlflowAnswer] | None:
        if self._model_source is None:
            return None
        preference = self.preference(at, window_seconds, shown)
        source, deadline = self._model_source(self.settings), Deadline(self.settings.timeout_seconds)
        asking = Asking(
            "mlflow",
            lambda: source.read(
                at=at,
                window_seconds=window_seconds,
                deadline=deadline,
                on_experiment=chosen.settle,
                preference=preference,
            ),
        )
        return _AskedSource(asking, deadline, source.abort, source.what)

    def _start_prometheus(
        self, at: datetime, window_seconds: float, chosen: _AwaitedTest
    ) -> _AskedSource[PrometheusAnswer] | None:
        if not self.settings.has_prometheus:
            return None
        source, deadline = PrometheusAbSource(self.settings), Deadline(self.settings.timeout_seconds)

        def ask() -> PrometheusAnswer:
            with closing(source):
                discovered = source.discover(deadline)
                left_seconds = deadline.remaining_seconds
                is_choice_needed = discovered.has_unlabelled or (
                    chosen.configured is None and discovered.experiments
                )
                test = chosen.wait() if is_choice_needed else chosen.configured
                # waiting for the other source is not its own time
                rest = Deadline(left_seconds) if chosen.was_awaited else deadline
                name, variants = (None, ()) if test is None else (test.name, test.variants)
                return source.read(
                    at=at, window_seconds=window_seconds, experiment=name, variants=variants, deadline=rest
                )

        return _AskedSource(Asking("prometheus", ask), deadline, source.abort, "Prometheus")

    def _mlflow_answer(self, question: _AskedSource[MlflowAnswer] | None) -> MlflowAnswer:
        if question is None:
            return MlflowAnswer(_not_configured(MLFLOW))
        try:
            return question.asking.result(question.deadline, abort=question.abort, what=question.what)
        except SourceError as error:
            return MlflowAnswer(_failed(MLFLOW, error, question.deadline))

    def _prometheus_answer(
        self, question: _AskedSource[PrometheusAnswer] | None, chosen: _AwaitedTest
    ) -> PrometheusAnswer:
        if question is None:
            return PrometheusAnswer(_not_configured(PROMETHEUS))
        deadline = Deadline(self.settings.timeout_seconds) if chosen.was_awaited else question.deadline
        try:
            answer = question.asking.result(deadline, abort=question.abort, what=question.what)
        except SourceError as error:
            return PrometheusAnswer(_failed(PROMETHEUS, error, question.deadline))
        for doubt in (
            *answer.status.failures,
            *((PARTIAL,) if answer.status.is_partial else ()),
            *filter(None, (answer.status.counted_twice,)),
        ):
            log.warning("%s: %s", PROMETHEUS, doubt)
        return answer

    def _refuse_unknown(self, model: MlflowAnswer, traffic: PrometheusAnswer) -> None:
        """Where MLflow cannot be asked, Prometheus' label `experiment` tells whether the configured one
        exists; series without the label may be its.
        """
        asked, known = self.settings["AB_EXPERIMENT"], traffic.experiments
        if asked is None or model.status.state not in {SourceState.FAILED, SourceState.NOT_CONFIGURED}:
            return
        if not known:
            log.warning(
                "experiment %r is not verified: neither source could be asked whether it exists", asked
            )
        elif asked not in known and traffic.status.has_answered:
            log.warning(
                "experiment %r is not verified: MLflow cannot be asked, and no series in "
                "Prometheus has its name",
                asked,
            )
        elif asked not in known:
            raise UsageError(unknown_experiment(asked, known))


def _tell_clocks(*statuses: SourceStatus) -> None:
    for status in statuses:
        if status.clock_warning is not None:
            log.warning("%s: %s", status.source, status.clock_warning)


def unknown_experiment(asked: str, known: tuple[str, ...]) -> str:
    """The sentence that refuses an experiment, with the three nearest names."""
    near = difflib.get_close_matches(asked, known, n=3, cutoff=0.0)
    return (
        f"there is no experiment {asked!r}; the nearest names are {', '.join(map(repr, near))}; choose "
        "one with --experiment or AB_EXPERIMENT"
    )


def _not_configured(source: str) -> SourceStatus:
    return SourceStatus(source, SourceState.NOT_CONFIGURED, "not configured", f"set {_TO_SET[source]}")


def _failed(source: str, error: SourceError, deadline: Deadline) -> SourceStatus:
    log.warning("%s: %s", source, error)
    return SourceStatus(
        source, SourceState.FAILED, error.reason, error.fix, duration_seconds=deadline.elapsed_seconds
    )
