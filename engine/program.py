"""Starting a Pulumi program in a process of its own, passing on what it prints, ending it with all it started."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from engine import direct_line, waiting_host

FAILED_AND_SAID_SO: Final = 32
LONGEST_LINE: Final = 1 << 24  # bytes
_GRACE_SECONDS: Final = 2.0


@dataclass(frozen=True)
class Program:
    """A program to run: where it lies, whose Python runs it, and the stack that it is run for.

    ``root`` is the folder of ``Pulumi.yaml``; ``folder`` is where the program runs, ``entry`` what is run there.
    """

    root: Path
    folder: Path
    entry: str
    project: str
    stack: str
    config: Mapping[str, str]
    secret_keys: Sequence[str] = ()
    python: Path = Path(sys.executable)
    environment: Mapping[str, str] | None = None

    @property
    def shown_config(self) -> dict[str, str]:
        """The configuration as it may be shown."""
        return {key: "[secret]" if key in self.secret_keys else value for key, value in self.config.items()}


class ProgramProcess:
    """The running program. ``on_line`` receives each line that it prints, and whether to standard error."""

    def __init__(self, program: Program, on_line: Callable[[str, bool], None]) -> None:
        self._program = program
        self._on_line = on_line
        self._process: subprocess.Popen[bytes] | None = None
        self._ended: asyncio.Future[int] | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._line: asyncio.Transport | None = None

    async def start(self, address: str, monitor: object, *, preview: bool, parallel: int, debug: bool) -> None:
        """Start the program; ``address`` is where ``monitor``, which answers its calls, listens for gRPC."""
        program = self._program
        order = {
            "monitor": address,
            "project": program.project,
            "stack": program.stack,
            "root": str(program.root),
            "pwd": str(program.folder),
            "program": program.entry,
            "config": dict(program.config),
            "secret_keys": list(program.secret_keys),
            "preview": preview,
            "parallel": parallel,
            "debug": debug,
        }
        # The order goes through a socket, not the command line, where every user of the machine could read the config.
        host = waiting_host.take(program.python, program.root, program.environment)
        self._process = host.process
        self._ended = _end_of(host.process)
        self._readers = [
            asyncio.create_task(self._pass_on(await _reader(host.process.stdout), stderr=False)),
            asyncio.create_task(self._pass_on(await _reader(host.process.stderr), stderr=True)),
        ]
        self._line = await direct_line.connect(host.line, monitor, json.dumps(order).encode())

    async def _pass_on(self, stream: asyncio.StreamReader, *, stderr: bool) -> None:
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # longer than the limit: what was read of it is dropped, and the program goes on
                self._on_line(f"(a line of more than {LONGEST_LINE >> 20} MiB is not shown)", stderr)
                continue
            if not line:
                return
            self._on_line(line.decode(errors="replace").rstrip("\n"), stderr)

    async def wait(self) -> int:
        """The program's exit code; a negative one is the signal that ended it."""
        assert self._ended is not None, "the program was started"
        code = await asyncio.shield(self._ended)
        # A grandchild may hold the pipes open for ever; what the program itself printed is here by then.
        await asyncio.wait(self._readers, timeout=_GRACE_SECONDS)
        return code

    async def stop(self) -> None:
        """End the program and everything that it started; first by request, then by force."""
        for reader in self._readers:
            reader.cancel()
        if self._ended is None:
            return
        if not self._ended.done():
            self._signal(signal.SIGTERM)
            await asyncio.wait({self._ended}, timeout=_GRACE_SECONDS)
        self.kill()
        await asyncio.shield(self._ended)
        if self._line is not None:
            self._line.close()

    def kill(self) -> None:
        """End the program's whole process group at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


def _end_of(process: subprocess.Popen[bytes]) -> asyncio.Future[int]:
    """The exit code of a process, when it has one; a thread waits for it, since the loop has not started it."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def wait() -> None:
        code = process.wait()
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody asks any more
            loop.call_soon_threadsafe(lambda: ended.done() or ended.set_result(code))

    threading.Thread(target=wait, name="end of the program", daemon=True).start()
    return ended


async def _reader(pipe: IO[bytes] | None) -> asyncio.StreamReader:
    assert pipe is not None, "a pipe was asked for"
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader
