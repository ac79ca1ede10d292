"""Where a Prometheus is and how one logs in there: a URL's user info becomes a login, so no address that is shown can hold a secret."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from live_dashboards.errors import SettingsError
from live_dashboards.settings import Settings

_HEADER_END = re.compile(r",\s*(?=[A-Za-z0-9!#$%&'*+.^_`|~-]+\s*:)")  # a comma inside a value is not followed by `name:`
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+:[ -~]*")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One base URL without user info, and what goes along with every request to it."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    authorization: str | None = field(repr=False)
    ca_bundle: str | None
    client_certificate: str | tuple[str, str] | None
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine, so that no proxy must be asked."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")

    @property
    def files(self) -> Mapping[str, str]:
        """The certificate files that must be readable, by the name of their setting."""
        certificate = self.client_certificate
        pair = certificate if isinstance(certificate, tuple) else (certificate, None)
        named = {"PROMETHEUS_CA_BUNDLE": self.ca_bundle, "PROMETHEUS_CLIENT_CERT": pair[0], "PROMETHEUS_CLIENT_KEY": pair[1]}
        return {name: path for name, path in named.items() if path is not None}


def endpoints(settings: Settings) -> tuple[Endpoint, ...]:
    """Every configured Prometheus in the order in which they are tried; SettingsError where a login or a header cannot be used."""
    login, headers = _login(settings), _headers(settings)
    certificate = _client_certificate(settings)
    logins = [(_without_user_info(url), login or _url_login(url)) for url in settings["PROMETHEUS_URL"] or ()]
    sent = tuple(each.partition(" ")[2] for _, each in logins if each)  # base64 hides nothing, and a gateway's error page may repeat it
    return tuple(Endpoint(url, headers, each, settings["PROMETHEUS_CA_BUNDLE"], certificate, (*settings.secrets, *headers.values(), *sent)) for url, each in logins)


def _without_user_info(url: str) -> str:
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def _url_login(url: str) -> str | None:
    pieces = urlsplit(url)
    if not pieces.username:
        return None
    return _basic(unquote(pieces.username), unquote(pieces.password or ""))


def _login(settings: Settings) -> str | None:
    user, password, token = settings["PROMETHEUS_USERNAME"], settings["PROMETHEUS_PASSWORD"], settings["PROMETHEUS_BEARER_TOKEN"]
    if token is not None and (user is not None or password is not None):
        raise SettingsError("both PROMETHEUS_BEARER_TOKEN and PROMETHEUS_USERNAME or PROMETHEUS_PASSWORD are set; keep one login")
    if token is not None:
        return f"Bearer {_plain_token(token.reveal())}"
    if password is not None and user is None:
        raise SettingsError("PROMETHEUS_PASSWORD is set, but PROMETHEUS_USERNAME is not; set both")
    return None if user is None else _basic(user, password.reveal() if password is not None else "")


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def _plain_token(token: str) -> str:
    if not re.fullmatch(r"[!-~]+", token):
        raise SettingsError("PROMETHEUS_BEARER_TOKEN is ***, but must be one word of ASCII characters; copy it without quotes, spaces and line ends")
    return token


def _headers(settings: Settings) -> dict[str, str]:
    text = settings["PROMETHEUS_HEADERS"]
    lines = _HEADER_END.split(text.reveal().strip()) if text is not None else []
    if not all(_HEADER.fullmatch(line) for line in lines):
        raise SettingsError("PROMETHEUS_HEADERS is ***, but must be comma-separated headers such as X-Scope-OrgID: team")
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _client_certificate(settings: Settings) -> str | tuple[str, str] | None:
    certificate, key = settings["PROMETHEUS_CLIENT_CERT"], settings["PROMETHEUS_CLIENT_KEY"]
    if certificate is None and key is not None:
        raise SettingsError("PROMETHEUS_CLIENT_KEY is set, but PROMETHEUS_CLIENT_CERT is not; set both")
    return certificate if key is None else (certificate, key)
