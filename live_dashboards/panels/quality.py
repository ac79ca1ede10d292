"""How good each variant is: the quality metrics as dots on one percent axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from live_dashboards.model.chart import Mark, Room, Row, Rows, Scale, Words, drawn_value
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.metrics import METRICS
from live_dashboards.model.number import NOTHING, format_number, shared_decimals
from live_dashboards.model.presentation import FAINT, colour_of, drawn_interval, state_words, style_of
from live_dashboards.model.report import AbReport, QualityRow
from live_dashboards.panels.effect import OWN_UNIT
from live_dashboards.panels.sayings import measured


@dataclass(frozen=True, slots=True)
class _QualityLine:
    """A metric's values, of the test sets or of the service (`series` is offline or online)."""

    label: str
    values: tuple[Measurement, ...]
    series: str
    key: str
    is_less_better: bool

    @property
    def is_known(self) -> bool:
        return any(value.value is not None for value in self.values)

    @property
    def has_place(self) -> bool:
        """Whether its values stand on the axis, in percent."""
        return all(value.unit == "percent" for value in self.values)


def charts(report: AbReport) -> tuple[Rows, ...]:
    """A row a metric with a dot a variant; what the service measures online stands in a row of its own."""
    panel = report.quality
    lines = [line for row in (*panel.rows, *panel.own_scale) for line in _lines(row)]
    names = [
        name
        for name in report.variant_names
        if any(one.variant == name for line in lines for one in line.values)
    ]
    decimals = _decimals([line for line in lines if line.has_place])
    return (
        Rows(
            tuple(_row(line, names, report, decimals) for line in lines),
            Scale("percent", floor=0.0, ceiling=100.0),
            "percent",
            columns=tuple(Words(name, style_of(report.variant_names, name).text_colour) for name in names),
            empty="no metric to show",
            room=Room(names_inches=1.24),
            table=tuple(
                drawn_value("quality", line.series, line.key, value)
                for line in lines
                for value in line.values
            ),
        ),
    )


def _lines(row: QualityRow) -> list[_QualityLine]:
    """The online gauge in a row of its own, below the offline values of the same metric."""
    metric = METRICS.get(row.metric)
    is_less_better = metric is not None and not metric.is_higher_better
    lines = [_QualityLine(row.label, row.offline, "offline", row.label, is_less_better)]
    if any(value.value is not None for value in row.online):
        stale = ", stale" if any(value.stale for value in row.online) else ""
        lines.append(
            _QualityLine(f"{row.label}, online{stale}", row.online, "online", row.label, is_less_better)
        )
    return lines


def _row(line: _QualityLine, names: Sequence[str], report: AbReport, decimals: int | None) -> Row:
    if not line.is_known:
        reason = next((value.reason for value in line.values if value.reason), "not measured")
        return Row(line.label, colour=FAINT, reason=reason)
    by_name = {str(value.variant): value for value in line.values}
    known = [(lane, by_name[name]) for lane, name in enumerate(names) if name in by_name and line.has_place]
    digits = decimals if line.has_place else _decimals([line])
    return Row(
        line.label,
        tuple(mark for lane, value in known for mark in _marks(line, value, report, lane)),
        tuple(_number(by_name.get(name), name, report, digits) for name in names),
        inside="" if line.has_place else OWN_UNIT,
        is_less_better=line.is_less_better,
    )


def _marks(line: _QualityLine, value: Measurement, report: AbReport, lane: int) -> tuple[Mark, ...]:
    if value.value is None:
        return ()
    style, interval = style_of(report.variant_names, value.variant), drawn_interval(value)
    return (
        Mark(
            "dot",
            colour_of(style, value.origin),
            value.value,
            interval,
            style=style,
            is_filled=interval is not None,
            size=0.9,
            lane=lane,
            series=str(value.variant),
            said=measured(f"{line.label}, {value.variant}", value, report),
        ),
    )


def _number(value: Measurement | None, name: str, report: AbReport, decimals: int | None) -> Words:
    colour = style_of(report.variant_names, name).text_colour
    if value is None or value.value is None:
        return Words("" if value is None else NOTHING, colour)
    return Words(
        format_number(value.value, value.unit, show_unit=False, decimals=decimals), colour, state_words(value)
    )


def _decimals(lines: Sequence[_QualityLine]) -> int | None:
    """As many digits after the point as tell the variants apart in every row."""
    known = ([value.value for value in line.values if value.value is not None] for line in lines)
    needed = [shared_decimals(values, lines[0].values[0].unit) for values in known if values]
    return None if None in needed else max((count for count in needed if count is not None), default=None)
