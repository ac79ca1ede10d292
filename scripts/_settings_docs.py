"""Writes the settings table into .env.live-dashboards.example and docs/settings.md, and the catalogue of
metrics into docs/numbers.md and the summary's JSON Schema; the presets into docs/serving.md.

`.venv/bin/python scripts/_settings_docs.py`
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from live_dashboards.model.metrics import METRICS, Metric  # noqa: E402 - the code beside this script
from live_dashboards.model.serving import ServingMetrics  # noqa: E402
from live_dashboards.outputs.summary import summary_schema  # noqa: E402
from live_dashboards.settings.serving import framework_presets  # noqa: E402
from live_dashboards.settings.table import Setting, sections  # noqa: E402

HEAD = """\
# Settings of the live dashboards. Copy this file to .env.live-dashboards (the set-up does, with mode 0600)
# and take the # off the lines that you fill in. A line that stays commented out means its default. Comments
# stand on lines of their own: docker and systemd would take them for a part of the value.
# The environment goes over this file, and the command line over both.
"""
TABLE = re.compile(r"(?<=<!-- settings -->\n).*?(?=<!-- /settings -->)", re.DOTALL)
METRICS_TABLE = re.compile(r"(?<=<!-- metrics -->\n).*?(?=<!-- /metrics -->)", re.DOTALL)
PRESETS_TABLE = re.compile(r"(?<=<!-- presets -->\n).*?(?=<!-- /presets -->)", re.DOTALL)
SCHEMA = "live_dashboards/outputs/schema/summary.schema.json"


def example() -> str:
    """The example file: every setting commented out, by section."""
    return HEAD + "".join(
        f"\n# === {title} ===\n" + "".join(map(_example_lines, rows)) for title, rows in sections()
    )


def table() -> str:
    """The table of docs/settings.md: name, default and meaning of every setting, by section."""
    return (
        "".join(
            f"\n**{title}**\n\n| variable | default | meaning |\n|---|---|---|\n"
            + "".join(map(_table_row, rows))
            for title, rows in sections()
        )
        + "\n"
    )


def page(text: str) -> str:
    """The text of docs/settings.md with the table of now."""
    return TABLE.sub(lambda _: table(), text)


def metrics_table() -> str:
    """The table of docs/numbers.md: what MLflow's runs log, a row a metric."""
    names = ("metric", "better is", "shown in", "n counts", "MLflow key", "setting for another key")
    return "".join((_row(*names), f"|{'---|' * len(names)}\n", *map(_metric_row, METRICS.values())))


def numbers(text: str) -> str:
    """The text of docs/numbers.md with the metrics of now."""
    return METRICS_TABLE.sub(lambda _: metrics_table(), text)


def presets_table() -> str:
    """The table of docs/serving.md: what each preset of AB_METRICS reads, and what it cannot tell."""
    names = ("preset", "of", "the variant is", "cannot be told", "verified")
    return "".join((_row(*names), f"|{'---|' * len(names)}\n", *map(_preset_row, framework_presets())))


def serving(text: str) -> str:
    """The text of docs/serving.md with the presets of now."""
    return PRESETS_TABLE.sub(lambda _: presets_table(), text)


def schema() -> str:
    """The summary's JSON Schema with the metrics of now."""
    return json.dumps(summary_schema(), indent=2) + "\n"


def _metric_row(metric: Metric) -> str:
    counted = "none, as it is no proportion of rows" if metric.n is None else metric.n.words
    return _row(
        metric.title,
        "more" if metric.is_higher_better else "less",
        metric.unit,
        counted,
        " or ".join(f"`{key}`" for key in metric.keys),
        f"`{metric.setting}`",
    )


def _preset_row(names: ServingMetrics) -> str:
    label = f"`{names.model_label}`" + (", with `AB_MODEL_PATTERN`" if names.needs_pattern else "")
    return _row(
        f"`{names.preset}`",
        f"{names.title} {names.versions}",
        label,
        "; ".join(names.cannot_tell),
        names.verified,
    )


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _example_lines(setting: Setting) -> str:
    default = (
        ""
        if setting.default is None or setting.default == setting.sample
        else f"; default: {setting.default}"
    )
    return f"# {setting.meaning}{default}\n#{setting.name}={setting.sample}\n"


def _table_row(setting: Setting) -> str:
    default = "unset" if setting.default is None else f"`{setting.default}`"
    return f"| `{setting.name}` | {default} | {setting.meaning} |\n"


def main() -> None:
    """Write all of these files."""
    (ROOT / ".env.live-dashboards.example").write_text(example(), encoding="utf-8")
    (ROOT / SCHEMA).write_text(schema(), encoding="utf-8")
    for name, of_now in (
        ("docs/settings.md", page),
        ("docs/numbers.md", numbers),
        ("docs/serving.md", serving),
    ):
        path = ROOT / name
        path.write_text(of_now(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
