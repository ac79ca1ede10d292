"""Figures of every case, and what is in them."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from live_dashboards.draw.web import panels as module
from live_dashboards.panels.ab import AB_PANELS
from live_dashboards.panels.business import BUSINESS_PANELS
from tests.figures.cases import CASES
from tests.support.business_pages import CASES as BUSINESS_CASES

EVERY_CASE = [*(("ab", name) for name in CASES), *(("business", name) for name in BUSINESS_CASES)]
COLOUR_KEYS = {"color", "fillcolor", "bgcolor", "fgcolor", "bordercolor", "gridcolor", "linecolor", "paper_bgcolor", "plot_bgcolor"}


@lru_cache(maxsize=64)
def figures(page: str, case: str) -> dict[str, dict[str, Any]]:
    """The figures that are drawn, by their places on the page."""
    report = CASES[case]() if page == "ab" else BUSINESS_CASES[case]()
    return all_figures(page, report)


def all_figures(page: str, report: Any) -> dict[str, dict[str, Any]]:
    panels = AB_PANELS if page == "ab" else BUSINESS_PANELS
    return {place: drawn for panel in panels if panel.is_shown(report) for place, drawn in module.figures(panel, report).items()}


def figure(place: str, report: Any) -> dict[str, Any] | None:
    """The figure at that place of the report's page; None where nothing is drawn there."""
    page = "ab" if hasattr(report, "effect") else "business"
    return all_figures(page, report).get(place)


def walk(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """(nearest key, leaf) of everything in a figure."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from walk(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner, key)
    else:
        yield key, value


def colours(figure: dict[str, Any]) -> set[str]:
    """All colours of a figure."""
    return {value for key, value in walk(figure) if key in COLOUR_KEYS and isinstance(value, str)} | {
        found for _, value in walk(figure) if isinstance(value, str) for found in re.findall(r"#[0-9A-Fa-f]{6}\b", value)
    }


def labels(figure: dict[str, Any]) -> list[str]:
    """The words on the drawing."""
    return [each["text"] for each in figure["layout"].get("annotations", [])]


def hovers(figure: dict[str, Any]) -> list[str]:
    """What the marks say, with what their points share."""
    return ["<br>".join([*trace.get("meta", []), words]) for trace in figure["data"] for words in trace.get("customdata", [])]


def marks(figure: dict[str, Any]) -> list[tuple[Any, Any]]:
    """(x, y) of all points that can be pointed at."""
    return [pair for trace in figure["data"] if trace.get("customdata") for pair in zip(trace["x"], trace["y"], strict=True)]


def lines(figure: dict[str, Any]) -> list[list[Any]]:
    """The x of what is drawn as a line and says nothing: intervals."""
    return [trace["x"] for trace in figure["data"] if trace.get("hoverinfo") == "skip" and trace["mode"] == "lines"]
