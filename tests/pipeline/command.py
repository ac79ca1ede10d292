"""What tests of the command and of whole pages share."""

from datetime import timedelta

from live_dashboards.app import pipeline
from live_dashboards.app.pipeline import Request
from live_dashboards.settings import load_settings
from tests.support.waiting import LONGEST_SECONDS


def at(worlds):
    return ("--at", f"{worlds.end:.0f}")


def log_two_models(database, moment, *, hours_before, accuracies):
    """One finished run of an hour for each of baseline and enhanced, which began so many hours before a moment, on 5,000 test rows."""
    experiment = database.truth.experiment("launch")
    started = moment - timedelta(hours=hours_before)
    for variant, accuracy in zip(("baseline", "enhanced"), accuracies, strict=True):
        database.truth.run(experiment, variant, started=started, ended=started + timedelta(hours=1), metrics={"accuracy": accuracy}, params={"test_size": 5000})


def page_at(moment, *sources, kind="ab", **own):
    """The page of these sources at a moment, with these settings."""
    base = {"SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}", "AB_STALE_AFTER": "1d"}
    environment = {name: value for source in sources for name, value in source.environment.items()}
    settings, request = load_settings(environment={**environment, **base, **own}), Request(at=moment)
    return pipeline.report(kind, pipeline.ask(settings, request), settings, request)
