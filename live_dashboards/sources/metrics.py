"""Answers as pandas' frames: a column a variant for timelines, a row a series for totals, and all timelines
as one tidy frame. Only whoever asks for a frame loads pandas.

What `get_ab_test_metrics()` gives: the answers by name, and what they look like in a notebook.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from live_dashboards.model.card import Card
from live_dashboards.model.measurement import Origin
from live_dashboards.model.moment import format_second, format_window
from live_dashboards.model.number import format_number
from live_dashboards.model.snapshot import Answer, PrometheusAnswer, Snapshot, SourceStatus, Timeline
from live_dashboards.model.variants import Roles, roles
from live_dashboards.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


_MODEL_LABEL, _VARIANT, _TIME, _VALUE, _MOST = "model_name", "variant", "time", "value", "at_most"
_TAKEN = {"name", _VARIANT, _MODEL_LABEL, _TIME, _VALUE, _MOST, "unit", "origin"}

_MODEL = "model_name"
_MOST_TOLD = 3


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
    return (answer.variant_of(series), series.label(_MODEL_LABEL), *map(series.label, labels))


def _headings(labels: Iterable[str]) -> tuple[str, ...]:
    """Columns of variant, model and other labels; a label that has such a name itself is renamed."""
    return (_VARIANT, _MODEL_LABEL, *(f"label_{label}" if label in _TAKEN else label for label in labels))


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
    if series and not labels and not any(each.label(_MODEL_LABEL) for each in series):
        return pd.Index([answer.name] * len(series), name="name")
    names = (*labels, _VARIANT)
    keys = [(*map(each.label, labels), answer.variant_of(each)) for each in series]
    if len(set(keys)) < len(keys):
        names = (*names, _MODEL_LABEL)
        keys = [(*key, each.label(_MODEL_LABEL)) for key, each in zip(keys, series, strict=True)]
    if len(names) == 1:
        return pd.Index([key[0] for key in keys], name=names[0], dtype=object)
    return pd.MultiIndex.from_tuples(keys, names=names)


def _moments(unix_seconds: Iterable[float]) -> pd.DatetimeIndex:
    """Moments in UTC, to the millisecond, as Prometheus tells them."""
    import numpy as np
    import pandas as pd

    milliseconds = np.rint(1000 * np.array(list(unix_seconds), dtype=float))
    return pd.DatetimeIndex(pd.to_datetime(milliseconds, unit="ms", utc=True), name=_TIME)


@dataclass(frozen=True, slots=True, repr=False)
class AbAnswer(Answer):
    """An answer that knows which variant each of its models is, in the page's order, and where its values
    come from.
    """

    variants: tuple[tuple[str, str], ...] = ()
    origin: Origin = Origin.LIVE
    is_timeline: bool = True

    def to_pandas(self) -> pd.DataFrame:
        """A timeline as a frame with a UTC index `time` and a column a variant; where series have more labels
        than that of the model, the columns are a MultiIndex of these labels and the variant. A gap is NaN.

        A total as a frame with a row a series: its labels, the variant, the value, the greatest that it can
        be where only the least is known, and the moment. Unit, origin, query and reason are in `attrs`.
        """
        frame = timeline_frame(self) if self.is_timeline else total_frame(self)
        told = {"name": self.name, "unit": self.unit, "origin": self.origin.value, "query": self.query}
        frame.attrs.update(told | {"reason": self.reason or ""})
        return frame

    def variant_of(self, series: Timeline) -> str:
        """The variant that the series is of; empty where it is no model's."""
        model = series.label(_MODEL)
        return dict(self.variants).get(model, model)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels of its series but for the model's."""
        names = dict.fromkeys(name for series in self.series for name, _ in series.labels)
        return tuple(name for name in names if name != _MODEL)

    @property
    def in_order(self) -> tuple[Timeline, ...]:
        """The series by their other labels, then in the order of the page's variants."""
        places = {model: place for place, (model, _) in enumerate(self.variants)}

        def key(series: Timeline) -> tuple[tuple[str, ...], int]:
            others = tuple(series.label(name) for name in self.label_names)
            return others, places.get(series.label(_MODEL), len(places))

        return tuple(sorted(self.series, key=key))


