"""The picture of a plan."""

from dataclasses import replace

import pytest

from live_dashboards.draw.png.plan_page import plan_picture
from live_dashboards.errors import UsageError
from tests.analysis.test_plan import NUMBERS, before, past, planned
from tests.figures.layout_check import layout_faults

LONG = "a-variant-with-a-name-of-more-than-forty-characters"
PLANS = {
    "from numbers": planned,
    "from the sources": lambda: planned(replace(NUMBERS, error_rate_percent=None, too_slow_percent=None, requests_a_day=None, overdispersion=None), past(before())),
    "a guardrail that is not planned": lambda: planned(replace(NUMBERS, too_slow_percent=None)),
    "a ramp of four with long names": lambda: planned(
        AB_TRAFFIC_SPLIT=f"baseline=70,{LONG}=10,b$_{{x}}=10,c=10;2026-12-24T00:00Z baseline=25,{LONG}=25,b$_{{x}}=25,c=25"
    ),
    "never": lambda: planned(AB_TRAFFIC_SPLIT="baseline=100,enhanced=0"),
}


@pytest.mark.parametrize("size", [(12.0, 6.75), (16.0, 10.0)])
@pytest.mark.parametrize("name", PLANS)
def test_a_plan_keeps_every_rule_that_a_machine_can_check(name, size):
    assert layout_faults(plan_picture(PLANS[name](), size_inches=size, dpi=100)) == ()


def test_it_says_what_to_set_and_where_each_number_is_from():
    texts = {text.get_text() for text in plan_picture(planned(), size_inches=(12.0, 6.75), dpi=50).texts}
    assert any(text.startswith("Set AB_PLANNED_REQUESTS=714000") for text in texts)
    assert {"given: --requests-a-day", "16,400 test rows an arm", "714,000 requests, 24 days (4 weeks)"} <= texts


def test_a_page_that_is_too_small_is_refused():
    with pytest.raises(UsageError, match="no legible text"):
        plan_picture(planned(), size_inches=(8.0, 5.0), dpi=50)
