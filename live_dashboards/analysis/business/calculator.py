"""The business case of measured inputs and assumed amounts, at every end of open counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from live_dashboards.analysis.business.inputs import business_inputs, without_revenue
from live_dashboards.analysis.business.results import Worth
from live_dashboards.analysis.business.terms import (
    REQUESTS_PER_DAY,
    REVENUE_MULTIPLIER,
    TERMS,
    Draws,
    Looks,
    Part,
    TermFormula,
    assumptions,
    draw,
    percentile_limits,
    read_for,
)
from live_dashboards.analysis.business.terms import assumptions as amounts_of
from live_dashboards.analysis.facts.ends import around, outermost, widest
from live_dashboards.analysis.facts.page import AnswersAndSettings, Facts, PageFacts, page
from live_dashboards.errors import UsageError
from live_dashboards.model.business_case import (
    Assumption,
    BusinessCase,
    BusinessInputs,
    CashPoint,
    EffectInput,
    Spread,
    Term,
)
from live_dashboards.model.measurement import Interval, Measurement, computed, missing, total
from live_dashboards.model.quality import Quality

COST = "INFRASTRUCTURE_ANNUAL_COST"


def widest_case(case: BusinessCase, others: Sequence[BusinessCase]) -> BusinessCase:
    """The business case with the limits that hold at every end."""
    if not others:
        return case

    def of(value: Callable[[BusinessCase], Measurement]) -> Measurement:
        return widest(value(case), map(value, others))

    return replace(
        case,
        inputs=_inputs(case.inputs, [other.inputs for other in others]),
        terms=tuple(
            _term(term, [other.terms[index] for other in others]) for index, term in enumerate(case.terms)
        ),
        net=of(lambda each: each.net),
        roi=of(lambda each: each.roi),
        payback=_payback(of(lambda each: each.payback), others),
        probability_net_positive=of(lambda each: each.probability_net_positive),
        break_even_improvement=of(lambda each: each.break_even_improvement),
        spread=Spread(
            _around([each.spread.statistical for each in (case, *others)]),
            _around([each.spread.assumed for each in (case, *others)]),
        ),
        partial_total=of(lambda each: each.partial_total),
        cash=tuple(
            _cash([case.cash[index], *(other.cash[index] for other in others)])
            for index in range(len(case.cash))
        ),
        never_paid_back_probability=of(lambda each: each.never_paid_back_probability),
    )


def _payback(found: Measurement, others: Sequence[BusinessCase]) -> Measurement:
    """Without an upper limit where at some end nothing is paid back."""
    if found.value is None or all(other.payback.value is not None for other in others):
        return found
    low = found.value if found.interval is None else found.interval.low
    return replace(found, interval=Interval(low, None), drawn_interval=Interval(low, None))


def _inputs(found: BusinessInputs, others: Sequence[BusinessInputs]) -> BusinessInputs:
    return BusinessInputs(
        accuracy_improvement=_effect(
            found.accuracy_improvement, [other.accuracy_improvement for other in others]
        ),
        latency_increase=_effect(found.latency_increase, [other.latency_increase for other in others]),
        error_rate_improvement=_effect(
            found.error_rate_improvement, [other.error_rate_improvement for other in others]
        ),
        requests_per_day=widest(found.requests_per_day, [other.requests_per_day for other in others]),
        days_of_requests=found.days_of_requests,
        start=found.start,
        quality=found.quality,
    )


def _effect(found: EffectInput, others: Sequence[EffectInput]) -> EffectInput:
    return EffectInput(
        widest(found.difference, [other.difference for other in others]),
        widest(found.baseline, [other.baseline for other in others]),
        widest(found.challenger, [other.challenger for other in others]),
        found.one_look,
        found.residuals,
    )


def _term(found: Term, others: Sequence[Term]) -> Term:
    return replace(
        found,
        value=widest(found.value, [other.value for other in others]),
        contribution=widest(found.contribution, [other.contribution for other in others]),
    )


def _around(several: Sequence[Interval | None]) -> Interval | None:
    """The limits around all; None where one has none."""
    known = [each for each in several if each is not None]
    return around([(None, each) for each in known]) if len(known) == len(several) else None


def _cash(points: Sequence[CashPoint]) -> CashPoint:
    return replace(
        points[0],
        low_usd=outermost([each.low_usd for each in points], min),
        high_usd=outermost([each.high_usd for each in points], max),
    )


class BusinessMetricsCalculator:
    """Applies the business parameters to what was measured; pure, and the same for the same seed.

    Where all parameters are points the intervals are analytic; where one is a range they come from at least
    100,000 seeded draws. ValueError for fewer. Without `assumptions` the parameters are those of the settings
    with which was asked what is calculated.
    """

    def __init__(
        self,
        assumptions: tuple[Assumption, ...] | None = None,
        *,
        seed: int = 42,
        draws_count: int = 100_000,
        terms: tuple[TermFormula, ...] = TERMS,
    ) -> None:
        if draws_count < 100_000:
            raise ValueError(f"draws_count is {draws_count}; an interval from draws needs at least 100,000")
        self._is_without_amounts = assumptions is None
        self._assumptions = assumptions or ()
        self._amounts = {each.name: each.amount for each in self._assumptions}
        self._seed, self._count, self._formulas = seed, draws_count, terms

    def calculate(self, inputs: BusinessInputs | AnswersAndSettings) -> BusinessCase:
        """The business case of measured inputs, or of what `get_ab_test_metrics()` gives; a term whose input
        is missing is missing, and with it the net value, ROI, payback and probability.

        Raises UsageError for anything else, and for measured inputs where no amounts are known.
        """
        if isinstance(inputs, BusinessInputs):
            if self._is_without_amounts:
                raise UsageError(
                    "measured inputs come without amounts; make the calculator with them, such as "
                    "BusinessMetricsCalculator(assumptions(settings))"
                )
            return self._case(inputs)
        if not isinstance(inputs, AnswersAndSettings):
            raise UsageError(
                f"calculate() takes measured inputs or what get_ab_test_metrics() gives, not "
                f"{type(inputs).__name__}"
            )
        return self._case_of_answers(inputs)

    def _case_of_answers(self, asked: AnswersAndSettings) -> BusinessCase:
        """The case of what counts on the page of these answers, as that page has it; nothing is simulated."""
        found = page(asked.snapshot, None, asked.settings)
        calculator = self._with(amounts_of(asked.settings)) if self._is_without_amounts else self
        return case_of_facts(calculator, found, found.counted)

    def _with(self, assumptions: tuple[Assumption, ...]) -> BusinessMetricsCalculator:
        return BusinessMetricsCalculator(
            assumptions, seed=self._seed, draws_count=self._count, terms=self._formulas
        )

    def _case(self, inputs: BusinessInputs) -> BusinessCase:
        parts = tuple(
            Part(formula, self._effect_of(formula, inputs), formula.per_effect(self._points(inputs)))
            for formula in self._formulas
        )
        known = tuple(
            part
            for part in parts
            if all(measurement.value is not None for measurement in part.measured(inputs))
        )
        draws = self._draws(known, inputs) if len(known) == len(parts) else None
        terms = tuple(self._term(part, inputs, draws) for part in parts)
        worth = Worth(
            inputs,
            parts,
            terms,
            net_value(terms),
            read_for(self._assumptions, inputs.quality),
            self._points(inputs),
            draws,
            self._only_ranges(parts, inputs),
        )
        measured = [term for term in terms if term.contribution.value is not None]
        rest = total(
            "partial_total",
            "usd_per_year",
            (term.contribution for term in measured),
            empty_reason="no term is measured",
        )
        return worth.case(
            replace(rest, reason="the terms that are measured") if rest.value is not None else rest,
            tuple(term.name for term in measured),
        )

    def _effect_of(self, formula: TermFormula, inputs: BusinessInputs) -> EffectInput:
        """What a term is made of: the default revenue is that of an accuracy, and none of a value."""
        is_of_accuracy = REVENUE_MULTIPLIER in formula.factors and not any(
            each.name == REVENUE_MULTIPLIER and not each.is_default for each in self._assumptions
        )
        found = formula.input(inputs)
        return (
            without_revenue(found, inputs.quality)
            if is_of_accuracy and not inputs.quality.is_share
            else found
        )

    def _points(self, inputs: BusinessInputs) -> Mapping[str, float]:
        return {
            **{name: amount.point for name, amount in self._amounts.items()},
            REQUESTS_PER_DAY: inputs.requests_per_day.value or 0.0,
        }

    def _draws(self, parts: tuple[Part, ...], inputs: BusinessInputs) -> Draws | None:
        """None where no parameter is a range, or an effect has no interval to draw from."""
        if not any(amount.is_range for amount in self._amounts.values()) or any(
            part.effect.difference.interval is None for part in parts
        ):
            return None
        return draw(
            parts,
            self._amounts,
            inputs.requests_per_day.value or 0.0,
            cost=COST,
            seed=self._seed,
            count=self._count,
        )

    def _only_ranges(self, parts: tuple[Part, ...], inputs: BusinessInputs) -> Interval | None:
        """The net value's 95 % limits with the effects at their points: what the ranges alone do."""
        ranged = {name for name, amount in self._amounts.items() if amount.is_range}
        if not any(ranged & set(part.formula.factors) for part in parts) or any(
            part.effect.difference.value is None for part in parts
        ):
            return None
        amounts, requests = self._amounts, inputs.requests_per_day.value or 0.0
        return percentile_limits(
            draw(
                parts, amounts, requests, cost=COST, seed=self._seed, count=self._count, effects_vary=False
            ).net_usd
        )

    def _term(self, part: Part, inputs: BusinessInputs, draws: Draws | None) -> Term:
        formula, measured = part.formula, part.measured(inputs)
        variant = part.effect.difference.variant
        contribution = computed(
            lambda: part.contribution_usd,
            f"{formula.name}_contribution",
            "usd_per_year",
            measured,
            variant=variant,
        )
        value = computed(
            lambda: formula.sign * part.contribution_usd,
            formula.name,
            "usd_per_year",
            measured,
            variant=variant,
        )
        limits = None if value.value is None else _term_limits(part, draws)
        reason = "; ".join(filter(None, (_amount_words(part, inputs.quality), value.reason))) or None
        return Term(
            formula.name,
            _title(formula, inputs.quality),
            formula.sign,
            replace(value, variant=None, interval=limits and limits.times(formula.sign), reason=reason),
            replace(contribution, variant=None, interval=limits, reason=reason),
            formula.effect,
            formula.parameters,
        )


