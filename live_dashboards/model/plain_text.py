"""Text of others on one line, for logs, tables and terminals: what acts there is written out instead."""

from __future__ import annotations

import unicodedata

# line ends, terminal codes, marks that turn or hide letters, halves of a character
_ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINERS = {"\u200c", "\u200d"}  # Persian words and composed emoji need them


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
