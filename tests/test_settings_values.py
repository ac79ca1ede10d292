"""Values that cannot be used: each error names the variable, its value and what is allowed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from live_dashboards.errors import SettingsError
from live_dashboards.model.guarded import EventCounter, LabelMatcher
from live_dashboards.model.setting_types import Amount, TrafficPlan
from live_dashboards.settings import Settings, load_settings


def with_value(name: str, value: str) -> Settings:
    return load_settings(environment={name: value}, base_folder=Path("/nonexistent"))


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("MLFLOW_DB_PORT", "0", "port from 1 to 65535"),
        ("MLFLOW_DB_PORT", "5432,65536", "port from 1 to 65535"),
        ("MLFLOW_DB_SSLMODE", "verify", "one of disable, allow, prefer, require, verify-ca, verify-full"),
        ("PROMETHEUS_URL", "prometheus:9090", "http://prometheus:9090"),
        ("PROMETHEUS_URL", "http://", "name a host"),
        ("PROMETHEUS_URL", "http://prometheus:99999", "port from 1 to 65535"),
        ("PROMETHEUS_URL", "http://prometheus:0", "port from 1 to 65535"),
        ("PROMETHEUS_URL", "http://prometheus/graph?g0=up", "without ? and #"),
        ("PROMETHEUS_URL", ",", "must be a URL"),
        ("AB_VARIANT_FROM", "model_variant", "must be param:NAME, tag:NAME, alias or model_name, comma-separated, such as param:model_variant,tag:model_variant,alias"),
        ("AB_VARIANT_FROM", "param:", "must be param:NAME"),
        ("AB_VARIANT_FROM", "alias:champion", "must be param:NAME"),
        ("AB_VARIANT_FROM", "param:a|alias", "must be param:NAME"),
        ("AB_VARIANT_FROM", "param:a`' or 1=1", "must be param:NAME"),
        ("AB_VARIANT_FROM", ",", "must be param:NAME"),
        ("AB_VARIANT_FROM", "alias, tag:a,alias", "must not name alias twice"),
        ("SOURCE_TIMEOUT_SECONDS", "0", "above 0"),
        ("SOURCE_TIMEOUT_SECONDS", "ten", "must be a number"),
        ("SOURCE_TIMEOUT_SECONDS", "inf", "finite"),
        ("SOURCE_TIMEOUT_SECONDS", "86401", "at most 86400 (a day)"),
        ("DASHBOARD_REFRESH_INTERVAL", "1e10", "at most 86400 (a day)"),
        ("AB_PLANNED_REQUESTS", "1e308", "at most 1e+15"),
        ("BASE_TRADING_VOLUME", "0..1e308", "at most 1e+15"),
        ("AB_START", "0001-01-01T00:00:00Z", "not in the years 1970 to 2999"),
        ("AB_START", "9999-12-31T23:59:59Z", "not in the years 1970 to 2999"),
        ("AB_VARIANT_ALIASES", "baseline-predictor", "name=variant"),
        ("AB_VARIANT_ALIASES", "a=x,a=y", "twice"),
        ("AB_TRAFFIC_SPLIT", "70:30", "variant=share"),
        ("AB_TRAFFIC_SPLIT", "baseline=-70,enhanced=170", "not negative"),
        ("AB_TRAFFIC_SPLIT", "baseline=1e308,enhanced=1e308", "variant=share"),
        ("AB_TRAFFIC_SPLIT", "baseline=0,enhanced=0", "not all 0"),
        ("AB_TRAFFIC_SPLIT", "baseline=1,enhanced=1; baseline=1,enhanced=2", "begin with their moment, in the order of time"),
        ("AB_TRAFFIC_SPLIT", "2026-11-05T00:00Z a=1,b=1; 2026-11-01T00:00Z a=1,b=2", "in the order of time"),
        ("AB_TRAFFIC_SPLIT", "2026-11-05 a=1,b=1", "begin with their moment"),
        ("AB_TRAFFIC_SPLIT", "2026-11-05T00:00Z", "variant=share"),
        ("AB_TRAFFIC_SPLIT", ";", "variant=share"),
        ("AB_START", "yesterday", "RFC 3339"),
        ("AB_START", "2026-11-23T10:00:00", "with a zone"),
        ("AB_START", "2026-02-30T10:00:00Z", "neither RFC 3339"),
        ("AB_START", "nan", "unix seconds"),
        ("AB_EXCLUDE", "2026-11-24T02:00Z", "begin/end"),
        ("AB_EXCLUDE", "2026-11-24T02:00/2026-11-24T08:00", "with a zone"),
        ("AB_EXCLUDE", "2026-11-24T08:00Z/2026-11-24T02:00Z", "the end after the begin"),
        ("AB_EXCLUDE", "2026-11-24T08:00Z/2026-11-24T08:00Z", "the end after the begin"),
        ("AB_ACCURACY_UNIT", "%", "one of auto, fraction, percent"),
        ("AB_WINDOW", "24", "30m, 24h or 7d"),
        ("AB_WINDOW", "0h", "between 1ms and 10y"),
        ("AB_WINDOW", "11y", "between 1ms and 10y"),
        ("AB_GUARDRAILS", "timeouts:x_total", "no name:counter:margin, such as timeouts:"),
        ("AB_LATENCY_MARGIN_MS", "0", "must be above 0"),
        ("AB_LATENCY_MARGIN_MS", "-5", "must be above 0"),
        ("AB_LATENCY_MARGIN_MS", "25ms", "must be a number"),
        ("AB_WAIVE", "error_rate", "only latency can be waived, not error_rate; give AB_WAIVE=latency, or unset it"),
        ("AB_WAIVE", "latency,errors,latency", "only latency can be waived, not errors; give"),
        ("AB_WAIVE", ",", "only latency can be waived; give AB_WAIVE=latency, or unset it"),
        ("AB_GUARDRAILS", ",", "name:counter:margin, comma-separated"),
        ("AB_GUARDRAILS", "timeouts:x_total:0", "the margin of timeouts is '0'; give percentage points above 0"),
        ("AB_GUARDRAILS", "timeouts:x_total:-1", "the margin of timeouts is '-1'"),
        ("AB_GUARDRAILS", "timeouts:x_total:some", "the margin of timeouts is 'some'"),
        ("AB_GUARDRAILS", "timeouts:x_total:nan", "the margin of timeouts is 'nan'"),
        ("AB_GUARDRAILS", "timeouts:x_total:101", "at most 100"),
        ("AB_GUARDRAILS", "a:x_total:1,a:y_total:1", "two guardrails are called 'a'; give each a name of its own"),
        ("AB_GUARDRAILS", "Read timeouts:x_total:1", "'Read timeouts' cannot be a guardrail's name; use small letters, digits and _"),
        ("AB_GUARDRAILS", f"{'a' * 41}:x_total:1", "at most 40"),
        ("AB_GUARDRAILS", "error_rate:x_total:1", "'error_rate' cannot be a guardrail's name, as the summary has something else of that name"),
        ("AB_GUARDRAILS", "latency:x_total:1", "choose another one"),
        ("AB_GUARDRAILS", 'a:x_total{kind="read":1', "its braces are not closed"),
        ("AB_GUARDRAILS", "a:x_total{kind=read}:1", "'kind=read' is no label with a text in quotes"),
        ("AB_GUARDRAILS", "a:x-total:1", "the counter of a is 'x-total', which cannot be read (must be the name of a Prometheus metric)"),
        ("AB_GUARDRAILS", 'a:x_total{model_name="b"}:1', "model_name is no label to choose by, as arms and tests are told apart by it"),
        ("AB_GUARDRAILS", 'a:x_total{kind=~"["}:1', "the pattern '[' is none"),
        ("AB_GUARDRAILS", 'a:x_total{kind=~"(?=b)"}:1', "which all engines read alike"),
        ("AB_GUARDRAILS", 'a:x_total{kind="\\q"}:1', "is no escape"),
        ("AB_SUCCESS_METRIC", "latency", "accuracy, error_rate"),
        ("AB_ONLINE_LABELLED_METRIC", "labelled-total", "name of a Prometheus metric"),
        ("AB_SLICE_LABEL", "data-centre", "name of a Prometheus label, such as instance or region"),
        ("AB_SLICE_LABEL", "instance,region", "name of a Prometheus label"),
        ("AB_SLICE_LABEL", "__address__", "name of a Prometheus label"),
        *[("AB_SLICE_LABEL", name, f"must not be {name}, by which requests are counted") for name in ("model_name", "le", "experiment", "__name__", "status")],
        ("AB_PLANNED_REQUESTS", "1.5", "whole number"),
        ("AB_PLANNED_REQUESTS", "-1", "not be negative"),
        ("AB_CONFIDENCE", "95", "at least 0.5 and below 1"),
        ("AB_CONFIDENCE", "1", "at least 0.5 and below 1"),
        ("BASE_TRADING_VOLUME", "$10M", "must be a number"),
        ("ERROR_COST_MULTIPLIER", "-50", "not be negative"),
        ("ERROR_COST_MULTIPLIER", "60..40", "low not above high"),
        ("ERROR_COST_MULTIPLIER", "40..", "must be a number"),
        ("INFRASTRUCTURE_ANNUAL_COST", "nan", "finite"),
        ("DASHBOARD_PORT", "8050.0", "port from 1 to 65535"),
        ("DASHBOARD_TIMEZONE", "Mars/Olympus", "UTC or Europe/Berlin"),
        ("DASHBOARD_AUTH", "basic", "one of password, proxy, none"),
        ("DASHBOARD_TRUSTED_PROXIES", "nginx", "10.0.0.5,10.1.0.0/16"),
        ("DASHBOARD_USER_HEADER", "X Forwarded", "name of a header"),
        ("DASHBOARD_PATH_PREFIX", "/a b", "such as /ab-test"),
        ("DASHBOARD_PATH_PREFIX", "/a/../b", "without . and .."),
        ("DASHBOARD_STALE_AFTER_SECONDS", "0", "above 0"),
        ("DASHBOARD_STALE_AFTER_SECONDS", "1e10", "at most 31536000 (a year)"),
        ("DASHBOARD_TIMEZONE", "../../etc/passwd", "UTC or Europe/Berlin"),
    ],
)
def test_a_value_that_cannot_be_used_names_variable_value_and_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(allowed)) as caught:
        with_value(name, value)
    assert str(caught.value).startswith(f"{name} is {value!r}, but ")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("MLFLOW_DB_PORT", "5432, 5433", "5432,5433"),
        ("PROMETHEUS_URL", "https://a/prom/, http://[::1]:9090", ("https://a/prom", "http://[::1]:9090")),
        ("AB_VARIANT_ALIASES", "baseline-predictor = baseline, e=enhanced", (("baseline-predictor", "baseline"), ("e", "enhanced"))),
        ("AB_TRAFFIC_SPLIT", "baseline=70%,enhanced=30%", (TrafficPlan(None, (("baseline", 0.7), ("enhanced", 0.3))),)),
        ("AB_TRAFFIC_SPLIT", "baseline=1,enhanced=1,shadow=0", (TrafficPlan(None, (("baseline", 0.5), ("enhanced", 0.5), ("shadow", 0.0))),)),
        (
            "AB_TRAFFIC_SPLIT",
            "2026-11-01T00:00Z baseline=90,enhanced=10; 2026-11-05T00:00Z baseline=50, enhanced=50",
            (
                TrafficPlan(datetime(2026, 11, 1, tzinfo=UTC), (("baseline", 0.9), ("enhanced", 0.1))),
                TrafficPlan(datetime(2026, 11, 5, tzinfo=UTC), (("baseline", 0.5), ("enhanced", 0.5))),
            ),
        ),
        (
            "AB_TRAFFIC_SPLIT",
            "baseline=9,enhanced=1;1762300800 baseline=1,enhanced=1;",
            (
                TrafficPlan(None, (("baseline", 0.9), ("enhanced", 0.1))),
                TrafficPlan(datetime(2025, 11, 5, tzinfo=UTC), (("baseline", 0.5), ("enhanced", 0.5))),
            ),
        ),
        ("AB_START", "2026-11-23T12:00:00+02:00", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("AB_START", "0", datetime(1970, 1, 1, tzinfo=UTC)),
        (
            "AB_EXCLUDE",
            "2026-11-25T02:00:00Z/2026-11-25T03:00:00Z, 0/60",
            (
                (datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, 0, 1, tzinfo=UTC)),
                (datetime(2026, 11, 25, 2, tzinfo=UTC), datetime(2026, 11, 25, 3, tzinfo=UTC)),
            ),
        ),
        ("AB_EXCLUDE", "2026-11-24T02:00Z/2026-11-24T08:00Z", ((datetime(2026, 11, 24, 2, tzinfo=UTC), datetime(2026, 11, 24, 8, tzinfo=UTC)),)),
        ("AB_WINDOW", "1h30m", 5400.0),
        ("AB_WINDOW", "7d", 604_800.0),
        ("AB_PLANNED_REQUESTS", "20000", 20_000),
        ("DASHBOARD_TRUSTED_PROXIES", "10.0.0.5, ::1,10.1.0.0/16", ("10.0.0.5/32", "::1/128", "10.1.0.0/16")),
        ("DASHBOARD_PATH_PREFIX", "teams/ab/", "/teams/ab"),
        ("DASHBOARD_PATH_PREFIX", "/", ""),
        ("BASE_TRADING_VOLUME", "8e6..12e6", Amount(8e6, 12e6)),
        ("ERROR_COST_MULTIPLIER", "50", Amount(50, 50)),
    ],
)
def test_a_value_that_can_be_used_becomes_the_domain_s_own(name: str, value: str, expected: object) -> None:
    assert with_value(name, value)[name] == expected


def test_the_other_views_read_what_was_given() -> None:
    settings = with_value("AB_TRAFFIC_SPLIT", "baseline=3,enhanced=1")
    assert settings.split_at(datetime(2026, 1, 1, tzinfo=UTC)) == {"baseline": 0.75, "enhanced": 0.25}
    ramp = with_value("AB_TRAFFIC_SPLIT", "2026-11-01T00:00Z a=3,b=1; 2026-11-05T00:00Z a=1,c=1")
    shares = [ramp.split_at(datetime(2026, 11, day, tzinfo=UTC)) for day in (1, 4, 5)]
    assert shares == [{"a": 0.75, "b": 0.25, "c": 0.0}] * 2 + [{"a": 0.5, "b": 0.0, "c": 0.5}]
    assert ramp.split_at(datetime(2026, 10, 1, tzinfo=UTC)) == shares[0]
    assert settings.aliases == {}
    assert settings.start is None


@pytest.mark.parametrize("given", ["AB_ONLINE_LABELLED_METRIC", "AB_ONLINE_CORRECT_METRIC", "PROMETHEUS_CLIENT_KEY", "DASHBOARD_TLS_CERT", "DASHBOARD_TLS_KEY"])
def test_a_setting_without_its_other_half_is_refused(given: str) -> None:
    with pytest.raises(SettingsError, match=f"{given} is set, but .* is not; set both or neither"):
        load_settings(environment={given: "something"})


def test_secrets_of_the_web_page_are_never_shown() -> None:
    given = {"DASHBOARD_CACHE_URL": "redis://:hunter2@127.0.0.1/0", "DASHBOARD_PASSWORD_HASH": "scrypt:32768:8:1$salt$abcdef"}
    settings = load_settings(environment=given)
    assert {"hunter2", "scrypt:32768:8:1$salt$abcdef"} <= set(settings.secrets)
    assert "hunter2" not in repr(settings)
    with pytest.raises(SettingsError) as caught:
        with_value("DASHBOARD_PASSWORD_HASH", "hunter2")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(SettingsError, match="redis://"):
        with_value("DASHBOARD_CACHE_URL", "http://:hunter2@127.0.0.1")


@pytest.mark.parametrize(
    ("uri", "allowed"),
    [
        ("file:///mlruns-hunter2", "file: and databricks are not read"),
        ("mlruns-hunter2", "file: and databricks are not read"),
        ("databricks://hunter2", "file: and databricks are not read"),
        ("postgresql+psycopg2://u:hunter2@db/mlflow", "belongs into MLFLOW_DB_URL"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("http://u:hunter2@mlflow:99999", "port from 1 to 65535"),
        ("https://u:hunter2@mlflow?token=hunter2", "without . and #"),
    ],
)
def test_an_address_of_mlflow_that_cannot_be_used_is_refused_without_showing_it(uri: str, allowed: str) -> None:
    with pytest.raises(SettingsError, match=allowed) as caught:
        with_value("MLFLOW_TRACKING_URI", uri)
    assert str(caught.value).startswith("MLFLOW_TRACKING_URI is ***, but must ")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "selectors"),
    [
        ("timeouts:x_total:0.1", ["x_total"]),
        ('a:job:x:sum{kind="read,write"}:0.1 , b:y_total:2', ['job:x:sum{kind="read,write"}', "y_total"]),
        ("a:x_total{ one='}:{', two!~`[a-c]{2}` , }:1", ['x_total{one="}:{", two!~"[a-c]{2}"}']),
        (r'a:x_total{kind="say \"a\\b\""}:1', [r'x_total{kind="say \"a\\b\""}']),
    ],
)
def test_commas_and_colons_within_braces_and_quotes_are_the_counter_s(text, selectors):
    assert [each.selector for each in with_value("AB_GUARDRAILS", text).event_counters] == selectors


def test_a_guardrail_has_its_name_counter_and_margin_beside_the_two_that_there_always_are():
    settings = with_value("AB_GUARDRAILS", 'timeouts:x_total{kind!="read"}:0.1')
    assert settings.event_counters == (EventCounter("timeouts", "x_total", (LabelMatcher("kind", "!=", "read"),), 0.1),)
    found = [(each.name, each.metric, each.label, each.margin) for each in settings.guarded]
    assert found == [
        ("error_rate", "error_rate", "Error rate not worse", 0.2),
        ("latency", "over_latency_objective", "Over 250 ms not more often", 1.0),
        ("timeouts", "timeouts", "Timeouts not more often", 0.1),
    ]
