"""What the parity suite runs: cases, each a list of runs over one stack, each run a program that is data.

A program maps labels to declarations, in the order in which they are registered:

    a: {key: 1}                                    a resource ``test:index:Thing`` named ``a`` with an input ``key``
    b: {is: Named, of: "${a.arn}"}                 another type; what it takes from ``a``
    c: {is: component, options: {parent: p}}       ``shop:index:Part``; ``component:Other`` is ``shop:index:Other``
    d: {is: provider, region: here}                an explicit provider, used by ``options: {provider: d}``
    e: {read: "a-1"}                               ``Resource.get``
    f: {is: call, function: lookup, name: x}       a function; ``${f.answer}`` is what it answers
    g: {is: outputs, of: c, url: "${b.arn}"}       the component ``c`` says what its outputs are

``named`` gives a name other than the label. Values are JSON; ``${label.output}``, alone or within text, is taken from
another declaration (``id`` and ``urn`` too), ``{secret: x}`` is a secret, ``{asset: text}``, ``{file: path}``,
``{archive: path}`` and ``{assets: {...}}`` are assets and archives, ``{ref: label}`` is a resource itself.
Options have the names of Pulumi's Python SDK; where one names resources, it takes labels. ``transform`` names some of
the run's transforms, and the option ``hooks`` some of its hooks by when they run (``callbacks``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

Declaration: TypeAlias = Mapping[str, Any]
CASES: Final = Path(__file__).parent / "cases"
PROJECT: Final = "shop"
STACK: Final = "dev"
ROOT_NAME: Final = f"{PROJECT}-{STACK}"
_ADDED: Final = ("transforms", "stack_transforms", "invoke_transforms", "hooks")
RESERVED: Final = frozenset({"is", "named", "options", "read", "transform"})


@dataclass(frozen=True)
class Run:
    """One run of one verb: its program, what goes wrong in it, and what had changed in the cloud before it.

    ``faults`` are those of ``Cloud``. ``drift`` maps ids or names to the inputs that somebody gave them, or to None for
    what somebody deleted. ``flags`` are those of the command: ``targets``, ``replace``, ``continue_on_error`` ...
    """

    program: Mapping[str, Declaration] = field(default_factory=dict[str, Declaration])
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    verb: str = "up"
    faults: Mapping[str, str] = field(default_factory=dict[str, str])
    drift: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict[str, Any])
    flags: Mapping[str, Any] = field(default_factory=dict[str, Any])
    config: Mapping[str, str] = field(default_factory=dict[str, str])
    raises: bool = False
    transforms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    stack_transforms: Sequence[str] = ()
    invoke_transforms: Sequence[str] = ()
    hooks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])


@dataclass(frozen=True)
class Case:
    """Runs that follow one another on one stack and one cloud. ``differs`` names what is known to differ, and why."""

    name: str
    says: str
    runs: Sequence[Run]
    exists: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Any])
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    differs: str = ""

    @property
    def digest(self) -> str:
        """What a recorded expectation was made for; another one means that it has to be recorded again."""
        content = [[_told(run) for run in self.runs], self.exists, self.files]
        text = json.dumps(content, separators=(",", ":"))  # in order: that of a program is part of it
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _told(run: Run) -> Mapping[str, Any]:
    """All of ``run``, without what was added to runs since and is not used: what is recorded stays good."""
    return {name: value for name, value in asdict(run).items() if value or name not in _ADDED}


def load(path: Path) -> list[Case]:
    """The cases of one file: documents, each with ``case``, ``says`` and ``runs``."""
    return [_case(document) for document in yaml.load_all(path.read_text(), yaml.CSafeLoader)]


def hand_written() -> list[Case]:
    """All cases in ``cases/``, by their files' names and then in their order."""
    return [case for path in sorted(CASES.glob("*.yaml")) for case in load(path)]


def _case(document: Mapping[str, Any]) -> Case:
    known = {"case", "says", "runs", "exists", "files", "differs"}
    assert set(document) <= known, f"{document.get('case')}: unknown {set(document) - known}, expected {known}"
    runs = [Run(**run) for run in document["runs"]]
    rest = {key: value for key, value in document.items() if key not in ("case", "says", "runs")}
    return Case(document["case"], document["says"], runs, **rest)


def without(run: Run, label: str) -> Run:
    """``run`` with one declaration less."""
    return replace(run, program={key: value for key, value in run.program.items() if key != label})
