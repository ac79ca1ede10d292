"""When another model began to serve under a variant's old name: a finished run or a registered version that
is newer than the start of the test, or another version in the labels of the variant's series.

Which model serves is told by labels alone; a run that was never deployed cannot be told from one that was, so
each counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from live_dashboards.analysis.facts.arms import request_blocks
from live_dashboards.analysis.facts.page import PageFacts
from live_dashboards.analysis.facts.period import block_begins, period_of
from live_dashboards.model.judgement import ModelChange
from live_dashboards.model.measurement import Origin
from live_dashboards.model.metrics import VERSION_LABELS
from live_dashboards.model.names import listed
from live_dashboards.model.snapshot import MLFLOW, PROMETHEUS, Accumulated, MlflowAnswer, ModelVersion, Run

# clocks of training machines differ, and a run may be closed after its model was deployed
_ABOUT = timedelta(minutes=15)
# what comes and goes within it, as a canary that is taken back, leaves the model as it was
_SHORT_SECONDS = 6 * 3600.0
_VALUES_SHOWN = 2

State = tuple[float, frozenset[str]]
"""Since when (unix seconds) a variant's series have these values of a label."""


def model_changes(page: PageFacts) -> tuple[ModelChange, ...]:
    """Of every variant, in the order of time, since the start of its test against the baseline; none on
    simulated data, or where the start is not known.
    """
    challengers = (name for name in page.roles.names if name != page.roles.baseline)
    pages = (replace(page, roles=replace(page.roles, challenger=name)) for name in challengers)
    return _in_order(change for each in pages for change in pair_changes(each))


def pair_changes(page: PageFacts) -> tuple[ModelChange, ...]:
    """The same of the page's challenger and its baseline alone."""
    period, counted = period_of(page, page.roles.challenger)
    if page.is_simulated or period.start is None or (counted is None and page.settings.start is None):
        return ()
    since = _first_evidence(page, counted, period.start)
    found = (
        change
        for variant in page.roles.pair
        for change in (*_of_mlflow(page, variant, since), *_of_labels(page, variant))
    )
    return _in_order(change for change in found if since < change.at <= page.at)


def _in_order(changes: Iterable[ModelChange]) -> tuple[ModelChange, ...]:
    return tuple(sorted(set(changes), key=lambda each: (each.at, each.variant, each.source, each.what)))


def _first_evidence(page: PageFacts, counted: Accumulated | None, start: datetime) -> datetime:
    """When the first block began in which both arms had requests: a model that came before has served from
    the beginning.
    """
    if counted is None:
        return start
    begins = block_begins(counted)
    arms = (request_blocks(page, counted, name) for name in page.roles.pair)
    both = set.intersection(*({end for end, n in arm.items() if n > 0} for arm in arms))
    first = min((begins.get(end, end) for end in both), default=start.timestamp())
    return max(start, datetime.fromtimestamp(first, UTC))


def _of_mlflow(page: PageFacts, variant: str, since: datetime) -> Iterator[ModelChange]:
    """Of each newer model once, at the later of its run's end and its first registration.

    A run counts by its end, whenever it began: before that there is no model to deploy.
    """
    answer = page.counted.mlflow
    if answer.origin is Origin.SIMULATED or not answer.status.has_answered:
        return
    finished = _finished(answer, variant)
    before = [run for run in finished if _end(run) <= since + _ABOUT]
    serving = before[-1:] or (finished[:1] if _knows_all(answer, variant, finished) else [])
    registered = _registered(answer)
    for run in answer.runs:
        versions = registered.get(run.run_id, ())
        if run.variant != variant or run in serving or not (run in finished or versions):
            continue
        moments = [each.created_at for each in versions[:1]] + ([_end(run)] if run in finished else [])
        if max(moments) > since + _ABOUT:
            yield ModelChange(variant, max(moments), _run_words(run, versions), MLFLOW)


