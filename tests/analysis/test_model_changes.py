"""When another model serves under an old name, from stored moments: what labels and MLflow tell, and how much of the evidence is the newer one's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from live_dashboards.analysis.facts.model_changes import model_changes
from live_dashboards.analysis.facts.page import page
from live_dashboards.analysis.verdict.present_model import change_marks, model_words, present_model
from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.model.snapshot import Answer, ModelVersion, Run, StatusCount, Timeline
from tests.support.snapshots import AT, DAY, accumulated, live, settings, stand_in

START = AT.timestamp() - 8 * DAY  # of the test that `live` is
STEP = DAY / 4


def ended(variant, days, *, status="FINISHED", name="later", **more):
    """A run of an hour that ended so many days after the start."""
    end = AT - timedelta(days=8 - days)
    return Run(f"{variant}-{name}-{days}", name, variant, status, end - timedelta(hours=1), end, **more)


BEFORE = (ended("baseline", -1, name="first"), ended("enhanced", -2, name="seed 1"), ended("enhanced", -1, name="seed 2"))


def facts(*runs, before=BEFORE, versions=(), counts=(), seen=(), **values):
    """The facts of a test with these runs beside those before it, and series with (labels, first and last quarter of a day in which they are seen)."""
    found = live()
    series = tuple(
        Timeline(tuple(sorted({"model_name": "enhanced", **labels}.items())), tuple((START + quarter * STEP, 2.0) for quarter in range(first, last + 1)))
        for labels, first, last in seen
    )
    mlflow = replace(found.mlflow, runs=(*runs, *before), versions=versions, status_counts=counts)
    prometheus = replace(found.prometheus, versions=Answer("model_versions", "query", "count", series, step_seconds=STEP))
    return page(replace(found, mlflow=mlflow, prometheus=prometheus), None, settings(**values))


def days(found):
    """The changes by the days after the start."""
    return [((each.at.timestamp() - START) / DAY, each.what) for each in model_changes(found)]


def version(run, day, number=1, aliases=()):
    return ModelVersion("fraud", number, AT - timedelta(days=8 - day), run.run_id, aliases)


def test_the_runs_before_the_test_are_no_change():
    assert days(facts()) == []


@pytest.mark.parametrize("variant", ["enhanced", "baseline"])
def test_a_newer_run_of_either_variant_is_one(variant):
    assert days(facts(ended(variant, 3))) == [(3, "run later")]


@pytest.mark.parametrize(("finished", "changes"), [(1, []), (9, [(3, "run later")])])
def test_the_first_run_of_a_variant_is_none_however_late_unless_older_ones_may_be_left_out(finished, changes):
    """Before it MLflow knows no model; of thousands of runs the older ones are not read."""
    counts = (StatusCount("enhanced", "FINISHED", is_child=False, runs=finished), StatusCount("enhanced", "FINISHED", is_child=True, runs=9))
    assert days(facts(ended("enhanced", 3), before=BEFORE[:1], counts=counts)) == changes


@pytest.mark.parametrize("more", [{"status": "FAILED"}, {"status": "KILLED"}, {"status": "RUNNING"}, {"is_child": True}], ids=str)
def test_what_did_not_finish_or_belongs_to_another_run_is_none(more):
    assert days(facts(ended("enhanced", 3, **more))) == []


def test_a_version_of_what_serves_since_the_start_is_the_same_model():
    assert days(facts(versions=(version(BEFORE[2], 3),))) == []


def test_a_version_of_another_older_run_of_a_child_or_of_a_failed_one_is_a_newer_model():
    child = ended("enhanced", 2, is_child=True, name="trial")
    found = facts(child, versions=(version(BEFORE[1], 3, 2, ("champion", "best")), version(child, 4, 3)))
    assert days(found) == [(3, "run seed 1, registered as fraud v2 (champion, best)"), (4, "run trial, registered as fraud v3")]


@pytest.mark.parametrize(
    ("seen", "changes"),
    [
        ([({"version": "1"}, 0, 32)], []),
        ([({"version": "1"}, 0, 12), ({"version": "2"}, 12, 32)], [(3.25, "version 1 → 2")]),
        ([({"version": "1"}, 0, 20), ({"version": "2"}, 12, 32)], [(5.25, "version 1 → 2")]),
        ([({"version": "1"}, 0, 32), ({"version": "2"}, 12, 32)], [(3, "version 1 → 1, 2")]),
        ([({"version": "1"}, 0, 32), ({"version": "2"}, 12, 12)], [(3, "version 1 → 1, 2"), (3.25, "version 1, 2 → 1")]),
        ([({"version": "1"}, 0, 10), ({"version": "1"}, 20, 32)], []),
        ([({"version": "1"}, 0, 10), ({"version": "2"}, 20, 32)], [(5, "version 1 → 2")]),
        ([({}, 0, 10), ({"version": "2"}, 11, 32)], []),
        ([({"image": "a", "model_version": "1"}, 0, 11), ({"image": "b", "model_version": "2"}, 12, 32)], [(3, "model_version 1 → 2, image a → b")]),
        ([({"version": "1"}, 0, 32), ({"version": "7", "model_name": "enhanced-two"}, 0, 32)], []),
        ([({"version": "1"}, 0, 11), ({"version": "2"}, 12, 21), ({"version": "1"}, 22, 32)], [(3, "version 1 → 2"), (5.5, "version 2 → 1")]),
        ([({"version": "1", "model_name": "another"}, 0, 11), ({"version": "2", "model_name": "another"}, 12, 32)], []),
    ],
    ids=[
        *("the same", "another one", "both for two days", "both from then on", "one for six hours", "a pause", "another one after a pause"),
        *("a label that there was not", "two labels at once", "two names", "there and back", "no variant of this test"),
    ],
)
def test_labels_tell_one_change_when_the_old_model_is_gone(seen, changes):
    assert days(facts(seen=seen)) == changes


def test_what_comes_and_goes_between_two_looks_of_an_hour_is_none():
    found = facts()
    hours = [(START + hour * 3600, 1.0) for hour in range(192)]
    series = tuple(
        Timeline((("model_name", "enhanced"), ("version", name)), tuple(points))
        for name, points in (("1", hours), ("2", hours[40:43]), ("3", hours[90:93]), ("4", hours[100::2]))
    )
    prometheus = replace(found.counted.prometheus, versions=Answer("model_versions", "query", "count", series, step_seconds=3600.0))
    assert days(replace(found, counted=replace(found.counted, prometheus=prometheus))) == []


@pytest.mark.parametrize(("day", "share"), [(2, 0.75), (4, 0.5), (4.1, 0.46875), (6, 0.25), (7.99, 0.0)])
def test_the_part_of_the_information_after_the_last_change_counts(day, share):
    """Blocks of six hours that tell the same; the one in which the model changes is of the one before."""
    found = present_model(facts(ended("baseline", 1), ended("enhanced", day)))
    assert found.share == pytest.approx(share, abs=1e-3)
    assert found.is_enough == (share >= 0.5)


def test_half_of_it_is_after_as_long_again():
    found = present_model(facts(ended("enhanced", 6)))
    assert found.half_at == pytest.approx(AT + timedelta(days=4), abs=timedelta(minutes=5))
    within = present_model(facts(ended("enhanced", 5.9)))  # a block of six hours has both models
    assert within.half_at == pytest.approx(AT + timedelta(days=4), abs=timedelta(minutes=5))
    assert present_model(facts(ended("enhanced", 7.99))).half_at is None


def test_a_start_at_the_change_leaves_none_and_simulated_data_have_none():
    seconds = AT.timestamp() - 5 * DAY
    assert days(facts(ended("enhanced", 3), AB_START=str(seconds))) == []
    simulated = replace(stand_in(), mlflow=replace(stand_in().mlflow, runs=(ended("enhanced", 3), *BEFORE)))
    assert model_changes(page(simulated, simulated, settings())) == ()


def test_the_sentence_names_the_newest_of_each_variant_and_the_marks_all():
    found = facts(ended("enhanced", 2), ended("enhanced", 6), ended("baseline", 3))
    (words,) = model_words(found)
    assert words == (
        "AB_START=2026-11-18T12:00Z, chosen after looking, separates the newer models of enhanced (run later, MLflow, 18 Nov 12:00 UTC, the 2nd change) "
        "and baseline (run later, MLflow, 15 Nov 12:00 UTC); 25 % of the evidence on enhanced is after that"
    )
    assert [label for _, label in change_marks(model_changes(found))] == ["new enhanced", "new baseline", "new enhanced"]


@pytest.mark.parametrize(("day", "verdict"), [(3, "SHIP"), (5, "KEEP RUNNING")])
def test_the_verdict_waits_for_half_of_the_evidence_and_for_nothing_else_that_is_told(day, verdict):
    found = live()
    moment = replace(found, mlflow=replace(found.mlflow, runs=(ended("enhanced", day), *BEFORE)))
    made = build_ab_report(moment, None, settings()).verdict
    assert made.verdict == verdict
    if verdict == "KEEP RUNNING":
        assert made.reasons == ("only 37.5 % of the evidence is of the newer model of enhanced (run later, MLflow, 17 Nov 12:00 UTC)",)
        assert [text.partition(",")[0] for text in made.would_change] == ["AB_START=2026-11-17T12:00Z", "waiting until 22 Nov 12:00 UTC"]


def test_what_is_lacking_besides_is_told_with_what_it_needs():
    found = accumulated(live(), days=4.0)
    moment = replace(found, mlflow=replace(found.mlflow, runs=(ended("enhanced", 7), *BEFORE)))
    made = build_ab_report(moment, None, settings()).verdict
    assert ["AB_MINIMUM_DAYS" in text for text in made.reasons] == [True, False]
    assert [text.partition(" ")[0].partition("=")[0] for text in made.would_change] == ["AB_START", "waiting", "more"]


def test_harm_is_told_whatever_model_did_it():
    found = accumulated(live(), errors=20.0)
    moment = replace(found, mlflow=replace(found.mlflow, runs=(ended("enhanced", 7), *BEFORE)))
    made = build_ab_report(moment, None, settings())
    assert (made.verdict.verdict, len(made.model_changes)) == ("ROLL BACK", 1)


def test_several_challengers_have_their_own_sentences_and_marks():
    found = replace(facts(ended("baseline", 3), ended("enhanced", 4)), roles=replace(facts().roles, names=("baseline", "enhanced", "third")))
    assert [each.variant for each in model_changes(found)] == ["baseline", "enhanced"]
    assert len([*model_words(found)]) == 1
