"""Copies of one scrape count once; different requests that look alike count as what they are."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from live_dashboards.errors import SettingsError
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.prometheus.client import PrometheusClient
from live_dashboards.sources.prometheus.copies import Copies, find_copies
from live_dashboards.sources.prometheus.own_series import AskedTest
from live_dashboards.sources.prometheus.promql import RECORDED_UNTIL, STEPS
from live_dashboards.sources.prometheus.promql import once as counted_once
from live_dashboards.sources.prometheus.scope import find_scope
from tests.sources.prometheus_reading import BUCKETS, END, HOUR, ask, labels, settings_of, short_truth, traffic, values
from tests.support.prometheus_truth import PrometheusTruth, TrueSeries
from tests.support.scraped_pairs import COPY_LABEL, Life, Pair, scrapes, without
from tests.support.stored_copies import PAIR, Gap, store_copies
from tests.support.victoria_metrics import VictoriaMetricsServer
from tests.support.waiting import LONGEST_SECONDS

DAY = 24 * HOUR
LABEL = "prometheus_replica"
LATENCY = "ab_test_response_time_seconds"
ONCE = "copies of one scrape are counted once"
PERHAPS = "requests may be counted twice"
TWICE = "requests are counted more than once"


def service(truth, model="baseline", instance="i1", *, rate=2.0, buckets=BUCKETS, **when):
    """Requests, errors and latencies of one instance."""
    traffic(truth, model, instance, rate=rate, **when)
    truth.counter("ab_test_errors_total", labels(model, instance), rate / 50, **when)
    truth.histogram(LATENCY, labels(model, instance), buckets, **when)


def two_models(**when):
    truth = short_truth()
    service(truth, "baseline", rate=2.0, **when)
    service(truth, "enhanced", "i2", rate=1.0, **when)
    return truth


def told(answer):
    """What is said of copies."""
    return [text for text in answer.status.warnings if text.startswith((ONCE, PERHAPS, TWICE, "PROMETHEUS_REPLICA_LABELS"))]


def counts(answer):
    return {name: values(answer.instant(name)) for name in ("requests", "errors", "latency_count")}


def doubled(found):
    return {name: {model: pytest.approx(2 * value, rel=1e-3, abs=2) for model, value in each.items()} for name, each in found.items()}


@pytest.fixture
def once(prometheus):
    """What is counted of the two models where nothing is stored twice."""
    return counts(ask(prometheus(two_models()).url))


def close(found, *, rel=2e-3, absolute=3):
    """A copy whose scrapes are later sees other moments."""
    return {name: {model: pytest.approx(value, rel=rel, abs=absolute) for model, value in each.items()} for name, each in found.items()}


@pytest.mark.parametrize("moves", [True, False])
@pytest.mark.parametrize("delays", [PAIR, {"a": 0.0, "b": 4.0, "c": 9.0}])
def test_copies_count_once_and_that_is_told(prometheus, once, delays, moves):
    truth = two_models()
    store_copies(truth, delays, moves=moves)
    answer = ask(prometheus(truth).url)
    assert counts(answer) == close(once)
    assert f"max without ({LABEL}) (last_over_time(" in answer.instant("requests").query
    (said,) = told(answer)
    assert said.startswith(f"{ONCE}: there are series that differ in the label {LABEL} alone")


def test_none_counts_every_series_and_says_nothing(prometheus, once):
    truth = two_models()
    store_copies(truth)
    answer = ask(prometheus(truth).url, PROMETHEUS_REPLICA_LABELS="none")
    assert (counts(answer), told(answer)) == (doubled(once), [])


def test_named_labels_are_merged_as_told(prometheus, once):
    truth = two_models()
    store_copies(truth, {"a": 0.0, "b": 0.0}, label="receive")  # the same moments: never found, but named
    url = prometheus(truth).url
    assert counts(ask(url)) == doubled(once)
    answer = ask(url, PROMETHEUS_REPLICA_LABELS="receive, typo")
    assert counts(answer) == close(once)
    assert [text.partition(":")[0] for text in told(answer)] == [ONCE, "PROMETHEUS_REPLICA_LABELS names the label typo, which no series of ab_test_requests_total has"]


def test_labels_that_differ_together_tell_copies_apart_too(prometheus, once):
    truth = two_models()
    store_copies(truth)
    truth.series = [TrueSeries(each.name, {**each.labels, "replica": f"of {each.labels[LABEL]}"}, each.samples) for each in truth.series]
    answer = ask(prometheus(truth).url)
    assert counts(answer) == close(once)
    assert f"the labels {LABEL} and replica alone" in told(answer)[0]


def test_a_gap_of_one_copy_is_filled_by_the_other(prometheus, once):
    truth = two_models()
    store_copies(truth, gaps=(Gap("prometheus-0", END - 1500, END + 60), Gap("prometheus-1", 0, END - 2100)))
    answer = ask(prometheus(truth).url)
    blocks = {series.label("model_name"): sum(value or 0 for _, value in series.points) for series in answer.block("requests").series}
    assert blocks == pytest.approx(once["requests"], rel=0.01)
    assert told(answer)[0].startswith(ONCE)


def test_a_gap_of_45_minutes_in_one_copy_changes_nothing(prometheus, once):
    truth = two_models()
    store_copies(truth, gaps=(Gap("prometheus-1", END - 3000, END - 300),))
    assert counts(ask(prometheus(truth).url)) == close(once)


@pytest.mark.parametrize("began_seconds", [600, 5000])
def test_a_copy_that_began_later_or_has_ended_counts_once(prometheus, once, began_seconds):
    truth = two_models()
    store_copies(truth, gaps=(Gap("prometheus-1", 0, END - began_seconds),))
    assert counts(ask(prometheus(truth).url)) == close(once)
    ended = two_models()
    store_copies(ended, gaps=(Gap("prometheus-1", END - began_seconds, END + 60),))
    answer = ask(prometheus(ended).url, AB_START=f"{END - 2 * HOUR:.0f}")
    assert counts(answer) == close(once)
    assert told(answer)[0].startswith(ONCE)


def test_copies_of_instances_that_restart_count_once(prometheus):
    resets = tuple(END - 67 - index * 400 for index in range(12))
    truth = two_models(resets=resets)
    once = counts(ask(prometheus(truth).url))
    store_copies(truth)
    answer = ask(prometheus(truth).url)
    assert counts(answer) == close(once, rel=0.02)
    assert told(answer)[0].startswith(ONCE)


def test_a_copied_pod_that_begins_where_five_minutes_end_and_two_do_not_loses_nothing(prometheus):
    """A window of six hours has blocks of two minutes; the pod's first sample is the last one of a stretch of five."""
    begins = (END - 3 * HOUR) // 600 * 600 + 300
    truth = short_truth(hours=8, scrape_seconds=60)
    service(truth, "baseline")
    service(truth, "enhanced", "i2", starts_at=begins - 30)
    once = counts(ask(prometheus(truth).url, window_seconds=6 * HOUR))
    store_copies(truth, moves=False)
    assert counts(ask(prometheus(truth).url, window_seconds=6 * HOUR)) == once


