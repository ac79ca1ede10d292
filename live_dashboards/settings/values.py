"""How the text of a setting becomes a value; each reader raises ValueError saying what is allowed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_network
from itertools import pairwise
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from live_dashboards.model.moment import parse_duration_seconds, parse_page_moment
from live_dashboards.model.setting_types import Amount, Secret, TrafficPlan, VariantWay

_DAY_SECONDS, _YEAR_SECONDS = 86_400, 31_536_000
_LARGEST = 1e15

Value = TypeVar("Value")


def text(value: str) -> str:
    """The text itself."""
    return _only(value, "must not hold a NUL character", where="\x00" not in value)


def secret(value: str) -> Secret:
    """A text that never shows itself."""
    return Secret(text(value))


def number(value: str) -> float:
    """A number that can be counted with: products of a few stay finite."""
    try:
        parsed = float(value.replace("_", ""))
    except ValueError:
        raise ValueError("must be a number") from None
    _only(parsed, "must be a finite number", where=math.isfinite(parsed))
    return _only(parsed, f"must be at most {_LARGEST:g}", where=abs(parsed) <= _LARGEST)


def non_negative(value: str) -> float:
    """A number that is not below 0."""
    parsed = number(value)
    return _only(parsed, "must not be negative", where=parsed >= 0)


def positive(value: str) -> float:
    """A number above 0."""
    parsed = number(value)
    return _only(parsed, "must be above 0", where=parsed > 0)


def seconds(value: str) -> float:
    """Seconds that a timer can count: above 0, at most a year."""
    parsed = positive(value)
    return _only(parsed, f"must be at most {_YEAR_SECONDS} (a year)", where=parsed <= _YEAR_SECONDS)


def waiting_seconds(value: str) -> float:
    """Seconds that somebody or something waits: above 0, at most a day, as libraries and browsers count them
    in few milliseconds.
    """
    parsed = positive(value)
    return _only(parsed, f"must be at most {_DAY_SECONDS} (a day)", where=parsed <= _DAY_SECONDS)


def confidence(value: str) -> float:
    """A confidence level: at least 0.5, below 1."""
    parsed = number(value)
    return _only(parsed, "must be at least 0.5 and below 1, such as 0.95", where=0.5 <= parsed < 1)


def count(value: str) -> int:
    """A whole number that is not below 0."""
    parsed = non_negative(value)
    return int(_only(parsed, "must be a whole number", where=parsed == int(parsed)))


def port(value: str) -> int:
    """A TCP port."""
    is_port = value.isdecimal() and 1 <= int(value) <= 65_535
    return int(_only(value, "must be a port from 1 to 65535", where=is_port))


def ports(value: str) -> str:
    """One port, or a comma-separated one for each host, as libpq takes them."""
    return ",".join(str(port(part.strip())) for part in value.split(","))


def amount(value: str) -> Amount:
    """An amount that is not negative, or a range `low..high` of such."""
    if ".." not in value:
        point = non_negative(value)
        return Amount(point, point)
    low, _, high = value.partition("..")
    parsed = Amount(non_negative(low), non_negative(high))
    is_range = parsed.low <= parsed.high
    return _only(parsed, "must be a range low..high with low not above high", where=is_range)


def duration(value: str) -> float:
    """Seconds of a Prometheus duration."""
    return parse_duration_seconds(value)


def moment(value: str) -> datetime:
    """A moment of our time, in UTC."""
    return parse_page_moment(value)


def stretches(value: str) -> tuple[tuple[datetime, datetime], ...]:
    """Stretches of time, `begin/end`, comma-separated, in the order of their begins."""
    return tuple(sorted(_stretch(part.strip()) for part in value.split(",") if part.strip()))


def _stretch(text: str) -> tuple[datetime, datetime]:
    allowed = "begin/end with the end after the begin, such as 2026-11-24T02:00Z/2026-11-24T08:00Z"
    begin, _, end = text.partition("/")
    try:
        found = parse_page_moment(begin.strip()), parse_page_moment(end.strip())
    except ValueError as error:
        raise ValueError(f"must be {allowed}: {error}") from None
    if found[0] >= found[1]:
        raise ValueError(f"must be {allowed}")
    return found


def timezone(value: str) -> str:
    """A zone name that this system knows."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone such as UTC or Europe/Berlin") from None
    return value


def networks(value: str) -> tuple[str, ...]:
    """IP addresses and networks, comma-separated, as networks."""
    parts = [part.strip() for part in value.split(",") if part.strip()]
    try:
        return tuple(str(ip_network(part)) for part in parts)
    except ValueError:
        raise ValueError(
            "must be addresses or networks, comma-separated, such as 10.0.0.5,10.1.0.0/16"
        ) from None


