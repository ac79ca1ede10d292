"""Browsers are given the newest page of their view at once; views are shared, bounded, and cost no fetch of their own."""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from live_dashboards.errors import UsageError
from live_dashboards.model.snapshot import SourceState
from live_dashboards.web import board as module
from live_dashboards.web.app import make_board
from live_dashboards.web.board import MOST_VIEWS, BusyError, pace_of
from live_dashboards.web.view import View
from tests.support.snapshots import live, with_values, without_mlflow
from tests.support.waiting import wait_until
from tests.web.replaying import document_of, now, services, settings, without_both

SOON = {"DASHBOARD_REFRESH_INTERVAL": "0.1", "DASHBOARD_STALE_AFTER_SECONDS": "600"}


class Source:
    """What is fetched, and how often."""

    def __init__(self, snapshot):
        self.snapshot, self.fetches, self.failure = snapshot, [], None
        self.held = threading.Event()
        self.held.set()

    def __call__(self, chosen, known_test):
        self.known = known_test
        self.fetches.append((chosen["AB_EXPERIMENT"], chosen["AB_WINDOW"]))
        self.held.wait()
        if self.failure is not None:
            raise self.failure
        return now(self.snapshot)


@pytest.fixture
def source():
    found = Source(live())
    yield found
    found.held.set()


@pytest.fixture
def open_board(source):
    """`open_board(reports=..., AB_X=...)`: a board that was started."""
    boards = []

    def start(**given):
        values = {name: given.pop(name) for name in list(given) if name.isupper()}
        own = settings(**values)
        boards.append(make_board(services(source, **given), own)[0])
        boards[-1].start()
        return boards[-1]

    yield start
    source.held.set()
    for board in boards:
        board.stop()


def first_page(board, view=None):
    return wait_until(lambda: board.look(view or View()).page, "the first page")


def test_before_the_first_answer_there_is_no_page_and_no_age(open_board, source):
    source.held.clear()
    board = open_board()
    look = board.look(View())
    assert (look.page, look.refused, look.next_seconds, board.age_seconds()) == (None, "", 1.0, None)


def test_the_first_page_is_there_as_soon_as_the_sources_have_answered(open_board):
    board = open_board()
    assert first_page(board).ab.badge.kind.value == "LIVE DATA"
    assert 0 <= board.age_seconds() < 60
    assert 0 < board.look(View()).next_seconds <= 30


def test_all_who_look_at_a_view_are_given_the_same_page(open_board, source):
    board = open_board()
    page = first_page(board)
    assert all(board.look(View()).page is page for _ in range(100))
    assert len(source.fetches) == 1


def test_a_view_of_other_variants_needs_no_fetch_of_its_own(open_board, source):
    board = open_board()
    first_page(board)
    page = first_page(board, View(baseline="enhanced", challenger="baseline"))
    assert (page.ab.baseline, len(source.fetches)) == ("enhanced", 1)


def test_another_window_is_asked_for(open_board, source):
    board = open_board()
    first_page(board)
    first_page(board, View(window="7d"))
    assert source.fetches == [(None, 86_400.0), (None, 604_800.0)]


def test_every_view_that_somebody_looks_at_gets_its_new_page(open_board, source):
    board = open_board(**SOON)
    views = View(), View(baseline="enhanced", challenger="baseline")
    for view in views:
        first_page(board, view)
    source.snapshot = with_values(live(), "enhanced", "accuracy", value=0.93)
    for view in views:
        wait_until(lambda view=view: 0.93 in [value.value for value in board.look(view).page.snapshot.mlflow.values], "the new page")


def test_an_unknown_variant_is_refused_with_the_known_names(open_board):
    board = open_board()
    first_page(board)
    refused = wait_until(lambda: board.look(View(challenger="nobody")).refused)
    assert refused == "there is no variant 'nobody' in this experiment; its variants are baseline, enhanced"
    assert board.look(View(challenger="nobody")).page is None


def test_an_unknown_experiment_is_refused_with_what_the_sources_say(open_board, source):
    board = open_board()
    first_page(board)
    source.failure = UsageError("there is no experiment 'x'; the nearest are fraud")
    assert wait_until(lambda: board.look(View(experiment="x")).refused) == "there is no experiment 'x'; the nearest are fraud"
    assert board.look(View()).page is not None


def test_a_source_that_falls_silent_is_shown_from_its_last_answer_and_the_badge_drops(open_board, source):
    board = open_board(**SOON)
    first_page(board)
    source.snapshot = without_mlflow(live())
    page = wait_until(lambda: (page := board.look(View()).page).ab.badge.kind.value == "OPERATIONAL DATA" and page)
    assert page.snapshot.mlflow.status.state is SourceState.CACHED
    source.snapshot = live()
    wait_until(lambda: board.look(View()).page.ab.badge.kind.value == "LIVE DATA", "the recovery")


@pytest.fixture
def refresher_clock(monkeypatch):
    """The refresher's monotonic clock, moved by the test."""
    found = {"seconds": 0.0}
    monkeypatch.setattr(module, "Refresher", partial(module.Refresher, clock=lambda: time.monotonic() + found["seconds"]))
    return found


