"""Starting policy packs as processes, hearing what they print, ending them with all that they have started.

A pack that our own interpreter runs is forked from one host (``engine.analyzer.host``) that has the Pulumi SDK imported
already; one with a virtual environment of its own is started there. Ctrl-C in the terminal reaches none of them: they
live in sessions of their own, and the engine ends them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from engine.analyzer.errors import PackFailed
from engine.analyzer.line import SERVED, Channel, Connection, Line
from engine.analyzer.pack import PackFolder

HOST_SCRIPT: Final = Path(__file__).parent / "host.py"
_KEPT_LINES: Final = 40  # of what a pack prints, for the error that it may end in
_LONGEST_LINE: Final = 1 << 20  # bytes
_GRACE_SECONDS: Final = 1.0
_KILLED: Final = -int(signal.SIGKILL)

OnLine = Callable[[str], None]


class PackProcess:
    """One pack that runs: what it prints, and its end. ``exited`` gets its exit code; a negative one is a signal."""

    def __init__(
        self, pack: PackFolder, kill: Callable[[], None], on_line: OnLine, line: socket.socket | None = None
    ) -> None:
        self.pack = pack
        self._line = line
        self.exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._first: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._kill = kill
        self._on_line = on_line
        self._readers: list[asyncio.Task[None]] = []

    def listen(self, output: asyncio.StreamReader, errors: asyncio.StreamReader) -> None:
        self._readers = [asyncio.create_task(self._hear(output)), asyncio.create_task(self._hear(errors, first=False))]

    async def _hear(self, stream: asyncio.StreamReader, *, first: bool = True) -> None:
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # longer than the limit: what was read of it is dropped, and the pack goes on
                continue
            if not line:
                return
            text = line.decode(errors="replace").rstrip("\n")
            if first and not self._first.done():
                self._first.set_result(text)
                continue
            self._lines.append(text)
            self._on_line(text)

    async def connected(self, seconds: float) -> Connection:
        """The way to ask the pack, which its first words tell. Raises PackFailed, and ends it, where it has none."""
        try:
            await asyncio.wait({self._first, self.exited}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if self._first.done():
                return await self._connected(self._first.result())
            if self.exited.done():
                raise PackFailed(f"could not start: {await self.end_told()}")
            raise PackFailed(
                f"did not start within {seconds:g} s and was ended: expected the number of its port on standard "
                f"output, as PolicyPack(...) prints it{self.printed()}"
            )
        except BaseException:
            self.kill()
            raise

    async def _connected(self, text: str) -> Connection:
        if text == SERVED and self._line is not None:
            line, self._line = self._line, None
            return await Line.over(line)
        self._hang_up()
        shown = "".join(letter for letter in text if letter.isprintable()).strip()
        if shown.isdecimal() and 0 < int(shown) < 65536:
            return Channel(int(shown))
        raise PackFailed(
            f"printed {shown[:80]!r} where the number of its port was expected: is it a policy pack? "
            f"It must print nothing before it calls PolicyPack(...){self.printed()}"
        )

    async def end_told(self) -> str:
        """How the pack ended, with what it printed last; to be asked of one that has ended or is about to."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self.exited), _GRACE_SECONDS)
        if not self.exited.done():
            return "it does not answer any more" + self.printed()
        # A process that it left behind may hold the pipes open for ever; what the pack itself printed is here by then.
        await asyncio.wait(self._readers, timeout=_GRACE_SECONDS)
        code = self.exited.result()
        how = f"it was ended by signal {-code}" if code < 0 else f"it exited with code {code}"
        return how + self.printed()

    def printed(self) -> str:
        """What the pack printed last, to be put behind a message; "" when it printed nothing."""
        return "".join(f"\n  {line}" for line in self._lines)

    def kill(self) -> None:
        if not self.exited.done():
            self._kill()

    def close(self) -> None:
        """Stop listening; for a pack that has been ended."""
        self._hang_up()
        for reader in self._readers:
            reader.cancel()

    def _hang_up(self) -> None:
        """Close the line that nobody has taken."""
        if self._line is not None:
            self._line.close()


