"""Where a Prometheus is and how one logs in there."""

from __future__ import annotations

import re

from live_dashboards.errors import SettingsError
from live_dashboards.settings import Settings
from live_dashboards.sources.http.endpoint import (
    Advice,
    Endpoint,
    sent_secrets,
    settings_login,
    url_login,
    without_user_info,
)

# a comma inside a value is not followed by `name:`
_HEADER_END = re.compile(r",\s*(?=[A-Za-z0-9!#$%&'*+.^_`|~-]+\s*:)")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+:[ -~]*")
ADVICE = Advice(
    name="",
    other_code="not_prometheus",
    ca="set PROMETHEUS_CA_BUNDLE to the file of its authority",
    client="set PROMETHEUS_CLIENT_CERT and PROMETHEUS_CLIENT_KEY to a certificate that it accepts",
    tls="check PROMETHEUS_CA_BUNDLE, PROMETHEUS_CLIENT_CERT and PROMETHEUS_CLIENT_KEY",
    url="correct PROMETHEUS_URL, such as http://prometheus-server:9090",
    log="look at the log of Prometheus and of any proxy in between",
)


def endpoints(settings: Settings) -> tuple[Endpoint, ...]:
    """Every configured Prometheus in the order in which they are tried; SettingsError where a login or a
    header cannot be used.
    """
    login = settings_login(
        settings,
        username="PROMETHEUS_USERNAME",
        password="PROMETHEUS_PASSWORD",  # noqa: S106 a name
        token="PROMETHEUS_BEARER_TOKEN",  # noqa: S106 a name
    )
    headers, certificate = _headers(settings), _client_certificate(settings)
    urls = settings["PROMETHEUS_URL"] or ()
    logins = [login or url_login(url) for url in urls]
    secrets = (
        *settings.secrets,
        *headers.values(),
        *(secret for each in logins for secret in sent_secrets(each)),
    )
    named = {
        name: settings[name]
        for name in ("PROMETHEUS_CA_BUNDLE", "PROMETHEUS_CLIENT_CERT", "PROMETHEUS_CLIENT_KEY")
        if settings[name] is not None
    }
    ca_bundle = settings["PROMETHEUS_CA_BUNDLE"]
    return tuple(
        Endpoint(without_user_info(url), headers, each, ca_bundle, certificate, secrets, named, ADVICE)
        for url, each in zip(urls, logins, strict=True)
    )


def _headers(settings: Settings) -> dict[str, str]:
    text = settings["PROMETHEUS_HEADERS"]
    lines = _HEADER_END.split(text.reveal().strip()) if text is not None else []
    if not all(_HEADER.fullmatch(line) for line in lines):
        raise SettingsError(
            "PROMETHEUS_HEADERS is ***, but must be comma-separated headers such as X-Scope-OrgID: team"
        )
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _client_certificate(settings: Settings) -> str | tuple[str, str] | None:
    certificate, key = settings["PROMETHEUS_CLIENT_CERT"], settings["PROMETHEUS_CLIENT_KEY"]
    if certificate is None and key is not None:
        raise SettingsError("PROMETHEUS_CLIENT_KEY is set, but PROMETHEUS_CLIENT_CERT is not; set both")
    return certificate if key is None else (certificate, key)
