"""Marked secrets for every secret setting, and a search that finds them again in whatever form something came out."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Mapping
from urllib.parse import quote

from PIL import Image

from live_dashboards.settings.table import all_settings

SECRET_NAMES = tuple(setting.name for setting in all_settings() if setting.secret)
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)


def marks(name: str) -> tuple[str, str]:
    """Two words that stand nowhere else: every piece of a secret is one, however it is cut or quoted, as they are letters and digits alone."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"Zq{digest[:12]}xK", f"Wv{digest[12:24]}jH"


def secret(name: str) -> str:
    """A password of both words, with every character between them at which a program cuts one."""
    first, second = marks(name)
    return f"{first}@:/%#? '{second}"


def quoted(name: str) -> str:
    """The same as it stands in a URL."""
    return quote(secret(name), safe="")


class Search:
    """Looks for marks in what came out; `words` maps the name of a setting to what must not be seen of it."""

    def __init__(self, words: Mapping[str, tuple[str, ...]]) -> None:
        self._needles = {needle: name for name, texts in words.items() for text in texts for needle in _forms(text)}
        self._pattern = re.compile(b"|".join(re.escape(needle) for needle in sorted(self._needles, key=len, reverse=True)))

    def found(self, content: bytes) -> set[str]:
        """The settings of which something shows, also in compressed parts."""
        return {self._needles[found] for part in unpacked(content) for found in self._pattern.findall(part)}


def unpacked(content: bytes) -> list[bytes]:
    """The content, and what is compressed in it: gzip, texts of a PNG, streams of a PDF."""
    parts = [content]
    if content.startswith(b"\x1f\x8b"):
        parts += unpacked(gzip.decompress(content))
    elif content.startswith(b"\x89PNG"):
        with Image.open(io.BytesIO(content)) as picture:
            parts += [f"{keyword}={text}".encode() for keyword, text in picture.info.items()]
    elif content.startswith(b"%PDF"):
        parts += [zlib.decompressobj().decompress(stream) for stream in _STREAM.findall(content) if stream[:1] == b"\x78"]
    return parts


def _forms(text: str) -> set[bytes]:
    """The text plain, in hexadecimal digits, and in base64 wherever it begins within a longer text (as `user:password` has it)."""
    plain = text.encode()
    return {plain, plain.hex().encode(), *(_inner_base64(plain, before) for before in range(3))}


def _inner_base64(plain: bytes, before: int) -> bytes:
    """The letters of base64 that the text alone decides, where so many bytes modulo 3 stand before it."""
    encoded = base64.b64encode(b"\0" * before + plain).rstrip(b"=")
    begin, end = -(-before * 8 // 6), (before + len(plain)) * 8 // 6
    return encoded[begin:end]
