"""What a notebook holds, over stored answers and over the simulation; tests/test_notebook.py asks real sources."""

import json
import re
import struct
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

import live_dashboards
from live_dashboards import _create_dashboard_panels
from live_dashboards.api import AbResult, BusinessResult
from live_dashboards.app.cli import main
from live_dashboards.app.options import Request
from live_dashboards.errors import SettingsError, UsageError
from live_dashboards.outputs.summary import summary
from tests.figures.pages import says
from tests.support.snapshots import AT, live, settings, without_mlflow, without_prometheus

AMOUNTS = ("BASE_TRADING_VOLUME", "ACCURACY_REVENUE_MULTIPLIER", "LATENCY_COST_PER_MS", "ERROR_COST_MULTIPLIER", "INFRASTRUCTURE_ANNUAL_COST")


def ab(snapshot=None, **values):
    return AbResult.from_answers(live() if snapshot is None else snapshot, settings(**values), Request())


def test_a_result_shows_badge_verdict_and_variants_in_a_few_lines():
    lines = repr(ab()).split("\n")
    assert lines[0].startswith("LIVE DATA: real production data")
    assert lines[1].startswith("SHIP: enhanced gives")
    assert [line.split()[0] for line in lines if re.match(r"variant|baseline|enhanced", line)] == ["variant", "baseline", "enhanced"]
    assert len(lines) <= 15
    assert max(map(len, lines)) <= 110


def test_html_says_the_same_words():
    found = ab()
    words = re.sub(r"<[^>]*>", " ", found._repr_html_()).replace("&gt;", ">").split()
    assert words == repr(found).split()


def test_a_result_says_badge_and_verdict_and_is_frozen():
    found = ab()
    assert (found.badge, found.verdict, found.report.experiment) == ("LIVE DATA", "SHIP", "fraud")
    with pytest.raises(FrozenInstanceError):
        found.report = None


def test_the_summary_is_the_command_s_document():
    found = ab()
    assert found.to_json() == found.summary() == summary(found.report)
    assert json.loads(json.dumps(found.to_json())) == found.to_json()


def test_business_is_what_the_page_says_with_other_amounts_and_asks_nobody():
    found = ab()
    other = found.business(LATENCY_COST_PER_MS="0.0001..0.0002", ERROR_COST_MULTIPLIER=20)
    assert isinstance(other, BusinessResult)
    assert other.snapshot is found.snapshot
    given = {each.name: (each.amount.low, each.amount.high, each.is_default) for each in other.case.assumptions}
    assert given["LATENCY_COST_PER_MS"] == (0.0001, 0.0002, False)
    assert given["ERROR_COST_MULTIPLIER"] == (20.0, 20.0, False)
    assert given["BASE_TRADING_VOLUME"] == (10_000_000.0, 10_000_000.0, True)
    assert other.case == BusinessResult.from_answers(live(), settings(LATENCY_COST_PER_MS="0.0001..0.0002", ERROR_COST_MULTIPLIER="20"), Request()).case


def test_a_business_result_shows_net_value_roi_payback_and_recommendation():
    text = repr(ab().business(BASE_TRADING_VOLUME=10_000_000))
    assert re.search(r"recommendation: deploy: net value a year, 95 %: \$\d+k", text)
    assert all(re.search(rf"^{label} +[$>\d]", text, re.MULTILINE) for label in ("Net value a year", "ROI", "Payback", "Chance of net > 0"))


def test_amounts_given_one_after_the_other_all_count():
    found = ab().business(ERROR_COST_MULTIPLIER=20).business(BASE_TRADING_VOLUME=1)
    assert [found.settings[name].point for name in ("ERROR_COST_MULTIPLIER", "BASE_TRADING_VOLUME")] == [20, 1]


def test_only_amounts_are_taken_for_answers_that_are_there():
    with pytest.raises(UsageError, match=r"takes the amounts BASE_TRADING_VOLUME, .*; with AB_WINDOW ask again"):
        ab().business(AB_WINDOW="1h")
    with pytest.raises(SettingsError, match="no setting LATENCY_COST, did you mean LATENCY_COST_PER_MS"):
        ab().business(LATENCY_COST=1)
    with pytest.raises(SettingsError, match="LATENCY_COST_PER_MS is '-1', but must not be negative"):
        ab().business(LATENCY_COST_PER_MS=-1)


def test_metrics_are_the_answers_of_the_same_moment():
    found = ab()
    assert found.metrics.snapshot is found.snapshot
    assert list(found.metrics["request_rate"].to_pandas()) == ["baseline", "enhanced"]


