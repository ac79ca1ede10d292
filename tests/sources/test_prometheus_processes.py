"""Which process a counter is of: several behind one target, one under several names, one that keeps its counts, and what began anew without falling."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.sources.prometheus_reading import END, HOUR, ask, labels, values
from tests.sources.test_prometheus_counts import DAY, ERRORS, MODELS, REQUESTS, START, day_truth, most, series, steady
from tests.support.victoria_metrics import VictoriaMetricsServer

CREATED = "ab_test_requests_created", "ab_test_errors_created"


@pytest.fixture(params=["prometheus", "victoria-metrics"])
def read(request, prometheus):
    """`read(truth)`: the answer of a server that holds it."""
    with ExitStack() as up:

        def answer(truth, window_seconds=DAY):
            if request.param == "prometheus":
                return ask(prometheus(truth).url, window_seconds=window_seconds)
            server = up.enter_context(VictoriaMetricsServer())
            server.fill(truth)
            return ask(server.url, window_seconds=window_seconds)

        yield answer


@pytest.fixture
def counted(read):
    """`counted(truth)`: the day's requests and errors by model, of which all is known."""

    def found(truth, window_seconds=DAY):
        answer = read(truth, window_seconds)
        assert [most(answer.instant(name)) for name in ("requests", "errors")] == [{}, {}]
        return values(answer.instant("requests")), values(answer.instant("errors"))

    return found


def process(truth, own, begin, end, *, first=0.0, each=60.0, began=None, created=None, failures=(), told=None):
    """A process scraped each minute from one moment to another.

    Its requests grow by `each` from `first` on; `failures` are moments; `began` and `created` are what it tells of itself, `told` other labels of its start.
    """
    scrapes = steady(begin, end, 60.0, first, each)
    series(truth, REQUESTS, own, scrapes)
    failed = [(at, float(sum(moment <= at for moment in failures))) for at, _ in scrapes]
    series(truth, ERRORS, own, [sample for sample in failed if sample[1]])
    if began is not None:
        at_target = {name: value for name, value in own.items() if name != "model_name"} if told is None else told
        series(truth, START, at_target, [(at, began) for at, _ in scrapes])
    if created is not None:
        series(truth, CREATED[0], own, [(at, created) for at, _ in scrapes])
        series(truth, CREATED[1], own, [(at, created) for at, value in failed if value])
    return scrapes[-1][1]


def both(value):
    return dict.fromkeys(MODELS, value)


OLD = END - 26 * HOUR


