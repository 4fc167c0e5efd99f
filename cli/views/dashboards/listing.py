"""A list of dashboards: a table for people, a document for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from cli.screen import VERSION
from cli.views.columns import Column, Row, table
from cli.views.lines import Line, Style
from stacks.dashboards import Board

_COLUMNS: Final = (
    Column("dashboard"),
    Column("folder", optional=2),
    Column("panels", right=True),
    Column("variables", optional=1),
    Column("what it shows", shrinks=True),
)


def render(boards: Sequence[Board], *, width: int) -> Iterable[Line]:
    """A line for each, and how many there are."""
    yield from table(_COLUMNS, [_row(board) for board in boards], width=width)
    yield Line()
    yield Line().add(f"  {len(boards)} dashboards, {sum(map(_panels, boards))} panels", Style.DIM)


def _row(board: Board) -> Row:
    variables = ", ".join(each.label for each in board.variables)
    cells = (board.uid, board.folder.title, str(_panels(board)), variables, board.description)
    return Row(cells, (Style.PLAIN, Style.DIM, Style.PLAIN, Style.DIM, Style.PLAIN))


def _panels(board: Board) -> int:
    return sum(len(section.panels) for section in board.sections)


def document(environment: str, boards: Iterable[Board]) -> dict[str, Any]:
    """``version`` comes first; whoever reads it must ignore properties that they don't know."""
    return {"version": VERSION, "environment": environment, "dashboards": [_of(board) for board in boards]}


def _of(board: Board) -> dict[str, Any]:
    return {
        "uid": board.uid,
        "title": board.title,
        "folder": board.folder.title,
        "description": board.description,
        "panels": _panels(board),
        "variables": [each.label for each in board.variables],
        "tags": list(board.tags),
    }
