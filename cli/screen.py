"""Where a command writes: the result to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any, Final

from cli.requests.manner import Manner
from cli.streams import Tolerant
from cli.terminal import Terminal, of_process
from cli.views.lines import Line, Style, write

VERSION: Final = (
    1  # of the JSON documents; it grows when a property goes or means something else, not when one is added
)


class Screen:
    """The terminal of this process with the colours that were asked for."""

    def __init__(self, manner: Manner, terminal: Terminal | None = None) -> None:
        self.terminal = terminal or of_process()
        self.color = self.terminal.color(manner.color.value)
        self.error_color = self.terminal.color(manner.color.value, stderr=True)
        self.out = Tolerant(sys.stdout, needed=True)
        self.err = Tolerant(sys.stderr)

    @property
    def width(self) -> int:
        return self.terminal.width()

    def show(self, lines: Iterable[Line]) -> None:
        """Lines of the result."""
        write(lines, self.out, color=self.color)

    def write(self, text: str) -> None:
        """The result as it is."""
        self.out.write(text)
        self.out.flush()

    def document(self, content: Any) -> None:
        """The result as one JSON document."""
        self.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def tell(self, text: str, style: Style = Style.PLAIN) -> None:
        """Something beside the result."""
        write([Line().add(one, style) for one in text.splitlines()], self.err, color=self.error_color)

    def notes(self, lines: Iterable[Line]) -> None:
        """Lines beside the result."""
        write(lines, self.err, color=self.error_color)

    def error(self, text: str) -> None:
        """One message about what went wrong."""
        first, *rest = text.splitlines() or [""]
        lines = [Line().add("error: ", Style.ERROR).add(first), *(Line().add(one) for one in rest)]
        write(lines, self.err, color=self.error_color)
