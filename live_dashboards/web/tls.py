"""TLS in front of the web server: connections are decrypted here and passed on to it over loopback, and it is told whose they are."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from typing import Any, Self

from live_dashboards.errors import SettingsError
from live_dashboards.settings import Settings

_CHUNK_BYTES = 65_536
_HANDSHAKE_SECONDS = 5.0
_STOP_SECONDS = 3.0

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """The server's certificate and key, TLS 1.2 and newer; None where none is set, SettingsError where they cannot be used."""
    certificate, key = settings["DASHBOARD_TLS_CERT"], settings["DASHBOARD_TLS_KEY"]
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=_refuse_password)
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"DASHBOARD_TLS_CERT={certificate} and DASHBOARD_TLS_KEY={key} cannot be used: {_reason(error)}; give readable PEM files of one pair"
        ) from None
    return context


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLError):
        return "they do not belong together, or are no PEM files"
    return str(error.strerror) if isinstance(error, OSError) else str(error)


def _refuse_password() -> str:
    raise ValueError("the key is encrypted, and nobody is there to type its password")


class TlsFront:
    """Accepts on one socket and passes on to another address, in an event loop of its own thread: a slow handshake keeps nobody else waiting."""

    def __init__(self, listening: socket.socket, inner: tuple[str, int], context: ssl.SSLContext) -> None:
        self._listening, self._inner, self._context = listening, inner, context
        self._peers: dict[str, tuple[str, int]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tls", daemon=True)
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)

    def named(self, application: Application) -> Application:
        """The application, told the address of the browser instead of ours; whoever comes past the front is refused."""

        def named(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            peer = self._peers.get(str(environ.get("REMOTE_PORT")))
            if peer is None:
                start_response("421 Misdirected Request", [("Content-Type", "text/plain"), ("Content-Length", "0")])
                return []
            return application({**environ, "REMOTE_ADDR": peer[0], "REMOTE_PORT": str(peer[1])}, start_response)

        return named

    async def _start(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, sock=self._listening, ssl=self._context, ssl_handshake_timeout=_HANDSHAKE_SECONDS)

    async def _stop(self) -> None:
        """Accepts nobody more, and lets those who are being answered read on for a moment."""
        assert self._server is not None  # noqa: S101 for the type checker
        self._server.close()
        waiting = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=_STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both ways, until either side closes it or the server ends; asyncio would log that as a mistake."""
        peer = writer.get_extra_info("peername")
        with contextlib.suppress(asyncio.CancelledError):
            if peer is not None:  # else it has left already
                await self._connect(reader, writer, peer[:2])
        writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: tuple[str, int]) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection(*self._inner)
        except OSError:
            writer.transport.abort()
            return
        own_port = str(inner_writer.get_extra_info("sockname")[1])
        self._peers[own_port] = peer
        there, back = asyncio.ensure_future(_pass_on(reader, inner_writer)), asyncio.ensure_future(_pass_on(inner_reader, writer))
        try:
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
            if not (reader.at_eof() or writer.is_closing()):  # else the browser has left, and a write to it may never come back
                await back
        finally:
            there.cancel()
            back.cancel()
            self._peers.pop(own_port, None)
            inner_writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):  # either side may leave at any time
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
