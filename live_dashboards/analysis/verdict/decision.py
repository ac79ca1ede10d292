"""The verdict: its rules in their order, what it rests on, what would change it, and which other tests of the
same variants run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from live_dashboards.analysis.facts.page import PageFacts, failure
from live_dashboards.analysis.facts.retraining import alpha_of_look, values_of_runs
from live_dashboards.analysis.statistics.proportions import Counts
from live_dashboards.analysis.verdict.effect import GAUGE_HAS_NO_COUNT, ComparedRates
from live_dashboards.analysis.verdict.present_model import (
    PresentModel,
    lacking_words,
    separating_words,
)
from live_dashboards.model.judgement import (
    HARM,
    KEEP_RUNNING,
    NO_DIFFERENCE,
    NO_VERDICT,
    ROLL_BACK,
    SHIP,
    SHOWN,
    UNKNOWN,
    WAIVED,
    Guardrail,
    MetricDifference,
    Period,
    Power,
    SplitTest,
    Verdict,
)
from live_dashboards.model.measurement import Origin
from live_dashboards.model.metrics import ACCURACY, ACCURACY_OVER_RUNS, ERROR_RATE, ONLINE_ACCURACY
from live_dashboards.model.names import listed
from live_dashboards.model.notices import PARTIAL
from live_dashboards.model.number import (
    format_count,
    format_estimate,
    format_number,
    format_percent,
    format_signed,
    ordinal,
)
from live_dashboards.model.quality import FEWEST_RUNS
from live_dashboards.model.report import BadgeKind
from live_dashboards.model.snapshot import SourceState

_NAMES_SHOWN = 4


def not_one_test(page: PageFacts) -> str:
    """Why the counted traffic allows no verdict on the chosen experiment; empty where it is one test's, as
    far as names tell.

    Where no series has the experiment's name in its label `experiment`, all of them count. Under one other
    name they may still be this test, if its runs are of the variants that are compared; under several names
    they are several tests.
    """
    names = page.counted.prometheus.added_experiments
    if len(names) > 1:
        return (
            f"the traffic of {listed(names, _NAMES_SHOWN)} is added together; choose one with "
            "--experiment or AB_EXPERIMENT"
        )
    mlflow = page.counted.mlflow
    runs = {
        name for each in mlflow.experiments if each.name == mlflow.experiment for name, _ in each.variants
    }
    strange = [name for name in page.roles.pair if name not in runs]
    if not names or names[0] == mlflow.experiment or not runs or not strange:
        return ""
    return f"the traffic is that of {names[0]}, and {mlflow.experiment} has no run of {' and '.join(strange)}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rules look at: the success metric's comparison, the guardrails of the same challenger, the
    split and the period.

    `shared_days` are the days on which both arms had traffic that counts, `present` how much of the evidence
    is of the models that serve now, None where none was replaced; `more` is what decides the open gates.
    Money is not among it: that decides in the recommendation.
    """

    page: PageFacts
    success: ComparedRates | None
    guardrails: tuple[Guardrail, ...]
    split: SplitTest
    period: Period
    power: Power
    requests: float
    shared_days: float
    present: PresentModel | None = None
    more: tuple[str, ...] = ("more traffic",)


def success_of(page: PageFacts, rows: tuple[ComparedRates, ...]) -> ComparedRates | None:
    """The comparison that the verdict is about: AB_SUCCESS_METRIC of the challenger; for accuracy the online
    count where one exists, else the test sets; for a value in its place, the runs.

    An online count stays it where it cannot be judged: what was tested before says less than what users met.
    """
    mine = {each.row.metric: each for each in rows if each.row.treatment == page.roles.challenger}
    if page.settings["AB_SUCCESS_METRIC"] == ERROR_RATE:
        return mine.get(ERROR_RATE)
    online = mine.get(ONLINE_ACCURACY)
    is_counted = (
        online is not None
        and page.settings["AB_ONLINE_CORRECT_METRIC"] is not None
        and online.row.pooled is not None
    )
    if is_counted:
        return online
    # a value has an interval by its runs alone
    over = None if page.counted.model.quality.is_share else mine.get(ACCURACY_OVER_RUNS)
    return over or mine.get(ACCURACY)


def verdict(evidence: Evidence) -> Verdict:
    """The first rule that fires, of: no data, wrong split, harm, better, no difference, a direction that is
    not known; else the test goes on.
    """
    rules: tuple[Callable[[Evidence], Verdict | None], ...] = (
        _without_data,
        _wrong_split,
        _harmed,
        _better,
        _no_difference,
        _without_direction,
    )
    return next(
        (found for found in (rule(evidence) for rule in rules) if found is not None), None
    ) or _going_on(evidence)


