"""A project in a folder with its program in a process, opened as a session over a cloud in memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.events import Diagnostic, Event, Severity, StepStarted
from engine.plan import Op
from engine.project import Project
from engine.run import Options, Outcome
from engine.session import Session
from tests.engine.lifecycle.cloud import Cloud, CloudProvider

HEAD = """\
import pulumi

def thing(name, opts=None, **inputs):
    return pulumi.CustomResource("test:index:Thing", name, {**inputs, "arn": None}, opts)
"""


@dataclass
class Opened:
    """The project; each verb opens the stack ``dev`` anew, as each command does."""

    folder: Path
    cloud: Cloud = field(default_factory=Cloud)
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    events: list[Event] = field(default_factory=list[Event])
    on_event: Callable[[Event], None] = lambda _event: None
    written: int = 0

    def write(self, program: str, *, project: str = "", config: str = "", stack: str = "dev") -> None:
        (self.folder / "Pulumi.yaml").write_text(project or "name: shop\nruntime: python\n")
        path = self.folder / "__main__.py"
        path.write_text(HEAD + program)
        # To Python a file that is as long as before and of the same second is the same file.
        self.written += 1
        os.utime(path, (self.written, self.written))
        if config:
            (self.folder / f"Pulumi.{stack}.yaml").write_text(config)

    def session(self, stack: str = "dev") -> Session:
        factories = {"test": lambda: CloudProvider(self.cloud)}
        return Session.open(Project.load(self.folder), stack, factories, environment=self.environment)

    def preview(self, stack: str = "dev", **options: Any) -> Outcome:
        session = self.session(stack)
        return self.run(lambda: session.preview(self.emit, Options(**options)))

    def up(
        self, session: Session | None = None, *, agree: bool = True, parallel: int = 1, **options: Any
    ) -> Outcome:  # fmt: skip
        opened = session or self.session()
        return self.run(lambda: opened.up(self.emit, Options(parallel=parallel, **options), lambda _preview: agree))

    def destroy(self, session: Session | None = None, **options: Any) -> Outcome:
        opened = session or self.session()
        return self.run(lambda: opened.destroy(self.emit, Options(parallel=1, **options), lambda _preview: True))

    def refresh(self, session: Session | None = None) -> Outcome:
        opened = session or self.session()
        return self.run(lambda: opened.refresh(self.emit, Options(parallel=1), lambda _preview: True))

    def run(self, work: Callable[[], Awaitable[Outcome]]) -> Outcome:
        self.events.clear()

        async def within() -> Outcome:
            return await asyncio.wait_for(work(), 60)

        return asyncio.run(within())

    def emit(self, event: Event) -> None:
        self.events.append(event)
        self.on_event(event)

    @property
    def said(self) -> str:
        return "\n".join(event.message for event in self.events if isinstance(event, Diagnostic))

    @property
    def errors(self) -> Sequence[str]:
        return [
            event.message for event in self.events if isinstance(event, Diagnostic) and event.severity is Severity.ERROR
        ]

    @property
    def started(self) -> list[Op]:
        return [event.step.op for event in self.events if isinstance(event, StepStarted)]

    def files(self) -> dict[str, bytes]:
        """What lies below ``.bedplate``, but for what comes and goes with a run."""
        below = self.folder / ".bedplate"
        return {
            str(path.relative_to(below)): path.read_bytes()
            for path in below.rglob("*") if path.is_file() and not path.name.endswith(".flock")
        }  # fmt: skip