def test_a_restart_that_one_copy_alone_could_see_keeps_them_copies(prometheus):
    resets = (END - 315, END - 292)  # 15 s before a scrape of the one copy and 8 s after it: its next count is the larger one, while the other copy saw a small one
    series = []
    for name, delay in PAIR.items():
        truth = PrometheusTruth(start=END - 2 * HOUR + delay, end=END, scrape_seconds=60)
        service(truth, rate=2.0, starts_at=END - 2 * HOUR, resets=resets)
        service(truth, instance="i2", rate=0.5, starts_at=END - 2 * HOUR)
        series += [TrueSeries(each.name, {**each.labels, LABEL: name}, each.samples) for each in truth.series]
    truth.series = series
    assert told(ask(prometheus(truth).url))[0].startswith(ONCE)


def test_an_instance_that_one_copy_alone_has_counts_and_has_one_voice_in_a_mean(prometheus):
    truth = two_models()
    truth.gauge("ab_test_model_accuracy", labels("baseline", "i1"), 70.0)
    truth.gauge("ab_test_model_accuracy", labels("baseline", "i3"), 80.0)
    store_copies(truth)
    truth.series = [each for each in truth.series if (each.labels["instance"], each.labels[LABEL]) != ("i3", "prometheus-1")]
    lone = short_truth()
    traffic(lone, "baseline", "i3", rate=3.0)
    truth.series += [TrueSeries(each.name, {**each.labels, LABEL: "prometheus-0"}, each.samples) for each in lone.series]
    answer = ask(prometheus(truth).url)
    assert values(answer.instant("requests"))["baseline"] == pytest.approx(5 * HOUR, rel=2e-3)
    assert values(answer.instant("online_accuracy")) == {"baseline": 75.0}


