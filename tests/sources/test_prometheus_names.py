"""Metrics under the names of serving frameworks, on a real Prometheus: what frameworks have really exposed gives the numbers that the client
counted, and any world under foreign names gives what it gives under the tool's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby

import pytest

from live_dashboards.model.notices import NAMED_AS, CheckState
from live_dashboards.model.serving import OWN_NAMES
from live_dashboards.settings import load_settings
from live_dashboards.settings.serving import presets
from live_dashboards.sources.prometheus.check import ERRORS as ERRORS_LINE
from live_dashboards.sources.prometheus.check import FRAMEWORKS, SERIES, prometheus_checks
from tests.conftest import filled_prometheus
from tests.sources.prometheus_reading import END, HOUR, ask, labels, settings_of, values
from tests.support.expositions import Exposition
from tests.support.prometheus_truth import PrometheusTruth, TrueSeries

AT = datetime.fromtimestamp(END, UTC)
PATHS = r"/(\w+)/predict"
WINDOW_SECONDS = 3 * HOUR


@dataclass(frozen=True)
class Recorded:
    """A recorded exposition: the settings that read it; whether malformed requests are counted, and whether they fail; what is missing; the
    name of the sum of response times, in seconds."""

    name: str
    settings: Mapping[str, str]
    counts_malformed: bool = False
    malformed_fail: bool = False
    missing: tuple[str, ...] = ()
    total: str = ""
    label: str = ""
    unsent: Mapping[str, int] = field(default_factory=dict)  # requests that the recorded text has and its client does not tell

    def __str__(self) -> str:
        return self.name


RECORDED = (
    Recorded("mlserver-1.7.1", {"AB_METRICS": "mlserver"}, missing=("latency_buckets",), total="model_infer_request_duration_sum", label="model"),
    Recorded("bentoml-1.4.40", {"AB_METRICS": "bentoml"}, total="bentoml_service_request_duration_seconds_sum", label="service_name"),
    Recorded("kserve-0.21.0", {"AB_METRICS": "kserve"}, total="request_predict_seconds_sum", label="model_name"),
    Recorded("ray-2.60.0", {"AB_METRICS": "ray"}, counts_malformed=True, malformed_fail=True, missing=("latency_sum",), unsent={"enhanced": 1}),
    Recorded(
        "fastapi-instrumentator-8.1.0",
        {"AB_METRICS": "fastapi", "AB_MODEL_PATTERN": PATHS},
        counts_malformed=True,
        total="http_request_duration_seconds_sum",
        label="handler",
    ),
    Recorded(
        "flask-exporter-0.23.2",
        {"AB_METRICS": "flask", "AB_MODEL_PATTERN": PATHS},
        counts_malformed=True,
        total="flask_http_request_duration_seconds_sum",
        label="path",
    ),
    Recorded(
        "starlette-exporter-0.24.0",
        {"AB_METRICS": "starlette", "AB_MODEL_PATTERN": PATHS},
        counts_malformed=True,
        total="starlette_request_duration_seconds_sum",
        label="path",
    ),
)
VARIANTS = ("baseline", "enhanced")


def of_variants(answer):
    return {model: value for model, value in values(answer).items() if model in VARIANTS}


@pytest.mark.parametrize("recorded", RECORDED, ids=str)
def test_what_a_framework_exposed_gives_what_its_client_counted(prometheus, recorded):
    exposition = Exposition.of(recorded.name)
    answer = ask(prometheus(exposition.grown(start=END - 2 * HOUR, end=END)).url, window_seconds=WINDOW_SECONDS, **recorded.settings)
    clients = exposition.client["variants"]
    told = {model: each["malformed"] if recorded.counts_malformed else 0 for model, each in clients.items()}
    requests = {model: each["sent"] - each["malformed"] + told[model] + each["warm_up"] + recorded.unsent.get(model, 0) for model, each in clients.items()}
    failed = {model: each["failed"] + (each["malformed"] if recorded.malformed_fail else 0) for model, each in clients.items()}
    assert of_variants(answer.instant("requests")) == requests
    assert of_variants(answer.instant("errors")) == failed
    for name in ("latency_sum", "latency_count", "latency_buckets"):
        found = answer.instant(name)
        assert bool(found.series) != (name in recorded.missing), (name, found.reason)
        assert bool(found.reason) == (name in recorded.missing)
    if recorded.total:
        seconds = of_variants(answer.instant("latency_sum"))
        counts = of_variants(answer.instant("latency_count"))
        for model, each in clients.items():
            value = model if recorded.label not in {"handler", "path"} else f"/{model}/predict"
            assert seconds[model] == pytest.approx(exposition.total(recorded.total, **{recorded.label: value}), rel=1e-9)
            assert 0.02 < seconds[model] / counts[model] < each["mean_ms"] / 1000  # the handlers sleep 20 ms and more


def test_torchserve_tells_requests_alone(prometheus):
    """Failed requests are counted there, and their time is not, so that no mean is true."""
    exposition = Exposition.of("torchserve-0.12.0")
    answer = ask(prometheus(exposition.grown(start=END - 2 * HOUR, end=END)).url, window_seconds=WINDOW_SECONDS, AB_METRICS="torchserve")
    assert values(answer.instant("requests")) == {model: exposition.total("ts_inference_requests_total", model_name=model) for model in VARIANTS}
    for name in ("errors", "latency_sum", "latency_buckets"):
        assert not answer.instant(name).series
        assert "TorchServe" in answer.instant(name).reason


def test_no_errors_are_missing_and_never_0(prometheus):
    exposition = Exposition.of("bentoml-1.4.40")
    url = prometheus(exposition.grown(start=END - 2 * HOUR, end=END)).url
    answer = ask(url, window_seconds=WINDOW_SECONDS, AB_METRICS="bentoml", AB_ERRORS="none")
    assert values(answer.instant("requests"))["baseline"] == 137
    assert not answer.instant("errors").series
    assert "no count of a model's failed requests (BentoML)" in answer.instant("errors").reason


def test_a_label_that_no_request_has_is_no_way_to_tell_failed_ones(prometheus):
    exposition = Exposition.of("bentoml-1.4.40")
    url = prometheus(exposition.grown(start=END - 2 * HOUR, end=END)).url
    answer = ask(url, window_seconds=WINDOW_SECONDS, AB_METRICS="bentoml", AB_ERRORS='bentoml_service_request_total{code=~"5.."}')
    assert not answer.instant("errors").series
    assert "no series of bentoml_service_request_total has the label code" in answer.instant("errors").reason


def test_matchers_are_always_added(prometheus):
    exposition = Exposition.of("bentoml-1.4.40")
    url = prometheus(exposition.grown(start=END - 2 * HOUR, end=END)).url
    answer = ask(url, window_seconds=WINDOW_SECONDS, AB_METRICS="bentoml", AB_MATCHERS='service_name!="router"')
    assert values(answer.instant("requests")) == {"baseline": 137, "enhanced": 59}
    assert {series.label("model_name") for series in answer.timelines[0].series} == {*VARIANTS}


def test_a_pattern_that_matches_nothing_is_told_with_the_values(prometheus):
    exposition = Exposition.of("fastapi-instrumentator-8.1.0")
    url = prometheus(exposition.grown(start=END - 2 * HOUR, end=END)).url
    answer = ask(url, window_seconds=WINDOW_SECONDS, AB_METRICS="fastapi", AB_MODEL_PATTERN=r"/v2/(\w+)")
    assert not answer.status.has_answered
    assert "no value of the label handler matches AB_MODEL_PATTERN '/v2/(\\\\w+)'" in answer.status.reason
    assert "/baseline/predict" in answer.status.reason


def test_without_the_metrics_of_a_preset_there_is_no_data_and_the_preset_is_named(prometheus):
    exposition = Exposition.of("fastapi-instrumentator-8.1.0")
    answer = ask(prometheus(exposition.grown(start=END - 2 * HOUR, end=END)).url, window_seconds=WINDOW_SECONDS, AB_METRICS="mlserver")
    assert not answer.status.has_answered
    assert "none of the metrics of AB_METRICS=mlserver is there" in answer.status.reason
    assert "ab_test" not in f"{answer.status.reason} {answer.status.fix}"


# --- any world, under foreign names ---------------------------------------------------------------------------------------------------

Rename = Callable[[TrueSeries], list[TrueSeries]]
REQUESTS, ERRORS, LATENCY = "ab_test_requests_total", "ab_test_errors_total", "ab_test_response_time_seconds"


def world() -> PrometheusTruth:
    """Two variants on two instances each: a restart, an instance that begins late, one that ends, errors that begin late, buckets."""
    truth = PrometheusTruth(start=END - 5 * HOUR, end=END, scrape_seconds=30)
    for model, rate in (("baseline", 2.0), ("enhanced", 0.7)):
        for instance, when in (
            (f"{model}-1", {"resets": (END - 2.3 * HOUR,)}),
            (f"{model}-2", {"starts_at": END - 3.4 * HOUR, "ends_at": END - 900}),
        ):
            own = labels(model, instance, job="models")
            truth.counter(REQUESTS, own, rate, **when)
            late = {**when, "starts_at": max(when.get("starts_at", 0.0), END - 4 * HOUR)}
            truth.counter(ERRORS, own, rate / 30, **late)
            truth.histogram(LATENCY, own, {0.05: rate / 2, 0.25: rate / 4, 1.0: rate / 4}, **when)
            began = when.get("starts_at", END - 6 * HOUR)
            resets = when.get("resets", ())
            truth.gauge(
                "process_start_time_seconds",
                {"instance": instance, "job": "models"},
                [(truth.start, began), *((at, at) for at in resets)],
                **{name: at for name, at in when.items() if name != "resets"},
            )
    return truth


def renamed(truth: PrometheusTruth, rename: Rename) -> PrometheusTruth:
    other = PrometheusTruth(start=truth.start, end=truth.end, scrape_seconds=truth.scrape_seconds)
    other.series = [each for series in truth.series for each in rename(series)]
    return other


def called(series: TrueSeries, names: Mapping[str, str], label: str, of_model: Callable[[str], str] = str) -> TrueSeries:
    """The series under another name, with its model in another label; the name itself where it is in no such family."""
    base = next((own for own in sorted(names, key=len, reverse=True) if series.name.startswith(own)), None)
    if base is None:
        return series
    own = {name: value for name, value in series.labels.items() if name != "model_name"}
    return replace(series, name=names[base] + series.name.removeprefix(base), labels={**own, label: of_model(series.labels["model_name"])})


def plainly(series):
    """A label that is called as the tool's own stands for something else."""
    found = called(series, {REQUESTS: "calls_total", ERRORS: "failures_total", LATENCY: "call_seconds"}, "service")
    return [found if found is series else replace(found, labels={**found.labels, "model_name": "resnet"})]


