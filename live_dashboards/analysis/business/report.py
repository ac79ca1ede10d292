"""From the snapshot to the business report: the one place where the page is put together, and the conditions
of a decision.
"""

from __future__ import annotations

from dataclasses import replace

from live_dashboards.analysis.business.calculator import business_case
from live_dashboards.analysis.business.inputs import NO_TEST_ROWS
from live_dashboards.analysis.business.recommendation import recommendation, split_words, stale_inputs
from live_dashboards.analysis.facts.health import badge
from live_dashboards.analysis.facts.page import PageFacts, page
from live_dashboards.analysis.verdict.report import ab_report_of
from live_dashboards.model.business_case import BusinessCase, BusinessReport, SharePart
from live_dashboards.model.judgement import (
    HARM,
    NO_VERDICT,
    SHIP,
    SHOWN,
    UNKNOWN,
    Condition,
    Guardrail,
    SplitTest,
)
from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.metrics import ACCURACY_OVER_RUNS
from live_dashboards.model.moment import format_moment
from live_dashboards.model.names import escaped
from live_dashboards.model.notices import is_how_counted
from live_dashboards.model.number import format_interval, format_money_estimate
from live_dashboards.model.quality import AS_LOGGED, Quality
from live_dashboards.model.report import AbReport, BadgeKind
from live_dashboards.model.snapshot import Snapshot
from live_dashboards.panels.business import BUSINESS_PANELS
from live_dashboards.panels.money import headline_words, input_label
from live_dashboards.panels.performance import COMPARED
from live_dashboards.settings import Settings

PASSED, FAILED, NOT_KNOWN = "passed", "failed", "unknown"
LABEL_SPLIT = "Traffic is split as planned"

_ABSURD_SHARE_OF_VOLUME = 0.01


def gates(page: PageFacts, case: BusinessCase, ab: AbReport) -> tuple[Condition, ...]:
    """What must hold before anyone decides, each with the numbers behind it; on simulated data nothing but
    the first is looked at.
    """
    rows = _looked_at(page, case, ab)
    if page.kind is not BadgeKind.SIMULATED:
        return rows
    return (
        rows[0],
        *(
            Condition(
                gate.label, NOT_KNOWN, "not judged on simulated data" if page.is_simulated else "no data"
            )
            for gate in rows[1:]
        ),
    )


def _looked_at(page: PageFacts, case: BusinessCase, ab: AbReport) -> tuple[Condition, ...]:
    verdict = ab.verdict
    return (
        _gate_live(page),
        _gate_fresh(case),
        _gate_split(ab.split_test),
        _gate_accuracy(case),
        *(_gate_guardrail(guard) for guard in ab.guardrails if guard.comparison.treatment == ab.challenger),
        _gate_net(case),
        _gate_parameters(case),
        Condition(
            "A/B verdict is SHIP",
            PASSED if verdict.verdict == SHIP else NOT_KNOWN if verdict.verdict == NO_VERDICT else FAILED,
            verdict.rule.partition(" (")[0],
        ),
    )


def _gate_live(page: PageFacts) -> Condition:
    state = PASSED if page.kind is BadgeKind.LIVE else FAILED
    return Condition("Both sources are live", state, page.kind.value)


def _gate_fresh(case: BusinessCase) -> Condition:
    stale = stale_inputs(case)
    return Condition(
        "Nothing is stale",
        FAILED if stale else PASSED,
        f"older than AB_STALE_AFTER: {', '.join(stale)}" if stale else "every input is fresh",
    )


def _gate_accuracy(case: BusinessCase) -> Condition:
    improvement, quality = case.inputs.accuracy_improvement.difference, case.inputs.quality
    interval = improvement.interval
    label = "Accuracy is better" if quality.is_share else f"{quality.metric().title} is better"
    if interval is None or interval.low is None:
        return Condition(label, NOT_KNOWN, improvement.reason or NO_TEST_ROWS)
    state = PASSED if interval.low > 0 else FAILED
    limits, unit = (interval.times(100), "points") if quality.is_share else (interval, AS_LOGGED)
    # of a value the sign is that of the improvement, also where less is better
    what = "95 %" if quality.is_share else "improved by, 95 %"
    return Condition(label, state, f"{what}: {format_interval(limits.low, limits.high, unit, signed=True)}")


