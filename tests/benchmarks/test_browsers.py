"""The load generator counts every answer once, and only whole ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from types import SimpleNamespace

import pytest

from benchmarks.browsers import Plan, ask_all, quantile, read_head

WHOLE = b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: "a"\r\nX-Next-Seconds: 2.5\r\n\r\nhello'
UNCHANGED = b"HTTP/1.1 304 NOT MODIFIED\r\nConnection: close\r\n\r\n"


def served(answer: Callable[[bytes], bytes], **plan: object) -> tuple[dict, int]:
    """The figures of a plan against a server that answers so, and how many requests that server got."""
    asked = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                asked += 1
                content = answer(request)
                for part in (content[:20], content[20:]):  # an answer may come in pieces
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0)
                if b"Connection: close" in content:
                    break
        except asyncio.IncompleteReadError:
            pass
        writer.close()

    async def run() -> dict:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            return await ask_all(Plan(server.sockets[0].getsockname()[1], "/", **plan))

    with ThreadPoolExecutor(1) as apart:  # a browser of other tests keeps a loop in this thread
        return apart.submit(asyncio.run, run()).result(), asked


@pytest.fixture
def counted_clock(monkeypatch):
    """A clock of the browsers by which a millisecond has passed each time that they look."""
    looks = count()
    monkeypatch.setattr("benchmarks.browsers.time", SimpleNamespace(monotonic=lambda: next(looks) / 1000))


@pytest.mark.usefixtures("counted_clock")
def test_every_request_is_counted_with_its_status_and_its_bytes():
    figures, asked = served(lambda _: WHOLE, pace="closed", connections=3, seconds=0.1)
    assert figures["requests"] == asked == figures["statuses"]["200"] > 3
    assert figures["bytes"] == asked * len(WHOLE)
    assert figures["reopened"] == figures["broken"] == 0


def test_an_even_pace_asks_as_often_as_the_plan_says():
    figures, asked = served(lambda _: WHOLE, pace="even", connections=4, seconds=0.19, every_seconds=0.1)
    assert figures["requests"] == asked == 8


def test_a_connection_that_the_server_closes_after_an_answer_is_opened_again():
    figures, asked = served(
        lambda request: UNCHANGED if b'If-None-Match: "a"' in request else WHOLE, pace="even", connections=1, seconds=0.19, every_seconds=0.05, knows_tag=True
    )
    assert figures["statuses"] == {"200": 1, "304": 3}
    assert (asked, figures["reopened"], figures["broken"]) == (4, 2, 0)


def test_a_connection_that_ends_within_an_answer_is_broken():
    figures, _ = served(lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhalf", pace="closed", connections=2, seconds=0.1)
    assert (figures["requests"], figures["broken"]) == (0, 2)


def test_a_head_that_is_not_whole_is_no_answer_yet():
    assert read_head(WHOLE[:30]) is None
    answer = read_head(WHOLE)
    assert answer is not None
    assert (answer.status, answer.length, answer.etag, answer.next_seconds, answer.is_last) == (200, len(WHOLE), b'"a"', 2.5, False)


def test_a_quantile_is_one_of_the_values():
    assert [quantile(range(1, 101), percent) for percent in (50, 95, 99)] == [50, 95, 99]
    assert (quantile([7.0], 95), quantile([], 95)) == (7.0, 0.0)
