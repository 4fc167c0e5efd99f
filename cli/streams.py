"""Standard streams that outlive their reader: with ``| head``, a command ends as if everything had been read."""

from __future__ import annotations

import os
from typing import TextIO

from cli.exits import CommandError, ExitCode


class Tolerant:
    """Passes text on to ``stream`` until nobody reads it any more.

    Where it can't be written (a full disk), a result that is ``needed`` raises CommandError; anything else is dropped:
    progress that can't be shown must not stop what is in progress.
    """

    def __init__(self, stream: TextIO, *, needed: bool = False) -> None:
        self._stream = stream
        self._needed = needed

    def write(self, text: str, /) -> int:
        try:
            return self._stream.write(text)
        except UnicodeEncodeError:
            encoding = self._stream.encoding
            return self._stream.write(text.encode(encoding, "replace").decode(encoding))
        except OSError as error:
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """Point the stream's descriptor at nothing, so that the interpreter's own flush at the end finds no pipe."""
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self._stream.fileno())
        os.close(nothing)
        if self._needed and not isinstance(error, BrokenPipeError):
            raise CommandError(f"the result can't be written: {error.strerror}", ExitCode.FAILED)
