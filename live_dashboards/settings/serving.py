"""Reads AB_METRICS and what overrides it: the names under which Prometheus has requests, errors and response
times. Presets are TOML files, the built-in ones in `presets/`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from live_dashboards.model.guarded import LabelMatcher
from live_dashboards.model.serving import (
    CountedSeries,
    CounterSum,
    LatencyKind,
    LatencyMetric,
    ServingMetrics,
)
from live_dashboards.settings.selectors import QUOTED, check_pattern, matchers, selector
from live_dashboards.settings.values import choice, metric_name, text

OWN_PRESET = "ab_test"
_PRESETS = Path(__file__).parent / "presets"
NONE = "none"
_UNITS_SECONDS = {"s": 1.0, "ms": 0.001, "us": 0.000_001}
_ENDINGS_UNITS = {
    "_milliseconds": "ms",
    "_millis": "ms",
    "_ms": "ms",
    "_microseconds": "us",
    "_us": "us",
    "_seconds": "s",
}
_MOST_TERMS = 10
_KINDS = tuple(map(str, LatencyKind))
_PIECE = re.compile(rf"{QUOTED}|.", re.DOTALL)
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_OVERRIDES = (  # a setting, and the preset's key that it stands in for
    ("AB_REQUESTS", "requests"),
    ("AB_ERRORS", "errors"),
    ("AB_LATENCY", "latency"),
    ("AB_LATENCY_UNIT", "latency_unit"),
    ("AB_LATENCY_KIND", "latency_kind"),
    ("AB_LATENCY_COUNT", "latency_count"),
    ("AB_MODEL_LABEL", "model_label"),
    ("AB_MODEL_PATTERN", "model_pattern"),
)


def presets() -> tuple[str, ...]:
    """The names of the built-in presets, the tool's own one first."""
    found = sorted(path.stem for path in _PRESETS.glob("*.toml"))
    return (OWN_PRESET, *(name for name in found if name != OWN_PRESET))


def framework_presets() -> tuple[ServingMetrics, ...]:
    """The names of each built-in preset but the tool's own."""
    return tuple(_named(_built_in(name)) for name in presets() if name != OWN_PRESET)


def preset(value: str) -> Mapping[str, Any]:
    """The preset of a name, or in a TOML file, as a mapping of its checked keys and its `name`; ValueError
    says what is wrong with it.
    """
    if "/" in value or value.endswith(".toml"):
        return _checked(value, _read_file(Path(value).expanduser()))
    if value not in presets():
        raise ValueError(
            f"must be one of {', '.join(presets())}, or the path of a TOML file of your own in their format"
        )
    return _built_in(value)


def counters(value: str) -> CounterSum:
    """Sums and differences of selectors: `a + b{code="x"} - c`."""
    signs, parts = ["+"], [""]
    depth = 0
    for piece in _PIECE.findall(value):
        depth += (piece == "{") - (piece == "}")
        if depth == 0 and piece in "+-":
            signs.append(piece)
            parts.append("")
        else:
            parts[-1] += piece
    if len(parts) > _MOST_TERMS:
        raise ValueError(
            f"it adds up {len(parts)} counters, but at most {_MOST_TERMS} can be; record their sum"
        )
    found = [(sign, CountedSeries(*_selector(part.strip()))) for sign, part in zip(signs, parts, strict=True)]
    twice = next(
        (each for index, (_, each) in enumerate(found) if each in [one for _, one in found[:index]]), None
    )
    if twice is not None:
        raise ValueError(f"it names {twice} twice; name each counter once")
    return CounterSum(
        tuple(each for sign, each in found if sign == "+"), tuple(each for sign, each in found if sign == "-")
    )


def errors(value: str) -> CounterSum | str:
    """The same, or `none`."""
    return NONE if value.lower() == NONE else counters(value)


def latency(value: str) -> str:
    """A metric's name without its ending, or `none`."""
    if value.lower() == NONE:
        return NONE
    if value.endswith("_bucket"):
        raise ValueError("must be the metric's name without its ending _bucket")
    return metric_name(value)


latency_unit = choice(*_UNITS_SECONDS)
latency_kind = choice(*_KINDS)


def model_label(value: str) -> str:
    """The name of the label that tells the model."""
    if not _LABEL.fullmatch(value) or value in {"le", "experiment"}:
        raise ValueError("must be the name of the Prometheus label that tells the model, such as handler")
    return value


def model_pattern(value: str) -> str:
    """A pattern of the whole label value whose first group is the variant. Prometheus applies it (RE2)."""
    try:
        groups = re.compile(text(value)).groups
    except re.error as error:
        raise ValueError(f"that is no pattern: {error}") from None
    check_pattern(value)
    if not groups:
        raise ValueError(r"must hold a group, which is the variant, such as /models/(\w+)/predict")
    return value


def always(value: str) -> tuple[LabelMatcher, ...]:
    """Matchers of labels, comma-separated."""
    try:
        return matchers(value, ("__name__",))
    except ValueError as error:
        raise ValueError(
            f'cannot be read ({error}); give matchers, comma-separated, such as traffic!="shadow"'
        ) from None


