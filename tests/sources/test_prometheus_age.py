"""How old the newest sample is: measured, also where an instant query no longer sees it."""

from __future__ import annotations

import pytest

from live_dashboards.model.snapshot import SourceState
from tests.sources.prometheus_reading import END, HOUR, ask, labels, short_truth, traffic, values


def test_a_sample_older_than_five_minutes_still_has_its_age(prometheus):
    truth = short_truth()
    traffic(truth, ends_at=END - 2400)
    truth.gauge("ab_test_model_accuracy", labels(), 80.0, ends_at=END - 1200)
    answer = ask(prometheus(truth).url)
    assert answer.status.state is SourceState.ANSWERED
    assert values(answer.instant("newest_requests")) == {"baseline": END - 2400}
    assert values(answer.instant("newest_online_accuracy")) == {"baseline": END - 1200}
    assert answer.instant("online_accuracy").reason == "ab_test_model_accuracy was last seen 20m before; is its exporter still scraped?"


def test_only_the_silent_model_is_old(prometheus):
    truth = short_truth()
    traffic(truth, "baseline")
    traffic(truth, "enhanced", ends_at=END - 1200)
    assert values(ask(prometheus(truth).url).instant("newest_requests")) == {"baseline": END, "enhanced": END - 1200}


@pytest.mark.parametrize(("age_seconds", "is_seen"), [(285, True), (315, False)])
def test_a_gauge_is_answered_for_five_minutes(prometheus, age_seconds, is_seen):
    truth = short_truth()
    traffic(truth)
    truth.gauge("ab_test_model_accuracy", labels(), 80.0, ends_at=END - age_seconds)
    answer = ask(prometheus(truth).url)
    assert bool(answer.instant("online_accuracy").series) is is_seen
    assert values(answer.instant("newest_online_accuracy")) == {"baseline": END - age_seconds}


def test_a_gauge_of_just_five_minutes_is_answered_or_said_to_be_too_old(prometheus):
    """Prometheus 2 still answers with it, Prometheus 3 does not."""
    truth = short_truth()
    traffic(truth)
    truth.gauge("ab_test_model_accuracy", labels(), 80.0, ends_at=END - 300)
    gauge = ask(prometheus(truth).url).instant("online_accuracy")
    assert values(gauge) == {"baseline": 80.0} or gauge.reason == "ab_test_model_accuracy was last seen 5m before; is its exporter still scraped?"


def test_a_gauge_that_turned_to_nan_is_as_old_as_its_last_number(prometheus):
    truth = short_truth()
    traffic(truth)
    truth.gauge("ab_test_model_accuracy", labels(), [(END - 2 * HOUR, 80.0), (END - 900, float("nan"))])
    assert values(ask(prometheus(truth).url).instant("newest_online_accuracy")) == {"baseline": END - 915}


def test_what_ended_before_a_short_window_counts_for_the_day(prometheus):
    truth = short_truth(hours=4)
    traffic(truth, ends_at=END - 2 * HOUR)
    answer = ask(prometheus(truth).url, window_seconds=HOUR)
    assert answer.status.state is SourceState.ANSWERED
    assert values(answer.instant("requests_24h")) == pytest.approx({"baseline": 14_400}, rel=0.01)
    assert answer.instant("requests").reason == "ab_test_requests_total has no series in the last 1h"


def test_a_model_whose_age_cannot_be_found_has_none_rather_than_that_of_its_neighbour(prometheus):
    """Over 30 days one looks every 30 minutes; who came and went between two looks is counted and not seen."""
    truth = short_truth(hours=4.0)
    between_looks = (END - 3 * HOUR) // 1800 * 1800 + 60
    traffic(truth)
    traffic(truth, "enhanced", starts_at=between_looks, ends_at=between_looks + 900)
    answer = ask(prometheus(truth).url, window_seconds=30 * 24 * HOUR)
    assert values(answer.instant("requests"))["enhanced"] == pytest.approx(1800, rel=0.05)
    assert values(answer.instant("newest_requests")) == {"baseline": END}
