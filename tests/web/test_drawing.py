"""Pictures on request: the same bytes as the script's, drawn apart, once for many, and never more than a few at a time."""

import sys
import threading
import time

import pytest

from live_dashboards import drawing
from live_dashboards.drawing import draw_apart
from live_dashboards.errors import DashboardError, OutputError
from live_dashboards.figures.dashboard import _create_dashboard_panels
from live_dashboards.outputs.image import write_image
from live_dashboards.web.pictures import Pictures
from tests.support import business_pages, reports
from tests.web.waiting import wait_until

MAKERS = {"ab": reports.report, "business": business_pages.page}


@pytest.mark.parametrize("dashboard", MAKERS)
def test_a_picture_drawn_apart_has_the_script_s_bytes(dashboard, tmp_path):
    report = MAKERS[dashboard]()
    path = tmp_path / "script.png"
    write_image(_create_dashboard_panels(report, dpi=300), path, dpi=300, report=report)
    assert draw_apart(report) == path.read_bytes()


def test_a_picture_that_cannot_be_drawn_is_one_clear_error():
    with pytest.raises(OutputError, match=r"^the picture could not be drawn \(.+\); draw it with the script to see more$") as failed:
        draw_apart("no report")
    assert "Traceback" not in str(failed.value)


def test_a_picture_that_takes_too_long_is_one_clear_error_and_ends(monkeypatch):
    monkeypatch.setattr(drawing, "_LONGEST_SECONDS", 0.3)
    monkeypatch.setattr(drawing, "_START", "import time; time.sleep(600)")
    with pytest.raises(OutputError, match=r"^the picture was not drawn within 0\.3 s"):
        draw_apart(reports.report())


def test_a_program_that_cannot_be_started_is_one_clear_error(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(OutputError, match=r"^the picture could not be drawn \("):
        draw_apart(reports.report())


class Pen:
    """Draws when it is let, and knows how often and how many at once."""

    def __init__(self):
        self.drawn, self.at_once, self.most_at_once = [], 0, 0
        self.ready = threading.Event()

    def __call__(self, report):
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        assert self.ready.wait(30)
        self.drawn.append(report)
        self.at_once -= 1
        return f"PNG {len(self.drawn)}".encode()


@pytest.fixture
def pen():
    found = Pen()
    yield found
    found.ready.set()


def asked(pictures, wanted):
    """Threads that ask for these reports, and what each is given."""
    given = []

    def ask(report):
        try:
            given.append(pictures.of(report))
        except DashboardError as error:
            given.append(str(error))

    threads = [threading.Thread(target=ask, args=(report,), daemon=True) for report in wanted]
    for thread in threads:
        thread.start()
    return threads, given


def test_one_drawing_serves_all_who_ask_for_it_at_once(pen):
    report = reports.report()
    threads, given = asked(Pictures(pen), [report] * 3)
    wait_until(lambda: pen.at_once)
    time.sleep(0.1)
    pen.ready.set()
    for thread in threads:
        thread.join(30)
    assert given == [b"PNG 1"] * 3


def test_a_picture_that_is_there_is_given_at_once_even_while_another_is_drawn(pen):
    pictures, old, new = Pictures(pen), reports.report(), reports.report()
    pen.ready.set()
    first = pictures.of(old)
    pen.ready.clear()
    asked(pictures, [new] * 3)
    wait_until(lambda: pen.at_once)
    assert pictures.of(old) is first


def test_who_comes_when_too_many_wait_is_told_to_try_again(pen):
    pictures = Pictures(pen)
    threads, given = asked(pictures, [reports.report() for _ in range(10)])
    wait_until(lambda: len(given) == 7)
    assert set(given) == {"several pictures are being drawn; try again in a few seconds"}
    pen.ready.set()
    for thread in threads:
        thread.join(30)
    assert (len(pen.drawn), pen.most_at_once) == (3, 1)


def test_the_newest_pictures_are_kept_and_no_more(pen):
    pictures, made = Pictures(pen), [reports.report() for _ in range(6)]
    pen.ready.set()
    for report in made:
        pictures.of(report)
    for report in made[-4:]:
        pictures.of(report)
    assert len(pen.drawn) == 6
    pictures.of(made[0])
    assert len(pen.drawn) == 7


def test_a_failed_drawing_makes_room_for_the_next_who_asks():
    def fail(_):
        raise OutputError("the picture could not be drawn")

    pictures = Pictures(fail)
    for _ in range(5):
        with pytest.raises(OutputError, match="could not be drawn"):
            pictures.of(reports.report())
