"""Replaces four slow paths of the Pulumi Python SDK in the program's process; each only while it has a known shape.

Measured with 1,000 component resources: seven blocking debug messages to the engine per resource, a wait over all
outstanding outputs that is quadratic in their number, and a stack trace with source lines read for each resource. With
the whole platform: each annotation of each generated type evaluated anew, where few differ (0.4 s of 3.4 s).
A replacement behaves as the original does; where the SDK's source is not one that it was written against, the SDK's own
code runs (``tests/engine/test_fast_sdk.py`` notices).
"""

# What is replaced here is the SDK's own.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import functools
import gc
import hashlib
import inspect
import sys
import typing
from pathlib import Path
from typing import Any

KNOWN_SHAPES: dict[str, frozenset[str]] = {
    "wait_for_rpcs": frozenset({"c0f9027f85ad0925"}),
    "_get_stack_trace": frozenset({"3943b22730169251"}),
    "_raw_return_hints": frozenset({"2d3a92980274817e"}),
}


def shape(function: Any) -> str:
    """A short hash of a function's source."""
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]


def known(function: Any) -> bool:
    try:
        return shape(function) in KNOWN_SHAPES[function.__name__]
    except (OSError, TypeError, KeyError):  # no source at hand, or not a function any more
        return False


def install(*, debug: bool) -> list[str]:
    """Put the replacements in place and return their names; with ``debug`` the SDK's debug messages stay."""
    import pulumi._types as sdk_types
    import pulumi.log
    import pulumi.runtime.resource as sdk_resource
    import pulumi.runtime.stack as sdk_stack

    _collect_garbage_rarely()
    installed: list[str] = []
    if not debug:
        pulumi.log.debug = _no_debug_message
        installed.append("debug")
    if known(sdk_stack.wait_for_rpcs):
        sdk_stack.wait_for_rpcs = _wait_for_rpcs
        installed.append("wait_for_rpcs")
    if known(sdk_resource._get_stack_trace):
        sdk_resource._get_stack_trace = _get_stack_trace
        installed.append("_get_stack_trace")
    if known(sdk_types._raw_return_hints):
        sdk_types._raw_return_hints = _raw_return_hints
        installed.append("_raw_return_hints")
    return installed


def _collect_garbage_rarely() -> None:
    """A program's graph of resources lives until the program ends; walking it again and again is what makes time per
    resource grow with their number (5,000 component resources: 8.3 s with Python's thresholds, 5.3 s with these)."""
    gc.freeze()
    gc.set_threshold(200_000, 50, 50)


def _no_debug_message(*_args: Any, **_kwargs: Any) -> None:
    """Debug messages are shown by nobody unless asked for; each is a blocking call to the engine."""


async def _wait_for_rpcs(await_all_outstanding_tasks: bool = True) -> None:
    """Wait until no call and no output is outstanding, raising what any of them raised; linear in their number."""
    from pulumi.runtime.settings import SETTINGS, _get_rpc_manager

    manager = _get_rpc_manager()
    while True:
        while manager.rpcs:
            await asyncio.sleep(0)
            try:
                await manager.rpcs.pop()
            except Exception as error:
                if manager.unhandled_exception is not None:
                    raise error from manager.unhandled_exception.with_traceback(manager.exception_traceback)
                raise
        if manager.unhandled_exception is not None:
            raise manager.unhandled_exception.with_traceback(manager.exception_traceback)
        if await_all_outstanding_tasks:
            await _wait_for_outputs(SETTINGS)
        if not manager.rpcs:
            return


async def _wait_for_outputs(settings: Any) -> None:
    while True:
        with settings.lock:
            pending = list(settings.outputs)
            settings.outputs.clear()
        if not pending:
            return
        done, waiting = await asyncio.wait(pending, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            await task
        with settings.lock:
            settings.outputs.update(waiting)


@functools.cache
def _uri(filename: str) -> str | None:
    try:
        return Path(filename).as_uri()
    except ValueError:  # not a file: code from a string, or frozen
        return None


def _get_stack_trace() -> Any:
    """The position that created the resource: the caller of the third ``__init__`` counted from the SDK outwards."""
    from pulumi.runtime.proto import source_pb2

    frame: Any = sys._getframe(1)
    constructors = 0
    while frame is not None:
        constructors += frame.f_code.co_name == "__init__"
        frame = frame.f_back
        if constructors == 3:
            break
    uri = _uri(frame.f_code.co_filename) if frame is not None else None
    if frame is None or uri is None:
        return source_pb2.StackTrace()
    position = source_pb2.SourcePosition(uri=uri, line=frame.f_lineno)
    return source_pb2.StackTrace(frames=[source_pb2.StackFrame(pc=position)])


_evaluated: dict[tuple[tuple[str, ...], str], Any] = {}


@functools.cache
def _raw_return_hints(cls: type) -> dict[str, Any]:
    """The types of a class's properties by their Pulumi names; a text that the same modules hold is evaluated once."""
    import pulumi._types as sdk
    from pulumi import Output

    modules = tuple(base.__module__ for base in cls.__mro__)
    local = {"Output": Output, "T": type(None)}
    hints: dict[str, Any] = {}
    for _, pulumi_name, prop in sdk._py_properties(cls):
        note = getattr(prop.fget, "__annotations__", {}).get("return")
        key = (modules, note if isinstance(note, str) else "")
        if not key[1] or key not in _evaluated:
            found = typing.get_type_hints(prop.fget, globalns=sdk._globals_for_cls(cls), localns=local)
            _evaluated[key] = found.get("return")
        if _evaluated[key] is not None:
            hints[pulumi_name] = _evaluated[key]
    return hints
