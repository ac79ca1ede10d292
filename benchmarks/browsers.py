"""Many browsers at once, as a process: asks one path of a server on loopback over kept-alive connections, and prints what came back as JSON.

It costs little, so that the server gets the machine: plain sockets in one event loop, and of an answer it reads the status and four headers.
`python -m benchmarks.browsers '{"port": 8050, "path": "/api/v1/page", "pace": "closed", "connections": 8, "seconds": 5}'`
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

LOOPBACK = "127.0.0.1"
_CONNECT_AT_ONCE = 50
_LAST_ANSWERS_SECONDS = 15.0
_LATER_SECONDS, _SOONEST_SECONDS = 1.0, 1.0  # as in page.js


@dataclass(frozen=True, slots=True)
class Plan:
    """Who asks what, how often and how long.

    `pace` is `closed` (the next request as soon as the answer is there), `even` (every `every_seconds`, the connections spread over that time) or `page` (as the
    page's own script: a little after the moment that the server names, at most `every_seconds` later, and later by up to the share `spread` of that wait).
    `knows_tag`: a request carries the tag of the page that came last, so that an unchanged one is answered with 304. Requests of the first
    `uncounted_seconds` are not counted.
    """

    port: int
    path: str
    pace: str
    connections: int
    seconds: float
    every_seconds: float = 0.0
    spread: float = 0.0
    knows_tag: bool = False
    uncounted_seconds: float = 0.0


@dataclass(slots=True)
class Told:
    """What all connections saw; `reopened` are connections that the server closed after an answer, `broken` those without the answer."""

    latencies_seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    received_bytes: int = 0
    reopened: int = 0
    broken: int = 0

    def figures(self, seconds: float) -> dict[str, Any]:
        """As JSON; times in seconds."""
        return {
            "requests": len(self.latencies_seconds),
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "per_second": len(self.latencies_seconds) / seconds,
            "bytes": self.received_bytes,
            "reopened": self.reopened,
            "broken": self.broken,
            **{f"p{share}": quantile(self.latencies_seconds, share) for share in (50, 95, 99)},
            "max": max(self.latencies_seconds, default=0.0),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer: its status, its whole length with the head, and the headers that a browser acts on."""

    status: int
    length: int
    etag: bytes
    next_seconds: float
    is_last: bool


def quantile(values: Sequence[float], percent: int) -> float:
    """The smallest of the values that at least so many percent of them do not exceed; 0 without values."""
    ordered = sorted(values)
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)] if ordered else 0.0


def read_head(data: bytes | bytearray) -> Answer | None:
    """The first answer in the data, or None where its head is not whole. ValueError for one whose length is not told."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = bytes(data[:end]).split(b"\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    status = int(first.split(b" ", 2)[1])
    is_empty = status in {204, 304}
    if not is_empty and b"content-length" not in headers:
        raise ValueError("an answer without Content-Length")
    length = end + 4 + (0 if is_empty else int(headers[b"content-length"]))
    is_last = headers.get(b"connection", b"").lower() == b"close"
    return Answer(status, length, headers.get(b"etag", b""), float(headers.get(b"x-next-seconds", b"0")), is_last)


class Browser(asyncio.Protocol):
    """One connection: at most one request under way; the number says which of all it is. One that the server closes is opened again for the next request."""

    def __init__(self, plan: Plan, told: Told, number: int) -> None:
        self._plan, self._told = plan, told
        self._turn = number / plan.connections
        self._head = f"GET {plan.path} HTTP/1.1\r\nHost: {LOOPBACK}:{plan.port}\r\nAccept-Encoding: gzip\r\nX-Viewer: {number:016x}\r\n".encode()
        self._etag = b""
        self._data = bytearray()
        self._transport: asyncio.Transport | None = None
        self._due = self._began = self._counted_from = self._until = 0.0
        self._connecting: asyncio.Task[None] | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def connect(self) -> None:
        """Opens the connection."""
        await asyncio.get_running_loop().create_connection(lambda: self, LOOPBACK, self._plan.port)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps it."""
        self._transport = transport  # type: ignore[assignment] # of a socket that reads and writes

    def begin(self, start: float) -> None:
        """Ask from that moment of the loop's clock on, which is the monotonic one."""
        self._counted_from, self._until = start + self._plan.uncounted_seconds, start + self._plan.seconds
        self._ask_at(start + self._turn * self._plan.every_seconds)

    def _ask_at(self, due: float) -> None:
        self._due = due
        if due >= self._until:
            self._finish()
        else:
            asyncio.get_running_loop().call_at(due, self._ask, due < time.monotonic())

    def _ask(self, is_late: bool) -> None:  # noqa: FBT001 call_at passes no keywords
        """A request that could not leave in time, since the answer before was not there, has waited since it was due."""
        self._began = self._due if is_late else time.monotonic()
        if self._transport is not None:
            self._send()
        else:
            self._told.reopened += 1
            self._connecting = asyncio.create_task(self._connect_and_send())

    async def _connect_and_send(self) -> None:
        await self.connect()
        self._send()

    def _send(self) -> None:
        tag = b"If-None-Match: " + self._etag + b"\r\n" if self._etag and self._plan.knows_tag else b""
        self._transport.write(self._head + tag + b"\r\n")

    def data_received(self, data: bytes) -> None:
        """Counts an answer when it is whole, and thinks of the next request."""
        self._data += data
        answer = read_head(self._data)
        if answer is None or len(self._data) < answer.length:
            return
        del self._data[: answer.length]
        if self._began >= self._counted_from:
            self._told.latencies_seconds.append(time.monotonic() - self._began)
            self._told.statuses[answer.status] += 1
            self._told.received_bytes += answer.length
        self._etag = answer.etag or self._etag
        if answer.is_last:
            self._close()
        self._think(answer)

    def _think(self, answer: Answer) -> None:
        now, plan = time.monotonic(), self._plan
        if plan.pace == "closed":
            self._ask(is_late=False) if now < self._until else self._finish()
        elif plan.pace == "even":
            self._ask_at(self._due + plan.every_seconds)
        else:
            wait = max(_SOONEST_SECONDS, min(answer.next_seconds + _LATER_SECONDS, plan.every_seconds))
            self._ask_at(now + wait * (1 + self._turn * plan.spread))

    def _finish(self) -> None:
        self._close()
        if not self.done.done():
            self.done.set_result(None)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def connection_lost(self, _: Exception | None) -> None:
        """Where it was not us, somebody waits for an answer that will not come."""
        if self._transport is not None:
            self._told.broken += 1
            self._finish()


async def ask_all(plan: Plan) -> dict[str, Any]:
    """The figures of the whole plan, which begins once everybody is connected."""
    told = Told()
    browsers = [Browser(plan, told, number) for number in range(plan.connections)]
    for first in range(0, plan.connections, _CONNECT_AT_ONCE):
        await asyncio.gather(*(browser.connect() for browser in browsers[first : first + _CONNECT_AT_ONCE]))
    start = time.monotonic()
    for browser in browsers:
        browser.begin(start)
    _, late = await asyncio.wait([browser.done for browser in browsers], timeout=plan.seconds + _LAST_ANSWERS_SECONDS)
    told.broken += len(late)
    return told.figures((time.monotonic() - start if plan.pace == "closed" else plan.seconds) - plan.uncounted_seconds)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(ask_all(Plan(**json.loads(sys.argv[1]))))))
