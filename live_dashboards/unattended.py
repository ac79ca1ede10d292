"""What follows the pictures of a run that nobody watches: older ones are removed, and the log gets one line."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from live_dashboards.model.business_report import dashboard_name
from live_dashboards.request import Request
from live_dashboards.writing import Outcome

log = logging.getLogger(__name__)


def finish(written: Sequence[Outcome], request: Request, seconds: float) -> None:
    """Removes what is not to be kept, where all pictures are as live as was required, and tells the run in one line: a warning where something is wrong."""
    if all(outcome.is_enough for outcome in written):
        keep(written, request)
    tell(written, request, seconds)


def keep(written: Sequence[Outcome], request: Request) -> None:
    """Removes older stamped pictures beyond --keep and --keep-days."""
    if request.keep is None and request.keep_days is None:
        return
    from live_dashboards.outputs.retention import Limits, remove_older

    for outcome in written:
        limits = Limits(request.keep, request.keep_days)
        removed = remove_older(outcome.image, dashboard_name(outcome.report), outcome.experiment_part, limits, datetime.now(UTC))
        if removed:
            log.info("removed %d older files, to %s", len(removed), removed[-1].name)


def tell(written: Sequence[Outcome], request: Request, seconds: float) -> None:
    """The run's one line."""
    from live_dashboards.outputs.run_line import Written, run_line

    line, is_wrong = run_line([Written(each.image, each.report, each.is_enough) for each in written], seconds, required=request.require)
    log.log(logging.WARNING if is_wrong else logging.INFO, "%s", line)
