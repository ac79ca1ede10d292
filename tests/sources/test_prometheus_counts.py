"""Counts of series that begin, restart, pause and are respelt: each is what the truth counted, or says what it leaves open."""

from __future__ import annotations

import itertools
from contextlib import ExitStack
from urllib.parse import unquote_plus

import pytest

from live_dashboards.sources.prometheus.counting import stretches
from tests.sources.prometheus_reading import END, HOUR, ask, labels, short_truth, traffic, values
from tests.support.doorman import Doorman
from tests.support.prometheus_truth import PrometheusTruth, TrueSeries
from tests.support.victoria_metrics import VictoriaMetricsServer

DAY = 24 * HOUR
REQUESTS, ERRORS, LATENCY = "ab_test_requests_total", "ab_test_errors_total", "ab_test_response_time_seconds"
START = "process_start_time_seconds"
MODELS = ("baseline", "enhanced")


def day_truth(*, hours: float = 26.0, scrape_seconds: float = 60.0) -> PrometheusTruth:
    return PrometheusTruth(start=END - hours * HOUR, end=END, scrape_seconds=scrape_seconds)


def series(truth: PrometheusTruth, name: str, own: dict[str, str], samples: object) -> None:
    """A series of just these (unix seconds, value) samples."""
    truth.series.append(TrueSeries(name, {"job": "serving", **own}, tuple(samples)))  # type: ignore[arg-type]


def steady(begin: float, end: float, pause: float, first: float, each: float) -> list[tuple[float, float]]:
    """Samples that grow by as much from scrape to scrape."""
    return [(begin + index * pause, first + index * each) for index in range(int((end - begin) / pause) + 1)]


@pytest.fixture(params=["prometheus", "victoria-metrics"])
def filled(request, prometheus):
    """`filled(truth)` is the URL of a server that holds it."""
    with ExitStack() as up:

        def make(truth: PrometheusTruth) -> str:
            if request.param == "prometheus":
                return str(prometheus(truth).url)
            server = up.enter_context(VictoriaMetricsServer())
            server.fill(truth)
            return server.url

        yield make


def most(answer):
    return {each.label("model_name"): each.last for each in answer.most}


def whole(answer):
    """What a day's answer says in each of its forms: totals, the last 24 hours, blocks."""
    return [values(answer.instant(name)) for name in ("requests", "requests_24h")] + [block_sums(answer, "requests")]


def block_sums(answer, name):
    return {each.label("model_name"): sum(value or 0.0 for _, value in each.points) for each in answer.block(name).series}


# what a counter holds at its first sample


def hourly_pods(truth):
    for model, held in (("baseline", 1.0), ("enhanced", 3.0)):
        for number in range(10):
            begin = END - (20 - number) * HOUR
            own = labels(model, f"{model}-{number}")
            series(truth, REQUESTS, own, steady(begin, begin + HOUR, 60.0, 0.0, 60.0))
            series(truth, ERRORS, own, [(at, held) for at, _ in steady(begin + 600, begin + HOUR, 60.0, 0.0, 0.0)])


def test_errors_that_a_pod_had_before_its_series_was_first_scraped_are_counted(filled):
    truth = day_truth()
    hourly_pods(truth)
    answer = ask(filled(truth), window_seconds=DAY)
    assert values(answer.instant("errors")) == pytest.approx({"baseline": 10, "enhanced": 30})
    assert values(answer.instant("requests")) == pytest.approx(dict.fromkeys(MODELS, 36_000))
    assert answer.instant("errors").most == ()
    period = answer.accumulated[0]
    assert values(period.total("errors")) == pytest.approx({"baseline": 10, "enhanced": 30})


SHARES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, *[1.0] * 7)


def scaling_to_zero(truth, *, with_starts=True):
    series(truth, REQUESTS, labels("baseline", "steady"), steady(END - 21 * HOUR, END, 15.0, 0.0, 60.0))
    for number in range(80):
        begin, own = END - 20 * HOUR + number * 900 + 7, labels("enhanced", f"pod-{number}")
        moments = [begin + index * 15.0 for index in range(len(SHARES))]
        series(truth, REQUESTS, own, zip(moments, (160 * share for share in SHARES), strict=True))
        if with_starts:
            series(truth, START, {"instance": f"pod-{number}"}, [(at, begin - 9.0) for at in moments])


