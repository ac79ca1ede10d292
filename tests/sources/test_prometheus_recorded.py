"""PROMETHEUS_RECORDED=on: what the rules have recorded is what was counted, and nothing is asked of each instance's series."""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from live_dashboards.demo.programs import promtool_program
from live_dashboards.demo.servers import PrometheusServer
from live_dashboards.model.snapshot import SourceState
from live_dashboards.sources.prometheus.promql import ESTIMATED, FAILED, GAUGES, NEWEST, RECORDED_UNTIL, STEPS, TOTALS, UNSEEN, newest, recorded_form
from live_dashboards.sources.queries import AB_QUERIES, AbQuery
from tests.conftest import filled_prometheus
from tests.sources.prometheus_reading import BUCKETS, END, HOUR, ask, labels, short_truth, traffic, values
from tests.support.victoria_metrics import VictoriaMetricsServer
from tests.support.waiting import LONGEST_SECONDS

RULES = Path(__file__).parents[2] / "deploy/prometheus"
FILES = (RULES / "ab_test.rules.yml", RULES / "ab_test_recorded.rules.yml")
EXPERIMENT = "recorded"
LATENCY = "ab_test_response_time_seconds"
AT = END + 7
WINDOW = 2 * HOUR
STARTED = END - 5 * HOUR - 40
HOURS = 27.0
SPANS = {"5m": 26.0, "1m": 3.0}


def the_truth():
    """Restarts, a gap, an instance that comes late and one that goes; another experiment, whose instance was not scraped for 100 minutes."""
    truth = short_truth(hours=HOURS, scrape_seconds=30)
    traffic(truth, instance="i1", rate=7.03, experiment=EXPERIMENT, resets=(END - 5017, END - 1000))
    traffic(truth, instance="i2", rate=6.01, experiment=EXPERIMENT, gaps=[(END - 3000, END - 1200)])
    traffic(truth, "enhanced", rate=3.07, experiment=EXPERIMENT)
    traffic(truth, "enhanced", "i2", rate=1.3, experiment=EXPERIMENT, starts_at=END - 4000)
    traffic(truth, "enhanced", "i3", rate=2.9, experiment=EXPERIMENT, ends_at=END - 2000)
    traffic(truth, instance="i4", rate=50.0, experiment="other", gaps=[(END - 10_000, END - 4000)])
    traffic(truth, "gone", rate=1.0, experiment="other", ends_at=END - 2 * HOUR)
    for model, accuracy in (("baseline", 78.2), ("enhanced", 81.8)):
        own = labels(model, experiment=EXPERIMENT)
        truth.counter("ab_test_errors_total", own, 0.21, resets=(END - 3333,))
        truth.histogram(LATENCY, own, BUCKETS)
        truth.gauge("ab_test_model_accuracy", own, accuracy)
        truth.gauge("ab_test_business_impact", {**own, "metric_type": "net_business_value"}, 1.5)
    by_status(truth, ("success", 4.0), ("error", 0.1))
    traffic(truth, rate=3.0, experiment="loop")
    traffic(truth, instance="i2", rate=2.0, experiment="loop", resets=[END - index * 200 for index in range(50)])
    return truth


def by_status(truth, *rates):
    """An experiment whose failures are counted by status alone."""
    for status, rate in rates:
        truth.counter("ab_test_requests_total", labels(experiment="by status", status=status), rate)


def unlabelled():
    """The counter of errors does not know the experiments, of which one has a status and one has none."""
    truth = short_truth(hours=2, scrape_seconds=30)
    traffic(truth, experiment="no status")
    by_status(truth, ("success", 4.0))
    truth.counter("ab_test_errors_total", labels(), 0.5)
    return truth


def rules_of(folder, interval):
    """The groups of that interval without what reads other recorded series, which cannot be filled in."""
    groups = [group for path in FILES for group in yaml.safe_load(path.read_text())["groups"] if group["interval"] == interval]
    needed = {*STEPS.values(), *UNSEEN.values(), FAILED, ESTIMATED, *GAUGES.values(), *NEWEST.values(), RECORDED_UNTIL}
    kept = [{**group, "rules": [rule for rule in group["rules"] if rule["record"] in needed]} for group in groups]
    path = folder / f"{interval}.rules.yml"
    path.write_text(json.dumps({"groups": [group for group in kept if group["rules"]]}))
    return path


