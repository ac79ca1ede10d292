"""Frozen records as JSON documents and back, by their annotations, without losing anything.

Moments become RFC 3339, enums their value, tuples lists; a float that JSON cannot write becomes the text
`NaN`, `Infinity` or `-Infinity`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from live_dashboards.errors import UsageError
from live_dashboards.model.moment import format_moment, parse_moment

Record = TypeVar("Record")
_UNWRITABLE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def encode(value: Any) -> Any:
    """What `json.dumps(..., allow_nan=False)` can write."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, datetime):
        return format_moment(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a record holds {type(value).__name__}, which has no place in a document")


def decode(kind: type[Record], document: Any, path: str = "") -> Record:
    """The record that the document describes; UsageError names the place in it that does not fit. A key with
    a default may be absent.
    """
    record: Record = _decode(kind, document, path)
    return record


def _decode(kind: Any, value: Any, path: str) -> Any:
    if is_dataclass(kind):
        return _decode_record(kind, value, path)
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _decode_union(get_args(kind), value, path)
    if origin is tuple:
        return _decode_tuple(get_args(kind), value, path)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _checked(kind, value, path, f"one of {', '.join(str(member.value) for member in kind)}")
    return _decode_plain(kind, value, path)


def _decode_record(kind: Any, value: Any, path: str) -> Any:
    if not isinstance(value, dict):
        raise _misfit(path, "an object", value)
    known = _fields(kind)
    unknown = [key for key in value if key not in known]
    if unknown:
        raise UsageError(
            f"{_place(path, unknown[0])} is not known to this version; read the file with the "
            "version that wrote it"
        )
    absent = [
        name
        for name, (field, _) in known.items()
        if name not in value and field.default is MISSING and field.default_factory is MISSING
    ]
    if absent:
        raise UsageError(f"{_place(path, absent[0])} is missing; give a complete file")
    parts = {name: _decode(known[name][1], part, _place(path, name)) for name, part in value.items()}
    return _checked(lambda given: kind(**given), parts, path, f"a {kind.__name__}")


def _decode_union(kinds: tuple[Any, ...], value: Any, path: str) -> Any:
    if value is None and NoneType in kinds:
        return None
    errors = []
    for kind in kinds:
        if kind is not NoneType:
            try:
                return _decode(kind, value, path)
            except UsageError as error:
                errors.append(error)
    raise errors[0]


def _decode_tuple(kinds: tuple[Any, ...], value: Any, path: str) -> Any:
    if not isinstance(value, list):
        raise _misfit(path, "a list", value)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise _misfit(path, f"a list of {len(kinds)}", value)
    return tuple(
        _decode(kind, item, f"{path}[{index}]")
        for index, (kind, item) in enumerate(zip(kinds, value, strict=True))
    )


def _decode_plain(kind: Any, value: Any, path: str) -> Any:
    if kind is datetime and isinstance(value, str):
        return _checked(parse_moment, value, path, "a moment such as 2026-11-23T10:00:00Z")
    if kind is float and isinstance(value, str) and value in _UNWRITABLE:
        return _UNWRITABLE[value]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return _checked(float, value, path, "a number")
    if type(value) is not kind:
        names: dict[Any, str] = {
            str: "text",
            float: "a number",
            int: "a whole number",
            bool: "true or false",
            datetime: "a moment",
        }
        raise _misfit(path, names.get(kind, str(kind)), value)
    return value


def _checked(make: Callable[[Any], Any], value: Any, path: str, expected: str) -> Any:
    try:
        return make(value)
    except (ValueError, OverflowError) as error:
        raise _misfit(path, expected, value) from error


def _misfit(path: str, expected: str, value: Any) -> UsageError:
    found = "an object" if isinstance(value, dict) else "a list" if isinstance(value, list) else repr(value)
    return UsageError(
        f"{path or 'the document'} must be {expected}, not {found[:60]}; give a file that this tool wrote"
    )


def _place(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


@cache
def _fields(kind: Any) -> dict[str, tuple[Field[Any], Any]]:
    hints = get_type_hints(kind)
    return {field.name: (field, hints[field.name]) for field in fields(kind)}
