"""Reads the settings: command line over environment over settings file over default. The only module that
reads the environment.
"""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from live_dashboards.errors import SettingsError
from live_dashboards.model.guarded import EventCounter, Guarded
from live_dashboards.model.serving import ServingMetrics
from live_dashboards.model.setting_types import Secret, TrafficPlan
from live_dashboards.settings import secrets
from live_dashboards.settings.guardrails import all_guarded, mean_guarded
from live_dashboards.settings.serving import serving_metrics
from live_dashboards.settings.table import Setting, all_settings

ENV_FILE_NAME = ".env.live-dashboards"
_URL_PARTS = ("MLFLOW_DB_HOST", "MLFLOW_DB_PORT", "MLFLOW_DB_NAME", "MLFLOW_DB_USER", "MLFLOW_DB_PASSWORD")
_SECRET_URLS = ("MLFLOW_DB_URL", "MLFLOW_TRACKING_URI", "DASHBOARD_CACHE_URL", "DASHBOARD_NOTIFY_URL")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """Every setting by its name, and the names that the user gave. Attributes are typed views for the code
    that reads them.
    """

    values: Mapping[str, Any] = field(repr=False)
    given: frozenset[str] = frozenset()
    base_folder: Path = Path()

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def has_mlflow(self) -> bool:
        """Whether a way to ask MLflow is configured."""
        return self.has_mlflow_database or self["MLFLOW_TRACKING_URI"] is not None

    @property
    def has_mlflow_database(self) -> bool:
        """Whether MLflow's PostgreSQL is configured."""
        return self["MLFLOW_DB_URL"] is not None or self["MLFLOW_DB_HOST"] is not None

    @property
    def has_prometheus(self) -> bool:
        """Whether a Prometheus is configured."""
        return self["PROMETHEUS_URL"] is not None

    @property
    def window_seconds(self) -> float:
        """Length of the window that timelines and totals show."""
        return float(self["AB_WINDOW"])

    @property
    def timeout_seconds(self) -> float:
        """What each source has from connect to last byte."""
        return float(self["SOURCE_TIMEOUT_SECONDS"])

    @property
    def start(self) -> datetime | None:
        """The configured start of the test."""
        start: datetime | None = self["AB_START"]
        return start

    @property
    def traffic_plans(self) -> tuple[TrafficPlan, ...]:
        """How traffic was to be split, one plan after the other; none where none is set."""
        plans: tuple[TrafficPlan, ...] = self["AB_TRAFFIC_SPLIT"] or ()
        return plans

    @property
    def planned_names(self) -> tuple[str, ...]:
        """The variants that any plan names."""
        return tuple(dict.fromkeys(name for plan in self.traffic_plans for name, _ in plan.shares))

    def split_at(self, at: datetime) -> dict[str, float]:
        """The planned share (0 to 1) at a moment of each variant that any plan names; empty where no plan is
        set.
        """
        held = [plan for plan in self.traffic_plans if plan.since is None or plan.since <= at] or list(
            self.traffic_plans[:1]
        )
        return {name: held[-1].share(name) for name in self.planned_names}

    @property
    def aliases(self) -> dict[str, str]:
        """The variant of each aliased Prometheus model name."""
        return dict(self["AB_VARIANT_ALIASES"] or ())

    @property
    def guarded(self) -> tuple[Guarded, ...]:
        """All that must not get worse: the error rate, the latency, and what AB_GUARDRAILS names."""
        return all_guarded(self.values)

    @property
    def mean_guarded(self) -> Guarded:
        """The latency as it is guarded where there are no buckets."""
        return mean_guarded(self.values)

    @property
    def waived(self) -> tuple[str, ...]:
        """The guardrails that block nothing where they cannot be judged."""
        names: tuple[str, ...] = self["AB_WAIVE"] or ()
        return names

    @property
    def event_counters(self) -> tuple[EventCounter, ...]:
        """The counters of AB_GUARDRAILS; none where none is set."""
        counters: tuple[EventCounter, ...] = self["AB_GUARDRAILS"] or ()
        return counters

    @property
    def serving(self) -> ServingMetrics:
        """What requests, errors and response times are called in Prometheus."""
        return serving_metrics(self.values)

    @property
    def output_folder(self) -> Path:
        """Where pictures with a default name go."""
        return self.base_folder / str(self["DASHBOARD_OUTPUT_DIR"])

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that no message may show."""
        plain = [
            value.reveal()
            for name, value in self.values.items()
            if isinstance(value, Secret) and name not in _SECRET_URLS
        ]
        urls = [
            *(self["PROMETHEUS_URL"] or ()),
            *(self[name].reveal() for name in _SECRET_URLS if self[name] is not None),
        ]
        return (*plain, *(secret for url in urls for secret in secrets.url_password(url)))

    def changed(self, texts: Mapping[str, str]) -> Settings:
        """These settings but for the given ones; nothing is read again. SettingsError as of
        `load_settings`.
        """
        changes = {row.name: _value(row, texts) for row in all_settings() if row.name in texts}
        return replace(self, values={**self.values, **changes}, given=self.given | frozenset(texts))

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The settings whose password is one that a document shows."""
        return secrets.placeholders(self.values)