def test_copies_on_victoria_metrics_count_once():
    truth = two_models()
    with VictoriaMetricsServer() as server:
        server.fill(truth)
        once = counts(ask(server.url))
    store_copies(truth)
    with VictoriaMetricsServer() as server:
        server.fill(truth)
        answer = ask(server.url)
    assert counts(answer) == close(once)
    assert told(answer)[0].startswith(ONCE)


def steps(more=({},), *, raw=None, counted=10.0):
    """What the rules would have recorded of two models, so many a step, once for each of the further labels."""
    truth = PrometheusTruth(start=END - 26 * HOUR, end=END, scrape_seconds=300)
    for each in more:
        truth.gauge(RECORDED_UNTIL, each, lambda at: at - 60)
        for model in ("baseline", "enhanced"):
            for metric in (STEPS["ab_test_requests_total"], STEPS["ab_test_errors_total"]):
                truth.gauge(metric, {"model_name": model, **each}, counted)
    truth.series += raw.series if raw else []
    return truth


def test_copies_among_recorded_steps_are_named_and_merged_where_they_are_told(prometheus):
    url = prometheus(steps([{LABEL: name} for name in PAIR])).url
    doubtful, merged, single = (ask(url, PROMETHEUS_RECORDED="on", PROMETHEUS_REPLICA_LABELS=value) for value in ("auto", LABEL, "none"))
    assert [values(each.instant("requests"))["baseline"] for each in (doubtful, merged, single)] == [240, 120, 240]
    assert f"PROMETHEUS_REPLICA_LABELS={LABEL}" in told(doubtful)[0]
    assert told(doubtful)[0].startswith(PERHAPS)
    assert (told(merged)[0].startswith(ONCE), told(single)) == (True, [])


IN_A_STEP = 450.0  # of two models that count 2 and 1 a second the mean


def test_copies_that_were_recorded_as_one_count_twice_and_no_others_do(prometheus):
    raw = two_models()
    single = ask(prometheus(steps(raw=raw, counted=IN_A_STEP)).url, PROMETHEUS_RECORDED="on")
    assert (told(single), single.status.counted_twice) == ([], "")
    store_copies(raw)
    answer = ask(prometheus(steps(raw=raw, counted=2 * IN_A_STEP)).url, PROMETHEUS_RECORDED="on")
    (said,) = told(answer)
    assert said == answer.status.counted_twice
    assert said.startswith(f"{TWICE}: the rules have recorded each of the copies that differ in the label {LABEL} alone: let the rules record one copy of each scrape")


def test_a_name_in_the_settings_does_not_make_recorded_copies_one(prometheus):
    raw = two_models()
    store_copies(raw)
    url = prometheus(steps(raw=raw, counted=2 * IN_A_STEP)).url
    said = told(ask(url, PROMETHEUS_RECORDED="on", PROMETHEUS_REPLICA_LABELS=LABEL))
    assert said == told(ask(url, PROMETHEUS_RECORDED="on"))


@pytest.mark.parametrize("setting", ["auto", LABEL])
@pytest.mark.parametrize("resets", [(), (END - 3000, END - 1500, END - 600)])
def test_rules_that_record_one_of_the_copies_are_not_warned_of(prometheus, setting, resets):
    raw = two_models(resets=resets)
    store_copies(raw)
    answer = ask(prometheus(steps(raw=raw, counted=IN_A_STEP)).url, PROMETHEUS_RECORDED="on", PROMETHEUS_REPLICA_LABELS=setting)
    assert (told(answer), answer.status.counted_twice) == ([], "")


def test_steps_of_each_copy_are_one_where_their_label_is_named_and_count_twice_where_it_is_not(prometheus):
    raw = two_models()
    store_copies(raw)
    url = prometheus(steps([{LABEL: name} for name in PAIR], raw=raw, counted=IN_A_STEP)).url
    doubled, merged = (ask(url, PROMETHEUS_RECORDED="on", PROMETHEUS_REPLICA_LABELS=value) for value in ("auto", LABEL))
    (said,) = told(doubled)
    assert (said, merged.status.counted_twice) == (doubled.status.counted_twice, "")
    assert said.startswith(f"{TWICE}: the recorded steps of copies")
    assert said.endswith(f": set PROMETHEUS_REPLICA_LABELS={LABEL}")


