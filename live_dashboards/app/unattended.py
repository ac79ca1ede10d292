"""What goes with the pictures of a run that nobody watches: older ones are removed, somebody is notified, the
log gets one line and the monitoring a file.
"""

from __future__ import annotations

import contextlib
import logging
import resource
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from live_dashboards.app.endings import undivided
from live_dashboards.app.options import Request
from live_dashboards.app.writing import METRICS_FILE, Outcome
from live_dashboards.errors import OutputError, OutputLockedError, SharedOutputError
from live_dashboards.model.report import Report
from live_dashboards.outputs.run_line import Written, run_line
from live_dashboards.settings import Settings

log = logging.getLogger(__name__)


class RunUnderWay:
    """A run under way: its settings once they are read, what it wrote so far, whether that is all that was
    required, and why it could not be printed.
    """

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.settings: Settings | None = None
        self.reports: list[Report] = []
        self.is_success = False
        self.unprinted: OutputError | None = None

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return time.monotonic() - self.began


@contextlib.contextmanager
def recorded(metrics_file: Path | None, dashboards: tuple[str, ...]) -> Iterator[RunUnderWay]:
    """A run whose end is written to the metrics file, however it ends; not where another run has the output,
    and writes its own end, or another file is there.
    """
    run, is_ours = RunUnderWay(), True
    try:
        yield run
    except OutputLockedError:
        is_ours = False
        raise
    except SharedOutputError as error:
        is_ours = METRICS_FILE not in error.uses
        raise
    finally:
        if metrics_file is not None and is_ours:
            _write_metrics(metrics_file, dashboards, run)


def finish(written: Sequence[Outcome], settings: Settings, request: Request, run: RunUnderWay) -> None:
    """Removes what is not to be kept, where all pictures are as live as was required, notifies, and tells the
    run in one line: a warning where something is wrong.
    """
    if all(each.is_enough for each in written):
        keep(written, request)
    notify(written, settings, request)
    line, is_wrong = run_line(written, run.seconds, required=request.require)
    log.log(logging.WARNING if is_wrong else logging.INFO, "%s", line)


def keep(written: Sequence[Outcome], request: Request) -> None:
    """Removes older stamped pictures beyond --keep and --keep-days."""
    if request.keep is None and request.keep_days is None:
        return
    from live_dashboards.outputs.output_folder import Limits, remove_older

    for outcome in written:
        limits = Limits(request.keep, request.keep_days)
        removed = remove_older(
            outcome.image, outcome.report.dashboard, outcome.experiment_part, limits, datetime.now(UTC)
        )
        if removed:
            log.info("removed %d older files, to %s", len(removed), removed[-1].name)


def notify(pictures: Sequence[Written], settings: Settings, request: Request) -> None:
    """Posts what was written to DASHBOARD_NOTIFY_URL; a delivery that fails is told and costs nothing
    else.
    """
    if settings["DASHBOARD_NOTIFY_URL"] is None:
        return
    from live_dashboards.outputs.webhook import deliver, notice_text

    text = notice_text(
        pictures,
        required=request.require,
        public_url=settings["DASHBOARD_PUBLIC_URL"],
        folder=settings.output_folder,
    )
    failure = deliver(settings["DASHBOARD_NOTIFY_URL"].reveal(), text)
    if failure is not None:
        log.warning(
            "the notification was not confirmed: %s; the picture is written, check DASHBOARD_NOTIFY_URL",
            failure,
        )


def _write_metrics(path: Path, dashboards: tuple[str, ...], run: RunUnderWay) -> None:
    from live_dashboards.outputs.metrics_file import RunFacts, write_metrics

    facts = RunFacts(
        dashboards=dashboards,
        experiment=run.settings["AB_EXPERIMENT"] if run.settings else None,
        has_settings=run.settings is not None,
        ended_seconds=time.time(),
        duration_seconds=run.seconds,
        peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        is_success=run.is_success,
        reports=tuple(run.reports),
    )
    try:
        with undivided():
            write_metrics(path, facts)
    except OutputError as error:
        log.warning("no metrics were written: %s", error)
