"""Which type a property has, found for those properties that are asked for, each annotation evaluated once.

The SDK evaluates the annotations of all properties of a class when it first meets one of them, and takes the types of a
resource's class apart again for each resource. A launch template's class alone has two hundred, of which a program sets
eight. Where a class was not generated, its annotations are evaluated together still: one that is wrong is to be told.
"""

# What is replaced here is the SDK's own.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import builtins
import functools
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pulumi._types as sdk
from pulumi import Output

_GENERATED: Final = ("pulumi_", "pulumi.", "builtins", "typing", "abc")
_NAME: Final = re.compile(r"(?<![\w.])[A-Za-z_]\w*")  # but for what follows a dot
_LOCAL: Final = {"Output": Output, "T": type(None)}  # as the SDK has it
_MISSING: Final = object()

_evaluated: dict[tuple[Any, ...], Any] = {}
_unwrapped: dict[int, tuple[Any, Any]] = {}
_unwrapped_optional: dict[int, tuple[Any, Any]] = {}
_sdk_unwrap_type, _sdk_unwrap_optional_type = sdk.unwrap_type, sdk.unwrap_optional_type


def builds_on() -> list[Any]:
    """What of the SDK is used here as it is."""
    return [sdk._py_properties, sdk._types_from_annotations, sdk._globals_for_cls]


def replacements() -> list[tuple[Any, str, Any]]:
    """What of the SDK is replaced here: where it is, its name, what comes in its place."""
    return [
        (sdk, "unwrap_type", unwrap_type),
        (sdk, "unwrap_optional_type", unwrap_optional_type),
        (sdk, "_raw_return_hints", raw_return_hints),
        (sdk, "_types_from_py_properties", types_from_py_properties),
        (sdk, "resource_types", resource_types),
    ]


class Types(Mapping[str, Any]):
    """The types of a class's properties by their Pulumi names; each is found when it is first asked for."""

    def __init__(self, cls: type) -> None:
        self._getters = {name: prop.fget for _, name, prop in sdk._py_properties(cls)}
        self._class = cls
        self._found: dict[str, Any] = {}

    def get(self, key: str, default: Any = None) -> Any:
        found = self._found.get(key, _MISSING)
        if found is _MISSING:
            found = self._found[key] = self._find(key)
        return default if found is None else found

    def _find(self, key: str) -> Any:
        getter = self._getters.get(key)
        hint = None if getter is None else _hint(self._class, getter)
        found = None if hint is None else unwrap_type(hint)
        return None if found is Output else found

    def __getitem__(self, key: str) -> Any:
        found = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[str]:
        return (key for key in self._getters if self.get(key) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))


@functools.cache
def types_from_py_properties(cls: type) -> Mapping[str, Any]:
    """The types of a class's properties by their Pulumi names, without what wraps them."""
    types = Types(cls)
    return types if _is_generated(cls) else dict(types)


@functools.cache
def resource_types(resource_cls: type) -> Mapping[str, Any]:
    """The same for a resource's class, which may have annotations instead of properties."""
    annotated = sdk._types_from_annotations(resource_cls)
    properties = types_from_py_properties(resource_cls)
    return {**annotated, **properties} if annotated else properties


@functools.cache
def raw_return_hints(cls: type) -> dict[str, Any]:
    """The types of a class's properties by their Pulumi names, as they are written."""
    hints = {name: _hint(cls, prop.fget) for _, name, prop in sdk._py_properties(cls)}
    return {name: hint for name, hint in hints.items() if hint is not None}


def unwrap_type(val: Any) -> Any:
    """What is within Output, Input, InputType and Optional."""
    kept = _unwrapped.get(id(val))
    if kept is None:  # the type is kept, too: no other one can come to have its id
        kept = _unwrapped[id(val)] = (val, _sdk_unwrap_type(val))
    return kept[1]


def unwrap_optional_type(val: Any) -> Any:
    """What is within Optional."""
    kept = _unwrapped_optional.get(id(val))
    if kept is None:
        kept = _unwrapped_optional[id(val)] = (val, _sdk_unwrap_optional_type(val))
    return kept[1]


def _is_generated(cls: type) -> bool:
    return all(base.__module__.startswith(_GENERATED) for base in cls.__mro__)


def _hint(cls: type, getter: Any) -> Any:
    """What a property's getter says that it returns; the same text is evaluated once where it means the same."""
    note = getattr(getter, "__annotations__", {}).get("return")
    known = _globals(cls)
    key = (note, *(id(known.get(name)) for name in _names(note))) if isinstance(note, str) else None
    if key is None or key not in _evaluated:
        hint = typing.get_type_hints(getter, globalns=known, localns=_LOCAL).get("return")
        if key is None:
            return hint
        _evaluated[key] = hint
    return _evaluated[key]


@functools.cache
def _names(note: str) -> tuple[str, ...]:
    """The names that are looked up to evaluate ``note``, and the texts in it."""
    return tuple(dict.fromkeys(_NAME.findall(note)))


@functools.cache
def _globals(cls: type) -> dict[str, Any]:
    return {**vars(builtins), **(sdk._globals_for_cls(cls) or {})}