def test_whether_recorded_series_were_copies_may_not_be_known_and_that_is_told(prometheus):
    raw = workers(delay=7.0, with_latency=False)
    answer = ask(prometheus(steps(raw=raw, counted=2 * IN_A_STEP)).url, PROMETHEUS_RECORDED="on")
    (said,) = told(answer)
    assert said.startswith(
        f"{PERHAPS}: the rules have recorded series that differ in the label replica alone, and whether these are copies of one scrape cannot be told ("
    )
    assert ": if they are, let the rules record one copy of each scrape alone" in said
    assert answer.status.counted_twice == ""


def workers(model="baseline", *, names=("w0", "w1"), delay=0.0, label="replica", latency=(BUCKETS, BUCKETS), with_latency=True, errors=True):
    """Two processes behind one instance that count alike, the second one scraped later."""
    truth = short_truth()
    for name, shift, buckets in zip(names, (0.0, delay), latency, strict=True):
        own = PrometheusTruth(start=truth.start, end=truth.end, scrape_seconds=truth.scrape_seconds)
        more = labels(model, **{label: name})
        own.counter("ab_test_requests_total", more, 2.0)
        if errors:
            own.counter("ab_test_errors_total", more, 0.02)
        if with_latency:
            own.histogram(LATENCY, more, buckets)
        truth.series += [TrueSeries(each.name, each.labels, tuple((at + shift, value) for at, value in each.samples)) for each in own.series]
    return truth


@pytest.mark.parametrize("label", ["replica", "prometheus_replica", "worker"])
def test_workers_of_one_scrape_are_no_copies_whatever_their_label_is_called(prometheus, label):
    answer = ask(prometheus(workers(label=label)).url)
    assert (values(answer.instant("requests")), told(answer)) == ({"baseline": pytest.approx(4 * HOUR, rel=1e-3)}, [])
    assert "max without" not in answer.instant("requests").query


def test_round_robin_workers_that_count_alike_are_no_copies_as_their_latencies_differ(prometheus):
    slower = {0.05: 4.9, 0.1: 3.1, 0.25: 1.5, 0.5: 0.5}
    answer = ask(prometheus(workers(delay=7.0, latency=(BUCKETS, slower))).url)
    assert (values(answer.instant("requests")), told(answer)) == ({"baseline": pytest.approx(4 * HOUR, rel=2e-3)}, [])


def test_where_nothing_but_equal_counts_can_be_compared_nothing_is_merged_and_the_label_is_named(prometheus):
    answer = ask(prometheus(workers(delay=7.0, label="pod", with_latency=False)).url)
    assert values(answer.instant("requests")) == {"baseline": pytest.approx(4 * HOUR, rel=2e-3)}
    (said,) = told(answer)
    assert said.startswith(PERHAPS)
    assert "set PROMETHEUS_REPLICA_LABELS=pod if they are copies, none if they are not" in said


def test_process_starts_decide_where_there_are_no_latencies(prometheus):
    for starts, expected in (((1000.25, 1000.25), 2 * HOUR), ((1000.25, 1000.31), 4 * HOUR)):
        truth = workers(delay=7.0, with_latency=False)
        for name, start, shift in zip(("w0", "w1"), starts, (0.0, 7.0), strict=True):
            own = short_truth()
            own.gauge("process_start_time_seconds", {"instance": "i1", "replica": name}, start)
            truth.series += [TrueSeries(each.name, each.labels, tuple((at + shift, value) for at, value in each.samples)) for each in own.series]
        assert values(ask(prometheus(truth).url).instant("requests")) == {"baseline": pytest.approx(expected, rel=2e-3)}


def test_an_error_counter_that_one_of_two_lacks_keeps_them_apart(prometheus):
    truth = workers(delay=7.0)
    truth.series = [each for each in truth.series if each.name != "ab_test_errors_total" or each.labels["replica"] == "w0"]
    answer = ask(prometheus(truth).url)
    assert values(answer.instant("requests")) == {"baseline": pytest.approx(4 * HOUR, rel=2e-3)}
    assert "only one of them has ab_test_errors_total" in told(answer)[0]


