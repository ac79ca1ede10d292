"""The conditions of a decision, each with the numbers behind it."""

from __future__ import annotations

from live_dashboards.analysis.business_inputs import NO_TEST_ROWS
from live_dashboards.analysis.facts.page import Page
from live_dashboards.analysis.recommendation import split_words, stale_inputs
from live_dashboards.analysis.verdict.decision import NO_VERDICT, SHIP
from live_dashboards.model.business_case import BusinessCase
from live_dashboards.model.business_report import Gate
from live_dashboards.model.judgement import HARM, SHOWN, UNKNOWN, Guardrail, SplitTest
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.number import format_interval, format_money_estimate
from live_dashboards.model.report import AbReport, BadgeKind

PASSED, FAILED, NOT_KNOWN = "passed", "failed", "unknown"
LABEL_SPLIT = "Traffic is split as planned"


def _points(improvement: Measurement) -> str:
    interval = improvement.interval
    assert interval is not None  # noqa: S101 asked for only where there is one
    low, high = (None if limit is None else 100 * limit for limit in (interval.low, interval.high))
    return format_interval(low, high, "points", signed=True)


def gates(found: Page, case: BusinessCase, ab: AbReport) -> tuple[Gate, ...]:
    """What must hold before anyone decides, each with the numbers behind it; on simulated data nothing but
    the first is looked at.
    """
    rows = _looked_at(found, case, ab)
    if found.kind is not BadgeKind.SIMULATED:
        return rows
    return (
        rows[0],
        *(
            Gate(gate.label, NOT_KNOWN, "not judged on simulated data" if found.is_simulated else "no data")
            for gate in rows[1:]
        ),
    )


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
        Gate(
            "A/B verdict is SHIP",
            PASSED if verdict.verdict == SHIP else NOT_KNOWN if verdict.verdict == NO_VERDICT else FAILED,
            verdict.rule.partition(" (")[0],
        ),
    )


def _gate_live(found: Page) -> Gate:
    is_live = found.kind is BadgeKind.LIVE
    return Gate("Both sources are live", PASSED if is_live else FAILED, found.kind.value)


def _gate_fresh(case: BusinessCase) -> Gate:
    stale = stale_inputs(case)
    return Gate(
        "Nothing is stale",
        FAILED if stale else PASSED,
        f"older than AB_STALE_AFTER: {', '.join(stale)}" if stale else "every input is fresh",
    )


def _gate_accuracy(case: BusinessCase) -> Gate:
    improvement = case.inputs.accuracy_improvement.difference
    if improvement.interval is None or improvement.interval.low is None:
        return Gate("Accuracy is better", NOT_KNOWN, improvement.reason or NO_TEST_ROWS)
    return Gate(
        "Accuracy is better",
        PASSED if improvement.interval.low > 0 else FAILED,
        f"95 %: {_points(improvement)}",
    )


def _gate_split(split: SplitTest) -> Gate:
    """Failed where the always-valid test of the analysis period is red; unknown where it could not be
    judged.
    """
    if split.flag is None:
        return Gate(LABEL_SPLIT, NOT_KNOWN, split.reason)
    if split.waits_for:
        return Gate(LABEL_SPLIT, NOT_KNOWN, f"{split.waits_for}: {split_words(split)}")
    return Gate(LABEL_SPLIT, FAILED if split.flag == "red" else PASSED, split_words(split))


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
    return Gate(
        "Parameters are yours",
        PASSED if len(own) == len(case.assumptions) else FAILED if not own else NOT_KNOWN,
        f"{len(own)} of {len(case.assumptions)} set",
    )
