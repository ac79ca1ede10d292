"""Series that begin, where rules have recorded the counts: their first values count where something tells that, else the counts are at least what they are."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from live_dashboards.sources.prometheus.promql import STEPS, UNSEEN
from tests.sources.prometheus_reading import END, HOUR, ask, labels, values
from tests.sources.test_prometheus_counts import DAY, LATENCY, MODELS, REQUESTS, day_truth, hourly_pods, most, scaling_to_zero, series, steady
from tests.sources.test_prometheus_recorded import HOURS, recording_servers
from tests.support.doorman import Doorman
from tests.support.victoria_metrics import VictoriaMetricsServer

STARTED = END - 22 * HOUR
LATE, KNOWN, OPEN, BACK, STATUS, SLOW = "first errors", "starts", "no starts", "back", "by status", "latency"


def world():
    """Each way to begin in an experiment of its own."""
    truth = day_truth(hours=HOURS)
    for experiment, fill in ((LATE, hourly_pods), (KNOWN, scaling_to_zero), (OPEN, lambda truth: scaling_to_zero(truth, with_starts=False))):
        begun = len(truth.series)
        fill(truth)
        for each in truth.series[begun:]:
            named = {"experiment": experiment} if "model_name" in each.labels else {}
            each.labels.update({**named, "instance": f"{experiment} {each.labels['instance']}"})
    for model in MODELS:
        own = labels(model, f"back {model}", experiment=BACK)
        samples = steady(END - 26 * HOUR, END, 60.0, 0.0, 60.0)
        series(truth, REQUESTS, own, [(at, value) for at, value in samples if not END - 10 * HOUR < at <= END - 8 * HOUR])
        for status, begin, first, each in (("success", 26, 0.0, 60.0), ("error", 20, 5.0, 1.0), ("odd", 18, 900.0, 0.0)):
            one = labels(model, f"status {model}", experiment=STATUS, status=status)
            series(truth, REQUESTS, one, steady(END - begin * HOUR, END, 60.0, first, each))
        slow = labels(model, f"slow {model}", experiment=SLOW)
        series(truth, REQUESTS, slow, steady(END - 26 * HOUR, END, 60.0, 0.0, 60.0))
        for name, more, share in (
            (f"{LATENCY}_count", {}, 1.0),
            (f"{LATENCY}_sum", {}, 0.5),
            (f"{LATENCY}_bucket", {"le": "0.5"}, 0.5),
            (f"{LATENCY}_bucket", {"le": "+Inf"}, 1.0),
        ):
            series(truth, name, {**slow, **more}, steady(END - 20 * HOUR, END, 60.0, 400.0 * share, 60.0 * share))
    return truth


@pytest.fixture(scope="module")
def urls(tmp_path_factory):
    """A Prometheus with nothing but what the rules recorded, and a VictoriaMetrics."""
    folder, truth = tmp_path_factory.mktemp("births"), world()
    with ExitStack() as running:
        _, recorded, victoria = recording_servers(running, truth, folder)
        yield {"prometheus": recorded, "victoria-metrics": victoria}


@pytest.fixture(scope="module", params=["prometheus", "victoria-metrics"])
def read(request, urls):
    """`read(experiment)`: its answer from recorded steps, which end some minutes before the end."""
    return lambda experiment: ask(urls[request.param], at=END + 7, window_seconds=DAY, experiment=experiment, PROMETHEUS_RECORDED="on", AB_START=str(STARTED))


def both(answer, name):
    """The total of the window and that of the test."""
    return answer.instant(name), answer.accumulated[0].total(name)


def test_the_first_errors_of_an_instance_count_as_its_requests_have_grown_since_it_had_none(read):
    for errors in both(read(LATE), "errors"):
        assert (values(errors), errors.most) == ({"baseline": 10, "enhanced": 30}, ())


def test_what_a_process_that_began_within_the_step_held_at_its_first_sample_counts(read):
    for requests in both(read(KNOWN), "requests"):
        assert (values(requests)["enhanced"], requests.most) == (12_800, ())


def test_without_a_process_start_requests_are_at_least_what_was_seen_to_grow_and_at_most_all(read):
    answer = read(OPEN)
    for requests in both(answer, "requests"):
        assert (values(requests)["enhanced"], most(requests)) == (8960, {"enhanced": 12_800})
    assert all("older version" not in text for text in answer.status.warnings)


def test_an_instance_that_returns_after_more_than_an_hour_may_have_counted_what_it_grew_by_since(read):
    for requests in both(read(BACK), "requests"):
        low, high = values(requests)["baseline"], most(requests)["baseline"]
        missed = (2 * HOUR + 60) / 60 * 60
        assert missed <= high - low <= missed + 4 * HOUR / 60 * 60  # by what is known of it 6 hours before


def test_failed_requests_by_status_begin_as_errors_do_and_another_status_that_is_too_much_is_open(read):
    answer = read(STATUS)
    for errors in both(answer, "errors"):
        assert values(errors)["baseline"] == pytest.approx(5 + 20 * 60, abs=10)  # up to the newest step
        assert (values(errors)["baseline"] - 5) % 1 == 0
        assert errors.most == ()
    for requests in both(answer, "requests"):
        assert most(requests)["baseline"] - values(requests)["baseline"] == 900


def test_sums_counts_and_buckets_of_latencies_are_open_by_what_they_began_with(read):
    answer = read(SLOW)
    for name, held in (("latency_count", 400), ("latency_within", 200)):
        total = answer.accumulated[0].total(name)
        assert most(total)["enhanced"] - values(total)["enhanced"] == held
    seconds, buckets = answer.instant("latency_sum"), answer.instant("latency_buckets")
    assert most(seconds)["enhanced"] - values(seconds)["enhanced"] == pytest.approx(200)
    beyond = {each.label("le"): each.last for each in buckets.most if each.label("model_name") == "enhanced"}
    known = {each.label("le"): each.last for each in buckets.series if each.label("model_name") == "enhanced"}
    assert {edge: value - known[edge] for edge, value in beyond.items()} == {"0.5": 200, "+Inf": 400}


def test_what_series_began_with_that_cannot_be_asked_leaves_no_count(urls):
    with Doorman("127.0.0.1", int(urls["prometheus"].rpartition(":")[2])) as door:
        door.refuse = lambda _path, sent: (422, {}) if b"_unseen" in sent and b"increase5m%7B" in sent and b"counter" in sent else None
        answer = ask(door.url, at=END + 7, window_seconds=DAY, experiment=OPEN, PROMETHEUS_RECORDED="on", AB_START=str(STARTED))
    assert answer.instant("requests").reason.startswith("what its series held when they were first seen could not be asked: ")
    assert answer.accumulated[0].total("requests").series == ()


def test_steps_of_older_rules_are_said_not_to_tell_what_series_began_with():
    step_end, old = END // 300 * 300, 26 * 12 // 2
    lines = []
    for number in range(26 * 12 + 1):
        step = step_end - number * 300
        lines.append(f"ab_test:recorded_until_seconds:time {step - 60} {step}\n")
        lines.append(f'{STEPS[REQUESTS]}{{model_name="m",experiment="x"}} 10 {step}\n')
        if number < old:
            lines.append(f'{UNSEEN[STEPS[REQUESTS]]}{{model_name="m",experiment="x"}} 0 {step}\n')
    with VictoriaMetricsServer() as server:
        server.take(lines)
        young, both = (
            ask(server.url, at=step_end + 7, window_seconds=HOUR, experiment="x", PROMETHEUS_RECORDED="on", AB_START=str(step_end - hours * HOUR)) for hours in (2, 20)
        )
    (told,) = young.status.warnings[1:]
    assert told.startswith(
        "what an older version of the rules has recorded in the last 1d does not tell what series held when they were first seen, so counts may be more"
    )
    assert told.endswith("load the present ab_test_recorded.rules.yml")
    assert len(both.status.warnings) == 3
    assert "in the analysis period since " in both.status.warnings[2]


def test_without_an_experiment_too_steps_are_not_taken_for_what_series_began_with():
    """Its selectors have no matchers."""
    step_end = END // 300 * 300
    lines = []
    for step in (step_end - number * 300 for number in range(26 * 12 + 1)):
        lines.append(f"ab_test:recorded_until_seconds:time {step - 60} {step}\n")
        lines.append(f'{STEPS[REQUESTS]}{{model_name="m"}} 10 {step}\n')
        lines.append(f'{UNSEEN[STEPS[REQUESTS]]}{{model_name="m"}} 1 {step}\n')
    with VictoriaMetricsServer() as server:
        server.take(lines)
        requests = ask(server.url, at=step_end + 7, window_seconds=HOUR, PROMETHEUS_RECORDED="on").instant("requests")
    assert (values(requests), most(requests)) == ({"m": 120}, {"m": 120 + 12})