def _without_data(evidence: Evidence) -> Verdict | None:
    reasons = tuple(dict.fromkeys(_gaps(evidence)))
    if not reasons:
        return None
    would_change = ("the data named here, live and fresh", *_set_direction(evidence))
    return Verdict(NO_VERDICT, "1: the data allow none", (*reasons, *_no_direction(evidence)), would_change)


def _no_direction(evidence: Evidence) -> tuple[str, ...]:
    """That the success metric's direction is not known, where it is not."""
    row = _row(evidence)
    if row is None or row.what.is_direction_known:
        return ()
    return (evidence.page.counted.model.quality.unknown_direction,)


def _set_direction(evidence: Evidence) -> tuple[str, ...]:
    return ("AB_ACCURACY_GOAL=higher or AB_ACCURACY_GOAL=lower",) if _no_direction(evidence) else ()


def _gaps(evidence: Evidence) -> list[str]:
    """Why nothing may be concluded: simulated, estimated, missing or stale data, too few events, a start that
    is not known.
    """
    page, success = evidence.page, evidence.success
    lacking = _lacking(page)
    if lacking:
        return lacking
    if success is None or not success.row.has_interval:
        return [_no_interval(page, success)]
    row = success.row
    gaps = [f"{_words(row)} is {row.origin.value}, not live"] if row.origin is not Origin.LIVE else []
    stale = [
        _words(each) for each in (row, *(guard.comparison for guard in evidence.guardrails)) if each.stale
    ]
    gaps += [f"stale: {', '.join(stale)}; is the exporter still scraped?"] if stale else []
    gaps += [] if evidence.period.is_whole and evidence.period.start is not None else [evidence.period.reason]
    if any(
        guard.comparison.has_interval and not guard.comparison.sequential for guard in evidence.guardrails
    ):
        gaps.append(
            "nothing has accumulated since the start of the test: its first blocks of traffic are not over"
        )
    return [*gaps, *_too_few(page, success)]


def _lacking(page: PageFacts) -> list[str]:
    """Whole sources or arms that are not there now, or traffic of other tests."""
    if page.kind is BadgeKind.SIMULATED:
        return ["simulated data" if page.is_simulated else "neither source gave A/B data"]
    silent = [
        status
        for status in (page.mlflow_status, page.prometheus_status)
        if status.state is SourceState.CACHED or page.kind is BadgeKind.CACHED
    ]
    if silent:
        return [f"{failure(status)}; what it answered earlier decides nothing" for status in silent]
    if page.roles.lacks_baseline:
        failed = (
            failure(status)
            for status in (page.mlflow_status, page.prometheus_status)
            if status.state is SourceState.FAILED
        )
        return [*failed, page.roles.no_baseline]
    if page.roles.challenger is None:
        return ["there is no challenger: name it with AB_CHALLENGER_VARIANT"]
    if not page.prometheus_status.has_answered:
        return [failure(page.prometheus_status)]
    partial = PARTIAL if page.prometheus_status.is_partial else ""
    twice = (
        f"Prometheus: {page.prometheus_status.counted_twice}" if page.prometheus_status.counted_twice else ""
    )
    return [*filter(None, (partial, twice, not_one_test(page)))]


def _no_interval(page: PageFacts, success: ComparedRates | None) -> str:
    """Why the success metric has no interval, and what to log."""
    if success is None:
        return "nothing is compared"
    row, words = success.row, _words(success.row)
    has_failed = page.mlflow_status.state is SourceState.FAILED
    if row.metric == ACCURACY and has_failed:
        return f"{failure(page.mlflow_status)}, so that {words} has no interval"
    if row.estimate is None:
        return f"{words}: {row.reason}"
    if row.metric == ACCURACY and not page.mlflow_status.has_answered:
        return f"{words} is a gauge without a count: {GAUGE_HAS_NO_COUNT.partition(': ')[2]}"
    if not row.what.is_share:
        return f"{words} has no interval, {_no_spread(page, row)}"
    return (
        f"{words} has no interval: {str(row.reason).removeprefix('no interval: ')}; log the number of "
        f"test rows as {page.settings['AB_TEST_COUNT_PARAM']}"
    )


def _no_spread(page: PageFacts, row: MetricDifference) -> str:
    """Why a value over runs has no interval, and what to log."""
    counts = [len(values_of_runs(page, each)) for each in (row.treatment, row.control)]
    if min(counts) >= FEWEST_RUNS:
        return (
            "as the runs of a variant do not differ, which tells nothing of how they do: log runs of other "
            "seeds or splits"
        )
    return (
        "as it is a value and no share of test rows: log it in three finished runs and more of each variant, "
        "or judge by AB_SUCCESS_METRIC=error_rate"
    )


