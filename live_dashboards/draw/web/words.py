"""Words in a chart: text of users cut, cleaned and escaped, so that it is neither markup nor a template of
the chart library, and what a mark says when it is pointed at.
"""

from __future__ import annotations

import textwrap
import unicodedata

from live_dashboards.model.chart import Said, Sayings

MOST_CHARACTERS = 60
MOST_QUERY_CHARACTERS = 120
_LOOKED_AT = 1_000
_HOVER_WIDTH = 44
_ELLIPSIS = "…"

TEMPLATE = "%{customdata}<extra></extra>"
"""A mark's words come as data, so that no text of a user is ever a template."""


def shown(text: str, most: int = MOST_CHARACTERS) -> str:
    """The text on one line, cut at that many characters, safe as a label."""
    return escaped(_cut(cleaned(text), most))


def shown_name(name: str, most: float) -> str:
    """The name cut in its middle, since names of one family differ at their ends; wide characters count
    twice.
    """
    name = cleaned(name)
    if width(name) <= most:
        return escaped(name)
    tail = _ends_within(name[::-1], most / 3)[::-1]
    return escaped(f"{_ends_within(name, most - 1 - width(tail))}{_ELLIPSIS}{tail}")


def wrapped(text: str, most: int = MOST_CHARACTERS) -> str:
    """The text cut, over as many lines as a hover box of a phone needs."""
    return "<br>".join(
        escaped(line)
        for line in textwrap.wrap(_cut(cleaned(text), most), _HOVER_WIDTH, break_long_words=True)
    )


def cleaned(text: str) -> str:
    """Without control characters, marks that turn the direction of writing, and half characters; on one
    line.
    """
    return " ".join(
        "".join(
            " " if unicodedata.category(each).startswith("C") else each for each in text[:_LOOKED_AT]
        ).split()
    )


def escaped(text: str) -> str:
    """As characters, not as markup or as a template."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("%{", "%&#123;")


def width(text: str) -> float:
    """Columns that the text takes: two for a wide character, more than one for a capital."""
    return sum(
        2.0 if unicodedata.east_asian_width(each) in {"W", "F"} else 1.4 if each.isupper() else 1.0
        for each in text
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + _ELLIPSIS


def _ends_within(text: str, most: float) -> str:
    """The start of the text that fits."""
    text = text[: max(1, int(most))]
    while width(text) > max(1.4, most) and len(text) > 1:
        text = text[:-1]
    return text


def said(lines: Sayings) -> str:
    """The lines below each other, safe whatever names of users they hold."""
    return "<br>".join(_line(line) for line in lines)


def _line(line: Said) -> str:
    if line.how == "title":
        return f"<b>{wrapped(line.text)}</b>"
    if line.how == "value":
        return f"<b>{wrapped(line.text, MOST_QUERY_CHARACTERS)}</b>{escaped(line.after)}"
    if line.how == "short":
        return shown(line.text)
    if line.how == "long":
        return wrapped(line.text, MOST_QUERY_CHARACTERS)
    return (
        f"query: {wrapped(line.text, MOST_QUERY_CHARACTERS)}" if line.how == "query" else escaped(line.text)
    )