def test_two_pods_with_one_error_each_are_no_copies(prometheus):
    truth = short_truth()
    for pod, shift, rate in (("p0", 0.0, 2.0), ("p1", 7.0, 2.2)):
        own = short_truth()
        own.counter("ab_test_requests_total", labels(pod=pod), rate)
        own.gauge("ab_test_errors_total", labels(pod=pod), [(0.0, 0.0), (END - 1800, 1.0)])
        truth.series += [TrueSeries(each.name, each.labels, tuple((at + shift, value) for at, value in each.samples)) for each in own.series]
    answer = ask(prometheus(truth).url)
    assert (values(answer.instant("errors")), told(answer)) == ({"baseline": pytest.approx(2, rel=0.01)}, [])


def test_one_group_that_disagrees_means_no_copies_at_all(prometheus):
    truth = two_models()
    store_copies(truth)
    odd = short_truth()
    for name, rate, shift in (("prometheus-0", 1.0, 0.0), ("prometheus-1", 1.5, 11.0)):
        own = short_truth()
        traffic(own, "enhanced", "i9", rate=rate)
        odd.series += [TrueSeries(each.name, {**each.labels, LABEL: name}, tuple((at + shift, value) for at, value in each.samples)) for each in own.series]
    truth.series += odd.series
    answer = ask(prometheus(truth).url)
    assert values(answer.instant("requests")) == {"baseline": pytest.approx(4 * HOUR, rel=2e-3), "enhanced": pytest.approx(4.5 * HOUR, rel=2e-3)}
    assert told(answer) == []


def test_pods_one_after_the_other_at_one_address_are_no_copies(prometheus):
    truth = short_truth()
    for index, pod in enumerate(("p0", "p1", "p2")):
        began = END - 2 * HOUR + index * 2400
        truth.counter("ab_test_requests_total", labels(pod=pod, uid=pod), 2.0, starts_at=began, ends_at=began + 2385)
    answer = ask(prometheus(truth).url)
    assert told(answer) == []
    assert "max without" not in answer.instant("requests").query


def test_copies_of_workers_are_merged_and_the_workers_are_not(prometheus):
    truth = workers(latency=(BUCKETS, {0.05: 4.0, 0.1: 4.0, 0.25: 1.5, 0.5: 0.5}))
    store_copies(truth)
    answer = ask(prometheus(truth).url)
    assert values(answer.instant("requests")) == {"baseline": pytest.approx(4 * HOUR, rel=2e-3)}
    assert f"max without ({LABEL}) (last_over_time(" in answer.instant("requests").query


def counted(url, window_seconds, **settings):
    """The requests of a window, with what they may be beyond, and what is said of copies; their blocks add up to them."""
    answer = ask(url, window_seconds=window_seconds, **settings)
    requests = values(answer.instant("requests"))
    blocks = {series.label("model_name"): sum(value or 0 for _, value in series.points) for series in answer.block("requests").series}
    assert blocks == pytest.approx(requests)
    assert min(value or 0 for series in answer.block("requests").series for _, value in series.points) >= 0
    return requests, requests | {each.label("model_name"): each.last for each in answer.instant("requests").most}, told(answer)


def pair_of_two_models(copies, **more):
    pair = Pair(copies, **more)
    for model, rate in (("baseline", 1.0), ("enhanced", 2.0)):
        pair.instance(model, model, [Life(END - 9 * DAY)], rate)
    return pair


def in_turn(first, second):
    """Two copies of which each is down for a while now and then, but never both."""
    rng = random.Random(3)  # noqa: S311 # worlds, not secrets
    outages, at = [], END - 8 * DAY
    while at < END:
        length = rng.uniform(600, 7200)
        outages.append((at, at + length))
        at += length + rng.uniform(600, 7200)
    up = [at for at in first if any(begin <= at < end for begin, end in outages)]
    return {"p0": up, "p1": without(second, *((begin + 300, end - 300) for begin, end in outages))}


def some(moments, share, seed):
    rng = random.Random(seed)  # noqa: S311
    return [at for at in moments if rng.random() > share]


A, B, C = (scrapes(END - 8 * DAY, END, 60, phase) for phase in (7, 31, 50))
DRAINED = (END - 50 * HOUR) // HOUR * HOUR
MISSED = {"p0": [END - 2393, END - 1793, END - 593], "p1": [END - 2969, END - 3269, END - 3509, END - 3389]}


