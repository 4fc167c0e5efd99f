"""Lines of styled text that know how wide they are on a terminal. No rich: it would cost every command 0.1 s."""

from __future__ import annotations

import enum
import functools
import textwrap
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

ELLIPSIS: Final = "…"
_RESET: Final = "\x1b[0m"
_ZERO_WIDTH: Final = frozenset({"Mn", "Me", "Cf"})


class Writer(Protocol):
    """Where lines are written."""

    def write(self, text: str, /) -> int: ...

    def flush(self) -> None: ...


class Style(enum.Enum):
    """What a piece of text is, and how that looks (SGR parameters)."""

    PLAIN = ""
    STRONG = "1"
    DIM = "2"
    GREEN = "32"
    YELLOW = "33"
    RED = "31"
    MAGENTA = "35"
    CYAN = "36"
    ERROR = "1;31"


@dataclass
class Line:
    """One line: pieces of text, each with its style."""

    pieces: list[tuple[str, Style]] = field(default_factory=list[tuple[str, Style]])

    def add(self, text: object, style: Style = Style.PLAIN) -> Line:
        """Append ``text``, with what could move the cursor made visible."""
        self.pieces.append((clean(str(text)), style))
        return self

    def pad(self, column: int) -> Line:
        """Spaces up to ``column``, and at least two."""
        return self.add(" " * max(column - self.width, 2))

    @property
    def plain(self) -> str:
        return "".join(text for text, _ in self.pieces)

    @property
    def width(self) -> int:
        return sum(cells(text) for text, _ in self.pieces)

    def cut(self, width: int) -> Line:
        """The line in at most ``width`` columns, an ellipsis where something is missing."""
        if self.width <= width:
            return self
        kept: list[tuple[str, Style]] = []
        room = width - 1
        for text, style in self.pieces:
            fitting = fit(text, room)
            kept.append((fitting, style))
            room -= cells(fitting)
            if fitting != text:
                break
        last = kept[-1]
        kept[-1] = (last[0].rstrip() + ELLIPSIS, last[1])
        return Line(kept)

    def render(self, *, color: bool) -> str:
        if not color:
            return self.plain.rstrip()
        return "".join(
            f"\x1b[{style.value}m{text}{_RESET}" if style.value and text else text for text, style in self.pieces
        )


def line(text: object = "", style: Style = Style.PLAIN) -> Line:
    return Line().add(text, style)


def cells(text: str) -> int:
    """How many columns ``text`` takes."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


@functools.cache
def _cells(character: str) -> int:
    if unicodedata.category(character) in _ZERO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fit(text: str, room: int) -> str:
    """The longest beginning of ``text`` that takes at most ``room`` columns."""
    if cells(text) <= room:
        return text
    taken = 0
    for index, character in enumerate(text):
        taken += _cells(character)
        if taken > room:
            return text[:index]
    return text


def clean(text: str) -> str:
    """``text`` with control and direction characters written out: a resource's name must not steer the terminal."""
    if text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character == "\t":
        return "    "
    if character.isprintable() or unicodedata.category(character) in ("Zs", "Mn", "Me") or character == "\u200d":
        return character
    return f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04x}"


def write(lines: Iterable[Line], stream: Writer, *, color: bool) -> None:
    """Write lines and flush them."""
    stream.write("".join(one.render(color=color) + "\n" for one in lines))
    stream.flush()


def wrapped(text: str, first: str, width: int, style: Style = Style.PLAIN) -> list[Line]:
    """``text`` below the beginning of its first line; a word that is too long is cut."""
    found = textwrap.wrap(text, max(width - len(first), 20), break_long_words=False, break_on_hyphens=False)
    indent = " " * len(first)
    return [Line().add((indent if index else first) + one, style).cut(width) for index, one in enumerate(found)]
