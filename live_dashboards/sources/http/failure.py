"""Why a server could not be asked, in one sentence with what to do: from exceptions of the network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests
from requests import exceptions as http
from urllib3 import exceptions as wire

from live_dashboards.errors import SourceError
from live_dashboards.sources.http.endpoint import Endpoint

_NETWORK_FIX = (
    "check the network, a firewall, a VPN or the port-forward, and raise SOURCE_TIMEOUT_SECONDS "
    "if it is only slow"
)
_REFUSED_FIX = "is it running, and is the port right? behind Kubernetes a port-forward may have ended"
_TAGS = re.compile(r"<(script|style).*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


def _named(endpoint: Endpoint) -> str:
    return f"{endpoint.advice.name}{endpoint.url}"


def timeout_failure(endpoint: Endpoint, seconds: float) -> SourceError:
    """No last byte within the deadline."""
    return SourceError(
        f"{_named(endpoint)} gave no complete answer in {seconds:.3g} s", _NETWORK_FIX, "timeout"
    )


def cut_failure(endpoint: Endpoint, *, has_begun: bool = True) -> SourceError:
    """An answer that ended too early, or never began."""
    fix = endpoint.advice.log
    # a TLS server says so in plain words, but its closing may overtake them
    if endpoint.url.startswith("http:") and not has_begun:
        fix += f"; if it speaks TLS, use https{endpoint.url.removeprefix('http')}"
    if endpoint.url.startswith("https:"):
        fix += f"; if it wants a client certificate, {endpoint.advice.client}"
    return SourceError(f"{_named(endpoint)} cut the connection before its answer was complete", fix, "cut")


def network_failure(error: Exception, endpoint: Endpoint, seconds: float) -> SourceError:
    """What an exception on the way to or from the server means."""
    causes, address = tuple(_causes(error)), endpoint.url
    if isinstance(error, http.ProxyError):
        return SourceError(
            f"the proxy on the way to {address} failed: {_detail(causes)}",
            "set NO_PROXY for this host, or mend HTTP_PROXY and HTTPS_PROXY",
            "proxy",
        )
    if any(isinstance(cause, wire.NameResolutionError) for cause in causes):
        host = urlsplit(address).hostname
        return SourceError(
            f"the host name {host!r} of {address} was not found",
            "check the spelling; inside Kubernetes it is name.namespace",
            "unknown_host",
        )
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return SourceError(f"{_named(endpoint)} refuses the connection", _REFUSED_FIX, "refused")
    if isinstance(error, http.Timeout) or any(
        isinstance(cause, (wire.TimeoutError, TimeoutError)) for cause in causes
    ):
        return timeout_failure(endpoint, seconds)
    return _tls_failure(causes, endpoint) or _broken_failure(error, causes, endpoint)


def _tls_failure(causes: tuple[BaseException, ...], endpoint: Endpoint) -> SourceError | None:
    name, address, advice = _named(endpoint), endpoint.url, endpoint.advice
    words = " ".join(map(str, causes)).upper().replace(" ", "_")
    cases = (  # by what any of the causes says: the reason, what to do, and the code
        (
            "WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE",
            f"{name} does not speak TLS",
            f"use http{address.removeprefix('https')}",
            "tls_scheme",
        ),
        (
            "HOSTNAME_MISMATCH|DOESN'T_MATCH|IS_NOT_VALID_FOR",
            f"the certificate of {address} is for another name",
            "use the host name that stands in the certificate",
            "tls_name",
        ),
        (
            "CERTIFICATE_VERIFY_FAILED",
            f"the certificate of {address} is not trusted: {_detail(causes)}",
            advice.ca,
            "tls_untrusted",
        ),
        (
            # an alert may get lost when the server closes
            "ALERT.*CERTIFICATE|CERTIFICATE.*ALERT|UNKNOWN_CA|EOF_OCCURRED",
            f"{name} wants a client certificate, or does not accept ours",
            advice.client,
            "tls_client",
        ),
    )
    for pattern, *said in cases:
        if re.search(pattern, words, re.DOTALL):
            return SourceError(*said)
    if any("ssl" in type(cause).__name__.lower() for cause in causes):
        return SourceError(f"no TLS connection to {address}: {_detail(causes)}", advice.tls, "tls")
    return None


def _broken_failure(error: Exception, causes: tuple[BaseException, ...], endpoint: Endpoint) -> SourceError:
    address = endpoint.url
    names = {type(cause).__name__ for cause in causes}
    if isinstance(error, http.InvalidURL) or "LocationParseError" in names:
        return SourceError(
            f"{address} is no address that can be asked: {_detail(causes)}", endpoint.advice.url, "url"
        )
    if isinstance(error, http.ChunkedEncodingError) or any(_is_cut_status_line(cause) for cause in causes):
        return cut_failure(endpoint)
    if (
        names & {"BadStatusLine", "LineTooLong", "HeaderParsingError", "UnknownProtocol"}
        and "RemoteDisconnected" not in names
    ):
        return SourceError(
            f"what answers at {address} does not speak HTTP",
            "check the port, or use https:// if it speaks TLS",
            "not_http",
        )
    if isinstance(error, http.ContentDecodingError):
        return SourceError(
            f"the answer of {address} is damaged: its compression cannot be undone",
            "look for a proxy in between",
            endpoint.advice.other_code,
        )
    if names & {"RemoteDisconnected", "ConnectionResetError", "BrokenPipeError", "ProtocolError"}:
        return cut_failure(endpoint, has_begun=False)
    return SourceError(f"{_named(endpoint)} cannot be asked: {_detail(causes)}", _NETWORK_FIX, "unreachable")


def _is_cut_status_line(cause: BaseException) -> bool:
    """Whether HTTP began and ended in its first line."""
    line = str(getattr(cause, "line", "")).strip("'\"")
    return bool(line) and (line.startswith("HTTP/1.") or "HTTP/1.".startswith(line))


def redirect_target(response: requests.Response) -> str:
    """Where a redirect leads, without its user info and query, which may hold secrets."""
    try:
        target = urlsplit(response.headers.get("Location", ""))
    except ValueError:
        return "what is no address"
    return (
        f"{target.scheme}://{target.hostname}{target.path}" if target.hostname else target.path or "elsewhere"
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it was made from: drivers put causes into `reason`, into arguments and
    behind `from`.
    """
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
    said = [
        str(cause) for cause in causes if str(cause) and not isinstance(cause, http.RequestException)
    ] or [str(causes[0])]
    return excerpt(min(said, key=len))


def excerpt(text: str) -> str:
    """One line of at most 200 characters, without markup."""
    words = " ".join(_TAGS.sub(" ", text).split())
    return words if len(words) <= 200 else f"{words[:199]}…"
