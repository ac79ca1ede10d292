"""A snapshot of a test whose requests were drawn: hour by hour, each failing and slow on its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from live_dashboards.model.snapshot import Accumulated, Answer, Snapshot, Timeline
from tests.support.snapshots import of_the_window

HOUR = 3600.0
MODELS = ("baseline", "enhanced")


def drawn(
    *,
    days: float = 4.0,
    requests_a_day: float | Sequence[float] = 30_000.0,
    shares: Sequence[float] = (0.7, 0.3),
    errors: Sequence[float] = (0.05, 0.05),
    slow: Sequence[float] = (0.02, 0.02),
    seed: int = 11,
    models: Sequence[str] = MODELS,
) -> Snapshot:
    """That many whole hours up to the snapshot's moment; several numbers of requests are those of each day."""
    snapshot, draws, hours = of_the_window(), np.random.default_rng(seed), round(days * 24)
    at, daily = (
        snapshot.at.timestamp(),
        np.broadcast_to(np.asarray(requests_a_day, float), (round(np.ceil(days)),)) if np.ndim(requests_a_day) == 0 else np.asarray(requests_a_day, float),
    )
    per_hour = np.repeat(daily, 24)[-hours:] / 24
    ends = [at - HOUR * (hours - 1 - hour) for hour in range(hours)]
    counted: dict[str, list[Timeline]] = {name: [] for name in ("requests", "errors", "latency_count", "latency_within")}
    for model, share, failing, late in zip(models, shares, errors, slow, strict=True):
        requests = draws.poisson(per_hour * share)
        by_name = {
            "requests": requests,
            "errors": draws.binomial(requests, failing),
            "latency_count": requests,
            "latency_within": requests - draws.binomial(requests, late),
        }
        for name, values in by_name.items():
            points = tuple(zip(ends, map(float, values), strict=True))
            counted[name].append(Timeline((("model_name", model), *((("le", "0.25"),) if name == "latency_within" else ())), points))
    blocks = tuple(Answer(name, f"query of {name}", "count", tuple(series), step_seconds=HOUR) for name, series in counted.items())
    totals = tuple(
        replace(block, series=tuple(replace(each, points=((at, sum(value or 0.0 for _, value in each.points)),)) for each in block.series)) for block in blocks
    )
    start = at - hours * HOUR
    found = Accumulated(start, is_remembered=True, totals=totals, blocks=blocks, edge_seconds=0.25)
    return replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(found,), first_traffic=tuple((model, start) for model in models)))