def as_prometheus_renames(series):
    """What a target calls as the tool does goes into another label, where the scrape gives it a label of that name."""
    model = series.labels.get("model_name")
    return [series if model is None else replace(series, labels={**series.labels, "exported_model_name": model, "model_name": "host"})]


def in_two_families(series):
    """Requests are the sum of those answered and those failed."""
    names = {ERRORS: "failed_total", LATENCY: "call_seconds"}
    if series.name != REQUESTS:
        return [called(series, names, "model")]
    odd = tuple((at, value // 2) for at, value in series.samples)
    rest = tuple((at, value - value // 2) for at, value in series.samples)
    return [called(replace(series, samples=samples), {REQUESTS: name}, "model") for name, samples in (("answered_total", odd), ("other_total", rest))]


def in_milliseconds(series):
    found = called(series, {REQUESTS: "calls_total", ERRORS: "failures_total", LATENCY: "call_milliseconds"}, "model")
    if found.name == "call_milliseconds_sum":
        return [replace(found, samples=tuple((at, 1000 * value) for at, value in found.samples))]
    if found.name == "call_milliseconds_bucket" and found.labels["le"] != "+Inf":
        return [replace(found, labels={**found.labels, "le": f"{1000 * float(found.labels['le']):g}"})]
    return [found]


def by_path(series):
    """Every variant is behind two paths, and a third one is of nobody's."""
    names = {REQUESTS: "calls_total", ERRORS: "failures_total", LATENCY: "call_seconds"}
    if not series.name.startswith("ab_test_"):
        return [series]
    odd = tuple((at, value // 2) for at, value in series.samples)
    rest = tuple((at, value - value // 2) for at, value in series.samples)
    parts = (("/v1/{}/predict", odd), ("/v2/{}/predict", rest), ("/health/{}", series.samples))
    return [called(replace(series, samples=samples), names, "path", path.format) for path, samples in parts]


def as_a_difference(series):
    """Failed requests are those that began less those that ended well."""
    if series.name != ERRORS:
        return [called(series, {REQUESTS: "began_total", LATENCY: "call_seconds"}, "model")]
    return [called(series, {ERRORS: "lost_total"}, "model")]


WORLDS = {
    "plainly": (plainly, {"AB_REQUESTS": "calls_total", "AB_ERRORS": "failures_total", "AB_LATENCY": "call_seconds", "AB_MODEL_LABEL": "service"}),
    "as Prometheus renames": (as_prometheus_renames, {"AB_REQUESTS": REQUESTS, "AB_MODEL_LABEL": "exported_model_name"}),
    "in two families": (
        in_two_families,
        {"AB_REQUESTS": "answered_total + other_total", "AB_ERRORS": "failed_total", "AB_LATENCY": "call_seconds", "AB_MODEL_LABEL": "model"},
    ),
    "in milliseconds": (
        in_milliseconds,
        {
            "AB_REQUESTS": "calls_total",
            "AB_ERRORS": "failures_total",
            "AB_LATENCY": "call_milliseconds",
            "AB_LATENCY_UNIT": "ms",
            "AB_MODEL_LABEL": "model",
        },
    ),
    "by path": (
        by_path,
        {
            "AB_REQUESTS": "calls_total",
            "AB_ERRORS": "failures_total",
            "AB_LATENCY": "call_seconds",
            "AB_MODEL_LABEL": "path",
            "AB_MODEL_PATTERN": r"/v\d/(\w+)/predict",
        },
    ),
}


def numbers(answer):
    """All numbers of an answer, by name, model and edge; told to a billionth."""
    found = {}
    several = (*answer.instants, *answer.timelines, *answer.blocks)
    sums = [("since", each) for period in answer.accumulated for each in (*period.totals, *period.blocks)]
    for of, each in [("", each) for each in several] + sums:
        for kind, series in [("", one) for one in each.series] + [("most", one) for one in each.most]:
            le = series.label("le")
            key = (of, each.name, each.step_seconds, kind, series.label("model_name"), float(le) if le else None)
            found[key] = [(at, None if value is None else pytest.approx(value, rel=1e-6, abs=1e-6)) for at, value in series.points]
    return found


@pytest.fixture(scope="module")
def own_answer(tmp_path_factory):
    with filled_prometheus(world(), tmp_path_factory.mktemp("own")) as server:
        return ask(server.url, window_seconds=WINDOW_SECONDS)


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_under_foreign_names_gives_what_it_gives_under_the_tools_own(prometheus, own_answer, name):
    rename, settings = WORLDS[name]
    foreign = ask(prometheus(renamed(world(), rename)).url, window_seconds=WINDOW_SECONDS, **settings)
    (named,) = [text for text in foreign.status.warnings if text.startswith(NAMED_AS)]
    assert settings["AB_REQUESTS"] in named
    assert {*foreign.status.warnings} - {named} == {*own_answer.status.warnings}
    assert foreign.first_traffic == own_answer.first_traffic
    found, expected = numbers(foreign), numbers(own_answer)
    assert found.keys() == expected.keys()
    for key, points in expected.items():
        assert found[key] == points, key


def test_a_difference_is_taken_block_by_block_so_that_a_restart_makes_none(prometheus, own_answer):
    """As a difference of counters the restart would give errors below 0, or thousands."""
    truth = renamed(world(), as_a_difference)
    url = prometheus(truth).url
    answer = ask(
        url,
        window_seconds=WINDOW_SECONDS,
        AB_REQUESTS="began_total",
        AB_ERRORS="began_total - lost_total",
        AB_LATENCY="call_seconds",
        AB_MODEL_LABEL="model",
    )
    requests, lost = values(own_answer.instant("requests")), values(own_answer.instant("errors"))
    assert values(answer.instant("errors")) == {model: requests[model] - lost[model] for model in requests}
    assert all(value is None or value >= 0 for series in answer.block("errors").series for _, value in series.points)


def test_the_provenance_is_the_question_as_the_server_got_it(prometheus):
    rename, settings = WORLDS["in milliseconds"]
    answer = ask(prometheus(renamed(world(), rename)).url, window_seconds=WINDOW_SECONDS, **settings)
    texts = [each.query for each in (*answer.instants, *answer.timelines, *answer.blocks)]
    assert not [text for text in texts if re.search(r"ab_test_(requests|errors|response)", text)]
    assert any("call_milliseconds_bucket" in text for text in texts)


def test_the_own_names_are_the_default_preset():
    assert load_settings(environment={}).serving == replace(OWN_NAMES, versions="", verified="")


@pytest.mark.parametrize("name", [name for name in presets() if name != "ab_test"])
def test_every_preset_says_of_which_version_it_is_how_that_was_verified_and_what_it_cannot_tell(name):
    serving = load_settings(environment={"AB_METRICS": name}).serving
    assert serving.versions
    assert serving.verified.startswith(("ran ", "from its "))
    assert serving.cannot_tell
    assert not serving.is_own


# --- the connection test leads to the setting -----------------------------------------------------------------------------------------


def lines(url, **settings):
    found = prometheus_checks(settings_of(url, AB_WINDOW="3h", **settings), AT)
    return {name: [*several] for name, several in groupby(sorted(found, key=lambda each: each.name), key=lambda each: each.name)}


@pytest.mark.parametrize("recorded", RECORDED, ids=str)
def test_the_connection_test_names_the_preset_and_what_it_finds(prometheus, recorded):
    exposition = Exposition.of(recorded.name)
    url = prometheus(exposition.grown(start=END - 2 * HOUR, end=END)).url
    (line,) = lines(url)[FRAMEWORKS]
    preset = recorded.settings["AB_METRICS"]
    assert line.ok is CheckState.WARNING
    assert f"set AB_METRICS={preset}" in line.fix
    assert "cannot be told: " in line.found
    counts = values(ask(url, window_seconds=WINDOW_SECONDS, **recorded.settings).instant("requests"))
    shown = "/{}/predict" if "AB_MODEL_PATTERN" in recorded.settings else "{}"
    for model in VARIANTS:
        assert f"{shown.format(model)} {counts[model]:,.0f}" in line.found
    if "AB_MODEL_PATTERN" in recorded.settings:
        pattern = re.search(r"AB_MODEL_PATTERN='([^']*)'", line.fix)[1]
        assert values(ask(url, window_seconds=WINDOW_SECONDS, **{**recorded.settings, "AB_MODEL_PATTERN": pattern}).instant("requests")) == counts


@pytest.mark.parametrize("recorded", RECORDED, ids=str)
def test_with_the_setting_the_connection_test_finds_the_data_in_the_servers_names(prometheus, recorded):
    exposition = Exposition.of(recorded.name)
    url = prometheus(exposition.grown(start=END - 2 * HOUR, end=END)).url
    found = lines(url, **recorded.settings)
    assert [each.ok for each in found[SERIES]] == [CheckState.OK]
    assert [each.ok for each in found[ERRORS_LINE]] == [CheckState.OK]
    assert [each.ok for each in found[FRAMEWORKS]] == [CheckState.OK]
    texts = [text for several in found.values() for each in several for text in (each.found, each.fix)]
    assert not [text for text in texts if re.search(r"ab_test_(requests|errors|response)", text)]


def test_a_page_without_data_names_the_preset_too(prometheus):
    exposition = Exposition.of("bentoml-1.4.40")
    answer = ask(prometheus(exposition.grown(start=END - 2 * HOUR, end=END)).url, window_seconds=WINDOW_SECONDS)
    assert not answer.status.has_answered
    assert answer.status.fix.startswith("set AB_METRICS=bentoml (bentoml_service_request_total is there)")
    assert not answer.status.failures


def test_of_several_frameworks_the_one_with_most_requests_stands_first(prometheus):
    several = [Exposition.of(name) for name in ("flask-exporter-0.23.2", "mlserver-1.7.1")]
    truth = several[0].grown(start=END - 2 * HOUR, end=END, times=3)
    truth.series += several[1].grown(start=END - 2 * HOUR, end=END).series
    found = lines(prometheus(truth).url)[FRAMEWORKS]
    assert [each.fix.split()[1] for each in found] == ["AB_METRICS=flask", "AB_METRICS=mlserver"]


def test_a_name_that_many_share_is_no_sign_without_the_presets_labels(prometheus):
    truth = PrometheusTruth(start=END - 2 * HOUR, end=END)
    truth.counter("http_requests_total", {"job": "shop", "code": "200"}, 1.0)
    (line,) = lines(prometheus(truth).url)[FRAMEWORKS]
    assert line.ok is CheckState.OK