def test_requests_of_pods_that_live_for_minutes_are_counted_from_their_process_start_on(filled):
    truth = day_truth()
    scaling_to_zero(truth)
    answer = ask(filled(truth), window_seconds=DAY)
    assert [found["enhanced"] for found in whole(answer)] == pytest.approx([12_800] * 3)
    assert values(answer.instant("requests"))["baseline"] == pytest.approx(21 * 240 * 60)
    assert answer.instant("requests").most == ()
    assert values(answer.accumulated[0].total("requests"))["enhanced"] == pytest.approx(12_800 - 48, abs=49)  # the first sample may lie before the start


def test_without_a_process_start_they_are_at_least_what_was_seen_to_grow(filled):
    truth = day_truth()
    scaling_to_zero(truth, with_starts=False)
    answer = ask(filled(truth), window_seconds=DAY).instant("requests")
    assert values(answer)["enhanced"] == pytest.approx(80 * 160 * 0.7)
    assert most(answer) == pytest.approx({"enhanced": 12_800})


def test_a_relabelling_is_no_birth(filled):
    truth = day_truth()
    began = END - 12 * HOUR
    for model in MODELS:
        samples = steady(END - 26 * HOUR, END, 60.0, 0.0, 25.0)
        series(truth, REQUESTS, labels(model), [sample for sample in samples if sample[0] < began])
        series(truth, REQUESTS, labels(model, zone="a"), [sample for sample in samples if sample[0] >= began])
    answer = ask(filled(truth), window_seconds=DAY)
    assert whole(answer) == [pytest.approx(dict.fromkeys(MODELS, 24 * 60 * 25))] * 3
    assert answer.instant("requests").most == ()


def test_a_process_that_is_scraped_under_another_address_is_no_birth(filled):
    truth = day_truth()
    moved, started = END - 12 * HOUR, END - 20 * HOUR
    for model in MODELS:
        samples = steady(started + 5, END, 60.0, 3.0, 25.0)
        for instance, mine in (("old", lambda at: at < moved), ("new", lambda at: at >= moved)):
            own = labels(model, f"{model}-{instance}")
            series(truth, REQUESTS, own, [sample for sample in samples if mine(sample[0])])
            series(truth, START, {"instance": own["instance"]}, [(at, started) for at, _ in samples if mine(at)])
    answer = ask(filled(truth), window_seconds=DAY)
    expected = 3.0 + 25.0 * (len(steady(started + 5, END, 60.0, 3.0, 25.0)) - 1)
    assert whole(answer) == [pytest.approx(dict.fromkeys(MODELS, expected))] * 3


def test_the_first_error_of_a_new_pod_hours_later_leaves_its_first_requests_counted(filled):
    truth = day_truth()
    for model in MODELS:
        series(truth, REQUESTS, labels(model, f"{model}-old"), steady(END - 25 * HOUR, END, 60.0, 0.0, 60.0))
        own, begin = labels(model, f"{model}-new"), END - 10 * HOUR + 24.0
        series(truth, REQUESTS, own, steady(begin, END, 60.0, 50.0, 60.0))
        series(truth, START, {"instance": own["instance"]}, [(at, begin - 20.0) for at, _ in steady(begin, END, 60.0, 0.0, 0.0)])
        series(truth, ERRORS, own, steady(begin + 3 * HOUR, END, 60.0, 1.0, 0.0))
    answer = ask(filled(truth), window_seconds=DAY)
    assert whole(answer) == [pytest.approx(dict.fromkeys(MODELS, 24 * 3600 + 50 + 60 * 599))] * 3
    assert values(answer.instant("errors")) == pytest.approx(dict.fromkeys(MODELS, 1))
    assert answer.instant("requests").most == answer.instant("errors").most == ()


