"""A plan as a picture: what to set, a row a gate, and what it starts from."""

from __future__ import annotations

from matplotlib.figure import Figure

from live_dashboards import __version__
from live_dashboards.draw.png.dashboard import Picture, drawn_page
from live_dashboards.draw.png.frame import Frame
from live_dashboards.draw.png.panel import open_panel
from live_dashboards.draw.png.row_charts import draw_rows
from live_dashboards.draw.png.tables import draw_table
from live_dashboards.draw.png.text import Look, width_inches, wrapped
from live_dashboards.draw.png.theme import FAINT, INK, MUTED, TINT, Sizes, line_inches, page_scale
from live_dashboards.model.moment import format_second
from live_dashboards.model.planning import AbPlan
from live_dashboards.panels import plan as panel

_GATES_SHARE, _MOST_LINES = 0.53, 3


def plan_picture(plan: AbPlan, *, size_inches: tuple[float, float], dpi: float) -> Picture:
    """The plan on a page of that size; UsageError where it is too small for legible text."""
    return drawn_page(lambda figure: _draw(figure, plan), size_inches=size_inches, dpi=dpi)


def _draw(figure: Figure, plan: AbPlan) -> None:
    width, height = (float(side) for side in figure.get_size_inches())
    sizes = Sizes(page_scale((width, height)))
    margin = 0.42 * sizes.scale
    page = Frame(figure, 0.0, 0.0, width, height, sizes).inner(
        left=margin, right=margin, top=0.3 * sizes.scale, bottom=0.24 * sizes.scale
    )
    head, footer = line_inches(sizes.page_title, 1.5), line_inches(sizes.note, 1.5)
    strip = 0.14 + line_inches(sizes.body, 1.3) * _MOST_LINES
    _draw_head(page.upper(head), plan)
    _draw_answer(page.inner(top=head).upper(strip), plan)
    _draw_footer(page.lower(footer), plan)
    gap = 0.14 * sizes.scale
    body = page.inner(top=head + strip + gap, bottom=footer + gap)
    _draw_gates(body.upper(body.height * _GATES_SHARE), plan)
    _draw_inputs(body.lower(body.height * (1 - _GATES_SHARE) - gap), plan)


def _draw_head(frame: Frame, plan: AbPlan) -> None:
    sizes, look = frame.sizes, Look(frame.sizes.page_title, INK, is_bold=True)
    where = f" of {plan.experiment}" if plan.experiment else ""
    title = f"Plan{where}: {', '.join(plan.challengers)} against {plan.baseline}"
    moment = format_second(plan.at)
    beside = Look(sizes.body, MUTED)
    y = frame.height - line_inches(sizes.page_title, 1.0)
    frame.write(0.0, y, title, look, within=frame.width - width_inches(moment, beside) - 0.3)
    frame.write(frame.width, y, moment, beside, align="right")


def _draw_answer(frame: Frame, plan: AbPlan) -> None:
    """What to set."""
    frame.fill(TINT)
    look = Look(frame.sizes.body, INK)
    lines = wrapped(plan.words[-2], look, frame.width - 0.24, _MOST_LINES)
    step = line_inches(frame.sizes.body, 1.3)
    y = (frame.height + len(lines) * step) / 2 + line_inches(frame.sizes.body, 0.28)
    for line in lines:
        y -= step
        frame.write(0.12, y, line, look, within=frame.width - 0.24)


def _draw_gates(frame: Frame, plan: AbPlan) -> None:
    body = open_panel(frame, panel.head(plan))
    if body is not None:
        draw_rows(body, panel.rows(plan))


def _draw_inputs(frame: Frame, plan: AbPlan) -> None:
    body = open_panel(frame, panel.inputs_head(plan))
    if body is not None:
        draw_table(body, panel.inputs(plan))


def _draw_footer(frame: Frame, plan: AbPlan) -> None:
    look = Look(frame.sizes.note, FAINT)
    version = f"live-dashboards {__version__}"
    frame.rule(frame.height)
    frame.write(frame.width, 0.0, version, look, align="right")
    words = (
        f"{plan.power_percent:g} % power, 95 % limits; days at the quickest and the slowest of the last days"
    )
    frame.write(0.0, 0.0, words, look, within=frame.width - width_inches(version, look) - 0.3)
