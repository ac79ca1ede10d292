"""The configured Prometheus as a client: several questions at a time, all within one deadline from connect to
last byte; where it is and how one logs in there.

Which engine answers is told, since another one that speaks Prometheus' API must not be shown as Prometheus
itself.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from typing import Self

import requests

from live_dashboards.errors import SettingsError, SourceError
from live_dashboards.model.setting_types import scrub
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.http.endpoint import (
    Advice,
    Endpoint,
    sent_secrets,
    settings_login,
    url_login,
    without_user_info,
)
from live_dashboards.sources.http.failure import timeout_failure
from live_dashboards.sources.http.session import Allowance, Brake, BusyServerError, Sockets, new_session
from live_dashboards.sources.prometheus.exchange import LARGEST_ANSWERS_BYTES, Question, exchange
from live_dashboards.sources.prometheus.reply import Outcome, Reply, answered

THREAD_NAME = "prometheus-query"
_WORKERS = 4
# of a question that is refused as one too many: what is refused for ever must not use up the time of those
# that are not
_TRIES = 6
_ARE_YOU_THERE = Question("query", {"query": "vector(1)"})

_Waiting = queue.SimpleQueue[tuple[Question, Future[Reply]]]

log = logging.getLogger(__name__)

# a comma inside a value is not followed by `name:`
_HEADER_END = re.compile(r",\s*(?=[A-Za-z0-9!#$%&'*+.^_`|~-]+\s*:)")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+:[ -~]*")
ADVICE = Advice(
    name="",
    other_code="not_prometheus",
    ca="set PROMETHEUS_CA_BUNDLE to the file of its authority",
    client="set PROMETHEUS_CLIENT_CERT and PROMETHEUS_CLIENT_KEY to a certificate that it accepts",
    tls="check PROMETHEUS_CA_BUNDLE, PROMETHEUS_CLIENT_CERT and PROMETHEUS_CLIENT_KEY",
    url="correct PROMETHEUS_URL, such as http://prometheus-server:9090",
    log="look at the log of Prometheus and of any proxy in between",
)

PROMETHEUS_ITSELF = "Prometheus"
VICTORIA_METRICS = "VictoriaMetrics"
_VERSION_IT_PRETENDS = "2.24.0"  # of Prometheus, for programs that switch features on by it


@dataclass(frozen=True, slots=True)
class _Asked:
    """The URL that is asked, its sessions that have nothing to do, and what holds questions to it back."""

    endpoint: Endpoint
    idle: queue.SimpleQueue[requests.Session] = field(default_factory=queue.SimpleQueue)
    brake: Brake = field(default_factory=Brake)


class PrometheusClient:
    """The configured Prometheus for one reading; of several URLs the first that answers. A context manager,
    for its connections.
    """

    def __init__(self, settings: Settings) -> None:
        self._endpoints = endpoints(settings)
        self._asked = _Asked(self._endpoints[0])
        self._sockets = Sockets()
        self._allowance = Allowance(LARGEST_ANSWERS_BYTES)

    @property
    def address(self) -> str:
        """The URL that answered, else the first one; without user info."""
        return self._asked.endpoint.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every idle connection; the client can be used again."""
        while not self._asked.idle.empty():
            self._asked.idle.get().close()
        self._sockets.cut()

    def abort(self) -> None:
        """End every call under way, in whichever thread."""
        self._asked.brake.abort()
        self._sockets.shut()

    def connect(self, deadline: Deadline) -> Reply:
        """The reply of the first URL at which a Prometheus answers, which is asked from now on; SourceError
        where there is none.
        """
        failures = []
        for index, endpoint in enumerate(self._endpoints):
            share = Deadline(deadline.remaining_seconds / (len(self._endpoints) - index))
            self._choose(endpoint)
            try:
                return self.ask(_ARE_YOU_THERE, share)
            except SourceError as failure:
                failures.append(failure)
                log.info("%s", failure)
        if len(failures) == 1:
            raise failures[0]
        reason = "; ".join(failure.reason for failure in failures)
        raise SourceError(
            f"none of the {len(failures)} URLs in PROMETHEUS_URL answers: {reason}",
            failures[0].fix,
            failures[0].code,
        )

    def ask(self, question: Question, deadline: Deadline) -> Reply:
        """The reply to one question; SourceError where there is none within the deadline."""
        return answered(self.ask_all([question], deadline)[0])

    def ask_all(self, questions: Sequence[Question], deadline: Deadline) -> tuple[Reply | SourceError, ...]:
        """The outcome of each question, in their order. The threads are daemons: what never answers cannot
        keep the process alive.
        """
        asked = self._asked
        waiting: _Waiting = queue.SimpleQueue()
        answers: list[Future[Reply]] = [Future() for _ in questions]
        for pair in zip(questions, answers, strict=True):
            waiting.put(pair)
        threads = [
            threading.Thread(
                target=self._work, args=(asked, waiting, deadline), name=THREAD_NAME, daemon=True
            )
            for _ in range(min(_WORKERS, len(questions)))
        ]
        for thread in threads:
            thread.start()
        _, late = wait(answers, timeout=deadline.remaining_seconds)
        if late:
            self._sockets.cut()
        else:
            for thread in threads:
                thread.join()  # it has nothing left to do but to hand its session back
        return tuple(
            timeout_failure(asked.endpoint, deadline.seconds) if answer in late else self._outcome(answer)
            for answer in answers
        )

    def _choose(self, endpoint: Endpoint) -> None:
        """Ask this one from now on. A thread that is late hands its session, with the former URL's login, to
        a queue that nobody reads any more.
        """
        if self._asked.endpoint is not endpoint:
            self.close()
            self._asked = _Asked(endpoint)

    def _outcome(self, answer: Future[Reply]) -> Reply | SourceError:
        error, secrets = answer.exception(), self._asked.endpoint.secrets
        if error is None:
            reply = answer.result()
            return replace(reply, warnings=tuple(scrub(text, secrets) for text in reply.warnings))
        if isinstance(error, SourceError):
            # without its cause, which would show in a traceback
            return SourceError(scrub(error.reason, secrets), error.fix, error.code)
        raise error

    def _work(self, asked: _Asked, waiting: _Waiting, deadline: Deadline) -> None:
        try:
            session = asked.idle.get_nowait()
        except queue.Empty:
            session = new_session(asked.endpoint, self._sockets)
        while True:
            try:
                question, answer = waiting.get_nowait()
            except queue.Empty:
                break
            try:
                answer.set_result(self._reply(session, asked, question, deadline))
            except BaseException as error:  # noqa: BLE001 carried to the asking thread and raised there
                answer.set_exception(error)
        asked.idle.put(session)

    def _reply(
        self, session: requests.Session, asked: _Asked, question: Question, deadline: Deadline
    ) -> Reply:
        """The reply; a question that is refused as one too many is asked again, when it may be, as long as
        the deadline lasts.
        """
        for _ in range(_TRIES):
            asked.brake.wait(deadline)
            try:
                reply = exchange(session, asked.endpoint, question, deadline, self._allowance)
            except BusyServerError as error:
                asked.brake.hold(error)
                refusal = error
            else:
                asked.brake.passed()
                return reply
        raise refusal


