"""Exits 0 where the web page in this container answers /healthz with the body that only it gives, else 1 with
the reason on stderr.
"""

from __future__ import annotations

import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from http.client import HTTPException

_TIMEOUT_SECONDS = 3.0


def main() -> int:
    """The exit code of the health check."""
    try:
        with urllib.request.urlopen(  # noqa: S310 our own http or https address
            _address(), timeout=_TIMEOUT_SECONDS, context=_any_certificate()
        ) as answer:
            status = json.load(answer)["status"]
    except (OSError, urllib.error.URLError, HTTPException, ValueError, KeyError, TypeError) as error:
        # on one line, whatever the answer holds
        sys.stderr.write(f"the page does not answer: {' '.join(str(error).split())}\n")
        return 1
    if status != "ok":
        sys.stderr.write(f"the page says {status!r}\n")
        return 1
    return 0


def _address() -> str:
    scheme = "https" if os.environ.get("DASHBOARD_TLS_CERT") else "http"
    # as the settings read it
    prefix = "".join(f"/{part}" for part in os.environ.get("DASHBOARD_PATH_PREFIX", "").split("/") if part)
    return f"{scheme}://127.0.0.1:{os.environ.get('DASHBOARD_PORT') or '8050'}{prefix}/healthz"


def _any_certificate() -> ssl.SSLContext:
    """The page's certificate names its host, not loopback, so it is not verified here."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


if __name__ == "__main__":
    sys.exit(main())
