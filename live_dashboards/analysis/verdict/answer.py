"""The page in words: one sentence with what to do now, and the picture for those who cannot see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from live_dashboards.analysis.verdict.decision import is_worse
from live_dashboards.model.business_case import BusinessCase
from live_dashboards.model.judgement import (
    HARM,
    KEEP_RUNNING,
    NO_DIFFERENCE,
    NO_VERDICT,
    ROLL_BACK,
    SHIP,
    SHOWN,
    WAIVED,
    Guardrail,
    MetricDifference,
    PlainAnswer,
    Recommendation,
    Verdict,
)
from live_dashboards.model.moment import format_moment
from live_dashboards.model.names import escaped
from live_dashboards.model.number import format_interval, format_number, shared_decimals, unit_suffix
from live_dashboards.model.report import AbReport

_ACTIONS = {
    SHIP: "ship",
    ROLL_BACK: "roll back",
    KEEP_RUNNING: "keep running",
    NO_DIFFERENCE: "no difference that matters, end the test",
    NO_VERDICT: "no verdict yet",
}
_STOP = "may be stopped, it is worse"
_ORDER = (
    _ACTIONS[SHIP],
    _ACTIONS[ROLL_BACK],
    _STOP,
    _ACTIONS[NO_DIFFERENCE],
    _ACTIONS[KEEP_RUNNING],
    _ACTIONS[NO_VERDICT],
)


def answer(
    verdicts: Sequence[tuple[str, Verdict]],
    successes: Mapping[str, MetricDifference],
    guardrails: Sequence[Guardrail],
    money: tuple[BusinessCase, Recommendation],
    default: str | None,
    *,
    nobody: str = "there is no challenger",
) -> PlainAnswer:
    """The verdict on those to ship if there are any, all of them named, else that on the page's challenger,
    `default`.

    `successes` are the success metric's comparisons by challenger, `money` is what `default` is worth,
    `nobody` why there is no challenger.
    """
    shipped = [name for name, each in verdicts if each.verdict == SHIP]
    named = dict(verdicts)
    about = shipped or [name for name in named if name == default] or list(named)[:1]
    if not about:
        return PlainAnswer(
            NO_VERDICT,
            f"no verdict: {nobody}",
            "Statistics: no verdict yet. Money: nothing to decide.",
        )
    sentence = "; ".join(_sentence(name, named[name], successes.get(name), guardrails) for name in about)
    actions = {name: _action(each, successes.get(name)) for name, each in verdicts}
    told = _money(*money, named.get(str(default)))
    # of which challenger, where it is not that of all that is spoken of
    whose = f" ({default})" if len(verdicts) > 1 and about != [default] else ""
    return PlainAnswer(
        named[about[0]].verdict,
        sentence,
        f"Statistics: {_statistics(actions)}. Money{whose}: {told}.",
    )


def _action(verdict: Verdict, success: MetricDifference | None) -> str:
    """What the verdict says to do; a challenger that is surely worse is not worth the rest of its test."""
    if verdict.verdict == KEEP_RUNNING and success is not None and is_worse(success):
        return _STOP
    return _ACTIONS[verdict.verdict]


def _statistics(actions: Mapping[str, str]) -> str:
    """`ship`, or with several challengers `ship: b or c, roll back: d`."""
    if len(actions) == 1:
        return next(iter(actions.values()))
    groups = {action: [name for name, each in actions.items() if each == action] for action in _ORDER}
    return ", ".join(
        f"{action}: {' or '.join(names) if action == _ACTIONS[SHIP] else ', '.join(names)}"
        for action, names in groups.items()
        if names
    )


def _money(case: BusinessCase, advice: Recommendation, verdict: Verdict | None) -> str:
    if advice.verdict == "keep testing" and verdict is not None and verdict.verdict == NO_DIFFERENCE:
        return "no reason to change"
    if (
        advice.verdict == "keep testing"
        and verdict is not None
        and verdict.verdict == SHIP
        and all(each.is_default for each in case.assumptions)
    ):
        return "set your five amounts, then decide"
    if advice.verdict == "deploy with monitoring":
        return "deploy with monitoring, it may still bring nothing"
    return advice.verdict


def _sentence(
    name: str, verdict: Verdict, success: MetricDifference | None, guardrails: Sequence[Guardrail]
) -> str:
    mine = [guard for guard in guardrails if guard.comparison.treatment == name]
    if verdict.verdict == SHIP and success is not None:
        held = [
            guard.comparison.what.amount
            for guard in mine
            if guard.outcome == SHOWN and guard.comparison.metric != success.metric
        ]
        words = " and ".join(filter(None, (", ".join(held[:-1]), *held[-1:])))
        waived = [f"{guard.name} is not judged (waived)" for guard in mine if guard.outcome == WAIVED]
        return "; ".join((_difference(success), *([f"{words} hold"] if held else []), *waived))
    harmed = [guard.comparison for guard in mine if guard.outcome == HARM]
    if verdict.verdict == ROLL_BACK and harmed:
        return "; ".join(_difference(each, is_harm=True) for each in harmed)
    if verdict.verdict == NO_DIFFERENCE and success is not None:
        return f"{name} and {success.control} do not differ in {success.what.words} by anything that matters"
    if verdict.verdict == KEEP_RUNNING and success is not None and is_worse(success):
        return _difference(success)
    reason = verdict.reasons[0] if verdict.reasons else verdict.rule
    return (
        f"no verdict on {name}: {reason}"
        if verdict.verdict == NO_VERDICT
        else f"{name} is not decided yet: {reason}"
    )


def _difference(row: MetricDifference, *, is_harm: bool = False) -> str:
    """`enhanced gives 3.2 points more accuracy (2.5 to 3.9)`."""
    value = row.estimate or 0.0
    # as the guardrail's own words have it
    is_only_harm = is_harm and row.harm_low is not None and (row.low is None or row.low <= 0)
    low, high = (row.harm_low, row.harm_high) if is_only_harm else row.verdict_limits
    verb = "gives" if row.is_higher_better else "has"
    ends = sorted(abs(end) for end in (low, high) if end is not None)
    decimals = shared_decimals(ends, row.unit) if ends else None
    amount = format_number(abs(value), row.unit, decimals=decimals, show_unit=False)
    limits = f" ({format_interval(ends[0], ends[1], row.unit).removesuffix(' pt')})" if len(ends) == 2 else ""
    if not row.what.is_share:
        way = "more" if value > 0 else "less"
        return f"{row.what.words} of {row.treatment} is {amount}{unit_suffix(row.unit)} {way}{limits}"
    return (
        f"{row.treatment} {verb} {amount} points "
        f"{'more' if value > 0 else 'fewer' if not row.is_higher_better else 'less'} "
        f"{row.what.amount}{limits}"
    )


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
        for head in (panel.head(report) for panel in AB_PANELS if panel.is_shown(report))
    ]
    verdict = (
        f"Verdict {report.verdict.verdict} ({'; '.join((report.verdict.rule, *report.verdict.reasons))})"
    )
    return escaped(f"{opening}{where}, at {format_moment(report.at)}. {verdict}. " + ". ".join(panels) + ".")
