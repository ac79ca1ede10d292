"""What a browser receives over the line when it opens the page, as a process: PORT. Prints it as JSON; a real chromium counts, headless, and asks nobody else."""

from __future__ import annotations

import json
import sys
from typing import Any

from playwright.sync_api import sync_playwright

_CHROMIUM = "/usr/bin/chromium"
_FLAGS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")


def main(port: int) -> None:
    """Opens the page once, with an empty cache."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_FLAGS))
        page = browser.new_page()
        line, sizes = page.context.new_cdp_session(page), dict[str, int]()
        line.send("Network.enable")
        paths: dict[str, str] = {}
        line.on("Network.responseReceived", lambda event: paths.update({event["requestId"]: event["response"]["url"]}))
        line.on("Network.loadingFinished", lambda event: _add(sizes, paths, event))
        page.goto(f"http://127.0.0.1:{port}/", wait_until="networkidle")
        page.wait_for_selector(".js-plotly-plot .main-svg", timeout=30_000)
        page.wait_for_timeout(500)
        browser.close()
    refresh = max(size for request, size in sizes.items() if "/api/v1/page" in paths[request])
    sys.stdout.write(json.dumps({"requests": len(sizes), "bytes": sum(sizes.values()), "document_bytes": refresh, "largest_bytes": max(sizes.values())}))


def _add(sizes: dict[str, int], paths: dict[str, str], event: dict[str, Any]) -> None:
    if paths.get(event["requestId"], "").startswith("http"):
        sizes[event["requestId"]] = int(event["encodedDataLength"])


main(int(sys.argv[1]))
