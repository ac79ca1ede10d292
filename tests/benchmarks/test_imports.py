"""The benchmarks run too rarely for anybody to notice that what they use has gone."""

import ast
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name

import pytest

OURS = ("live_dashboards", "benchmarks", "tests")
PARTS = sorted((Path(__file__).parents[2] / "benchmarks").glob("*.py"))


def is_there(module, name):
    try:
        resolve_name(f"{module}:{name}")
    except AttributeError:
        return find_spec(f"{module}.{name}") is not None
    return True


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.stem)
def test_what_a_benchmark_takes_from_our_own_code_is_there(path):
    taken = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom) and node.module.startswith(OURS))
    assert [f"{node.module}.{alias.name}" for node in taken for alias in node.names if not is_there(node.module, alias.name)] == []
