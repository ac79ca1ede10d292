"""Where MLflow's REST API is and how one logs in there."""

from __future__ import annotations

from live_dashboards.settings import Settings
from live_dashboards.sources.http.endpoint import (
    Advice,
    Endpoint,
    sent_secrets,
    settings_login,
    url_login,
    without_user_info,
)

ADVICE = Advice(
    name="MLflow's server ",
    other_code="not_mlflow",
    ca="set MLFLOW_TRACKING_SERVER_CERT_PATH to the file of the authority that signed its certificate",
    client="set MLFLOW_TRACKING_CLIENT_CERT_PATH to a file with a certificate that it accepts, and its key",
    tls="check MLFLOW_TRACKING_SERVER_CERT_PATH and MLFLOW_TRACKING_CLIENT_CERT_PATH",
    url="correct MLFLOW_TRACKING_URI, such as http://mlflow-server:5000",
    log="look at the log of the MLflow server and of any proxy in between",
)


def rest_endpoint(settings: Settings) -> Endpoint:
    """The tracking server that the settings name; SettingsError where a login cannot be used."""
    uri = settings["MLFLOW_TRACKING_URI"].reveal()
    login = settings_login(
        settings,
        username="MLFLOW_TRACKING_USERNAME",
        password="MLFLOW_TRACKING_PASSWORD",  # noqa: S106 a name
        token="MLFLOW_TRACKING_TOKEN",  # noqa: S106 a name
    )
    authorization = login or url_login(uri)
    files = {
        name: settings[name]
        for name in ("MLFLOW_TRACKING_SERVER_CERT_PATH", "MLFLOW_TRACKING_CLIENT_CERT_PATH")
        if settings[name] is not None
    }
    return Endpoint(
        without_user_info(uri),
        {},
        authorization,
        settings["MLFLOW_TRACKING_SERVER_CERT_PATH"],
        settings["MLFLOW_TRACKING_CLIENT_CERT_PATH"],
        (*settings.secrets, *sent_secrets(authorization)),
        files,
        ADVICE,
    )
