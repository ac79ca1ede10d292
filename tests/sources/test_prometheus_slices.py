"""What was counted by the values of a label, from a real Prometheus: it adds up to the totals, whatever begins, restarts or is one of thousands."""

from __future__ import annotations

import pytest

from live_dashboards.model.codec import decode, encode
from live_dashboards.model.snapshot import Accumulated
from live_dashboards.sources.prometheus.slices import MOST_VALUES
from tests.sources.prometheus_reading import BUCKETS, END, HOUR, ask, filled_engine, labels, short_truth
from tests.sources.test_prometheus_counts import ERRORS, LATENCY, REQUESTS, series, steady

MODELS = ("baseline", "enhanced")
COUNTERS = ("requests", "errors", "latency_count", "latency_within", "labelled", "correct")
ONLINE = {"AB_ONLINE_LABELLED_METRIC": "ab_test_labelled_total", "AB_ONLINE_CORRECT_METRIC": "ab_test_correct_total"}


def service(truth, model, instance, *, region, rate=2.0, **when):
    """Everything that an instance counts."""
    own = labels(model, instance, region=region)
    for name, share in ((REQUESTS, 1.0), (ERRORS, 0.05), ("ab_test_labelled_total", 0.5), ("ab_test_correct_total", 0.4)):
        truth.counter(name, own, share * rate, **when)
    truth.histogram(LATENCY, own, {bound: rate * each / 10 for bound, each in BUCKETS.items()}, **when)


def two_regions():
    """Instances that run through, restart, pause and begin late, of two models in two regions."""
    truth = short_truth(hours=30.0, scrape_seconds=60.0)
    for index, model in enumerate(MODELS):
        service(truth, model, f"{model}-1", region="eu", rate=2.0 + index)
        service(truth, model, f"{model}-2", region="us", rate=1.0, resets=[END - 7 * HOUR - 13], starts_at=END - 20 * HOUR)
        service(truth, model, f"{model}-3", region="us", rate=0.5, gaps=[(END - 3 * HOUR, END - 2 * HOUR)])
    return truth


@pytest.fixture(scope="module")
def regions(tmp_path_factory):
    """The URL of a server that holds them."""
    with filled_engine("prometheus", two_regions(), tmp_path_factory.mktemp("regions")) as url:
        yield url


def summed(answer):
    """By model and block, over the values."""
    found = {}
    for each in answer.series:
        for end, value in each.points:
            if value is not None:
                place = each.label("model_name"), end
                found[place] = found.get(place, 0.0) + value
    return found


def by_value(answer, label):
    found = {}
    for each in answer.series:
        value = each.label(label)
        found[value] = found.get(value, 0.0) + sum(number or 0.0 for _, number in each.points)
    return found


def test_the_values_add_up_to_the_totals_in_every_block(regions):
    (period,) = ask(regions, AB_SLICE_LABEL="region", **ONLINE).accumulated
    assert decode(Accumulated, encode(period)) == period
    assert period.slices.values == ("eu", "us")
    assert period.slices.values_count == 2
    for name in COUNTERS:
        assert summed(period.slices.block(name)) == summed(period.block(name)), name
        assert summed(period.block(name)), name


def test_another_engine_counts_the_values_alike(regions, tmp_path):
    (ours,) = ask(regions, AB_SLICE_LABEL="region").accumulated
    with filled_engine("victoria-metrics", two_regions(), tmp_path) as url:
        (theirs,) = ask(url, AB_SLICE_LABEL="region").accumulated
        unknown = ask(url, AB_SLICE_LABEL="regoin").accumulated[0].slices.reason
    assert by_value(theirs.slices.block("requests"), "region") == by_value(ours.slices.block("requests"), "region")
    assert summed(theirs.slices.block("latency_within")) == summed(theirs.block("latency_within"))
    assert "they have" in unknown
    assert "region" in unknown


def test_the_totals_are_the_same_without_a_label(regions):
    plain, sliced = ask(regions).accumulated[0], ask(regions, AB_SLICE_LABEL="region").accumulated[0]
    assert plain.slices is None
    assert (plain.totals, plain.blocks) == (sliced.totals, sliced.blocks)


