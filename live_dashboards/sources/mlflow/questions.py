"""MLflow's times, milliseconds since 1970 in UTC, which a caller of MLflow may set to anything.

What a way to ask MLflow must offer: rows to named questions. PostgreSQL answers them with SQL, the REST
API and SQLite from plain rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from live_dashboards.errors import SettingsError
from live_dashboards.model.snapshot import ChosenTest, Experiment, MlflowAnswer
from live_dashboards.sources.asking import Deadline

# the year 9000: to what a calendar's last day holds nothing can be added, not even a zone's hours
_END_OF_TIME_MS = 221_845_392_000_000

Row = tuple[Any, ...]
Parameters = Mapping[str, Any]


def moment_or_none(milliseconds: int | None) -> datetime | None:
    """The moment, None where there is none or it is no time from which a calendar goes on."""
    if milliseconds is None or not 0 < milliseconds < _END_OF_TIME_MS:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def milliseconds(moment: datetime) -> int:
    """The moment in MLflow's unit."""
    return math.floor(moment.timestamp() * 1000)


def require_text(name: str, value: str) -> None:
    """SettingsError where the value of what is called so is no text."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise SettingsError(f"{name} holds bytes that are no UTF-8 text; write it as UTF-8") from None


def alone(names: Sequence[str]) -> str | list[str]:
    """The only one, or all: what is bound to a question that is asked of each."""
    return names[0] if len(names) == 1 else list(names)


class Questions(Protocol):
    """Answers the questions of `sql`, by name, with rows of the same shape, whatever is behind."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Where the answers so far are partial."""

    def rows(self, question: str, sql: str, parameters: Parameters) -> list[Row]:
        """All rows; SourceError naming the question where it cannot be answered."""

    def optional_rows(self, question: str, sql: str, parameters: Parameters) -> list[Row] | None:
        """The rows, or None where this question cannot be answered and others can."""

    def text(self, question: str, sql: str, parameters: Parameters) -> str:
        """What was asked, in the words of what is behind."""


def _none_served(_: Sequence[Experiment]) -> frozenset[int]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class Preference:
    """`shown` is the experiment that was shown before and stays, None where the newest counts; `served` gives
    the ids of those experiments of which two variants have requests, and is called only where what runs hold
    leaves the choice open.
    """

    shown: str | None = None
    served: Callable[[Sequence[Experiment]], frozenset[int]] = _none_served


ANY_TEST = Preference()
"""The newest that has values."""


class MlflowSource(Protocol):
    """One way to ask MLflow."""

    @property
    def what(self) -> str:
        """What it is called in a sentence: `PostgreSQL`."""

    @property
    def address(self) -> str:
        """Where it is, without any secret."""

    def read(
        self,
        *,
        at: datetime,
        window_seconds: float,
        deadline: Deadline,
        on_experiment: Callable[[ChosenTest | None], None],
        preference: Preference = ANY_TEST,
    ) -> MlflowAnswer:
        """What MLflow holds on the chosen experiment at that moment; `on_experiment` is called once with its
        name and variants, None where there is none. `preference` counts where no setting names one.

        Raises SourceError where MLflow cannot be asked, UsageError where AB_EXPERIMENT names no active
        experiment.
        """

    def read_all(
        self, *, at: datetime, window_seconds: float, deadline: Deadline
    ) -> tuple[MlflowAnswer, ...]:
        """What `read` gives for each A/B experiment, the one with the newest activity first; one answer
        without an experiment where there is none.
        """

    def abort(self) -> None:
        """Ends a read that is under way in another thread; it raises SourceError there."""
