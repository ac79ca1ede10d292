"""The page as a person meets it: real sources, a real browser, and what happens when numbers change, sources fail and controls are used."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.support.pace import scaled
from tests.support.waiting import wait_until
from tests.web.live_page import LivePage
from tests.web.two_tests import ACCURACY, SUCCESSES, log
from tests.web.watched import Watched

Open = Callable[..., Page]


@pytest.fixture
def open_page(new_page: Open) -> Iterator[Open]:
    """`open_page(live, "?window=6h", **context)`: a browser's page that has shown its first document; it must not ask anybody else, nor complain but of `refusals`."""
    pages: list[Page] = []
    watched: list[Watched] = []

    def opened(live: LivePage, search: str = "", refusals: frozenset[int] = frozenset(), **context: object) -> Page:
        pages.append(new_page(**context))
        watched.append(Watched(pages[-1], live.port, refusals))
        pages[-1].goto(f"{live.url}{search}")
        return pages[-1]

    yield opened
    for page in pages:
        page.close()
    assert [(each.said, each.foreign) for each in watched] == [([], [])] * len(watched)


def shown(page: Page) -> Page:
    page.locator(".badge-word").wait_for()
    return page


def drawn(page: Page) -> Page:
    """Once every chart of the first document stands."""
    shown(page)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.locator("#break-even-chart .main-svg").first.wait_for()
    expect(page.locator(".figure:not(.is-empty):not(:has(.main-svg))")).to_have_count(0)
    return page


def choice(page: Page, name: str) -> Locator:
    return page.get_by_role("combobox", name=name.capitalize())


def row_of(page: Page, name: str) -> list[str]:
    """The cells of a number's row in the list of where every number comes from."""
    row = page.locator("#provenance-rows tr", has=page.locator(f"th:text-is('{name}')")).first
    row.wait_for(state="attached")
    return row.locator("th, td").all_text_contents()


def test_the_page_shows_the_numbers_that_the_sources_hold(steady_page: LivePage, open_page: Open) -> None:
    page = shown(open_page(steady_page))
    expect(page.locator("#badge")).to_contain_text("LIVE DATA")
    expect(page.locator("h1")).to_have_text("checkout")
    baseline, enhanced, _ = ACCURACY["checkout"]
    expect(page.locator("#quality-title")).to_have_text(f"Accuracy: enhanced {100 * enhanced:.1f} % against baseline {100 * baseline:.1f} %")
    true_requests = sum(SUCCESSES["checkout"]) * 1.01 * 3600
    assert float(row_of(page, "total_requests")[1].replace(",", "")) == pytest.approx(true_requests, rel=0.001)
    assert row_of(page, "accuracy · enhanced")[1:4] == ["81.8 %", "80.7 to 82.8 %", "5,000"]
    assert "latest_metrics" in row_of(page, "accuracy · enhanced")[7]
    page.locator("#effect-chart .scatterlayer .trace").first.wait_for()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_verdict_is_the_largest_word_and_on_the_first_screen(steady_page: LivePage, open_page: Open, width: int) -> None:
    page = shown(open_page(steady_page, viewport={"width": width, "height": 844}))
    sizes = {place: float(page.locator(place).evaluate("each => parseFloat(getComputedStyle(each).fontSize)")) for place in ("h1", "#verdict h2", ".badge-word")}
    assert sizes["#verdict h2"] >= 2 * sizes["h1"]
    assert sizes["#verdict h2"] > sizes[".badge-word"]
    box = page.locator("#verdict .sentence").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 844
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_refreshes_by_itself_when_the_database_changes(live_page, open_page: Open) -> None:
    live = live_page()
    page = shown(open_page(live))
    before = page.locator("#quality-title").text_content()
    truth = live.sources.database.truth
    log(truth, 1, "enhanced", 0.905)
    expect(page.locator("#quality-title")).to_contain_text("enhanced 90.5 %")
    assert "90.5" not in str(before)


