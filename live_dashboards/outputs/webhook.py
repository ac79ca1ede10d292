"""What a notification says of a run (badge, verdict and headline numbers of each picture, and where it can be
seen), and its delivery to a Slack-compatible webhook, whose URL is a secret and shows in nothing that is
said.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import urllib3
from urllib3 import exceptions as wire
from urllib3.util import Retry, Timeout, make_headers

from live_dashboards.model.business_case import BusinessReport
from live_dashboards.model.dashboards import DASHBOARD_TITLES
from live_dashboards.model.names import escaped
from live_dashboards.model.number import NOTHING, format_number
from live_dashboards.model.report import Report
from live_dashboards.outputs.run_line import Written, wrong_with

_LONGEST_NAME = 100
_HEADLINES = (
    ("baseline_accuracy", "baseline"),
    ("enhanced_accuracy", "challenger"),
    ("total_requests_24h", "requests in 24 h"),
    ("avg_response_time_ms", "mean latency"),
    ("error_rate", "error rate"),
)

_THREAD = "notification"
_CONNECT_SECONDS = 1.1  # of which four, with the pauses between them, end before all is given up
_ANSWER_SECONDS = 5.0
_ALL_SECONDS = 6.0
_TRIES_AGAIN = 3
_PASSING = frozenset({429, 500, 502, 503, 504})
_UNSURE = "it may have arrived all the same"


def notice_text(written: Sequence[Written], *, required: str, public_url: str | None, folder: Path) -> str:
    """A paragraph a picture in Slack's text, where `&`, `<` and `>` stand for themselves; pictures below
    `folder` are linked below the public URL.
    """
    return "\n".join(_paragraph(each, required, link(each.image, public_url, folder)) for each in written)


def link(image: Path, public_url: str | None, folder: Path) -> str:
    """Where the picture can be seen; the public URL itself where the picture lies elsewhere than in the
    folder, nothing without one.
    """
    if public_url is None:
        return ""
    place, root = image.absolute(), folder.absolute()
    return (
        f"{public_url}/{quote(place.relative_to(root).as_posix())}"
        if place.is_relative_to(root)
        else public_url
    )


def _paragraph(each: Written, required: str, address: str) -> str:
    report = each.report
    of = f" of {_name(report.experiment)}" if report.experiment else ""
    words = f"{report.badge.kind.value}: {DASHBOARD_TITLES[report.dashboard]}{of}: {report.conclusion}"
    wrong = tuple(wrong_with(each, required))
    lines = (
        words,
        _business(report) if isinstance(report, BusinessReport) else _ab(report),
        f"wrong: {', '.join(wrong)}" if wrong else "",
        address,
    )
    return "\n".join(escape(line, quote=False) for line in lines if line)


def _ab(report: Report) -> str:
    headline = dict(report.headline)
    return ", ".join(
        f"{label} {format_number(headline[key].value, headline[key].unit)}"
        for key, label in _HEADLINES
        if key in headline
    )


def _business(report: BusinessReport) -> str:
    return ", ".join(
        f"{label} {value or NOTHING}" + (f" ({beside})" if beside else "")
        for label, value, beside in report.headline_words
    )


def _name(text: str) -> str:
    """The name on one line and not endless."""
    return escaped(text[:_LONGEST_NAME]) + ("…" if len(text) > _LONGEST_NAME else "")


def deliver(url: str, text: str) -> str | None:
    """Posts the text within a few seconds in all; why the receiver did not confirm it, None where it did.

    It is posted again where there was no connection, or the answer was a passing trouble. Where no answer
    came it is not, since it may have arrived. Redirects are not followed: nobody but the receiver gets the
    text.
    """
    outcome: list[str | None] = []
    _keep_quiet()
    thread = threading.Thread(target=lambda: outcome.append(_post(url, text)), name=_THREAD, daemon=True)
    thread.start()
    thread.join(_ALL_SECONDS)
    return outcome[0] if outcome else f"the receiver did not take it within {_ALL_SECONDS:g} s; {_UNSURE}"


def _post(url: str, text: str) -> str | None:
    retries = Retry(
        total=_TRIES_AGAIN,
        read=0,
        other=0,
        redirect=0,
        status_forcelist=_PASSING,
        allowed_methods=None,
        backoff_factor=0.2,
        raise_on_status=False,
    )
    timeout = Timeout(connect=_CONNECT_SECONDS, read=_ANSWER_SECONDS)
    try:
        with urllib3.PoolManager() as pool:
            answer = pool.request(
                "POST",
                url,
                json={"text": text},
                headers=_headers(url),
                retries=retries,
                redirect=False,
                timeout=timeout,
                preload_content=False,
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
    login = (
        make_headers(basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}")
        if parts.username
        else {}
    )
    return {"Content-Type": "application/json", **login}


def _reason(error: Exception | None) -> str:
    """In words of our own, as the library's hold the URL."""
    if isinstance(error, wire.NameResolutionError):
        return "the receiver's name is not known"
    if isinstance(error, wire.NewConnectionError):
        return "the receiver refuses the connection or cannot be reached"
    if isinstance(error, wire.ConnectTimeoutError):
        return "no connection to the receiver was made in time"
    if isinstance(error, wire.TimeoutError):
        return f"the receiver gave no answer within {_ANSWER_SECONDS:g} s; {_UNSURE}"
    if isinstance(error, wire.SSLError):
        return "the receiver's certificate is not trusted"
    return f"the connection to the receiver broke ({type(error).__name__}); {_UNSURE}"


def _keep_quiet() -> None:
    """urllib3 writes the URL's path into its own log lines."""
    for name in ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_is_elsewhere)


def _is_elsewhere(record: logging.LogRecord) -> bool:
    return record.threadName != _THREAD
