"""Requests to MLflow's REST API and their answers: which server, how it is asked, and why it could not be."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import requests

from live_dashboards.errors import SourceError
from live_dashboards.model.setting_types import scrub
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.http.endpoint import (
    Advice,
    Endpoint,
    sent_secrets,
    settings_login,
    url_login,
    without_user_info,
)
from live_dashboards.sources.http.failure import cut_failure, excerpt, network_failure, redirect_target
from live_dashboards.sources.http.session import (
    Allowance,
    Sockets,
    clock_difference_seconds,
    new_session,
    parse_json,
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

_LOGIN_FIX = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
_URI_FIX = (
    "check that MLFLOW_TRACKING_URI is the address of an MLflow server, with its path where a proxy "
    "serves it below one"
)

LARGEST_ANSWERS_BYTES = 192 * 1024 * 1024  # of all answers together
API = "/api/2.0/mlflow/"
_CHUNK_BYTES = 64 * 1024

log = logging.getLogger(__name__)


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


class LateError(SourceError):
    """No last byte within the time of the call."""


def too_large(address: str, limit_bytes: int) -> SourceError:
    """More bytes than are read."""
    return SourceError(
        f"the answers of {ADVICE.name}{address} are larger than {limit_bytes // 1024 // 1024} MB",
        "name the experiment with AB_EXPERIMENT, shorten AB_WINDOW, or give access "
        "to the database (MLFLOW_DB_HOST)",
        "too_large",
    )


def redirected(response: requests.Response, address: str) -> SourceError:
    """A redirect is not followed: the login would go to a stranger."""
    return SourceError(
        f"{ADVICE.name}{address} redirects to {redirect_target(response)} instead of answering",
        "if that is a login page, set MLFLOW_TRACKING_TOKEN or MLFLOW_TRACKING_USERNAME; else set "
        "MLFLOW_TRACKING_URI to the final address",
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


class RestClient:
    """A context manager over the connections to one MLflow server."""

    def __init__(self, settings: Settings, *, deadline: Deadline) -> None:
        self._endpoint = rest_endpoint(settings)
        self._secrets = self._endpoint.secrets
        self._deadline = deadline
        self._limit = deadline  # of the call under way
        self._allowance = Allowance(LARGEST_ANSWERS_BYTES)
        self._sockets = Sockets()
        self._session = new_session(self._endpoint, self._sockets)
        # a head that trickles ends by no timeout of the library
        self._watchdog = threading.Timer(deadline.remaining_seconds, self._sockets.shut)
        self._watchdog.daemon = True
        self.clock_difference_seconds: float | None = None

    @property
    def address(self) -> str:
        """The base URL, without user info."""
        return self._endpoint.url

    @property
    def has_login(self) -> bool:
        """Whether anything is sent to log in with."""
        return self._endpoint.authorization is not None

    @property
    def used_share(self) -> float:
        """How much of the time is over, 0 to 1."""
        return 1 - self._deadline.remaining_seconds / self._deadline.seconds

    def __enter__(self) -> Self:
        self._watchdog.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.cancel()
        self._session.close()
        self._sockets.cut()

    def abort(self) -> None:
        """End the call under way in another thread, and all to come."""
        self._sockets.shut()

    @contextmanager
    def limited(self, share: float) -> Iterator[None]:
        """Calls within end, as LateError, when this share of the time is over; others may follow."""
        self._limit = Deadline(
            max(0.0, self._deadline.remaining_seconds - (1 - share) * self._deadline.seconds)
        )
        watchdog = threading.Timer(self._limit.remaining_seconds, self._sockets.interrupt)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()
            watchdog.join()  # so that it cannot end a later call
            self._limit = self._deadline

    def post(self, path: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document that a search below the API answers with."""
        return self._document(API + path, {"json": document})

    def get(self, path: str, parameters: Mapping[str, str | int]) -> dict[str, Any]:
        """The document below the API."""
        return self._document(API + path, {"params": parameters})

    def text(self, path: str) -> str | None:
        """The words at a path beside the API, None where there are none."""
        try:
            response, body = self._exchange(path, {})
        except SourceError as error:
            log.debug("%s", error)
            return None
        return body.decode("utf-8", "replace") if response.status_code == requests.codes.ok else None

    def _document(self, path: str, content: Mapping[str, Any]) -> dict[str, Any]:
        response, body = self._exchange(path, content)
        if response.is_redirect or 300 <= response.status_code < 400:
            raise redirected(response, self.address)
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if response.status_code != requests.codes.ok:
            raise refused(response.status_code, scrub(_message(body), self._secrets), path, self.address)
        if not kind and not body:  # a head that was cut
            raise self._late() if self._is_over else cut_failure(self._endpoint)
        if not kind.endswith("json"):
            raise not_mlflow(self.address, kind or "an unnamed format")
        try:
            document = parse_json(body)
        except ValueError as error:
            raise (
                self._late() if self._is_over else not_mlflow(self.address, "JSON that is damaged")
            ) from error
        if not isinstance(document, dict):
            raise not_mlflow(self.address, "JSON that is no object")
        self.clock_difference_seconds = clock_difference_seconds(response)
        return document

    def _exchange(self, path: str, content: Mapping[str, Any]) -> tuple[requests.Response, bytes]:
        self._endpoint.require_files()
        left_seconds = self._limit.remaining_seconds
        if left_seconds <= 0:
            raise self._late()
        method, verify = "POST" if "json" in content else "GET", self._endpoint.ca_bundle or True
        try:
            with self._session.request(
                method,
                self.address + path,
                timeout=left_seconds,
                verify=verify,
                allow_redirects=False,
                stream=True,
                **content,
            ) as response:
                return response, self._body(response)
        except (requests.RequestException, OSError) as error:
            if self._is_over:
                raise self._late() from None
            found = network_failure(error, self._endpoint, self._deadline.seconds)
            if found.code == "timeout":
                raise self._late() from None
            # a traceback with the cause would show the URL
            raise SourceError(scrub(found.reason, self._secrets), found.fix, found.code) from None

    @property
    def _is_over(self) -> bool:
        return self._limit.remaining_seconds <= 0

    def _late(self) -> LateError:
        return LateError(
            f"{ADVICE.name}{self.address} gave no complete answer in {self._deadline.seconds:.3g} s",
            "check the network, and raise SOURCE_TIMEOUT_SECONDS if the server is only slow",
            "timeout",
        )

    def _body(self, response: requests.Response) -> bytes:
        parts = []
        for part in response.iter_content(_CHUNK_BYTES):
            if self._is_over:
                raise self._late()
            if not self._allowance.take(len(part)):
                raise too_large(self.address, LARGEST_ANSWERS_BYTES)
            parts.append(part)
        return b"".join(parts)


def _message(body: bytes) -> str:
    """MLflow's own message in an error's body, else the body's text."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    return (
        str(document["message"])
        if isinstance(document, dict) and "message" in document
        else body[:4096].decode("utf-8", "replace")
    )
