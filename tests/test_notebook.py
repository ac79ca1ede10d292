"""The cells of docs/notebook.md, and some more, as a notebook over real sources: what each cell shows, against what the sources hold."""

import json
import re
import struct
from base64 import b64decode
from pathlib import Path

import pytest

from live_dashboards.model.card import MOST_LINES, WIDTH
from tests.support.notebook import outputs_of
from tests.support.waiting import LONGEST_SECONDS
from tests.web.two_tests import ACCURACY, SUCCESSES, VARIANTS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/notebook.md").read_text(encoding="utf-8")
CELLS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
MORE = (
    "import json",
    "print(json.dumps({'rate': rate.iloc[-1].to_dict(), 'zone': str(rate.index.tz), 'index': rate.index.name, 'columns': rate.columns.name, 'rows': len(rate)}))",
    "impact = ab.metrics['business_impact'].to_pandas(); print(json.dumps([[*impact.columns.names], [[*key, value] for key, value in impact.iloc[-1].items()]]))",
    "totals = ab.metrics.totals['requests'].to_pandas(); print(totals[['variant', 'value']].to_json(orient='values'))",
    "print(numbers[numbers['name'] == 'accuracy'][['variant', 'value', 'low', 'high', 'n', 'origin']].to_json(orient='records'))",
    "print(json.dumps([len(numbers), len(ab.summary()['measurements']), list(numbers)]))",
    "print(json.dumps([len(ab.metrics.to_pandas()), sum(len(series.points) for answer in ab.metrics.values() for series in answer.series)]))",
    "print(money.case.net.value == live_dashboards.business(at=ab.report.at, LATENCY_COST_PER_MS='0.0001..0.0002', ERROR_COST_MULTIPLIER=20).case.net.value)",
    "metrics['request_rate']",
    "[metrics.snapshot, ab.report, ab.settings, case]",
    "figure = ab.figure(); figure",
    "%matplotlib inline\nab.figure(dpi=100)",
    "import sys; print(json.dumps([name for name in ('dash', 'plotly', 'matplotlib.pyplot') if name in sys.modules]))",
    "ab.metrics['request_rates']",
    "live_dashboards.ab_test(AB_BASELINE_VARINT='control')",
)


@pytest.fixture(scope="module")
def outputs(two_tests, tmp_path_factory):
    """What each cell shows, by its source."""
    settings = {**two_tests().environment, "AB_EXPERIMENT": "checkout", "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}"}
    return outputs_of((*CELLS, *MORE), tmp_path_factory.mktemp("notebook"), settings)


@pytest.fixture
def shown(outputs):
    """`shown("rate.tail(3)")`: what the cell of that end shows, by the kind of content."""

    def find(end):
        found = [each for source, each in outputs.items() if source.rstrip().endswith(end)]
        assert len(found) == 1, end
        results = [output.data for output in found[0] if output.output_type == "execute_result"]
        return results[0] if results else {}

    return find


@pytest.fixture
def printed(outputs):
    """`printed("import json")`: what the cell of that beginning prints, as JSON."""

    def find(beginning):
        (found,) = (each for source, each in outputs.items() if source.startswith(beginning))
        return json.loads("".join(output.text for output in found if output.output_type == "stream"))

    return find


def png_size(data):
    content = b64decode(data["image/png"])
    assert content.startswith(b"\x89PNG")
    return struct.unpack(">II", content[16:24])


def test_no_cell_fails_but_those_that_are_to(outputs):
    failed = {source: [output.evalue for output in each if output.output_type == "error"] for source, each in outputs.items()}
    assert [source for source, errors in failed.items() if errors] == list(MORE[-2:])


def test_nothing_is_told_on_stderr(outputs):
    assert not [output.text for each in outputs.values() for output in each if output.output_type == "stream" and output.name == "stderr"]


@pytest.mark.parametrize("cell", ["ab = live_dashboards.ab_test()\nab", "\nmoney", "get_ab_test_metrics()\nmetrics"])
def test_a_result_is_a_few_lines_and_the_same_as_html(shown, cell):
    found = shown(cell)
    lines = found["text/plain"].split("\n")
    assert 4 <= len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= WIDTH
    assert len(found["text/html"]) < 4000
    words = re.sub(r"<[^>]*>", " ", found["text/html"]).replace("&gt;", ">").split()
    assert [word for word in found["text/plain"].split() if not word.endswith("…") and word not in words] == []


def test_the_table_holds_the_true_numbers_of_every_variant(shown):
    text = shown("ab = live_dashboards.ab_test()\nab")["text/plain"]
    assert text.startswith("LIVE DATA: real production data")
    rows = {line.split()[0]: re.split(r"\s{2,}", line)[1:] for line in text.split("\n") if line.split()[:1] and line.split()[0] in VARIANTS["checkout"]}
    for variant, successes, accuracy in zip(VARIANTS["checkout"], SUCCESSES["checkout"], ACCURACY["checkout"], strict=True):
        requests, correct, errors, p95 = rows[variant]
        assert int(requests.replace(",", "")) == pytest.approx(1.01 * successes * 86_400, rel=0.001)
        assert correct.startswith(f"{100 * accuracy:.1f} % (")
        assert float(errors.split(" %")[0]) == pytest.approx(100 * 0.01 / 1.01, abs=0.002)
        assert p95.endswith("ms (100 to 500)")


