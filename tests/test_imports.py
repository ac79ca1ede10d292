"""The shape of the package: which folder may import which, who reads the environment, and what starting costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "live_dashboards"
SHARED = {"model", "panels", "errors", "settings", "__version__"}  # the renderers and the table draw what panels say
STAGES = ("sources", "analysis", "draw", "outputs", "web", "demo")
ALLOWED = {"web": {"draw"}}  # its renderer
WEB_ONLY = {"dash", "flask", "plotly", "waitress", "werkzeug", "prometheus_client", "redis"}
HEAVY = {"matplotlib", "seaborn", "pandas", "numpy", "psycopg2", "requests", "PIL"} | WEB_ONLY
TEST_ONLY = {"scipy", "statsmodels", "mlflow", "pytest", "hypothesis", "jsonschema", "tests"}
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(module: str, *, at_start: bool = False) -> set[str]:
    """Full names of what a module imports; `at_start` leaves out what functions import later and what is for type checkers."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in tree.body if at_start else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def parts(module: str) -> set[str]:
    """Which parts of our own package a module imports: `model`, `sources`, `settings`, ..."""
    return {name.split(".")[1] for name in imports(module) if name.startswith("live_dashboards.")}


def folder(module: str) -> str:
    return module.split(".")[1] if module.count(".") else ""


def test_there_is_something_to_look_at() -> None:
    assert set(STAGES) <= {folder(module) for module in MODULES}
    assert parts("live_dashboards.app.pipeline") | parts("live_dashboards.app.writing") > {"model", "sources", "analysis", "draw", "outputs"}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_the_model_and_never_another_stage(stage: str) -> None:
    strangers = {module: parts(module) - SHARED - {stage} - ALLOWED.get(stage, set()) for module in MODULES if folder(module) == stage}
    assert not {module: names for module, names in strangers.items() if names}


@pytest.mark.parametrize(("those", "never"), [("draw.png", "draw.web"), ("draw.web", "draw.png"), ("web", "draw.png")])
def test_a_renderer_knows_nothing_of_the_other_one(those: str, never: str) -> None:
    mine = [module for module in MODULES if module.startswith(f"live_dashboards.{those}.")]
    assert len(mine) > 5
    assert not [module for module in mine if any(name.startswith(f"live_dashboards.{never}") for name in imports(module))]


def test_the_model_imports_the_standard_library_only() -> None:
    for module in (name for name in MODULES if folder(name) == "model"):
        foreign = {name.split(".")[0] for name in imports(module)} - set(sys.stdlib_module_names) - {"live_dashboards"}
        assert (foreign, parts(module) - {"model", "errors"}) == (set(), set()), module


def test_a_panel_knows_the_model_only() -> None:
    strangers = {module: parts(module) - {"model", "panels"} for module in MODULES if folder(module) == "panels"}
    assert len(strangers) > 10
    assert not {module: names for module, names in strangers.items() if names}


@pytest.mark.parametrize("stage", ["sources", "demo"])
def test_what_asks_knows_no_panel(stage: str) -> None:
    assert not [module for module in MODULES if folder(module) == stage and "panels" in parts(module)]


@pytest.mark.parametrize("module", ["errors", "settings", "settings.digest", "settings.secrets", "settings.table", "settings.values"])
def test_what_all_share_imports_no_stage(module: str) -> None:
    assert not parts(f"live_dashboards.{module}") & set(STAGES)


def test_only_the_settings_read_the_environment() -> None:
    readers = {module for module, path in MODULES.items() if {"environ", "environb", "getenv"} & words(path)}
    assert readers == {"live_dashboards.settings"}


def words(path: Path) -> set[str]:
    """Attributes and imported names in a file."""
    tree = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    attributes = {node.attr for node in tree if isinstance(node, ast.Attribute)}
    return attributes | {alias.name for node in tree if isinstance(node, ast.ImportFrom) for alias in node.names}


def importers(*libraries: str) -> set[str]:
    """Modules that import one of these libraries, at start or later."""
    return {module for module in MODULES if {name.split(".")[0] for name in imports(module)} & set(libraries)}


def test_nothing_imports_pyplot() -> None:
    assert not {module for module in MODULES if any("pyplot" in name for name in imports(module))}


def test_nothing_imports_what_is_only_for_tests() -> None:
    assert not importers(*TEST_ONLY)


def test_only_the_web_page_uses_the_web_s_libraries() -> None:
    assert {folder(module) for module in importers(*WEB_ONLY)} == {"web"}


def test_only_the_serving_and_the_command_line_join_the_web_page_with_other_stages() -> None:
    joining = {module for module in MODULES if "web" in parts(module) and folder(module) != "web"}
    assert joining == {"live_dashboards.app.serving", "live_dashboards.app.cli"}


def test_what_a_notebook_holds_joins_the_stages_and_none_of_them_knows_it() -> None:
    assert {"sources", "analysis", "draw", "outputs"} < parts("live_dashboards.api")
    assert {module for module in MODULES if "api" in parts(module)} == {"live_dashboards"}


def test_only_sources_and_the_demo_speak_sql_or_http() -> None:
    assert {folder(module) for module in importers("psycopg2", "requests")} == {"sources", "demo"}


