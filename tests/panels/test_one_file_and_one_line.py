"""A panel that is added by one file and one line stands in the picture, on the web page, in the table and in the alt text."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = '''"""How many days the test has run."""

from live_dashboards.model.chart import Guide, Mark, Row, Rows, Said, Scale, Sentences, Words, drawn_value
from live_dashboards.model.measurement import Measurement, Origin
from live_dashboards.model.presentation import INK, VariantStyle
from live_dashboards.model.report import Head

DAYS = Measurement("days_of_the_test", 12.5, "days", Origin.LIVE, n=3)


def head(report):
    return Head("Twelve days and a half", "days since the start", Origin.LIVE, note="as told by a toy")


def charts(report):
    dot = Mark("dot", INK, DAYS.value, style=VariantStyle(INK, INK, "D", ()), said=(Said("days of the test", "title"),))
    row = Row("toy row", (dot,), (Words("12.5 days"),))
    said = Sentences(("a sentence of the toy",))
    return said, Rows((row,), Scale("days", around=(0.0,)), "toy days", guides=(Guide(0.0),), table=(drawn_value("toy", "days", "now", DAYS),))
'''
LINE = '    Panel("toy", toy.charts, words=toy.head),\n'
WEB = """
import json
from live_dashboards.app.serving import summary
from live_dashboards.settings import load_settings
from live_dashboards.web.document import DocumentMaker
from live_dashboards.web.app import layout
from tests.support.snapshots import live, settings
from live_dashboards.analysis.verdict.report import build_ab_report
from tests.support import business_pages
document = DocumentMaker(settings(), summary)(live(), build_ab_report(live(), None, settings()), business_pages.page(), ())
skeleton = {component.id for component in layout(30.0, has_login=False)._traverse() if getattr(component, "id", None)}
props = document["props"]
places = sorted(each for each in skeleton if str(each).startswith("toy"))
print(json.dumps([props["toy-chart"]["figure"], str(props["toy-head"]["children"]), str(props["toy-words"]["children"]), places]))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The package with the file and the line."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "live_dashboards", root / "live_dashboards")
    shutil.copytree(ROOT / "tests", root / "tests")
    (root / "live_dashboards/panels/toy.py").write_text(FILE)
    page = root / "live_dashboards/panels/ab.py"
    text = page.read_text()
    text = text.replace("import effect, errors,", "import toy, effect, errors,")
    page.write_text(text.replace('    Panel("latency"', f'{LINE}    Panel("latency"'))
    assert page.read_text().count("toy") == 4
    return root


def run(copy, *arguments):
    environment = {"PATH": os.environ["PATH"], "HOME": str(copy), "PYTHONPATH": str(copy)}
    done = subprocess.run([ROOT / ".venv/bin/python", *arguments], cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_in_the_picture_its_table_and_its_words(copy):
    run(copy, "-m", "live_dashboards", "ab", "--simulate", "--output", "toy.svg", "--sidecars", "--size", "16x12.5")
    picture = (copy / "toy.svg").read_text()
    for words in ("Twelve days and a half", "days since the start", "toy row", "12.5 days", "as told by a toy", "a sentence of the toy"):
        assert f"<!-- {words} -->" in picture
    assert "toy,days,,now,12.5,,,days,live,3" in (copy / "toy.csv").read_text()
    assert "Twelve days and a half" in (copy / "toy.md").read_text()


def test_on_the_web_page(copy):
    figure, head, words, places = json.loads(run(copy, "-c", WEB))
    assert [trace["x"] for trace in figure["data"]] == [[12.5]]
    assert figure["data"][0]["customdata"] == ["<b>days of the test</b>"]
    assert figure["layout"]["xaxis"]["title"]["text"] == "toy days"
    assert "Twelve days and a half" in head
    assert "a sentence of the toy" in words
    assert places == ["toy-chart", "toy-figure", "toy-head", "toy-note", "toy-panel", "toy-reason", "toy-title", "toy-words"]
