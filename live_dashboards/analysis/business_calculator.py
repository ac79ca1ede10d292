"""What the challenger is worth: every term, the net value, ROI and payback, each with its interval and its
inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from live_dashboards.analysis.business_assumptions import assumptions as amounts_of
from live_dashboards.analysis.business_results import Worth
from live_dashboards.analysis.business_terms import REQUESTS_PER_DAY, TERMS, TermFormula
from live_dashboards.analysis.business_uncertainty import Draws, Looks, Part, draw, percentile_limits
from live_dashboards.analysis.facts.page import Asked, page
from live_dashboards.errors import UsageError
from live_dashboards.model.business_case import Assumption, BusinessCase, BusinessInputs, Term
from live_dashboards.model.measurement import Interval, Measurement, computed, missing, total

COST = "INFRASTRUCTURE_ANNUAL_COST"


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

    def calculate(self, inputs: BusinessInputs | Asked) -> BusinessCase:
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
        if not isinstance(inputs, Asked):
            raise UsageError(
                f"calculate() takes measured inputs or what get_ab_test_metrics() gives, not "
                f"{type(inputs).__name__}"
            )
        return self._case_of_answers(inputs)

    def _case_of_answers(self, asked: Asked) -> BusinessCase:
        """The case of what counts on the page of these answers, as that page has it; nothing is simulated."""
        from live_dashboards.analysis.business_of_page import case_of_facts

        found = page(asked.snapshot, None, asked.settings)
        calculator = self._with(amounts_of(asked.settings)) if self._is_without_amounts else self
        return case_of_facts(calculator, found, found.counted)

    def _with(self, assumptions: tuple[Assumption, ...]) -> BusinessMetricsCalculator:
        return BusinessMetricsCalculator(
            assumptions, seed=self._seed, draws_count=self._count, terms=self._formulas
        )

    def _case(self, inputs: BusinessInputs) -> BusinessCase:
        parts = tuple(
            Part(formula, formula.input(inputs), formula.per_effect(self._points(inputs)))
            for formula in self._formulas
        )
        known = tuple(
            part
            for part in parts
            if all(measurement.value is not None for measurement in part.formula.measured(inputs))
        )
        draws = self._draws(known, inputs) if len(known) == len(parts) else None
        terms = tuple(self._term(part, inputs, draws) for part in parts)
        worth = Worth(
            inputs,
            parts,
            terms,
            net_value(terms),
            self._assumptions,
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
        formula, measured = part.formula, part.formula.measured(inputs)
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
        return Term(
            formula.name,
            formula.title,
            formula.sign,
            replace(value, variant=None, interval=_signed(limits, formula.sign)),
            replace(contribution, variant=None, interval=limits),
            formula.effect,
            formula.parameters,
        )


def _term_limits(part: Part, draws: Draws | None) -> Interval | None:
    return (
        part.limits_usd(Looks.EVERY) if draws is None else percentile_limits(draws.by_term[part.formula.name])
    )


def _signed(interval: Interval | None, sign: int) -> Interval | None:
    if interval is None or sign > 0:
        return interval
    low, high = (None if end is None else -end for end in (interval.high, interval.low))
    return Interval(low, high)


def net_value(terms: tuple[Term, ...]) -> Measurement:
    """The sum of all contributions, without its interval; missing where one is, for the reasons of those that
    are.
    """
    gone = [f"{term.title.lower()}: {term.value.reason}" for term in terms if term.value.value is None]
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
