"""One question to the HTTP API of a Prometheus and its whole answer, within a deadline; every failure becomes
a SourceError: in one sentence why an answer is none of Prometheus', with what to do.

The questions of a reading that failed while others were answered are told in a line for each reason, since
what they ask for is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import requests

from live_dashboards.errors import SourceError
from live_dashboards.model.names import listed
from live_dashboards.model.notices import QUESTIONS_FAILED
from live_dashboards.model.setting_types import scrub
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.http.endpoint import Endpoint
from live_dashboards.sources.http.failure import (
    cut_failure,
    excerpt,
    network_failure,
    redirect_target,
    timeout_failure,
)
from live_dashboards.sources.http.session import (
    Allowance,
    BusyServerError,
    clock_difference_seconds,
    wait_seconds,
)
from live_dashboards.sources.prometheus.reply import (
    Outcome,
    Reply,
    only_possible,
    parse_document,
    parse_reply,
    says_partial,
)

# of all answers of a reading together: four threads read at a time, and a failure keeps what it had read
LARGEST_ANSWERS_BYTES = 64 * 1024 * 1024
# of the time left: the server's own word that a query is too slow tells more than silence
_SERVER_SHARE = 0.9
_CHUNK_BYTES = 64 * 1024
_LONGEST_ERROR = 1_000
_QUOTED_BYTES = 16 * 1024  # far more than is shown of it, so that no secret is cut in two before it is found
# without it VictoriaMetrics moves the moments to multiples of the step, so that blocks would begin before
# their test
_AT_THESE_MOMENTS = {"nocache": "1"}

_METRIC = re.compile(r"([A-Za-z_:][\w:]*)[{\[]")
_METRICS_SHOWN = 4

# one question failed, the server is fine
QUERY_CODES = frozenset({"bad_query", "query_timeout", "too_many_samples"})


@dataclass(frozen=True, slots=True)
class Question:
    """One request to the API: a path below /api/v1/ and its parameters; queries are posted, so that no proxy
    cuts them at 8 KB.

    `unit` is that of the values, which tells what they cannot be; empty where any number can. `keeps_name`:
    each series has its metric's name as a label. `is_optional`: not every engine answers it, and none has to.
    """

    path: str
    parameters: Mapping[str, str]
    unit: str = ""
    keeps_name: bool = False
    is_optional: bool = False

    @property
    def is_query(self) -> bool:
        """Whether it evaluates PromQL."""
        return self.path in {"query", "query_range"}


def instant(promql: str, at_seconds: float, unit: str = "", *, keeps_name: bool = False) -> Question:
    """The PromQL at a moment, in unix seconds."""
    return Question("query", {"query": promql, "time": f"{at_seconds:.3f}"}, unit, keeps_name)


def over_time(
    promql: str, start_seconds: float, end_seconds: float, step_seconds: float, unit: str = ""
) -> Question:
    """The PromQL at every step from start to end, in unix seconds."""
    span = {"start": f"{start_seconds:.3f}", "end": f"{end_seconds:.3f}", "step": f"{step_seconds:g}"}
    return Question("query_range", {"query": promql, **span, **_AT_THESE_MOMENTS}, unit)


def values_of(label: str, selector: str, start_seconds: float, end_seconds: float) -> Question:
    """The values of a label that the selector's series have from start to end, in unix seconds; found in the
    index, no sample is read.
    """
    return looked_up(f"label/{label}/values", selector, start_seconds, end_seconds)


def looked_up(path: str, selector: str, start_seconds: float, end_seconds: float) -> Question:
    """The names (path: labels) or the labels (series) of the selector's series from start to end, in unix
    seconds; found in the index, no sample is read.
    """
    span = {"start": f"{start_seconds:.3f}", "end": f"{end_seconds:.3f}"}
    return Question(path, {"match[]": selector, **span})


def exchange(
    session: requests.Session,
    endpoint: Endpoint,
    question: Question,
    deadline: Deadline,
    allowance: Allowance,
) -> Reply:
    """Send one question and read its whole answer, within what is allowed of all answers; every failure
    becomes a SourceError.
    """
    endpoint.require_files()
    try:
        with _send(session, endpoint, question, deadline) as response:
            body = _read(response, endpoint, deadline, allowance)
    except (requests.RequestException, OSError) as error:
        raise network_failure(error, endpoint, deadline.seconds) from error
    return _understand(response, body, question, endpoint)


def _send(
    session: requests.Session, endpoint: Endpoint, question: Question, deadline: Deadline
) -> requests.Response:
    left_seconds = deadline.remaining_seconds
    if left_seconds <= 0:
        raise timeout_failure(endpoint, deadline.seconds)
    own_limit = {"timeout": f"{_SERVER_SHARE * left_seconds:.3f}"} if question.is_query else {}
    parameters = dict(question.parameters) | own_limit
    return session.request(
        "POST" if question.is_query else "GET",
        f"{endpoint.url}/api/v1/{question.path}",
        data=parameters if question.is_query else None,
        params=None if question.is_query else parameters,
        timeout=left_seconds,
        verify=endpoint.ca_bundle or True,
        allow_redirects=False,
        stream=True,
    )


def _read(response: requests.Response, endpoint: Endpoint, deadline: Deadline, allowance: Allowance) -> bytes:
    parts = []
    for part in response.iter_content(_CHUNK_BYTES):
        if deadline.remaining_seconds <= 0:
            raise timeout_failure(endpoint, deadline.seconds)
        if not allowance.take(len(part)):
            limit = f"{LARGEST_ANSWERS_BYTES // 1024 // 1024} MB"
            raise SourceError(
                f"the answers of {endpoint.url} are together larger than {limit}",
                "choose a shorter --window, or aggregate more in the query",
                "too_large",
            )
        parts.append(part)
    return b"".join(parts)


def _understand(response: requests.Response, body: bytes, question: Question, endpoint: Endpoint) -> Reply:
    """The reply in an answer, or the SourceError that it stands for."""
    if response.is_redirect or 300 <= response.status_code < 400:
        raise redirect_failure(response, endpoint.url)
    if not body and response.status_code == requests.codes.ok:
        raise cut_failure(endpoint)
    if _is_busy(response):
        raise busy_failure(
            response.status_code, _said(body, endpoint), response.headers.get("Retry-After"), endpoint.url
        )
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not content_type.endswith("json"):
        if response.status_code != requests.codes.ok:
            raise status_failure(response.status_code, _text(body, endpoint), endpoint.url)
        raise format_failure(endpoint.url, content_type or "an unnamed format")
    try:
        document = parse_document(body)
        if document.get("status") == "error" or response.status_code != requests.codes.ok:
            raise _refusal(response.status_code, document, question, endpoint)
        is_partial = question.is_query and says_partial(document)
        reply = only_possible(parse_reply(document, keeps_name=question.keeps_name), question.unit)
    except ValueError as error:
        raise format_failure(
            endpoint.url,
            "JSON that is damaged" if isinstance(error, UnicodeDecodeError) else str(error).partition(":")[0],
        ) from error
    return replace(
        reply,
        clock_difference_seconds=clock_difference_seconds(response),
        names_its_host="X-Server-Hostname" in response.headers,
        is_partial=is_partial,
    )


def _is_busy(response: requests.Response) -> bool:
    """Whether the same question may be answered later: 429 says so, 503 where it says when."""
    return response.status_code == requests.codes.too_many_requests or (
        response.status_code == requests.codes.unavailable and "Retry-After" in response.headers
    )


def _said(body: bytes, endpoint: Endpoint) -> str:
    """The words of an error document, or of the body itself."""
    try:
        return scrub(str(parse_document(body).get("error", "")), endpoint.secrets)[:_LONGEST_ERROR]
    except ValueError:
        return _text(body, endpoint)


def _text(body: bytes, endpoint: Endpoint) -> str:
    return scrub(body[:_QUOTED_BYTES].decode("utf-8", "replace"), endpoint.secrets)


def _refusal(
    status: int, document: Mapping[str, object], question: Question, endpoint: Endpoint
) -> SourceError:
    if "error" not in document and "errorType" not in document:
        return status_failure(status, "", endpoint.url)
    text = scrub(str(document.get("error", "")), endpoint.secrets)[:_LONGEST_ERROR]
    return refused_query(
        status,
        str(document.get("errorType", "")),
        text,
        question.parameters.get("query", question.path),
        endpoint.url,
    )


Ask = Callable[[list[Question]], tuple[Outcome, ...]]


@dataclass(frozen=True, slots=True)
class Failure:
    """Questions that failed for one reason: what is said of them, that reason, and what to do about it."""

    found: str
    reason: str
    fix: str

    def __str__(self) -> str:
        return f"{self.found}; {self.fix}" if self.fix else self.found


class FailedQuestions:
    """Asks as `ask` does, and keeps what failed."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._asked_count = 0
        self._failed: dict[tuple[str, str], list[Question]] = {}  # by reason and remedy
        self.is_partial = False  # whether any answer lacked what some store holds

    def ask(self, questions: list[Question]) -> tuple[Outcome, ...]:
        """The outcome of each question, in their order."""
        outcomes = self._ask(questions)
        self._asked_count += len(outcomes)
        for question, outcome in zip(questions, outcomes, strict=True):
            if isinstance(outcome, SourceError) and not question.is_optional:
                self._failed.setdefault((outcome.reason, outcome.fix), []).append(question)
            self.is_partial |= isinstance(outcome, Reply) and outcome.is_partial
        return outcomes

    def failures(self) -> tuple[Failure, ...]:
        """One for each reason: how many, about which metrics, why, and what to do."""
        return tuple(
            Failure(
                f"{len(questions)} of {self._asked_count} {QUESTIONS_FAILED} (about "
                f"{_about(questions)}): {reason}",
                reason,
                fix,
            )
            for (reason, fix), questions in self._failed.items()
        )