def _too_few(page: PageFacts, success: ComparedRates) -> list[str]:
    """Arms with fewer events, or non-events, than AB_MINIMUM_EVENTS."""
    if not success.row.what.is_share:
        return []
    fewest = int(page.settings["AB_MINIMUM_EVENTS"])
    found = []
    for rate in success.inputs:
        counts = Counts(min(rate.n or 1, round((rate.value or 0.0) / 100 * (rate.n or 1))), rate.n or 1)
        if min(counts.events, counts.n - counts.events) < fewest:
            found.append(
                f"{rate.variant}: {counts.events} of {format_count(counts.n)}, fewer than "
                f"AB_MINIMUM_EVENTS={fewest} of either kind"
            )
    return found


def _wrong_split(evidence: Evidence) -> Verdict | None:
    split = evidence.split
    if split.flag != "red":
        return None
    planned = dict(split.planned)
    shares = ", ".join(
        f"{share.variant} {format_percent(share.value)} of "
        f"{format_percent(planned.get(str(share.variant), 0.0))}"
        for share in split.observed
    )
    reasons = (f"traffic is not split as planned: {shares} ({p_words(split.p_value)})", split.reason)
    return Verdict(
        NO_VERDICT,
        "2: the traffic split is red",
        tuple(filter(None, reasons)),
        ("find what routes otherwise, mend it, and set AB_START to that moment",),
    )


def _harmed(evidence: Evidence) -> Verdict | None:
    harmed = [guard for guard in evidence.guardrails if guard.outcome == HARM and guard.comparison.sequential]
    if not harmed:
        return None
    reasons = tuple(
        text
        for guard in harmed
        for text in (
            f"{_words(guard.comparison)} is worse: {guard.words}",
            *carried_words(guard.comparison, evidence.page.settings["AB_EXCLUDE"] or ()),
        )
    )
    return Verdict(
        ROLL_BACK,
        "3: a guardrail is harmed (limits for harm)",
        reasons,
        tuple(f"{_words(guard.comparison)} back within the margin" for guard in harmed),
    )


def carried_words(row: MetricDifference, excluded: Sequence[tuple[datetime, datetime]]) -> Iterator[str]:
    """What carries a harm, the difference without it, and what would leave it out, beside the stretches that
    are left out already.
    """
    if row.carried is None:
        return
    share, stretch = (
        format_percent(row.carried.share_percent, 2),
        ",".join(
            f"{_minute(begin)}/{_minute(end)}"
            for begin, end in (*excluded, (row.carried.begin, row.carried.end))
        ),
    )
    within = (
        f"{share} of the difference came from {row.carried.begin:%-d %b %H:%M} to "
        f"{row.carried.end:%-d %b %H:%M} UTC"
    )
    yield (
        f"{within}, {format_signed(row.carried.without, 'points')} without; AB_EXCLUDE={stretch} leaves "
        "that out, chosen after looking"
    )


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}"


def _better(evidence: Evidence) -> Verdict | None:
    success = _row(evidence)
    if success is None or not is_better(success) or _lacks(evidence):
        return None
    reasons = (
        f"{_words(success)} better: {_estimate(success)}",
        *map(_held_words, evidence.guardrails),
    )
    return Verdict(
        SHIP,
        "4: surely better, no guardrail worse (limits for safety)",
        reasons,
        ("a guardrail that is harmed, or a split that turns red",),
    )


def _held_words(guard: Guardrail) -> str:
    """What holds of a guardrail, or that it is waived."""
    return f"{_words(guard.comparison)}: {guard.words}" if guard.is_measured else _unmeasured_words(guard)


def _unmeasured_words(guard: Guardrail) -> str:
    return f"{guard.name} {guard.words}"


def is_better(row: MetricDifference) -> bool:
    """Whether the interval excludes 0 in the good direction, if that is known."""
    return _is_beyond_0(row, upwards=row.is_higher_better)


def is_worse(row: MetricDifference) -> bool:
    """Whether the interval excludes 0 in the bad direction, if that is known."""
    return _is_beyond_0(row, upwards=not row.is_higher_better)


def _is_beyond_0(row: MetricDifference, *, upwards: bool) -> bool:
    low, high = row.verdict_limits
    if low is None or high is None or row.descriptive or not row.what.is_direction_known:
        return False
    return low > 0 if upwards else high < 0


def _lacks(evidence: Evidence) -> list[str]:
    """What is still missing for SHIP beside a better success metric."""
    is_off = evidence.split.waits_for and evidence.split.flag == "amber"
    return [
        *(
            f"{_words(guard.comparison)} not known: {guard.words}"
            if guard.is_measured
            else _unmeasured_words(guard)
            for guard in evidence.guardrails
            if guard.outcome == UNKNOWN
        ),
        *(
            f"{_words(guard.comparison)} not yet shown to be no worse: {guard.words}"
            for guard in evidence.guardrails
            if guard.outcome not in {UNKNOWN, SHOWN, WAIVED}
        ),
        *([f"the traffic split is off the plan so far, and {evidence.split.waits_for}"] if is_off else []),
        *_too_young(evidence),
        *([lacking_words(evidence.present)] if evidence.present and not evidence.present.is_enough else []),
    ]


