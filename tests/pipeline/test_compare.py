"""`--compare`: what changed since an earlier summary, on real servers."""

import json

import jsonschema
import pytest

from live_dashboards.outputs.changes import changes
from live_dashboards.outputs.summary import summary_schema
from tests.pipeline.command import at
from tests.support.business_pages import OWN
from tests.support.ports import closed_port

SMALL = ("--dpi", "50")
AS_IT_IS = "baseline=714,enhanced=303"  # requests of the worlds
EASY = {"AB_LATENCY_OBJECTIVE_MS": "500", "AB_MINIMUM_DAYS": "0"}  # so that only errors keep the challenger of some worlds from shipping


@pytest.fixture
def draw(run, worlds, tmp_path):
    """`draw(world, *options)`: exit code, stderr and the summary last.json."""

    def call(world, *options, dashboard="ab", **values):
        code, _, err = run(dashboard, "--output", "last.png", *SMALL, *at(worlds), *options, AB_EXPERIMENT=world, **values)
        found = json.loads((tmp_path / "last.json").read_text()) if code == 0 else None
        if found is not None:
            jsonschema.validate(found, summary_schema(dashboard))
        return code, err, found

    return call


def rows(found):
    return {(row["what"], row["variant"]): row for row in found["changes"]["rows"]}


def test_without_the_option_there_is_nothing_to_tell(draw):
    assert draw("base")[2]["changes"] is None


def test_the_same_data_have_not_changed(draw):
    draw("base")
    code, err, found = draw("base", "--compare", "last.json")
    assert (code, err) == (0, "")
    assert found["changes"] == {"compared_with": "last.json", "since": found["at"], "rows": [], "reason": None}


def test_more_errors_are_told_and_what_does_not_depend_on_them_is_not(draw):
    draw("base", **EASY)
    _, err, found = draw("more errors", "--compare", "last.json", **EASY)
    told = rows(found)
    assert told["experiment", None]["after"] == "more errors"
    assert (told["verdict", None]["before"], told["verdict", None]["after"]) == ("SHIP", "ROLL BACK")
    assert (told["guardrail error_rate", "enhanced"]["before"], told["guardrail error_rate", "enhanced"]["after"]) == ("shown", "harm")
    assert "outside its interval of then" in told["error_rate", "enhanced"]["words"]
    assert told["error_rate_difference", "enhanced"]["after"] > 0
    assert [what for what, _ in told] == ["verdict", "rule", "experiment", "guardrail error_rate", "error_rate_difference", "error_rate"]
    assert err.splitlines() == [f"WARNING: changed: {row['words']}" for row in told.values()]


def test_a_logged_value_without_an_interval_is_told_where_it_is_another(draw):
    draw("base")
    assert ("precision", "enhanced") in rows(draw("other precision", "--compare", "last.json")[2])


def test_another_challenger_begins_a_new_test(draw):
    draw("base")
    _, err, found = draw("base", "--compare", "last.json", AB_BASELINE_VARIANT="enhanced", AB_CHALLENGER_VARIANT="baseline")
    assert "set AB_START" in rows(found)["challenger", None]["words"]
    assert "changed: challenger: enhanced -> baseline" in err


def test_another_plan_begins_a_new_test(draw):
    draw("base", AB_TRAFFIC_SPLIT=AS_IT_IS)
    found = draw("base", "--compare", "last.json", AB_TRAFFIC_SPLIT="baseline=50,enhanced=50")[2]
    assert rows(found)["traffic split", None]["after"] == "red"
    assert "set AB_START" in rows(found)["planned split", None]["words"]


def test_the_business_page_tells_another_recommendation_and_the_gate_behind_it(draw):
    own = {**OWN, **EASY, "AB_TRAFFIC_SPLIT": AS_IT_IS}
    draw("base", dashboard="business", **own)
    told = rows(draw("more errors", "--compare", "last.json", dashboard="business", **own)[2])
    assert told["recommendation", None]["after"] == "do not deploy"
    assert (told["gate Error rate not worse", None]["before"], told["gate Error rate not worse", None]["after"]) == ("passed", "failed")


def test_the_business_page_tells_what_moved_with_the_accuracy(draw):
    draw("base", dashboard="business")
    found = draw("other accuracy", "--compare", "last.json", dashboard="business")[2]
    assert [what for what, _ in rows(found)] == ["experiment", "annual_revenue_increase", "accuracy_improvement", "accuracy"]


def test_a_first_run_has_nothing_to_compare_with_and_says_so(draw):
    code, err, found = draw("base", "--compare", "never.json")
    assert (code, found["changes"]["rows"]) == (0, [])
    assert "nothing to compare with yet" in err
    assert found["changes"]["reason"] == "there is no earlier summary yet"


def test_cron_may_overwrite_the_summary_that_it_compares_with(draw):
    same_file = ("--summary", "last.json", "--compare", "last.json")
    codes = [draw(world, *same_file)[0] for world in ("base", "more errors")]
    code, err, found = draw("more errors", *same_file)
    assert (codes, code, err, found["changes"]["rows"]) == ([0, 0], 0, "", [])


def test_a_source_that_is_down_is_told_by_its_numbers(draw):
    draw("base")
    _, err, found = draw("base", "--compare", "last.json", PROMETHEUS_URL=f"http://127.0.0.1:{closed_port()}")
    told = rows(found)
    assert told["badge", None]["after"] == "MODEL DATA"
    assert (told["error_rate", "enhanced"]["after"], told["total_requests", None]["after"]) == (None, None)
    assert ("accuracy", "enhanced") not in told
    assert err.count("changed: ") == 9
    assert f"changed: {len(told) - 8} more, in the summary" in err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("{}", "not a summary"),
        ('{"measurements": [], "schema_version": 1, "dashboard": "business"}', "not of ab"),
        ('{"measurements": [{}], "schema_version": 1, "dashboard": "ab"}', "is damaged"),
    ],
)
def test_what_is_no_summary_of_this_dashboard_is_refused_before_anything_is_asked(draw, tmp_path, text, words):
    (tmp_path / "odd.json").write_text(text)
    code, err, _ = draw("base", "--compare", "odd.json")
    assert (code, words in err, "--compare" in err) == (2, True, True)
    assert not (tmp_path / "last.png").exists()


def test_the_picture_does_not_depend_on_it(draw, tmp_path):
    draw("base")
    alone = (tmp_path / "last.png").read_bytes()
    draw("more errors")
    draw("base", "--compare", "last.json")
    assert (tmp_path / "last.png").read_bytes() == alone


def test_a_number_that_went_missing_is_told_with_its_reason(draw):
    _, _, found = draw("base")
    gone = json.loads(json.dumps(found))
    for row in gone["measurements"]:
        if (row["name"], row["variant"]) == ("accuracy", "enhanced"):
            row.update(value=None, interval=None, origin="missing", reason="MLflow: refuses the connection")
    (change,) = [each for each in changes(found, gone) if each.what == "accuracy"]
    assert change.words == "accuracy of enhanced: gone: MLflow: refuses the connection"
    (back,) = [each for each in changes(gone, found) if each.what == "accuracy"]
    assert back.words == "accuracy of enhanced: there again: 81.8 %"
