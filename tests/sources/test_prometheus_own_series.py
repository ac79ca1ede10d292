"""Whose traffic counts: that of the chosen test's label, its models' unlabelled past on the same target, and its variants' unlabelled series; nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from live_dashboards.model.snapshot import PrometheusAnswer, SourceState
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.prometheus.own_series import WHICH_COUNT
from live_dashboards.sources.prometheus.promql import RECORDED_UNTIL, STEPS
from live_dashboards.sources.prometheus.source import PrometheusAbSource
from tests.sources.prometheus_reading import END, HOUR, ask, labels, settings_of, short_truth, traffic, values
from tests.support.victoria_metrics import VictoriaMetricsServer
from tests.support.waiting import LONGEST_SECONDS

BOTH = ("baseline", "enhanced")
FIX = "name them with AB_VARIANT_ALIASES, or give their series the label experiment, if they are"
NASTY = 'a.b|c "d" \\ (e)* $window'


def read(url: str, *variants: str, experiment: str = "mine", **settings: str) -> PrometheusAnswer:
    """The answer for a test whose variants MLflow has told."""
    source = PrometheusAbSource(settings_of(url, **settings))
    return source.read(at=datetime.fromtimestamp(END, UTC), window_seconds=HOUR, experiment=experiment, variants=variants, deadline=Deadline(LONGEST_SECONDS))


def requests_of(answer: PrometheusAnswer) -> dict[str, int]:
    return {model: round(value or 0) for model, value in values(answer.instant("requests")).items()}


def told(answer: PrometheusAnswer) -> list[str]:
    return [text.removeprefix(WHICH_COUNT) for text in answer.status.warnings if text.startswith(WHICH_COUNT)]


@pytest.mark.parametrize("variants", [(), BOTH])
def test_traffic_of_other_tests_alone_is_none_of_this_one_and_their_names_are_told(prometheus, variants):
    truth = short_truth()
    for name in ("one", "two", "three"):
        traffic(truth, experiment=name)
        truth.gauge("ab_test_business_impact", labels(experiment=name, metric_type="net_business_value"), 9.0)
    answer = read(prometheus(truth).url, *variants)
    assert answer.status.state is SourceState.NO_AB_DATA
    assert [each.series for each in (*answer.instants, *answer.timelines)] == [()] * len((*answer.instants, *answer.timelines))
    assert (answer.first_traffic, answer.accumulated) == ((), ())
    assert "the label experiment has the values one, three, two" in answer.status.reason


def test_an_unlabelled_variant_counts_beside_other_tests_and_a_stranger_does_not(prometheus):
    truth = short_truth()
    for model, rate in (("baseline-predictor", 1.0), ("enhanced_v2", 2.0), ("baselines", 4.0), ("stranger", 8.0)):
        traffic(truth, model, rate=rate)
        truth.gauge("ab_test_model_accuracy", labels(model), 80.0)
    traffic(truth, "baseline-predictor", experiment="other", rate=16.0)
    answer = read(prometheus(truth).url, *BOTH)
    assert requests_of(answer) == {"baseline-predictor": 3600, "enhanced_v2": 7200}
    assert set(values(answer.instant("online_accuracy"))) == set(dict(answer.first_traffic)) == {"baseline-predictor", "enhanced_v2"}
    assert told(answer) == [
        "of baseline-predictor, enhanced_v2 those without the label experiment, as they are variants of this experiment",
        f"none of baselines, stranger, as they are no variants of 'mine' (baseline, enhanced); {FIX}",
    ]


def test_without_any_label_a_tests_own_variants_count_as_ever_and_nothing_is_said(prometheus):
    truth = short_truth()
    for model in BOTH:
        traffic(truth, model)
    answer = read(prometheus(truth).url, *BOTH)
    assert (requests_of(answer), answer.status.warnings) == ({"baseline": 7200, "enhanced": 7200}, ())


def test_where_mlflow_does_not_tell_the_variants_unlabelled_series_count_and_that_is_said(prometheus):
    truth = short_truth()
    traffic(truth, "baseline", experiment="mine")
    traffic(truth, "enhanced")
    traffic(truth, "enhanced", "i2", experiment="other", rate=50.0)
    answer = read(prometheus(truth).url)
    assert requests_of(answer) == {"baseline": 7200, "enhanced": 7200}
    assert told(answer) == ["of enhanced those without the label experiment, as MLflow does not tell whose they are"]


def test_an_alias_makes_a_model_a_variant_or_none(prometheus):
    truth = short_truth()
    for model in ("a", "baseline-old", "enhanced"):
        traffic(truth, model)
    answer = read(prometheus(truth).url, *BOTH, AB_VARIANT_ALIASES="a=baseline,baseline-old=retired")
    assert requests_of(answer) == {"a": 7200, "enhanced": 7200}


def test_no_variant_among_unlabelled_models_is_no_traffic_of_this_test_and_both_sides_are_named(prometheus):
    truth = short_truth()
    traffic(truth, "red")
    answer = read(prometheus(truth).url, *BOTH)
    assert answer.status.state is SourceState.NO_AB_DATA
    assert "none of red, as they are no variants of 'mine' (baseline, enhanced); name them with AB_VARIANT_ALIASES" in answer.status.reason


def relabelled(truth, model="baseline", instance="i1", *, moment=END - HOUR / 2):
    """A target whose series carry the name from a moment on."""
    traffic(truth, model, instance, ends_at=moment - 1)
    traffic(truth, model, instance, experiment="mine", starts_at=moment)


@pytest.mark.parametrize("variants", [(), BOTH])
def test_a_models_unlabelled_past_on_the_same_target_counts_and_that_of_another_target_does_not(prometheus, variants):
    truth = short_truth()
    for model in BOTH:
        relabelled(truth, model)
        traffic(truth, model, "elsewhere", rate=50.0)
    answer = read(prometheus(truth).url, *variants)
    seen = truth.increase("ab_test_requests_total", start=END - HOUR, instance="i1", model_name="baseline")
    assert values(answer.instant("requests")) == pytest.approx({"baseline": seen, "enhanced": seen}, rel=0.02)
    assert dict(answer.first_traffic)["baseline"] == pytest.approx(END - 2 * HOUR, abs=31)
    assert told(answer) == ["of baseline, enhanced also those from before their target carried the label experiment; not those of elsewhere, which never carried it"]


def test_the_past_is_found_where_it_lies_before_the_window(prometheus):
    truth = short_truth(hours=50)
    relabelled(truth, moment=END - 30 * HOUR)
    relabelled(truth, "enhanced", moment=END - 30 * HOUR)
    answer = read(prometheus(truth).url, *BOTH)
    assert dict(answer.first_traffic)["baseline"] == pytest.approx(END - 50 * HOUR, abs=31)
    assert values(answer.accumulated[0].total("requests"))["baseline"] == pytest.approx(50 * 7200, rel=0.01)


def test_targets_of_another_job_are_left_out_where_instances_have_the_same_names(prometheus):
    truth = short_truth()
    for job, experiment, rate in (("own", "mine", 1.0), ("foreign", "", 50.0)):
        more = {"experiment": experiment} if experiment else {}
        truth.counter("ab_test_requests_total", labels(job=job, **more), rate)
    answer = read(prometheus(truth).url, *BOTH)
    assert requests_of(answer) == {"baseline": 3600}
    assert 'job!~"foreign"' in answer.instant("requests").query


def test_unlabelled_series_beside_labelled_ones_are_no_past_and_do_not_count(prometheus):
    truth = short_truth()
    traffic(truth, experiment="mine", rate=1.0)
    traffic(truth, rate=50.0)
    answer = read(prometheus(truth).url, *BOTH)
    assert requests_of(answer) == {"baseline": 3600}
    assert told(answer) == ["of baseline none without the label experiment: one target has some that are of this test and some that are not"]


def test_what_one_selector_cannot_tell_apart_is_left_out_and_told(prometheus):
    """On one target a variant that is labelled elsewhere, and one that is labelled nowhere."""
    truth = short_truth()
    traffic(truth, "baseline", "i1", experiment="mine", rate=1.0)
    traffic(truth, "baseline", "i2", rate=50.0)
    traffic(truth, "enhanced", "i2", rate=1.0)
    answer = read(prometheus(truth).url, *BOTH)
    assert requests_of(answer) == {"baseline": 3600}
    assert told(answer) == ["of baseline, enhanced none without the label experiment: one target has some that are of this test and some that are not"]


def test_a_labelled_model_that_is_no_variant_counts_beside_unlabelled_variants(prometheus):
    truth = short_truth()
    traffic(truth, "canary", experiment="mine")
    traffic(truth, "baseline")
    assert requests_of(read(prometheus(truth).url, *BOTH)) == {"canary": 7200, "baseline": 7200}


def test_names_are_matched_as_they_are_spelt_whatever_they_mean_to_a_pattern(prometheus):
    truth = short_truth()
    traffic(truth, f"{NASTY}-predictor", rate=1.0)
    traffic(truth, "a.b", rate=50.0)
    traffic(truth, "control", "i2", experiment=NASTY, rate=2.0)
    traffic(truth, "control", "i3", experiment="a.b", rate=50.0)
    answer = read(prometheus(truth).url, NASTY, "control", experiment=NASTY)
    assert requests_of(answer) == {f"{NASTY}-predictor": 3600, "control": 7200}
    assert all(each.reason is None for each in (answer.instant("requests"), answer.timeline("request_rate")))


def test_labelled_series_alone_are_asked_for_by_their_name_and_nothing_is_said(prometheus):
    truth = short_truth()
    traffic(truth, experiment="mine", rate=1.0)
    traffic(truth, experiment="other", rate=5.0)
    answer = ask(prometheus(truth).url, experiment="mine")
    assert (requests_of(answer), answer.status.warnings) == ({"baseline": 3600}, ())
    assert '{experiment="mine"}' in answer.instant("requests").query


def test_where_no_test_is_named_all_series_count_and_several_names_are_told(prometheus):
    truth = short_truth()
    traffic(truth, experiment="one", rate=1.0)
    traffic(truth, experiment="two", rate=5.0)
    answer = ask(prometheus(truth).url)
    assert (requests_of(answer), answer.experiment_filter, answer.added_experiments) == ({"baseline": 21_600}, None, ("one", "two"))


def steps(*counted: tuple[str, str, int]) -> list[str]:
    """26 hours of recorded steps: (model, experiment, requests a step)."""
    end, lines = int(END // 300 * 300), []
    for step in (end - index * 300 for index in range(26 * 12 + 1)):
        lines.append(f"{RECORDED_UNTIL} {step - 60} {step}\n")
        lines += [f'{STEPS["ab_test_requests_total"]}{{model_name="{model}",experiment="{name}"}} {count} {step}\n' for model, name, count in counted]
    return lines


def test_recorded_steps_are_of_the_same_tests():
    with VictoriaMetricsServer() as server:
        server.take(steps(("baseline", "", 300), ("enhanced", "mine", 600), ("baseline", "other", 9000), ("stranger", "", 9000)))
        answer = read(server.url, *BOTH, PROMETHEUS_RECORDED="on")
    assert requests_of(answer) == {"baseline": 3600, "enhanced": 7200}
    assert [text.partition(",")[0] for text in told(answer)] == ["of baseline those without the label experiment", "none of stranger"]


def test_where_only_targets_tell_whose_unlabelled_steps_are_every_instance_is_asked_and_that_is_said():
    truth = short_truth()
    relabelled(truth)
    traffic(truth, instance="elsewhere", rate=50.0)
    with VictoriaMetricsServer() as server:
        server.fill(truth)
        server.take(steps(("baseline", "", 9000), ("baseline", "mine", 600)))
        answer = read(server.url, *BOTH, PROMETHEUS_RECORDED="on")
    assert values(answer.instant("requests")) == pytest.approx({"baseline": 7200}, rel=0.02)
    assert "only the targets tell" in answer.status.warnings[0]
