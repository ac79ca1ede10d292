"""The series of an A/B test with any number of instances, as OpenMetrics text: of each instance, and as the rules of deploy/prometheus/ record them.

Counters grow at a steady rate, so that only the number of series and samples matters; what rules record of them is then known without evaluating them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from live_dashboards.sources.prometheus.promql import GAUGES, NEWEST, RECORDED_UNTIL, SETTLED_SECONDS, STEP_SECONDS, STEPS
from live_dashboards.sources.queries import ACCURACY, ERRORS, IMPACT, LATENCY, REQUESTS

SCRAPE_SECONDS = 60
_AGE_SECONDS = 30
MODELS = {"baseline-predictor": 7.0, "enhanced-predictor": 3.0}
_BOUNDS = ("0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1.0", "2.5", "5.0", "7.5", "10.0", "+Inf")
_SHARES = (0.02, 0.1, 0.5, 0.7, 0.85, 0.96, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999, 1.0, 1.0)
_KINDS = ("revenue_impact", "latency_cost", "net_business_value")


def instance_lines(instances: int, end: int, span_seconds: int, *, prefix: str = "i", age_seconds: int = 0) -> Iterator[str]:
    """23 series of each instance, up to `end` (unix seconds); their counters count since `age_seconds` before their first sample."""
    moments = range(end - span_seconds, end + 1, SCRAPE_SECONDS)
    for model, rate in MODELS.items():
        for instance in range(instances):
            labels = f'model_name="{model}",experiment="load",instance="{prefix}{instance}:8000",job="ab"'
            yield from _counter(REQUESTS, f'{labels},status="success"', rate, moments, age_seconds)
            yield from _counter(REQUESTS, f'{labels},status="error"', rate / 100, moments, age_seconds)
            yield from _counter(ERRORS, labels, rate / 100, moments, age_seconds)
            for bound, share in zip(_BOUNDS, _SHARES, strict=True):
                yield from _counter(f"{LATENCY}_bucket", f'{labels},le="{bound}"', rate * share, moments, age_seconds)
            yield from _counter(f"{LATENCY}_count", labels, rate, moments, age_seconds)
            yield from _counter(f"{LATENCY}_sum", labels, rate * 0.06, moments, age_seconds)
            yield from _gauge(ACCURACY, labels, 78.2 + instance / 1000, moments)
            for kind in _KINDS:
                yield from _gauge(IMPACT, f'{labels},metric_type="{kind}"', 1.5, moments)


def newborn_lines(instances: int, end: int, span_seconds: int) -> Iterator[str]:
    """The same, but each instance gives way to a new one, one after the other over half of the span, with a process of its own."""
    for number in range(instances):
        moved = end - span_seconds // 4 - span_seconds // 2 * number // instances // SCRAPE_SECONDS * SCRAPE_SECONDS
        yield from instance_lines(1, moved, moved - end + span_seconds, prefix=f"old{number}-")
        yield from instance_lines(1, end, end - moved - SCRAPE_SECONDS, prefix=f"new{number}-", age_seconds=_AGE_SECONDS)
        moments = range(moved + SCRAPE_SECONDS, end + 1, SCRAPE_SECONDS)
        yield from (f'process_start_time_seconds{{instance="new{number}-0:8000",job="ab"}} {moved + SCRAPE_SECONDS - _AGE_SECONDS} {moment}\n' for moment in moments)


def recorded_lines(instances: int, end: int, span_seconds: int) -> Iterator[str]:
    """The same number of series whatever the number of instances."""
    steps, minutes = (range(end - span_seconds, end + 1, every) for every in (int(STEP_SECONDS), SCRAPE_SECONDS))
    yield from (f"{RECORDED_UNTIL} {moment - SETTLED_SECONDS:.0f} {moment}\n" for moment in steps)
    for model, rate in MODELS.items():
        labels, grown = f'model_name="{model}",experiment="load"', rate * instances * STEP_SECONDS
        yield from _gauge(STEPS[REQUESTS], labels, round(1.01 * grown), steps)
        yield from _gauge(STEPS[ERRORS], labels, round(grown / 100), steps)
        yield from _gauge(STEPS[f"{LATENCY}_count"], labels, round(grown), steps)
        yield from _gauge(STEPS[f"{LATENCY}_sum"], labels, 0.06 * grown, steps)
        for bound, share in zip(_BOUNDS, _SHARES, strict=True):
            yield from _gauge(STEPS[f"{LATENCY}_bucket"], f'{labels},le="{bound}"', round(share * grown), steps)
        yield from _gauge(GAUGES[ACCURACY], labels, 78.2, minutes)
        for name in (REQUESTS, f"{LATENCY}_count", ACCURACY):
            yield from (f"{NEWEST[name]}{{{labels}}} {moment} {moment}\n" for moment in minutes)
        for kind in _KINDS:
            typed = f'{labels},metric_type="{kind}"'
            yield from _gauge(GAUGES[IMPACT], typed, 1.5, minutes)
            yield from (f"{NEWEST[IMPACT]}{{{typed}}} {moment} {moment}\n" for moment in minutes)


def _counter(name: str, labels: str, rate: float, moments: Sequence[int], age_seconds: int = 0) -> Iterator[str]:
    first = moments[0] - age_seconds
    return (f"{name}{{{labels}}} {int((moment - first) * rate)} {moment}\n" for moment in moments)


def _gauge(name: str, labels: str, value: float, moments: Sequence[int]) -> Iterator[str]:
    return (f"{name}{{{labels}}} {value:g} {moment}\n" for moment in moments)
