"""The login as a person meets it: Debian's chromium, light, dark and on a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.web.access.listening import listening
from tests.web.access.sites import LOGIN, PASSWORD, site

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
LOOKS = [("light", 1200), ("dark", 1200), ("light", 390), ("dark", 390)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def address() -> Iterator[str]:
    with listening(site(**LOGIN)) as port:
        yield f"http://127.0.0.1:{port}"


def log_in(page: Page, password: str) -> None:
    page.get_by_label("User").fill("dashboard")
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_the_login_page_is_accessible_asks_nobody_else_and_breaks_no_policy(browser: Browser, address: str, scheme: str, width: int) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 844})  # type: ignore[arg-type]
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    assert (said, [url for url in asked if not url.startswith(address)]) == ([], [])
    log_in(page, "wrong")
    page.get_by_role("alert").wait_for()
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.close()


def test_the_login_is_refused_and_then_leads_to_the_asked_page(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/who?window=7d")
    assert page.url == f"{address}/login?next=/who%3Fwindow%3D7d"
    log_in(page, "wrong")
    assert page.get_by_role("alert").text_content() == "This user and password do not match."
    log_in(page, PASSWORD)
    page.wait_for_url(f"{address}/who?window=7d")
    assert "dashboard" in (page.text_content("body") or "")
    assert page.evaluate("document.cookie") == ""
    page.close()
