"""By what the latency of a challenger is guarded: the share of requests over the objective where buckets tell
of both arms, else the mean response time, else nothing, which is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from live_dashboards.analysis.facts.arms import NO_HISTOGRAM, arm
from live_dashboards.analysis.facts.counted import counted_of
from live_dashboards.analysis.facts.mean_latency import mean_arm, no_times
from live_dashboards.analysis.facts.page import PageFacts
from live_dashboards.model.metrics import LATENCY_GUARD, OVER_OBJECTIVE
from live_dashboards.model.names import listed
from live_dashboards.model.snapshot import Accumulated

BY_SHARE, BY_MEAN, UNMEASURED = "by share", "by mean", "unmeasured"
WAIVER = f"AB_WAIVE={LATENCY_GUARD}"
_COUNTERS = ("latency_within", "latency_sum", "latency_count")


def latency_of(page: PageFacts, challenger: str) -> str:
    """`by share`, `by mean` or `unmeasured`. Where a question about response times failed nobody knows what
    there is: then nothing takes the place of the share, which is unknown for that reason.
    """
    counted, _ = counted_of(page, challenger)
    pair = (challenger, page.roles.baseline)
    if all(arm(page, counted, name, OVER_OBJECTIVE).counts is not None for name in pair):
        return BY_SHARE
    if not page.counted.prometheus.status.has_answered or _has_failed(page, counted):
        return BY_SHARE
    has_means = all(mean_arm(page, counted, name).mean.value is not None for name in pair)
    return BY_MEAN if has_means else UNMEASURED


def _has_failed(page: PageFacts, counted: Accumulated) -> bool:
    """Whether a question about response times got no answer, which is another thing than no series."""
    prometheus = page.counted.prometheus
    answers = (prometheus.instant("latency_buckets"), *map(counted.total, _COUNTERS))
    reasons = [each.reason for each in answers if each.reason and each.reason != "not asked"]
    return any(failure.endswith(reason) for failure in prometheus.status.failures for reason in reasons)


def unmeasured_words(page: PageFacts, challenger: str) -> str:
    """Why the latency of a pair is not judged, and what to do; or that it is waived."""
    lacking = _lacking(page, challenger)
    if LATENCY_GUARD in page.settings.waived:
        return f"waived by {WAIVER}, not judged: {lacking}"
    return f"not judged, which blocks SHIP: {lacking}; export them, or set {WAIVER}"


def _lacking(page: PageFacts, challenger: str) -> str:
    """Of which arms there are no response times; of arms that are not told alike none that are."""
    counted, _ = counted_of(page, challenger)
    pair = (page.roles.baseline, challenger)
    shares = {name: arm(page, counted, name, OVER_OBJECTIVE).rate for name in pair}
    means = {name: mean_arm(page, counted, name).mean for name in pair}
    silent = [name for name in pair if shares[name].value is None and means[name].value is None]
    if not silent:
        return f"{no_times(' and '.join(pair))} of one kind"
    reasons = [each[name].reason for name in silent for each in (shares, means)]
    usual = {NO_HISTOGRAM, *map(no_times, silent)}
    told = [reason for reason in dict.fromkeys(filter(None, reasons)) if reason not in usual]
    return no_times(" and ".join(silent)) + (f" ({'; '.join(told)})" if told else "")


def latency_words(page: PageFacts) -> Iterator[str]:
    """What is told once of how the latency is judged, where it is not by the share over the objective."""
    if page.is_simulated:
        return
    ways = {name: latency_of(page, name) for name in page.roles.names if name != page.roles.baseline}
    by_mean = [name for name, way in ways.items() if way == BY_MEAN]
    unmeasured = [name for name, way in ways.items() if way == UNMEASURED]
    if by_mean:
        whose = "" if len(ways) == 1 else f" of {listed(by_mean)}"
        yield (
            f"latency{whose} is judged by its mean, which hides the slow tail: {_why_no_share(page, by_mean)}"
        )
    for name in unmeasured:
        yield f"latency of {name} is {unmeasured_words(page, name)}"


def _why_no_share(page: PageFacts, challengers: Sequence[str]) -> str:
    """Why no share over the objective can be told of these and the baseline."""
    reasons = (
        arm(page, counted_of(page, name)[0], each, OVER_OBJECTIVE).rate.reason
        for name in challengers
        for each in (name, page.roles.baseline)
    )
    told = [reason for reason in dict.fromkeys(filter(None, reasons)) if reason != NO_HISTOGRAM]
    return "; ".join(told) or "no buckets of response times of both arms"
