"""From the snapshot to the A/B report: the one place where the page is put together."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from live_dashboards.analysis.alt_text import alt_text
from live_dashboards.analysis.effect import comparisons, effect_measurements, effect_panel
from live_dashboards.analysis.health import badge, health_panel, observed_at
from live_dashboards.analysis.model_facts import QUALITY_METRICS
from live_dashboards.analysis.model_panels import quality_panel, run_counts, runs_panel
from live_dashboards.analysis.page import Page, failure, nothing, page, renamed
from live_dashboards.analysis.traffic_panels import error_panel, impact_panel, latency_panel, lines_of, rate_panel, split_panel
from live_dashboards.model.measurement import Measurement, Origin, missing
from live_dashboards.model.number import format_count, format_number, format_percent
from live_dashboards.model.report import AbReport, BadgeKind, Period, StatusStrip, Verdict
from live_dashboards.model.snapshot import MLFLOW, Snapshot
from live_dashboards.settings import Settings

NO_VERDICT = Verdict("NO VERDICT", "no decision rule", ("no verdict yet: this version measures and does not decide",), ())
_STANDARD_TIMELINES = {"request_rate": "requests_per_second", "response_time": "ms", "accuracy": "percent", "error_rate": "percent"}


def build_ab_report(snapshot: Snapshot, stand_in: Snapshot | None, settings: Settings) -> AbReport:
    """The whole A/B page; `stand_in` is the simulated snapshot, None where what is missing is marked instead."""
    found = page(snapshot, stand_in, settings)
    headline = _headline(found)
    effect, runs = effect_panel(found), runs_panel(found)
    quality = quality_panel(found)
    shown = (*effect_measurements(found, effect.rows), *(bar.accuracy_percent for bar in runs.bars if bar.accuracy_percent))
    measurements = _measurements(found, headline, shown, quality.head.origin)
    report = AbReport(
        at=snapshot.at,
        generated_at=snapshot.generated_at,
        window_seconds=snapshot.window_seconds,
        timezone=str(settings["DASHBOARD_TIMEZONE"]),
        confidence=float(settings["AB_CONFIDENCE"]),
        badge=badge(found, measurements),
        experiment=experiment_name(found),
        experiment_note=_experiment_note(snapshot, settings),
        baseline=found.roles.baseline,
        challenger=found.roles.challenger,
        headline=headline,
        variants=found.counted.variants,
        comparisons=comparisons(found),
        period=_period(found),
        verdict=NO_VERDICT,
        status=_status(found, headline),
        effect=effect,
        quality=quality,
        split=split_panel(found),
        rate=rate_panel(found),
        latency=latency_panel(found),
        errors=error_panel(found),
        impact=impact_panel(found),
        runs=runs,
        health=health_panel(found),
        sources=(found.mlflow_status, found.prometheus_status),
        observed_at=observed_at(found),
        measurements=measurements,
        is_simulated=found.is_simulated,
        has_stale=any(measurement.stale and measurement.is_live for measurement in measurements),
        alt_text="",
    )
    return replace(report, alt_text=alt_text(report))


def experiment_name(found: Page) -> str | None:
    """The experiment on the page: MLflow's, else the one that Prometheus' series were cut to, else the one asked for."""
    if found.is_simulated:
        return found.drawn.mlflow.experiment
    live = found.counted.mlflow.experiment if found.counted.mlflow.status.has_answered else None
    labels = found.counted.prometheus.experiments
    return live or found.counted.prometheus.experiment_filter or found.settings["AB_EXPERIMENT"] or (labels[0] if len(labels) == 1 else None)


def _experiment_note(snapshot: Snapshot, settings: Settings) -> str:
    asked = settings["AB_EXPERIMENT"]
    is_known = snapshot.mlflow.status.has_answered or asked in snapshot.prometheus.experiments
    return "not verified" if asked and not is_known else ""


def _headline(found: Page) -> tuple[tuple[str, Measurement], ...]:
    counted = found.counted
    baseline = counted.of(found.roles.baseline).accuracy
    challenger = counted.of(found.roles.challenger).accuracy if found.roles.challenger else nothing("enhanced_accuracy", "percent", "there is no challenger")
    net = counted.traffic.impact.get((found.roles.challenger or "", "net_business_value"))
    if net is None:
        reason = counted.prometheus.instant("business_impact").reason or "ab_test_business_impact has no net_business_value of the challenger"
        net = nothing("net_business_value", "percent", reason if counted.prometheus.status.has_answered else failure(found.prometheus_status))
    rows = (
        _active_experiments(found),
        renamed(baseline, "baseline_accuracy"),
        renamed(challenger, "enhanced_accuracy"),
        counted.traffic.totals["total_requests_24h"],
        counted.traffic.totals["total_requests"],
        counted.traffic.totals["avg_response_time_ms"],
        counted.traffic.totals["error_rate"],
        replace(net, name="net_business_value", unit="percent"),
    )
    return tuple((row.name, row) for row in rows)


def _active_experiments(found: Page) -> Measurement:
    answer, name = found.counted.mlflow, "active_experiments"
    if not answer.status.has_answered:
        return missing(name, "count", failure(found.mlflow_status), source=MLFLOW)
    active = sum(experiment.is_ab_test and experiment.is_active for experiment in answer.experiments)
    return Measurement(name, active, "count", answer.origin, source=answer.status.source, query=answer.query("experiments"), observed_at=answer.newest_at)


def _measurements(found: Page, headline: tuple[tuple[str, Measurement], ...], shown: tuple[Measurement, ...], quality_origin: Origin) -> tuple[Measurement, ...]:
    """Every number that the page shows, once: headlines, each variant's facts as drawn, differences, latest points, reported impact, runs by state."""
    facts = [_shown(found, each.variant, name, quality_origin) for each in found.drawn.variants for name in each.__slots__ if name != "variant"]
    lines = [line for name, unit in _timelines(found) for line in lines_of(found, name, unit)]
    everything = (
        *(measurement for _, measurement in headline),
        *facts,
        *shown,
        *(line.latest for line in lines),
        *_impact(found),
        *_run_counts(found),
    )
    return tuple({(one.name, one.variant): one for one in reversed(everything)}.values())[::-1]


