"""Why MLflow's database could not be asked, in one sentence with what the reader can do about it: from the
driver's words, and from what is found out after them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg2
from psycopg2 import errorcodes

from live_dashboards.errors import SourceError
from live_dashboards.model.setting_types import scrub
from live_dashboards.sources.mlflow.address import MlflowAddress, host_and_port

_POOLER = "ask who runs the connection pooler (PgBouncer); its log says why"
_CERTIFICATE = (
    "set MLFLOW_DB_SSLROOTCERT to the file of the authority that signed it, name the host as in "
    "the certificate, or choose another MLFLOW_DB_SSLMODE"
)

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
    **dict.fromkeys(
        (errorcodes.UNDEFINED_TABLE, errorcodes.UNDEFINED_COLUMN),
        (
            "MLflow's tables at {where} are not as expected: {said}",
            "run mlflow db upgrade with the version of MLflow that serves them",
            "schema",
        ),
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


@dataclass(frozen=True, slots=True)
class Finding:
    """A failure while connecting: how its text is recognised, and what is said; {where}, {user}, {database}
    and {said} are filled in.
    """

    code: str
    pattern: str
    reason: str
    fix: str


# In the order of how far the attempt came: what is nearest to success is said where several hosts fail
# differently.
FINDINGS = (
    Finding(
        "no_password",
        r"no password supplied",
        "PostgreSQL {where} wants a password for user {user} and none is given",
        "set MLFLOW_DB_PASSWORD (or PGPASSWORD); a password file is ignored if group or world may read it "
        "(chmod 600)",
    ),
    Finding(
        "no_connect_right",
        r"permission denied for database|does not have CONNECT privilege",
        "user {user} may not connect to database {database} at {where}",
        'let the owner run: grant connect on database "{database_name}" to "{user_name}"',
    ),
    Finding(
        "no_database",
        r'database ".*" does not exist|no such database|invalid catalog name',
        "database {database} does not exist at {where}",
        "set MLFLOW_DB_NAME, often mlflow or mlflowdb; psql -l lists the databases",
    ),
    Finding(
        "too_many",
        r"too many (clients|connections)|remaining connection slots|no more connections allowed",
        "PostgreSQL {where} has no free connection for user {user}",
        "try again, or raise the connection limit of the role or of the server",
    ),
    Finding(
        "no_entry",
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        "PostgreSQL {where} does not admit user {user} to database {database} from this machine: {said}",
        "add a line to its pg_hba.conf, or set MLFLOW_DB_SSLMODE=require where it wants encryption",
    ),
    Finding(
        "client_certificate",
        r"client certificate|certificate authentication failed",
        "PostgreSQL {where} lets user {user} in with a client certificate only, and was shown none that it "
        "takes",
        "set MLFLOW_DB_SSLCERT and MLFLOW_DB_SSLKEY to the pair that was made for this user",
    ),
    Finding(
        "auth",
        r"authentication failed|role \".*\" (does not exist|is not permitted to log in)|no such user|SCRAM",
        "PostgreSQL {where} refuses user {user} or its password",
        "check MLFLOW_DB_USER and MLFLOW_DB_PASSWORD (in a URL special characters must be quoted), or "
        "PGPASSWORD and the password file (mode 0600)",
    ),
    Finding(
        "options",
        r"unsupported startup parameter|unrecognized configuration parameter|invalid command-line argument",
        "PostgreSQL {where} refuses a startup option: {said}",
        "take options= out of MLFLOW_DB_URL and unset PGOPTIONS, or set ignore_startup_parameters in the "
        "pooler",
    ),
    Finding(
        "not_ready",
        r"the database system is|not yet " r"accepting",
        "PostgreSQL {where} is starting up or shutting down",
        "try again in a moment",
    ),
    Finding(
        "pooler",
        r"server login has been failing|server_login_retry|query_wait_timeout|cannot connect to "
        r"server|pgbouncer",
        "a pooler answers at {where} but cannot reach PostgreSQL: {said}",
        _POOLER,
    ),
    Finding(
        "wrong_server",
        r"session is (not )?read-only|hot standby",
        "no PostgreSQL at {where} is of the wanted kind: {said}",
        "change target_session_attrs in MLFLOW_DB_URL or PGTARGETSESSIONATTRS",
    ),
    Finding(
        "tls_missing",
        r"server does not support SSL",
        "PostgreSQL {where} offers no TLS, but MLFLOW_DB_SSLMODE wants it",
        "turn on ssl in the server, or set MLFLOW_DB_SSLMODE=prefer",
    ),
    Finding(
        "tls_file",
        r"certificate file|private key file|could not (read|load|open).*(certificate|key)|root "
        r"certificate|has group or world access",
        "a TLS file cannot be used: {said}",
        "check MLFLOW_DB_SSLROOTCERT, MLFLOW_DB_SSLCERT and MLFLOW_DB_SSLKEY",
    ),
    Finding(
        "tls_certificate",
        r"certificate verify failed|does not match host name|alert (unknown ca|bad "
        r"certificate|certificate)|certificate required",
        "the certificate of PostgreSQL {where} is not accepted: {said}",
        _CERTIFICATE,
    ),
    Finding(
        "not_postgresql",
        r"invalid response to (SSL|GSS)|expected authentication request|unexpected (message|response)|lost "
        r"synchronization|invalid .*protocol|wrong version number",
        "{where} answers, but does not speak PostgreSQL",
        "check MLFLOW_DB_PORT; the usual one is 5432",
    ),
    Finding(
        "tls", r"SSL error|sslmode|SSL negotiation", "TLS with PostgreSQL {where} fails: {said}", _CERTIFICATE
    ),
    Finding(
        "cut",
        r"server closed the connection|connection reset|EOF detected|SSL connection has been closed|could "
        r"not receive data|could not send",
        "{where} accepts the connection and closes it at once",
        "check MLFLOW_DB_PORT, the server's log, and any proxy or port-forward between here and it",
    ),
    Finding(
        "timeout",
        r"timeout expired|timed out",
        "no answer from PostgreSQL {where} in {seconds} s",
        "check host and port, firewall, VPN and NetworkPolicy; is this port PostgreSQL?",
    ),
    Finding(
        "unreachable",
        r"no route to host|network is unreachable|network unreachable",
        "there is no way through the network to PostgreSQL {where}",
        "check the address, VPN and routes",
    ),
    Finding(
        "refused",
        r"connection refused|no such file or directory",
        "PostgreSQL {where} refuses the connection",
        "is the server running, is the port right, does it listen on this address (listen_addresses), is a "
        "port-forward needed?",
    ),
    Finding(
        "unknown_host",
        r"could not translate host name|name or service not known|name resolution|nodename nor "
        r"servname|could not parse network address",
        "host name {host} is not found",
        "check its spelling (in Kubernetes name.namespace; a password with @ in a URL can look like a host "
        "too)",
    ),
    Finding(
        "service",
        r"definition of service|service " r"file",
        "the libpq service cannot be used: {said}",
        "check PGSERVICE and its service file",
    ),
    Finding(
        "failed",
        r"",  # whatever else is said
        "PostgreSQL {where} cannot be asked as user {user}: {said}",
        "try the same with psql; the server's log says more",
    ),
)


def finding(said: str) -> Finding:
    """What the driver's text of one attempt means."""
    return next(row for row in FINDINGS if re.search(row.pattern, said, re.IGNORECASE))


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
    nearest = min(attempts.values(), key=FINDINGS.index)
    return SourceError("; ".join(dict.fromkeys(reasons)), nearest.fix.format(**fields), nearest.code)


