"""Small pieces that several parts of the page are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dash import html

from live_dashboards.model.measurement import Origin
from live_dashboards.model.names import acts
from live_dashboards.model.presentation import CACHED_MARK

Tree = Any
"""A component, a text, or a list of them."""

LONGEST_WORDS = 300


def short(text: str, longest: int = LONGEST_WORDS) -> str:
    """The text in one line, cut where it is too long for anybody to read; what turns or hides letters or
    steers a terminal is taken out.
    """
    plain = " ".join(
        "".join(character for character in text if character.isspace() or not acts(character)).split()
    )
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def tag(origin: Origin) -> Tree:
    """The word that says what kind of values these are; nothing for live ones."""
    mark = f" {CACHED_MARK}" if origin is Origin.CACHED else ""
    return (
        None
        if origin is Origin.LIVE
        else html.Span(f"{origin.value.upper()}{mark}", className=f"tag tag-{origin.value}")
    )


def name_of(variant: str | None, names: Sequence[str]) -> Tree:
    """A variant's name in its colour."""
    index = names.index(variant) if variant in names else len(names)
    return html.Span(
        short(variant or "none", 60), className=f"variant variant-{min(index, 6)}", title=short(variant or "")
    )


def long_words(text: str, longest: int = LONGEST_WORDS) -> Tree:
    """Words of a table's cell, which break anywhere rather than make the table wider than its place: a reason
    holds whole queries.
    """
    return html.Span(short(text, longest), className="words")


def pairs(rows: Iterable[tuple[str, str]], class_name: str) -> Tree:
    """A list of names and what they are."""
    return html.Dl(
        [html.Div([html.Dt(name), html.Dd(short(words))]) for name, words in rows if words],
        className=class_name,
    )


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Tree]],
    *,
    class_name: str = "",
    body_id: str | None = None,
) -> Tree:
    """A table whose first cell names its row; it can be scrolled by keyboard where it is wider than its
    place.
    """
    head = html.Thead(html.Tr([html.Th(column, scope="col") for column in columns]))
    body = html.Tbody(
        [
            html.Tr([html.Th(first, scope="row"), *(html.Td(cell) for cell in cells)])
            for first, *cells in rows
        ],
        **({"id": body_id} if body_id else {}),
    )
    made = html.Table([html.Caption(caption), head, body], className=class_name)
    return html.Div(made, className="table", tabIndex=0, role="region", **{"aria-label": caption})
