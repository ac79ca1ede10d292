"""The files beside a picture on request: every drawn value as a table, and the picture in words."""

from __future__ import annotations

import re

from live_dashboards.model.dashboards import DASHBOARD_TITLES, Report, dashboard_name
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.moment import format_moment
from live_dashboards.model.names import escaped
from live_dashboards.model.number import NOTHING, format_count, format_interval, format_number
from live_dashboards.outputs.drawn_values import COLUMNS, drawn_values

_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "＝",
    "＋",
    "－",
    "＠",
)  # some programs take the full-width ones for the others
_MARKUP = re.compile(r"[\\`|*~\[\]]|(?<!\w)_|_(?!\w)")
_LINK = re.compile(r":(?=//)|(?<=\bwww)\.|@", re.IGNORECASE)


def sidecar_texts(report: Report) -> dict[str, str]:
    """Both texts by the suffix of their files."""
    return {".csv": csv_text(report), ".md": markdown_text(report)}


def csv_text(report: Report) -> str:
    """One row a drawn value; a time is RFC 3339, a gap has no value, a text that a spreadsheet would compute
    has an apostrophe before it.
    """
    import pandas as pd

    rows = [[_plain(cell) if isinstance(cell, str) else cell for cell in row] for row in drawn_values(report)]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"n": "Int64"})
    return str(table.to_csv(index=False, lineterminator="\n"))


def markdown_text(report: Report) -> str:
    """The alt text, and the headline numbers with where they come from."""
    versus = f"{report.challenger} against {report.baseline}" if report.challenger else str(report.baseline)
    lines = [
        f"# {DASHBOARD_TITLES[dashboard_name(report)]}: {_cell(versus)}",
        "",
        f"{report.badge.kind.value}: {_cell(report.badge.second_line)}, at {format_moment(report.at)}",
        "",
        _cell(report.alt_text),
        "",
        "| Number | Value | 95 % interval | n | Origin | Observed at | Reason |",
        "|---|---|---|---|---|---|---|",
        *(_row(name, measurement) for name, measurement in report.headline),
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, measurement: Measurement) -> str:
    interval = measurement.interval
    cells = (
        name if measurement.variant is None else f"{name} ({measurement.variant})",
        format_number(measurement.value, measurement.unit),
        format_interval(interval.low, interval.high, measurement.unit) if interval else NOTHING,
        format_count(measurement.n),
        measurement.origin.value,
        format_moment(measurement.observed_at) if measurement.observed_at else NOTHING,
        measurement.reason or "",
    )
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _plain(text: str) -> str:
    """The text on one line, never a formula: a spreadsheet computes what begins with one of these, and names
    come from others.
    """
    shown = escaped(text)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown


def _cell(text: str) -> str:
    """The text on one line, without what ends a cell, is markup or becomes a link: Markdown lets HTML
    through, and addresses turn into links by themselves.
    """
    html = (
        _MARKUP.sub(r"\\\g<0>", escaped(" ".join(text.split())))
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
    )
    return _LINK.sub(lambda found: f"&#{ord(found[0])};", html)
