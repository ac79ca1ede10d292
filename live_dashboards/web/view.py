"""What a browser looks at: experiment, window, baseline and challenger, as the address of the page names
them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

from live_dashboards.errors import UsageError
from live_dashboards.model.moment import format_duration, parse_duration_seconds
from live_dashboards.settings import Settings

WINDOWS = ("1h", "6h", "24h", "7d")
_LONGEST_NAME = 500


@dataclass(frozen=True, slots=True)
class View:
    """A choice; None is the settings' own. The names are still only names: nothing here says that they
    exist.
    """

    experiment: str | None = None
    window: str | None = None
    baseline: str | None = None
    challenger: str | None = None

    @property
    def question(self) -> View:
        """What the sources are asked for; baseline and challenger are chosen from the answer."""
        return View(self.experiment, self.window)

    @property
    def query(self) -> str:
        """The address's part behind the question mark."""
        return urlencode(
            {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}
        )


def own_window(settings: Settings) -> str:
    """The configured window, as the usual ones are written where it is one of them."""
    seconds = settings.window_seconds
    return next(
        (window for window in WINDOWS if parse_duration_seconds(window) == seconds), format_duration(seconds)
    )


def windows(settings: Settings) -> tuple[str, ...]:
    """The windows that can be chosen: the usual ones and the configured one, shortest first."""
    return tuple(sorted({*WINDOWS, own_window(settings)}, key=parse_duration_seconds))


def parse_view(parameters: Mapping[str, str], settings: Settings) -> View:
    """The view that the address's parameters name; UsageError for a window that cannot be chosen or what
    cannot be a name.
    """
    given = {field.name: parameters.get(field.name) or None for field in fields(View)}
    for name, value in given.items():
        if value is not None:
            _refuse_no_name(name, value)
    choices = windows(settings)
    if given["window"] is not None and given["window"] not in choices:
        raise UsageError(f"there is no window {given['window'][:20]!r}; choose one of {', '.join(choices)}")
    view = _plain(View(**given), settings)
    chosen = settings_of(view, settings)
    # also where the address names only one of the two, and the settings the other
    if chosen["AB_BASELINE_VARIANT"] == chosen["AB_CHALLENGER_VARIANT"]:
        raise UsageError("baseline and challenger are the same variant; choose two")
    return view


def _plain(view: View, settings: Settings) -> View:
    """Without what the settings say anyway, so that one page has one address."""
    own = {
        "experiment": settings["AB_EXPERIMENT"],
        "window": own_window(settings),
        "baseline": settings["AB_BASELINE_VARIANT"],
        "challenger": settings["AB_CHALLENGER_VARIANT"],
    }
    return replace(view, **{name: None for name, value in own.items() if getattr(view, name) == value})


def settings_of(view: View, settings: Settings) -> Settings:
    """The settings with the view's choices in place of their own."""
    chosen = {
        "AB_EXPERIMENT": view.experiment,
        "AB_WINDOW": None if view.window is None else parse_duration_seconds(view.window),
        "AB_BASELINE_VARIANT": view.baseline,
        "AB_CHALLENGER_VARIANT": view.challenger,
    }
    return replace(
        settings,
        values={**settings.values, **{name: value for name, value in chosen.items() if value is not None}},
    )


def _refuse_no_name(name: str, value: str) -> None:
    if len(value) > _LONGEST_NAME or any(
        unicodedata.category(character) in {"Cc", "Cs"} for character in value
    ):
        raise UsageError(
            f"{name} must be a name of at most {_LONGEST_NAME} characters without control characters"
        )
