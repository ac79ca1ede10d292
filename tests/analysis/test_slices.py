"""The gates by the values of a label: an instance's fault is told as such, and no verdict knows of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.model.measurement import Origin
from tests.support import snapshots
from tests.support.sliced import instances, regions, sliced


def report(parts, label="instance", *, change=lambda snapshot: snapshot, shown=20, **settings):
    return build_ab_report(change(sliced(parts, label, shown=shown)), None, snapshots.settings(AB_SLICE_LABEL=label, **settings))


def by_label(parts, label="instance", **more):
    return report(parts, label, **more).slices


def rows(found, metric="error_rate", arm=None):
    return {row.value: row for row in found.rows if row.metric == metric and arm in {None, row.arm}}


def test_without_the_setting_there_is_nothing():
    page = build_ab_report(sliced(instances(), "instance"), None, snapshots.settings())
    assert page.slices is None


def test_a_faulty_instance_stands_out_of_the_rest_of_its_arm():
    found = by_label(instances(faulty=0.1))
    row = rows(found)["b0:9000"]
    assert (row.arm, row.compared_with, row.is_within_arm) == ("enhanced", "the rest of enhanced", True)
    assert row.difference.value == pytest.approx(9.0, abs=0.7)
    assert row.difference.interval.low < 9 < row.difference.interval.high
    assert {value for value, row in rows(found).items() if row.stands_out} == {"b0:9000"}
    assert found.sentences == ("errors of enhanced come from instance b0:9000 (9.6 %, the rest 0.99 %): an instance fault is no model fault",)


def test_a_fault_that_began_two_days_ago_is_found_as_a_gate_finds_harm():
    found = by_label(instances(faulty=0.1, fails_from=144))
    assert [value for value, row in rows(found).items() if row.stands_out] == ["b0:9000"]


def test_the_verdict_is_what_it_is_without_the_label():
    for faulty in (0.01, 0.1):
        with_label = report(instances(faulty=faulty))
        without = build_ab_report(sliced(instances(faulty=faulty), "instance"), None, snapshots.settings())
        assert (with_label.verdict, with_label.guardrails, with_label.comparisons) == (without.verdict, without.guardrails, without.comparisons)


def test_instances_that_are_alike_do_not_stand_out_and_do_not_differ():
    found = by_label(instances())
    assert not any(row.stands_out for row in found.rows)
    assert found.sentences == ()
    assert all(test.p_value > 0.01 for test in found.heterogeneity)


def test_each_arm_of_instances_has_a_test_of_its_own():
    tests = {(test.metric, test.of): test for test in by_label(instances(faulty=0.1)).heterogeneity}
    assert {*tests} == {(metric, of) for metric in ("error_rate", "over_latency_objective") for of in ("baseline", "enhanced")}
    faulty = tests["error_rate", "enhanced"]
    assert (faulty.degrees, faulty.method) == (2, "Cochran's Q of the rates, by contrasts within blocks of time, chi-square, for one look, with the long-run variance")
    assert faulty.p_value < 0.001
    assert min(test.p_value for place, test in tests.items() if place != ("error_rate", "enhanced")) > 0.01


def test_a_region_that_both_arms_have_is_challenger_minus_baseline():
    found = by_label(regions("eu", "us", "ap", worse={"us": 0.05}), "region")
    row = rows(found)["us"]
    assert (row.arm, row.compared_with, row.is_within_arm) == ("enhanced", "baseline", False)
    assert row.difference.value == pytest.approx(4.0, abs=0.6)
    assert [value for value, row in rows(found).items() if row.stands_out] == ["us"]
    (test,) = [test for test in found.heterogeneity if test.metric == "error_rate"]
    assert (test.of, test.degrees) == ("enhanced − baseline", 2)
    assert test.p_value < 0.001
    assert found.sentences[0].startswith("errors of enhanced come from region us (+3.5 pt against baseline): look")


def test_a_challenger_that_is_worse_everywhere_is_no_fault_of_a_region():
    found = by_label(regions("eu", "us", "ap", worse=dict.fromkeys(("eu", "us", "ap"), 0.05)), "region")
    assert not any(row.stands_out for row in found.rows)
    assert all(test.p_value > 0.01 for test in found.heterogeneity)


def test_values_and_the_others_add_up_to_each_arm():
    page = report(instances(count=15), shown=20)
    whole = {each.metric: each for each in page.comparisons if each.n_control}
    for metric in ("error_rate", "over_latency_objective"):
        for arm, n in (("enhanced", whole[metric].n_treatment), ("baseline", whole[metric].n_control)):
            assert (
                sum(row.difference.inputs[0].n for row in page.slices.rows if (row.metric, row.arm) == (metric, arm) and row.is_within_arm)
                + sum(side.n for row in page.slices.rows if row.metric == metric and not row.is_within_arm for side in row.difference.inputs if side.variant == arm)
                == n
            )


def test_of_many_values_twenty_are_shown_and_the_others_summed():
    found = by_label(instances(count=15), shown=20)
    others = [row for row in found.rows if row.value is None and row.metric == "error_rate"]
    assert (found.values_count, found.shown_count, len({row.value for row in found.rows})) == (30, 20, 21)
    assert [(row.name, row.compared_with) for row in others] == [("others (10 values)", f"the rest of {arm}") for arm in ("enhanced", "baseline")]
    assert found.sentences[-1] == "instance has 30 values, too many to show: the 20 with the most traffic are, the others are summed"


def test_the_others_of_values_that_both_arms_have_are_compared_as_those_are():
    (row,) = [row for row in by_label(regions(*(f"zone-{number}" for number in range(25))), "zone").rows if row.value is None and row.metric == "error_rate"]
    assert (row.name, row.compared_with) == ("others (5 values)", "baseline")


def test_the_only_instance_of_an_arm_has_nothing_to_be_compared_with():
    row = rows(by_label(instances(count=1)))["b0:9000"]
    assert (row.difference.value, row.difference.origin, row.difference.interval) == (None, Origin.MISSING, None)
    assert row.difference.reason == "instance b0:9000 is the only one of enhanced"
    assert row.difference.inputs[0].value == pytest.approx(1.0, abs=0.5)


def test_each_difference_has_its_origin_query_and_place_among_the_measurements():
    page = report(instances(faulty=0.1))
    found = {each.name: each for each in page.measurements}['error_rate_within{instance="b0:9000"}']
    assert found == rows(page.slices)["b0:9000"].difference
    assert (found.origin, found.source, found.query, found.variant) == (Origin.LIVE, "prometheus", "query of errors, query of requests", "enhanced")


def reason_of(page):
    assert (page.slices.rows, page.slices.origin) == ((), Origin.MISSING)
    return page.slices.reason


def with_slices(change):
    def changed(snapshot):
        (period,) = snapshot.prometheus.accumulated
        return replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(replace(period, slices=change(period.slices)),)))

    return changed


def test_why_there_are_none_is_told():
    no_label = "no series of ab_test_requests_total has the label instance; they have region: set AB_SLICE_LABEL to one that they have"
    assert reason_of(report(instances(), change=with_slices(lambda slices: replace(slices, values=(), blocks=(), reason=no_label)))) == no_label
    assert reason_of(report(instances(), change=with_slices(lambda _: None))) == "these answers were asked without AB_SLICE_LABEL=instance: ask the sources again"
    assert "refuses the connection" in reason_of(report(instances(), change=snapshots.without_prometheus))
    assert reason_of(build_ab_report(snapshots.stand_in(), snapshots.stand_in(), snapshots.settings(AB_SLICE_LABEL="instance"))) == "simulated requests have no labels"


def test_a_gate_that_is_not_counted_by_the_label_says_why():
    lack = "series of errors of baseline lack the label instance, which those of its requests have"

    def without_errors(slices):
        return replace(slices, blocks=tuple(replace(each, series=(), reason=lack) if each.name == "errors" else each for each in slices.blocks))

    found = by_label(instances(), change=with_slices(without_errors))
    assert not rows(found)
    assert rows(found, "over_latency_objective")
    assert [(test.metric, test.q, test.reason) for test in found.heterogeneity if test.metric == "error_rate"] == [("error_rate", None, lack)]


def test_what_is_left_out_of_the_test_is_left_out_of_its_values():
    whole, cut = (by_label(instances(), **settings) for settings in ({}, {"AB_EXCLUDE": "2026-11-18T00:00Z/2026-11-19T00:00Z"}))
    # a day of eight, and the blocks at its edges
    assert rows(cut)["b0:9000"].n / rows(whole)["b0:9000"].n == pytest.approx(7 / 8, abs=0.02)


def test_of_counts_that_are_only_the_least_there_is_no_interval():
    def with_more_errors_of_the_challenger(slices):
        return replace(slices, blocks=tuple(replace(each, most=each.series[-1:]) if each.name == "errors" else each for each in slices.blocks))

    found = by_label(instances(faulty=0.1), change=with_slices(with_more_errors_of_the_challenger))
    row = rows(found)["b0:9000"]
    assert (row.difference.interval, row.stands_out) == (None, False)
    assert row.difference.reason == "no interval, as what series had counted when they began cannot be told"
    assert rows(found)["a0:9000"].difference.interval
    assert rows(found, "over_latency_objective")["b0:9000"].difference.interval
    assert [(test.metric, test.of) for test in found.heterogeneity if test.q is None] == [("error_rate", "enhanced")]
