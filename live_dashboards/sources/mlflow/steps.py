"""The checks of a connection in turn; one that fails makes the rest impossible."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from live_dashboards.errors import SourceError
from live_dashboards.model.check import Check, CheckState

Step = tuple[str, Callable[[], Check]]


def run_steps(steps: Sequence[Step], reason: str) -> Iterator[Check]:
    """The checks in turn; what raises SourceError fails and makes the rest impossible."""
    for index, (name, look) in enumerate(steps):
        try:
            yield look()
        except SourceError as error:
            yield Check(name, CheckState.FAILED, error.reason, error.fix, error.code)
            yield from skipped([later for later, _ in steps[index + 1 :]], reason)
            return


def skipped(names: Sequence[str], reason: str) -> Iterator[Check]:
    """A line for each check that was not made."""
    for name in names:
        yield Check(name, CheckState.SKIPPED, f"not looked at: {reason}", code="skipped")