@pytest.mark.parametrize("window_seconds", [HOUR, DAY, 7 * DAY], ids=["1 h", "24 h", "7 d"])
@pytest.mark.parametrize(
    "copies",
    [
        {"p0": without(A, (END - 6 * HOUR - 400, END - 5 * HOUR)), "p1": without(B, (END - 9 * HOUR, END - 6 * HOUR))},
        {"p0": [at for at in A if at not in MISSED["p0"]], "p1": [at for at in B if at not in MISSED["p1"]]},
        {"p0": some(A, 0.1, 1), "p1": some(B, 0.1, 2), "p2": some(C, 0.1, 3)},
        in_turn(A, B),
        {"p0": without(A, (DRAINED + 1800, DRAINED + 4200)), "p1": without(B, (DRAINED - 600, DRAINED + 1200))},
    ],
    ids=["both silent for a while", "a few scrapes missing", "three with missing scrapes", "down in turn", "drained in turn"],
)
def test_scrapes_that_copies_miss_cost_nothing_that_another_one_saw(prometheus, copies, window_seconds):
    pair = pair_of_two_models(copies)
    least, most, said = counted(prometheus(pair.truth()).url, window_seconds)
    assert least == most == pair.requests(END - window_seconds, END)
    assert said[0].startswith(ONCE)


def test_copied_pods_that_tell_when_they_began_count_from_zero_and_for_sure(prometheus):
    pair = pair_of_two_models({"p0": scrapes(END - 25 * HOUR, END, 60, 3), "p1": scrapes(END - 25 * HOUR, END, 60, 33)})
    for index in range(4):
        pair.instance("enhanced", f"pod{index}", [Life(END - (10 - index) * HOUR + (5 if index % 2 else 40))], 1.0)
    least, most, _ = counted(prometheus(pair.truth()).url, DAY)
    assert least == most == pair.requests(END - DAY, END)


@pytest.mark.parametrize("tells_starts", [True, False])
@pytest.mark.parametrize("down_seconds", [0.0, 30.0, 1200.0])
def test_a_restart_that_one_copy_has_not_seen_where_a_block_ends_counts_in_its_block(prometheus, down_seconds, tells_starts):
    """The other copy is down around the restart, or scrapes late after it: its old value is the greater one for some minutes."""
    restarted = (END - 1800) // 900 * 900 - 20
    copies = {"p0": scrapes(END - 2 * HOUR, END, 30, 11), "p1": without(scrapes(END - 2 * HOUR, END, 30, 29), (restarted - 40, restarted - 40 + down_seconds))}
    pair = Pair(copies)
    for model, rate in (("baseline", 1.0), ("enhanced", 2.0)):
        pair.instance(model, model, [Life(END - 5 * HOUR, restarted), Life(restarted)], rate, tells_starts=tells_starts)
    answer = ask(prometheus(pair.truth()).url)
    assert values(answer.instant("requests")) == pair.requests(END - HOUR, END)
    for series in answer.block("requests").series:
        edges = [END - HOUR, *(at for at, _ in series.points)]
        assert [value for _, value in series.points] == [pair.requests(*block)[series.label("model_name")] for block in pairwise(edges)]


@pytest.mark.parametrize(("step_seconds", "ended_seconds", "back_seconds"), [(15, 58, 9000), (60, -1, 130)], ids=["a pod has just ended", "a copy is just back"])
def test_a_copy_that_has_seen_fewer_of_the_last_scrapes_is_one_all_the_same(prometheus, step_seconds, ended_seconds, back_seconds):
    first, second = (scrapes(END - 3 * HOUR, END, step_seconds, phase) for phase in (1, 4))
    pair = pair_of_two_models({"p0": first, "p1": without(second, (END - back_seconds - 600, END - back_seconds))})
    pair.instance("enhanced", "pod", [Life(END - 4 * HOUR, END - ended_seconds)], 1.0)
    found, _, said = counted(prometheus(pair.truth()).url, HOUR)
    assert found == pair.requests(END - HOUR, END)
    assert said[0].startswith(ONCE)


