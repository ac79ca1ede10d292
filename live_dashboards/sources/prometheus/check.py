"""The connection test of Prometheus: every check one line, with the fix."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from live_dashboards.errors import SourceError
from live_dashboards.model.buckets import NO_FINITE_BUCKET
from live_dashboards.model.metrics import EXPORTED
from live_dashboards.model.moment import format_duration
from live_dashboards.model.names import listed
from live_dashboards.model.notices import COUNTED_ONCE, Check, CheckState
from live_dashboards.model.serving import ServingMetrics
from live_dashboards.model.snapshot import ChosenTest, PrometheusAnswer, Timeline
from live_dashboards.settings import Settings
from live_dashboards.settings.serving import framework_presets
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.http.endpoint import Endpoint
from live_dashboards.sources.prometheus.client import PROMETHEUS_ITSELF, Engine, endpoints
from live_dashboards.sources.prometheus.exchange import FailedQuestions, Failure, instant
from live_dashboards.sources.prometheus.frameworks import FoundFramework, find_frameworks
from live_dashboards.sources.prometheus.promql import FAILED
from live_dashboards.sources.prometheus.reading import COMPLETE, OF_COPIES, look_at_completeness
from live_dashboards.sources.prometheus.recorded import RECORD_ONCE
from live_dashboards.sources.prometheus.reply import answered
from live_dashboards.sources.prometheus.scope import DAY_SECONDS
from live_dashboards.sources.prometheus.source import Discovery, PrometheusAbSource
from live_dashboards.sources.queries import EXPERIMENT_LABEL, LATENCY, REQUESTS, render

SETTINGS, HOST, PORT, TLS, LOGIN, API, CLOCK = (
    f"Prometheus {thing}" for thing in ("settings", "host", "port", "TLS", "login", "API", "clock")
)
_LAYERS = (HOST, PORT, TLS, LOGIN, API)
_LAYER_OF_CODE = {
    "unknown_host": HOST,
    "url": HOST,
    "refused": PORT,
    "unreachable": PORT,
    "timeout": PORT,
    "proxy": PORT,
    "cut": PORT,
    "auth": LOGIN,
    "redirect": LOGIN,
}
_CLOCK_LIMIT_SECONDS = 5.0

SERIES, FRAMEWORKS, QUERIES, LABELS, ERRORS, GUARDRAILS, AGE, ACCURACY_UNIT, BUCKETS, COPIES = (
    f"Prometheus {thing}"
    for thing in (
        "A/B data",
        "frameworks",
        "queries",
        "labels",
        "errors",
        "guardrails",
        "newest sample",
        "accuracy unit",
        "latency buckets",
        "copies",
    )
)
_LABELLED = (
    f"count by (model_name, {EXPERIMENT_LABEL}, status) (count_over_time({REQUESTS}{{$experiment}}[$window]))"
)
_LARGEST_FRACTION = 1.5


def prometheus_checks(settings: Settings, at: datetime, test: ChosenTest | None = None) -> Iterator[Check]:
    """Each check as it ends, of the test's series (None: the configured one's); after one that makes the rest
    impossible these are skipped.

    Raises SettingsError for a login that cannot be used.
    """
    if not settings.has_prometheus:
        yield Check(
            SETTINGS,
            CheckState.SKIPPED,
            "Prometheus is not configured",
            "set PROMETHEUS_URL",
            "not_configured",
        )
        return
    known = endpoints(settings)
    yield _look_at_settings(settings, known)
    names = tuple(data_checks(settings))
    source, deadline = PrometheusAbSource(settings), Deadline(settings.timeout_seconds)
    try:
        found = source.discover(deadline)
    except SourceError as error:
        yield from _not_reached(error, known[-1], names)
        return
    finally:
        source.close()
    used = next(endpoint for endpoint in known if endpoint.url == found.address)
    yield from _layers(used, _engine_text(found.engine))
    yield _look_at_clock(found)
    yield from _data(settings, at, test)


def _data(settings: Settings, at: datetime, test: ChosenTest | None) -> Iterator[Check]:
    looks = data_checks(settings)
    others = [name for name in looks if name != SERIES]
    try:
        data = read_data(settings, at, test)
    except SourceError as error:
        yield Check(SERIES, CheckState.FAILED, error.reason, error.fix, error.code)
        yield from _skipped(others, "the series cannot be read")
        return
    for name, look in looks.items():
        found = list(look(data))
        yield from (replace(each, found=data.words(each.found), fix=data.words(each.fix)) for each in found)
        if name == FRAMEWORKS and not data.answer.status.has_answered:
            yield from _skipped([name for name in others if name != FRAMEWORKS], "there is no A/B data")
            return


def _look_at_settings(settings: Settings, known: tuple[Endpoint, ...]) -> Check:
    found = [name for name in settings.placeholders if name.startswith("PROMETHEUS_")]
    if found:
        return Check(
            SETTINGS,
            CheckState.WARNING,
            f"{', '.join(found)} looks like a placeholder",
            "set the real password, or PROMETHEUS_PASSWORD_FILE",
            "placeholder",
        )
    return Check(
        SETTINGS, CheckState.OK, f"{', '.join(endpoint.url for endpoint in known)}, {_login_name(known[0])}"
    )


def _login_name(endpoint: Endpoint) -> str:
    return (
        f"{endpoint.authorization.partition(' ')[0].lower()} login"
        if endpoint.authorization
        else "without a login"
    )


def _not_reached(error: SourceError, endpoint: Endpoint, others: tuple[str, ...]) -> Iterator[Check]:
    """The layers that must have worked, the one that failed, and the rest skipped."""
    layer = TLS if error.code.startswith("tls") else _LAYER_OF_CODE.get(error.code, API)
    failed = _LAYERS.index(layer)
    yield from _layers(endpoint, "")[:failed]
    yield Check(layer, CheckState.FAILED, error.reason, error.fix, error.code)
    rest = [*_LAYERS[failed + 1 :], CLOCK, *others]
    yield from _skipped(rest, f"{layer} failed")


def _engine_text(engine: Engine) -> str:
    name = "" if engine.name == PROMETHEUS_ITSELF else f"{engine.name}, "
    return name + (f"version {engine.version}" if engine.version else "its version is not told")


def _layers(endpoint: Endpoint, version: str) -> tuple[Check, ...]:
    """Every layer as one that works."""
    pieces = urlsplit(endpoint.url)
    is_encrypted = pieces.scheme == "https"
    port = pieces.port or (443 if is_encrypted else 80)
    tls = (
        Check(TLS, CheckState.OK, "encrypted, and the certificate is trusted")
        if is_encrypted
        else Check(TLS, CheckState.SKIPPED, "not used: the URL begins with http://")
    )
    return (
        Check(HOST, CheckState.OK, f"{pieces.hostname} was found"),
        Check(PORT, CheckState.OK, f"{pieces.hostname}:{port} answers"),
        tls,
        Check(LOGIN, CheckState.OK, f"accepted, {_login_name(endpoint)}"),
        Check(API, CheckState.OK, f"Prometheus' API answers at {endpoint.url}, {version}"),
    )


def _look_at_clock(found: Discovery) -> Check:
    seconds = found.clock_difference_seconds
    if seconds is None:
        return Check(CLOCK, CheckState.SKIPPED, "the server does not tell its time")
    if abs(seconds) <= _CLOCK_LIMIT_SECONDS:
        return Check(
            CLOCK, CheckState.OK, f"the server's clock and this one agree to {max(1, round(abs(seconds)))} s"
        )
    way = "ahead of" if seconds > 0 else "behind"
    return Check(
        CLOCK,
        CheckState.WARNING,
        f"the server's clock is {abs(seconds):.0f} s {way} this one",
        "synchronise both clocks (NTP): else the newest minutes are missing",
        "clock",
    )


def _skipped(names: Iterable[str], reason: str) -> Iterator[Check]:
    for name in names:
        yield Check(name, CheckState.SKIPPED, f"not looked at: {reason}", code="skipped")


@dataclass(frozen=True, slots=True)
class PrometheusData:
    """What the data's checks look at: the whole answer, the label sets of the requests that count, the
    questions that failed, the frameworks whose metrics are there, and what of them could not be asked.
    `words` puts metrics into the server's names.
    """

    settings: Settings
    at: datetime
    answer: PrometheusAnswer
    label_sets: tuple[Timeline, ...]
    failures: tuple[Failure, ...] = ()
    frameworks: tuple[FoundFramework, ...] = ()
    not_looked_for: tuple[Failure, ...] = ()
    words: Callable[[str], str] = str

    def fix_of(self, reason: str | None, fix: str) -> str:
        """What to do about an answer that lacks something: where its question failed what that failure says,
        else `fix`.
        """
        return next((each.fix for each in self.failures if (reason or "").endswith(each.reason)), fix)

    def values(self, label: str) -> list[str]:
        """The label's values, without the empty one."""
        return sorted({series.label(label) for series in self.label_sets} - {""})