def run(*command):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr


def filled_from(hours):
    """Not in the last minutes of two hours: promtool begins a group up to its interval later, and writes nothing where that is in the next two."""
    start = END - hours * HOUR
    return start - 300 if start % 7200 >= 6900 else start


def record_in_prometheus(source_url, data, folder):
    """As the documentation says to fill in the past."""
    for interval, hours in SPANS.items():
        span, before = (f"--start={filled_from(hours):.0f}", f"--end={END:.0f}"), set(data.glob("*/meta.json"))
        run(promtool_program(), "tsdb", "create-blocks-from", "rules", f"--url={source_url}", *span, f"--output-dir={data}", rules_of(folder, interval))
        assert set(data.glob("*/meta.json")) > before, f"nothing was filled in for {interval}"


def record_in_victoria(url, folder):
    """The same rules by VictoriaMetrics' own evaluator, which needs other words for the same."""
    for interval, hours in SPANS.items():
        replay(rules_of(folder, interval), url, hours)


def replay(rules, url, hours):
    """What the rules of a file would have recorded in so many hours."""
    start, end = (datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (END - hours * HOUR, END))
    where = (f"-rule={rules}", f"-datasource.url={url}", f"-remoteWrite.url={url}", "-remoteWrite.flushInterval=100ms")
    run("vmalert", *where, f"-replay.timeFrom={start}", f"-replay.timeTo={end}", "-replay.rulesDelay=0s", "-replay.disableProgressBar")


@pytest.fixture(scope="module")
def truth():
    return the_truth()


def recording_servers(running, truth, folder):
    """The URLs of a Prometheus with every instance's series, of one with nothing but what the rules recorded of them, and of a VictoriaMetrics with both."""
    raw = running.enter_context(filled_prometheus(truth, folder))
    recorded = PrometheusServer()
    running.callback(recorded.stop)
    record_in_prometheus(raw.url, recorded.folder / "data", folder)
    recorded.start()
    victoria = running.enter_context(VictoriaMetricsServer())
    victoria.fill(truth)
    record_in_victoria(victoria.url, folder)
    victoria.flush()
    return raw.url, recorded.url, victoria.url


@pytest.fixture(scope="module")
def urls(truth, tmp_path_factory):
    """A Prometheus with every instance's series, one with nothing but what the rules recorded of them, and a VictoriaMetrics with both."""
    folder = tmp_path_factory.mktemp("recorded")
    with ExitStack() as running:
        raw, recorded, victoria = recording_servers(running, truth, folder)
        other = running.enter_context(VictoriaMetricsServer())
        other.fill(unlabelled())
        record_in_victoria(other.url, folder)
        other.flush()
        yield {"raw": raw, "prometheus": recorded, "victoria-metrics": victoria, "unlabelled": other.url}


def reading(url, experiment=EXPERIMENT, *, at=AT, window_seconds=WINDOW, recorded="on", **settings):
    return ask(url, at=at, window_seconds=window_seconds, experiment=experiment, PROMETHEUS_RECORDED=recorded, **settings)


@pytest.fixture(scope="module", params=["prometheus", "victoria-metrics"])
def url(request, urls):
    return urls[request.param]


@pytest.fixture(scope="module")
def answer(url):
    return reading(url, AB_START=str(STARTED))


def until_of(answer):
    """Until when the answer's steps count, in unix seconds."""
    return answer.instant("requests").series[0].points[0][0] - 61


def counted(truth, metric, until, seconds, **more):
    """By the samples: from the last one before the span to the last one within it."""
    first = truth.start + (until - seconds - truth.start) // truth.scrape_seconds * truth.scrape_seconds
    return truth.increase(metric, start=first, end=until, **more)


def by_model(truth, metric, until, seconds):
    return {model: counted(truth, metric, until, seconds, model_name=model, experiment=EXPERIMENT) for model in ("baseline", "enhanced")}


