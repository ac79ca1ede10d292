"""PROMETHEUS_RECORDED=on under the names of serving frameworks: what `live-dashboards rules` prints is filled in from what frameworks have really
exposed, and a Prometheus that holds nothing else gives the numbers that the instances' own series give."""

from __future__ import annotations

import pytest

from live_dashboards.demo.programs import promtool_program
from live_dashboards.demo.servers import PrometheusServer
from live_dashboards.sources.prometheus.promql import RECORDED_UNTIL, STEPS, UNSEEN
from live_dashboards.sources.prometheus.rules import rules_text
from tests.conftest import filled_prometheus
from tests.sources.prometheus_reading import END, HOUR, ask, settings_of, values
from tests.sources.test_prometheus_names import PATHS, VARIANTS
from tests.sources.test_prometheus_recorded import filled_from, replay, run
from tests.support.expositions import Exposition
from tests.support.victoria_metrics import VictoriaMetricsServer

WINDOW_SECONDS = 3 * HOUR
STARTED, ENDED = END - 2 * HOUR, END - 0.5 * HOUR  # so that the newest step holds all
AT = END + 7
WORLDS = {
    "bentoml-1.4.40": {"AB_METRICS": "bentoml"},
    "kserve-0.21.0": {"AB_METRICS": "kserve"},
    "ray-2.60.0": {"AB_METRICS": "ray"},
    "fastapi-instrumentator-8.1.0": {"AB_METRICS": "fastapi", "AB_MODEL_PATTERN": PATHS},
}
REQUESTS, ERRORS = (STEPS[f"ab_test_{name}_total"] for name in ("requests", "errors"))
STEP_END = END // 300 * 300
COUNTS = ("requests", "requests_24h", "errors", "latency_count", "latency_sum", "latency_buckets")


def record(source_url, data, folder, **settings):
    """As the documentation says to fill in the past."""
    path = folder / "printed.rules.yml"
    path.write_text(rules_text(settings_of(source_url, **settings).serving))
    span = (f"--start={filled_from(26.0):.0f}", f"--end={END:.0f}")
    run(promtool_program(), "tsdb", "create-blocks-from", "rules", f"--url={source_url}", *span, f"--output-dir={data}", path)


@pytest.fixture(scope="module", params=WORLDS)
def answers(request, tmp_path_factory):
    """The answer of a Prometheus with the instances' series, and that of one with nothing but what was recorded of them."""
    folder, settings = tmp_path_factory.mktemp("presets"), WORLDS[request.param]
    truth = Exposition.of(request.param).grown(start=STARTED, end=ENDED)
    recorded = PrometheusServer()
    with filled_prometheus(truth, folder) as raw:
        try:
            record(raw.url, recorded.folder / "data", folder, **settings)
            recorded.start()
            found = tuple(
                ask(url, at=AT, window_seconds=WINDOW_SECONDS, AB_START=str(STARTED - 600), PROMETHEUS_RECORDED=flag, **settings)
                for url, flag in ((raw.url, "off"), (recorded.url, "on"))
            )
            assert all(each.status.has_answered for each in found), [(each.status.reason, each.status.warnings) for each in found]
            yield found
        finally:
            recorded.stop()


def by_labels(answer):
    """The values by variant and edge, however that is spelt."""
    return {
        (series.label("model_name"), float(series.label("le") or "nan")) if series.label("le") else series.label("model_name"): series.last for series in answer.series
    }


def test_every_total_is_that_of_the_instances_own_series(answers):
    raw, recorded = answers
    for name in COUNTS:
        found, expected = recorded.instant(name), raw.instant(name)
        assert by_labels(found) == pytest.approx(by_labels(expected), rel=1e-9), name
        assert (found.reason, found.most, found.of_models) == (expected.reason, (), ()), name
    assert {*VARIANTS} <= values(recorded.instant("requests")).keys()


def test_so_are_those_of_the_analysis_period(answers):
    raw, recorded = (answer.accumulated[0] for answer in answers)
    assert recorded.is_remembered, recorded.lack
    for total in raw.totals:
        found = recorded.total(total.name)
        assert by_labels(found) == pytest.approx(by_labels(total), rel=1e-9), total.name
        assert found.reason == total.reason
    for series in recorded.block("errors").series:
        assert all(value is None or value >= 0 for _, value in series.points)


