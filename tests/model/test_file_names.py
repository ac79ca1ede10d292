"""What a page's files are called when nobody says, by the scripts and as downloads alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from live_dashboards.model.dashboards import latest_stem, stamped_stem
from live_dashboards.web.routes import _file
from tests.outputs.reports import every_kind, live_report, simulated_report


def test_the_name_carries_the_moment_in_utc() -> None:
    at = datetime(2026, 11, 23, 1, 2, 3, 999_999, timezone(timedelta(hours=2)))
    assert stamped_stem(replace(live_report(), at=at)) == "live_ab_dashboard_20261122_230203"


def test_the_name_of_a_simulated_picture_says_so() -> None:
    report = replace(simulated_report(), at=datetime(2026, 11, 23, tzinfo=UTC))
    assert stamped_stem(report) == "live_ab_dashboard_20261123_000000-SIMULATED"


def test_the_latest_name_tells_experiment_and_simulation() -> None:
    assert latest_stem(live_report()) == "live_ab_dashboard_latest"
    assert latest_stem(live_report(), "_fraud") == "live_ab_dashboard_latest_fraud"
    assert latest_stem(simulated_report()) == "live_ab_dashboard_latest-SIMULATED"


def test_only_files_with_the_simulated_badge_are_called_simulated_downloads_too() -> None:
    for name, report in every_kind().items():
        is_called_so = "SIMULATED" in stamped_stem(report)
        assert is_called_so == (name in {"simulated", "nothing, marked"}), name
        assert _file(report, "csv") == {"Content-Disposition": f'inline; filename="{stamped_stem(report)}.csv"'}
