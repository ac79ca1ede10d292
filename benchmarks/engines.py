"""How far from a known truth what the product reads is, on each engine that the environment names: counters, restarts, a histogram, 24 hours."""

from __future__ import annotations

import itertools
import math
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measuring import table
from live_dashboards.analysis.statistics.latency import bucket_quantile
from live_dashboards.demo.servers import PrometheusServer
from live_dashboards.model.snapshot import Answer, PrometheusAnswer
from live_dashboards.settings import load_settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.prometheus.source import PrometheusAbSource
from live_dashboards.sources.queries import ERRORS, LATENCY, REQUESTS
from tests.support.engines import engine_versions
from tests.support.prometheus_truth import PrometheusTruth
from tests.support.victoria_metrics import VictoriaMetricsServer

ENGINES = ("Prometheus", "VictoriaMetrics")
MODELS = ("baseline", "enhanced")
FIGURES = ("requests", "errors", "mean latency", "p95", "sum of the blocks", "period", "sum of the period's blocks")
HOUR = 3600.0
_MOMENTS = {"at a scrape": 0.0, "7 s after one": 7.0}  # windows that begin at a sample, and as any real one does
_READ_SECONDS = 120.0
_EQUAL = 1e-9
_BUCKETS_PER_SECOND = {0.05: 2.4, 0.1: 1.5, 0.25: 0.83, 0.5: 0.21, 1.0: 0.06}
_ERRORS_PER_SECOND = {"baseline": 0.011, "enhanced": 0.017}  # few enough that half a scrape's worth of them shows


@dataclass(frozen=True, slots=True)
class Span:
    """A window that ends at the last sample, and an analysis period in it (hours); samples go on an hour before the window."""

    end_seconds: float
    window_hours: float = 24.0
    period_hours: float = 20.0
    scrape_seconds: float = 15.0

    def before_end(self, hours: float) -> float:
        """That many hours before the end, in unix seconds."""
        return self.end_seconds - hours * HOUR