def _about(questions: list[Question]) -> str:
    names = tuple(dict.fromkeys(name for question in questions for name in _names(question)))
    return listed(names, _METRICS_SHOWN)


def _names(question: Question) -> list[str]:
    text = question.parameters.get("query", question.path)
    return _METRIC.findall(text) or [excerpt(text)]


def redirect_failure(response: requests.Response, address: str) -> SourceError:
    """A redirect: followed, a POST would arrive without its query, and headers might go to a stranger."""
    fix = (
        "if that is a login page, set PROMETHEUS_BEARER_TOKEN or PROMETHEUS_USERNAME; else set "
        "PROMETHEUS_URL to the final address"
    )
    return SourceError(
        f"{address} redirects to {redirect_target(response)} instead of answering", fix, "redirect"
    )


def format_failure(address: str, what: str) -> SourceError:
    """An answer of status 200 that is not Prometheus'."""
    fix = "a login page or a proxy answers there: set the token or the login, or correct PROMETHEUS_URL"
    return SourceError(f"{address} answers with {what} instead of Prometheus' JSON", fix, "not_prometheus")


def busy_failure(status: int, text: str, retry_after: str | None, address: str) -> BusyServerError:
    """A server, or a proxy before it, that wants fewer questions at a time."""
    said = f": {excerpt(text)}" if text else ""
    fix = (
        "raise the limit there, ask less often, or raise SOURCE_TIMEOUT_SECONDS so that there is time to "
        "ask again"
    )
    return BusyServerError(
        f"{address} or a proxy refuses too many requests (status {status}){said}",
        fix,
        "limit",
        wait_seconds(retry_after),
    )


