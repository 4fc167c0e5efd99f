"""What is to be imported: resources that exist already, by type, name and id, as a command line or a file names them.

The file has the form of Pulumi's bulk import (``pulumi import --file``). What it leaves out is filled in as Pulumi's
CLI does: ``name`` and ``logicalName`` stand for each other, a parent and a provider are names of ``nameTable`` or of
the file's own resources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine import urn as urns
from engine.values import Properties, Value


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with what was asked for: ``path`` in the file, ``line`` of it (0: not known)."""

    path: str
    message: str
    advice: str = ""
    line: int = 0


class BadImport(Exception):
    """What is to be imported is not said, or said wrongly; ``problems`` has all of it."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> list[str]:
        if not self.source:
            return [f"{one.message}{_indented(one.advice)}" for one in self.problems]
        many = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        lines = [f"{self.source}: {many}"]
        for one in self.problems:
            place = ", ".join(part for part in (one.path, f"line {one.line}" if one.line else "") if part)
            lines.append(f"  {place + ': ' if place else ''}{one.message}{_indented(one.advice)}")
        return lines


def _indented(advice: str) -> str:
    return f"\n    {advice}" if advice else ""


@dataclass(frozen=True)
class Wanted:
    """One resource to import. ``parent`` and ``provider`` are URNs, "" for the stack and the default provider.

    ``inputs`` fill in what the provider cannot read; with ``outputs``
    the provider is not asked at all. ``properties`` are the inputs to take, empty for all.
    """

    type: str
    name: str
    id: str = ""
    urn: str = ""
    parent: str = ""
    provider: str = ""
    version: str = ""
    plugin_download_url: str = ""
    protect: bool = True
    properties: tuple[str, ...] = ()
    component: bool = False
    inputs: Properties = field(default_factory=dict[str, Value])
    outputs: Properties = field(default_factory=dict[str, Value])

    @property
    def is_provider(self) -> bool:
        return urns.is_provider_type(self.type)


@dataclass(frozen=True)
class Request:
    """Everything that one import is about: ``names`` maps URNs to what the code calls them."""

    resources: tuple[Wanted, ...]
    names: Mapping[str, str]
