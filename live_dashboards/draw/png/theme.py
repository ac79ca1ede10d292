"""Fonts, sizes and further colours of every picture; a test holds them against the contrast rules. What the
web page shares is in `model.presentation`.
"""

from __future__ import annotations

from dataclasses import dataclass

from live_dashboards.model.presentation import (
    ALARM,
    AXIS,
    BADGE_SHAPES,
    BAND,
    BORDER_HATCH,
    CACHED,
    CALM,
    CAUTION,
    FAINT,
    GRID,
    HATCH,
    INK,
    INNER_BAND,
    MUTED,
    PAPER,
    RULE,
    STATE_STYLES,
    TINT,
    VARIANT_STYLES,
    VERDICT_STYLES,
    WATERMARK_EDGE,
    WATERMARK_FILL,
    BadgeShape,
    VariantStyle,
    variant_style,
)

__all__ = (
    "ALARM",
    "AXES_STYLE",
    "AXIS",
    "BADGE_SHAPES",
    "BAND",
    "BORDER_HATCH",
    "CACHED",
    "CALM",
    "CAUTION",
    "DESIGN_PAGE_INCHES",
    "FAINT",
    "GRID",
    "HATCH",
    "INK",
    "INNER_BAND",
    "MARK_COLOURS",
    "MUTED",
    "PAPER",
    "RULE",
    "SMALLEST_PAGE_INCHES",
    "SMALLEST_POINTS",
    "STATE_STYLES",
    "SURFACES",
    "TEXT_COLOURS",
    "TICK_PAD_POINTS",
    "TICK_STYLE",
    "TINT",
    "VARIANT_STYLES",
    "VERDICT_STYLES",
    "WATERMARK_EDGE",
    "WATERMARK_FILL",
    "BadgeShape",
    "Sizes",
    "VariantStyle",
    "line_inches",
    "page_scale",
    "variant_style",
)


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
class Sizes:
    """Font sizes in points for a page `scale` times the design's 16x10 inches; nothing falls below 7 pt."""

    scale: float

    def points(self, design_points: float) -> float:
        """The font size on this page for one on the 16x10 page."""
        return max(SMALLEST_POINTS, design_points * self.scale)

    def room(self, design_inches: float) -> float:
        """Inches that words take on this page where they take that many on the 16x10 page; small text does
        not shrink with the page.
        """
        return design_inches * self.tick / 8

    @property
    def page_title(self) -> float:
        """Of the experiment's name."""
        return self.points(14)

    @property
    def verdict(self) -> float:
        """Of the verdict, which is what the eye meets first."""
        return 2 * self.page_title

    @property
    def answer(self) -> float:
        """Of the sentence beside it, the recommendation and the badge's word."""
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