def _gate_split(split: SplitTest) -> Condition:
    """Failed where the always-valid test of the analysis period is red; unknown where it could not be
    judged.
    """
    if split.flag is None:
        return Condition(LABEL_SPLIT, NOT_KNOWN, split.reason)
    if split.waits_for:
        return Condition(LABEL_SPLIT, NOT_KNOWN, f"{split.waits_for}: {split_words(split)}")
    return Condition(LABEL_SPLIT, FAILED if split.flag == "red" else PASSED, split_words(split))


def _gate_guardrail(guard: Guardrail) -> Condition:
    words = guard.words.replace(", margin ", ", max ")  # a gate has room for one short line
    state = {SHOWN: PASSED, HARM: FAILED, UNKNOWN: NOT_KNOWN}.get(guard.outcome, NOT_KNOWN)
    return Condition(guard.label, state, words)


def _gate_net(case: BusinessCase) -> Condition:
    interval, label = case.net.interval, "Net value is above 0"
    if interval is None or interval.low is None or case.net.value is None:
        return Condition(label, NOT_KNOWN, case.net.reason or "no interval")
    words = f"95 %: {format_money_estimate(case.net.value, interval.low, interval.high)}"
    return Condition(label, PASSED if interval.low > 0 else FAILED, words)


def _gate_parameters(case: BusinessCase) -> Condition:
    own = [each.name for each in case.assumptions if not each.is_default]
    return Condition(
        "Parameters are yours",
        PASSED if len(own) == len(case.assumptions) else FAILED if not own else NOT_KNOWN,
        f"{len(own)} of {len(case.assumptions)} set",
    )


def build_business_report(
    snapshot: Snapshot, stand_in: Snapshot | None, settings: Settings, *, seed: int = 42
) -> BusinessReport:
    """The whole business page; `stand_in` as for the A/B page, whose verdict this is."""
    found = page(snapshot, stand_in, settings)
    case, substitute = _cases(found, seed)
    ab = ab_report_of(found, snapshot, case)
    advice = recommendation(found, case, ab.verdict, ab.split_test)
    measurements = _measurements(found, case, substitute, ab)
    doubts = absurd(case)
    report = BusinessReport(
        at=ab.at,
        generated_at=ab.generated_at,
        window_seconds=ab.window_seconds,
        timezone=ab.timezone,
        confidence=ab.confidence,
        badge=badge(found, measurements),
        experiment=ab.experiment,
        experiment_note=ab.experiment_note,
        baseline=ab.baseline,
        challenger=ab.challenger,
        case=case,
        headline=_headline(case),
        headline_words=headline_words(case),
        shares=_shares(case),
        recommendation=advice,
        verdict=ab.verdict,
        answer=ab.answer,
        status=ab.status,
        stand_in=substitute,
        models=tuple(found.counted.of(name) for name in found.roles.pair),
        logged_quality=found.counted.model.quality,
        doubts=doubts,
        gates=gates(found, case, ab),
        sources=ab.sources,
        observed_at=ab.observed_at,
        notices=_notices(ab, doubts),
        measurements=measurements,
        is_simulated=found.is_simulated,
        has_stale=any(measurement.stale and measurement.is_live for measurement in measurements),
        alt_text="",
    )
    return replace(report, alt_text=_alt_text(report))


def _cases(page: PageFacts, seed: int) -> tuple[BusinessCase, BusinessCase | None]:
    """The case of what counts, and that of the simulated stand-ins where a source is missing."""
    has_stand_in = not page.is_simulated and page.drawn is not page.counted
    return business_case(page, page.counted, seed=seed), business_case(
        page, page.drawn, seed=seed
    ) if has_stand_in else None


def _notices(ab: AbReport, doubts: tuple[str, ...]) -> tuple[str, ...]:
    """What is told of the sources and of the inputs, the weightiest first."""
    how = tuple(filter(is_how_counted, ab.health.notices))
    return (*(notice for notice in ab.health.notices if notice not in how), *doubts, *how)


def absurd(case: BusinessCase) -> tuple[str, ...]:
    """What looks like a slip of the pen: a yearly revenue gain of more than a hundredth of the yearly
    volume.
    """
    revenue, volume = (
        next(term for term in case.terms if term.name == "annual_revenue_increase"),
        365 * case.assumption("BASE_TRADING_VOLUME").amount.point,
    )
    if revenue.value.value is None or abs(revenue.value.value) <= _ABSURD_SHARE_OF_VOLUME * volume:
        return ()
    share, multiplier = (
        100 * abs(revenue.value.value) / volume,
        case.assumption("ACCURACY_REVENUE_MULTIPLIER").amount.point,
    )
    slip = f"is ACCURACY_REVENUE_MULTIPLIER={multiplier:g} meant per {_meant(case.inputs.quality)}"
    return (f"the yearly revenue change is {share:.3g} % of the yearly volume: {slip}",)