@pytest.mark.parametrize("held_seconds", [241.0, 299.0], ids=["a scrape before five minutes end", "a second before"])
def test_a_move_in_the_last_scrape_of_five_minutes_is_no_birth_either(filled, held_seconds):
    """Of the new address one sample alone is read there."""
    truth, moved = day_truth(), (END - 12 * HOUR) // 300 * 300 + held_seconds
    for model in MODELS:
        samples = steady(moved - 8 * HOUR, END, 60.0, 3.0, 25.0)
        for instance, mine in (("old", lambda at: at < moved), ("new", lambda at: at >= moved)):
            own = labels(model, f"{model}-{instance}")
            series(truth, REQUESTS, own, [sample for sample in samples if mine(sample[0])])
            series(truth, START, {"instance": own["instance"]}, [(at, moved - 8 * HOUR - 5.0) for at, _ in samples if mine(at)])
    answer = ask(filled(truth), window_seconds=DAY)
    expected = 3.0 + 25.0 * (len(steady(moved - 8 * HOUR, END, 60.0, 3.0, 25.0)) - 1)
    assert whole(answer) == [pytest.approx(dict.fromkeys(MODELS, expected))] * 3


def test_pods_that_live_for_minutes_are_found_in_a_week_too(filled):
    """A week's blocks last an hour, and the pieces in which births are looked for longer than a pod lives."""
    truth = day_truth()
    scaling_to_zero(truth)
    answer = ask(filled(truth), window_seconds=8 * DAY)
    assert values(answer.instant("requests"))["enhanced"] == pytest.approx(12_800)
    assert "enhanced" not in most(answer.instant("requests"))


def test_new_labels_hours_after_a_pause_are_not_held_against_what_was_read_days_before(filled):
    """Of the old series a few samples at its begin were read; what it counted later is not known to have gone on."""
    truth, began = day_truth(hours=8 * 24.0, scrape_seconds=300.0), END - 80 * HOUR - 20.0
    for model in MODELS:
        old = steady(began + 20.0, END - 60 * HOUR, 300.0, 40.0, 7.0)
        new = steady(END - 50 * HOUR, END, 300.0, 2400.0, 7.0)
        series(truth, REQUESTS, labels(model, f"{model}-steady"), steady(END - 8 * DAY, END, 300.0, 0.0, 0.0))
        series(truth, REQUESTS, labels(model, model), old)
        series(truth, REQUESTS, labels(model, model, version="2"), new)
        series(truth, START, {"instance": model}, [(at, began) for at, _ in (*old, *new)])
    answer = ask(filled(truth), window_seconds=7 * DAY).instant("requests")
    least = old[-1][1] + new[-1][1] - new[0][1]
    assert values(answer) == pytest.approx(dict.fromkeys(MODELS, least))
    assert most(answer) == pytest.approx(dict.fromkeys(MODELS, least + new[0][1]))


def test_a_metric_that_is_let_in_again_with_a_large_value_is_no_birth(filled):
    truth = day_truth()
    for model in MODELS:
        series(truth, REQUESTS, labels(model), steady(END - 26 * HOUR, END, 60.0, 0.0, 600.0))
        series(truth, ERRORS, labels(model), steady(END - 4 * HOUR, END, 60.0, 500_000.0, 1.0))
    answer = ask(filled(truth), window_seconds=DAY).instant("errors")
    assert values(answer) == pytest.approx(dict.fromkeys(MODELS, 240))
    assert most(answer) == pytest.approx(dict.fromkeys(MODELS, 500_240))


def test_a_counter_that_was_created_in_the_range_counts_from_zero(filled):
    truth = day_truth()
    for model in MODELS:
        samples = steady(END - 6 * HOUR, END, 60.0, 77.0, 5.0)
        series(truth, REQUESTS, labels(model), samples)
        series(truth, "ab_test_requests_created", labels(model), [(at, END - 6 * HOUR - 50) for at, _ in samples])
    assert values(ask(filled(truth), window_seconds=DAY).instant("requests")) == pytest.approx(dict.fromkeys(MODELS, 77 + 6 * 60 * 5))


def test_a_relabelling_of_what_was_created_in_the_range_is_no_second_birth(filled):
    truth = day_truth()
    began, moved = END - 12 * HOUR, END - 6 * HOUR
    for model in MODELS:
        samples = steady(began, END, 60.0, 7.0, 25.0)
        for more, mine in (({}, lambda at: at < moved), ({"zone": "a"}, lambda at: at >= moved)):
            series(truth, REQUESTS, labels(model, **more), [sample for sample in samples if mine(sample[0])])
            series(truth, "ab_test_requests_created", labels(model, **more), [(at, began - 5.0) for at, _ in samples if mine(at)])
    assert values(ask(filled(truth), window_seconds=DAY).instant("requests")) == dict.fromkeys(MODELS, 7 + 12 * 60 * 25)


