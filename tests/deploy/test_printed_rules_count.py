"""What `live-dashboards rules` prints for presets counts as the page does: each by promtool on series as a framework has them."""

from __future__ import annotations

import json

import pytest

from live_dashboards.sources.prometheus.rules import rules_text
from tests.deploy.test_printed_rules import promtool, serving_of

BY_MODEL, BY_EDGE = "experiment_model_name", "experiment_le_model_name"
REQUESTS, ERRORS = f"{BY_MODEL}:ab_test_requests:increase5m", f"{BY_MODEL}:ab_test_errors:increase5m"
REQUESTS_UNSEEN, ERRORS_UNSEEN = (name.replace(":increase5m", "_unseen:increase5m") for name in (REQUESTS, ERRORS))
ERRORS_RATE = f"{BY_MODEL}:ab_test_errors:rate5m"
LATENCY = "ab_test_response_time_seconds"
SUM, COUNT = (f"{BY_MODEL}:{LATENCY}_{ending}:increase5m" for ending in ("sum", "count"))
BUCKETS = f"{BY_EDGE}:{LATENCY}_bucket:increase5m"


@pytest.fixture
def records(tmp_path):
    """`records(preset, series, expected, **settings)`: of series by their values, at 15m: what was counted from 9m to 14m in ten scrapes."""

    def check(preset, series, expected, **settings):
        (tmp_path / "rules.yml").write_text(rules_text(serving_of(preset, **settings)))
        cases = [{"expr": name, "eval_time": "15m", "exp_samples": [sample(name, *each) for each in samples]} for name, samples in expected.items()]
        test = {
            "interval": "29s",  # no scrape at either end of a step
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": cases,
        }
        (tmp_path / "test.yml").write_text(json.dumps({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}))
        promtool("test", "rules", tmp_path / "test.yml")

    return check


def sample(name, value, model, le="", experiment=""):
    labels = [("experiment", experiment), ("le", le), ("model_name", model)]
    inner = ", ".join(f'{label}="{text}"' for label, text in labels if text)
    return {"labels": f"{name}{{{inner}}}", "value": value}


def bentoml(model, code):
    return f'bentoml_service_request_total{{service_name="{model}", http_response_code="{code}", job="j", instance="{model}"}}'


def test_bentoml_failed_requests_are_a_part_of_all_and_0_where_none_has_failed(records):
    records(
        "bentoml",
        {bentoml("baseline", 200): "0+10x40", bentoml("baseline", 500): "0+1x40", bentoml("enhanced", 200): "0+5x40"},
        {
            REQUESTS: [(110, "baseline"), (50, "enhanced")],
            ERRORS: [(10, "baseline"), (0, "enhanced")],
            ERRORS_UNSEEN: [(0, "baseline"), (0, "enhanced")],
            f"{BY_MODEL}:ab_test_errors_per_request:ratio_rate5m": [(1 / 11, "baseline"), (0, "enhanced")],
        },
    )


def test_bentoml_the_first_error_of_each_code_counts_as_its_requests_have_grown(records):
    records(
        "bentoml",
        {bentoml("m", 200): "0+10x40", bentoml("m", 500): "0+1x40", bentoml("m", 503): "_x22 3+1x20", bentoml("m", 504): "_x22 900+1x20"},
        {
            REQUESTS: [(100 + 10 + 9 + 6, "m")],
            ERRORS: [(10 + 9 + 6, "m")],
            REQUESTS_UNSEEN: [(900, "m")],
            ERRORS_UNSEEN: [(900, "m")],
        },
    )


def test_bentoml_without_the_label_that_tells_errors_there_are_none_recorded(records):
    records("bentoml", {'bentoml_service_request_total{service_name="m"}': "0+10x40"}, {REQUESTS: [(100, "m")], ERRORS: [], ERRORS_RATE: []})


