"""Precedence, secrets and unknown names: how settings of several places become one."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from live_dashboards.errors import SettingsError
from live_dashboards.model.setting_types import Secret
from live_dashboards.settings import Settings, load_settings
from live_dashboards.settings.table import all_settings
from tests.support.other_account import as_somebody_else

# As the specification prints it, inline comments and all.
SPECIFICATION_BLOCK = """\
# MLflow Database
MLFLOW_DB_HOST=192.168.1.100
MLFLOW_DB_PORT=5432
MLFLOW_DB_NAME=mlflow
MLFLOW_DB_USER=mlflow
MLFLOW_DB_PASSWORD=your_secure_password

# Prometheus
PROMETHEUS_URL=http://prometheus-server:9090

# Dashboard Settings
DASHBOARD_REFRESH_INTERVAL=30
DASHBOARD_PORT=8050
DASHBOARD_HOST=0.0.0.0

# Business model parameters in .env.live-dashboards
BASE_TRADING_VOLUME=10000000         # $10M daily volume
ACCURACY_REVENUE_MULTIPLIER=0.005    # 0.5% revenue per 1% accuracy
LATENCY_COST_PER_MS=0.0001          # Cost per ms latency
ERROR_COST_MULTIPLIER=50            # $50 per error prevented
INFRASTRUCTURE_ANNUAL_COST=53000     # $53K annual infrastructure
"""


def from_text(folder: Path, text: str, **environment: str) -> Settings:
    path = folder / ".env.live-dashboards"
    path.touch(0o600)
    path.write_text(text, encoding="utf-8")
    return load_settings(environment=environment, base_folder=folder)


def test_nothing_given_means_the_defaults_and_no_source(tmp_path: Path) -> None:
    settings = load_settings(environment={}, base_folder=tmp_path)
    assert not settings.has_mlflow
    assert not settings.has_prometheus
    assert settings.given == frozenset()
    assert (settings.window_seconds, settings.timeout_seconds) == (86_400, 10)


def test_every_default_can_be_read_by_its_own_reader() -> None:
    settings = load_settings(environment={}, base_folder=Path("/nonexistent"))
    assert {name for name in settings.values if settings[name] is None} == {setting.name for setting in all_settings() if setting.default is None}


def test_command_line_goes_over_environment_over_file_over_default(tmp_path: Path) -> None:
    text = "AB_WINDOW=1h\nAB_EXPERIMENT=file\nDASHBOARD_TIMEZONE=Europe/Berlin\n"
    (tmp_path / ".env.live-dashboards").write_text(text)
    environment = {"AB_WINDOW": "2h", "AB_EXPERIMENT": "environment"}
    settings = load_settings(environment=environment, overrides={"AB_WINDOW": "3h"}, base_folder=tmp_path)
    assert settings.window_seconds == 3 * 3600
    assert settings["AB_EXPERIMENT"] == "environment"
    assert settings["DASHBOARD_TIMEZONE"] == "Europe/Berlin"
    assert settings["AB_BASELINE_VARIANT"] == "baseline"


def test_an_empty_value_means_unset_and_does_not_hide_a_lower_layer(tmp_path: Path) -> None:
    settings = from_text(tmp_path, "AB_EXPERIMENT=pricing\nAB_WINDOW=\n", AB_EXPERIMENT=" ")
    assert settings["AB_EXPERIMENT"] == "pricing"
    assert settings.window_seconds == 86_400


def test_a_named_settings_file_stands_for_the_default_one(tmp_path: Path) -> None:
    (tmp_path / ".env.live-dashboards").write_text("AB_EXPERIMENT=default\n")
    (tmp_path / "other.env").write_text("AB_BASELINE_VARIANT=control\n")
    settings = load_settings(env_file=tmp_path / "other.env", environment={}, base_folder=tmp_path)
    assert settings["AB_EXPERIMENT"] is None
    assert settings["AB_BASELINE_VARIANT"] == "control"


def test_a_named_settings_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.env.*No such file"):
        load_settings(env_file=tmp_path / "absent.env", environment={}, base_folder=tmp_path)
    (tmp_path / "latin.env").write_bytes(b"AB_EXPERIMENT=caf\xe9\n")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_settings(env_file=tmp_path / "latin.env", environment={}, base_folder=tmp_path)


def test_the_specification_s_own_block_works_as_it_stands(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = from_text(tmp_path, SPECIFICATION_BLOCK)
    assert caplog.messages == ["MLFLOW_DB_PASSWORD is a placeholder of the documentation; set the real one"]
    assert settings["MLFLOW_DB_HOST"] == "192.168.1.100"
    assert settings["MLFLOW_DB_PASSWORD"] == Secret("your_secure_password")
    assert settings["PROMETHEUS_URL"] == ("http://prometheus-server:9090",)
    assert settings["DASHBOARD_HOST"] == "0.0.0.0"  # noqa: S104 - the specification's value
    amounts = {name: settings[name].point for name in SPECIFICATION_AMOUNTS}
    assert amounts == SPECIFICATION_AMOUNTS


SPECIFICATION_AMOUNTS = {
    "BASE_TRADING_VOLUME": 10_000_000,
    "ACCURACY_REVENUE_MULTIPLIER": 0.005,
    "LATENCY_COST_PER_MS": 0.0001,
    "ERROR_COST_MULTIPLIER": 50,
    "INFRASTRUCTURE_ANNUAL_COST": 53_000,
}


def test_a_value_keeps_its_dollar_sign(tmp_path: Path) -> None:
    settings = from_text(tmp_path, "MLFLOW_DB_HOST=db\nMLFLOW_DB_PASSWORD=pa$HOME${X}\n")
    assert settings["MLFLOW_DB_PASSWORD"].reveal() == "pa$HOME${X}"


def test_an_unknown_name_is_warned_about_with_the_nearest(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from_text(tmp_path, "PROMETEUS_URL=http://localhost:9090\n")
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, ".env.live-dashboards: unknown setting PROMETEUS_URL; did you mean PROMETHEUS_URL?")
    ]


def test_a_warning_never_holds_the_value(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from_text(tmp_path, "MLFLOW_DB_PASWORD=hunter22\n")
    assert "hunter22" not in caplog.text


def test_an_unknown_name_in_the_environment_is_not_ours_to_judge(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_settings(environment={"AB_TESTING": "x", "HOME": "/root"}, base_folder=tmp_path)
    assert caplog.records == []


@pytest.mark.parametrize("name", [setting.name for setting in all_settings() if setting.secret])
def test_each_secret_may_come_from_a_file(tmp_path: Path, name: str) -> None:
    shapes = {
        "PROMETHEUS_HEADERS": "X-Scope-OrgID: team",
        "MLFLOW_TRACKING_URI": "https://u:p@mlflow.example/base",
        "DASHBOARD_PASSWORD_HASH": "scrypt:32768:8:1$salt$abcdef",
        "DASHBOARD_CACHE_URL": "redis://:p@127.0.0.1/0",
        "DASHBOARD_NOTIFY_URL": "https://hooks.example/services/x",
    }
    text = shapes.get(name, "postgresql://u:p@db/mlflow")
    (tmp_path / "secret").write_text(f"{text}\n")
    settings = load_settings(environment={f"{name}_FILE": str(tmp_path / "secret")}, base_folder=tmp_path)
    assert settings[name] == Secret(text)
    assert name in settings.given


def test_a_secret_and_its_file_in_one_place_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="both MLFLOW_DB_PASSWORD and MLFLOW_DB_PASSWORD_FILE"):
        from_text(tmp_path, "MLFLOW_DB_PASSWORD=a\nMLFLOW_DB_PASSWORD_FILE=/b\n")


def test_a_secret_goes_over_the_file_of_a_lower_layer_and_the_other_way_round(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-file")
    given = from_text(tmp_path, f"MLFLOW_DB_PASSWORD_FILE={tmp_path}/secret\n", MLFLOW_DB_PASSWORD="given")
    filed = from_text(tmp_path, "MLFLOW_DB_PASSWORD=given\n", MLFLOW_DB_PASSWORD_FILE=str(tmp_path / "secret"))
    assert (given["MLFLOW_DB_PASSWORD"].reveal(), filed["MLFLOW_DB_PASSWORD"].reveal()) == ("given", "from-file")


def test_a_secret_file_that_is_absent_or_empty_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    for path, cause in (("absent", "No such file"), ("empty", "is empty")):
        with pytest.raises(SettingsError, match=f"PROMETHEUS_PASSWORD_FILE.*{cause}"):
            load_settings(environment={"PROMETHEUS_PASSWORD_FILE": str(tmp_path / path)}, base_folder=tmp_path)


@pytest.mark.parametrize("part", ["MLFLOW_DB_HOST=db", "MLFLOW_DB_PASSWORD=x", "MLFLOW_DB_PORT=5433"])
def test_a_url_and_its_parts_are_refused_together(tmp_path: Path, part: str) -> None:
    with pytest.raises(SettingsError, match=f"both MLFLOW_DB_URL and {part.split('=', maxsplit=1)[0]}"):
        from_text(tmp_path, f"{part}\n", MLFLOW_DB_URL="postgresql://mlflow@db/mlflow")


def test_a_variant_is_not_compared_with_itself(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"both 'baseline'.*two variants"):
        load_settings(environment={"AB_CHALLENGER_VARIANT": "baseline"}, base_folder=tmp_path)


def test_a_url_or_a_host_configures_mlflow(tmp_path: Path) -> None:
    assert load_settings(environment={"MLFLOW_DB_URL": "postgresql://mlflow@db/mlflow"}, base_folder=tmp_path).has_mlflow
    assert load_settings(environment={"MLFLOW_DB_HOST": "db"}, base_folder=tmp_path).has_mlflow


def test_no_repr_shows_a_secret(tmp_path: Path) -> None:
    environment = {"MLFLOW_DB_URL": "postgresql://u:hunter22@db/m", "PROMETHEUS_BEARER_TOKEN": "token-4711", "PROMETHEUS_URL": "http://u:s3cretive@p:9090"}
    settings = load_settings(environment=environment, base_folder=tmp_path)
    shown = f"{settings!r} {settings} {settings['MLFLOW_DB_URL']} {settings['PROMETHEUS_BEARER_TOKEN']!r}"
    assert not any(secret in shown for secret in ("hunter22", "token-4711", "s3cretive"))


def test_secrets_names_every_text_that_no_message_may_show(tmp_path: Path) -> None:
    environment = {"MLFLOW_DB_URL": "postgresql://u:hunt%40er@db/m", "PROMETHEUS_BEARER_TOKEN": "token-4711", "PROMETHEUS_URL": "http://u:s3cretive@p:9090"}
    settings = load_settings(environment=environment, base_folder=tmp_path)
    assert {"hunt%40er", "hunt@er", "token-4711", "s3cretive"} <= set(settings.secrets)


@pytest.mark.parametrize(("name", "value"), [("PROMETHEUS_URL", "prometheus://u:hunter22@p"), ("MLFLOW_DB_PASSWORD", "hunter22\x00")])
def test_an_error_about_a_secret_shows_stars(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"{name} is \*\*\*, but must") as caught:
        load_settings(environment={name: value}, base_folder=tmp_path)
    assert "hunter22" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_relative_output_folder_lies_below_the_base_folder(tmp_path: Path) -> None:
    assert load_settings(environment={}, base_folder=tmp_path).output_folder == tmp_path / "output"
    assert load_settings(environment={"DASHBOARD_OUTPUT_DIR": "/srv/pictures"}, base_folder=tmp_path).output_folder == Path("/srv/pictures")


def test_a_current_folder_that_may_not_be_entered_holds_no_settings_file(tmp_path, caplog):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0)
    with as_somebody_else():
        assert not load_settings(environment={}, base_folder=folder).has_mlflow
    assert f"no settings file is read: {folder / '.env.live-dashboards'}: Permission denied" in caplog.text
