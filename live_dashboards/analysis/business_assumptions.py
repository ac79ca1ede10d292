"""What is assumed: the five business parameters of the settings."""

from __future__ import annotations

from live_dashboards.model.business_case import Assumption
from live_dashboards.settings import Settings

PARAMETERS = (
    ("BASE_TRADING_VOLUME", "USD a day", "what passes through the model"),
    (
        "ACCURACY_REVENUE_MULTIPLIER",
        "of volume per accuracy fraction",
        "0.005 is 0.005 % of the volume per percentage point of accuracy",
    ),
    (
        "LATENCY_COST_PER_MS",
        "USD per request and ms",
        "what a request costs more for each millisecond that it takes longer",
    ),
    ("ERROR_COST_MULTIPLIER", "USD per error prevented", "what a failed request costs"),
    ("INFRASTRUCTURE_ANNUAL_COST", "USD a year", "what running the challenger costs"),
)


def assumptions(settings: Settings) -> tuple[Assumption, ...]:
    """The five business parameters with their units, and whether somebody set them."""
    return tuple(
        Assumption(name, settings[name], unit, meaning, is_default=name not in settings.given)
        for name, unit, meaning in PARAMETERS
    )
