"""What the doctor has found, for the eye: by group, with what to do about what is not there."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from cli.doctor.check import Check, State
from cli.views.lines import Line, Style

_LOOKS: Final = {State.OK: ("✓", Style.GREEN), State.MISSING: ("-", Style.DIM), State.BROKEN: ("!", Style.YELLOW)}
_NAMES: Final = 26  # columns, the marker included


def report(checks: Sequence[Check], width: int) -> Iterator[Line]:
    """All checks, then what they come to."""
    for group, members in groupby(checks, key=lambda check: check.group):
        yield Line().add(group, Style.STRONG)
        for check in members:
            yield from _one(check, width)
        yield Line()
    yield _summary(checks)


def _one(check: Check, width: int) -> Iterator[Line]:
    marker, style = _LOOKS[check.state]
    if check.essential and check.state is not State.OK:
        marker, style = "✗", Style.ERROR
    line = Line().add("  ").add(marker, style).add(" ").add(check.name).pad(_NAMES)
    column = line.width
    room = max(width - column, 20)
    first, *rest = _wrapped(check.detail or str(check.state), room) or [""]
    yield line.add(first, Style.PLAIN if check.state is State.OK else style)
    further = list(rest)
    if check.state is not State.OK:
        further += _wrapped(f"for {check.needed_for}", room) if check.needed_for else []
        verb = "get it" if check.state is State.MISSING else "mend it"
        further += _wrapped(f"{verb}: {check.how_to_get}", room) if check.how_to_get else []
    yield from (Line().add(" " * column).add(text, Style.DIM) for text in further)


def _wrapped(text: str, room: int) -> list[str]:
    return textwrap.wrap(text, room, break_on_hyphens=False)


def _summary(checks: Sequence[Check]) -> Line:
    broken = [check.name for check in checks if check.essential and check.state is not State.OK]
    if broken:
        return Line().add("Bedplate does not work here: ", Style.ERROR).add(", ".join(broken))
    missing = sum(check.state is not State.OK for check in checks)
    text = "Bedplate works here" + (f"; {missing} of what it can use is missing or broken" if missing else "")
    return Line().add(text, Style.GREEN)
