"""A stack that stands in a project's folder, without anything having been run for it, and commands about it.

The commands run in this process: they are many, and each is about files only.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from cli import screen
from cli.main import application
from cli.terminal import Terminal
from engine.state.model import ResourceState, Snapshot
from engine.state.secrets import Keyring
from engine.state.storage import StackStore, open_stack
from tests.engine.state.stacks import PASSPHRASE
from tests.integration.commands import Ended

VARIABLES = {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
SEEN = {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "xterm"}


@dataclass
class Standing:
    """The project ``shop`` with its stack ``dev``; the state is written and read past all commands."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        (self.folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
        (self.folder / "Pulumi.dev.yaml").write_text("config: {}\n")

    @property
    def root(self) -> Path:
        return self.folder / ".bedplate" / "state"

    @property
    def store(self) -> StackStore:
        return self.store_of("dev")

    def store_of(self, stack: str, project: str = "shop") -> StackStore:
        return open_stack(self.root, project, stack, Keyring(stack, PASSPHRASE))

    @property
    def checkpoint(self) -> Path:
        return self.store.path

    def save(self, snapshot: Snapshot) -> None:
        store = self.store
        store.load()
        store.save(snapshot)

    @property
    def snapshot(self) -> Snapshot:
        return self.store.load() or Snapshot()

    def named(self, name: str) -> ResourceState:
        (found,) = (one for one in self.snapshot.resources if one.urn.endswith(f"::{name}"))
        return found

    def run(self, *arguments: str, given: str = "", **variables: str) -> Ended:
        """Run a command that nobody watches; ``given`` is its standard input."""
        return self._run(arguments, given, variables, Terminal(False, False, False, SEEN))

    def ask(self, answer: str, *arguments: str, **variables: str) -> Ended:
        """Run a command on a terminal, where somebody answers."""
        return self._run(arguments, answer, variables, Terminal(True, True, True, SEEN))

    def _run(self, arguments: tuple[str, ...], given: str, variables: dict[str, str], terminal: Terminal) -> Ended:
        out, err = io.StringIO(), io.StringIO()
        with (
            tempfile.TemporaryFile("w+") as stdin,  # a true file: who asks waits for its descriptor
            self._environment(variables),
            mock.patch.object(screen, "of_process", lambda: terminal),
            mock.patch("sys.stdin", stdin),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            stdin.write(given)
            stdin.seek(0)
            code = _code_of(arguments)
        return Ended(code, out.getvalue(), err.getvalue())

    @contextlib.contextmanager
    def _environment(self, variables: dict[str, str]) -> Generator[None]:
        kept = {name: one for name, one in os.environ.items() if not name.startswith(("PULUMI_", "BEDPLATE_", "AWS_"))}
        ours = {**VARIABLES, "BEDPLATE_CWD": str(self.folder), "BEDPLATE_ENGINE": "embedded"}
        with mock.patch.dict(os.environ, {**kept, **ours, **self.variables, **variables}, clear=True):
            yield


def _code_of(arguments: tuple[str, ...]) -> int:
    try:
        application()(args=list(arguments), prog_name="bedplate")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0
