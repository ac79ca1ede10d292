"""One question, one fetch an interval, whoever looks; and whoever looks never waits."""

import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from live_dashboards.errors import UsageError
from live_dashboards.model.snapshot import SourceState
from live_dashboards.web.refresher import MOST_QUESTIONS, BusyError, Listener, Pace, Refresher
from live_dashboards.web.view import View
from tests.support.snapshots import live, without_mlflow
from tests.support.waiting import LONGEST_SECONDS, wait_until
from tests.web.access.sites import Clock

PACE = Pace(interval_seconds=30.0, limit_seconds=120.0)
SNAPSHOT = live()


class Sources:
    """What is asked, how often, and what comes back; `held` questions are answered when `release` is set."""

    def __init__(self):
        self.asked, self.known, self.fetches, self.news = [], [], [], []
        self.held, self.release = set(), threading.Event()
        self.answer = lambda: replace(SNAPSHOT, at=datetime.now(UTC))

    def ask(self, question, experiment):
        self.asked.append(question)
        self.known.append(experiment)
        if question in self.held:
            self.release.wait()
        return self.answer()

    @property
    def listener(self):
        return Listener(lambda question, watch: self.news.append((question, watch.shown)), lambda *told: self.fetches.append(told))


@pytest.fixture
def sources():
    found = Sources()
    yield found
    found.release.set()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def stepped(sources, clock):
    """A refresher whose steps the test takes itself, at the moments of its own clock."""
    made = Refresher(sources.ask, PACE, sources.listener, clock=clock)
    yield made
    sources.release.set()
    made.stop()


@pytest.fixture
def running(sources):
    """`running(pace)`: a refresher that was started."""
    started = []

    def start(pace):
        started.append(Refresher(sources.ask, pace, sources.listener))
        started[-1].start()
        return started[-1]

    yield start
    sources.release.set()
    for made in started:
        made.stop()


def step(refresher, clock, seconds=0.0):
    """Later, everything that is due is asked and has answered; until the next step."""
    clock.now_seconds += seconds
    wait = refresher._step(clock.now_seconds)
    wait_until(lambda: not refresher._fetching, "the fetch's end")
    return wait


def test_many_who_look_cost_one_fetch_an_interval(stepped, sources, clock):
    for seconds in (0, 0, 29.9, 0, 0.1, 0, 29.9, 0.1):
        for _ in range(50):
            stepped.look(View())
        step(stepped, clock, seconds)
    assert sources.asked == [View()] * 3


def test_another_window_begins_with_the_test_that_the_page_shows(stepped, sources, clock):
    shown = SNAPSHOT.mlflow.chosen
    for view in (View(), View(window="7d"), View(experiment="another", window="7d")):
        stepped.look(view)
        stepped._step(clock())
        wait_until(lambda view=view: stepped.look(view).fetched, "the first answer")
    assert dict(zip(sources.asked, sources.known, strict=True)) == {View(): None, View(window="7d"): shown, View(experiment="another", window="7d"): None}


def test_each_question_is_asked_for_itself(stepped, sources, clock):
    stepped.look(View())
    stepped.look(View(window="7d"))
    step(stepped, clock)
    assert sorted(sources.asked, key=repr) == sorted([View(), View(window="7d")], key=repr)
    assert stepped.look(View(window="7d")).shown is not None


def test_a_question_whose_fetch_hangs_is_not_asked_twice(stepped, sources, clock):
    sources.held = {View()}
    stepped.look(View())
    for _ in range(3):
        stepped._step(clock.now_seconds)
        clock.now_seconds += 100
    sources.release.set()
    wait_until(lambda: not stepped._fetching)
    assert sources.asked == [View()]


def test_whoever_looks_is_answered_at_once_while_the_fetch_hangs(running, sources):
    sources.held = {View()}
    refresher = running(PACE)
    wait_until(lambda: sources.asked)
    assert refresher.look(View()).shown is None  # a look that waited for the fetch would never return: only the test's end releases it
    assert refresher.next_seconds(View()) == 0.0


def test_others_are_answered_while_one_question_hangs(running, sources):
    sources.held = {View(experiment="slow")}
    refresher = running(PACE)
    refresher.look(View(experiment="slow"))
    wait_until(lambda: refresher.look(View()).shown)
    assert refresher.look(View(experiment="slow")).shown is None


def test_who_listens_is_told_of_every_fetch_and_its_duration(stepped, sources, clock):
    stepped.look(View())
    step(stepped, clock)
    (question, snapshot, seconds), (of_news, shown) = sources.fetches[0], sources.news[0]
    assert (question, of_news, seconds) == (View(), View(), 0.0)
    assert snapshot == shown


def test_a_question_that_nobody_looks_at_is_forgotten_and_the_settings_own_never(stepped, sources, clock):
    stepped.look(View())
    stepped.look(View(window="7d"))
    step(stepped, clock)
    step(stepped, clock, 299)
    stepped.look(View())
    assert sources.asked.count(View(window="7d")) == 2
    step(stepped, clock, 2)
    step(stepped, clock, 10_000)
    assert sources.asked.count(View(window="7d")) == 2
    assert sources.asked[-1] == View()


