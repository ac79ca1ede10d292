"""The login as a person meets it: Debian's chromium, light, dark and on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.web.access.listening import listening
from tests.web.access.sites import LOGIN, PASSWORD, site
from tests.web.watched import Watched

LOOKS = [("light", 1200), ("dark", 1200), ("light", 390), ("dark", 390)]


@pytest.fixture
def address() -> Iterator[str]:
    with listening(site(**LOGIN)) as port:
        yield f"http://127.0.0.1:{port}"


def log_in(page: Page, password: str) -> None:
    page.get_by_label("User").fill("dashboard")
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


@pytest.fixture
def open_page(new_page: Callable[..., Page], address: str) -> Iterator[Callable[..., Page]]:
    """`open_page("/who", **look)`: a page that must not ask anybody else, nor complain but of a wrong password, and that this small site has no icon."""
    pages, watched = [], []

    def opened(path: str = "/", **look: Any) -> Page:
        pages.append(new_page(**look))
        watched.append(Watched(pages[-1], int(address.rpartition(":")[2]), {401, 404}))
        pages[-1].goto(f"{address}{path}")
        return pages[-1]

    yield opened
    for page in pages:
        page.close()
    assert [(each.said, each.foreign) for each in watched] == [([], [])] * len(watched)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_the_login_page_is_accessible_asks_nobody_else_and_breaks_no_policy(open_page: Callable[..., Page], scheme: str, width: int) -> None:
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 844})
    log_in(page, "wrong")
    page.get_by_role("alert").wait_for()
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_login_is_refused_and_then_leads_to_the_asked_page(open_page: Callable[..., Page], address: str) -> None:
    page = open_page("/who?window=7d")
    assert page.url == f"{address}/login?next=/who%3Fwindow%3D7d"
    log_in(page, "wrong")
    assert page.get_by_role("alert").text_content() == "This user and password do not match."
    log_in(page, PASSWORD)
    page.wait_for_url(f"{address}/who?window=7d")
    assert "dashboard" in (page.text_content("body") or "")
    assert page.evaluate("document.cookie") == ""