def test_only_sources_and_the_webhook_speak_http_in_its_own_words() -> None:
    assert {module for module in importers("urllib3") if folder(module) != "sources"} == {"live_dashboards.outputs.webhook"}


def test_only_the_renderer_of_pictures_and_the_image_file_draw() -> None:
    drawing = importers("matplotlib", "seaborn", "PIL")
    assert {module for module in drawing if not module.startswith("live_dashboards.draw.png.")} == {"live_dashboards.outputs.image"}


@pytest.mark.parametrize("at_start", [True, False])
def test_no_module_imports_itself_in_a_circle(*, at_start: bool) -> None:
    """Not at start, and not by what a function imports when it is called; the package itself only names what others hold."""
    within = set(MODULES) - {"live_dashboards"}
    graph = {module: {name for name in imports(module, at_start=at_start) if name in within and name != module} for module in within}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def loaded(code: str) -> set[str]:
    """Top-level names of the modules that a fresh Python holds after running the code."""
    report = "\nimport sys; print('\\n'.join({name.split('.')[0] for name in sys.modules}))"
    ended = subprocess.run([sys.executable, "-c", code + report], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(ended.stdout.split())


LIGHT = ["live_dashboards", "live_dashboards.app.cli", "live_dashboards.api", *(name for name in MODULES if folder(name) in {"model", "settings", "errors"})]


def test_command_line_settings_and_model_load_nothing_heavy() -> None:
    found = loaded("import " + ", ".join(LIGHT))
    assert "live_dashboards" in found
    assert not found & HEAVY


@pytest.mark.parametrize("command", ["ab", "web"])
def test_help_loads_nothing_heavy(command: str) -> None:
    quiet = "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):"
    code = f"import contextlib, io\nfrom live_dashboards.app.cli import main\n{quiet}\n    main([{command!r}, '--help'])"
    assert not loaded(code) & HEAVY


def test_drawing_a_picture_from_cron_loads_nothing_of_the_web_page(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    options = ["ab", "--simulate", "--quiet", "--dpi", "50", "--output", str(path)]
    code = f"from live_dashboards.app.cli import main\nmain({options})"
    found = loaded(code)
    assert path.exists()
    assert "matplotlib" in found
    assert not found & WEB_ONLY


ONLY_OF_BUSINESS = (
    "analysis.business.report",
    "panels.money",
    "panels.performance",
    "png.business_page",
    "panels.business",
    "panels.net",
)  # the answer of either page knows the money


@pytest.mark.parametrize(("command", "unused"), [("ab", ONLY_OF_BUSINESS), ("business", ("png.ab_page", "panels.ab", "panels.effect"))])
def test_a_picture_loads_nothing_that_only_the_other_dashboard_needs(tmp_path: Path, command: str, unused: tuple[str, ...]) -> None:
    options = [command, "--simulate", "--quiet", "--dpi", "50", "--output", str(tmp_path / "one.png")]
    report = f"print([name for name in sys.modules if name.startswith('live_dashboards.') and any(part in name for part in {unused!r})])"
    code = f"import sys\nfrom live_dashboards.app.cli import main\nmain({options})\n{report}"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_a_picture_from_cron_is_drawn_without_looking_through_all_that_is_loaded_for_garbage(tmp_path: Path) -> None:
    options = ["ab", "--simulate", "--quiet", "--dpi", "50", "--output", str(tmp_path / "one.png")]
    full = 'gc.get_stats()[2]["collections"]'
    code = f"import gc\nfrom live_dashboards.app.cli import main\nbefore = {full}\nmain({options})\nprint({full} - before, gc.isenabled())"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "0 True"


def test_the_web_page_loads_no_drawing() -> None:
    found = loaded("import live_dashboards.web.app, live_dashboards.web.server, live_dashboards.app.serving")
    assert "dash" in found
    assert not found & {"matplotlib", "seaborn", "pandas"}  # Plotly loads PIL, for images in figures


def test_asking_loads_no_drawing() -> None:
    assert not loaded("import live_dashboards.sources.connector") & {"matplotlib", "seaborn", "pandas", "PIL"}


def test_writing_a_picture_loads_neither_pyplot_nor_pandas() -> None:
    code = "import live_dashboards.outputs.image, sys; assert 'matplotlib.pyplot' not in sys.modules"
    found = loaded(code)
    assert "matplotlib" in found
    assert not found & {"pandas", "seaborn", "scipy"}


def test_the_products_environment_holds_no_oracle() -> None:
    """Seaborn imports scipy wherever it is installed, which would cost every cron run seconds."""
    code = "import importlib.util as found; print([name for name in ('scipy', 'statsmodels') if found.find_spec(name)])"
    answer = subprocess.run([ROOT / ".venv/bin/python", "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"


def test_a_public_class_has_a_name_of_its_own() -> None:
    """But for the dots, which both renderers make of the same mark."""
    homes: dict[str, list[str]] = {}
    for module, path in MODULES.items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(module)
    assert {name for name, modules in homes.items() if len(modules) > 1} == {"Dot"}
