"""Names that attack SQL, PromQL, figures, tables, terminals and pages are shown as text and change no number: from real sources to all that comes out."""

import csv
import io
import json
import re
import subprocess
import unicodedata
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from PIL import Image
from playwright.sync_api import expect

from live_dashboards.app.cli import main
from live_dashboards.demo.programs import promtool_program
from live_dashboards.outputs.summary import summary_schema
from tests.conftest import MLFLOW_PASSWORD, MLFLOW_ROLE, filled_prometheus
from tests.support import hostile
from tests.support.fault_proxy import FaultProxy
from tests.support.mlflow_database import MlflowDatabase, drop_database
from tests.support.receiver import Receiver
from tests.support.waiting import LONGEST_SECONDS, wait_until
from tests.web.watched import Watched
from tests.web.web_process import WebProcess

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def sources(postgres, mlflow_3_template, tmp_path_factory, end_moment):
    """Settings that name both sources, the experiment and the variants."""
    postgres.create_database("hostile", mlflow_3_template, owner=MLFLOW_ROLE)
    database = MlflowDatabase(postgres, "hostile", MLFLOW_ROLE, MLFLOW_PASSWORD, 3)
    hostile.fill_mlflow(database.truth, end_moment)
    with filled_prometheus(hostile.fill_prometheus(end_moment), tmp_path_factory.mktemp("hostile")) as prometheus, Receiver() as receiver:
        names = {"AB_EXPERIMENT": hostile.EXPERIMENT, "AB_BASELINE_VARIANT": hostile.BASELINE, "AB_CHALLENGER_VARIANT": hostile.CHALLENGER}
        patient = {"SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}"}
        yield {**patient, **database.environment, **prometheus.environment, **names, "AB_WINDOW": "2h", "DASHBOARD_NOTIFY_URL": receiver.url}, receiver, end_moment
    drop_database(postgres, "hostile")


@pytest.fixture(scope="module")
def written(sources, tmp_path_factory):
    """All that the commands write and say, once: the folder, and stdout and stderr by command."""
    settings, _, end = sources
    folder, patch, said = tmp_path_factory.mktemp("written"), pytest.MonkeyPatch(), {}
    for name, value in settings.items():
        patch.setenv(name, value)
    patch.chdir(folder)
    at = ("--at", f"{end:.0f}")
    for name, arguments in {
        "ab": ("ab", "--output", "ab.png", "--sidecars", "--metrics-file", "ab.prom", "--dpi", "100", "-v", *at),
        "business": ("business", "--output", "business.png", "--sidecars", "--dpi", "100", "-v", *at),
        "svg": ("ab", "--output", "ab.svg", "-v", *at),
        "pdf": ("business", "--output", "business.pdf", *at),
        "every": ("all", "--all-experiments", "--dpi", "50", "-v", *at),
        "check": ("check", "-v", *at),
        "explain": ("explain", "accuracy", "--summary", "ab.json"),
        "unknown": ("ab", "--experiment", hostile.BASELINE, *at),
    }.items():
        out, err = io.StringIO(), io.StringIO()
        patch.setattr("sys.stdout", out)
        patch.setattr("sys.stderr", err)
        said[name] = (main(arguments), out.getvalue(), err.getvalue())
    patch.undo()
    return folder, said


