"""What was counted since the test began, from a real Prometheus: exact totals, blocks from that moment on, and whether the server remembers it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.sources.prometheus_reading import BUCKETS, END, HOUR, ask, labels, short_truth, traffic, values


def two_models(*, hours=30.0, later=10.0, scrape_seconds=30.0):
    """The baseline from the beginning, the challenger `later` hours after it."""
    truth = short_truth(hours=hours, scrape_seconds=scrape_seconds)
    began = END - (hours - later) * HOUR
    for model, starts_at in (("baseline", truth.start), ("enhanced", began)):
        traffic(truth, model, rate=2.0, starts_at=starts_at)
        truth.counter("ab_test_errors_total", labels(model), 0.1, starts_at=starts_at)
        truth.histogram("ab_test_response_time_seconds", labels(model), BUCKETS, starts_at=starts_at)
    return truth, began


def sums(accumulated, name):
    return {series.label("model_name"): sum(value or 0.0 for _, value in series.points) for series in accumulated.block(name).series}


def test_it_counts_from_the_moment_at_which_both_had_traffic(prometheus):
    truth, began = two_models()
    answer = ask(prometheus(truth).url, window_seconds=HOUR)
    (found,) = answer.accumulated
    assert found.start_seconds == pytest.approx(began, abs=60)
    assert values(found.total("requests")) == pytest.approx(dict.fromkeys(("baseline", "enhanced"), 20 * HOUR * 2), rel=2e-3)
    assert values(found.total("errors")) == pytest.approx(dict.fromkeys(("baseline", "enhanced"), 20 * HOUR * 0.1), rel=5e-3)


def test_what_is_not_slower_than_the_objective_is_counted_at_the_nearest_edge(prometheus):
    truth, _ = two_models()
    (found,) = ask(prometheus(truth).url, AB_LATENCY_OBJECTIVE_MS="110").accumulated
    assert found.edge_seconds == 0.1
    slow = {model: values(found.total("latency_count"))[model] - value for model, value in values(found.total("latency_within")).items()}
    assert slow == pytest.approx(dict.fromkeys(("baseline", "enhanced"), 20 * HOUR * 2.0), rel=2e-3)


def test_blocks_begin_at_the_start_and_add_up_to_the_total(prometheus):
    truth, _ = two_models()
    (found,) = ask(prometheus(truth).url).accumulated
    blocks = found.block("requests")
    first, last = blocks.series[0].points[0][0], blocks.series[0].points[-1][0]
    assert first == found.start_seconds // blocks.step_seconds * blocks.step_seconds + blocks.step_seconds
    assert last == END
    assert sums(found, "requests") == values(found.total("requests"))


def test_ab_start_is_the_start_whatever_the_first_traffic_was(prometheus):
    truth, _ = two_models()
    chosen = END - 5 * HOUR
    (found,) = ask(prometheus(truth).url, AB_START=datetime.fromtimestamp(chosen, UTC).isoformat()).accumulated
    assert found.start_seconds == chosen
    assert values(found.total("requests"))["enhanced"] == pytest.approx(5 * HOUR * 2, rel=2e-3)


def test_a_start_that_the_server_saw_coming_is_remembered_and_its_oldest_sample_is_not(prometheus):
    seen, _ = two_models()
    assert ask(prometheus(seen).url).accumulated[0].is_remembered
    together, _ = two_models(later=0.0)
    assert not ask(prometheus(together).url).accumulated[0].is_remembered


def test_each_later_model_has_a_start_of_its_own(prometheus):
    truth, began = two_models()
    traffic(truth, "third", rate=1.0, starts_at=END - 5 * HOUR)
    starts = [found.start_seconds for found in ask(prometheus(truth).url).accumulated]
    assert starts == pytest.approx([began, END - 5 * HOUR], abs=60)


def test_one_model_alone_is_no_test(prometheus):
    truth = short_truth()
    traffic(truth)
    assert ask(prometheus(truth).url).accumulated == ()


def test_a_restart_costs_no_request(prometheus):
    truth = short_truth(hours=10)
    for model in ("baseline", "enhanced"):
        traffic(truth, model, resets=(END - 4 * HOUR,))
    (found,) = ask(prometheus(truth).url).accumulated
    assert values(found.total("requests"))["enhanced"] == pytest.approx(10 * HOUR * 2, rel=2e-3)


def test_the_online_counters_are_counted_where_they_are_named(prometheus):
    truth, _ = two_models()
    for model in ("baseline", "enhanced"):
        truth.counter("labelled_total", labels(model), 0.5)
        truth.counter("correct_total", labels(model), 0.4)
    (found,) = ask(prometheus(truth).url, AB_ONLINE_LABELLED_METRIC="labelled_total", AB_ONLINE_CORRECT_METRIC="correct_total").accumulated
    assert values(found.total("correct"))["enhanced"] == pytest.approx(20 * HOUR * 0.4, rel=2e-3)
    assert values(found.total("labelled"))["baseline"] == pytest.approx(20 * HOUR * 0.5, rel=2e-3)


def test_the_server_tells_how_long_it_keeps_samples(prometheus):
    truth = short_truth()
    traffic(truth)
    assert ask(prometheus(truth).url).retention_seconds == 10 * 365 * 24 * HOUR
