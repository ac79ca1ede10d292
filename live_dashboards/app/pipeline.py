"""The data's path: sources → snapshot → report → figure → files."""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from live_dashboards.app.endings import undivided
from live_dashboards.app.options import Request
from live_dashboards.app.writing import (
    ENDINGS,
    Compare,
    Outcome,
    check_output,
    named_images,
    path_beside,
    write,
)
from live_dashboards.errors import UsageError
from live_dashboards.model.dashboards import stamped_stem
from live_dashboards.model.moment import format_moment
from live_dashboards.model.notices import Check, CheckState
from live_dashboards.model.report import AbReport, BadgeKind, Report
from live_dashboards.model.snapshot import (
    MLFLOW,
    PROMETHEUS,
    MlflowAnswer,
    PrometheusAnswer,
    Snapshot,
    SourceState,
    SourceStatus,
)
from live_dashboards.settings import Settings

log = logging.getLogger(__name__)


AB, BUSINESS = "ab", "business"
DASHBOARDS = (AB, BUSINESS)


def run(dashboard: str, settings: Settings, request: Request) -> Outcome:
    """Draws one dashboard and writes it; raises DashboardError where it cannot."""
    check_output(request)
    compare = comparison(dashboard, request)
    snapshot = ask(settings, request)
    save(snapshot, request)
    tell_naming(snapshot, settings)
    load_drawing()
    page = report(dashboard, snapshot, settings, request)
    tell_switch(page, settings, request, named_images((dashboard,), request))
    return write(page, settings, request, compare)


def lock(dashboards: Sequence[str], settings: Settings, request: Request) -> AbstractContextManager[None]:
    """Holds what the run will write for itself; OutputLockedError where another run does."""
    from live_dashboards.outputs.output_folder import locked, named_output, stamped_output

    images = named_images(dashboards, request)
    if not images:
        return locked(
            (stamped_output(request.output or settings.output_folder, dashboard) for dashboard in dashboards),
            undivided,
        )
    return locked(map(named_output, images), undivided)


def outcomes(
    dashboards: Sequence[str], settings: Settings, request: Request, *, every_experiment: bool
) -> Iterator[Outcome]:
    """What the run writes, as it comes."""
    if len(dashboards) == 1:
        yield run(dashboards[0], settings, request)
    else:
        yield from run_all(settings, request, every_experiment=every_experiment)


_MOST_CHANGES_TOLD = 8


def comparison(dashboard: str, request: Request) -> Compare | None:
    """What adds `changes` to a summary's document; the earlier summary is read before anything is asked or
    overwritten.
    """
    if request.compare is None:
        return None
    from live_dashboards.outputs.changes import changes_document
    from live_dashboards.outputs.earlier_summary import read_previous

    previous, name = read_previous(request.compare, dashboard), request.compare.name
    if previous is None:
        log.warning("nothing to compare with yet: there is no %s", request.compare)

    def compare(document: dict[str, Any]) -> dict[str, Any]:
        found = changes_document(previous, document, name)
        words = [row["words"] for row in found["rows"]]
        for text in words[:_MOST_CHANGES_TOLD]:
            log.warning("changed: %s", text)
        if len(words) > _MOST_CHANGES_TOLD:
            log.warning("changed: %d more, in the summary", len(words) - _MOST_CHANGES_TOLD)
        return {**document, "changes": found}

    return compare


