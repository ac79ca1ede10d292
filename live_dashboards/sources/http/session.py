"""What is read of a server's response: no more than is allowed, its clock by the Date header, and JSON whose
texts are whole: it can write half a character, which no other text holds and no request can send on.

Sessions whose sockets another thread can shut, so that a call that hangs ends when its time is over; and
the brake that holds back the questions to a server that asks for fewer, until it may be asked again or the
deadline is over.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from live_dashboards.errors import SourceError
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.http.endpoint import Endpoint

_ROUNDING_SECONDS = 0.5  # the header cuts fractions off

_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")  # of a surrogate pair; whole pairs begin alike

# it shows a traceback for a head that was cut; one sentence is said for it here
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)

Watch = Callable[[socket.socket], None]

_FIRST_PAUSE_SECONDS = 0.25  # where the server does not say how long; each further refusal in turn doubles it


class Allowance:
    """The bytes that all answers of one reading may have together, whichever threads read them."""

    def __init__(self, limit_bytes: int) -> None:
        self._lock = threading.Lock()
        self._left_bytes = limit_bytes

    def take(self, count_bytes: int) -> bool:
        """Whether that many more bytes are allowed; once they were not, none are."""
        with self._lock:
            self._left_bytes -= count_bytes
            return self._left_bytes >= 0


def clock_difference_seconds(response: requests.Response) -> float | None:
    """The server's clock minus ours, known to about half a second; None where the answer has no Date, or none
    that a calendar holds.
    """
    sent_at = _moment(response.headers.get("Date", ""))
    half_way = datetime.now(UTC) - response.elapsed / 2
    return None if sent_at is None else (sent_at - half_way).total_seconds() + _ROUNDING_SECONDS


def _moment(text: str) -> datetime | None:
    """The moment in a header; None where it is none, or none that a calendar holds."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_json(body: bytes) -> Any:
    """What a body in UTF-8 holds; ValueError where it is no JSON, too deep, or holds half a character."""
    try:
        found = json.loads(body.decode("utf-8-sig"))  # strictly, as `loads` of bytes lets half a pair in
        if _HALF_PAIR.search(body):
            json.dumps(found, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("JSON of endless depth") from error
    except UnicodeEncodeError as error:
        raise ValueError("JSON with what is no text") from error
    return found


class Sockets:
    """The sockets of one client, as handles of their own: TLS takes over the first handle before its
    handshake is done.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handles: list[socket.socket] = []
        self._is_shut = False

    def watch(self, connection: socket.socket) -> None:
        """Remember a new connection; after `shut` it is shut at once."""
        with self._lock:
            self._handles.append(connection.dup())
            if self._is_shut:
                self._end()

    def shut(self) -> None:
        """End every read and write under way, in whichever thread, and every connection to come, until
        `cut`.
        """
        with self._lock:
            self._is_shut = True
            self._end()

    def interrupt(self) -> None:
        """End every read and write under way, in whichever thread; new connections may be made."""
        with self._lock:
            self._end()

    def cut(self) -> None:
        """End every read and write under way and forget the connections; new ones may be made."""
        with self._lock:
            self._is_shut = False
            self._end()
            for handle in self._handles:
                handle.close()
            self._handles.clear()

    def _end(self) -> None:
        for handle in self._handles:
            try:
                handle.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it has ended by itself


class _Login(AuthBase):
    """Sets the configured Authorization, or none: with any login object in place requests does not look into
    ~/.netrc.
    """

    def __init__(self, authorization: str | None) -> None:
        self._authorization = authorization

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._authorization is not None:
            request.headers["Authorization"] = self._authorization
        return request


class _Session(requests.Session):
    """Follows no redirect and does not look at its target: that may be no address at all, and its body is
    read without a limit.
    """

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 the library's signature
        return None


class _WatchedAdapter(HTTPAdapter):
    """Makes every connection known as soon as it stands, before TLS begins."""

    def __init__(self, watch: Watch) -> None:
        self._pools = _watched_pools(watch)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _watched_pools(watch: Watch) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            watch(connection)
            return connection

    class Encrypted(Plain, HTTPSConnection):
        pass

    plain = type("WatchedPool", (HTTPConnectionPool,), {"ConnectionCls": Plain})
    encrypted = type("WatchedTlsPool", (HTTPSConnectionPool,), {"ConnectionCls": Encrypted})
    return {"http": plain, "https": encrypted}


def new_session(endpoint: Endpoint, sockets: Sockets) -> requests.Session:
    """A session for one thread; the environment's proxies serve all but this machine, ~/.netrc never."""
    session = _Session()
    session.trust_env = not endpoint.is_loopback
    session.auth = _Login(endpoint.authorization)
    session.headers.update(
        {"User-Agent": "live-dashboards", "Accept": "application/json", **endpoint.headers}
    )
    session.cert = endpoint.client_certificate
    for scheme in ("http://", "https://"):
        session.mount(scheme, _WatchedAdapter(sockets.watch))
    return session


class BusyServerError(SourceError):
    """The server wants to be asked later: in `wait_seconds`, None where it does not say."""

    def __init__(self, reason: str, fix: str, code: str, wait_seconds: float | None) -> None:
        super().__init__(reason, fix, code)
        self.wait_seconds = wait_seconds


class Brake:
    """One for all threads that ask a server: what it refuses to one of them holds all of them back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refusal: BusyServerError | None = None
        self._refusals_in_turn = 0
        self._released_at = 0.0  # on the monotonic clock
        self._aborted = threading.Event()

    def hold(self, refusal: BusyServerError) -> None:
        """Ask nothing for as long as the server wants; refusals that come together count as one."""
        now = time.monotonic()
        with self._lock:
            if now >= self._released_at:
                self._refusals_in_turn += 1
            own_seconds = _FIRST_PAUSE_SECONDS * 2 ** (self._refusals_in_turn - 1)
            wanted_seconds = (
                own_seconds
                if refusal.wait_seconds is None
                else max(refusal.wait_seconds, _FIRST_PAUSE_SECONDS)
            )
            self._released_at = max(self._released_at, now + wanted_seconds)
            self._refusal = refusal

    def passed(self) -> None:
        """A question was answered."""
        with self._lock:
            self._refusals_in_turn = 0

    def wait(self, deadline: Deadline) -> None:
        """Until the server may be asked; its refusal is raised, at once, where that is after the deadline."""
        while (left_seconds := self._released_at - time.monotonic()) > 0:
            if self._refusal is not None and (
                left_seconds >= deadline.remaining_seconds or self._aborted.wait(left_seconds)
            ):
                raise self._refusal

    def abort(self) -> None:
        """Let nobody wait any more."""
        self._aborted.set()


def wait_seconds(retry_after: str | None) -> float | None:
    """What a header Retry-After asks for (RFC 9110, 10.2.3): seconds, or until a moment; None where it is not
    there or none of both.
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    moment = _moment(text)
    return None if moment is None else max(0.0, (moment - datetime.now(UTC)).total_seconds())
