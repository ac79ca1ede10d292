"""Which variant a model is, and who is baseline and challenger."""

from datetime import UTC, datetime

import pytest

from live_dashboards.model.snapshot import MLFLOW, PROMETHEUS, Answer, Experiment, MlflowAnswer, PrometheusAnswer, SourceState, SourceStatus, Timeline
from live_dashboards.model.variants import roles, variants_of_models
from live_dashboards.settings import load_settings

AT = datetime(2026, 11, 20, tzinfo=UTC)


def mlflow(**runs: int) -> MlflowAnswer:
    experiment = Experiment(1, "test", "default", tuple(runs.items()), AT)
    return MlflowAnswer(SourceStatus(MLFLOW, SourceState.ANSWERED), experiment="test", experiments=(experiment,) if runs else ())


def prometheus(**requests: float) -> PrometheusAnswer:
    series = tuple(Timeline((("model_name", name.replace("__", "-")),), ((0.0, count),)) for name, count in requests.items())
    return PrometheusAnswer(SourceStatus(PROMETHEUS, SourceState.ANSWERED), instants=(Answer("requests", "q", "count", series),))


def settings(**values: str):
    return load_settings(environment=values)


def test_a_model_is_the_variant_it_starts_with():
    assert variants_of_models(["baseline-predictor", "enhanced_v2"], [["baseline", "enhanced"]], {}) == {"baseline-predictor": "baseline", "enhanced_v2": "enhanced"}


def test_the_longest_match_wins():
    assert variants_of_models(["model-b-x"], [["model", "model-b"]], {}) == {"model-b-x": "model-b"}


def test_a_start_without_a_separator_is_no_match():
    assert variants_of_models(["baselines"], [["baseline"]], {}) == {"baselines": "baselines"}


def test_an_earlier_group_of_candidates_wins_over_a_longer_match():
    assert variants_of_models(["model-b-x"], [["model"], ["model-b"]], {}) == {"model-b-x": "model"}


def test_aliases_come_first():
    assert variants_of_models(["svc-17"], [["baseline"]], {"svc-17": "baseline"}) == {"svc-17": "baseline"}


def test_names_that_match_none_drop_the_ending_they_share():
    assert variants_of_models(["control-predictor", "challenger-predictor"], [], {}) == {
        "control-predictor": "control",
        "challenger-predictor": "challenger",
    }


def test_names_without_a_shared_ending_stay():
    assert variants_of_models(["model-v1", "model-v2"], [], {}) == {"model-v1": "model-v1", "model-v2": "model-v2"}


def test_enhanced_is_the_default_challenger_even_with_less_traffic():
    found = roles(mlflow(), prometheus(baseline=10, enhanced=1, third=100), settings())
    assert (found.baseline, found.challenger, found.names) == ("baseline", "enhanced", ("baseline", "enhanced", "third"))


@pytest.mark.parametrize("traffic", [{"a": 999, "b": 998}, {"a": 998, "b": 999}, {"b": 50}])
def test_else_the_first_by_name_is_the_challenger_whatever_its_traffic(traffic):
    """9.99 % against 9.97 % of the traffic may not decide whom the page is about, nor which colour a variant has."""
    found = roles(mlflow(baseline=9, a=1, b=4, c=2), prometheus(baseline=8000, c=5000, **traffic), settings())
    assert (found.challenger, found.names) == ("a", ("baseline", "a", "b", "c"))


def test_configured_roles_stand():
    found = roles(mlflow(x=1, y=1, enhanced=5), prometheus(), settings(AB_BASELINE_VARIANT="y", AB_CHALLENGER_VARIANT="x"))
    assert (found.baseline, found.challenger) == ("y", "x")


def test_a_baseline_named_enhanced_is_not_its_own_challenger():
    assert roles(mlflow(enhanced=1, other=1), prometheus(), settings(AB_BASELINE_VARIANT="enhanced")).challenger == "other"


def test_a_lone_baseline_has_no_challenger():
    assert roles(mlflow(baseline=3), prometheus(), settings()).challenger is None


@pytest.mark.parametrize("variant", ["baseline", "enhanced"])
def test_models_of_prometheus_get_the_experiments_variant_names(variant):
    found = roles(mlflow(baseline=1, enhanced=1), prometheus(baseline__predictor=1, enhanced__predictor=1), settings())
    assert found.by_model[f"{variant}-predictor"] == variant
