"""Two real sources, each behind a proxy."""

from tests.web.conftest import two_tests

__all__ = ["two_tests"]
