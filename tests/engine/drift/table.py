"""What somebody changes behind a stack's back, as files tell it: ``tests/cases/drift/aws/<service>.yaml``.

    resources:
      queue:                             # its name; prerequisites are resources to which nothing happens
        type: aws:sqs/queue:Queue
        inputs: {name: drift-queue}      # documents may be written as YAML; ${vpc.id}: of another resource; in
                                         # calls also ${CreateX.X.XId}: of what a call before it answered
        secret: [value]                  # inputs that the program gives as secrets
        drifts:                          # one after the other, each repaired before the next
          - sqs.SetQueueAttributes: {QueueUrl: "${id}", Attributes: {DelaySeconds: "5"}}    # or a list of such
            shows: [delaySeconds]        # exactly the paths that differ then; tags.X says tagsAll.X too, a.{b,c} both
        lasting: [...]                   # as drifts, in the end: what AWS lets nobody change back
        gone: {sqs.DeleteQueue: {QueueUrl: "${id}"}}    # deleted, after all else
        goes_with: topic                 # or: is gone where that is deleted
    unseen:                              # properties of a type that no case can change, each with its reason
      aws:sqs/queue:Queue: {"rules[*].prefix": the emulator stores no prefix}

A path that ``unseen`` names stands for all below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml

from engine import paths
from engine.providers.aws import registry
from engine.providers.aws.difference import TAGS
from engine.providers.aws.schema import Field, ListOf, MapOf, Object
from engine.providers.aws.spec import Spec

TABLES = Path(__file__).parents[2] / "cases" / "drift" / "aws"
Calls = tuple[tuple[str, str, Mapping[str, Any]], ...]


@dataclass(frozen=True)
class Drift:
    """Calls past the engine, and the paths at which what they change is seen."""

    calls: Calls
    shows: tuple[str, ...]


@dataclass(frozen=True)
class Declared:
    """A resource of the stack, with all that happens to it."""

    name: str
    type: str
    inputs: Mapping[str, Any]
    secret: tuple[str, ...] = ()
    drifts: tuple[Drift, ...] = ()
    lasting: tuple[Drift, ...] = ()
    gone: Calls = ()
    goes_with: str = ""

    @property
    def lost(self) -> bool:
        return bool(self.gone or self.goes_with)


@dataclass(frozen=True)
class Table:
    """One file."""

    resources: tuple[Declared, ...]
    unseen: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])


@cache
def load(path: Path) -> Table:
    source: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    declared = (
        Declared(
            name, one["type"], one.get("inputs", {}), tuple(one.get("secret", ())),
            _drifts(one, "drifts"), _drifts(one, "lasting"),
            _calls(one.get("gone", {})), one.get("goes_with", ""),
        )
        for name, one in source["resources"].items()
    )  # fmt: skip
    return Table(tuple(declared), source.get("unseen", {}))


def _drifts(one: Mapping[str, Any], key: str) -> tuple[Drift, ...]:
    return tuple(Drift(_calls(drift), _shows(one["type"], drift["shows"])) for drift in one.get(key, ()))


def _calls(written: Mapping[str, Any]) -> Calls:
    found: list[tuple[str, str, Mapping[str, Any]]] = []
    for key, value in written.items():
        if key != "shows":
            service, _, operation = key.partition(".")
            listed = cast("list[Mapping[str, Any]]", value if isinstance(value, list) else [value])
            found += [(service, operation, params) for params in listed]
    return tuple(found)


def _shows(type_: str, written: list[str]) -> tuple[str, ...]:
    spec = registry.load(type_)
    assert spec is not None, f"the table names {type_}, of which there is no specification"
    plain = [path for one in written for path in _each(one)]
    along = [f"tagsAll{path.removeprefix('tags')}" for path in plain if spec.taggable and path.startswith("tags.")]
    return (*plain, *along)


def _each(written: str) -> Iterator[str]:
    """``a.{b,c}`` as what it stands for: ``a.b`` and ``a.c``."""
    if not (found := re.search(r"\{([^{}]*)\}", written)):
        yield written
        return
    for choice in found[1].split(","):
        yield from _each(written[: found.start()] + choice + written[found.end() :])


def files() -> list[Path]:
    return sorted(TABLES.glob("*.yaml"))


def shown(type_: str) -> set[str]:
    """The paths of a type that some file shows as drift; indices are ``[*]``, keys of maps ``.*``."""
    spec = registry.load(type_)
    assert spec is not None
    return {
        _pattern(spec, path)
        for file in files()
        for one in load(file).resources
        if one.type == type_
        for drift in (*one.drifts, *one.lasting)
        for path in drift.shows
    }


def reasons(type_: str) -> dict[str, str]:
    """Why what is not shown can't be, by path."""
    return {path: why for file in files() for path, why in load(file).unseen.get(type_, {}).items()}


def deleted(type_: str) -> bool:
    return any(one.lost for file in files() for one in load(file).resources if one.type == type_)


def updatable(spec: Spec) -> list[str]:
    """Every property that AWS keeps and that can be changed in place, down to the last member."""
    replacing = [paths.parse(pattern) for pattern in spec.replace_on]
    return [
        path
        for path in _leaves(spec.inputs)
        if str(paths.parse(path)[0]) not in spec.local
        and path not in spec.set_by_aws
        and not any(paths.contains(pattern, paths.parse(path)) for pattern in replacing)
    ]


def _leaves(fields: Mapping[str, Field], prefix: str = "") -> Iterator[str]:
    for name, declared in fields.items():
        inner, path = declared.type, prefix + name
        while isinstance(inner, ListOf | MapOf):
            path += "[*]" if isinstance(inner, ListOf) else ".*"
            inner = inner.item
        if isinstance(inner, Object) and inner.fields:
            yield from _leaves(inner.fields, path + ".")
        else:
            yield path


def _pattern(spec: Spec, path: str) -> str:
    parts: list[str] = []
    inner: Any = Object({**spec.inputs, "tagsAll": TAGS} if spec.taggable else spec.inputs)
    for part in paths.parse(path):
        if isinstance(inner, ListOf | MapOf):
            parts.append("[*]" if isinstance(inner, ListOf) else ".*")
            inner = inner.item
        elif isinstance(inner, Object):
            parts.append(f".{part}" if parts else str(part))
            inner = inner.fields[str(part)].type
    return "".join(parts)
