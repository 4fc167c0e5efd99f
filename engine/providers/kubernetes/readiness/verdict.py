"""What a judge of readiness says, and how the status of an object is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

Object: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Readiness:
    """``failed`` says that waiting longer is of no use. ``reasons`` tell what is missing, each in one line."""

    ready: bool
    failed: bool = False
    reasons: Sequence[str] = ()


READY: Final = Readiness(ready=True)


def waiting(*reasons: str) -> Readiness:
    return Readiness(ready=False, reasons=tuple(reason for reason in reasons if reason))


def failed(*reasons: str) -> Readiness:
    return Readiness(ready=False, failed=True, reasons=reasons)


def ready_if(condition: bool, reason: str) -> Readiness:
    return READY if condition else waiting(reason)


def at(value: Object, *path: str) -> Any:
    """The value at a path of an object; None where any part of it is missing."""
    found: Any = value
    for step in path:
        found = cast(Object, found).get(step) if isinstance(found, Mapping) else None
    return found


def number(value: Object, *path: str, default: int = 0) -> int:
    found = at(value, *path)
    return int(found) if isinstance(found, int | float) else default


def text(value: Object, *path: str) -> str:
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def items(value: Object, *path: str) -> Sequence[Object]:
    """A list of objects at a path; empty where there is none."""
    found = at(value, *path)
    listed = cast("list[Any]", found) if isinstance(found, list) else []
    return [cast(Object, item) for item in listed if isinstance(item, Mapping)]


def condition(value: Object, type_: str) -> Object | None:
    """The status condition of a type, or None while the object has none."""
    return next((entry for entry in items(value, "status", "conditions") if entry.get("type") == type_), None)


def is_true(value: Object, type_: str) -> bool:
    return (condition(value, type_) or {}).get("status") == "True"


def is_false(value: Object, type_: str) -> bool:
    return (condition(value, type_) or {}).get("status") == "False"


def said(of: Object | None) -> str:
    """A condition's own words: ``[Reason] message``; "" where it has none."""
    reason, message = text(of or {}, "reason"), text(of or {}, "message")
    return f"[{reason}] {message}".strip() if reason else message


def unobserved(value: Object) -> bool:
    """Whether the status still tells of an older generation of the object."""
    return number(value, "status", "observedGeneration") < number(value, "metadata", "generation")
