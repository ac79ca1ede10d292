"""What every way to ask MLflow does alike: open it, ask in the one order, and let another thread end that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from live_dashboards.model.snapshot import ChosenTest, MlflowAnswer
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow.answers import Asked
from live_dashboards.sources.mlflow.reading import Once, check_texts, question_parameters, read_each, read_one


class Abortable(AbstractContextManager[Any], Protocol):
    """What is open while it is asked."""

    def abort(self) -> None:
        """Ends a question that is under way in another thread."""


Opened = TypeVar("Opened", bound=Abortable)


class OpenedSource(ABC, Generic[Opened]):
    """A MlflowSource (see `questions`) over something that is opened anew for each read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opened: Opened | None = None
        check_texts(settings)

    def read(
        self,
        *,
        at: datetime,
        window_seconds: float,
        deadline: Deadline,
        on_experiment: Callable[[ChosenTest | None], None],
    ) -> MlflowAnswer:
        """What MLflow holds on the chosen experiment at that moment.

        `on_experiment` is called once, as early as possible, with the chosen experiment's name and variants,
        None where there is none. Raises SourceError where MLflow cannot be asked, UsageError where
        AB_EXPERIMENT names no active experiment.
        """
        tell = Once(on_experiment)
        try:
            with self._open_to_abort(deadline) as opened:
                asked = self._asked(opened, question_parameters(self._settings, at, window_seconds), deadline)
                return read_one(asked, self._settings["AB_EXPERIMENT"], tell)
        finally:
            tell(None)

    def read_all(
        self, *, at: datetime, window_seconds: float, deadline: Deadline
    ) -> tuple[MlflowAnswer, ...]:
        """What `read` gives for each A/B experiment, the one with the newest activity first, by as many
        questions as for one.

        One answer without an experiment where there is none. Raises SourceError where MLflow cannot be asked.
        """
        with self._open_to_abort(deadline) as opened:
            return read_each(
                self._asked(opened, question_parameters(self._settings, at, window_seconds), deadline)
            )

    def abort(self) -> None:
        """Ends a read that is under way in another thread; it raises SourceError there."""
        if self._opened is not None:
            self._opened.abort()

    def _open_to_abort(self, deadline: Deadline) -> Opened:
        """Known before it is entered, since that may take long."""
        self._opened = self._open(deadline)
        return self._opened

    @abstractmethod
    def _open(self, deadline: Deadline) -> Opened:
        """What is to be asked, not entered yet."""

    @abstractmethod
    def _asked(self, opened: Opened, parameters: Mapping[str, Any], deadline: Deadline) -> Asked:
        """The same with all that the questions need."""
