"""Progress: a status that is redrawn in place on a terminal, one line per event where the output is piped."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from cli.views.lines import Line, Style, Writer, write
from cli.views.markers import HALVES, LOOKS, is_default_provider, short_type
from cli.views.report import duration, message
from engine import urn as urns
from engine.events import (
    Diagnostic,
    Event,
    ProgramOutput,
    RunEnded,
    RunStarted,
    Severity,
    StepDone,
    StepFailed,
    StepSkipped,
    StepStarted,
)
from engine.plan import Op, Step

SHOWN: Final = 8  # operations in progress that the status names
REFRESH_SECONDS: Final = 0.1


class Progress(Protocol):
    """A consumer of events that shows them as they come."""

    def __call__(self, event: Event) -> None: ...

    def tick(self) -> None:
        """Draw anew, as time has passed."""
        ...

    def say(self, text: str) -> None:
        """Show a line of our own."""
        ...

    def close(self) -> None:
        """Take away what is not to stay."""
        ...


class Silent:
    """Shows nothing: the report at the end says it all."""

    def __call__(self, event: Event) -> None:
        """Nothing to show."""

    def tick(self) -> None:
        """Nothing to draw."""

    def say(self, text: str) -> None:
        """Nothing to show."""

    def close(self) -> None:
        """Nothing to take away."""


class Plain:
    """One line per event that a reader of a log wants: what was done, what failed, what the program said.

    What an operation waits for is such a line, whenever it is something else: a log is all that a reader in CI has.
    """

    def __init__(self, stream: Writer, *, color: bool, debug: bool = False) -> None:
        self._stream = stream
        self._color = color
        self._debug = debug
        self._preview = True
        self._waits: dict[str, str] = {}  # what the running ones wait for, as it was told last

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._preview = event.preview
        lines = [*self._waited(event), *said(event, preview=self._preview, debug=self._debug)]
        if lines:
            write(lines, self._stream, color=self._color)

    def _waited(self, event: Event) -> Iterator[Line]:
        if isinstance(event, StepStarted):
            self._waits[event.step.urn] = ""
        elif isinstance(event, StepDone | StepFailed):
            self._waits.pop(event.step.urn, None)
        elif isinstance(event, Diagnostic) and event.ephemeral:
            line = _first_line(event.message)
            if line and self._waits.get(event.urn, line) != line:
                self._waits[event.urn] = line
                yield Line().add(f"     {urns.name_of(event.urn)} waits: {line}", Style.DIM)

    def tick(self) -> None:
        """A log shows no passing of time."""

    def say(self, text: str) -> None:
        write([Line().add(text)], self._stream, color=self._color)

    def close(self) -> None:
        """Everything stays."""


class Live:
    """The status below the lines that stay: done of how many, what is in progress and for how long.

    ``width`` is asked at each drawing, since a terminal may be resized; what was drawn is taken away by counting the
    rows that it takes at the width of now.
    """

    def __init__(
        self, stream: Writer, width: Callable[[], int], *, color: bool, debug: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._stream = stream
        self._width = width
        self._color = color
        self._debug = debug
        self._clock = clock
        self._drawn: list[int] = []  # widths of the lines of the status
        self._running: dict[str, tuple[Step, float]] = {}
        self._ephemeral = ""
        self._waits: dict[str, str] = {}  # what the running ones wait for
        self._preview, self._active = True, False
        self._done, self._total, self._decided = 0, 0, 0
        self._started = clock()
        self._refreshed = 0.0

    def __call__(self, event: Event) -> None:
        self._take(event)
        lines = said(event, preview=self._preview, debug=self._debug, live=True)
        if lines:
            self._above(lines)
        elif isinstance(event, RunEnded):
            self.close()
        elif self._clock() - self._refreshed >= REFRESH_SECONDS:
            self.tick()

    def _take(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            # What the preview has decided is what the apply has to do.
            self._preview, self._active, self._total = event.preview, True, self._decided
            self._running, self._waits, self._done, self._decided, self._started = {}, {}, 0, 0, self._clock()
        elif isinstance(event, StepStarted):
            self._running[event.step.urn] = (event.step, self._clock())
        elif isinstance(event, StepDone | StepFailed):
            self._running.pop(event.step.urn, None)
            self._waits.pop(event.step.urn, None)
            counts = not is_default_provider(event.step.urn) and event.step.op not in HALVES
            changes = counts and event.step.op is not Op.SAME
            self._decided += changes
            self._done += counts if self._preview else changes
        elif isinstance(event, Diagnostic) and event.ephemeral:
            line = _first_line(event.message)
            if event.urn in self._running:
                self._waits[event.urn] = line
            else:
                self._ephemeral = line
        elif isinstance(event, RunEnded):
            self._active, self._ephemeral = False, ""

    def tick(self) -> None:
        if self._active:
            self._stream.write(self._erasure() + self._status())
            self._stream.flush()
            self._refreshed = self._clock()

    def say(self, text: str) -> None:
        self._above([Line().add(text)])

    def close(self) -> None:
        self._stream.write(self._erasure())
        self._stream.flush()

    def _above(self, lines: list[Line]) -> None:
        self._stream.write(self._erasure())
        write(lines, self._stream, color=self._color)
        self.tick()

    def _erasure(self) -> str:
        """What takes the status away. Its last line has no line feed, so the cursor stands on its last row."""
        if not self._drawn:
            return ""
        width = self._width()
        rows = sum(max(math.ceil(one / width), 1) for one in self._drawn)
        self._drawn = []
        return "\r" + (f"\x1b[{rows - 1}A" if rows > 1 else "") + "\x1b[J"

    def _status(self) -> str:
        width = self._width() - 1  # a full last column would wrap on some terminals
        lines = [line.cut(width) for line in self.status()]
        self._drawn = [line.width for line in lines]
        return "\n".join(line.render(color=self._color) for line in lines)

    def status(self) -> list[Line]:
        """The status as lines: the operations that have run longest, then the sum."""
        now = self._clock()
        running = sorted(self._running.values(), key=lambda one: one[1])
        lines = [
            line for step, since in running[:SHOWN] for line in _operation(step, now - since, self._waits.get(step.urn))
        ]
        if len(running) > SHOWN:
            lines.append(Line().add(f"  and {len(running) - SHOWN} more", Style.DIM))
        what = "previewing" if self._preview else "applying"
        of = f" of {self._total}" if self._total and not self._preview else ""
        tally = Line().add(f"{what}  ", Style.STRONG).add(f"{self._done}{of} done  ")
        tally.add(duration(now - self._started), Style.DIM)
        if self._ephemeral:
            tally.add(f"  {self._ephemeral}", Style.DIM)
        return [*lines, tally]


def _operation(step: Step, elapsed: float, waits: str | None) -> Iterator[Line]:
    look = LOOKS[step.op]
    line = Line().add(f"  {look.marker} ", look.style).add(urns.name_of(step.urn))
    yield line.add(f"  {short_type(step.type)}  {look.doing}  ", Style.DIM).add(duration(elapsed))
    if waits:
        yield Line().add(f"      {waits}", Style.DIM)


def said(event: Event, *, preview: bool, debug: bool = False, live: bool = False) -> list[Line]:
    """The lines that an event leaves in a log. A preview's decisions leave none: its report shows them.

    In a live display (``live``) the beginning of an operation leaves none either: the status shows it.
    """
    if isinstance(event, ProgramOutput):
        return [Line().add("  │ ", Style.DIM).add(event.text)]
    if isinstance(event, Diagnostic):
        return _diagnostic(event, debug)
    if isinstance(event, StepFailed):
        return [
            _step_line(event.step, f"{LOOKS[event.step.op].doing} failed after {duration(event.seconds)}", Style.ERROR)
        ]
    if isinstance(event, StepSkipped):
        because = urns.name_of(event.because)
        why = f"{because} still needs it" if event.still_needed else f"it needs {because}"
        text = f"  {urns.name_of(event.urn)}: left alone, {why}"
        return [Line().add(text, Style.YELLOW)]
    if preview or not isinstance(event, StepStarted | StepDone) or not _worth_saying(event.step):
        return []
    if isinstance(event, StepDone):
        took = f" ({duration(event.seconds)})" if event.seconds >= 0.05 else ""
        return [_step_line(event.step, LOOKS[event.step.op].done + took, Style.PLAIN)]
    return (
        [] if live or not event.step.state.custom else [_step_line(event.step, LOOKS[event.step.op].doing, Style.DIM)]
    )


def _worth_saying(step: Step) -> bool:
    return step.op not in (Op.SAME, Op.REPLACE) and not is_default_provider(step.urn)


def _step_line(step: Step, text: str, style: Style) -> Line:
    look = LOOKS[step.op]
    line = Line().add(f"  {look.marker:<2} ", look.style).add(urns.name_of(step.urn))
    return line.add(f"  {short_type(step.type)}  ", Style.DIM).add(text, style)


def _diagnostic(event: Diagnostic, debug: bool) -> list[Line]:
    if event.ephemeral or (event.severity is Severity.DEBUG and not debug):
        return []
    lines = list(message(event, "  "))
    if event.urn:
        name = urns.name_of(event.urn)
        lines[0].pieces.insert(1, (f"{name}: ", Style.STRONG))
    return lines


def _first_line(message: str) -> str:
    return message.splitlines()[0] if message else ""