def refused_query(status: int, kind: str, text: str, query: str, address: str) -> SourceError:
    """An error document of Prometheus itself."""
    said = text.lower()
    if kind in {"timeout", "canceled"} or "deadline exceeded" in said or "timed out" in said:
        return SourceError(
            f"a query took {address} too long ({text})",
            "choose a shorter --window or raise SOURCE_TIMEOUT_SECONDS",
            "query_timeout",
        )
    if "too many samples" in said or "exceeded maximum" in said or "limit" in said:
        return SourceError(
            f"a query is too large for {address}: {text}",
            f"choose a shorter --window; the query was {query}",
            "too_many_samples",
        )
    if status in {401, 403}:
        return status_failure(status, "", address)
    if status >= 500:
        return SourceError(
            f"{address} failed with status {status}: {text}", "look at the log of Prometheus", "server_error"
        )
    return SourceError(f"{address} refused a query: {text}", f"the query was {query}", "bad_query")


def status_failure(status: int, text: str, address: str) -> SourceError:
    """A status that stands for itself, with a body that is no document of Prometheus."""
    if "HTTPS server" in text and status not in _LOGIN:
        return SourceError(
            f"{address} speaks https, not http", f"use https{address.removeprefix('http')}", "tls_scheme"
        )
    for statuses, reason, fix, code in _OF_STATUS:
        if status in statuses:
            told = {"address": address, "status": status}
            return SourceError(reason.format(**told), fix.format(**told), code)
    return SourceError(
        f"{address} answers with status {status}: {excerpt(text)}",
        "check that PROMETHEUS_URL is the address of a Prometheus",
        "http_error",
    )


_LOGIN = frozenset({401, 403, 407})
_OF_STATUS = (  # what is said of it, what to do, and the code
    (
        _LOGIN,
        "{address} wants a login, or refuses ours (status {status})",
        (
            "set PROMETHEUS_USERNAME and PROMETHEUS_PASSWORD, or PROMETHEUS_BEARER_TOKEN, or a tenant in "
            "PROMETHEUS_HEADERS (X-Scope-OrgID: team)"
        ),
        "auth",
    ),
    (
        frozenset({404, 405}),
        "{address} answers, but the Prometheus API is not there (status {status})",
        "PROMETHEUS_URL may need a path prefix: try {address}/prometheus or {address}/prom",
        "not_found",
    ),
    (
        frozenset({413, 414}),
        "{address} or a proxy refuses a query that is too long for it (status {status})",
        "raise the limit of the proxy in between",
        "limit",
    ),
    (
        frozenset({503}),
        "{address} is not ready (status {status}); it may be replaying its log",
        (
            "wait until Prometheus is ready (after a start it replays its log), or start it, if a proxy "
            "answers in its place"
        ),
        "not_ready",
    ),
    (
        frozenset({502, 504}),
        "a proxy answers at {address}, but cannot reach Prometheus (status {status})",
        "start Prometheus, or mend the proxy",
        "proxy_backend",
    ),
)
