"""Panels that Prometheus feeds: split, rate, latency, errors, reported impact."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from live_dashboards.analysis.facts.arms import share_of_requests
from live_dashboards.analysis.facts.page import PageFacts
from live_dashboards.analysis.facts.period import period_of
from live_dashboards.analysis.facts.traffic import assumed_zeros
from live_dashboards.analysis.verdict.decision import p_words
from live_dashboards.analysis.verdict.guardrails import other_pages
from live_dashboards.analysis.verdict.split import TOLD_OVERDISPERSION
from live_dashboards.model.judgement import SplitTest
from live_dashboards.model.measurement import Interval, Measurement, Origin, missing
from live_dashboards.model.metrics import EXPORTED
from live_dashboards.model.moment import format_duration
from live_dashboards.model.notices import COUNTED_BY_RULES
from live_dashboards.model.number import format_number
from live_dashboards.model.presentation import count_words, is_open, share_words
from live_dashboards.model.report import (
    ErrorPanel,
    ErrorRow,
    Head,
    ImpactPanel,
    LatencyPanel,
    LatencyRow,
    Line,
    LinesPanel,
    ShareRow,
    SplitPanel,
)
from live_dashboards.model.snapshot import PROMETHEUS, Answer, Timeline

Marks = tuple[tuple[datetime, str], ...]
"""Moments with what stands over a time axis there."""

_RECORDED_AFTER_SECONDS = 360.0  # a step, and the minute that the rules look back


def window_words(seconds: float) -> str:
    """The window as people say it: 24 h, 7 d, 30 min."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds % size == 0 and (unit != "d" or seconds > size):
            return f"{seconds / size:g} {unit}"
    return format_duration(seconds)


def split_panel(page: PageFacts, test: SplitTest) -> SplitPanel:
    """Shares of the analysis period against the plan, judged however often one looks; of the window where the
    period is not known.
    """
    plan, since = (
        dict(test.planned) or {name: 100 * share for name, share in page.settings.split_at(page.at).items()},
        {str(share.variant): share for share in test.observed},
    )
    is_drawn_live = page.drawn is page.counted or page.origin(PROMETHEUS) is not Origin.SIMULATED
    has_period = test.p_value is not None or (
        bool(since) and period_of(page, page.roles.challenger)[1] is not None
    )
    rows = tuple(
        ShareRow(
            facts.variant,
            since[facts.variant]
            if is_drawn_live and has_period and facts.variant in since
            else facts.traffic_share,
            _requests_since(page, since[facts.variant])
            if is_drawn_live and has_period and facts.variant in since
            else facts.requests,
            plan.get(facts.variant, 0.0) if plan else None,
        )
        for facts in page.drawn.variants
        if facts.requests.value is not None or facts.variant in plan
    )
    start = period_of(page, page.roles.challenger)[0].start
    span = (
        f"since {start:%-d %b %H:%M} UTC"
        if is_drawn_live and has_period and start
        else f"last {window_words(page.window_seconds)}"
    )
    gap = "" if rows else _gap(page.drawn.prometheus.instant("requests"), "requests")
    title = _split_title(rows, test if is_drawn_live else None, has_plan=bool(plan))
    note = _split_note(test, has_period=has_period and is_drawn_live) if rows else ""
    head = page.head(
        PROMETHEUS,
        title,
        f"share of requests, percent, {span}",
        note=note,
        asked=page.settings.serving.asked("requests"),
        gap=gap,
    )
    return SplitPanel(replace(head, is_alarm=is_drawn_live and test.flag == "red"), rows)


def _requests_since(page: PageFacts, share: Measurement) -> Measurement:
    """The requests behind a share of the analysis period; up to what they can be at most."""
    value = round((share.value or 0.0) / 100 * (share.n or 0))
    others = ((each, period_of(each, each.roles.challenger)[1]) for each in other_pages(page))
    ends = [
        share_of_requests(each, counted, str(share.variant))[0] or 0
        for each, counted in others
        if counted is not None
    ]
    limits = Interval(value, max(ends)) if max(ends, default=value) > value else None
    return replace(
        share, name="requests_since_start", value=value, unit="count", interval=limits, drawn_interval=None
    )


def _split_note(test: SplitTest, *, has_period: bool) -> str:
    if not has_period:
        return "95 % limits; each request counts as routed on its own"
    if test.p_value is None:
        return f"95 % limits that hold at every look; {test.reason}"
    clustered = (
        f"; requests go together, so each counts as 1 / {test.overdispersion:.2g}"
        if test.overdispersion >= TOLD_OVERDISPERSION
        else ""
    )
    return (
        f"95 % limits that hold at every look; test against the plan: {p_words(test.p_value)} over all "
        f"looks{clustered}"
    )