def _shown(found: Page, variant: str, name: str, quality_origin: Origin) -> Measurement:
    """A variant's fact as the page shows it: a simulated stand-in only where its whole panel is simulated, with the reason why it had to be."""
    counted: Measurement = getattr(found.counted.of(variant), name)
    drawn: Measurement = getattr(found.drawn.of(variant), name)
    is_stand_in = drawn.origin is Origin.SIMULATED and counted.value is None
    if not is_stand_in or (name in QUALITY_METRICS and quality_origin is not Origin.SIMULATED):
        return counted
    return replace(drawn, reason=f"simulated: {counted.reason}")


def _impact(found: Page) -> tuple[Measurement, ...]:
    return tuple(replace(one, name=kind or one.name) for (_, kind), one in found.drawn.traffic.impact.items())


def _timelines(found: Page) -> tuple[tuple[str, str], ...]:
    """Every timeline that was asked, also those that were added to the standard five; business impact stands with its metric types."""
    return tuple((answer.name, _STANDARD_TIMELINES.get(answer.name, answer.unit)) for answer in found.drawn.prometheus.timelines if answer.name != "business_impact")


def _run_counts(found: Page) -> tuple[Measurement, ...]:
    answer = found.drawn.mlflow
    if not answer.status.has_answered:
        return ()
    source, query = answer.status.source, answer.query("runs")
    return tuple(Measurement(f"runs_{state}", count, "count", answer.origin, source=source, query=query) for state, count in run_counts(found).items())


def _period(found: Page) -> Period:
    """From the start of the test to the moment, never the rolling window."""
    if found.settings.start is not None:
        return Period(found.settings.start, found.at, "AB_START")
    first = {found.roles.by_model.get(model, model): seconds for model, seconds in sorted(found.counted.prometheus.first_traffic, reverse=True)}
    if len(found.roles.pair) == 2 and all(name in first for name in found.roles.pair):
        start = max(first[name] for name in found.roles.pair)
        return Period(datetime.fromtimestamp(start, UTC), found.at, "first sample at which baseline and challenger both had traffic")
    runs = [run.started_at for run in found.counted.mlflow.runs if run.variant == found.roles.challenger and run.started_at is not None]
    if runs and found.counted.mlflow.origin is Origin.LIVE:
        return Period(min(runs), found.at, "first run of the challenger")
    return Period(None, found.at, "the start of the test is unknown: set AB_START")


def _status(found: Page, headline: tuple[tuple[str, Measurement], ...]) -> StatusStrip:
    values = dict(headline)
    runs = run_counts(found) if found.counted.mlflow.status.has_answered else {}
    words = ", ".join(f"{count} {state}" for state, count in runs.items())
    items = (
        ("active A/B tests", format_count(values["active_experiments"].value)),
        ("runs", words or "–"),
        ("requests in 24 h", format_count(values["total_requests_24h"].value)),
        ("mean response", format_number(values["avg_response_time_ms"].value, "ms")),
        ("error rate", format_percent(values["error_rate"].value)),
        ("net value, reported", format_percent(values["net_business_value"].value)),
    )
    origin = Origin.SIMULATED if found.kind is BadgeKind.SIMULATED and found.is_simulated else Origin.LIVE
    return StatusStrip(items, origin)
