"""Special functions that the standard library has not: regularized incomplete gamma and beta, and the tails made of them.

By series or continued fraction, whichever converges quickly at the place; at run time there is no scipy, which would cost every cron run seconds.
"""

from __future__ import annotations

import math

_TINY = 1e-300
_PRECISION = 1e-16
_MOST_TERMS = 100_000
_STIRLING_FROM = 16.0
_LARGEST_T = 1e18


def upper_gamma(a: float, x: float) -> float:
    """Q(a, x), the regularized upper incomplete gamma function (DLMF 8.2.4); by series 8.7.1 below a + 1, else by continued fraction 8.9.2.

    ValueError unless a > 0 and x >= 0.
    """
    if a <= 0 or x < 0:
        raise ValueError(f"a is {a} and x is {x}; a must be above 0 and x not below it")
    if x == 0:
        return 1.0
    off = (x - a) / a
    front = math.sqrt(a / (2 * math.pi)) * math.exp(-_stirling_error(a) - a * (off - math.log1p(off)))  # x^a e^-x / Γ(a)
    if x < a + 1:
        return max(0.0, 1.0 - front * _gamma_series(a, x))
    return min(1.0, front / _gamma_fraction(a, x))


def _gamma_series(a: float, x: float) -> float:
    term = total = 1.0 / a
    for n in range(1, _MOST_TERMS):
        term *= x / (a + n)
        total += term
        if term < total * _PRECISION:
            break
    return total


def _gamma_fraction(a: float, x: float) -> float:
    """Lentz's method for x + 1 - a - 1(1 - a)/(x + 3 - a - ...)."""
    b = x + 1.0 - a
    value = b if abs(b) > _TINY else _TINY
    c, d = value, 0.0
    for n in range(1, _MOST_TERMS):
        step = -n * (n - a)
        b += 2.0
        d = 1.0 / _away_from_zero(b + step * d)
        c = _away_from_zero(b + step / c)
        value *= c * d
        if abs(c * d - 1.0) < _PRECISION * 4:
            break
    return value


def lower_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b), the regularized incomplete beta function, by continued fraction (DLMF 8.17.22). ValueError unless a, b > 0 and 0 <= x <= 1."""
    if a <= 0 or b <= 0 or not 0 <= x <= 1:
        raise ValueError(f"a is {a}, b is {b} and x is {x}; a and b must be above 0 and x from 0 to 1")
    if x in {0.0, 1.0}:
        return x
    if x > (a + 1) / (a + b + 2):
        return 1.0 - lower_beta(b, a, 1.0 - x)
    return min(1.0, max(0.0, _beta_density(a, b, x) / a * _beta_fraction(a, b, x)))


def _beta_density(a: float, b: float, x: float) -> float:
    """x^a (1 - x)^b / B(a, b) as Loader does for the binomial (Fast and accurate computation of binomial probabilities, 2000): no difference of large logarithms."""
    n = a + b
    distance = a * math.log1p((a - n * x) / (n * x)) + b * math.log1p((n * x - a) / (n * (1 - x)))
    return math.sqrt(a * b / (2 * math.pi * n)) * math.exp(_stirling_error(n) - _stirling_error(a) - _stirling_error(b) - distance)


def _stirling_error(z: float) -> float:
    """Log Γ(z) less Stirling's (z - 1/2) log z - z + log(2π)/2 (DLMF 5.11.1)."""
    if z < _STIRLING_FROM:
        return math.lgamma(z) - ((z - 0.5) * math.log(z) - z + 0.5 * math.log(2 * math.pi))
    return (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * z * z)) / (z * z)) / (z * z)) / z


def _beta_fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, _MOST_TERMS):
        for step in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d = 1.0 / _away_from_zero(1.0 + step * d)
            c = _away_from_zero(1.0 + step / c)
            value *= c * d
        if abs(c * d - 1.0) < _PRECISION * 4:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def chi_square_tail(statistic: float, freedom: int) -> float:
    """Probability of a chi-square at least as large (DLMF 8.4): Q(freedom / 2, statistic / 2)."""
    return upper_gamma(freedom / 2, statistic / 2)


def binomial_at_most(k: int, n: int, p: float) -> float:
    """Probability of at most k events in n trials: I_{1-p}(n - k, k + 1) (DLMF 8.17.5)."""
    if k < 0:
        return 0.0
    return 1.0 if k >= n else lower_beta(n - k, k + 1, 1.0 - p)


def student_t_below(t: float, freedom: float) -> float:
    """Probability that Student's t is at most this (DLMF 8.17.8 with x = ν/(ν + t²))."""
    tail = lower_beta(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2
    return tail if t < 0 else 1.0 - tail


def student_t_quantile(share: float, freedom: float) -> float:
    """The t below which that share lies, by bisection. ValueError unless 0 < share < 1."""
    if not 0 < share < 1:
        raise ValueError(f"share is {share}; it must be above 0 and below 1")
    if share < 0.5:
        return -student_t_quantile(1 - share, freedom)
    low, high = 0.0, 1.0
    while student_t_below(high, freedom) < share and high < _LARGEST_T:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if student_t_below(middle, freedom) < share else (low, middle)
    return (low + high) / 2
