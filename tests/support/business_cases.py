"""Business inputs and assumptions by hand, for the calculator."""

from statistics import NormalDist

from live_dashboards.analysis.business.calculator import BusinessMetricsCalculator
from live_dashboards.model.business_case import Assumption, BusinessInputs, EffectInput
from live_dashboards.model.measurement import Interval, Measurement, Origin, missing
from live_dashboards.model.setting_types import Amount

AMOUNTS = {
    "BASE_TRADING_VOLUME": 10_000_000.0,
    "ACCURACY_REVENUE_MULTIPLIER": 0.005,
    "LATENCY_COST_PER_MS": 0.0001,
    "ERROR_COST_MULTIPLIER": 50.0,
    "INFRASTRUCTURE_ANNUAL_COST": 53_000.0,
}
UNITS = {"accuracy_improvement": "fraction", "latency_increase": "ms", "error_rate_improvement": "fraction"}


def assumptions(**amounts):
    """The defaults but for these; a pair is a range, and what is given is the user's."""
    given = {name: Amount(*(value if isinstance(value, tuple) else (value, value))) for name, value in {**AMOUNTS, **amounts}.items()}
    return tuple(Assumption(name, amount, "unit", "", is_default=name not in amounts) for name, amount in given.items())


def effect(name, value, standard_error=None, *, residuals=()):
    """A measured difference with normal limits, or none; `value` None is missing."""
    unit = UNITS[name]
    side = Measurement("side", 1.0, "percent", Origin.LIVE)
    if value is None:
        return EffectInput(missing(name, unit, "not measured"), side, side)
    if standard_error is None:
        return EffectInput(Measurement(name, value, unit, Origin.LIVE, reason="no interval: n unknown"), side, side)
    limits = normal(value, standard_error)
    return EffectInput(Measurement(name, value, unit, Origin.LIVE, interval=limits), side, side, limits, tuple(residuals))


def normal(value, standard_error):
    half = NormalDist().inv_cdf(0.975) * standard_error
    return Interval(value - half, value + half)


def inputs(accuracy=(0.036, 0.004), latency=(2.0, 0.5), errors=(0.0005, 0.0002), requests=50_000.0):
    """Pairs of value and standard error; a value alone has no interval, None is missing."""
    pairs = {"accuracy_improvement": accuracy, "latency_increase": latency, "error_rate_improvement": errors}
    effects = {name: effect(name, *(pair if isinstance(pair, tuple) else (pair,))) for name, pair in pairs.items()}
    day = missing("requests_per_day", "count", "no requests") if requests is None else Measurement("requests_per_day", requests, "count", Origin.LIVE)
    return BusinessInputs(**effects, requests_per_day=day)


def case(measured=None, seed=42, **amounts):
    return BusinessMetricsCalculator(assumptions(**amounts), seed=seed).calculate(measured if measured is not None else inputs())
