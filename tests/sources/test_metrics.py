"""What the connector gives: what it looks like, and its frames, against the answers that it was made of."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from live_dashboards.model.card import MOST_LINES, WIDTH
from live_dashboards.model.measurement import Origin
from live_dashboards.model.names import columns
from live_dashboards.model.snapshot import Answer, Timeline
from live_dashboards.sources.metrics import AbTestMetrics
from tests.support import hostile
from tests.support.snapshots import AT, live, settings, stand_in, without_mlflow, without_prometheus

END = AT.timestamp()


def metrics_of(*timelines, instants=(), **values):
    """The metrics of a snapshot that holds these answers."""
    found = live()
    return AbTestMetrics.of(replace(found, prometheus=replace(found.prometheus, timelines=timelines, instants=instants)), settings(**values))


def answer(name, *series, unit="count", **more):
    """An answer of (labels, points) pairs, whose points are values of the last minutes."""
    made = (Timeline(tuple(labels.items()), tuple((END - 60 * (len(values) - 1 - place), value) for place, value in enumerate(values))) for labels, values in series)
    return Answer(name, "query", unit, tuple(made), **more)


RATE = answer("rate", ({"model_name": "enhanced-predictor"}, (3.0, None)), ({"model_name": "baseline-predictor"}, (1.0, 2.0)))


def test_a_timeline_has_the_time_as_index_and_a_column_a_variant_in_the_page_s_order():
    frame = metrics_of(RATE)["rate"].to_pandas()
    expected = pd.DataFrame(
        {"baseline": [1.0, 2.0], "enhanced": [3.0, np.nan]},
        index=pd.DatetimeIndex([datetime(2026, 11, 20, 11, 59, tzinfo=UTC), AT], name="time"),
        columns=pd.Index(["baseline", "enhanced"], name="variant", dtype=object),
    )
    pd.testing.assert_frame_equal(frame, expected, check_index_type=False, check_freq=False)
    assert str(frame.index.tz) == "UTC"


def test_a_frame_says_unit_origin_and_query():
    assert metrics_of(RATE)["rate"].to_pandas().attrs == {"name": "rate", "unit": "count", "origin": "live", "query": "query", "reason": ""}


def test_names_are_those_that_the_settings_give_them():
    frame = metrics_of(RATE, AB_VARIANT_ALIASES="enhanced-predictor=candidate", AB_CHALLENGER_VARIANT="candidate")["rate"].to_pandas()
    assert list(frame) == ["baseline", "candidate"]


def test_other_labels_are_levels_above_the_variant():
    impact = answer("impact", *(({"model_name": "enhanced", "metric_type": kind}, (value,)) for kind, value in (("b", 2.0), ("a", 1.0))))
    frame = metrics_of(impact)["impact"].to_pandas()
    assert frame.columns.names == ["metric_type", "variant"]
    assert frame.iloc[-1].to_dict() == {("a", "enhanced"): 1.0, ("b", "enhanced"): 2.0}


def test_two_models_that_are_one_variant_have_a_column_each():
    two = answer("rate", ({"model_name": "enhanced-a"}, (1.0,)), ({"model_name": "enhanced-b"}, (2.0,)))
    assert metrics_of(two)["rate"].to_pandas().iloc[-1].to_dict() == {("enhanced", "enhanced-a"): 1.0, ("enhanced", "enhanced-b"): 2.0}


def test_a_query_of_no_model_has_a_column_of_its_own_name():
    assert metrics_of(answer("up", ({}, (1.0,))))["up"].to_pandas().to_dict("list") == {"up": [1.0]}


@pytest.mark.parametrize("seconds", [1794916800.123, 1794916800.0015, 0.001])
def test_a_moment_is_that_of_the_sample_to_the_millisecond(seconds):
    odd = Answer("rate", "query", "count", (Timeline((("model_name", "baseline"),), ((seconds, 1.0),)),))
    assert metrics_of(odd)["rate"].to_pandas().index[0].timestamp() == pytest.approx(seconds, abs=0.0006)


def test_no_series_are_an_empty_frame_that_says_why():
    frame = metrics_of(answer("rate", reason="no such metric"))["rate"].to_pandas()
    assert (frame.shape, frame.index.name, str(frame.index.tz), frame.attrs["reason"]) == ((0, 0), "time", "UTC", "no such metric")


def test_a_total_is_a_row_a_series_with_the_greatest_that_it_can_be():
    total = answer("requests", ({"model_name": "enhanced"}, (9.0,)), ({"model_name": "baseline"}, (33.0,)))
    open_total = replace(total, most=(Timeline((("model_name", "enhanced"),), ((END, 12.0),)),))
    frame = metrics_of(instants=(open_total,)).totals["requests"].to_pandas()
    assert list(frame.itertuples(index=False, name=None))[1] == ("enhanced", "enhanced", 9.0, 12.0, pd.Timestamp(AT))
    assert list(frame["variant"]) == ["baseline", "enhanced"]
    assert np.isnan(frame["at_most"][0])


def test_a_label_with_the_name_of_a_column_is_told_apart():
    total = answer("odd", ({"model_name": "baseline", "value": "x"}, (1.0,)))
    frame = metrics_of(instants=(total,)).totals["odd"].to_pandas()
    assert (frame["label_value"][0], frame["value"][0]) == ("x", 1.0)


def test_all_timelines_are_one_tidy_frame():
    impact = answer("impact", ({"model_name": "baseline", "metric_type": "net"}, (5.0,)), unit="as_reported")
    frame = metrics_of(RATE, impact).to_pandas()
    assert list(frame) == ["name", "variant", "model_name", "metric_type", "time", "value", "unit", "origin"]
    assert list(frame.iloc[-1]) == ["impact", "baseline", "baseline", "net", pd.Timestamp(AT), 5.0, "as_reported", "live"]
    assert len(frame) == 5


def test_every_query_of_a_page_becomes_a_frame_with_its_values():
    metrics = AbTestMetrics.of(live(), settings())
    for found in metrics.values():
        stored = {tuple(value for _, value in series.labels): [point for _, point in series.points] for series in found.series}
        assert sorted(map(len, stored.values())) == sorted(found.to_pandas().notna().sum())
        assert sorted(map(sum, stored.values())) == pytest.approx(sorted(found.to_pandas().sum()))


def test_each_query_is_a_line_with_its_newest_values():
    lines = repr(metrics_of(RATE, answer("none", reason="no such metric"))).split("\n")
    assert lines[0] == "Prometheus, answered: 24h up to 2026-11-20T12:00:00Z"
    assert lines[3].split(None, 2) == ["rate", "2", "baseline 2, enhanced 3  count  2026-11-20T12:00:00Z"]
    assert lines[4].split(None, 2) == ["none", "0", "no such metric          count"]


def test_values_that_nobody_measured_say_so():
    metrics = AbTestMetrics.of(live(), settings(), stand_in().prometheus)
    assert repr(metrics).startswith("SIMULATED, nothing of this was measured")
    assert metrics["request_rate"].to_pandas().attrs["origin"] == "simulated"
    assert set(metrics.to_pandas()["origin"]) == {"simulated"}
    assert metrics.origin is Origin.SIMULATED


def test_a_source_that_gave_nothing_says_why_and_what_to_do():
    gone = without_prometheus(live())
    metrics = AbTestMetrics.of(gone, settings())
    assert repr(metrics) == f"no answer of Prometheus: {gone.prometheus.status.reason}"
    unset = replace(gone, prometheus=replace(gone.prometheus, status=replace(gone.prometheus.status, fix="set PROMETHEUS_URL")))
    assert repr(AbTestMetrics.of(unset, settings())).endswith("; set PROMETHEUS_URL")
    with pytest.raises(KeyError, match="there is no query 'request_rate'; no answer of Prometheus"):
        metrics["request_rate"]


def test_a_name_that_is_none_is_answered_with_those_that_are():
    with pytest.raises(KeyError, match="there is no query 'rates'; the queries are rate"):
        metrics_of(RATE)["rates"]
    with pytest.raises(KeyError, match=r"metrics\.totals\['requests'\]"):
        metrics_of(RATE, instants=(answer("requests"),))["requests"]


def test_names_that_attack_stay_text_and_short():
    names = (hostile.BASELINE, hostile.CHALLENGER, hostile.ENDLESS)
    series = tuple(({"model_name": name, hostile_label: name}, (1.0,)) for name in names for hostile_label in ("metric_type", "value"))
    found = replace(without_mlflow(live()), prometheus=replace(live().prometheus, timelines=(answer("rate", *series),)))
    metrics = AbTestMetrics.of(found, settings())
    lines = repr(metrics).split("\n")
    assert len(lines) <= MOST_LINES
    assert max(map(columns, lines)) <= WIDTH
    assert "<script" not in metrics._repr_html_()
    assert all(len(repr(each)) < 300 for each in (metrics["rate"], *metrics["rate"].series, found, found.prometheus, found.mlflow))
