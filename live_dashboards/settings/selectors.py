"""Selectors of Prometheus as settings write them: a metric's name and, in braces, matchers of its labels; and
sums and differences of such.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Iterator

from live_dashboards.model.guarded import LabelMatcher
from live_dashboards.settings.values import metric_name

_SELECTOR = re.compile(r"(?P<metric>[^{}]*?)\s*(?:\{(?P<inner>.*)\})?", re.DOTALL)
QUOTED = r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`[^`]*`'
_MATCHER = re.compile(
    rf"\s*(?P<label>[a-zA-Z_]\w*)\s*(?P<operator>=~|!~|!=|=)\s*(?P<value>{QUOTED})\s*(?:,|$)", re.ASCII
)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[0-7]{3}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}
# what Python and Prometheus' patterns (RE2) read otherwise, or one of them not at all
_UNLIKE = re.compile(r"\\[pPCQEzZA1-9]|\[\[:|\(\?(?![ims]*\)|:)|[*+?}]\+")


def selector(text: str, not_free: Collection[str] = ()) -> tuple[str, tuple[LabelMatcher, ...]]:
    """The metric and the matchers of a selector, none of which may be of a label that is `not_free`;
    ValueError says what cannot be read.
    """
    found = _SELECTOR.fullmatch(text)
    if found is None:
        raise ValueError("its braces are not closed")
    return metric_name(found["metric"]), matchers(found["inner"] or "", not_free)


def matchers(inner: str, not_free: Collection[str] = ()) -> tuple[LabelMatcher, ...]:
    """What stands in the braces of a selector, comma-separated; ValueError says what cannot be read."""
    return tuple(_matchers(inner, not_free))


def _matchers(inner: str, not_free: Collection[str]) -> Iterator[LabelMatcher]:
    at = 0
    while inner[at:].strip():
        found = _MATCHER.match(inner, at)
        if found is None:
            raise ValueError(
                f"{inner[at:].strip()!r} is no label with a text in quotes, which a shell takes away unless "
                "the whole value stands in single quotes"
            )
        yield _checked(LabelMatcher(found["label"], found["operator"], _unquoted(found["value"])), not_free)
        at = found.end()


def _checked(matcher: LabelMatcher, not_free: Collection[str]) -> LabelMatcher:
    if matcher.label in not_free:
        raise ValueError(f"{matcher.label} is no label to choose by, as arms and tests are told apart by it")
    if matcher.operator.endswith("~"):
        check_pattern(matcher.value)
    return matcher


def check_pattern(pattern: str) -> None:
    """ValueError for a pattern that matches other texts here than in Prometheus."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern, re.DOTALL)
    except (re.error, FutureWarning, DeprecationWarning, OverflowError, RecursionError) as error:
        raise ValueError(f"the pattern {pattern!r} is none: {error}") from None
    if _UNLIKE.search(pattern):
        raise ValueError(
            f"the pattern {pattern!r} holds more than letters, classes, groups and repetitions, which all "
            "engines read alike"
        )


def _unquoted(text: str) -> str:
    """The value of a quoted text; ValueError for an escape that is none."""
    if text[0] == "`":
        return text[1:-1]
    return _ESCAPE.sub(_unescaped, text[1:-1])


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if code in _ESCAPED:
        return _ESCAPED[code]
    if len(code) > 1:
        return chr(int(code, 8) if code.isdecimal() else int(code[1:], 16))
    raise ValueError(f"\\{code} is no escape")
