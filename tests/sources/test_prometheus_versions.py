"""Which model serves under a name, from labels of a real Prometheus: looked at over the test by one question, and counted in no total."""

from __future__ import annotations

import pytest

from tests.sources.prometheus_reading import END, HOUR, ask, labels, short_truth, traffic, values

REQUESTS = "ab_test_requests_total"


def seen(answer):
    """When each version was seen first and last, in hours before the end, and on how many series then."""
    return {
        (series.label("model_name"), series.label("model_version")): ((END - at[0][0]) / HOUR, (END - at[-1][0]) / HOUR, at[-1][1])
        for series in answer.versions.series
        if (at := [point for point in series.points if point[1] is not None])
    }


def test_versions_are_seen_from_their_first_to_their_last_scrape_and_counted_in_no_total(prometheus):
    truth = short_truth(hours=30, scrape_seconds=60)
    traffic(truth, "baseline")
    for version, instance, when in (("3", "i1", {"ends_at": END - 5 * HOUR}), ("4", "i2", {"starts_at": END - 6 * HOUR}), ("4", "i3", {"starts_at": END - 5 * HOUR})):
        truth.counter(REQUESTS, labels("enhanced", instance, model_version=version), 2.0, **when)
    answer = ask(prometheus(truth).url)
    assert values(answer.instant("requests")) == pytest.approx({"baseline": 7200, "enhanced": 14_400}, rel=1e-3)
    found = seen(answer)
    assert found.keys() == {("enhanced", "3"), ("enhanced", "4")}
    first, last, _ = found["enhanced", "3"]
    block = answer.versions.step_seconds / HOUR  # they are looked at at the edges of blocks
    assert (first, last) == (pytest.approx(30, abs=block), pytest.approx(5, abs=block))
    assert found["enhanced", "4"] == (pytest.approx(6, abs=block), pytest.approx(0, abs=block), 2)
    assert answer.versions.step_seconds == answer.accumulated[0].block("requests").step_seconds


def test_without_such_labels_or_without_two_models_there_are_none(prometheus):
    truth = short_truth()
    traffic(truth, "baseline")
    traffic(truth, "enhanced")
    answer = ask(prometheus(truth).url)
    assert (answer.versions.series, answer.versions.reason, answer.status.warnings) == ((), None, ())
    alone = short_truth()
    alone.counter(REQUESTS, labels("baseline", model_version="3"), 2.0)
    assert ask(prometheus(alone).url).versions.reason == "not asked"


def test_instances_that_are_started_anew_are_told_once_a_block_and_model(prometheus):
    truth = short_truth(hours=30, scrape_seconds=60)
    traffic(truth, "baseline")
    for instance in ("i1", "i2"):
        truth.counter(REQUESTS, labels("enhanced", instance), 2.0, resets=(END - 5.5 * HOUR,))
    answer = ask(prometheus(truth).url)
    (series,) = answer.restarts.series
    assert series.label("model_name") == "enhanced"
    ((at, count),) = [(at, count) for at, count in series.points if count]
    assert (at >= END - 5.5 * HOUR > at - answer.restarts.step_seconds, count) == (True, 2)