@pytest.mark.parametrize("named", [False, True])
def test_copies_by_clocks_that_differ_are_told_and_count_once_where_they_are_named(prometheus, named):
    moments = scrapes(END - 3 * HOUR, END, 15, 3)
    pair = pair_of_two_models({"p0": moments, "p1": [at + 2.5 for at in moments]}, clocks={"p1": 3.5})
    found, _, said = counted(prometheus(pair.truth()).url, HOUR, **({"PROMETHEUS_REPLICA_LABELS": COPY_LABEL} if named else {}))
    expected = {"baseline": HOUR, "enhanced": 2 * HOUR}
    assert found == pytest.approx(expected if named else {model: 2 * value for model, value in expected.items()}, rel=2e-3)
    assert said[0].startswith(ONCE if named else PERHAPS)
    assert named or "some seconds apart" in said[0]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_real_workers_of_nearly_equal_traffic_count_twice_and_nothing_is_said(prometheus, seed):
    rng, truth = random.Random(seed), PrometheusTruth(start=0.0, end=0.0)  # noqa: S311
    total = 0.0
    for number, phase in enumerate((3.0, 5.5)):
        count, seconds, samples = 0, 0.0, {name: [] for name in ("ab_test_requests_total", f"{LATENCY}_count", f"{LATENCY}_sum")}
        for at in scrapes(END - 3 * HOUR, END, 15, phase):
            answered = sum(rng.random() < 0.5 for _ in range(30))
            count, seconds = count + answered, seconds + sum(rng.expovariate(5) for _ in range(answered))
            for name, value in zip(samples, (count, count, seconds), strict=True):
                samples[name].append((at, float(value)))
        truth.series += [TrueSeries(name, labels(worker=f"w{number}"), tuple(points)) for name, points in samples.items()]
        total += truth.series[-3].increase(END - HOUR - 15 + phase, END)
    found, _, said = counted(prometheus(truth).url, HOUR)
    assert (found, said) == ({"baseline": pytest.approx(total, abs=30)}, [])


@pytest.mark.parametrize("rate", [0.0, 1 / 1200])
def test_workers_that_were_forked_one_after_the_other_are_no_copies_however_alike_they_answer(prometheus, rate):
    moments = {"w0": scrapes(END - 26 * HOUR, END, 15, 3), "w1": scrapes(END - 26 * HOUR, END, 15, 11)}
    truth = PrometheusTruth(start=0.0, end=0.0)
    for number, (name, each) in enumerate(moments.items()):
        worker = Pair({name: each}, label="worker")
        worker.instance("baseline", "i1", [Life(END - 40 * HOUR + 0.4 * number)], rate)
        truth.series += worker.series
    found, _, said = counted(prometheus(truth).url, DAY)
    assert (found, said) == ({"baseline": 2 * DAY * rate}, [])


@pytest.mark.parametrize(("more", "asked"), [({"job": "models"}, ["labels"]), ({"pod": "p"}, ["labels", "series"])])
def test_where_no_series_differ_in_one_label_alone_little_is_asked(prometheus, more, asked):
    truth = two_models()
    truth.series = [
        TrueSeries(each.name, {**each.labels, **{name: f"{value} {each.labels['instance']}" for name, value in more.items()}}, each.samples) for each in truth.series
    ]
    settings = settings_of(prometheus(truth).url)
    seen = []
    with PrometheusClient(settings) as client:

        def remember(questions):
            seen.extend(questions)
            return client.ask_all(questions, Deadline(LONGEST_SECONDS))

        scope = find_scope(remember, at_seconds=END, window_seconds=HOUR, test=AskedTest(None), known=(), metric_names=())
        seen.clear()
        assert find_copies(remember, scope, settings) == Copies()
    assert [question.path for question in seen] == asked


@pytest.mark.parametrize("value", [",", "a,,b", "auto,b", "1st", 'x"', "model_name", "a,le"])
def test_a_setting_that_names_no_label_is_refused(value):
    with pytest.raises(SettingsError, match="PROMETHEUS_REPLICA_LABELS"):
        settings_of("http://localhost:9090", PROMETHEUS_REPLICA_LABELS=value)


def test_names_in_quotes_are_not_taken_for_a_question():
    text = 'sum(increase(m{a="rate(x[5m])"}[1h])) + rate(n{b="}"}[5m]) + count("increase(y[1m])")'
    assert counted_once("sum(m)", ("a",)) == "sum(m)"
    assert counted_once(text, ()) == text
    assert counted_once(text, ("a", "b")) == (
        'sum(max without (a, b) (increase(m{a="rate(x[5m])"}[1h]))) + max without (a, b) (rate(n{b="}"}[5m])) + count("increase(y[1m])")'
    )