def read_data(settings: Settings, at: datetime, test: ChosenTest | None = None) -> PrometheusData:
    """The A/B test as the dashboards would read it, by default the configured one; SourceError where it
    cannot be read.
    """
    deadline = Deadline(settings.timeout_seconds)
    name, variants = (settings["AB_EXPERIMENT"], ()) if test is None else (test.name, test.variants)
    source = PrometheusAbSource(settings)
    answer = source.read(
        at=at, window_seconds=settings.window_seconds, experiment=name, variants=variants, deadline=deadline
    )
    promql = render(
        _LABELLED, matchers=source.matchers, window_seconds=max(settings.window_seconds, DAY_SECONDS)
    )
    later = Deadline(settings.timeout_seconds)
    asking = FailedQuestions(lambda questions: source.ask_plainly(questions, later))
    try:
        (found,) = source.ask_all([instant(promql, at.timestamp())], later)
        frameworks = find_frameworks(
            asking.ask,
            (*([] if settings.serving.is_own else [settings.serving]), *_other_presets(settings)),
            at_seconds=at.timestamp(),
            span_seconds=max(settings.window_seconds, DAY_SECONDS),
        )
    finally:
        source.close()
    return PrometheusData(
        settings,
        at,
        answer,
        answered(found).series,
        source.failures,
        frameworks,
        asking.failures(),
        source.words,
    )


