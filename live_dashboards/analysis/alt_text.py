"""The page in words, for those who cannot see it."""

from __future__ import annotations

from live_dashboards.model.moment import format_moment
from live_dashboards.model.names import escaped
from live_dashboards.model.report import AbReport


def alt_text(report: AbReport) -> str:
    """What the picture shows: badge, experiment, moment, and each panel's answer or why it is empty."""
    from live_dashboards.panels.ab import AB_PANELS

    versus = (
        f"{report.challenger} against {report.baseline}" if report.challenger else f"{report.baseline} alone"
    )
    opening = f"A/B testing dashboard, {report.badge.kind.value} ({report.badge.second_line}): {versus}"
    where = f" in experiment {report.experiment}" if report.experiment else ""
    panels = [
        f"{'Simulated: ' if head.origin == 'simulated' else ''}{head.title}"
        + (f" ({head.reason})" if head.reason else "")
        for head in (panel.head(report) for panel in AB_PANELS)
    ]
    verdict = (
        f"Verdict {report.verdict.verdict} ({'; '.join((report.verdict.rule, *report.verdict.reasons))})"
    )
    return escaped(f"{opening}{where}, at {format_moment(report.at)}. {verdict}. " + ". ".join(panels) + ".")
