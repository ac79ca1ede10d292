import pytest

from live_dashboards.draw.web.base import DARK, DARK_CARD, DARK_PAPER
from live_dashboards.model import presentation
from tests.figures.layout_check import LEAST_MARK_CONTRAST, LEAST_TEXT_CONTRAST, contrast

TEXTS = ("INK", "MUTED", "FAINT", "CAUTION", "ALARM", "CALM", "CACHED")
MARKS = ("AXIS", "BORDER_HATCH")
GROUNDS = {presentation.PAPER: (presentation.PAPER, presentation.TINT), DARK_PAPER: (DARK_PAPER, DARK_CARD)}


def of_variants(field):
    return [getattr(style, field) for style in presentation.VARIANT_STYLES]


@pytest.mark.parametrize("colour", [*(getattr(presentation, name) for name in TEXTS), *of_variants("text_colour")])
def test_words_stand_out_in_both_themes(colour):
    assert contrast(colour, presentation.PAPER) >= LEAST_TEXT_CONTRAST
    assert min(contrast(DARK[colour], ground) for ground in (DARK_PAPER, DARK_CARD)) >= LEAST_TEXT_CONTRAST


@pytest.mark.parametrize("colour", [*(getattr(presentation, name) for name in MARKS), *of_variants("colour")])
def test_marks_stand_out_in_both_themes(colour):
    assert contrast(colour, presentation.PAPER) >= LEAST_MARK_CONTRAST
    assert min(contrast(DARK[colour], ground) for ground in (DARK_PAPER, DARK_CARD)) >= LEAST_MARK_CONTRAST


@pytest.mark.parametrize("name", ["INK", "MUTED", "CALM"])
def test_words_stand_out_from_a_shade(name):
    colour = getattr(presentation, name)
    assert min(contrast(colour, presentation.BAND), contrast(DARK[colour], DARK[presentation.BAND])) >= 4


def test_no_dark_colour_is_replaced_again():
    assert not set(DARK) & set(DARK.values())


def test_the_variants_stay_apart_in_the_dark():
    assert len({DARK[colour] for colour in of_variants("colour")}) == len(presentation.VARIANT_STYLES)
