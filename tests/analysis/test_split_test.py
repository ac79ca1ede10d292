"""The always-valid split test of the page: its flags, and requests that are routed together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from live_dashboards.analysis.business.report import build_business_report
from live_dashboards.analysis.facts.page import page
from live_dashboards.analysis.statistics.stratified import local_overdispersion
from live_dashboards.analysis.verdict.guardrails import widest_split
from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.analysis.verdict.split import share_overdispersion, split_test
from live_dashboards.analysis.verdict.traffic_panels import split_panel
from live_dashboards.model.judgement import SplitTest
from live_dashboards.model.snapshot import Answer, Timeline
from tests.support.snapshots import AT, DAY, accumulated, live, of_the_window, settings, stand_in, with_instant, without_prometheus


def judged(snapshot=None, **values):
    return split_test(page(live() if snapshot is None else snapshot, stand_in(), settings(**values)))


def split(baseline, enhanced, plan="baseline=50,enhanced=50"):
    return judged(accumulated(with_instant(of_the_window(), "requests", {"baseline": baseline, "enhanced": enhanced})), AB_TRAFFIC_SPLIT=plan)


@pytest.mark.parametrize(
    ("baseline", "enhanced", "flag"),
    [
        (50_000, 50_000, "ok"),
        (50_100, 49_900, "ok"),
        (55_000, 45_000, "red"),
        (5_003_000_000, 4_997_000_000, "amber"),  # 0.03 points: real, and too small to matter
        (5_020_000_000, 4_980_000_000, "red"),
    ],
)
def test_the_flag_is_red_where_a_real_difference_is_a_tenth_of_a_point_or_more(baseline, enhanced, flag):
    found = split(baseline, enhanced)
    assert found.flag == flag
    assert (found.p_value < 0.001) is (flag != "ok")


def test_traffic_of_a_variant_that_no_plan_names_is_red_with_p_0():
    found = judged(AB_TRAFFIC_SPLIT="baseline=100")
    assert (found.flag, found.p_value) == ("red", 0.0)
    assert dict(found.planned) == {"baseline": 100.0, "enhanced": 0.0}


def test_a_planned_variant_without_any_traffic_is_red():
    found = judged(AB_TRAFFIC_SPLIT="baseline=60,enhanced=30,third=10")
    assert found.flag == "red"


def test_without_a_plan_there_are_shares_and_no_flag():
    found = judged()
    assert (found.flag, found.reason) == (None, "no plan set: AB_TRAFFIC_SPLIT")
    assert {share.variant for share in found.observed} == {"baseline", "enhanced"}
    assert sum(share.value for share in found.observed) == pytest.approx(100)


def test_the_window_alone_is_not_judged():
    assert judged(of_the_window(), AB_TRAFFIC_SPLIT="baseline=1,enhanced=9").flag is None


def test_without_prometheus_the_reason_is_its_failure():
    found = judged(without_prometheus(live()), AB_TRAFFIC_SPLIT="baseline=7,enhanced=3")
    assert found.flag is None
    assert "refuses the connection" in found.reason


def test_shares_of_independent_requests_vary_as_they_should_and_sticky_ones_more():
    draws = np.random.default_rng(3)
    alone = [(int(part), 1000) for part in draws.binomial(1000, 0.3, 400)]
    sticky = [(20 * int(part), 1000) for part in draws.binomial(50, 0.3, 400)]
    assert local_overdispersion(alone) == pytest.approx(1.0, abs=0.2)
    assert local_overdispersion(sticky) == pytest.approx(20.0, rel=0.2)


def test_a_split_that_was_changed_once_does_not_pass_for_clustering():
    draws = np.random.default_rng(4)
    changed = [(int(part), 1000) for share in (0.3, 0.5) for part in draws.binomial(1000, share, 200)]
    assert local_overdispersion(changed) < 3


def staying(random, hours, *, users=400, stay=2, per_hour=800):
    """Requests (treatment, all) by hour of users each of whom stays with a variant for so many hours."""
    phases, arms = random.integers(0, stay, users), random.random((users, hours // stay + 2)) < 0.5
    sizes = random.poisson(per_hour, hours)
    return [(int(random.binomial(n, arms[range(users), (hour + phases) // stay].mean())), int(n)) for hour, n in enumerate(sizes)]


def test_users_who_stay_for_hours_count_as_fewer_requests():
    """The share of 400 users who stay two hours and send two requests an hour each: neighbouring hours are alike, so they alone tell too little."""
    worth = [share_overdispersion(staying(np.random.default_rng(seed), 192)) for seed in range(20)]
    assert 2.5 < np.median(worth) < 12
    alone = [share_overdispersion([(int(part), 800) for part in np.random.default_rng(seed).binomial(800, 0.5, 192)]) for seed in range(20)]
    assert np.median(alone) < 1.9


def test_a_fair_split_of_users_who_stay_is_not_red_and_a_wrong_one_of_requests_is():
    flags = []
    for seed in range(20):
        blocks = staying(np.random.default_rng(seed), 192)
        flags.append(split_of(blocks).flag)
    assert flags.count("ok") >= 19
    wrong = np.random.default_rng(1).binomial(833, 0.515, 192)
    assert split_of([(int(part), 833) for part in wrong]).flag == "red"


def split_of(blocks):
    """The split test of blocks of (enhanced, all) against an equal plan."""
    snapshot = accumulated(with_instant(of_the_window(), "requests", {"baseline": 1, "enhanced": 1}), blocks=len(blocks))
    (found,) = snapshot.prometheus.accumulated
    counts = {"enhanced": [part for part, _ in blocks], "baseline": [n - part for part, n in blocks]}
    requests = found.block("requests")
    series = tuple(
        replace(each, points=tuple((end, float(n)) for (end, _), n in zip(each.points, counts[each.label("model_name")], strict=True))) for each in requests.series
    )
    totals = tuple(replace(each, points=((each.points[-1][0], float(sum(counts[each.label("model_name")]))),)) for each in found.total("requests").series)
    changed = replace(
        found,
        blocks=(replace(requests, series=series), *(each for each in found.blocks if each.name != "requests")),
        totals=(replace(found.total("requests"), series=totals), *(each for each in found.totals if each.name != "requests")),
    )
    return judged(replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(changed,))), AB_TRAFFIC_SPLIT="baseline=50,enhanced=50")


def test_requests_that_count_nearly_whole_are_not_said_to_go_together():
    snapshot, plan = accumulated(of_the_window(), blocks=192), {"AB_TRAFFIC_SPLIT": "baseline=70,enhanced=30"}
    found = page(snapshot, stand_in(), settings(**plan))
    for overdispersion, told in ((1.02, False), (1.2, True)):
        note = split_panel(found, replace(judged(snapshot, **plan), overdispersion=overdispersion)).head.note
        assert ("requests go together" in note) is told


@pytest.mark.parametrize(("days", "flag"), [(10, "ok"), (-1, None)])
def test_a_plan_that_has_yet_to_come_is_judged_against_nothing(days, flag):
    """A ramp's next step lies in the future; where all of the plan does, nothing is judged."""
    later = (AT + timedelta(days=10)).isoformat()
    first = (AT - timedelta(days=days)).isoformat()
    found = judged(AB_TRAFFIC_SPLIT=f"{first} baseline=70,enhanced=30; {later} baseline=50,enhanced=50")
    assert found.flag == flag
    assert dict(found.planned) == {"baseline": pytest.approx(70), "enhanced": pytest.approx(30)}
    assert found.reason.startswith("not judged: no plan held") is (flag is None)
    assert (found.p_value is None) is (flag is None)


