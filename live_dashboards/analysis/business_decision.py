"""From the numbers to a recommendation: the gates, and the one sentence that follows from them."""

from __future__ import annotations

from live_dashboards.analysis.business_inputs import NO_TEST_ROWS
from live_dashboards.analysis.decision import NO_VERDICT, ROLL_BACK, SHIP, p_words
from live_dashboards.analysis.page import Page
from live_dashboards.model.business_case import BusinessCase
from live_dashboards.model.business_report import Gate, Recommendation
from live_dashboards.model.judgement import HARM, SHOWN, UNKNOWN, Guardrail, SplitTest, Verdict
from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.number import format_interval, format_money_estimate, format_percent
from live_dashboards.model.report import AbReport, BadgeKind

PASSED, FAILED, NOT_KNOWN = "passed", "failed", "unknown"
DEPLOY, MONITORED, KEEP_TESTING, DO_NOT_DEPLOY = "deploy", "deploy with monitoring", "keep testing", "do not deploy"
LABEL_SPLIT = "Traffic is split as planned"


def _points(improvement: Measurement) -> str:
    interval = improvement.interval
    assert interval is not None  # noqa: S101 asked for only where there is one
    low, high = (None if limit is None else 100 * limit for limit in (interval.low, interval.high))
    return format_interval(low, high, "points", signed=True)


def gates(found: Page, case: BusinessCase, ab: AbReport) -> tuple[Gate, ...]:
    """What must hold before anyone decides, each with the numbers behind it; on simulated data nothing but the first is looked at."""
    rows = _looked_at(found, case, ab)
    if found.kind is not BadgeKind.SIMULATED:
        return rows
    return (rows[0], *(Gate(gate.label, NOT_KNOWN, "not judged on simulated data" if found.is_simulated else "no data") for gate in rows[1:]))


def _looked_at(found: Page, case: BusinessCase, ab: AbReport) -> tuple[Gate, ...]:
    verdict = ab.verdict
    return (
        _gate_live(found),
        _gate_fresh(case),
        _gate_split(ab.split_test),
        _gate_accuracy(case),
        *(_gate_guardrail(guard) for guard in ab.guardrails if guard.comparison.treatment == ab.challenger),
        _gate_net(case),
        _gate_parameters(case),
        Gate("A/B verdict is SHIP", PASSED if verdict.verdict == SHIP else NOT_KNOWN if verdict.verdict == NO_VERDICT else FAILED, verdict.rule),
    )


def _gate_live(found: Page) -> Gate:
    is_live = found.kind is BadgeKind.LIVE
    return Gate("Both sources are live", PASSED if is_live else FAILED, found.kind.value)


def _gate_fresh(case: BusinessCase) -> Gate:
    stale = stale_inputs(case)
    return Gate("Nothing is stale", FAILED if stale else PASSED, f"older than AB_STALE_AFTER: {', '.join(stale)}" if stale else "every input is fresh")


def _gate_accuracy(case: BusinessCase) -> Gate:
    improvement = case.inputs.accuracy_improvement.difference
    if improvement.interval is None or improvement.interval.low is None:
        return Gate("Accuracy is better", NOT_KNOWN, improvement.reason or NO_TEST_ROWS)
    return Gate("Accuracy is better", PASSED if improvement.interval.low > 0 else FAILED, f"95 %: {_points(improvement)}")


def _gate_split(split: SplitTest) -> Gate:
    """Failed where the always-valid test of the analysis period is red; unknown where it could not be judged."""
    if split.flag is None:
        return Gate(LABEL_SPLIT, NOT_KNOWN, split.reason)
    planned = dict(split.planned)
    shares = " / ".join(format_percent(share.value) for share in split.observed)
    plan = " / ".join(format_percent(planned.get(str(share.variant), 0.0)) for share in split.observed)
    return Gate(LABEL_SPLIT, FAILED if split.flag == "red" else PASSED, f"{shares} of {plan}, {p_words(split.p_value)}")


def _gate_guardrail(guard: Guardrail) -> Gate:
    words = guard.words.replace(", margin ", ", max ")  # a gate has room for one short line
    state = {SHOWN: PASSED, HARM: FAILED, UNKNOWN: NOT_KNOWN}.get(guard.outcome, NOT_KNOWN)
    return Gate(guard.label, state, words)


