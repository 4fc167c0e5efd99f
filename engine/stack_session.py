"""A stack that is open, whichever engine works on it: what commands ask of ``Session`` and of ``CliSession`` alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Protocol

from engine.analyzer.packs import Packs
from engine.events import Consumer
from engine.project import Project, StackConfig
from engine.run import Options, Outcome
from engine.state.model import Snapshot
from engine.values import Properties

Agree = Callable[[Outcome], bool]


class StackSession(Protocol):
    """``packs`` judge what previews and applies declare. One verb at a time."""

    project: Project
    stack: str
    packs: Packs | None

    @property
    def engine(self) -> str:
        """``embedded`` or ``pulumi``."""
        ...

    @property
    def where(self) -> str:
        """Which engine it is, and where the state lies, in a few words."""
        ...

    @cached_property
    def configuration(self) -> StackConfig:
        """The stack's configuration; what cannot be opened here is unknown."""
        ...

    def snapshot(self) -> Snapshot:
        """The stack as it was last saved."""
        ...

    def outputs(self) -> Properties:
        """The stack's outputs, secrets marked."""
        ...

    async def preview(self, emit: Consumer, options: Options) -> Outcome:
        """What ``up`` would do."""
        ...

    async def preview_destroy(self, emit: Consumer, options: Options) -> Outcome:
        """What ``destroy`` would do."""
        ...

    async def preview_refresh(self, emit: Consumer, options: Options) -> Outcome:
        """How what exists differs from the state."""
        ...

    def plan_text(self, outcome: Outcome, options: Options) -> str:
        """The file of the plan that the last preview has made, in Pulumi's form."""
        ...

    async def up(self, emit: Consumer, options: Options, agree: Agree) -> Outcome:
        """Bring the stack to what the program declares; ``agree`` sees the preview and may say no."""
        ...

    async def destroy(self, emit: Consumer, options: Options, agree: Agree) -> Outcome:
        """Delete everything that the stack has."""
        ...

    async def refresh(self, emit: Consumer, options: Options, agree: Agree) -> Outcome:
        """Bring the state to what exists."""
        ...

    def cancel(self) -> None:
        """Finish what is in flight, start nothing new. For the first Ctrl-C."""
        ...

    def abandon(self) -> None:
        """Stop at once. For the second Ctrl-C."""
        ...
