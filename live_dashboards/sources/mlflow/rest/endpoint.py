"""Where MLflow's REST API is and how one logs in there: a URI's user info becomes a login, so no address that is shown can hold a secret."""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote, urlsplit

from live_dashboards.errors import SettingsError
from live_dashboards.settings import Settings
from live_dashboards.sources.prometheus.endpoint import Endpoint

FILES = {"PROMETHEUS_CA_BUNDLE": "MLFLOW_TRACKING_SERVER_CERT_PATH", "PROMETHEUS_CLIENT_CERT": "MLFLOW_TRACKING_CLIENT_CERT_PATH"}


def rest_endpoint(settings: Settings) -> Endpoint:
    """The tracking server that the settings name; SettingsError where a login cannot be used."""
    uri = settings["MLFLOW_TRACKING_URI"].reveal()
    scheme, _, rest = uri.partition("://")
    authority, slash, path = rest.partition("/")
    url = f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"
    authorization = _login(settings) or _url_login(uri)
    sent = (authorization.partition(" ")[2],) if authorization else ()  # base64 hides nothing, and a gateway's error page may repeat it
    files = settings["MLFLOW_TRACKING_SERVER_CERT_PATH"], settings["MLFLOW_TRACKING_CLIENT_CERT_PATH"]
    return Endpoint(url, {}, authorization, *files, (*settings.secrets, *sent))


def _login(settings: Settings) -> str | None:
    user, password, token = settings["MLFLOW_TRACKING_USERNAME"], settings["MLFLOW_TRACKING_PASSWORD"], settings["MLFLOW_TRACKING_TOKEN"]
    if token is not None and (user is not None or password is not None):
        raise SettingsError("both MLFLOW_TRACKING_TOKEN and MLFLOW_TRACKING_USERNAME or MLFLOW_TRACKING_PASSWORD are set; keep one login")
    if token is not None:
        if not re.fullmatch(r"[!-~]+", token.reveal()):
            raise SettingsError("MLFLOW_TRACKING_TOKEN is ***, but must be one word of ASCII characters; copy it without quotes, spaces and line ends")
        return f"Bearer {token.reveal()}"
    if password is not None and user is None:
        raise SettingsError("MLFLOW_TRACKING_PASSWORD is set, but MLFLOW_TRACKING_USERNAME is not; set both")
    return None if user is None else _basic(user, password.reveal() if password is not None else "")


def _url_login(uri: str) -> str | None:
    pieces = urlsplit(uri)
    return _basic(unquote(pieces.username), unquote(pieces.password or "")) if pieces.username else None


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