def _too_young(evidence: Evidence) -> list[str]:
    days, fewest = (
        min(days_of(evidence.period), evidence.shared_days),
        float(evidence.page.settings["AB_MINIMUM_DAYS"]),
    )
    return [f"{format_number(days, 'days')} of AB_MINIMUM_DAYS={fewest:g} are over"] if days < fewest else []


def days_of(period: Period) -> float:
    """How long the test runs."""
    return 0.0 if period.start is None else (period.end - period.start).total_seconds() / 86_400


def _no_difference(evidence: Evidence) -> Verdict | None:
    page, row = evidence.page, _row(evidence)
    planned, least = page.settings["AB_PLANNED_REQUESTS"], float(page.settings["AB_MINIMUM_EFFECT_POINTS"])
    low, high = row.verdict_limits if row is not None else (None, None)
    if (
        row is None
        or row.descriptive
        or low is None
        or high is None
        or planned is None
        or _too_young(evidence)
    ):
        return None
    is_share = row.what.is_share  # points are those of a share
    if evidence.requests < float(str(planned)) or not is_share or not -least < low <= high < least:
        return None
    reasons = (
        f"{_words(row)}: {_estimate(row)}, within AB_MINIMUM_EFFECT_POINTS=±{least:g}",
        f"{format_count(evidence.requests)} of {format_count(float(str(planned)))} planned requests",
    )
    return Verdict(
        NO_DIFFERENCE,
        "5: as planned, and any difference is too small to matter (limits for safety)",
        reasons,
        ("a smaller AB_MINIMUM_EFFECT_POINTS, planned before a new test",),
    )


def _without_direction(evidence: Evidence) -> Verdict | None:
    """Nothing is better or worse of what nobody says which way is better."""
    row, reasons = _row(evidence), _no_direction(evidence)
    if row is None or not reasons:
        return None
    return Verdict(
        NO_VERDICT,
        "6: which way is better is not known",
        (*reasons, f"{_words(row)}: {_estimate(row)}"),
        _set_direction(evidence),
    )


def _going_on(evidence: Evidence) -> Verdict:
    row = _row(evidence)
    if row is None:
        return Verdict(KEEP_RUNNING, "6: no rule fired", ("nothing is compared",), ())
    if is_worse(row):
        reasons = (f"{_words(row)} is surely worse: {_estimate(row)}; more of this test will not ship it",)
        return Verdict(
            KEEP_RUNNING,
            "6: nothing to ship",
            reasons,
            ("a better challenger: stop this test and start anew",),
        )
    lacks = _lacks(evidence)
    if row.descriptive:
        told = (f"{_words(row)} decides nothing: {row.descriptive}", *lacks)
        return Verdict(
            KEEP_RUNNING, "6: nothing stands on the success metric", told, ("labels that can be compared",)
        )
    if is_better(row):
        return Verdict(
            KEEP_RUNNING, "6: better, but not yet safe to ship", tuple(lacks), _awaited(evidence, lacks)
        )
    undecided = f"{_words(row)} is not decided: {_estimate(row)}"
    return Verdict(
        KEEP_RUNNING, "6: no rule fired yet", (undecided, *lacks), _awaited(evidence, (undecided, *lacks))
    )


def _awaited(evidence: Evidence, reasons: Sequence[str]) -> tuple[str, ...]:
    """What would change the verdict: a start that separates models, and more of the test where anything else
    is lacking, too.
    """
    if evidence.present is None or evidence.present.is_enough:
        return evidence.more
    return (*separating_words(evidence.present), *(evidence.more if len(reasons) > 1 else ()))


def _row(evidence: Evidence) -> MetricDifference | None:
    return evidence.success.row if evidence.success else None


def _words(row: MetricDifference) -> str:
    return row.what.words


def _estimate(row: MetricDifference) -> str:
    """The difference with the limits that the verdict goes by, and which these are where the page shows
    others.
    """
    words = format_estimate(row.estimate or 0.0, *row.verdict_limits, row.unit, signed=True)
    if row.judged_low is None:
        return words
    what = "test sets" if row.what.is_share else "means over runs"
    pair = f", the {ordinal(row.looks)} pair of {what} since the start" if row.looks > 1 else ""
    return f"{words} at {100 * (1 - alpha_of_look(row.looks, row.family)):.4g} %{pair}"


def p_words(p_value: float | None) -> str:
    """`p 0.04`, `p < 0.001`."""
    return "p unknown" if p_value is None else "p < 0.001" if p_value < 0.001 else f"p {p_value:.2g}"
