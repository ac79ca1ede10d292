"""What the JSON says of differences between test sets, through the command and from a real database of its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest
from scipy.stats import fisher_exact
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from live_dashboards.outputs.summary import summary_schema
from tests.support.ports import closed_port

HITS = {"baseline": (1155, 345, 385), "enhanced": (1580, 395, 420)}
"""True positives, false positives and false negatives of each variant."""


@pytest.fixture
def summary(run, mlflow_database):
    def read(**values):
        gone = {"PROMETHEUS_URL": f"http://127.0.0.1:{closed_port()}", "AB_WINDOW": "24h", "AB_EXPERIMENT": "ab"}
        code, out, _ = run("ab", "--summary", "-", "--output", "page.png", "--dpi", "50", **{**mlflow_database.environment, **gone, **values})
        assert code == 0
        found = json.loads(out)
        jsonschema.validate(found, summary_schema())
        return found

    return read


def log(truth, hits, experiment=None):
    """A finished run of each variant with what `mlflow.evaluate` logs of a binary classifier."""
    made = truth.experiment("ab") if experiment is None else experiment
    for variant, (right, wrong, lost) in hits.items():
        counts = {"true_positives": right, "false_positives": wrong, "false_negatives": lost}
        scores = {"accuracy": 0.78, "precision": right / (right + wrong), "recall": right / (right + lost)}
        truth.run(made, variant, started=datetime.now(UTC) - timedelta(hours=3), metrics={**scores, **counts})


def comparison(found, metric, treatment="enhanced"):
    return next(row for row in found["comparisons"] if (row["metric"], row["treatment"]) == (metric, treatment))


@pytest.mark.parametrize(("metric", "misses"), [("precision", 1), ("recall", 2)])
def test_precision_and_recall_have_newcombes_interval_of_their_own_n(summary, mlflow_database, metric, misses):
    log(mlflow_database.truth, HITS)
    row = comparison(summary(), metric)
    (ours, n), (theirs, m) = ((HITS[name][0], HITS[name][0] + HITS[name][misses]) for name in ("enhanced", "baseline"))
    low, high = confint_proportions_2indep(ours, n, theirs, m, compare="diff", method="newcomb")
    assert (row["low"], row["high"]) == pytest.approx((100 * low, 100 * high), abs=1e-9)
    assert (row["n_treatment"], row["n_control"], row["sequential"], row["reason"]) == (n, m, False, None)


def test_each_has_wilsons_interval(summary, mlflow_database):
    log(mlflow_database.truth, HITS)
    found = {(row["name"], row["variant"]): row for row in summary()["measurements"]}
    low, high = proportion_confint(1580, 1580 + 420, method="wilson")
    row = found["recall", "enhanced"]
    assert (row["n"], row["interval"]) == (2000, pytest.approx([100 * low, 100 * high]))


def test_without_the_counts_of_one_there_is_no_interval_and_the_reason_says_what_to_log(summary, mlflow_database):
    truth = mlflow_database.truth
    made = truth.experiment("ab")
    log(truth, {"enhanced": HITS["enhanced"]}, made)
    truth.run(made, "baseline", metrics={"precision": 0.77, "false_positives": 345}, started=datetime.now(UTC) - timedelta(hours=3))
    row = comparison(summary(), "precision")
    assert (row["estimate"], row["low"], row["high"], row["n_control"]) == (pytest.approx(3.0), None, None, None)
    assert "log true_positives in the same run" in row["reason"]


def test_several_challengers_have_holms_p_beside_bonferronis_intervals(summary, mlflow_database):
    truth, right = mlflow_database.truth, {"baseline": 1560, "enhanced": 1620, "third": 1600}
    made = truth.experiment("ab")
    for variant, count in right.items():
        truth.run(made, variant, started=datetime.now(UTC) - timedelta(hours=3), metrics={"accuracy": count / 2000}, params={"test_size": 2000})
    found = [comparison(summary(), "accuracy", name) for name in ("enhanced", "third")]
    p_values = [fisher_exact([[right[each], 2000 - right[each]] for each in (name, "baseline")]).pvalue for name in ("enhanced", "third")]
    assert [row["p_value"] for row in found] == pytest.approx(p_values)
    assert [row["p_value_adjusted"] for row in found] == pytest.approx(list(multipletests(p_values, method="holm")[1]))
    assert all("Bonferroni over 2 challengers" in row["method"] for row in found)


def test_one_challenger_has_no_adjusted_p(summary, mlflow_database):
    log(mlflow_database.truth, HITS)
    assert all(row["p_value_adjusted"] is None for row in summary()["comparisons"])
