"""What one variant's response times add up to since the start of a test, and how they came block by block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from live_dashboards.analysis.facts.arms import by_block
from live_dashboards.analysis.facts.page import PageFacts
from live_dashboards.analysis.statistics.means import Sums
from live_dashboards.model.measurement import Measurement, missing
from live_dashboards.model.metrics import MEAN_LATENCY
from live_dashboards.model.snapshot import Accumulated, Answer

_SAME_MOMENT_SECONDS = 1.0
_SUM, _COUNT = "latency_sum", "latency_count"
_NAME = f"{MEAN_LATENCY}_compared"


@dataclass(frozen=True, slots=True)
class MeanArm:
    """A variant's mean response time in ms (missing, with the reason, where it is not known), and
    milliseconds and requests of each block with any by its end (unix seconds).
    """

    mean: Measurement
    blocks: Mapping[float, Sums] = field(default_factory=dict)

    def until(self, at_seconds: float) -> MeanArm:
        """With the blocks that end by that moment (unix seconds)."""
        last = at_seconds + _SAME_MOMENT_SECONDS
        return MeanArm(self.mean, {end: sums for end, sums in self.blocks.items() if end <= last})


def mean_arm(page: PageFacts, counted: Accumulated, variant: str) -> MeanArm:
    """The variant's response times in what was counted."""
    answers = counted.total(_SUM), counted.total(_COUNT)
    query = ", ".join(answer.query for answer in answers if answer.query)
    source = page.counted.prometheus.status.source
    seconds, counts = (_by_model(page, answer, variant) for answer in answers)
    n = round(sum(counts.values()))
    # of models that are one variant, one without a sum would pass for one that takes no time
    if n <= 0 or seconds.keys() != counts.keys():
        reason = _reason(answers, variant, n)
        return MeanArm(missing(_NAME, "ms", reason, variant=variant, source=source, query=query))
    mean = mean_since(page, _NAME, variant, Sums(1000 * sum(seconds.values()), n), query)
    return MeanArm(mean, _blocks(page, counted, variant))


def mean_since(page: PageFacts, name: str, variant: str, times: Sums, query: str) -> Measurement:
    """The mean of response times that add up to so many ms, as old as the variant's newest sample."""
    window = page.counted.of(variant).mean_latency_ms
    return Measurement(
        name,
        times.mean,
        "ms",
        page.counted.prometheus.origin,
        variant,
        n=times.n,
        source=page.counted.prometheus.status.source,
        query=query,
        observed_at=window.observed_at,
        stale=window.stale or window.observed_at is None,
    )


def _by_model(page: PageFacts, answer: Answer, variant: str) -> dict[str, float]:
    """The total of each model that is this variant; nothing of one without requests."""
    found: dict[str, float] = {}
    for series in answer.series:
        model = series.label("model_name")
        if page.roles.by_model.get(model) == variant and series.last is not None:
            found[model] = found.get(model, 0.0) + series.last
    return found


def no_times(variant: str) -> str:
    """Why there is no mean where nothing more is known."""
    return f"no response times of {variant}"


def _reason(answers: tuple[Answer, Answer], variant: str, n: int) -> str:
    told = (answer.reason for answer in answers if answer.reason and answer.reason != "not asked")
    return next(told, f"{variant} has no sum of its response times" if n > 0 else no_times(variant))


def _blocks(page: PageFacts, counted: Accumulated, variant: str) -> dict[float, Sums]:
    seconds, counts = (by_block(page, counted.block(name), variant) for name in (_SUM, _COUNT))
    return {
        end: Sums(1000 * seconds[end], round(n))
        for end, n in sorted(counts.items())
        if round(n) > 0 and end in seconds
    }
