"""Every relative link of a document leads to a file that is there, and every anchor to a heading of that file."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")))
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^()\s]+)\)")


def prose(document: str) -> str:
    """The text without its blocks of code, in which a # begins a comment."""
    return FENCE.sub("", (ROOT / document).read_text(encoding="utf-8"))


def links(document: str) -> list[str]:
    """Where its links lead within this project; what stands in inline code is no link."""
    return [target for target in LINK.findall(re.sub(r"`[^`]*`", "code", prose(document))) if not re.match(r"[a-z]+:", target)]


def slug(heading: str) -> str:
    """The anchor that GitHub and GitLab give a heading: its letters, digits, _ and -, in lower case, with - for each blank."""
    shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip())
    return re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")


def anchors(document: str) -> set[str]:
    """The anchors of its headings; of several equal ones the second ends in -1."""
    found: Counter[str] = Counter()
    names = set()
    for heading in re.findall(r"^#{1,6} (.+)$", prose(document), re.MULTILINE):
        name = slug(heading)
        names.add(f"{name}-{found[name]}" if found[name] else name)
        found[name] += 1
    return names


def broken(document: str) -> list[str]:
    """The links of a document that lead nowhere."""
    return [target for target in links(document) if not leads_somewhere(document, target)]


def leads_somewhere(document: str, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = ((ROOT / document).parent / path).resolve() if path else ROOT / document
    if not file.exists() or not file.is_relative_to(ROOT):
        return False
    return not anchor or anchor in anchors(file.relative_to(ROOT).as_posix())


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_relative_link_leads_somewhere(document: str) -> None:
    assert broken(document) == []


def test_the_documents_link_to_each_other() -> None:
    assert {"README.md", "docs/numbers.md", "benchmarks/README.md"} <= set(DOCUMENTS)
    assert sum(len(links(document)) for document in DOCUMENTS) > 30
    assert any("#" in target for document in DOCUMENTS for target in links(document))


@pytest.mark.parametrize("target", ["docs/no-such-file.md", "docs/web.md#no-such-heading", "#no-such-heading", "../elsewhere.md"])
def test_a_link_that_leads_nowhere_is_found(target: str) -> None:
    assert not leads_somewhere("README.md", target)


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [("What's `AB_START`, and when?", "whats-ab_start-and-when"), ("VictoriaMetrics, Mimir", "victoriametrics-mimir"), ("[A link](web.md) – here", "a-link--here")],
)
def test_an_anchor_is_what_the_forges_make_of_a_heading(heading: str, anchor: str) -> None:
    assert slug(heading) == anchor
