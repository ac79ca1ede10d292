"""The settings that every page is made and drawn with, whatever a user's matplotlibrc says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

import matplotlib as mpl
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure

_ONE_AT_A_TIME = RLock()
_OTHERS_BUSINESS = (
    "backend",
    "toolbar",
    "tk.",
    "webagg.",
    "macosx.",
    "savefig.",
    "svg.",
    "pdf.",
    "ps.",
    "pgf.",
)
_OWN = {"text.parse_math": False, "text.hinting": "none"}


@contextmanager
def page_settings() -> Iterator[None]:
    """Matplotlib's own defaults, names never read as formulas, and glyphs where they belong instead of at the
    nearest pixel; put back afterwards.

    The settings are one for the whole process, so pages are made one at a time.
    """
    with _ONE_AT_A_TIME, mpl.rc_context():
        mpl.rcParams.update(_changes())
        yield


def _changes() -> dict[Any, Any]:
    wanted: dict[Any, Any] = {
        name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith(_OTHERS_BUSINESS)
    }
    wanted.update(_OWN)
    return {name: value for name, value in wanted.items() if mpl.rcParams[name] != value}


class Page(Figure):
    """A figure that is drawn with the page's settings, whoever saves it."""

    def draw(self, renderer: RendererBase) -> None:
        """Draws all artists."""
        with page_settings():
            super().draw(renderer)
