"""The business case of a page: its measured inputs under the settings' assumptions."""

from __future__ import annotations

from dataclasses import replace

from live_dashboards.analysis.business_assumptions import assumptions
from live_dashboards.analysis.business_calculator import BusinessMetricsCalculator
from live_dashboards.analysis.business_ends import widest_case
from live_dashboards.analysis.business_inputs import business_inputs
from live_dashboards.analysis.facts.page import Facts, Page
from live_dashboards.model.business_case import BusinessCase


def business_case(found: Page, facts: Facts, *, seed: int) -> BusinessCase:
    """Revenue, cost, risk and net value of these facts; `seed` is that of the draws where a parameter is a
    range.
    """
    return case_of_facts(BusinessMetricsCalculator(assumptions(found.settings), seed=seed), found, facts)


def case_of_facts(calculator: BusinessMetricsCalculator, found: Page, facts: Facts) -> BusinessCase:
    """The same by the calculator's own amounts; its limits hold at every end of what counts are at least."""

    def case(of: Facts) -> BusinessCase:
        return calculator.calculate(business_inputs(replace(found, counted=of)))

    return widest_case(case(facts), [case(each) for each in facts.other_ends])
