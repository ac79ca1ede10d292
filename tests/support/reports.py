"""Hand-made A/B reports for pictures and files: any variants, any values, changed with dataclasses.replace."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from live_dashboards.model.evidence import DatedChange, DifferenceAt, DifferenceLine
from live_dashboards.model.judgement import Guardrail, MetricDifference, Period, PlainAnswer, Power, SplitTest, Verdict
from live_dashboards.model.measurement import Interval, Measurement, Origin, missing
from live_dashboards.model.metrics import METRICS
from live_dashboards.model.report import (
    AbReport,
    Badge,
    BadgeKind,
    EffectPanel,
    ErrorPanel,
    ErrorRow,
    EvidencePanel,
    Head,
    HealthPanel,
    HealthRow,
    ImpactPanel,
    LatencyPanel,
    LatencyRow,
    Line,
    LinesPanel,
    QualityPanel,
    QualityRow,
    RunBar,
    RunsPanel,
    ShareRow,
    SplitPanel,
    StatusStrip,
    VariantFacts,
    fact_names,
)
from live_dashboards.model.snapshot import SourceState, SourceStatus, Timeline

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
TWO = ("baseline", "enhanced")
PANELS = ("effect", "evidence", "quality", "split", "rate", "latency", "errors", "impact", "runs", "health")


def live(name: str, value: float, unit: str, variant: str | None = None, interval: tuple[float | None, float | None] | None = None, **changes) -> Measurement:
    return Measurement(name, value, unit, Origin.LIVE, variant, Interval(*interval) if interval else None, source="prometheus", query="query", observed_at=AT, **changes)


def timeline(value: float, window_seconds: float = 86_400.0, points: int = 96, gaps: tuple[int, ...] = ()) -> Timeline:
    """A slow wave around the value up to the moment of the page; `gaps` are the numbers of points without a value."""
    step = window_seconds / points
    moments = [AT.timestamp() - step * (points - 1 - number) for number in range(points)]
    return Timeline((), tuple((moment, None if number in gaps else value * (1 + 0.2 * math.sin(number / 9))) for number, moment in enumerate(moments)))


def line(variant: str, value: float, unit: str, **shape) -> Line:
    series = timeline(value, **shape)
    known = [(moment, value) for moment, value in series.points if value is not None]
    latest = live("latest", known[-1][1], unit, variant) if known else missing("latest", unit, "no value in the window", variant=variant)
    return Line(variant, variant, series, latest)


def report(variants: tuple[str, ...] = TWO, *, window_seconds: float = 86_400.0, scale: float = 1.0, origin: Origin = Origin.LIVE, **changes) -> AbReport:
    """A whole live report; `scale` multiplies rates, latencies, errors and impact; `changes` replace fields."""
    shape = {"window_seconds": window_seconds}
    made = AbReport(
        at=AT,
        generated_at=AT,
        window_seconds=window_seconds,
        timezone="UTC",
        confidence=0.95,
        badge=Badge(BadgeKind.LIVE, "real production data · 61 of 61 values live · oldest source: MLflow, 12 s", 61, 61),
        experiment="fraud-scoring-2026",
        experiment_note="",
        baseline=variants[0],
        challenger=variants[1] if len(variants) > 1 else None,
        headline=(),
        variants=tuple(_facts(name) for name in variants),
        comparisons=(),
        period=Period(AT - timedelta(days=9), AT, "AB_START"),
        guardrails=guardrails(variants),
        split_test=SplitTest(
            "ok",
            "",
            0.61,
            70_000,
            tuple((name, 100 / len(variants)) for name in variants),
            tuple(live("traffic_share_since_start", 100 / len(variants), "percent", name, (40, 60)) for name in variants),
        ),
        power=Power(
            live("detectable_difference", 1.4, "points"),
            live("days_left", 5.2, "days", interval=(4.4, 6.9)),
            "sees differences from 1.4 pt in accuracy at 80 % power; 5 to 7 days (1 week) to the planned 500,000 requests",
        ),
        verdict=Verdict("NO VERDICT", "accuracy at 95 %", ("3 of 7 days have passed",), ("4 more days of traffic",)),
        answer=PlainAnswer("NO VERDICT", "no verdict on enhanced: 3 of 7 days have passed", "Statistics: no verdict yet. Money: keep testing."),
        verdicts=tuple((name, Verdict("NO VERDICT", "accuracy at 95 %", ("3 of 7 days have passed",), ("4 more days of traffic",))) for name in variants[1:]),
        status=StatusStrip(
            (("active A/B tests", "1"), ("runs", "6 finished, 1 running, 1 failed"), ("requests in 24 h", "47,892"), ("mean response", "58.3 ms")), origin
        ),
        effect=effect(variants),
        evidence=evidence(variants),
        quality=quality(variants),
        split=split(variants),
        rate=LinesPanel(
            _head("47,892 requests; 0.55 req/s now", "requests per second", origin), "requests/s", _lines(variants, 0.4 * scale, "requests_per_second", shape)
        ),
        latency=latency(variants, scale, shape),
        errors=errors(variants, scale, shape),
        impact=impact(variants, scale, shape),
        runs=runs(variants),
        health=HealthPanel(_head("All sources answer and are fresh", "age of the newest sample"), _health_rows(), ()),
        sources=(SourceStatus("mlflow", SourceState.ANSWERED, version="3.17"), SourceStatus("prometheus", SourceState.ANSWERED, version="2.42")),
        observed_at=(("mlflow", AT), ("prometheus", AT)),
        measurements=(),
        is_simulated=False,
        has_stale=False,
        alt_text="",
    )
    return replace(made, **changes)


def with_heads(made: AbReport, **changes) -> AbReport:
    """Every panel's head changed in the same way."""
    return replace(made, **{name: replace(getattr(made, name), head=replace(getattr(made, name).head, **changes)) for name in PANELS})


