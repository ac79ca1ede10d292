"""A browser, and the web page over real sources that tests can change, cut off and bring back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from live_dashboards.web.access.passwords import generate_password, hash_password
from tests.support.waiting import LONGEST_SECONDS
from tests.web.live_page import LivePage
from tests.web.two_tests import Sources

LONGEST_MS = 1000 * LONGEST_SECONDS

# Nothing but loopback can be reached, nor looked up, whatever the page or the browser itself wants.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS, timeout=LONGEST_MS)
        expect.set_options(timeout=LONGEST_MS)
        yield running
        running.close()


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """`new_page(viewport=..., color_scheme=...)`: a page of a browser that has seen nothing yet, and that waits as long as a busy machine needs."""
    with ExitStack() as open_contexts:

        def made(**context: object) -> Page:
            fresh = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})  # type: ignore[arg-type]
            open_contexts.callback(fresh.close)
            fresh.set_default_timeout(LONGEST_MS)
            return fresh.new_page()

        yield made


@pytest.fixture
def live_page(two_tests: Callable[[], Sources], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., LivePage]]:
    """`live_page(DASHBOARD_X=...)`: the web page of fresh sources, as a process of its own."""
    with ExitStack() as running:
        yield lambda **settings: running.enter_context(LivePage(two_tests(), tmp_path_factory.mktemp("page"), settings))


@pytest.fixture(scope="session")
def steady_page(two_tests: Callable[[], Sources], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePage]:
    """One page for all tests that only look at it: nothing is drawn anew while they do."""
    with LivePage(two_tests(), tmp_path_factory.mktemp("steady"), {"DASHBOARD_REFRESH_INTERVAL": "600"}) as page:
        page.wait("readyz")
        yield page


@pytest.fixture(scope="session")
def password_hash() -> tuple[str, str]:
    """A password and its hash."""
    password = generate_password()
    return password, hash_password(password)
