"""A Prometheus that answers with any JSON, in the shape of an answer or around it, costs its values and never the page."""

from __future__ import annotations

import json
import math
import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from live_dashboards.analysis.business.report import build_business_report
from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.errors import SourceError
from live_dashboards.model.snapshot import MLFLOW, PROMETHEUS, MlflowAnswer, PrometheusAnswer, Snapshot, SourceState, SourceStatus
from live_dashboards.sources.prometheus.grid import MOST_POINTS
from tests.sources.prometheus_reading import END, HOUR, ask, settings_of, values
from tests.support.invented_server import InventedServer

AT = datetime.fromtimestamp(END, UTC)
DAY = 86_400
BASELINE = {"model_name": "baseline"}
TEXTS = st.sampled_from(["10", "7", "0", "0.5", "-5", "1e18", "1e300", "-1e308", "5e-324", "NaN", "+Inf", f"{END - 30}", f"{END + 30}", f"{END - 2 * HOUR}", "x"])
MOMENTS = st.sampled_from([END, END - 60, END - HOUR, END - 30 * DAY, END + 1e6, 0.0, -1e9, 1e11, 1e18, 1e300, math.nan, math.inf, 10**400, "1", "x", None, True])
LABELS = st.fixed_dictionaries(
    {"model_name": st.sampled_from(["baseline", "enhanced", "other", ""])},
    optional={
        "le": st.sampled_from(["0.1", "0.25", "+Inf", "-Inf", "-1", "1e400", "NaN", "x"]),
        "status": st.sampled_from(["200", "500"]),
        "metric_type": st.just("revenue"),
        "experiment": st.sampled_from(["A", "B"]),
        "odd": st.sampled_from([*["x"] * 12, 5, None, [], "\ud800", "\x00"]),
    },
)
NAMES = st.sampled_from(["metric", "value", "values", "x"])
ANY_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
IN_ORDER = st.builds(
    lambda step, texts: [[END - step * number, text] for number, text in reversed(list(enumerate(texts)))],
    st.sampled_from([15, 60, 900, DAY]),
    st.lists(TEXTS, max_size=8),
)
POINTS = IN_ORDER | st.lists(st.tuples(MOMENTS, TEXTS) | ANY_JSON, max_size=3)
VECTORS = st.lists(st.fixed_dictionaries({"metric": LABELS, "value": st.tuples(st.just(END) | MOMENTS, TEXTS)}), max_size=5)
MATRICES = st.lists(st.fixed_dictionaries({"metric": LABELS, "values": POINTS}), max_size=4)
DATA = st.one_of(
    st.fixed_dictionaries({"resultType": st.just("vector"), "result": VECTORS}),
    st.fixed_dictionaries({"resultType": st.just("matrix"), "result": MATRICES}),
    st.fixed_dictionaries({"resultType": st.sampled_from(["vector", "matrix", "scalar", [], None]), "result": ANY_JSON}),
    st.lists(st.sampled_from(["A", "B", 5, None, "\ud800"]), max_size=3),
    ANY_JSON,
)
DOCUMENTS = st.fixed_dictionaries(
    {"status": st.just("success"), "data": DATA}, optional={"warnings": st.just(5), "infos": st.just([None, "said"]), "isPartial": st.just(True)}
)
ASKED_FIRST = ("vector(1)", "count by (experiment, status)")  # whether there is a server, and whether there are requests


def vector(value, *labels):
    return {"status": "success", "data": {"resultType": "vector", "result": [{"metric": each, "value": [END, value]} for each in labels or [BASELINE]]}}


