"""Answers as pandas' frames: a column a variant for timelines, a row a series for totals, and all timelines
as one tidy frame. Only whoever asks for a frame loads pandas.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from live_dashboards.model.snapshot import Timeline

if TYPE_CHECKING:
    import pandas as pd

    from live_dashboards.sources.metrics import AbAnswer

_MODEL, _VARIANT, _TIME, _VALUE, _MOST = "model_name", "variant", "time", "value", "at_most"
_TAKEN = {"name", _VARIANT, _MODEL, _TIME, _VALUE, _MOST, "unit", "origin"}


def timeline_frame(answer: AbAnswer) -> pd.DataFrame:
    """A row a moment (UTC), a column a series; a gap is NaN."""
    import pandas as pd

    columns = [
        pd.Series(dict(series.points), dtype=float).rename(place)
        for place, series in enumerate(answer.in_order)
    ]
    frame = pd.concat(columns, axis="columns").sort_index() if columns else pd.DataFrame(dtype=float)
    frame.index = _moments(frame.index)
    frame.columns = _column_names(answer)
    return frame


def total_frame(answer: AbAnswer) -> pd.DataFrame:
    """A row a series: variant, labels, the value, the greatest that it can be where only the least is known
    (else NaN), and the moment.
    """
    most = {series.labels: series.last for series in answer.most}
    rows = [
        (*_names(answer, series, answer.label_names), series.last, most.get(series.labels), *_ends(series))
        for series in answer.in_order
    ]
    return _frame(rows, [*_headings(answer.label_names), _VALUE, _MOST, _TIME])


def tidy_frame(answers: Sequence[AbAnswer]) -> pd.DataFrame:
    """A row a value: name, variant, labels, moment, value, unit, origin."""
    labels = tuple(dict.fromkeys(name for answer in answers for name in answer.label_names))
    rows = [
        (answer.name, *_names(answer, series, labels), *point, answer.unit, answer.origin.value)
        for answer in answers
        for series in answer.in_order
        for point in series.points
    ]
    return _frame(rows, ["name", *_headings(labels), _TIME, _VALUE, "unit", "origin"])


def _names(answer: AbAnswer, series: Timeline, labels: Iterable[str]) -> tuple[str, ...]:
    return (answer.variant_of(series), series.label(_MODEL), *map(series.label, labels))


def _headings(labels: Iterable[str]) -> tuple[str, ...]:
    """Columns of variant, model and other labels; a label that has such a name itself is renamed."""
    return (_VARIANT, _MODEL, *(f"label_{label}" if label in _TAKEN else label for label in labels))


def _ends(series: Timeline) -> tuple[float | None]:
    return (series.points[-1][0] if series.points else None,)


def _frame(rows: Sequence[tuple[Any, ...]], columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(rows, columns=list(columns))
    numbers = {name: frame[name].astype(float) for name in (_VALUE, _MOST) if name in columns}
    return frame.assign(**numbers, time=_moments(frame[_TIME]))


def _column_names(answer: AbAnswer) -> pd.Index[Any]:
    """The variants; with the other labels as levels above them where series have such, and with the models'
    own names below where two of them are one variant.
    """
    import pandas as pd

    series, labels = answer.in_order, answer.label_names
    if series and not labels and not any(each.label(_MODEL) for each in series):
        return pd.Index([answer.name] * len(series), name="name")
    names = (*labels, _VARIANT)
    keys = [(*map(each.label, labels), answer.variant_of(each)) for each in series]
    if len(set(keys)) < len(keys):
        names = (*names, _MODEL)
        keys = [(*key, each.label(_MODEL)) for key, each in zip(keys, series, strict=True)]
    if len(names) == 1:
        return pd.Index([key[0] for key in keys], name=names[0], dtype=object)
    return pd.MultiIndex.from_tuples(keys, names=names)


def _moments(unix_seconds: Iterable[float]) -> pd.DatetimeIndex:
    """Moments in UTC, to the millisecond, as Prometheus tells them."""
    import numpy as np
    import pandas as pd

    milliseconds = np.rint(1000 * np.array(list(unix_seconds), dtype=float))
    return pd.DatetimeIndex(pd.to_datetime(milliseconds, unit="ms", utc=True), name=_TIME)
