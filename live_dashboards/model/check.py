"""One line of the connection test: what was looked at, what was found, and what the reader can do about
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """A finished check: `found` is one sentence, `fix` what to do (empty where there is nothing to do),
    `code` names the finding for programs.
    """

    name: str
    ok: CheckState
    found: str
    fix: str = ""
    code: str = ""

    @property
    def has_failed(self) -> bool:
        """Whether this makes the connection test fail."""
        return self.ok is CheckState.FAILED