def _split_title(rows: tuple[ShareRow, ...], test: SplitTest | None, *, has_plan: bool) -> str:
    shares = " / ".join(f"{row.share.value:.0f}" for row in rows if row.share.value is not None)
    if not has_plan:
        return f"Traffic split {shares}, no plan set"
    if test is not None and test.waits_for:
        return (
            f"Traffic split {shares}, "
            f"{'off the plan so far, ' if test.flag == 'amber' else ''}{test.waits_for}"
        )
    words = {"ok": "as planned", "amber": "off the plan by little", "red": "NOT as planned"}.get(
        str(test.flag) if test else "", "not judged"
    )
    return f"Traffic split {shares}, {words}"


def rate_panel(page: PageFacts, marks: Marks = ()) -> LinesPanel:
    """Requests per second; `marks` are those of its time axis, as of the panels below."""
    lines = lines_of(page, "request_rate", "requests_per_second")
    title = (
        f"{format_number(sum(line.latest.value or 0.0 for line in lines), 'requests_per_second')} now"
        if lines
        else ""
    )
    total = page.drawn.traffic.totals["total_requests"]
    words = f"{count_words(total)} requests; {title}" if total.value is not None and lines else title
    subtitle = f"requests per second, last {window_words(page.window_seconds)}"
    answer = page.drawn.prometheus.timeline("request_rate")
    step = format_duration(answer.step_seconds) if answer.step_seconds else ""
    gap = "" if lines else _gap(answer, "request_rate", "in the window")
    head = page.head(
        PROMETHEUS,
        words,
        subtitle,
        note=f"a point every {step}; gaps are missing scrapes" if step else "",
        asked=page.settings.serving.asked("request_rate"),
        gap=gap,
    )
    return LinesPanel(head, "requests/s", lines, _in_window(page, marks))


def latency_panel(page: PageFacts, marks: Marks = ()) -> LatencyPanel:
    """Percentiles of the window and the timeline of p95."""
    rows = tuple(
        LatencyRow(
            facts.variant,
            facts.p50_latency_ms,
            facts.p95_latency_ms,
            facts.p99_latency_ms,
            facts.mean_latency_ms,
        )
        for facts in page.drawn.variants
        if facts.p95_latency_ms.value is not None or facts.mean_latency_ms.value is not None
    )
    gap = "" if rows else _gap(page.drawn.prometheus.instant("latency_buckets"), "latency_buckets")
    subtitle = f"response time, ms, last {window_words(page.window_seconds)}"
    note = "bar: the buckets that surely hold the percentile, 95 %; tick: mean"
    if rows and all(row.p95.value is None for row in rows):
        note = "tick: mean; without buckets there are no percentiles"
    head = page.head(
        PROMETHEUS,
        _latency_title(page),
        subtitle,
        note=note,
        asked=page.settings.serving.asked("response_time"),
        gap=gap,
    )
    return LatencyPanel(
        head,
        rows,
        lines_of(page, "response_time", "ms"),
        float(page.settings["AB_LATENCY_OBJECTIVE_MS"]),
        _in_window(page, marks),
    )


def _latency_title(page: PageFacts) -> str:
    pair = [page.drawn.of(name).p95_latency_ms for name in page.roles.pair]
    known = [f"{format_number(p95.value, 'ms')}" for p95 in pair if p95.value is not None]
    if len(known) == 2 and pair[0].interval is not None and pair[0].interval == pair[1].interval:
        return f"p95 {known[1]} against {known[0]}: same bucket"
    if known:
        return f"p95 {' against '.join(reversed(known))}"
    means = [page.drawn.of(name).mean_latency_ms.value for name in reversed(page.roles.pair)]
    told = [format_number(mean, "ms") for mean in means if mean is not None]
    return f"Mean {' against '.join(told)}" if told else "Response time"


def error_panel(page: PageFacts, marks: Marks = ()) -> ErrorPanel:
    """Error rates of the window and their timeline."""
    assumed = assumed_zeros(page.drawn.prometheus, page.roles)
    known = (facts for facts in page.drawn.variants if facts.error_rate.value is not None)
    rows = tuple(
        ErrorRow(
            facts.variant, facts.error_rate, facts.errors, facts.requests, is_assumed=facts.variant in assumed
        )
        for facts in known
    )
    gap = (
        ""
        if rows
        else next(
            (facts.error_rate.reason for facts in page.drawn.variants if facts.error_rate.reason),
            "no error series",
        )
    )
    subtitle = f"errors / requests, percent, last {window_words(page.window_seconds)}"
    confidence = 100 * float(page.settings["AB_CONFIDENCE"])
    note = f"{confidence:g} % Wilson intervals; no error seen: its upper limit"
    note += "; assumed: no series of errors is there" if any(row.is_assumed for row in rows) else ""
    head = page.head(
        PROMETHEUS,
        _error_title(page, assumed),
        subtitle,
        note=note,
        asked=page.settings.serving.asked("errors"),
        gap=str(gap),
    )
    return ErrorPanel(head, rows, lines_of(page, "error_rate", "percent"), _in_window(page, marks))