class Processes:
    """Starts packs and ends them all; the host is started as early as there is somebody to wait for it.

    ``start_host`` needs no event loop: its imports take most of a second, which whoever has more to do can use.
    """

    def __init__(self) -> None:
        self._host: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        self._ordering = threading.Lock()  # orders that are given at the same time must not mix
        self._reports: asyncio.Task[None] | None = None
        self._forked: dict[int, PackProcess] = {}
        self._spawned: list[asyncio.subprocess.Process] = []
        self._waiting: list[asyncio.Task[None]] = []
        self._pipes: list[asyncio.ReadTransport] = []

    def start_host(self) -> None:
        """Start the process that packs are forked from, once."""
        if self._host is not None:
            return
        ours, theirs = socket.socketpair()
        with theirs:
            self._host = subprocess.Popen(  # noqa: S603 - our own interpreter and script
                [sys.executable, "-u", str(HOST_SCRIPT), str(theirs.fileno())],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, pass_fds=[theirs.fileno()], start_new_session=True,
                env={**os.environ, "GRPC_ENABLE_FORK_SUPPORT": "0"},
            )  # fmt: skip
        self._orders = ours

    async def start(
        self, pack: PackFolder, environment: Mapping[str, str], address: str, on_line: OnLine
    ) -> PackProcess:
        """Start a pack. Raises PackFailed where that cannot be; whether it then serves, its ``port`` tells."""
        if pack.shares_our_python:
            return await self._fork(pack, environment, address, on_line)
        return await self._spawn(pack, environment, address, on_line)

    async def _fork(
        self, pack: PackFolder, environment: Mapping[str, str], address: str, on_line: OnLine
    ) -> PackProcess:
        self.start_host()
        if self._reports is None:
            self._reports = asyncio.create_task(self._hear_host())
        number = len(self._forked)
        line, their_line = socket.socketpair()
        process = self._forked[number] = PackProcess(pack, lambda: self._order({"end": number}), on_line, line)
        output, their_output = os.pipe()
        errors, their_errors = os.pipe()
        try:
            process.listen(await self._reader(output), await self._reader(errors))
            order = {
                "number": number,
                "folder": str(pack.folder),
                "entry": str(pack.entry),
                "address": address,
                "environment": dict(environment),
            }
            # In a thread: as long as the host imports, it takes no more than its buffer holds.
            await asyncio.to_thread(self._order, order, (their_output, their_errors, their_line.fileno()))
        finally:
            their_line.close()
            os.close(their_output)
            os.close(their_errors)
        return process

    def _order(self, order: Mapping[str, Any], descriptors: tuple[int, ...] = ()) -> None:
        text = json.dumps(order).encode()
        if self._orders is None:
            return
        # It may be gone: its end says so to whoever waits for a pack.
        with self._ordering, contextlib.suppress(OSError):
            socket.send_fds(self._orders, [len(text).to_bytes(4, "big")], descriptors)
            self._orders.sendall(text)

    async def _hear_host(self) -> None:
        assert self._host is not None and self._host.stdout is not None, "the host was started with a pipe"
        reports = await self._reader(os.dup(self._host.stdout.fileno()))
        while line := await reports.readline():
            report = json.loads(line)
            if "broken" in report:
                _failed(self._forked.values(), report["broken"])
            else:
                _ended(self._forked[report["ended"]], report["code"])
        for process in self._forked.values():
            _ended(process, _KILLED)

    async def _spawn(
        self, pack: PackFolder, environment: Mapping[str, str], address: str, on_line: OnLine
    ) -> PackProcess:
        try:
            spawned = await asyncio.create_subprocess_exec(
                str(pack.python), "-u", "-m", "pulumi.policy", address, str(pack.entry),
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                cwd=pack.folder, env=dict(environment), start_new_session=True, limit=_LONGEST_LINE,
            )  # fmt: skip
        except OSError as error:
            raise PackFailed(f"could not be started by {pack.python}: {error.strerror}") from error
        assert spawned.stdout is not None and spawned.stderr is not None, "pipes were asked for"
        self._spawned.append(spawned)
        process = PackProcess(pack, lambda: _kill_group(spawned.pid), on_line)
        process.listen(spawned.stdout, spawned.stderr)
        self._waiting.append(asyncio.create_task(_wait(spawned, process)))
        return process

    async def _reader(self, descriptor: int) -> asyncio.StreamReader:
        """A stream over the reading end of a pipe."""
        reader = asyncio.StreamReader(limit=_LONGEST_LINE)
        pipe = os.fdopen(descriptor, "rb", buffering=0)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        self._pipes.append(transport)
        return reader

    def kill(self) -> None:
        """End everything at once; for an engine that is about to end itself."""
        if self._host is not None:
            _kill_group(self._host.pid)
        for spawned in self._spawned:
            _kill_group(spawned.pid)

    async def close(self) -> None:
        """End everything that was started, and wait for it."""
        self.kill()
        for spawned in self._spawned:
            await spawned.wait()
        if self._host is not None:
            self._host.wait()
            assert self._host.stdout is not None and self._orders is not None, "the host has both"
            self._host.stdout.close()
            self._orders.close()
        for task in (*self._waiting, *([self._reports] if self._reports else ())):
            task.cancel()
        for process in self._forked.values():
            process.close()
        for pipe in self._pipes:
            pipe.close()
        await asyncio.sleep(0)  # the loop closes what was closed in its next turn
        self._host = self._orders = self._reports = None


def _failed(processes: Any, why: str) -> None:
    for process in processes:
        if not process.exited.done():
            process.exited.set_exception(PackFailed(why))


def _ended(process: PackProcess, code: int) -> None:
    if not process.exited.done():
        process.exited.set_result(code)


async def _wait(spawned: asyncio.subprocess.Process, process: PackProcess) -> None:
    _ended(process, await spawned.wait())


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
