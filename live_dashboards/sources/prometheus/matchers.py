"""Label matchers as PromQL text: whatever foreign name is to be matched as it is goes through here and
through `quoted`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from live_dashboards.model.variants import SEPARATORS, named_variant
from live_dashboards.sources.queries import EXPERIMENT_LABEL, quoted

MODEL_LABEL = "model_name"


def labelled(experiment: str) -> str:
    """The series whose label names the experiment."""
    return f"{EXPERIMENT_LABEL}={quoted(experiment)}"


def labelled_or_not(experiment: str) -> str:
    """The series whose label names the experiment, and those without the label."""
    return f"{EXPERIMENT_LABEL}=~{quoted(f'{re.escape(experiment)}|')}"


def one_of(label: str, names: Iterable[str]) -> str:
    """The series whose label is one of the names."""
    return f"{label}=~{_alternatives(names)}"


def none_of(label: str, names: Iterable[str]) -> str:
    """The series whose label is none of the names."""
    return f"{label}!~{_alternatives(names)}"


def of_variants(variants: Iterable[str], aliases: Mapping[str, str], more: Iterable[str] = ()) -> str:
    """The series whose model name is, after the aliases, one of the variants (see `named_variant`), or one of
    `more`.
    """
    known = tuple(variants)
    named = {model: named_variant(variant, known) is not None for model, variant in aliases.items()}
    literal = sorted({*more, *(model for model, is_own in named.items() if is_own)})
    patterns = [
        *(f"{re.escape(variant)}([{SEPARATORS[::-1]}].*)?" for variant in sorted(known)),
        *map(re.escape, literal),
    ]
    foreign = sorted(
        model
        for model, is_own in named.items()
        if not is_own and named_variant(model, known) is not None and model not in literal
    )
    matchers = (
        f"{MODEL_LABEL}=~{quoted('|'.join(patterns))}",
        none_of(MODEL_LABEL, foreign) if foreign else "",
    )
    return joined(*matchers)


def joined(*matchers: str) -> str:
    """All of the matchers at once; empty ones say nothing."""
    return ", ".join(filter(None, matchers))


def _alternatives(names: Iterable[str]) -> str:
    return quoted("|".join(re.escape(name) for name in sorted(names)))
