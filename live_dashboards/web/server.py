"""Serves the application: binds the address, speaks plain HTTP or TLS, and ends what is under way when it is
told to stop.
"""

from __future__ import annotations

import errno
import logging
import socket
import ssl
import sys
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server
from waitress.task import ThreadedTaskDispatcher

from live_dashboards.errors import SettingsError
from live_dashboards.settings import Settings
from live_dashboards.web.connections import Seldom, TlsFront, allow_many_files, most_connections

_THREADS = 12
_BACKLOG = 512
_IDLE_SECONDS = 75
_END_SECONDS = 4.0
_FILES_OF_A_TLS_CONNECTION = 3  # the browser's, and both ends of the one to the web server
# waitress counts its listening socket and its trigger too, and hears a little later of what the front has
# closed
_SPARE_ENTRIES = 16

log = logging.getLogger(__name__)


def bound_socket(settings: Settings) -> socket.socket:
    """The listening socket of DASHBOARD_HOST and DASHBOARD_PORT; SettingsError where the address cannot be
    had.
    """
    host, port = str(settings["DASHBOARD_HOST"]).strip("[]"), int(settings["DASHBOARD_PORT"])
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError):  # a part of a name that is too long for any is a UnicodeError
        raise SettingsError(
            f"DASHBOARD_HOST is {host!r}, which is no address of this machine; use "
            "127.0.0.1, or 0.0.0.0 for every network"
        ) from None
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(address)
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise SettingsError(_refusal(host, port, error)) from None
    return made


def _refusal(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken by another program; stop it or choose another DASHBOARD_PORT"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights than this user has; choose a DASHBOARD_PORT above 1023"
    return f"{host}:{port} cannot be listened on ({error.strerror}); check DASHBOARD_HOST and DASHBOARD_PORT"


def page_address(settings: Settings, port: int) -> str:
    """Where a browser on this machine finds the page."""
    scheme = "https" if settings["DASHBOARD_TLS_CERT"] is not None else "http"
    host = str(settings["DASHBOARD_HOST"]).strip("[]")
    try:
        address = ip_address(host)
        shown = (
            "localhost"
            if address.is_unspecified or address.is_loopback
            else f"[{host}]"
            if address.version == 6
            else host
        )
    except ValueError:
        shown = host
    return f"{scheme}://{shown}:{port}{settings['DASHBOARD_PATH_PREFIX'] or ''}/"


def serve(
    application: Flask,
    settings: Settings,
    listening: socket.socket,
    context: ssl.SSLContext | None,
    *,
    on_ready: Callable[[], None],
    on_stop: Callable[[], None] = lambda: None,
) -> None:
    """Serves until SystemExit or KeyboardInterrupt is raised in this thread (a signal's handler does); what
    is under way is answered first, within four seconds.

    With a `context` it speaks TLS only. `on_stop` is called before anybody is waited for: it ends what would
    take too long.
    """
    wsgi: Any = application
    files_count = allow_many_files()
    end = End(on_stop)
    if context is None:
        _run(
            wsgi,
            settings,
            listening,
            end,
            scheme="http",
            most=most_connections(files_count, files_each=1),
            on_ready=on_ready,
        )
        return
    inner = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
    most = most_connections(files_count, files_each=_FILES_OF_A_TLS_CONNECTION)
    with TlsFront(listening, inner.getsockname(), context, most=most, stop_seconds=end.left_seconds) as front:
        _run(front.named(wsgi), settings, inner, end, scheme="https", most=most, on_ready=on_ready)


class End:
    """The end of serving: begun once, and due at one moment for all who wait for something."""

    def __init__(self, on_stop: Callable[[], None]) -> None:
        self._on_stop = on_stop
        self._due: float | None = None

    def begin(self) -> None:
        """Tells that it has come."""
        if self._due is None:
            self._due = time.monotonic() + _END_SECONDS
            log.info("stopping")
            self._on_stop()

    def left_seconds(self) -> float:
        """How long one may still wait."""
        return _END_SECONDS if self._due is None else max(self._due - time.monotonic(), 0.0)


class _Dispatcher(ThreadedTaskDispatcher):  # type: ignore[misc]  # waitress has no types
    """waitress' threads, which are not waited for longer than the end allows."""

    def __init__(self, end: End) -> None:
        super().__init__()
        self._end = end
        self.set_thread_count(_THREADS)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:  # noqa: ARG002, FBT001, FBT002 waitress' signature
        """Waits for what is under way."""
        self._end.begin()
        return bool(super().shutdown(cancel_pending, self._end.left_seconds()))


def _run(
    wsgi: Any,
    settings: Settings,
    listening: socket.socket,
    end: End,
    *,
    scheme: str,
    most: int,
    on_ready: Callable[[], None],
) -> None:
    # it warns of every request that waits for a moment
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    logging.getLogger("waitress").addFilter(Seldom())
    sockets: dict[int, Any] = {}
    server = create_server(
        wsgi,
        sockets=[listening],
        map=sockets,
        _dispatcher=_Dispatcher(end),
        url_scheme=scheme,
        url_prefix=settings["DASHBOARD_PATH_PREFIX"] or "",
        connection_limit=most + _SPARE_ENTRIES,
        channel_timeout=_IDLE_SECONDS,
        cleanup_interval=15,
        max_request_body_size=262_144,
        max_request_header_size=32_768,
        ident=None,
        clear_untrusted_proxy_headers=False,
        asyncore_use_poll=True,  # select() would end at 1,024 open files
        expose_tracebacks=False,
    )
    try:
        on_ready()
        server.run()
    except (SystemExit, KeyboardInterrupt):
        end.begin()
    finally:
        _drain(server, sockets, end)
        wasyncore.close_all(sockets)
        sys.stderr.flush()


def _drain(server: Any, sockets: dict[int, Any], end: End) -> None:
    """Sends on what is answered already to those who read slowly."""
    server.accepting = False
    while end.left_seconds() > 0 and any(
        channel.total_outbufs_len for channel in server.active_channels.values()
    ):
        wasyncore.loop(timeout=0.1, use_poll=True, map=sockets, count=1)