@pytest.mark.parametrize(("name", "metric"), [("requests", "ab_test_requests_total"), ("errors", "ab_test_errors_total"), ("latency_count", f"{LATENCY}_count")])
def test_recorded_counts_are_whole_numbers_and_exactly_what_was_counted(answer, truth, name, metric):
    assert values(answer.instant(name)) == by_model(truth, metric, until_of(answer), WINDOW)


def test_the_last_24_hours_the_sum_and_each_bucket_are_what_was_counted(answer, truth):
    until = until_of(answer)
    assert values(answer.instant("requests_24h")) == by_model(truth, "ab_test_requests_total", until, 24 * HOUR)
    assert values(answer.instant("latency_sum")) == pytest.approx(by_model(truth, f"{LATENCY}_sum", until, WINDOW), rel=1e-9)
    found = {series.label("le"): series.last for series in answer.instant("latency_buckets").series if series.label("model_name") == "enhanced"}
    more = {"model_name": "enhanced", "experiment": EXPERIMENT}
    assert found == {le: counted(truth, f"{LATENCY}_bucket", until, WINDOW, le=le, **more) for le in ("0.05", "0.1", "0.25", "0.5", "+Inf")}


def test_a_period_counts_exactly_from_its_first_whole_step_and_its_blocks_add_up(answer, truth):
    period, until = answer.accumulated[0], until_of(answer)
    seconds = (until - STARTED) // 300 * 300
    assert (period.start_seconds, period.is_remembered) == (STARTED, True)
    assert values(period.total("requests")) == by_model(truth, "ab_test_requests_total", until, seconds)
    assert values(period.total("latency_within"))["enhanced"] == counted(truth, f"{LATENCY}_bucket", until, seconds, model_name="enhanced", le="0.25")
    blocks = {series.label("model_name"): sum(value for _, value in series.points) for series in period.block("requests").series}
    assert blocks == values(period.total("requests"))


def test_events_of_further_guardrails_which_no_rule_records_are_asked_of_each_instance_and_unknown_where_there_is_none(urls):
    guardrails = "refusals:ab_test_errors_total:1"
    both = reading(urls["victoria-metrics"], AB_GUARDRAILS=guardrails)
    assert values(both.instant("refusals")) == pytest.approx(values(both.instant("errors")), abs=0.21 * 120)
    lacking = reading(urls["prometheus"], AB_GUARDRAILS=guardrails).instant("refusals")
    assert (lacking.series, lacking.reason) == ((), "refusals are not counted: Prometheus holds no instance's ab_test_requests_total, beside which they would be")


def test_timelines_gauges_and_ages_come_from_what_was_recorded(answer):
    shown = {series.label("model_name"): [value for _, value in series.points] for series in answer.timeline("request_rate").series}
    assert len(shown["enhanced"]) in {22, 23, 24}  # whole blocks within the window
    assert shown["enhanced"][2] == pytest.approx(3.07 + 2.9, rel=0.01)  # before the second instance came
    assert [value for _, value in answer.timeline("response_time").series[0].points] == pytest.approx([250.0] * len(shown["baseline"]), rel=1e-3)
    assert values(answer.instant("online_accuracy")) == {"baseline": 78.2, "enhanced": 81.8}
    assert values(answer.instant("newest_requests")) == pytest.approx({"baseline": END, "enhanced": END}, abs=90)
    assert (answer.experiments, answer.experiment_filter) == (("by status", "loop", "other", EXPERIMENT), EXPERIMENT)


def test_the_page_is_told_that_rules_counted_and_until_when(answer):
    until = datetime.fromtimestamp(until_of(answer), UTC)
    assert answer.status.warnings == (f"counts come from recording rules, in whole steps of 5m until {until:%Y-%m-%d %H:%M:%S} UTC",)
    assert 0 < AT - until_of(answer) <= 367
    asked = [each.query for each in (*answer.instants, *answer.timelines, *answer.blocks, *answer.accumulated[0].totals) if each.query]
    assert len(asked) > 20
    assert all(":" in query and "increase(" not in query and "rate(" not in query for query in asked)


def test_the_first_traffic_is_the_first_step_with_traffic_and_stays_it(url):
    firsts = [dict(reading(url, at=at).first_traffic)["baseline"] for at in (AT, AT - 600)]
    assert max(firsts) - min(firsts) < 15
    assert firsts[0] == pytest.approx(END - 26 * HOUR, abs=370)


