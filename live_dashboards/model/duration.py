"""Durations as Prometheus writes them: `90s`, `5m`, `1h30m`, `24h`, `7d`."""

from __future__ import annotations

import re

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
_PART = re.compile(r"(\d+)(ms|[smhdwy])")


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
