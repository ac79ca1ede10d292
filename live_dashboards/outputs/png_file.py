"""An opaque page's pixels as a PNG file: 24-bit colour in rows without a filter, which for a page of text and thin lines is quicker and smaller."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUE_COLOUR, _BITS = 2, 8
_COMPRESS_LEVEL = 3  # 6 is twice the time for an eighth less
_STRIP_ROWS = 50  # few enough to stay in the processor's cache
_NO_FILTER = b"\0"
_LONGEST_COMPRESSED = 1_000_000  # readers refuse a compressed text that grows beyond 2**20 characters
_SHORTEST_COMPRESSED = 2_000


def write_png(stream: BinaryIO, pixels: NDArray[np.uint8], *, dpi: float, texts: Mapping[str, str]) -> None:
    """Writes the rows of red, green, blue and alpha bytes; alpha is dropped, the texts stand before the picture as international text."""
    height, width, _ = pixels.shape
    stream.write(_SIGNATURE)
    _write_chunk(stream, b"IHDR", struct.pack(">IIBBBBB", width, height, _BITS, _TRUE_COLOUR, 0, 0, 0))
    dots_per_metre = round(dpi / 0.0254)
    _write_chunk(stream, b"pHYs", struct.pack(">IIB", dots_per_metre, dots_per_metre, 1))
    for keyword, text in texts.items():
        _write_chunk(stream, b"iTXt", _text(keyword, text))
    _write_chunk(stream, b"IDAT", b"".join(_compressed(pixels, width, height)))
    _write_chunk(stream, b"IEND", b"")


def _write_chunk(stream: BinaryIO, kind: bytes, content: bytes) -> None:
    stream.write(struct.pack(">I", len(content)) + kind)
    stream.write(content)
    stream.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(kind))))


def _text(keyword: str, text: str) -> bytes:
    """Keyword, whether compressed, two empty fields for language and translated keyword, and the text."""
    content = text.encode("utf-8")
    is_compressed = _SHORTEST_COMPRESSED < len(text) < _LONGEST_COMPRESSED
    return keyword.encode("latin-1") + bytes((0, is_compressed, 0, 0, 0)) + (zlib.compress(content) if is_compressed else content)


def _compressed(pixels: NDArray[np.uint8], width: int, height: int) -> Iterator[bytes]:
    """The rows, each after the byte that names its filter, compressed as one stream."""
    page, packer = Image.frombuffer("RGBA", (width, height), pixels, "raw", "RGBA", 0, 1), zlib.compressobj(_COMPRESS_LEVEL)
    for top in range(0, height, _STRIP_ROWS):
        strip = page.crop((0, top, width, min(height, top + _STRIP_ROWS)))
        rows = strip.tobytes("raw", "RGB", 3 * width + 1, 1)  # a row is three bytes a pixel and a zero: the filter of the next row
        yield packer.compress(_NO_FILTER)
        yield packer.compress(memoryview(rows)[:-1])
    yield packer.flush()
