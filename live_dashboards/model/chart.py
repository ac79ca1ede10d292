"""What is drawn, whoever draws it: charts of rows, of lines over time, curves and tables. Marks carry their
values, words and colours; how each kind looks is the renderers' business.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from live_dashboards.model.axis import finite_ends, padded
from live_dashboards.model.judgement import Condition
from live_dashboards.model.measurement import Interval, Measurement
from live_dashboards.model.moment import format_moment
from live_dashboards.model.presentation import INK, VariantStyle
from live_dashboards.model.report import Head, Line, Report

_SMALLEST = 1e-9  # of a log axis
_PANEL_NAME = re.compile("[a-z][a-z0-9_]*")  # parts of the web page are named after it
_LOOKS = {
    "dot": ("", "state"),
    "tick": ("plan", "bound", "mean"),
    "span": ("bucket", "bound", "age", "limits", "spread", "whisker"),
    "bar": ("filled", "hatched", "empty"),
    "joint": ("",),
}
_LOG_BELOW, _LOG_ABOVE = 1.15, 1.25


class DrawnValue(NamedTuple):
    """A row of the table of what is drawn: `x` is a time or the label on the axis, `low` and `high` are the
    limits as drawn, all in `unit`; `n` of a difference is the treatment's.
    """

    panel: str
    series: str
    variant: str | None
    x: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    origin: str
    n: int | None


def drawn_value(panel: str, series: str, x: str, measurement: Measurement) -> DrawnValue:
    """The measurement as that table lists it, with the limits that pictures show."""
    limits = measurement.drawn_interval or measurement.interval
    low, high = (limits.low, limits.high) if limits else (None, None)
    return DrawnValue(
        panel,
        series,
        measurement.variant,
        x,
        measurement.value,
        low,
        high,
        measurement.unit,
        measurement.origin.value,
        measurement.n,
    )


class Said(NamedTuple):
    """A line of what a mark says when it is pointed at; `how` is title, value (with what is `after` it),
    plain,
    short (cut to a label), long (cut and wrapped) or query.
    """

    text: str
    how: str = "plain"
    after: str = ""


Sayings: TypeAlias = tuple[Said, ...]


class Words(NamedTuple):
    """Words in a colour; `state` is what is told of their value behind them (estimated, cached, stale)."""

    text: str
    colour: str = INK
    state: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands in a row, at a value or between two.

    `kind` is dot (with its interval thin and its inner one thick; hollow where its certainty is unknown),
    tick,
    span (between the interval's ends), bar (from the first to the second of `ends`) or joint (to the next
    row). `look` names one of the looks that a renderer has for the kind; `size` stands beside the usual
    one's; `lane` tells marks of one row apart. ValueError for a kind or look that there is not, and for a
    mark without a place: nothing is drawn at a 0 that was not measured.
    """

    kind: str
    colour: str
    value: float | None = None
    interval: Interval | None = None
    inner: Interval | None = None
    ends: tuple[float, float] | None = None
    style: VariantStyle | None = None
    is_filled: bool = True
    look: str = ""
    size: float = 1.0
    lane: int = 0
    series: str = ""
    said: Sayings = ()

    def __post_init__(self) -> None:
        if self.look not in _LOOKS.get(self.kind, ()):
            known = ", ".join(f"{kind} {look}".strip() for kind, looks in _LOOKS.items() for look in looks)
            raise ValueError(f"there is no mark {self.kind!r} of the look {self.look!r}; there are {known}")
        if self.kind in {"dot", "tick", "joint"} and self.value is None:
            raise ValueError(f"a {self.kind} without a value has no place; leave the mark out")
        if self.kind == "dot" and self.style is None:
            raise ValueError("a dot needs the style whose marker it has")
        if self.kind in {"span", "bar"} and (self.interval if self.kind == "span" else self.ends) is None:
            raise ValueError(f"a {self.kind} without ends has no place; leave the mark out")

    @property
    def reach(self) -> tuple[float, ...]:
        """The values that an axis has to reach to show it."""
        return tuple(finite_ends((self.value, *(self.ends or ())), (self.interval,)))


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a chart: its name, its marks, its numbers and why it has no mark.

    `of` is a further name (whose row it is). `inside` stands where marks would, if they had a place on this
    axis. `below` and `number_below` stand small below name and number and
    `aside` small beside the name, where there is room; `suffix` behind the number where `below` has none.
    """

    name: str
    marks: tuple[Mark, ...] = ()
    numbers: tuple[Words, ...] = ()
    colour: str = INK
    reason: str = ""
    of: str = ""
    inside: str = ""
    below: Words | None = None
    number_below: Words | None = None
    aside: str = ""
    suffix: str = ""
    is_less_better: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """A value axis: its unit, and where it goes: `fixed`, or around what is drawn and the values `around`,
    within `floor` and `ceiling`.
    """

    unit: str
    fixed: tuple[float, float] | None = None
    around: tuple[float, ...] = ()
    floor: float | None = None
    ceiling: float | None = None
    is_log: bool = False

    def limits(self, rows: Iterable[Row]) -> tuple[float, float]:
        """From where to where it goes for these rows."""
        reach = [value for row in rows for mark in row.marks for value in mark.reach]
        if self.fixed is not None:
            return self.fixed
        if self.is_log:
            ends = [value for value in reach if value > 0]
            smallest = max(_SMALLEST, min(ends, default=1.0))
            return (smallest / _LOG_BELOW, max(ends) * _LOG_ABOVE) if ends else (1.0, 1000.0)
        return padded([*reach, *self.around], floor=self.floor, ceiling=self.ceiling)


class Guide(NamedTuple):
    """A value that all rows are held against; `look` is zero (where nothing changes), under or over (dashed,
    below or above the marks).
    """

    value: float
    look: str = "zero"


class Room(NamedTuple):
    """How a chart of rows shares a panel's width where it has columns: inches of the names on the 16x10 page,
    the most of the width that the numbers take, whether these are words, which may be cut where names may
    not, whether a reason stands among the numbers, and of how many rows, the first ones, the second lines are
    worth more than further rows.
    """

    names_inches: float = 1.12
    numbers_share: float = 0.42
    are_words: bool = False
    has_reasons_beside: bool = False
    first_rows: int = 0


_USUAL_ROOM = Room()


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows over one axis.

    `axis` is the quantity with its unit and `legend` what the marks mean, for renderers that title their
    axes;
    `heading` and `over_numbers` stand over the drawing and over the numbers where those are columns;
    `columns`
    are the headings of several numbers a row, whose marks have a lane each. `band` is a shade around 0 with
    its
    words. `is_joined`: a line joins a row's dots.
    """

    rows: tuple[Row, ...]
    scale: Scale
    axis: str
    legend: str = ""
    heading: str = ""
    over_numbers: str = ""
    columns: tuple[Words, ...] = ()
    guides: tuple[Guide, ...] = ()
    band: tuple[float, str] | None = None
    empty: str = "nothing to show"
    room: Room = _USUAL_ROOM
    is_joined: bool = False
    table: tuple[DrawnValue, ...] = ()