def test_a_model_that_an_exporter_of_others_begins_to_serve_counts_from_zero(filled):
    truth = day_truth()
    series(truth, REQUESTS, labels("baseline", "both"), steady(END - 26 * HOUR, END, 60.0, 0.0, 60.0))
    series(truth, REQUESTS, labels("enhanced", "both"), steady(END - 5 * HOUR, END, 60.0, 20.0, 30.0))
    answer = ask(filled(truth), window_seconds=DAY).instant("requests")
    assert (values(answer)["enhanced"], answer.most) == (20 + 5 * 60 * 30, ())


def test_what_was_created_before_the_range_counts_what_it_was_seen_to_grow(filled):
    truth = day_truth()
    for model in MODELS:
        samples = steady(END - 6 * HOUR, END, 60.0, 77.0, 5.0)
        series(truth, REQUESTS, labels(model), samples)
        series(truth, "ab_test_requests_created", labels(model), [(at, END - 60 * HOUR) for at, _ in samples])
    answer = ask(filled(truth), window_seconds=DAY).instant("requests")
    assert (values(answer), most(answer)) == (dict.fromkeys(MODELS, 1800), dict.fromkeys(MODELS, 1877))


# restarts


@pytest.mark.parametrize("pause_seconds", [0.0, 120.0, 2 * HOUR])
def test_three_errors_a_restart_and_three_more_are_six(filled, pause_seconds):
    truth, restart = day_truth(hours=30), END - 5 * HOUR
    moments = [at for at, _ in steady(END - 30 * HOUR, END, 60.0, 0.0, 0.0)]
    for model in MODELS:
        series(truth, START, {"instance": model}, [(at, END - 40 * HOUR if at < restart else restart - 20) for at in moments])
        series(truth, REQUESTS, labels(model, model), [(at, at - moments[0] if at < restart else at - restart + 5) for at in moments])
        errors = [(at, 0.0 if at < END - 20 * HOUR else 3.0) for at in moments if at < restart or at >= restart + pause_seconds]
        series(truth, ERRORS, labels(model, model), errors)
    answer = ask(filled(truth), window_seconds=DAY)
    assert values(answer.instant("errors")) == dict.fromkeys(MODELS, 6)
    assert values(answer.accumulated[0].total("errors")) == dict.fromkeys(MODELS, 6)
    assert answer.instant("errors").most == ()


def test_three_errors_without_a_restart_stay_three(filled):
    truth = day_truth(hours=30)
    moments = [at for at, _ in steady(END - 30 * HOUR, END, 60.0, 0.0, 0.0)]
    for model in MODELS:
        series(truth, START, {"instance": model}, [(at, END - 40 * HOUR) for at in moments])
        series(truth, REQUESTS, labels(model, model), [(at, at - moments[0]) for at in moments])
        pause = [at for at in moments if not END - 5 * HOUR <= at < END - 3 * HOUR]
        series(truth, ERRORS, labels(model, model), [(at, 0.0 if at < END - 20 * HOUR else 3.0) for at in pause])
    assert values(ask(filled(truth), window_seconds=DAY).instant("errors")) == dict.fromkeys(MODELS, 3)


@pytest.mark.parametrize("scrape_seconds", [15.0, 60.0])
def test_restarts_lose_nothing_and_are_no_births(filled, scrape_seconds):
    truth = day_truth(scrape_seconds=scrape_seconds)
    for model, instance in itertools.product(MODELS, ("i1", "i2")):
        resets = (END - 9 * HOUR, END - 2000, END - 1900)
        traffic(truth, model, instance, resets=resets)
        truth.histogram(LATENCY, labels(model, instance), {0.1: 1.0, 1.0: 0.5}, resets=resets)
    answer = ask(filled(truth), window_seconds=DAY)
    expected = truth.increase(REQUESTS, start=END - DAY, model_name="baseline")
    assert whole(answer) == [pytest.approx(dict.fromkeys(MODELS, expected), rel=1e-12)] * 3
    buckets = {(each.label("model_name"), each.label("le")): each.last for each in answer.instant("latency_buckets").series}
    assert buckets["enhanced", "0.1"] == pytest.approx(truth.increase(f"{LATENCY}_bucket", start=END - DAY, model_name="enhanced", le="0.1"))
    seconds = values(answer.instant("latency_sum"))
    assert seconds["enhanced"] == pytest.approx(truth.increase(f"{LATENCY}_sum", start=END - DAY, model_name="enhanced"))