def _other_presets(settings: Settings) -> Iterator[ServingMetrics]:
    return (each for each in framework_presets() if each.preset != settings.serving.preset)


def _look_at_series(data: PrometheusData) -> list[Check]:
    status = data.answer.status
    if not status.has_answered:
        found = status.reason or "no A/B data"
        return [Check(SERIES, CheckState.FAILED, found, status.fix or "", "no_ab_data")]
    used = data.answer.experiment_filter
    which = f"of experiment {used!r}" if used is not None else "of all experiments"
    return [Check(SERIES, CheckState.OK, f"{REQUESTS} has series {which}")]


def _look_at_frameworks(data: PrometheusData) -> Iterator[Check]:
    """A line for each preset whose metrics are there: what it finds, what it cannot tell, and the setting
    where the test's data is not found without it.
    """
    has_data = data.answer.status.has_answered
    for each in data.frameworks:
        is_used = each.serving.preset == data.settings.serving.preset
        if is_used and each.lacks_pattern:
            yield Check(FRAMEWORKS, CheckState.WARNING, each.words, each.fix, "no_pattern")
        elif is_used or has_data:
            yield Check(FRAMEWORKS, CheckState.OK, each.words)
        else:
            yield Check(FRAMEWORKS, CheckState.WARNING, each.words, each.fix, "framework")
    for failure in data.not_looked_for:
        yield Check(FRAMEWORKS, CheckState.WARNING, failure.found, failure.fix, "failed_questions")
    if not data.frameworks and not data.not_looked_for:
        yield Check(FRAMEWORKS, CheckState.OK, "no other metrics of serving frameworks are there")


def _look_at_queries(data: PrometheusData) -> Iterator[Check]:
    for answer in data.answer.timelines:
        name = f"Prometheus query {answer.name}"
        if answer.series:
            points = sum(value is not None for series in answer.series for _, value in series.points)
            yield Check(
                name,
                CheckState.OK,
                f"{len(answer.series)} series, {points} points in "
                f"{format_duration(data.settings.window_seconds)}",
            )
        else:
            fix = "leave it, or let the exporter expose it: its panel says that it is missing"
            yield Check(
                name,
                CheckState.WARNING,
                answer.reason or "no series",
                data.fix_of(answer.reason, fix),
                "empty_query",
            )


def _look_at_labels(data: PrometheusData) -> list[Check]:
    models = data.values("model_name")
    if not models:
        return [
            Check(
                LABELS,
                CheckState.FAILED,
                f"{REQUESTS} has no label {data.settings.serving.model_label}",
                "label each request with the model that answered it, or name its label with AB_MODEL_LABEL",
                "no_model_name",
            )
        ]
    shown = {
        "model_name": data.settings.serving.model_label,
        **{label: label for label in (EXPERIMENT_LABEL, "status")},
    }
    seen = "; ".join(
        f"{called}: {listed(data.values(label)) or 'not there'}" for label, called in shown.items()
    )
    if len(models) == 1:
        return [
            Check(
                LABELS,
                CheckState.WARNING,
                f"only one model has traffic; {seen}",
                "a comparison needs a second model",
                "one_model",
            )
        ]
    return [Check(LABELS, CheckState.OK, seen)]