def acting(text):
    """The characters in a text that could begin a line, steer a terminal, or turn or hide others."""
    return {letter for letter in text if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"}} - {"\n"}


def document(folder, name):
    return json.loads((folder / name).read_text())


def test_the_numbers_are_those_of_the_truth_and_nothing_was_widened_or_dropped(written):
    folder, said = written
    assert {name: code for name, (code, _, _) in said.items()} == {**dict.fromkeys(said, 0), "unknown": 2}
    summary = document(folder, "ab.json")
    jsonschema.validate(summary, summary_schema())
    assert summary["data_source"] == "REAL_PRODUCTION_DATA"
    assert summary["experiment"] == hostile.EXPERIMENT
    assert (summary["baseline_accuracy"], summary["enhanced_accuracy"]) == (pytest.approx(78.2), pytest.approx(81.8))
    found = {(row["name"], row["variant"]): row["value"] for row in summary["measurements"]}
    assert {variant for name, variant in found if name == "requests"} == {hostile.BASELINE, hostile.CHALLENGER, hostile.ENDLESS}
    for variant in (hostile.BASELINE, hostile.CHALLENGER):
        assert found["requests", variant] == pytest.approx(1.01 * hostile.SUCCESSES[variant] * hostile.WINDOW_SECONDS, abs=2)
    business = document(folder, "business.json")
    assert business["data_source"] == "REAL_PRODUCTION_DATA"
    assert business["annual_revenue_increase"] == pytest.approx(657_000)
    assert business["net_annual_value"] == pytest.approx(657_000, rel=0.1)  # an error more or less in a million is worth that


def test_what_is_logged_and_printed_is_a_line_for_each_thing_and_steers_no_terminal(written, sources, tmp_path, monkeypatch, capsys):
    _, said = written
    assert all(acting(out + err) == set() for _, out, err in said.values())
    assert all(re.fullmatch(r"(?:(?:INFO|WARNING|ERROR): [^\n]+\n)*", err) for _, _, err in said.values())
    assert all(line.startswith(("OK  ", "WARNING ", "SKIPPED ")) for line in said["check"][1].splitlines())
    assert "\\n\\r" in said["explain"][1].splitlines()[0]
    forged = "first\nERROR: forged \x1b[2J\u202e\r" + "e" * 100_000
    for name, value in sources[0].items():
        monkeypatch.setenv(name, value)
    with FaultProxy("127.0.0.1", 1) as proxy:
        proxy.http_reply(422, "application/json", json.dumps({"status": "error", "errorType": "bad_data", "error": forged}))
        monkeypatch.setenv("PROMETHEUS_URL", proxy.url)
        for arguments in (("ab", "--output", str(tmp_path / "x.png"), "--dpi", "50"), ("check",)):
            main([*arguments, "-v"])
    out, err = capsys.readouterr()
    assert "forged" in err
    assert "forged" in out
    assert acting(out + err) == set()
    assert not re.search(r"(?m)^(ERROR: )?forged", out + err)
    assert max(map(len, (out + err).splitlines())) < 5_000


def test_tables_hold_no_formula_and_the_text_beside_them_no_markup(written):
    folder, _ = written
    for name in ("ab", "business"):
        text = (folder / f"{name}.csv").read_text()
        assert acting(text) == set()
        rows = list(csv.reader(io.StringIO(text)))
        numbers = {rows[0].index(column) for column in ("value", "low", "high", "n")}
        assert [cell for row in rows for column, cell in enumerate(row) if column not in numbers and cell.startswith(("=", "+", "-", "@", "\t"))] == []
        markdown = (folder / f"{name}.md").read_text()
        assert acting(markdown) == set()
        assert re.search(r"<(?!/?$)\w|<!|(?<!\\)\]\(|(?<!\\)`", markdown) is None
        assert "&lt;script&gt;alert(1)" in markdown
        headings = [line for line in markdown.splitlines() if line.startswith("#")]
        assert len(headings) == 1
    assert any(cell.startswith("'=cmd") for row in csv.reader(io.StringIO((folder / "ab.csv").read_text())) for cell in row)


def test_images_are_whole_and_their_text_is_text(written):
    folder, _ = written
    with Image.open(folder / "ab.png") as picture:
        picture.load()
        assert (picture.size, acting(picture.info["Description"])) == ((1600, 1000), set())
    tags = {element.tag.rpartition("}")[2] for element in ET.parse(folder / "ab.svg").iter()}  # noqa: S314 our own file
    assert not tags & {"script", "image", "img", "foreignObject", "a"}
    assert (folder / "business.pdf").read_bytes().startswith(b"%PDF")


def test_files_have_harmless_names_and_the_metrics_are_valid(written):
    folder, _ = written
    made = [path.name for path in (folder / "output").iterdir()]
    assert len(made) == 4
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,160}", name) for name in made)
    subprocess.run([promtool_program(), "check", "metrics"], input=(folder / "ab.prom").read_bytes(), check=True)


def test_the_notification_is_short_text_that_mentions_nobody(sources, written):
    assert written
    for text in sources[1].texts:
        assert acting(text) == set()
        assert "<" not in text
        assert len(text) < 1_500


def test_the_page_shows_them_as_text_runs_nothing_and_stays_within_its_width(sources, new_page, tmp_path_factory):
    with WebProcess(tmp_path_factory.mktemp("page"), **{**sources[0], "DASHBOARD_NOTIFY_URL": ""}) as process:
        page = new_page(viewport={"width": 1440, "height": 900})
        watched, dialogs = Watched(page, process.port), []
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.goto(f"http://127.0.0.1:{process.port}/")
        expect(page.locator("#badge")).to_contain_text("LIVE DATA")
        expect(page.locator("#experiment-title")).to_contain_text("<script>alert(1)</script>")
        expect(page.locator(".js-plotly-plot").first).to_be_visible()
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            wait_until(lambda: page.evaluate(OVERFLOW) <= 0, "the charts to follow the width")
        page.get_by_role("button", name="Where numbers come from").click()
        assert page.evaluate("[...document.querySelectorAll('script')].filter(each => each.textContent.includes('alert')).length") == 0
        assert page.locator("img[src='x'], [onerror]").count() == 0
        for place in ("body", "#drawer", "#choose-experiment", "#choose-challenger"):
            shown = page.locator(place).inner_text()
            assert acting(shown) - {"\t"} == set()
            assert "drop table runs" in shown
        page.close()
    assert (dialogs, watched.said, watched.foreign) == ([], [], [])
    assert acting(process.said) == set()
