"""A plugin that we have started: the port that it prints, what else it says, its end."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from engine.providers.base import ProviderError

KEEPER: Final = Path(__file__).parent / "keeper.py"
_KEPT_LINES: Final = 30  # of what a plugin prints, for the error that it may end in
_GRACE_SECONDS: Final = 1.0  # until what a process that has ended printed last is here
_END_SECONDS: Final = 6.0  # longer than its keeper gives it

OnLine = Callable[[str], None]


class PluginProcess:
    """Starts ``command`` in ``folder``; ``on_line`` gets each line that it prints, from threads of its own.

    ``name`` is what messages call it. Raises ProviderError where it can't be started.
    """

    def __init__(
        self, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str], on_line: OnLine
    ) -> None:
        self._name = name
        self._on_line = on_line
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._first: str | None = None
        self._said_first = threading.Event()
        try:
            # A session of its own: Ctrl-C in the terminal reaches the engine alone, which tells the plugin.
            self._process = subprocess.Popen(  # noqa: S603 - a plugin that the program asks for
                [sys.executable, "-I", "-S", str(KEEPER), *command], cwd=folder, env=dict(environment),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise ProviderError(f"{name} could not be started: {error.strerror}: {error.filename}") from error
        self._readers = [self._reading(self._process.stdout, first=True), self._reading(self._process.stderr)]

    def _reading(self, stream: IO[bytes] | None, *, first: bool = False) -> threading.Thread:
        assert stream is not None, "a pipe was asked for"
        thread = threading.Thread(target=self._read, args=(stream, first), name="plugin's output", daemon=True)
        thread.start()
        return thread

    def _read(self, stream: IO[bytes], first: bool) -> None:
        with contextlib.suppress(OSError, ValueError), stream:  # closed while it was read: nobody listens any more
            for line in stream:
                text = line.decode(errors="replace").rstrip()
                if first and self._first is None:
                    self._first = text
                    self._said_first.set()
                elif text:
                    self._lines.append(text)
                    self._on_line(text)
        if first:
            self._said_first.set()

    def port(self, seconds: float) -> int:
        """The port that it serves at: the first line of its standard output. Raises ProviderError where it is none."""
        said = self._said_first.wait(seconds)
        if self._first is not None:
            shown = "".join(letter for letter in self._first if letter.isprintable()).strip()
            if shown.isdecimal() and 0 < int(shown) < 65536:
                return int(shown)
            raise ProviderError(
                f"{self._name} printed {shown[:80]!r} where the number of its port was expected: is it a provider "
                f"of Pulumi's?{self._printed()}"
            )
        if said:
            raise ProviderError(f"{self._name} could not start: {self.ending()}")
        raise ProviderError(
            f"{self._name} printed no port within {seconds:g} s and was ended: expected its number as the first line "
            f"of standard output{self._printed()}"
        )

    def ending(self) -> str:
        """How it has ended, with what it printed last."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_SECONDS)
        code = self._process.poll()
        if code is None:
            return f"it runs and does not answer{self._printed()}"
        for reader in self._readers:
            reader.join(_GRACE_SECONDS)
        how = f"it was ended by signal {code - 128}" if code > 128 else f"it exited with code {code}"
        return how + self._printed()

    def _printed(self) -> str:
        return "".join(f"\n  {line}" for line in self._lines)

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def ask_to_end(self) -> None:
        """Have it end; its keeper sees to it even when it does not want to."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def close(self) -> None:
        """End it and wait for that."""
        self.ask_to_end()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join(_GRACE_SECONDS)
