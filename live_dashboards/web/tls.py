"""TLS in front of the web server: connections are decrypted here and passed on to it over loopback, and it is
told whose they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Self

from live_dashboards.errors import SettingsError
from live_dashboards.settings import Settings
from live_dashboards.web.access.addresses import neighbourhood
from live_dashboards.web.limits import Seldom

_CHUNK_BYTES = 65_536
_HANDSHAKE_SECONDS = 5.0
_RETRY_SECONDS = 1.0
_JOIN_SECONDS = 0.5

log = logging.getLogger(__name__)
log.addFilter(Seldom())

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


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
