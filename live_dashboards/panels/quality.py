"""How good each variant is: the quality metrics as dots on one percent axis, a row a metric; a row a variant
where there are more of them than columns have room for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from live_dashboards.model.chart import Mark, Room, Row, Rows, Scale, Words, drawn_value
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.number import NOTHING, format_number, shared_decimals
from live_dashboards.model.presentation import FAINT, colour_of, drawn_interval, state_words, style_of
from live_dashboards.model.report import AbReport, QualityRow
from live_dashboards.panels.effect import OWN_UNIT
from live_dashboards.panels.sayings import measured

_MOST_COLUMNS, _MOST_NUMBERS = 2, 5


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
    """A row a metric with a dot a variant; what the service measures online stands in a row of its own. Of
    three variants and more each has a row.
    """
    panel = report.quality
    lines = [line for row in (*panel.rows, *panel.own_scale) for line in _lines(row)]
    names = [
        name
        for name in report.variant_names
        if any(one.variant == name for line in lines for one in line.values)
    ]
    made = (
        _by_metric(lines, names, report) if len(names) <= _MOST_COLUMNS else _by_variant(lines, names, report)
    )
    table = (drawn_value("quality", line.series, line.key, value) for line in lines for value in line.values)
    return (replace(made, table=tuple(table)),)


def _by_metric(lines: Sequence[_QualityLine], names: Sequence[str], report: AbReport) -> Rows:
    decimals = _decimals([line for line in lines if line.has_place])
    return Rows(
        tuple(_row(line, names, report, decimals) for line in lines),
        Scale("percent", floor=0.0, ceiling=100.0),
        "percent",
        columns=tuple(Words(name, style_of(report.variant_names, name).text_colour) for name in names),
        empty="no metric to show",
        room=Room(names_inches=1.24),
    )


def _by_variant(lines: Sequence[_QualityLine], names: Sequence[str], report: AbReport) -> Rows:
    """A row a variant: the dot of the first metric, and the numbers of the first five; metrics that nobody
    has follow with their reason.
    """
    known = [line for line in lines if line.is_known]
    shown, decimals = known[:_MOST_NUMBERS], _decimals([line for line in known if line.has_place])
    of = " / ".join(f"{line.label} ↓" if line.is_less_better else line.label for line in shown)
    of += f" / {len(known) - len(shown)} more in the summary file" if len(known) > len(shown) else ""
    rows = [_variant(name, shown, report, decimals) for name in names] if shown else []
    return Rows(
        (*rows, *(_without_values(line) for line in lines if not line.is_known)),
        Scale("percent", floor=0.0, ceiling=100.0),
        _axis(shown),
        of if len(shown) > 1 else "",
        over_numbers=of,
        empty="no metric to show",
        room=Room(names_inches=1.24, numbers_share=0.5),
    )


def _axis(lines: Sequence[_QualityLine]) -> str:
    """What the dots are of: the first metric, if it has a place on the axis."""
    if not lines:
        return "percent"
    return f"{lines[0].label}, percent" if lines[0].has_place else lines[0].label


def _variant(name: str, lines: Sequence[_QualityLine], report: AbReport, decimals: int | None) -> Row:
    by_line = [next((one for one in line.values if one.variant == name), None) for line in lines]
    texts = [
        _number(value, name, report, decimals if line.has_place else _decimals([line]))
        for line, value in zip(lines, by_line, strict=True)
    ]
    first, has_place = by_line[0], lines[0].has_place
    colour = style_of(report.variant_names, name).text_colour
    return Row(
        name,
        _marks(lines[0], first, report, 0) if first is not None and has_place else (),
        (Words(" / ".join(f"{words.text or NOTHING}{words.state}" for words in texts), colour),),
        colour,
        inside="" if has_place else OWN_UNIT,
    )


def _lines(row: QualityRow) -> list[_QualityLine]:
    """The online gauge in a row of its own, below the offline values of the same metric."""
    is_less_better = row.is_less_better
    lines = [_QualityLine(row.label, row.offline, "offline", row.label, is_less_better)]
    if any(value.value is not None for value in row.online):
        stale = ", stale" if any(value.stale for value in row.online) else ""
        lines.append(
            _QualityLine(f"{row.label}, online{stale}", row.online, "online", row.label, is_less_better)
        )
    return lines


def _row(line: _QualityLine, names: Sequence[str], report: AbReport, decimals: int | None) -> Row:
    if not line.is_known:
        return _without_values(line)
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


def _without_values(line: _QualityLine) -> Row:
    reason = next((value.reason for value in line.values if value.reason), "not measured")
    return Row(line.label, colour=FAINT, reason=reason)


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
