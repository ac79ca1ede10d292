"""Connections to the page: TLS in front of the web server, decrypted here and passed on to it over loopback,
and it is told whose they are; and how many there may be by the files that this process may open, and how
often it is told that there is no room left.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import resource
import socket
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Self

from live_dashboards.errors import SettingsError
from live_dashboards.settings import Settings
from live_dashboards.web.access.addresses import neighbourhood

_CHUNK_BYTES = 65_536
_HANDSHAKE_SECONDS = 5.0
_RETRY_SECONDS = 1.0
_JOIN_SECONDS = 0.5

log = logging.getLogger(__name__)
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

_RESERVED_FILES = 128  # for the sources, the pictures, the log and what libraries open
_LEAST_CONNECTIONS = 8
_MOST_CONNECTIONS = 1000
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_OVERFLOW_WORDS = "connection limit"
_QUIET_SECONDS = 60.0


class Seldom(logging.Filter):
    """Lets a warning that there is no room for another connection pass once a minute, in one line; everything
    else passes as it is.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock, self._quiet_until = clock, float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written, without its traceback where it is of that kind."""
        error = record.exc_info[1] if record.exc_info else None
        if not is_no_room(error) and _OVERFLOW_WORDS not in record.getMessage():
            return True
        record.exc_info = record.exc_text = None
        now = self._clock()
        if now < self._quiet_until:
            return False
        self._quiet_until = now + _QUIET_SECONDS
        return True


def is_no_room(error: BaseException | None) -> bool:
    """Whether the machine or this process has no more files or memory for a connection."""
    return isinstance(error, OSError) and error.errno in _NO_ROOM


log.addFilter(Seldom())


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """The server's certificate and key, TLS 1.2 and newer; None where none is set, SettingsError where they
    cannot be used.
    """
    certificate, key = settings["DASHBOARD_TLS_CERT"], settings["DASHBOARD_TLS_KEY"]
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=_refuse_password)
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"DASHBOARD_TLS_CERT={certificate} and DASHBOARD_TLS_KEY={key} cannot be used: "
            f"{_reason(error)}; give readable PEM files of one pair"
        ) from None
    return context


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLError):
        return "they do not belong together, or are no PEM files"
    return str(error.strerror) if isinstance(error, OSError) else str(error)


def _refuse_password() -> str:
    raise ValueError("the key is encrypted, and nobody is there to type its password")


class TlsFront:
    """Accepts on one socket and passes on to another address, in an event loop of its own thread: a slow
    handshake keeps nobody else waiting.
    """

    def __init__(
        self,
        listening: socket.socket,
        inner: tuple[str, int],
        context: ssl.SSLContext,
        *,
        most: int,
        stop_seconds: Callable[[], float],
    ) -> None:
        self._listening, self._inner, self._context = listening, inner, context
        self._most, self._stop_seconds = most, stop_seconds
        self._peers: dict[str, tuple[str, int]] = {}
        # each connection and its client's address; the one that was silent longest comes first
        self._open: dict[asyncio.Task[None], str] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tls", daemon=True)
        self._accepting: Future[None] | None = None

    def __enter__(self) -> Self:
        self._listening.setblocking(False)
        self._thread.start()
        self._accepting = asyncio.run_coroutine_threadsafe(self._accept(), self._loop)
        return self

    def __exit__(self, *_: object) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_JOIN_SECONDS)

    def named(self, application: Application) -> Application:
        """The application, told the address of the browser instead of ours; whoever comes past the front is
        refused.
        """

        def named(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            peer = self._peers.get(str(environ.get("REMOTE_PORT")))
            if peer is None:
                start_response(
                    "421 Misdirected Request", [("Content-Type", "text/plain"), ("Content-Length", "0")]
                )
                return []
            return application(
                {**environ, "REMOTE_ADDR": peer[0], "REMOTE_PORT": str(peer[1])}, start_response
            )

        return named

    async def _accept(self) -> None:
        """Takes connections on; where there are as many as may be, one of the client that has the most makes
        room: who only holds them locks nobody out.
        """
        while True:
            try:
                connection, address = await self._loop.sock_accept(self._listening)
            except ConnectionAbortedError:  # it has left already
                continue
            except OSError as error:
                log.warning("no connection can be taken on (%s)", error.strerror, exc_info=error)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            if len(self._open) >= self._most:
                await self._make_room()
            task = self._loop.create_task(self._serve(connection, (str(address[0]), int(address[1]))))
            self._open[task] = neighbourhood(str(address[0]))
            task.add_done_callback(self._closed)

    async def _make_room(self) -> None:
        log.warning(
            "the connection limit of %d is reached; the longest silent ones of the client with the "
            "most are closed",
            self._most,
        )
        (client, _), *_ = Counter(self._open.values()).most_common(1)
        oldest = next(task for task, each in self._open.items() if each == client)
        oldest.cancel()
        await asyncio.wait({oldest})

    def _closed(self, task: asyncio.Task[None]) -> None:
        self._open.pop(task, None)

    def _seen(self, task: asyncio.Task[None]) -> None:
        """The connection is not silent: it moves to the end."""
        if task in self._open:
            self._open[task] = self._open.pop(task)

    async def _stop(self) -> None:
        """Lets those who are being answered read on for a moment; nobody more is accepted by now."""
        if self._open:
            _, late = await asyncio.wait(self._open, timeout=self._stop_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _serve(self, connection: socket.socket, peer: tuple[str, int]) -> None:
        """One connection, both ways, until either side closes it, it has to make room, or the server ends."""
        reader = asyncio.StreamReader(loop=self._loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=self._loop)
        try:
            transport, _ = await self._loop.connect_accepted_socket(
                lambda: protocol, connection, ssl=self._context, ssl_handshake_timeout=_HANDSHAKE_SECONDS
            )
        except OSError:  # no TLS, none that we take, or too slow
            return
        writer = asyncio.StreamWriter(transport, protocol, reader, self._loop)
        try:
            await self._connect(reader, writer, peer)
            writer.close()
            await writer.wait_closed()
        except OSError:
            pass  # it has left
        finally:
            # of Python before 3.11.3, once it is closed, there is nothing left that could be
            with contextlib.suppress(AttributeError):
                transport.abort()

    async def _connect(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: tuple[str, int]
    ) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(*self._inner)
        own_port = str(inner_writer.get_extra_info("sockname")[1])
        self._peers[own_port] = peer
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 for the type checker
        there = asyncio.ensure_future(_pass_on(reader, inner_writer, lambda: self._seen(task)))
        back = asyncio.ensure_future(_pass_on(inner_reader, writer, lambda: self._seen(task)))
        try:
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
            # else the browser has left, and a write to it may never come back
            if not (reader.at_eof() or writer.is_closing()):
                await back
        finally:
            there.cancel()
            back.cancel()
            self._peers.pop(own_port, None)
            inner_writer.close()


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Callable[[], None]
) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):  # either side may leave at any time
        while data := await reader.read(_CHUNK_BYTES):
            seen()
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


def allow_many_files() -> int:
    """Lets the process open as many files as its user may, and tells how many these are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):  # some systems have a lower limit of their own beside it
        hard = soft
    return sys.maxsize if hard == resource.RLIM_INFINITY else hard


def most_connections(files_count: int, *, files_each: int) -> int:
    """How many connections there may be at once, where each needs so many files."""
    return min(max((files_count - _RESERVED_FILES) // files_each, _LEAST_CONNECTIONS), _MOST_CONNECTIONS)
