"""Where ticks stand and what they say: round numbers, 1-2-5 on a log axis, and clock times of the page's zone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from live_dashboards.model.number import MINUS, format_number

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_TIME_STEPS = (
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 20, 30)),
    *(n * _HOUR for n in (1, 2, 3, 4, 6, 8, 12)),
    *(n * _DAY for n in (1, 2, 3, 5, 7, 14, 30, 60, 90, 180, 365)),
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def round_ticks(low: float, high: float, most: int = 5) -> tuple[float, ...]:
    """Multiples of 1, 2 or 5 times a power of ten from low to high, at most so many."""
    span = high - low
    if not span > 0:
        return (low,)
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(power * size for size in (1, 2, 5, 10, 20, 50) if _count(low, high, power * size) <= most)
    first = math.ceil(low / step - 1e-9)
    return tuple(0.0 if index == 0 else index * step for index in range(first, first + _count(low, high, step)))


def _count(low: float, high: float, step: float) -> int:
    return math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1


def log_ticks(low: float, high: float, most: int = 7) -> tuple[float, ...]:
    """1-2-5 numbers from low to high; only powers of ten, and of those every few, where they are too many; round numbers where they are too few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        ticks = [digit * 10.0**power for power in powers for digit in digits if low * 0.999 <= digit * 10.0**power <= high * 1.001]
        if len(ticks) <= most:
            return tuple(ticks) if len(ticks) > 1 else round_ticks(low, high, most)
    return tuple(ticks[:: math.ceil(len(ticks) / most)])


def number_labels(positions: Sequence[float], unit: str = "") -> tuple[str, ...]:
    """The ticks' numbers without the unit, in powers of ten where rounding would make two of them equal."""
    labels = tuple(format_number(position, unit, show_unit=False) for position in positions)
    if len(set(labels)) == len(labels) and not any(label.lstrip(MINUS)[:1] in {"<", ">"} for label in labels):
        return labels
    return tuple(_power_of_ten(position) for position in positions)


def _power_of_ten(value: float) -> str:
    if value == 0:
        return "0"
    digits, _, power = f"{abs(value):.2e}".partition("e")
    return f"{MINUS if value < 0 else ''}{float(digits):g}×10{str(int(power)).translate(_SUPERSCRIPTS)}"


def time_ticks(start_seconds: float, end_seconds: float, zone: ZoneInfo, most: int = 6) -> tuple[tuple[float, str], ...]:
    """(unix seconds, words) at round clock times of the zone; midnight shows the date."""
    span = end_seconds - start_seconds
    step = next((step for step in _TIME_STEPS if span / step <= most), _TIME_STEPS[-1])
    local = datetime.fromtimestamp(start_seconds, UTC).astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    if step >= 7 * _DAY:
        midnight = midnight.replace(day=1)
    ticks: list[tuple[float, str]] = []
    for index in range(math.ceil(span / step) + math.ceil(35 * _DAY / step) + 2):
        wall = midnight + timedelta(seconds=index * step)
        moment = wall.replace(tzinfo=zone).timestamp()
        if start_seconds <= moment <= end_seconds and (not ticks or moment > ticks[-1][0]):
            ticks.append((moment, clock_words(moment, zone, has_clock=step < _DAY and (wall.hour, wall.minute) != (0, 0), has_year=step >= 90 * _DAY)))
    return tuple(ticks)


def clock_words(unix_seconds: float, zone: ZoneInfo, *, has_clock: bool = True, has_year: bool = False) -> str:
    """`09:58`, `23 Nov` or `Nov 2026` in the zone."""
    local = datetime.fromtimestamp(unix_seconds, UTC).astimezone(zone)
    if has_year:
        return f"{_MONTHS[local.month - 1]} {local.year}"
    return f"{local:%H:%M}" if has_clock else f"{local.day} {_MONTHS[local.month - 1]}"


def zone_words(unix_seconds: float, zone: ZoneInfo) -> str:
    """The zone's abbreviation at that moment, with `UTC` before a bare offset."""
    name = datetime.fromtimestamp(unix_seconds, UTC).astimezone(zone).tzname() or zone.key
    return f"UTC{name}" if name[:1] in "+-" else name


def moment_words(moment: datetime, zone: ZoneInfo) -> str:
    """`23 Nov 2026, 10:00 UTC`."""
    seconds = moment.timestamp()
    local = moment.astimezone(zone)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}, {local:%H:%M} {zone_words(seconds, zone)}"


def span_words(seconds: float) -> str:
    """A window as people say it: `24 h`, `7 d`, `30 min`."""
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds % size == 0 and (unit != "d" or seconds > size):
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
