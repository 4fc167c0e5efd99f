"""What rules judge: a resource as its program declares it, and a stack of them."""

from __future__ import annotations

import contextlib
import fnmatch
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Protocol

from policies.kit.values import MASK, Unreadable, Value

# A secret of fewer characters, such as "on", is no secret, and would tear other words apart.
SHORTEST_MASKED: Final = 4
# Where a resource says how others may name it.
_NAMES: Final = (("id",), ("arn",), ("name",), ("bucket",), ("metadata", "name"))


class Options(Protocol):
    """The SDK's PolicyResourceOptions, as far as rules read them."""

    protect: bool
    parent: str | None


@dataclass(frozen=True, eq=False)
class Resource:
    """A resource: its inputs where a resource is judged alone, its outputs where a rule sees the whole stack.

    ``depends_on`` (URNs by property) is only known where a rule sees the whole stack.
    """

    # How its inputs are read, where it was judged alone before; outputs hold what only AWS will say as unknown, too.
    read_inputs: Callable[[], Value] | None = field(default=None, kw_only=True, repr=False)

    type: str
    name: str
    urn: str
    properties: Value
    options: Options | None = None
    parent: str = ""
    provider: str = field(default="", kw_only=True)  # its URN
    depends_on: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    subjects: dict[Any, Any] = field(default_factory=dict[Any, Any], repr=False)  # what was found in it

    @cached_property
    def inputs(self) -> Value:
        """What the program declares; its properties, where nothing else is known."""
        return self.read_inputs() if self.read_inputs else self.properties

    @property
    def stack(self) -> str:
        """The stack's name, from the URN."""
        return self.urn.split("::", 1)[0].removeprefix("urn:pulumi:")

    @property
    def project(self) -> str:
        """The project's name, from the URN."""
        return self.urn.split("::", 2)[1] if "::" in self.urn else ""

    def is_a(self, *types: str) -> bool:
        """Whether its type is one of these tokens or matches one of these globs."""
        return any(matches(self.type, pattern) for pattern in types)

    def refers_to(self, other: Resource, *path: str | int) -> bool:
        """Whether ``path`` (such as ``"bucket"``) names ``other``: by dependency, or by an equal name.

        What can't be known is no reference.
        """
        return any(name == other.urn or name in other.names for name in self.named_at(*path))

    def named_at(self, *path: str | int) -> Iterator[str]:
        """What ``path`` names: the URNs that it depends on, and its text, as far as it is known."""
        yield from self.depends_on.get(str(path[0]), ())
        with contextlib.suppress(Unreadable):
            value = self.properties.get(*path)
            if value.known and value.kind == "text":
                yield value.text("")

    @cached_property
    def names(self) -> frozenset[str]:
        """How others may name it: its id, ARN and physical names, as far as they are known."""
        found: set[str] = set()
        for path in _NAMES:
            with contextlib.suppress(Unreadable):
                found.add(self.properties.get(*path).text(""))
        return frozenset(found - {""})

    def masked(self, text: str) -> str:
        """``text`` without what is secret here, which a rule may have put there by mistake or by failing."""
        for hidden in self.hidden:
            text = text.replace(hidden, MASK)
        return text

    @cached_property
    def hidden(self) -> tuple[str, ...]:
        """The secret texts, the longest first."""
        return tuple(sorted(set(_secret_texts(self.properties)), key=len, reverse=True))


# The resources that name something, with their places in the stack.
_Naming = dict[str, list[tuple[int, Resource]]]


@dataclass(frozen=True, eq=False)
class Stack:
    """All resources of a stack."""

    resources: Sequence[Resource]

    def of(self, *types: str) -> Iterator[Resource]:
        """The resources of these types: exact tokens or globs."""
        wanted = (token for token in self._by_type if any(matches(token, pattern) for pattern in types))
        return (resource for token in wanted for resource in self._by_type[token])

    def get(self, urn: str) -> Resource | None:
        """The resource of that URN."""
        return self._by_urn.get(urn)

    def referring(self, to: Resource, types: str | Iterable[str], *path: str | int) -> Iterator[Resource]:
        """The resources of ``types`` whose property at ``path`` names ``to``, in their order."""
        key = ((types,) if isinstance(types, str) else tuple(types), path)
        if key not in self._references:
            self._references[key] = self._naming(*key)
        naming = self._references[key]
        found = {place: resource for name in (to.urn, *to.names) for place, resource in naming.get(name, ())}
        return (found[place] for place in sorted(found))

    def masked(self, text: str) -> str:
        """``text`` without what is secret in any of the resources."""
        for hidden in self._hidden:
            text = text.replace(hidden, MASK)
        return text

    @cached_property
    def _hidden(self) -> tuple[str, ...]:
        return tuple(sorted({hidden for one in self.resources for hidden in one.hidden}, key=len, reverse=True))

    @cached_property
    def _by_type(self) -> Mapping[str, Sequence[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            found.setdefault(resource.type, []).append(resource)
        return found

    @cached_property
    def _references(self) -> dict[tuple[tuple[str, ...], tuple[str | int, ...]], _Naming]:
        """Who names whom, by what was asked: looked for once, since a stack may have thousands of either."""
        return {}

    def _naming(self, types: tuple[str, ...], path: tuple[str | int, ...]) -> _Naming:
        naming: _Naming = {}
        for place, resource in enumerate(self.of(*types)):
            for name in resource.named_at(*path):
                naming.setdefault(name, []).append((place, resource))
        return naming

    @cached_property
    def _by_urn(self) -> Mapping[str, Resource]:
        return {resource.urn: resource for resource in self.resources}


def _secret_texts(value: Value) -> Iterator[str]:
    if value.unknown:
        return
    if value.kind == "an object":
        for _, inner in value.entries():
            yield from _secret_texts(inner)
    elif value.kind == "a list":
        for inner in value.items():
            yield from _secret_texts(inner)
    elif value.secret and value.kind == "text" and len(value.text("")) >= SHORTEST_MASKED:
        yield value.text("")


def matches(token: str, pattern: str) -> bool:
    """Whether a type's token is ``pattern`` or matches it as a glob."""
    return token == pattern or ("*" in pattern and fnmatch.fnmatchcase(token, pattern))
