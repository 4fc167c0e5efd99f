"""Starting a Pulumi program in a process of its own, passing on what it prints, ending it with all it started."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOST_SCRIPT: Final = Path(__file__).parent / "host" / "program.py"
FAILED_AND_SAID_SO: Final = 32
BYTECODE_FOLDER: Final = Path(".bedplate") / "cache" / "python"
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


class ProgramProcess:
    """The running program. ``on_line`` receives each line that it prints, and whether to standard error."""

    def __init__(self, program: Program, on_line: Callable[[str, bool], None]) -> None:
        self._program = program
        self._on_line = on_line
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []

    async def start(self, address: str, *, preview: bool, parallel: int, debug: bool) -> None:
        """Start the program; ``address`` is where the resource monitor listens."""
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
            "fast": os.environ.get("BEDPLATE_UNPATCHED_SDK", "") == "",
        }
        # A session of its own: Ctrl-C in the terminal reaches the engine alone, which decides about the program.
        # The order goes through a pipe, not the command line, where every user of the machine could read the config.
        self._process = await asyncio.create_subprocess_exec(
            str(program.python), "-u", str(HOST_SCRIPT),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=self._environment(), start_new_session=True, limit=LONGEST_LINE,
        )  # fmt: skip
        assert self._process.stdin and self._process.stdout and self._process.stderr, "pipes were asked for"
        self._process.stdin.write(json.dumps(order).encode())
        self._process.stdin.close()
        self._readers = [
            asyncio.create_task(self._pass_on(self._process.stdout, stderr=False)),
            asyncio.create_task(self._pass_on(self._process.stderr, stderr=True)),
        ]

    def _environment(self) -> dict[str, str]:
        environment = dict(os.environ if self._program.environment is None else self._program.environment)
        for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
            environment.pop(name, None)  # the program has its config decrypted already
        environment["GRPC_ENABLE_FORK_SUPPORT"] = "0"
        if environment.pop("PYTHONDONTWRITEBYTECODE", ""):
            # Compiling pulumi_aws anew costs each run two seconds; this still keeps bytecode out of the sources.
            environment["PYTHONPYCACHEPREFIX"] = str(self._program.root / BYTECODE_FOLDER)
        return environment

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
        assert self._process is not None, "the program was started"
        code = await self._process.wait()
        # A grandchild may hold the pipes open for ever; what the program itself printed is here by then.
        await asyncio.wait(self._readers, timeout=_GRACE_SECONDS)
        return code

    async def stop(self) -> None:
        """End the program and everything that it started; first by request, then by force."""
        process = self._process
        for reader in self._readers:
            reader.cancel()
        if process is None:
            return
        if process.returncode is None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _GRACE_SECONDS)
        self.kill()
        await process.wait()

    def kill(self) -> None:
        """End the program's whole process group at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
