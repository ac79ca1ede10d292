"""Serves the application: binds the address, speaks plain HTTP or TLS, and ends what is under way when it is told to stop."""

from __future__ import annotations

import errno
import logging
import socket
import ssl
import sys
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from flask import Flask
from waitress.server import create_server

from live_dashboards.errors import SettingsError
from live_dashboards.settings import Settings
from live_dashboards.web.tls import TlsFront

_THREADS = 12
_BACKLOG = 512
_MOST_CONNECTIONS = 1000
_IDLE_SECONDS = 75

log = logging.getLogger(__name__)


def bound_socket(settings: Settings) -> socket.socket:
    """The listening socket of DASHBOARD_HOST and DASHBOARD_PORT; SettingsError where the address cannot be had."""
    host, port = str(settings["DASHBOARD_HOST"]).strip("[]"), int(settings["DASHBOARD_PORT"])
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (socket.gaierror, UnicodeError):  # a part of a name that is too long for any is a UnicodeError
        raise SettingsError(f"DASHBOARD_HOST is {host!r}, which is no address of this machine; use 127.0.0.1, or 0.0.0.0 for every network") from None
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
        shown = "localhost" if address.is_unspecified or address.is_loopback else f"[{host}]" if address.version == 6 else host
    except ValueError:
        shown = host
    return f"{scheme}://{shown}:{port}{settings['DASHBOARD_PATH_PREFIX'] or ''}/"


def serve(application: Flask, settings: Settings, listening: socket.socket, context: ssl.SSLContext | None, *, on_ready: Callable[[], None]) -> None:
    """Serves until SystemExit or KeyboardInterrupt is raised in this thread (a signal's handler does); what is under way is answered first.

    With a `context` it speaks TLS only.
    """
    wsgi: Any = application
    if context is None:
        _run(wsgi, settings, listening, scheme="http", on_ready=on_ready)
        return
    inner = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
    with TlsFront(listening, inner.getsockname(), context) as front:
        _run(front.named(wsgi), settings, inner, scheme="https", on_ready=on_ready)


def _run(wsgi: Any, settings: Settings, listening: socket.socket, *, scheme: str, on_ready: Callable[[], None]) -> None:
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns of every request that waits for a moment
    server = create_server(
        wsgi,
        sockets=[listening],
        threads=_THREADS,
        url_scheme=scheme,
        url_prefix=settings["DASHBOARD_PATH_PREFIX"] or "",
        connection_limit=_MOST_CONNECTIONS,
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
        log.info("stopping")
    finally:
        server.close()
        sys.stderr.flush()
