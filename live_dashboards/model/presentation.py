"""What pictures and web page look alike in: colours, the style of each variant, badges, states, and the names
of metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from live_dashboards.model.judgement import KEEP_RUNNING, NO_DIFFERENCE, NO_VERDICT, ROLL_BACK, SHIP
from live_dashboards.model.measurement import Interval, Measurement, Origin
from live_dashboards.model.metrics import BESIDE, METRICS
from live_dashboards.model.number import format_count, format_percent
from live_dashboards.model.report import BadgeKind, ErrorRow

PAPER = "#FFFFFF"
TINT = "#F4F6F8"
INK = "#1B2127"
MUTED = "#4F5A65"
FAINT = "#626D78"
AXIS = "#767F88"
GRID = "#E4E7EA"
RULE = "#BFC6CC"
HATCH = "#E3E6E9"
BAND = "#E6EBEF"
INNER_BAND = "#CFD8DF"
BORDER_HATCH = "#8A6100"
WATERMARK_FILL = "#F5F1EC"
WATERMARK_EDGE = "#E0D6C9"
CAUTION = "#8A5A00"
ALARM = "#B42318"
CALM = "#5B6F80"
CACHED = "#66717C"
MEASURED, ASSUMED, RESULT = CALM, CAUTION, INK  # of money: what was measured, assumed, and follows from both


@dataclass(frozen=True, slots=True)
class VariantStyle:
    """How one variant looks everywhere: `colour` of marks, `text_colour` of words, marker, and dashes in line
    widths (empty is solid).
    """

    colour: str
    text_colour: str
    marker: str
    dashes: tuple[float, ...]


VARIANT_STYLES = (
    VariantStyle("#0072B2", "#00629B", "o", ()),
    VariantStyle("#D55E00", "#A84300", "s", (5.0, 1.4)),
    VariantStyle("#009E73", "#00714F", "^", (1.2, 1.2)),
    VariantStyle("#CC79A7", "#9C3F75", "D", (5.0, 1.4, 1.2, 1.4)),
    VariantStyle("#3F4750", "#3F4750", "v", (2.5, 1.2)),
    VariantStyle("#767676", "#595959", "P", (8.0, 1.4)),
    VariantStyle("#59616A", "#59616A", "X", (3.5, 1.2, 1.2, 1.2, 1.2, 1.2)),
)
"""By index: control, treatment, third, fourth, then greys that differ by marker and dashes."""


def variant_style(index: int) -> VariantStyle:
    """The style of the variant at that place of the page's order; the greys repeat from the eighth on."""
    if index < len(VARIANT_STYLES):
        return VARIANT_STYLES[index]
    return VARIANT_STYLES[4 + (index - 4) % 3]


@dataclass(frozen=True, slots=True)
class BadgeShape:
    """Fill and edge of the badge's disc."""

    fill: str
    edge: str


BADGE_SHAPES = {
    BadgeKind.LIVE: BadgeShape("#C8102E", "#7A0A1C"),
    BadgeKind.OPERATIONAL: BadgeShape("#F2C230", "#6B5200"),
    BadgeKind.MODEL: BadgeShape("#F08A24", "#8A4300"),
    BadgeKind.SIMULATED: BadgeShape("#FFFFFF", "#1B2127"),
    BadgeKind.CACHED: BadgeShape("#8C969F", "#4F5A65"),
}


@dataclass(frozen=True, slots=True)
class VerdictStyle:
    """How a verdict looks: its sign, which no colour is needed to tell, the band's fill, the colour of the
    word on it, and the band's edge.
    """

    sign: str
    fill: str
    ink: str
    edge: str


SHIPS = "#00664A"
VERDICT_STYLES = {
    SHIP: VerdictStyle("✓", SHIPS, PAPER, SHIPS),
    ROLL_BACK: VerdictStyle("✕", ALARM, PAPER, ALARM),
    KEEP_RUNNING: VerdictStyle("→", MUTED, PAPER, MUTED),
    NO_DIFFERENCE: VerdictStyle("=", INK, PAPER, INK),
    NO_VERDICT: VerdictStyle("?", PAPER, INK, INK),
}
"""By the verdict's word, which always stands in it."""

CACHED_MARK = "†"

STATE_STYLES = {
    "fresh": (CALM, "o"),
    "stale": (CAUTION, "^"),
    "missing": (ALARM, "X"),
    "info": (CALM, "D"),
}
"""Colour and marker of a data health state; its word always stands beside it."""


def metric_title(metric: str) -> str:
    """The metric's name as people write it before its row."""
    found = METRICS.get(metric) or BESIDE.get(metric)
    return found.row_title if found else metric.replace("_", " ").capitalize()


def style_of(names: Sequence[str], variant: str | None) -> VariantStyle:
    """The style of that variant in the page's order; of what is no variant, the style after all of them."""
    return variant_style(names.index(variant) if variant in names else max(4, len(names)))


def colour_of(style: VariantStyle, origin: Origin) -> str:
    """The variant's colour; grey for a cached value."""
    return CACHED if origin is Origin.CACHED else style.colour


def drawn_interval(measurement: Measurement) -> Interval | None:
    """The interval that pictures show: at the chosen confidence, else the 95 % one."""
    return measurement.drawn_interval or measurement.interval


def origin_mark(origin: Origin) -> str:
    """` est.`, a dagger for a cached value, or nothing for a measured one; badge and panel say what the
    dagger is, as a word would not fit beside each number.
    """
    return {Origin.ESTIMATED: " est.", Origin.CACHED: CACHED_MARK}.get(origin, "")


def state_words(measurement: Measurement) -> str:
    """The mark of its origin, and ` stale` where it is."""
    return origin_mark(measurement.origin) + (" stale" if measurement.stale else "")


def count_words(counted: Measurement) -> str:
    """A count; with `≥` where it is only the least of what its limits allow."""
    return f"{'≥ ' if is_open(counted) else ''}{format_count(counted.value)}"


def errors_words(row: ErrorRow, rate: str) -> str:
    """`0.090 % · 30 of 33,264`; a 0 that is taken on trust, as there is no series of errors, is named instead
    of a rate.
    """
    if row.is_assumed:
        return f"0 assumed, of {count_words(row.requests)}"
    return f"{rate} · {count_words(row.errors)} of {count_words(row.requests)}"


def is_open(counted: Measurement) -> bool:
    """Whether more may have been counted."""
    interval = counted.interval
    return interval is not None and interval.low == counted.value != interval.high


def share_words(share: Measurement) -> str:
    """A share in percent; with `≥` where more of its part may have been counted, `≤` where more of the whole,
    `≈` where both.
    """
    signs = {(True, False): "≥ ", (False, True): "≤ ", (True, True): "≈ "}
    if len(share.inputs) != 2:
        return format_percent(share.value)
    part, whole = share.inputs
    return f"{signs.get((is_open(part), is_open(whole)), '')}{format_percent(share.value)}"
