"""Which series count, how failed requests are counted, and what is said where there is nothing."""

from __future__ import annotations

import pytest

from live_dashboards.errors import SourceError
from live_dashboards.model.snapshot import SourceState
from tests.sources.prometheus_reading import END, HOUR, ask, labels, short_truth, traffic, values
from tests.support.doorman import Doorman

NASTY = 'a "b" \\ c\nd $window {x="y"} or vector(1)'


def test_only_series_of_the_chosen_experiment_count(prometheus):
    truth = short_truth()
    traffic(truth, experiment="one", rate=1.0)
    traffic(truth, experiment="two", rate=5.0)
    answer = ask(prometheus(truth).url, experiment="one")
    assert values(answer.instant("requests")) == pytest.approx({"baseline": 3600})
    assert (answer.experiment_filter, answer.experiments, answer.added_experiments) == ("one", ("one", "two"), ())


@pytest.mark.parametrize("label", ["experiment", "__name__"])
def test_where_the_labels_values_cannot_be_told_there_is_no_answer_rather_than_one_of_all_experiments(prometheus, label):
    truth = short_truth()
    traffic(truth, experiment="one", rate=1.0)
    traffic(truth, experiment="two", rate=5.0)
    server = prometheus(truth)
    with Doorman("127.0.0.1", server.port) as door:
        url = f"http://127.0.0.1:{door.port}"
        assert values(ask(url, experiment="one").instant("requests")) == pytest.approx({"baseline": 3600})
        door.shut = (f"/label/{label}/",)
        with pytest.raises(SourceError, match="503"):
            ask(url, experiment="one")


def test_experiments_that_are_added_together_are_told(prometheus):
    truth = short_truth()
    traffic(truth, experiment="one")
    traffic(truth, experiment="two")
    answer = ask(prometheus(truth).url)
    assert "one, two are added together" in answer.status.warnings[0]


def test_an_experiment_name_cannot_break_out_of_its_query(prometheus):
    truth = short_truth()
    traffic(truth, experiment=NASTY, rate=1.0)
    traffic(truth, experiment="other", rate=5.0)
    truth.gauge("ab_test_model_accuracy", labels(experiment=NASTY), 80.0)
    answer = ask(prometheus(truth).url, experiment=NASTY)
    assert values(answer.instant("requests")) == pytest.approx({"baseline": 3600})
    assert values(answer.instant("online_accuracy")) == {"baseline": 80.0}
    assert [found.reason for found in (answer.instant("requests"), answer.timeline("request_rate"), answer.timeline("accuracy"))] == [None, None, None]
    assert dict(answer.first_traffic).keys() == {"baseline"}


def test_an_experiment_that_has_ended_is_not_replaced_by_another_one(prometheus):
    truth = short_truth(hours=30)
    traffic(truth, experiment="old", ends_at=END - 28 * HOUR)
    traffic(truth, experiment="new")
    answer = ask(prometheus(truth).url, experiment="old")
    assert answer.status.state is SourceState.NO_AB_DATA
    assert 'ab_test_requests_total{experiment="old"} has no series in the last 1d' in answer.status.reason


def test_a_server_without_requests_is_reachable_without_ab_data_and_what_there_is_is_listed(prometheus):
    truth = short_truth(hours=0.5)
    truth.gauge("ab_test_traffic_percentage", {"model_name": "baseline"}, 70.0)
    answer = ask(prometheus(truth).url)
    assert answer.status.state is SourceState.NO_AB_DATA
    assert answer.status.reason.startswith("reachable, no A/B data: ab_test_requests_total has no series")
    assert "ab_test_traffic_percentage" in answer.status.reason
    assert answer.status.fix


def test_errors_come_from_the_status_label_where_no_error_counter_exists_and_that_is_said(prometheus):
    truth = short_truth()
    for status, rate in (("success", 2.0), ("error", 0.1)):
        truth.counter("ab_test_requests_total", labels(status=status), rate)
    answer = ask(prometheus(truth).url)
    assert values(answer.instant("errors")) == pytest.approx({"baseline": 360})
    assert 'status="error"' in answer.instant("errors").query
    assert "ab_test_errors_total has no series" in answer.instant("errors").note
    assert answer.timeline("error_rate").series[0].last == pytest.approx(100 * 0.1 / 2.1, rel=0.03)


