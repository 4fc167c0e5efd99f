"""Outputs of the SDK, made with fewer steps of the event loop.

The SDK makes four futures and a task for each property of each resource, and an output, a future and a task for each
piece of a value that holds no output at all. Nobody can see them but by the time they take: half of what a platform's
program does once it has declared its resources.
"""

# What is replaced here is the SDK's own.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping
from typing import Any, Final

from pulumi import Output, Resource
from pulumi.output import _OutputData
from pulumi.runtime import known_types, resource, rpc
from pulumi.runtime.settings import SETTINGS

PLAIN: Final = frozenset({str, int, float, bool, type(None)})  # these types themselves, none that inherits from them
_COLLECTIONS: Final = frozenset({list, dict})

_sdk_from_input, _sdk_all, _sdk_create_urn = Output.from_input, Output.all, resource.create_urn
_sdk_serialize_property = rpc.serialize_property


class _NotPlain(Exception):
    """A value that an output, a resource or anything else than plain data is part of."""


def builds_on() -> list[Any]:
    """What of the SDK is used here as it is."""
    return [Output._from_data, _OutputData.__post_init__]


def replacements() -> list[tuple[Any, str, Any]]:
    """What of the SDK is replaced here: where it is, its name, what comes in its place."""
    return [
        (Output, "_track", track),
        (Output, "from_input", staticmethod(from_input)),
        (Output, "all", staticmethod(all_of)),
        (resource, "create_urn", create_urn),
        (rpc, "transfer_properties", transfer_properties),
        (rpc, "serialize_property", serialize_property),
        (rpc, "contains_unknowns", contains_unknowns),
    ]


def transfer_properties(res: Resource, props: Mapping[str, Any], custom: bool) -> dict[str, Callable[..., None]]:
    """Give ``res`` an output for each of ``props``, and return what resolves them."""
    resolvers: dict[str, Callable[..., None]] = {}
    for name in props:
        if name == "urn" or (name == "id" and custom):
            continue
        data: asyncio.Future[Any] = asyncio.Future()
        resolvers[name] = functools.partial(_resolve, res, data)
        res.__dict__[name] = Output._from_data(data)
    return resolvers


def _resolve(
    res: Resource,
    data: asyncio.Future[Any],
    value: Any,
    is_known: bool,
    is_secret: bool,
    deps: set[Resource] | None,
    failed: Exception | None,
) -> None:
    if failed is None:
        data.set_result(_OutputData({*(deps or ()), res}, value, is_known, is_secret))
    else:
        data.set_exception(failed)


def track(self: Output[Any]) -> None:
    """Have the program wait for this output, and end with what it fails with."""
    settings: Any = SETTINGS  # its fields are each a context's own; read once, they are those of the output's context
    outputs, lock = settings.outputs, settings.lock
    with lock:
        outputs.add(self._data)
    self._data.add_done_callback(functools.partial(_no_longer_tracked, outputs, lock))


def _no_longer_tracked(outputs: set[Any], lock: Any, data: asyncio.Future[Any]) -> None:
    if not data.cancelled() and data.exception() is None:
        with lock:
            outputs.discard(data)


def from_input(val: Any) -> Output[Any]:
    """An output of ``val``, in which no output is left."""
    if isinstance(val, Output):
        return val.apply(_without_outputs, run_with_unknowns=True)
    kind = type(val)
    if kind in PLAIN or (kind in _COLLECTIONS and not val):
        return _resolved(val)
    if kind is list:
        return all_of(*val)
    if kind is dict and _has_texts_for_keys(val):
        return all_of(**val)
    return _sdk_from_input(val)


def _without_outputs(value: Any) -> Any:
    try:
        return _copied(value)
    except _NotPlain:
        return from_input(value)


def all_of(*args: Any, **kwargs: Any) -> Output[Any]:
    """An output of all of them, a list or a dictionary."""
    if args and kwargs:
        return _sdk_all(*args, **kwargs)  # says what is wrong
    found: dict[Any, Any] = {}
    outputs: dict[Any, Output[Any]] = {}
    for key, value in kwargs.items() if kwargs else enumerate(args):
        try:
            found[key] = _copied(value)
        except _NotPlain:
            found[key] = None  # in its place
            outputs[key] = Output.from_input(value)
    if outputs:
        return Output._from_data(_wait_for(found, outputs, listed=not kwargs))
    return _resolved(found if kwargs else list(found.values()))


async def _wait_for(found: dict[Any, Any], outputs: Mapping[Any, Output[Any]], *, listed: bool) -> _OutputData[Any]:
    data = await asyncio.gather(*(each._data for each in outputs.values()))
    found.update(zip(outputs, (each.value for each in data), strict=True))
    return _OutputData(
        resources=set().union(*(each.resources for each in data)),
        value=list(found.values()) if listed else found,
        is_known=all(each.is_known for each in data),
        is_secret=any(each.is_secret for each in data),
    )


def _copied(value: Any) -> Any:
    """Plain data, as the SDK gives it back: lists and dictionaries anew. Raises _NotPlain."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind is dict and _has_texts_for_keys(value):
        return {key: _copied(each) for key, each in value.items()} if value else value
    if kind is list:
        return [_copied(each) for each in value] if value else value
    raise _NotPlain


def _has_texts_for_keys(value: Mapping[Any, Any]) -> bool:
    return all(type(key) is str for key in value)


def _resolved(value: Any) -> Output[Any]:
    data: asyncio.Future[Any] = asyncio.Future()
    data.set_result(_OutputData(set(), value, is_known=True, is_secret=False))
    return Output._from_data(data)


def create_urn(name: Any, type_: Any, parent: Any = None, project: Any = None, stack: Any = None) -> Output[str]:
    """A resource's URN; each resource asks for one, and most know all its parts."""
    if type(name) is not str or type(type_) is not str:
        return _sdk_create_urn(name, type_, parent, project, stack)
    if type(parent) is str:
        return _resolved(_child(parent, type_, name))
    if isinstance(parent, Resource):
        return parent.urn.apply(lambda urn: _child(urn, type_, name))
    return _sdk_create_urn(name, type_, parent, project, stack)


def _child(parent: str, type_: str, name: str) -> str:
    return f"{parent[: parent.rfind('::')]}${type_}::{name}"


async def serialize_property(value: Any, *args: Any, **kwargs: Any) -> Any:
    """What is sent of a value; plain ones are sent as they are."""
    if type(value) in PLAIN and "return_protobuf_value" not in kwargs:
        return value
    return await _sdk_serialize_property(value, *args, **kwargs)


def contains_unknowns(val: Any) -> bool:
    """Whether anything in ``val`` is unknown."""
    return type(val) not in PLAIN and _contains_unknowns(val, set())


def _contains_unknowns(val: Any, seen: set[int]) -> bool:
    if known_types.is_unknown(val):
        return True
    if id(val) in seen:
        return False
    seen.add(id(val))
    if isinstance(val, dict):
        return any(type(each) not in PLAIN and _contains_unknowns(each, seen) for each in map(val.__getitem__, val))
    if isinstance(val, list):
        return any(type(each) not in PLAIN and _contains_unknowns(each, seen) for each in val)
    return False
