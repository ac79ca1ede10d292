"""Colours, fonts and sizes of every picture, in one place; a test holds them against the contrast rules."""

from __future__ import annotations

from dataclasses import dataclass

from live_dashboards.model.report import BadgeKind

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
BORDER_HATCH = "#8A6100"
WATERMARK_FILL = "#F5F1EC"
WATERMARK_EDGE = "#E0D6C9"
CAUTION = "#8A5A00"
ALARM = "#B42318"
CALM = "#5B6F80"
CACHED = "#66717C"

SURFACES = (PAPER, TINT)
TEXT_COLOURS = (INK, MUTED, FAINT, CAUTION, ALARM)
MARK_COLOURS = (AXIS, CALM, CAUTION, ALARM, CACHED, BORDER_HATCH)

TICK_PAD_POINTS = 3.5  # matplotlib's own
SMALLEST_POINTS = 7.0
SMALLEST_PAGE_INCHES = (12.0, 6.75)
DESIGN_PAGE_INCHES = (16.0, 10.0)


AXES_STYLE = {
    "axes.facecolor": "none",
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.spines.bottom": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
}
TICK_STYLE = {"grid.linewidth": 0.6, "xtick.major.size": 0, "ytick.major.size": 0}
"""How axes look while a page is made: no frame, no tick marks, light lines behind the data."""


@dataclass(frozen=True, slots=True)
class VariantStyle:
    """How one variant looks everywhere: `colour` of marks, `text_colour` of words, marker, and dashes in line widths (empty is solid)."""

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

STATE_STYLES = {
    "fresh": (CALM, "o"),
    "stale": (CAUTION, "^"),
    "missing": (ALARM, "X"),
    "info": (CALM, "D"),
}
"""Colour and marker of a data health state; its word always stands beside it."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Font sizes in points for a page `scale` times the design's 16x10 inches; nothing falls below 7 pt."""

    scale: float

    def points(self, design_points: float) -> float:
        """The font size on this page for one on the 16x10 page."""
        return max(SMALLEST_POINTS, design_points * self.scale)

    def room(self, design_inches: float) -> float:
        """Inches that words take on this page where they take that many on the 16x10 page; small text does not shrink with the page."""
        return design_inches * self.tick / 8

    @property
    def page_title(self) -> float:
        """Of the experiment's name."""
        return self.points(16)

    @property
    def verdict(self) -> float:
        """Of the verdict and the badge's word."""
        return self.points(12)

    @property
    def title(self) -> float:
        """Of a panel's title."""
        return self.points(11)

    @property
    def body(self) -> float:
        """Of subtitles and labels."""
        return self.points(9)

    @property
    def tick(self) -> float:
        """Of numbers on axes and in columns."""
        return self.points(8)

    @property
    def note(self) -> float:
        """Of notes below drawings, the smallest."""
        return self.points(7.4)

    @property
    def has_notes(self) -> bool:
        """Whether the page has room for notes; they are the first thing a small page drops."""
        return self.scale >= 0.78

    @property
    def line(self) -> float:
        """Width of a data line in points."""
        return max(1.0, 1.4 * self.scale)

    @property
    def marker(self) -> float:
        """Size of a marker in points."""
        return max(4.0, 6.0 * self.scale)


def page_scale(size_inches: tuple[float, float]) -> float:
    """How large the page is beside the design's, by its tighter side."""
    return min(size_inches[0] / DESIGN_PAGE_INCHES[0], size_inches[1] / DESIGN_PAGE_INCHES[1])


def line_inches(points: float, leading: float = 1.3) -> float:
    """Height of one line of text of that size, in inches."""
    return points * leading / 72
