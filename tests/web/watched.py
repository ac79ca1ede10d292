"""What a browser's page said and asked, for tests that want it to keep quiet and to ask nobody else."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from urllib.parse import urlsplit

from playwright.sync_api import Page


class Watched:
    """What a page said and asked that it should not have; that an answer has one of the `refusals`' codes may be said."""

    def __init__(self, page: Page, own_port: int, refusals: AbstractSet[int] = frozenset()) -> None:
        self.said: list[str] = []
        self.foreign: list[str] = []
        page.on("console", lambda message: self.said.append(message.text) if message.type in {"error", "warning"} and _code(message.text) not in refusals else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.foreign.append(request.url) if not _is_own(request.url, own_port) else None)


def _code(words: str) -> int | None:
    """The code of the answer of which the browser complains."""
    found = re.fullmatch(r"Failed to load resource: the server responded with a status of (\d{3}) \(.*\)", words)
    return int(found[1]) if found else None


def _is_own(url: str, port: int) -> bool:
    return url.startswith(("data:", "blob:")) or urlsplit(url).netloc in {f"127.0.0.1:{port}", f"localhost:{port}"}
