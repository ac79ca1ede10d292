"""What a notification says of a run: badge, verdict and headline numbers of each picture, and where it can be
seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from live_dashboards.model.business_report import BusinessReport
from live_dashboards.model.dashboards import DASHBOARD_TITLES, dashboard_name
from live_dashboards.model.number import NOTHING, format_number
from live_dashboards.model.plain_text import escaped
from live_dashboards.model.report import AbReport
from live_dashboards.outputs.run_line import Written, conclusion, wrong_with

_LONGEST_NAME = 100
_HEADLINES = (
    ("baseline_accuracy", "baseline"),
    ("enhanced_accuracy", "challenger"),
    ("total_requests_24h", "requests in 24 h"),
    ("avg_response_time_ms", "mean latency"),
    ("error_rate", "error rate"),
)


def notice_text(written: Sequence[Written], *, required: str, public_url: str | None, folder: Path) -> str:
    """A paragraph a picture in Slack's text, where `&`, `<` and `>` stand for themselves; pictures below
    `folder` are linked below the public URL.
    """
    return "\n".join(_paragraph(each, required, link(each.image, public_url, folder)) for each in written)


def link(image: Path, public_url: str | None, folder: Path) -> str:
    """Where the picture can be seen; the public URL itself where the picture lies elsewhere than in the
    folder, nothing without one.
    """
    if public_url is None:
        return ""
    place, root = image.absolute(), folder.absolute()
    return (
        f"{public_url}/{quote(place.relative_to(root).as_posix())}"
        if place.is_relative_to(root)
        else public_url
    )


def _paragraph(each: Written, required: str, address: str) -> str:
    report = each.report
    of = f" of {_name(report.experiment)}" if report.experiment else ""
    words = f"{report.badge.kind.value}: {DASHBOARD_TITLES[dashboard_name(report)]}{of}: {conclusion(report)}"
    wrong = tuple(wrong_with(each, required))
    lines = (
        words,
        _business(report) if isinstance(report, BusinessReport) else _ab(report),
        f"wrong: {', '.join(wrong)}" if wrong else "",
        address,
    )
    return "\n".join(_escaped(line) for line in lines if line)


def _ab(report: AbReport) -> str:
    headline = dict(report.headline)
    return ", ".join(
        f"{label} {format_number(headline[key].value, headline[key].unit)}"
        for key, label in _HEADLINES
        if key in headline
    )


def _business(report: BusinessReport) -> str:
    return ", ".join(
        f"{label} {value or NOTHING}" + (f" ({beside})" if beside else "")
        for label, value, beside in report.headline_words
    )


def _name(text: str) -> str:
    """The name on one line and not endless."""
    return escaped(text[:_LONGEST_NAME]) + ("…" if len(text) > _LONGEST_NAME else "")


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