def run_all(settings: Settings, request: Request, *, every_experiment: bool) -> Iterator[Outcome]:
    """Both dashboards from one fetch, of the chosen experiment or of every A/B experiment that MLflow has.

    `request.output` is a folder, or an image's name from which the others are made.
    """
    if request.output is not None and request.output.suffix:
        check_output(request)
    snapshots = every_snapshot(settings, request) if every_experiment else iter([ask(settings, request)])
    for snapshot in snapshots:
        save(snapshot, request)
        load_drawing()
        own, ending = settings, ""
        if every_experiment and snapshot.mlflow.experiment is not None:
            own = replace(settings, values={**settings.values, "AB_EXPERIMENT": snapshot.mlflow.experiment})
            ending = f"_{file_name_part(snapshot.mlflow.experiment)}"
        tell_naming(snapshot, own)
        for dashboard in DASHBOARDS:
            page = report(dashboard, snapshot, own, request)
            if dashboard == AB and not every_experiment:
                tell_switch(page, own, request, named_images(DASHBOARDS, request))
            yield write(
                page,
                settings,
                replace(request, output=path_of_several(page, settings, request, ending)),
                experiment_part=ending,
            )


def every_snapshot(settings: Settings, request: Request) -> Iterator[Snapshot]:
    """A snapshot for each A/B experiment; UsageError where the sources are not to be asked."""
    if request.simulate_only or request.from_snapshot is not None or request.save_snapshot is not None:
        raise UsageError(
            "--all-experiments asks MLflow which there are; leave out --simulate, "
            "--from-snapshot and --save-snapshot"
        )
    from live_dashboards.sources.connector import LiveDataConnector

    return LiveDataConnector(settings).fetch_all(at=request.at)


def path_of_several(page: Report, settings: Settings, request: Request, ending: str) -> Path:
    """`output` as an image's name with the experiment's part, `-business` for that dashboard; else the
    default name in the folder.
    """
    if request.output is not None and request.output.suffix:
        return request.output.with_stem(f"{request.output.stem}{ENDINGS[page.dashboard]}{ending}")
    return (request.output or settings.output_folder) / f"{stamped_stem(page, ending)}.png"


def file_name_part(name: str) -> str:
    """The experiment's name as a part of a file's name: letters, digits, dots and dashes, and a checksum
    where that changed it or made it too long.
    """
    plain = re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-.")[:60]
    return (
        plain
        if plain == name and not plain.endswith("-SIMULATED")
        else f"{plain}-{zlib.crc32(name.encode('utf-8', 'surrogatepass')):08x}".lstrip("-")
    )


def load_drawing() -> None:
    """Imports numpy, matplotlib and what draws with them, undivided: a compiled module whose import is ended
    fails with another error, or aborts Python.
    """
    with undivided():
        import live_dashboards.draw.png.dashboard
        import live_dashboards.outputs.image  # noqa: F401 for the pictures to come


def save(snapshot: Snapshot, request: Request) -> None:
    """Stores the sources' answers where that was asked for."""
    if request.save_snapshot is not None:
        from live_dashboards.outputs.snapshot_files import save_snapshot

        save_snapshot(snapshot, request.save_snapshot)


def ask(settings: Settings, request: Request) -> Snapshot:
    """The sources' answers: asked now (the last good ones of a source that is down, where those are kept),
    read from a stored moment, or deliberately none.
    """
    if request.from_snapshot is not None:
        from live_dashboards.outputs.snapshot_files import load_snapshot

        return load_snapshot(request.from_snapshot)
    if request.simulate_only:
        return unasked(settings, request)
    tell_unconfigured(settings, request.on_missing)
    with undivided():  # compiled modules, see `load_drawing`
        from live_dashboards.sources.connector import LiveDataConnector

    if request.at is not None or settings["DASHBOARD_CACHE_DIR"] is None:
        return LiveDataConnector(settings).fetch(at=request.at)
    from live_dashboards.outputs.snapshot_files import LastGoodFile

    file = LastGoodFile(settings)
    return file.fill(LiveDataConnector(settings).fetch(known_test=file.kept.chosen))


def tell_unconfigured(settings: Settings, on_missing: str = "simulate") -> None:
    """Says in one line what to set where nothing is."""
    if not settings.has_mlflow and not settings.has_prometheus:
        log.warning(
            "no source is configured: set MLFLOW_DB_HOST and PROMETHEUS_URL (or MLFLOW_TRACKING_URI) in "
            ".env.live-dashboards; %s",
            "what you see is simulated" if on_missing == "simulate" else "there is nothing to show",
        )