def test_metrics_are_simulated_only_where_that_was_asked_for():
    assert list(ab(without_prometheus(live())).metrics) == []
    asked = live_dashboards.ab_test(simulate=True, env_file="/dev/null").metrics
    assert set(asked.to_pandas()["origin"]) == {"simulated"}


@pytest.mark.parametrize("make", [ab, lambda: ab().business(), lambda: ab().metrics])
@pytest.mark.parametrize(("layout", "words"), [("ab", "share of requests"), ("business", "Net value")])
def test_all_that_holds_answers_is_drawn_by_either_layout(make, layout, words):
    figure = _create_dashboard_panels(make(), layout=layout, dpi=50)
    assert says(figure, words)


def test_each_result_is_drawn_by_its_own_layout_and_metrics_by_that_of_the_test():
    assert says(ab().figure(dpi=50), "share of requests")
    assert says(ab().business().figure(dpi=50), "Net value")
    assert says(_create_dashboard_panels(ab().metrics, dpi=50), "share of requests")


def test_a_figure_has_the_size_that_was_asked_for():
    assert struct.unpack(">II", ab().figure(size_inches=(12.8, 7.2), dpi=50)._repr_png_()[16:24]) == (640, 360)


def test_save_writes_the_picture_of_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    moment = "2026-11-20T12:00:00Z"
    assert main(["ab", "--simulate", "--at", moment, "--dpi", "50", "--output", "command.png", "--quiet"]) == 0
    assert live_dashboards.ab_test(simulate=True, at=moment).save("notebook.png", dpi=50) == Path("notebook.png")
    assert (tmp_path / "notebook.png").read_bytes() == (tmp_path / "command.png").read_bytes()


def test_a_picture_of_no_known_kind_is_refused_before_it_is_drawn():
    with pytest.raises(UsageError, match=r"does not end in \.png"):
        ab().save("picture.gif")


def test_a_page_without_a_source_says_so_before_anything_else(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    empty = ab(without_mlflow(without_prometheus(live())))
    for found in (empty, empty.business(), live_dashboards.ab_test(simulate=True), live_dashboards.business(simulate=True)):
        assert repr(found).startswith("SIMULATED DATA: fallback mode")


@pytest.fixture
def at(monkeypatch, tmp_path):
    """`at(moment)`: the moment that is looked at."""
    monkeypatch.chdir(tmp_path)
    return lambda moment: live_dashboards.ab_test(simulate=True, at=moment).report.at


@pytest.mark.parametrize(
    "moment",
    [AT, AT.astimezone(timezone(timedelta(hours=5))), "2026-11-20T13:00:00+01:00", AT.timestamp(), int(AT.timestamp()), str(int(AT.timestamp()))],
)
def test_a_moment_is_a_datetime_a_text_or_unix_seconds(at, moment):
    assert at(moment) == AT


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 1, 1), "2026-01-01T00:00:00 has no zone; give it one"),  # noqa: DTZ001 that is the fault
        ("yesterday", "'yesterday' is neither RFC 3339"),
        (1e20, "neither RFC 3339"),
        (float("nan"), "neither RFC 3339"),
        (datetime(1969, 1, 1, tzinfo=UTC), "not in the years 1970 to 2999"),
        (True, "at is a bool, but must be a datetime"),
        ([], "at is a list, but must be a datetime"),
    ],
)
def test_a_moment_that_is_none_is_refused_with_what_is_one(at, moment, words):
    with pytest.raises(UsageError, match=words):
        at(moment)


