"""Special functions that the standard library has not: regularized incomplete gamma and beta, and the tails
made of them.

By series or continued fraction, whichever converges quickly at the place; at run time there is no scipy,
which would cost every cron run seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

_TINY = 1e-300
_PRECISION = 1e-16
_MOST_TERMS = 1_000_000  # near the mean the series of the gamma function takes about six times √a
_STIRLING_FROM = 16.0
_MANY_DEGREES, _USUAL_Z = 300, 4.0  # where the normal quantile is near
_LARGEST_T = 1e18
_MOST_STEPS, _CLOSE = 200, 1e-12


def upper_gamma(a: float, x: float) -> float:
    """Q(a, x), the regularized upper incomplete gamma function (DLMF 8.2.4); by series 8.7.1 below a + 1,
    else by continued fraction 8.9.2.

    ValueError unless a > 0 and x >= 0.
    """
    if a <= 0 or x < 0:
        raise ValueError(f"a is {a} and x is {x}; a must be above 0 and x not below it")
    if x == 0:
        return 1.0
    off = (x - a) / a
    # 1 + off is 0 where x is a tiny part of a
    log_ratio = math.log1p(off) if off > -0.5 else math.log(x) - math.log(a)
    # x^a e^-x / Γ(a)
    front = math.sqrt(a / (2 * math.pi)) * math.exp(-_stirling_error(a) - a * (off - log_ratio))
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


def beta_tails(a: float, b: float, x: float, complement: float) -> tuple[float, float]:
    """I_x(a, b) and 1 - I_x(a, b), both with all their digits; `complement` is 1 - x, which a caller may know
    better.

    By the even part of the continued fraction DLMF 8.17.22, as in BFRAC of Didonato & Morris (1992, ACM TOMS
    18:360), below the mean, where it converges quickly and nothing cancels. ValueError unless a, b > 0 and x
    and its complement are from 0 to 1.
    """
    if not (a > 0 and b > 0 and 0 <= x <= 1 and 0 <= complement <= 1):
        raise ValueError(
            f"a is {a}, b is {b}, x is {x} and its complement {complement}; a and b must be "
            "above 0 and x from 0 to 1"
        )
    below_mean = _below_mean(a, b, x, complement)
    if below_mean < 0:
        upper, lower = beta_tails(b, a, complement, x)
        return lower, upper
    lower = min(1.0, beta_kernel(a, b, x, complement) * _beta_fraction(a, b, x, complement, below_mean))
    return lower, 1.0 - lower


def beta_kernel(a: float, b: float, x: float, complement: float) -> float:
    """x^a (1 - x)^b / B(a, b) as Loader does for the binomial (Fast and accurate computation of binomial
    probabilities, 2000): no difference of large logarithms.
    """
    if x == 0 or complement == 0:
        return 0.0
    n = a + b
    off = _below_mean(a, b, x, complement)
    distance = a * math.log1p(off / (n * x)) + b * math.log1p(-off / (n * complement))
    return math.sqrt(a / n * b / (2 * math.pi)) * math.exp(
        _stirling_error(n) - _stirling_error(a) - _stirling_error(b) - distance
    )


def log_beta_over(weights: Sequence[float], shares: Sequence[float]) -> float:
    """Log of B(w₁, w₂, ...) / (s₁^w₁ s₂^w₂ ...), the multivariate beta function over powers of shares that
    add up to 1, all above 0.

    By Stirling's formula and its error (DLMF 5.11.1): the logarithms of gamma functions of a billion would
    cancel in it.
    """
    n = math.fsum(weights)
    distance = math.fsum(
        weight * math.log1p((weight - n * share) / (n * share))
        for weight, share in zip(weights, shares, strict=True)
    )
    errors = math.fsum(_stirling_error(weight) + 0.5 * math.log(2 * math.pi / weight) for weight in weights)
    return distance + errors - _stirling_error(n) - 0.5 * math.log(2 * math.pi / n)


def _stirling_error(z: float) -> float:
    """Log Γ(z) less Stirling's (z - 1/2) log z - z + log(2π)/2 (DLMF 5.11.1)."""
    if z < _STIRLING_FROM:
        return math.lgamma(z) - ((z - 0.5) * math.log(z) - z + 0.5 * math.log(2 * math.pi))
    return (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * z * z)) / (z * z)) / (z * z)) / z


