"""The policy packs of one command: which they are, how each is configured, and the processes that they share.

Usage: make it as early as can be and call ``prepare`` (its imports take a moment, which others can use); ``judging``
gives what one run is judged by; ``close`` ends everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine.analyzer.client import Limits
from engine.analyzer.environment import StackFacts
from engine.analyzer.findings import PackInfo, PolicyConfig
from engine.analyzer.judgement import Judgement
from engine.analyzer.pack import FILE_NAMES, PackFolder
from engine.analyzer.processes import Processes
from engine.events import Consumer

OWN: Final = Path("policies")  # where a project's packs lie, each in a folder of its own
EXAMPLE: Final = "example"  # shown to those who write packs; it judges nothing


def own_packs(root: Path) -> list[Path]:
    """The folders of the packs that lie in the project at ``root``; they judge it unless somebody says otherwise."""
    folders = sorted(path for path in (root / OWN).glob("*") if any((path / name).is_file() for name in FILE_NAMES))
    return [folder for folder in folders if folder.name != EXAMPLE]


@dataclass(frozen=True)
class ChosenPack:
    """A pack that is to judge, and what its policies are configured with."""

    folder: PackFolder
    config: Mapping[str, PolicyConfig] = field(default_factory=dict[str, PolicyConfig])


class Packs:
    """What one command is judged by."""

    def __init__(self, chosen: Sequence[ChosenPack], limits: Limits | None = None) -> None:
        self._chosen = chosen
        self._limits = limits or Limits()
        self._processes = Processes()

    def prepare(self) -> None:
        """Start what the packs are forked from; needs no event loop."""
        if any(pack.folder.shares_our_python for pack in self._chosen):
            self._processes.start_host()

    def judging(self, stack: StackFacts, emit: Consumer, redact: Callable[[str], str]) -> Judgement:
        """What one run over ``stack`` is judged by; each run has its packs started anew, as Pulumi does."""
        return Judgement(
            [(pack.folder, pack.config) for pack in self._chosen], stack, self._processes, self._limits, emit, redact
        )

    @property
    def chosen(self) -> Sequence[ChosenPack]:
        """Which packs there are."""
        return self._chosen

    async def described(self, stack: StackFacts) -> Sequence[PackInfo]:
        """What the packs say that they are, of those that can be started."""
        judgement = self.judging(stack, lambda _event: None, lambda text: text)
        judgement.begin()
        try:
            return await judgement.asked()
        finally:
            await judgement.end()

    def kill(self) -> None:
        """End all packs at once; for an engine that is about to end itself."""
        self._processes.kill()

    async def close(self) -> None:
        """End all packs."""
        await self._processes.close()
