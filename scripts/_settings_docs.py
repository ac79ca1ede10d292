"""Writes the settings table into .env.live-dashboards.example and README.md.

`.venv/bin/python scripts/_settings_docs.py`
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from live_dashboards.settings_table import Setting, sections  # noqa: E402 - the code beside this script

HEAD = """\
# Settings of the live dashboards. Copy this file to .env.live-dashboards (the set-up does, with mode 0600)
# and take the # off the lines that you fill in. A line that stays commented out means its default. Comments
# stand on lines of their own: docker and systemd would take them for a part of the value.
# The environment goes over this file, and the command line over both.
"""
TABLE = re.compile(r"(?<=<!-- settings -->\n).*?(?=<!-- /settings -->)", re.DOTALL)


def example() -> str:
    """The example file: every setting commented out, by section."""
    return HEAD + "".join(
        f"\n# === {title} ===\n" + "".join(map(_example_lines, rows)) for title, rows in sections()
    )


def table() -> str:
    """The README's table: name, default and meaning of every setting, by section."""
    return (
        "".join(
            f"\n**{title}**\n\n| variable | default | meaning |\n|---|---|---|\n"
            + "".join(map(_table_row, rows))
            for title, rows in sections()
        )
        + "\n"
    )


def readme(text: str) -> str:
    """The README's text with the table of now."""
    return TABLE.sub(lambda _: table(), text)


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
    """Write both files."""
    (ROOT / ".env.live-dashboards.example").write_text(example(), encoding="utf-8")
    path = ROOT / "README.md"
    path.write_text(readme(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
