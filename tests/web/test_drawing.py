"""Pictures on request: the same bytes as the script's, drawn apart, once for many, and never more than a few at a time."""

import sys
import threading
import time
from pathlib import Path

import pytest

from live_dashboards.app import writing
from live_dashboards.app.writing import Drawings
from live_dashboards.draw.png.dashboard import _create_dashboard_panels
from live_dashboards.errors import DashboardError, OutputError
from live_dashboards.outputs.image import write_image
from live_dashboards.web.routes import Pictures
from tests.support import business_pages, reports
from tests.support.waiting import LONGEST_SECONDS, wait_until

MAKERS = {"ab": reports.report, "business": business_pages.page}


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A drawing gives way to all else that the machine does."""
    monkeypatch.setattr(writing, "_LONGEST_SECONDS", LONGEST_SECONDS)


@pytest.mark.parametrize("dashboard", MAKERS)
def test_a_picture_drawn_apart_has_the_script_s_bytes(dashboard, tmp_path):
    report = MAKERS[dashboard]()
    path = tmp_path / "script.png"
    write_image(_create_dashboard_panels(report, dpi=300), path, dpi=300, report=report)
    assert Drawings().draw(report) == path.read_bytes()


def test_a_picture_that_cannot_be_drawn_is_one_fixed_sentence_and_the_log_says_why(caplog):
    with pytest.raises(OutputError) as failed:
        Drawings().draw("no report")
    assert str(failed.value) == "the picture could not be drawn; the server's log says why"
    assert "is no report" in caplog.text
    assert "Traceback" not in caplog.text


def test_a_picture_that_is_not_whole_is_none(monkeypatch):
    monkeypatch.setattr(writing, "_START", "import sys; sys.stdout.buffer.write(b'\\x89PNG and no end')")
    with pytest.raises(OutputError, match="could not be drawn"):
        Drawings().draw(reports.report())


def test_what_a_drawing_says_of_its_machine_is_not_passed_on(monkeypatch, caplog):
    monkeypatch.setattr(writing, "_START", "raise OSError('/srv/hidden/path')")
    with pytest.raises(OutputError) as failed:
        Drawings().draw(reports.report())
    assert "hidden" not in str(failed.value)
    assert "/srv/hidden/path" in caplog.text


def test_stopping_ends_what_is_drawn_with_all_that_it_started_and_begins_no_more(monkeypatch, tmp_path):
    told = tmp_path / "grandchild"
    monkeypatch.setattr(writing, "_START", f"import subprocess, time; open({str(told)!r}, 'w').write(str(subprocess.Popen(['sleep', '600']).pid) + '.'); time.sleep(600)")
    drawings, said = Drawings(), []

    def draw():
        with pytest.raises(OutputError) as failed:
            drawings.draw(reports.report())
        said.append(str(failed.value))

    thread = threading.Thread(target=draw)
    thread.start()
    wait_until(lambda: told.exists() and told.read_text().endswith("."))
    drawings.stop()
    thread.join(LONGEST_SECONDS)
    draw()
    assert said == ["the server is stopping and draws no more; try again when it is back"] * 2
    wait_until(lambda: is_gone(told.read_text()[:-1]))


def is_gone(process):
    """Whether it has ended, waited for or not."""
    stat = Path(f"/proc/{process}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] in "ZX"


def test_a_picture_that_takes_too_long_is_one_clear_error_and_ends(monkeypatch):
    monkeypatch.setattr(writing, "_LONGEST_SECONDS", 0.3)
    monkeypatch.setattr(writing, "_START", "import time; time.sleep(600)")
    with pytest.raises(OutputError, match=r"^the picture was not drawn within 0\.3 s"):
        Drawings().draw(reports.report())


def test_a_program_that_cannot_be_started_is_one_clear_error(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(OutputError, match=r"^the picture could not be drawn \("):
        Drawings().draw(reports.report())


class Pen:
    """Draws when it is let, and knows how often and how many at once."""

    def __init__(self):
        self.drawn, self.at_once, self.most_at_once = [], 0, 0
        self.ready = threading.Event()

    def __call__(self, report):
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        assert self.ready.wait(LONGEST_SECONDS)
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
        thread.join(LONGEST_SECONDS)
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
        thread.join(LONGEST_SECONDS)
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
