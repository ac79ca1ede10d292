"""Where names of one's own could give a wrong number or none: each was found by somebody who tried, on a real Prometheus."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from live_dashboards.errors import SettingsError
from live_dashboards.model.notices import CheckState
from live_dashboards.settings import load_settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.prometheus.check import FRAMEWORKS, prometheus_checks
from live_dashboards.sources.prometheus.source import PrometheusAbSource
from tests.sources.prometheus_reading import END, HOUR, ask, settings_of, values
from tests.support.expositions import Exposition
from tests.support.prometheus_truth import PrometheusTruth
from tests.support.waiting import LONGEST_SECONDS

RATES = {"baseline": 2.0, "enhanced": 1.0}
REQUESTS = {model: rate * 3 * HOUR for model, rate in RATES.items()}
CALLS = {"AB_REQUESTS": "calls_total", "AB_MODEL_LABEL": "model"}


def truth(hours=6.0, scrape_seconds=30.0):
    return PrometheusTruth(start=END - hours * HOUR, end=END, scrape_seconds=scrape_seconds)


def read(prometheus, made, variants=(), **settings):
    url = prometheus(made).url
    if not variants:
        return ask(url, window_seconds=3 * HOUR, **settings)
    source = PrometheusAbSource(settings_of(url, **settings))
    at = datetime.fromtimestamp(END, UTC)
    return source.read(at=at, window_seconds=3 * HOUR, experiment="launch", variants=variants, deadline=Deadline(LONGEST_SECONDS))


def calls(made, share=0.05, failed=None, **of_model):
    """Requests by model on a target each; failed ones with code 500, or with the labels of `failed`, of their share."""
    for model, rate in RATES.items():
        own = {"model": model, "job": "models", "instance": f"{model}-1", **of_model.get(model, {})}
        made.counter("calls_total", {**own, **({} if failed is None else failed[0])}, rate * (1 - share))
        if share:
            made.counter("calls_total", {**own, **({"code": "500"} if failed is None else failed[1])}, rate * share)
    return made


def errors(answer):
    return values(answer.instant("errors"))


def some(share=0.05, **of_model):
    return {model: pytest.approx(share * REQUESTS[model] * of_model.get(model, 1), abs=1) for model in RATES}


BY_STATUS = ({"status": "200"}, {"status": "500"})
BY_CODE = ({"code": "200"}, {"code": "500"})


@pytest.mark.parametrize("named", ["failz_total", 'calls_total{code=~"5.."}'])
def test_errors_that_are_named_wrong_are_missing_although_requests_have_a_status(prometheus, named):
    answer = read(prometheus, calls(truth(), failed=BY_STATUS), **CALLS, AB_ERRORS=named)
    assert values(answer.instant("requests")) == pytest.approx(REQUESTS)
    assert errors(answer) == {}
    assert answer.instant("errors").reason


def test_errors_told_by_a_label_of_the_requests_are_0_where_nothing_has_failed(prometheus):
    answer = read(prometheus, calls(truth(), share=0, failed=BY_CODE), **CALLS, AB_ERRORS='calls_total{code=~"5.."}')
    assert errors(answer) == {"baseline": 0, "enhanced": 0}


def test_a_foreign_status_that_never_says_error_tells_nothing(prometheus):
    answer = read(prometheus, calls(truth(), failed=BY_STATUS), **CALLS)
    assert errors(answer) == {}


@pytest.mark.parametrize("named", ['calls_total{code=~"5.."}', 'calls_total{code!="200"}'])
def test_a_model_whose_requests_lack_the_label_has_no_errors_that_anybody_knows(prometheus, named):
    made = truth()
    for model, (plain, failed) in {"baseline": BY_CODE, "enhanced": BY_STATUS}.items():
        for labels, rate in ((plain, 0.95), (failed, 0.05)):
            made.counter("calls_total", {"model": model, "job": "models", "instance": model, **labels}, RATES[model] * rate)
    answer = read(prometheus, made, **CALLS, AB_ERRORS=named)
    assert errors(answer) == {"baseline": some()["baseline"]}
    assert "its requests have no label code" in answer.instant("errors").notes


def test_a_label_that_requests_had_until_yesterday_tells_nothing_today(prometheus):
    made = truth(hours=34, scrape_seconds=60)
    for model, rate in RATES.items():
        own = {"model": model, "job": "models", "instance": model}
        made.counter("calls_total", {**own, "status": "200"}, rate, ends_at=END - 26 * HOUR)
        for code, share in (("200", 0.95), ("500", 0.05)):
            made.counter("calls_total", {**own, "code": code}, rate * share, starts_at=END - 26 * HOUR)
    answer = read(prometheus, made, **CALLS, AB_ERRORS='calls_total{status=~"5.."}')
    assert errors(answer) == {}


def test_a_part_of_the_requests_that_is_not_there_is_not_0_errors(prometheus):
    made = truth()
    for model, rate in RATES.items():
        for name, share in (("ok_total", 0.95), ("failed_total", 0.05)):
            made.counter(name, {"model": model, "job": "models", "instance": model}, rate * share)
    named = {"AB_REQUESTS": "ok_total + failures_total", "AB_ERRORS": "failures_total", "AB_MODEL_LABEL": "model"}
    assert errors(read(prometheus, made, **named)) == {}


DIFFERENCE = {"AB_REQUESTS": "began_total", "AB_ERRORS": "began_total - ended_total", "AB_MODEL_LABEL": "model"}


def began(ended, **labels):
    made = truth()
    for model, rate in RATES.items():
        own = {"model": model, "job": "models", "instance": model}
        made.counter("began_total", {**own, **labels}, rate)
        if model in ended:
            made.counter("ended_total", own, rate * 0.95, **ended[model])
    return made


def test_a_variant_that_nothing_ends_well_of_is_told(prometheus):
    answer = read(prometheus, began({"baseline": {}}), **DIFFERENCE)
    assert errors(answer) == {"baseline": some()["baseline"], "enhanced": pytest.approx(REQUESTS["enhanced"])}
    assert "of enhanced there is no ended_total now, so that every request counts as failed" in answer.status.warnings


def test_at_most_as_many_requests_failed_as_there_were(prometheus):
    answer = read(prometheus, began({"baseline": {"starts_at": END - 1.5 * HOUR}, "enhanced": {}}), **DIFFERENCE)
    most = {series.label("model_name"): series.last for series in answer.instant("errors").most}
    assert most.get("baseline", 0) <= REQUESTS["baseline"]


def test_slices_of_a_difference_need_the_label_in_both(prometheus):
    answer = read(prometheus, began({"baseline": {}, "enhanced": {}}, zone="a"), **DIFFERENCE, AB_SLICE_LABEL="zone")
    (period, *_) = answer.accumulated
    block = next(each for each in period.slices.blocks if each.name == "errors")
    assert not block.series
    assert "has no label zone" in block.reason


def test_values_of_the_label_are_looked_for_in_all_metrics(prometheus):
    made = truth()
    for model, rate in RATES.items():
        target = {"job": "models", "instance": model}
        made.counter("calls_total", {**target, "path": f"/p/{model}"}, rate)
        for path in (f"/p/{model}", f"/p/{model}/"):
            made.counter("bad_total", {**target, "path": path}, rate * 0.05)
    named = {"AB_REQUESTS": "calls_total", "AB_ERRORS": "bad_total", "AB_MODEL_LABEL": "path", "AB_MODEL_PATTERN": r"/p/(\w+)/?"}
    assert errors(read(prometheus, made, ("baseline", "enhanced"), **named)) == some(0.1)


def test_edges_in_milliseconds_are_found_however_they_are_spelt_by_now(prometheus):
    made = truth(hours=8)
    for model, rate in RATES.items():
        for spelt, when in (("200", {"ends_at": END - 3 * HOUR}), ("200.0", {"starts_at": END - 3 * HOUR + 30})):
            own = {"model": model, "job": "models", "instance": model, "le": spelt}
            grown = {"ends_at": when.get("ends_at"), "starts_at": when.get("starts_at")}
            made.gauge("lat_bucket", own, lambda at, rate=rate: float(int(rate * 0.5 * (at - made.start) + 1e-6)), **grown)
        target = {"model": model, "job": "models", "instance": model}
        made.counter("lat_bucket", {**target, "le": "+Inf"}, rate)
        made.counter("lat_count", target, rate)
        made.counter("lat_sum", target, rate * 100)
        made.counter("calls_total", target, rate)
    settings = {
        **CALLS,
        "AB_ERRORS": "none",
        "AB_LATENCY": "lat",
        "AB_LATENCY_UNIT": "ms",
        "AB_LATENCY_OBJECTIVE_MS": "200",
        "AB_START": f"{END - 5.5 * HOUR:.0f}",
    }
    answer = ask(prometheus(made).url, window_seconds=HOUR, **settings)
    (period,) = answer.accumulated
    within, counted = period.total("latency_within"), values(period.total("requests"))
    assert counted == {model: rate * 5.5 * HOUR for model, rate in RATES.items()}
    assert values(within) == {model: pytest.approx(rate * 2.75 * HOUR, abs=rate * 60) for model, rate in RATES.items()}


def test_labels_of_the_frameworks_own_stay_apart(prometheus):
    """Two series that differ in a label of the tool's own name alone, or in one that it uses inside."""
    made = truth()
    for model, rate in RATES.items():
        for index, other in enumerate(("r18", "r50")):
            own = {"svc": model, "job": "models", "instance": model, "exported_model_name": f"x{index}", "family": f"f{index}", "model_name": other}
            for name, share in (("ok_total", 0.9), ("bad_total", 0.1)):
                made.counter(name, own, rate * share / 2)
    named = {"AB_REQUESTS": "ok_total + bad_total", "AB_ERRORS": "bad_total", "AB_MODEL_LABEL": "svc", "AB_SLICE_LABEL": "family"}
    answer = read(prometheus, made, **named)
    assert values(answer.instant("requests")) == pytest.approx(REQUESTS, abs=4)
    assert errors(answer) == some(0.1)
    assert {*answer.accumulated[0].slices.values} == {"f0", "f1"}


def test_the_models_label_may_be_exported_model_name(prometheus):
    made = truth()
    for model, rate in RATES.items():
        made.counter("calls_total", {"model_name": "gateway", "exported_model_name": model, "job": "models", "instance": model}, rate)
    answer = read(prometheus, made, AB_REQUESTS="calls_total", AB_ERRORS="none", AB_MODEL_LABEL="exported_model_name")
    assert values(answer.instant("requests")) == pytest.approx(REQUESTS)


def test_the_label_model_name_may_be_on_response_times_alone(prometheus):
    made = calls(truth(), share=0)
    for model, rate in RATES.items():
        for name in ("r18", "r50"):
            made.histogram("lat_seconds", {"model": model, "model_name": name, "job": "models", "instance": model}, {0.1: rate / 2, 0.5: 0})
    answer = read(prometheus, made, **CALLS, AB_ERRORS="none", AB_LATENCY="lat_seconds")
    assert values(answer.instant("latency_count")) == pytest.approx(REQUESTS)


def test_a_pattern_of_model_name_itself_adds_up_a_variants_versions(prometheus):
    made = truth()
    for model, rate in RATES.items():
        for version in ("v1", "v2"):
            made.counter("ts_inference_requests_total", {"model_name": f"{model}-{version}", "job": "models", "instance": "one"}, rate / 2)
    answer = read(prometheus, made, AB_METRICS="torchserve", AB_MODEL_PATTERN=r"(\w+)-v\d")
    assert values(answer.instant("requests")) == pytest.approx(REQUESTS)


