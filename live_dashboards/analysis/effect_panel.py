"""The forest of differences as a panel: its title the answer on the success metric, its note the methods."""

from __future__ import annotations

from live_dashboards.analysis.effect import Compared
from live_dashboards.analysis.facts.page import Page, failure
from live_dashboards.analysis.facts.period import period_of
from live_dashboards.model.judgement import Comparison
from live_dashboards.model.measurement import Origin
from live_dashboards.model.metrics import METRICS, metric_of
from live_dashboards.model.number import format_count, format_interval, format_signed
from live_dashboards.model.report import EffectPanel, Head


def effect_panel(page: Page, compared: tuple[Compared, ...], success: Compared | None) -> EffectPanel:
    """The rows as they are judged, at 95 %."""
    rows = tuple(each.row for each in compared)
    shown = [row for row in rows if row.estimate is not None]
    subtitle = f"{page.roles.challenger or 'challenger'} − {page.roles.baseline}, percentage points"
    logged = ", ".join(each.words for each in METRICS.values())
    asked = f"latest {logged} in MLflow; errors, requests and response times in Prometheus"
    if not shown:
        failures = [
            failure(status)
            for status in (page.mlflow_status, page.prometheus_status)
            if not status.has_answered
        ]
        reason = "; ".join(failures) or next(
            (row.reason for row in rows if row.reason), "there is no challenger"
        )
        return EffectPanel(
            Head("No difference to show", subtitle, Origin.MISSING, asked=asked, reason=str(reason))
        )
    weakest = max((row.origin for row in shown), key=lambda origin: origin.weakness)
    titled = success.row if success is not None and success.row.estimate is not None else shown[0]
    head = Head(_title(titled), subtitle, weakest, _note(page, rows), asked)
    return EffectPanel(
        head,
        tuple(row for row in rows if row.unit == "points"),
        float(page.settings["AB_MINIMUM_EFFECT_POINTS"]),
        tuple(row for row in rows if row.unit != "points"),
    )


def _title(row: Comparison) -> str:
    estimate, metric, unit = row.estimate or 0.0, metric_of(row.metric), row.unit
    low, high = row.verdict_limits
    if low is None or high is None:
        return f"{metric.title} {format_signed(estimate, unit)}, of unknown certainty"
    if row.descriptive:
        return f"{metric.title} {format_signed(estimate, unit)}: its labels decide nothing"
    if low <= 0 <= high and not (row.harm_low is not None and row.harm_low > 0):
        return f"{metric.title}: no clear difference ({format_interval(low, high, unit, signed=True)})"
    word = "better" if (estimate > 0) is row.is_higher_better else "worse"
    return f"{row.treatment}: {metric.words} {word} by {format_signed(estimate, unit)}"


def _note(page: Page, rows: tuple[Comparison, ...]) -> str:
    """What the intervals are: always-valid since when, for one look, over how many challengers, and what
    clustering costs.
    """
    return "; ".join(filter(None, (_interval_words(page, rows), _cluster_words(rows), _family_words(rows))))


def _interval_words(page: Page, rows: tuple[Comparison, ...]) -> str:
    period = period_of(page, page.roles.challenger)[0]
    parts = (
        [f"holds at every look since {period.start:%-d %b}"]
        if any(row.sequential for row in rows) and period.start
        else []
    )
    if any(row.has_interval and not row.sequential for row in rows):
        parts.append("test sets for one" if parts else "for one look")
    words = f"95 %: {', '.join(parts)}" if parts else ""
    within = "hours weighted by what they tell" if any(row.sequential for row in rows) else ""
    thick = "thick: for harm, thin: for safety" if any(row.harm_interval is not None for row in rows) else ""
    hollow = (
        "hollow: n unknown" if any(row.estimate is not None and not row.has_interval for row in rows) else ""
    )
    return "; ".join(filter(None, (words, within, thick, hollow)))


def _family_words(rows: tuple[Comparison, ...]) -> str:
    family = max((row.family for row in rows), default=1)
    return f"Bonferroni over {family} challengers" if family > 1 else ""


def _cluster_words(rows: tuple[Comparison, ...]) -> str:
    """What the most clustered metric's requests are worth."""
    worst = max(rows, key=lambda row: row.overdispersion)
    n = (worst.n_treatment or 0) + (worst.n_control or 0)
    if worst.overdispersion <= 1 or not n:
        return ""
    return f"{format_count(n)} requests count as {format_count(round(n / worst.overdispersion))}"
