"""Running the `pulumi` command: short questions that are waited for, and long verbs whose events are followed.

``pulumi.automation`` finds and checks the command and runs the short ones. Its ``Stack`` does not run the long ones: it
selects the stack for the user's other terminals, hears events through a class that raises at what it does not know,
and leaves the CLI in our process group, where Ctrl-C reaches it twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from engine.pulumi_cli.errors import GET_IT, BadInvocation, CliMissing, of_output

if TYPE_CHECKING:
    from pulumi.automation import PulumiCommand

NAME: Final = "pulumi"
Payload: TypeAlias = Mapping[str, Any]
Take: TypeAlias = Callable[[Payload], None]
_LONGEST_LINE: Final = 1 << 26  # bytes; an event carries a resource's whole state twice
GRACE_SECONDS: Final = 5.0
# The first makes `--event-log` known to the CLI, the second keeps its advice to update out of what it says.
VARIABLES: Final = {"PULUMI_DEBUG_COMMANDS": "true", "PULUMI_SKIP_UPDATE_CHECK": "true"}


def on_path() -> bool:
    """Whether there is a command of that name at all."""
    return shutil.which(NAME) is not None


@dataclass(frozen=True)
class Ended:
    """A command that has ended. ``said`` is what it wrote to standard error."""

    code: int
    said: str


class Cli:
    """The command, for one stack of the project in ``folder``. One long verb at a time."""

    def __init__(self, folder: Path, stack: str) -> None:
        self._folder = folder
        self._stack = stack
        self._process: asyncio.subprocess.Process | None = None
        self._interrupts = 0
        self.grace_seconds = GRACE_SECONDS

    @cached_property
    def _command(self) -> PulumiCommand:
        """Raises CliMissing, or BadInvocation where it is too old for the SDK."""
        from pulumi.automation import InvalidVersionError, PulumiCommand  # here: it takes a second to import

        try:
            return PulumiCommand()
        except FileNotFoundError:
            raise CliMissing(f"there is no `{NAME}` command on PATH\n  {GET_IT}") from None
        except InvalidVersionError as error:
            raise BadInvocation(f"{error}\n  {GET_IT}") from error
        except (OSError, subprocess.CalledProcessError) as error:
            raise CliMissing(f"`{NAME} version` failed: {error}\n  {GET_IT}") from error

    @property
    def version(self) -> str:
        return str(self._command.version or "of an unknown version")

    def ask(self, *arguments: str, of_stack: bool = True) -> str:
        """What a short command writes. Raises PulumiError."""
        from pulumi.automation.errors import CommandError

        try:
            done = self._command.run([*arguments, *self._about(of_stack)], str(self._folder), VARIABLES)
        except CommandError as error:
            raise of_output(_said(error), self._stack) from None
        return done.stdout

    def tell(self, given: str, *arguments: str) -> None:
        """Run a short command that reads ``given`` from its standard input. Raises PulumiError."""
        done = subprocess.run(  # noqa: S603
            [self._command.command, *arguments, *self._about(True), "--non-interactive"],
            cwd=self._folder, env={**os.environ, **VARIABLES}, input=given.encode(), capture_output=True, check=False,
            start_new_session=True,
        )  # fmt: skip
        if done.returncode:
            raise of_output(done.stderr.decode(errors="replace"), self._stack)

    def _about(self, of_stack: bool) -> list[str]:
        return ["--stack", self._stack] if of_stack else []

    async def follow(self, arguments: Sequence[str], take: Take, folder: Path) -> Ended:
        """Run a long command to its end; ``take`` gets each of its events as it comes, in the form of the wire.

        ``folder`` is for its use alone, and readable by nobody else.
        """
        given = [*arguments, *self._about(True), "--non-interactive", "--color", "never", "--exec-kind", "auto.local"]
        with EventPipe(folder) as pipe, tempfile.TemporaryFile() as said:
            hearing = asyncio.create_task(pipe.hear(take))
            # In a session of its own: Ctrl-C in the terminal is ours, and the CLI gets it from us, once.
            # Its standard output is for eyes; and were it a pipe, the CLI would die with us in the middle of its work.
            process = self._process = await asyncio.create_subprocess_exec(
                self._command.command, *given, "--event-log", str(pipe.path), cwd=self._folder,
                env={**os.environ, **VARIABLES}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
                start_new_session=True,
            )  # fmt: skip
            for _ in range(self._interrupts):  # that came while it was being started
                self._signal(process)
            try:
                code = await process.wait()
            finally:
                pipe.end()
            await hearing
            said.seek(0)
            return Ended(code, said.read().decode(errors="replace"))

    def interrupt(self) -> None:
        """What Ctrl-C is to the CLI: the first time it finishes what is in progress, the second it stops at once."""
        self._interrupts += 1
        if self._process is not None:
            self._signal(self._process)

    def _signal(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGINT)

    def end_now(self) -> None:
        """Have it stop at once, and end it where it does not: nothing of it may go on when we are gone."""
        self.interrupt()
        process = self._process
        if process is None or process.returncode is not None:
            return
        deadline = time.monotonic() + self.grace_seconds
        while time.monotonic() < deadline:
            if not _lives(process.pid):
                return
            time.sleep(0.05)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


# Reads a line from its input, which we write when all is well. Where we are gone without, it reads the pipe, which it
# has as its output, in our place until the CLI has ended, and takes the folder away.
_STAND_IN: Final = 'read -r _ || { cat <&1 >/dev/null; rm -rf -- "$1"; }'


class EventPipe:
    """A named pipe in a folder, that the CLI writes its events into; a context manager.

    Nothing of them is ever on a disk. The CLI opens it for reading, too, so that without a reader it would not be told
    of its end but wait for ever once the pipe is full, in the middle of an update and deaf to signals. So a process
    that outlives us reads on where we are killed: the CLI finishes what it is at, writes it down and gives its lock
    back. (Source: Pulumi 3.260, ``startEventLogger`` of ``pkg/backend/display``.)
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "events"
        os.mkfifo(self.path, 0o600)
        self._reading = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self._writing: int | None = os.open(self.path, os.O_WRONLY)  # as long as it is open, there is no end of file
        self._stand_in = self._started(folder)

    def _started(self, folder: Path) -> subprocess.Popen[bytes]:
        """The process that reads where we don't any more; whoever ends our process group does not end it."""
        reading = os.open(self.path, os.O_RDONLY)
        try:
            return subprocess.Popen(  # noqa: S603
                ["/bin/sh", "-c", _STAND_IN, "sh", str(folder)],
                stdin=subprocess.PIPE, stdout=reading, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(reading)

    def __enter__(self) -> EventPipe:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._stand_in.communicate(b"\n")

    def end(self) -> None:
        """Nobody writes any more: ``hear`` ends when it has read what is there."""
        if self._writing is not None:
            os.close(self._writing)
            self._writing = None

    async def hear(self, take: Take) -> None:
        """Hand over each event. What is no JSON object is left out: a line that was cut off by the CLI's end.

        Where ``take`` breaks, the rest is read all the same, as the CLI would wait for ever for a pipe that is full;
        what it broke with is raised at the end.
        """
        broke: Exception | None = None
        reader = asyncio.StreamReader(limit=_LONGEST_LINE)
        pipe = os.fdopen(self._reading, "rb", buffering=0)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        while True:
            try:
                line = await reader.readline()
            except ValueError:  # longer than the limit: it is left out
                continue
            if not line:
                break
            event = _parsed(line)
            if isinstance(event, dict) and broke is None:
                try:
                    take(event)
                except Exception as error:  # noqa: BLE001 - it is raised below
                    broke = error
        if broke is not None:
            raise broke


def _lives(pid: int) -> bool:
    """Whether a process runs; one that has ended is nobody's child long, as a thread waits for it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _said(error: Exception) -> str:
    """What the command wrote to standard error; the SDK's exception holds it in its text only."""
    return str(error).rpartition("\n stderr: ")[2]
