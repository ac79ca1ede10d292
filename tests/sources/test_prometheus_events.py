"""The events of guardrails of one's own: counted by the rules of every counter, unknown with the reason where nobody counts them."""

from __future__ import annotations

import time

import pytest

from live_dashboards.model.notices import CheckState
from tests.conftest import filled_prometheus
from tests.sources.prometheus_reading import END, HOUR, ask, labels, short_truth, traffic, values
from tests.sources.test_prometheus_checks import checks
from tests.sources.test_prometheus_failed_requests import exporter, scraped
from tests.support.stored_copies import store_copies

TOTAL = "x_timeouts_total"
READ = f'timeouts:{TOTAL}{{kind=~"[r]ea,?d{{1}}"}}:0.1'


def timeouts_of(answer):
    found = answer.instant("timeouts")
    return values(found), found


def two_arms(truth, **more):
    for model in ("baseline", "enhanced"):
        traffic(truth, model, rate=20.0, **more)


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """One arm has timeouts of two kinds on an instance that restarts and on one that begins late, the other arm has only written ones."""
    truth = short_truth(hours=3)
    two_arms(truth)
    late = END - HOUR / 3
    traffic(truth, "baseline", "i2", rate=20.0, starts_at=late)
    truth.gauge("process_start_time_seconds", {"instance": "i2"}, late - 1, starts_at=late)
    truth.counter(TOTAL, labels(kind="read"), 0.05, resets=[END - HOUR / 2])
    truth.counter(TOTAL, labels(instance="i2", kind="read"), 0.1, starts_at=late)
    truth.counter(TOTAL, labels("enhanced", kind="write"), 3.0)
    truth.counter("x_nobodys_total", {"instance": "i1"}, 1.0)
    with filled_prometheus(truth, tmp_path_factory.mktemp("events")) as server:
        yield server.url


def test_events_are_counted_over_restarts_and_births_as_errors_are_and_only_those_that_the_selector_names(counted):
    answer = ask(counted, AB_GUARDRAILS=READ)
    found, told = timeouts_of(answer)
    assert found == pytest.approx({"baseline": 180 + 120, "enhanced": 0}, abs=1)
    assert told.of_models == (("enhanced", "no timeouts were counted"),)
    since = answer.accumulated[0]
    assert values(since.total("timeouts")) == pytest.approx({"baseline": 540 + 120, "enhanced": 0}, abs=2)
    by_block = [value for series in since.block("timeouts").series for _, value in series.points]
    assert sum(filter(None, by_block)) == pytest.approx(660, abs=2)
    assert answer.status.failures == ()


def test_two_kinds_of_one_counter_are_two_guardrails_and_what_looks_like_a_variable_is_none(counted):
    guardrails = f'{READ},written:{TOTAL}{{kind="write"}}:1,others:{TOTAL}{{kind!~"read|$window"}}:1'
    answer = ask(counted, AB_GUARDRAILS=guardrails)
    found = {name: values(answer.instant(name)) for name in ("timeouts", "written", "others")}
    assert found["timeouts"]["baseline"] == pytest.approx(300, abs=1)
    assert found["written"] == found["others"] == pytest.approx({"baseline": 0, "enhanced": 3 * HOUR}, abs=3)


@pytest.mark.parametrize(
    ("counter", "reason"),
    [
        ("x_crashes_total", "timeouts are not counted: Prometheus has no series x_crashes_total"),
        (f'{TOTAL}{{kind="raed"}}', f'timeouts are not counted: Prometheus has no series {TOTAL}{{kind="raed"}}'),
        ("x_nobodys_total", "timeouts of one model cannot be told from those of another: x_nobodys_total has no label model_name"),
        (f'{TOTAL}{{kind=~"a{{1001}}"}}', "invalid repeat count"),
    ],
)
def test_a_counter_that_nobody_counts_is_unknown_with_the_reason_and_never_0_and_all_else_is_there(counted, counter, reason):
    answer = ask(counted, AB_GUARDRAILS=f"timeouts:{counter}:0.1")
    for found in (answer.instant("timeouts"), answer.accumulated[0].total("timeouts")):
        assert found.series == ()
        assert reason in found.reason
    assert values(answer.instant("requests"))["enhanced"] == pytest.approx(20 * HOUR, abs=20)


