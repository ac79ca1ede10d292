"""Delivers a notification to a Slack-compatible webhook; its URL is a secret and shows in nothing that is said."""

from __future__ import annotations

import logging
import threading
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3 import exceptions as wire
from urllib3.util import Retry, Timeout, make_headers

_THREAD = "notification"
_TRY_SECONDS = 2.0
_ALL_SECONDS = 6.0
_TRIES_AGAIN = 3
_PASSING = frozenset({429, 500, 502, 503, 504})


def deliver(url: str, text: str) -> str | None:
    """Posts the text, again where the receiver is in trouble, within a few seconds in all; why it was not taken, None where it was.

    Redirects are not followed: nobody but the receiver gets the text.
    """
    outcome: list[str | None] = []
    _keep_quiet()
    thread = threading.Thread(target=lambda: outcome.append(_post(url, text)), name=_THREAD, daemon=True)
    thread.start()
    thread.join(_ALL_SECONDS)
    return outcome[0] if outcome else f"the receiver did not take it within {_ALL_SECONDS:g} s"


def _post(url: str, text: str) -> str | None:
    retries = Retry(total=_TRIES_AGAIN, redirect=0, status_forcelist=_PASSING, allowed_methods=None, backoff_factor=0.2, raise_on_status=False)
    try:
        with urllib3.PoolManager() as pool:
            answer = pool.request(
                "POST", url, json={"text": text}, headers=_headers(url), retries=retries, redirect=False, timeout=Timeout(total=_TRY_SECONDS), preload_content=False
            )
            answer.close()
    except wire.MaxRetryError as error:
        return _reason(error.reason)
    except Exception as error:  # noqa: BLE001 whatever it is, the picture is there, and a traceback would show the URL
        return _reason(error)
    if 300 <= answer.status < 400:
        return f"the receiver answered {answer.status}, a redirect, which is not followed"
    return None if answer.status < 300 else f"the receiver answered {answer.status}"


def _headers(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    login = make_headers(basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}") if parts.username else {}
    return {"Content-Type": "application/json", **login}


def _reason(error: Exception | None) -> str:
    """In words of our own, as the library's hold the URL."""
    if isinstance(error, wire.NameResolutionError):
        return "the receiver's name is not known"
    if isinstance(error, wire.NewConnectionError):
        return "the receiver refuses the connection or cannot be reached"
    if isinstance(error, wire.TimeoutError):
        return "the receiver gave no answer in time"
    if isinstance(error, wire.SSLError):
        return "the receiver's certificate is not trusted"
    return f"the connection to the receiver broke ({type(error).__name__})"


def _keep_quiet() -> None:
    """urllib3 writes the URL's path into its own log lines."""
    for name in ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_is_elsewhere)


def _is_elsewhere(record: logging.LogRecord) -> bool:
    return record.threadName != _THREAD
