"""Every error this package raises on purpose; each message is one sentence that ends with what the reader can
do.

DashboardError                      exit code
├── UsageError                      2          an option or the experiment's name cannot be used
│   ├── SettingsError               2          a setting cannot be used
│   └── SharedOutputError           2          two outputs are one file
├── OutputError                     1          the picture or the summary could not be written
│   └── OutputLockedError           1          another run is writing it
├── DeadlineError                   1          the run took longer than RUN_TIMEOUT_SECONDS
└── SourceError                     (none)     a source could not be asked; becomes missing values with its
reason
"""

from __future__ import annotations


class DashboardError(Exception):
    """The base of all errors whose message is meant for the user."""

    exit_code = 1


class UsageError(DashboardError):
    """Something on the command line cannot be used."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting has a value that cannot be used."""


class SharedOutputError(UsageError):
    """Two outputs of a run are one file; `uses` are the two."""

    def __init__(self, message: str, uses: tuple[str, str]) -> None:
        super().__init__(message)
        self.uses = uses


class OutputError(DashboardError):
    """A file could not be written."""


class OutputLockedError(OutputError):
    """Another run is writing the same output."""


class DeadlineError(DashboardError):
    """The whole run took longer than it may."""


class SourceError(DashboardError):
    """A source could not be asked: what was found, and what the reader can do about it.

    `code` names the failure (`refused`, `auth`, `timeout`, ...) for the connection test.
    """

    def __init__(self, reason: str, fix: str, code: str = "failed") -> None:
        super().__init__(f"{reason}; {fix}" if fix else reason)
        self.reason = reason
        self.fix = fix
        self.code = code
