"""The connection test of what MLFLOW_TRACKING_URI names, MLflow's REST API or its SQLite file, one line a
check, each with its fix.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from live_dashboards.errors import SourceError
from live_dashboards.model.check import Check, CheckState
from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow.data_checks import AB_CHECKS, MlflowData
from live_dashboards.sources.mlflow.questions import Questions
from live_dashboards.sources.mlflow.reading import question_parameters
from live_dashboards.sources.mlflow.rest.endpoint import rest_endpoint
from live_dashboards.sources.mlflow.rest.exchange import RestClient
from live_dashboards.sources.mlflow.rest.rows import RestRows
from live_dashboards.sources.mlflow.rest.source import server_version
from live_dashboards.sources.mlflow.rows.answers import RowAnswers
from live_dashboards.sources.mlflow.schema import REQUIRED_TABLES
from live_dashboards.sources.mlflow.sqlite.database import SqliteDatabase
from live_dashboards.sources.mlflow.sqlite.rows import SqliteRows
from live_dashboards.sources.mlflow.sqlite.source import file_version, sqlite_path
from live_dashboards.sources.mlflow.steps import Step, run_steps, skipped
from live_dashboards.sources.mlflow.table_checks import CLOCK, clock_check

SETTINGS, SERVER, LOGIN, API, FILE, TABLES = (
    f"MLflow {thing}" for thing in ("settings", "server", "login", "API", "file", "tables")
)
_LAYERS = (SERVER, LOGIN, API)
_API_CODES = {"not_found", "not_mlflow", "http_error", "host_not_allowed", "redirect"}


def tracking_checks(settings: Settings, at: datetime) -> Iterator[Check]:
    """Each check as it ends. Raises SettingsError for a login that cannot be used."""
    if settings["MLFLOW_TRACKING_URI"].reveal().startswith("sqlite:"):
        yield from _file_checks(settings, at)
    else:
        yield from _server_checks(settings, at)


def _server_checks(settings: Settings, at: datetime) -> Iterator[Check]:
    yield _look_at_settings(settings)
    with RestClient(settings, deadline=Deadline(settings.timeout_seconds)) as client:
        try:
            client.post("experiments/search", {"max_results": 1})
        except SourceError as error:
            yield from _not_answered(error)
            return
        yield Check(SERVER, CheckState.OK, f"{client.address} answers")
        yield Check(LOGIN, CheckState.OK, "accepted" if client.has_login else "the server asks for none")
        yield Check(API, CheckState.OK, f"MLflow's REST API answers ({server_version(client)})")
        rows = RestRows(client, question_parameters(settings, at, settings.window_seconds))
        yield from run_steps(_held(RowAnswers(rows), settings, at), "an earlier check failed")
        if client.clock_difference_seconds is not None:
            yield clock_check("the server", client.clock_difference_seconds)


def _file_checks(settings: Settings, at: datetime) -> Iterator[Check]:
    path = sqlite_path(settings)
    yield Check(SETTINGS, CheckState.OK, f"MLflow's SQLite file {path}")
    try:
        with SqliteDatabase(path, deadline=Deadline(settings.timeout_seconds)) as database:
            rows = SqliteRows(database, question_parameters(settings, at, settings.window_seconds))
            yield Check(FILE, CheckState.OK, f"{path} is opened, to be read only")
            yield from run_steps(
                [(TABLES, partial(_look_at_tables, rows)), *_held(RowAnswers(rows), settings, at)],
                "an earlier check failed",
            )
    except SourceError as error:  # only opening raises here; each look inside catches its own
        yield Check(FILE, CheckState.FAILED, error.reason, error.fix, error.code)
        yield from skipped([TABLES, *AB_CHECKS], f"{FILE} failed")


def _held(answers: Questions, settings: Settings, at: datetime) -> list[Step]:
    data = MlflowData(answers, settings, at)
    return [(name, partial(look, data)) for name, look in AB_CHECKS.items()]


def _look_at_tables(rows: SqliteRows) -> Check:
    rows.require_tables()
    return Check(TABLES, CheckState.OK, f"{', '.join(REQUIRED_TABLES)} are there ({file_version(rows)})")


def _look_at_settings(settings: Settings) -> Check:
    endpoint, placeholders = (
        rest_endpoint(settings),
        [name for name in settings.placeholders if name.startswith("MLFLOW_TRACKING_")],
    )
    login = (
        f"{endpoint.authorization.partition(' ')[0].lower()} login"
        if endpoint.authorization
        else "without a login"
    )
    found = f"MLflow's REST API at {endpoint.url}, {login}"
    if placeholders:
        return Check(
            SETTINGS,
            CheckState.WARNING,
            f"{found}; the password is a placeholder",
            f"set {placeholders[0]} to the real one",
            "placeholder",
        )
    if endpoint.authorization and endpoint.url.startswith("http:") and not endpoint.is_loopback:
        return Check(
            SETTINGS,
            CheckState.WARNING,
            f"{found}, which everybody on the way can read",
            "use https://",
            "not_encrypted",
        )
    return Check(SETTINGS, CheckState.OK, found)


def _not_answered(error: SourceError) -> Iterator[Check]:
    """The layers that must have worked, the one that failed, and the rest skipped."""
    failed = LOGIN if error.code == "auth" else API if error.code in _API_CODES else SERVER
    for name in _LAYERS[: _LAYERS.index(failed)]:
        yield Check(name, CheckState.OK, "it answers" if name == SERVER else "not asked for, or accepted")
    yield Check(failed, CheckState.FAILED, error.reason, error.fix, error.code)
    yield from skipped([*_LAYERS[_LAYERS.index(failed) + 1 :], *AB_CHECKS, CLOCK], f"{failed} failed")
