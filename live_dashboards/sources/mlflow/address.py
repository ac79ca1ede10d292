"""Where MLflow's PostgreSQL is and how to log in: the settings as keyword arguments of the driver, never as a
URL.

A URL handed to the driver would come back in its error texts, password included.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

import psycopg2
import psycopg2.extensions

from live_dashboards.errors import SettingsError
from live_dashboards.settings import Settings
from live_dashboards.sources.mlflow.questions import require_text

# SQLAlchemy 2.1 means psycopg 3 by `postgresql://`, so people have both drivers in their URLs
_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg")
_HOST = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]*))?")
_QUOTE = (
    "in a URL write @ as %40, : as %3A, / as %2F, # as %23, ? as %3F, % as %25 and a space as %20, or "
    "set MLFLOW_DB_HOST, _USER and _PASSWORD instead"
)
_FORM = "write postgresql://user:password@host:5432/database"
_DEFAULT_PORT = "5432"


@dataclass(frozen=True, slots=True)
class MlflowAddress:
    """The driver's keyword arguments, and the texts that no message may show."""

    keywords: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def hosts(self) -> tuple[tuple[str, int], ...]:
        """Each host (or socket folder) with its port, in the order they are tried."""
        names = self.keywords.get("host", "").split(",")
        ports = self.keywords.get("port", _DEFAULT_PORT).split(",")
        return tuple(
            (name, int(ports[index % len(ports)] or _DEFAULT_PORT)) for index, name in enumerate(names)
        )

    @property
    def where(self) -> str:
        """`host:port` of each host, comma-separated."""
        return ", ".join(host_and_port(host, port) for host, port in self.hosts)

    @property
    def user(self) -> str:
        """The user's name; empty where the driver chooses it."""
        return self.keywords.get("user", "")

    @property
    def database(self) -> str:
        """The database's name: the user's where none is given, as the driver has it."""
        return self.keywords.get("dbname", self.user)


def host_and_port(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host or 'localhost'}:{port}"


def mlflow_address(settings: Settings) -> MlflowAddress:
    """The address that the settings name; SettingsError where it cannot be one."""
    url = settings["MLFLOW_DB_URL"]
    keywords = _from_parts(settings) if url is None else _from_url(url.reveal())
    keywords |= _encryption(settings, keywords)
    for name, text in keywords.items():
        if "\x00" in text:
            raise SettingsError(f"the {name} of MLflow's database holds a NUL character; take it out")
        require_text(f"the {name} of MLflow's database", text)
    _check_ports(keywords)
    hidden = {text for name, text in keywords.items() if name in {"password", "sslpassword"}}
    return MlflowAddress(keywords, tuple({*settings.secrets, *hidden} - {""}))


def _from_parts(settings: Settings) -> dict[str, str]:
    host = str(settings["MLFLOW_DB_HOST"])
    if "://" in host or "@" in host:
        raise SettingsError(
            "MLFLOW_DB_HOST holds a URL or a login; give only the host there, or the whole "
            "URL in MLFLOW_DB_URL"
        )
    hosts = ",".join(part.strip().removeprefix("[").removesuffix("]") for part in host.split(","))
    keywords = {
        "host": hosts,
        "port": settings["MLFLOW_DB_PORT"],
        "dbname": settings["MLFLOW_DB_NAME"],
        "user": settings["MLFLOW_DB_USER"],
    }
    password = settings["MLFLOW_DB_PASSWORD"]
    return keywords if password is None else keywords | {"password": password.reveal()}


def _encryption(settings: Settings, keywords: Mapping[str, str]) -> dict[str, str]:
    """The TLS settings that the user gave; otherwise what the URL says, or the driver's own default."""
    names = {
        "sslmode": "MLFLOW_DB_SSLMODE",
        "sslrootcert": "MLFLOW_DB_SSLROOTCERT",
        "sslcert": "MLFLOW_DB_SSLCERT",
        "sslkey": "MLFLOW_DB_SSLKEY",
    }
    return {
        name: str(settings[setting])
        for name, setting in names.items()
        if setting in settings.given or (settings[setting] is not None and name not in keywords)
    }