def _title(formula: TermFormula, quality: Quality) -> str:
    """Called after the value that stands in the place of the accuracy."""
    if quality.is_share or formula.effect != "accuracy_improvement":
        return formula.title
    return formula.title.replace("accuracy", quality.metric().title)


def _amount_words(part: Part, quality: Quality) -> str:
    """What the revenue's amount is for, where that is no accuracy."""
    is_valued = REVENUE_MULTIPLIER in part.formula.factors and part.effect.difference.value is not None
    return f"{REVENUE_MULTIPLIER} {quality.per_unit}" if is_valued and not quality.is_share else ""


def _term_limits(part: Part, draws: Draws | None) -> Interval | None:
    return (
        part.limits_usd(Looks.EVERY) if draws is None else percentile_limits(draws.by_term[part.formula.name])
    )


def net_value(terms: tuple[Term, ...]) -> Measurement:
    """The sum of all contributions, without its interval; missing where one is, for the reasons of those that
    are.
    """
    gone = [f"{term.words}: {term.value.reason}" for term in terms if term.value.value is None]
    contributions = tuple(term.value for term in terms)
    if gone:
        return missing(
            "net_annual_value", "usd_per_year", f"not measured: {'; '.join(gone)}", inputs=contributions
        )
    return computed(
        lambda: sum(term.contribution.value or 0.0 for term in terms),
        "net_annual_value",
        "usd_per_year",
        contributions,
    )


def business_case(page: PageFacts, facts: Facts, *, seed: int) -> BusinessCase:
    """Revenue, cost, risk and net value of these facts; `seed` is that of the draws where a parameter is a
    range.
    """
    return case_of_facts(BusinessMetricsCalculator(assumptions(page.settings), seed=seed), page, facts)


def case_of_facts(calculator: BusinessMetricsCalculator, page: PageFacts, facts: Facts) -> BusinessCase:
    """The same by the calculator's own amounts; its limits hold at every end of what counts are at least."""

    def case(of: Facts) -> BusinessCase:
        return calculator.calculate(business_inputs(replace(page, counted=of)))

    return widest_case(case(facts), [case(each) for each in facts.other_ends])