def test_an_instance_that_restarts_too_often_to_be_read_is_estimated_and_that_is_told(filled, monkeypatch):
    monkeypatch.setattr(stretches, "_MOST_SAMPLES", 30_000)
    truth = day_truth(hours=8, scrape_seconds=15.0)
    for model in MODELS:
        series(truth, REQUESTS, labels(model, "steady"), steady(END - 8 * HOUR, END, 15.0, 0.0, 30.0))
    truth.counter(REQUESTS, {"job": "serving", **labels("enhanced", "crashing")}, 2.0, resets=[END - 200.0 * index for index in range(1, 100)])
    truth.counter(REQUESTS, {"job": "serving", **labels("enhanced", "once")}, 2.0, resets=[END - 4 * HOUR])
    answer = ask(filled(truth), window_seconds=7 * HOUR)
    expected = truth.increase(REQUESTS, start=END - 7 * HOUR, model_name="enhanced")
    assert values(answer.instant("requests"))["enhanced"] == pytest.approx(expected, rel=0.02)
    assert values(answer.instant("requests"))["baseline"] == 7 * 240 * 30
    assert [text for text in answer.status.warnings if "estimates" in text] == ["crashing restarted so often that their counts are estimates (increase)"]


@pytest.mark.parametrize(
    "refused",
    ["resets(ab_test_requests_total", "count by (job, instance) (last_over_time(ab_test_requests_total", "count_values", "{__name__=~"],
    ids=["the look", "the targets", "who is there", "raw samples"],
)
def test_what_cannot_be_put_right_is_missing_and_not_wrong(prometheus, refused):
    """Without its samples a restart looks like a loss of all that was counted before."""
    truth = day_truth()
    for model in MODELS:
        traffic(truth, model, model, resets=(END - 6 * HOUR,))
    server = prometheus(truth)
    with Doorman(server.host, server.port) as door:
        door.refuse = lambda _, sent: (503, {"Retry-After": "0"}) if refused in unquote_plus(sent.decode()) else None
        answer = ask(door.url, window_seconds=DAY)
    for name in ("requests", "requests_24h"):
        assert answer.instant(name).series == ()
        assert answer.instant(name).reason.startswith("where its series begin and restart could not be asked: http")
    assert answer.timeline("request_rate").series == answer.block("requests").series == ()
    assert answer.status.failures


@pytest.mark.parametrize(
    "refused", ["offset 5m) unless last_over_time(ab_test_requests_total", "unless last_over_time(ab_test_requests_total"], ids=["who vanishes", "who moves"]
)
def test_without_knowing_who_comes_and_goes_counts_are_missing(prometheus, refused):
    truth = day_truth()
    hourly_pods(truth)
    server = prometheus(truth)
    with Doorman(server.host, server.port) as door:
        door.refuse = lambda path, sent: (503, {"Retry-After": "0"}) if path.endswith("/query_range") and refused in unquote_plus(sent.decode()) else None
        answer = ask(door.url, window_seconds=DAY)
    for name in ("requests", "errors"):
        assert answer.instant(name).series == ()
        assert answer.instant(name).reason.startswith("where its series begin and restart could not be asked: http")


# pauses, ends


def test_a_pause_of_hours_loses_nothing_and_a_timeline_shows_no_spike(filled):
    truth = day_truth()
    traffic(truth, gaps=[(END - 9 * HOUR, END - 6 * HOUR)])
    answer = ask(filled(truth), window_seconds=DAY)
    assert whole(answer) == [pytest.approx({"baseline": 2 * DAY})] * 3
    rates = [value for each in answer.timeline("request_rate").series for _, value in each.points]
    assert max(value for value in rates if value is not None) == pytest.approx(2.0, rel=0.01)
    assert sum(value is None for value in rates) > 20