def test_an_answer_for_a_question_forgotten_meanwhile_brings_no_news(stepped, sources, clock):
    sources.held = {View(window="7d")}
    stepped.look(View(window="7d"))
    stepped._step(clock.now_seconds)
    wait_until(lambda: sources.asked)
    stepped._step(clock.now_seconds + 10_000)
    sources.release.set()
    wait_until(lambda: not stepped._fetching)
    assert sources.news == []


def filled(refresher):
    refresher.look(View())
    for number in range(MOST_QUESTIONS - 1):
        refresher.look(View(experiment=f"{number}"))


def test_their_number_is_bounded(stepped):
    filled(stepped)
    with pytest.raises(BusyError, match=r"close some pages or try again"):
        stepped.look(View(experiment="one more"))
    assert len(stepped._watches) == MOST_QUESTIONS


def test_the_one_that_nobody_looked_at_for_longest_gives_way(stepped, clock):
    filled(stepped)
    clock.now_seconds += 2 * PACE.interval_seconds
    for number in (0, *range(2, MOST_QUESTIONS - 1)):
        stepped.look(View(experiment=f"{number}"))
    stepped.look(View(experiment="one more"))
    assert View(experiment="1") not in stepped._watches
    assert {View(), View(experiment="0"), View(experiment="one more")} <= set(stepped._watches)


def test_the_settings_own_question_gives_way_to_nobody(stepped, clock):
    filled(stepped)
    for number in range(2 * MOST_QUESTIONS):
        clock.now_seconds += 2 * PACE.interval_seconds
        stepped.look(View(experiment=f"new {number}"))
    assert View() in stepped._watches


def test_a_question_that_cannot_be_answered_is_refused_and_asked_seldom(stepped, sources, clock):
    def refuse():
        raise UsageError("there is no experiment 'x'; the nearest are y")

    sources.answer = refuse
    stepped.look(View(experiment="x"))
    step(stepped, clock)
    watch = stepped.look(View(experiment="x"))
    assert (watch.refused, watch.shown) == ("there is no experiment 'x'; the nearest are y", None)
    step(stepped, clock, 59)
    assert (len(sources.asked), sources.fetches) == (1, [])
    step(stepped, clock, 1)
    assert len(sources.asked) == 2


def test_a_refused_question_that_can_be_answered_later_is_answered(stepped, sources, clock):
    good, sources.answer = sources.answer, lambda: (_ for _ in ()).throw(UsageError("not yet"))
    stepped.look(View(experiment="x"))
    step(stepped, clock)
    sources.answer = good
    step(stepped, clock, 60)
    watch = stepped.look(View(experiment="x"))
    assert (watch.refused, watch.shown is not None) == ("", True)


def shown_state(refresher):
    return refresher.look(View()).shown.mlflow.status.state


@pytest.mark.parametrize("hanging", [1, MOST_QUESTIONS])
def test_what_expires_is_shown_as_missing_even_while_every_fetch_hangs(stepped, sources, clock, hanging):
    good = sources.answer
    stepped.look(View())
    step(stepped, clock)
    sources.answer = lambda: without_mlflow(good())
    step(stepped, clock, 30)
    assert shown_state(stepped) is SourceState.CACHED
    sources.held = {View(), *(View(experiment=f"{number}") for number in range(hanging - 1))}
    for question in sources.held:
        stepped.look(question)
    for _ in range(30):
        clock.now_seconds += stepped._step(clock.now_seconds)
    wait_until(lambda: shown_state(stepped) is SourceState.FAILED, "the end of the earlier answer")
    assert not sources.release.is_set()
    wait_until(lambda: sources.news[-1][1].mlflow.status.state is SourceState.FAILED, "the news of it")


def test_after_stop_nothing_is_asked_any_more(running, sources):
    refresher = running(Pace(interval_seconds=0.02, limit_seconds=1.0))
    wait_until(lambda: len(sources.asked) > 2)
    refresher.stop()
    refresher._thread.join(LONGEST_SECONDS)
    wait_until(lambda: not any(thread.is_alive() for thread in refresher._pool._threads), "the end of what was under way")
    asked = len(sources.asked)
    refresher.look(View(window="7d"))
    assert (refresher._thread.is_alive(), threading.Event().wait(0.2), len(sources.asked)) == (False, False, asked)


def test_stop_does_not_wait_for_a_fetch_that_hangs(running, sources):
    sources.held = {View()}
    refresher = running(PACE)
    wait_until(lambda: sources.asked)
    refresher.stop()  # a stop that waited would never return: only the test's end releases the fetch
    refresher._thread.join(LONGEST_SECONDS)
    assert not refresher._thread.is_alive()


def test_a_fetch_that_was_under_way_at_the_stop_is_dropped_in_silence(running, sources, recwarn):
    sources.held = {View()}
    refresher = running(PACE)
    wait_until(lambda: sources.asked)
    refresher.stop()
    sources.release.set()
    wait_until(lambda: not refresher._fetching)
    assert list(recwarn) == []
