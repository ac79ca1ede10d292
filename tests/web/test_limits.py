"""How many connections there may be, and how often the log hears that there is no room."""

import errno
import logging
import sys

import pytest

from live_dashboards.web.connections import Seldom, most_connections


@pytest.mark.parametrize(
    ("files_count", "files_each", "most"),
    [(1024, 3, 298), (1024, 1, 896), (256, 3, 42), (64, 3, 8), (128 + 3 * 1000, 3, 1000), (20_000, 1, 1000), (sys.maxsize, 3, 1000)],
)
def test_files_are_kept_for_the_sources_and_the_rest_is_shared(files_count, files_each, most):
    assert most_connections(files_count, files_each=files_each) == most


def record(words, error=None):
    return logging.LogRecord("waitress", logging.WARNING, "", 0, words, (), (type(error), error, None) if error else None)


def test_no_room_is_told_once_a_minute_and_without_a_traceback():
    now = [0.0]
    seldom, passed = Seldom(lambda: now[0]), []
    for seconds in range(0, 150, 10):
        now[0] = float(seconds)
        full = record("accept() failed", OSError(errno.EMFILE, "Too many open files"))
        overflow = record("total open connections reached the connection limit, no longer accepting new connections")
        passed += [seconds for each in (full, overflow) if seldom.filter(each)]
        assert full.exc_info is None
    assert passed == [0, 60, 120]


def test_everything_else_is_told_as_it_is():
    seldom, other = Seldom(lambda: 0.0), record("an error", OSError(errno.EACCES, "Permission denied"))
    assert [seldom.filter(other), seldom.filter(other)] == [True, True]
    assert other.exc_info is not None
