"""What no one can overlook on a page that is simulated as a whole: a hatched border and a watermark across
it.
"""

from __future__ import annotations

import math

from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from live_dashboards.figures.frame import Frame
from live_dashboards.figures.panel import hatch
from live_dashboards.figures.text import font_properties
from live_dashboards.figures.theme import BORDER_HATCH, WATERMARK_EDGE, WATERMARK_FILL, Sizes

_WORD = "SIMULATED"


def draw_simulation_marks(figure: Figure, sizes: Sizes, border_inches: float) -> None:
    """The border and the watermark, behind everything else."""
    width, height = (float(side) for side in figure.get_size_inches())
    page = Frame(figure, 0.0, 0.0, width, height, sizes)
    edges = (
        page.lower(border_inches),
        page.upper(border_inches),
        page.inner(right=width - border_inches),
        page.inner(left=width - border_inches),
    )
    for edge in edges:
        hatch(edge, BORDER_HATCH, 0.07, width_points=1.1, zorder=-1.0)
    _draw_watermark(figure, width, height)


def _draw_watermark(figure: Figure, width: float, height: float) -> None:
    """The word from corner to corner."""
    path = TextPath((0, 0), _WORD, size=72, prop=font_properties(72.0, is_bold=True))
    box, diagonal = path.get_extents(), math.hypot(width, height)
    size = 0.74 * diagonal / (box.width / 72) / 72
    place = (
        Affine2D()
        .translate(-box.x0 - box.width / 2, -box.y0 - box.height / 2)
        .scale(size)
        .rotate(math.atan2(height, width))
        .translate(width / 2, height / 2)
    )
    patch = PathPatch(
        path,
        facecolor=WATERMARK_FILL,
        edgecolor=WATERMARK_EDGE,
        linewidth=1.0,
        transform=place + figure.dpi_scale_trans,
        zorder=-1,
    )
    patch.set_gid("watermark")
    figure.add_artist(patch)