def _look_at_errors(data: PrometheusData) -> Iterator[Check]:
    errors, statuses = data.answer.instant("errors"), data.values("status")
    if errors.reason is not None:
        how = (
            f"export {EXPORTED.errors}, or a label status with the value error"
            if data.settings.serving.is_told_by_status
            else "name with AB_ERRORS what counts them, if anything does"
        )
        fix = data.fix_of(errors.reason, how)
        yield Check(ERRORS, CheckState.WARNING, errors.reason, fix, "no_errors")
    elif ('status="error"' in errors.query or FAILED in errors.query) and "error" not in statuses:
        fix = f"call failed requests status=error, or export {EXPORTED.errors}: now none counts as failed"
        yield Check(
            ERRORS,
            CheckState.WARNING,
            f"no request has status=error; the values seen are {listed(statuses)}",
            fix,
            "no_error_status",
        )
    else:
        yield Check(ERRORS, CheckState.OK, errors.notes or f"counted by {EXPORTED.errors}")


def _look_at_guardrails(data: PrometheusData) -> Iterator[Check]:
    """A line a guardrail of one's own: how it is counted, or of whom it is not."""
    models = {series.label("model_name") for series in data.answer.instant("requests").series}
    for counter in data.settings.event_counters:
        answer = data.answer.instant(counter.name)
        lacking = sorted(models - {series.label("model_name") for series in answer.series})
        why = answer.reason or "; ".join(
            f"{model}: {dict(answer.of_models).get(model, 'there is no series of it')}" for model in lacking
        )
        if why:
            fix = (
                f"export {counter.selector} for each model, or mend AB_GUARDRAILS: as long as it is unknown, "
                "nothing is shipped"
            )
            found = f"guardrail {counter.name} is unknown: {why}"
            yield Check(GUARDRAILS, CheckState.WARNING, found, data.fix_of(answer.reason, fix), "no_events")
        else:
            notes = f"; {answer.notes}" if answer.notes else ""
            yield Check(GUARDRAILS, CheckState.OK, f"{counter.name} counted by {counter.selector}{notes}")


def _look_at_age(data: PrometheusData) -> list[Check]:
    ages = {
        series.label("model_name"): data.at.timestamp() - series.last
        for series in data.answer.instant("newest_requests").series
        if series.last is not None
    }
    limit_seconds = float(data.settings["AB_STALE_AFTER"])
    ageless = sorted(
        {series.label("model_name") for series in data.answer.instant("requests").series} - set(ages)
    )
    if ageless:
        why = data.answer.instant("newest_requests").note or "its newest sample was not found"
        fix = "is the exporter still scraped? values of unknown age are marked as stale"
        found = f"the age of {listed(ageless)} is not known: {why}"
        return [Check(AGE, CheckState.WARNING, found, fix, "stale")]
    if not ages:
        found = f"there is no sample in the last {format_duration(data.settings.window_seconds)}"
        return [Check(AGE, CheckState.WARNING, found, "is the exporter still scraped?", "stale")]
    said = ", ".join(f"{model} {_age(seconds)}" for model, seconds in sorted(ages.items()))
    if max(ages.values()) > limit_seconds:
        fix = (
            f"is the exporter down? values older than {format_duration(limit_seconds)} (AB_STALE_AFTER) "
            "are marked as stale"
        )
        return [Check(AGE, CheckState.WARNING, said, fix, "stale")]
    return [Check(AGE, CheckState.OK, said)]


def _look_at_accuracy(data: PrometheusData) -> list[Check]:
    answer, unit = data.answer.instant("online_accuracy"), str(data.settings["AB_ACCURACY_UNIT"])
    values = [series.last for series in answer.series if series.last is not None]
    if not values:
        return [Check(ACCURACY_UNIT, CheckState.SKIPPED, answer.reason or "no value", code="no_accuracy")]
    looks = "percent" if max(values) > _LARGEST_FRACTION else "fraction"
    found = f"values from {min(values):g} to {max(values):g} look like {looks}"
    if (min(values) > _LARGEST_FRACTION) != (max(values) > _LARGEST_FRACTION):
        return [
            Check(
                ACCURACY_UNIT,
                CheckState.WARNING,
                f"values from {min(values):g} to {max(values):g} mix fractions and percent",
                "let all exporters use one unit",
                "mixed_unit",
            )
        ]
    if unit not in {"auto", looks}:
        return [
            Check(
                ACCURACY_UNIT,
                CheckState.WARNING,
                f"{found}, but AB_ACCURACY_UNIT is {unit}",
                f"set AB_ACCURACY_UNIT={looks} or auto",
                "accuracy_unit",
            )
        ]
    return [Check(ACCURACY_UNIT, CheckState.OK, found)]


