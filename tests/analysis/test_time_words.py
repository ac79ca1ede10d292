"""What a page tells of a traffic split that changed: its moments, and where the rates of all requests would have turned the answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from live_dashboards.analysis.verdict.power import is_astray
from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.model.snapshot import Timeline
from tests.support.snapshots import accumulated, of_the_window, settings, with_instant

DAYS, HOURS = 8, 24 * 8


def ramped(shares, error_rates, per_hour=100_000):
    """A test of eight days: in each equal part the challenger has a share of the traffic, and both arms an error rate."""
    snapshot = accumulated(with_instant(of_the_window(), "requests", {"baseline": 1, "enhanced": 1}), days=DAYS, blocks=HOURS)
    (found,) = snapshot.prometheus.accumulated
    of_hour = [(shares[hour * len(shares) // HOURS], error_rates[hour * len(error_rates) // HOURS]) for hour in range(HOURS)]
    requests = {"baseline": [per_hour * (1 - share) for share, _ in of_hour], "enhanced": [per_hour * share for share, _ in of_hour]}
    counts = {"requests": requests, "errors": {name: [round(n * rate) for n, (_, rate) in zip(values, of_hour, strict=True)] for name, values in requests.items()}}
    ends = [found.start_seconds + 3600 * (hour + 1) for hour in range(HOURS)]

    def with_values(answers, points):
        return tuple(
            replace(each, series=tuple(Timeline((("model_name", name),), points(values)) for name, values in counts[each.name].items())) if each.name in counts else each
            for each in answers
        )

    changed = replace(
        found,
        totals=with_values(found.totals, lambda values: ((ends[-1], float(sum(values))),)),
        blocks=with_values(found.blocks, lambda values: tuple(zip(ends, map(float, values), strict=True))),
    )
    return replace(snapshot, prometheus=replace(snapshot.prometheus, accumulated=(changed,)))


def report(snapshot):
    return build_ab_report(snapshot, None, settings())


def told(page, text):
    return [notice for notice in page.health.notices if text in notice]


def test_a_ramp_is_told_with_its_moments():
    page = report(ramped([0.1, 0.2, 0.5, 0.5], [0.02]))
    (notice,) = told(page, "the split changed")
    begin = page.period.start
    moments = [f"{begin + timedelta(days=days):%-d %b %H:%M} UTC" for days in (2, 4)]
    assert notice == f"the split changed: enhanced had 10 % of the pair's requests, 20 % from {moments[0]}, 50 % from {moments[1]}"
    assert told(page, "at the same time") == []


def test_where_the_rates_of_all_requests_say_another_thing_the_page_says_which_counts():
    page = report(ramped([0.01, 0.05, 0.2, 0.5], [0.01, 0.015, 0.02, 0.03]))
    row = next(each for each in page.comparisons if each.metric == "error_rate")
    assert (row.estimate, row.pooled > 0.8) == (pytest.approx(0, abs=0.02), True)
    (notice,) = told(page, "at the same time, which counts")
    assert notice.startswith("error rate of enhanced: ")
    assert page.health.notices[0] == notice


@pytest.mark.parametrize("rates", [[0.02], [0.01, 0.03, 0.01, 0.03]])
def test_a_steady_split_has_nothing_to_tell(rates):
    page = report(ramped([0.3], rates))
    assert told(page, "split changed") + told(page, "at the same time") == []


def test_many_changes_are_told_by_the_first_ones():
    page = report(ramped([0.1, 0.5] * 4, [0.02]))
    (notice,) = told(page, "the split changed")
    assert notice.endswith("and 3 more changes")


@pytest.mark.parametrize(
    ("pooled", "estimate", "expected"),
    [(-0.5, 0.3, True), (0.9, 0.3, True), (0.31, 0.3, False), (-0.01, 0.01, False), (None, 0.3, False), (-0.2, 0.05, True)],
)
def test_what_differs_by_noise_alone_is_not_astray(pooled, estimate, expected):
    page = report(ramped([0.3], [0.02]))
    row = next(each for each in page.comparisons if each.metric == "error_rate")
    assert is_astray(replace(row, pooled=pooled, estimate=estimate, low=estimate - 0.4, high=estimate + 0.4)) is expected