def measure(window_hours: float = 24.0) -> str:
    """The section of the report: one row for each engine and moment, the largest deviation of the two models in each column."""
    span = Span(time.time() // 60 * 60, window_hours, window_hours * 5 / 6)
    truth, versions = engine_truth(span), engine_versions()
    rows = []
    for engine in ENGINES:
        with _filled(engine, truth) as url:
            for when, later_seconds in _MOMENTS.items():
                found = read_figures(url, span, later_seconds)
                rows.append([engine, versions[engine], when, *deviations(found, true_figures(truth, span))])
    said = f"Deviation from the truth of {window_hours:g} h, the larger of two models; the period is of {span.period_hours:g} h."
    return f"## Engines\n\n{said} PostgreSQL {versions['PostgreSQL']} is not asked here.\n\n{table(['engine', 'version', 'asked', *FIGURES], rows)}"


def engine_truth(span: Span) -> PrometheusTruth:
    """Of each model three instances that restart now and then, one that comes late and one that goes early."""
    truth = PrometheusTruth(start=span.before_end(span.window_hours + 1), end=span.end_seconds, scrape_seconds=span.scrape_seconds)
    for model, instance in itertools.product(MODELS, range(5)):
        labels = {"model_name": model, "instance": f"i{instance}", "job": "ab", "experiment": "engines"}
        restarts = [span.before_end(span.window_hours * share) for share in (0.83, 0.41, 0.13)] if instance < 3 else []
        when = {
            "resets": [moment + 37 * instance for moment in restarts],
            "starts_at": span.before_end(span.window_hours / 2) if instance == 3 else None,
            "ends_at": span.before_end(span.window_hours / 3) if instance == 4 else None,
        }
        truth.counter(REQUESTS, labels, sum(_BUCKETS_PER_SECOND.values()), **when)  # type: ignore[arg-type]
        truth.counter(ERRORS, labels, _ERRORS_PER_SECOND[model], **when)  # type: ignore[arg-type]
        truth.histogram(LATENCY, labels, _BUCKETS_PER_SECOND, **when)  # type: ignore[arg-type]
    return truth


def true_figures(truth: PrometheusTruth, span: Span) -> dict[tuple[str, str], float]:
    """What the samples say was counted, by figure and model; latencies in ms."""
    start, begin = span.before_end(span.window_hours), span.before_end(span.period_hours)
    found = {}
    for model in MODELS:
        requests, since = (truth.increase(REQUESTS, start=moment, model_name=model) for moment in (start, begin))
        count, total = (truth.increase(f"{LATENCY}_{part}", start=start, model_name=model) for part in ("count", "sum"))
        edges = sorted({series.labels["le"] for series in truth.find(f"{LATENCY}_bucket")}, key=float)
        counts = {float(le): truth.increase(f"{LATENCY}_bucket", start=start, model_name=model, le=le) for le in edges}
        own = (requests, truth.increase(ERRORS, start=start, model_name=model), 1000 * total / count, _p95_ms(counts), requests, since, since)
        found |= {(figure, model): value for figure, value in zip(FIGURES, own, strict=True)}
    return found


def read_figures(url: str, span: Span, later_seconds: float = 0.0) -> dict[tuple[str, str], float]:
    """The same as the product reads them that many seconds after the last sample; the period begins where its truth does."""
    settings = load_settings(environment={"PROMETHEUS_URL": url, "AB_START": f"{span.before_end(span.period_hours):.0f}"})
    at = datetime.fromtimestamp(span.end_seconds + later_seconds, UTC)
    answer = PrometheusAbSource(settings).read(at=at, window_seconds=span.window_hours * HOUR, experiment=None, deadline=Deadline(_READ_SECONDS))
    return {(figure, model): value for model in MODELS for figure, value in zip(FIGURES, _figures(answer, model), strict=True)}


def deviations(found: Mapping[tuple[str, str], float], true: Mapping[tuple[str, str], float]) -> list[str]:
    """Of each figure the deviation of the model that is further off, in percent of the truth; `0` means equal in nine digits."""
    return [_percent(max((found[figure, model] / true[figure, model] - 1 for model in MODELS), key=_size)) for figure in FIGURES]


def _percent(deviation: float) -> str:
    if math.isnan(deviation):
        return "missing"
    return "0" if abs(deviation) < _EQUAL else f"{100 * deviation:+.4f} %"


def _size(deviation: float) -> float:
    return math.inf if math.isnan(deviation) else abs(deviation)


def _figures(answer: PrometheusAnswer, model: str) -> Iterator[float]:
    """In the order of FIGURES; NaN where the product has no value."""
    period = answer.accumulated[0]
    yield from (_last(answer.instant(name), model) for name in ("requests", "errors"))
    yield 1000 * _last(answer.instant("latency_sum"), model) / _last(answer.instant("latency_count"), model)
    yield _p95_ms({float(series.label("le")): series.last or 0.0 for series in answer.instant("latency_buckets").series if series.label("model_name") == model})
    yield sum(_points(answer.block("requests"), model))
    yield _last(period.total("requests"), model)
    yield sum(_points(period.block("requests"), model))


def _p95_ms(cumulative: Mapping[float, float]) -> float:
    bounds = sorted(cumulative)
    found = bucket_quantile(bounds, [cumulative[bound] for bound in bounds], 0.95)
    return math.nan if found is None else 1000 * found.point


def _last(answer: Answer, model: str) -> float:
    return next((series.last for series in answer.series if series.label("model_name") == model and series.last is not None), math.nan)


def _points(answer: Answer, model: str) -> Sequence[float]:
    return [value or 0.0 for series in answer.series if series.label("model_name") == model for _, value in series.points]


@contextmanager
def _filled(engine: str, truth: PrometheusTruth) -> Iterator[str]:
    """The URL of a server of that engine which holds the truth."""
    if engine == "VictoriaMetrics":
        with VictoriaMetricsServer() as victoria:
            victoria.fill(truth)
            yield victoria.url
        return
    server = PrometheusServer()
    try:
        with tempfile.TemporaryDirectory(prefix="live-dashboards-benchmark-") as folder:
            server.backfill(truth.write(Path(folder) / "truth.txt"))
        yield server.start().url
    finally:
        server.stop()
