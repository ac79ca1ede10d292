"""What the sources answered at one moment: frozen, printable as JSON, everything after it is pure.

Absence is a value (a reason beside an empty answer); names of models are kept as the sources spell them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from live_dashboards.model.measurement import Origin
from live_dashboards.model.metrics import BEST
from live_dashboards.model.moment import format_second, is_on_calendar
from live_dashboards.model.names import escaped, short

MLFLOW = "mlflow"
PROMETHEUS = "prometheus"
COUNTS = frozenset(
    {
        *("requests", "requests_24h", "labelled", "correct", "latency_sum", "latency_count"),
        *("latency_buckets", "latency_within", "latency_within_far"),
    }
)
"""The totals that count requests; others count what happened to some of them: `errors`, and the events of
guardrails of one's own under their names.
"""
_CLOCK_LIMIT_SECONDS = 60.0


class SourceState(StrEnum):
    """How asking a source ended."""

    ANSWERED = "answered"
    CACHED = "cached"
    NO_AB_DATA = "no_ab_data"
    FAILED = "failed"
    NOT_CONFIGURED = "not_configured"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How asking one source ended: `reason` and `fix` where it gave nothing, `warnings` where its answer is
    partial or odd.

    `failures` name the questions that failed though the source answered others: what they were to tell is
    missing. `is_partial`: it says that answers lack what some store behind it holds, so that counts are at
    least what they seem. `counted_twice`: why it counts the same requests more than once, empty where not.

    `answered_at` is the moment of its last good answer where it gives none now: CACHED shows that answer, any
    other state means that it is too old. `instead_of` names what was to answer where its backup did.
    `duration_seconds` and `clock_difference_seconds` (source minus this machine) go to the JSON and the log,
    never into the picture.
    """

    source: str
    state: SourceState
    reason: str | None = None
    fix: str | None = None
    warnings: tuple[str, ...] = ()
    version: str | None = None
    address: str | None = None
    duration_seconds: float = 0.0
    clock_difference_seconds: float | None = None
    answered_at: datetime | None = None
    instead_of: str | None = None
    failures: tuple[str, ...] = ()
    is_partial: bool = False
    counted_twice: str = ""

    @property
    def has_answered(self) -> bool:
        """Whether its A/B data can be used, be it from now or from an earlier answer."""
        return self.state in {SourceState.ANSWERED, SourceState.CACHED}

    @property
    def clock_warning(self) -> str | None:
        """How far its clock is from this machine's, where ages and windows up to now suffer from it."""
        seconds = self.clock_difference_seconds
        if seconds is None or abs(seconds) < _CLOCK_LIMIT_SECONDS or self.state is SourceState.CACHED:
            return None
        side = "ahead of" if seconds > 0 else "behind"
        return (
            f"its clock is {abs(seconds):.0f} s {side} this machine's, by which ages are told; "
            "synchronise both (NTP)"
        )