def asking_failure(
    error: psycopg2.Error, address: MlflowAddress, *, question: str, seconds: float, is_late: bool
) -> SourceError:
    """The error for a question that failed on a connection that stood; `is_late` says that the deadline had
    cut it.
    """
    where, said = address.where, _one_line(scrub(str(error), address.secrets))
    if error.pgcode == errorcodes.QUERY_CANCELED or is_late:
        return SourceError(
            f"PostgreSQL {where} did not answer the question {question!r} in {seconds:.3g} s",
            "raise SOURCE_TIMEOUT_SECONDS, shorten AB_WINDOW, or have the tables analysed (ANALYZE)",
            "statement_timeout",
        )
    if error.pgcode == errorcodes.INSUFFICIENT_PRIVILEGE:
        return no_rights(
            re.findall(r"(?:table|relation|view|schema) " r"(\S+)", said) or [_REQUIRED_TABLES],
            address.user or "the user",
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
    return SourceError(
        f"MLflow's database {address.database!r} at {address.where} holds text that is not UTF-8 "
        f"(question {question!r})",
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
        (
            match["socket"] or host_and_port(match["host"], int(match["port"])),
            match["host"] or "",
            text[match.end() : end],
        )
        for match, end in zip(found, ends, strict=True)
    ]


def _named(name: str, otherwise: str) -> str:
    return repr(name) if name else otherwise


def _one_line(text: str) -> str:
    """The driver's text without its line breaks, repeated lines and the word FATAL, short enough for a
    sentence.
    """
    lines = (re.sub(r"^[A-Z]{4,}:\s+", "", line.strip()) for line in text.splitlines())
    return ", ".join(dict.fromkeys(line.rstrip(".;") for line in lines if line))[:_QUOTED_CHARACTERS]
