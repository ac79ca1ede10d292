"""A page's pixels as a PNG file: 24-bit colour in rows without a filter, which for a page of text and thin
lines is quicker and smaller.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUE_COLOUR, _BITS = 2, 8
_COMPRESS_LEVEL = 3  # 6 is twice the time for an eighth less
_NO_FILTER = b"\0"
_LONGEST_COMPRESSED = 1_000_000  # readers refuse a compressed text that grows beyond 2**20 characters
_SHORTEST_COMPRESSED = 2_000


def write_png(
    stream: BinaryIO, size: tuple[int, int], strips: Iterable[bytes], *, dpi: float, texts: Mapping[str, str]
) -> None:
    """Writes the texts and the picture of that width and height; a strip is whole rows of red, green and blue
    bytes with a zero byte after each row.
    """
    stream.write(_SIGNATURE)
    _write_chunk(stream, b"IHDR", struct.pack(">IIBBBBB", *size, _BITS, _TRUE_COLOUR, 0, 0, 0))
    dots_per_metre = round(dpi / 0.0254)
    _write_chunk(stream, b"pHYs", struct.pack(">IIB", dots_per_metre, dots_per_metre, 1))
    for keyword, text in texts.items():
        _write_chunk(stream, b"iTXt", _text(keyword, text))
    _write_chunk(stream, b"IDAT", b"".join(_compressed(strips)))
    _write_chunk(stream, b"IEND", b"")


def _write_chunk(stream: BinaryIO, kind: bytes, content: bytes) -> None:
    stream.write(struct.pack(">I", len(content)) + kind)
    stream.write(content)
    stream.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(kind))))


def _text(keyword: str, text: str) -> bytes:
    """Keyword, whether compressed, two empty fields for language and translated keyword, and the text."""
    content = text.encode("utf-8")
    is_compressed = _SHORTEST_COMPRESSED < len(text) < _LONGEST_COMPRESSED
    return (
        keyword.encode("latin-1")
        + bytes((0, is_compressed, 0, 0, 0))
        + (zlib.compress(content) if is_compressed else content)
    )


def _compressed(strips: Iterable[bytes]) -> Iterator[bytes]:
    """All rows as one stream, each after the byte that names its filter: the zero after the row before it."""
    packer = zlib.compressobj(_COMPRESS_LEVEL)
    for strip in strips:
        yield packer.compress(_NO_FILTER)
        yield packer.compress(memoryview(strip)[:-1])
    yield packer.flush()
