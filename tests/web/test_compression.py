"""Compression: each content once, however many addresses it has, and no more kept than is allowed."""

import gzip
import random

import flask
import pytest

from live_dashboards.web import app
from live_dashboards.web.app import Compressed, install_compression

SCRIPT = b"let total = 0; " * 1000


def noise(number, count=10_000):
    return random.Random(number).randbytes(count)  # noqa: S311 no secret


@pytest.fixture
def compressed_count(monkeypatch):
    """How often something was really compressed."""
    done = []

    def count(content, *more, **named):
        done.append(content)
        return gzip.compress(content, *more, **named)

    class Counting:
        compress = staticmethod(count)

    monkeypatch.setattr(app, "gzip", Counting)
    return lambda: len(done)


def test_a_script_is_compressed_once_whatever_its_address_says(compressed_count):
    server = flask.Flask(__name__, static_folder=None)
    server.add_url_rule("/assets/<name>", "script", lambda name: flask.Response(SCRIPT, mimetype="text/javascript"))  # noqa: ARG005 Flask hands it in by name
    install_compression(server)
    client = server.test_client()
    for number in range(100):
        answer = client.get(f"/assets/plot.v{number}.js?x={number}", headers={"Accept-Encoding": "gzip"})
        assert gzip.decompress(answer.data) == SCRIPT
    assert compressed_count() == 1


def test_what_is_kept_is_bounded_by_its_bytes_and_the_oldest_makes_room(compressed_count):
    kept = Compressed(most_bytes=35_000)  # three of them
    for number in range(10):
        kept.of(noise(number))
        kept.of(noise(0))
    assert sum(len(body) for body in kept._kept.values()) <= 35_000
    assert compressed_count() == 10
    kept.of(noise(9))
    assert compressed_count() == 10
    kept.of(noise(1))
    assert compressed_count() == 11


def test_what_is_larger_than_all_that_may_be_kept_is_compressed_and_not_kept():
    kept = Compressed(most_bytes=100)
    assert gzip.decompress(kept.of(noise(1))) == noise(1)
    assert len(kept._kept) == 0
