"""The progress of a build: a line that is redrawn on a terminal, a line now and then where the output is piped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final

from cli.views.lines import Line, Style, Writer, write
from cli.views.report import duration

if TYPE_CHECKING:
    from engine.sandbox.native.building import Progress

REFRESH_SECONDS: Final = 0.2
LOG_SECONDS: Final = 20.0  # between two lines of a log that say that it goes on


class Building:
    """Shows what is being got or compiled, how much of how much, and for how long. Use it as a context."""

    def __init__(
        self, stream: Writer, width: Callable[[], int], *, color: bool, live: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._stream = stream
        self._width = width
        self._color = color
        self._live = live
        self._clock = clock
        self._started = clock()
        self._written = 0.0
        self._shown: Progress | None = None
        self._drawn = False
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def __call__(self, progress: Progress) -> None:
        with self._lock:
            begins = self._shown is None or (self._shown.tool_set, self._shown.what) != (
                progress.tool_set,
                progress.what,
            )
            self._shown = progress
            if begins or self._due():
                self._write()

    def __enter__(self) -> Building:
        # Linking says nothing for half a minute: time must pass on the screen all the same.
        threading.Thread(target=self._tick, name="progress", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        with self._lock:
            if self._drawn:
                self._stream.write("\r\x1b[K")
                self._stream.flush()

    def _tick(self) -> None:
        while not self._ended.wait(REFRESH_SECONDS):
            with self._lock:
                if self._shown and self._due() and not self._ended.is_set():
                    self._write()

    def _due(self) -> bool:
        return self._clock() - self._written >= (REFRESH_SECONDS if self._live else LOG_SECONDS)

    def _write(self) -> None:
        assert self._shown is not None
        line = described(self._shown, self._clock() - self._started)
        self._written = self._clock()
        if self._live:
            cut = line.cut(self._width() - 1)  # a full last column would wrap on some terminals
            self._stream.write("\r" + cut.render(color=self._color) + "\x1b[K")
            self._stream.flush()
            self._drawn = True
        else:
            write([line], self._stream, color=self._color)


def described(progress: Progress, elapsed: float) -> Line:
    """Such as ``building kubernetes  1204 of 2380 packages  3 min 5 s  k8s.io/api/core/v1``."""
    ends = progress.total and progress.done >= progress.total and progress.what == "packages"
    doing, what = ("getting", "modules") if progress.what == "modules" else ("building", "packages")
    line = Line().add(f"{doing} {progress.tool_set}  ", Style.STRONG)
    line.add("linking  " if ends else f"{progress.done} of {progress.total} {what}  ")
    line.add(duration(elapsed), Style.DIM)
    return line if ends or not progress.at else line.add(f"  {progress.at}", Style.DIM)
