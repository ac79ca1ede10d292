"""The one table of settings: name, default, unit and meaning. The example file, docs/settings.md and `--help`
agree with it (tested). The keys of MLflow's metrics follow from their catalogue, as it is when the table is
read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import live_dashboards.settings.serving as served
import live_dashboards.settings.values as read
from live_dashboards.model.metrics import METRICS, Metric, check_catalogue
from live_dashboards.settings.guardrails import guardrails, waived

Parser = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Setting:
    """One row: how a setting is called, what it is when unset, how its text is read and what it means."""

    name: str
    default: str | None
    parse: Parser
    meaning: str
    example: str | None = None
    secret: bool = False

    @property
    def sample(self) -> str:
        """What the example file shows: the specification's value, else the default, else nothing."""
        return self.example if self.example is not None else (self.default or "")


def _secret(name: str, meaning: str, example: str | None = None) -> Setting:
    return Setting(
        name, None, read.secret, f"{meaning} (or {name}_FILE: a file that holds it)", example, secret=True
    )


def sections() -> tuple[tuple[str, tuple[Setting, ...]], ...]:
    """The titles of the table's sections, each with its rows."""
    return tuple(
        (title, tuple(setting for row in rows for setting in (row() if callable(row) else (row,))))
        for title, rows in _SECTIONS
    )


def all_settings() -> tuple[Setting, ...]:
    """Every row. ValueError where the catalogue of metrics holds an entry that cannot be one, or one whose
    setting is another's.
    """
    check_catalogue()
    found = tuple(setting for _, rows in sections() for setting in rows)
    names = [setting.name for setting in found]
    for metric in METRICS.values():
        if names.count(metric.setting) > 1:
            raise ValueError(
                f"a metric cannot be called {metric.name!r}: {metric.setting} is a setting of another meaning"
            )
    return found


def _metric_keys() -> tuple[Setting, ...]:
    return tuple(map(_metric_key, METRICS.values()))


def _metric_key(metric: Metric) -> Setting:
    if len(metric.keys) == 1:
        return Setting(metric.setting, metric.keys[0], read.text, "MLflow metric key")
    keys = f"{', '.join(metric.keys[:-1])} or {metric.keys[-1]}"
    meaning = f"MLflow metric key; default: the first that baseline and challenger both have of {keys}"
    return Setting(metric.setting, None, read.text, meaning)


