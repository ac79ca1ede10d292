"""What every case looks like, as digests: pictures (in pixels and as drawing instructions), charts of the web page, and the table of drawn values.

`.venv-dev/bin/python -m tests.figures.as_before` writes them anew; what changed is reviewed in the commit that does so.
"""

import hashlib
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from live_dashboards.draw.png.dashboard import _create_dashboard_panels
from live_dashboards.outputs.sidecars import drawn_values
from tests.figures.cases import CASES
from tests.support.business_pages import CASES as BUSINESS_CASES
from tests.web.charts.drawn import figures

STORE = Path(__file__).with_suffix(".json")
SIZES = {"large": (16.0, 10.0), "small": (12.0, 6.75)}
DPI = 80
EVERY_CASE = [*(("ab", name) for name in CASES), *(("business", name) for name in BUSINESS_CASES)]


def stored() -> dict[str, dict[str, str]]:
    return json.loads(STORE.read_text())


def report_of(page: str, case: str) -> Any:
    return CASES[case]() if page == "ab" else BUSINESS_CASES[case]()


def pictures(page: str, case: str) -> dict[str, Figure]:
    return {size: _create_dashboard_panels(report_of(page, case), size_inches=inches, dpi=DPI) for size, inches in SIZES.items()}


def pixels(figure: Figure) -> str:
    figure.canvas.draw()
    return digest(bytes(figure.canvas.buffer_rgba()))


def instructions(figure: Figure) -> str:
    """Every path, colour and word in whatever order, placed to a tenth of a point: the same where a processor rounds the last digit of a float otherwise."""
    file = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "as before", "svg.fonttype": "none", "path.snap": False}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    text = re.sub(r'( id="[^"]*"|#[A-Za-z]*[0-9a-f]{10})', "", file.getvalue())
    rounded = re.sub(r"-?\d+\.\d+", lambda found: f"{float(found.group()) + 0.0137:.1f}", text)
    return digest("\n".join(sorted(rounded.splitlines())).encode())


def charts(page: str, case: str) -> dict[str, str]:
    return {name: digest(json.dumps(rounded(drawn), sort_keys=True).encode()) for name, drawn in figures(page, case).items()}


def values(page: str, case: str) -> str:
    return digest(json.dumps(rounded([list(value) for value in drawn_values(report_of(page, case))])).encode())


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def everything(page: str, case: str) -> dict[str, str]:
    drawn = pictures(page, case)
    return {
        **{f"pixels, {size}": pixels(figure) for size, figure in drawn.items()},
        **{f"instructions, {size}": instructions(figure) for size, figure in drawn.items()},
        **{f"chart {name}": each for name, each in charts(page, case).items()},
        "values": values(page, case),
    }


if __name__ == "__main__":
    found = {f"{page}: {case}": everything(page, case) for page, case in EVERY_CASE}
    before = stored() if STORE.exists() else {}
    for case, parts in found.items() if before else ():
        changed = [name for name in sorted({*parts, *before.get(case, {})}) if parts.get(name) != before.get(case, {}).get(name)]
        if changed:
            sys.stderr.write(f"{case}: {', '.join(changed)}\n")
    STORE.write_text(json.dumps(found, indent=1) + "\n")
