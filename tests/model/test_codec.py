"""Records as documents and back."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from live_dashboards.errors import UsageError
from live_dashboards.model.codec import decode, encode
from live_dashboards.model.measurement import Interval, Measurement, Origin, missing
from live_dashboards.model.snapshot import MlflowAnswer, PrometheusAnswer, Snapshot, SourceState, SourceStatus, VariantValue

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
ZONES = st.builds(timezone, st.timedeltas(timedelta(hours=-14), timedelta(hours=14)).map(lambda shift: timedelta(minutes=shift // timedelta(minutes=1))))
MOMENTS = st.datetimes(datetime(1900, 1, 2), datetime(2200, 1, 1), timezones=ZONES)  # noqa: DTZ001
FLOATS = st.floats(allow_nan=False)
for kind, strategy in ((datetime, MOMENTS), (float, FLOATS)):
    st.register_type_strategy(kind, strategy)


def snapshot() -> Snapshot:
    status = SourceStatus("mlflow", SourceState.FAILED, reason="connection refused", fix="start it")
    return Snapshot(AT, 86_400.0, MlflowAnswer(status), PrometheusAnswer(replace(status, source="prometheus")), AT)


def document() -> Any:
    return json.loads(json.dumps(encode(snapshot()), allow_nan=False))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.data_too_large])  # a snapshot has many parts
@given(st.from_type(Snapshot))
def test_a_snapshot_comes_back_exactly(taken: Snapshot) -> None:
    text = json.dumps(encode(taken), allow_nan=False)
    assert decode(Snapshot, json.loads(text)) == taken


def test_a_measurement_comes_back_with_its_inputs() -> None:
    requests = Measurement("requests", 47_892.0, "count", Origin.LIVE, "baseline", observed_at=AT)
    errors = missing("errors", "count", "no error series", variant="baseline")
    rate = replace(missing("error_rate", "percent", "no error series", inputs=(errors, requests)), interval=Interval(0.1, None))
    assert decode(Measurement, json.loads(json.dumps(encode(rate)))) == rate


@dataclass(frozen=True)
class Odd:
    value: float


@pytest.mark.parametrize(("value", "text"), [(math.inf, "Infinity"), (-math.inf, "-Infinity"), (math.nan, "NaN")])
def test_what_json_cannot_write_is_written_as_text(value: float, text: str) -> None:
    assert encode(Odd(value)) == {"value": text}
    assert repr(decode(Odd, {"value": text}).value) == repr(value)


def test_what_is_no_plain_value_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes"):
        encode((b"secret",))


def test_moments_are_written_in_utc() -> None:
    assert encode(datetime(2026, 11, 23, 12, tzinfo=timezone(timedelta(hours=2)))) == "2026-11-23T10:00:00Z"


def test_a_value_stored_before_its_hits_and_misses_were_read_has_none() -> None:
    value = VariantValue("baseline", "precision", "precision", 0.8, AT, "r1", "first", "FINISHED", is_child=False, started_at=AT)
    stored = {name: part for name, part in encode(value).items() if not name.endswith(("positives", "negatives"))}
    assert decode(VariantValue, stored) == value


def test_an_absent_key_takes_its_default() -> None:
    given_document = document()
    del given_document["is_now"]
    assert decode(Snapshot, given_document).is_now is True


@dataclass(frozen=True)
class Marked:
    note: int | str
    whole: int = 0
    is_set: bool = False


@pytest.mark.parametrize("note", [3, "three"])
def test_a_union_takes_each_of_its_kinds(note: int | str) -> None:
    assert decode(Marked, {"note": note}).note == note


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ({"note": None}, "note must be a whole number, not None"),
        ({"note": 1, "whole": 1.5}, "whole must be a whole number, not 1.5"),
        ({"note": 1, "whole": True}, "whole must be a whole number, not True"),
        ({"note": 1, "is_set": 1}, "is_set must be true or false, not 1"),
        ({}, "note is missing"),
        ({"note": 1, "remark": 1}, "remark is not known"),
        ([], "the document must be an object, not a list"),
    ],
)
def test_what_does_not_fit_is_named(part: Any, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        decode(Marked, part)


def spoil(path: tuple[str, ...], value: Any) -> Any:
    spoiled = document()
    place = spoiled
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return spoiled


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("at",), "yesterday", "at must be a moment such as"),
        (("at",), 12, "at must be a moment, not 12"),
        (("window_seconds",), "86400", "window_seconds must be a number, not '86400'"),
        (("window_seconds",), 10**400, "window_seconds must be a number"),
        (("mlflow", "status", "state"), "fine", "mlflow.status.state must be one of answered, .*, not 'fine'"),
        (("mlflow", "status", "warnings"), "none", "mlflow.status.warnings must be a list, not 'none'"),
        (("mlflow", "value_ranges"), [["accuracy", 0.1]], r"mlflow.value_ranges\[0\] must be a list of 3, not a list"),
        (("prometheus", "first_traffic"), [["a", 1.0], ["b", "x"]], r"prometheus.first_traffic\[1\]\[1\] must be a number, not 'x'"),
        (("prometheus", "status"), None, "prometheus.status must be an object, not None"),
    ],
)
def test_the_place_in_the_document_is_named(path: tuple[str, ...], value: Any, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        decode(Snapshot, spoil(path, value))


def test_what_the_record_itself_refuses_is_named() -> None:
    broken = encode(Measurement("requests", 1.0, "count", Origin.LIVE)) | {"origin": "missing"}
    with pytest.raises(UsageError, match="the document must be a Measurement"):
        decode(Measurement, broken)
