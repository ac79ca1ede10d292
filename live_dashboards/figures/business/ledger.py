"""What was assumed: every business parameter with its unit, its range, whose it is and where the answer would
flip.
"""

from __future__ import annotations

from live_dashboards.figures.business.table import Column, Row, draw_table
from live_dashboards.figures.frame import Frame
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.theme import CAUTION, FAINT, INK
from live_dashboards.model.business_report import BusinessReport, LedgerRow

_COLUMNS = (Column("setting", 0.45, "left"), Column("value", 0.2), Column("whose", 0.35))
_WITH_RANGE = (
    Column("setting", 0.37, "left"),
    Column("value", 0.14),
    Column("range", 0.24),
    Column("whose", 0.25),
)


def draw_ledger(frame: Frame, report: BusinessReport) -> None:
    """A row an assumption; a default says so in words and colour."""
    panel = report.ledger
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is not None:
        has_range = any(each.range_words for each in panel.rows)
        draw_table(
            body,
            _WITH_RANGE if has_range else _COLUMNS,
            [_row(each, has_range=has_range) for each in panel.rows],
        )


def _row(each: LedgerRow, *, has_range: bool) -> Row:
    owner = CAUTION if each.assumption.is_default else INK
    flip = f"; flips {each.flip.words}" if each.flip is not None and each.flip.amount is not None else ""
    middle = ((each.range_words or "–", INK if each.range_words else FAINT),) if has_range else ()
    cells = ((each.assumption.name, INK), (each.value_words, INK), *middle, (each.owner_words, owner))
    return Row(
        tuple(text for text, _ in cells), f"{each.unit_words}{flip}", tuple(colour for _, colour in cells)
    )