def tell_naming(snapshot: Snapshot, settings: Settings) -> None:
    """Says in one line what to set where no variant has the baseline's name, or which one was taken."""
    from live_dashboards.model.variants import roles

    found = roles(snapshot.mlflow, snapshot.prometheus, settings)
    if found.lacks_baseline or found.told:
        log.warning("%s", found.no_baseline if found.lacks_baseline else found.told)


def tell_switch(page: Report, settings: Settings, request: Request, images: Sequence[Path]) -> None:
    """Says in one line that the run before was about another experiment, where nobody named one: by the
    summary that the images' replaces, else the newest in the folder.
    """
    is_now = request.at is None and request.from_snapshot is None
    is_told = is_now and not page.is_simulated and page.badge.kind is not BadgeKind.SIMULATED
    if not is_told or settings["AB_EXPERIMENT"] is not None or page.experiment is None:
        return
    from live_dashboards.outputs.earlier_summary import experiment_of
    from live_dashboards.outputs.output_folder import newest_summary

    path = (
        path_beside(images[0], ".json", request)
        if images
        else newest_summary(request.output or settings.output_folder, page.dashboard)
    )
    before = None if path is None else experiment_of(path)
    if before is not None and before != page.experiment:
        log.warning(
            "shown is experiment %r; the run before showed %r: AB_EXPERIMENT keeps to one",
            page.experiment,
            before,
        )


def unasked(settings: Settings, request: Request) -> Snapshot:
    """A snapshot for which no source was asked."""
    now = datetime.now(UTC)
    mlflow, prometheus = (
        SourceStatus(source, SourceState.NOT_ASKED, "not asked (--simulate)")
        for source in (MLFLOW, PROMETHEUS)
    )
    return Snapshot(
        request.at or now,
        settings.window_seconds,
        MlflowAnswer(mlflow),
        PrometheusAnswer(prometheus),
        now,
        is_now=request.at is None,
    )


def report(dashboard: str, snapshot: Snapshot, settings: Settings, request: Request) -> Report:
    """The page; what is missing is simulated or marked, as was asked."""
    stand_in = simulated(snapshot, settings, request) if request.on_missing == "simulate" else None
    if dashboard == AB:
        from live_dashboards.analysis.verdict.report import build_ab_report

        return build_ab_report(snapshot, stand_in, settings, seed=request.seed)
    from live_dashboards.analysis.business.report import absurd, build_business_report

    page = build_business_report(snapshot, stand_in, settings, seed=request.seed)
    for notice in absurd(page.case):
        log.warning("%s", notice)
    return page


def ab_report(snapshot: Snapshot, settings: Settings, request: Request) -> AbReport:
    """The A/B page."""
    page = report(AB, snapshot, settings, request)
    assert isinstance(page, AbReport)  # noqa: S101 for the type checker
    return page


def simulated(snapshot: Snapshot, settings: Settings, request: Request) -> Snapshot:
    """The seeded stand-in with the names that this page has."""
    from live_dashboards.model.variants import PREFERRED_CHALLENGER, roles
    from live_dashboards.sources.simulated import simulate

    found = roles(snapshot.mlflow, snapshot.prometheus, settings)
    challenger = found.challenger or (
        PREFERRED_CHALLENGER if found.baseline != PREFERRED_CHALLENGER else "challenger"
    )
    return simulate(
        at=snapshot.at,
        window_seconds=snapshot.window_seconds,
        seed=request.seed,
        baseline=found.baseline,
        challenger=challenger,
        events=tuple(each.name for each in settings.event_counters),
    )


