"""The PNG writer: what another program reads back is what was drawn."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from live_dashboards.outputs.image import write_png

TEXTS = {"Title": "größer ✓", "Provenance": "number " * 1_000}


def noise(width: int, height: int) -> np.ndarray:
    """No row and no pixel like the one before."""
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def strips(picture: np.ndarray, rows: int = 50) -> Iterator[bytes]:
    ended = np.pad(picture.reshape(len(picture), -1), ((0, 0), (0, 1)))
    return (ended[top : top + rows].tobytes() for top in range(0, len(ended), rows))


def read(content: BytesIO) -> Image.Image:
    image = Image.open(BytesIO(content.getvalue()))
    image.load()
    return image


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 49), (3, 50), (64, 51), (5, 150)])
def test_every_pixel_is_read_back(width: int, height: int) -> None:
    content, picture = BytesIO(), noise(width, height)
    write_png(content, (width, height), strips(picture), dpi=100, texts={})
    assert np.array_equal(np.asarray(read(content)), picture)


def test_resolution_and_texts_are_read_back() -> None:
    content = BytesIO()
    write_png(content, (4, 3), strips(noise(4, 3)), dpi=300, texts=TEXTS)
    info = read(content).info
    assert {name: info[name] for name in TEXTS} == TEXTS
    assert info["dpi"] == pytest.approx((300, 300), abs=0.01)


def test_a_long_text_is_compressed() -> None:
    content = BytesIO()
    write_png(content, (4, 3), strips(noise(4, 3)), dpi=300, texts=TEXTS)
    assert len(content.getvalue()) < len(TEXTS["Provenance"])
