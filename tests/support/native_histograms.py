"""Truths as a Prometheus holds them whose histograms are native: written by remote write, as no back-filling tool knows them."""

from __future__ import annotations

import http.client
import math
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise

from live_dashboards.demo.servers import PrometheusServer
from tests.support.prometheus_truth import PrometheusTruth, TrueSeries

CUSTOM = -53  # the schema of buckets that end at given bounds
NATIVE_FLAGS = ("--enable-feature=native-histograms", "--web.enable-remote-write-receiver")
_AT_ONCE_SECONDS = 1800.0  # the server takes nothing that is older than its newest sample by half a block
_ZERO_THRESHOLD = 2.0**-128


@dataclass(frozen=True)
class NativeSeries:
    """One native histogram: its name, labels, and at each moment the sum and the counts of its buckets, each below its upper bound (the last one: +Inf)."""

    name: str
    labels: dict[str, str]
    bounds: tuple[float, ...]
    samples: tuple[tuple[float, float, tuple[int, ...]], ...]
    schema: int


def native(truth: PrometheusTruth, name: str, *, schema: int = CUSTOM, keep_classic: bool = False, **labels: str) -> list[NativeSeries]:
    """Take a truth's classic histograms with these labels out of it, and give them as native ones that hold the same.

    In an exponential schema each bound must be one of its edges; all of a classic bucket then lies in the finest bucket that ends there.
    """
    groups: dict[tuple[tuple[str, str], ...], dict[str, TrueSeries]] = {}
    mine = [series for series in truth.series if series.name in {f"{name}_bucket", f"{name}_sum", f"{name}_count"} and labels.items() <= series.labels.items()]
    for series in mine:
        rest = tuple(sorted((key, value) for key, value in series.labels.items() if key != "le"))
        groups.setdefault(rest, {})[series.labels.get("le", series.name)] = series
    if not keep_classic:
        truth.series = [series for series in truth.series if series not in mine]
    return [_native(name, dict(rest), group, schema) for rest, group in groups.items()]


def _native(name: str, labels: dict[str, str], group: dict[str, TrueSeries], schema: int) -> NativeSeries:
    buckets = sorted((float(le), series) for le, series in group.items() if not le.startswith(name))
    bounds = tuple(bound for bound, _ in buckets)
    samples = []
    for index, (at, total) in enumerate(group[f"{name}_sum"].samples):
        cumulative = [0.0, *(series.samples[index][1] for _, series in buckets)]
        samples.append((at, total, tuple(round(after - before) for before, after in pairwise(cumulative))))
    return NativeSeries(name, labels, bounds, tuple(samples), schema)


@contextmanager
def written_prometheus(truth: PrometheusTruth, histograms: Sequence[NativeSeries], *, flags: Sequence[str] = ()) -> Iterator[PrometheusServer]:
    """A running Prometheus that holds all of it."""
    with PrometheusServer(flags=[*NATIVE_FLAGS, *flags]) as server:
        begin = truth.start
        while begin <= truth.end:
            end = begin + _AT_ONCE_SECONDS
            body = b"".join(_field(1, part) for part in (*_plain(truth.series, begin, end), *_histograms(histograms, begin, end)))
            _post(server, body)
            begin = end
        yield server


def _post(server: PrometheusServer, request: bytes) -> None:
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
    with closing(http.client.HTTPConnection(server.host, server.port)) as connection:
        connection.request("POST", "/api/v1/write", body=_snappy(request), headers=headers)
        answer = connection.getresponse()
        said = answer.read().decode()
    assert answer.status in {200, 204}, said


def _plain(several: Sequence[TrueSeries], begin: float, end: float) -> Iterator[bytes]:
    for series in several:
        samples = [_field(2, _double(1, value) + _number(2, _milliseconds(at))) for at, value in series.samples if begin <= at < end]
        if samples:
            yield _labels(series.name, series.labels) + b"".join(samples)


def _histograms(several: Sequence[NativeSeries], begin: float, end: float) -> Iterator[bytes]:
    for series in several:
        samples = [_field(4, _histogram(series, at, total, counts)) for at, total, counts in series.samples if begin <= at < end]
        if samples:
            yield _labels(series.name, series.labels) + b"".join(samples)


def _histogram(series: NativeSeries, at: float, total: float, counts: Sequence[int]) -> bytes:
    """One sample of prompb.Histogram; its buckets as spans of neighbours, each count as its difference to the one before."""
    if series.schema == CUSTOM:
        filled, custom = list(enumerate(counts)), _field(16, b"".join(struct.pack("<d", bound) for bound in series.bounds if math.isfinite(bound)))
    else:
        assert not counts[-1], "an exponential histogram has no last bucket"
        filled, custom = [(_index(bound, series.schema), count) for bound, count in zip(series.bounds, counts, strict=True) if math.isfinite(bound)], b""
    spans, deltas, next_index, before = b"", b"", 0, 0
    for index, count in filled:
        spans += _field(11, _number(1, _zigzag(index - next_index)) + _number(2, 1))
        deltas += _varint(_zigzag(count - before))
        next_index, before = index + 1, count
    zero = b"" if series.schema == CUSTOM else _double(5, _ZERO_THRESHOLD)
    head = _number(1, sum(counts)) + _double(3, total) + _number(4, _zigzag(series.schema)) + zero + _number(6, 0)
    return head + spans + _field(12, deltas) + _number(15, _milliseconds(at)) + custom


def _index(bound: float, schema: int) -> int:
    index = round(math.log2(bound) * 2**schema)
    assert math.isclose(2 ** (index / 2**schema), bound), f"{bound} is no edge of schema {schema}"
    return index


def _labels(name: str, labels: dict[str, str]) -> bytes:
    pairs = sorted({"__name__": name, **labels}.items())
    return b"".join(_field(1, _field(1, key.encode()) + _field(2, value.encode())) for key, value in pairs)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _snappy(content: bytes) -> bytes:
    """Snappy's format without any compression: the length, then the whole as literals."""
    parts = [content[start : start + 65536] for start in range(0, len(content), 65536)]
    return _varint(len(content)) + b"".join(bytes([61 << 2]) + struct.pack("<H", len(part) - 1) + part for part in parts)