def test_the_document_shows_what_the_first_cell_shows(shown):
    example = re.findall(r"^```\n(LIVE DATA.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)[0]

    def shape(text):
        return re.sub(r"\d[\d.,]*", "0", text).split()

    assert shape(example) == shape(shown("ab = live_dashboards.ab_test()\nab")["text/plain"])


def test_a_frame_of_numbers_is_the_summary_s_measurements(printed, shown):
    rows, expected, columns = printed("print(json.dumps([len(numbers)")
    assert rows == expected > 50
    assert columns == ["name", "variant", "value", "unit", "low", "high", "n", "origin", "source", "query", "observed_at", "reason", "stale"]
    found = {row["variant"]: row for row in printed("print(numbers[numbers['name'] == 'accuracy']")}
    assert {variant: (row["value"], row["n"], row["origin"]) for variant, row in found.items()} == {
        variant: (pytest.approx(100 * accuracy), 5000, "live") for variant, accuracy in zip(VARIANTS["checkout"], ACCURACY["checkout"], strict=True)
    }
    assert all(row["low"] < row["value"] < row["high"] for row in found.values())
    assert "text/html" in shown('"n", "origin"]]')


def test_a_timeline_has_a_column_a_variant_with_the_true_rates(printed):
    found = printed("print(json.dumps({'rate'")
    assert (found["zone"], found["index"], found["columns"]) == ("UTC", "time", "variant")
    assert found["rows"] > 50
    assert list(found["rate"]) == list(VARIANTS["checkout"])
    for variant, successes in zip(VARIANTS["checkout"], SUCCESSES["checkout"], strict=True):
        assert found["rate"][variant] == pytest.approx(1.01 * successes, rel=0.01)


def test_other_labels_are_levels_above_the_variant(printed):
    names, values = printed("impact =")
    assert names == ["metric_type", "variant"]
    assert values == [["net_business_value", variant, 1.5 * index] for index, variant in enumerate(VARIANTS["checkout"])]


def test_totals_are_rows_with_the_true_counts(printed):
    expected = [[variant, pytest.approx(1.01 * successes * 86_400, rel=0.001)] for variant, successes in zip(VARIANTS["checkout"], SUCCESSES["checkout"], strict=True)]
    assert printed("totals =") == expected


def test_all_timelines_are_one_frame_with_every_point(printed):
    rows, points = printed("print(json.dumps([len(ab.metrics.to_pandas())")
    assert rows == points > 100


@pytest.mark.parametrize(
    ("cell", "pixels"),
    [("ab.figure()", (2400, 1500)), ("figure = ab.figure(); figure", (2400, 1500)), ('layout="business", dpi=100)', (1600, 1000))],
)
def test_a_figure_shows_itself_with_exactly_its_pixels(shown, cell, pixels):
    found = shown(cell)
    assert png_size(found) == pixels
    assert len(found["text/plain"]) < 80


def test_a_figure_shows_itself_also_where_the_notebook_draws_pyplots_figures(shown):
    width, height = png_size(shown("ab.figure(dpi=100)"))
    assert 1200 < width <= 1620  # which cuts the page's margin
    assert 700 < height <= 1020


def test_the_money_has_its_words_and_is_that_of_a_new_run(shown, outputs):
    text = shown("\nmoney")["text/plain"]
    assert all(words in text for words in ("recommendation: ", "Net value a year", "ROI", "Payback", "Chance of net > 0"))
    (told,) = (each for source, each in outputs.items() if source.startswith("print(money.case.net.value =="))
    assert told[0].text == "True\n"


def test_the_calculator_takes_what_the_connector_gives(shown):
    value, reason = eval(shown("case.net.value, case.net.reason")["text/plain"])  # noqa: S307 what our own cell shows
    assert value is not None or "not measured" in reason


def test_answers_and_records_are_short(shown):
    assert len(shown("metrics['request_rate']")["text/plain"]) < WIDTH
    assert len(shown("[metrics.snapshot, ab.report, ab.settings, case]")["text/plain"]) < 5 * WIDTH


def test_a_picture_is_saved_where_it_was_asked_for(shown):
    assert shown('ab.save("ab-test.pdf")')["text/plain"] == "PosixPath('ab-test.pdf')"


def test_nothing_of_the_web_page_is_loaded(printed):
    assert not set(printed("import sys; print(json.dumps(")) & {"dash", "plotly"}


@pytest.mark.parametrize(
    ("cell", "words"),
    [("ab.metrics['request_rates']", "there is no query 'request_rates'; the queries are request_rate,"), (MORE[-1], "did you mean AB_BASELINE_VARIANT?")],
)
def test_an_error_is_a_sentence(outputs, cell, words):
    (error,) = (output for output in outputs[cell] if output.output_type == "error")
    assert words in error.evalue
    assert "\n" not in error.evalue
