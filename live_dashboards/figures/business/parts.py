"""Where does it come from: the terms of the net value as a waterfall, with whiskers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from live_dashboards.figures.business.money import ASSUMED, MEASURED, RESULT, USD, bar, zero_line
from live_dashboards.figures.frame import Frame
from live_dashboards.figures.marks import draw_bars
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.rows import Rows, column_inches, open_rows
from live_dashboards.figures.theme import AXIS, FAINT, INK
from live_dashboards.model.business_report import BusinessReport, PartBar, PartsPanel
from live_dashboards.model.limits import padded
from live_dashboards.model.measurement import Interval

_EMPTY_SHARE = 0.12


@dataclass(frozen=True, slots=True)
class _Step:
    """A bar with where it begins and ends, in USD a year."""

    part: PartBar
    start_usd: float
    end_usd: float

    @property
    def whisker(self) -> Interval | None:
        """The interval where the bar stands."""
        if self.part.interval is None or self.part.interval.low is None or self.part.interval.high is None:
            return None
        return Interval(self.start_usd + self.part.interval.low, self.start_usd + self.part.interval.high)


def draw(frame: Frame, report: BusinessReport) -> None:
    """A row a term, each beginning where the last one ended, and the total from zero."""
    panel = report.parts
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is None:
        return
    steps = _steps(panel, is_page_simulated=report.is_simulated)
    ends = [0.0, *(end for step in steps for end in (step.start_usd, step.end_usd))]
    ends += [
        end
        for step in steps
        if step.whisker
        for end in (step.whisker.low, step.whisker.high)
        if end is not None
    ]
    words = [_words(step.part, is_page_simulated=report.is_simulated) for step in steps]
    rows = open_rows(
        body, len(steps), padded(ends), numbers=column_inches(body, words, share=0.34), unit=USD, names=0.95
    )
    zero_line(rows.axes, is_upright=True)
    _draw_steps(rows, steps, is_page_simulated=report.is_simulated)
    for y, (step, text) in enumerate(zip(steps, words, strict=True)):
        is_total = step.part is panel.total
        rows.name(y, step.part.label, INK)
        rows.number(y, text, INK if is_total or step.part.state != "missing" else FAINT)


def _steps(panel: PartsPanel, *, is_page_simulated: bool) -> list[_Step]:
    steps, reached = [], 0.0
    for part in panel.bars:
        value = part.value.value or 0.0
        counts = part.state == "measured" or is_page_simulated
        start = reached if counts else 0.0
        steps.append(_Step(part, start, start + value))
        reached = start + value if counts else reached
    if panel.total is not None:
        steps.append(_Step(panel.total, 0.0, panel.total.value.value or 0.0))
    return steps


def _draw_steps(rows: Rows, steps: Sequence[_Step], *, is_page_simulated: bool) -> None:
    low, high = rows.axes.get_xlim()
    for y, step in enumerate(steps):
        is_total = y == len(steps) - 1 and step.start_usd == 0.0 and step.part.label in {"net", "partial"}
        if step.part.state == "missing":
            bar(
                rows.axes,
                y,
                (step.start_usd, step.start_usd + _EMPTY_SHARE * (high - low)),
                AXIS,
                look="empty",
                height=0.4,
            )
            continue
        is_stand_in = step.part.state == "simulated" and not is_page_simulated
        bar(
            rows.axes,
            y,
            (step.start_usd, step.end_usd),
            ASSUMED if is_stand_in else RESULT if is_total else MEASURED,
            look="hatched" if is_stand_in else "filled",
            height=0.4,
        )
        if step.whisker is not None:
            draw_bars(rows.axes, [(step.whisker, y + 0.31)], INK, rows.body.sizes.line, gid="whisker")
    counts = [step.part.state == "measured" or is_page_simulated for step in steps]
    joints = [(step.end_usd, y) for y, step in enumerate(steps[:-1]) if counts[y] and counts[y + 1]]
    for x, y in joints:
        rows.axes.plot([x, x], [y + 0.2, y + 0.8], color=AXIS, linewidth=0.7, zorder=2)


def _words(part: PartBar, *, is_page_simulated: bool) -> str:
    if part.value.value is None:
        return part.words or "not measured"
    amount = part.amount_words
    return f"SIMULATED {amount}" if part.state == "simulated" and not is_page_simulated else amount
