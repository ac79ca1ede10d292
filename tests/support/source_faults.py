"""Everything that can go wrong with a source, each brought on over a real server and taken back; what the page is then to say."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import redis

from tests.support.fault_proxy import FaultProxy
from tests.web.redis_server import KEEPER, PASSWORD, RedisServer
from tests.web.two_tests import Sources

HOUR_SECONDS = 3600
_HTML = "<!doctype html><title>Sign in</title><p>Sign in to go on</p>"
_NO_TRAFFIC = '{"status":"success","data":{"resultType":"vector","result":[]}}'


def _bomb() -> bytes:
    """A megabyte that unpacks to a gigabyte of one JSON text."""
    packing = zlib.compressobj(1, wbits=31)
    return packing.compress(b'"') + b"".join(packing.compress(b"x" * (1 << 20)) for _ in range(1024)) + packing.flush()


_BOMB = _bomb()


@dataclass(frozen=True)
class Fault:
    """How it begins and ends, and what the reason of the missing answer says; None where the answer is still good. Only a deadline ends an endless one."""

    begin: Callable[[Sources], None]
    end: Callable[[Sources], None]
    says: str | None
    is_endless: bool = False


def _of_wire(proxy_of: Callable[[Sources], FaultProxy], misbehave: Callable[[FaultProxy], None], says: str | None, *, is_endless: bool) -> Fault:
    return Fault(lambda sources: misbehave(proxy_of(sources)), lambda sources: proxy_of(sources).pass_through(), says, is_endless)


def _mlflow(misbehave: Callable[[FaultProxy], None], says: str | None, *, is_endless: bool = False) -> Fault:
    return _of_wire(lambda sources: sources.mlflow_proxy, misbehave, says, is_endless=is_endless)


def _prometheus(misbehave: Callable[[FaultProxy], None], says: str | None, *, is_endless: bool = False) -> Fault:
    return _of_wire(lambda sources: sources.prometheus_proxy, misbehave, says, is_endless=is_endless)


def _in_database(begin: str, end: str, says: str | None) -> Fault:
    """Statements of the superuser; {role} is the one that the page asks as."""

    def run(statements: str, sources: Sources) -> None:
        sources.database.execute(statements.format(role=sources.database.user, password=sources.database.password))

    return Fault(lambda sources: run(begin, sources), lambda sources: run(end, sources), says)


_CLOCK_AHEAD = """
create schema clocks; grant usage on schema clocks to {role};
create function clocks.clock_timestamp() returns timestamptz language sql as $$select pg_catalog.clock_timestamp() + interval '1 hour'$$;
create function clocks.now() returns timestamptz language sql as $$select pg_catalog.now() + interval '1 hour'$$;
alter role {role} set search_path = clocks, pg_catalog, public"""

# More experiments than are read, and 4,000 runs in the newest of them; all texts are as long as MLflow's columns let them be.
_HUGE = """
insert into experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time)
  select 'huge ' || n || repeat('𝔵', 240), '', 'active', 0, 0 from generate_series(1, 5500) n;
insert into runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time, source_version, lifecycle_stage, artifact_uri,
                  experiment_id)
  select 'huge' || n, repeat('r', 240), 'UNKNOWN', '', '', '', 'FINISHED', n, n, '', 'active', '',
         (select max(experiment_id) from experiments) - n % 100
  from generate_series(1, 4000) n;
