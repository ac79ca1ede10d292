"""What was counted of each value of a label, and of what is left of an arm without it, as what was counted
since the start of the test is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from live_dashboards.model.names import cut, escaped
from live_dashboards.model.snapshot import Accumulated, Answer, Slices, Timeline

MODEL_LABEL = "model_name"
_WIDEST_VALUE = 60
_TRIALS = {"errors": "requests", "latency_within": "latency_count", "correct": "labelled"}

Row = Mapping[float, float]
"""What was counted in each block, by its end (unix seconds)."""

Rows = Mapping[str, Row]
"""The blocks of each model."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One value of the label (None: the others, summed), its name in words, and what was counted of it and of
    everything else.
    """

    value: str | None
    name: str
    own: Accumulated
    rest: Accumulated


def slices_of(counted: Accumulated, slices: Slices) -> tuple[Slice, ...]:
    """A slice a value, those with the most traffic first, and one of the others where there are more. They
    add up to what was counted.
    """
    made = _Parts(counted, slices, {answer.name: _by_model(answer) for answer in counted.blocks})
    by_value = {
        value: {answer.name: _by_model(answer, slices.label, value) for answer in slices.blocks}
        for value in slices.values
    }
    found = [made.part(value, _value_words(slices.label, value), rows) for value, rows in by_value.items()]
    beyond = slices.values_count - len(slices.values)
    if beyond > 0:
        names = [answer.name for answer in slices.blocks]
        shown = {name: _added([rows[name] for rows in by_value.values()]) for name in names}
        others = {name: _less(made.whole.get(name, {}), rows) for name, rows in shown.items()}
        found.append(made.part(None, f"others ({beyond} value{'s' if beyond > 1 else ''})", others))
    return tuple(found)


def _value_words(label: str, value: str) -> str:
    return cut(escaped(value), _WIDEST_VALUE) if value else f"without {label}"


def _by_model(answer: Answer, label: str = "", value: str = "") -> dict[str, dict[float, float]]:
    """The blocks of each model; where a label is named, of series with its value alone."""
    found: dict[str, dict[float, float]] = {}
    for series in answer.series:
        if label and series.label(label) != value:
            continue
        row = found.setdefault(series.label(MODEL_LABEL), {})
        for end, number in series.points:
            if number is not None:
                row[end] = row.get(end, 0.0) + number
    return found


def _added(several: list[dict[str, dict[float, float]]]) -> Rows:
    found: dict[str, dict[float, float]] = {}
    for rows in several:
        for model, row in rows.items():
            sums = found.setdefault(model, {})
            for end, number in row.items():
                sums[end] = sums.get(end, 0.0) + number
    return found


def _less(whole: Rows, part: Rows) -> Rows:
    """What is left without a part; never less than nothing."""
    return {
        model: {end: max(0.0, number - part.get(model, {}).get(end, 0.0)) for end, number in row.items()}
        for model, row in whole.items()
    }


@dataclass(frozen=True, slots=True)
class _Parts:
    """What was counted, whole and by the label, and the blocks of the whole by counter and model."""

    counted: Accumulated
    slices: Slices
    whole: Mapping[str, Rows]

    def part(self, value: str | None, name: str, own: Mapping[str, Rows]) -> Slice:
        """One value, and everything else."""
        rest = {each: _less(self.whole.get(each, {}), rows) for each, rows in own.items()}
        return Slice(value, name, self._as_counted(own), self._as_counted(rest))

    def _as_counted(self, rows: Mapping[str, Rows]) -> Accumulated:
        """Rows as what was counted since the start: blocks with their totals."""
        blocks = tuple(
            answer
            if answer.reason
            else replace(answer, series=_series(_with_zeros(rows, answer.name, self.counted)), most=())
            for answer in self.slices.blocks
        )
        return replace(
            self.counted,
            blocks=blocks,
            totals=tuple(map(_total, blocks)),
            far_edge_seconds=None,
            slices=None,
        )


def _with_zeros(rows: Mapping[str, Rows], name: str, counted: Accumulated) -> Rows:
    """The rows of a counter of events, with those of models of which none has happened among their trials,
    where the whole counts them.
    """
    own, trials = rows[name], rows.get(_TRIALS.get(name, ""), {})
    known = {series.label(MODEL_LABEL) for series in counted.total(name).series}
    spotless = {model: dict.fromkeys(row, 0.0) for model, row in trials.items() if model in known}
    return {**spotless, **own}


def _series(rows: Rows) -> tuple[Timeline, ...]:
    return tuple(
        Timeline(((MODEL_LABEL, model),), tuple(sorted(row.items())))
        for model, row in sorted(rows.items())
        if row
    )


def _total(blocks: Answer) -> Answer:
    series = tuple(
        Timeline(each.labels, ((each.points[-1][0], sum(number or 0.0 for _, number in each.points)),))
        for each in blocks.series
    )
    return replace(blocks, series=series, step_seconds=None)
