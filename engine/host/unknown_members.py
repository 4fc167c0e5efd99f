"""Makes what a preview cannot know usable where the SDK wants a value of a certain kind.

A plain function call (``aws.ec2.get_vpc(default=True)``) answers a preview with unknown members, since there may be no
cloud to ask. The SDK's own mark for them is no text, no list and no mapping: result classes refuse it, and a program
that formats it writes down an object's address. What stands in for it here is text that the engine reads as unknown,
wherever a program puts it.
"""

# What is replaced here is the SDK's own.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pulumi._types as sdk_types
import pulumi.output
import pulumi.runtime.rpc
from pulumi.runtime import known_types

WHOLLY = "__bedplate_unknown"  # as in engine/lookups.py: nothing is known of a function's result, not even its members


class UnknownText(str):
    """Text that is not known yet."""

    __slots__ = ()

    def __new__(cls) -> UnknownText:
        return super().__new__(cls, pulumi.runtime.rpc.UNKNOWN)


class UnknownMember(UnknownText):
    """A list, a mapping, a number or an object of which nothing is known: whatever is taken out of it is unknown, too.

    Who goes through it finds one member.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        """True but for a generated result class, which refuses what is true and no list (or what it expects)."""
        return sys._getframe(1).f_code.co_name != "__init__"

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Any]:
        return iter((UnknownMember(),))

    def __getitem__(self, key: Any) -> Any:
        return UnknownMember()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return UnknownMember()

    def get(self, key: Any, default: Any = None) -> Any:
        return UnknownMember()

    def keys(self) -> Iterator[Any]:
        return iter(self)

    values = keys

    def items(self) -> Iterator[tuple[Any, Any]]:
        return iter(((UnknownMember(), UnknownMember()),))


def install() -> None:
    """Put them in the SDK's place."""
    pulumi.output.Unknown = UnknownText
    pulumi.output.UNKNOWN = UnknownText()
    known_types._Unknown = UnknownText
    sdk_types.output_type_from_dict = _output_type_from_dict


def _output_type_from_dict(cls: type, output: dict[str, Any]) -> Any:
    """An object of a generated class, as the SDK makes it; what is unknown suits the kind that its property has."""
    wholly = WHOLLY in output
    members: dict[str, Any] = {}
    for python_name, pulumi_name, _ in sdk_types._py_properties(cls):
        value = output.get(pulumi_name)
        if (wholly and value is None) or type(value) is UnknownText:
            kind = sdk_types.unwrap_optional_type(sdk_types.output_type_types(cls).get(pulumi_name, str))
            value = UnknownText() if kind is str else UnknownMember()
        members[python_name] = value
    return cls(**members)
