"""How many trials, and with a plan of the split how many days, a limit takes until it says what a test is
there to say: the formulas of "when" and of `plan`.

What is assumed to be true comes in: nothing here looks at an estimate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist

from live_dashboards.analysis.statistics.proportions import Comparison, Counts, difference, normal_quantile
from live_dashboards.analysis.statistics.sequential import difference_so_far, is_too_few, normal_sequence
from live_dashboards.analysis.statistics.stratified import long_run_variance, together

POWER = 0.8
USUAL_INFLATION = 2.0
"""What the long-run variance makes of independent requests: it is the largest over several scales, each
widened for few batches. Of drawn tests the median is 1.8 and the mean 2.2; with 2 four of five are decided
at their forecast."""
_HALVINGS = 60
_ROUNDS = 100
_SAME = 1e-6


@dataclass(frozen=True, slots=True)
class Claim:
    """Whether the limits of a difference treatment - control lie beyond `bound_fraction`, on the side of what
    is true, with this power.

    Fractions are from 0 to 1. A guardrail has two equal rates and its margin as the bound; what is to be
    shown better has two rates and the bound 0. `planned_n` is N* of the confidence sequence, None of a fixed
    interval for one look. `inflation` is the long-run variance over that of independent trials, 1 at least.
    ValueError for numbers out of their range, and where the true difference is the bound itself.
    """

    control_fraction: float
    treatment_fraction: float
    bound_fraction: float
    alpha: float = 0.05
    power_fraction: float = POWER
    inflation: float = 1.0
    planned_n: float | None = None

    def __post_init__(self) -> None:
        for name in ("control_fraction", "treatment_fraction"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be from 0 to 1")
        for name in ("alpha", "power_fraction"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be above 0 and below 1")
        if not 1 <= self.inflation < math.inf:
            raise ValueError(f"inflation is {self.inflation}; it must be 1 or more, and finite")
        if self.planned_n is not None and not 0 < self.planned_n < math.inf:
            raise ValueError(f"planned_n is {self.planned_n}; it must be above 0 and finite")
        if self.distance_fraction == 0:
            raise ValueError(
                f"the true difference is the bound, {self.bound_fraction}; no trials tell them apart"
            )

    @property
    def true_fraction(self) -> float:
        """The true difference."""
        return self.treatment_fraction - self.control_fraction

    @property
    def distance_fraction(self) -> float:
        """How far the true difference is from the bound."""
        return abs(self.bound_fraction - self.true_fraction)


@dataclass(frozen=True, slots=True)
class Leg:
    """A split that holds for so many days: trials of both arms a day, and the treatment's share of them (0 to
    1).
    """

    days: float
    trials_a_day: float
    treatment_share: float

    def __post_init__(self) -> None:
        if not (self.days >= 0 and 0 <= self.trials_a_day < math.inf and 0 <= self.treatment_share <= 1):
            raise ValueError(
                f"{self} is no leg of a test: days and trials are 0 or more, a share is from 0 to 1"
            )


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was counted of both arms in the same blocks: trials, their information n1 n2 / (n1 + n2) added up
    over blocks (statistics of `strata`), and the same times the treatment's share in each.
    """

    trials: float = 0.0
    information: float = 0.0
    treated: float = 0.0

    def and_then(self, leg: Leg, days: float) -> Gathered:
        """With so many days of a leg; one in which an arm has no trials compares nothing."""
        share = leg.treatment_share
        trials = leg.trials_a_day * days if 0 < share < 1 else 0.0
        information = trials * share * (1 - share)
        return Gathered(
            self.trials + trials, self.information + information, self.treated + information * share
        )


def gathered_of(treatment: Counts, control: Counts, information: float) -> Gathered:
    """What counts of both arms hold whose blocks add up to that information."""
    trials = treatment.n + control.n
    return Gathered(trials, information, information * treatment.n / trials)


def variance_of(claim: Claim, gathered: Gathered) -> float:
    """The variance of the difference within blocks: with weights w = n1 n2 / (n1 + n2) each adds w (p1 q1 s +
    p2 q2 (1 - s)) to W² times it, s the treatment's share; times the inflation. Infinite without information.

    With two equal rates that is p q / W (see `strata`).
    """
    if gathered.information <= 0:
        return math.inf
    ours, theirs = (p * (1 - p) for p in (claim.treatment_fraction, claim.control_fraction))
    spread = theirs * gathered.treated + ours * (gathered.information - gathered.treated)
    return claim.inflation * spread / gathered.information**2


def is_told(claim: Claim, gathered: Gathered) -> bool:
    """Whether the limits are expected beyond the bound with that power.

    The estimate is normal around the truth with a standard error s, so the limit at c s is beyond a bound at
    distance D with that chance where (c + z) s <= D: c is the normal quantile for one look, or the factor of
    the confidence sequence (see `confidence_sequence`), z the quantile of the power. Where fewer than 5
    events or non-events are expected in an arm, also the limits must be that stand at few events.
    """
    if gathered.trials <= 0 or gathered.information <= 0:
        return False
    spread = math.sqrt(variance_of(claim, gathered))
    reach = (_factor(claim, gathered.trials) + NormalDist().inv_cdf(claim.power_fraction)) * spread
    return reach <= claim.distance_fraction and _is_told_at_few_events(claim, gathered)


def _factor(claim: Claim, trials: float) -> float:
    """Standard errors from the estimate to its limit."""
    if claim.planned_n is None:
        return normal_quantile(1 - claim.alpha)
    return normal_sequence(0.0, 1.0, trials, claim.planned_n, claim.alpha)[0]