def header_name(value: str) -> str:
    """The name of an HTTP header."""
    is_name = re.fullmatch(r"[A-Za-z0-9-]+", value) is not None
    return _only(value, "must be the name of a header, such as X-Forwarded-User", where=is_name)


def path_prefix(value: str) -> str:
    """The path below which a proxy serves the page: with a slash before it and none behind it, empty for
    none.
    """
    if not re.fullmatch(r"/?(?:[A-Za-z0-9._~-]+/?)*", value):
        raise ValueError("must be a path of letters, digits, dots, dashes and slashes, such as /ab-test")
    parts = [part for part in value.split("/") if part]
    if {".", ".."} & set(parts):
        raise ValueError("must be a path without . and .. as parts")
    return "".join(f"/{part}" for part in parts)


def cache_url(value: str) -> Secret:
    """A Redis URL, which may hold a password."""
    is_redis = value.startswith(("redis://", "rediss://"))
    return secret(_only(value, "must begin with redis:// or rediss://", where=is_redis))


def tracking_uri(value: str) -> Secret:
    """Where MLflow is, as its own clients take it: a tracking server or a SQLite file. The URI may hold a
    login.
    """
    value = text(value.strip())
    scheme = value.partition(":")[0].lower()
    if scheme in {"http", "https"}:
        value = value.rstrip("/")
        _check_url(value)
        return Secret(value)
    if scheme == "sqlite":
        if not value.startswith("sqlite:///") or value.partition(":///")[2].partition("?")[0] in {
            "",
            ":memory:",
        }:
            raise ValueError(
                "must name a file: sqlite:///relative/mlflow.db or sqlite:////absolute/mlflow.db"
            )
        return Secret(value)
    if scheme.partition("+")[0] in {"postgresql", "postgres"}:
        raise ValueError(
            "must be http://, https:// or sqlite:///; the address of a PostgreSQL belongs into MLFLOW_DB_URL"
        )
    raise ValueError(
        "must be http://, https:// or sqlite:///; file: and databricks are not read (`mlflow "
        "server` over a folder of files is)"
    )


def password_hash(value: str) -> Secret:
    """A hash that `live-dashboards hash-password` made."""
    if not re.fullmatch(r"(?:scrypt|pbkdf2):[a-z0-9:]+\$[^$]+\$[0-9a-f]+", value):
        raise ValueError(
            "must be a hash that `live-dashboards hash-password` prints, in single quotes "
            "where a shell reads it"
        )
    return secret(value)


_SHORTEST_TOKEN = 20


def token(value: str) -> Secret:
    """What a program shows instead of a password: printable characters without blanks, so many that nobody
    guesses them.
    """
    if len(value) < _SHORTEST_TOKEN or not re.fullmatch(r"[!-~]+", value):
        raise ValueError(
            f"must be {_SHORTEST_TOKEN} letters, digits and signs or more, such as `openssl rand -hex 32` "
            "prints"
        )
    return secret(value)


def metric_name(value: str) -> str:
    """The name of a Prometheus metric."""
    is_name = re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", value) is not None
    return _only(value, "must be the name of a Prometheus metric", where=is_name)


_COUNTED_BY = ("__name__", "model_name", "experiment", "status", "le", "metric_type")

_ASKED_WITH = ("counter", "edges")  # labels that questions give to what they ask for


def replica_labels(value: str) -> tuple[str, ...] | str:
    """Names of Prometheus labels, no name at all for `none`; or `auto`."""
    if value in {"auto", "none"}:
        return "auto" if value == "auto" else ()
    names = tuple(dict.fromkeys(part.strip() for part in value.split(",")))
    if not all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) for name in names) or {"auto", "none"} & set(
        names
    ):
        raise ValueError("must be auto, none, or names of labels, such as prometheus_replica")
    if found := next((name for name in names if name in _COUNTED_BY), ""):
        raise ValueError(f"must not name {found}, by which different requests are told apart")
    return names