def test_each_value_has_what_its_instances_counted(regions):
    truth = two_regions()
    (period,) = ask(regions, AB_SLICE_LABEL="instance").accumulated
    found = by_value(period.slices.block("requests"), "instance")
    assert {*found} == {f"{model}-{number}" for model in MODELS for number in (1, 2, 3)}
    for instance, counted in found.items():
        assert counted == pytest.approx(truth.increase(REQUESTS, start=period.start_seconds, end=END, instance=instance), abs=70), instance


def many(count=2000):
    """As many pods, of which a few have most of the traffic, and one of each model outlives them all."""
    truth = short_truth(hours=3.0, scrape_seconds=300.0)
    for number in range(count):
        model, begin = MODELS[number % 2], END - 3 * HOUR
        share = 100.0 if number < 6 else 1.0
        series(truth, REQUESTS, labels(model, f"pod-{number}"), steady(begin, END, 300.0, 0.0, share))
        if number % 100 == 0:
            series(truth, ERRORS, labels(model, f"pod-{number}"), steady(begin, END, 300.0, 0.0, 0.1 * share))
    return truth


def test_of_thousands_of_values_those_with_the_most_traffic_are_counted(prometheus):
    truth = many()
    url = prometheus(truth).url
    (period,) = ask(url, AB_SLICE_LABEL="instance").accumulated
    slices = period.slices
    assert {f"pod-{number}" for number in range(6)} <= {*slices.values}
    assert len(slices.values) == MOST_VALUES
    assert slices.values_count == 2000
    assert len(str(encode(period))) < 2.5 * len(str(encode(ask(url).accumulated[0]))) + 60_000
    found, whole = by_value(slices.block("requests"), "instance"), summed(period.block("requests"))
    assert found["pod-0"] == truth.increase(REQUESTS, start=period.start_seconds, end=END, instance="pod-0")
    assert sum(found.values()) < sum(whole.values())


def test_a_label_that_no_series_has_is_told_with_those_that_they_have(regions):
    (period,) = ask(regions, AB_SLICE_LABEL="regoin").accumulated
    assert period.slices.values == ()
    assert period.slices.reason == (
        "no series of ab_test_requests_total has the label regoin; they have instance, model_name, region: set AB_SLICE_LABEL to one that they have"
    )


def test_series_without_the_label_are_a_value_of_their_own(prometheus):
    truth = two_regions()
    own = labels("baseline", "baseline-4")
    truth.counter(REQUESTS, own, 0.25)
    truth.counter(ERRORS, own, 0.01)
    (period,) = ask(prometheus(truth).url, AB_SLICE_LABEL="region").accumulated
    assert period.slices.values == ("eu", "us", "")
    assert summed(period.slices.block("errors")) == summed(period.block("errors"))


def test_a_counter_whose_series_lack_the_label_is_not_counted_by_it(prometheus):
    truth = short_truth(hours=3.0, scrape_seconds=60.0)
    for model in MODELS:
        truth.counter(REQUESTS, labels(model, region="eu"), 2.0)
        truth.counter(ERRORS, labels(model), 0.1)
    (period,) = ask(prometheus(truth).url, AB_SLICE_LABEL="region").accumulated
    errors = period.slices.block("errors")
    assert errors.series == ()
    assert errors.reason == "series of errors of baseline, enhanced lack the label region, which those of its requests have"
    assert by_value(period.slices.block("requests"), "region")["eu"] > 0


def test_a_label_in_which_copies_of_one_scrape_differ_has_no_requests_of_its_own(prometheus):
    truth = short_truth(hours=3.0, scrape_seconds=60.0)
    for model in MODELS:
        for replica in ("a", "b"):
            truth.counter(REQUESTS, labels(model, replica=replica), 2.0)
    (period,) = ask(prometheus(truth).url, AB_SLICE_LABEL="replica", PROMETHEUS_REPLICA_LABELS="replica").accumulated
    assert period.slices.values == ()
    assert period.slices.reason.startswith("the copies of one scrape differ in the label replica, and count once")