def test_too_few_blocks_tell_nothing_of_clustering():
    assert local_overdispersion([(1, 10), (9, 10)] * 3) == 1.0


def test_a_split_that_is_another_one_at_the_most_that_may_have_been_counted_is_not_judged():
    found = SplitTest("ok", "", p_value=0.5, n=100)
    other = SplitTest("red", "shares are off by up to 9 pt", p_value=0.0001, n=120)
    widened = widest_split(found, [found, other])
    assert (widened.flag, widened.p_value) == (None, None)
    assert widened.reason.startswith("ok at the least that was counted, red at the most, ")
    assert widest_split(found, [found]) == found


def of_users_who_stay(days, *, share=0.5, seed=0):
    """A test of so many days in hourly blocks, of 400 users who each stay a day with a variant."""
    random = np.random.default_rng(seed)
    phases, arms = random.integers(0, 24, 400), random.random((400, days + 2)) < share
    part = [float(random.binomial(800, arms[range(400), (hour + phases) // 24].mean())) for hour in range(24 * days)]
    start = AT.timestamp() - days * DAY
    ends = [start + 3600 * (hour + 1) for hour in range(24 * days)]
    counts = {"baseline": [800 - each for each in part], "enhanced": part}
    series = tuple(Timeline((("model_name", name),), tuple(zip(ends, each, strict=True))) for name, each in counts.items())
    blocks = Answer("requests", "", "count", series, step_seconds=3600)
    total = replace(blocks, series=tuple(replace(each, points=((AT.timestamp(), sum(value for _, value in each.points)),)) for each in series))
    snapshot = accumulated(live(), days=float(days))
    (counted,) = snapshot.prometheus.accumulated
    others = [[each for each in answers if each.name != "requests"] for answers in (counted.totals, counted.blocks)]
    counted = replace(counted, totals=(total, *others[0]), blocks=(blocks, *others[1]))
    return replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(counted,)))


FAIR = {"AB_TRAFFIC_SPLIT": "baseline=50,enhanced=50"}


def test_users_who_stay_for_a_day_turn_a_fair_split_red_unless_that_is_told():
    flags = [[judged(of_users_who_stay(12, seed=seed), **FAIR, **told).flag for told in ({}, {"AB_STICKY_FOR": "24h"})] for seed in range(12)]
    assert sum(without == "red" for without, _ in flags) >= 2
    assert not any(told == "red" for _, told in flags)


def test_before_eight_stays_a_split_is_not_judged_and_that_is_said():
    young = judged(of_users_who_stay(7, share=0.9), **FAIR, AB_STICKY_FOR="24h")
    assert (young.flag, young.reason.split("; ")[0]) == ("amber", "judged after 8 stays of 1d")
    assert judged(of_users_who_stay(7, share=0.9), **FAIR).flag == "red"
    assert judged(of_users_who_stay(24, share=0.9), **FAIR, AB_STICKY_FOR="24h").flag == "red"


def test_a_split_that_is_not_judged_yet_is_none_that_is_planned_by_little():
    snapshot = live()
    told = {"AB_TRAFFIC_SPLIT": "baseline=50,enhanced=50", "AB_STICKY_FOR": "3d"}
    found, stood = build_business_report(snapshot, None, settings(**told)), build_ab_report(snapshot, None, settings(**told))
    (gate,) = [each for each in found.gates if each.label == "Traffic is split as planned"]
    assert (gate.state, gate.words.startswith("judged after 8 stays of 3d: 70 % / 30 % of 50 % / 50 %")) == ("unknown", True)
    assert stood.split.head.title == "Traffic split 70 / 30, off the plan so far, judged after 8 stays of 3d"
    assert stood.verdict.verdict == "KEEP RUNNING"
    assert any("off the plan so far, and judged after 8 stays" in reason for reason in stood.verdict.reasons)
    planned = {**told, "AB_TRAFFIC_SPLIT": "baseline=70,enhanced=30"}
    assert build_ab_report(snapshot, None, settings(**planned)).verdict.verdict == "SHIP"


def test_parts_of_a_plan_that_are_shorter_than_eight_stays_do_not_turn_it_red():
    change = (AT - timedelta(days=2)).isoformat()
    plan = f"{(AT - timedelta(days=30)).isoformat()} baseline=50,enhanced=50; {change} baseline=90,enhanced=10"
    snapshot = of_users_who_stay(12)
    assert judged(snapshot, AB_TRAFFIC_SPLIT=plan).flag == "red"
    assert judged(snapshot, AB_TRAFFIC_SPLIT=plan, AB_STICKY_FOR="24h").flag == "ok"
