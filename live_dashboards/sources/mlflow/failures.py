"""What PostgreSQL's driver says when something fails, as one clear sentence with its fix and without any
secret.

Failures while connecting are told apart by their text (see mlflow_findings), failed questions by their
SQLSTATE.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import psycopg2
from psycopg2 import errorcodes

from live_dashboards.errors import SourceError
from live_dashboards.model.secret import scrub
from live_dashboards.sources.mlflow.address import MlflowAddress, host_and_port
from live_dashboards.sources.mlflow.findings import finding, rank

_ATTEMPT = re.compile(
    r'connection to server (?:at "(?P<host>[^"]*)"(?: \([^)]*\))?, port '
    r'(?P<port>[0-9]+)|on socket "(?P<socket>[^"]*)") failed: '
)
_QUOTED_CHARACTERS = 200
_REQUIRED_TABLES = "experiments, runs, metrics, latest_metrics, params, tags"
_BY_CODE = {
    errorcodes.NUMERIC_VALUE_OUT_OF_RANGE: (
        "a value in MLflow's tables is too large for the question {question!r}: {said}",
        "look for infinite values in metrics",
        "overflow",
    ),
    errorcodes.SERIALIZATION_FAILURE: (  # of what only reads, a standby's alone
        "the standby at {where} ended the question {question!r} for a change of its primary",
        (
            "ask again; where it happens often, raise max_standby_streaming_delay there or set "
            "hot_standby_feedback=on"
        ),
        "standby",
    ),
}


def connecting_failure(error: Exception, address: MlflowAddress, *, seconds: float) -> SourceError:
    """The error for a connection that did not come about, naming each host once."""
    attempts = {
        (where, host, _one_line(scrub(said, address.secrets))): finding(said)
        for where, host, said in _attempts(str(error), address)
    }
    fields = {
        "user": _named(address.user, "of the operating system"),
        "user_name": address.user,
        "database": _named(address.database, "of that name"),
        "database_name": address.database,
    }
    reasons = [
        found.reason.format(where=where, host=repr(host), said=said, seconds=f"{seconds:.3g}", **fields)
        for (where, host, said), found in attempts.items()
    ]
    nearest = min(attempts.values(), key=rank)
    return SourceError("; ".join(dict.fromkeys(reasons)), nearest.fix.format(**fields), nearest.code)


def silence(address: MlflowAddress, *, seconds: float) -> SourceError:
    """The error for a connection that is neither made nor refused by the deadline."""
    return connecting_failure(TimeoutError("timeout expired"), address, seconds=seconds)


def asking_failure(
    error: psycopg2.Error, address: MlflowAddress, *, question: str, seconds: float, is_late: bool
) -> SourceError:
    """The error for a question that failed on a connection that stood; `is_late` says that the deadline had
    cut it.
    """
    where, said = address.where, _one_line(scrub(str(error), address.secrets))
    if error.pgcode == errorcodes.QUERY_CANCELED or is_late:
        found = f"PostgreSQL {where} did not answer the question {question!r} in {seconds:.3g} s"
        return SourceError(
            found,
            "raise SOURCE_TIMEOUT_SECONDS, shorten AB_WINDOW, or have the tables analysed (ANALYZE)",
            "statement_timeout",
        )
    if error.pgcode == errorcodes.INSUFFICIENT_PRIVILEGE:
        return no_rights(
            re.findall(r"(?:table|relation|view|schema) " r"(\S+)", said) or [_REQUIRED_TABLES],
            address.user or "the user",
        )
    if error.pgcode in {errorcodes.UNDEFINED_TABLE, errorcodes.UNDEFINED_COLUMN}:
        return SourceError(
            f"MLflow's tables at {where} are not as expected: {said}",
            "run mlflow db upgrade with the version of MLflow that serves them",
            "schema",
        )
    if error.pgcode in _BY_CODE:
        reason, fix, code = _BY_CODE[error.pgcode]
        return SourceError(reason.format(question=question, where=where, said=said), fix, code)
    if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError) and (error.pgcode or "08")[
        :2
    ] in {"08", "57"}:
        return SourceError(
            f"PostgreSQL {where} closed the connection during the question {question!r}",
            "see the server's log; is there a proxy or port-forward that ends connections?",
            "cut",
        )
    return SourceError(
        f"PostgreSQL {where} could not answer the question {question!r}: {said}",
        "the server's log says more",
        "query",
    )


def unreadable_text(address: MlflowAddress, question: str) -> SourceError:
    """The error for text that the database hands out in no known encoding."""
    found = (
        f"MLflow's database {address.database!r} at {address.where} holds text that is not UTF-8 "
        f"(question {question!r})"
    )
    return SourceError(
        found,
        "rename what was written in another encoding, or move to a database made with encoding UTF8",
        "encoding",
    )


def no_rights(tables: Iterable[str], user: str) -> SourceError:
    """The error for tables that the user may not read, with the statements that let it."""
    names = ", ".join(tables)
    quoted = '"' + user.replace('"', '""') + '"'
    return SourceError(
        f"connected, but user {user!r} may not read {names}",
        f"let the owner run: grant usage on schema public to {quoted}; grant select on {names} to {quoted};",
        "rights",
    )


def _attempts(text: str, address: MlflowAddress) -> list[tuple[str, str, str]]:
    """(host:port, host, what the driver said) of each attempt in the driver's text; all hosts together where
    it names none.
    """
    found = list(_ATTEMPT.finditer(text))
    if not found:
        return [(address.where, ", ".join(host for host, _ in address.hosts), text)]
    ends = [*(match.start() for match in found[1:]), len(text)]
    return [
        (_place(match), match["host"] or "", text[match.end() : end])
        for match, end in zip(found, ends, strict=True)
    ]


def _place(attempt: re.Match[str]) -> str:
    return attempt["socket"] or host_and_port(attempt["host"], int(attempt["port"]))


def _named(name: str, otherwise: str) -> str:
    return repr(name) if name else otherwise


def _one_line(text: str) -> str:
    """The driver's text without its line breaks, repeated lines and the word FATAL, short enough for a
    sentence.
    """
    lines = (re.sub(r"^[A-Z]{4,}:\s+", "", line.strip()) for line in text.splitlines())
    return ", ".join(dict.fromkeys(line.rstrip(".;") for line in lines if line))[:_QUOTED_CHARACTERS]
