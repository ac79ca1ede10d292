"""What `get_ab_test_metrics()` gives: the answers by name, and what they look like in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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

_MODEL = "model_name"
_MOST_TOLD = 3


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
        from live_dashboards.sources.frames import timeline_frame, total_frame

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
        from live_dashboards.sources.frames import tidy_frame

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
