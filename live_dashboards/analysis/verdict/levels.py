"""The levels at which a comparison is judged."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Levels:
    """At which a comparison is judged: what is better or safe, and harm, None where it is not looked for; and
    the planned requests of both arms.
    """

    alpha: float
    harm: float | None
    planned_n: int
