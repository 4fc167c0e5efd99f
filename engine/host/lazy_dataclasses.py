"""Compiles a dataclass's methods when they are first called, but for ``__init__``.

Before Python 3.13 a frozen dataclass has six methods made from text, each compiled by itself, and few are ever called:
that was a third of what our command line takes to import and a seventh of what a platform's program does.
"""

# What is replaced here is Python's own.
# pyright: reportPrivateUsage=false, reportAttributeAccessIssue=false

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Callable
from typing import Any, Final

# Nothing but their results is looked at; __init__ is asked for its signature.
_LATER: Final = frozenset({"__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__"})
_KNOWN: Final = ["name", "args", "body", "globals", "locals", "return_type"]


def install() -> bool:
    """From now on, make dataclasses this way; False where this Python makes them in another way than the known one."""
    original = getattr(dataclasses, "_create_fn", None)
    if sys.version_info >= (3, 13) or original is None or list(inspect.signature(original).parameters) != _KNOWN:
        return False

    def create(name: str, args: Any, body: Any, **given: Any) -> Callable[..., Any]:
        if name not in _LATER:
            return original(name, args, body, **given)
        return _later(name, lambda: original(name, args, body, **given))

    dataclasses._create_fn = create
    return True


def _later(name: str, make: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    made: Callable[..., Any] | None = None

    def method(*arguments: Any) -> Any:
        nonlocal made
        if made is None:
            made = make()
        return made(*arguments)

    method.__name__ = name
    return method