def test_bentoml_response_times_are_summed_by_edge(records):
    seconds = 'bentoml_service_request_duration_seconds_{}{{service_name="m"}}'
    bucket = 'bentoml_service_request_duration_seconds_bucket{{service_name="m", le="{}"}}'
    records(
        "bentoml",
        {seconds.format("count"): "0+10x40", seconds.format("sum"): "0+0.5x40", bucket.format("0.1"): "0+6x40", bucket.format("+Inf"): "0+10x40"},
        {SUM: [(5, "m")], COUNT: [(100, "m")], BUCKETS: [(60, "m", "0.1"), (100, "m", "+Inf")]},
    )


def test_errors_of_a_counter_of_their_own_are_not_recorded_as_0_where_there_is_none(records):
    """Whether an exporter would have counted one is found out by the dashboards, as of the tool's own names."""
    records(
        "bentoml",
        {bentoml("a", 200): "0+10x40", bentoml("b", 200): "0+10x40", 'failures_total{service_name="a", kind="timeout"}': "0+1x40"},
        {REQUESTS: [(100, "a"), (100, "b")], ERRORS: [(10, "a")]},
        AB_ERRORS='failures_total{kind="timeout"}',
    )


def kserve(stage, model):
    return f'request_{stage}_seconds_count{{model_name="{model}", job="j", instance="{model}"}}'


def test_kserve_errors_are_what_was_not_answered_and_a_late_answer_is_taken_back(records):
    """Sums over steps are right to the requests that were under way at their ends; one step may be below 0."""
    records(
        "kserve",
        {
            kserve("predict", "baseline"): "0+10x40",
            kserve("postprocess", "baseline"): "0+9x40",
            kserve("predict", "lagging"): "0+10x40",
            kserve("postprocess", "lagging"): "0+10x17 179 190+10x20",
            kserve("predict", "never"): "0+10x40",
        },
        {
            REQUESTS: [(100, "baseline"), (100, "lagging"), (100, "never")],
            ERRORS: [(10, "baseline"), (-1, "lagging"), (100, "never")],
            ERRORS_UNSEEN: [(0, "baseline"), (0, "lagging"), (0, "never")],
        },
    )


def test_kserve_what_answers_began_with_leaves_errors_open(records):
    """Requests of an instance are seen first together with their answers, of which nothing tells when they were counted."""
    records(
        "kserve",
        {kserve("predict", "m"): "_x22 70+10x20", kserve("postprocess", "m"): "_x22 50+9x20"},
        {REQUESTS: [(60, "m")], REQUESTS_UNSEEN: [(70, "m")], ERRORS: [(60 - 54 - 50, "m")], ERRORS_UNSEEN: [(70 + 50, "m")]},
    )


def test_kserve_no_answer_at_all_tells_nothing_of_errors(records):
    records("kserve", {kserve("predict", "m"): "0+10x40"}, {REQUESTS: [(100, "m")], ERRORS: [], ERRORS_UNSEEN: [(0, "m")], ERRORS_RATE: []})


def test_mlserver_requests_are_both_counters_and_their_time_has_no_buckets(records):
    of = '{}{{model="{}", job="j", instance="i"}}'.format
    records(
        "mlserver",
        {
            of("model_infer_request_success_total", "baseline"): "0+10x40",
            of("model_infer_request_failure_total", "baseline"): "_x22 2+1x20",
            of("model_infer_request_success_total", "enhanced"): "0+4x40",
            of("model_infer_request_duration_sum", "baseline"): "0+0.25x40",
            of("model_infer_request_duration_count", "baseline"): "0+10x40",
        },
        {
            REQUESTS: [(108, "baseline"), (40, "enhanced")],
            ERRORS: [(8, "baseline"), (0, "enhanced")],
            REQUESTS_UNSEEN: [(0, "baseline"), (0, "enhanced")],
            SUM: [(2.5, "baseline")],
            COUNT: [(100, "baseline")],
            BUCKETS: [],
        },
    )


