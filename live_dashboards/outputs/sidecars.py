"""Files beside a picture: what is drawn in each panel, as one tidy table, and the page in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from live_dashboards.model.chart import DrawnValue, Panel, drawn_value
from live_dashboards.model.dashboards import DASHBOARD_TITLES
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.moment import format_moment
from live_dashboards.model.names import escaped
from live_dashboards.model.number import NOTHING, format_count, format_interval, format_number
from live_dashboards.model.report import Report, RunsPanel

COLUMNS = DrawnValue._fields

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


def drawn_values(report: Report) -> list[DrawnValue]:
    """Every value of the panels that are drawn, panel by panel; a panel without data has none."""
    header = [drawn_value("header", name, "", measurement) for name, measurement in report.headline]
    shown = [panel for panel in _panels(report) if panel.is_shown(report)]
    return [*header, *(value for panel in shown for value in _values(panel, report))]


def _panels(report: Report) -> tuple[Panel[Any], ...]:
    """Those of its page, which are loaded for it alone."""
    if report.dashboard == "ab":
        from live_dashboards.panels.ab import AB_PANELS

        return AB_PANELS
    from live_dashboards.panels.business import BUSINESS_PANELS

    return BUSINESS_PANELS


def _values(panel: Panel[Any], report: Any) -> Iterator[DrawnValue]:
    if panel.name == "runs":  # drawn by hand
        yield from _runs(report.runs)
    elif panel.head(report).is_drawn:
        yield from (value for chart in panel.charts(report) for value in chart.table)


def _runs(panel: RunsPanel) -> Iterator[DrawnValue]:
    """A run's accuracy at its start, and its end where it has one."""
    for bar in panel.bars:
        accuracy = bar.accuracy
        value = accuracy.value if accuracy else None
        start = DrawnValue(
            "runs",
            f"{bar.label} ({bar.state})",
            bar.variant,
            format_moment(bar.started_at),
            value,
            None,
            None,
            "percent",
            panel.head.origin.value,
            None,
        )
        yield start
        if bar.ended_at is not None:
            yield start._replace(x=format_moment(bar.ended_at))


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
        f"# {DASHBOARD_TITLES[report.dashboard]}: {_cell(versus)}",
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