insert into params (key, value, run_uuid) select 'model_variant', repeat('𝔵', 7990) || n % 300, 'huge' || n from generate_series(1, 4000) n"""
_NOT_HUGE = """
delete from params where run_uuid like 'huge%'; delete from runs where run_uuid like 'huge%'; delete from experiments where name like 'huge %'"""

MLFLOW_FAULTS: dict[str, Fault] = {
    "refused": _mlflow(FaultProxy.refuse, "refuses the connection"),
    "hangs": _mlflow(FaultProxy.hang, "no answer", is_endless=True),
    "cut mid-answer": _mlflow(lambda proxy: proxy.cut(2500), "closed the connection"),
    "slow trickle": _mlflow(lambda proxy: proxy.slow(40), "no answer", is_endless=True),
    "wrong password": _in_database("alter role {role} password 'another'", "alter role {role} password '{password}'", "refuses user"),
    "no rights": _in_database("revoke select on latest_metrics from {role}", "grant select on latest_metrics to {role}", "may not read latest_metrics"),
    "missing table": _in_database("alter table latest_metrics rename to away", "alter table away rename to latest_metrics", "no tables latest_metrics"),
    "500": _mlflow(lambda proxy: proxy.blurt(b"HTTP/1.1 500 Internal Server Error\r\n\r\n"), "does not speak PostgreSQL"),
    "HTML": _mlflow(lambda proxy: proxy.blurt(_HTML.encode()), "does not speak PostgreSQL"),
    "huge answer": _in_database(_HUGE, _NOT_HUGE, None),
    "clock an hour off": _in_database(_CLOCK_AHEAD, "alter role {role} reset search_path; drop schema clocks cascade", None),
}

PROMETHEUS_FAULTS: dict[str, Fault] = {
    "refused": _prometheus(FaultProxy.refuse, "refuses the connection"),
    "hangs": _prometheus(FaultProxy.hang, "no complete answer", is_endless=True),
    "cut mid-answer": _prometheus(lambda proxy: proxy.cut(300), "cut"),
    "slow trickle": _prometheus(lambda proxy: proxy.slow(4), "no complete answer", is_endless=True),
    "wrong password": _prometheus(lambda proxy: proxy.http_reply(401, "text/plain", "Unauthorized"), "login"),
    "no rights": _prometheus(lambda proxy: proxy.http_reply(403, "text/html", _HTML), "login"),
    "missing table": _prometheus(lambda proxy: proxy.http_reply(200, "application/json", _NO_TRAFFIC), "reachable, no A/B data"),
    "500": _prometheus(lambda proxy: proxy.http_reply(500, "text/plain", "Internal Server Error"), "500"),
    "HTML": _prometheus(lambda proxy: proxy.http_reply(200, "text/html", _HTML), "instead of Prometheus"),
    "huge answer": _prometheus(lambda proxy: proxy.http_reply(200, "application/json", _BOMB, ("Content-Encoding: gzip",)), "larger than"),
    "clock an hour off": _prometheus(lambda proxy: proxy.shift_date(HOUR_SECONDS), None),
}


@dataclass(frozen=True)
class RedisFault:
    """How Redis begins to misbehave and how that ends."""

    begin: Callable[[RedisServer, FaultProxy], None]
    end: Callable[[RedisServer, FaultProxy], None]


def _redis_wire(misbehave: Callable[[FaultProxy], None]) -> RedisFault:
    return RedisFault(lambda _, proxy: misbehave(proxy), lambda _, proxy: proxy.pass_through())


def _as_user(begin: str, end: str) -> RedisFault:
    """Changes of the user that the page logs in as, made by the keeper; who is logged in has to do so again."""

    def run(server: RedisServer, change: str) -> None:
        with redis.Redis(port=server.port, username=KEEPER, password=KEEPER) as keeper:
            keeper.execute_command("ACL", "SETUSER", "default", *change.split())
            keeper.client_kill_filter(_type="normal", skipme=True)

    return RedisFault(lambda server, _: run(server, begin), lambda server, _: run(server, end))


def _store(content: bytes) -> RedisFault:
    """Every answer that is shared is replaced by this content."""

    def begin(server: RedisServer, _: FaultProxy) -> None:
        with server.client as client:
            for key in client.keys("live-dashboards:*"):
                if not key.endswith(b":lock"):
                    client.set(key, content)

    return RedisFault(begin, lambda *_: None)


REDIS_FAULTS: dict[str, RedisFault] = {
    "refused": _redis_wire(FaultProxy.refuse),
    "hangs": _redis_wire(FaultProxy.hang),
    "cut mid-answer": _redis_wire(lambda proxy: proxy.cut(100)),
    "slow trickle": _redis_wire(lambda proxy: proxy.slow(40)),
    "wrong password": _as_user("resetpass >another", f"resetpass >{PASSWORD}"),
    "no rights": _as_user("-@read", "+@all"),
    "500": _redis_wire(lambda proxy: proxy.blurt(b"HTTP/1.1 500 Internal Server Error\r\n\r\n")),
    "HTML": _redis_wire(lambda proxy: proxy.blurt(_HTML.encode())),
    "huge answer": _store(b"x" * 100_000_000),
    "packed huge answer": _store(_BOMB),
}