def test_a_pause_just_before_a_restart_is_held_against_the_last_value_before_it(filled):
    """Some samples of the day before were read, too."""
    truth, even = day_truth(), (END - 10 * HOUR) // 7200 * 7200
    pauses, restart = [(END - 20 * HOUR, END - 18 * HOUR), (even - 5000.0, even + 700.0)], even + 2500.0
    for model in MODELS:
        traffic(truth, model, model, gaps=pauses, resets=(restart,))
        told = [at for at, _ in truth.find(REQUESTS, model_name=model)[0].samples]
        series(
            truth,
            START,
            {"instance": model, "job": truth.find(REQUESTS, model_name=model)[0].labels.get("job", "")},
            [(at, restart if at >= restart else END - 27 * HOUR) for at in told],
        )
    answer = ask(filled(truth), window_seconds=DAY)
    assert whole(answer)[0] == pytest.approx({model: truth.increase(REQUESTS, start=END - DAY, model_name=model) for model in MODELS})


def test_a_process_that_began_unseen_in_a_pause_may_count_from_zero_though_it_counts_more(filled):
    """Or the start is not its own: its requests are as many as if they had gone on."""
    truth, began = day_truth(), END - 12 * HOUR
    for model in MODELS:
        before, after = steady(END - 25 * HOUR, END - 15 * HOUR, 60.0, 0.0, 1.0), steady(END - 9 * HOUR, END, 60.0, 900.0, 1.0)
        series(truth, REQUESTS, labels(model, model), before + after)
        series(truth, START, {"instance": model}, [(at, END - 26 * HOUR) for at, _ in before] + [(at, began) for at, _ in after])
    answer = ask(filled(truth), window_seconds=DAY)
    there = [value for at, value in before if at <= END - DAY][-1]
    requests = answer.instant("requests")
    assert values(requests) == pytest.approx(dict.fromkeys(MODELS, after[-1][1] - there))
    assert most(requests) == pytest.approx(dict.fromkeys(MODELS, before[-1][1] - there + after[-1][1]))


def test_a_small_counter_beside_an_enormous_one_is_counted(filled):
    """Their sum does not change by what the small one counts: it is asked of each."""
    truth = day_truth()
    for model in MODELS:
        series(truth, REQUESTS, labels(model, f"{model}-enormous"), steady(END - 26 * HOUR, END, 60.0, 1e17, 0.0))
        series(truth, REQUESTS, labels(model, f"{model}-small"), steady(END - 26 * HOUR, END, 60.0, 0.0, 1.0))
    assert whole(ask(filled(truth), window_seconds=DAY)) == [dict.fromkeys(MODELS, 1440.0)] * 3


@pytest.mark.parametrize(("first", "with_starts"), [(5.0, False), (5.0, True), (1e6, True)], ids=["nothing told", "process starts told", "without a fall"])
@pytest.mark.parametrize("pause_seconds", [240, 420, 800, 2400, 4000])
def test_a_restart_in_a_pause_within_a_long_block_loses_nothing_that_was_counted_before(filled, pause_seconds, first, with_starts):
    """A week's blocks last an hour: the series is there at both edges, and has fallen in between."""
    truth, stopped = day_truth(hours=9 * 24.0), END - 40 * HOUR - 1234.0
    for model in MODELS:
        own = labels(model, model)
        before, after = steady(END - 9 * DAY, stopped, 60.0, 0.0, 60.0), steady(stopped + pause_seconds, END, 60.0, first, 60.0)
        series(truth, REQUESTS, own, before + after)
        if with_starts:
            starts = [(at, END - 9 * DAY - 5.0) for at, _ in before] + [(at, after[0][0] - 5.0) for at, _ in after]
            series(truth, START, {"instance": own["instance"]}, starts)
    answer = ask(filled(truth), window_seconds=8 * DAY)
    there = [value for at, value in before if at <= END - 8 * DAY][-1]
    assert values(answer.instant("requests")) == block_sums(answer, "requests") == dict.fromkeys(MODELS, before[-1][1] - there + after[-1][1])


