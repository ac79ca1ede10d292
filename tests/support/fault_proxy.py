"""A small TCP proxy on loopback that behaves badly on demand, in front of a real server."""

from __future__ import annotations

import random
import re
import socket
import threading
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Self

from tests.support.waiting import LONGEST_SECONDS

LOOPBACK = "127.0.0.1"
_CHUNK = 65536
_ALONE = frozenset({"hang", "blurt", "http"})  # the behaviours that need no server
_TICK_SECONDS = 0.05
_DATE = re.compile(rb"(?<=\r\n)Date: ([^\r]+)")


@dataclass(frozen=True)
class Behaviour:
    """How answers reach the client: `kind` and its amount or payload."""

    kind: str
    amount: float = 0
    payload: bytes = b""


class FaultProxy:
    """Stands before (host, port) at `host`, `port`; a context manager. Starts by passing everything; the methods switch it at any time.

    A switch holds for new connections and for what open ones still receive.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = LOOPBACK
        self.connections = 0
        self._target = (host, port)
        self._behaviour = Behaviour("pass")
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._open: set[threading.Event] = set()
        self._listener = _bound()
        self.port = int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def pass_through(self) -> None:
        """Behave."""
        self._switch(Behaviour("pass"))

    def refuse(self) -> None:
        """The port is closed."""
        self._switch(Behaviour("refuse"))

    def drop(self) -> None:
        """Close every connection that is open."""
        with self._lock:
            for over in self._open:
                over.set()

    def hang(self) -> None:
        """Accept and listen, never speak."""
        self._switch(Behaviour("hang"))

    def cut(self, after_bytes: int) -> None:
        """Close each connection after that many bytes of answer."""
        self._switch(Behaviour("cut", after_bytes))

    def slow(self, bytes_per_second: float) -> None:
        """Let the answer trickle."""
        self._switch(Behaviour("slow", bytes_per_second))

    def garbage(self) -> None:
        """Answer anything with random bytes (always the same ones), then close."""
        self.blurt(random.Random(7).randbytes(2048))  # noqa: S311 # noise, not a secret

    def blurt(self, payload: bytes) -> None:
        """Answer the first words of anybody with this, then close."""
        self._switch(Behaviour("blurt", payload=payload))

    def shift_date(self, seconds: float) -> None:
        """Pass everything, but for the Date header of HTTP answers, which tells a clock that many seconds ahead."""
        self._switch(Behaviour("date", seconds))

    def http_reply(self, status: int, content_type: str, body: str | bytes, headers: tuple[str, ...] = ()) -> None:
        """Answer any HTTP request with this."""
        content = body.encode() if isinstance(body, str) else body
        head = [f"HTTP/1.1 {status} Answer", f"Content-Type: {content_type}", f"Content-Length: {len(content)}", "Connection: close", *headers, "", ""]
        self._switch(Behaviour("http", payload="\r\n".join(head).encode() + content))

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:  # the first one accepts, and adds no more once it has ended
            thread.join()
        self._listener.close()

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments)  # type: ignore[arg-type]
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _switch(self, behaviour: Behaviour) -> None:
        with self._lock:
            was_closed, is_closed = self._behaviour.kind == "refuse", behaviour.kind == "refuse"
            self._behaviour = behaviour
            if is_closed and not was_closed:
                self._listener.shutdown(socket.SHUT_RDWR)  # no longer listening, but still bound: refuses, and nobody else gets the port
            if was_closed and not is_closed:
                self._listener.listen()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:  # nobody came within a tick, or the port is closed at the moment
                self._stopping.wait(_TICK_SECONDS if self._behaviour.kind == "refuse" else 0)
                continue
            over = threading.Event()
            with self._lock:
                self.connections += 1
                self._open.add(over)
            client.settimeout(_TICK_SECONDS)
            self._start(self._serve, client, over)

    def _serve(self, client: socket.socket, over: threading.Event) -> None:
        with client:
            request = self._answer_alone(client, over) if self._behaviour.kind in _ALONE else b""
            if request is not None:
                self._answer_from_target(client, over, request)
        with self._lock:
            self._open.remove(over)

    def _answer_alone(self, client: socket.socket, over: threading.Event) -> bytes | None:
        """Answer without the server; what was asked so far where it is to answer after all, since nothing that waits here would ever be answered."""
        request = b""
        while not over.is_set() and not self._stopping.is_set():
            data = _receive(client)
            behaviour = self._behaviour
            if data == b"" or behaviour.kind == "refuse":
                return None
            request += data or b""
            if behaviour.kind not in _ALONE:
                return request
            if behaviour.kind == "http" and not _is_whole(request):
                continue
            if behaviour.kind in {"http", "blurt"} and request:
                self._send(client, behaviour.payload)
                return None
        return None

    def _answer_from_target(self, client: socket.socket, over: threading.Event, asked: bytes) -> None:
        try:
            server = socket.create_connection(self._target, timeout=LONGEST_SECONDS)
        except OSError:
            return  # the server behind is down: the client sees its connection closed
        with server:
            server.settimeout(_TICK_SECONDS)
            self._send(server, asked)
            asking = threading.Thread(target=self._pump_questions, args=(client, server, over))
            asking.start()
            self._pump_answers(server, client, over)
            over.set()
            asking.join()

    def _pump_questions(self, client: socket.socket, server: socket.socket, over: threading.Event) -> None:
        while not over.is_set() and not self._stopping.is_set():
            data = _receive(client)
            if data == b"" or (data and not self._send(server, data)):
                over.set()

    def _pump_answers(self, server: socket.socket, client: socket.socket, over: threading.Event) -> None:
        sent = 0
        while not over.is_set() and not self._stopping.is_set():
            data = _receive(server)
            if data == b"":
                return
            if data is None:
                continue
            sent += len(data)
            if not self._forward(data, sent, client, over):
                return

    def _forward(self, data: bytes, sent: int, client: socket.socket, over: threading.Event) -> bool:
        """Hand an answer on as the present behaviour wants; whether the connection goes on."""
        while self._behaviour.kind == "hang" and not self._stopping.is_set():
            if over.wait(_TICK_SECONDS):  # held, and not lost: who waits for the rest would wait for ever
                return False
        behaviour = self._behaviour
        if behaviour.kind in {"refuse", "blurt", "http"}:
            self._send(client, behaviour.payload)
            return False
        if behaviour.kind == "cut" and sent >= behaviour.amount:
            self._send(client, data[: max(0, len(data) - (sent - int(behaviour.amount)))])
            return False
        if behaviour.kind == "slow":
            return self._trickle(data, behaviour.amount, client, over)
        if behaviour.kind == "date":
            data = _DATE.sub(lambda found: _shifted(found[1], behaviour.amount), data)
        return self._send(client, data)

    def _trickle(self, data: bytes, bytes_per_second: float, client: socket.socket, over: threading.Event) -> bool:
        size = max(1, int(bytes_per_second * _TICK_SECONDS))
        for start in range(0, len(data), size):
            if over.wait(size / bytes_per_second) or self._stopping.is_set() or not self._send(client, data[start : start + size]):
                return False
        return True

    def _send(self, target: socket.socket, data: bytes) -> bool:
        """Whether all of it went, however long the other side leaves it waiting."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[target.send(rest) :]
            except TimeoutError:
                if self._stopping.is_set():
                    return False
            except OSError:
                return False
        return True


def _bound() -> socket.socket:
    """A socket bound to a free port that was asked for by number: only such a port stays the socket's own while it does not listen."""
    with socket.create_server((LOOPBACK, 0)) as probe:
        port = probe.getsockname()[1]
    listener = socket.create_server((LOOPBACK, port))
    listener.settimeout(_TICK_SECONDS)
    return listener


def _shifted(date: bytes, seconds: float) -> bytes:
    """A Date header that is that much later."""
    moment = parsedate_to_datetime(date.decode("ascii")) + timedelta(seconds=seconds)
    return b"Date: " + format_datetime(moment, usegmt=True).encode("ascii")


def _receive(source: socket.socket) -> bytes | None:
    """What came; nothing left is b"", nothing yet is None."""
    try:
        return source.recv(_CHUNK)
    except TimeoutError:
        return None
    except OSError:
        return b""


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return bool(end) and len(body) >= int(lengths[0] if lengths else 0)
