"""The configured Prometheus as a client: several questions at a time, all within one deadline from connect to
last byte.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import Self

import requests

from live_dashboards.errors import SourceError
from live_dashboards.model.secret import scrub
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.http.allowance import Allowance
from live_dashboards.sources.http.brake import Brake, BusyError
from live_dashboards.sources.http.endpoint import Endpoint
from live_dashboards.sources.http.failure import timeout_failure
from live_dashboards.sources.http.session import Sockets, new_session
from live_dashboards.sources.prometheus.endpoint import endpoints
from live_dashboards.sources.prometheus.exchange import LARGEST_ANSWERS_BYTES, Question, exchange
from live_dashboards.sources.prometheus.reply import Reply

THREAD_NAME = "prometheus-query"
_WORKERS = 4
# of a question that is refused as one too many: what is refused for ever must not use up the time of those
# that are not
_TRIES = 6
_ARE_YOU_THERE = Question("query", {"query": "vector(1)"})

_Sessions = queue.SimpleQueue[requests.Session]
_Waiting = queue.SimpleQueue[tuple[Question, Future[Reply]]]

log = logging.getLogger(__name__)


class PrometheusClient:
    """The configured Prometheus for one reading; of several URLs the first that answers. A context manager,
    for its connections.
    """

    def __init__(self, settings: Settings) -> None:
        self._endpoints = endpoints(settings)
        self._secrets = self._endpoints[0].secrets if self._endpoints else ()
        self._chosen: Endpoint | None = None
        self._sockets = Sockets()
        self._allowance = Allowance(LARGEST_ANSWERS_BYTES)
        self._idle: _Sessions = queue.SimpleQueue()  # of the URL that is asked now
        self._brake = Brake()  # of the same

    @property
    def address(self) -> str:
        """The URL that answered, else the first one; without user info."""
        return (self._chosen or self._endpoints[0]).url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every idle connection; the client can be used again."""
        while not self._idle.empty():
            self._idle.get().close()
        self._sockets.cut()

    def abort(self) -> None:
        """End every call under way, in whichever thread."""
        self._brake.abort()
        self._sockets.shut()

    def connect(self, deadline: Deadline) -> Reply:
        """The reply of the first URL at which a Prometheus answers, which is asked from now on; SourceError
        where there is none.
        """
        failures = []
        for index, endpoint in enumerate(self._endpoints):
            share = Deadline(deadline.remaining_seconds / (len(self._endpoints) - index))
            self._choose(endpoint)
            outcome = self.ask_all([_ARE_YOU_THERE], share)[0]
            if isinstance(outcome, Reply):
                return outcome
            failures.append(outcome)
            log.info("%s", outcome)
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
        outcome = self.ask_all([question], deadline)[0]
        if isinstance(outcome, SourceError):
            raise outcome
        return outcome

    def ask_all(self, questions: Sequence[Question], deadline: Deadline) -> tuple[Reply | SourceError, ...]:
        """The outcome of each question, in their order. The threads are daemons: what never answers cannot
        keep the process alive.
        """
        endpoint, idle, brake = self._chosen or self._endpoints[0], self._idle, self._brake
        waiting: _Waiting = queue.SimpleQueue()
        answers: list[Future[Reply]] = [Future() for _ in questions]
        for pair in zip(questions, answers, strict=True):
            waiting.put(pair)
        threads = [
            self._start(endpoint, idle, brake, waiting, deadline)
            for _ in range(min(_WORKERS, len(questions)))
        ]
        _, late = wait(answers, timeout=deadline.remaining_seconds)
        if late:
            self._sockets.cut()
        else:
            for thread in threads:
                thread.join()  # it has nothing left to do but to hand its session back
        return tuple(
            timeout_failure(endpoint, deadline.seconds) if answer in late else self._outcome(answer)
            for answer in answers
        )

    def _choose(self, endpoint: Endpoint) -> None:
        """Ask this one from now on. A thread that is late hands its session, with the former URL's login, to
        a queue that nobody reads any more.
        """
        if self._chosen is not endpoint:
            self.close()
            self._idle = queue.SimpleQueue()
            self._brake = Brake()
        self._chosen = endpoint

    def _outcome(self, answer: Future[Reply]) -> Reply | SourceError:
        error = answer.exception()
        if error is None:
            reply = answer.result()
            return (
                replace(reply, warnings=tuple(scrub(text, self._secrets) for text in reply.warnings))
                if reply.warnings
                else reply
            )
        if isinstance(error, SourceError):
            # without its cause, which would show in a traceback
            return SourceError(scrub(error.reason, self._secrets), error.fix, error.code)
        raise error

    def _start(
        self, endpoint: Endpoint, idle: _Sessions, brake: Brake, waiting: _Waiting, deadline: Deadline
    ) -> threading.Thread:
        thread = threading.Thread(
            target=self._work, args=(endpoint, idle, brake, waiting, deadline), name=THREAD_NAME, daemon=True
        )
        thread.start()
        return thread

    def _work(
        self, endpoint: Endpoint, idle: _Sessions, brake: Brake, waiting: _Waiting, deadline: Deadline
    ) -> None:
        session = self._session(endpoint, idle)
        for _ in itertools.count():
            try:
                question, answer = waiting.get_nowait()
            except queue.Empty:
                break
            try:
                answer.set_result(self._reply(session, endpoint, brake, question, deadline))
            except BaseException as error:  # noqa: BLE001 carried to the asking thread and raised there
                answer.set_exception(error)
        idle.put(session)

    def _reply(
        self,
        session: requests.Session,
        endpoint: Endpoint,
        brake: Brake,
        question: Question,
        deadline: Deadline,
    ) -> Reply:
        """The reply; a question that is refused as one too many is asked again, when it may be, as long as
        the deadline lasts.
        """
        for _ in range(_TRIES):
            brake.wait(deadline)
            try:
                reply = exchange(session, endpoint, question, deadline, self._allowance)
            except BusyError as error:
                brake.hold(error)
                refusal = error
            else:
                brake.passed()
                return reply
        raise refusal

    def _session(self, endpoint: Endpoint, idle: _Sessions) -> requests.Session:
        try:
            return idle.get_nowait()
        except queue.Empty:
            return new_session(endpoint, self._sockets)
