"""CONTRIBUTING.md says what is there: the folders of the package, and the files that it names."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_its_table_of_folders_is_the_package_s() -> None:
    named = re.findall(r"^\| `(\w+)/` \|", TEXT, re.MULTILINE)
    there = sorted(path.name for path in (ROOT / "live_dashboards").iterdir() if (path / "__init__.py").exists())
    assert sorted(named) == there


def test_the_files_that_it_names_are_there() -> None:
    named = set(re.findall(r"(?<![\w./-])(?:\./)?((?:tests|benchmarks|deploy|docs|scripts|live_dashboards|\.ci)/[\w./-]*\w)", TEXT))
    assert len(named) > 10
    assert sorted(name for name in named if not (ROOT / name).exists()) == []
