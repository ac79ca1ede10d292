"""A text that never shows itself."""

from __future__ import annotations


class Secret:
    """Holds a secret; `repr`, `str` and formatting show stars, only `reveal()` gives the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself, to be handed to a driver and to nothing else."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def scrub(text: str, secrets: tuple[str, ...]) -> str:
    """The text with every secret, and every piece of four characters or more that a driver may quote of it, as stars.

    Drivers cut secrets at `@`, `:`, `/` and `%` when they misread a URL, so the pieces between these count too.
    """
    pieces = {secret for secret in secrets if secret}
    for secret in tuple(pieces):
        for mark in "@:/%#? ":
            pieces.update(part for part in secret.split(mark) if len(part) >= 4)
    for piece in sorted(pieces, key=len, reverse=True):
        text = text.replace(piece, "***")
    return text
