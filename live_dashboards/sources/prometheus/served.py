"""Which A/B experiments have requests of two variants: asked for only where what MLflow's runs hold leaves
open which one is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import datetime

from live_dashboards.errors import SourceError
from live_dashboards.model.snapshot import Experiment
from live_dashboards.model.variants import named_variant
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.prometheus.exchange import instant
from live_dashboards.sources.prometheus.promql import STEPS
from live_dashboards.sources.prometheus.reply import answered
from live_dashboards.sources.prometheus.source import PrometheusAbSource
from live_dashboards.sources.queries import EXPERIMENT_LABEL, REQUESTS, render

_BY_MODEL = f"sum by ({EXPERIMENT_LABEL}, model_name) (%s) > 0"
_GROWTH = f"increase({REQUESTS}{{$experiment}}[$window])"
_RECORDED_GROWTH = f"sum_over_time({STEPS[REQUESTS]}{{$experiment}}[$window])"
_SHARE_OF_TIME = 1 / 3  # MLflow waits meanwhile


def served_tests(
    settings: Settings, at: datetime, window_seconds: float, experiments: Sequence[Experiment]
) -> frozenset[int]:
    """The ids of those of which two variants have requests in the window before the moment; none where
    Prometheus cannot be asked, which its own answer tells.
    """
    try:
        found = _served(settings, at, window_seconds)
    except SourceError:
        return frozenset()
    return frozenset(
        each.experiment_id for each in experiments if len(_variants(each, found, settings.aliases)) > 1
    )


def _served(settings: Settings, at: datetime, window_seconds: float) -> frozenset[tuple[str, str]]:
    """(label experiment, model) of what has requests."""
    deadline = Deadline(settings.timeout_seconds * _SHARE_OF_TIME)
    counted = _RECORDED_GROWTH if settings["PROMETHEUS_RECORDED"] == "on" else _GROWTH
    with closing(PrometheusAbSource(settings)) as source:
        source.discover(deadline)
        promql = render(_BY_MODEL % counted, matchers="", window_seconds=window_seconds)
        (outcome,) = source.ask_all([instant(promql, at.timestamp(), "count")], deadline)
    return frozenset(
        (series.label(EXPERIMENT_LABEL), series.label("model_name")) for series in answered(outcome).series
    )


def _variants(
    experiment: Experiment, served: Iterable[tuple[str, str]], aliases: dict[str, str]
) -> frozenset[str]:
    """Its variants that have requests under its name, or under none."""
    names = [name for name, _ in experiment.variants]
    found = (
        named_variant(aliases.get(model, model), names)
        for label, model in served
        if label in {experiment.name, ""}
    )
    return frozenset(variant for variant in found if variant is not None)
