"""From where to where an axis goes, where its ticks stand and what they say: round numbers, 1-2-5 on a log
axis, and clock times of the page's zone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from zoneinfo import ZoneInfo

from live_dashboards.model.measurement import Interval
from live_dashboards.model.moment import zone_words
from live_dashboards.model.number import MINUS, SUPERSCRIPTS, format_number

_ROUNDING = 1e-9

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_MONTH = 2_629_746
_MONTH_STEPS = (1, 2, 3, 6, 12, 24)
_TIME_STEPS = (
    *(each * _MINUTE for each in (1, 2, 5, 10, 15, 20, 30)),
    *(each * _HOUR for each in (1, 2, 3, 4, 6, 8, 12)),
    *(each * _DAY for each in (1, 2, 3, 5, 7, 14)),
    *(each * _MONTH for each in _MONTH_STEPS),
)
_MOST_DECIMALS = 6
_MOST_DIGITS = 14
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def finite_ends(values: Iterable[float | None], intervals: Iterable[Interval | None]) -> list[float]:
    """All values and closed interval ends."""
    ends = [value for value in values if value is not None]
    for interval in intervals:
        ends.extend(end for end in ((interval.low, interval.high) if interval else ()) if end is not None)
    return [end for end in ends if math.isfinite(end)]


def padded(
    values: Sequence[float], share: float = 0.08, *, floor: float | None = None, ceiling: float | None = None
) -> tuple[float, float]:
    """Limits around the values with some room, not beyond floor and ceiling; around nothing 0 to 1. Values
    that rounding alone tells apart are one.
    """
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    spread = high - low if high - low > _ROUNDING * max(abs(low), abs(high)) else 0.0
    room = spread * share or abs(high) * 0.1 or 1.0
    low, high = low - room, high + room
    if floor is not None and low < floor <= min(values):
        low = floor
    if ceiling is not None and high > ceiling >= max(values):
        high = ceiling
    return low, high


def round_ticks(low: float, high: float, most: int = 5) -> tuple[float, ...]:
    """Multiples of 1, 2 or 5 times a power of ten from low to high, at most so many."""
    span = high - low
    if not span > 0:
        return (low,)
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(power * size for size in (1, 2, 5, 10, 20, 50) if _count(low, high, power * size) <= most)
    first = math.ceil(low / step - 1e-9)
    return tuple(float(f"{index * step:.15g}") for index in range(first, first + _count(low, high, step)))


def _count(low: float, high: float, step: float) -> int:
    return math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1


def log_ticks(low: float, high: float, most: int = 7) -> tuple[float, ...]:
    """1-2-5 numbers from low to high; only powers of ten, and of those every few, where they are too many;
    round numbers where they are too few.
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        ticks = [
            digit * 10.0**power
            for power in powers
            for digit in digits
            if low * 0.999 <= digit * 10.0**power <= high * 1.001
        ]
        if len(ticks) <= most:
            return tuple(ticks) if len(ticks) > 1 else round_ticks(low, high, most)
    return tuple(ticks[:: math.ceil(len(ticks) / most)])


def number_labels(positions: Sequence[float], unit: str = "") -> tuple[str, ...]:
    """Evenly spaced ticks' numbers without the unit, all with the decimals that their step needs; in powers
    of ten where these would be too many.
    """
    step = min((abs(one - other) for one, other in pairwise(positions)), default=0.0)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else None
    is_short = decimals is not None and decimals <= _MOST_DECIMALS
    return _first_plain(
        tuple(_with_decimals(position, unit, decimals if is_short else None) for position in positions),
        positions,
    )


def log_labels(positions: Sequence[float]) -> tuple[str, ...]:
    """The numbers of ticks on a log axis, each with its own digits."""
    return _first_plain(tuple(_with_decimals(position, "", None) for position in positions), positions)


def _with_decimals(position: float, unit: str, decimals: int | None) -> str:
    return "0" if position == 0 else format_number(position, unit, decimals=decimals, show_unit=False)


def _first_plain(labels: tuple[str, ...], positions: Sequence[float]) -> tuple[str, ...]:
    """The labels, or powers of ten where two labels are equal or say no number."""
    if _are_plain(labels):
        return labels
    powers = (
        tuple(_power_of_ten(position, digits) for position in positions) for digits in range(2, _MOST_DIGITS)
    )
    return next(
        (choice for choice in powers if _are_plain(choice)),
        tuple(_power_of_ten(position, _MOST_DIGITS) for position in positions),
    )


def _are_plain(labels: Sequence[str]) -> bool:
    """Whether all differ and none only says that it is below or above something."""
    return len(set(labels)) == len(labels) and not any(
        label.lstrip(MINUS)[:1] in {"<", ">"} for label in labels
    )


def _power_of_ten(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    mantissa, _, power = f"{abs(value):.{digits}e}".partition("e")
    sign, exponent = MINUS if value < 0 else "", str(int(power)).translate(SUPERSCRIPTS)
    return f"{sign}{float(mantissa):.{digits + 1}g}×10{exponent}"


def time_ticks(
    start_seconds: float, end_seconds: float, zone: ZoneInfo, most: int = 6
) -> tuple[tuple[float, str], ...]:
    """(unix seconds, words) at round clock times of the zone, about so many; midnight shows the date."""
    step = next(
        (step for step in _TIME_STEPS if (end_seconds - start_seconds) / step <= most), _TIME_STEPS[-1]
    )
    ticks: list[tuple[float, str]] = []
    for wall in _round_walls(datetime.fromtimestamp(start_seconds, UTC).astimezone(zone), step):
        moment = wall.replace(tzinfo=zone).timestamp()
        if moment > end_seconds:
            return tuple(ticks)
        if moment >= start_seconds and (not ticks or moment > ticks[-1][0]):
            has_clock = step < _DAY and (wall.hour, wall.minute) != (0, 0)
            ticks.append((moment, clock_words(moment, zone, has_clock=has_clock, has_year=step >= _MONTH)))
    return tuple(ticks)


def _round_walls(start: datetime, step: float) -> Iterator[datetime]:
    """Wall clock times without a zone, from the midnight before the start on, in steps of clock time, days or
    calendar months.
    """
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    months, first = round(step / _MONTH), midnight.year * 12
    for index in count():
        if step < _MONTH:
            yield midnight + timedelta(seconds=index * step)
        else:
            yield datetime((first + index * months) // 12, (first + index * months) % 12 + 1, 1)  # noqa: DTZ001 a wall clock has no zone


def clock_words(
    unix_seconds: float, zone: ZoneInfo, *, has_clock: bool = True, has_year: bool = False
) -> str:
    """`09:58`, `23 Nov` or `Nov 2026` in the zone."""
    local = datetime.fromtimestamp(unix_seconds, UTC).astimezone(zone)
    if has_year:
        return f"{_MONTHS[local.month - 1]} {local.year}"
    return f"{local:%H:%M}" if has_clock else f"{local.day} {_MONTHS[local.month - 1]}"


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
