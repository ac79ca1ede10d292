"""The active runs of experiments by MLflow's REST API, page by page: the first page of each, then more of
each in turn, as far as the time goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from live_dashboards.sources.mlflow.rest.failures import LateError
from live_dashboards.sources.mlflow.rest.pages import Pages
from live_dashboards.sources.mlflow.rest.parsing import metric_keys, run_row
from live_dashboards.sources.mlflow.rest.searches import runs_search
from live_dashboards.sources.mlflow.rows.records import RunRow
from live_dashboards.sources.mlflow.rows.wanted import Wanted

_RUN_PAGES = 20  # of all experiments together, after the first of each
_READ_EXPERIMENTS = 50
_COUNTED_KEYS = 2_000  # of each experiment, of which the check names a few
_SHARE_OF_RUNS = 0.65  # of the time, after which no page is waited for


@dataclass(slots=True)
class _RunsOfOne:
    """What was read so far of one experiment's active runs; `token` is that of the next page, empty of the
    first, None where there is none.
    """

    experiment_id: int
    runs: list[RunRow] = field(default_factory=list)
    token: str | None = ""
    keys: Counter[str] = field(default_factory=Counter)

    def count(self, keys: Iterable[str]) -> None:
        """Adds the keys that a page's runs log."""
        for key in keys:
            if key in self.keys or len(self.keys) < _COUNTED_KEYS:
                self.keys[key] += 1

    @property
    def is_begun(self) -> bool:
        """Whether the first page is read."""
        return self.token != ""


class RestRuns:
    """Keeps what was read."""

    def __init__(self, pages: Pages, wanted: Wanted) -> None:
        self._pages, self._wanted = pages, wanted
        self._runs: dict[int, _RunsOfOne] = {}

    def recent(self, experiment_ids: Sequence[int]) -> Sequence[RunRow]:
        """The first page of each experiment, in this order."""
        begun = self._begun(experiment_ids[:_READ_EXPERIMENTS])
        count = sum(each.is_begun for each in begun)
        self._pages.cut(
            when=count < len(experiment_ids),
            what=f"the runs of the newest {count} of {len(experiment_ids)} experiments",
        )
        return [run for each in begun for run in each.runs]

    def all(self, experiment_ids: Iterable[int]) -> Sequence[RunRow]:
        """All of them, as far as the pages reach; the newest of each come before older ones of any."""
        begun = self._begun(sorted(experiment_ids, reverse=True))
        for _ in range(_RUN_PAGES):
            waiting = [each for each in begun if each.token]
            if not waiting or not self._continue_in_time(min(waiting, key=lambda each: len(each.runs))):
                break
        is_unread = any(each.token is not None for each in begun)
        self._pages.cut(when=is_unread, what=f"the newest {sum(len(each.runs) for each in begun)} runs")
        return [run for each in begun for run in each.runs]

    def metric_keys(self, experiment_ids: Iterable[int]) -> Mapping[str, int]:
        """How many of the runs that were read log each key."""
        return sum((self._runs[each].keys for each in experiment_ids if each in self._runs), Counter())

    def _begun(self, experiment_ids: Iterable[int]) -> list[_RunsOfOne]:
        """The first page of each experiment: the very first at any cost, as there is nothing without it,
        others in time.
        """
        found = [self._runs.setdefault(each, _RunsOfOne(each)) for each in experiment_ids]
        for each in found:
            if each.is_begun:
                continue
            if not any(other.is_begun for other in self._runs.values()):
                self._continue(each)
            elif not self._continue_in_time(each):
                break
        return found

    def _continue_in_time(self, reading: _RunsOfOne) -> bool:
        """Whether the next page came before the share of the time was over."""
        try:
            with self._pages.client.limited(_SHARE_OF_RUNS):
                self._continue(reading)
        except LateError:
            return False
        return True

    def _continue(self, reading: _RunsOfOne) -> None:
        search = runs_search([reading.experiment_id], "", deleted_too=False)
        page, token = self._pages.one(
            "runs/search",
            search,
            "runs",
            lambda each: (run_row(each, self._wanted), metric_keys(each)),
            reading.token or "",
        )
        own = [run for run, _ in page if run.experiment_id == reading.experiment_id]
        reading.count(key for _, keys in page for key in keys)
        self._pages.odd(
            when=len(own) < len(page),
            what="runs of another experiment than it was asked for, which are left out",
        )
        # pages are cut by place, so a run that began meanwhile moves others to the next one
        known = {run.run_id for run in reading.runs}
        reading.runs.extend(run for run in own if run.run_id not in known)
        reading.token = token or None
