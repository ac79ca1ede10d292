"""Prometheus' JSON as records: parsed at the door, or refused there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from live_dashboards.errors import SourceError
from live_dashboards.model.moment import is_on_calendar
from live_dashboards.model.snapshot import Timeline
from live_dashboards.sources.http.json_text import parse_json

_ABOUT_A_NAME = "metric might not be a counter, name does not end in"  # Prometheus 3 on a counter that somebody has named otherwise: it tells nothing of the answer
_ABOUT_THE_QUERY = "PromQL "  # so begin the remarks of Prometheus 3
_SHAPES = {"vector": ("value", "histogram"), "matrix": ("values", "histograms")}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: series, or names, or facts; and what the server warns of.

    A vector's series have one point, a scalar's no labels, those that were looked up, and targets, no points.
    `names_its_host` is whether the answer has the header X-Server-Hostname, as VictoriaMetrics' answers do; `is_partial` whether stores behind the server
    were silent.
    """

    series: tuple[Timeline, ...] = ()
    names: tuple[str, ...] = ()
    facts: Mapping[str, str] | None = None
    warnings: tuple[str, ...] = ()
    clock_difference_seconds: float | None = None
    names_its_host: bool = False
    is_partial: bool = False


Outcome = Reply | SourceError


def parse_document(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; ValueError where it is none."""
    document = parse_json(body)
    if not isinstance(document, dict):
        raise ValueError("JSON that is no object")  # noqa: TRY004 a wrong document is a wrong value
    return document


def parse_reply(document: dict[str, Any], *, keeps_name: bool = False) -> Reply:
    """The answer in a document of status success, its series with or without their metric's name as a label; ValueError where it is not one of Prometheus."""
    if document.get("status") != "success" or "data" not in document:
        raise ValueError("JSON that is no answer of Prometheus")
    data = document["data"]
    warnings = _warnings(document)
    if isinstance(data, list):
        sets = [_labels(each["target"] if isinstance(each.get("target"), dict) else each) for each in data if isinstance(each, dict)]
        return Reply(series=tuple(Timeline(labels, ()) for labels in sets), names=tuple(name for name in data if isinstance(name, str)), warnings=warnings)
    if not isinstance(data, dict):
        raise ValueError("JSON whose data are neither a list nor an object")  # noqa: TRY004 a wrong document is a wrong value
    if "resultType" not in data:
        return Reply(facts={name: value for name, value in data.items() if isinstance(value, str)}, warnings=warnings)
    try:
        return _result(data["resultType"], data["result"], warnings, () if keeps_name else ("__name__",))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise ValueError("JSON with a result of another shape") from error


def says_partial(document: Mapping[str, Any]) -> bool:
    """Whether an answer lacks what some store holds: VictoriaMetrics says so in a field, Thanos and others in warnings; a remark on the query itself is none."""
    warnings = document.get("warnings")
    said = [str(text) for text in warnings] if isinstance(warnings, list) else []
    return document.get("isPartial") is True or any(not text.startswith(_ABOUT_THE_QUERY) for text in said)


def _result(kind: str, result: Any, warnings: tuple[str, ...], left_out_labels: tuple[str, ...]) -> Reply:
    if kind in {"scalar", "string"}:
        return Reply(series=(_series({}, [result], ()),), warnings=warnings)
    values, histograms = _SHAPES[kind]
    found = [_series(element["metric"], [element[values]] if kind == "vector" else element[values], left_out_labels) for element in result if values in element]
    left_out = sum(histograms in element for element in result)
    if left_out:
        warnings = (*warnings, f"{left_out} series hold native histograms, which are not read; expose classic buckets too")
    return Reply(series=tuple(series for series in found if series.points), warnings=warnings)


def _series(metric: Mapping[str, str], values: list[Any], left_out: tuple[str, ...]) -> Timeline:
    """The labels and points; ValueError where a label is no text, or the points are not in time order on a calendar."""
    labels = _labels(metric, left_out)
    points = tuple(_point(pair) for pair in values)
    if not all(is_on_calendar(seconds) for seconds, _ in points) or any(later <= sooner for (sooner, _), (later, _) in pairwise(points)):
        raise ValueError("moments that are none, or not in order")
    return Timeline(labels, points)


def _labels(metric: Mapping[str, str], left_out: tuple[str, ...] = ("__name__",)) -> tuple[tuple[str, str], ...]:
    """The labels by name; ValueError where one is no text."""
    labels = tuple(sorted((name, value) for name, value in metric.items() if name not in left_out))
    if not all(isinstance(value, str) for _, value in labels):
        raise ValueError("a label that is no text")
    return labels


def _point(pair: Any) -> tuple[float, float | None]:
    """A moment and its value, None where that is no finite number."""
    seconds, text = pair
    try:
        value = float(text)
    except ValueError:
        return float(seconds), None
    return float(seconds), value if math.isfinite(value) else None


def _warnings(document: Mapping[str, Any]) -> tuple[str, ...]:
    said = [text for key in ("warnings", "infos") if isinstance(document.get(key), list) for text in document[key] if _ABOUT_A_NAME not in str(text)]
    partial = ["the store says that its answer is partial"] if document.get("isPartial") is True else []
    return tuple(dict.fromkeys(str(text) for text in (*said, *partial)))
