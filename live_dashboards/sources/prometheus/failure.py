"""Why an answer is none of Prometheus', in one sentence with what to do."""

from __future__ import annotations

import requests

from live_dashboards.errors import SourceError
from live_dashboards.sources.http.brake import BusyError, wait_seconds
from live_dashboards.sources.http.failure import excerpt, redirect_target

# one question failed, the server is fine
QUERY_CODES = frozenset({"bad_query", "query_timeout", "too_many_samples"})


def redirect_failure(response: requests.Response, address: str) -> SourceError:
    """A redirect: followed, a POST would arrive without its query, and headers might go to a stranger."""
    shown = redirect_target(response)
    fix = (
        "if that is a login page, set PROMETHEUS_BEARER_TOKEN or PROMETHEUS_USERNAME; else set "
        "PROMETHEUS_URL to the final address"
    )
    return SourceError(f"{address} redirects to {shown} instead of answering", fix, "redirect")


def format_failure(address: str, what: str) -> SourceError:
    """An answer of status 200 that is not Prometheus'."""
    fix = "a login page or a proxy answers there: set the token or the login, or correct PROMETHEUS_URL"
    return SourceError(f"{address} answers with {what} instead of Prometheus' JSON", fix, "not_prometheus")


def busy_failure(status: int, text: str, retry_after: str | None, address: str) -> BusyError:
    """A server, or a proxy before it, that wants fewer questions at a time."""
    said = f": {excerpt(text)}" if text else ""
    fix = (
        "raise the limit there, ask less often, or raise SOURCE_TIMEOUT_SECONDS so that there is time to "
        "ask again"
    )
    return BusyError(
        f"{address} or a proxy refuses too many requests (status {status}){said}",
        fix,
        "limit",
        wait_seconds(retry_after),
    )


def refused_query(status: int, kind: str, text: str, query: str, address: str) -> SourceError:
    """An error document of Prometheus itself."""
    said = text.lower()
    if kind in {"timeout", "canceled"} or "deadline exceeded" in said or "timed out" in said:
        return SourceError(
            f"a query took {address} too long ({text})",
            "choose a shorter --window or raise SOURCE_TIMEOUT_SECONDS",
            "query_timeout",
        )
    if "too many samples" in said or "exceeded maximum" in said or "limit" in said:
        return SourceError(
            f"a query is too large for {address}: {text}",
            f"choose a shorter --window; the query was {query}",
            "too_many_samples",
        )
    if status in {401, 403}:
        return _login_failure(status, address)
    if status >= 500:
        return SourceError(
            f"{address} failed with status {status}: {text}", "look at the log of Prometheus", "server_error"
        )
    return SourceError(f"{address} refused a query: {text}", f"the query was {query}", "bad_query")


def status_failure(status: int, text: str, address: str) -> SourceError:
    """A status that stands for itself, with a body that is no document of Prometheus."""
    if status in {401, 403, 407}:
        return _login_failure(status, address)
    if "HTTPS server" in text:
        return SourceError(
            f"{address} speaks https, not http", f"use https{address.removeprefix('http')}", "tls_scheme"
        )
    if status in {404, 405}:
        fix = f"PROMETHEUS_URL may need a path prefix: try {address}/prometheus or {address}/prom"
        return SourceError(
            f"{address} answers, but the Prometheus API is not there (status {status})", fix, "not_found"
        )
    if status in {413, 414}:
        return SourceError(
            f"{address} or a proxy refuses a query that is too long for it (status {status})",
            "raise the limit of the proxy in between",
            "limit",
        )
    if status in {502, 503, 504}:
        return _gateway_failure(status, address)
    return SourceError(
        f"{address} answers with status {status}: {excerpt(text)}",
        "check that PROMETHEUS_URL is the address of a Prometheus",
        "http_error",
    )


def _gateway_failure(status: int, address: str) -> SourceError:
    if status == 503:
        fix = (
            "wait until Prometheus is ready (after a start it replays its log), or start it, if a proxy "
            "answers in its place"
        )
        return SourceError(
            f"{address} is not ready (status 503); it may be replaying its log", fix, "not_ready"
        )
    return SourceError(
        f"a proxy answers at {address}, but cannot reach Prometheus (status {status})",
        "start Prometheus, or mend the proxy",
        "proxy_backend",
    )


def _login_failure(status: int, address: str) -> SourceError:
    fix = (
        "set PROMETHEUS_USERNAME and PROMETHEUS_PASSWORD, or PROMETHEUS_BEARER_TOKEN, or a tenant in "
        "PROMETHEUS_HEADERS (X-Scope-OrgID: team)"
    )
    return SourceError(f"{address} wants a login, or refuses ours (status {status})", fix, "auth")