def _meant(quality: Quality) -> str:
    """What an amount that is too large may have been meant for, and what it is for."""
    if quality.is_share:
        return "percentage point? It is a share of the volume per accuracy fraction, such as 0.005"
    return f"accuracy fraction? It is a share of the volume {quality.per_unit}"


def _headline(case: BusinessCase) -> tuple[tuple[str, Measurement], ...]:
    return tuple(
        (row.name, row)
        for row in (
            *(term.value for term in case.terms),
            case.net,
            case.roi,
            case.payback,
            case.probability_net_positive,
            case.break_even_accuracy_improvement,
        )
    )


def _break_even(case: BusinessCase) -> tuple[Measurement, ...]:
    """That of a value, in its own unit, beside the headline's, which is a fraction of accuracy."""
    found = case.break_even_improvement
    return () if case.inputs.quality.is_share or found.value is None else (found,)


def _shares(case: BusinessCase) -> tuple[SharePart, ...]:
    """How the inputs are known: measured, assumed by you or by default, simulated or missing."""
    kinds: dict[str, list[str]] = {"measured": [], "assumed": [], "simulated": [], "missing": []}
    for measurement in case.inputs.measured:
        kind = {Origin.MISSING: "missing", Origin.SIMULATED: "simulated"}.get(measurement.origin, "measured")
        kinds[kind].append(input_label(measurement.name, case.inputs.quality))
    kinds["assumed"] = [each.name for each in case.assumptions]
    return tuple(SharePart(kind, tuple(names)) for kind, names in kinds.items() if names)


def _measurements(
    page: PageFacts, case: BusinessCase, substitute: BusinessCase | None, ab: AbReport
) -> tuple[Measurement, ...]:
    """Every number that the page shows, once; a simulated bar under its own name, so that no total is taken
    for it.
    """
    headline = tuple(measurement for _, measurement in _headline(case))
    models = tuple(page.counted.of(name).value(fact) for fact in COMPARED for name in page.roles.pair)
    simulated = tuple(
        replace(
            other.contribution,
            name=f"{other.contribution.name}_simulated",
            reason=f"SIMULATED: {term.value.reason}",
        )
        for term, other in zip(case.terms, substitute.terms if substitute else (), strict=False)
        if term.contribution.value is None and other.contribution.value is not None
    )
    names = {f"{guard.comparison.metric}_difference" for guard in ab.guardrails} | {
        "traffic_share_since_start"
    }
    judged = tuple(one for one in ab.measurements if one.name in names)
    everything = (
        *headline,
        *_break_even(case),
        case.partial_total,
        case.never_paid_back_probability,
        *case.inputs.measured,
        *models,
        *_since_start(case),
        *judged,
        *simulated,
    )
    return tuple({(one.name, one.variant): one for one in reversed(everything)}.values())[::-1]


def _since_start(case: BusinessCase) -> tuple[Measurement, ...]:
    """What the measured differences are of."""
    return tuple(
        side
        for effect in case.inputs.effects
        for side in (effect.baseline, effect.challenger)
        if side.name.endswith("_since_start") or side.name == ACCURACY_OVER_RUNS
    )


def _alt_text(report: BusinessReport) -> str:
    versus = (
        f"{report.challenger} against {report.baseline}" if report.challenger else f"{report.baseline} alone"
    )
    where = f" in experiment {report.experiment}" if report.experiment else ""
    words = [
        f"{label} {value} ({beside})" if beside else f"{label} {value}"
        for label, value, beside in report.headline_words
    ]
    heads = (panel.head(report) for panel in BUSINESS_PANELS if panel.is_shown(report))
    titles = [f"{head.title} ({head.reason})" if head.reason else head.title for head in heads]
    opening = (
        f"Business impact dashboard, {report.badge.kind.value} ({report.badge.second_line}): "
        f"{versus}{where}, at {format_moment(report.at)}"
    )
    reasons = "; ".join(report.recommendation.reasons)
    return escaped(
        f"{opening}. Recommendation: {report.recommendation.verdict} ({reasons}). "
        f"{'. '.join(words)}. {'. '.join(titles)}."
    )
