"""A new model under an old name, on real servers: another run or version while the test runs is marked and told, and half of the evidence has to be its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest

from live_dashboards.outputs.summary import summary, summary_schema
from tests.conftest import filled_prometheus
from tests.pipeline.command import page_at
from tests.sources.prometheus_reading import END, HOUR
from tests.support.prometheus_truth import PrometheusTruth

AT = datetime.fromtimestamp(END, UTC)
DAY = 24 * HOUR
START = END - 8 * DAY
EARLY, LATE = START + 2 * DAY + 600, START + 6 * DAY + 600
NAMES = {"baseline": "baseline-predictor", "enhanced": "enhanced-predictor"}


def serve(truth, test, variant, *, name="", starts=START, ends=None, **more):
    """An instance that serves a variant from a moment on; `more` are labels."""
    labels = {"experiment": test, "model_name": name or NAMES[variant], "instance": f"{test}-{variant}-{starts:.0f}-{name}", "job": "ab", **more}
    for metric, rate in (("ab_test_requests_total", 0.15), ("ab_test_errors_total", 0.0003)):
        truth.counter(metric, labels, rate, starts_at=starts, ends_at=ends)
    truth.histogram("ab_test_response_time_seconds", labels, {0.1: 0.1, 0.25: 0.05}, starts_at=starts, ends_at=ends)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Tests by name: of no label, and of labels that change, or do not."""
    truth = PrometheusTruth(start=START - HOUR, end=END, scrape_seconds=300.0)
    truth.gauge("up", {"job": "other"}, 1.0)  # the server remembers more than these tests
    for test in ("plain", "early", "late", "steady", "aliased"):
        serve(truth, test, "baseline", image="repo/a:1")
    serve(truth, "plain", "enhanced")
    for test, moment in (("early", EARLY), ("late", LATE)):
        serve(truth, test, "enhanced", ends=moment + HOUR, model_version="3", image="repo/e:3")
        serve(truth, test, "enhanced", starts=moment, model_version="4", image="repo/e:4")
    serve(truth, "steady", "enhanced", model_version="3")
    serve(truth, "steady", "enhanced", name="enhanced_second", version="7")
    serve(truth, "steady", "enhanced", starts=LATE, ends=LATE + 2 * HOUR, model_version="4")  # taken back
    serve(truth, "steady", "enhanced", name="enhanced_second", starts=LATE + DAY, version="7", image="repo/e:3")  # a label that there was not
    serve(truth, "aliased", "enhanced", name="blue", ends=LATE, version="1")
    serve(truth, "aliased", "enhanced", name="green", starts=LATE + 300, version="2")
    serve(truth, "rebased", "enhanced")
    serve(truth, "rebased", "baseline", ends=LATE, image="repo/a:1")
    serve(truth, "rebased", "baseline", starts=LATE, image="repo/a:2")
    with filled_prometheus(truth, tmp_path_factory.mktemp("models")) as server:
        yield server


@pytest.fixture
def page(mlflow_database, served):
    """`page("plain", more, AB_X="...")`: the page of a test whose models were finished before it began; `more` logs what came later."""

    def make(test, more=lambda _: None, **own):
        made = mlflow_database.truth.experiment(test)

        def log(variant, ended, *, hours=1.0, accuracy=0.84, **what):
            done = datetime.fromtimestamp(ended, UTC)
            return mlflow_database.truth.run(
                made, variant, started=done - timedelta(hours=hours), ended=done, metrics={"accuracy": accuracy}, params={"test_size": 5000}, **what
            )

        for ended in (START - 2 * DAY, START - DAY, START - HOUR):  # of three seeds
            log("baseline", ended, accuracy=0.78)
            log("enhanced", ended)
        more(log)
        return page_at(AT, mlflow_database, served, AB_EXPERIMENT=test, **own)

    return make


def told(page):
    return [text for text in page.health.notices if "separates the newer" in text]


def marked(page):
    return [moment.timestamp() for moment, label in page.runs.marks if label.startswith("new ")]