def _gate_net(case: BusinessCase) -> Gate:
    interval, label = case.net.interval, "Net value is above 0"
    if interval is None or interval.low is None or case.net.value is None:
        return Gate(label, NOT_KNOWN, case.net.reason or "no interval")
    words = f"95 %: {format_money_estimate(case.net.value, interval.low, interval.high)}"
    return Gate(label, PASSED if interval.low > 0 else FAILED, words)


def _gate_parameters(case: BusinessCase) -> Gate:
    own = [each.name for each in case.assumptions if not each.is_default]
    return Gate("Parameters are yours", PASSED if len(own) == len(case.assumptions) else FAILED if not own else NOT_KNOWN, f"{len(own)} of {len(case.assumptions)} set")


def stale_inputs(case: BusinessCase) -> list[str]:
    """Names of the inputs that are older than they may be."""
    inputs = case.inputs
    each = (inputs.accuracy_improvement.difference, inputs.latency_increase.difference, inputs.error_rate_improvement.difference, inputs.requests_per_day)
    return [measurement.name.replace("_", " ") for measurement in each if measurement.stale and measurement.origin is not Origin.SIMULATED]


def recommendation(found: Page, case: BusinessCase, verdict: Verdict, split: SplitTest) -> Recommendation:
    """One of five answers; withheld where the data does not allow any. What harms is not deployed, even where its money cannot be told yet."""
    if verdict.verdict == ROLL_BACK:
        return Recommendation(DO_NOT_DEPLOY, (f"A/B verdict {verdict.verdict}: {verdict.rule}", *verdict.reasons))
    return _withheld(found, case, verdict, split) or _against(case) or _at_most_testing(case, verdict) or _in_favour(case, verdict)


def _against(case: BusinessCase) -> Recommendation | None:
    surely = case.net.interval
    if surely is not None and surely.high is not None and surely.high < 0:
        return Recommendation(DO_NOT_DEPLOY, (f"{_net_words(case)} is below 0",))
    return None


def _at_most_testing(case: BusinessCase, verdict: Verdict) -> Recommendation | None:
    if case.net.interval is None:
        return Recommendation(KEEP_TESTING, (case.net.reason or NO_TEST_ROWS,))
    if verdict.verdict != SHIP:
        return Recommendation(KEEP_TESTING, (f"A/B verdict {verdict.verdict}", *verdict.reasons))
    if all(each.is_default for each in case.assumptions):
        names = ", ".join(each.name for each in case.assumptions)
        return Recommendation(KEEP_TESTING, (f"all business parameters are defaults, not yours: set {names}",))
    return None


def _in_favour(case: BusinessCase, verdict: Verdict) -> Recommendation:
    surely = case.net.interval
    if surely is not None and surely.low is not None and surely.low > 0:
        return Recommendation(DEPLOY, (f"{_net_words(case)} is above 0", f"A/B verdict {verdict.verdict}: {verdict.rule}"))
    if case.net.value is not None and case.net.value > 0:
        return Recommendation(MONITORED, (f"A/B verdict {verdict.verdict}: {verdict.rule}", f"{_net_words(case)} may still be 0 or less"))
    return Recommendation(KEEP_TESTING, (f"{_net_words(case)} does not exclude 0",))


def _net_words(case: BusinessCase) -> str:
    interval = case.net.interval
    limits = (interval.low, interval.high) if interval else (None, None)
    return f"net value a year, 95 %: {format_money_estimate(case.net.value or 0.0, *limits)}"


def _withheld(found: Page, case: BusinessCase, verdict: Verdict, split: SplitTest) -> Recommendation | None:
    """Simulated, stale or partial data, a wrong traffic split, or no verdict, in this order."""
    if found.kind is BadgeKind.SIMULATED:
        words = "simulated data" if found.is_simulated else "no data"
        return Recommendation(f"withheld: {words}", ("neither source gave A/B data; nothing can be recommended on it",))
    stale = stale_inputs(case)
    if stale:
        return Recommendation("withheld: stale data", (f"too old: {', '.join(stale)}; is the exporter still scraped?",))
    if case.is_partial:
        gone = [f"{term.title.lower()}: {term.value.reason}" for term in case.terms if term.value.value is None]
        return Recommendation("withheld: partial data", tuple(gone) or (str(case.net.reason),))
    if split.flag == "red":
        words = _gate_split(split).words
        return Recommendation("withheld: traffic split", (f"traffic is not split as planned: {words}; see why before anything is decided",))
    if verdict.verdict == NO_VERDICT and case.net.interval is not None:  # without an interval it is known what to log: keep testing
        return Recommendation("withheld: no verdict", verdict.reasons)
    return None
