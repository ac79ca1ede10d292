"""The dark theme: for every colour that a figure may hold, the one that stands in its place on a dark
page.
"""

from __future__ import annotations

DARK_PAPER, DARK_CARD = "#14181D", "#1B2026"

DARK = {
    "#FFFFFF": DARK_PAPER,  # paper
    "#F4F6F8": DARK_CARD,  # tint
    "#1B2127": "#E9EDF1",  # ink
    "#4F5A65": "#B7C0C9",  # muted
    "#626D78": "#A3ADB7",  # faint
    "#767F88": "#8C96A0",  # axis
    "#E4E7EA": "#2B323A",  # grid
    "#BFC6CC": "#434C56",  # rule
    "#E3E6E9": "#262D34",  # hatch
    "#E6EBEF": "#2A333D",  # band
    "#8A6100": "#D9A53A",  # border hatch
    "#F5F1EC": "#1E1D1B",  # watermark fill
    "#E0D6C9": "#3A342B",  # watermark edge
    "#8A5A00": "#E0A94A",  # caution
    "#B42318": "#FF8A7E",  # alarm
    "#5B6F80": "#8FA6B9",  # calm
    "#66717C": "#9AA5B0",  # cached
    "#0072B2": "#4BA9E8",  # control
    "#00629B": "#6BB8EE",
    "#D55E00": "#F0803A",  # treatment
    "#A84300": "#F5995E",
    "#009E73": "#2FBF93",  # third
    "#00714F": "#4CCBA3",
    "#CC79A7": "#DE93BC",  # fourth
    "#9C3F75": "#E3A3C6",
    "#3F4750": "#C3CBD3",  # greys of the further ones
    "#767676": "#9A9A9A",
    "#595959": "#B4B4B4",
    "#59616A": "#A9B2BB",
}
"""Light hex → dark hex. Words and marks keep their contrast; grid, bands and hatching stay faint."""
