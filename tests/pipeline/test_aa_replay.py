"""Thirty days in which nothing differs, replayed through the command's own path: how often does the verdict raise a false alarm?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from live_dashboards.app.pipeline import Request, ab_report, ask
from live_dashboards.demo.servers import PostgresServer
from live_dashboards.model.report import AbReport
from live_dashboards.settings import load_settings
from tests.conftest import MLFLOW_PASSWORD, MLFLOW_ROLE, filled_prometheus
from tests.support.aa_history import BETTER, CORRECT, DAYS, LABELLED, SERVICES, TESTS, WORSE, aa_history
from tests.support.mlflow_database import MlflowDatabase, drop_database
from tests.support.waiting import LONGEST_SECONDS

LOOK_DAYS = (1, 2, 3, 4, 6, 8, 10, 12, 15, 18, 21, 24, 27, 30)
ALARMS = {"SHIP", "ROLL BACK"}
PLAN = {
    "AB_WINDOW": "24h",
    "AB_TRAFFIC_SPLIT": "baseline=70,enhanced=30",
    "AB_PLANNED_REQUESTS": "300000",
    "AB_ONLINE_LABELLED_METRIC": LABELLED,
    "AB_ONLINE_CORRECT_METRIC": CORRECT,
    "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}",
}


class Replay:
    """One look at one experiment at a time, as the command takes it."""

    def __init__(self, environment: dict[str, str], end: float) -> None:
        self._environment, self._start = environment, end - DAYS * 86_400
        self._seen: dict[tuple[str, float], AbReport] = {}

    def look(self, experiment: str, day: float, **values: str) -> AbReport:
        settings = load_settings(environment={**self._environment, **PLAN, "AB_EXPERIMENT": experiment, **values})
        request = Request(at=datetime.fromtimestamp(self._start + day * 86_400, UTC), on_missing="mark")
        return ab_report(ask(settings, request), settings, request)

    def looks(self, experiment: str) -> list[AbReport]:
        for day in LOOK_DAYS:
            if (experiment, day) not in self._seen:
                self._seen[experiment, day] = self.look(experiment, day)
        return [self._seen[experiment, day] for day in LOOK_DAYS]


@pytest.fixture(scope="module")
def replay(postgres: PostgresServer, mlflow_3_template: str, tmp_path_factory: pytest.TempPathFactory, end_moment: float) -> Iterator[Replay]:
    end = end_moment // 3600 * 3600
    postgres.create_database("replay", mlflow_3_template, owner=MLFLOW_ROLE)
    database = MlflowDatabase(postgres, "replay", MLFLOW_ROLE, MLFLOW_PASSWORD, 3)
    trained = datetime.fromtimestamp(end - (DAYS + 1) * 86_400, UTC)
    for name in SERVICES:
        experiment = database.truth.experiment(name)
        for variant in ("baseline", "enhanced"):
            database.truth.run(experiment, variant, started=trained, ended=trained + timedelta(hours=1), metrics={"accuracy": 0.8}, params={"test_size": 2000})
    with filled_prometheus(aa_history(end), tmp_path_factory.mktemp("replay")) as prometheus:
        yield Replay({**database.environment, **prometheus.environment}, end)
    drop_database(postgres, "replay")


def verdicts(replay: Replay, experiment: str) -> list[str]:
    return [report.verdict.verdict for report in replay.looks(experiment)]


def is_called_different(report: AbReport) -> bool:
    """What everybody does: |z| > 1.96 on the errors of the page's 24 hours."""
    (x1, n1), (x2, n2) = ((facts.errors.value or 0.0, facts.requests.value or 1.0) for facts in report.variants)
    pooled = (x1 + x2) / (n1 + n2)
    return abs(x2 / n2 - x1 / n1) > 1.96 * math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))


def test_at_most_one_in_twenty_tests_without_a_difference_is_ever_shipped_or_rolled_back(replay):
    alarmed = [name for name in TESTS if ALARMS.intersection(verdicts(replay, name))]
    assert len(alarmed) <= 0.05 * len(TESTS)


def test_the_usual_test_of_the_window_calls_a_third_of_them_different(replay):
    alarmed = [name for name in TESTS if any(is_called_different(report) for report in replay.looks(name))]
    assert len(alarmed) > 0.3 * len(TESTS)


def test_every_look_comes_to_a_verdict_on_live_data(replay):
    reports = [report for name in TESTS for report in replay.looks(name)]
    assert {report.badge.kind.value for report in reports} == {"LIVE DATA"}
    assert {report.verdict.verdict for report in reports} <= {"KEEP RUNNING", "NO MEANINGFUL DIFFERENCE", *ALARMS}


def test_planned_traffic_is_never_called_badly_split(replay):
    assert {report.split_test.flag for name in TESTS for report in replay.looks(name)} == {"ok"}


def test_the_planned_end_finds_no_difference_that_matters_where_there_is_none(replay):
    ends = [replay.look(name, 30, AB_PLANNED_REQUESTS="250000", AB_MINIMUM_EFFECT_POINTS="2").verdict.verdict for name in TESTS[:5]]
    assert ends.count("NO MEANINGFUL DIFFERENCE") >= 4


def test_a_service_that_fails_three_times_as_often_is_rolled_back_within_days_and_stays_so(replay):
    found = verdicts(replay, WORSE)
    assert found.index("ROLL BACK") <= 3
    assert set(found[3:]) == {"ROLL BACK"}


def test_one_that_answers_better_ships_and_not_before_the_minimum_of_days(replay):
    found = verdicts(replay, BETTER)
    assert found[-1] == "SHIP"
    assert "SHIP" not in [verdict for day, verdict in zip(LOOK_DAYS, found, strict=True) if day < 7]


def test_a_guardrail_is_shown_at_its_forecast_in_about_four_of_five_equal_tests(replay):
    shown = 0
    for name in TESTS[:8]:
        (early,) = (gate for gate in replay.look(name, 3, AB_ERROR_MARGIN_POINTS="0.5").decision_forecast if gate.gate == "error_rate")
        assert early.days is not None or early.is_decided
        day = 3 + (0 if early.days is None else early.days.high)
        assert day < DAYS
        shown += next(guard for guard in replay.look(name, day, AB_ERROR_MARGIN_POINTS="0.5").guardrails if guard.name == "error_rate").outcome == "shown"
    assert shown >= 5