def test_ray_edges_are_in_seconds_and_its_sum_is_none(records):
    bucket = 'ray_serve_deployment_processing_latency_ms_bucket{{application="m", le="{}"}}'.format
    others = 'ray_serve_deployment_{}{{application="m", deployment="d"}}'.format
    series = {bucket(edge): f"0+{rate}x40" for edge, rate in (("0.5", 0), ("50.0", 5), ("200", 8), ("1e+06", 9), ("+Inf", 10))}
    records(
        "ray",
        {**series, others("request_counter_total"): "0+9x40", others("error_counter_total"): "0+1x40", others("processing_latency_ms_sum"): "0+9x40"},
        {
            REQUESTS: [(100, "m")],
            ERRORS: [(10, "m")],
            BUCKETS: [(0, "m", "0.5e-3"), (50, "m", "50.0e-3"), (80, "m", "200e-3"), (90, "m", "1e3"), (100, "m", "+Inf")],
            SUM: [],
            f"{BY_MODEL}:{LATENCY}:p95_rate5m": [(1000, "m")],
        },
    )


def test_tfserving_edges_and_sums_are_in_seconds(records):
    bucket = ':tensorflow:serving:request_latency_bucket{{model_name="m", le="{}"}}'.format
    rates = (("10", 0), ("58.32", 1), ("110199", 8), ("1.07375e+06", 9), ("1.0E7", 9), ("+Inf", 10))
    series = {bucket(edge): f"0+{rate}x40" for edge, rate in rates}
    records(
        "tfserving",
        {**series, ':tensorflow:serving:request_latency_sum{model_name="m"}': "0+250000x40"},
        {
            BUCKETS: [(10 * rate, "m", edge) for (_, rate), edge in zip(rates, ("10e-6", "58.32e-6", "110199e-6", "1.07375e0", "1.0e1", "+Inf"), strict=True)],
            SUM: [(2.5, "m")],
        },
    )


def test_triton_time_is_divided_by_what_succeeded(records):
    records(
        "triton",
        {'nv_inference_request_duration_us{model="m"}': "0+250000x40", 'nv_inference_request_success{model="m"}': "0+10x40"},
        {SUM: [(2.5, "m")], COUNT: [(100, "m")], REQUESTS: [(100, "m")], ERRORS: [(0, "m")]},
    )


def test_fastapi_variants_are_what_the_pattern_finds(records):
    of = 'http_requests_total{{handler="{}", status="{}", method="POST"}}'.format
    records(
        "fastapi",
        {
            of("/v1/baseline/predict", "2xx"): "0+10x40",
            of("/v2/baseline/predict", "2xx"): "0+1x40",
            of("/v2/baseline/predict", "5xx"): "0+2x40",
            of("/enhanced/predict", "2xx"): "0+7x40",
            of("/health", "2xx"): "0+50x40",
            of("/metrics", "2xx"): "0+50x40",
        },
        {REQUESTS: [(130, "baseline"), (70, "enhanced")], ERRORS: [(20, "baseline"), (0, "enhanced")]},
    )


def test_seldon_models_of_one_predictor_are_added_up(records):
    """Its series have a label model_name of their own, for another thing."""
    of = 'seldon_api_executor_client_requests_seconds_count{{predictor_name="baseline", model_name="{}", code="{}"}}'.format
    records("seldon", {of("a", 200): "0+10x40", of("b", 200): "0+1x40", of("b", 500): "0+2x40"}, {REQUESTS: [(130, "baseline")], ERRORS: [(20, "baseline")]})


def test_the_label_that_prometheus_makes_of_the_tools_own_may_be_that_of_the_model(records):
    of = 'ab_test_requests_total{{exported_model_name="m", model_name="{}", status="{}"}}'.format
    records(
        "ab_test",
        {of("host 1", "success"): "0+10x40", of("host 2", "success"): "0+1x40"},
        {REQUESTS: [(110, "m")], f"{BY_MODEL}:ab_test_requests_failed:increase5m": [(0, "m")], ERRORS: []},
        AB_MODEL_LABEL="exported_model_name",
    )


def test_series_without_the_label_experiment_are_recorded_without_it_and_others_with_it(records):
    of = 'bentoml_service_request_total{{service_name="m", http_response_code="200"{}}}'.format
    records("bentoml", {of(', experiment="a"'): "0+10x40", of(""): "0+1x40"}, {REQUESTS: [(100, "m", "", "a"), (10, "m")]})
