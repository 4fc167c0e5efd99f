"""The history of a stack: a line for each update, and its message below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from cli.screen import VERSION
from cli.views.lines import Line, Style
from cli.views.report import duration
from engine.state.history import Past

_STYLES: Final = {"succeeded": Style.GREEN, "failed": Style.RED}
_SIGNS: Final = {"create": "+", "update": "~", "delete": "-", "replace": "+-", "import": "=", "read": ">"}


def listing(updates: Sequence[Past], there: int, *, width: int) -> list[Line]:
    """``updates`` of the ``there`` that there are."""
    if not updates:
        return [Line().add("  nothing was done to this stack yet", Style.DIM)]
    kinds = max(len(one.kind) for one in updates)
    lines: list[Line] = []
    for one in updates:
        lines.append(_line(one, kinds).cut(width))
        if one.message:
            lines.append(Line().add(f"        {one.message.splitlines()[0]}", Style.DIM).cut(width))
    if there > len(updates):
        lines.append(Line().add(f"  and {there - len(updates)} older ones (--limit 0 shows all)", Style.DIM))
    return lines


def _line(one: Past, kinds: int) -> Line:
    line = Line().add(f"{one.number:>5}  {_moment(one.start):%Y-%m-%d %H:%M} UTC  ", Style.DIM)
    line.add(f"{one.kind:<{kinds}}  ").add(f"{one.result:<11}", _STYLES.get(one.result, Style.YELLOW))
    line.add(f"{_took(one):>8}  ").add(f"{_counted(one.changes)}  " if one.changes else "").add(one.who, Style.DIM)
    return line


def _took(one: Past) -> str:
    seconds = one.end - one.start
    if one.start <= 0 or seconds < 0:
        return ""
    return f"{seconds} s" if seconds < 10 else duration(seconds)


def _counted(changes: Mapping[str, int]) -> str:
    counts = {op: count for op, count in changes.items() if count and op != "same"}
    return " ".join(f"{_SIGNS.get(op, f'{op} ')}{count}" for op, count in counts.items()) or "no changes"


def _moment(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):  # a clock that was far off
        return datetime.fromtimestamp(0, UTC)


def document(stack: str, updates: Sequence[Past], faults: Sequence[str]) -> dict[str, Any]:
    """The same for JSON. The configuration that an update had is left out: it may hold secrets."""
    return {
        "version": VERSION, "stack": stack, "updates": [_described(one) for one in updates], "unreadable": list(faults),
    }  # fmt: skip


def _described(one: Past) -> dict[str, Any]:
    return {
        "number": one.number, "kind": one.kind, "result": one.result, "message": one.message, "who": one.who,
        "startTime": _moment(one.start).isoformat(), "endTime": _moment(one.end).isoformat(),
        "seconds": max(one.end - one.start, 0), "changes": dict(one.changes), "environment": dict(one.environment),
    }  # fmt: skip
