"""Where an HTTP server is and how one logs in there: a URL's user info becomes a login, so no address that is
shown can hold a secret.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from live_dashboards.errors import SettingsError, SourceError
from live_dashboards.settings import Settings


@dataclass(frozen=True, slots=True)
class Advice:
    """What a failure says of one kind of server.

    Its `name` before the address (`MLflow's server `, or nothing), the code of an answer that is none of it,
    and what to do about its authority (`ca`), our certificate (`client`), TLS in general, the address, and an
    answer that breaks off (`log`).
    """

    name: str
    other_code: str
    ca: str
    client: str
    tls: str
    url: str
    log: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One base URL without user info, and what goes along with every request to it; `files` are its
    certificate files by the name of their setting.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    authorization: str | None = field(repr=False)
    ca_bundle: str | None
    client_certificate: str | tuple[str, str] | None
    secrets: tuple[str, ...] = field(repr=False)
    files: Mapping[str, str]
    advice: Advice = field(repr=False)

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine, so that no proxy must be asked."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")

    def require_files(self) -> None:
        """SourceError where a certificate file cannot be read: the library would raise an OSError that names
        none.
        """
        for name, path in self.files.items():
            problem = _unreadable(path)
            if problem is not None:
                raise SourceError(
                    f"{name} names {path}: {problem}", "give the path of a readable file", "tls_files"
                )


def _unreadable(path: str) -> str | None:
    if not os.path.exists(path):  # noqa: PTH110 a bare name is relative to the current folder, as libpq has it
        return "there is no such file"
    return None if os.access(path, os.R_OK) else "this account may not read it"


def without_user_info(url: str) -> str:
    """The URL as it may be shown."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def url_login(url: str) -> str | None:
    """The Authorization that the URL's user info stands for."""
    pieces = urlsplit(url)
    return _basic(unquote(pieces.username), unquote(pieces.password or "")) if pieces.username else None


def settings_login(settings: Settings, *, username: str, password: str, token: str) -> str | None:
    """The Authorization of the settings with these names; SettingsError where they are two logins, half of
    one, or no header.
    """
    user, secret, bearer = settings[username], settings[password], settings[token]
    if bearer is not None and (user is not None or secret is not None):
        raise SettingsError(f"both {token} and {username} or {password} are set; keep one login")
    if bearer is not None:
        if not re.fullmatch(r"[!-~]+", bearer.reveal()):
            raise SettingsError(
                f"{token} is ***, but must be one word of ASCII characters; copy it "
                "without quotes, spaces and line ends"
            )
        return f"Bearer {bearer.reveal()}"
    if secret is not None and user is None:
        raise SettingsError(f"{password} is set, but {username} is not; set both")
    return None if user is None else _basic(user, secret.reveal() if secret is not None else "")


def sent_secrets(authorization: str | None) -> tuple[str, ...]:
    """What the header sends: base64 hides nothing, and a gateway's error page may repeat it."""
    return (authorization.partition(" ")[2],) if authorization else ()


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