def _error_title(page: PageFacts, assumed: frozenset[str]) -> str:
    known = [
        facts.error_rate
        for facts in map(page.drawn.of, page.roles.pair)
        if facts.error_rate.value is not None
    ]
    if known and not any(rate.value or any(map(is_open, rate.inputs)) for rate in known):
        return "No errors seen"
    words = [f"{share_words(rate)}{' (assumed)' if rate.variant in assumed else ''}" for rate in known]
    return (
        f"Errors {words[1]} against {words[0]}"
        if len(words) == 2
        else f"Errors {words[0]}"
        if words
        else "Errors"
    )


def impact_panel(page: PageFacts) -> ImpactPanel:
    """The service's own report, one axis for each metric type."""
    answer = page.drawn.prometheus.timeline("business_impact")
    kinds = sorted(
        {series.label("metric_type") for series in answer.series},
        key=lambda kind: (kind != "net_business_value", kind),
    )
    types = tuple(
        LinesPanel(
            Head(kind or "business impact", "as reported", page.origin(PROMETHEUS)),
            kind,
            lines_of(page, "business_impact", "as_reported", kind),
        )
        for kind in kinds
    )
    net = page.drawn.traffic.impact.get((page.roles.challenger or "", "net_business_value"))
    title = (
        f"Service reports net value {format_number(net.value, 'percent')}"
        if net is not None and net.value is not None
        else "Reported business impact"
    )
    gap = "" if types else f"not exported: {_gap(answer, 'business_impact', 'in the window')}"
    subtitle = f"{EXPORTED.impact} by metric_type, as reported"
    return ImpactPanel(
        page.head(
            PROMETHEUS,
            title,
            subtitle,
            what="reported business impact",
            note="not computed here: the service's own gauges",
            asked=page.settings.serving.asked("business_impact"),
            gap=gap,
        ),
        types,
    )


def lines_of(page: PageFacts, name: str, unit: str, metric_type: str | None = None) -> tuple[Line, ...]:
    """The timeline's lines in the page's order of variants, scaled to the panel's unit."""
    answer = page.drawn.prometheus.timeline(name)
    scale = page.drawn.traffic.accuracy_scale if name == "accuracy" else 1.0
    scaled = (
        (
            variant,
            replace(
                series,
                points=tuple(
                    (moment, None if value is None else value * scale) for moment, value in series.points
                ),
            ),
        )
        for variant in page.roles.names
        for series in answer.series
        if page.roles.by_model.get(series.label("model_name")) == variant
        and (metric_type is None or series.label("metric_type") == metric_type)
    )
    return tuple(
        Line(
            variant,
            variant,
            series,
            _latest(page, name, unit, variant=variant, series=series, metric_type=metric_type),
        )
        for variant, series in scaled
    )


def _latest(
    page: PageFacts, name: str, unit: str, *, variant: str, series: Timeline, metric_type: str | None
) -> Measurement:
    answer, status = page.drawn.prometheus.timeline(name), page.drawn.prometheus.status
    called = f"{name}_latest" if metric_type is None else f"{metric_type}_latest"
    known = [(moment, value) for moment, value in series.points if value is not None]
    if not known:
        return missing(
            called,
            unit,
            f"{name} has no value in the window",
            variant=variant,
            source=status.source,
            query=answer.query,
        )
    moment, value = known[-1]
    observed_at = datetime.fromtimestamp(moment, UTC)
    is_stale = (page.at - observed_at).total_seconds() > _line_limit_seconds(page, answer)
    origin = page.drawn.prometheus.origin
    return Measurement(
        called,
        value,
        unit,
        origin,
        variant,
        source=status.source,
        query=answer.query,
        observed_at=observed_at,
        stale=is_stale and origin is Origin.LIVE,
    )


def _line_limit_seconds(page: PageFacts, answer: Answer) -> float:
    """How old a line's last point may be: recorded counts come in whole blocks, and the next one is there
    when it has ended and its last step is recorded.
    """
    limit = float(page.settings["AB_STALE_AFTER"])
    is_recorded = any(text.startswith(COUNTED_BY_RULES) for text in page.drawn.prometheus.status.warnings)
    return max(limit, _RECORDED_AFTER_SECONDS) + (answer.step_seconds or 0.0) if is_recorded else limit


def _in_window(page: PageFacts, marks: Marks) -> tuple[tuple[float, str], ...]:
    end = page.at.timestamp()
    return tuple(
        (moment.timestamp(), label)
        for moment, label in marks
        if end - page.window_seconds <= moment.timestamp() <= end
    )


def _gap(answer: Answer, name: str, where: str = "of any variant") -> str:
    return answer.reason or f"Prometheus has no {name.replace('_', ' ')} {where}"