HOLD_THE_CHARTS = """
const usual = window.setTimeout.bind(window), held = [];
window.isHeld = true;
window.setTimeout = (work, ...more) => (window.isHeld && work.name === "drawNext" ? held.push(work) : usual(work, ...more));
window.letGo = () => { window.isHeld = false; held.splice(0).forEach((work) => usual(work, 0)); };
"""


def test_a_chart_that_is_older_than_the_words_around_it_is_marked_until_it_is_drawn(live_page, new_page: Open) -> None:
    live = live_page()
    page = new_page()
    page.add_init_script(HOLD_THE_CHARTS)
    page.goto(live.url)
    shown(page)
    for chart in ("effect", "quality", "net", "impact-0"):
        expect(page.locator(f"#{chart}-figure")).to_have_attribute("aria-busy", "true")
    page.evaluate("window.letGo()")
    page.get_by_role("button", name="Pause").click()
    log(live.sources.database.truth, 1, "enhanced", 0.905)
    live.wait_for_accuracy(90.5)
    drawn(page)
    page.evaluate("window.isHeld = true")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#quality-title")).to_contain_text("enhanced 90.5 %")
    expect(page.locator("#quality-figure")).to_have_attribute("aria-busy", "true")
    assert "90.5" not in str(page.locator("#quality-chart").text_content())
    page.evaluate("window.letGo()")
    expect(page.locator("#quality-chart")).to_contain_text("90.5")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


def test_the_words_go_on_where_the_charts_cannot_be_drawn(live_page, new_page: Open) -> None:
    live = live_page()
    page = new_page()
    page.route("**/plotly.min.js*", lambda route: route.abort())
    page.goto(live.url)
    expect(shown(page).locator("#quality-chart")).to_have_count(0)
    log(live.sources.database.truth, 1, "enhanced", 0.905)
    expect(page.locator("#quality-title")).to_contain_text("enhanced 90.5 %")


COUNT_THE_QUESTIONS = """() => {
  const usual = window.fetch;
  window.asked = window.answered = 0;
  window.fetch = (...question) => { window.asked += 1; return usual(...question).finally(() => { window.answered += 1; }); };
}"""


def test_while_paused_nothing_changes(live_page, open_page: Open) -> None:
    live = live_page()
    page = shown(open_page(live))
    page.evaluate(COUNT_THE_QUESTIONS)
    wait_until(lambda: page.evaluate("window.answered"), "a refresh")
    page.get_by_role("button", name="Pause").click()
    wait_until(lambda: page.evaluate("window.answered === window.asked"), "the last answer")
    log(live.sources.database.truth, 1, "enhanced", 0.905)
    live.wait_for_accuracy(90.5)
    page.wait_for_timeout(1500)
    expect(page.locator("#quality-title")).to_contain_text("enhanced 81.8 %")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#quality-title")).to_contain_text("enhanced 90.5 %")


SILENCES = [("prometheus", "MODEL DATA", "#split-title"), ("mlflow", "OPERATIONAL DATA", "#runs-title")]


def without_numbers(page: Page, place: str) -> str:
    return re.sub(r"[0-9,.]+", "#", str(page.locator(place).text_content()))


@pytest.mark.parametrize(("source", "badge", "panel"), SILENCES)
def test_a_source_that_dies_is_shown_as_it_last_was_marked_and_comes_back(live_page, open_page: Open, source: str, badge: str, panel: str) -> None:
    live = live_page(DASHBOARD_STALE_AFTER_SECONDS="3600")
    page = shown(open_page(live))
    expect(page.locator("#badge")).to_contain_text("LIVE DATA")
    title = without_numbers(page, panel)
    proxy = getattr(live.sources, f"{source}_proxy")
    proxy.refuse()
    expect(page.locator("#badge")).to_contain_text(badge)
    expect(page.locator("#badge")).to_contain_text("cached:")
    expect(page.locator(panel)).to_contain_text("CACHED")
    assert without_numbers(page, panel) == f"CACHED †{title}"
    expect(page.locator("#verdict")).to_contain_text("decides nothing")
    proxy.pass_through()
    expect(page.locator("#badge")).to_contain_text("LIVE DATA")
    expect(page.locator(panel)).not_to_contain_text("CACHED")
    assert without_numbers(page, panel) == title