def test_what_an_instance_counted_while_it_was_not_scraped_for_over_an_hour_is_lost(url, truth):
    """The stated limit: the rules look back an hour for where an instance stood before."""
    answer = reading(url, "other")
    in_the_gap = 50.0 * 6000 + 50.0 * 30
    whole = counted(truth, "ab_test_requests_total", until_of(answer), 24 * HOUR, experiment="other", model_name="baseline")
    assert values(answer.instant("requests_24h"))["baseline"] == pytest.approx(whole - in_the_gap, abs=50.0 * 30)


def test_an_instance_that_restarts_every_200_s_is_estimated_and_that_is_told(url, truth):
    answer = reading(url, "loop", AB_START=str(STARTED))
    until = until_of(answer)
    whole = counted(truth, "ab_test_requests_total", until, WINDOW, experiment="loop", model_name="baseline")
    assert values(answer.instant("requests"))["baseline"] == pytest.approx(whole, rel=0.05)  # without an estimate a quarter of all is lost
    window, day, period = answer.status.warnings[1:]
    assert window.startswith("of the requests of the last 2h these are estimates, as instances restarted again and again within 5m: ")
    assert "last 1d" in day
    assert "analysis period since" in period
    estimated = float(window.rpartition(": ")[2].split()[0].replace(",", ""))
    assert 0.8 < estimated / counted(truth, "ab_test_requests_total", until, WINDOW, experiment="loop", instance="i2") < 1.1


def test_a_model_that_is_gone_for_longer_than_an_hour_still_has_its_age(url):
    newest = values(reading(url, "other", window_seconds=3 * HOUR).instant("newest_requests"))
    assert newest == {"baseline": pytest.approx(END, abs=90), "gone": pytest.approx(END - 2 * HOUR, abs=90)}


def test_where_the_rules_have_recorded_too_little_every_instance_is_asked_and_that_is_said(urls, truth):
    at = END - 22 * HOUR
    answer = reading(urls["victoria-metrics"], at=at, window_seconds=HOUR)
    assert answer.status.warnings[0].startswith("every instance's series were asked, not what the rules recorded: the rules have recorded 17 % of the last 1d: load")
    assert values(answer.instant("requests")) == {
        model: truth.increase("ab_test_requests_total", start=at - HOUR, end=at, model_name=model, experiment=EXPERIMENT) for model in ("baseline", "enhanced")
    }
    assert "last_over_time(ab_test_requests_total{" in answer.instant("requests").query


def errors_of(url, experiment, recorded, at):
    """How many failed, why that is not known, and how they are counted."""
    answer = reading(url, experiment, at=at, window_seconds=HOUR, recorded=recorded)
    total = answer.instant("errors")
    assert answer.timeline("error_rate").reason == total.reason
    assert {series.label("model_name") for series in answer.timeline("error_rate").series} == set(values(total))
    return values(total), total.reason, total.note.partition("; ")[0]


@pytest.mark.parametrize(
    ("world", "experiment", "said"),
    [
        ("victoria-metrics", EXPERIMENT, ({"baseline": 756, "enhanced": 756}, None, "")),
        (
            "victoria-metrics",
            "other",
            ({}, "failed requests are not counted: there is neither ab_test_errors_total nor a label status on ab_test_requests_total of this experiment", ""),
        ),
        ("victoria-metrics", "by status", ({"baseline": 360}, None, 'counted as ab_test_requests_total{status="error"}: ab_test_errors_total has no series')),
        ("victoria-metrics", None, ({"baseline": 756, "enhanced": 756}, None, "")),
        ("unlabelled", "by status", ({"baseline": 0}, None, 'counted as ab_test_requests_total{status="error"}: ab_test_errors_total has no series')),
        ("unlabelled", None, ({"baseline": 1800}, None, "")),
        (
            "unlabelled",
            "no status",
            ({}, "failed requests cannot be told apart: ab_test_errors_total has no label experiment, and ab_test_requests_total has no label status", ""),
        ),
    ],
)
def test_which_failed_requests_count_is_the_same_recorded_or_not(urls, world, experiment, said):
    for recorded in ("off", "on"):
        assert errors_of(urls[world], experiment, recorded, at=END) == (pytest.approx(said[0], rel=0.02), *said[1:]), recorded


