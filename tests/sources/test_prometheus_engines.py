"""One truth in two engines, Prometheus and VictoriaMetrics: the same questions, each answer held against what was counted."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
import requests

from live_dashboards.errors import SourceError
from live_dashboards.model.notices import CheckState
from live_dashboards.sources.prometheus.check import prometheus_checks
from tests.conftest import filled_prometheus
from tests.sources.prometheus_reading import BUCKETS, END, HOUR, ask, labels, settings_of, short_truth, traffic, values
from tests.support.victoria_metrics import VictoriaMetricsServer
from tests.support.waiting import LONGEST_SECONDS

PREFIX = "/select/0/prometheus"
EXPERIMENT = "both-engines"
LATENCY = "ab_test_response_time_seconds"
AT = END + 7  # beside the scrapes, as any real moment is: here `increase` of Prometheus extrapolates
WINDOW = 2 * HOUR
START = END - WINDOW


def truth_of_both():
    """Restarts, a gap, a model that came late and one that is gone; another experiment that must not count."""
    truth = short_truth(hours=5)
    traffic(truth, instance="i1", rate=7.0, experiment=EXPERIMENT, resets=(END - 5000, END - 1000))
    traffic(truth, instance="i2", rate=6.0, experiment=EXPERIMENT)
    traffic(truth, "enhanced", rate=3.0, experiment=EXPERIMENT, gaps=[(END - 3000, END - 1800)])
    traffic(truth, "late", rate=2.0, experiment=EXPERIMENT, starts_at=END - 1800)
    traffic(truth, "gone", rate=2.0, experiment=EXPERIMENT, ends_at=END - 1500)
    traffic(truth, instance="i3", rate=50.0, experiment="other")
    for model, accuracy in (("baseline", 78.2), ("enhanced", 81.8)):
        own = labels(model, experiment=EXPERIMENT)
        truth.counter("ab_test_errors_total", own, 0.2)
        truth.histogram(LATENCY, own, BUCKETS)
        truth.gauge("ab_test_model_accuracy", own, accuracy)
        truth.gauge("ab_test_business_impact", {**own, "metric_type": "net_business_value"}, 1.5)
    return truth


@pytest.fixture(scope="module")
def truth():
    return truth_of_both()


@pytest.fixture(scope="module")
def urls(truth, tmp_path_factory):
    """Both engines with the truth, the second one below the path prefix of its cluster."""
    with ExitStack() as running:
        prometheus = running.enter_context(filled_prometheus(truth, tmp_path_factory.mktemp("engines")))
        victoria = running.enter_context(VictoriaMetricsServer(prefix=PREFIX))
        victoria.fill(truth)
        yield {"prometheus": prometheus.url, "victoria-metrics": victoria.url}


@pytest.fixture(scope="module", params=["prometheus", "victoria-metrics"])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def answer(engine, urls):
    return ask(urls[engine], at=AT, window_seconds=WINDOW, experiment=EXPERIMENT, AB_START=str(END - 4 * HOUR))


def asked_version(url):
    return requests.get(f"{url}/api/v1/status/buildinfo", timeout=LONGEST_SECONDS).json()["data"]["version"]


def counted(truth, metric, model, *, start=START, **more):
    return truth.increase(metric, start=start, model_name=model, experiment=EXPERIMENT, **more)


def test_totals_are_what_was_counted_over_restarts_gaps_and_what_came_late_or_is_gone(answer, truth):
    expected = {model: counted(truth, "ab_test_requests_total", model) for model in ("baseline", "enhanced", "late", "gone")}
    assert values(answer.instant("requests")) == pytest.approx(expected, rel=1e-12)
    errors = {model: counted(truth, "ab_test_errors_total", model) for model in ("baseline", "enhanced")} | {"late": 0, "gone": 0}
    assert values(answer.instant("errors")) == pytest.approx(errors, rel=1e-12)


def test_every_bucket_is_what_was_counted_in_it(answer, truth):
    found = {series.label("le"): series.last for series in answer.instant("latency_buckets").series if series.label("model_name") == "enhanced"}
    assert found == pytest.approx({le: counted(truth, f"{LATENCY}_bucket", "enhanced", le=le) for le in ("0.05", "0.1", "0.25", "0.5", "+Inf")}, rel=1e-12)


def test_a_percentile_over_time_is_that_of_the_buckets(answer):
    """The 95th of 100 requests is the fifth from the top, in the last bucket: of 20 between 0.1 s and 0.5 s 15 end at 0.25 s and 5 are slower."""
    shown = next(series for series in answer.timeline("response_time").series if series.label("model_name") == "baseline")
    assert [value for _, value in shown.points] == pytest.approx([250.0] * len(shown.points), rel=0.02)
    assert len(shown.points) > 100


def test_timelines_and_blocks_stand_at_the_moments_that_were_asked_for(answer):
    for each in (*answer.timelines, *answer.blocks):
        moments = {seconds for series in each.series for seconds, _ in series.points}
        of_gauges = each.name in {"accuracy", "business_impact"}  # counts stand at the ends of the absolute grid's blocks, and the last one at the moment
        assert {((AT if of_gauges else 0.0) - seconds) % each.step_seconds for seconds in moments - {AT}} == {0.0}, each.name
        assert max(moments) == AT


def test_a_rate_over_time_is_that_of_the_truth(answer):
    shown = next(series for series in answer.timeline("request_rate").series if series.label("model_name") == "baseline")
    assert [value for _, value in shown.points] == pytest.approx([13.0] * len(shown.points), rel=0.03)


def test_the_period_counts_from_its_start_and_its_blocks_add_up_to_it(answer, truth):
    period = answer.accumulated[0]
    expected = counted(truth, "ab_test_requests_total", "enhanced", start=END - 4 * HOUR)
    assert (period.start_seconds, period.is_remembered) == (END - 4 * HOUR, True)
    assert values(period.total("requests"))["enhanced"] == pytest.approx(expected, rel=1e-12)
    blocks = next(series for series in period.block("latency_count").series if series.label("model_name") == "enhanced")
    step_seconds = period.block("latency_count").step_seconds
    assert blocks.points[0][0] == (END - 4 * HOUR) // step_seconds * step_seconds + step_seconds
    assert sum(value for _, value in blocks.points) == pytest.approx(counted(truth, f"{LATENCY}_count", "enhanced", start=END - 4 * HOUR), rel=1e-12)


def test_gauges_ages_scope_and_the_first_traffic_are_the_same(answer):
    assert values(answer.instant("online_accuracy")) == {"baseline": 78.2, "enhanced": 81.8}
    newest = values(answer.instant("newest_requests"))
    assert newest == {"baseline": END, "enhanced": END, "late": END, "gone": pytest.approx(END - 1500, abs=20)}
    assert (answer.experiments, answer.experiment_filter) == ((EXPERIMENT, "other"), EXPERIMENT)
    assert not answer.first_traffic  # AB_START says it


def test_a_model_has_its_first_traffic_at_its_first_sample(engine, urls):
    found = dict(ask(urls[engine], at=AT, experiment=EXPERIMENT).first_traffic)
    assert found["late"] == pytest.approx(END - 1800, abs=30)
    assert found["baseline"] == pytest.approx(END - 5 * HOUR, abs=30)


def test_the_connection_test_finds_nothing_amiss(engine, urls, monkeypatch):
    monkeypatch.setattr("live_dashboards.sources.prometheus.check._CLOCK_LIMIT_SECONDS", 60)  # a machine that stands still looks like another clock
    settings = settings_of(urls[engine], AB_EXPERIMENT=EXPERIMENT, AB_STALE_AFTER="1h")
    found = {check.name: (check.ok, check.found) for check in prometheus_checks(settings, datetime.fromtimestamp(AT, UTC))}
    assert {name for name, (ok, _) in found.items() if ok not in {CheckState.OK, CheckState.SKIPPED}} == set()
    said = found["Prometheus API"][1]
    assert said.endswith("VictoriaMetrics, its version is not told" if engine == "victoria-metrics" else f"version {asked_version(urls[engine])}")


def test_the_page_names_victoria_metrics_and_not_the_version_it_pretends(engine, urls, answer):
    assert answer.status.version == ("VictoriaMetrics" if engine == "victoria-metrics" else asked_version(urls[engine]))


def test_without_the_prefix_of_its_path_the_reason_says_so(urls):
    root = urls["victoria-metrics"].removesuffix(PREFIX)
    with pytest.raises(SourceError, match=f'{root} answers with status 400: .*missing -http.pathPrefix="{PREFIX}"'):
        ask(root, at=AT)
