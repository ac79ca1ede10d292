"""From the snapshot to the A/B report: the one place where the page is put together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from live_dashboards.analysis.business.calculator import business_case
from live_dashboards.analysis.business.recommendation import recommendation
from live_dashboards.analysis.facts.arms import request_blocks, share_of_requests
from live_dashboards.analysis.facts.health import badge, health_panel, observed_at
from live_dashboards.analysis.facts.model_changes import model_changes
from live_dashboards.analysis.facts.page import PageFacts, failure, page
from live_dashboards.analysis.facts.period import period_of
from live_dashboards.analysis.facts.retraining import fall_words
from live_dashboards.analysis.verdict.answer import alt_text, answer
from live_dashboards.analysis.verdict.decision import Evidence, success_of, verdict
from live_dashboards.analysis.verdict.effect import (
    ComparedRates,
    compared,
    effect_measurement,
    with_adjusted_p,
)
from live_dashboards.analysis.verdict.evidence import evidence_panel, shift_words
from live_dashboards.analysis.verdict.forecast import decision_forecast, more_words
from live_dashboards.analysis.verdict.guardrails import (
    guardrails,
    other_pages,
    standing,
    widest_rows,
    widest_split,
)
from live_dashboards.analysis.verdict.latency import latency_words
from live_dashboards.analysis.verdict.model_panels import (
    effect_panel,
    gaps,
    quality_panel,
    run_counts,
    runs_panel,
)
from live_dashboards.analysis.verdict.power import power_of, time_words
from live_dashboards.analysis.verdict.present_model import change_marks, model_words, present_model
from live_dashboards.analysis.verdict.slices import by_label
from live_dashboards.analysis.verdict.split import split_test
from live_dashboards.analysis.verdict.traffic_panels import (
    error_panel,
    impact_panel,
    latency_panel,
    lines_of,
    rate_panel,
    split_panel,
)
from live_dashboards.model.business_case import BusinessCase
from live_dashboards.model.judgement import (
    GateForecast,
    Guardrail,
    Period,
    PlainAnswer,
    Power,
    SplitTest,
    Verdict,
)
from live_dashboards.model.measurement import Interval, Measurement, Origin, missing
from live_dashboards.model.metrics import EXPORTED, METRICS
from live_dashboards.model.number import format_count, format_money_estimate, format_number, format_percent
from live_dashboards.model.presentation import count_words, share_words
from live_dashboards.model.report import PROJECTED, AbReport, EvidencePanel, RunsPanel, StatusStrip
from live_dashboards.model.slices import ByLabel
from live_dashboards.model.snapshot import MLFLOW, Accumulated, Snapshot
from live_dashboards.settings import Settings

_DAY_SECONDS = 86_400
_STANDARD_TIMELINES = {
    "request_rate": "requests_per_second",
    "response_time": "ms",
    "accuracy": "percent",
    "error_rate": "percent",
}


def build_ab_report(
    snapshot: Snapshot, stand_in: Snapshot | None, settings: Settings, *, seed: int = 42
) -> AbReport:
    """The whole A/B page; `stand_in` is the simulated snapshot, None where what is missing is marked instead;
    `seed` is that of the draws of what it is worth.
    """
    found = page(snapshot, stand_in, settings)
    report = ab_report_of(found, snapshot, business_case(found, found.counted, seed=seed))
    return replace(report, alt_text=alt_text(report))


def ab_report_of(page: PageFacts, snapshot: Snapshot, case: BusinessCase) -> AbReport:
    """The A/B page of facts that were found already, in this snapshot, but for its alt text; `case` is what
    the challenger is worth.
    """
    settings, headline, note = page.settings, _headline(page), _experiment_note(snapshot, page.settings)
    compare = _remembered(_compared)
    rows = widest_rows(compare(page), [compare(each) for each in other_pages(page)])
    judged = _judged(page, compare, rows)
    every = _every_judged(page, compare, rows, judged)
    verdicts = tuple((name, each.verdict) for name, each in every)
    changes = model_changes(page)
    marks = change_marks(changes)
    runs, quality = runs_panel(page, marks), quality_panel(page)
    slices = by_label(page)
    grown = evidence_panel(page, judged.guardrails)
    worth = _projected(page, case)
    shown = (*_judged_values(page, rows, judged), *_of_runs(runs), *_sliced(slices), *worth)
    measurements = _measurements(page, headline, shown, quality.head.origin)
    return AbReport(
        at=snapshot.at,
        generated_at=snapshot.generated_at,
        window_seconds=snapshot.window_seconds,
        timezone=str(settings["DASHBOARD_TIMEZONE"]),
        confidence=float(settings["AB_CONFIDENCE"]),
        badge=badge(page, measurements),
        experiment=experiment_name(page),
        experiment_note=note,
        baseline=page.roles.baseline,
        challenger=page.roles.challenger,
        headline=headline,
        variants=page.counted.variants,
        comparisons=tuple(each.row for each in rows),
        period=judged.period,
        guardrails=judged.guardrails,
        split_test=judged.split,
        power=judged.power,
        decision_forecast=tuple(gate for _, each in every for gate in each.gates),
        verdict=judged.verdict,
        verdicts=verdicts,
        model_changes=changes,
        answer=_answer(page, rows, judged, verdicts, case),
        status=_status(page, headline, worth),
        effect=effect_panel(page, rows, success_of(page, rows)),
        evidence=grown,
        quality=quality,
        split=split_panel(page, judged.split),
        rate=rate_panel(page, marks),
        latency=latency_panel(page, marks),
        errors=error_panel(page, marks),
        impact=impact_panel(page),
        runs=runs,
        health=health_panel(
            page, (*_doubt(note, settings), *_other_verdicts(page, verdicts), *_meanwhile(page, rows, grown))
        ),
        sources=(page.mlflow_status, page.prometheus_status),
        observed_at=observed_at(page),
        measurements=measurements,
        is_simulated=page.is_simulated,
        logged_quality=page.counted.model.quality,
        has_stale=any(measurement.stale and measurement.is_live for measurement in measurements),
        alt_text="",
        slices=slices,
    )


def _judged_values(
    page: PageFacts, rows: tuple[ComparedRates, ...], judged: _Judged
) -> Iterator[Measurement]:
    """What the comparisons and the rest of the judgement show."""
    yield from map(effect_measurement, rows)
    yield from judged.split.observed
    yield from (judged.power.detectable, judged.power.days_left)
    yield from gaps(page)


def _of_runs(runs: RunsPanel) -> Iterator[Measurement]:
    return (bar.accuracy for bar in runs.bars if bar.accuracy)


def _doubt(note: str, settings: Settings) -> Iterator[str]:
    if note:
        asked = settings["AB_EXPERIMENT"]
        yield f"experiment {asked!r} is {note}: no source could tell whether it exists"


def _meanwhile(page: PageFacts, rows: tuple[ComparedRates, ...], grown: EvidencePanel) -> Iterator[str]:
    """What time has changed: parts of the test, the traffic, the models."""
    yield from fall_words(page)
    yield from filter(None, map(shift_words, grown.lines))
    yield from time_words(page, rows)
    yield from model_words(page)
    yield from latency_words(page)


def _sliced(slices: ByLabel | None) -> tuple[Measurement, ...]:
    """The differences by the values of a label that there are."""
    rows = () if slices is None else slices.rows
    return tuple(row.difference for row in rows if row.difference.value is not None)


def experiment_name(page: PageFacts) -> str | None:
    """The experiment on the page: MLflow's, else the one that Prometheus' series were cut to, else the one
    asked for.
    """
    if page.is_simulated:
        return page.drawn.mlflow.experiment
    live = page.counted.mlflow.experiment if page.counted.mlflow.status.has_answered else None
    labels = page.counted.prometheus.experiments
    return (
        live
        or page.counted.prometheus.experiment_filter
        or page.settings["AB_EXPERIMENT"]
        or (labels[0] if len(labels) == 1 else None)
    )


def _experiment_note(snapshot: Snapshot, settings: Settings) -> str:
    asked = settings["AB_EXPERIMENT"]
    is_known = (
        snapshot.mlflow.status.has_answered
        or snapshot.mlflow.status.answered_at is not None
        or asked in snapshot.prometheus.experiments
    )
    return "not verified" if asked and not is_known else ""


def _headline(page: PageFacts) -> tuple[tuple[str, Measurement], ...]:
    counted = page.counted
    baseline, challenger = (_accuracy(page, name) for name in (page.roles.baseline, page.roles.challenger))
    net = counted.traffic.impact.get((page.roles.challenger or "", "net_business_value"))
    if net is None:
        reason = (
            counted.prometheus.instant("business_impact").reason
            or f"{EXPORTED.impact} has no net_business_value of the challenger"
        )
        net = missing(
            "net_business_value",
            "percent",
            reason if counted.prometheus.status.has_answered else failure(page.prometheus_status),
        )
    rows = (
        _active_experiments(page),
        replace(baseline, name="baseline_accuracy"),
        replace(challenger, name="enhanced_accuracy"),
        counted.traffic.totals["total_requests_24h"],
        counted.traffic.totals["total_requests"],
        counted.traffic.totals["avg_response_time_ms"],
        counted.traffic.totals["error_rate"],
        replace(net, name="net_business_value", unit="percent"),
    )
    return tuple((row.name, row) for row in rows)


def _accuracy(page: PageFacts, variant: str | None) -> Measurement:
    """In percent; missing where something stands in its place that is no share."""
    if variant is None:
        return missing("accuracy", "percent", "there is no challenger")
    quality, found = page.counted.model.quality, page.counted.of(variant).accuracy
    if quality.is_share:
        return found
    reason = f"{quality.metric().title} is a value in its own unit and no share: `quality` holds it"
    return missing("accuracy", "percent", reason, variant=variant, source=found.source, query=found.query)


def _active_experiments(page: PageFacts) -> Measurement:
    answer, name = page.counted.mlflow, "active_experiments"
    if not answer.status.has_answered:
        return missing(name, "count", failure(page.mlflow_status), source=MLFLOW)
    active = sum(experiment.is_ab_test and experiment.is_active for experiment in answer.experiments)
    return Measurement(
        name,
        active,
        "count",
        answer.origin,
        source=answer.status.source,
        query=answer.query("experiments"),
        observed_at=answer.newest_at,
    )


def _measurements(
    page: PageFacts,
    headline: tuple[tuple[str, Measurement], ...],
    shown: tuple[Measurement, ...],
    quality_origin: Origin,
) -> tuple[Measurement, ...]:
    """Every number that the page shows, once: headlines, each variant's facts as drawn, differences, latest
    points, reported impact, runs by state.
    """
    facts = [
        _shown(page, each.variant, name, quality_origin)
        for each in page.drawn.variants
        for name in each.names
    ]
    lines = [line for name, unit in _timelines(page) for line in lines_of(page, name, unit)]
    everything = (
        *(measurement for _, measurement in headline),
        *facts,
        *shown,
        *(line.latest for line in lines),
        *_impact(page),
        *_run_counts(page),
    )
    return tuple({(one.name, one.variant): one for one in reversed(everything)}.values())[::-1]


def _shown(page: PageFacts, variant: str, name: str, quality_origin: Origin) -> Measurement:
    """A variant's fact as the page shows it: a simulated stand-in only where its whole panel is simulated,
    with the reason why it had to be.
    """
    counted, drawn = (facts.of(variant).value(name) for facts in (page.counted, page.drawn))
    is_stand_in = drawn.origin is Origin.SIMULATED and counted.value is None
    if not is_stand_in or (name in METRICS and quality_origin is not Origin.SIMULATED):
        return counted
    return replace(drawn, reason=f"simulated: {counted.reason}")


def _impact(page: PageFacts) -> tuple[Measurement, ...]:
    return tuple(replace(one, name=kind or one.name) for (_, kind), one in page.drawn.traffic.impact.items())


def _timelines(page: PageFacts) -> tuple[tuple[str, str], ...]:
    """Every timeline that was asked, also those that were added to the standard five; business impact stands
    with its metric types.
    """
    return tuple(
        (answer.name, _STANDARD_TIMELINES.get(answer.name, answer.unit))
        for answer in page.drawn.prometheus.timelines
        if answer.name != "business_impact"
    )


def _run_counts(page: PageFacts) -> tuple[Measurement, ...]:
    answer = page.drawn.mlflow
    if not answer.status.has_answered:
        return ()
    source, query = answer.status.source, answer.query("runs")
    return tuple(
        Measurement(f"runs_{state}", count, "count", answer.origin, source=source, query=query)
        for state, count in run_counts(page).items()
    )


Compare = Callable[[PageFacts], tuple[ComparedRates, ...]]


def _remembered(compare: Compare) -> Compare:
    """The comparisons of some facts, made once: they do not depend on which challenger the page is about, but
    for the p that is adjusted.
    """
    known: dict[int, tuple[ComparedRates, ...]] = {}

    def of(page: PageFacts) -> tuple[ComparedRates, ...]:
        if id(page.counted) not in known:
            known[id(page.counted)] = compare(page)
        return known[id(page.counted)]

    return of


def _compared(page: PageFacts) -> tuple[ComparedRates, ...]:
    rows = compared(page)
    return with_adjusted_p(rows, success_of(page, rows))


@dataclass(frozen=True, slots=True)
class _Judged:
    period: Period
    guardrails: tuple[Guardrail, ...]
    split: SplitTest
    power: Power
    gates: tuple[GateForecast, ...]
    verdict: Verdict


def _judged(found: PageFacts, compare: Compare, rows: tuple[ComparedRates, ...]) -> _Judged:
    """What follows from the comparisons, of which `rows` have the limits that hold at every end: guardrails,
    split, power and the verdict on the challenger.
    """
    least = _judged_at(found, compare(found))

    def judge(page: PageFacts) -> tuple[tuple[Guardrail, ...], Verdict]:
        each = least if page is found else _judged_at(page, compare(page))
        return each.guardrails, each.verdict

    watched, decided = standing(found, judge, rows)
    split = widest_split(least.split, [split_test(each) for each in other_pages(found)])
    return replace(least, guardrails=watched, split=split, verdict=decided)


def _every_judged(
    page: PageFacts, compare: Compare, rows: tuple[ComparedRates, ...], own: _Judged
) -> tuple[tuple[str, _Judged], ...]:
    """Of every challenger against the baseline, each pair with its own period; the default challenger's is
    known.
    """

    def of(name: str) -> _Judged:
        return _judged(replace(page, roles=replace(page.roles, challenger=name)), compare, rows)

    challengers = (name for name in page.roles.names if name != page.roles.baseline)
    return tuple((name, own if name == page.roles.challenger else of(name)) for name in challengers)


def _answer(
    page: PageFacts,
    rows: tuple[ComparedRates, ...],
    judged: _Judged,
    verdicts: tuple[tuple[str, Verdict], ...],
    case: BusinessCase,
) -> PlainAnswer:
    challengers = {
        name: success_of(replace(page, roles=replace(page.roles, challenger=name)), rows)
        for name, _ in verdicts
    }
    successes = {
        name: each.row for name, each in challengers.items() if each is not None and each.row.has_interval
    }
    advice = recommendation(page, case, judged.verdict, judged.split)
    told = judged.verdict.reasons[:1] or ("there is no challenger",)
    return answer(
        verdicts, successes, judged.guardrails, (case, advice), page.roles.challenger, nobody=told[0]
    )


def _other_verdicts(page: PageFacts, verdicts: tuple[tuple[str, Verdict], ...]) -> tuple[str, ...]:
    """What is concluded of the challengers that the page is not about first."""
    others = [f"{name} {each.verdict}" for name, each in verdicts if name != page.roles.challenger]
    return (f"verdicts on the other challengers: {', '.join(others)}",) if others else ()


def _judged_at(page: PageFacts, rows: tuple[ComparedRates, ...]) -> _Judged:
    """The same by the counts as they are on the page."""
    period, counted = period_of(page, page.roles.challenger)
    success, watched, split = success_of(page, rows), guardrails(page, rows), split_test(page)
    power = power_of(page, success)
    requests = (
        0.0
        if counted is None
        else sum(share_of_requests(page, counted, name)[0] or 0 for name in page.roles.names)
    )
    mine = tuple(guard for guard in watched if guard.comparison.treatment == page.roles.challenger)
    gates = decision_forecast(page, success, _with_rates(mine, rows))
    evidence = Evidence(
        page,
        success,
        mine,
        split,
        period,
        power,
        requests,
        _shared_days(page, counted),
        present_model(page),
        more_words(gates),
    )
    return _Judged(period, watched, split, power, gates, verdict(evidence))


def _with_rates(
    guards: tuple[Guardrail, ...], rows: tuple[ComparedRates, ...]
) -> tuple[tuple[Guardrail, ComparedRates], ...]:
    """Each guardrail with the rates that it compares."""
    by_row = {(each.row.metric, each.row.treatment): each for each in rows}
    return tuple((guard, by_row[guard.comparison.metric, guard.comparison.treatment]) for guard in guards)


def _shared_days(page: PageFacts, counted: Accumulated | None) -> float:
    """On how many days, counted from the start of the test, both arms had traffic that counts: neither before
    one began nor after it ended, nor in what is left out.
    """
    if counted is None or page.roles.challenger is None:
        return 0.0
    ours, theirs = (
        request_blocks(page, counted, name) for name in (page.roles.challenger, page.roles.baseline)
    )
    both = (end for end in ours.keys() & theirs.keys() if ours[end] > 0 and theirs[end] > 0)
    return float(len({math.ceil((end - counted.start_seconds) / _DAY_SECONDS) for end in both}))


def _projected(page: PageFacts, case: BusinessCase) -> tuple[Measurement, ...]:
    """The net value a year where somebody has set what it is made of; of default amounts nothing is worth a
    word beside a verdict.
    """
    is_yours = any(not each.is_default for each in case.assumptions)
    has_value = case.net.value is not None and page.page_origin is Origin.LIVE
    return (case.net,) if is_yours and has_value else ()


def _status(
    page: PageFacts, headline: tuple[tuple[str, Measurement], ...], worth: tuple[Measurement, ...]
) -> StatusStrip:
    values = dict(headline)
    runs = run_counts(page) if page.counted.mlflow.status.has_answered else {}
    words = ", ".join(f"{count} {state}" for state, count in runs.items())
    items = (
        ("active A/B tests", format_count(values["active_experiments"].value)),
        ("runs", words or "–"),
        ("requests in 24 h", count_words(values["total_requests_24h"])),
        ("mean response", format_number(values["avg_response_time_ms"].value, "ms")),
        ("error rate", share_words(values["error_rate"])),
        ("net value, reported", format_percent(values["net_business_value"].value)),
        *((PROJECTED, _money_words(each)) for each in worth),
    )
    return StatusStrip(items, page.page_origin)


def _money_words(net: Measurement) -> str:
    limits = net.interval or Interval(None, None)
    return format_money_estimate(net.value or 0.0, limits.low, limits.high)
