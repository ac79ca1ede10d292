"""Moments and durations: timezone-aware UTC and seconds in the code; in text RFC 3339, and what Prometheus
writes: `90s`, `5m`, `1h30m`, `24h`, `7d`.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_FIRST_SECONDS, _LAST_SECONDS = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (1000, 9000))
_FIRST_YEAR, _LAST_YEAR = 1970, 2999
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)")

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_DAY_SECONDS = 86_400
_NICE_STEPS_SECONDS = (15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, _DAY_SECONDS)
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
_PART = re.compile(r"(\d+)(ms|[smhdwy])")


def parse_moment(text: str) -> datetime:
    """A moment from RFC 3339 with a zone, or from unix seconds; ValueError otherwise."""
    text = text.strip()
    if _RFC3339.fullmatch(text):
        text = text.upper().replace(" ", "T")
        if _is_on_the_calendar(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    try:
        seconds = float(text)
        if not math.isfinite(seconds):
            raise ValueError
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"{text!r} is neither RFC 3339 with a zone (2026-11-23T10:00:00Z) nor unix seconds"
        ) from None


def parse_page_moment(text: str) -> datetime:
    """A moment that a page or a test can begin or end at, read as by `parse_moment`: windows and histories
    reach years back from it, in any zone.
    """
    moment = parse_moment(text)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"{text!r} is not in the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return moment


def _is_on_the_calendar(text: str) -> bool:
    try:
        datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return True


def is_on_calendar(seconds: float) -> bool:
    """Whether unix seconds are a moment from which centuries can be counted on and back, in any zone."""
    return _FIRST_SECONDS <= seconds <= _LAST_SECONDS


def format_moment(moment: datetime) -> str:
    """RFC 3339 in UTC with `Z`, with fractions of a second only where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def format_second(moment: datetime) -> str:
    """The same to the second, for people."""
    return format_moment(moment.replace(microsecond=0))


def zone_words(unix_seconds: float, zone: ZoneInfo) -> str:
    """The zone's abbreviation at that moment, with `UTC` before a bare offset."""
    name = datetime.fromtimestamp(unix_seconds, UTC).astimezone(zone).tzname() or zone.key
    return f"UTC{name}" if name[:1] in "+-" else name


def parse_duration_seconds(text: str) -> float:
    """Seconds in a Prometheus duration; ValueError where it is none or is zero."""
    if not _DURATION.fullmatch(text.strip()):
        raise ValueError(f"{text!r} is not a duration such as 30m, 24h or 7d")
    seconds = sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(text))
    if not 0 < seconds <= 10 * _SECONDS["y"]:
        raise ValueError(f"{text!r} is not between 1ms and 10y")
    return float(seconds)


def format_duration(seconds: float) -> str:
    """The duration in PromQL's spelling, whole seconds, largest units first: 86400 is `1d`, 5400 is
    `1h30m`.
    """
    return format_exact_duration(max(1, round(seconds)))


def format_exact_duration(seconds: float) -> str:
    """The same to the millisecond, of which it is at least one: 299.999 is `4m59s999ms`."""
    rest, parts = max(1, round(1000 * seconds)), []
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, round(1000 * _SECONDS[unit]))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def format_window(seconds: float) -> str:
    """The window as a Prometheus duration, hours up to two days: `30m`, `24h`, `7d`, `1h30m`."""
    milliseconds = max(1, round(seconds * 1000))
    if milliseconds % 86_400_000 == 0 and milliseconds > 86_400_000:
        return f"{milliseconds // 86_400_000}d"
    parts = []
    for size, unit in ((3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")):
        count, milliseconds = divmod(milliseconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def nice_step_seconds(wanted_seconds: float) -> float:
    """The next longer step that people use: from 15 s, beyond a day whole days."""
    nice = next((step for step in _NICE_STEPS_SECONDS if step >= wanted_seconds), None)
    return float(nice if nice is not None else math.ceil(wanted_seconds / _DAY_SECONDS) * _DAY_SECONDS)


def multiple_step_seconds(wanted_seconds: float, of_seconds: float) -> float:
    """The next longer step that people use and that is a multiple of another one."""
    step_seconds = nice_step_seconds(max(wanted_seconds, of_seconds))
    while step_seconds % of_seconds:
        step_seconds = nice_step_seconds(step_seconds + 1)
    return step_seconds
