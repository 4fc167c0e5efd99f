"""Policy packs written into a folder, started, and asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from engine.analyzer.client import Analyzer, Limits, started
from engine.analyzer.environment import StackFacts
from engine.analyzer.findings import AnalyzedResource, PolicyConfig
from engine.analyzer.processes import Processes
from engine.values import Properties

T = TypeVar("T")

SMALL = """\
from pulumi_policy import *

def small(args, report):
    if "size" in args.props and args.props["size"] > args.get_config().get("limit", 3):
        report(f"{args.props['size']:g} is too big")

def named(args, report):
    for resource in args.resources:
        if resource.name.startswith("bad"):
            report("its name is bad", resource.urn)

PolicyPack("sizes", [
    ResourceValidationPolicy(
        "small", "Things are small", small, enforcement_level=EnforcementLevel.MANDATORY, severity=Severity.HIGH,
        config_schema=PolicyConfigSchema({"limit": {"type": "number", "minimum": 1, "default": 3}}),
    ),
    StackValidationPolicy("named", "Things have good names", named),
])
"""


def write(folder: Path, program: str = SMALL, project: str = "runtime: python\nversion: 1.2.3\n") -> Path:
    """A pack with ``program`` in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "PulumiPolicy.yaml").write_text(project)
    (folder / "__main__.py").write_text(program)
    return folder


def thing(name: str = "one", /, type_: str = "test:index:Thing", **properties: object) -> AnalyzedResource:
    return AnalyzedResource(f"urn:pulumi:dev::shop::{type_}::{name}", type_, name, Properties(properties))


@dataclass
class Asking:
    """Packs that share one host, as those of one command do: each is written, started, asked one question and ended."""

    folder: Path
    runner: asyncio.Runner
    processes: Processes
    pack: Path = Path()
    lines: list[str] = field(default_factory=list[str])  # what the last pack has printed

    def __call__(
        self,
        program: str,
        question: Callable[[Analyzer], Awaitable[T]],
        *,
        config: Mapping[str, PolicyConfig] | None = None,
        stack: StackFacts | None = None,
        limits: Limits | None = None,
    ) -> T:
        """The answer of a pack with ``program`` to ``question``."""
        self.pack = write(self.folder / "pack", program)
        self.lines.clear()

        async def within() -> T:
            async with started(
                self.pack, stack or StackFacts("shop", "dev"), config,
                processes=self.processes, limits=limits, on_line=self.lines.append,
            ) as analyzer:  # fmt: skip
                return await question(analyzer)

        return self.runner.run(within())


def ask(pack: Path, question: Callable[[Analyzer], Awaitable[T]]) -> T:
    """The answer of ``pack``, with processes of its own that are gone afterwards."""

    async def within() -> T:
        async with started(pack, StackFacts("shop", "dev")) as analyzer:
            return await question(analyzer)

    return asyncio.run(within())
