"""A plan: what is not given is asked of the sources, and the plan written as picture and JSON."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from live_dashboards.analysis.facts.page import PageFacts, page
from live_dashboards.app.endings import undivided
from live_dashboards.app.options import Request
from live_dashboards.app.writing import check_apart, check_output, path_beside
from live_dashboards.model.dashboards import STAMP
from live_dashboards.model.metrics import ERROR_RATE
from live_dashboards.model.moment import format_moment
from live_dashboards.model.names import escaped
from live_dashboards.model.planning import AbPlan, Given
from live_dashboards.settings import Settings

STEM = "ab_test_plan"
_PAST = timedelta(days=7)
_NO_PROMETHEUS = {"PROMETHEUS_URL": None}
_NO_MLFLOW = {"MLFLOW_DB_URL": None, "MLFLOW_DB_HOST": None, "MLFLOW_TRACKING_URI": None}


def plan_and_write(settings: Settings, given: Given, request: Request) -> str:
    """Makes and writes the plan; what is to be printed: its words and the picture's path, or its JSON.

    UsageError for what is neither given nor known, and for outputs that cannot be, before anything is asked.
    """
    moment = request.at or datetime.now(UTC)
    image = request.output or settings.output_folder / f"{STEM}_{moment.astimezone(UTC):{STAMP}}.png"
    check_output(request)
    check_apart(request, [image])
    found = planned(settings, given, moment, is_now=request.at is None)
    text = _write(found, image, request)
    if request.summary == "-":
        return text
    return "".join(f"{escaped(line)}\n" for line in found.words) + f"{image}\n"


def planned(settings: Settings, given: Given, moment: datetime, *, is_now: bool) -> AbPlan:
    """The plan as of that moment."""
    from live_dashboards.analysis.planning.inputs import plan_inputs
    from live_dashboards.analysis.planning.plan import ab_plan

    facts = _facts(settings, given, moment, is_now=is_now)
    experiment = settings["AB_EXPERIMENT"]
    if facts is not None:
        experiment = (
            facts.counted.mlflow.experiment or facts.counted.prometheus.experiment_filter or experiment
        )
    return ab_plan(plan_inputs(given, facts, settings), given, settings, at=moment, experiment=experiment)


def _facts(settings: Settings, given: Given, moment: datetime, *, is_now: bool) -> PageFacts | None:
    """What the sources say of the last seven days, as if the test had begun with them; None where nothing is
    to be asked of them, or none is configured.
    """
    asked = _without_needless(settings, given)
    if not asked.has_mlflow and not asked.has_prometheus:
        return None
    asked = asked.changed({"AB_START": format_moment(moment - _PAST)})
    with undivided():
        from live_dashboards.sources.connector import LiveDataConnector
    return page(LiveDataConnector(asked).fetch(at=None if is_now else moment), None, asked)


def _without_needless(settings: Settings, given: Given) -> Settings:
    """Without a source of which everything is given; MLflow also chooses whose series Prometheus is asked."""
    traffic = (given.error_rate_percent, given.too_slow_percent, given.requests_a_day, given.overdispersion)
    if None in traffic:
        return settings
    values = {**settings.values, **_NO_PROMETHEUS}
    if given.accuracy_percent is not None or settings["AB_SUCCESS_METRIC"] == ERROR_RATE:
        values |= _NO_MLFLOW
    return replace(settings, values=values)


def _write(found: AbPlan, image: Path, request: Request) -> str:
    """Writes picture and JSON, all or none; the JSON's text."""
    with undivided():
        from live_dashboards.draw.png.plan_page import plan_picture
        from live_dashboards.outputs.files import OF_PICTURES, NewFile, text_bytes, write_files
        from live_dashboards.outputs.image import content_with
        from live_dashboards.outputs.plan_summary import image_texts, plan_text

    text, beside = plan_text(found), path_beside(image, ".json", request)
    figure = plan_picture(found, size_inches=request.size_inches, dpi=request.dpi)
    picture = content_with(figure, image, dpi=request.dpi, said=image_texts(found))
    option = OF_PICTURES if request.summary is None else "--summary"
    summary = [] if beside is None else [NewFile(beside, text_bytes(text), option)]
    with undivided():
        write_files([*summary, NewFile(image, picture)], [])
    return text
