"""The A/B test in Prometheus at one moment: totals and gauges, timelines, the age of what was found, and
since when there is traffic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from live_dashboards.errors import SourceError
from live_dashboards.model.metrics import EXPORTED
from live_dashboards.model.moment import format_duration, parse_duration_seconds
from live_dashboards.model.names import listed
from live_dashboards.model.notices import ADDED_TOGETHER, NAMED_AS, NOT_RECORDED, WHICH_COUNT
from live_dashboards.model.serving import ServingMetrics
from live_dashboards.model.snapshot import PROMETHEUS, PrometheusAnswer, SourceState, SourceStatus
from live_dashboards.settings import Settings
from live_dashboards.settings.serving import framework_presets
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.prometheus.client import Engine, PrometheusClient, engine_of
from live_dashboards.sources.prometheus.copies import find_copies
from live_dashboards.sources.prometheus.exchange import Ask, FailedQuestions, Failure, Question
from live_dashboards.sources.prometheus.failed_requests import EventsCounted, find_events
from live_dashboards.sources.prometheus.families import known_metrics
from live_dashboards.sources.prometheus.frameworks import recognised
from live_dashboards.sources.prometheus.names import Translator
from live_dashboards.sources.prometheus.native import FoundNative, NativeAsk, find_native
from live_dashboards.sources.prometheus.own_series import AskedTest
from live_dashboards.sources.prometheus.promql import REQUESTS_TOTAL, STEPS
from live_dashboards.sources.prometheus.reading import Reading, read_answers, warnings
from live_dashboards.sources.prometheus.recorded import find_recorded_scope
from live_dashboards.sources.prometheus.reply import Outcome, answered
from live_dashboards.sources.prometheus.scope import DAY_SECONDS, Scope, find_scope
from live_dashboards.sources.queries import EXPERIMENT_LABEL, LATENCY, REQUESTS

_RAW, _RECORDED = (
    (
        Question(f"label/{EXPERIMENT_LABEL}/values", {"match[]": requests}),
        Question("label/__name__/values", {"match[]": f'{{__name__=~"{names}"}}'}),
        Question("label/__name__/values", {"match[]": f'{requests}{{{EXPERIMENT_LABEL}=""}}', "start": "0"}),
    )
    for requests, names in (
        (REQUESTS, f"{EXPORTED.prefix}.+"),
        (STEPS[REQUESTS], f"experiment_.+:{EXPORTED.prefix}.+|{LATENCY}"),
    )
)
_SERVER = (Question("status/buildinfo", {}), Question("status/runtimeinfo", {}))


@dataclass(frozen=True, slots=True)
class Discovery:
    """What the server is and holds.

    The values of the label `experiment`, whether series without it may count, the metrics that begin with
    ab_test_, engine, retention, its clock minus ours.
    """

    experiments: tuple[str, ...]
    metric_names: tuple[str, ...]
    has_unlabelled: bool
    engine: Engine
    retention_seconds: float | None
    address: str
    clock_difference_seconds: float | None
    warnings: tuple[str, ...]
    duration_seconds: float


class PrometheusAbSource:
    """Reads the A/B test from the configured Prometheus; one object for one moment."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = PrometheusClient(settings)
        self._serving = settings.serving
        self._translator = (
            None if self._serving.is_own else Translator(self._serving, _guarded_alike(settings))
        )
        self._discovery: Discovery | None = None
        self.matchers = ""  # of the series that the last reading counted
        self.failures: tuple[Failure, ...] = ()  # of its questions

    def abort(self) -> None:
        """End the call under way in another thread."""
        self._client.abort()

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    @property
    def _lack(self) -> str:
        return "" if self._translator is None else self._translator.lack

    def ask_all(self, questions: list[Question], deadline: Deadline) -> tuple[Outcome, ...]:
        """The outcome of each question in the tool's own names."""

        def ask(several: list[Question]) -> tuple[Outcome, ...]:
            return self.ask_plainly(several, deadline)

        return ask(questions) if self._translator is None else self._translator.ask(ask, questions)

    def ask_plainly(self, questions: list[Question], deadline: Deadline) -> tuple[Outcome, ...]:
        """The outcome of each question as it stands."""
        return self._client.ask_all(questions, deadline)

    def words(self, text: str) -> str:
        """The sentence with the server's names of metrics."""
        return text if self._translator is None else self._translator.words(text)

    def discover(self, deadline: Deadline) -> Discovery:
        """Find the server that answers, and what it knows of experiments; SourceError where none answers."""
        before_seconds = deadline.elapsed_seconds
        hello = self._client.connect(deadline)
        experiments, names, unlabelled, build, runtime = self.ask_all(
            [*(_RECORDED if self._wants_recorded else _RAW), *_SERVER], deadline
        )
        self._discovery = Discovery(
            experiments=_names(experiments),
            metric_names=_names(names),
            # the instances' own series may have to be asked instead
            has_unlabelled=bool(_names(unlabelled)) or self._wants_recorded,
            engine=engine_of(build),
            retention_seconds=_retention_seconds(runtime),
            address=self._client.address,
            clock_difference_seconds=hello.clock_difference_seconds,
            warnings=warnings((hello, experiments, names, unlabelled)),
            duration_seconds=deadline.elapsed_seconds - before_seconds,
        )
        return self._discovery

    def read(
        self,
        *,
        at: datetime,
        window_seconds: float,
        experiment: str | None,
        deadline: Deadline,
        variants: tuple[str, ...] = (),
    ) -> PrometheusAnswer:
        """Everything of the window before the moment, of the named test (see `own_series`), whose variants
        MLflow told, or of all series where none is named.

        A question that fails becomes an answer with its reason; SourceError where the requests themselves
        cannot be asked.
        """
        try:
            test = AskedTest(experiment, variants, self._settings.aliases)
            answer = self._read(at.timestamp(), window_seconds, test, deadline)
            return answer if self._translator is None else self._translator.answer(answer)
        finally:
            self._client.close()

    def _read(
        self, at_seconds: float, window_seconds: float, test: AskedTest, deadline: Deadline
    ) -> PrometheusAnswer:
        """The same, in the tool's own names."""
        found = self._discovery or self.discover(deadline)
        before_seconds = deadline.elapsed_seconds
        asking = FailedQuestions(lambda questions: self.ask_all(questions, deadline))
        found, scope, lack = self._scope(
            asking.ask, found, at_seconds=at_seconds, window_seconds=window_seconds, test=test
        )
        scope = replace(scope, guarded=self._guarded(asking.ask, scope))
        self.matchers = scope.matchers
        histograms = self._histograms(asking.ask, found, scope)
        scope = replace(scope, native=histograms.native)
        ask = asking.ask if histograms.native is None else NativeAsk(asking.ask, histograms.native)
        copies = find_copies(ask, scope, self._settings)
        scope = replace(scope, copy_labels=copies.labels)
        reading = read_answers(ask, scope, self._settings)
        fix = None if scope.has_requests else _no_data_fix(asking.ask, self._serving)
        self.failures = asking.failures()
        failures = tuple(map(str, self.failures))
        told = (
            *failures,
            *lack,
            *found.warnings,
            *scope.warnings,
            *histograms.told,
            *copies.told,
            *reading.warnings,
            *_names_words(self._serving),
            *_experiment_warnings(scope),
        )
        seconds = found.duration_seconds + deadline.elapsed_seconds - before_seconds
        status = _status(found, scope, tuple(dict.fromkeys(told)), seconds, lack=self._lack, fix=fix)
        status = replace(status, failures=failures, is_partial=asking.is_partial, counted_twice=copies.twice)
        return _answer(found, scope, reading, status)

    def _guarded(self, ask: Ask, scope: Scope) -> tuple[tuple[str, EventsCounted], ...]:
        """How the events of guardrails of one's own are counted; no rule records them."""
        return find_events(
            ask,
            self._settings.event_counters,
            matchers=scope.matchers,
            at_seconds=scope.at_seconds,
            window_seconds=max(scope.window_seconds, DAY_SECONDS),
        )

    def _histograms(self, ask: Ask, found: Discovery, scope: Scope) -> FoundNative:
        """The native histograms of the response time; nothing more is asked where there is none."""
        if LATENCY not in found.metric_names:
            return FoundNative()
        return find_native(
            ask,
            scope.matchers,
            at_seconds=scope.at_seconds,
            span_seconds=max(scope.window_seconds, DAY_SECONDS),
            objective_seconds=float(self._settings["AB_LATENCY_OBJECTIVE_MS"]) / 1000,
        )

    @property
    def _wants_recorded(self) -> bool:
        return bool(self._settings["PROMETHEUS_RECORDED"] == "on")

    def _scope(
        self, ask: Ask, found: Discovery, *, at_seconds: float, window_seconds: float, test: AskedTest
    ) -> tuple[Discovery, Scope, tuple[str, ...]]:
        """What the questions are filled in with, and why recorded steps are not asked where they should
        be.
        """
        lack: tuple[str, ...] = ()
        if self._wants_recorded:
            scope = find_recorded_scope(
                ask,
                at_seconds=at_seconds,
                window_seconds=window_seconds,
                test=test,
                known=found.experiments,
                metric_names=found.metric_names,
                serving=self._serving,
            )
            if isinstance(scope, Scope):
                return found, scope, ()
            lack = (f"{NOT_RECORDED}: {scope}",)
            experiments, names, _ = ask(list(_RAW))
            found = replace(found, experiments=_names(experiments), metric_names=_names(names))
        scope = find_scope(
            ask,
            at_seconds=at_seconds,
            window_seconds=window_seconds,
            test=test,
            known=found.experiments,
            metric_names=found.metric_names,
            serving=self._serving,
        )
        return found, scope, lack


