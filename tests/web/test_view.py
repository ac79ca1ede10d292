"""What a page's address names, and how it becomes settings: names stay plain values, and one page has one address."""

from urllib.parse import parse_qs

import pytest

from live_dashboards.errors import UsageError
from live_dashboards.settings import load_settings
from live_dashboards.web.view import View, own_window, parse_view, settings_of, windows
from tests.figures.cases import HOSTILE


def settings(**values):
    return load_settings(environment=values)


def parse(_settings=None, **parameters):
    return parse_view(parameters, _settings or settings())


def test_an_address_without_parameters_is_the_settings_own_page():
    assert parse() == View()


def test_empty_parameters_and_unknown_ones_choose_nothing():
    assert parse(experiment="", window="", baseline="", at="2026-01-01", AB_WINDOW="1h") == View()


@pytest.mark.parametrize(
    ("configured", "choices"),
    [
        ("24h", ("1h", "6h", "24h", "7d")),
        ("1d", ("1h", "6h", "24h", "7d")),
        ("1440m", ("1h", "6h", "24h", "7d")),
        ("168h", ("1h", "6h", "24h", "7d")),
        ("2h", ("1h", "2h", "6h", "24h", "7d")),
        ("90m", ("1h", "1h30m", "6h", "24h", "7d")),
        ("30d", ("1h", "6h", "24h", "7d", "30d")),
    ],
)
def test_the_configured_window_stands_once_among_the_usual_ones_shortest_first(configured, choices):
    assert windows(settings(AB_WINDOW=configured)) == choices


def test_the_configured_window_is_written_as_the_usual_ones_are():
    assert (own_window(settings(AB_WINDOW="1d")), own_window(settings(AB_WINDOW="90m"))) == ("24h", "1h30m")


@pytest.mark.parametrize("window", ["2h", "1d", "24H", "-1h", "24h ", "1h; DROP TABLE runs", "1" * 400])
def test_a_window_that_cannot_be_chosen_is_refused_with_those_that_can(window):
    with pytest.raises(UsageError, match=r"choose one of 1h, 6h, 24h, 7d$") as refused:
        parse(window=window)
    assert len(str(refused.value)) < 100


@pytest.mark.parametrize("name", ["experiment", "window", "baseline", "challenger"])
@pytest.mark.parametrize("character", ["\x00", "\n", "\x1b", "\x7f", "\x85", "\ud800"])
def test_control_characters_and_halves_of_characters_are_in_no_name(name, character):
    with pytest.raises(UsageError, match=f"^{name} must be a name of at most 500 characters without control characters$"):
        parse(**{name: f"a{character}b"})


def test_500_characters_are_a_name_and_501_are_none():
    assert parse(experiment="模" * 500).experiment == "模" * 500
    with pytest.raises(UsageError, match="experiment must be a name of at most 500 characters"):
        parse(experiment="模" * 501)


@pytest.mark.parametrize(
    ("configured", "chosen"),
    [({}, {"baseline": "a", "challenger": "a"}), ({}, {"challenger": "baseline"}), ({"AB_CHALLENGER_VARIANT": "enhanced"}, {"baseline": "enhanced"})],
)
def test_a_variant_is_not_compared_with_itself_whoever_names_it(configured, chosen):
    with pytest.raises(UsageError, match="the same variant; choose two"):
        parse(settings(**configured), **chosen)


def test_both_variants_can_change_places():
    assert parse(settings(AB_CHALLENGER_VARIANT="enhanced"), baseline="enhanced", challenger="baseline") == View(None, None, "enhanced", "baseline")


@pytest.mark.parametrize("window", ["24h", "1d"])
def test_what_the_settings_say_anyway_is_left_out_so_that_one_page_has_one_address(window):
    own = settings(AB_EXPERIMENT="fraud", AB_WINDOW=window, AB_CHALLENGER_VARIANT="third")
    assert parse(own, experiment="fraud", window="24h", baseline="baseline", challenger="third") == View()
    assert parse(own, experiment="other", window="6h", baseline="a", challenger="b") == View("other", "6h", "a", "b")


@pytest.mark.parametrize(
    "name", ["'; DROP TABLE runs; --", '"} or vector(1)', "a&window=7d", "../../etc/passwd", "<script>", "ünï 模型 🤖", HOSTILE[0][:5] + HOSTILE[0][7:300]]
)
def test_hostile_names_pass_as_plain_values_through_address_and_settings(name):
    view = parse(experiment=name, baseline=name, challenger="enhanced")
    assert parse_qs(view.query) == {"experiment": [name], "baseline": [name], "challenger": ["enhanced"]}
    chosen = settings_of(view, settings())
    assert (chosen["AB_EXPERIMENT"], chosen["AB_BASELINE_VARIANT"], chosen["AB_CHALLENGER_VARIANT"]) == (name, name, "enhanced")


def test_a_view_changes_its_four_settings_and_no_other():
    own = settings(AB_EXPERIMENT="fraud", PROMETHEUS_URL="http://prometheus.example:9090")
    chosen = settings_of(View("other", "7d", "a", "b"), own)
    changed = {name: chosen[name] for name in own.values if chosen[name] != own[name]}
    assert changed == {"AB_EXPERIMENT": "other", "AB_WINDOW": 604_800.0, "AB_BASELINE_VARIANT": "a", "AB_CHALLENGER_VARIANT": "b"}


def test_the_settings_own_view_changes_nothing():
    own = settings(AB_EXPERIMENT="fraud", AB_CHALLENGER_VARIANT="third")
    assert settings_of(View(), own) == own


def test_baseline_and_challenger_are_no_part_of_the_question():
    assert View("fraud", "7d", "a", "b").question == View("fraud", "7d")