def serving_metrics(values: Mapping[str, Any]) -> ServingMetrics:
    """The names that these settings give: the preset's, each overridden by a setting of its own. ValueError
    where two of them contradict each other.
    """
    given = {key: values[name] for name, key in _OVERRIDES if values[name] is not None}
    more: tuple[LabelMatcher, ...] = values["AB_MATCHERS"] or ()
    chosen = {**_without_what_goes(values["AB_METRICS"], given), **given}
    found = _named(chosen)
    is_own, is_changed = chosen["name"] == OWN_PRESET, bool(given or more)
    return replace(
        found,
        title="your settings" if is_own and is_changed else found.title,
        matchers=(*found.matchers, *more),
        is_own=is_own and not is_changed,
    )


def _without_what_goes(preset: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The preset's keys without those that are of what is overridden: how its errors are told, by what its
    latency is divided, and the unit that another metric's name says itself.
    """
    found = dict(preset)
    if "errors" in given:
        found.pop("errors_by_status", None)
    if {"latency", "latency_kind"} & given.keys():
        found.pop("latency_count", None)
    if "latency" in given:
        unit = next(
            (unit for ending, unit in _ENDINGS_UNITS.items() if given["latency"].endswith(ending)), None
        )
        found.update({} if unit is None else {"latency_unit": unit})
    return found


def _named(chosen: Mapping[str, Any]) -> ServingMetrics:
    return ServingMetrics(
        preset=chosen["name"],
        title=chosen["title"],
        requests=chosen["requests"],
        errors=None if chosen["errors"] == NONE else chosen["errors"],
        latency=_latency(chosen),
        model_label=chosen["model_label"],
        model_pattern=chosen.get("model_pattern"),
        needs_pattern=chosen.get("needs_pattern", False),
        matchers=chosen.get("matchers", ()),
        is_told_by_status=chosen.get("errors_by_status", False),
        versions=chosen["versions"],
        verified=chosen["verified"],
        cannot_tell=chosen.get("cannot_tell", ()),
        recognised_by=chosen.get("recognised_by"),
    )


def _latency(chosen: Mapping[str, Any]) -> LatencyMetric | None:
    kind = LatencyKind(chosen.get("latency_kind", LatencyKind.HISTOGRAM))
    count: CounterSum | None = chosen.get("latency_count")
    divided_by = count or chosen["requests"]
    if kind is LatencyKind.SUM and divided_by.taken:
        raise ValueError(
            f"a counter of time is divided by what {divided_by} leaves, but only sums can be: set "
            "AB_LATENCY_COUNT to one counter, or to several with +"
        )
    if count is not None and kind is not LatencyKind.SUM:
        raise ValueError(
            f"AB_LATENCY_COUNT divides a counter of time, but AB_LATENCY_KIND is {kind}; set it to sum, or "
            "leave the count out"
        )
    if chosen["latency"] == NONE:
        return None
    return LatencyMetric(chosen["latency"], kind, _UNITS_SECONDS[chosen.get("latency_unit", "s")], count)


@lru_cache(maxsize=32)
def _built_in(name: str) -> Mapping[str, Any]:
    document = (_PRESETS / f"{name}.toml").read_text(encoding="utf-8")
    return _checked(name, tomllib.loads(document))


def _read_file(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"that file cannot be read: {cause}") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"that file is no TOML: {error}") from None


def _checked(name: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The keys of a preset, each read as the setting that overrides it."""
    unknown = sorted(document.keys() - _READERS.keys())
    if unknown:
        raise ValueError(
            f"it has the key {unknown[0]!r}, which no preset has; keys are {', '.join(_READERS)}"
        )
    missing = [key for key in _NEEDED if key not in document]
    if missing:
        raise ValueError(f"it lacks the key {missing[0]!r}; a preset needs {', '.join(_NEEDED)}")
    found: dict[str, Any] = {"name": name, "title": name, "versions": "", "verified": ""}
    for key, value in document.items():
        try:
            found[key] = _READERS[key](value)
        except (ValueError, TypeError, AttributeError) as error:
            why = error if isinstance(error, ValueError) else "it is not of the right type"
            raise ValueError(f"its key {key} is {value!r}, but {why}") from None
    return found


def _selector(text: str) -> tuple[str, tuple[LabelMatcher, ...]]:
    try:
        return selector(text, ("__name__",))
    except ValueError as error:
        raise ValueError(
            f"{text!r} cannot be read ({error}); give a metric's name, and in braces labels with a text in "
            'quotes, added with + and taken away with -, as in a_total{code=~"5.."} + b_total'
        ) from None


def _texts(value: list[str]) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(map(_text, value))


def _text(value: str) -> str:
    if not isinstance(value, str):
        raise TypeError
    return text(value)


def _flag(value: bool) -> bool:  # noqa: FBT001 a reader of TOML's own type
    if not isinstance(value, bool):
        raise TypeError
    return value


def _series(value: str) -> CountedSeries:
    return CountedSeries(*_selector(value))


_NEEDED = ("requests", "errors", "latency", "model_label")
_READERS: dict[str, Callable[[Any], Any]] = {
    "title": _text,
    "versions": _text,
    "verified": _text,
    "requests": counters,
    "errors": errors,
    "errors_by_status": _flag,
    "latency": latency,
    "latency_unit": latency_unit,
    "latency_kind": latency_kind,
    "latency_count": counters,
    "model_label": model_label,
    "model_pattern": model_pattern,
    "needs_pattern": _flag,
    "matchers": always,
    "recognised_by": _series,
    "cannot_tell": _texts,
}
