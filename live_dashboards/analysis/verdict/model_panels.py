"""Panels of differences, quality and runs: their titles the answers, their notes the methods."""

from __future__ import annotations

from datetime import datetime, timedelta

from live_dashboards.analysis.facts.models import ModelFacts, scale_of
from live_dashboards.analysis.facts.page import PageFacts, failure
from live_dashboards.analysis.facts.period import period_of
from live_dashboards.analysis.facts.retraining import run_behind
from live_dashboards.analysis.verdict.effect import ComparedRates
from live_dashboards.model.judgement import MetricDifference
from live_dashboards.model.measurement import Measurement, Origin, derive
from live_dashboards.model.metrics import ACCURACY, METRICS, ONLINE_ACCURACY, metric_of
from live_dashboards.model.number import format_count, format_interval, format_number, format_signed
from live_dashboards.model.report import (
    EffectPanel,
    Head,
    QualityPanel,
    QualityRow,
    RunBar,
    RunsPanel,
    VariantFacts,
)
from live_dashboards.model.snapshot import MLFLOW, PROMETHEUS, Run

SILENT_AFTER = timedelta(hours=24)
_MOST_BARS = 12
_ENDED_STATES = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "killed", "SCHEDULED": "scheduled"}


def gaps(page: PageFacts) -> tuple[Measurement, ...]:
    """Online minus offline accuracy of each variant, in points; missing where either is, or where both are
    the same gauge.
    """

    def gap(online_percent: float, offline_percent: float) -> float:
        return online_percent - offline_percent

    pairs = (
        (facts.variant, facts.online_accuracy, facts.accuracy)
        for facts in page.counted.variants
        if facts.online_accuracy.source != facts.accuracy.source
        and page.counted.model.quality.is_like_accuracy
    )
    return tuple(
        derive(
            gap,
            "online_minus_offline_accuracy",
            "points",
            variant=name,
            online_percent=online,
            offline_percent=offline,
        )
        for name, online, offline in pairs
    )


def gap_words(page: PageFacts) -> str:
    """The gaps of baseline and challenger and whether the ranking agrees; empty where they are not both
    known.
    """
    known = {str(each.variant): each for each in gaps(page) if each.value is not None}
    if len(page.roles.pair) < 2 or any(name not in known for name in page.roles.pair):
        return ""
    told = ", ".join(f"{name} {format_signed(known[name].value, 'points')}" for name in page.roles.pair)
    return f"online − offline: {told}; {_ranking(page)}"


def _ranking(page: PageFacts) -> str:
    baseline, challenger = (page.counted.of(name) for name in page.roles.pair)
    offline = (challenger.accuracy.value or 0.0) - (baseline.accuracy.value or 0.0)
    online = (challenger.online_accuracy.value or 0.0) - (baseline.online_accuracy.value or 0.0)
    if offline * online > 0:
        return f"both rank {challenger.variant if offline > 0 else baseline.variant} first"
    return "they rank the variants differently" if offline * online < 0 else "one of them sees no difference"


def effect_panel(
    page: PageFacts, compared: tuple[ComparedRates, ...], success: ComparedRates | None
) -> EffectPanel:
    """The rows as they are judged, at 95 %."""
    rows = tuple(each.row for each in compared)
    shown = [row for row in rows if row.estimate is not None]
    several = len({row.treatment for row in rows}) > 1
    whose = "challenger" if several or page.roles.challenger is None else page.roles.challenger
    subtitle = f"{whose} − {page.roles.baseline}, percentage points"
    logged = ", ".join(page.counted.model.metric(name).words for name in METRICS)
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
    if not titled.what.is_share:
        subtitle += f"; {titled.what.words} as logged"
    head = Head(_title(titled), subtitle, weakest, _note(page, rows), asked)
    return EffectPanel(
        head,
        tuple(row for row in rows if row.unit == "points"),
        float(page.settings["AB_MINIMUM_EFFECT_POINTS"]),
        tuple(row for row in rows if row.unit != "points"),
        success.row.metric if success is not None else "",
    )


def _title(row: MetricDifference) -> str:
    estimate, metric, unit = row.estimate or 0.0, row.what, row.unit
    low, high = row.verdict_limits
    if low is None or high is None:
        return f"{metric.title} {format_signed(estimate, unit)}, of unknown certainty"
    if row.descriptive:
        return f"{metric.title} {format_signed(estimate, unit)}: its labels decide nothing"
    if low <= 0 <= high and not (row.harm_low is not None and row.harm_low > 0):
        return f"{metric.title}: no clear difference ({format_interval(low, high, unit, signed=True)})"
    if not metric.is_direction_known:
        return f"{metric.title} {format_signed(estimate, unit)}: {metric.better_words}"
    word = "better" if (estimate > 0) is row.is_higher_better else "worse"
    return f"{row.treatment}: {metric.words} {word} by {format_signed(estimate, unit)}"


