"""The page in words, for those who cannot see it."""

from __future__ import annotations

from live_dashboards.model.moment import format_moment
from live_dashboards.model.plain_text import escaped
from live_dashboards.model.report import AbReport


def alt_text(report: AbReport) -> str:
    """What the picture shows: badge, experiment, moment, and each panel's answer or why it is empty."""
    versus = (
        f"{report.challenger} against {report.baseline}" if report.challenger else f"{report.baseline} alone"
    )
    opening = f"A/B testing dashboard, {report.badge.kind.value} ({report.badge.second_line}): {versus}"
    where = f" in experiment {report.experiment}" if report.experiment else ""
    heads = (
        report.effect,
        report.quality,
        report.split,
        report.rate,
        report.latency,
        report.errors,
        report.impact,
        report.runs,
        report.health,
    )
    panels = [
        f"{'Simulated: ' if panel.head.origin == 'simulated' else ''}{panel.head.title}"
        + (f" ({panel.head.reason})" if panel.head.reason else "")
        for panel in heads
    ]
    verdict = (
        f"Verdict {report.verdict.verdict} ({'; '.join((report.verdict.rule, *report.verdict.reasons))})"
    )
    return escaped(f"{opening}{where}, at {format_moment(report.at)}. {verdict}. " + ". ".join(panels) + ".")
