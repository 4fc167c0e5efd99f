"""The value model: what resource inputs and outputs are made of inside the engine.

A value is JSON (None, bool, int, float, str, list, dict with str keys) or one of the special values below. Lists and
dicts nest freely; a special value may stand anywhere a JSON value may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias


class Unknown:
    """A value that only the apply will know. There is one instance, ``UNKNOWN``; compare with ``is``."""

    _instance: Unknown | None = None

    def __new__(cls) -> Unknown:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __copy__(self) -> Unknown:
        return self

    def __deepcopy__(self, _memo: object) -> Unknown:
        return self

    def __bool__(self) -> bool:
        raise TypeError("an unknown value has no truth; compare with `is UNKNOWN`")


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that must never be shown or stored in clear. Never nested in another Secret (see ``secret``)."""

    value: Value

    def __repr__(self) -> str:
        return "Secret([secret])"


@dataclass(frozen=True)
class Asset:
    """A file's content: exactly one of ``text``, ``path`` and ``uri`` is set. ``hash`` is sha256 in hex.

    ``folder`` is where a relative path starts in this run; it is no part of the value and is not stored.
    """

    text: str | None = None
    path: str | None = None
    uri: str | None = None
    hash: str = ""
    folder: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True)
class Archive:
    """A set of files: exactly one of ``assets``, ``path`` and ``uri`` is set. ``hash`` and ``folder`` as an asset's."""

    assets: Mapping[str, Value] | None = None
    path: str | None = None
    uri: str | None = None
    hash: str = ""
    folder: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True)
class ResourceRef:
    """A reference to another resource, passed as a value."""

    urn: str
    id: Value = None  # None for components; UNKNOWN while the resource is still to be created
    package_version: str = ""


Value: TypeAlias = Any  # None | bool | int | float | str | list[Value] | dict[str, Value] | a special value above
Properties: TypeAlias = dict[str, Value]


def secret(value: Value) -> Secret:
    """``value`` as a secret; a secret of a secret is the inner one."""
    return value if isinstance(value, Secret) else Secret(value)


def transform(value: Value, leaf: Callable[[Value], Value]) -> Value:
    """``value`` with ``leaf`` applied to everything that is neither list nor dict, secrets included as they are."""
    if isinstance(value, dict):
        return {key: transform(item, leaf) for key, item in value.items()}
    if isinstance(value, list):
        return [transform(item, leaf) for item in value]
    return leaf(value)


def walk(value: Value) -> Iterator[Value]:
    """Every value in ``value``, itself first, looking into lists, dicts and secrets."""
    yield value
    if isinstance(value, dict):
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)
    elif isinstance(value, Secret):
        yield from walk(value.value)


def reveal(value: Value) -> Value:
    """``value`` with every Secret replaced by what it holds. For a provider call only: never shown, never stored.

    A reference to a resource becomes its id, a component's its URN, as for any provider that knows no references.
    """

    def leaf(item: Value) -> Value:
        if isinstance(item, ResourceRef):
            return item.urn if item.id is None else item.id
        return reveal(item.value) if isinstance(item, Secret) else item

    return transform(value, leaf)


def marked_like(value: Value, given: Value) -> Value:
    """``value`` with that marked secret which is secret at the same place of ``given``, an input that it echoes.

    A list with a secret in it becomes secret as a whole: a provider may give its elements in another order.
    """
    if isinstance(value, dict) and isinstance(given, dict):
        return {key: marked_like(item, given.get(key)) for key, item in value.items()}
    return secret(reveal(value)) if has_secret(given) else value


def has_unknown(value: Value) -> bool:
    return any(item is UNKNOWN for item in walk(value))


def has_secret(value: Value) -> bool:
    return any(isinstance(item, Secret) for item in walk(value))