def load_settings(
    *,
    env_file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, str] | None = None,
    base_folder: Path | None = None,
) -> Settings:
    """The settings of this moment.

    `env_file` must exist where it is named; the default one in `base_folder` (the current folder) need not.
    `overrides` come from the command line. Raises SettingsError naming the variable, its value (never a
    secret's) and what is allowed.
    """
    folder = base_folder if base_folder is not None else Path()
    environment = os.environ if environment is None else environment
    from_file = _read_file(env_file, folder / ENV_FILE_NAME)
    layers = (
        {name: text for name, text in layer.items() if text.strip()}
        for layer in (from_file, environment, overrides or {})
    )
    texts: dict[str, str] = {}
    for layer in layers:
        _refuse_both(layer)
        texts = _over(texts, layer)
    values = {setting.name: _value(setting, texts) for setting in all_settings()}
    _refuse_url_with_parts(texts)
    _refuse_one_arm(values)
    _refuse_halves(values)
    _refuse_mixed_names(values)
    secrets.warn_of_placeholders(values)
    given = frozenset(name for name in values if name in texts or f"{name}_FILE" in texts)
    return Settings(values, given, folder)


def known_names() -> tuple[str, ...]:
    """Every name that can be set, in the table's order: those of the settings, and of secrets also those of
    their files.
    """
    return tuple(
        name
        for setting in all_settings()
        for name in (setting.name, *([f"{setting.name}_FILE"] if setting.secret else []))
    )


def named_program(variable: str) -> Path | None:
    """The absolute path in an environment variable that names a program, or a folder of them, of the demo,
    the tests and the benchmarks; None: the installed one.

    It is no setting: no settings file may say what is run here.
    """
    text = os.environ.get(variable, "").strip()
    return Path(text).expanduser().absolute() if text else None


def _over(lower: Mapping[str, str], upper: Mapping[str, str]) -> dict[str, str]:
    """Upper over lower, where a secret and its file are one setting."""
    replaced = {name.removesuffix("_FILE") for name in upper}
    kept = {name: text for name, text in lower.items() if name.removesuffix("_FILE") not in replaced}
    return kept | dict(upper)


def _refuse_both(layer: Mapping[str, str]) -> None:
    for setting in all_settings():
        if setting.secret and setting.name in layer and f"{setting.name}_FILE" in layer:
            raise SettingsError(f"both {setting.name} and {setting.name}_FILE are set; keep one of them")


def _refuse_url_with_parts(texts: Mapping[str, str]) -> None:
    parts = [name for name in _URL_PARTS if name in texts or f"{name}_FILE" in texts]
    if parts and ("MLFLOW_DB_URL" in texts or "MLFLOW_DB_URL_FILE" in texts):
        raise SettingsError(
            f"both MLFLOW_DB_URL and {', '.join(parts)} are set; keep either the URL or the parts"
        )


