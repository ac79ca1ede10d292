"""Is traffic split as planned: the chi-square test of the sample ratio, with the size of a difference that
matters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from live_dashboards.analysis.counts import Counts
from live_dashboards.analysis.exact_tests import binomial_test
from live_dashboards.analysis.special import chi_square_tail

_SUSPECT_P = 0.001
_EXACT_BELOW = 1000
# a tenth of a percentage point: at a billion requests a drift of 0.06 points has p = 0
_MATTERS_SHARE = 0.001


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """The test's statistic and p-value, and `ok`, `amber` (a real but small difference) or `red`."""

    chi2: float
    p_value: float
    flag: str


def sample_ratio(observed: Sequence[int], planned: Sequence[float]) -> SampleRatio:
    """Observed counts against planned shares (Fabijan et al. 2019, KDD): red below p = 0.001 where a share is
    off by 0.1 points or more, else amber.

    The p-value is the chi-square test's; of two arms with fewer than 1,000 requests the exact binomial
    test's. Arms with a planned share of 0 are not in the test, but any traffic there is red with p 0.
    ValueError for negative counts, no request at all, or shares that are negative, do not add up to 1 or are
    not as many as the counts.
    """
    _check(observed, planned)
    if any(count > 0 and share == 0 for count, share in zip(observed, planned, strict=True)):
        return SampleRatio(math.inf, 0.0, "red")
    arms = [(count, share) for count, share in zip(observed, planned, strict=True) if share > 0]
    n = sum(count for count, _ in arms)
    if len(arms) < 2:
        return SampleRatio(0.0, 1.0, "ok")
    chi2 = math.fsum((count - n * share) ** 2 / (n * share) for count, share in arms)
    is_small = len(arms) == 2 and n < _EXACT_BELOW
    p_value = (
        binomial_test(Counts(arms[0][0], n), arms[0][1]) if is_small else chi_square_tail(chi2, len(arms) - 1)
    )
    off = max(abs(count / n - share) for count, share in arms)
    flag = "ok" if p_value >= _SUSPECT_P else "red" if off >= _MATTERS_SHARE else "amber"
    return SampleRatio(chi2, p_value, flag)


def _check(observed: Sequence[int], planned: Sequence[float]) -> None:
    if len(observed) != len(planned) or not observed:
        raise ValueError(
            f"planned has {len(planned)} shares for {len(observed)} observed counts; give one for each"
        )
    if any(not 0 <= count < math.inf for count in observed):
        raise ValueError(f"observed is {list(observed)}; counts must be finite and not negative")
    if not sum(observed):
        raise ValueError(f"observed is {list(observed)}; without any request there is no ratio")
    if any(share < 0 for share in planned) or not math.isclose(math.fsum(planned), 1.0, abs_tol=1e-6):
        raise ValueError(f"planned is {list(planned)}; shares must not be negative and must add up to 1")
