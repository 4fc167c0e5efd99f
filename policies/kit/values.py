"""What a rule reads: an immutable view of one property that knows its path, and whether it is known, secret or absent.

A view stands over what the policy SDK hands out (its proxies, or the wire's own form, where secrets are still marked).
Reading what is not known raises UnknownValue, and reading another type than expected raises WrongType; the kit turns
both into findings of the rule that read, for the resource that it read, so that nothing passes because it was unknown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, overload

from pulumi import Archive, Asset
from pulumi_policy import Secret
from pulumi_policy.deserialize import (
    SPECIAL_ARCHIVE_SIG,
    SPECIAL_ASSET_SIG,
    SPECIAL_SECRET_SIG,
    SPECIAL_SIG_KEY,
    deserialize_properties,
)
from pulumi_policy.proxy import (
    UNKNOWN_ARCHIVE_VALUE,
    UNKNOWN_ARRAY_VALUE,
    UNKNOWN_ASSET_VALUE,
    UNKNOWN_BOOLEAN_VALUE,
    UNKNOWN_NUMBER_VALUE,
    UNKNOWN_OBJECT_VALUE,
    UNKNOWN_STRING_VALUE,
)

# The strings that stand for "not known yet" on Pulumi's wire, one for each type.
UNKNOWNS: Final = frozenset(
    {
        UNKNOWN_ARCHIVE_VALUE,
        UNKNOWN_ARRAY_VALUE,
        UNKNOWN_ASSET_VALUE,
        UNKNOWN_BOOLEAN_VALUE,
        UNKNOWN_NUMBER_VALUE,
        UNKNOWN_OBJECT_VALUE,
        UNKNOWN_STRING_VALUE,
    }
)
MASK: Final = "[secret]"
UNKNOWN_SHOWN: Final = "(not known yet)"
LONGEST_SHOWN: Final = 80
_ABSENT: Final = object()
_AS_IT_IS: Final = frozenset({str, float, bool, int, list, type(None), object})  # neither a proxy nor marked
_RAISE: Final = object()
_KINDS: Final[Mapping[type[Any], str]] = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
    type(None): "nothing",
    object: "nothing",
}
_WIRE_ASSETS: Final = (SPECIAL_ASSET_SIG, SPECIAL_ARCHIVE_SIG)


class Unreadable(Exception):
    """A value that a rule needs can't be read. ``path`` says which, ``owner`` is the URN of its resource.

    Unreadable
    ├── UnknownValue   not known before the change is applied
    └── WrongType      not of the type that the property has
    """

    def __init__(self, message: str, path: str, owner: str) -> None:
        super().__init__(message)
        self.path = path
        self.owner = owner


class UnknownValue(Unreadable):
    """The value is only known once something else exists."""

    def __init__(self, path: str, owner: str = "") -> None:
        super().__init__(f"{path} is not known before the change is applied", path, owner)


class WrongType(Unreadable):
    """The value has another type than its property."""

    def __init__(self, path: str, expected: str, seen: str, owner: str = "") -> None:
        super().__init__(f"{path}: expected {expected}, seen {seen}", path, owner)
        self.expected = expected
        self.seen = seen


class Value:
    """One property: ``get`` leads further in, ``text``, ``boolean``, ``number`` and ``items`` read it.

    ``missing`` is absent or null; ``present`` is that something is given, if only as a value that is not known yet.
    """

    __slots__ = ("_key", "_parent", "_path", "_raw", "_within", "is_secret_itself", "owner", "secret", "unknown")

    unknown: bool  # the value, or what encloses it, is not known yet
    secret: bool  # the value, or what encloses it, is secret
    owner: str  # the URN of the resource that it is a property of

    def __init__(self, raw: Any, path: str = "", *, owner: str = "", secret: bool = False) -> None:
        self._raw, self.is_secret_itself = _unwrapped(raw)
        self._path: str | None = path
        self._parent: Value | None = None
        self._key: str | int = ""
        self._within: Value | None = None  # what encloses this value and is unknown as a whole
        self.owner = owner
        self.secret = secret or self.is_secret_itself
        self.unknown = isinstance(self._raw, str) and self._raw in UNKNOWNS

    @property
    def path(self) -> str:
        """Where it is in its resource: ``spec.containers[0].name``; put together only when somebody asks."""
        if self._path is None:
            assert self._parent is not None
            self._path = self._parent.path + _step(self._parent.path, self._key)
        return self._path

    @property
    def known(self) -> bool:
        """False where the value is not known yet; what is missing is known to be missing."""
        return not self.unknown

    @property
    def missing(self) -> bool:
        """True where it is absent or null. Raises UnknownValue where what encloses it is unknown."""
        if self._within is not None:
            raise UnknownValue(self._within.path, self.owner)
        return self._raw is _ABSENT or self._raw is None

    @property
    def present(self) -> bool:
        """True where something is given, known or not. Raises UnknownValue where what encloses it is unknown."""
        return not self.missing

    @property
    def mark(self) -> Any:
        """What stands for this value on Pulumi's wire where it is not known."""
        return self._raw if isinstance(self._raw, str) and self._raw in UNKNOWNS else UNKNOWN_STRING_VALUE

    @property
    def kind(self) -> str:
        """``text``, ``a number``, ``a boolean``, ``a list``, ``an object``, ``an asset``, ``nothing``, ``unknown``."""
        if self.unknown:
            return "unknown"
        kind = _KINDS.get(type(self._raw))
        return kind or ("an asset" if isinstance(self._raw, (Asset, Archive)) else type(self._raw).__name__)

    def get(self, *keys: str | int) -> Value:
        """What lies below, by names of properties and indexes of lists; a missing one is a Value that is ``missing``.

        Raises WrongType where a key is asked of something that has none, such as text.
        """
        here = self
        for key in keys:
            here = here._below(key)
        return here

    def items(self) -> Iterator[Value]:
        """The elements of a list; none where it is missing. Raises UnknownValue or WrongType at once."""
        elements = self._read(list, "a list", [])
        return (self._child(element, index) for index, element in enumerate(elements))

    def entries(self) -> Iterator[tuple[str, Value]]:
        """The properties of an object; none where it is missing. Raises UnknownValue or WrongType at once."""
        properties: dict[str, Any] = self._read(dict, "an object", {})
        return ((str(key), self._child(value, str(key))) for key, value in properties.items())

    def __len__(self) -> int:
        """How many elements or properties. Raises UnknownValue or WrongType."""
        return len(self._read((list, dict), "a list or an object", []))

    def __bool__(self) -> bool:
        raise TypeError(f"{self.path}: a Value is neither true nor false; ask `.present`, `.boolean()` or `len()`")

    def __repr__(self) -> str:
        return f"Value({self.path or '.'} = {self.shown()})"

    @overload
    def text(self) -> str | None: ...
    @overload
    def text(self, default: str) -> str: ...
    def text(self, default: str | None = None) -> str | None:
        """The text; ``default`` where it is missing. Raises UnknownValue or WrongType."""
        return self._read(str, "text", default)

    def boolean(self, default: bool = False) -> bool:
        """True or false; ``default`` where it is missing. Raises UnknownValue or WrongType."""
        return self._read(bool, "a boolean", default)

    @overload
    def number(self) -> int | float | None: ...
    @overload
    def number(self, default: float) -> int | float: ...
    def number(self, default: float | None = None) -> int | float | None:
        """The number, an int where it is whole; ``default`` where it is missing. Raises UnknownValue or WrongType."""
        found = self._read((int, float), "a number", default)
        if isinstance(found, bool):
            raise WrongType(self.path, "a number", "a boolean", self.owner)
        return int(found) if isinstance(found, float) and found.is_integer() else found

    def json(self) -> Value:
        """What JSON text holds, such as a policy document; an object or a list is returned as it is.

        Raises WrongType where the text is not JSON, or where it is neither text nor an object.
        """
        if self.unknown or self.missing or isinstance(self._raw, (dict, list)):
            return self
        text = self._read(str, "JSON text", "")
        try:
            content: Any = json.loads(text)
        except ValueError as error:
            raise WrongType(self.path, "JSON text", f"text that is not JSON ({error})", self.owner) from None
        return Value(content, self.path, owner=self.owner, secret=self.secret)

    def plain(self, unknown: Any = _RAISE) -> Any:
        """Plain Python values, null where it is missing; what is not known becomes ``unknown``, else UnknownValue."""
        if self.unknown:
            if unknown is _RAISE:
                raise self._not_known()
            return unknown
        if isinstance(self._raw, dict):
            return {key: value.plain(unknown) for key, value in self.entries()}
        if isinstance(self._raw, list):
            return [element.plain(unknown) for element in self.items()]
        if isinstance(self._raw, float) and self._raw.is_integer():
            return int(self._raw)
        return None if self._raw is _ABSENT else self._raw

    def shown(self) -> str:
        """For messages: short, and never what is secret."""
        if self.secret:
            return MASK
        if self.unknown:
            return UNKNOWN_SHOWN
        if self.kind in ("nothing", "an asset"):
            return self.kind
        text = json.dumps(masked(self), ensure_ascii=False)
        return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"

    def _below(self, key: str | int) -> Value:
        if self.unknown or self._raw is _ABSENT or self._raw is None:
            return self._child(_ABSENT, key)
        if isinstance(key, int):
            elements = self._read(list, "a list", [])
            return self._child(elements[key] if -len(elements) <= key < len(elements) else _ABSENT, key)
        return self._child(self._read(dict, "an object", {}).get(key, _ABSENT), key)

    def _child(self, raw: Any, key: str | int) -> Value:
        """What lies one step below; rules make a hundred thousand of these in a preview."""
        child = Value.__new__(Value)
        child._raw, hidden = (raw, False) if type(raw) in _AS_IT_IS else _unwrapped(raw)
        child._path, child._parent, child._key, child.owner = None, self, key, self.owner
        child.is_secret_itself = hidden
        child.secret = hidden or self.secret
        if self.unknown:
            child.unknown, child._within = True, self if self._within is None else self._within
        else:
            child.unknown, child._within = type(child._raw) is str and child._raw in UNKNOWNS, None
        return child

    def _read(self, types: type[Any] | tuple[type[Any], ...], expected: str, default: Any) -> Any:
        if self.unknown:
            raise self._not_known()
        if self._raw is _ABSENT or self._raw is None:
            return default
        if not isinstance(self._raw, types):
            seen = self.kind if self.kind.startswith(("a ", "an ")) else f"the text {self.shown()}"
            raise WrongType(self.path, expected, seen, self.owner)
        return self._raw

    def _not_known(self) -> UnknownValue:
        return UnknownValue((self if self._within is None else self._within).path, self.owner)