def test_pods_behind_one_address_each_have_their_own_process(counted):
    """One of three begins anew: its neighbours go on."""
    truth, replaced = day_truth(), END - 10 * HOUR - 7
    for model in MODELS:
        for pod in ("a", "b"):
            process(truth, labels(model, f"node-{model}", pod=pod), OLD, END, began=OLD - HOUR, failures=[END - 20 * HOUR])
        process(truth, labels(model, f"node-{model}", pod="c"), OLD, replaced, began=OLD - HOUR)
        ended = process(truth, labels(model, f"node-{model}", pod="d"), replaced + 67, END, first=40.0, began=replaced + 2, failures=[END - 2 * HOUR])
    requests, errors = counted(truth)
    assert requests == both(2 * 1440 * 60 + (replaced - OLD) // 60 * 60 - 2 * 60 * 60 + ended)
    assert errors == both(3)


@pytest.mark.parametrize("pause_seconds", [60, 120, 400, 900])
@pytest.mark.parametrize("renamed", ["a label is added", "another address", "another job"])
@pytest.mark.parametrize("tells_start", [True, False])
def test_what_was_created_at_one_moment_is_one_counter_whatever_it_is_called_and_however_long_the_pause(counted, renamed, pause_seconds, tells_start):
    truth, began, moved = day_truth(), END - 20 * HOUR - 30, END - 8 * HOUR
    for model in MODELS:
        names = {
            "a label is added": (labels(model, model), labels(model, model, zone="a")),
            "another address": (labels(model, model), labels(model, f"{model}-2")),
            "another job": ({**labels(model, model), "job": "old"}, labels(model, model)),
        }[renamed]
        start = began if tells_start else None
        last = process(truth, names[0], began + 30, moved, first=5.0, began=start, created=began + 3, failures=[END - 15 * HOUR])
        later = moved + pause_seconds
        ended = process(truth, names[1], later, END, first=last + pause_seconds, began=start, created=began + 3, failures=[END - 15 * HOUR])
    requests, errors = counted(truth)
    assert (requests, errors) == (both(ended), both(1))


def test_a_gateway_that_keeps_what_was_pushed_counts_on_when_it_begins_anew_or_nobody_knows(read):
    """Its process start is its own, and not that of what it holds; as no request fell, all that it holds may have been counted since."""
    truth, restarted = day_truth(), END - 9 * HOUR
    for model in MODELS:
        own = labels(model, "gateway")
        last = process(truth, own, OLD, restarted, first=500_000.0, failures=[END - 25 * HOUR])
        process(truth, own, restarted + 60, END, first=last + 60, failures=[END - 25 * HOUR])
    scrapes = [at for at, _ in steady(OLD, END, 60.0, 0.0, 0.0)]
    series(truth, START, {"instance": "gateway"}, [(at, OLD - DAY if at <= restarted else restarted + 20) for at in scrapes])
    answer = read(truth)
    assert [values(answer.instant(name)) for name in ("requests", "errors")] == [both(1440 * 60), both(0)]
    assert [most(answer.instant(name)) for name in ("requests", "errors")] == [both(1440 * 60 + last), both(1)]


@pytest.mark.parametrize("ahead_seconds", [2, 40, 300])
def test_a_clock_that_is_ahead_makes_no_second_restart_and_no_unknown_beginning(counted, ahead_seconds):
    truth = day_truth()
    for model in MODELS:
        own = labels(model, model)
        process(truth, own, OLD, END - 12 * HOUR, began=OLD - DAY, failures=[OLD])
        ended = process(truth, own, END - 12 * HOUR + 60, END, first=30.0, began=END - 12 * HOUR + 30 + ahead_seconds, failures=[END - 12 * HOUR + 50])
        pod = process(truth, labels(model, f"{model}-new"), END - 6 * HOUR, END, first=40.0, began=END - 6 * HOUR - 20 + ahead_seconds, failures=[END - 6 * HOUR - 5])
    assert counted(truth) == (both(12 * 60 * 60 + ended + pod), both(2))


@pytest.mark.parametrize("window_seconds", [12 * HOUR, DAY])
def test_the_first_error_of_a_process_that_began_before_the_window_counts_though_the_one_before_had_as_many(counted, window_seconds):
    truth, restarted = day_truth(hours=60.0), END - 26 * HOUR
    for model in MODELS:
        own = labels(model, model)
        process(truth, own, END - 60 * HOUR, restarted, began=END - 80 * HOUR, failures=[END - 40 * HOUR])
        process(truth, own, restarted + 60, END, began=restarted + 5, failures=[END - 10 * HOUR])
    assert counted(truth, window_seconds)[1] == both(1)


@pytest.mark.parametrize("pause_seconds", [60, 1200])
def test_errors_that_do_not_fall_count_anew_where_all_requests_of_their_process_fall(counted, pause_seconds):
    """No process start is told: three errors, a restart, three errors are six."""
    truth, restarted = day_truth(), END - 9 * HOUR
    for model in MODELS:
        own = labels(model, model)
        last = process(truth, own, OLD, restarted, failures=[END - 20 * HOUR] * 3)
        ended = process(truth, own, restarted + pause_seconds, END, first=20.0, failures=[restarted] * 3)
        before = 2 * 60 * 60.0
    assert counted(truth) == (both(last - before + ended), both(6))


def test_a_fall_of_one_status_alone_is_no_restart_of_the_others(counted):
    """A mirror: who clears one counter has not begun anew."""
    truth = day_truth()
    for model in MODELS:
        series(truth, REQUESTS, labels(model, model, status="success"), steady(OLD, END, 60.0, 0.0, 60.0))
        cleared = [(at, value if at < END - 9 * HOUR else value - 900.0) for at, value in steady(OLD, END, 60.0, 0.0, 1.0)]
        series(truth, REQUESTS, labels(model, model, status="error"), cleared)
        series(truth, ERRORS, labels(model, model), [(at, 3.0) for at, _ in steady(OLD, END, 60.0, 0.0, 0.0)])
    assert counted(truth)[1] == both(0)


@pytest.mark.parametrize("tells_start", [True, False])
def test_a_deploy_that_changes_a_label_is_another_process_whose_errors_are_its_own(counted, tells_start):
    truth = day_truth()
    total = 0.0
    for number in range(4):
        begin = END - 22 * HOUR + number * 5.5 * HOUR
        for model in MODELS:
            own = labels(model, model, version=f"v{number}")
            ended = process(truth, own, begin, min(END, begin + 5.5 * HOUR - 60), first=20.0, began=begin - 15 if tells_start else None, failures=[begin - 5] * 2)
        total += ended
    if not tells_start:  # of the very first one nobody knows
        for model in MODELS:
            process(truth, labels(model, model, version="v"), OLD, END - 22 * HOUR - 60)
        total += (4 * HOUR - 60) // 60 * 60 - 2 * 60 * 60
    assert counted(truth) == (both(total), both(8))


def test_a_crash_loop_of_processes_that_count_alike_loses_none_of_them(counted):
    """In a week's blocks of an hour each process ends before its block does, and none of its few requests ever fall."""
    truth, lives = day_truth(hours=8 * 24.0), 60
    for model in MODELS:
        process(truth, labels(model, f"{model}-steady"), END - 8 * DAY, END, each=0.0, began=END - 9 * DAY)
        begin = END - 30 * HOUR
        for number in range(lives):
            life = 420.0 + number * 7 % 8 * 60
            process(truth, labels(model, model), begin, begin + life, first=2.0, each=0.0, began=begin - 30, failures=[begin - 10])
            begin += life + 60
    assert counted(truth, 7 * DAY) == (both(2 * lives), both(lives))


def test_processes_behind_one_address_that_tell_no_start_and_are_scraped_in_turn_are_several_counters(counted):
    """Chained by time they would fall at every scrape."""
    truth = day_truth()
    for model in MODELS:
        for number, first in enumerate((0.0, 5_000.0, 90_000.0)):
            own = labels(model, "node", pod=f"{number}")
            series(truth, REQUESTS, own, steady(OLD + 17 * number, END, 60.0, first, 10.0))
            series(truth, ERRORS, own, steady(OLD + 17 * number, END, 60.0, float(number), 0.0))
    requests, errors = counted(truth)
    assert requests == {model: pytest.approx(3 * 1440 * 10, abs=20) for model in MODELS}
    assert errors == both(0)


@pytest.mark.parametrize("moved_seconds", [-30, 12, 30])
def test_a_start_that_moves_with_the_clock_is_no_restart(counted, moved_seconds):
    truth, stepped = day_truth(), END - 9 * HOUR
    for model in MODELS:
        own = labels(model, model)
        process(truth, own, OLD, END, failures=[OLD])
        series(truth, START, {"instance": model}, [(at, OLD - HOUR + (moved_seconds if at > stepped else 0)) for at, _ in steady(OLD, END, 60.0, 0.0, 0.0)])
    assert counted(truth) == (both(1440 * 60), both(0))


@pytest.mark.parametrize("tells_start", [True, False])
def test_a_label_that_is_added_for_an_hour_counts_nothing_twice(read, tells_start):
    """What the other name has counted meanwhile is not counted once more when the first one is back."""
    truth, added, back = day_truth(), END - 9 * HOUR, END - 8 * HOUR
    for model in MODELS:
        own, began = labels(model, model), OLD - HOUR if tells_start else None
        last = process(truth, own, OLD, added, began=began)
        last = process(truth, {**own, "zone": "a"}, added + 60, back, first=last + 60, began=began)
        process(truth, own, back + 60, END, first=last + 60, began=began)
    answer = read(truth)
    least, upper = values(answer.instant("requests")), most(answer.instant("requests"))
    for model in MODELS:
        assert 1440 * 60 - 120 <= least[model] <= 1440 * 60 <= upper.get(model, least[model])


def test_a_model_that_is_loaded_anew_counts_its_errors_anew_and_its_neighbour_goes_on(counted):
    """Both are served by one process, which tells no start."""
    truth, loaded = day_truth(), END - 9 * HOUR
    before = process(truth, labels("baseline", "both"), OLD, END, failures=[OLD] * 3)
    ended = process(truth, labels("enhanced", "both"), OLD, loaded, failures=[END - 20 * HOUR] * 3)
    anew = process(truth, labels("enhanced", "both"), loaded + 60, END, first=20.0, failures=[loaded] * 3)
    requests, errors = counted(truth)
    assert requests == {"baseline": before - 2 * 60 * 60, "enhanced": ended - 2 * 60 * 60 + anew}
    assert errors == {"baseline": 0, "enhanced": 6}