def test_recorded_steps_without_errors_of_one_arm_alone_are_a_zero_that_is_assumed(prometheus):
    """Steps know no jobs: whether that arm's exporter would have counted an error is not known."""
    truth = short_truth(hours=26, scrape_seconds=300)
    truth.gauge(RECORDED_UNTIL, {}, lambda at: at - 60)
    for model in ("baseline", "enhanced"):
        truth.gauge(STEPS["ab_test_requests_total"], {"model_name": model}, 100.0)
    truth.gauge(STEPS["ab_test_errors_total"], {"model_name": "baseline"}, 1.0)
    errors = ask(prometheus(truth).url, PROMETHEUS_RECORDED="on").instant("errors")
    assert (values(errors), errors.assumed) == ({"baseline": 12, "enhanced": 0}, ("enhanced",))
    assert errors.of_models == (("enhanced", "no error series in its recorded steps, so that 0 is assumed"),)


def test_where_no_rule_is_loaded_the_answer_is_that_of_every_instance(urls):
    asked, plain = reading(urls["raw"]), reading(urls["raw"], recorded="off")
    assert "no step of ab_test:recorded_until_seconds:time is newer than 15m" in asked.status.warnings[0]
    assert (asked.instants, asked.timelines, asked.experiments, asked.status.state) == (plain.instants, plain.timelines, plain.experiments, SourceState.ANSWERED)


def test_a_period_that_began_before_the_rules_is_not_whole(url):
    answer = reading(url, AB_START=str(END - 40 * HOUR))
    assert (answer.accumulated[0].is_remembered, answer.retention_seconds) == (False, None)
    assert "% of the steps since then, and what was counted in the others is missing: fill in the past" in answer.accumulated[0].lack


def test_steps_of_several_prometheus_add_up_to_where_the_last_of_them_is():
    """Each records its own instances; one is ten minutes behind."""
    lines = []
    for shard, end, count in (("a", END, 300), ("b", END - 600, 60)):
        for step in range(int(end - 26 * HOUR), int(end) + 1, 300):
            lines.append(f'{RECORDED_UNTIL}{{shard="{shard}"}} {step - 60} {step}\n')
            lines.append(f'{STEPS["ab_test_requests_total"]}{{shard="{shard}",model_name="m",experiment="{EXPERIMENT}"}} {count} {step}\n')
    with VictoriaMetricsServer() as both:
        both.take(lines)
        answer = reading(both.url)
    assert until_of(answer) == END - 660
    assert values(answer.instant("requests")) == {"m": 24 * 360}
    assert [value for _, value in answer.timeline("request_rate").series[0].points] == pytest.approx([1.2] * 23)


STEP_END = END // 300 * 300
HOLE = (STEP_END - 2 * HOUR, STEP_END - 2 * HOUR + 300)  # two steps that no rule recorded


@pytest.fixture(scope="module")
def holed():
    """Steps of 26 hours but for two, of a test that began before the first of them and of one that began later; and the instances' own series."""
    lines = []
    for step in (STEP_END - index * 300 for index in range(26 * 12 + 1)):
        if step in HOLE:
            continue
        lines.append(f"{RECORDED_UNTIL} {step - 60} {step}\n")
        for experiment in ("early", "late") if step > STEP_END - 20 * HOUR else ("early",):
            for metric, value in ((STEPS["ab_test_requests_total"], 600), (UNSEEN[STEPS["ab_test_requests_total"]], 0)):
                lines += [f'{metric}{{model_name="{model}",experiment="{experiment}"}} {value} {step}\n' for model in "ab"]
    truth = short_truth(hours=26, scrape_seconds=60)
    for model in "ab":
        traffic(truth, model, experiment="early")
        traffic(truth, model, experiment="late", starts_at=STEP_END - 20 * HOUR)
    with VictoriaMetricsServer() as server:
        server.fill(truth)
        server.take(lines)
        yield server.url