def simulated(made: AbReport) -> AbReport:
    badge = Badge(BadgeKind.SIMULATED, "fallback mode · 0 of 61 values live", 0, 61)
    return replace(with_heads(made, origin=Origin.SIMULATED), is_simulated=True, badge=badge, status=replace(made.status, origin=Origin.SIMULATED))


def all_missing(made: AbReport) -> AbReport:
    gone = {
        "origin": Origin.MISSING,
        "asked": "ab_test_requests_total",
        "reason": "Prometheus: refuses the connection",
        "last_good": "last answered at nine in the morning",
    }
    return with_heads(made, **gone)


def effect(variants: tuple[str, ...], guarded: tuple[str, ...] = ()) -> EffectPanel:
    """Also with what else is guarded, by its names."""
    rows = []
    for place, name in enumerate(variants[1:]):
        for number, metric in enumerate(("accuracy", "precision", "recall", "f1", "error_rate") if place == 0 else ("accuracy", "error_rate")):
            has_n = metric in {"accuracy", "error_rate"}
            estimate = -0.03 if metric == "error_rate" else 3.6 - 0.3 * number - 2.5 * place
            rows.append(comparison(metric, name, variants[0], estimate, (estimate - 1.2, estimate + 1.1) if has_n else None))
        rows += [replace(comparison(metric, name, variants[0], 0.1, (-0.1, 0.3)), is_higher_better=False) for metric in guarded]
    return EffectPanel(_head("Accuracy better by +3.6 pt", "challenger − baseline, percentage points"), tuple(rows), 1.0, success_metric="accuracy")


def guardrails(variants: tuple[str, ...]) -> tuple[Guardrail, ...]:
    rows = [replace(comparison("error_rate", name, variants[0], -0.03, (-0.08, 0.02)), sequential=True) for name in variants[1:]]
    return tuple(Guardrail("error_rate", "Error rate not worse", "shown", 0.2, row, "−0.03 pt (−0.08 to +0.02), margin 0.2 pt") for row in rows)


def comparison(metric: str, treatment: str, control: str, estimate: float | None, interval: tuple[float, float] | None, *, reason: str = "no n") -> MetricDifference:
    low, high = interval or (None, None)
    n = 20_000 if interval else None
    origin = Origin.MISSING if estimate is None else Origin.LIVE
    return MetricDifference(
        metric,
        treatment,
        control,
        estimate,
        low,
        high,
        "points",
        0.95,
        None,
        "Newcombe",
        n,
        n,
        sequential=False,
        is_higher_better=metric != "error_rate",
        origin=origin,
        reason=reason,
    )


def quality(variants: tuple[str, ...]) -> QualityPanel:
    rows = []
    for number, label in enumerate(("Accuracy", "Precision", "Recall", "F1")):
        values = [78.2 + 2.1 * place - 0.6 * number for place in range(len(variants))]
        intervals = [(value - 0.6, value + 0.5) if number == 0 else None for value in values]
        offline = tuple(live(label.lower(), value, "percent", name, interval) for name, value, interval in zip(variants, values, intervals, strict=True))
        online = tuple(live("online_accuracy", value - 0.4, "percent", name) for name, value in zip(variants, values, strict=True)) if number == 0 else ()
        rows.append(QualityRow(label, offline, online, label.lower()))
    return QualityPanel(_head("Accuracy: 81.8 % against 78.2 %", "test-set metrics, percent"), tuple(rows))


def evidence(variants: tuple[str, ...]) -> EvidencePanel:
    """Nine days of an error rate whose limits narrow, four looks a day, a line a challenger."""
    lines = tuple(
        DifferenceLine("error_rate", name, variants[0], Origin.LIVE, tuple(_differences(0.02 * number)), source="prometheus", query="query")
        for number, name in enumerate(variants[1:])
    )
    changes = (DatedChange(AT - timedelta(days=4), "enhanced 50 %", "split", "enhanced"),)
    head = _head("Error rate: not told apart in 9 d", "challenger − baseline, error rate, points, since the start")
    return EvidencePanel(head if lines else replace(head, origin=Origin.MISSING, reason="there is no challenger"), lines, "error_rate", changes)