def _note(page: PageFacts, rows: tuple[MetricDifference, ...]) -> str:
    """What the intervals are: always-valid since when, for one look, over how many challengers, and what
    clustering costs.
    """
    return "; ".join(filter(None, (_interval_words(page, rows), _cluster_words(rows), _family_words(rows))))


def _interval_words(page: PageFacts, rows: tuple[MetricDifference, ...]) -> str:
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


def _family_words(rows: tuple[MetricDifference, ...]) -> str:
    family = max((row.family for row in rows), default=1)
    return f"Bonferroni over {family} challengers" if family > 1 else ""


def _cluster_words(rows: tuple[MetricDifference, ...]) -> str:
    """What the most clustered metric's requests are worth."""
    worst = max(rows, key=lambda row: row.overdispersion)
    n = (worst.n_treatment or 0) + (worst.n_control or 0)
    if worst.overdispersion <= 1 or not n:
        return ""
    return f"{format_count(n)} requests count as {format_count(round(n / worst.overdispersion))}"


def quality_panel(page: PageFacts) -> QualityPanel:
    """The metrics of the catalogue by variant; the online gauge beside the accuracy.

    Simulated values never share the panel with live ones: without MLflow, a live gauge stands alone.
    """
    facts = page.counted.variants if _has_quality(page.counted.variants) else page.drawn.variants
    model = _model_of(page, facts)
    is_in_percent = any(
        one.unit == "percent" and one.value is not None for each in facts for one in each.quality.values()
    )
    unit = "percent" if is_in_percent or not _has_quality(facts) else "as logged"
    subtitle = f"test-set metrics of {_runs_words(page)}, {unit}"
    asked = (
        f"{', '.join(METRICS)} in latest_metrics of {page.drawn.mlflow.experiment or 'the A/B experiment'}"
    )
    if not _has_quality(facts):
        reason = (
            failure(page.mlflow_status)
            if not page.mlflow_status.has_answered
            else next(str(each.accuracy.reason) for each in facts)
        )
        return QualityPanel(Head("No model quality", subtitle, Origin.MISSING, asked=asked, reason=reason))
    measured = [one for each in facts for one in each.quality.values() if one.value is not None]
    is_online = all(one.source == PROMETHEUS for one in measured)
    if is_online:
        subtitle = "Prometheus' gauge, percent; test-set metrics need MLflow"
    origin = max((one.origin for one in measured), key=lambda each: each.weakness)
    shares_live = origin is not Origin.SIMULATED or page.is_simulated
    online = tuple(each.online_accuracy for each in facts) if shares_live else ()
    rows = tuple(
        QualityRow(
            metric.title,
            tuple(each.quality[metric.name] for each in facts),
            online if metric.name == ACCURACY and model.quality.is_like_accuracy else (),
            metric.name,
            is_less_better=not metric.is_higher_better,
        )
        for metric in map(model.metric, METRICS)
    )
    if not model.quality.is_like_accuracy and any(one.value is not None for one in online):
        rows += (QualityRow(metric_of(ONLINE_ACCURACY).title, online, metric=ONLINE_ACCURACY),)
    reason = failure(page.mlflow_status) if origin is Origin.SIMULATED else ""
    return QualityPanel(
        Head(
            _quality_title(page, facts, is_online=is_online),
            subtitle,
            origin,
            _quality_note(page, rows),
            asked,
            reason,
        ),
        tuple(row for row in rows if row.unit == "percent"),
        tuple(row for row in rows if row.unit != "percent"),
    )


def _model_of(page: PageFacts, facts: tuple[VariantFacts, ...]) -> ModelFacts:
    """What these variants' quality was made of."""
    return (page.counted if facts is page.counted.variants else page.drawn).model


def _runs_words(page: PageFacts) -> str:
    """The runs behind the accuracies of challenger and baseline, with their ages."""
    found = [run_behind(page, name) for name in reversed(page.roles.pair)]
    told = [each.age_words(page.at) for each in found if each is not None]
    return " and ".join(told) or "each variant's newest finished run"


def _before_words(page: PageFacts) -> str:
    """What the runs before them had."""
    metric, found = page.counted.model.metric(ACCURACY), {}
    for name in reversed(page.roles.pair):
        behind = run_behind(page, name)
        if behind is not None and behind.value_before is not None:
            found[name] = format_number(behind.value_before, metric.unit)
    told = ", ".join(f"{name} {value}" for name, value in found.items())
    return f"{metric.words} of the runs before: {told}" if told else ""


