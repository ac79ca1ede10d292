"""Why MLflow's REST API could not be asked, in one sentence with what to do."""

from __future__ import annotations

import requests

from live_dashboards.errors import SourceError
from live_dashboards.sources.http.failure import excerpt, redirect_target
from live_dashboards.sources.mlflow.rest.endpoint import ADVICE

_LOGIN_FIX = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
_URI_FIX = (
    "check that MLFLOW_TRACKING_URI is the address of an MLflow server, with its path where a proxy "
    "serves it below one"
)


class LateError(SourceError):
    """No last byte within the time of the call."""


def late(address: str, seconds: float) -> LateError:
    """No last byte within the deadline."""
    fix = "check the network, and raise SOURCE_TIMEOUT_SECONDS if the server is only slow"
    return LateError(f"{ADVICE.name}{address} gave no complete answer in {seconds:.3g} s", fix, "timeout")


def too_large(address: str, limit_bytes: int) -> SourceError:
    """More bytes than are read."""
    reason = f"the answers of {ADVICE.name}{address} are larger than {limit_bytes // 1024 // 1024} MB"
    return SourceError(
        reason,
        "name the experiment with AB_EXPERIMENT, shorten AB_WINDOW, or give access "
        "to the database (MLFLOW_DB_HOST)",
        "too_large",
    )


def redirected(response: requests.Response, address: str) -> SourceError:
    """A redirect is not followed: the login would go to a stranger."""
    fix = (
        "if that is a login page, set MLFLOW_TRACKING_TOKEN or MLFLOW_TRACKING_USERNAME; else set "
        "MLFLOW_TRACKING_URI to the final address"
    )
    return SourceError(
        f"{ADVICE.name}{address} redirects to {redirect_target(response)} instead of answering",
        fix,
        "redirect",
    )


def not_mlflow(address: str, what: str) -> SourceError:
    """An answer that is none of MLflow."""
    return SourceError(
        f"{address} answers with {what} instead of MLflow's JSON",
        f"a login page or another program answers there: {_URI_FIX}",
        "not_mlflow",
    )


def refused(status: int, said: str, path: str, address: str) -> SourceError:
    """An answer whose status is an error; `said` is its text or MLflow's own message."""
    words = excerpt(said)
    if status == 403 and "host" in words.lower() and "invalid" in words.lower():
        fix = "start the MLflow server with --allowed-hosts and this host, or name it as the server allows"
        return SourceError(
            f"{ADVICE.name}{address} does not serve this host name: {words}", fix, "host_not_allowed"
        )
    if status in {401, 403, 407}:
        what = "wants a login, or refuses ours" if status != 403 else "refuses this user"
        fix = (
            _LOGIN_FIX
            if status != 403
            else f"give the user the permission READ on the experiments, or {_LOGIN_FIX}"
        )
        return SourceError(f"{ADVICE.name}{address} {what} (status {status})", fix, "auth")
    if "HTTPS server" in words:
        return SourceError(
            f"{address} speaks https, not http", f"use https{address.removeprefix('http')}", "tls_scheme"
        )
    if status in {404, 405}:
        reason = f"{address} answers, but MLflow's REST API is not there (status {status} for {path})"
        return SourceError(reason, f"{_URI_FIX}; MLflow must be 2.0 or newer", "not_found")
    if status in {502, 503, 504}:
        return SourceError(
            f"a proxy answers at {address}, but cannot reach MLflow (status {status})",
            "start the MLflow server, or mend the proxy",
            "proxy_backend",
        )
    return SourceError(
        f"{ADVICE.name}{address} failed at {path} with status {status}: {words or 'no words'}",
        ADVICE.log,
        "http_error",
    )