def _differences(shift: float):
    for number in range(1, 37):
        half, middle = 0.6 / math.sqrt(number), shift + 0.1 * math.sin(number / 3) / math.sqrt(number)
        limits = (middle - half, middle + half, middle - 0.7 * half, middle + 0.7 * half)
        yield DifferenceAt(AT - timedelta(hours=6 * (36 - number)), middle, *limits, 1000 * number, 1000 * number)


def split(variants: tuple[str, ...]) -> SplitPanel:
    share = 100 / len(variants)
    rows = tuple(
        ShareRow(name, live("traffic_share", share + 1, "percent", name, (share, share + 2)), live("requests", 33_540, "count", name), share) for name in variants
    )
    return SplitPanel(_head("Traffic split as planned within 1 pt", "share of requests, percent"), rows)


def latency(variants: tuple[str, ...], scale: float = 1.0, shape: dict[str, float] | None = None) -> LatencyPanel:
    rows = tuple(
        LatencyRow(
            name,
            live("p50_latency_ms", 48 * scale, "ms", name, (25 * scale, 50 * scale)),
            live("p95_latency_ms", 120 * scale, "ms", name, (100 * scale, 250 * scale)),
            live("p99_latency_ms", 260 * scale, "ms", name, (250 * scale, None)),
            live("mean_latency_ms", 58 * scale, "ms", name),
        )
        for name in variants
    )
    return LatencyPanel(_head("p95 120 ms against 118 ms: same bucket", "response time, ms"), rows, _lines(variants, 110 * scale, "ms", shape or {}))


def errors(variants: tuple[str, ...], scale: float = 1.0, shape: dict[str, float] | None = None) -> ErrorPanel:
    rate = min(40.0, 0.09 * scale)
    rows = tuple(
        ErrorRow(name, live("error_rate", rate, "percent", name, (rate * 0.7, rate * 1.4)), live("errors", 30, "count", name), live("requests", 33_264, "count", name))
        for name in variants
    )
    return ErrorPanel(_head("Errors 0.063 % against 0.090 %", "errors / requests, percent"), rows, _lines(variants, rate, "percent", shape or {}))


def no_errors(variants: tuple[str, ...] = TWO) -> ErrorPanel:
    rows = tuple(
        ErrorRow(name, live("error_rate", 0.0, "percent", name, (0.0, 0.011)), live("errors", 0, "count", name), live("requests", 33_264, "count", name))
        for name in variants
    )
    return ErrorPanel(_head("No errors seen", "errors / requests, percent"), rows, _lines(variants, 0.0, "percent", {}))


def impact(variants: tuple[str, ...], scale: float = 1.0, shape: dict[str, float] | None = None) -> ImpactPanel:
    types = tuple(
        LinesPanel(_head(kind, "as reported"), kind, _lines(variants, size * scale, "as_reported", shape or {}))
        for kind, size in (("net_business_value", 1.4), ("latency_cost", -0.4), ("revenue_impact", 1.8))
    )
    return ImpactPanel(_head("Service reports net value 1.4 %", "ab_test_business_impact by metric_type"), types)


def runs(variants: tuple[str, ...], states: tuple[str, ...] = ("running", "failed", "finished", "silent", "killed", "scheduled", "finished", "finished")) -> RunsPanel:
    bars = []
    for number, state in enumerate(states):
        name, started = variants[number % len(variants)], AT - timedelta(days=1.6 * (number + 1))
        ended = None if state in {"running", "scheduled"} else started + timedelta(hours=6)
        accuracy = live("run_accuracy", 78.2, "percent", name) if state == "finished" else None
        bars.append(RunBar(f"{name}-{number}", name, state, started, ended, accuracy))
    return RunsPanel(_head("6 finished, 1 running, 1 failed", "training runs, newest first"), tuple(bars), 3, ((AT - timedelta(days=4), "fraud v3"),))


def _health_rows() -> tuple[HealthRow, ...]:
    return (
        HealthRow("MLflow metrics", "mlflow", 40.0, None, "info", "newest metric 40 s old"),
        HealthRow("requests", "prometheus", 12.0, 300.0, "fresh", "12 s old"),
        HealthRow("response times", "prometheus", 420.0, 300.0, "stale", "7 min old, stale"),
        HealthRow("online accuracy", "prometheus", 90_000.0, 300.0, "stale", "25 h old, stale"),
        HealthRow("business impact", "prometheus", None, 300.0, "missing", "no sample in the window"),
    )


def _lines(variants: tuple[str, ...], value: float, unit: str, shape: dict) -> tuple[Line, ...]:
    return tuple(line(name, value * (1 + 0.15 * place), unit, **shape) for place, name in enumerate(variants))


def _head(title: str, subtitle: str, origin: Origin = Origin.LIVE) -> Head:
    return Head(title, subtitle, origin, note="95 % intervals; hollow: no interval")


def _facts(name: str) -> VariantFacts:
    gone = {fact: missing(fact, "percent", "not needed here", variant=name) for fact in fact_names(METRICS)}
    return VariantFacts(name, {metric: gone.pop(metric) for metric in METRICS}, **gone)
