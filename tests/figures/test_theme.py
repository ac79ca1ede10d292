import pytest

from live_dashboards.draw.png import theme
from live_dashboards.model.judgement import KEEP_RUNNING, NO_DIFFERENCE, NO_VERDICT, ROLL_BACK, SHIP
from tests.figures.layout_check import LEAST_MARK_CONTRAST, LEAST_TEXT_CONTRAST, contrast

VERDICTS = (SHIP, ROLL_BACK, KEEP_RUNNING, NO_DIFFERENCE, NO_VERDICT)
TEXT_COLOURS = (*theme.TEXT_COLOURS, *(style.text_colour for style in theme.VARIANT_STYLES))
MARK_COLOURS = (*theme.MARK_COLOURS, *(style.colour for style in theme.VARIANT_STYLES), *(shape.edge for shape in theme.BADGE_SHAPES.values()))


@pytest.mark.parametrize("colour", TEXT_COLOURS)
@pytest.mark.parametrize("ground", [*theme.SURFACES, theme.WATERMARK_FILL])
def test_words_stand_out_from_what_they_stand_on(colour, ground):
    assert contrast(colour, ground) >= LEAST_TEXT_CONTRAST


@pytest.mark.parametrize("colour", MARK_COLOURS)
def test_marks_stand_out_from_the_paper(colour):
    assert contrast(colour, theme.PAPER) >= LEAST_MARK_CONTRAST


def test_the_contrast_ratio_is_wcags():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


def test_white_words_stand_out_from_their_tag():
    assert min(contrast(theme.PAPER, colour) for colour in (theme.CAUTION, theme.CACHED, theme.MUTED)) >= LEAST_TEXT_CONTRAST


def test_variants_keep_the_colours_that_colour_blind_readers_tell_apart():
    assert [style.colour for style in theme.VARIANT_STYLES[:4]] == ["#0072B2", "#D55E00", "#009E73", "#CC79A7"]


def test_no_two_of_the_first_seven_variants_look_alike():
    looks = {(style.marker, style.dashes) for style in theme.VARIANT_STYLES}
    assert len(looks) == len(theme.VARIANT_STYLES) == 7


def test_every_further_variant_has_a_style():
    assert {theme.variant_style(index) for index in range(7, 40)} == set(theme.VARIANT_STYLES[4:])


@pytest.mark.parametrize("scale", [0.1, 0.675, 1.0, 3.0])
def test_no_text_is_smaller_than_seven_points(scale):
    sizes = theme.Sizes(scale)
    assert min(sizes.page_title, sizes.verdict, sizes.title, sizes.body, sizes.tick, sizes.note) >= 7


def test_on_the_printed_page_titles_are_eleven_and_text_is_nine_points():
    sizes = theme.Sizes(1.0)
    assert (sizes.title, sizes.body) == (11, 9)


@pytest.mark.parametrize("word", VERDICTS)
def test_a_verdict_is_told_by_its_sign_and_readable_on_its_fill(word):
    style = theme.VERDICT_STYLES[word]
    assert contrast(style.ink, style.fill) >= LEAST_TEXT_CONTRAST
    assert contrast(style.edge, theme.PAPER) >= LEAST_MARK_CONTRAST


def test_no_two_verdicts_have_the_same_sign_and_every_one_has_a_look():
    assert {*theme.VERDICT_STYLES} == {*VERDICTS}
    assert len({style.sign for style in theme.VERDICT_STYLES.values()}) == len(VERDICTS)
