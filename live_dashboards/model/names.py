"""Names and other texts that somebody else has given: many of them in a sentence; on one line, for logs,
tables and terminals, with what acts there written out instead.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

# line ends, terminal codes, marks that turn or hide letters, halves of a character
_ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINERS = {"\u200c", "\u200d"}  # Persian words and composed emoji need them
CUT = "…"
_WIDEST_NAME, _WIDEST_SAID = 30, 60
_MOST_LETTERS_A_COLUMN = 4


def listed(names: Sequence[str], most: int = 8) -> str:
    """The first names, and how many there are beyond: `a, b and 3 more`."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def escaped(text: str) -> str:
    r"""The text with every character that ends a line, steers a terminal, or turns or hides others as its
    escape: `\n`, `\x1b`, `\u202e`.
    """
    return text if text.isprintable() else "".join(map(_shown, text))


def acts(character: str) -> bool:
    """Whether the character does something else than being shown."""
    return unicodedata.category(character) in _ACTING and character not in _JOINERS


def _shown(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii") if acts(character) else character


def short(kind: str, name: str, said: str) -> str:
    """What a record shows of itself where its fields would fill pages: one line, whatever it holds."""
    return f"<{kind} {cut(escaped(name), _WIDEST_NAME)}: {cut(escaped(said), _WIDEST_SAID)}>"


def columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(map(_columns_of, text))


def cut(text: str, width: int) -> str:
    """The text in at most that many columns, with `…` where some of it is left out."""
    most = _MOST_LETTERS_A_COLUMN * width  # marks above letters take no column, but room
    if columns(text[: most + 1]) <= width and len(text) <= most:
        return text
    taken = list(accumulate(map(_columns_of, text[: most - 1])))
    return text[: bisect_right(taken, width - 1)] + CUT


def _columns_of(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in {"W", "F"} else 1
