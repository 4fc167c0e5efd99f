"""Marks the classes of generated SDKs as the SDK does, with less looked at: a platform's program imports 3,300 of them.

Their annotations are not evaluated (``lazy_annotations``), so there are none to make properties of, and the code of
their getters and setters says at once that these are not empty.
"""

# What is replaced here is the SDK's own.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import Any, Final, TypeVar

import pulumi
import pulumi._types as sdk
from pulumi import _utils

T = TypeVar("T")

_EMPTY: Final = frozenset(
    function.__code__.co_code
    for function in (_utils._empty, _utils._empty_doc, _utils._empty_lambda, _utils._empty_lambda_doc)
)
_sdk_is_empty_function, _sdk_process_class, _sdk_input_type = (
    _utils.is_empty_function,
    sdk._process_class,
    sdk.input_type,
)


def builds_on() -> list[Any]:
    """What of the SDK is used here as it is."""
    return [sdk._properties_from_annotations, sdk._py_properties, _utils._consts]


def replacements() -> list[tuple[Any, str, Any]]:
    """What of the SDK is replaced here: where it is, its name, what comes in its place."""
    return [
        (_utils, "is_empty_function", is_empty_function),
        (sdk, "_process_class", process_class),
        (sdk, "input_type", input_type),
        (pulumi, "input_type", input_type),
    ]


def is_empty_function(fn: Any) -> bool:
    """Whether a function does nothing; its constants are looked at only where its code is that of one that does not."""
    return fn.__code__.co_code in _EMPTY and _sdk_is_empty_function(fn)


def process_class(cls: type, signifier_attr: str, is_input: bool = False, setter: bool = False) -> None:
    """Mark ``cls``, and make properties of its annotations; two of its objects are equal where their contents are."""
    own = vars(cls)
    if "__init__" not in own or own.get("__annotations__"):
        _sdk_process_class(cls, signifier_attr, is_input, setter)
        return
    setattr(cls, signifier_attr, True)
    if "__eq__" not in own:
        type.__setattr__(cls, "__eq__", _equal_dictionaries if issubclass(cls, dict) else _equal_objects)


def _equal_dictionaries(self: Any, other: object) -> Any:
    return type(other) is type(self) and dict.__eq__(self, other)


def _equal_objects(self: Any, other: object) -> bool:
    return type(other) is type(self) and other.__dict__ == self.__dict__


def input_type(cls: type[T]) -> type[T]:
    """Mark ``cls`` as a type of inputs."""
    if sdk.is_input_type(cls) or sdk.is_output_type(cls) or any(map(_has_an_empty_setter, cls.__mro__)):
        return _sdk_input_type(cls)
    sdk._process_class(cls, sdk._PULUMI_INPUT_TYPE, is_input=True, setter=True)
    return cls


def _has_an_empty_setter(cls: type) -> bool:
    return any(
        each.fset is not None and is_empty_function(each.fset)
        for each in vars(cls).values()
        if type(each) is property and hasattr(each.fset, "__code__")
    )