@dataclass(frozen=True, slots=True, repr=False)
class Timeline:
    """One series: its labels and its (unix seconds, value) points in time order; a gap is a None. An instant
    answer has one point.
    """

    labels: tuple[tuple[str, str], ...]
    points: tuple[tuple[float, float | None], ...]

    def __repr__(self) -> str:
        return short("Timeline", self.label_words, f"{_counted(len(self.points), 'point')}{_last(self)}")

    def label(self, name: str) -> str:
        """The label's value, empty where it is not there."""
        return dict(self.labels).get(name, "")

    @property
    def label_words(self) -> str:
        """Its labels as Prometheus writes them, on one line."""
        return escaped(", ".join(f'{name}="{value}"' for name, value in self.labels))

    @property
    def last(self) -> float | None:
        """The value of its last point."""
        return self.points[-1][1] if self.points else None

    @property
    def newest(self) -> tuple[float, float] | None:
        """Its last point with a value."""
        return next(((at, value) for at, value in reversed(self.points) if value is not None), None)


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What came back on one named question: its text, the unit of its values, its series, or the reason why
    there are none; `note` tells a choice that was made.

    `most` holds, for each series whose value is only the least that it can be, the greatest. `of_models` are
    notes on one model alone, by its name; of those in `assumed` a 0 is taken on trust.
    """

    name: str
    query: str
    unit: str
    series: tuple[Timeline, ...] = ()
    reason: str | None = None
    step_seconds: float | None = None
    note: str = ""
    most: tuple[Timeline, ...] = ()
    of_models: tuple[tuple[str, str], ...] = ()
    assumed: tuple[str, ...] = ()

    def __repr__(self) -> str:
        what = f"{len(self.series)} series" if self.series else f"no series, {self.reason or 'nothing found'}"
        newest = max((series.newest for series in self.series if series.newest), default=None)
        return short("Answer", self.name, f"{what}{_unit(self.unit)}{_moment(newest)}")

    @property
    def notes(self) -> str:
        """The note with those on single models."""
        return "; ".join(filter(None, (self.note, *(f"{model}: {text}" for model, text in self.of_models))))


@dataclass(frozen=True, slots=True)
class Slices:
    """The blocks of what was counted since one moment, by model and by the values of one label: those with
    the most traffic first, of `values_count` in all; where there are more, the rest is what the totals hold
    beyond them.

    The value of series without the label is empty. `blocks` are those of `Accumulated` that a gate is judged
    by, each series with its model and its value. Without values there is the `reason`.
    """

    label: str
    values: tuple[str, ...] = ()
    values_count: int = 0
    blocks: tuple[Answer, ...] = ()
    reason: str = ""

    def block(self, name: str) -> Answer:
        """The growth by block, or an empty answer that says it was not asked."""
        return _named(self.blocks, name)


@dataclass(frozen=True, slots=True)
class Accumulated:
    """What was counted since one moment (unix seconds), whole and by blocks of equal length from that moment
    on; a block's time is its end.

    Totals and blocks are named `requests`, `errors`, `latency_sum` (seconds), `latency_count`,
    `latency_within` (not slower than `edge_seconds`, the bucket edge nearest to the objective), `labelled`
    and `correct`, those of further guardrails as these are; where an exponential bucket holds the objective,
    `latency_within_far` is what is not slower than its other end, `far_edge_seconds`. `is_remembered`: the
    server holds samples from before that moment, so nothing since then is forgotten; else `lack` says why not
    and what to do, where the source knows more than that. `slices` are there where AB_SLICE_LABEL is set.
    """

    start_seconds: float
    is_remembered: bool
    totals: tuple[Answer, ...] = ()
    blocks: tuple[Answer, ...] = ()
    edge_seconds: float | None = None
    far_edge_seconds: float | None = None
    lack: str = ""
    slices: Slices | None = None

    def total(self, name: str) -> Answer:
        """The growth since the moment, or an empty answer that says it was not asked."""
        return _named(self.totals, name)

    def block(self, name: str) -> Answer:
        """The growth by block, or an empty answer that says it was not asked."""
        return _named(self.blocks, name)


@dataclass(frozen=True, slots=True, repr=False)
class PrometheusAnswer:
    """Instant answers (totals of the window, gauges, newest samples) and timelines, each by name.

    Instant names: `requests`, `requests_24h`, `errors`, `latency_sum`, `latency_count`, `latency_buckets`,
    `online_accuracy`, `business_impact`, `labelled`, `correct`, those of further guardrails, and
    `newest_<name>` with the unix time of the newest sample behind it. `timelines` hold the entries of
    AB_QUERIES. `blocks` hold what `requests`, `errors`, `latency_sum` and `latency_count` grew by in each
    block of the window; a point's time is the block's end. `experiments` are the values of the label
    `experiment`; `experiment_filter` is the test whose series were asked for, None where all series count:
    `added_experiments` are then those of the requests that were counted.
    `first_traffic` is the unix time of the first sample with traffic, by model name; of `inexact_starts` it
    may be earlier. `accumulated` is what was counted since each moment at which the test may have begun;
    `retention_seconds` how long the server keeps samples, None where it does not tell. `versions` are the
    instances by model name and by what tells their model (VERSION_LABELS) at the edges of the blocks since
    the earliest of these moments; none where no series has such a label. `restarts` are how many instances
    of each model were started anew in each block since then; a point's time is the block's end.
    """

    status: SourceStatus
    origin: Origin = Origin.LIVE
    experiments: tuple[str, ...] = ()
    experiment_filter: str | None = None
    added_experiments: tuple[str, ...] = ()
    instants: tuple[Answer, ...] = ()
    timelines: tuple[Answer, ...] = ()
    first_traffic: tuple[tuple[str, float], ...] = ()
    blocks: tuple[Answer, ...] = ()
    accumulated: tuple[Accumulated, ...] = ()
    retention_seconds: float | None = None
    inexact_starts: tuple[str, ...] = ()
    versions: Answer = Answer("model_versions", "", "", reason="not asked")
    restarts: Answer = Answer("restarts", "", "", reason="not asked")

    def __repr__(self) -> str:
        found = f"{_counted(len(self.instants), 'total')}, {_counted(len(self.timelines), 'timeline')}"
        return short("PrometheusAnswer", self.status.state, self.status.reason or found)

    def instant(self, name: str) -> Answer:
        """The instant answer of that name, or an empty one that says it was not asked."""
        return _named(self.instants, name)

    def timeline(self, name: str) -> Answer:
        """The timeline of that name, or an empty one that says it was not asked."""
        return _named(self.timelines, name)

    def block(self, name: str) -> Answer:
        """What that total grew by in each block, or an empty answer that says it was not asked."""
        return _named(self.blocks, name)


def _named(answers: tuple[Answer, ...], name: str) -> Answer:
    return next(
        (answer for answer in answers if answer.name == name), Answer(name, "", "", reason="not asked")
    )


@dataclass(frozen=True, slots=True)
class Experiment:
    """An active MLflow experiment that has variants, with its newest activity and its active runs counted by
    variant.

    `is_active`: a run of it started, ended or logged a metric within the window before the moment.
    """

    experiment_id: int
    name: str
    workspace: str
    variants: tuple[tuple[str, int], ...]
    last_activity_at: datetime | None
    is_active: bool = False

    @property
    def is_ab_test(self) -> bool:
        """Whether its active runs carry two or more variants."""
        return len(self.variants) >= 2


@dataclass(frozen=True, slots=True)
class ChosenTest:
    """The experiment that is looked at, and the variants of its runs; none where they are not known."""

    name: str
    variants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """An active run of the chosen experiment; `last_sign_at` is its newest metric, `accuracy` its latest
    finite value as logged.
    """

    run_id: str
    name: str
    variant: str | None
    status: str
    started_at: datetime | None
    ended_at: datetime | None
    is_child: bool = False
    last_sign_at: datetime | None = None
    accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class VariantValue:
    """The latest value (as logged) of one metric for one variant, from the run that design's rule chooses,
    and that run's test count text; `test_count_key` is what that was logged under, and `example_count` what
    stands beside one of another key. Its point is that of `step`; where the newest point in time is another
    than that of the greatest step, `other_point` is the value of the one that does not count. Of a search,
    `siblings` is how many of its trials have the metric, and `search` names the parent run whose best value
    this is, where that logs it: the run is then the trial that has it, the parent itself where none has.
    `model_id` is the LoggedModel of which a run measured it that measured several.

    Beside a precision or recall stand the hits and misses that the same run logs, as logged; None where it
    logs none.
    """

    variant: str
    metric: str
    key: str
    value: float
    observed_at: datetime | None
    run_id: str
    run_name: str
    run_status: str
    is_child: bool
    started_at: datetime | None
    test_count: str | None = None
    example_count: str | None = None
    true_positives: float | None = None
    false_positives: float | None = None
    false_negatives: float | None = None
    test_count_key: str | None = None
    step: int = 0
    siblings: int = 1
    other_point: float | None = None
    model_id: str | None = None
    search: str | None = None

    @property
    def is_of_search(self) -> bool:
        """Whether it is that of a trial, or what a search found best: runs on their own count before it."""
        return self.is_child or self.search is not None


def search_words(value: VariantValue, *, is_direction_known: bool = True) -> str:
    """What a value of a search is: the best of many trials, better than it will be on new rows; the highest
    where nobody said which way is better.
    """
    which = "best" if is_direction_known else "highest"
    many = f"the {which} of {value.siblings} child runs of a search"
    if value.search is None:
        return many if value.siblings > 1 else "from a child run"
    trials = f"the {which} of a search" if value.siblings < 2 else many
    own = f", that of {escaped(value.run_name)}" if value.is_child else ""
    return f"{escaped(f'{BEST}{value.key}')} of {escaped(value.search)}, {trials}{own}"


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many active runs of the chosen experiment have this variant and status."""

    variant: str | None
    status: str
    is_child: bool
    runs: int


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A registered model version made from a run of the chosen experiment."""

    name: str
    version: int
    created_at: datetime
    run_id: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class MlflowAnswer:
    """What MLflow holds on the chosen experiment; values are as logged, `value_ranges` holds (metric, lowest,
    highest) of all its active runs.

    `history` is the logged accuracy by variant over the window, averaged per time step. `queries` maps each
    question's name to the SQL or the requests that were sent.
    `variant_ways` are (variant, where it was read) of the experiment's variants: `param:model_variant`.
    `known_experiments` are the names of all active experiments, `logged_keys` what the runs log where an
    accuracy is missing.
    """

    status: SourceStatus
    origin: Origin = Origin.LIVE
    experiment: str | None = None
    experiments: tuple[Experiment, ...] = ()
    known_experiments: tuple[str, ...] = ()
    status_counts: tuple[StatusCount, ...] = ()
    runs: tuple[Run, ...] = ()
    values: tuple[VariantValue, ...] = ()
    value_ranges: tuple[tuple[str, float, float], ...] = ()
    history: Answer = Answer("accuracy_history", "", "", reason="not asked")
    versions: tuple[ModelVersion, ...] = ()
    newest_at: datetime | None = None
    queries: tuple[tuple[str, str], ...] = ()
    logged_keys: tuple[str, ...] = ()
    variant_ways: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        found = f"{self.experiment}, {_counted(len(self.runs), 'run')}, {_counted(len(self.values), 'value')}"
        return short("MlflowAnswer", self.status.state, self.status.reason or found)

    @property
    def chosen(self) -> ChosenTest | None:
        """The experiment of this answer with its variants."""
        if self.experiment is None:
            return None
        found = next((each for each in self.experiments if each.name == self.experiment), None)
        return ChosenTest(self.experiment, tuple(name for name, _ in found.variants) if found else ())

    def query(self, name: str) -> str:
        """What was asked for that question."""
        return dict(self.queries).get(name, "")


@dataclass(frozen=True, slots=True, repr=False)
class Snapshot:
    """Both sources' answers for one moment and window; `is_now` says that the moment was not chosen with
    --at.
    """

    at: datetime
    window_seconds: float
    mlflow: MlflowAnswer
    prometheus: PrometheusAnswer
    generated_at: datetime
    is_now: bool = True
    schema_version: int = 1

    def __repr__(self) -> str:
        states = f"MLflow {self.mlflow.status.state}, Prometheus {self.prometheus.status.state}"
        return short("Snapshot", format_second(self.at), states)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _unit(unit: str) -> str:
    return f", {unit}" if unit else ""


def _last(series: Timeline) -> str:
    return "" if series.newest is None else f", last {series.newest[1]:g}{_moment(series.newest)}"


def _moment(point: tuple[float, float] | None) -> str:
    """The moment of a point to the second."""
    if point is None or not is_on_calendar(point[0]):
        return ""
    return f", at {format_second(datetime.fromtimestamp(point[0], UTC))}"