@dataclass(frozen=True, slots=True, repr=False)
class AbTestMetrics(Mapping[str, AbAnswer]):
    """The A/B queries by name as timelines over the window, and `totals`, the window's exact totals per model
    by name; with the answers that they are of, and the settings with which was asked.
    """

    timelines: Mapping[str, AbAnswer]
    totals: Mapping[str, AbAnswer]
    status: SourceStatus
    snapshot: Snapshot
    settings: Settings
    origin: Origin = Origin.LIVE

    @classmethod
    def of(
        cls, snapshot: Snapshot, settings: Settings, shown: PrometheusAnswer | None = None
    ) -> AbTestMetrics:
        """The metrics of the snapshot; `shown`, the simulated stand-in, is what is taken instead of it."""
        answer = shown if shown is not None else snapshot.prometheus
        variants = _in_order(roles(snapshot.mlflow, answer, settings))

        def named(answers: Iterable[Answer], *, is_timeline: bool) -> dict[str, AbAnswer]:
            return {
                each.name: AbAnswer(
                    **_fields(each), variants=variants, origin=origin, is_timeline=is_timeline
                )
                for each in answers
            }

        origin = answer.origin
        return cls(
            named(answer.timelines, is_timeline=True),
            named(answer.instants, is_timeline=False),
            answer.status,
            snapshot,
            settings,
            origin,
        )

    def __getitem__(self, name: str) -> AbAnswer:
        if name not in self.timelines:
            raise KeyError(self._absence(name))
        return self.timelines[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.timelines)

    def __len__(self) -> int:
        return len(self.timelines)

    def __repr__(self) -> str:
        return self._card.text()

    def _repr_html_(self) -> str:
        return self._card.html()

    def to_pandas(self) -> pd.DataFrame:
        """All timelines as one tidy frame: a row a value, with the query's name, the variant, the model's
        name as Prometheus has it, each other label, the moment (UTC), the value, its unit and its origin.
        """
        return tidy_frame(tuple(self.timelines.values()))

    @property
    def _card(self) -> Card:
        return Card(
            (self._state,),
            ("query", "series", "newest", "unit", "at") if self.timelines else (),
            tuple(map(_row, self.timelines.values())),
            ("series",),
            f"totals: {', '.join(self.totals)}" if self.totals else "",
        )

    @property
    def _state(self) -> str:
        """Where the values come from, or why there are none."""
        window = f"{format_window(self.snapshot.window_seconds)} up to {format_second(self.snapshot.at)}"
        if self.origin is Origin.SIMULATED:
            return f"SIMULATED, nothing of this was measured: {window}"
        if self.status.has_answered:
            return f"Prometheus, {self.status.state}: {window}"
        return f"no answer of Prometheus: {'; '.join(filter(None, (self.status.reason, self.status.fix)))}"

    def _absence(self, name: str) -> str:
        if name in self.totals:
            return f"{name} is a total of the window: metrics.totals[{name!r}]"
        known = f"the queries are {', '.join(self.timelines)}" if self.timelines else self._state
        return f"there is no query {name!r}; {known}"


def _fields(answer: Answer) -> dict[str, Any]:
    return {field.name: getattr(answer, field.name) for field in fields(answer)}


def _in_order(found: Roles) -> tuple[tuple[str, str], ...]:
    """Model names with their variants, in the page's order."""
    return tuple(sorted(found.by_model.items(), key=lambda pair: (found.names.index(pair[1]), pair[0])))


def _row(answer: AbAnswer) -> tuple[str, ...]:
    """Name, number of series, newest values, unit and moment of one query; the reason where it has none."""
    newest = [(series, series.newest) for series in answer.in_order]
    told = [
        f"{_called(answer, series)} {format_number(point[1])}".strip()
        for series, point in newest
        if point is not None
    ]
    words = ", ".join([*told[:_MOST_TOLD], *(["…"] if len(told) > _MOST_TOLD else [])])
    last = max((point[0] for _, point in newest if point is not None), default=None)
    moment = "" if last is None else format_second(datetime.fromtimestamp(last, UTC))
    return answer.name, str(len(answer.series)), words or answer.reason or "no value", answer.unit, moment


def _called(answer: AbAnswer, series: Timeline) -> str:
    """What tells the series from the others: its variant and its other labels."""
    others = (series.label(name) for name in answer.label_names)
    return " ".join(filter(None, (answer.variant_of(series), *others)))