def masked(value: Value) -> Any:
    """Plain values for people: secrets masked and what is not known said."""
    if value.secret or value.unknown:
        return MASK if value.secret else UNKNOWN_SHOWN
    if value.kind == "an object":
        return {key: masked(inner) for key, inner in value.entries()}
    if value.kind == "a list":
        return [masked(inner) for inner in value.items()]
    return value.kind if value.kind == "an asset" else value.plain()


def _unwrapped(raw: Any) -> tuple[Any, bool]:
    """What stands behind the SDK's proxies and marks, and whether it is a secret."""
    hidden = False
    while True:
        if isinstance(raw, dict):
            sign = raw.get(SPECIAL_SIG_KEY)
            if sign in _WIRE_ASSETS:
                return deserialize_properties({"asset": raw})["asset"], hidden
            if sign != SPECIAL_SECRET_SIG:
                return raw, hidden
            raw, hidden = raw.get("value"), True
        elif isinstance(raw, Secret):
            raw, hidden = raw.value, True
        elif raw is None or isinstance(raw, (str, bool, int, float, list)) or not hasattr(raw, "__getitem__"):
            return raw, hidden
        else:
            raw = raw["__target"]  # the SDK's own way through its proxies


def _step(path: str, key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    if re.search(r'[.\["\]]', key):
        return '["' + key.replace('"', '\\"') + '"]'
    return f".{key}" if path else key


def from_plain(content: Mapping[str, Any] | list[Any], path: str = "", owner: str = "") -> Value:
    """A Value over plain Python values, as subjects make them."""
    return Value(content, path, owner=owner)
