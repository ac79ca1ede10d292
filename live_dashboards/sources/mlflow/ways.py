"""The ways to ask MLflow that are configured: its PostgreSQL first, then what MLFLOW_TRACKING_URI names,
within one deadline.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime

from live_dashboards.errors import SourceError, UsageError
from live_dashboards.model.setting_types import Secret
from live_dashboards.model.snapshot import ChosenTest, MlflowAnswer, SourceState
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow.postgres import PostgresSource
from live_dashboards.sources.mlflow.questions import ANY_TEST, MlflowSource, Preference

_Answers = tuple[MlflowAnswer, ...]
log = logging.getLogger(__name__)


def mlflow_source(settings: Settings) -> MlflowSource:
    """What is asked for MLflow's facts; SettingsError where the settings cannot name it. Only where
    `has_mlflow`.
    """
    tracking = tracking_source(settings)
    if not settings.has_mlflow_database:
        assert tracking is not None  # noqa: S101 has_mlflow says so
        return tracking
    return PostgresSource(settings) if tracking is None else WithBackup(PostgresSource(settings), tracking)


def tracking_source(settings: Settings) -> MlflowSource | None:
    """What MLFLOW_TRACKING_URI names, None where it is not set."""
    uri: Secret | None = settings["MLFLOW_TRACKING_URI"]
    if uri is None:
        return None
    if uri.reveal().startswith("sqlite:"):
        from live_dashboards.sources.mlflow.sqlite.source import MlflowSqliteSource

        return MlflowSqliteSource(settings)
    from live_dashboards.sources.mlflow.rest.source import MlflowRestSource

    return MlflowRestSource(settings)


class WithBackup:
    """Two ways of which the second is asked where the first one fails; the first has half of the time, as the
    second needs some too.
    """

    def __init__(self, first: MlflowSource, backup: MlflowSource) -> None:
        self._ways: Sequence[MlflowSource] = (first, backup)
        self._is_aborted = False

    @property
    def what(self) -> str:
        """Both names."""
        return f"{self._ways[0].what}, nor {self._ways[1].what},"

    @property
    def address(self) -> str:
        """Where the first one is."""
        return self._ways[0].address

    def read(
        self,
        *,
        at: datetime,
        window_seconds: float,
        deadline: Deadline,
        on_experiment: Callable[[ChosenTest | None], None],
        preference: Preference = ANY_TEST,
    ) -> MlflowAnswer:
        """What the first one holds that answers.

        The experiment is told only once an answer stands: the two might choose differently, and traffic of
        one must not stand below the name of another.
        """

        def ask(way: MlflowSource, share: Deadline) -> _Answers:
            return (
                way.read(
                    at=at,
                    window_seconds=window_seconds,
                    deadline=share,
                    on_experiment=lambda _: None,
                    preference=preference,
                ),
            )

        with ExitStack() as untold:
            untold.callback(on_experiment, None)
            (answer,) = self._first_answer(ask, deadline)
            untold.pop_all()
            on_experiment(answer.chosen)
            return answer

    def read_all(
        self, *, at: datetime, window_seconds: float, deadline: Deadline
    ) -> tuple[MlflowAnswer, ...]:
        """What the first one holds that answers."""
        return self._first_answer(
            lambda way, share: way.read_all(at=at, window_seconds=window_seconds, deadline=share), deadline
        )

    def abort(self) -> None:
        """Ends a read that is under way in another thread."""
        self._is_aborted = True
        for way in self._ways:
            way.abort()

    def _first_answer(
        self, ask: Callable[[MlflowSource, Deadline], _Answers], deadline: Deadline
    ) -> _Answers:
        """The first answer, with what must be said beside it; SourceError where there is none, with what both
        said.
        """
        first, backup = self._ways
        try:
            return ask(first, Deadline(deadline.remaining_seconds / 2))
        except SourceError as error:
            failure = error
        if self._is_aborted:
            raise failure
        try:
            answers = ask(backup, Deadline(deadline.remaining_seconds))
        except SourceError as error:
            raise _with(failure, f"nor does the backup answer: {error.reason}") from None
        except UsageError as error:  # what a backup does not know may well be in PostgreSQL
            raise _with(
                failure, f"the backup, {backup.what} ({backup.address}), does not know either: {error}"
            ) from None
        if answers[0].status.state is SourceState.NO_AB_DATA:
            raise _with(
                failure,
                f"the backup, {backup.what} ({backup.address}), has nothing to show "
                f"instead: {answers[0].status.reason}",
            )
        warning = f"{first.what} gave no answer, {backup.what} ({backup.address}) is shown instead: {failure}"
        log.warning("mlflow: %s", warning)
        return tuple(
            replace(
                answer,
                status=replace(
                    answer.status, warnings=(warning, *answer.status.warnings), instead_of=first.what
                ),
            )
            for answer in answers
        )


def _with(failure: SourceError, also: str) -> SourceError:
    """The first one's failure, as that is what must be mended, with what the backup said."""
    return SourceError(f"{failure.reason}; {also}", failure.fix, failure.code)