@pytest.mark.parametrize(("variant", "ended", "verdict", "share"), [("baseline", EARLY, "SHIP", 0.75), ("enhanced", LATE, "KEEP RUNNING", 0.25)])
def test_a_run_that_ends_while_the_test_runs_is_marked_and_told_and_needs_half_of_the_evidence(page, variant, ended, verdict, share):
    """It counts by its end, whenever it began."""
    found = page("plain", lambda log: log(variant, ended, hours=24 * 7, name="retrained", accuracy=0.78 if variant == "baseline" else 0.84))
    (change,) = found.model_changes
    assert (change.variant, change.at.timestamp(), change.what, change.source) == (variant, ended, "run retrained", "mlflow")
    assert marked(found) == [ended]
    (notice,) = told(found)
    start = datetime.fromtimestamp(-(-ended // 60) * 60, UTC)
    assert notice.startswith(f"AB_START={start:%Y-%m-%dT%H:%MZ}, chosen after looking, separates the newer model of {variant} (run retrained, MLflow, ")
    assert float(notice.partition("; ")[2].split(" %")[0]) == pytest.approx(100 * share, abs=1)
    assert found.verdict.verdict == verdict


def test_the_start_that_the_notice_names_leaves_one_model_and_waiting_another_way(mlflow_database, served, page):
    mixed = page("plain", lambda log: log("enhanced", LATE + 17))
    assert mixed.verdict.reasons[-1].startswith("only 24")
    start, waiting = mixed.verdict.would_change
    words = "%Y waiting until %d %b %H:%M UTC, when half of it is at the present rate"
    until = [datetime.strptime(f"{year} {waiting}", words).replace(tzinfo=UTC).timestamp() for year in (AT.year, AT.year + 1)]
    assert min(abs(each - (LATE + LATE - START)) for each in until) < 3 * HOUR  # as much again as there was before
    name, _, moment = start.partition(",")[0].partition("=")
    assert told(mixed)[0].startswith(f"{name}={moment}, ")
    alone = page_at(AT, mlflow_database, served, AB_EXPERIMENT="plain", **{name: moment})
    assert (alone.model_changes, told(alone), marked(alone)) == ((), [], [])
    assert alone.verdict.reasons[-1].startswith("2.0 days of AB_MINIMUM_DAYS=7")


def test_what_is_no_newer_model_is_not_told(page):
    def others(log):
        for more in ({"status": "FAILED"}, {"status": "KILLED"}, {"parent": "f" * 32}, {"lifecycle": "deleted"}):
            log("enhanced", LATE, **more)
        log("third", LATE)
        log("enhanced", START + 300)  # as the traffic begins
        log("enhanced", END + HOUR, hours=30.0)

    found = page("plain", others)
    assert (found.model_changes, told(found), marked(found), found.verdict.verdict) == ((), [], [], "SHIP")


def test_a_version_that_is_registered_later_is_the_same_model_and_its_alias_is_told(mlflow_database, page):
    def register(log):
        run = log("enhanced", EARLY, name="retrained")
        mlflow_database.execute("insert into registered_models (name) values ('fraud')")
        for version, seconds in ((1, EARLY + HOUR), (2, LATE)):
            row = ("fraud", version, round(seconds * 1000), run, "None")
            mlflow_database.execute("insert into model_versions (name, version, creation_time, run_id, current_stage) values (%s, %s, %s, %s, %s)", row)
        mlflow_database.execute("insert into registered_model_aliases (name, alias, version) values ('fraud', 'champion', 2)")

    (change,) = page("plain", register).model_changes
    assert (change.at.timestamp(), change.what) == (EARLY + HOUR, "run retrained, registered as fraud v1, fraud v2 (champion)")


@pytest.mark.parametrize(("test", "moment", "verdict"), [("early", EARLY, "SHIP"), ("late", LATE, "KEEP RUNNING")])
def test_a_label_that_changes_over_an_hour_is_one_change_when_the_old_model_is_gone(page, test, moment, verdict):
    found = page(test)
    (change,) = found.model_changes
    assert (change.variant, change.what, change.source) == ("enhanced", "model_version 3 → 4, image repo/e:3 → repo/e:4", "prometheus")
    assert moment + HOUR <= change.at.timestamp() <= moment + 2 * HOUR + 1200  # an edge of blocks, 20 minutes after its last scrape
    assert marked(found) == [change.at.timestamp()]
    assert f"AB_START={change.at:%Y-%m-%dT%H:%MZ}" in told(found)[0]
    assert found.verdict.verdict == verdict
    document = json.loads(json.dumps(summary(found)))
    jsonschema.validate(document, summary_schema())
    assert [each["what"] for each in document["model_changes"]] == [change.what]


def test_names_of_one_variant_a_canary_that_is_taken_back_and_a_new_label_are_no_change(page):
    found = page("steady")
    assert (found.model_changes, told(found), found.verdict.verdict) == ((), [], "SHIP")


def test_another_name_behind_the_alias_is_looked_at_as_the_variant(page):
    (change,) = page("aliased", AB_VARIANT_ALIASES="blue=enhanced,green=enhanced", AB_WINDOW="7d").model_changes
    assert (change.variant, change.what) == ("enhanced", "version 1 → 2")


def test_another_image_of_the_baseline_counts_alike(page):
    found = page("rebased")
    assert [(each.variant, each.what) for each in found.model_changes] == [("baseline", "image repo/a:1 → repo/a:2")]
    assert (found.verdict.verdict, "the newer model of baseline" in found.verdict.reasons[-1]) == ("KEEP RUNNING", True)
