"""A rule: one function, what it judges, and what people need to know of it."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, Self

from policies.kit.findings import Finding
from policies.kit.resources import Resource, Stack, matches

Severity = Literal["low", "medium", "high", "critical"]
Level = Literal["mandatory", "advisory", "disabled"]
Judge = Callable[..., Iterable["Finding | str"]]
Mend = Callable[..., "dict[str, Any] | None"]

LEVELS: Final[tuple[Level, ...]] = typing.get_args(Level)


class Subject(Protocol):
    """A part of a resource that rules judge, such as a pod's template or a policy document."""

    @classmethod
    def found_in(cls, resource: Resource) -> Iterable[Self]: ...


@dataclass(frozen=True, eq=False)
class Rule:
    """What was declared by ``Pack.rule``. ``number`` is its row of the rules' table."""

    id: str
    number: int
    title: str
    severity: Severity
    fix: str
    judge: Judge
    signature: Signature
    frameworks: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    level: Level = "mandatory"
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    mend: Mend | None = None
    mend_risk: str = ""

    @property
    def why(self) -> str:
        """What the rule checks and why: the docstring of its function."""
        return inspect.getdoc(self.judge) or ""

    @property
    def of_stack(self) -> bool:
        """Whether it sees the whole stack."""
        return self.signature.stack is not None

    @property
    def defaults(self) -> dict[str, Any]:
        """Its parameters where nobody gives any."""
        return {name: schema["default"] for name, schema in self.parameters.items() if "default" in schema}

    def concerns(self, token: str) -> bool:
        """Whether it judges resources of that type."""
        return _any_matches(self.types, token)


@dataclass(frozen=True)
class Signature:
    """What the parameters of a rule's function are for: ``stack`` and ``parameters`` are names, None without one."""

    subject: type
    stack: str | None
    parameters: str | None

    @classmethod
    def of(cls, judge: Judge) -> Signature:
        """Read from the annotations. Raises TypeError where they don't say what the rule judges."""
        hints = {name: hint for name, hint in typing.get_type_hints(judge).items() if name != "return"}
        if not hints:
            raise TypeError(
                f"{_place(judge)}: annotate the first parameter with what the rule judges, such as Resource"
            )
        (first, subject), *others = hints.items()
        if subject not in (Resource, Stack) and not hasattr(subject, "found_in"):
            raise TypeError(f"{_place(judge)}: {first} is a {subject}, which has no classmethod `found_in(resource)`")
        stack, parameters = first if subject is Stack else None, None
        for name, hint in others:
            if hint is Stack:
                stack = name
            elif typing.get_origin(hint) is Mapping:
                parameters = name
            else:
                raise TypeError(f"{_place(judge)}: {name} is neither the Stack nor the rule's parameters (a Mapping)")
        return cls(subject, stack, parameters)

    def arguments(self, stack: Stack | None, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """What the function is called with, beside the subject."""
        given: dict[str, Any] = {}
        if self.stack is not None and self.subject is not Stack:
            given[self.stack] = stack
        if self.parameters is not None:
            given[self.parameters] = parameters
        return given


@functools.cache
def _any_matches(types: tuple[str, ...], token: str) -> bool:
    """Many rules share their types: those of pods alone are dozens."""
    return any(matches(token, pattern) for pattern in types)


def _place(judge: Judge) -> str:
    return f"{judge.__module__}.{getattr(judge, '__name__', judge)}"
