"""Replaces slow paths of the Pulumi Python SDK in the program's process; each only while it has a known shape.

Measured with 1,000 component resources: seven blocking debug messages to the engine per resource, a wait over all
outstanding outputs that is quadratic in their number, and a stack trace with source lines read for each resource. With
the whole platform: outputs made in many steps, and the types of properties that nobody sets (half of the 2 s of
processor time that the 450 resources of prod took once they were declared; see ``fast_outputs`` and ``fast_types``).
A replacement behaves as the original does; where the SDK's source is not one that it was written against, the SDK's own
code runs (``tests/engine/test_fast_sdk.py`` notices).
"""

# What is replaced here is the SDK's own.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import hashlib
import importlib
import inspect
import linecache
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

KNOWN_SHAPES: dict[str, frozenset[str]] = {
    "wait_for_rpcs": frozenset({"c0f9027f85ad0925"}),
    "_get_stack_trace": frozenset({"3943b22730169251"}),
    "_properties_from_annotations": frozenset({"973ec4bab2ff363d"}),
    "_py_properties": frozenset({"bbc9ffdf4ce95786"}),
    "_consts": frozenset({"5cadf0af00ab9e6e"}),
    "is_empty_function": frozenset({"9df21510ed159335"}),
    "_process_class": frozenset({"2eefcfc0e94b1305"}),
    "input_type": frozenset({"fbed2c01592cf334"}),
    "_types_from_annotations": frozenset({"0618f2c41614e6fc"}),
    "_globals_for_cls": frozenset({"290e2e89a1617b5a"}),
    "unwrap_type": frozenset({"6ccd35036cb0b3d4"}),
    "unwrap_optional_type": frozenset({"66ac125c3482ccba"}),
    "_raw_return_hints": frozenset({"2d3a92980274817e"}),
    "_types_from_py_properties": frozenset({"15e10f93750b5915"}),
    "resource_types": frozenset({"36ca79dc260ad3c1"}),
    "_from_data": frozenset({"cd70e3b38ee181f6"}),
    "__post_init__": frozenset({"dfbb14fef710f99c"}),
    "_track": frozenset({"72569ad70fd52b20"}),
    "from_input": frozenset({"890885e07a39174c"}),
    "all": frozenset({"bdc53486535319a8"}),
    "create_urn": frozenset({"b4efa209c920a83a"}),
    "transfer_properties": frozenset({"0e7c02ffa04ff20b"}),
    "serialize_property": frozenset({"7e1361fad73506d2"}),
    "contains_unknowns": frozenset({"1f1f335b6f48b960"}),
}


def shape(function: Any) -> str:
    """A short hash of a function's source, its lines from the first to the last that has code."""
    code = inspect.unwrap(function).__code__  # asked for its text, inspect would take ten times as long
    last = max(_last_lines(code))
    lines = linecache.getlines(code.co_filename)[code.co_firstlineno - 1 : last]
    if not lines:
        raise OSError(f"no source of {code.co_name}")
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


def _last_lines(code: CodeType) -> Iterator[int]:
    yield from (line for _, _, line in code.co_lines() if line is not None)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _last_lines(inner)


def known(function: Any) -> bool:
    try:
        return shape(function) in KNOWN_SHAPES[function.__name__]
    except (OSError, AttributeError, KeyError):  # no source at hand, or not a function any more
        return False


def install(*, debug: bool) -> list[str]:
    """Put the replacements in place and return their names; with ``debug`` the SDK's debug messages stay."""
    import pulumi.log

    _collect_garbage_rarely()
    installed: list[str] = []
    if not debug:
        pulumi.log.debug = _no_debug_message
        installed.append("debug")
    for group, builds_on in groups():
        if all(map(known, [*builds_on, *(getattr(place, name) for place, name, _ in group)])):
            for place, name, replacement in group:
                setattr(place, name, replacement)
                installed.append(name)
    return installed


def groups() -> Iterator[tuple[Sequence[tuple[Any, str, Any]], Sequence[Any]]]:
    """What is replaced where, and what it builds on: of a group all or nothing, since one relies on the other."""
    import pulumi.runtime.resource as sdk_resource
    import pulumi.runtime.stack as sdk_stack

    yield [(sdk_stack, "wait_for_rpcs", _wait_for_rpcs)], []
    yield [(sdk_resource, "_get_stack_trace", _get_stack_trace)], []
    for name in ("fast_classes", "fast_types", "fast_outputs"):
        with contextlib.suppress(ImportError, AttributeError):  # an older SDK has not got what they build on
            sibling = importlib.import_module(name)
            yield sibling.replacements(), sibling.builds_on()


def _collect_garbage_rarely() -> None:
    """A program's graph of resources lives until the program ends; walking it again and again is what makes time per
    resource grow with their number (5,000 component resources: 8.3 s with Python's thresholds, 5.3 s with these)."""
    gc.freeze()
    gc.set_threshold(500_000, 50, 50)
    gc.enable()


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