def connection_checks(settings: Settings, at: datetime | None) -> Iterator[Check]:
    """Every check of both sources, as they end, and whether the two name the same variants."""
    from live_dashboards.sources.connector import LiveDataConnector
    from live_dashboards.sources.mlflow.check import mlflow_checks
    from live_dashboards.sources.prometheus.check import prometheus_checks

    moment, connector = at or datetime.now(UTC), LiveDataConnector(settings)
    yield from mlflow_checks(settings, moment, connector.preference(moment, settings.window_seconds))
    yield from prometheus_checks(
        settings, moment, connector.chosen_test(at=moment) if settings.has_prometheus else None
    )
    if settings.has_mlflow or settings.has_prometheus:
        yield from _together(settings, moment)


def _together(settings: Settings, at: datetime) -> Iterator[Check]:
    """Whether there is a baseline, whether Prometheus' models are variants of the chosen experiment, and
    whether the start of the test is known.
    """
    from live_dashboards.sources.connector import LiveDataConnector

    name = "variants in both sources"
    try:
        snapshot = LiveDataConnector(settings).fetch(at=at)
    except UsageError as error:
        yield Check(name, CheckState.FAILED, str(error), code="unknown_experiment")
        return
    yield _baseline_is_there(snapshot, settings)
    if not (settings.has_mlflow and settings.has_prometheus):
        return
    if not (snapshot.mlflow.status.has_answered and snapshot.prometheus.status.has_answered):
        yield Check(name, CheckState.SKIPPED, "one source has no A/B data to compare", code="no_data")
        return
    yield _variants_match(name, snapshot, settings)
    yield _start_is_known(snapshot, settings)


def _baseline_is_there(snapshot: Snapshot, settings: Settings) -> Check:
    from live_dashboards.model.variants import roles

    found, name = roles(snapshot.mlflow, snapshot.prometheus, settings), "baseline and challenger"
    if not found.found:
        return Check(name, CheckState.SKIPPED, "no variant to look at", code="no_data")
    if found.lacks_baseline:
        reason, _, fix = found.no_baseline.partition(": ")
        return Check(name, CheckState.FAILED, reason, fix, "no_baseline")
    if found.challenger is None:
        fix = "a comparison needs a second variant"
        return Check(name, CheckState.WARNING, f"{found.baseline} alone", fix, "no_challenger")
    told = f"; {found.told}" if found.told else ""
    return Check(name, CheckState.OK, f"{found.baseline} and {found.challenger}{told}")


def _start_is_known(snapshot: Snapshot, settings: Settings) -> Check:
    from live_dashboards.analysis.facts.page import page
    from live_dashboards.analysis.facts.period import period_of

    found = page(snapshot, None, settings)
    period, _ = period_of(found, found.roles.challenger)
    since = f"since {format_moment(period.start)}: " if period.start else ""
    if period.is_whole:
        return Check("start of the test", CheckState.OK, f"{since}{period.reason}")
    return Check(
        "start of the test",
        CheckState.WARNING,
        f"{since}{period.reason}",
        "there is no verdict until this is mended",
        "unknown_start",
    )


def _variants_match(name: str, snapshot: Snapshot, settings: Settings) -> Check:
    from live_dashboards.model.variants import matches

    both, only_mlflow, only_prometheus = matches(snapshot.mlflow, snapshot.prometheus, settings)
    if not both:
        return Check(
            name,
            CheckState.FAILED,
            f"no variant is in both: MLflow has {', '.join(only_mlflow)}; Prometheus has "
            f"{', '.join(only_prometheus)}",
            "name the same models with AB_VARIANT_ALIASES=prometheus-name=variant",
            "no_match",
        )
    rest = [
        f"only in {where}: {', '.join(names)}"
        for where, names in (("MLflow", only_mlflow), ("Prometheus", only_prometheus))
        if names
    ]
    fix = "map the names with AB_VARIANT_ALIASES if they are the same model" if rest else ""
    return Check(
        name,
        CheckState.WARNING if rest else CheckState.OK,
        "; ".join((f"{', '.join(both)} in both", *rest)),
        fix,
        "partial_match" if rest else "",
    )
