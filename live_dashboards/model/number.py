"""How numbers are written in pictures: at most three significant digits, thousands separators, SI prefixes
from a million, powers of ten where six decimals do not hold these digits, a real minus sign.

The JSON keeps full precision; only what people read is rounded here. None is written as an en dash.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

MINUS = "−"
NOTHING = "–"
UNIT_SUFFIXES = {
    "count": "",
    "fraction": "",
    "percent": " %",
    "points": " pt",
    "ms": " ms",
    "seconds": " s",
    "requests_per_second": " req/s",
    "usd": "",
    "usd_per_year": "",
    "days": " days",
    "as_logged": "",
}
USD = "usd_per_year"
MONEY_UNITS = frozenset({"usd", USD})
_MOST_DECIMALS = {
    "count": 0,
    "percent": 3,
    "points": 3,
    "ms": 3,
    "seconds": 3,
    "requests_per_second": 3,
    "days": 1,
    "fraction": 4,
}
_USUAL_DECIMALS = 6
_SMALL = 1e-4  # from here on three digits have room in them
_SMALLEST_ALIGNED = 0.001
_SI = ((1.0, ""), (1e6, "M"), (1e9, "G"), (1e12, "T"), (1e15, "P"), (1e18, "E"))
_MONEY = ((1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "B"), (1e12, "T"))
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def format_number(
    value: float | None,
    unit: str = "",
    digits: int = 3,
    *,
    decimals: int | None = None,
    signed: bool = False,
    show_unit: bool = True,
) -> str:
    """The value with its unit: `47,892`, `1.23M`, `58.3 ms`, `<0.001 %`, `99.98 %`, `3.2×10⁻⁸`; zeros at the
    end only where something was rounded away.

    `decimals` fixes the digits after the point, so that numbers in a column align; what is as it was logged
    and would be written as 0 has its own. ValueError where the value is not finite.
    """
    if value is None:
        return NOTHING
    if unit in MONEY_UNITS:
        return format_money(value, signed=signed)
    most = _MOST_DECIMALS.get(unit, _USUAL_DECIMALS)
    if unit not in _MOST_DECIMALS and decimals is not None and value and not round(value, decimals):
        decimals = None  # it is no 0
    if unit not in _MOST_DECIMALS and decimals is None and _is_lost(value):
        text = _power(value, digits, signed=signed)
    elif decimals is not None:
        text = _fixed(value, decimals, signed=signed)
    elif 0 < abs(value) < 10.0**-most:
        text = _below(value, most, signed=signed)
    elif unit == "percent" and 99 < value < 100:
        text = _almost_hundred(value, digits, most, signed=signed)
    else:
        text = _rounded(value, digits, most, signed=signed)
    return text + (unit_suffix(unit) if show_unit else "")


def format_signed(
    value: float | None, unit: str = "", digits: int = 3, *, decimals: int | None = None
) -> str:
    """A difference, with its sign also where it is positive: `+3.6 pt`."""
    return format_number(value, unit, digits, decimals=decimals, signed=True)


def format_count(value: float | None) -> str:
    """A whole number: `47,892`, from a million `1.23M`."""
    return format_number(value, "count")


def format_percent(value: float | None, digits: int = 3) -> str:
    """Percent: `78.2 %`; never 100 % where it is less."""
    return format_number(value, "percent", digits)


def format_money(value: float | None, *, signed: bool = False) -> str:
    """USD: `$685.7k`, `$1.2M`, `$53k`, `$12.50`, `$0.0001`, `−$28.9k`."""
    if value is None:
        return NOTHING
    magnitude = _finite(abs(value))
    sign = _sign(value, signed=signed)
    if 0 < magnitude < 1e-6:
        return f"<{sign}$0.000001" if value > 0 else f">{sign}$0.000001"
    if magnitude < 999.5:
        decimals = 0 if magnitude >= 99.995 else 2 if magnitude >= 1 else min(6, decimals_for(magnitude, 3))
        return f"{sign}${_cents(_trimmed(magnitude, decimals))}"
    return f"{sign}${_scaled(magnitude, 1, _MONEY)}"


def format_money_estimate(value: float, low: float | None, high: float | None) -> str:
    """USD with its interval, in no more digits than the interval carries: `$690k ($410k to $960k)`."""
    step = interval_step(low, high)
    limits = "no interval" if low is None and high is None else format_money_limits(low, high)
    return f"{format_money(round_to_step(value, step))} ({limits})"


def format_money_rounded(
    value: float | None, low: float | None, high: float | None, *, signed: bool = False
) -> str:
    """USD in no more digits than its interval carries, which is not written: `$690k`."""
    return format_money(
        None if value is None else round_to_step(value, interval_step(low, high)), signed=signed
    )


def format_money_limits(low: float | None, high: float | None) -> str:
    """USD from one to the other, in no more digits than the interval carries: `$410k to $960k`; an open end
    stays open.
    """
    step = interval_step(low, high)
    shown = [None if end is None else round_to_step(end, step) for end in (low, high)]
    return format_interval(shown[0], shown[1], "usd")


def interval_step(low: float | None, high: float | None) -> float | None:
    """The power of ten that holds the second digit of half the interval; None where it has no width or an
    open end.
    """
    if low is None or high is None or not high > low:
        return None
    return float(10.0 ** (math.floor(math.log10((high - low) / 2)) - 1))


def round_to_step(value: float, step: float | None) -> float:
    """The value in whole steps, as it is where there is none; what is less than half a step keeps a digit, as
    it is not 0.
    """
    if step is None or value == 0:
        return value
    return round(value / step) * step or float(f"{value:.0e}")


def format_interval(
    low: float | None, high: float | None, unit: str = "", digits: int = 3, *, signed: bool = False
) -> str:
    """Both limits with the same decimals: `2.4 to 4.8 pt`; an open end: `> 1,000 ms`, `≤ 5 ms`."""
    if low is None and high is None:
        return "no bounds"
    if unit in MONEY_UNITS:
        return _open_or_both(low, high, [format_money(end, signed=signed) for end in (low, high)], "")
    decimals = shared_decimals([end for end in (low, high) if end is not None], unit, digits)
    texts = [
        format_number(end, unit, digits, decimals=decimals, signed=signed, show_unit=False)
        for end in (low, high)
    ]
    return _open_or_both(low, high, texts, unit_suffix(unit))


def format_estimate(
    value: float,
    low: float | None,
    high: float | None,
    unit: str = "",
    digits: int = 3,
    *,
    signed: bool = False,
) -> str:
    """A value and its interval in the same decimals, no more of them than the interval carries: `+3.6 pt
    (+2.4 to +4.8)`.
    """
    if unit in MONEY_UNITS:
        return f"{format_money(value, signed=signed)} ({format_interval(low, high, unit, signed=signed)})"
    ends = [end for end in (low, high) if end is not None]
    decimals = shared_decimals(ends, unit, digits) if ends else None
    texts = [
        format_number(end, unit, digits, decimals=decimals, signed=signed, show_unit=False)
        for end in (low, high)
    ]
    inside = _open_or_both(low, high, texts, "") if ends else "no interval"
    return f"{format_number(value, unit, digits, decimals=decimals, signed=signed)} ({inside})"


def format_age(seconds: float | None) -> str:
    """An age or duration: `12 s`, `3 min`, `2 h 5 min`, `4 d`, `4 d 3 h`."""
    if seconds is None:
        return NOTHING
    size = _finite(abs(seconds))
    sign = MINUS if seconds < 0 and round(size) else ""
    if size < 59.5:
        return f"{sign}{round(size)} s"
    minutes = round(size / 60)
    if minutes < 60:
        return f"{sign}{minutes} min"
    if minutes < 24 * 60:
        return sign + _two_units(minutes, 60, "h", "min")
    hours = round(size / 3600)
    return sign + (_two_units(hours, 24, "d", "h") if hours < 240 else f"{format_count(size / 86_400)} d")


def format_short_age(seconds: float) -> str:
    """An age in one unit, for a narrow column, hours up to two days: `12 s`, `3 min`, `47 h`, `4 d`."""
    if round(seconds / 60) < 60:
        return format_age(seconds)
    hours = round(seconds / 3600)
    return f"{hours} h" if hours < 48 else f"{format_count(round(seconds / 86_400))} d"


def unit_suffix(unit: str) -> str:
    """What follows the number, with its space; a unit that is not ours is written as it is."""
    return UNIT_SUFFIXES.get(unit, f" {unit}" if unit else "")


def shared_decimals(limits: list[float], unit: str = "", digits: int = 3) -> int | None:
    """Decimals that all of these limits need: two digits of their spread, at most `digits` of the largest,
    and enough to tell them apart.

    None where one of them is a million or more, or all are too small, which each find their own scale.
    """
    largest = max(abs(limit) for limit in limits)
    is_small = unit not in _MOST_DECIMALS and largest < _SMALL and any(map(_is_lost, limits))
    if _finite(largest) >= 999_999.5 or is_small:
        return None
    most = _MOST_DECIMALS.get(unit, _USUAL_DECIMALS)
    half = (max(limits) - min(limits)) / 2
    decimals = min(decimals_for(largest, digits), most)
    if half > 0:
        decimals = min(decimals, decimals_for(half, 2))
        while decimals < most and round(min(limits), decimals) == round(max(limits), decimals):
            decimals += 1
    return _needed(limits, decimals)


def axis_decimals(values: Sequence[float | None], unit: str = "", digits: int = 3) -> tuple[int | None, ...]:
    """Decimals of each of the values that stand beside one axis: those of `digits` of the largest, fewer only
    where none of the values needs them.

    None (its own three digits) for a value that would be written as 0 and is not, and for all where the
    largest is a million or more, or very small.
    """
    present = [value for value in values if value is not None]
    largest = _finite(max(map(abs, present), default=0.0))
    if not _SMALLEST_ALIGNED <= largest < 999_999.5:
        return (None,) * len(values)
    decimals = _needed(present, min(decimals_for(largest, digits), _MOST_DECIMALS.get(unit, _USUAL_DECIMALS)))
    return tuple(None if value and not round(value, decimals) else decimals for value in values)


def _needed(values: list[float], decimals: int) -> int:
    """As many of these decimals as are not 0 in all of the values."""
    while decimals and all(math.isclose(value, round(value, decimals - 1), rel_tol=1e-9) for value in values):
        decimals -= 1
    return decimals


def decimals_for(value: float, digits: int) -> int:
    """Decimals that show this many significant digits."""
    return max(0, digits - 1 - _exponent(value, digits)) if value else 0


def _exponent(value: float, digits: int) -> int:
    """The power of ten of the first digit, after rounding to that many digits."""
    return int(f"{value:.{digits - 1}e}".partition("e")[2])


def _rounded(value: float, digits: int, most: int, *, signed: bool) -> str:
    magnitude = _finite(abs(value))
    sign = _sign(value, signed=signed)
    if magnitude >= 999_999.5:
        return sign + _scaled(magnitude, None, _SI, digits)
    return sign + _trimmed(magnitude, min(most, decimals_for(magnitude, digits)))


def _is_lost(value: float) -> bool:
    """Whether the usual decimals are too few for three digits of the value."""
    magnitude = abs(value)
    return 0 < magnitude < _SMALL and not math.isclose(
        round(magnitude, _USUAL_DECIMALS), float(f"{magnitude:.2e}"), rel_tol=1e-9
    )


def _power(value: float, digits: int, *, signed: bool) -> str:
    """With a power of ten: `3.2×10⁻⁸`."""
    mantissa, _, power = f"{_finite(abs(value)):.{digits - 1}e}".partition("e")
    short = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    is_exact = math.isclose(float(f"{short}e{power}"), abs(value), rel_tol=1e-9)
    written = f"{short if is_exact else mantissa}×10{str(int(power)).translate(SUPERSCRIPTS)}"
    return _sign(value, signed=signed) + written


def _fixed(value: float, decimals: int, *, signed: bool) -> str:
    magnitude = _finite(abs(value))
    if magnitude >= 999_999.5:
        return _rounded(value, 3, 3, signed=signed)
    text = f"{magnitude:,.{decimals}f}"
    return text if float(text.replace(",", "")) == 0 else _sign(value, signed=signed) + text


def _below(value: float, most: int, *, signed: bool) -> str:
    """A value too small to write, by the smallest one that can be: `<0.001`, `>−0.001`."""
    limit = f"{10.0**-most:.{most}f}"
    return f"<{_sign(value, signed=signed)}{limit}" if value > 0 else f">{MINUS}{limit}"


def _almost_hundred(value: float, digits: int, most: int, *, signed: bool) -> str:
    decimals = next(
        (count for count in range(max(0, digits - 2), most + 1) if round(value, count) < 100), None
    )
    sign = _sign(value, signed=signed)
    return (
        f"{sign}{_trimmed(value, decimals)}"
        if decimals is not None
        else f">{sign}{100 - 10.0**-most:.{most}f}"
    )


def _scaled(
    magnitude: float, decimals: int | None, prefixes: tuple[tuple[float, str], ...], digits: int = 3
) -> str:
    """With the largest prefix it reaches, also by rounding up; beyond all prefixes as a power of ten."""
    size, prefix = next(
        (size, prefix) for size, prefix in reversed(prefixes) if magnitude >= size * 0.9995 or size == 1.0
    )
    scaled = magnitude / size
    if scaled >= 9_999.5:
        power = _exponent(magnitude, 2)
        return f"{f'{magnitude:.1e}'.partition('e')[0]}×10{str(power).translate(SUPERSCRIPTS)}"
    return _trimmed(scaled, decimals_for(scaled, digits) if decimals is None else decimals) + prefix


def _trimmed(magnitude: float, decimals: int) -> str:
    """Rounded; zeros at the end are dropped where nothing was rounded away."""
    text = f"{magnitude:,.{decimals}f}"
    short = text.rstrip("0").rstrip(".") if "." in text else text
    return short if math.isclose(float(short.replace(",", "")), magnitude, rel_tol=1e-9) else text


def _cents(text: str) -> str:
    return f"{text}0" if text.partition(".")[2] and len(text.partition(".")[2]) == 1 else text


def _open_or_both(low: float | None, high: float | None, texts: list[str], suffix: str) -> str:
    if low is None:
        return f"≤ {texts[1]}{suffix}"
    if high is None:
        return f"> {texts[0]}{suffix}"
    return f"{texts[0]} to {texts[1]}{suffix}"


def _two_units(count: int, per: int, large: str, small: str) -> str:
    whole, rest = divmod(count, per)
    return f"{whole} {large}" + (f" {rest} {small}" if rest else "")


def _sign(value: float, *, signed: bool) -> str:
    return MINUS if value < 0 else "+" if signed and value > 0 else ""


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number to show; it should have been missing, with a reason")
    return value


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `4th`, `11th`."""
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
