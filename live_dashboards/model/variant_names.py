"""When a model's name is that of a variant: one rule for what is asked of Prometheus and for what is made of
its answer.
"""

from __future__ import annotations

from collections.abc import Iterable

SEPARATORS = "-_"


def named_variant(name: str, variants: Iterable[str]) -> str | None:
    """The variant that the name equals, or that it starts with followed by `-` or `_`: the longest one, None
    where there is none.
    """
    found = [
        variant
        for variant in variants
        if name == variant or name.startswith(tuple(f"{variant}{separator}" for separator in SEPARATORS))
    ]
    return max(found, key=len, default=None)
