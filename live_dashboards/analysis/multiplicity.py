"""Several tests at once: adjusted p-values."""

from __future__ import annotations

from collections.abc import Sequence


def adjust(p_values: Sequence[float], method: str = "holm") -> list[float]:
    """Adjusted p-values in the order given: `holm` (Holm 1979, Scand. J. Stat. 6:65) or `fdr_bh` (Benjamini &
    Hochberg 1995, J. R. Stat. Soc. B 57:289).

    ValueError for another method, or for a p-value that is not from 0 to 1.
    """
    if method not in {"holm", "fdr_bh"}:
        raise ValueError(f"method is {method!r}; it must be holm or fdr_bh")
    if any(not 0 <= p <= 1 for p in p_values):
        raise ValueError(f"p_values are {list(p_values)}; each must be from 0 to 1")
    return _holm(p_values) if method == "holm" else _benjamini_hochberg(p_values)


def _holm(p_values: Sequence[float]) -> list[float]:
    """Step-down: the smallest p times m, the next times m - 1, never below the one before."""
    adjusted, reached = [0.0] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        reached = max(reached, min(1.0, p_values[index] * (len(p_values) - place)))
        adjusted[index] = reached
    return adjusted


def _benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Step-up: the largest p as it is, the next times m / (m - 1), never above the one before."""
    adjusted, reached = [0.0] * len(p_values), 1.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda index: -p_values[index])):
        reached = min(reached, p_values[index] * (len(p_values) / (len(p_values) - place)))
        adjusted[index] = reached
    return adjusted