def test_the_connection_test_has_a_line_a_guardrail_and_none_without(counted):
    assert "guardrails" not in checks(counted)
    state, found, fix, code = checks(counted, AB_GUARDRAILS="crashes:x_crashes_total:1")["guardrails"]
    assert (state, code) == (CheckState.WARNING, "no_events")
    assert found == "guardrail crashes is unknown: crashes are not counted: Prometheus has no series x_crashes_total"
    assert fix == "export x_crashes_total for each model, or mend AB_GUARDRAILS: as long as it is unknown, nothing is shipped"
    state, found, *_ = checks(counted, AB_GUARDRAILS=READ)["guardrails"]
    assert (state, found) == (CheckState.OK, f'timeouts counted by {TOTAL}{{kind=~"[r]ea,?d{{1}}"}}; enhanced: no timeouts were counted')
    assert checks("http://127.0.0.1:1", AB_GUARDRAILS=READ)["guardrails"][0] is CheckState.SKIPPED


def test_a_counter_without_the_label_of_the_experiment_cannot_be_told_apart(prometheus):
    truth = short_truth()
    two_arms(truth, experiment="a")
    truth.counter(TOTAL, labels("baseline", kind="read"), 1.0)
    found, answer = timeouts_of(ask(prometheus(truth).url, experiment="a", AB_GUARDRAILS=READ))
    assert (found, answer.reason) == ({}, f"timeouts cannot be told apart: {TOTAL} has no label experiment")


def test_only_the_events_of_the_chosen_experiment_count(prometheus):
    truth = short_truth()
    for name, rate in (("a", 0.1), ("b", 5.0)):
        two_arms(truth, experiment=name)
        truth.counter(TOTAL, labels(kind="read", experiment=name), rate)
    assert timeouts_of(ask(prometheus(truth).url, experiment="a", AB_GUARDRAILS=READ))[0] == pytest.approx({"baseline": 360, "enhanced": 0}, abs=1)


def test_events_before_the_window_show_that_they_are_counted(prometheus):
    truth = short_truth(hours=30)
    two_arms(truth)
    truth.counter(TOTAL, labels(kind="read"), 0.1, ends_at=END - 28 * HOUR)
    assert timeouts_of(ask(prometheus(truth).url, AB_GUARDRAILS=READ))[0] == {"baseline": 0, "enhanced": 0}


def test_an_arm_of_another_job_is_taken_to_have_none_where_the_other_arm_counts_and_the_job_is_named(prometheus):
    truth = short_truth()
    for model, job in (("baseline", "old"), ("enhanced", "new")):
        truth.counter("ab_test_requests_total", labels(model, job=job), 2.0)
    truth.counter(TOTAL, labels("baseline", job="old", kind="read"), 0.1)
    found, answer = timeouts_of(ask(prometheus(truth).url, AB_GUARDRAILS=READ))
    assert (found, answer.assumed) == (pytest.approx({"baseline": 360, "enhanced": 0}), ("enhanced",))
    assert answer.of_models[0][1].endswith("in job new, so that 0 is assumed")


def test_a_declared_counter_that_has_counted_nothing_is_0_but_not_its_series_with_chosen_labels():
    with exporter("baseline") as one, exporter("enhanced") as other, scraped(("a", one), ("b", other)) as url:
        answer = ask(url, at=time.time(), AB_GUARDRAILS='fails:ab_test_errors_total:1,reads:ab_test_errors_total{kind="read"}:1')
    assert values(answer.instant("fails")) == {"baseline": 0, "enhanced": 0}
    assert answer.instant("reads").reason == 'reads are not counted: there is no ab_test_errors_total{kind="read"} in job a'


def test_copies_of_a_scrape_count_once(prometheus):
    truth = short_truth()
    two_arms(truth)
    truth.counter(TOTAL, labels(kind="read"), 0.1, resets=[END - HOUR / 2])
    store_copies(truth)
    found, _ = timeouts_of(ask(prometheus(truth).url, AB_GUARDRAILS=READ, PROMETHEUS_REPLICA_LABELS="prometheus_replica"))
    assert found == pytest.approx({"baseline": 360, "enhanced": 0}, abs=3)
