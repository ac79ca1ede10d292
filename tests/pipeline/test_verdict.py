"""The verdict through the command, on real servers: what changes it is what the sources hold."""

import json

import jsonschema
import pytest

from live_dashboards.outputs.summary import summary_schema
from tests.pipeline.command import at
from tests.support.ports import closed_port
from tests.support.worlds import BASE, SPAN_SECONDS

EASY = {"AB_LATENCY_OBJECTIVE_MS": "500", "AB_MINIMUM_DAYS": "0"}


@pytest.fixture
def summary(run, worlds):
    def read(world, **values):
        code, out, _ = run("ab", "--summary", "-", "--output", "page.png", "--dpi", "50", *at(worlds), AB_EXPERIMENT=world, **values)
        assert code == 0
        found = json.loads(out)
        jsonschema.validate(found, summary_schema())
        return found

    return read


@pytest.mark.parametrize(
    ("world", "values", "verdict"),
    [
        ("base", EASY, "SHIP"),
        ("base", {"AB_LATENCY_OBJECTIVE_MS": "500"}, "KEEP RUNNING"),
        ("base", {**EASY, "AB_TRAFFIC_SPLIT": "baseline=50,enhanced=50"}, "NO VERDICT"),
        ("base", {**EASY, "PROMETHEUS_URL": f"http://127.0.0.1:{closed_port()}"}, "NO VERDICT"),
        ("base", {**EASY, "MLFLOW_DB_PORT": str(closed_port())}, "NO VERDICT"),
        ("base", {**EASY, "AB_START": "2001-01-01T00:00:00Z"}, "NO VERDICT"),
        ("more errors", EASY, "ROLL BACK"),
        ("slower", {"AB_MINIMUM_DAYS": "0"}, "ROLL BACK"),
        ("base", {**EASY, "AB_SUCCESS_METRIC": "error_rate"}, "SHIP"),
    ],
)
def test_the_verdict_follows_what_the_sources_hold(summary, world, values, verdict):
    assert summary(world, **values)["verdict"]["verdict"] == verdict


def test_guardrails_are_judged_by_the_very_intervals_of_the_comparisons(summary):
    found = summary("base")
    rows = {(row["metric"], row["treatment"]): row for row in found["comparisons"]}
    for guard in found["guardrails"]:
        row = rows[guard["metric"], guard["treatment"]]
        assert (guard["low"], guard["high"], guard["n_treatment"]) == (row["low"], row["high"], row["n_treatment"])
        assert guard["sequential"]
    assert [guard["outcome"] for guard in found["guardrails"]] == ["shown", "harm"]


def test_what_is_judged_was_counted_since_the_start_whatever_the_window_shows(summary):
    row = next(each for each in summary("base", AB_WINDOW="30m")["comparisons"] if each["metric"] == "error_rate")
    true = 2 * (BASE.successes[1] + BASE.errors[1]) * SPAN_SECONDS
    assert row["n_treatment"] == pytest.approx(true, rel=0.01)
    assert row["estimate"] == pytest.approx(100 * (0.03 / 3.03 - 0.14 / 7.14), rel=0.02)


def test_an_objective_between_two_edges_is_judged_at_the_nearer_one_and_says_so(summary):
    words = next(guard["words"] for guard in summary("base", AB_LATENCY_OBJECTIVE_MS="110")["guardrails"] if guard["name"] == "latency")
    assert "110 ms is no bucket edge, so 100 ms is judged" in words


def test_the_split_is_flagged_with_its_p_and_its_requests(summary):
    split = summary("base", AB_TRAFFIC_SPLIT="baseline=70.2,enhanced=29.8")["traffic_split"]
    assert split["flag"] == "ok"
    assert 0.001 <= split["p_value"] <= 1
    assert split["n"] == pytest.approx(2 * (sum(BASE.successes) + sum(BASE.errors)) * SPAN_SECONDS, rel=0.01)


def test_the_alt_text_tells_the_verdict_and_its_numbers(summary):
    found = summary("base", **EASY)
    assert "Verdict SHIP (4: surely better" in found["alt_text"]
    assert found["verdict"]["reasons"][0] in found["alt_text"]
