"""Who is let in, decided once at the start: everybody, who knows the password, or whom a trusted proxy
names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_network

from live_dashboards.errors import SettingsError
from live_dashboards.model.setting_types import Secret
from live_dashboards.settings import Settings
from live_dashboards.web.access.addresses import is_loopback
from live_dashboards.web.access.passwords import is_usable

_HOW_TO_HASH = "set DASHBOARD_PASSWORD_HASH to what `live-dashboards hash-password` prints"


class Mode(Enum):
    """How a visitor is let in."""

    OPEN = "open"
    PASSWORD = "password"  # noqa: S105 the word of the setting
    PROXY = "proxy"


@dataclass(frozen=True, slots=True)
class Policy:
    """Who is let in, and what that is checked against."""

    mode: Mode
    is_loopback_only: bool = False
    username: str = ""
    password_hash: Secret | None = None
    api_token: Secret | None = None
    trusted_proxies: tuple[str, ...] = ()
    user_header: str = "X-Forwarded-User"
    path_prefix: str = ""
    is_tls: bool = False


def policy_of(settings: Settings) -> Policy:
    """The policy of these settings; SettingsError where they would let strangers in without saying so, or
    cannot work.
    """
    mode = _mode(settings)
    return Policy(
        mode=mode,
        is_loopback_only=mode is Mode.OPEN and settings["DASHBOARD_AUTH"] is None,
        username=settings["DASHBOARD_USERNAME"],
        password_hash=settings["DASHBOARD_PASSWORD_HASH"],
        api_token=settings["DASHBOARD_API_TOKEN"],
        trusted_proxies=tuple(settings["DASHBOARD_TRUSTED_PROXIES"] or ()),
        user_header=settings["DASHBOARD_USER_HEADER"],
        path_prefix=settings["DASHBOARD_PATH_PREFIX"] or "",
        is_tls=settings["DASHBOARD_TLS_CERT"] is not None,
    )


def _mode(settings: Settings) -> Mode:
    chosen = settings["DASHBOARD_AUTH"]
    if chosen == "none":
        return Mode.OPEN
    if chosen == "proxy":
        return _proxy(settings)
    if chosen == "password":
        return _password(settings)
    if is_loopback(settings["DASHBOARD_HOST"]):
        return Mode.OPEN
    if settings["DASHBOARD_PASSWORD_HASH"] is None:
        raise SettingsError(
            f"DASHBOARD_HOST is {settings['DASHBOARD_HOST']!r}, where others can reach the page, and no "
            f"login is configured; {_HOW_TO_HASH}, "
            "or set DASHBOARD_AUTH=proxy with DASHBOARD_TRUSTED_PROXIES behind a proxy that asks for the "
            "login, "
            "or DASHBOARD_AUTH=none to let everybody in, or DASHBOARD_HOST=127.0.0.1 to serve this machine "
            "only"
        )
    return _password(settings)


def _password(settings: Settings) -> Mode:
    password_hash = settings["DASHBOARD_PASSWORD_HASH"]
    if password_hash is None:
        raise SettingsError(f"DASHBOARD_AUTH is 'password', but there is no password; {_HOW_TO_HASH}")
    if not is_usable(password_hash.reveal()):
        raise SettingsError(
            f"DASHBOARD_PASSWORD_HASH is ***, against which no password can be checked; {_HOW_TO_HASH}"
        )
    return Mode.PASSWORD


def _proxy(settings: Settings) -> Mode:
    trusted = settings["DASHBOARD_TRUSTED_PROXIES"] or ()
    if not trusted:
        raise SettingsError(
            "DASHBOARD_AUTH is 'proxy', but no proxy is trusted; set "
            "DASHBOARD_TRUSTED_PROXIES "
            "to the proxy's address, such as 10.0.0.5"
        )
    everybody = [network for network in trusted if ip_network(network).prefixlen == 0]
    if everybody:
        raise SettingsError(
            f"DASHBOARD_TRUSTED_PROXIES names {everybody[0]}, so that everybody could "
            "claim to be anybody; name the proxy's address or network"
        )
    return Mode.PROXY