def matrix(points):
    return {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": BASELINE, "values": points}]}}


@pytest.fixture(scope="module")
def invented():
    with InventedServer() as server:
        yield server


def answering(documents, *, is_found):
    """What answers each question with one of the documents, the same question with the same one; `is_found`: that there are requests is told in any case."""
    bodies, found = [json.dumps(document).encode() for document in documents], json.dumps(vector("10", {"status": "500"})).encode()

    def answer(question):
        if is_found and any(words in question for words in ASKED_FIRST):
            return found
        return bodies[zlib.crc32(question.partition("&timeout=")[0].encode()) % len(bodies)]

    return answer


@settings(max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(documents=st.lists(DOCUMENTS, min_size=1, max_size=8), is_found=st.booleans())
@example(documents=[matrix([])], is_found=True)
@example(documents=[matrix([[math.nan, "1"]])], is_found=True)
@example(documents=[matrix([[1e300, "1"]])], is_found=True)
@example(documents=[matrix([[END - 1e8, "1"], [END, "1"]])], is_found=True)
@example(documents=[vector("10", {"model_name": 5})], is_found=True)
@example(documents=[vector("10", {"model_name": "\ud800"})], is_found=True)
@example(documents=[vector("1e18")], is_found=True)
@example(documents=[vector("-5")], is_found=True)
@example(documents=[vector("10", {**BASELINE, "le": "-Inf"}, {**BASELINE, "le": "+Inf"})], is_found=True)
@example(documents=[vector("1e308", BASELINE, {"model_name": "baseline-predictor"})], is_found=True)
@example(documents=[vector(10**400)], is_found=True)
@example(documents=[{**vector("10"), "warnings": 5}], is_found=False)
def test_any_json_is_an_answer_or_a_source_error_and_there_are_pages_of_it(invented, documents, is_found):
    invented.answer = answering(documents, is_found=is_found)
    try:
        answer = ask(invented.url)
    except SourceError as error:
        answer = PrometheusAnswer(SourceStatus(PROMETHEUS, SourceState.FAILED, error.reason, error.fix))
    snapshot = Snapshot(AT, HOUR, MlflowAnswer(SourceStatus(MLFLOW, SourceState.NOT_CONFIGURED, "not configured")), answer, AT)
    assert all(len(series.points) <= MOST_POINTS + 1 for each in (*answer.timelines, *answer.blocks) for series in each.series)
    for build in (build_ab_report, build_business_report):
        assert build(snapshot, None, settings_of(invented.url)).at == AT


@pytest.mark.parametrize(
    ("value", "words", "reason"),
    [("-5", "counts that cannot be, such as -5", "was last seen"), ("1e18", "moments that cannot be, such as 1e+18", "only NaN, or what cannot be")],
)
def test_what_cannot_be_is_missing_and_told(invented, value, words, reason):
    invented.answer = answering([vector(value)], is_found=True)
    answer = ask(invented.url)
    assert words in " ".join(answer.status.warnings)
    assert answer.instant("requests").series == ()
    assert reason in answer.instant("requests").reason
    assert values(answer.instant("online_accuracy")) == {"baseline": float(value)}


@pytest.mark.parametrize("document", [matrix([[math.nan, "1"]]), matrix([[1e300, "1"]]), matrix([[END, "1"], [END, "1"]]), vector("10", {"model_name": 5})])
def test_what_is_no_moment_no_order_or_no_label_is_no_answer_of_prometheus(invented, document):
    invented.answer = answering([document], is_found=False)
    with pytest.raises(SourceError, match="JSON with a result of another shape"):
        ask(invented.url)


def test_less_than_one_sample_in_an_hour_is_no_interval_between_scrapes(invented):
    texts = {False: json.dumps(vector("0")).encode(), True: json.dumps(vector("5e-324")).encode()}
    invented.answer = lambda question: texts["[1h]))" in question]
    assert "[5m]" in ask(invented.url).timeline("request_rate").query


def test_a_date_that_no_calendar_holds_tells_no_clock(invented):
    invented.answer, invented.date = answering([vector("10")], is_found=True), "Thu, 01 Jan 99999999999 00:00:00 GMT"
    assert ask(invented.url).status.clock_difference_seconds is None
