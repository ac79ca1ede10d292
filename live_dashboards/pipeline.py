"""The data's path: sources → snapshot → report → figure → files."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from live_dashboards.errors import UsageError
from live_dashboards.model.check import Check, CheckState
from live_dashboards.model.report import AbReport, BadgeKind
from live_dashboards.model.snapshot import MLFLOW, PROMETHEUS, MlflowAnswer, PrometheusAnswer, Snapshot, SourceState, SourceStatus
from live_dashboards.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What one run was asked for; `at` None is now, `output` None a default name in DASHBOARD_OUTPUT_DIR, a `summary` of `-` is stdout."""

    at: datetime | None = None
    output: Path | None = None
    summary: str | None = None
    sidecars: bool = False
    dpi: int = 300
    size_inches: tuple[float, float] = (16.0, 10.0)
    require: str = "any"
    on_missing: str = "simulate"
    simulate_only: bool = False
    seed: int = 42
    save_snapshot: Path | None = None
    from_snapshot: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was written, and whether it is as live as was required."""

    image: Path
    summary_text: str | None
    report: AbReport
    is_enough: bool


def run_ab(settings: Settings, request: Request) -> Outcome:
    """Draws the A/B dashboard and writes it; raises DashboardError where it cannot."""
    from live_dashboards.outputs.image import check_output_path

    if request.output is not None:
        check_output_path(request.output)
    snapshot = ask(settings, request)
    if request.save_snapshot is not None:
        from live_dashboards.outputs.snapshot_file import save_snapshot

        save_snapshot(snapshot, request.save_snapshot)
    report = ab_report(snapshot, settings, request)
    return write(report, settings, request)


def ask(settings: Settings, request: Request) -> Snapshot:
    """The sources' answers: asked now, read from a stored moment, or deliberately none."""
    if request.from_snapshot is not None:
        from live_dashboards.outputs.snapshot_file import load_snapshot

        return load_snapshot(request.from_snapshot)
    if request.simulate_only:
        return unasked(settings, request)
    if not settings.has_mlflow and not settings.has_prometheus:
        log.warning("no source is configured: set MLFLOW_DB_HOST and PROMETHEUS_URL in .env.live-dashboards; the picture is simulated")
    from live_dashboards.sources.connector import LiveDataConnector

    return LiveDataConnector(settings).fetch(at=request.at)


def unasked(settings: Settings, request: Request) -> Snapshot:
    """A snapshot for which no source was asked."""
    now = datetime.now(UTC)
    mlflow, prometheus = (SourceStatus(source, SourceState.NOT_ASKED, "not asked (--simulate)") for source in (MLFLOW, PROMETHEUS))
    return Snapshot(request.at or now, settings.window_seconds, MlflowAnswer(mlflow), PrometheusAnswer(prometheus), now, is_now=request.at is None)


def ab_report(snapshot: Snapshot, settings: Settings, request: Request) -> AbReport:
    """The report; what is missing is simulated or marked, as was asked."""
    from live_dashboards.analysis.ab_report import build_ab_report
    from live_dashboards.analysis.variants import PREFERRED_CHALLENGER, roles
    from live_dashboards.sources.simulated import simulate

    found = roles(snapshot.mlflow, snapshot.prometheus, settings)
    challenger = found.challenger or (PREFERRED_CHALLENGER if found.baseline != PREFERRED_CHALLENGER else "challenger")
    stand_in = (
        simulate(at=snapshot.at, window_seconds=snapshot.window_seconds, seed=request.seed, baseline=found.baseline, challenger=challenger)
        if request.on_missing == "simulate"
        else None
    )
    return build_ab_report(snapshot, stand_in, settings)


def write(report: AbReport, settings: Settings, request: Request) -> Outcome:
    """Draws the report and writes image, summary and sidecars."""
    from live_dashboards.figures.dashboard import _create_dashboard_panels
    from live_dashboards.outputs.default_names import default_image_path
    from live_dashboards.outputs.image import write_image
    from live_dashboards.outputs.summary import summary_text, write_summary

    image = request.output or default_image_path(settings.output_folder, report)
    figure = _create_dashboard_panels(report, size_inches=request.size_inches, dpi=request.dpi)
    write_image(figure, image, dpi=request.dpi, report=report)
    text = summary_text(report)
    if request.summary != "-":
        write_summary(text, Path(request.summary) if request.summary else image.with_suffix(".json"))
    if request.sidecars:
        from live_dashboards.outputs.sidecars import write_sidecars

        write_sidecars(report, image)
    return Outcome(image, text if request.summary == "-" else None, report, is_enough(report, request.require))


def connection_checks(settings: Settings, at: datetime | None) -> Iterator[Check]:
    """Every check of both sources, as they end, and whether the two name the same variants."""
    from live_dashboards.sources.mlflow_checks import mlflow_checks
    from live_dashboards.sources.prometheus_checks import prometheus_checks

    moment = at or datetime.now(UTC)
    yield from mlflow_checks(settings, moment)
    yield from prometheus_checks(settings, moment)
    if settings.has_mlflow and settings.has_prometheus:
        yield _variants_match(settings, moment)


def _variants_match(settings: Settings, at: datetime) -> Check:
    """Whether Prometheus' models are variants of the chosen experiment."""
    from live_dashboards.analysis.variants import matches
    from live_dashboards.sources.connector import LiveDataConnector

    name = "variants in both sources"
    try:
        snapshot = LiveDataConnector(settings).fetch(at=at)
    except UsageError as error:
        return Check(name, CheckState.FAILED, str(error), code="unknown_experiment")
    if not (snapshot.mlflow.status.has_answered and snapshot.prometheus.status.has_answered):
        return Check(name, CheckState.SKIPPED, "one source has no A/B data to compare", code="no_data")
    both, only_mlflow, only_prometheus = matches(snapshot.mlflow, snapshot.prometheus, settings)
    if not both:
        found = f"no variant is in both: MLflow has {', '.join(only_mlflow)}; Prometheus has {', '.join(only_prometheus)}"
        return Check(name, CheckState.FAILED, found, "name the same models with AB_VARIANT_ALIASES=prometheus-name=variant", "no_match")
    rest = [f"only in {where}: {', '.join(names)}" for where, names in (("MLflow", only_mlflow), ("Prometheus", only_prometheus)) if names]
    fix = "map the names with AB_VARIANT_ALIASES if they are the same model" if rest else ""
    return Check(name, CheckState.WARNING if rest else CheckState.OK, "; ".join((f"{', '.join(both)} in both", *rest)), fix, "partial_match" if rest else "")


def is_enough(report: AbReport, require: str) -> bool:
    """Whether the badge is as live as was required: `live` is LIVE DATA with nothing stale, `partial` anything but simulated."""
    if require == "live":
        return report.badge.kind is BadgeKind.LIVE and not report.has_stale
    return require == "any" or report.badge.kind is not BadgeKind.SIMULATED