def test_what_a_window_lacks_is_a_share_of_it_and_each_instance_is_asked_where_that_is_much(holed):
    short = reading(holed, "early", at=HOLE[1] + 307, window_seconds=HOUR / 2)
    assert short.status.warnings[0].startswith("every instance's series were asked, not what the rules recorded: the rules have recorded 67 % of the last 30m: load")
    assert values(short.instant("requests")) == pytest.approx({"a": 3600, "b": 3600}, abs=120)
    whole = reading(holed, "early", at=STEP_END + 7, window_seconds=HOUR / 2, AB_START=str(STEP_END - 25 * HOUR))
    assert values(whole.instant("requests")) == {"a": 3600, "b": 3600}
    since = datetime.fromtimestamp(STEP_END - 25 * HOUR, UTC)
    assert whole.status.warnings[1:] == (
        "0.7 % of the steps of the last 1d were not recorded, and what was counted in them is missing",
        f"0.7 % of the steps of the analysis period since {since:%Y-%m-%d %H:%M:%S} UTC were not recorded, and what was counted in them is missing",
    )


def test_a_start_that_is_the_first_step_of_all_is_not_known_to_be_that_of_the_test(holed):
    early, late = (reading(holed, experiment, at=STEP_END + 7, window_seconds=HOUR / 2).accumulated[0] for experiment in ("early", "late"))
    assert (early.start_seconds, late.start_seconds) == pytest.approx((STEP_END - 26 * HOUR, STEP_END - 20 * HOUR + 300), abs=15)
    assert (early.is_remembered, late.is_remembered, late.lack) == (False, True, "")
    assert early.lack.startswith("the rules have recorded nothing before, so the test may have begun earlier: fill in the past with promtool")
    assert early.lack.endswith("or set AB_START")


def test_every_question_of_the_product_has_a_recorded_form_and_no_other_has():
    for query in (*TOTALS, *AB_QUERIES.values(), *filter(None, map(newest, TOTALS))):
        assert recorded_form(query) is not None, query.name
    for promql in (
        'sum(increase(ab_test_requests_total{status="error", $experiment}[$window]))',
        "sum(increase(orders_total[$window]))",
        "max(ab_test_traffic_percentage)",
        *OWN.values(),
    ):
        assert recorded_form(AbQuery("own", promql, "count")) is None, promql


OWN = {
    "not_ok": "sum by (model_name) (rate($errors[$rate]))",
    "worst": "min by (model_name) (ab_test_model_accuracy{$experiment})",
    "how_many": "count by (model_name) (ab_test_model_accuracy{$experiment})",
    "each": "sum by (model_name, instance) (increase(ab_test_requests_total{$experiment}[$window]))",
}


def test_a_question_of_ones_own_goes_to_every_instances_series_unchanged(urls, monkeypatch):
    for name, promql in OWN.items():
        monkeypatch.setitem(AB_QUERIES, name, AbQuery(name, promql, "count"))
    raw, recorded = (reading(urls["victoria-metrics"], window_seconds=HOUR, recorded=flag) for flag in ("off", "on"))
    for name in OWN:
        assert recorded.timeline(name).query == raw.timeline(name).query
        assert recorded.timeline(name).series, name
    assert {series.label("instance") for series in recorded.timeline("each").series} == {"i1", "i2", "i3"}
    assert ":increase5m" in recorded.timeline("error_rate").query


def test_the_rules_record_every_name_that_is_asked_for_in_the_steps_that_are_counted_on():
    groups = [group for path in FILES for group in yaml.safe_load(path.read_text())["groups"]]
    interval = {rule["record"]: group["interval"] for group in groups for rule in group["rules"]}
    assert {interval[name] for name in (*STEPS.values(), *UNSEEN.values(), FAILED, ESTIMATED, RECORDED_UNTIL)} == {"5m"}
    assert {interval[name] for name in (*GAUGES.values(), *NEWEST.values())} == {"1m"}


def test_recorded_steps_do_not_keep_a_label_and_say_so(url):
    slices = reading(url, AB_START=str(STARTED), AB_SLICE_LABEL="instance").accumulated[0].slices
    assert slices.values == ()
    assert slices.reason == "what rules have recorded does not keep the label instance: PROMETHEUS_RECORDED=off asks each instance's series"