def test_a_pattern_whose_group_finds_nothing_counts_nowhere(prometheus):
    made = truth()
    for path, rate in {"/m/baseline/p": 2.0, "/m/enhanced/p": 1.0}.items():
        made.counter("calls_total", {"path": path, "job": "models", "instance": "one"}, rate)
    answer = read(prometheus, made, AB_REQUESTS="calls_total", AB_ERRORS="none", AB_MODEL_LABEL="path", AB_MODEL_PATTERN="/m/(baseline)/p|/m/enhanced/p")
    assert values(answer.instant("requests")) == {"baseline": REQUESTS["baseline"]}


def test_a_guardrails_values_are_what_they_are(prometheus):
    made = calls(truth())
    for model, rate in RATES.items():
        made.counter("ev_total", {"model": model, "job": "models", "instance": f"{model}-1", "path": 'a$b"c\\d'}, rate * 0.01)
    answer = read(prometheus, made, **CALLS, AB_ERRORS="none", AB_GUARDRAILS='ev:ev_total{path="a$b\\"c\\\\d"}:1')
    assert values(answer.instant("ev")) == some(0.01)


def test_hundreds_of_paths_stand_in_no_address(prometheus, monkeypatch):
    made = PrometheusTruth(start=END - 4 * HOUR, end=END, scrape_seconds=300)
    for index in range(400):
        for model in (*RATES, "other"):
            made.counter("calls_total", {"path": f"/{index}/a-rather-long-name-of-a-path/{model}", "job": "m", "instance": "one"}, 0.01)
    longest = []
    asked = PrometheusAbSource.ask_plainly

    def measured(self, questions, deadline):
        longest.extend(len(question.parameters.get("match[]", "")) for question in questions)
        return asked(self, questions, deadline)

    monkeypatch.setattr(PrometheusAbSource, "ask_plainly", measured)
    named = {"AB_REQUESTS": "calls_total", "AB_ERRORS": "none", "AB_MODEL_LABEL": "path", "AB_MODEL_PATTERN": r"/\d+/a-rather-long-name-of-a-path/(\w+)"}
    answer = read(prometheus, made, ("baseline", "enhanced"), **named)
    assert values(answer.instant("requests")) == {model: pytest.approx(400 * 0.01 * 3 * HOUR, rel=0.02) for model in RATES}
    assert max(longest) < 6000


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"AB_REQUESTS": "ok_total + ok_total"}, "names ok_total twice"),
        ({"AB_REQUESTS": " + ".join(f"m{index}_total" for index in range(11))}, "at most 10"),
        ({"AB_MODEL_PATTERN": r"/(?=a)(\w+)"}, "which all engines read alike"),
        ({"AB_MODEL_LABEL": "le"}, "label that tells the model"),
        ({"AB_LATENCY": "x_bucket"}, "without its ending _bucket"),
        ({"AB_METRICS": "mlserver", "AB_LATENCY_COUNT": "a_total"}, "AB_LATENCY_COUNT divides a counter of time"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(settings, words):
    with pytest.raises(SettingsError) as refused:
        load_settings(environment=settings)
    assert words in str(refused.value)


def test_lists_of_a_file_are_lists(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('requests = "a"\nerrors = "none"\nlatency = "none"\nmodel_label = "m"\ncannot_tell = "abc"\n', encoding="utf-8")
    with pytest.raises(SettingsError, match="cannot_tell"):
        load_settings(environment={"AB_METRICS": str(path)})


def test_what_belongs_to_an_overridden_name_goes_with_it():
    triton = load_settings(environment={"AB_METRICS": "triton", "AB_LATENCY": "my_seconds", "AB_LATENCY_KIND": "histogram"}).serving
    assert (triton.latency.count, triton.latency.unit_seconds) == (None, 1.0)
    istio = load_settings(environment={"AB_METRICS": "istio", "AB_LATENCY": "my_microseconds"}).serving
    assert istio.latency.unit_seconds == 1e-6
    assert load_settings(environment={"AB_ERRORS": "NONE"}).serving.errors is None


def lines(url, **settings):
    return [*prometheus_checks(settings_of(url, AB_WINDOW="3h", **settings), datetime.fromtimestamp(END, UTC))]


def test_the_connection_test_counts_what_is_left_and_warns_of_a_pattern_that_lacks(prometheus):
    found = lines(prometheus(began({"baseline": {}, "enhanced": {}})).url, **{**DIFFERENCE, "AB_REQUESTS": "began_total - ended_total", "AB_ERRORS": "none"})
    (line,) = [each for each in found if each.name == FRAMEWORKS]
    assert "baseline 2,16" in line.found  # of 43,200 that began in six hours
    fastapi = Exposition.of("fastapi-instrumentator-8.1.0").grown(start=END - 2 * HOUR, end=END)
    (line,) = [each for each in lines(prometheus(fastapi).url, AB_METRICS="fastapi") if each.name == FRAMEWORKS]
    assert line.ok is CheckState.WARNING
    assert "AB_MODEL_PATTERN='/([^/]+)/predict'" in line.fix


def test_of_metrics_that_are_not_there_none_is_said_to_be(prometheus):
    made = truth()
    made.counter("ab_test_requests_total", {"model_name": "baseline", "job": "m", "instance": "i"}, 1.0)
    url = prometheus(made).url
    assert "none of the metrics of AB_METRICS=mlserver is there" in ask(url, window_seconds=3 * HOUR, AB_METRICS="mlserver").status.reason
    assert "totl is there" not in ask(url, window_seconds=3 * HOUR, AB_REQUESTS="ab_test_requests_totl").status.reason


def test_no_text_has_the_tools_own_names_where_a_framework_lacks_something(prometheus):
    truth_ = Exposition.of("torchserve-0.12.0").grown(start=END - 2 * HOUR, end=END)
    answer = ask(prometheus(truth_).url, window_seconds=3 * HOUR, AB_METRICS="torchserve")
    texts = [text for each in (*answer.instants, *answer.timelines) for text in (each.query, each.reason or "", each.notes)]
    assert not [text for text in texts if "ab_test_re" in text or "ab_test_err" in text]


def test_a_name_that_is_the_tools_own_too_is_told_once(prometheus):
    made = truth()
    for name in ("ab_test_requests_total", "legacy_total"):
        made.counter(name, {"model_name": "baseline", "job": "m", "instance": "i"}, 1.0)
    found = lines(prometheus(made).url, AB_REQUESTS="ab_test_requests_total + legacy_total")
    assert not [each for each in found if "legacy_total + legacy_total" in each.found]