def _refuse_one_arm(values: Mapping[str, object]) -> None:
    challenger = values["AB_CHALLENGER_VARIANT"]
    if challenger == values["AB_BASELINE_VARIANT"]:
        raise SettingsError(
            f"AB_BASELINE_VARIANT and AB_CHALLENGER_VARIANT are both {challenger!r}, but "
            "an A/B test compares two variants"
        )


def _refuse_halves(values: Mapping[str, object]) -> None:
    """A setting that means nothing without its other half."""
    pairs = (
        ("AB_ONLINE_LABELLED_METRIC", "AB_ONLINE_CORRECT_METRIC"),
        ("AB_ONLINE_CORRECT_METRIC", "AB_ONLINE_LABELLED_METRIC"),
        ("PROMETHEUS_CLIENT_KEY", "PROMETHEUS_CLIENT_CERT"),
        ("DASHBOARD_TLS_CERT", "DASHBOARD_TLS_KEY"),
        ("DASHBOARD_TLS_KEY", "DASHBOARD_TLS_CERT"),
    )
    for given, needed in pairs:
        if values[given] is not None and values[needed] is None:
            raise SettingsError(f"{given} is set, but {needed} is not; set both or neither")


def _refuse_mixed_names(values: Mapping[str, object]) -> None:
    """Names of metrics that contradict each other."""
    try:
        serving_metrics(values)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def _read_file(env_file: Path | None, default: Path) -> dict[str, str]:
    path = env_file if env_file is not None else default
    if env_file is None and not _is_there(default):
        return {}
    from dotenv import dotenv_values

    try:
        with path.open(encoding="utf-8") as stream:
            rows = dotenv_values(stream=stream, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"the settings file {path} cannot be read: {cause}; check --env-file") from error
    _warn_unknown(rows, path)
    secrets.warn_of_exposed_file(
        path, tuple(name for name, value in rows.items() if value and _holds_secret(name, value))
    )
    return {name: value for name, value in rows.items() if value is not None}


def _is_there(default: Path) -> bool:
    try:
        return default.is_file()
    except OSError as error:  # such as a current folder that this account may not enter
        log.warning(
            "no settings file is read: %s: %s; run this elsewhere, or name the file with --env-file",
            default.absolute(),
            error.strerror,
        )
        return False


def _holds_secret(name: str, value: str) -> bool:
    """Whether that line of a settings file is one to keep to oneself; of a setting that is none, a URL with a
    password.
    """
    setting = next((each for each in all_settings() if each.name == name), None)
    return setting is not None and (setting.secret or bool(secrets.url_password(value)))


def _warn_unknown(names: Mapping[str, str | None], path: Path) -> None:
    known = sorted(known_names())
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            log.warning(
                "%s: unknown setting %s; did you mean %s?",
                path.name,
                name,
                near[0] if near else "another one",
            )


def _value(setting: Setting, texts: Mapping[str, str]) -> object:
    text = texts.get(setting.name)
    if text is None and setting.secret and f"{setting.name}_FILE" in texts:
        text = _secret_file(setting.name, texts[f"{setting.name}_FILE"])
    if text is None:
        text = setting.default
    if text is None:
        return None
    try:
        return setting.parse(text if setting.secret else text.strip())
    except ValueError as error:
        hidden = setting.secret or "@" in text  # a URL may hold a password
        raise SettingsError(f"{setting.name} is {'***' if hidden else repr(text)}, but {error}") from None


def _secret_file(name: str, path: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(
            f"{name}_FILE names {path}, which cannot be read: {cause}; give a readable file"
        ) from error
    secrets.warn_of_exposed_file(Path(path), (name,))
    if not text:
        raise SettingsError(f"{name}_FILE names {path}, which is empty; write the secret into it")
    return text
