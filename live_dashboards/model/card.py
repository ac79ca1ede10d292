"""A few lines for whoever looks at a value in a notebook or a terminal: words, a small table, a note; as
text, and the same as HTML. Names of users are harmless in both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from live_dashboards.model.names import CUT, columns, cut, escaped

WIDTH, MOST_LINES = 110, 15
_MOST_ROWS = 6
_WIDEST_CELL = 60
_GAP = "  "
_WIDEST_HTML = 1000  # of a text in HTML, which the page itself breaks into lines
_LEFT, _RIGHT = "left", "right"
# notebooks take what stands between two dollars for a formula, but not in here
_PLAIN = "tex2jax_ignore mathjax_ignore"


@dataclass(frozen=True, slots=True)
class Card:
    """`words` are a paragraph each. `rows` have as many cells as `header`; the first one names the row.

    The columns of `numbers` stand to the right. Of many rows only the first are shown, and how many more
    there are.
    """

    words: tuple[str, ...]
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    numbers: tuple[str, ...] = ()
    note: str = ""

    def text(self) -> str:
        """At most 15 lines of at most 110 columns, of as many as four paragraphs."""
        paragraphs = [line for words in self.words for line in wrapped(words, WIDTH, 2)]
        note = [cut(escaped(self.note), WIDTH)] if self.note else []
        rows = min(_MOST_ROWS, MOST_LINES - len(paragraphs) - len(note) - 2)
        return "\n".join([*paragraphs, *self._table_lines(rows), *note])

    def html(self) -> str:
        """The same as a fragment of HTML, in which everything that was given is text."""
        first, *others = (_as_html(words) for words in self.words)
        parts = [f"<strong>{first}</strong>", *others]
        table = self._html_table() if self.header else ""
        note = f"<small>{_as_html(self.note)}</small>" if self.note else ""
        return f'<div class="{_PLAIN}">{"<br>".join(parts)}{table}{note}</div>'

    def _shown(self, most: int) -> list[tuple[str, ...]]:
        """The rows in so many lines."""
        if len(self.rows) <= most:
            return list(self.rows)
        kept = self.rows[: most - 1]
        more = f"and {len(self.rows) - len(kept)} more"
        return [*kept, (more, *[""] * (len(self.header) - 1))]

    @property
    def _sides(self) -> list[str]:
        return [_RIGHT if name in self.numbers else _LEFT for name in self.header]

    def _table_lines(self, most: int) -> list[str]:
        if not self.header:
            return []
        rows = [
            [cut(escaped(cell), _WIDEST_CELL) for cell in row] for row in (self.header, *self._shown(most))
        ]
        widths = _fitting([max(map(columns, cells)) for cells in zip(*rows, strict=True)])
        lines = (
            _GAP.join(
                _padded(cut(cell, width), width, side)
                for cell, width, side in zip(row, widths, self._sides, strict=True)
            )
            for row in rows
        )
        return ["", *(line.rstrip() for line in lines)]

    def _html_table(self) -> str:
        head = _html_row("th", self.header, self._sides)
        body = "".join(_html_row("td", row, self._sides) for row in self._shown(_MOST_ROWS))
        return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"


def wrapped(text: str, width: int, most: int) -> list[str]:
    """The text in at most so many lines of that many columns, broken between words; it ends in `…` where it
    is longer.
    """
    rest = escaped(text)
    lines: list[str] = []
    while columns(rest) > width and len(lines) < most - 1:
        whole = cut(rest, width + 1).removesuffix(CUT)
        line = whole.rpartition(" ")[0] or whole
        lines.append(line)
        rest = rest[len(line) :].lstrip()
    return [*lines, cut(rest, width)]


def _fitting(widths: list[int]) -> list[int]:
    """Widths with which all columns have room: the widest give way first."""
    room = WIDTH - len(_GAP) * (len(widths) - 1)
    while sum(widths) > room:
        widest = widths.index(max(widths))
        widths = [width - (place == widest) for place, width in enumerate(widths)]
    return widths


def _padded(cell: str, width: int, side: str) -> str:
    space = " " * (width - columns(cell))
    return space + cell if side == _RIGHT else cell + space


def _html_row(kind: str, cells: Sequence[str], sides: Iterable[str]) -> str:
    shown = (
        f'<{kind} style="text-align: {side}">{_as_html(cell)}</{kind}>'
        for cell, side in zip(cells, sides, strict=True)
    )
    return f"<tr>{''.join(shown)}</tr>"


def _as_html(text: str) -> str:
    """A text as HTML that means nothing but itself."""
    from html import escape  # which loads all names of letters, and no picture needs it

    return escape(cut(escaped(text), _WIDEST_HTML))