def endpoints(settings: Settings) -> tuple[Endpoint, ...]:
    """Every configured Prometheus in the order in which they are tried; SettingsError where a login or a
    header cannot be used.
    """
    login = settings_login(
        settings,
        username="PROMETHEUS_USERNAME",
        password="PROMETHEUS_PASSWORD",  # noqa: S106 a name
        token="PROMETHEUS_BEARER_TOKEN",  # noqa: S106 a name
    )
    headers, certificate = _headers(settings), _client_certificate(settings)
    urls = settings["PROMETHEUS_URL"] or ()
    logins = [login or url_login(url) for url in urls]
    secrets = (
        *settings.secrets,
        *headers.values(),
        *(secret for each in logins for secret in sent_secrets(each)),
    )
    named = {
        name: settings[name]
        for name in ("PROMETHEUS_CA_BUNDLE", "PROMETHEUS_CLIENT_CERT", "PROMETHEUS_CLIENT_KEY")
        if settings[name] is not None
    }
    return tuple(
        Endpoint(
            without_user_info(url),
            headers,
            each,
            settings["PROMETHEUS_CA_BUNDLE"],
            certificate,
            secrets,
            named,
            ADVICE,
        )
        for url, each in zip(urls, logins, strict=True)
    )


def _headers(settings: Settings) -> dict[str, str]:
    text = settings["PROMETHEUS_HEADERS"]
    lines = _HEADER_END.split(text.reveal().strip()) if text is not None else []
    if not all(_HEADER.fullmatch(line) for line in lines):
        raise SettingsError(
            "PROMETHEUS_HEADERS is ***, but must be comma-separated headers such as X-Scope-OrgID: team"
        )
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _client_certificate(settings: Settings) -> str | tuple[str, str] | None:
    certificate, key = settings["PROMETHEUS_CLIENT_CERT"], settings["PROMETHEUS_CLIENT_KEY"]
    if certificate is None and key is not None:
        raise SettingsError("PROMETHEUS_CLIENT_KEY is set, but PROMETHEUS_CLIENT_CERT is not; set both")
    return certificate if key is None else (certificate, key)


@dataclass(frozen=True, slots=True)
class Engine:
    """Its name, and its own version where it tells one."""

    name: str
    version: str | None = None

    @property
    def title(self) -> str | None:
        """What stands on the page behind the source's name: a bare version is Prometheus' own; None where
        nothing is known.
        """
        return (
            self.version
            if self.name == PROMETHEUS_ITSELF
            else " ".join(filter(None, (self.name, self.version)))
        )


def engine_of(build: Outcome) -> Engine:
    """The engine by what it answers to /api/v1/status/buildinfo; Prometheus of unknown version where it does
    not.

    Grafana Mimir tells its name there (`application`). VictoriaMetrics tells nothing (1.79) or the version
    2.24.0 alone (1.145), neither of which is its own; its servers add a header with their host's name to
    every answer, which by itself proves nothing, as proxies do so as well.
    """
    if not isinstance(build, Reply):
        return Engine(PROMETHEUS_ITSELF)
    facts = build.facts or {}
    if facts.get("application"):
        return Engine(facts["application"], facts.get("version"))
    # Prometheus tells its revision, branch and Go version, too
    if set(facts) <= {"version"} and (build.names_its_host or facts.get("version") == _VERSION_IT_PRETENDS):
        return Engine(VICTORIA_METRICS)
    return Engine(PROMETHEUS_ITSELF, facts.get("version"))