# what is no row itself gives rows, those of now
_SECTIONS: tuple[tuple[str, tuple[Setting | Callable[[], tuple[Setting, ...]], ...]], ...] = (
    (
        "MLflow Database",
        (
            Setting(
                "MLFLOW_DB_HOST",
                None,
                read.text,
                "host of MLflow's PostgreSQL; several, comma-separated, are tried in order",
                "192.168.1.100",
            ),
            Setting("MLFLOW_DB_PORT", "5432", read.ports, "its port; one, or one for each host"),
            Setting("MLFLOW_DB_NAME", "mlflow", read.text, "database name"),
            Setting("MLFLOW_DB_USER", "mlflow", read.text, "user, best one that can only read"),
            _secret("MLFLOW_DB_PASSWORD", "password", "your_secure_password"),
            _secret(
                "MLFLOW_DB_URL",
                "instead of the five above: postgresql://, postgres://, postgresql+psycopg2:// or "
                "postgresql+psycopg://",
            ),
            Setting(
                "MLFLOW_DB_SSLMODE",
                "prefer",
                read.choice("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
                "libpq's sslmode",
            ),
            Setting("MLFLOW_DB_SSLROOTCERT", None, read.text, "file of certificate authorities, or `system`"),
            Setting("MLFLOW_DB_SSLCERT", None, read.text, "client certificate file"),
            Setting("MLFLOW_DB_SSLKEY", None, read.text, "client key file"),
            Setting(
                "MLFLOW_TRACKING_URI",
                None,
                read.tracking_uri,
                "without a database above the only source, else asked where it fails: http(s)://... "
                "(MLflow's REST API) or sqlite:///mlflow.db "
                "(or MLFLOW_TRACKING_URI_FILE: a file that holds it)",
                secret=True,
            ),
            Setting("MLFLOW_TRACKING_USERNAME", None, read.text, "basic authentication there: user"),
            _secret("MLFLOW_TRACKING_PASSWORD", "basic authentication there: password"),
            _secret("MLFLOW_TRACKING_TOKEN", "bearer token"),
            Setting("MLFLOW_TRACKING_SERVER_CERT_PATH", None, read.text, "file of certificate authorities"),
            Setting(
                "MLFLOW_TRACKING_CLIENT_CERT_PATH",
                None,
                read.text,
                "file with a client certificate and its key",
            ),
        ),
    ),
    (
        "Prometheus",
        (
            Setting(
                "PROMETHEUS_URL",
                None,
                read.urls,
                "base URL, with its path prefix; several, comma-separated, are tried in order",
                "http://prometheus-server:9090",
            ),
            Setting("PROMETHEUS_USERNAME", None, read.text, "basic authentication: user"),
            _secret("PROMETHEUS_PASSWORD", "basic authentication: password"),
            _secret("PROMETHEUS_BEARER_TOKEN", "bearer token"),
            Setting("PROMETHEUS_CA_BUNDLE", None, read.text, "file of certificate authorities"),
            Setting("PROMETHEUS_CLIENT_CERT", None, read.text, "client certificate file"),
            Setting("PROMETHEUS_CLIENT_KEY", None, read.text, "client key file"),
            _secret("PROMETHEUS_HEADERS", "extra headers, comma-separated (X-Scope-OrgID: team)"),
            Setting(
                "PROMETHEUS_RECORDED",
                "off",
                read.choice("off", "on"),
                "on: ask what the rules of `deploy/prometheus/`, or those that `live-dashboards rules` "
                "prints, have recorded, not each instance's series",
            ),
            Setting(
                "PROMETHEUS_REPLICA_LABELS",
                "auto",
                read.replica_labels,
                "labels in which alone copies of one scrape differ, as of a highly available pair; auto: "
                "found by their samples; none; or names, comma-separated",
            ),
            Setting(
                "SOURCE_TIMEOUT_SECONDS",
                "10",
                read.waiting_seconds,
                "seconds each source has, connect to last byte",
            ),
        ),
    ),
    (
        "A/B test",
        (
            Setting(
                "AB_EXPERIMENT",
                None,
                read.text,
                "which experiment; default: the A/B experiment with the newest activity of those with an "
                "accuracy or requests of both variants, else of all",
            ),
            Setting(
                "AB_BASELINE_VARIANT",
                "baseline",
                read.text,
                "name of the baseline variant; where it is not set and there is none of that name: the only "
                "one whose model has the alias champion in MLflow's registry",
            ),
            Setting(
                "AB_CHALLENGER_VARIANT",
                None,
                read.text,
                "default: `enhanced` if there, else the first other variant by name",
            ),
            Setting(
                "AB_VARIANT_ALIASES",
                None,
                read.aliases,
                "Prometheus name=variant, comma-separated, where the sources name a model differently",
            ),
            Setting(
                "AB_VARIANT_FROM",
                "param:model_variant,tag:model_variant,alias",
                read.variant_ways,
                "where MLflow holds a run's variant, in order: param:NAME, tag:NAME, alias or model_name of "
                "the registered model made from it; what stands after the params and tags is asked only "
                "where these give an experiment no two variants",
            ),
            Setting(
                "AB_TRAFFIC_SPLIT",
                None,
                read.split,
                "planned split, variant=share, comma-separated, normalised; of a ramp one plan after the "
                "other, `;`-separated, each beginning with its moment",
                "baseline=70,enhanced=30",
            ),
            Setting(
                "AB_METRICS",
                served.OWN_PRESET,
                served.preset,
                "names of requests, errors and response times in Prometheus: a preset "
                f"({', '.join(served.presets())}) or the path of a TOML file in their format",
            ),
            Setting(
                "AB_REQUESTS",
                None,
                served.counters,
                "counter of requests, over the preset's; sums and differences: a + b - c",
                "http_requests_total",
            ),
            Setting(
                "AB_ERRORS",
                None,
                served.errors,
                "counter of failed requests, over the preset's, or `none`: then they are missing, never 0",
                'http_requests_total{status=~"5.."}',
            ),
            Setting(
                "AB_LATENCY",
                None,
                served.latency,
                "metric of response times without its ending (_bucket, _sum, _count), over the preset's, or "
                "`none`",
                "http_request_duration_seconds",
            ),
            Setting("AB_LATENCY_UNIT", None, served.latency_unit, "its unit: s, ms or us"),
            Setting(
                "AB_LATENCY_KIND",
                None,
                served.latency_kind,
                "histogram; buckets: no true _sum, so no mean; summary: _sum and _count; sum: a counter of "
                "time of that very name, divided by the requests or by AB_LATENCY_COUNT",
            ),
            Setting(
                "AB_LATENCY_COUNT",
                None,
                served.counters,
                "what a latency of kind sum is divided by, where that is not all requests",
            ),
            Setting("AB_MODEL_LABEL", None, served.model_label, "label that tells the model"),
            Setting(
                "AB_MODEL_PATTERN",
                None,
                served.model_pattern,
                "pattern (RE2) of the whole of that label's value, whose first group is the variant; values "
                "that do not match count nowhere",
                r"/models/(\w+)/predict",
            ),
            Setting(
                "AB_MATCHERS",
                None,
                served.always,
                "matchers that are always added, comma-separated, such as to leave traffic out",
                'traffic!="shadow"',
            ),
            Setting("AB_START", None, read.moment, "start of the test, RFC 3339 or unix seconds"),
            Setting(
                "AB_EXCLUDE",
                None,
                read.stretches,
                "stretches left out of the comparison for all arms, such as an outage or a load test: "
                "begin/end, comma-separated",
                "2026-11-24T02:00Z/2026-11-24T08:00Z",
            ),
            Setting(
                "AB_STICKY_FOR",
                None,
                read.duration,
                "how long users stay with their variant, as a Prometheus duration, where that is longer "
                "than some hours: the traffic split is then judged after 8 stays",
                "24h",
            ),
            Setting(
                "AB_ACCURACY_UNIT",
                "auto",
                read.choice("auto", "fraction", "percent"),
                "unit of the logged accuracy; auto: all values at most 1 means fraction",
            ),
            Setting(
                "AB_ACCURACY_GOAL",
                "auto",
                read.choice("auto", "higher", "lower"),
                "which way AB_ACCURACY_METRIC is better; auto: by its name, lower for what is called an "
                "error or a loss; where no name tells there is no verdict on it and no revenue",
            ),
            Setting(
                "AB_ACCURACY_KIND",
                "auto",
                read.choice("auto", "share", "value"),
                "share: of test rows, in percent; value: in its own unit, such as an error or a score; auto: "
                "by its name, else by its values",
            ),
            _metric_keys,
            Setting(
                "AB_METRIC_POINT",
                "step",
                read.choice("step", "time"),
                "which point of a metric counts as its last: that of the greatest step, as MLflow has it, or "
                "the newest in time",
            ),
            Setting(
                "AB_TEST_COUNT_PARAM",
                "test_size",
                read.text,
                "param or metric with the number of test rows; below 1 it is a fraction and gives no n",
            ),
            Setting(
                "AB_WINDOW", "24h", read.duration, "what timelines and totals show, as a Prometheus duration"
            ),
            Setting(
                "AB_SUCCESS_METRIC",
                "accuracy",
                read.choice("accuracy", "error_rate"),
                "what the verdict is about",
            ),
            Setting(
                "AB_ONLINE_LABELLED_METRIC",
                None,
                read.metric_name,
                "Prometheus counter: requests whose truth became known",
            ),
            Setting(
                "AB_ONLINE_CORRECT_METRIC",
                None,
                read.metric_name,
                "Prometheus counter: of these, answered correctly",
            ),
            Setting("AB_PLANNED_REQUESTS", None, read.count, "planned requests over all arms"),
            Setting(
                "AB_MINIMUM_EFFECT_POINTS",
                "1",
                read.non_negative,
                "percentage points below which a difference does not matter",
            ),
            Setting("AB_MINIMUM_DAYS", "7", read.non_negative, "days below which there is no verdict"),
            Setting("AB_MINIMUM_EVENTS", "5", read.count, "events per arm below which there is no verdict"),
            Setting(
                "AB_ERROR_MARGIN_POINTS",
                "0.2",
                read.non_negative,
                "guardrail: percentage points of error rate",
            ),
            Setting(
                "AB_LATENCY_MARGIN_POINTS",
                "1",
                read.non_negative,
                "guardrail: percentage points of requests over the latency objective",
            ),
            Setting(
                "AB_LATENCY_MARGIN_MS",
                "25",
                read.positive,
                "guardrail: milliseconds of mean response time, judged where there are no buckets; the "
                "default is a tenth of the default objective",
            ),
            Setting(
                "AB_LATENCY_OBJECTIVE_MS",
                "250",
                read.positive,
                "guardrail: latency objective in milliseconds",
            ),
            Setting(
                "AB_GUARDRAILS",
                None,
                guardrails,
                "further guardrails, `name:counter:margin`, comma-separated: of the requests, no more than "
                "margin percentage points more may have an event that this Prometheus counter counts",
                'timeouts:ab_test_timeouts_total{kind="read"}:0.1',
            ),
            Setting(
                "AB_WAIVE",
                None,
                waived,
                "guardrails that block no SHIP where they cannot be judged, comma-separated; only `latency`, "
                "where an arm has no response times",
                "latency",
            ),
            Setting(
                "AB_SLICE_LABEL",
                None,
                read.slice_label,
                "Prometheus label, such as instance or region, by whose values the gates are also shown; it "
                "changes no verdict",
            ),
            Setting(
                "AB_CONFIDENCE",
                "0.95",
                read.confidence,
                "confidence of the intervals drawn in the picture; those in the JSON are always 95 %",
            ),
            Setting("AB_STALE_AFTER", "5m", read.duration, "a Prometheus value older than this is stale"),
        ),
    ),
    (
        "Business model",
        (
            Setting("BASE_TRADING_VOLUME", "10000000", read.amount, "USD a day"),
            Setting(
                "ACCURACY_REVENUE_MULTIPLIER",
                "0.005",
                read.amount,
                "share of the volume gained per "
                "accuracy fraction (0.005 % "
                "of the volume per "
                "percentage point); of a value such as rmse per unit that it gets better, and only where "
                "this is set",
            ),
            Setting("LATENCY_COST_PER_MS", "0.0001", read.amount, "USD per request and millisecond"),
            Setting("ERROR_COST_MULTIPLIER", "50", read.amount, "USD per error prevented"),
            Setting("INFRASTRUCTURE_ANNUAL_COST", "53000", read.amount, "USD a year"),
        ),
    ),
    (
        "Dashboard Settings",
        (
            Setting(
                "DASHBOARD_REFRESH_INTERVAL",
                "30",
                read.waiting_seconds,
                "seconds between refreshes of the web page",
            ),
            Setting("DASHBOARD_PORT", "8050", read.port, "port of the web page"),
            Setting(
                "DASHBOARD_HOST",
                "127.0.0.1",
                read.text,
                "address of the web page; any but a loopback one asks for a login",
            ),
            Setting(
                "DASHBOARD_OUTPUT_DIR",
                "output",
                read.text,
                "folder of the pictures; a relative one lies in the project's folder",
            ),
            Setting(
                "DASHBOARD_CACHE_DIR",
                None,
                read.text,
                "folder in which the scripts and the web page keep the sources' last good answers, shown "
                "where a source is down; unset: none is kept",
            ),
            Setting(
                "DASHBOARD_CACHE_MAX_AGE",
                "1h",
                read.duration,
                "how old such an answer may be in a "
                "picture; on the web page "
                "DASHBOARD_STALE_AFTER_SECONDS holds",
            ),
            Setting(
                "RUN_TIMEOUT_SECONDS",
                None,
                read.seconds,
                "seconds that a whole run of a script may take; then it ends, with exit code 1",
            ),
            Setting(
                "DASHBOARD_NOTIFY_URL",
                None,
                read.notify_url,
                "Slack-compatible webhook to which a script posts what it has drawn (or "
                "DASHBOARD_NOTIFY_URL_FILE: a file that holds it)",
                secret=True,
            ),
            Setting(
                "DASHBOARD_PUBLIC_URL",
                None,
                read.url,
                "where the folder of the pictures can be seen; the notification links the picture below it",
            ),
            Setting(
                "DASHBOARD_TIMEZONE", "UTC", read.timezone, "zone of the time axes, such as Europe/Berlin"
            ),
        ),
    ),
    (
        "Web page",
        (
            Setting(
                "DASHBOARD_AUTH",
                None,
                read.choice("password", "proxy", "none"),
                "who is let in; default: everybody on a loopback address, else a password",
            ),
            Setting("DASHBOARD_USERNAME", "dashboard", read.text, "user of the login"),
            Setting(
                "DASHBOARD_PASSWORD_HASH",
                None,
                read.password_hash,
                "what `live-dashboards hash-password` prints (or DASHBOARD_PASSWORD_HASH_FILE: a file that "
                "holds it)",
                secret=True,
            ),
            Setting(
                "DASHBOARD_API_TOKEN",
                None,
                read.token,
                "lets a program read below /api/v1/ that sends it as Authorization: Bearer, beside the login",
                secret=True,
            ),
            Setting(
                "DASHBOARD_TRUSTED_PROXIES",
                None,
                read.networks,
                "addresses or networks of the proxies whose X-Forwarded headers and user header count",
            ),
            Setting(
                "DASHBOARD_USER_HEADER",
                "X-Forwarded-User",
                read.header_name,
                "with DASHBOARD_AUTH=proxy: the header in which the proxy names the user",
            ),
            Setting(
                "DASHBOARD_PATH_PREFIX",
                None,
                read.path_prefix,
                "path below which a proxy serves the page, such as /ab-test",
            ),
            Setting(
                "DASHBOARD_TLS_CERT",
                None,
                read.text,
                "certificate file (with its chain); with it the page speaks https",
            ),
            Setting("DASHBOARD_TLS_KEY", None, read.text, "its key file"),
            Setting(
                "DASHBOARD_STALE_AFTER_SECONDS",
                None,
                read.seconds,
                "how long a source's last answer is shown once it gives none; default: four intervals",
            ),
            Setting(
                "DASHBOARD_CACHE_URL",
                None,
                read.cache_url,
                "redis://..., where several processes share what one of them asked (or "
                "DASHBOARD_CACHE_URL_FILE: a file that holds it)",
                secret=True,
            ),
        ),
    ),
)
