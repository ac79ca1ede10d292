"""What one process asked, for all: with several processes or replicas the answer of the sources is shared
through Redis, and one of them asks, under a lock.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import threading
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from live_dashboards import __version__
from live_dashboards.errors import SettingsError, UsageError
from live_dashboards.model.codec import decode, encode
from live_dashboards.model.setting_types import Secret
from live_dashboards.model.snapshot import ChosenTest, Snapshot, SourceState
from live_dashboards.settings import Settings
from live_dashboards.settings.digest import question_digest, secrets_digest

Fetch = Callable[[Settings, ChosenTest | None], Snapshot]

_FRESH_SHARE = 0.9  # of an interval: whoever is due next asks anew
_REDIS_SECONDS = 1.0
_READ_SECONDS = 2.0  # for the whole of a stored answer, in however small pieces it comes
_LARGEST_STORED_BYTES = 8 * 1024 * 1024
_LARGEST_ANSWER_BYTES = 64 * 1024 * 1024
_MOST_FETCHES = 3.0  # times the deadline of a source: how long one process may hold the lock

log = logging.getLogger(__name__)


def shared(fetch: Fetch, settings: Settings) -> Fetch:
    """The fetch that looks into DASHBOARD_CACHE_URL first; the fetch itself where none is set. SettingsError
    where redis is not installed or the URL is none.
    """
    url: Secret | None = settings["DASHBOARD_CACHE_URL"]
    if url is None:
        return fetch
    try:
        import redis
    except ImportError:
        raise SettingsError(
            "DASHBOARD_CACHE_URL is set, but the package redis is not installed; run "
            "scripts/setup-live-dashboards.sh, or pip install redis"
        ) from None
    try:
        client = redis.Redis.from_url(
            url.reveal(), socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS
        )
    except ValueError:
        raise SettingsError(
            "DASHBOARD_CACHE_URL is ***, which is no Redis URL; write it as redis://:password@host:6379/0"
        ) from None
    return _Shared(fetch, client, redis.RedisError, settings)


class _Shared:
    """A fetch over Redis. Where Redis does not answer, each process asks for itself: nothing is lost but the
    sharing.
    """

    def __init__(self, fetch: Fetch, client: Any, redis_error: type[Exception], settings: Settings) -> None:
        self._fetch, self._client, self._error = fetch, client, redis_error
        self._interval_seconds, self._lock_seconds = (
            float(settings["DASHBOARD_REFRESH_INTERVAL"]),
            _MOST_FETCHES * settings.timeout_seconds,
        )
        self.secrets_digest = secrets_digest(settings)

    def __call__(self, settings: Settings, known_test: ChosenTest | None = None) -> Snapshot:
        key = _key(settings, self.secrets_digest)
        with contextlib.ExitStack() as held:
            try:
                found = self._stored(key) or self._waited_for(key, held)
            except self._error as error:
                log.warning("Redis: %s; this process asks the sources itself", type(error).__name__)
                return self._fetch(settings, known_test)
            return found or self._asked(key, settings, known_test)

    def _stored(self, key: str) -> Snapshot | None:
        with self._in_time():
            # one byte more than is read: of a larger value no more comes over the wire
            content = self._client.getrange(key, 0, _LARGEST_STORED_BYTES)
        return _fresh(content, self._interval_seconds) if content else None

    def _waited_for(self, key: str, held: contextlib.ExitStack) -> Snapshot | None:
        """What another process is answered meanwhile; None where it is this one's turn, under a lock that
        ends by itself should the process die.
        """
        lock = self._client.lock(
            f"{key}:lock", timeout=self._lock_seconds, blocking_timeout=self._lock_seconds
        )
        if lock.acquire():
            held.callback(self._release, lock)
        return self._stored(key)

    def _asked(self, key: str, settings: Settings, known_test: ChosenTest | None) -> Snapshot:
        """What the sources answer now; a failure is not shared, since it may be this process's own."""
        fetched = self._fetch(settings, known_test)
        if SourceState.FAILED not in {fetched.mlflow.status.state, fetched.prometheus.status.state}:
            with self._told("the answer is not shared"):
                self._client.set(key, _packed(fetched), px=round(self._interval_seconds * 1000))
        return fetched

    def _release(self, lock: Any) -> None:
        with self._told("the lock ends by itself"):
            lock.release()

    @contextlib.contextmanager
    def _in_time(self) -> Iterator[None]:
        """Ends what trickles in: the socket's own limit is for each piece. Other threads that wait for Redis
        then ask the sources themselves.
        """
        is_over = threading.Event()

        def end() -> None:
            is_over.set()
            self._client.connection_pool.disconnect()

        ending = threading.Timer(_READ_SECONDS, end)
        ending.daemon = True
        ending.start()
        try:
            yield
        # what a closed connection gives, wherever its reader is at that moment
        except (OSError, ValueError) as error:
            if is_over.is_set():
                raise self._error("ended") from error
            raise
        finally:
            ending.cancel()

    @contextlib.contextmanager
    def _told(self, consequence: str) -> Iterator[None]:
        try:
            yield
        except self._error as error:
            log.warning("Redis: %s; %s", type(error).__name__, consequence)


def _key(settings: Settings, secrets_part: str) -> str:
    return f"live-dashboards:{__version__}:{question_digest(settings, secrets_part)}"


def _packed(snapshot: Snapshot) -> bytes:
    return gzip.compress(
        json.dumps(encode(snapshot), separators=(",", ":"), allow_nan=False).encode(), 4, mtime=0
    )


def _unpacked(content: bytes) -> bytes:
    """What was packed; ValueError where that is cut off or larger than any answer."""
    unpacking = zlib.decompressobj(wbits=31)
    found = unpacking.decompress(content, _LARGEST_ANSWER_BYTES)
    if len(content) > _LARGEST_STORED_BYTES or not unpacking.eof:
        raise ValueError("cut off or too large")
    return found


def _fresh(content: object, interval_seconds: float) -> Snapshot | None:
    """The stored answer, where there is one of this version that is not due to be asked anew."""
    if not isinstance(content, bytes):
        return None
    try:
        found = decode(Snapshot, json.loads(_unpacked(content)))
    except (zlib.error, ValueError, RecursionError, UsageError):
        log.warning("Redis: what is stored there cannot be read; the sources are asked instead")
        return None
    age_seconds = (datetime.now(UTC) - found.at).total_seconds()
    return found if -interval_seconds < age_seconds < _FRESH_SHARE * interval_seconds else None