def test_after_its_limit_a_dead_source_is_missing_and_not_simulated(live_page, open_page: Open) -> None:
    source, badge, panel = SILENCES[0]
    live = live_page(DASHBOARD_STALE_AFTER_SECONDS=f"{scaled(4):g}")
    page = shown(open_page(live))
    expect(page.locator("#badge")).to_contain_text("LIVE DATA")
    getattr(live.sources, f"{source}_proxy").refuse()
    expect(page.locator(panel)).to_contain_text("MISSING")
    expect(page.locator("#badge")).to_contain_text(badge)
    expect(page.locator("#badge")).to_contain_text("last answer:")
    expect(page.locator("body")).not_to_contain_text("SIMULATED")


def test_without_both_sources_the_page_is_cached_and_never_simulated(live_page, open_page: Open) -> None:
    live = live_page(DASHBOARD_STALE_AFTER_SECONDS=f"{scaled(4):g}", SOURCE_TIMEOUT_SECONDS=f"{scaled(6):g}")
    page = open_page(live)
    expect(page.locator("#badge")).to_contain_text("LIVE DATA")
    live.sources.prometheus_proxy.hang()
    live.sources.mlflow_proxy.refuse()
    expect(page.locator("#badge")).to_contain_text("CACHED DATA")
    expect(page.locator("#badge")).to_contain_text("last answer:")
    expect(page.locator("h1")).to_have_text("checkout")
    expect(page.locator("#verdict")).to_contain_text("NO VERDICT")
    wait_until(lambda: set(page.locator("#provenance-rows tr td:nth-child(5)").all_text_contents()) == {"missing"}, "no number")


GONE = {
    "refuses": "Promise.reject(new TypeError('gone'))",
    "is no document": "Promise.resolve(new Response('<html>log in</html>', {headers: {'Content-Type': 'text/html'}}))",
}


@pytest.mark.parametrize(("answer", "words"), [("refuses", "does not answer"), ("is no document", "Something else")])
def test_a_server_that_is_gone_is_told_and_what_was_shown_is_not_live_for_ever(live_page, open_page: Open, answer: str, words: str) -> None:
    page = open_page(live_page(DASHBOARD_STALE_AFTER_SECONDS="3600"))
    expect(page.locator("#badge")).to_contain_text("LIVE DATA")
    page.evaluate(f"() => {{ window.fetch = () => {GONE[answer]}; }}")
    expect(page.locator("#notice")).to_contain_text(words)
    expect(page.locator("#badge")).to_contain_text("LIVE DATA")
    expect(page.locator("#age")).not_to_contain_text("not live any more")
    page.evaluate("() => { const usual = Date.now; Date.now = () => usual() + 2 * 3600 * 1000; }")
    expect(page.locator("#age")).to_contain_text("not live any more")
    assert page.locator(".badge-word").evaluate("badge => getComputedStyle(badge).textDecorationLine") == "line-through"


def test_the_controls_change_the_view_and_the_address_and_a_link_shows_the_same(steady_page: LivePage, open_page: Open) -> None:
    live = steady_page
    page = shown(open_page(live))
    choice(page, "challenger").select_option("third")
    expect(page.locator("#subtitle")).to_contain_text("third against baseline")
    choice(page, "window").select_option("6h")
    expect(page.locator("#subtitle")).to_contain_text("6 h to")
    assert urlsplit(page.url).query == "window=6h&challenger=third"
    other = shown(open_page(live, f"?{urlsplit(page.url).query}"))
    expect(other.locator("#subtitle")).to_contain_text("third against baseline and 1 more · 6 h to")
    assert choice(other, "window").input_value() == "6h"
    page.go_back()
    expect(page.locator("#subtitle")).to_contain_text("third against baseline and 1 more · 1 h to")
    choice(page, "experiment").select_option("fraud")
    expect(page.locator("h1")).to_have_text("fraud")
    expect(page.locator("#quality-title")).to_contain_text("93.4 %")
    assert urlsplit(page.url).query == "experiment=fraud"