def _look_at_buckets(data: PrometheusData) -> Iterator[Check]:
    answer = data.answer.instant("latency_buckets")
    edges_ms = sorted({float(series.label("le")) * 1000 for series in answer.series})
    objective_ms = float(data.settings["AB_LATENCY_OBJECTIVE_MS"])
    if not edges_ms:
        reason = answer.reason or "no buckets"
        yield Check(
            BUCKETS,
            CheckState.WARNING,
            reason,
            data.fix_of(reason, _without_buckets(data)),
            "no_buckets",
        )
    elif edges_ms == [math.inf]:
        fix = (
            "let Prometheus scrape native histograms (scrape_native_histograms, or the feature "
            "native-histograms), or export classic buckets too"
        )
        yield Check(BUCKETS, CheckState.WARNING, NO_FINITE_BUCKET, fix, "no_finite_bucket")
    elif not math.isinf(edges_ms[-1]):
        yield Check(
            BUCKETS,
            CheckState.WARNING,
            "there is no +Inf bucket, so no percentile can be told",
            "export the bucket le=+Inf",
            "no_inf_bucket",
        )
    elif not any(math.isclose(edge, objective_ms) for edge in edges_ms):
        near = min(edges_ms[:-1], key=lambda edge: abs(edge - objective_ms), default=math.inf)
        found = (
            f"{len(edges_ms)} buckets, none of which ends at the objective of {objective_ms:g} ms; the "
            f"nearest edge is {near:g} ms"
        )
        is_native = "_bucket" not in answer.query
        fix = "set AB_LATENCY_OBJECTIVE_MS to an edge" + (
            "" if is_native else ", or add that bucket to the exporter"
        )
        yield Check(BUCKETS, CheckState.WARNING, found, fix, "objective_edge")
    else:
        yield Check(
            BUCKETS,
            CheckState.OK,
            f"{len(edges_ms)} buckets, one of which ends at the objective of {objective_ms:g} ms",
        )


def _without_buckets(data: PrometheusData) -> str:
    latency = data.settings.serving.latency
    if latency is None:
        return "nothing is shipped as long as response times are unknown, unless AB_WAIVE=latency"
    if not latency.has_buckets:
        return "the difference of means is judged instead (AB_LATENCY_MARGIN_MS)"
    return f"export a histogram {LATENCY}"


def _look_at_copies(data: PrometheusData) -> Iterator[Check]:
    said = [text for text in data.answer.status.warnings if text.startswith(OF_COPIES)]
    doubtful = [text for text in said if not text.startswith(COUNTED_ONCE)]
    recorded = [text.rpartition(": ") for text in doubtful if text.endswith(RECORD_ONCE)]
    if recorded:
        others = [text for text in said if not text.endswith(RECORD_ONCE)]
        yield Check(
            COPIES,
            CheckState.WARNING,
            "; ".join((*others, *(found for found, _, _ in recorded))),
            recorded[0][2],
            "copies",
        )
    elif doubtful:
        fix = (
            "set PROMETHEUS_REPLICA_LABELS to the labels in which alone copies of the same requests "
            "differ, or to none"
        )
        yield Check(COPIES, CheckState.WARNING, "; ".join(said), fix, "copies")
    elif data.settings["PROMETHEUS_REPLICA_LABELS"] == ():
        yield Check(
            COPIES, CheckState.OK, "every series counts by itself, as PROMETHEUS_REPLICA_LABELS=none says"
        )
    else:
        yield Check(COPIES, CheckState.OK, "; ".join(said) or "no scrape is stored more than once")


def _age(seconds: float) -> str:
    return "just now" if seconds < 1 else f"{format_duration(seconds)} before"


# the looks at the data, each by the name under which its findings stand
DATA_CHECKS: dict[str, Callable[[PrometheusData], Iterable[Check]]] = {
    SERIES: _look_at_series,
    FRAMEWORKS: _look_at_frameworks,
    QUERIES: _look_at_queries,
    LABELS: _look_at_labels,
    ERRORS: _look_at_errors,
    GUARDRAILS: _look_at_guardrails,
    AGE: _look_at_age,
    ACCURACY_UNIT: _look_at_accuracy,
    BUCKETS: _look_at_buckets,
    COPIES: _look_at_copies,
    COMPLETE: lambda data: look_at_completeness(data.answer, data.failures),
}


def data_checks(settings: Settings) -> dict[str, Callable[[PrometheusData], Iterable[Check]]]:
    """The looks that these settings ask for: without further guardrails there is nothing to tell of them."""
    return {name: look for name, look in DATA_CHECKS.items() if name != GUARDRAILS or settings.event_counters}