def test_pods_that_end_gain_nothing(filled):
    """295 pods, each a minute after the other, two hours long: half a scrape each would be 0.8 %."""
    truth = day_truth()
    for number in range(20):
        begin = END - 22 * HOUR + number * HOUR
        for model in MODELS:
            series(truth, REQUESTS, labels(model, f"{model}-{number}"), steady(begin + 13, begin + HOUR, 30.0, 0.0, 15.0))
    answer = ask(filled(truth), window_seconds=DAY)
    expected = truth.increase(REQUESTS, model_name="baseline")
    assert whole(answer) == [pytest.approx(dict.fromkeys(MODELS, expected), rel=1e-12)] * 3


# bucket edges


def respelt_histogram(truth, model, slow_share):
    """1 % or 4 % over a second; the edges are spelt as Prometheus 3 does from 36 hours before the end on."""
    moments = [at for at, _ in steady(truth.start, END, truth.scrape_seconds, 0.0, 0.0)]
    for le, respelt, share in (("0.5", "0.5", 0.9), ("1", "1.0", 1 - slow_share), ("+Inf", "+Inf", 1.0)):
        for spelling, mine in ((le, lambda at: at < END - 36 * HOUR or le == respelt), (respelt, lambda at: at >= END - 36 * HOUR and le != respelt)):  # noqa: B023
            samples = [(at, float(round((at - truth.start) * share))) for at in moments if mine(at)]
            if samples:
                series(truth, f"{LATENCY}_bucket", labels(model, le=spelling), samples)
    for name, each in ((f"{LATENCY}_count", 1.0), (f"{LATENCY}_sum", 0.4), (REQUESTS, 1.0)):
        series(truth, name, labels(model), [(at, (at - truth.start) * each) for at in moments])


def test_an_edge_that_is_spelt_anew_within_the_period_stays_one_edge(filled):
    truth = day_truth(hours=8 * 24, scrape_seconds=120.0)
    for model, share in (("baseline", 0.01), ("enhanced", 0.04)):
        respelt_histogram(truth, model, share)
    answer = ask(filled(truth), window_seconds=DAY, AB_LATENCY_OBJECTIVE_MS="1000", AB_START=str(END - 7 * DAY))
    period = answer.accumulated[0]
    within, count = values(period.total("latency_within")), values(period.total("latency_count"))
    assert period.edge_seconds == 1.0
    assert {model: 1 - within[model] / count[model] for model in MODELS} == pytest.approx({"baseline": 0.01, "enhanced": 0.04}, abs=1e-5)
    assert period.total("latency_within").most == ()


def test_an_edge_that_is_spelt_anew_within_the_window_stays_one_edge(filled):
    truth = day_truth(hours=60, scrape_seconds=120.0)
    for model, share in (("baseline", 0.01), ("enhanced", 0.04)):
        respelt_histogram(truth, model, share)
    answer = ask(filled(truth), window_seconds=48 * HOUR)
    found = {(each.label("model_name"), float(each.label("le"))): each.last for each in answer.instant("latency_buckets").series}
    assert found["enhanced", 1.0] == pytest.approx(48 * HOUR * 0.96, abs=2)
    assert len(found) == 6
    quantiles = [value for each in answer.timeline("response_time").series if each.label("model_name") == "enhanced" for _, value in each.points]
    assert quantiles == pytest.approx([1000 * (0.5 + 0.5 * 0.05 / 0.06)] * len(quantiles), rel=0.02)


# whatever the moment


@pytest.mark.parametrize("beside", [0.0, 7.25, 61.0])
@pytest.mark.parametrize("window_seconds", [1800.0, 6 * HOUR, DAY])
def test_totals_and_blocks_are_the_differences_of_samples_at_any_moment(prometheus, beside, window_seconds):
    truth = short_truth(hours=25)
    traffic(truth, rate=1.7)
    at = END - HOUR + beside
    answer = ask(prometheus(truth).url, at=at, window_seconds=window_seconds)
    (only,) = truth.find(REQUESTS)
    expected = [max(value for seconds, value in only.samples if seconds <= moment) for moment in (at - window_seconds, at)]
    assert values(answer.instant("requests")) == {"baseline": expected[1] - expected[0]}
    assert block_sums(answer, "requests") == pytest.approx({"baseline": expected[1] - expected[0]}, abs=1e-6)