UNKNOWN_VIEWS = {
    "?experiment=checkot": "no active experiment 'checkot'; the nearest names are 'checkout'",
    "?window=5h": "there is no window '5h'; choose one of 1h, 6h, 24h, 7d",
    "?challenger=nobody": "there is no variant 'nobody' in this experiment; its variants are baseline, enhanced, third",
    "?baseline=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E": "there is no variant '<img src=x onerror=alert(1)>'",
}


def test_a_view_that_does_not_exist_is_told_with_the_way_back(steady_page: LivePage, open_page: Open) -> None:
    page = open_page(steady_page, next(iter(UNKNOWN_VIEWS)), frozenset({400, 404}))
    for search, words in UNKNOWN_VIEWS.items():
        page.goto(f"{steady_page.url}{search}")
        expect(page.locator("#notice")).to_contain_text(words)
    page.get_by_role("link", name="Show the default view").click()
    expect(page.locator("h1")).to_have_text("checkout")


def test_hover_tells_value_interval_n_source_and_query(steady_page: LivePage, open_page: Open) -> None:
    page = drawn(open_page(steady_page))
    mark = page.locator("#quality-chart .scatterlayer .trace path.point").first
    mark.scroll_into_view_if_needed()
    mark.hover(force=True)
    page.locator("#quality-chart .hoverlayer .hovertext").first.wait_for()
    words = str(page.locator("#quality-chart .hoverlayer .hovertext").first.text_content())
    assert all(part in words for part in ("78.2", "95 %", "5,000", "mlflow", "with active as materialized"))


def test_the_drawer_lists_every_number_and_finds_them_by_keyboard(steady_page: LivePage, open_page: Open) -> None:
    live = steady_page
    page = shown(open_page(live))
    page.get_by_role("button", name="Where numbers come from").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    names = {row["name"] for summary in ("summary", "business-summary") for row in live.get(f"api/v1/{summary}").json()["measurements"]}
    listed = {words.split(" · ")[0] for words in page.locator("#provenance-rows th").all_text_contents()}
    assert names == listed
    page.get_by_label("Find").fill("p95")
    expect(page.locator("#provenance-rows tr:visible")).to_have_count(page.locator("#provenance-rows tr", has_text="p95").count())
    page.keyboard.press("Escape")  # empties the search
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Where numbers come from")).to_be_focused()


def test_what_was_opened_and_sought_in_the_list_stays_so_when_the_numbers_change(live_page, open_page: Open) -> None:
    live = live_page()
    page = shown(open_page(live))
    page.get_by_role("button", name="Where numbers come from").click()
    page.get_by_label("Find").fill("accuracy")
    query = page.locator("#provenance-rows tr:visible details").first
    query.locator("summary").click()
    assert row_of(page, "accuracy · enhanced")[1] == "81.8 %"
    log(live.sources.database.truth, 1, "enhanced", 0.905)
    wait_until(lambda: row_of(page, "accuracy · enhanced")[1] == "90.5 %", "the new number")
    assert query.evaluate("place => place.open")
    expect(page.locator("#provenance-rows tr:visible")).to_have_count(page.locator("#provenance-rows tr", has_text="accuracy").count())


def test_downloads_are_of_the_view_that_is_shown(steady_page: LivePage, open_page: Open) -> None:
    page = shown(open_page(steady_page, "?challenger=third"))
    page.get_by_text("Download", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="A/B summary (JSON)").click()
    assert '"challenger": "third"' in download.value.path().read_text(encoding="utf-8")


