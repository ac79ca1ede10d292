"""What the access rules import, and what they cost who does not need them."""

from __future__ import annotations

from tests.test_imports import MODULES, SHARED, importers, loaded, parts

OURS = [name for name in MODULES if name.startswith("live_dashboards.web.access")]


def test_the_access_rules_import_what_all_share_and_themselves() -> None:
    assert len(OURS) > 5
    assert {module: parts(module) - SHARED - {"web"} for module in OURS if parts(module) - SHARED - {"web"}} == {}


def test_only_the_web_page_speaks_flask() -> None:
    assert {module for module in importers("flask", "werkzeug", "itsdangerous", "dash") if not module.startswith("live_dashboards.web")} == set()


def test_help_loads_no_web_framework() -> None:
    quiet = "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):"
    found = loaded(f"import contextlib, io\nfrom live_dashboards.app.cli import main\n{quiet}\n    main(['hash-password', '--help'])")
    assert "live_dashboards" in found
    assert not found & {"flask", "werkzeug", "dash", "waitress"}


def test_hashing_a_password_loads_neither_flask_nor_dash() -> None:
    assert not loaded("import live_dashboards.web.access.passwords") & {"flask", "dash", "waitress"}