def test_past_the_limit_the_page_is_missing_but_keeps_experiment_and_variants(open_board, source, refresher_clock):
    board = open_board(**SOON)
    first_page(board)
    source.snapshot = without_both(live())
    refresher_clock["seconds"] += 601.0
    page = wait_until(lambda: (page := board.look(View()).page).snapshot.mlflow.status.state is SourceState.FAILED and page)
    assert (page.ab.experiment, page.ab.baseline, page.ab.challenger, page.ab.badge.kind.value) == ("fraud", "baseline", "enhanced", "CACHED DATA")
    assert document_of(page)["controls"]["experiment"] == {"options": ["fraud"], "value": "fraud"}


def test_a_fetch_that_fails_in_an_unexpected_way_is_logged_and_shown_as_failed_sources(open_board, source, caplog):
    board = open_board(**SOON)
    first_page(board)
    source.failure = ZeroDivisionError("a mistake of ours")
    page = wait_until(lambda: (page := board.look(View()).page).ab.badge.kind.value == "CACHED DATA" and page)
    assert page.snapshot.mlflow.status.reason == "could not be asked: see the web page's log"
    assert "a mistake of ours" in caplog.text
    source.failure = None
    wait_until(lambda: board.look(View()).page.ab.badge.kind.value == "LIVE DATA", "the recovery")


def test_a_mistake_in_making_the_page_leaves_the_older_one_and_is_logged(open_board, source, caplog, monkeypatch):
    board = open_board(**SOON)
    page = first_page(board)
    monkeypatch.setattr(board._maker, "make", lambda *_: 1 / 0)
    made = len(source.fetches)
    wait_until(lambda: len(source.fetches) > made + 2)
    wait_until(lambda: "the page could not be made" in caplog.text)
    kept = board.look(View()).page
    assert (kept.snapshot.at - page.snapshot.at).total_seconds() < 60
    assert kept.body
    monkeypatch.undo()
    wait_until(lambda: board.look(View()).page.snapshot.at > kept.snapshot.at, "the recovery")


def test_an_older_snapshot_or_the_same_one_never_takes_the_place_of_a_newer_page(open_board):
    board = open_board()
    page = first_page(board)
    watch = board._refresher.look(View())
    for version in (watch.version, watch.version - 1):
        board._make(View(), replace(watch, version=version))
    assert board.look(View()).page is page


def test_a_new_page_is_shown_though_the_clock_was_put_back_meanwhile(open_board):
    board = open_board()
    page = first_page(board)
    watch = board._refresher.look(View())
    earlier = replace(watch.shown, at=page.snapshot.at - timedelta(hours=1))
    board._make(View(), replace(watch, shown=earlier, version=watch.version + 1))
    assert board.look(View()).page.snapshot.at == earlier.at
    assert 0 <= board.age_seconds() < 60


@pytest.fixture
def clock(monkeypatch):
    """The board's monotonic clock, moved by the test; the refresher keeps its own."""
    found = {"seconds": 0.0}
    monkeypatch.setattr(module, "time", type("Time", (), {"monotonic": staticmethod(lambda: time.monotonic() + found["seconds"])}))
    return found


def views(count, start=0):
    return [View(baseline=f"{number}", challenger="enhanced") for number in range(start, start + count)]


def test_the_number_of_views_is_bounded(open_board, source):
    source.held.clear()  # before the first fetch: of views that were refused one would give way
    board = open_board()
    for view in views(MOST_VIEWS - 1):
        board.look(view)
    with pytest.raises(BusyError, match="close some pages or try again"):
        board.look(View(challenger="one more"))
    assert board.look(View()).refused == ""


def test_the_view_that_nobody_looked_at_for_longest_gives_way(open_board, clock):
    board = open_board()
    first_page(board)
    for view in views(MOST_VIEWS - 1):
        board.look(view)
    clock["seconds"] += 61.0
    for view in (View(), *views(MOST_VIEWS - 2, 1)):
        board.look(view)
    board.look(View(challenger="one more"))
    assert views(1)[0] not in board._places
    assert (len(board._places), View() in board._places) == (MOST_VIEWS, True)


def test_the_settings_own_view_gives_way_to_nobody(open_board, clock):
    board = open_board()
    first_page(board)
    for view in views(MOST_VIEWS - 1):
        board.look(view)
    clock["seconds"] += 61.0
    board.look(View(challenger="one more"))
    assert (len(board._places), View() in board._places) == (MOST_VIEWS, True)


def test_views_that_nobody_looks_at_are_forgotten_with_the_next_answer(open_board, clock):
    board = open_board(**SOON)
    first_page(board)
    first_page(board, View(baseline="enhanced", challenger="baseline"))
    clock["seconds"] += 301.0
    wait_until(lambda: list(board._places) == [View()], "forgetting")


def test_an_earlier_answer_is_shown_for_four_intervals_unless_the_settings_say_otherwise():
    assert pace_of(settings()).limit_seconds == 120.0
    assert pace_of(settings(DASHBOARD_STALE_AFTER_SECONDS="7")).limit_seconds == 7.0


def test_a_stopped_board_asks_nothing_more(open_board, source):
    board = open_board(**SOON)
    first_page(board)
    board.stop()
    wait_until(lambda: not any(thread.is_alive() for thread in board._refresher._pool._threads), "the end of what was under way")
    asked = len(source.fetches)
    threading.Event().wait(0.3)
    assert len(source.fetches) == asked
