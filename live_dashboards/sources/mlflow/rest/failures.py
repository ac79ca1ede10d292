"""Why MLflow's REST API could not be asked, in one sentence with what to do."""

from __future__ import annotations

import re

import requests

from live_dashboards.errors import SourceError
from live_dashboards.sources.prometheus.failure import network_failure, redirect_target

_LOG_FIX = "look at the log of the MLflow server and of any proxy in between"
_CA_FIX = "set MLFLOW_TRACKING_SERVER_CERT_PATH to the file of the authority that signed its certificate"
_CLIENT_FIX = "set MLFLOW_TRACKING_CLIENT_CERT_PATH to a file with a certificate that it accepts, and its key"
_FIXES = {
    "cut": _LOG_FIX,
    "tls_untrusted": _CA_FIX,
    "tls_client": _CLIENT_FIX,
    "tls": "check MLFLOW_TRACKING_SERVER_CERT_PATH and MLFLOW_TRACKING_CLIENT_CERT_PATH",
    "url": "correct MLFLOW_TRACKING_URI, such as http://mlflow-server:5000",
}
_LOGIN_FIX = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
_URI_FIX = "check that MLFLOW_TRACKING_URI is the address of an MLflow server, with its path where a proxy serves it below one"
_TAGS = re.compile(r"<(script|style).*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_SHOWN = 200


class LateError(SourceError):
    """No last byte within the time of the call."""


def unreachable(error: Exception, address: str, seconds: float) -> SourceError:
    """What an exception on the way to or from the server means."""
    found = network_failure(error, address, seconds)
    return SourceError(f"MLflow's server {found.reason}" if found.reason.startswith(address) else found.reason, _FIXES.get(found.code, found.fix), found.code)


def late(address: str, seconds: float) -> LateError:
    """No last byte within the deadline."""
    fix = "check the network, and raise SOURCE_TIMEOUT_SECONDS if the server is only slow"
    return LateError(f"MLflow's server {address} gave no complete answer in {seconds:.3g} s", fix, "timeout")


def cut(address: str) -> SourceError:
    """An answer that ended too early."""
    return SourceError(f"MLflow's server {address} cut the connection before its answer was complete", _LOG_FIX, "cut")


def too_large(address: str, limit_bytes: int) -> SourceError:
    """More bytes than are read."""
    reason = f"the answers of MLflow's server {address} are larger than {limit_bytes // 1024 // 1024} MB"
    return SourceError(reason, "name the experiment with AB_EXPERIMENT, shorten AB_WINDOW, or give access to the database (MLFLOW_DB_HOST)", "too_large")


def redirected(response: requests.Response, address: str) -> SourceError:
    """A redirect is not followed: the login would go to a stranger."""
    fix = "if that is a login page, set MLFLOW_TRACKING_TOKEN or MLFLOW_TRACKING_USERNAME; else set MLFLOW_TRACKING_URI to the final address"
    return SourceError(f"MLflow's server {address} redirects to {redirect_target(response)} instead of answering", fix, "redirect")


def not_mlflow(address: str, what: str) -> SourceError:
    """An answer that is none of MLflow."""
    return SourceError(f"{address} answers with {what} instead of MLflow's JSON", f"a login page or another program answers there: {_URI_FIX}", "not_mlflow")


def refused(status: int, said: str, path: str, address: str) -> SourceError:
    """An answer whose status is an error; `said` is its text or MLflow's own message."""
    words = " ".join(_TAGS.sub(" ", said).split())[:_SHOWN]
    if status == 403 and "host" in words.lower() and "invalid" in words.lower():
        fix = "start the MLflow server with --allowed-hosts and this host, or name it as the server allows"
        return SourceError(f"MLflow's server {address} does not serve this host name: {words}", fix, "host_not_allowed")
    if status in {401, 403, 407}:
        what = "wants a login, or refuses ours" if status != 403 else "refuses this user"
        fix = _LOGIN_FIX if status != 403 else f"give the user the permission READ on the experiments, or {_LOGIN_FIX}"
        return SourceError(f"MLflow's server {address} {what} (status {status})", fix, "auth")
    if "HTTPS server" in words:
        return SourceError(f"{address} speaks https, not http", f"use https{address.removeprefix('http')}", "tls_scheme")
    if status in {404, 405}:
        reason = f"{address} answers, but MLflow's REST API is not there (status {status} for {path})"
        return SourceError(reason, f"{_URI_FIX}; MLflow must be 2.0 or newer", "not_found")
    if status in {502, 503, 504}:
        return SourceError(f"a proxy answers at {address}, but cannot reach MLflow (status {status})", "start the MLflow server, or mend the proxy", "proxy_backend")
    return SourceError(f"MLflow's server {address} failed at {path} with status {status}: {words or 'no words'}", _LOG_FIX, "http_error")