def _finished(answer: MlflowAnswer, variant: str) -> list[Run]:
    """The variant's finished runs of their own, by their end."""
    runs = (
        run
        for run in answer.runs
        if run.variant == variant and run.status == "FINISHED" and not run.is_child and _ended(run)
    )
    return sorted(runs, key=_end)


def _knows_all(answer: MlflowAnswer, variant: str, finished: list[Run]) -> bool:
    """Whether older ones than these were not left out, so that the first one is known.

    A variant's first run is no other model: before it MLflow knows none, and it may be a late record of the
    one that serves.
    """
    count = sum(
        each.runs
        for each in answer.status_counts
        if (each.variant, each.status, each.is_child) == (variant, "FINISHED", False)
    )
    return count <= len(finished)


def _registered(answer: MlflowAnswer) -> Mapping[str, tuple[ModelVersion, ...]]:
    """The versions made from each run, the first one first."""
    found: dict[str, tuple[ModelVersion, ...]] = {}
    for version in sorted(answer.versions, key=lambda each: (each.created_at, each.version)):
        found[version.run_id] = (*found.get(version.run_id, ()), version)
    return found


def _ended(run: Run) -> datetime | None:
    return run.ended_at or run.started_at


def _end(run: Run) -> datetime:
    return run.ended_at or run.started_at or datetime.min.replace(tzinfo=UTC)


def _run_words(run: Run, versions: Iterable[ModelVersion]) -> str:
    names = [
        f"{each.name} v{each.version}{f' ({listed(each.aliases)})' if each.aliases else ''}"
        for each in versions
    ]
    return f"run {run.name}{f', registered as {listed(names, _VALUES_SHOWN)}' if names else ''}"


def _of_labels(page: PageFacts, variant: str) -> Iterator[ModelChange]:
    """What the labels of all models that are this variant tell, several at one moment as one change.

    A label that appears, or goes, tells nothing of the model before, or after.
    """
    told: dict[float, list[str]] = {}
    for label in VERSION_LABELS:
        for (_, old), (seconds, new) in pairwise(_settled(_states(page, variant, label))):
            told.setdefault(seconds, []).append(f"{label} {_listed(old)} → {_listed(new)}")
    for seconds, words in sorted(told.items()):
        yield ModelChange(variant, datetime.fromtimestamp(seconds, UTC), ", ".join(words), PROMETHEUS)


def _states(page: PageFacts, variant: str, label: str) -> list[State]:
    """The label's values at each moment at which there are any, where they differ from those before."""
    seen: dict[float, set[str]] = {}
    for series in page.counted.prometheus.versions.series:
        if page.roles.by_model.get(series.label("model_name")) == variant and series.label(label):
            for seconds, count in series.points:
                if count:
                    seen.setdefault(seconds, set()).add(series.label(label))
    return _apart((seconds, frozenset(values)) for seconds, values in sorted(seen.items()))


def _apart(states: Iterable[State]) -> list[State]:
    """Without those that are as the one before."""
    found: list[State] = []
    for state in states:
        if not found or state[1] != found[-1][1]:
            found.append(state)
    return found


def _settled(states: Sequence[State]) -> list[State]:
    """Without what is on the way: both versions at once while one replaces the other, and what comes and goes
    within hours.
    """
    found, index = [*states], 1
    while index < len(found) - 1:
        if not _is_on_the_way(*found[index - 1 : index + 2]):
            index += 1
            continue
        before, after = found[index - 1], found[index + 1]
        found[index : index + 2] = [] if before[1] == after[1] else [after]
        index = max(1, index - 1)
    return found


def _is_on_the_way(before: State, state: State, after: State) -> bool:
    (_, old), (since, values), (until, new) = before, state, after
    return until - since < _SHORT_SECONDS if old == new else values == old | new


def _listed(values: Iterable[str]) -> str:
    return listed(sorted(values), _VALUES_SHOWN)
