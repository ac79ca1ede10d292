"""Settings that are more than a text or a number: a secret, a business parameter that may be a range, and how
traffic was to be split, and since when.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

_MARKS = tuple(map(re.escape, "@:/%#? ,;&<>\"'\\"))
_CUTS = (*_MARKS, "|".join(_MARKS))


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
    """The text with every secret, and every piece of four characters or more that somebody may quote of it,
    as stars.

    Drivers cut secrets at `@`, `:`, `/` and `%` when they misread a URL, servers at `,` in a list of headers,
    and HTML and JSON write quotes and brackets in another way: so the pieces between these count too.
    """
    pieces = {secret for secret in secrets if secret}
    pieces |= {
        part for secret in secrets for cut in _CUTS for part in re.split(cut, secret) if len(part) >= 4
    }
    for piece in sorted(pieces, key=len, reverse=True):
        text = text.replace(piece, "***")
    return text


@dataclass(frozen=True, slots=True)
class Amount:
    """Low and high of an assumed amount, in the setting's own unit; both equal for a point."""

    low: float
    high: float

    @property
    def point(self) -> float:
        """The midpoint."""
        return (self.low + self.high) / 2

    @property
    def is_range(self) -> bool:
        """Whether low and high differ."""
        return self.low != self.high


@dataclass(frozen=True, slots=True)
class VariantWay:
    """Where MLflow holds a run's variant: its `param` or `tag` of that name, or the `alias` or the name
    (`model_name`) of the registered model made from it, which have no name of their own.
    """

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind

    @property
    def words(self) -> str:
        """What it is called in a sentence: `the param model_variant`."""
        said = {
            "alias": "the registry's alias",
            "model_name": "the registered model's name",
            "model": "the LoggedModel that a run measured",
        }
        return said.get(self.kind) or f"the {self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class TrafficPlan:
    """The planned share (0 to 1) of each variant from a moment on; None is from the start of the test on."""

    since: datetime | None
    shares: tuple[tuple[str, float], ...]

    def share(self, variant: str) -> float:
        """The variant's planned share; 0 for one that the plan does not name."""
        return dict(self.shares).get(variant, 0.0)
