"""The measured part of the business case: challenger against baseline in accuracy, mean latency and error
ratio, and the requests of a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from live_dashboards.analysis.business.traffic import (
    PairTraffic,
    TimedDifference,
    error_difference,
    latency_sums,
    mean_difference,
    requests_per_day,
    traffic_of_test,
)
from live_dashboards.analysis.facts.arms import arm
from live_dashboards.analysis.facts.mean_latency import mean_since
from live_dashboards.analysis.facts.page import PageFacts
from live_dashboards.analysis.facts.retraining import (
    alpha_of_look,
    looks_at_accuracy,
    looks_at_means,
    over_runs,
    values_of_runs,
)
from live_dashboards.analysis.statistics.means import Sums
from live_dashboards.analysis.statistics.proportions import Counts, difference
from live_dashboards.analysis.statistics.stratified import together
from live_dashboards.analysis.verdict.effect import planned_requests
from live_dashboards.model.business_case import BusinessInputs, EffectInput
from live_dashboards.model.judgement import Period
from live_dashboards.model.measurement import Interval, Measurement, derive, missing
from live_dashboards.model.metrics import ACCURACY, ERROR_RATE
from live_dashboards.model.number import ordinal
from live_dashboards.model.quality import AS_LOGGED, FEWEST_RUNS, HIGHER, Quality

NO_TEST_ROWS = "no interval: log the number of test rows as AB_TEST_COUNT_PARAM"
_NO_CHALLENGER = "there is no challenger: name it with AB_CHALLENGER_VARIANT"
_TOO_FEW_BLOCKS = "no interval: fewer than 8 blocks of time tell of both variants yet"
_IMPROVEMENT = "accuracy_improvement"
_CONFIDENCE = 0.95


def business_inputs(page: PageFacts) -> BusinessInputs:
    """The inputs with their intervals, which hold at every look; what cannot be told is missing, with the
    reason.
    """
    traffic = traffic_of_test(page)
    return BusinessInputs(
        accuracy_improvement=_accuracy(page, traffic.period),
        latency_increase=_latency(page, traffic),
        error_rate_improvement=_errors(page, traffic),
        requests_per_day=requests_per_day(page, traffic),
        days_of_requests=traffic.days,
        start=traffic.period.start,
        quality=page.counted.model.quality,
    )


def without_revenue(effect: EffectInput, quality: Quality) -> EffectInput:
    """The improvement of a value of which nobody says what a unit brings: none, for that reason."""
    found = effect.difference
    if found.value is None:
        return effect
    reason = (
        f"{quality.metric().title} is a value in its own unit: no share of the volume follows unless "
        f"ACCURACY_REVENUE_MULTIPLIER is given {quality.per_unit}"
    )
    nothing = missing(
        found.name, found.unit, reason, variant=found.variant, source=found.source, query=found.query
    )
    return EffectInput(nothing, effect.baseline, effect.challenger)


def _accuracy(page: PageFacts, period: Period) -> EffectInput:
    """Of the accuracy, or of what stands in its place."""
    quality = page.counted.model.quality
    pair = [page.counted.of(name).accuracy for name in page.roles.pair]
    baseline, challenger = (
        pair if len(pair) == 2 else (pair[0], missing(ACCURACY, quality.unit, _NO_CHALLENGER))
    )
    if quality.is_assumed:
        unit = "fraction" if quality.is_share else AS_LOGGED
        reason, whose = quality.unknown_direction, page.roles.challenger
        return EffectInput(missing(_IMPROVEMENT, unit, reason, variant=whose), baseline, challenger)
    of = _share if quality.is_share else _value
    return of(page, period, baseline, challenger)


def _value(page: PageFacts, period: Period, baseline: Measurement, challenger: Measurement) -> EffectInput:
    """Two means over runs, where each variant has three and more that differ, in limits at the level of
    their pair: each run that ended since the start of the test was another look. Else the newest values,
    without limits.
    """
    name, quality = str(page.roles.challenger), page.counted.model.quality
    sign = 1 if quality.goal == HIGHER else -1

    def improvement(challenger_as_logged: float, baseline_as_logged: float) -> float:
        return sign * (challenger_as_logged - baseline_as_logged)

    def measured(ours: Measurement, theirs: Measurement) -> Measurement:
        found = derive(
            improvement, _IMPROVEMENT, AS_LOGGED, challenger_as_logged=ours, baseline_as_logged=theirs
        )
        return replace(found, variant=page.roles.challenger)

    once = over_runs(page, name, _CONFIDENCE)
    if once is None:
        newest = measured(challenger, baseline)
        told = newest.reason if newest.value is None else _no_runs(page, quality)
        return EffectInput(replace(newest, reason=told), baseline, challenger)
    looks = looks_at_means(page.counted.mlflow, (name, page.roles.baseline), period.start, page.at)
    alpha = _alpha(page, looks)
    always = over_runs(page, name, 1 - alpha) or once
    words = (
        f"Welch's interval over {once.n[0]} and {once.n[1]} runs, {100 * (1 - alpha):.4g} % for the "
        f"{ordinal(looks)} pair of means, so that it holds for all that may follow"
    )
    limits = tuple(Interval(each.low, each.high).times(sign) for each in (always, once))
    return _with_limits(
        replace(measured(*once.inputs), reason=None),
        once.inputs[1],
        once.inputs[0],
        (limits[0], limits[1]),
        words,
    )


def _no_runs(page: PageFacts, quality: Quality) -> str:
    """Why a value has no interval."""
    title = quality.metric().title
    counts = [len(values_of_runs(page, each)) for each in page.roles.pair]
    if min(counts) >= FEWEST_RUNS:
        return (
            f"no interval: the runs of a variant do not differ in {title}, which tells nothing of how they do"
        )
    return (
        f"no interval: {title} is a value and no share of test rows; log it in {FEWEST_RUNS} finished runs "
        "and more of each variant"
    )


def _alpha(page: PageFacts, looks: int) -> float:
    return alpha_of_look(looks, max(1, len(page.roles.names) - 1))


def _share(page: PageFacts, period: Period, baseline: Measurement, challenger: Measurement) -> EffectInput:
    """Two test sets, in limits at the level of their pair: each retrained model since the start of the test
    was another look.
    """
    sign = 1 if page.counted.model.quality.goal == HIGHER else -1

    def improvement(challenger_percent: float, baseline_percent: float) -> float:
        return sign * (challenger_percent - baseline_percent) / 100

    measured = derive(
        improvement,
        _IMPROVEMENT,
        "fraction",
        challenger_percent=challenger,
        baseline_percent=baseline,
    )
    measured = replace(measured, variant=page.roles.challenger)
    if measured.value is None:
        return EffectInput(measured, baseline, challenger)
    if not (baseline.n and challenger.n):
        is_online = page.counted.mlflow.status.source not in {baseline.source, challenger.source}
        test_count_param = str(page.settings["AB_TEST_COUNT_PARAM"])
        reason = (
            "no interval: the online gauge is exported without its number of requests"
            if is_online
            else _no_rows(test_count_param, baseline, challenger)
        )
        return EffectInput(replace(measured, reason=reason), baseline, challenger)
    looks = looks_at_accuracy(
        page.counted.mlflow, (str(challenger.variant), str(baseline.variant)), period.start, page.at
    )
    alpha = _alpha(page, looks)
    ours, theirs = (_counts(each) for each in (challenger, baseline)[::sign])
    words = (
        f"Newcombe's interval of two test sets, {100 * (1 - alpha):.4g} % for the {ordinal(looks)} "
        "pair, so that it holds for all that may follow"
    )
    return _with_limits(
        measured,
        baseline,
        challenger,
        (_limits(ours, theirs, 1 - alpha), _limits(ours, theirs, _CONFIDENCE)),
        words,
    )


def _no_rows(test_count_param: str, *sides: Measurement) -> str:
    """What to log, and what each run has logged instead."""
    logged = dict.fromkeys(
        str(side.reason).removeprefix("no interval: ") for side in sides if not side.n and side.reason
    )
    return f"{NO_TEST_ROWS} ({'; '.join(logged) or test_count_param})"


def _errors(page: PageFacts, traffic: PairTraffic) -> EffectInput:
    """Baseline minus challenger, as fewer errors are the better."""
    name, unit = "error_rate_improvement", "fraction"
    if page.roles.challenger is None or traffic.kept is None:
        return _nothing(page, name, unit, traffic, "error_rate")
    ours, theirs = (
        arm(page, traffic.kept, variant, ERROR_RATE)
        for variant in (page.roles.challenger, page.roles.baseline)
    )
    rates = tuple(_since_start(each.rate, page) for each in (theirs, ours))

    def improvement(baseline_percent: float, challenger_percent: float) -> float:
        return (baseline_percent - challenger_percent) / 100

    measured = replace(
        derive(improvement, name, unit, baseline_percent=rates[0], challenger_percent=rates[1]),
        variant=page.roles.challenger,
    )
    if measured.value is None:
        return EffectInput(measured, rates[0], rates[1])
    blocks = [
        [together([each.blocks[end] for end in group if end in each.blocks]) for group in traffic.groups]
        for each in (ours, theirs)
    ]
    if not traffic.groups:
        return EffectInput(
            missing(
                name,
                unit,
                _apart(page),
                variant=page.roles.challenger,
                source=measured.source,
                query=measured.query,
            ),
            rates[0],
            rates[1],
        )
    timed = error_difference(
        blocks[0],
        blocks[1],
        planned_requests(page.settings, page.roles.names, (page.roles.challenger, page.roles.baseline)),
    )
    return _timed(measured, rates, timed, sign=-1)


def _latency(page: PageFacts, traffic: PairTraffic) -> EffectInput:
    """Challenger minus baseline in ms."""
    name, unit = "latency_increase_ms", "ms"
    if page.roles.challenger is None or traffic.kept is None:
        return _nothing(page, name, unit, traffic, "mean_latency_ms")
    theirs, ours = (
        latency_sums(page, traffic, variant) for variant in (page.roles.baseline, page.roles.challenger)
    )
    rates = (
        _mean_latency(page, traffic, page.roles.baseline, theirs),
        _mean_latency(page, traffic, page.roles.challenger, ours),
    )

    def increase(challenger_ms: float, baseline_ms: float) -> float:
        return challenger_ms - baseline_ms

    measured = replace(
        derive(increase, name, unit, challenger_ms=rates[1], baseline_ms=rates[0]),
        variant=page.roles.challenger,
    )
    if measured.value is None:
        return EffectInput(measured, rates[0], rates[1])
    timed = mean_difference(
        ours,
        theirs,
        planned_requests(page.settings, page.roles.names, (page.roles.challenger, page.roles.baseline)),
    )
    if timed is None:
        return EffectInput(
            missing(
                name,
                unit,
                _apart(page),
                variant=page.roles.challenger,
                source=measured.source,
                query=measured.query,
            ),
            rates[0],
            rates[1],
        )
    return _timed(measured, rates, timed, sign=1)


def _mean_latency(page: PageFacts, traffic: PairTraffic, variant: str, sums: Sequence[Sums]) -> Measurement:
    """The mean response time since the start of the test."""
    assert traffic.kept is not None  # noqa: S101 asked for only where it was counted
    name = "mean_latency_ms_since_start"
    window: Measurement = page.counted.of(variant).mean_latency_ms
    seconds, counts = (traffic.kept.total(name) for name in ("latency_sum", "latency_count"))
    query = ", ".join(filter(None, (seconds.query, counts.query)))
    source, n = page.counted.prometheus.status.source, sum(each.n for each in sums)
    if not n:
        reason = (
            window.reason
            or seconds.reason
            or counts.reason
            or f"Prometheus has no response times of variant {variant!r} since the start of the test"
        )
        return missing(name, "ms", reason, variant=variant, source=source, query=query)
    times = Sums(sum(each.total for each in sums), n)
    return mean_since(page, name, variant, times, query)


def _nothing(page: PageFacts, name: str, unit: str, traffic: PairTraffic, fact: str) -> EffectInput:
    baseline: Measurement = getattr(page.counted.of(page.roles.baseline), fact)
    if page.roles.challenger is None:
        return EffectInput(
            missing(name, unit, _NO_CHALLENGER, source=baseline.source),
            baseline,
            missing(fact, baseline.unit, _NO_CHALLENGER),
        )
    challenger: Measurement = getattr(page.counted.of(page.roles.challenger), fact)
    gaps = [str(side.reason) for side in (baseline, challenger) if side.value is None]
    reason = "; ".join(dict.fromkeys(gaps)) or traffic.reason
    return EffectInput(
        missing(
            name,
            unit,
            reason,
            variant=page.roles.challenger,
            source=challenger.source,
            query=challenger.query,
        ),
        baseline,
        challenger,
    )


def _since_start(rate: Measurement, page: PageFacts) -> Measurement:
    """An error rate over the analysis period, with what is told of that of the window."""
    return replace(
        rate,
        name="error_rate_since_start",
        reason=rate.reason or page.counted.of(str(rate.variant)).error_rate.reason,
    )


def _apart(page: PageFacts) -> str:
    return (
        f"{page.roles.challenger} and {page.roles.baseline}: none was counted of both in the same "
        "block of time"
    )


def _timed(
    measured: Measurement, sides: Sequence[Measurement], timed: TimedDifference, *, sign: int
) -> EffectInput:
    """The difference within blocks in place of that of the two means."""
    weights = (
        "each block of time by its requests, as the difference moves with the traffic"
        if timed.is_by_traffic
        else "each block of time by how much it tells"
    )
    within = replace(measured, value=sign * timed.estimate)
    residuals = tuple(sign * each for each in timed.residuals)
    if timed.always is None or timed.one_look is None:
        return EffectInput(replace(within, reason=_TOO_FEW_BLOCKS), sides[0], sides[1], residuals=residuals)
    always, one_look = (
        Interval(*sorted(sign * end for end in ends)) for ends in (timed.always, timed.one_look)
    )
    found = _with_limits(
        within,
        sides[0],
        sides[1],
        (always, one_look),
        f"difference at the same time since the start of the test, {weights}",
    )
    return replace(found, residuals=residuals)


def _with_limits(
    measured: Measurement,
    baseline: Measurement,
    challenger: Measurement,
    limits: tuple[Interval, Interval],
    words: str,
) -> EffectInput:
    """The difference with its limits, always-valid ones and those for one look; the sum of both n as its
    own.
    """
    n = baseline.n + challenger.n if baseline.n and challenger.n else None
    reason = "; ".join(filter(None, (words, measured.reason)))
    whole = replace(measured, interval=limits[0], drawn_interval=limits[0], n=n, reason=reason)
    return EffectInput(whole, baseline, challenger, limits[1])


def _limits(ours: Counts, theirs: Counts, level: float) -> Interval:
    """Newcombe's limits of ours minus theirs, as fractions."""
    found = difference(ours, theirs, level)
    return Interval(found.low, found.high)


def _counts(rate: Measurement) -> Counts:
    """The counts behind a rate in percent."""
    n = max(1, rate.n or 0)
    return Counts(min(n, round((rate.value or 0.0) / 100 * n)), n)
