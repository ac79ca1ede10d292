"""From the verdict and the money to a recommendation, in one sentence."""

from __future__ import annotations

from live_dashboards.analysis.business.inputs import NO_TEST_ROWS
from live_dashboards.analysis.facts.page import PageFacts
from live_dashboards.analysis.verdict.decision import p_words
from live_dashboards.model.business_case import BusinessCase
from live_dashboards.model.judgement import NO_VERDICT, ROLL_BACK, SHIP, Recommendation, SplitTest, Verdict
from live_dashboards.model.measurement import Origin
from live_dashboards.model.number import format_money_estimate, format_percent
from live_dashboards.model.report import BadgeKind

DEPLOY, MONITORED, KEEP_TESTING, DO_NOT_DEPLOY = (
    "deploy",
    "deploy with monitoring",
    "keep testing",
    "do not deploy",
)


def stale_inputs(case: BusinessCase) -> list[str]:
    """Names of the inputs that are older than they may be."""
    return [
        measurement.name.replace("_", " ")
        for measurement in case.inputs.measured
        if measurement.stale and measurement.origin is not Origin.SIMULATED
    ]


def recommendation(page: PageFacts, case: BusinessCase, verdict: Verdict, split: SplitTest) -> Recommendation:
    """One of five answers; withheld where the data does not allow any. What harms is not deployed, even where
    its money cannot be told yet.
    """
    if verdict.verdict == ROLL_BACK:
        return Recommendation(
            DO_NOT_DEPLOY, (f"A/B verdict {verdict.verdict}: {verdict.rule}", *verdict.reasons)
        )
    return (
        _withheld(page, case, verdict, split)
        or _against(case)
        or _at_most_testing(case, verdict)
        or _in_favour(case, verdict)
    )


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
        return Recommendation(
            KEEP_TESTING, (f"all business parameters are defaults, not yours: set {names}",)
        )
    return None


def _in_favour(case: BusinessCase, verdict: Verdict) -> Recommendation:
    surely = case.net.interval
    if surely is not None and surely.low is not None and surely.low > 0:
        return Recommendation(
            DEPLOY, (f"{_net_words(case)} is above 0", f"A/B verdict {verdict.verdict}: {verdict.rule}")
        )
    if case.net.value is not None and case.net.value > 0:
        return Recommendation(
            MONITORED,
            (f"A/B verdict {verdict.verdict}: {verdict.rule}", f"{_net_words(case)} may still be 0 or less"),
        )
    return Recommendation(KEEP_TESTING, (f"{_net_words(case)} does not exclude 0",))


def _net_words(case: BusinessCase) -> str:
    interval = case.net.interval
    limits = (interval.low, interval.high) if interval else (None, None)
    return f"net value a year, 95 %: {format_money_estimate(case.net.value or 0.0, *limits)}"


def _withheld(
    page: PageFacts, case: BusinessCase, verdict: Verdict, split: SplitTest
) -> Recommendation | None:
    """Simulated, stale or partial data, a wrong traffic split, or no verdict, in this order."""
    if page.kind is BadgeKind.SIMULATED:
        words = "simulated data" if page.is_simulated else "no data"
        return Recommendation(
            f"withheld: {words}", ("neither source gave A/B data; nothing can be recommended on it",)
        )
    stale = stale_inputs(case)
    if stale:
        return Recommendation(
            "withheld: stale data", (f"too old: {', '.join(stale)}; is the exporter still scraped?",)
        )
    if case.is_partial:
        gone = [f"{term.words}: {term.value.reason}" for term in case.terms if term.value.value is None]
        return Recommendation("withheld: partial data", tuple(gone) or (str(case.net.reason),))
    if split.flag == "red":
        words = split_words(split)
        return Recommendation(
            "withheld: traffic split",
            (f"traffic is not split as planned: {words}; see why before anything is decided",),
        )
    # without an interval it is known what to log: keep testing
    if verdict.verdict == NO_VERDICT and case.net.interval is not None:
        return Recommendation("withheld: no verdict", verdict.reasons)
    return None


def split_words(split: SplitTest) -> str:
    """The observed shares against the planned ones, with the test's p."""
    planned = dict(split.planned)
    shares = " / ".join(format_percent(share.value) for share in split.observed)
    plan = " / ".join(format_percent(planned.get(str(share.variant), 0.0)) for share in split.observed)
    return f"{shares} of {plan}, {p_words(split.p_value)}"
