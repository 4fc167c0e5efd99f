"""The form in which kinds and the types of their fields are known, whether built in or declared by a CRD."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


class Shape(enum.Enum):
    """What a value may be. The values are the words that the data files use; OBJECT, LIST and MAP are written apart."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    BYTES = "bytes"  # base64 in a string
    TIME = "time"  # RFC 3339 in a string
    QUANTITY = "quantity"  # 500m, 2Gi, or a number
    INT_OR_STRING = "int-or-string"
    ANY = "any"
    FREE_OBJECT = "object"  # an object of which nothing is known
    OBJECT = "OBJECT"
    LIST = "LIST"
    MAP = "MAP"


ListType = Literal["atomic", "set", "map"]


@dataclass(frozen=True, slots=True)
class ObjectType:
    """An object with named fields. An ``open`` one may have others (x-kubernetes-preserve-unknown-fields)."""

    fields: Mapping[str, Schema]
    required: Sequence[str] = ()
    open: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """The type of one value and how server-side apply and a strategic merge treat it.

    ``item`` is what a LIST or a MAP holds. A LIST's ``list_type`` is "atomic" (replaced as a whole; also where nothing
    is written), "set" (of scalars) or "map" (of objects told apart by ``map_keys``). ``merge_key`` is the key of a
    strategic merge patch, which for a few lists differs from ``map_keys``. An ``atomic`` object or map is replaced as
    a whole. ``enum`` holds the words that a string may be; empty where any will do.
    """

    shape: Shape
    members: Callable[[], ObjectType] | None = field(default=None, compare=False, repr=False)
    item: Schema | None = None
    list_type: ListType = "atomic"
    map_keys: Sequence[str] = ()
    merge_key: str = ""
    merge_strategy: str = ""
    atomic: bool = False
    enum: Sequence[str] = ()
    default: Any = None
    nullable: bool = False
    format: str = ""  # int32, int64 or double, where the source says so

    def type(self) -> ObjectType:
        """The members of an OBJECT; of anything else, none."""
        return self.members() if self.members is not None else ObjectType({})

    def field(self, path: str) -> Schema | None:
        """The schema at a path such as ``spec.template.spec.containers[].image``; ``[]`` steps into lists and maps."""
        at: Schema | None = self
        for step in path.replace("[]", ".[]").split("."):
            if at is None:
                return None
            at = at.item if step == "[]" else at.type().fields.get(step)
        return at


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind in one API version, as discovery tells it. ``subresources`` are ``status``, ``scale`` and the like."""

    api_version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    short_names: Sequence[str] = ()
    categories: Sequence[str] = ()
    verbs: Sequence[str] = ()
    subresources: Sequence[str] = ()


def group_of(api_version: str) -> str:
    """``apps`` of ``apps/v1``; the core group, whose versions stand alone, is "" """
    group, slash, _ = api_version.partition("/")
    return group if slash else ""
