"""What a picture is called when nobody says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from live_dashboards.outputs.default_names import default_image_path
from tests.outputs.reports import every_kind, live_report, simulated_report


def test_the_name_carries_the_moment_in_utc() -> None:
    at = datetime(2026, 11, 23, 1, 2, 3, 999_999, timezone(timedelta(hours=2)))
    assert default_image_path(Path("output"), replace(live_report(), at=at)) == Path("output/live_ab_dashboard_20261122_230203.png")


def test_the_name_of_a_simulated_picture_says_so() -> None:
    report = replace(simulated_report(), at=datetime(2026, 11, 23, tzinfo=UTC))
    assert default_image_path(Path(), report).name == "live_ab_dashboard_20261123_000000-SIMULATED.png"


def test_only_pictures_with_the_simulated_badge_are_called_simulated() -> None:
    for name, report in every_kind().items():
        is_called_so = "SIMULATED" in default_image_path(Path(), report).name
        assert is_called_so == (name in {"simulated", "nothing, marked"}), name
