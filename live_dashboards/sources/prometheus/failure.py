"""Why Prometheus could not be asked, in one sentence with what to do: from exceptions of the network and from answers that are none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests
from requests import exceptions as http
from urllib3 import exceptions as wire

from live_dashboards.errors import SourceError

QUERY_CODES = frozenset({"bad_query", "query_timeout", "too_many_samples"})  # one question failed, the server is fine
_NETWORK_FIX = "check the network, a firewall, a VPN or the port-forward, and raise SOURCE_TIMEOUT_SECONDS if it is only slow"
_REFUSED_FIX = "is it running, and is the port right? behind Kubernetes a port-forward may have ended"
_CLIENT_FIX = "set PROMETHEUS_CLIENT_CERT and PROMETHEUS_CLIENT_KEY to a certificate that it accepts"
_TAGS = re.compile(r"<(script|style).*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


def timeout_failure(address: str, seconds: float) -> SourceError:
    """No last byte within the deadline."""
    return SourceError(f"{address} gave no complete answer in {seconds:.3g} s", _NETWORK_FIX, "timeout")


def cut_failure(address: str) -> SourceError:
    """An answer that ended too early."""
    fix = "look at the log of Prometheus and of any proxy in between"
    if address.startswith("https:"):
        fix += f"; if it wants a client certificate, {_CLIENT_FIX}"
    return SourceError(f"{address} cut the connection before its answer was complete", fix, "cut")


def network_failure(error: Exception, address: str, seconds: float) -> SourceError:
    """What an exception on the way to or from the server means."""
    causes = tuple(_causes(error))
    if isinstance(error, http.ProxyError):
        return SourceError(f"the proxy on the way to {address} failed: {_detail(causes)}", "set NO_PROXY for this host, or mend HTTP_PROXY and HTTPS_PROXY", "proxy")
    if any(isinstance(cause, wire.NameResolutionError) for cause in causes):
        host = urlsplit(address).hostname
        return SourceError(f"the host name {host!r} of {address} was not found", "check the spelling; inside Kubernetes it is name.namespace", "unknown_host")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return SourceError(f"{address} refuses the connection", _REFUSED_FIX, "refused")
    if isinstance(error, http.Timeout) or any(isinstance(cause, (wire.TimeoutError, TimeoutError)) for cause in causes):
        return timeout_failure(address, seconds)
    return _tls_failure(causes, address) or _broken_failure(error, causes, address)


def _tls_failure(causes: tuple[BaseException, ...], address: str) -> SourceError | None:
    text = " ".join(str(cause) for cause in causes)
    words = text.upper().replace(" ", "_")
    if "WRONG_VERSION_NUMBER" in words or "RECORD_LAYER_FAILURE" in words:
        return SourceError(f"{address} does not speak TLS", f"use http{address.removeprefix('https')}", "tls_scheme")
    if "HOSTNAME_MISMATCH" in words or "DOESN'T_MATCH" in words or "IS_NOT_VALID_FOR" in words:
        return SourceError(f"the certificate of {address} is for another name", "use the host name that stands in the certificate", "tls_name")
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return SourceError(f"the certificate of {address} is not trusted: {_detail(causes)}", "set PROMETHEUS_CA_BUNDLE to the file of its authority", "tls_untrusted")
    if ("ALERT" in words and "CERTIFICATE" in words) or "UNKNOWN_CA" in words or "EOF_OCCURRED" in words:  # an alert may get lost when the server closes
        return SourceError(f"{address} wants a client certificate, or does not accept ours", _CLIENT_FIX, "tls_client")
    if any("ssl" in type(cause).__name__.lower() for cause in causes):
        return SourceError(f"no TLS connection to {address}: {_detail(causes)}", "check PROMETHEUS_CA_BUNDLE, PROMETHEUS_CLIENT_CERT and PROMETHEUS_CLIENT_KEY", "tls")
    return None


def _broken_failure(error: Exception, causes: tuple[BaseException, ...], address: str) -> SourceError:
    names = {type(cause).__name__ for cause in causes}
    if isinstance(error, http.InvalidURL) or "LocationParseError" in names:
        return SourceError(f"{address} is no address that can be asked: {_detail(causes)}", "correct PROMETHEUS_URL, such as http://prometheus-server:9090", "url")
    if any(_is_cut_status_line(cause) for cause in causes):
        return cut_failure(address)
    if names & {"BadStatusLine", "LineTooLong", "HeaderParsingError", "UnknownProtocol"} and "RemoteDisconnected" not in names:
        return SourceError(f"what answers at {address} does not speak HTTP", "check the port, or use https:// if it speaks TLS", "not_http")
    if isinstance(error, http.ContentDecodingError):
        return SourceError(f"the answer of {address} is damaged: its compression cannot be undone", "look for a proxy in between", "not_prometheus")
    if isinstance(error, http.ChunkedEncodingError) or names & {"RemoteDisconnected", "ConnectionResetError", "BrokenPipeError", "ProtocolError"}:
        return cut_failure(address)
    return SourceError(f"{address} cannot be asked: {_detail(causes)}", _NETWORK_FIX, "unreachable")


def _is_cut_status_line(cause: BaseException) -> bool:
    """Whether HTTP began and ended in its first line."""
    line = str(getattr(cause, "line", "")).strip("'\"")
    return bool(line) and (line.startswith("HTTP/1.") or "HTTP/1.".startswith(line))


def redirect_failure(response: requests.Response, address: str) -> SourceError:
    """A redirect: followed, a POST would arrive without its query, and headers might go to a stranger."""
    shown = redirect_target(response)
    fix = "if that is a login page, set PROMETHEUS_BEARER_TOKEN or PROMETHEUS_USERNAME; else set PROMETHEUS_URL to the final address"
    return SourceError(f"{address} redirects to {shown} instead of answering", fix, "redirect")


def redirect_target(response: requests.Response) -> str:
    """Where a redirect leads, without its user info and query, which may hold secrets."""
    try:
        target = urlsplit(response.headers.get("Location", ""))
    except ValueError:
        return "what is no address"
    return f"{target.scheme}://{target.hostname}{target.path}" if target.hostname else target.path or "elsewhere"


def format_failure(address: str, what: str) -> SourceError:
    """An answer of status 200 that is not Prometheus'."""
    fix = "a login page or a proxy answers there: set the token or the login, or correct PROMETHEUS_URL"
    return SourceError(f"{address} answers with {what} instead of Prometheus' JSON", fix, "not_prometheus")


