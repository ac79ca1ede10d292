"""The example file, the documents and the dependency lists say what the code says."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest

from live_dashboards.app.options import parser
from live_dashboards.model.metrics import METRICS
from live_dashboards.settings import load_settings
from live_dashboards.settings.serving import presets
from live_dashboards.settings.table import all_settings

ROOT = Path(__file__).resolve().parent.parent
DOCS = runpy.run_path(str(ROOT / "scripts" / "_settings_docs.py"))
EXAMPLE = (ROOT / ".env.live-dashboards.example").read_text(encoding="utf-8")


def requirements(name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.lstrip().startswith(("#", "--"))]


def test_the_example_file_is_the_table() -> None:
    assert DOCS["example"]() == EXAMPLE, "run scripts/_settings_docs.py"


def test_the_settings_page_holds_the_table() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert all(f"| `{setting.name}` |" in text for setting in all_settings())
    assert DOCS["page"](text) == text, "run scripts/_settings_docs.py"


def test_the_docs_hold_the_catalogue_of_metrics() -> None:
    text = (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8")
    assert all(f"| `{metric.setting}` |" in text for metric in METRICS.values())
    assert DOCS["numbers"](text) == text, "run scripts/_settings_docs.py"


def test_the_docs_hold_the_presets() -> None:
    text = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in text for name in presets() if name != "ab_test")
    assert DOCS["serving"](text) == text, "run scripts/_settings_docs.py"


def test_the_preset_of_ones_own_in_the_docs_is_one(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    path = tmp_path / "ours.toml"
    path.write_text(text.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    names = load_settings(environment={"AB_METRICS": str(path)}).serving
    assert (names.title, str(names.requests), names.model_label) == ("our gateway", "gateway_requests_total", "upstream")


def test_the_schema_holds_the_catalogue_of_metrics() -> None:
    assert (ROOT / DOCS["SCHEMA"]).read_text(encoding="utf-8") == DOCS["schema"](), "run scripts/_settings_docs.py"


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit, match="0"):
        parser().parse_args([command, "--help"])
    return capsys.readouterr().out


@pytest.mark.parametrize("command", ["ab", "plan"])
def test_the_page_on_the_command_line_names_every_option(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    options = set(re.findall(r"--[a-z][a-z-]+", help_of(command, capsys))) - {"--help"}
    assert len(options) > 10
    assert [option for option in sorted(options) if f"`{option}" not in page and f"{option}`" not in page] == []


@pytest.mark.parametrize("command", ["ab", "check", "demo", "explain", "plan", "rules"])
def test_help_names_no_setting_that_is_not_in_the_table(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    named = set(re.findall(r"\b(?:AB|MLFLOW|PROMETHEUS|DASHBOARD)_[A-Z0-9_]+", help_of(command, capsys)))
    assert named <= {name for setting in all_settings() for name in (setting.name, f"{setting.name}_FILE")}


def test_help_of_the_picture_lists_every_setting_with_its_default_and_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of("ab", capsys)
    missing = [setting.name for setting in all_settings() if f"  {setting.name}={setting.default or ''}\n      {setting.meaning}" not in text]
    assert missing == []


def test_a_fresh_copy_of_the_example_configures_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env.live-dashboards").write_text(EXAMPLE)
    assert load_settings(environment={}, base_folder=tmp_path).given == frozenset()


def test_the_example_with_every_value_taken_in_can_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / ".env.live-dashboards").write_text(re.sub(r"(?m)^#(?=[A-Z0-9_]+=)", "", EXAMPLE))
    settings = load_settings(environment={}, base_folder=tmp_path)
    assert caplog.messages == ["MLFLOW_DB_PASSWORD is a placeholder of the documentation; set the real one"]
    assert settings.given == {setting.name for setting in all_settings() if setting.sample}


def test_the_example_has_no_comment_behind_a_value() -> None:
    values = [line for line in EXAMPLE.splitlines() if re.match(r"#[A-Z0-9_]+=", line)]
    assert len(values) == len(all_settings())
    assert not any("#" in line[1:] or line != line.rstrip() for line in values)


def test_requirements_txt_names_what_pyproject_depends_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert requirements("requirements.txt") == [*project["dependencies"], *extras["web"], *extras["redis"]]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_every_dependency_with_a_hash_and_names_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    pins = re.split(r"\n(?=[a-z])", re.sub(r"(?m)^ *#.*\n", "", text))
    assert all(re.match(r"[a-z0-9-]+==\S+ ", pin) and "--hash=sha256:" in pin for pin in pins)
    direct = {re.split(r"[<>=]", line)[0] for line in requirements("requirements.txt")}
    assert direct <= {pin.split("==")[0] for pin in pins}
    assert not re.search(r"://|--index|--find-links", text)


def test_both_environments_run_the_same_versions() -> None:
    product, tests = (set(requirements(lock)) for lock in ("requirements.lock", "requirements-dev.lock"))
    assert product <= tests
    assert not any(line.startswith(("scipy==", "statsmodels==", "mlflow==")) for line in product)
