"""A notification holds badge, verdict, headline numbers and link, and no name can steer the receiver."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from live_dashboards.model.report import AbReport
from live_dashboards.outputs.run_line import Written
from live_dashboards.outputs.webhook import link, notice_text
from tests.outputs.reports import live_report, simulated_report

LIVE = live_report()


def text(report: AbReport, public_url: str | None = None, *, is_enough: bool = True) -> str:
    return notice_text([Written(Path("output/a b.png"), report, is_enough)], required="live", public_url=public_url, folder=Path("output"))


def test_it_names_badge_verdict_numbers_and_link() -> None:
    first, numbers, address = text(LIVE, "https://pictures.example/ab").splitlines()
    assert first.startswith("LIVE DATA: A/B testing dashboard")
    assert first.endswith(LIVE.verdict.verdict)
    assert numbers == "baseline 78.8 %, challenger 82.0 %, requests in 24 h 47,520, mean latency 57.3 ms, error rate 0.082 %"
    assert address == "https://pictures.example/ab/a%20b.png"


def test_what_is_wrong_is_in_it_and_simulated_data_are_called_so() -> None:
    told = text(simulated_report(), is_enough=False)
    assert told.startswith("SIMULATED DATA: ")
    assert "--require live asks for more" in told


def test_a_picture_elsewhere_is_not_linked_by_a_guess() -> None:
    assert link(Path("elsewhere/a.png"), "https://x", Path("output")) == "https://x"
    assert link(Path("output/a.png"), None, Path("output")) == ""


def test_a_hostile_name_mentions_nobody_and_stays_on_its_line() -> None:
    told = text(replace(LIVE, experiment="<!channel> & <https://evil|click>\n\u202eSIMULATED" + "x" * 10_000))
    assert "&lt;!channel&gt; &amp; &lt;https://evil|click&gt;" in told
    assert ("<" in told, "\u202e" in told, len(told.splitlines()), len(told) < 600) == (False, False, 2, True)
