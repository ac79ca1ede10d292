"""An MLflow server that answers with any JSON, in the shape of an answer or around it, costs its values and never the page."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from live_dashboards.analysis.business.report import build_business_report
from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.errors import SourceError
from live_dashboards.model.snapshot import MLFLOW, PROMETHEUS, MlflowAnswer, PrometheusAnswer, Snapshot, SourceState, SourceStatus
from live_dashboards.settings import load_settings
from tests.sources.mlflow_reading import DAY_SECONDS, NOW
from tests.sources.mlflow_ways import read
from tests.support.invented_server import InventedServer

NOW_MS = int(NOW.timestamp() * 1000)
UNASKED = PrometheusAnswer(SourceStatus(PROMETHEUS, SourceState.NOT_CONFIGURED, "not configured"))
TIMES = st.sampled_from([NOW_MS - 1000, str(NOW_MS - 60_000), NOW_MS + 10**9, 0, -5, 1e300, -1e300, None, 253_402_300_799_000, *[NOW_MS - 9000] * 4])
NUMBERS = st.sampled_from([0.8, 0.9, 80, 0, -1, 1e300, 1.7e308, -1.7e308, 5e-324, "NaN", "Infinity", "1e400", "0.7"])
TEXTS = st.sampled_from(["a", "", "\x00", "5000", "1e400", "nan", "-3", "9" * 5000, 5, None])
KEYS = st.sampled_from(["accuracy", "precision", "recall", "f1", "true_positives", "false_positives", "false_negatives", "test_size", "x"])
METRICS = st.lists(st.fixed_dictionaries({"key": KEYS, "value": NUMBERS}, optional={"timestamp": TIMES}), max_size=8)
PARAMS = st.builds(
    lambda variant, count: [{"key": "model_variant", "value": variant}, {"key": "test_size", "value": count}],
    st.sampled_from(["baseline", "enhanced", "third", " ", 5]),
    TEXTS,
)
INFO = st.fixed_dictionaries(
    {"experiment_id": st.just("1"), "run_id": st.sampled_from(["r1", "r2", "r3", "r4"]), "status": st.sampled_from(["FINISHED", "RUNNING"])},
    optional={"start_time": TIMES, "end_time": TIMES, "run_name": TEXTS},
)
ODD = st.sampled_from([10**400, math.nan, math.inf, "x", "\ud800", 5, [], [5], {}, {"info": None}, None])
RUNS = st.lists(st.fixed_dictionaries({"info": INFO, "data": st.fixed_dictionaries({"params": PARAMS, "metrics": METRICS})}), min_size=2, max_size=6)
VERSIONS = st.lists(st.fixed_dictionaries({"name": TEXTS, "version": st.sampled_from(["1", 2]), "creation_timestamp": TIMES, "run_id": st.just("r1")}), max_size=2)
IN_SHAPE = st.fixed_dictionaries(
    {
        "experiments/search": st.just({"experiments": [{"experiment_id": "1", "name": "ab", "lifecycle_stage": "active"}]}),
        "runs/search": st.fixed_dictionaries({"runs": RUNS}),
        "metrics/get-history": st.fixed_dictionaries({"metrics": METRICS}),
        "model-versions/search": st.fixed_dictionaries({"model_versions": VERSIONS}),
        "registered-models/get": st.just({"registered_model": {"aliases": [{"alias": "champion", "version": "1"}]}}),
    }
)


@st.composite
def around_the_shape(draw):
    """Documents of which one place holds something else."""
    documents = json.loads(json.dumps(draw(IN_SHAPE)))
    holder, key = documents, draw(st.sampled_from(sorted(documents)))
    while isinstance(holder[key], (dict, list)) and holder[key] and draw(st.integers(0, 4)):
        holder = holder[key]
        key = draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
    holder[key] = draw(ODD)
    return documents


@pytest.fixture(scope="module")
def invented():
    with InventedServer() as server:
        yield server


def two_arms(run_id="r1", key="accuracy", **metric):
    """The documents of an A/B test with this metric in each run."""
    runs = [
        {
            "info": {"experiment_id": "1", "run_id": f"{run_id}{variant}", "status": "FINISHED", "start_time": NOW_MS - 5000},
            "data": {"params": [{"key": "model_variant", "value": variant}], "metrics": [{"key": key, "timestamp": NOW_MS - 1000, **metric}]},
        }
        for variant in ("baseline", "enhanced")
    ]
    return {
        "experiments/search": {"experiments": [{"experiment_id": "1", "name": "ab", "lifecycle_stage": "active"}]},
        "runs/search": {"runs": runs},
        "metrics/get-history": {"metrics": runs[0]["data"]["metrics"]},
        "model-versions/search": {},
        "registered-models/get": {},
    }


def pages(invented, documents, **more):
    """Both pages of what the server answers, or of its failure."""
    bodies = {path: json.dumps(document).encode() for path, document in documents.items()}
    invented.answer = lambda question: next((body for path, body in bodies.items() if path in question), b"{}")
    environment = {"MLFLOW_TRACKING_URI": invented.url, **more}
    try:
        answer = read(environment)
    except SourceError as error:
        answer = MlflowAnswer(SourceStatus(MLFLOW, SourceState.FAILED, error.reason, error.fix))
    snapshot = Snapshot(NOW, DAY_SECONDS, answer, UNASKED, NOW)
    return answer, [build(snapshot, None, load_settings(environment=environment)) for build in (build_ab_report, build_business_report)]


@settings(max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(documents=IN_SHAPE | around_the_shape(), unit=st.sampled_from(["auto", "fraction"]))
@example(documents=two_arms(value=1.7e308), unit="fraction")
@example(documents=two_arms("\ud800", value=0.8), unit="auto")
def test_any_json_is_an_answer_or_a_source_error_and_there_are_pages_of_it(invented, documents, unit):
    _, built = pages(invented, documents, AB_ACCURACY_UNIT=unit)
    assert [page.at for page in built] == [NOW, NOW]


@pytest.mark.parametrize(("start_ms", "is_told"), [(221_845_391_999_000, True), (253_402_300_799_000, False), (1e300, False), (-5, False)])
def test_a_run_has_a_start_only_where_the_calendar_goes_on(invented, start_ms, is_told):
    documents = two_arms(value=0.8)
    documents["runs/search"]["runs"][0]["info"]["start_time"] = start_ms
    answer, _ = pages(invented, documents)
    starts = {run.variant: run.started_at for run in answer.runs}
    assert (starts["baseline"] is not None, starts["enhanced"] is not None) == (is_told, True)