def refused_query(status: int, kind: str, text: str, query: str, address: str) -> SourceError:
    """An error document of Prometheus itself."""
    said = text.lower()
    if kind in {"timeout", "canceled"} or "deadline exceeded" in said or "timed out" in said:
        return SourceError(f"a query took {address} too long ({text})", "choose a shorter --window or raise SOURCE_TIMEOUT_SECONDS", "query_timeout")
    if "too many samples" in said or "exceeded maximum" in said or "limit" in said:
        return SourceError(f"a query is too large for {address}: {text}", f"choose a shorter --window; the query was {query}", "too_many_samples")
    if status in {401, 403}:
        return _login_failure(status, address)
    if status >= 500:
        return SourceError(f"{address} failed with status {status}: {text}", "look at the log of Prometheus", "server_error")
    return SourceError(f"{address} refused a query: {text}", f"the query was {query}", "bad_query")


def status_failure(status: int, text: str, address: str) -> SourceError:
    """A status that stands for itself, with a body that is no document of Prometheus."""
    if status in {401, 403, 407}:
        return _login_failure(status, address)
    if "HTTPS server" in text:
        return SourceError(f"{address} speaks https, not http", f"use https{address.removeprefix('http')}", "tls_scheme")
    if status in {404, 405}:
        fix = f"PROMETHEUS_URL may need a path prefix: try {address}/prometheus or {address}/prom"
        return SourceError(f"{address} answers, but the Prometheus API is not there (status {status})", fix, "not_found")
    if status in {413, 414, 429}:
        reason = "too many requests" if status == 429 else "a query that is too long for it"
        return SourceError(f"{address} or a proxy refuses {reason} (status {status})", "raise the limit of the proxy in between", "limit")
    if status in {502, 503, 504}:
        return SourceError(f"a proxy answers at {address}, but cannot reach Prometheus (status {status})", "start Prometheus, or mend the proxy", "proxy_backend")
    return SourceError(f"{address} answers with status {status}: {_excerpt(text)}", "check that PROMETHEUS_URL is the address of a Prometheus", "http_error")


def _login_failure(status: int, address: str) -> SourceError:
    fix = "set PROMETHEUS_USERNAME and PROMETHEUS_PASSWORD, or PROMETHEUS_BEARER_TOKEN, or a tenant in PROMETHEUS_HEADERS (X-Scope-OrgID: team)"
    return SourceError(f"{address} wants a login, or refuses ours (status {status})", fix, "auth")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it was made from: drivers put causes into `reason`, into arguments and behind `from`."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and not any(cause is known for known in seen):
            seen.append(cause)
            yield cause
            waiting.extend((getattr(cause, "reason", None), cause.__cause__, cause.__context__, *cause.args))


def _detail(causes: tuple[BaseException, ...]) -> str:
    """The innermost cause in one short line."""
    said = [str(cause) for cause in causes if str(cause) and not isinstance(cause, http.RequestException)] or [str(causes[0])]
    return _excerpt(min(said, key=len))


def _excerpt(text: str) -> str:
    """One line of at most 200 characters, without markup."""
    words = " ".join(_TAGS.sub(" ", text).split())
    return words if len(words) <= 200 else f"{words[:199]}…"
