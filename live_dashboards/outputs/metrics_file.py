"""One run as a file for node_exporter's textfile collector, in Prometheus' text format: also of a run that
failed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from live_dashboards.model.report import BadgeKind, Report
from live_dashboards.model.snapshot import SourceState
from live_dashboards.outputs.files import text_bytes, write_file

_PREFIX = "live_dashboards_run_"
_LAST_SUCCESS = "last_success_timestamp_seconds"
_HELP = {
    "last_timestamp_seconds": "When the last run ended, in unix time.",
    _LAST_SUCCESS: "When the last run ended whose files were written, as live as was required, in unix time.",
    "success": "1 where the files of the last run were written, as live as was required, else 0.",
    "duration_seconds": "How long the last run took.",
    "peak_memory_bytes": "The most memory that the last run held.",
    "badge": "1 for the badge of the last run's picture (the least live one of several), 0 for the others.",
    "values_live": "Values on the last run's pictures that the sources answered for their moment.",
    "values_shown": "Values on the last run's pictures.",
    "source_up": "1 where the source answered the last run, else 0.",
    "source_duration_seconds": "How long the source took in the last run.",
}
_LEAST_LIVE_LAST = (
    BadgeKind.LIVE,
    BadgeKind.OPERATIONAL,
    BadgeKind.MODEL,
    BadgeKind.CACHED,
    BadgeKind.SIMULATED,
)
_NOT_WANTED = frozenset({SourceState.NOT_CONFIGURED, SourceState.NOT_ASKED})
_UP = frozenset({SourceState.ANSWERED, SourceState.NO_AB_DATA})
_READABLE_BY_ALL = 0o644
_LONGEST_LABEL = 100
_SAMPLE = re.compile(
    rf'{_PREFIX}{_LAST_SUCCESS}{{dashboard="(ab|business)"(?:,experiment="((?:[^"\\\n]|\\.)*)")?}} '
    r"([0-9.]+)"
)

Sample = tuple[str, str, float]


@dataclass(frozen=True, slots=True)
class RunFacts:
    """How a run ended; `experiment` is the configured one, and `has_settings` tells whether that could be
    read. `reports` are of the pictures that were written.
    """

    dashboards: tuple[str, ...]
    experiment: str | None
    has_settings: bool
    ended_seconds: float
    duration_seconds: float
    peak_memory_bytes: int
    is_success: bool
    reports: tuple[Report, ...] = ()


def write_metrics(path: Path, run: RunFacts) -> None:
    """Replaces the file as a whole, readable by the collector; the moment of the last success stays in it."""
    text = metrics_text(run, _read(path))
    write_file(
        path, lambda stream: stream.write(text_bytes(text)), mode=_READABLE_BY_ALL, option="--metrics-file"
    )


def metrics_text(run: RunFacts, before: str = "") -> str:
    """The metrics, each once with its help; `before` is what the file held."""
    earlier = _SAMPLE.findall(before)
    label = _label(run.experiment) if run.has_settings else next((name for _, name, _ in earlier), "")
    last = {dashboard: float(seconds) for dashboard, name, seconds in earlier if name == label}
    samples = [
        sample
        for dashboard in run.dashboards
        for sample in _samples(dashboard, label, run, last.get(dashboard))
    ]
    return "".join(
        f"# HELP {_PREFIX}{name} {words}\n# TYPE {_PREFIX}{name} gauge\n" + _lines(name, samples)
        for name, words in _HELP.items()
        if _lines(name, samples)
    )


def _lines(name: str, samples: Sequence[Sample]) -> str:
    return "".join(
        f"{_PREFIX}{name}{{{labels}}} {value:.15g}\n" for own, labels, value in samples if own == name
    )


def _samples(dashboard: str, experiment: str, run: RunFacts, last_success: float | None) -> Iterator[Sample]:
    labels = f'dashboard="{dashboard}"' + (f',experiment="{experiment}"' if experiment else "")
    succeeded = round(run.ended_seconds, 3) if run.is_success else last_success
    yield "last_timestamp_seconds", labels, round(run.ended_seconds, 3)
    if succeeded is not None:
        yield _LAST_SUCCESS, labels, succeeded
    yield "success", labels, float(run.is_success)
    yield "duration_seconds", labels, round(run.duration_seconds, 3)
    yield "peak_memory_bytes", labels, float(run.peak_memory_bytes)
    yield from _of_pictures(labels, [report for report in run.reports if report.dashboard == dashboard])


def _of_pictures(labels: str, reports: Sequence[Report]) -> Iterator[Sample]:
    badges = [report.badge for report in reports]
    shown = max((badge.kind for badge in badges), key=_LEAST_LIVE_LAST.index, default=None)
    for kind in _LEAST_LIVE_LAST:
        yield "badge", f'{labels},badge="{kind.value}"', float(kind is shown)
    if not reports:
        return
    yield "values_live", labels, float(sum(badge.values_live for badge in badges))
    yield "values_shown", labels, float(sum(badge.values_total for badge in badges))
    statuses = [status for report in reports for status in report.sources if status.state not in _NOT_WANTED]
    for source in sorted({status.source for status in statuses}):
        own = [status for status in statuses if status.source == source]
        yield "source_up", f'{labels},source="{source}"', float(all(status.state in _UP for status in own))
        yield (
            "source_duration_seconds",
            f'{labels},source="{source}"',
            round(max(status.duration_seconds for status in own), 3),
        )


def _label(text: str | None) -> str:
    """The text as a label's value between its quotes."""
    whole = (text or "")[:_LONGEST_LABEL].encode("utf-8", "replace").decode("utf-8")
    return whole.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _read(path: Path) -> str:
    """What the file holds; nothing where it cannot be read."""
    try:
        return path.read_bytes()[:1_000_000].decode("utf-8", "replace")
    except OSError:
        return ""
