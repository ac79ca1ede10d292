import io
import re
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import matplotlib as mpl
import pytest
from matplotlib import _pylab_helpers
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from PIL import Image

from live_dashboards import __version__
from live_dashboards.draw.png.business_page import PAGE as BUSINESS_PAGE
from live_dashboards.draw.png.dashboard import _create_dashboard_panels
from live_dashboards.errors import UsageError
from live_dashboards.model.judgement import PlainAnswer, Verdict
from live_dashboards.model.presentation import VERDICT_STYLES
from live_dashboards.model.snapshot import SourceState, SourceStatus
from tests.figures.pages import page, says
from tests.support.business_pages import CASES
from tests.support.reports import report, simulated


def png(figure, dpi):
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=dpi, metadata={"Software": None})
    return stream.getvalue()


@pytest.mark.parametrize(
    ("size", "dpi", "pixels"), [((16, 10), 100, (1600, 1000)), ((16, 10), 200, (3200, 2000)), ((16, 10), 300, (4800, 3000)), ((12.8, 7.2), 100, (1280, 720))]
)
def test_the_picture_has_exactly_the_pixels_that_were_asked_for(size, dpi, pixels):
    assert struct.unpack(">II", png(page(report(), size, dpi), dpi)[16:24]) == pixels


def test_the_same_report_gives_the_same_bytes():
    first = png(_create_dashboard_panels(report(), dpi=100), 100)
    other = png(_create_dashboard_panels(simulated(report()), dpi=150), 150)  # which leaves nothing behind
    assert png(_create_dashboard_panels(report(), dpi=100), 100) == first != other


def test_a_printed_page_stays_small_also_with_all_its_hatching():
    assert len(png(page(simulated(report()), dpi=300), 300)) < 2_500_000


@pytest.mark.parametrize(("size", "dpi", "pixels"), [((16, 10), 100, (1600, 1000)), ((12.8, 7.2), 60, (768, 432))])
def test_a_notebook_shows_the_whole_page_with_the_pixels_that_were_asked_for(size, dpi, pixels):
    figure = _create_dashboard_panels(report(), size_inches=size, dpi=dpi)
    with Image.open(io.BytesIO(figure._repr_png_())) as shown, Image.open(io.BytesIO(png(figure, dpi))) as saved:
        assert shown.size == pixels
        assert shown.tobytes() == saved.tobytes()
    assert len(repr(figure)) < 80


class Both:
    """What has the reports of both dashboards."""

    def report_for(self, dashboard):
        return CASES["defaults"]() if dashboard == "business" else report()


@pytest.mark.parametrize(("layout", "words"), [(None, "fraud-scoring-2026"), ("ab", "fraud-scoring-2026"), ("business", "Business impact")])
def test_a_layout_that_is_named_draws_the_report_of_its_dashboard(layout, words):
    assert says(_create_dashboard_panels(Both(), layout=layout), words)


def test_a_named_layout_draws_the_same_as_the_dashboards_own():
    assert png(_create_dashboard_panels(report(), dpi=60, layout="ab"), 60) == png(_create_dashboard_panels(report(), dpi=60), 60)


REFUSED = {
    "a name that is none": (report, "busines", "there is no layout 'busines', did you mean 'business'? The layouts are ab, business"),
    "another dashboard's": (report, "business", "the layout 'business' draws no report of the dashboard 'ab'"),
    "no report": (dict, None, "a dict is no report"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(case):
    given, layout, words = REFUSED[case]
    with pytest.raises(UsageError, match=re.escape(words)):
        _create_dashboard_panels(given(), layout=layout)


@pytest.mark.parametrize("size", [(11.9, 10), (16, 6.7)])
def test_a_page_too_small_for_legible_text_is_refused_with_the_smallest_size(size):
    with pytest.raises(UsageError, match=r"at least 12x6\.75"):
        _create_dashboard_panels(report(), size_inches=size)


def test_drawing_changes_no_setting_of_matplotlib():
    before = dict(mpl.rcParams)
    _create_dashboard_panels(report())
    assert dict(mpl.rcParams) == before


def test_a_users_own_matplotlib_settings_change_nothing():
    plain = png(page(report()), 100)
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "axes.grid": True, "text.usetex": True, "axes.facecolor": "black", "xtick.top": True}):
        assert png(_create_dashboard_panels(report(), dpi=100), 100) == plain


def test_pages_made_in_several_threads_are_the_same_and_leave_the_settings_alone():
    before = dict(mpl.rcParams)
    with ThreadPoolExecutor(3) as pool:
        pictures = set(pool.map(lambda _: png(_create_dashboard_panels(report(), dpi=60), 60), range(3)))
    assert len(pictures) == 1
    assert dict(mpl.rcParams) == before


def test_no_figure_is_left_with_pyplot():
    _create_dashboard_panels(report())
    assert _pylab_helpers.Gcf.get_all_fig_managers() == []


