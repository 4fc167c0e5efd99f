"""What the pulumi_aws SDK declares for a resource type: properties by wire name, required or not, with their shape."""

from __future__ import annotations

import importlib
import inspect
import sys
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from engine.importing.sdk import getters

SCALARS = {str: "str", int: "int", float: "float", bool: "bool"}


@dataclass(frozen=True)
class Declared:
    """A property: ``kind`` is a scalar's name, ``list``, ``map``, ``object`` or ``any``."""

    kind: str
    required: bool
    item: Declared | None = None
    fields: Mapping[str, Declared] | None = None


def resource_class(type_: str) -> Any:
    module, name = type_.split(":")[1].split("/")
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
    return getattr(importlib.import_module(f"pulumi_aws.{module}.{snake}"), type_.rsplit(":", 1)[-1])


def inputs(type_: str) -> dict[str, Declared]:
    """The arguments of a resource type."""
    resource = resource_class(type_)
    module = sys.modules[resource.__module__]
    args = getattr(module, f"{resource.__name__}InitArgs", None) or getattr(module, f"{resource.__name__}Args")
    return _fields(args)


def properties(type_: str) -> frozenset[str]:
    """The wire names of everything that a resource of the type has, inputs and outputs."""
    resource = resource_class(type_)
    return frozenset(_fields(getattr(sys.modules[resource.__module__], f"_{resource.__name__}State")))


def _fields(class_: Any) -> dict[str, Declared]:
    needed = {
        name
        for name, parameter in inspect.signature(class_.__init__).parameters.items()
        if parameter.default is inspect.Parameter.empty
    }
    return {wire: _declared(hint, python in needed) for python, wire, hint in getters(class_)}


def _declared(hint: Any, required: bool) -> Declared:
    """``Input[Optional[Sequence[Input[X]]]]`` and its like, taken apart."""
    hint = _bare(hint)
    if hint in SCALARS:
        return Declared(SCALARS[hint], required)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is not None and issubclass(origin, typing.Mapping):
        return Declared("map", required, _declared(arguments[1], False))
    if origin is not None and issubclass(origin, typing.Sequence):
        return Declared("list", required, _declared(arguments[0], False))
    if inspect.isclass(hint) and hasattr(hint, "__init__") and hint.__module__.startswith("pulumi_aws"):
        if hint.__module__.endswith("_enums"):
            return Declared("str", required)
        return Declared("object", required, fields=_fields(hint))
    return Declared("any", required)


def _bare(hint: Any) -> Any:
    """The plain type in a union with awaitables, outputs, None, dictionaries and enums; policy documents are texts."""
    while typing.get_origin(hint) in (typing.Union, __import__("types").UnionType):
        members = [m for m in typing.get_args(hint) if m is not type(None) and not _is_wrapper(m)]
        if str in members:
            return str
        plain = [m for m in members if not getattr(m, "__name__", "").endswith("ArgsDict")]
        hint = plain[0]
    return hint


def _is_wrapper(hint: Any) -> bool:
    origin = typing.get_origin(hint)
    return origin is pulumi.Output or (inspect.isclass(origin) and issubclass(origin, typing.Awaitable))
