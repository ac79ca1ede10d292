"""One question to the HTTP API of a Prometheus and its whole answer, within a deadline; every failure becomes
a SourceError.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import requests

from live_dashboards.errors import SourceError
from live_dashboards.model.secret import scrub
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.http.allowance import Allowance
from live_dashboards.sources.http.clock import clock_difference_seconds
from live_dashboards.sources.http.endpoint import Endpoint
from live_dashboards.sources.http.failure import cut_failure, network_failure, timeout_failure
from live_dashboards.sources.prometheus.failure import (
    busy_failure,
    format_failure,
    redirect_failure,
    refused_query,
    status_failure,
)
from live_dashboards.sources.prometheus.possible import only_possible
from live_dashboards.sources.prometheus.reply import Reply, parse_document, parse_reply, says_partial

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
    return Question(f"label/{label}/values", _looked_up(selector, start_seconds, end_seconds))


def series_of(selector: str, start_seconds: float, end_seconds: float) -> Question:
    """The labels of the selector's series from start to end, in unix seconds; found in the index, no sample
    is read.
    """
    return Question("series", _looked_up(selector, start_seconds, end_seconds))


def _looked_up(selector: str, start_seconds: float, end_seconds: float) -> dict[str, str]:
    return {"match[]": selector, "start": f"{start_seconds:.3f}", "end": f"{end_seconds:.3f}"}


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
