"""The badge tells which sources contribute, and nothing simulated reaches a headline while one does."""

from dataclasses import replace

import pytest

from live_dashboards.analysis.business.report import build_business_report
from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.model.measurement import Origin
from live_dashboards.model.snapshot import SourceState
from tests.support.snapshots import live, settings, stand_in, with_instant, without_mlflow, without_prometheus


def report(snapshot, *, simulate=True, **values):
    return build_ab_report(snapshot, stand_in() if simulate else None, settings(**values))


BOTH = live()
CASES = [
    (BOTH, "LIVE DATA", "REAL_PRODUCTION_DATA"),
    (without_mlflow(BOTH), "OPERATIONAL DATA", "OPERATIONAL_DATA"),
    (without_prometheus(BOTH), "MODEL DATA", "MODEL_DATA"),
    (without_prometheus(without_mlflow(BOTH)), "SIMULATED DATA", "SIMULATED_DATA"),
    (without_prometheus(without_mlflow(BOTH, SourceState.NO_AB_DATA), SourceState.NO_AB_DATA), "SIMULATED DATA", "SIMULATED_DATA"),
    (without_prometheus(without_mlflow(BOTH, SourceState.NOT_CONFIGURED), SourceState.NOT_CONFIGURED), "SIMULATED DATA", "SIMULATED_DATA"),
]


@pytest.mark.parametrize(("snapshot", "words", "data_source"), CASES)
@pytest.mark.parametrize("simulate", [True, False])
def test_the_badge_names_the_sources_that_contribute(snapshot, words, data_source, simulate):
    kind = report(snapshot, simulate=simulate).badge.kind
    assert (kind.value, kind.data_source) == (words, data_source)


@pytest.mark.parametrize("snapshot", [without_mlflow(BOTH), without_prometheus(BOTH)])
def test_nothing_simulated_is_in_a_headline_or_a_variants_facts_while_a_source_is_live(snapshot):
    made = report(snapshot)
    facts = [each.value(name) for each in made.variants for name in each.names]
    assert Origin.SIMULATED not in {measurement.origin for measurement in (*(one for _, one in made.headline), *facts)}
    assert all(row.origin is not Origin.SIMULATED for row in (*made.comparisons, *made.effect.rows))


def test_without_prometheus_its_panels_are_simulated_as_a_whole_with_the_failure():
    made = report(without_prometheus(BOTH))
    heads = [panel.head for panel in (made.split, made.rate, made.latency, made.errors, made.impact)]
    assert {head.origin for head in heads} == {Origin.SIMULATED}
    assert all("refuses the connection" in head.reason for head in heads)
    assert {panel.head.origin for panel in (made.quality, made.runs)} == {Origin.LIVE}


def test_without_mlflow_its_panels_are_simulated_but_the_online_accuracy_stands_alone():
    made = report(without_mlflow(BOTH))
    assert made.runs.head.origin is Origin.SIMULATED
    assert made.quality.head.origin is Origin.LIVE
    assert {one.origin for row in made.quality.rows for one in (*row.offline, *row.online)} <= {Origin.LIVE, Origin.MISSING}
    assert made.quality.head.title.startswith("Online accuracy: ")
    assert made.quality.head.subtitle.startswith("Prometheus' gauge")
    assert report(BOTH).quality.head.subtitle.startswith("test-set metrics")


def test_without_mlflow_and_gauge_the_quality_panel_is_simulated_as_a_whole():
    made = report(with_instant(without_mlflow(BOTH), "online_accuracy", {}, reason="not exported"))
    assert made.quality.head.origin is Origin.SIMULATED
    assert {one.origin for row in made.quality.rows for one in row.offline} == {Origin.SIMULATED}


def test_marked_instead_of_simulated_the_panels_are_empty_with_the_reason():
    made = report(without_prometheus(BOTH), simulate=False)
    assert {panel.head.origin for panel in (made.split, made.rate, made.latency, made.errors, made.impact)} == {Origin.MISSING}
    assert all(one.origin is not Origin.SIMULATED for one in made.measurements)


def test_a_source_that_answers_without_core_values_does_not_make_the_page_live():
    made = report(without_mlflow(with_instant(BOTH, "requests", {}, reason="no series")))
    assert made.badge.kind.value == "SIMULATED DATA"
    assert made.is_simulated
    assert {one.origin for one in made.measurements} <= {Origin.SIMULATED, Origin.MISSING}


def test_values_live_counts_the_live_ones():
    made = report(without_prometheus(BOTH))
    assert made.badge.values_live == sum(one.origin is Origin.LIVE for one in made.measurements)
    assert f"{made.badge.values_live} of {len(made.measurements)} values live" in made.badge.second_line


def test_every_null_headline_has_its_reason_in_the_measurements():
    made = report(without_prometheus(BOTH))
    reasons = {(one.name, one.variant): one.reason for one in made.measurements}
    assert all(reasons[name, one.variant] for name, one in made.headline if one.value is None)


def test_each_measurement_is_listed_once():
    names = [(one.name, one.variant) for one in report(BOTH).measurements]
    assert len(names) == len(set(names))


def test_a_healthy_page_has_no_notice():
    assert [notice for notice in report(live()).health.notices if "separates the newer models" not in notice] == []


def test_models_that_count_as_one_variant_are_told():
    made = report(with_instant(live(), "requests", {"baseline-a": 10.0, "baseline-b": 20.0, "enhanced": 5.0}))
    assert any("baseline, baseline-a, baseline-b count together" in notice for notice in made.health.notices)


def test_sources_that_were_not_asked_are_not_called_fresh():
    asked = without_prometheus(without_mlflow(BOTH, SourceState.NOT_ASKED), SourceState.NOT_ASKED)
    assert report(asked).health.head.title == "No source was asked"
    assert report(BOTH).health.head.title == "All sources answer and are fresh"


@pytest.mark.parametrize("build", [build_ab_report, build_business_report])
def test_a_backup_that_answers_stands_on_the_badge_of_both_pages(build):
    status = replace(BOTH.mlflow.status, instead_of="PostgreSQL")
    backed = build(replace(BOTH, mlflow=replace(BOTH.mlflow, status=status)), stand_in(), settings())
    assert backed.badge.second_line.endswith("MLflow by its backup")
    assert "backup" not in build(BOTH, stand_in(), settings()).badge.second_line