@pytest.mark.parametrize("screen", [{"has_touch": True, "is_mobile": True}, {}], ids=["phone", "narrow window"])
def test_the_tools_of_a_chart_do_not_lie_above_its_numbers(steady_page: LivePage, open_page: Open, screen: dict[str, bool]) -> None:
    page = drawn(open_page(steady_page, viewport={"width": 390, "height": 900}, **screen))
    page.locator(".modebar").first.wait_for(state="attached")
    shown = "bars => bars.filter(bar => bar.offsetParent && [...bar.children].some(group => getComputedStyle(group).opacity > 0)).length"
    assert page.locator(".modebar").evaluate_all(shown) == 0


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 2560)])
def test_the_page_is_accessible_and_fits_its_screen(steady_page: LivePage, open_page: Open, scheme: str, width: int) -> None:
    page = drawn(open_page(steady_page, color_scheme=scheme, viewport={"width": width, "height": 900}))
    wait_until(lambda: page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the charts to follow the width")
    assert violations(page) == []


def test_a_table_of_reasons_is_as_wide_as_its_place_and_breaks_no_variants_name(live_page: Callable[..., LivePage], open_page: Open) -> None:
    """A reason holds addresses and queries, of which each is one long word."""
    live = live_page(PROMETHEUS_URL="http://127.0.0.1:1/a-path-that-is-longer-than-a-column-of-the-page/and-longer-still")
    page = shown(open_page(live, viewport={"width": 1440, "height": 900}))
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for name in ("Both models", "Conditions of a decision"):
            assert page.get_by_role("region", name=name, exact=True).evaluate("place => place.scrollWidth - place.clientWidth") <= 0, (name, width)
        inputs = page.get_by_role("region", name="Measured inputs of the business case")
        assert inputs.locator(".words").first.evaluate("words => words.getBoundingClientRect().width") >= 200, width
        names = inputs.locator("thead .variant")
        assert names.evaluate_all("all => all.map(each => each.getBoundingClientRect().height < 2 * parseFloat(getComputedStyle(each).lineHeight))") == [True, True]


def test_the_drawer_is_accessible(steady_page: LivePage, open_page: Open) -> None:
    page = shown(open_page(steady_page, color_scheme="dark"))
    page.get_by_role("button", name="Where numbers come from").click()
    page.get_by_role("dialog").wait_for()
    assert violations(page, "#drawer") == []


def violations(page: Page, context: str | None = None) -> list[tuple[str, list[str]]]:
    found = Axe().run(page, context).response["violations"]
    return [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found]


def test_the_theme_can_be_chosen_and_stays(steady_page: LivePage, open_page: Open) -> None:
    page = shown(open_page(steady_page, color_scheme="light"))
    ink = page.evaluate("getComputedStyle(document.body).color")
    button = page.get_by_role("button", name="Theme")
    button.click()
    button.click()
    expect(button).to_have_text("Theme: dark")
    expect(page.locator("body")).not_to_have_css("color", ink)
    page.reload()
    shown(page)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_first_page_is_served_before_the_sources_answer_and_says_so(live_page, open_page: Open) -> None:
    live = live_page(SOURCE_TIMEOUT_SECONDS="600")
    live.sources.prometheus_proxy.hang()
    page = open_page(live, "?window=7d")
    expect(page.locator("#notice")).to_contain_text("Asking the sources for this view")
    live.sources.prometheus_proxy.garbage()  # ends what hangs
    expect(page.locator("#subtitle")).to_contain_text("7 d to")
    live.sources.prometheus_proxy.pass_through()
    expect(page.locator("#badge")).to_contain_text("LIVE DATA")


def test_login_is_asked_for_refused_and_granted(live_page, open_page: Open, password_hash: tuple[str, str]) -> None:
    password, hashed = password_hash
    live = live_page(DASHBOARD_AUTH="password", DASHBOARD_PASSWORD_HASH=hashed)
    page = open_page(live, "?window=6h", frozenset({401}))
    for attempt in ("wrong password", password):
        page.get_by_label("User").fill("dashboard")
        page.get_by_label("Password").fill(attempt)
        page.get_by_role("button", name="Log in").click()
        if attempt != password:
            expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#subtitle")).to_contain_text("6 h to")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    page.goto(live.url)
    expect(page.get_by_label("Password")).to_be_visible()