def test_settings_come_from_arguments_over_the_environment_over_the_file(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.env").write_text("AB_WINDOW=1h\nAB_MINIMUM_DAYS=1\nAB_MINIMUM_EVENTS=1\n")
    monkeypatch.setenv("AB_MINIMUM_DAYS", "2")
    monkeypatch.setenv("AB_MINIMUM_EVENTS", "2")
    found = live_dashboards.ab_test(simulate=True, env_file="own.env", AB_MINIMUM_EVENTS=3).settings
    assert [found[name] for name in ("AB_WINDOW", "AB_MINIMUM_DAYS", "AB_MINIMUM_EVENTS")] == [3600.0, 2.0, 3]
    (tmp_path / ".env.live-dashboards").write_text("AB_WINDOW=2h\n")
    assert live_dashboards.business(simulate=True).report.window_seconds == 7200


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [
        ("AB_MINIMUM_DAYS", 0.00001, 0.00001),
        ("AB_PLANNED_REQUESTS", 10**15, 10**15),
        ("PROMETHEUS_RECORDED", True, "on"),
        ("AB_START", AT, AT),
        ("DASHBOARD_CACHE_DIR", Path("kept"), "kept"),
        ("AB_BASELINE_VARIANT", "control", "control"),
    ],
)
def test_a_setting_is_text_a_number_a_path_a_moment_or_on_and_off(name, given, read):
    assert live_dashboards.ab_test(simulate=True, env_file="/dev/null", **{name: given}).settings[name] == read


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"AB_BASELINE_VARINT": "x"}, SettingsError, "there is no setting AB_BASELINE_VARINT, did you mean AB_BASELINE_VARIANT"),
        ({"windw": "1h"}, SettingsError, "there is no setting windw, did you mean window"),
        ({"ab_window": "1h"}, SettingsError, "did you mean AB_WINDOW"),
        ({"window": "1 fortnight"}, SettingsError, "AB_WINDOW is '1 fortnight', but '1 fortnight' is not a duration such as"),
        ({"window": "1h", "AB_WINDOW": "2h"}, UsageError, "window and AB_WINDOW are one setting"),
        ({"AB_MINIMUM_DAYS": None}, SettingsError, "AB_MINIMUM_DAYS is a NoneType, but must be text, a number"),
        ({"AB_START": datetime(2026, 1, 1)}, SettingsError, "AB_START is a datetime, but must be .* a datetime with its zone"),  # noqa: DTZ001 that is the fault
        ({"on_missing": "simulated"}, UsageError, "on_missing is 'simulated', did you mean 'simulate'"),
        ({"seed": "42"}, UsageError, "seed is '42', but must be a whole number"),
        ({"simulate": "no"}, UsageError, "simulate is 'no', but must be True or False"),
        ({"env_file": 3}, UsageError, "env_file is 3; give the settings file's path"),
        ({"env_file": "nowhere.env"}, SettingsError, "the settings file nowhere.env cannot be read"),
    ],
)
def test_a_wrong_argument_is_one_sentence_with_what_is_right(arguments, kind, words, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for ask in (live_dashboards.ab_test, live_dashboards.business):
        with pytest.raises(kind, match=words) as raised:
            ask(**{"simulate": True, **arguments})
        assert "\n" not in str(raised.value)


def test_no_message_tells_a_secret():
    class Holder:
        def __repr__(self):
            return "hunter2"

    for given in (Holder(), ["hunter2"]):
        with pytest.raises(SettingsError) as raised:
            live_dashboards.ab_test(simulate=True, MLFLOW_DB_PASSWORD=given)
        assert "hunter2" not in str(raised.value)
    found = live_dashboards.ab_test(simulate=True, env_file="/dev/null", MLFLOW_DB_HOST="localhost", MLFLOW_DB_PASSWORD="hunter2")
    assert "hunter2" not in f"{found!r}{found.settings!r}{found.request!r}{found.metrics!r}{found._repr_html_()}{found.to_json()}"


def test_the_seed_decides_what_is_simulated():
    first, again, other = (live_dashboards.ab_test(simulate=True, at=AT, env_file="/dev/null", seed=seed).summary()["variants"] for seed in (1, 1, 2))
    assert first == again != other


def test_missing_panels_can_be_left_empty():
    empty = live_dashboards.ab_test(simulate=True, env_file="/dev/null", on_missing="mark")
    assert empty.to_pandas()["value"].isna().all()


def test_the_package_names_what_it_has_also_before_it_is_loaded():
    assert {"ab_test", "business", "LiveDataConnector", "BusinessMetricsCalculator", "_create_dashboard_panels"} <= set(dir(live_dashboards))


def test_a_whole_number_of_numpy_is_a_seed():
    one, other = (live_dashboards.ab_test(simulate=True, at=AT, env_file="/dev/null", seed=seed).summary()["variants"] for seed in (np.int64(7), 7))
    assert one == other


@pytest.mark.parametrize(("on_missing", "end"), [("simulate", "what you see is simulated"), ("mark", "there is nothing to show")])
def test_without_a_source_it_says_what_is_shown(on_missing, end, monkeypatch, tmp_path, caplog):
    monkeypatch.chdir(tmp_path)
    live_dashboards.ab_test(on_missing=on_missing)
    (warning,) = [record.getMessage() for record in caplog.records if "no source is configured" in record.getMessage()]
    assert warning.endswith(end)