def _answer(found: Discovery, scope: Scope, reading: Reading, status: SourceStatus) -> PrometheusAnswer:
    return PrometheusAnswer(
        status=status,
        experiments=found.experiments,
        experiment_filter=scope.experiment,
        added_experiments=scope.experiments if scope.experiment is None else (),
        instants=reading.instants,
        timelines=reading.timelines,
        blocks=reading.blocks,
        first_traffic=reading.first_traffic,
        inexact_starts=reading.inexact_starts,
        accumulated=reading.accumulated,
        versions=reading.versions,
        restarts=reading.restarts,
        # the steps themselves tell from when on they are kept
        retention_seconds=None if scope.is_recorded else found.retention_seconds,
    )


def _guarded_alike(settings: Settings) -> tuple[str, ...]:
    """The counters of guardrails that tell the model as the requests do: those of the framework."""
    online = {settings["AB_ONLINE_LABELLED_METRIC"], settings["AB_ONLINE_CORRECT_METRIC"]}
    return tuple(
        each.metric
        for each in settings.event_counters
        if not each.metric.startswith(EXPORTED.prefix) and each.metric not in online
    )


def _names(outcome: Outcome) -> tuple[str, ...]:
    """The values of a label; where they cannot be told, no series can be left out: one experiment's page
    would show the traffic of all.
    """
    return tuple(sorted(answered(outcome).names))