def test_timelines_come_from_what_was_recorded_too_and_nothing_is_told_that_is_wrong(answers):
    raw, recorded = answers
    for name in ("request_rate", "response_time", "error_rate"):
        found, expected = recorded.timeline(name), raw.timeline(name)
        assert {series.label("model_name") for series in found.series} == {series.label("model_name") for series in expected.series}, name
        assert found.reason == expected.reason
        for series in found.series:
            assert all(value is None or value >= 0 for _, value in series.points)
    told = recorded.status.warnings
    assert told[0].startswith("counts come from recording rules")
    assert {*told[1:]} == {*raw.status.warnings}
    assert REQUESTS in recorded.instant("requests").query


def test_ages_are_known(answers):
    assert values(answers[1].instant("newest_requests"))["baseline"] == pytest.approx(ENDED, abs=90)


@pytest.mark.parametrize("world", ["kserve-0.21.0", "ray-2.60.0"])
def test_beside_the_instances_own_series_in_victoria_metrics_the_totals_are_the_same(world, tmp_path):
    settings, path = WORLDS[world], tmp_path / "printed.rules.yml"
    with VictoriaMetricsServer() as server:
        server.fill(Exposition.of(world).grown(start=STARTED, end=ENDED))
        path.write_text(rules_text(settings_of(server.url, **settings).serving))
        replay(path, server.url, 26.0)
        server.flush()
        raw, recorded = (ask(server.url, at=AT, window_seconds=WINDOW_SECONDS, PROMETHEUS_RECORDED=flag, **settings) for flag in ("off", "on"))
    assert recorded.status.warnings[0].startswith("counts come from recording rules")
    for name in COUNTS:
        assert by_labels(recorded.instant(name)) == pytest.approx(by_labels(raw.instant(name)), rel=1e-9), name
        assert recorded.instant(name).most == (), name


def asked_of_steps(steps, **settings):
    """What is read of 26 hours of steps of these models: `steps` are values by their names and models, or what gives one by its number from the end."""
    lines = []
    for number in range(26 * 12 + 1):
        step = STEP_END - number * 300
        lines.append(f"{RECORDED_UNTIL} {step - 60} {step}\n")
        for (name, model), value in steps.items():
            lines.append(f'{name}{{model_name="{model}"}} {value(number) if callable(value) else value} {step}\n')
    with VictoriaMetricsServer() as server:
        server.take(lines)
        return ask(server.url, at=STEP_END + 7, window_seconds=HOUR, PROMETHEUS_RECORDED="on", **settings)


def both(value):
    """Requests of two models, of which nothing was unseen."""
    return {(name, model): amount for model in ("a", "b") for name, amount in ((REQUESTS, value), (UNSEEN[REQUESTS], 0))}


def test_errors_of_which_no_step_is_recorded_are_missing_and_never_0():
    none, one = (asked_of_steps({**both(100), **errors}, AB_METRICS="bentoml").instant("errors") for errors in ({}, {(ERRORS, "a"): 0}))
    assert (values(none), none.reason.partition(";")[0]) == ({}, "failed requests are not counted: the rules have recorded none, not even 0")
    assert "`live-dashboards rules`" in none.reason
    assert (values(one), one.assumed, [model for model, _ in one.of_models]) == ({"a": 0}, (), ["b"])


def test_a_difference_that_is_below_0_in_a_step_is_taken_from_those_before():
    """What was under way as a step ended counts as failed in it, and is answered in the next one."""
    under_way = {(ERRORS, "a"): lambda number: (5, -4)[number % 2], (ERRORS, "b"): lambda number: -3 if number == 11 else 0}
    answer = asked_of_steps({**both(100), **under_way}, AB_METRICS="kserve")
    assert values(answer.instant("errors")) == {"a": 6 * 5 - 6 * 4 + 4, "b": 0}
    assert all(value >= 0 for series in answer.timeline("error_rate").series for _, value in series.points)


def test_where_no_rules_are_loaded_it_is_said_which_ones_to_load(prometheus):
    truth = Exposition.of("bentoml-1.4.40").grown(start=STARTED, end=END)
    answer = ask(prometheus(truth).url, window_seconds=WINDOW_SECONDS, PROMETHEUS_RECORDED="on", AB_METRICS="bentoml")
    assert answer.status.warnings[0].endswith("is newer than 15m: load what `live-dashboards rules` prints, and fill in the past with promtool")
    assert values(answer.instant("requests"))["baseline"] == 137