@pytest.mark.parametrize("arms", [MODELS, ("enhanced",)], ids=["both arms", "one arm"])
def test_an_edge_that_a_deploy_adds_is_no_edge_of_what_was_counted_before(filled, arms):
    """Every request takes 0.2 s; the edge at 0.25 s is there since half a day, in one pod of two."""
    truth = day_truth()
    for model in MODELS:
        for instance, since in (("a", END - 26 * HOUR), ("b", END - 26 * HOUR)):
            added_at = END - 12 * HOUR if instance == "b" and model in arms else None
            own = labels(model, f"{model}-{instance}")
            counts = steady(since, END, 60.0, 0.0, 60.0)
            series(truth, REQUESTS, own, counts)
            series(truth, f"{LATENCY}_count", own, counts)
            series(truth, f"{LATENCY}_sum", own, [(at, 0.2 * value) for at, value in counts])
            for edge, share in (("0.1", 0.0), ("0.25", 1.0), ("1", 1.0), ("+Inf", 1.0)):
                there = [(at, share * value) for at, value in counts if edge != "0.25" or added_at is None or at >= added_at]
                series(truth, f"{LATENCY}_bucket", {**own, "le": edge}, there)
    answer = ask(filled(truth), window_seconds=DAY, AB_LATENCY_OBJECTIVE_MS="250")
    edges = {model: {float(each.label("le")) for each in answer.instant("latency_buckets").series if each.label("model_name") == model} for model in MODELS}
    assert edges == {model: {0.1, 1.0, float("inf")} | (set() if model in arms else {0.25}) for model in MODELS}
    period = answer.accumulated[0]
    assert (period.edge_seconds, values(period.total("latency_within"))) == (0.1, dict.fromkeys(MODELS, 0.0))
    told = "of the response times of {} the buckets up to 0.25 s are left out: some instances lacked them at times"
    assert [text for text in answer.status.warnings if "buckets" in text] == [told.format(model) for model in arms]


def test_an_edge_that_was_added_before_the_window_is_judged_only_where_all_of_the_period_has_it(filled):
    truth = day_truth(hours=50.0)
    for model in MODELS:
        own, counts = labels(model, model), steady(END - 48 * HOUR, END, 60.0, 0.0, 60.0)
        for metric in (REQUESTS, f"{LATENCY}_count"):
            series(truth, metric, own, counts)
        for edge in ("0.25", "+Inf"):
            series(truth, f"{LATENCY}_bucket", {**own, "le": edge}, [(at, value) for at, value in counts if edge == "+Inf" or at >= END - 30 * HOUR])
    url = filled(truth)
    period = ask(url, window_seconds=DAY, AB_LATENCY_OBJECTIVE_MS="250").accumulated[0]
    assert period.total("latency_within").reason == "not all instances of baseline, enhanced have had the bucket up to 0.25 s since the start of the test"
    later = ask(url, window_seconds=DAY, AB_LATENCY_OBJECTIVE_MS="250", AB_START=str(END - 28 * HOUR)).accumulated[0]
    assert values(later.total("latency_within")) == dict.fromkeys(MODELS, 28 * 60 * 60.0)


def test_one_observation_that_is_no_number_leaves_no_mean(filled):
    truth = day_truth()
    for model in MODELS:
        own, counts = labels(model, model), steady(END - 26 * HOUR, END, 60.0, 0.0, 60.0)
        for metric in (REQUESTS, f"{LATENCY}_count"):
            series(truth, metric, own, counts)
        is_odd = model == "enhanced"
        series(truth, f"{LATENCY}_sum", own, [(at, float("nan") if is_odd and at > END - 6 * HOUR else 0.2 * value) for at, value in counts])
    answer = ask(filled(truth), window_seconds=DAY)
    assert values(answer.instant("latency_sum")) == {"baseline": pytest.approx(0.2 * 1440 * 60)}
    assert "of the response times of enhanced the sum is no number (NaN) at times: their mean is missing" in answer.status.warnings
