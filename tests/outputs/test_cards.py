"""Reports in a few lines: what they say, and that no report makes them longer or wider."""

import re
from dataclasses import replace

import pytest

from live_dashboards.api import ab_card, business_card
from live_dashboards.model.card import MOST_LINES, WIDTH
from live_dashboards.model.names import columns
from live_dashboards.outputs.summary import summary
from tests.outputs.reports import every_kind, live_report, report
from tests.support import snapshots
from tests.support.business_pages import CASES
from tests.support.hostile import BASELINE, CHALLENGER, ENDLESS

REPORTS = every_kind()
HOSTILE = report(snapshots.live(baseline=BASELINE, challenger=CHALLENGER), AB_BASELINE_VARIANT=BASELINE, AB_CHALLENGER_VARIANT=CHALLENGER)
CARDS = {
    **{name: ab_card(each) for name, each in REPORTS.items()},
    **{f"business, {name}": business_card(case()) for name, case in CASES.items()},
    "hostile": ab_card(replace(HOSTILE, experiment=ENDLESS)),
}


def lines_of(card):
    return card.text().split("\n")


@pytest.mark.parametrize("name", CARDS)
def test_a_card_is_short_and_narrow(name):
    assert len(lines_of(CARDS[name])) <= MOST_LINES
    assert max(map(columns, lines_of(CARDS[name]))) <= WIDTH


@pytest.mark.parametrize("name", REPORTS)
def test_the_badge_comes_first_and_then_the_verdict(name):
    found, first, second = REPORTS[name], *lines_of(CARDS[name])[:2]
    assert first == f"{found.badge.kind.value}: {found.badge.second_line}"
    assert second.startswith(f"{found.answer.verdict}: ")


def test_the_numbers_of_a_variant_are_those_of_the_summary():
    found = summary(live_report())["variants"]["enhanced"]
    line = next(line for line in lines_of(CARDS["live"]) if line.startswith("enhanced"))
    requests, accuracy, errors, p95 = re.split(r"\s{2,}", line)[1:]
    assert requests == f"{found['requests']:,}"
    assert float(accuracy.split(" %")[0]) == pytest.approx(found["accuracy"], abs=0.05)
    assert float(errors.split(" %")[0]) == pytest.approx(found["error_rate"], abs=0.0005)
    assert float(p95.split(" ms")[0]) == pytest.approx(found["p95_latency_ms"], abs=0.5)


def test_what_is_not_known_of_a_variant_is_a_dash_and_never_simulated():
    line = next(line for line in lines_of(CARDS["mlflow only"]) if line.startswith("enhanced"))
    assert re.split(r"\s{2,}", line)[1::2] == ["–", "–"]


def test_the_money_is_that_of_the_page():
    found = CASES["own parameters"]()
    text = CARDS["business, own parameters"].text()
    assert f"recommendation: {found.recommendation.verdict}" in text
    for label, value, beside in found.headline_words:
        assert re.search(rf"{re.escape(label)} +{re.escape(value)}  {re.escape(beside)}", text)


def test_names_that_attack_are_text_in_html():
    assert "<script" not in CARDS["hostile"].html()
    assert "&lt;script" in CARDS["hostile"].html()
