"""The connection test of Prometheus: from the settings to the API, one line a check, each with its fix; the
data's checks follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

from live_dashboards.errors import SourceError
from live_dashboards.model.notices import Check, CheckState
from live_dashboards.model.snapshot import ChosenTest
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.http.endpoint import Endpoint
from live_dashboards.sources.prometheus.client import PROMETHEUS_ITSELF, Engine, endpoints
from live_dashboards.sources.prometheus.data_checks import DATA_CHECKS, PrometheusData, read_data
from live_dashboards.sources.prometheus.source import Discovery, PrometheusAbSource

SETTINGS, HOST, PORT, TLS, LOGIN, API, CLOCK = (
    f"Prometheus {thing}" for thing in ("settings", "host", "port", "TLS", "login", "API", "clock")
)
_LAYERS = (HOST, PORT, TLS, LOGIN, API)
_LAYER_OF_CODE = {
    "unknown_host": HOST,
    "url": HOST,
    "refused": PORT,
    "unreachable": PORT,
    "timeout": PORT,
    "proxy": PORT,
    "cut": PORT,
    "auth": LOGIN,
    "redirect": LOGIN,
}
_CLOCK_LIMIT_SECONDS = 5.0


def prometheus_checks(settings: Settings, at: datetime, test: ChosenTest | None = None) -> Iterator[Check]:
    """Each check as it ends, of the test's series (None: the configured one's); after one that makes the rest
    impossible these are skipped.

    Raises SettingsError for a login that cannot be used.
    """
    if not settings.has_prometheus:
        yield Check(
            SETTINGS,
            CheckState.SKIPPED,
            "Prometheus is not configured",
            "set PROMETHEUS_URL",
            "not_configured",
        )
        return
    known = endpoints(settings)
    yield _look_at_settings(settings, known)
    source, deadline = PrometheusAbSource(settings), Deadline(settings.timeout_seconds)
    try:
        found = source.discover(deadline)
    except SourceError as error:
        yield from _not_reached(error, known[-1])
        return
    finally:
        source.close()
    used = next(endpoint for endpoint in known if endpoint.url == found.address)
    yield from _reached(used, found)
    yield _look_at_clock(found)
    yield from _data(settings, at, test)


def _data(settings: Settings, at: datetime, test: ChosenTest | None) -> Iterator[Check]:
    try:
        data = read_data(settings, at, test)
    except SourceError as error:
        yield Check(DATA_CHECKS[0].name, CheckState.FAILED, error.reason, error.fix, error.code)
        yield from _skipped([check.name for check in DATA_CHECKS[1:]], "the series cannot be read")
        return
    yield from _looks(data)


def _looks(data: PrometheusData) -> Iterator[Check]:
    for number, check in enumerate(DATA_CHECKS):
        found = list(check.look(data))
        yield from found
        if number == 0 and any(line.has_failed for line in found):
            yield from _skipped([later.name for later in DATA_CHECKS[1:]], "there is no A/B data")
            return


def _look_at_settings(settings: Settings, known: tuple[Endpoint, ...]) -> Check:
    found = [name for name in settings.placeholders if name.startswith("PROMETHEUS_")]
    if found:
        return Check(
            SETTINGS,
            CheckState.WARNING,
            f"{', '.join(found)} looks like a placeholder",
            "set the real password, or PROMETHEUS_PASSWORD_FILE",
            "placeholder",
        )
    return Check(
        SETTINGS, CheckState.OK, f"{', '.join(endpoint.url for endpoint in known)}, {_login_name(known[0])}"
    )


def _login_name(endpoint: Endpoint) -> str:
    return (
        f"{endpoint.authorization.partition(' ')[0].lower()} login"
        if endpoint.authorization
        else "without a login"
    )


def _layer(code: str) -> str:
    return TLS if code.startswith("tls") else _LAYER_OF_CODE.get(code, API)


def _not_reached(error: SourceError, endpoint: Endpoint) -> Iterator[Check]:
    """The layers that must have worked, the one that failed, and the rest skipped."""
    failed = _LAYERS.index(_layer(error.code))
    yield from _layers(endpoint, "")[:failed]
    yield Check(_LAYERS[failed], CheckState.FAILED, error.reason, error.fix, error.code)
    rest = [*_LAYERS[failed + 1 :], CLOCK, *(check.name for check in DATA_CHECKS)]
    yield from _skipped(rest, f"{_LAYERS[failed]} failed")


def _reached(endpoint: Endpoint, found: Discovery) -> Iterator[Check]:
    yield from _layers(endpoint, _engine_text(found.engine))


def _engine_text(engine: Engine) -> str:
    name = "" if engine.name == PROMETHEUS_ITSELF else f"{engine.name}, "
    return name + (f"version {engine.version}" if engine.version else "its version is not told")


def _layers(endpoint: Endpoint, version: str) -> tuple[Check, ...]:
    """Every layer as one that works."""
    pieces = urlsplit(endpoint.url)
    is_encrypted = pieces.scheme == "https"
    port = pieces.port or (443 if is_encrypted else 80)
    tls = (
        Check(TLS, CheckState.OK, "encrypted, and the certificate is trusted")
        if is_encrypted
        else Check(TLS, CheckState.SKIPPED, "not used: the URL begins with http://")
    )
    return (
        Check(HOST, CheckState.OK, f"{pieces.hostname} was found"),
        Check(PORT, CheckState.OK, f"{pieces.hostname}:{port} answers"),
        tls,
        Check(LOGIN, CheckState.OK, f"accepted, {_login_name(endpoint)}"),
        Check(API, CheckState.OK, f"Prometheus' API answers at {endpoint.url}, {version}"),
    )


def _look_at_clock(found: Discovery) -> Check:
    seconds = found.clock_difference_seconds
    if seconds is None:
        return Check(CLOCK, CheckState.SKIPPED, "the server does not tell its time")
    if abs(seconds) <= _CLOCK_LIMIT_SECONDS:
        return Check(
            CLOCK, CheckState.OK, f"the server's clock and this one agree to {max(1, round(abs(seconds)))} s"
        )
    way = "ahead of" if seconds > 0 else "behind"
    return Check(
        CLOCK,
        CheckState.WARNING,
        f"the server's clock is {abs(seconds):.0f} s {way} this one",
        "synchronise both clocks (NTP): else the newest minutes are missing",
        "clock",
    )


def _skipped(names: list[str], reason: str) -> Iterator[Check]:
    for name in names:
        yield Check(name, CheckState.SKIPPED, f"not looked at: {reason}", code="skipped")
