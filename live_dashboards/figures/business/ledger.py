"""What was assumed: every business parameter with its unit, its range, whose it is and where the answer would flip."""

from __future__ import annotations

from live_dashboards.figures.business.table import Column, Row, draw_table
from live_dashboards.figures.frame import Frame
from live_dashboards.figures.panel import open_panel
from live_dashboards.figures.theme import CAUTION, FAINT, INK
from live_dashboards.model.business_report import BusinessReport, LedgerRow

_COLUMNS = (Column("setting", 0.39, "left"), Column("value", 0.14), Column("range", 0.24), Column("whose", 0.23))


def draw(frame: Frame, report: BusinessReport) -> None:
    """A row an assumption; a default says so in words and colour."""
    panel = report.ledger
    body = open_panel(frame, panel.head, is_page_simulated=report.is_simulated)
    if body is not None:
        draw_table(body, _COLUMNS, [_row(each) for each in panel.rows])


def _row(each: LedgerRow) -> Row:
    owner = CAUTION if each.assumption.is_default else INK
    flip = f"; flips {each.flip.words}" if each.flip is not None and each.flip.amount is not None else ""
    return Row(
        (each.assumption.name, each.value_words, each.range_words or "–", each.owner_words),
        f"{each.unit_words}{flip}",
        (INK, INK, INK if each.range_words else FAINT, owner),
    )
