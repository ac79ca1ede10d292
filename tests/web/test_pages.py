"""A page is a function of snapshot, view and settings, kept as the bytes that a browser is sent."""

import gzip
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from live_dashboards.errors import UsageError
from live_dashboards.model.report import BadgeKind
from live_dashboards.model.snapshot import SourceState
from live_dashboards.outputs.summary import summary_text
from live_dashboards.web.view import View
from tests.support.snapshots import live, with_values, without_mlflow, without_prometheus
from tests.web.replaying import document_of, page_maker, settings, without_both

BOTH = live()
SILENT = replace(without_both(BOTH), at=BOTH.at + timedelta(hours=1))


def test_the_same_snapshot_gives_the_same_bytes_and_the_same_etag():
    pages = [page_maker().make(View(), live()) for _ in range(2)]
    assert (pages[0].body, pages[0].etag) == (pages[1].body, pages[1].etag)
    assert pages[0].body


def test_a_changed_number_changes_bytes_and_etag():
    first, second = (page_maker().make(View(), snapshot) for snapshot in (BOTH, with_values(BOTH, "enhanced", "accuracy", value=0.9)))
    assert first.etag != second.etag
    assert document_of(first) != document_of(second)


def test_the_body_is_the_compressed_document_and_the_etag_a_quoted_word():
    page = page_maker().make(View(), BOTH)
    assert gzip.decompress(page.body).startswith(b"{")
    assert page.etag.strip('"').isalnum()
    assert page.etag == f'"{page.etag.strip(chr(34))}"'


def test_the_page_holds_the_reports_that_the_scripts_draw():
    page = page_maker().make(View(), BOTH)
    assert (page.ab.badge.kind, page.ab.experiment, page.business.badge.kind) == (BadgeKind.LIVE, "fraud", BadgeKind.LIVE)
    assert document_of(page)["title"] == f"LIVE DATA · fraud · {page.ab.verdict.verdict}"


def test_the_answer_is_the_same_on_both_pages_the_web_and_in_the_json():
    page = page_maker().make(View(), BOTH)
    answer = page.ab.answer
    assert page.business.answer == answer
    summaries = [json.loads(summary_text(each))["answer"] for each in (page.ab, page.business)]
    assert summaries == [{"verdict": answer.verdict, "sentence": answer.sentence, "do_now": answer.do_now}] * 2
    shown = json.dumps(document_of(page), ensure_ascii=False)
    assert all(words in shown for words in (answer.verdict, answer.sentence, answer.do_now))


@pytest.mark.parametrize("view", [View(challenger="nobody"), View(baseline="nobody")])
def test_an_unknown_variant_is_refused_with_the_known_names(view):
    page = page_maker().make(view, BOTH)
    assert page.refused == "there is no variant 'nobody' in this experiment; its variants are baseline, enhanced"
    assert (page.ab, page.body) == (None, b"")


def test_a_view_of_other_variants_is_made_of_the_same_snapshot():
    page = page_maker().make(View(baseline="enhanced", challenger="baseline"), BOTH)
    assert (page.ab.baseline, page.ab.challenger) == ("enhanced", "baseline")
    assert (page.business.baseline, page.business.challenger) == ("enhanced", "baseline")


@pytest.mark.parametrize("change", [without_mlflow, without_prometheus])
def test_names_that_one_source_knows_can_be_chosen(change):
    assert not page_maker().make(View(challenger="enhanced"), change(BOTH)).refused


def test_what_the_analysis_refuses_is_told_and_not_shown():
    def refuse(*_):
        raise UsageError("AB_X cannot be used")

    assert page_maker(reports=refuse).make(View(), BOTH).refused == "AB_X cannot be used"


def test_a_page_without_any_answer_keeps_the_names_of_the_last_one():
    maker = page_maker(settings(AB_BASELINE_VARIANT="old"))
    maker.make(View(), live(baseline="old", challenger="new"))
    page = maker.make(View(), failed_long_ago())
    assert (page.ab.experiment, page.ab.baseline, page.ab.challenger) == ("fraud", "old", "new")
    assert page.ab.badge.kind is BadgeKind.CACHED


def failed_long_ago():
    """Both sources answered once, longer ago than the limit."""
    return replace(
        SILENT,
        mlflow=replace(SILENT.mlflow, status=replace(SILENT.mlflow.status, answered_at=BOTH.at)),
        prometheus=replace(SILENT.prometheus, status=replace(SILENT.prometheus.status, answered_at=BOTH.at)),
    )


def test_each_view_keeps_its_own_names():
    maker = page_maker()
    maker.make(View(), BOTH)
    maker.make(View(baseline="enhanced", challenger="baseline"), BOTH)
    assert maker.make(View(), failed_long_ago()).ab.baseline == "baseline"


def test_a_view_that_nobody_looks_at_any_more_leaves_no_names_behind():
    maker = page_maker(settings(AB_BASELINE_VARIANT="old"))
    maker.make(View(), live(baseline="old", challenger="new"))
    maker.forget(View())
    page = maker.make(View(), failed_long_ago())
    assert (page.ab.experiment, page.ab.baseline) == (None, "old")
    assert page.ab.challenger != "new"


def test_where_no_source_ever_answered_the_page_is_simulated_and_says_so():
    page = page_maker().make(View(), SILENT)
    assert (page.ab.badge.kind, document_of(page)["props"]["page"]["className"]) == (BadgeKind.SIMULATED, "page is-simulated")
    assert {status.state for status in page.ab.sources} == {SourceState.FAILED}