def _retention_seconds(runtime: Outcome) -> float | None:
    """Of `15d` or `15d or 50GB`; None where the server limits only the size, or tells nothing."""
    facts = None if isinstance(runtime, SourceError) else runtime.facts
    try:
        return parse_duration_seconds((facts or {}).get("storageRetention", "").partition(" or ")[0])
    except ValueError:
        return None


def _known_words(found: Discovery, serving: ServingMetrics) -> str:
    known = found.metric_names if serving.is_own else known_metrics(serving, found.metric_names)
    if known:
        return f"the metrics there are {listed(known)}"
    if serving.is_own:
        return f"no metric's name begins with {EXPORTED.prefix}"
    return f"none of the metrics of AB_METRICS={serving.preset} is there"


def _experiment_warnings(scope: Scope) -> tuple[str, ...]:
    if scope.experiment is None and len(scope.experiments) > 1:
        return (
            (
                f"the experiments {listed(scope.experiments)} {ADDED_TOGETHER}; choose one with "
                "--experiment or AB_EXPERIMENT"
            ),
        )
    return ()


def _status(
    found: Discovery, scope: Scope, told: tuple[str, ...], seconds: float, *, lack: str, fix: str | None
) -> SourceStatus:
    state = SourceState.ANSWERED if scope.has_requests else SourceState.NO_AB_DATA
    return SourceStatus(
        PROMETHEUS,
        state,
        reason=None if scope.has_requests else _no_data_reason(found, scope, lack),
        fix=fix,
        warnings=told,
        version=found.engine.title,
        address=found.address,
        duration_seconds=seconds,
        clock_difference_seconds=found.clock_difference_seconds,
    )


def _names_words(serving: ServingMetrics) -> tuple[str, ...]:
    if serving.is_own:
        return ()
    version = f" {serving.versions}" if serving.versions else ""
    verified = f"; {serving.verified}" if serving.verified else ""
    called = "; ".join(
        f"{what} {serving.asked(question)}"
        for what, question in (
            ("requests", "requests"),
            ("failed ones", "errors"),
            ("response times", "response_time"),
        )
    )
    return (f"{NAMED_AS}{serving.title}{version} (AB_METRICS={serving.preset}{verified}): {called}",)


def _no_data_fix(ask: Ask, serving: ServingMetrics) -> str:
    if serving.is_own:
        there = [
            f"{each.preset} ({metric} is there)" for each, metric in recognised(ask, framework_presets())
        ]
        if there:
            return f"set AB_METRICS={' or '.join(there)}; the connection test shows what each finds"
        return "let Prometheus scrape the exporter of the A/B test, or choose an --at or --window with data"
    label = serving.model_label
    if serving.needs_pattern and serving.model_pattern is None:
        return (
            f"set AB_MODEL_PATTERN, whose first group finds the variant in the label {label}, such as "
            r"/models/(\w+)/predict"
        )
    return (
        f"check that AB_METRICS and what overrides it name what {serving.title} exposes, or choose an --at "
        "or --window with data"
    )


def _no_data_reason(found: Discovery, scope: Scope, lack: str) -> str:
    selector = scope.selector(REQUESTS_TOTAL)
    span = format_duration(max(scope.window_seconds, DAY_SECONDS))
    names = _known_words(found, scope.serving)
    if lack:
        return f"reachable, no A/B data: {lack}; {names}"
    left_out = "".join(
        f"{text.removeprefix(WHICH_COUNT)}; " for text in scope.warnings if text.startswith(WHICH_COUNT)
    )
    others = (
        f"the label {EXPERIMENT_LABEL} has the values {listed(found.experiments)}; "
        if scope.experiment is not None and found.experiments
        else ""
    )
    return f"reachable, no A/B data: {selector} has no series in the last {span}; {left_out}{others}{names}"