def _is_told_at_few_events(claim: Claim, gathered: Gathered) -> bool:
    """By the counts that are to be expected, rounded against what is to be shown."""
    share = gathered.treated / gathered.information
    ours, theirs = (
        _expected(p, gathered.trials * part)
        for p, part in ((claim.treatment_fraction, share), (claim.control_fraction, 1 - share))
    )
    if not (is_too_few(ours) or is_too_few(theirs)):
        return True
    found = _limits(claim, ours, theirs)
    if claim.bound_fraction > claim.true_fraction:
        return found.high < claim.bound_fraction
    return found.low > claim.bound_fraction


def _expected(p: float, n: float) -> Counts:
    trials = max(1, round(n))
    return Counts(min(trials, round(p * trials)), trials)


def _limits(claim: Claim, ours: Counts, theirs: Counts) -> Comparison:
    if claim.planned_n is None:
        return difference(ours, theirs, 1 - claim.alpha)
    planned = max(1, round(claim.planned_n))
    return difference_so_far(ours, theirs, planned, claim.alpha, claim.inflation)


@dataclass(frozen=True, slots=True)
class MeanClaim:
    """Whether the upper limit of a difference of means is below `bound`, with this power, where the true
    difference is 0; both in one unit.

    `variance` is that of the difference at `information` (n1 n2 / (n1 + n2) added up over blocks), as the
    blocks told it so far: it is taken to fall as the information grows. ValueError for numbers out of their
    range.
    """

    variance: float
    information: float
    bound: float
    planned_n: float
    alpha: float = 0.05
    power_fraction: float = POWER

    def __post_init__(self) -> None:
        for name in ("variance", "information", "bound", "planned_n"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be above 0 and finite")
        for name in ("alpha", "power_fraction"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be above 0 and below 1")


def is_mean_told(claim: MeanClaim, gathered: Gathered) -> bool:
    """Whether the limit is expected below the bound with that power, as in `is_told`."""
    if gathered.trials <= 0 or gathered.information <= 0:
        return False
    spread = math.sqrt(claim.variance * claim.information / gathered.information)
    factor = normal_sequence(0.0, 1.0, gathered.trials, claim.planned_n, claim.alpha)[0]
    return (factor + NormalDist().inv_cdf(claim.power_fraction)) * spread <= claim.bound


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a claim is told: days from now, and the trials of both arms until then, with those that there
    are.
    """

    days: float
    trials: float


def forecast(claim: Claim, course: Sequence[Leg], so_far: Gathered, most_days: float) -> Forecast | None:
    """The first moment of the course at which the limits are expected beyond the bound; None where that is
    not within so many days. ValueError as in `first_told`.
    """
    return first_told(partial(is_told, claim), course, so_far, most_days)


def first_told(
    is_told: Callable[[Gathered], bool], course: Sequence[Leg], so_far: Gathered, most_days: float
) -> Forecast | None:
    """The first moment of the course at which something is told by what was gathered; None where that is not
    within so many days.

    Limits narrow as trials come, so that halving finds it. ValueError for a number of days that is not above
    0 and finite.
    """
    if not 0 < most_days < math.inf:
        raise ValueError(f"most_days is {most_days}; it must be above 0 and finite")
    if is_told(so_far):
        return Forecast(0.0, so_far.trials)
    if not is_told(after(course, so_far, most_days)):
        return None
    sooner, later = 0.0, most_days
    for _ in range(_HALVINGS):
        middle = (sooner + later) / 2
        if is_told(after(course, so_far, middle)):
            later = middle
        else:
            sooner = middle
    return Forecast(later, after(course, so_far, later).trials)


def after(course: Iterable[Leg], so_far: Gathered, days: float) -> Gathered:
    """What there is after so many days of a course."""
    left = days
    for leg in course:
        spent = min(left, leg.days)
        so_far = so_far.and_then(leg, spent)
        left -= spent
        if left <= 0:
            break
    return so_far


def settled_plan(needed: Callable[[float | None], float | None]) -> float | None:
    """N* of the trials that are needed with that very N*, which are fewest: a confidence sequence is
    narrowest where it is tuned to.

    `needed` gives them for an N*, and for None those of fixed looks, from which on it is repeated. None where
    it gives none.
    """
    planned: float | None = None
    for _ in range(_ROUNDS):
        found = needed(planned)
        if found is None or (planned is not None and abs(found - planned) <= _SAME * planned):
            return found
        planned = found
    return planned


def rounded_up(needed: float, digits: int = 3) -> int:
    """So many trials with that many digits, never fewer: what is to be planned and told is no finer than
    that.
    """
    step = 10.0 ** max(0, math.floor(math.log10(max(1.0, needed))) + 1 - digits)
    return int(math.ceil(needed / step - 1e-9) * step)


def own_inflation(blocks: Sequence[Counts]) -> float:
    """How many times the binomial variance of a rate its long-run variance is, from its own blocks in the
    order of time (see `long_run_variance`); 1 at least, and without events or non-events.
    """
    if not blocks:
        return 1.0
    whole = together(blocks)
    if not 0 < whole.events < whole.n:
        return 1.0
    p = whole.proportion
    residuals = [(each.events - each.n * p) / whole.n for each in blocks]
    independent = p * (1 - p) / whole.n
    return long_run_variance(residuals, independent) / independent