def _below_mean(a: float, b: float, x: float, complement: float) -> float:
    """How far the mean is above x, times a + b, from the smaller of x and its complement."""
    return a - (a + b) * x if x < complement else (a + b) * complement - b


def _beta_fraction(a: float, b: float, x: float, complement: float, below_mean: float) -> float:
    """I_x(a, b) over the kernel, by the recurrence of numerators and denominators, scaled so that the
    denominator is 1.
    """
    numerator_before, numerator, denominator_before = (
        0.0,
        (1 + 1 / a) / (1 + below_mean),
        (1 + 1 / a) / (1 + below_mean),
    )
    for n in range(1, _MOST_TERMS):
        weight, end = n * (b - n) * x, a + 2 * n - 1
        alpha = (a + n - 1) * (a + b + n - 1) * weight * x / (end * end)
        beta = n + weight / end + (a + n) / (end + 2) * (1 + below_mean + n * (1 + complement))
        denominator = alpha * denominator_before + beta
        grown = (alpha * numerator_before + beta * numerator) / denominator
        if abs(grown - numerator) <= _PRECISION * 4 * grown:
            return grown
        numerator_before, numerator, denominator_before = numerator / denominator, grown, 1 / denominator
    return numerator


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def chi_square_tail(statistic: float, freedom: int) -> float:
    """Probability of a chi-square at least as large (DLMF 8.4): Q(freedom / 2, statistic / 2)."""
    return upper_gamma(freedom / 2, statistic / 2)


def binomial_at_most(k: int, n: int, p: float) -> float:
    """Probability of at most k events in n trials: I_{1-p}(n - k, k + 1) (DLMF 8.17.5)."""
    if k < 0:
        return 0.0
    return 1.0 if k >= n else beta_tails(n - k, k + 1, 1.0 - p, p)[0]


def student_t_below(t: float, freedom: float) -> float:
    """Probability that Student's t is at most this (DLMF 8.17.8 with x = ν/(ν + t²))."""
    square = t * t
    tail = beta_tails(freedom / 2, 0.5, freedom / (freedom + square), square / (freedom + square))[0] / 2
    return tail if t < 0 else 1.0 - tail


def student_t_quantile(share: float, freedom: float) -> float:
    """The t below which that share lies, by Newton's steps within a bracket, which is halved where one would
    leave it; near the normal quantile by its expansion. ValueError unless 0 < share < 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"share is {share}; it must be above 0 and below 1")
    if share <= 0.5:
        return 0.0 if share == 0.5 else -student_t_quantile(1 - share, freedom)
    z = NormalDist().inv_cdf(share)
    if freedom >= _MANY_DEGREES and z <= _USUAL_Z:
        return _near_normal(z, freedom)
    low, high = 0.0, 1.0
    while student_t_below(high, freedom) < share and high < _LARGEST_T:
        low, high = high, 2 * high
    t = (low + high) / 2
    for _ in range(_MOST_STEPS):
        above = student_t_below(t, freedom) - share
        low, high = (low, t) if above > 0 else (t, high)
        step = t - above / _student_t_density(t, freedom)
        following = step if low < step < high else (low + high) / 2
        if abs(following - t) <= _CLOSE * t:
            return following
        t = following
    return t


def _near_normal(z: float, freedom: float) -> float:
    """Four terms of the expansion around the normal quantile (Abramowitz & Stegun 1964, 26.7.5); the fifth is
    below 1e-9 of t where it is used.
    """
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + math.fsum(term / freedom**power for power, term in enumerate(terms, 1))


def _student_t_density(t: float, freedom: float) -> float:
    front = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(freedom * math.pi)
    return math.exp(front - (freedom + 1) / 2 * math.log1p(t * t / freedom))
