"""Reports for the files that are made of them."""

from __future__ import annotations

from dataclasses import replace

from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.model.report import AbReport
from live_dashboards.model.snapshot import Snapshot
from tests.support import snapshots
from tests.support.sliced import instances, sliced


def report(snapshot: Snapshot, *, on_missing: str = "simulate", **settings: str) -> AbReport:
    stand_in = snapshots.stand_in(window_seconds=snapshot.window_seconds) if on_missing == "simulate" else None
    return build_ab_report(snapshot, stand_in, snapshots.settings(**settings))


def live_report(**settings: str) -> AbReport:
    return report(snapshots.live(), **settings)


def simulated_report() -> AbReport:
    return report(snapshots.without_mlflow(snapshots.without_prometheus(snapshots.live())))


def every_kind() -> dict[str, AbReport]:
    """One report for each badge, with panels simulated and marked, and one of a window without anything."""
    live = snapshots.live()
    no_mlflow, no_prometheus = snapshots.without_mlflow(live), snapshots.without_prometheus(live)
    neither = snapshots.without_mlflow(no_prometheus)
    return {
        "live": report(live),
        "live with a split": report(live, AB_TRAFFIC_SPLIT="baseline=70,enhanced=30", AB_START="2026-11-01T00:00:00Z"),
        "prometheus only": report(no_mlflow),
        "prometheus only, marked": report(no_mlflow, on_missing="mark"),
        "mlflow only": report(no_prometheus),
        "mlflow only, marked": report(no_prometheus, on_missing="mark"),
        "simulated": report(neither),
        "nothing, marked": report(neither, on_missing="mark"),
        "week": report(replace(live, window_seconds=7 * 86_400.0)),
        "by instance": report(sliced(instances(faulty=0.1), "instance"), AB_SLICE_LABEL="instance"),
        "by a label that was not asked": report(live, AB_SLICE_LABEL="region"),
    }