def slice_label(value: str) -> str:
    """The name of a Prometheus label that tells requests of one model apart."""
    if not re.fullmatch(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*", value) and value not in _COUNTED_BY:
        raise ValueError("must be the name of a Prometheus label, such as instance or region")
    if value in {*_COUNTED_BY, *_ASKED_WITH}:
        raise ValueError(
            f"must not be {value}, by which requests are counted: name a label such as instance or region"
        )
    return value


def choice(*allowed: str) -> Callable[[str], str]:
    """A reader that takes one of these words."""

    def read(value: str) -> str:
        return _only(value, f"must be one of {', '.join(allowed)}", where=value in allowed)

    return read


def aliases(value: str) -> tuple[tuple[str, str], ...]:
    """Pairs of `name=variant`, comma-separated."""
    return tuple(_pairs(value, "name=variant, such as baseline-predictor=baseline"))


_WAYS = (
    "param:NAME, tag:NAME, alias or model_name, comma-separated, such as "
    "param:model_variant,tag:model_variant,alias"
)


def variant_ways(value: str) -> tuple[VariantWay, ...]:
    """Where a run's variant is read, in order."""
    found = tuple(_variant_way(part.strip()) for part in value.split(",") if part.strip())
    if twice := next((way for way in found if found.count(way) > 1), None):
        raise ValueError(f"must not name {twice} twice")
    return _only(found, f"must be {_WAYS}", where=bool(found))


def _variant_way(text: str) -> VariantWay:
    kind, colon, name = (part.strip() for part in text.partition(":"))
    if kind in {"alias", "model_name"} and not colon:
        return VariantWay(kind)
    # as MLflow has keys; what it does not have could not be asked for
    if kind in {"param", "tag"} and re.fullmatch(r"[\w./: -]{1,250}", name):
        return VariantWay(kind, name)
    raise ValueError(f"must be {_WAYS}")


_SPLIT = "variant=share with shares that are not negative, such as baseline=70,enhanced=30"
_DATED_SPLIT = "2026-11-01T00:00Z baseline=90,enhanced=10; 2026-11-05T00:00Z baseline=50,enhanced=50"


def split(value: str) -> tuple[TrafficPlan, ...]:
    """The planned shares, normalised to a sum of 1; several plans, `;`-separated, each with the moment from
    which on it holds (the first may have none).
    """
    plans = tuple(_plan(part.strip()) for part in value.split(";") if part.strip())
    moments = [plan.since for plan in plans]
    later = [moment for moment in moments[1:] if moment is not None]
    if (
        not plans
        or len(later) < len(plans) - 1
        or any(one is not None and one >= other for one, other in pairwise(moments) if other is not None)
    ):
        raise ValueError(
            f"must be {_SPLIT}; several plans, separated by ;, each begin with their moment, "
            f"in the order of time, such as {_DATED_SPLIT}"
        )
    return plans


def _plan(text: str) -> TrafficPlan:
    moment, _, rest = text.partition(" ")
    dated = "=" not in moment
    try:
        since = parse_page_moment(moment) if dated else None
        shares = [
            (name, non_negative(share.removesuffix("%")))
            for name, share in _pairs(rest if dated else text, _SPLIT)
        ]
    except ValueError:
        raise ValueError(
            f"must be {_SPLIT}; or plans that each begin with their moment, such as {_DATED_SPLIT}"
        ) from None
    total = sum(share for _, share in shares)
    if total <= 0:
        raise ValueError(f"must be {_SPLIT}, and not all 0")
    return TrafficPlan(since, tuple((name, share / total) for name, share in shares))


def urls(value: str) -> tuple[str, ...]:
    """Base URLs without their trailing slashes, with http or https and a host."""
    parsed = tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
    for url in parsed:
        _check_url(url)
    return _only(parsed, "must be a URL such as http://prometheus-server:9090", where=bool(parsed))


def url(value: str) -> str:
    """One base URL without its trailing slash."""
    return urls(_only(value, "must be one URL", where="," not in value))[0]


def notify_url(value: str) -> Secret:
    """The URL of a webhook."""
    try:
        _check_url(value.partition("?")[0])
    except ValueError:
        value = ""
    if not value.isprintable() or not value or " " in value:
        # never with the value, as others say it
        raise ValueError("must start with http:// or https:// and name a host")
    return secret(value)


def _only(value: Value, words: str, *, where: bool) -> Value:
    """The value; ValueError with the words where it is none that is allowed."""
    if not where:
        raise ValueError(words)
    return value


def _check_url(url: str) -> None:
    try:
        pieces = urlsplit(url)
        usable = pieces.scheme in {"http", "https"} and pieces.hostname and pieces.port != 0
    except ValueError:
        usable = False
    if not usable:
        hint = f", such as http://{url}" if re.fullmatch(r"[\w.-]+(:\d+)?(/[\w./-]*)?", url) else ""
        raise ValueError(
            f"must start with http:// or https:// and name a host and a port from 1 to 65535{hint}"
        )
    if pieces.query or pieces.fragment:
        raise ValueError("must be a base URL without ? and #")


def _pairs(value: str, allowed: str) -> list[tuple[str, str]]:
    pairs = [
        tuple(side.strip() for side in part.partition("=")[::2]) for part in value.split(",") if part.strip()
    ]
    if not pairs or any(not left or not right for left, right in pairs):
        raise ValueError(f"must be {allowed}")
    if len({left for left, _ in pairs}) < len(pairs):
        raise ValueError("must not name the same variant twice")
    return [(left, right) for left, right in pairs]