def test_the_footers_version_is_the_packages():
    assert says(page(report()), f"live-dashboards {__version__}")


def test_few_artists_make_the_page():
    assert len(page(report()).findobj()) < 1_500


def test_the_header_names_experiment_window_zone_variants_and_badge():
    figure = page(report(timezone="Europe/Berlin", experiment_note="not verified"))
    for part in (
        "fraud-scoring-2026",
        "24 h to 20 Nov 2026, 13:00 CET (Europe/Berlin)",
        "not verified",
        "enhanced",
        "against",
        "baseline",
        "LIVE DATA",
        "61 of 61 values live",
    ):
        assert says(figure, part)


def test_the_strips_tell_verdict_rule_reasons_and_what_would_change_it():
    figure = page(report())
    for part in (
        "? NO VERDICT",
        "no verdict on enhanced: 3 of 7 days have passed",
        "Statistics: no verdict yet. Money: keep testing.",
        "4 more days of traffic",
        "requests in 24 h",
        "47,892",
    ):
        assert says(figure, part)


@pytest.mark.parametrize("size", [(16, 10), (12, 6.75)])
@pytest.mark.parametrize("word", VERDICT_STYLES)
def test_the_verdict_is_the_largest_word_of_both_pages_and_stands_on_its_colour(word, size):
    answer = PlainAnswer(word, "enhanced gives 3.2 points more accuracy (2.1 to 4.4); errors and slow requests hold", "Statistics: ship. Money: deploy.")
    for made in (report(), CASES["own parameters"]()):
        figure = page(replace(made, answer=answer), size)
        (shown,) = (text for text in figure.findobj(Text) if word in text.get_text() and text.get_fontsize() > 12)
        assert shown.get_text() == f"{VERDICT_STYLES[word].sign} {word}"
        (title,) = (text for text in figure.findobj(Text) if text.get_text() == made.page_title)
        others = [text.get_fontsize() for text in figure.findobj(Text) if text is not shown and text.get_text()]
        assert shown.get_fontsize() >= 2 * title.get_fontsize()
        assert max(others) == title.get_fontsize()
        fills = {to_hex(box.get_facecolor()).upper() for box in figure.findobj(Rectangle) if box.get_window_extent().contains(*middle_of(shown))}
        assert VERDICT_STYLES[word].fill.upper() in fills
        assert says(figure, "enhanced gives 3.2 points more accuracy")
        assert says(figure, answer.do_now)


def middle_of(text):
    box = text.get_window_extent()
    return (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2


def test_what_the_sentence_says_is_not_said_again_and_whose_grounds_they_are_is():
    words = [text.get_text() for text in page(report()).findobj(Text)]
    assert sum("3 of 7 days have passed" in each for each in words) == 1
    verdict = Verdict("KEEP RUNNING", "6", ("more is needed",), ("waiting",))
    assert says(page(replace(report(tuple("abc")), verdict=verdict)), "because b")
    assert not says(page(replace(report(), verdict=verdict)), "because b")


def test_the_footer_names_another_engine_that_speaks_prometheus_api_by_its_own_name():
    of_another = replace(report(), sources=(SourceStatus("prometheus", SourceState.ANSWERED, version="VictoriaMetrics"),))
    figure = page(of_another)
    assert says(figure, "Sources: VictoriaMetrics.")
    assert not says(figure, "Prometheus VictoriaMetrics")


def test_the_footer_names_sources_and_what_intervals_mean():
    figure = page(report(confidence=0.9))
    for part in ("MLflow 3.17", "Prometheus 2.42", "Intervals of differences and of the split: 95 %", "90 % for one look", "live-dashboards"):
        assert says(figure, part)


@pytest.mark.parametrize("layout", [3, ["business"]])
def test_what_is_no_layout_is_refused(layout):
    with pytest.raises(UsageError, match="give a Layout or a name: ab, business"):
        _create_dashboard_panels(report(), dpi=60, layout=layout)


@pytest.mark.parametrize("size_inches", ["16x10", 16, None, (16,), (16, 10, 3), (16, float("nan")), (16, float("inf"))])
def test_what_is_no_size_is_refused(size_inches):
    with pytest.raises(UsageError, match="give width and height in inches"):
        _create_dashboard_panels(report(), size_inches=size_inches)


@pytest.mark.parametrize("dpi", [0, -5, "150", float("nan"), float("inf")])
def test_what_is_no_resolution_is_refused(dpi):
    with pytest.raises(UsageError, match="give pixels an inch"):
        _create_dashboard_panels(report(), dpi=dpi)


def test_a_layout_of_the_other_dashboard_is_refused():
    with pytest.raises(UsageError, match="draws no report of the dashboard 'ab'"):
        _create_dashboard_panels(report(), dpi=60, layout=BUSINESS_PAGE)
