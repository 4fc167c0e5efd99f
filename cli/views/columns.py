"""Tables that fit their terminal: columns that are less needed go, then the long ones are cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cli.views.lines import Line, Style, cells

_GAP: Final = 2
_LEAST: Final = 8  # a column that is cut keeps so much


@dataclass(frozen=True)
class Column:
    """One column. ``optional``: in a narrow terminal it goes, the lowest number first; ``shrinks``: it may be cut."""

    title: str
    right: bool = False
    optional: int = 0
    shrinks: bool = False


@dataclass(frozen=True)
class Row:
    """The cells of a row, each with its style. One that is followed by an empty one may reach into that."""

    cells: Sequence[str]
    styles: Sequence[Style]


def table(columns: Sequence[Column], rows: Sequence[Row], *, width: int) -> list[Line]:
    """The titles, then ``rows``, in lines of at most ``width`` columns. A column without content is left out."""
    shown = [index for index, _ in enumerate(columns) if any(row.cells[index] for row in rows)]
    widths = {index: _wanted(columns, rows, index) for index in shown}
    _make_room(rows, widths)
    for index in sorted((one for one in shown if columns[one].optional), key=lambda one: columns[one].optional):
        if _sum(widths) > width and _sum(widths) - _most_cut(columns, widths) > width:
            del widths[index]
    _cut(columns, widths, width)
    titles = Row([column.title for column in columns], [Style.STRONG, *([Style.DIM] * (len(columns) - 1))])
    return [_line(columns, row, widths).cut(width) for row in (titles, *rows)]


def _wanted(columns: Sequence[Column], rows: Sequence[Row], index: int) -> int:
    """What a column's own cells need."""
    own = [cells(row.cells[index]) for row in rows if not _reaches(row, index)]
    return max([cells(columns[index].title), *own])


def _make_room(rows: Sequence[Row], widths: dict[int, int]) -> None:
    """Let the last two columns have what the cells need that reach over both."""
    for row in rows:
        for index in [one for one in widths if _reaches(row, one)]:
            last = index + 1 if index + 1 in widths else index
            short = cells(row.cells[index]) - _reach(widths, index)
            widths[last] += max(short, 0)


def _reach(widths: dict[int, int], index: int) -> int:
    """The columns that a cell has that reaches over the next one, too."""
    return widths[index] + (_GAP + widths[index + 1] if index + 1 in widths else 0)


def _reaches(row: Row, index: int) -> bool:
    return bool(row.cells[index]) and index + 2 == len(row.cells) and not row.cells[index + 1]


def _sum(widths: dict[int, int]) -> int:
    return _GAP + sum(widths.values()) + _GAP * (len(widths) - 1)


def _most_cut(columns: Sequence[Column], widths: dict[int, int]) -> int:
    return sum(max(width - _LEAST, 0) for index, width in widths.items() if columns[index].shrinks)


def _cut(columns: Sequence[Column], widths: dict[int, int], width: int) -> None:
    """Take from the columns that shrink, the widest first, until all fit."""
    while _sum(widths) > width:
        able = [index for index in widths if columns[index].shrinks and widths[index] > _LEAST]
        if not able:
            return
        widths[max(able, key=lambda index: widths[index])] -= 1


def _line(columns: Sequence[Column], row: Row, widths: dict[int, int]) -> Line:
    line = Line()
    column = 0
    for index, width in widths.items():
        column += _GAP
        text = row.cells[index]
        reach = _reach(widths, index) if _reaches(row, index) else width
        piece = Line().add(text, row.styles[index]).cut(reach)
        start = column + (reach - piece.width if columns[index].right else 0)
        line.add(" " * max(start - line.width, 0))
        line.pieces += piece.pieces
        column += width
    return line