def _from_url(url: str) -> dict[str, str]:
    scheme, separator, rest = url.strip().partition("://")
    if not separator or scheme not in _SCHEMES:
        shown = "" if "@" in scheme or not separator else f" {scheme!r}"
        raise SettingsError(f"MLFLOW_DB_URL starts with no scheme that PostgreSQL has{shown}; {_FORM}")
    keywords = _strict(rest) or _lenient(rest)
    if keywords is None:
        raise SettingsError(f"MLFLOW_DB_URL cannot be read; {_FORM}; {_QUOTE}")
    return keywords


def _strict(rest: str) -> dict[str, str] | None:
    """The URL as the standard reads it; None where that gives no host and port, or a login stands where none
    belongs.
    """
    authority, tail = _cut(rest, "/?#")
    path, query = _cut(tail, "?")
    login, _, hosts = authority.rpartition("@")
    options = parse_qsl(query.removeprefix("?"), keep_blank_values=True)
    if "#" in rest or "@" in path or ("@" in query and not all(_is_option(name) for name, _ in options)):
        return None
    return _keywords(login, hosts, path, query)


def _lenient(rest: str) -> dict[str, str] | None:
    """The URL whose password was not quoted: all up to the last @ is the login; None where that cannot be
    read either.
    """
    login, at, tail = rest.rpartition("@")
    hosts, tail = _cut(tail, "/?")
    path, query = _cut(tail, "?")
    return _keywords(login, hosts, path, query) if at else None


def _cut(text: str, marks: str) -> tuple[str, str]:
    """The text before and from the first of the marks."""
    position = next((index for index, character in enumerate(text) if character in marks), len(text))
    return text[:position], text[position:]


def _keywords(login: str, hosts: str, path: str, query: str) -> dict[str, str] | None:
    user, colon, password = login.partition(":")
    matches = [_HOST.fullmatch(part) for part in hosts.split(",")]
    if not all(matches):
        return None
    names = [unquote(match["host"].removeprefix("[").removesuffix("]")) for match in matches if match]
    ports = [match["port"] or _DEFAULT_PORT for match in matches if match]
    found = {
        "host": ",".join(names),
        "port": ",".join(ports),
        "dbname": unquote(path.removeprefix("/")),
        "user": unquote(user),
    }
    if colon:
        found["password"] = unquote(password)
    return {name: text for name, text in found.items() if text} | _options(query)


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query.removeprefix("?"), keep_blank_values=True))
    if options.pop("ssl", "") == "true":
        options["sslmode"] = "require"
    for name in options:
        if not _is_option(name):
            raise SettingsError(
                "MLFLOW_DB_URL has an option that PostgreSQL's client does not know: "
                f"{name[:30]!r}; take it out of the URL; {_QUOTE}"
            )
    return options


def _is_option(name: str) -> bool:
    if not re.fullmatch(r"[a-z_]+", name):
        return False
    try:
        psycopg2.extensions.parse_dsn(f"{name}=''")
    except psycopg2.ProgrammingError:
        return False
    return True


def _check_ports(keywords: Mapping[str, str]) -> None:
    hosts, ports = keywords.get("host", "").split(","), keywords.get("port", _DEFAULT_PORT).split(",")
    if not all(re.fullmatch(r"[0-9]{1,5}", port) and 1 <= int(port) <= 65_535 for port in ports):
        raise SettingsError(
            f"MLflow's database has a port that is not one from 1 to 65535; {_FORM}; {_QUOTE}"
        )
    if len(ports) not in {1, len(hosts)}:
        raise SettingsError(
            f"MLflow's database has {len(hosts)} hosts but {len(ports)} ports; give one "
            "port, or one for each host"
        )