class Whisker(NamedTuple):
    """Limits of a line's variant at one moment (unix seconds)."""

    variant: str | None
    at_seconds: float
    low: float
    high: float


class Band(NamedTuple):
    """Limits over time, (unix seconds, low, high), of a line's variant; an inner one lies within another."""

    variant: str | None
    points: tuple[tuple[float, float, float], ...]
    is_inner: bool = False


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines over the window, or over a `span` of their own (unix seconds), of one quantity: `axis` names it
    with its unit, `caption` is shorter.

    `target` is a value to stay below, with its words; `marks` are (unix seconds, label) of dated changes.
    `bands` lie behind the lines, `whiskers` before them; `fixed` is from where to where the axis goes, else
    as far as the lines. `has_zero`: a line stands where nothing differs.
    """

    panel: str
    lines: tuple[Line, ...]
    unit: str
    axis: str
    caption: str = ""
    is_zero_based: bool = True
    target: float | None = None
    target_words: str = ""
    marks: tuple[tuple[float, str], ...] = ()
    span: tuple[float, float] | None = None
    bands: tuple[Band, ...] = ()
    whiskers: tuple[Whisker, ...] = ()
    fixed: tuple[float, float] | None = None
    has_zero: bool = False

    def during(self, report: Report) -> tuple[float, float]:
        """From when to when the axis goes (unix seconds)."""
        end = report.at.timestamp()
        return self.span or (end - report.window_seconds, end)

    @property
    def limits(self) -> tuple[float, float]:
        """From where to where it goes upwards."""
        values = [value for line in self.lines for value in _finite(line)]
        if self.fixed is not None or not values:
            return self.fixed or (0.0, 1.0)
        values += [] if self.target is None else [self.target]
        low, high = min(values), max(values)
        if self.is_zero_based and low >= 0:
            return 0.0, high * 1.1 or 1.0
        room = (high - low) * 0.12 or abs(high) * 0.1 or 1.0
        return low - room, high + room

    @property
    def table(self) -> tuple[DrawnValue, ...]:
        """Every point of every line."""
        return tuple(value for line in self.lines for value in _points(self.panel, line))


def _finite(line: Line) -> Iterable[float]:
    return (value for _, value in line.timeline.points if value is not None and math.isfinite(value))


def _points(panel: str, line: Line) -> Iterable[DrawnValue]:
    quantity = line.latest.name.removesuffix("_latest")
    series = quantity if line.variant is not None else f"{quantity}: {line.label}"
    frame = drawn_value(panel, series, "", line.latest)
    frame = frame._replace(variant=line.variant, low=None, high=None, n=None)
    for at_seconds, value in line.timeline.points:
        yield frame._replace(x=format_moment(datetime.fromtimestamp(at_seconds, UTC)), value=value)


@dataclass(frozen=True, slots=True)
class Sentences:
    """Words below a drawing; `are_notices`: one in a list of warnings each, the weightiest first."""

    texts: tuple[str, ...]
    are_notices: bool = False
    table: tuple[DrawnValue, ...] = ()


class Cell(NamedTuple):
    """Words of a table; `more` stands in their place where there is room for whole sentences."""

    text: str
    colour: str = INK
    more: str = ""


class Column(NamedTuple):
    """A column's heading, the share of a picture's width that it takes (0: it stands only where a table may
    be as wide as it likes), and the variant whose column it is, as its place in the page's order.
    """

    heading: str
    share: float = 0.0
    variant: int | None = None


class TableRow(NamedTuple):
    """A cell a column, the first one names the row; `below` stands small below a picture's row, for the
    columns that have no room there.
    """

    cells: tuple[Cell, ...]
    below: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """What is better read than drawn; `caption` says what it is. ValueError for rows with other cells than
    there are columns, and for columns of no share that a picture has.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]
    table: tuple[DrawnValue, ...] = ()

    def __post_init__(self) -> None:
        if not all(0 <= column.share < math.inf for column in self.columns):
            raise ValueError(f"the table {self.caption!r} has a column whose share is not from 0 on")
        others = {len(row.cells) for row in self.rows} - {len(self.columns)}
        if others:
            raise ValueError(
                f"the table {self.caption!r} has {len(self.columns)} columns and a row of {min(others)} cells"
            )


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions, each with its state as sign and word, and its numbers; `caption` says what they are."""

    caption: str
    conditions: tuple[Condition, ...]
    table: tuple[DrawnValue, ...] = ()


class Spot(NamedTuple):
    """A point of a curve, with its name, what it says, and words `beside` it; hollow where its certainty is
    unknown or it is computed, not measured.
    """

    name: str
    x: float
    y_usd: float
    colour: str
    said: Sayings
    is_filled: bool = True
    beside: str = ""
    size: float = 1.2
    edge_points: float = 1.0


@dataclass(frozen=True, slots=True)
class Curve:
    """An amount in USD over what it depends on, as a line through `points` (x, USD).

    `x_axis` is the quantity with its unit, and in a further line what the shade is; `x_ticks` are its places
    with their labels. `said` is what a place of the line says. `shade` goes from one x to another, `band` is
    (x, low, high) in USD. `guides` are dashed, `above` are words over their x. ValueError for points that
    are fewer than two, not finite, or not in the order of their x.
    """

    points: tuple[tuple[float, float], ...]
    said: Callable[[float, float], Sayings]
    x_axis: str
    x_ticks: tuple[tuple[float, str], ...]
    y_axis: str
    shade: tuple[float, float] | None = None
    band: tuple[tuple[float, float, float], ...] = ()
    spots: tuple[Spot, ...] = ()
    guides: tuple[float, ...] = ()
    above: tuple[tuple[float, Words], ...] = ()
    table: tuple[DrawnValue, ...] = ()

    def __post_init__(self) -> None:
        xs = [x for x, _ in self.points]
        is_finite = all(math.isfinite(end) for point in self.points for end in point)
        if len(xs) < 2 or not is_finite or any(later <= sooner for sooner, later in pairwise(xs)):
            raise ValueError(f"a curve of {self.y_axis} needs two or more finite points, in order of x")

    @property
    def x_limits(self) -> tuple[float, float]:
        """From where to where the axis goes."""
        return self.points[0][0], self.points[-1][0]

    @property
    def y_limits(self) -> tuple[float, float]:
        """The same of the amounts; with 0, where nothing changes."""
        ends = [end for _, *limits in self.band for end in limits]
        return padded([*(y for _, y in self.points), *(spot.y_usd for spot in self.spots), *ends, 0.0])


Chart: TypeAlias = Rows | Lines | Sentences | Table | Conditions | Curve


OfReport = TypeVar("OfReport", bound=Report)


def always(_: object) -> bool:
    """Whatever the report is."""
    return True


def drawn_by_hand(_: object) -> tuple[Chart, ...]:
    """No charts: each renderer knows the panel by its name and draws it by hand."""
    return ()


@dataclass(frozen=True, slots=True)
class Panel(Generic[OfReport]):
    """A panel of a page: what it says of a report, in at most so many charts with axes. `is_wide`: it needs a
    page's whole width where there are columns of panels. Its words and state are those of the report's field
    of its name, unless `words` gives others. `is_shown`: whether it is on the page of a report at all.
    """

    name: str
    charts: Callable[[OfReport], tuple[Chart, ...]]
    most_charts: int = 1
    is_wide: bool = False
    empty: str = "nothing to show"
    words: Callable[[OfReport], Head] | None = None
    is_shown: Callable[[OfReport], bool] = always

    def __post_init__(self) -> None:
        if not _PANEL_NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no panel's name; use small letters and underscores")

    def shown(self, report: OfReport) -> tuple[Chart, ...]:
        """Its charts of this report; ValueError for more than a panel has places for."""
        charts = self.charts(report)
        kinds = (Rows, Lines, Table | Conditions | Curve)
        rows, lines, whole = (sum(isinstance(chart, kind) for chart in charts) for kind in kinds)
        if rows + whole > 1 or (rows and lines > 1) or (whole and lines):
            raise ValueError(
                f"the panel {self.name!r} has {rows} charts of rows, {lines} of lines and {whole} tables, "
                "curves or conditions; a panel holds one of rows, one of rows above one of lines, several of "
                "lines, or one of the others"
            )
        return charts

    def head(self, report: OfReport) -> Head:
        """Its title, state and note."""
        if self.words is not None:
            return self.words(report)
        found: Head = getattr(report, self.name).head
        return found