def _has_quality(facts: tuple[VariantFacts, ...]) -> bool:
    return any(one.value is not None for each in facts for one in each.quality.values())


def _quality_title(page: PageFacts, facts: tuple[VariantFacts, ...], *, is_online: bool) -> str:
    by_variant = {each.variant: each.accuracy for each in facts}
    pair = [
        by_variant[name]
        for name in page.roles.pair
        if name in by_variant and by_variant[name].value is not None
    ]
    metric = _model_of(page, facts).metric(ACCURACY)
    words = [f"{one.variant} {format_number(one.value, one.unit)}" for one in reversed(pair)]
    if not words:
        return f"{metric.title} is missing"
    return f"{metric_of(ONLINE_ACCURACY).title if is_online else metric.title}: {' against '.join(words)}"


def _quality_note(page: PageFacts, rows: tuple[QualityRow, ...]) -> str:
    offline = [one for row in rows for one in row.offline if one.value is not None]
    bars = "bars: Wilson interval of the rows counted" if any(one.interval for one in offline) else ""
    hollow = "hollow: n unknown" if any(one.interval is None for one in offline) else ""
    return "; ".join(filter(None, (bars, hollow, _before_words(page), gap_words(page))))


def runs_panel(page: PageFacts, changes: tuple[tuple[datetime, str], ...] = ()) -> RunsPanel:
    """The newest runs on a time axis, when model versions were made of them, and the marks of `changes`."""
    answer = page.drawn.mlflow
    started = [run for run in answer.runs if run.started_at is not None]
    bars = tuple(_bar(page, run) for run in started[:_MOST_BARS])
    total = sum(count.runs for count in answer.status_counts)
    asked = f"active runs of {answer.experiment or 'the A/B experiment'}"
    title, subtitle = run_words(page), "training runs, newest first, by start and end"
    gap = "" if bars else "the experiment has no active run with a start time"
    silent = any(bar.state == "silent" for bar in bars)
    note = f"silent: RUNNING without a metric for {SILENT_AFTER.total_seconds() / 3600:g} h" if silent else ""
    told = {moment for moment, _ in changes}
    marks = tuple(
        (version.created_at, f"{version.name} v{version.version}{_aliases(version.aliases)}")
        for version in answer.versions[:3]
        if version.created_at not in told
    )
    return RunsPanel(
        page.head(MLFLOW, title, subtitle, note=note, asked=asked, gap=gap),
        bars,
        max(0, total - len(bars)),
        (*marks, *changes),
    )


def _aliases(aliases: tuple[str, ...]) -> str:
    return f" ({', '.join(aliases)})" if aliases else ""


def run_words(page: PageFacts) -> str:
    """Runs by state in words: `12 finished, 1 running, 1 failed`."""
    return ", ".join(f"{count} {state}" for state, count in run_counts(page).items()) or "no runs"


def run_counts(page: PageFacts) -> dict[str, int]:
    """How many active runs of the experiment are in each state, the most telling first."""
    answer = page.drawn.mlflow
    counts = dict.fromkeys(("finished", "running", "silent", "failed", "killed", "scheduled"), 0)
    for count in answer.status_counts:
        counts[_ENDED_STATES.get(count.status, "running")] += count.runs
    silent = sum(_state(run, page.at) == "silent" for run in answer.runs)
    counts["silent"] = silent
    counts["running"] -= min(silent, counts["running"])
    return {state: count for state, count in counts.items() if count}


def _state(run: Run, at: datetime) -> str:
    if run.status != "RUNNING":
        return _ENDED_STATES.get(run.status, run.status.lower())
    signs = [moment for moment in (run.started_at, run.last_sign_at) if moment is not None]
    return "running" if any(at - moment <= SILENT_AFTER for moment in signs) else "silent"


def _bar(page: PageFacts, run: Run) -> RunBar:
    answer, state = page.drawn.mlflow, _state(run, page.at)
    started = run.started_at or page.at
    ended = run.last_sign_at if state == "silent" else run.ended_at
    accuracy = None
    if run.accuracy is not None:
        source, query = answer.status.source, answer.query("runs")
        accuracy = Measurement(
            f"run_accuracy_{run.run_id}",
            run.accuracy * scale_of(answer, page.drawn.model.metric(ACCURACY), page.settings),
            page.drawn.model.quality.unit,
            answer.origin,
            run.variant,
            source=source,
            query=query,
            observed_at=run.last_sign_at,
        )
    return RunBar(run.name, run.variant, state, started, max(ended, started) if ended else None, accuracy)
