"""An interpreter for a program, started before it is known what it is to run.

Importing the Pulumi SDK does not depend on the program, and takes as long as the command line takes to read its
arguments: so that starts the interpreter first thing, and ``up`` starts the second one while the first plan is looked
at. One that is not needed after all ends with the socket that it waits at. It imports the SDK and nothing else, though
the last run could tell what else is needed: the providers' SDKs are not the same when imported in another order.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from collections.abc import Generator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOST_SCRIPT: Final = Path(__file__).parent / "host" / "program.py"
BYTECODE_FOLDER: Final = Path(".bedplate") / "cache" / "python"


@dataclass(frozen=True)
class WaitingHost:
    """A process that has imported the SDK, or is about to; its standard input is the other end of ``line``."""

    python: Path
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes]
    line: socket.socket

    @classmethod
    def start(cls, python: Path, environment: Mapping[str, str]) -> WaitingHost:
        """Start one. Raises OSError where that Python can't be run."""
        # A session of its own: Ctrl-C in the terminal reaches the engine alone, which decides about the program.
        line, theirs = socket.socketpair()
        with theirs:
            try:
                process = subprocess.Popen(  # noqa: S603 - the project's own Python
                    [str(python), "-u", str(HOST_SCRIPT)], env=dict(environment), start_new_session=True,
                    stdin=theirs.fileno(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                )  # fmt: skip
            except BaseException:
                line.close()
                raise
        return cls(python, environment, process, line)

    def discard(self) -> None:
        """End it unused."""
        self.process.kill()
        self.line.close()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self.process.wait()


# What was started ahead and nobody has taken yet, for whoever runs a program in this context; at most one.
_ahead: ContextVar[list[WaitingHost] | None] = ContextVar("ahead", default=None)


def start_ahead(python: Path, root: Path, environment: Mapping[str, str] | None = None) -> None:
    """Start an interpreter for the next program; where that fails, whoever needs it will hear why."""
    _discard_ahead()
    with contextlib.suppress(OSError):
        _ahead.set([WaitingHost.start(python, environment_of(root, environment))])


@contextlib.contextmanager
def started_ahead(python: Path, root: Path) -> Generator[None]:
    """While it is found out whether a program is to run, its interpreter starts."""
    start_ahead(python, root)
    try:
        yield
    finally:
        _discard_ahead()


def _discard_ahead() -> None:
    """End the one that was started ahead and nobody has taken."""
    for waiting in _taken():
        waiting.discard()


def take(python: Path, root: Path, environment: Mapping[str, str] | None = None) -> WaitingHost:
    """The one that was started ahead, where it is as asked for; else a new one. Raises OSError."""
    wanted = environment_of(root, environment)
    for waiting in _taken():
        if (waiting.python, waiting.environment) == (python, wanted):
            return waiting
        waiting.discard()
    return WaitingHost.start(python, wanted)


def _taken() -> list[WaitingHost]:
    """What waits, which from now on is the caller's: tasks share the list, where each has a context of its own."""
    waiting = _ahead.get() or []
    taken = list(waiting)
    waiting.clear()
    return taken


def environment_of(root: Path, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of a program below ``root``: those ``given``, else ours, without what is only the engine's."""
    environment = dict(os.environ if given is None else given)
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        environment.pop(name, None)  # the program has its config decrypted already
    environment["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    if environment.pop("PYTHONDONTWRITEBYTECODE", ""):
        # Compiling pulumi_aws anew costs each run two seconds; this still keeps bytecode out of the sources.
        environment["PYTHONPYCACHEPREFIX"] = str(root / BYTECODE_FOLDER)
    return environment