def test_the_error_counter_wins_over_the_status_label(prometheus):
    truth = short_truth()
    for status, rate in (("success", 2.0), ("error", 0.1)):
        truth.counter("ab_test_requests_total", labels(status=status), rate)
    truth.counter("ab_test_errors_total", labels(), 0.2)
    errors = ask(prometheus(truth).url).instant("errors")
    assert (values(errors), errors.note) == (pytest.approx({"baseline": 720}), "")


def test_a_model_without_an_error_series_has_0_errors_where_others_have_some(prometheus):
    truth = short_truth()
    traffic(truth, "baseline")
    traffic(truth, "enhanced")
    truth.counter("ab_test_errors_total", labels("baseline"), 0.1)
    answer = ask(prometheus(truth).url)
    assert values(answer.instant("errors")) == pytest.approx({"baseline": 360, "enhanced": 0})
    assert answer.instant("errors").of_models == (("enhanced", "no failed request was counted"),)
    assert answer.instant("errors").assumed == ()
    assert set(dict(answer.timeline("error_rate").series[1].points).values()) == {0.0}


def test_a_status_label_without_any_error_means_0_errors(prometheus):
    truth = short_truth()
    truth.counter("ab_test_requests_total", labels(status="success"), 2.0)
    answer = ask(prometheus(truth).url)
    assert values(answer.instant("errors")) == {"baseline": 0}
    assert answer.timeline("error_rate").series[0].last == 0


def test_where_failures_are_not_counted_at_all_errors_are_missing_and_not_0(prometheus):
    truth = short_truth()
    traffic(truth)
    answer = ask(prometheus(truth).url)
    for found in (answer.instant("errors"), answer.timeline("error_rate")):
        assert found.series == ()
        assert "there is neither ab_test_errors_total nor a label status" in found.reason


def test_an_error_counter_without_the_experiment_label_does_not_make_an_experiment_faultless(prometheus):
    truth = short_truth()
    traffic(truth, experiment="one")
    truth.counter("ab_test_errors_total", labels(), 0.1)
    errors = ask(prometheus(truth).url, experiment="one").instant("errors")
    assert errors.series == ()
    assert "ab_test_errors_total has no label experiment" in errors.reason


def test_an_error_counter_known_from_long_ago_means_0_errors_now(prometheus):
    truth = short_truth(hours=30)
    traffic(truth)
    truth.counter("ab_test_errors_total", labels(), 0.1, ends_at=END - 28 * HOUR)
    assert values(ask(prometheus(truth).url).instant("errors")) == {"baseline": 0}


def test_the_first_traffic_of_each_model_is_found_and_a_counter_at_0_is_no_traffic(prometheus):
    truth = short_truth(hours=50)
    traffic(truth, "baseline", rate=[(END - 50 * HOUR, 0.0), (END - 40 * HOUR, 1.0)])
    traffic(truth, "enhanced", starts_at=END - 31.3 * HOUR, rate=1.0, resets=(END - HOUR,))
    first = dict(ask(prometheus(truth).url).first_traffic)
    assert first["baseline"] == pytest.approx(END - 40 * HOUR, abs=31)
    assert first["enhanced"] == pytest.approx(END - 31.3 * HOUR, abs=31)


def test_the_first_traffic_is_not_asked_where_the_start_is_configured(standard_prometheus):
    assert ask(standard_prometheus.url, at=standard_prometheus.end, AB_START="2026-01-01T00:00:00Z").first_traffic == ()


def test_a_rarely_scraped_exporter_still_has_rates(prometheus):
    truth = short_truth(hours=4, scrape_seconds=300)
    traffic(truth)
    answer = ask(prometheus(truth).url, at=END - 7)
    assert "[20m]" in answer.timeline("request_rate").query
    assert answer.timeline("request_rate").series[0].last == pytest.approx(2.0, rel=0.01)


def test_an_exporter_that_has_only_just_begun_keeps_the_short_rate(prometheus):
    truth = short_truth(hours=0.1)
    traffic(truth, starts_at=END - 30)
    assert "[5m]" in ask(prometheus(truth).url).timeline("request_rate").query
