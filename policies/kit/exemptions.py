"""Exceptions from rules: for whom, why, who answers for it, and until when."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

FIELDS: Final = ("rule", "resource", "reason", "owner", "expires")
_DATE: Final = re.compile(r"(\d{4}-\d{2}-\d{2})([T ]00:00:00(\.0+)?(Z|\+00:00| \+0000 UTC)?)?")


@dataclass(frozen=True)
class Exemption:
    """One exception of the settings. It holds until the end of the day ``expires`` (UTC)."""

    place: str
    rule: str
    resource: str
    reason: str
    owner: str
    expires: date

    def holds(self, today: date) -> bool:
        """False once it has expired."""
        return today <= self.expires

    def covers(self, rule: str, names: tuple[str, ...]) -> bool:
        """Whether it is about ``rule`` and its glob matches one of a resource's names."""
        return self.rule == rule and any(fnmatch.fnmatchcase(name, self.resource) for name in names)

    def __str__(self) -> str:
        return f"{self.rule} for {self.resource!r} until {self.expires} by {self.owner}: {self.reason}"


def names_of(urn: str, stack: str) -> tuple[str, ...]:
    """What an exception may call a resource: its name, type::name or URN; the stack is ``stack`` or its name."""
    if not urn:
        return ("stack", stack)
    qualified, _, name = urn.rpartition("::")
    token = qualified.rpartition("::")[2].rpartition("$")[2]
    return (name, f"{token}::{name}", urn)


def read(entry: Any, place: str) -> tuple[Exemption | None, Iterator[tuple[str, str]]]:
    """An exception as it is written, or None with what is wrong with it, as paths and messages."""
    if not isinstance(entry, dict):
        return None, iter([(place, f"expected {', '.join(FIELDS)}, seen {entry!r}")])
    wrong = list(_faults(entry, place))
    if wrong:
        return None, iter(wrong)
    texts = {key: str(entry[key]).strip() for key in FIELDS[:-1]}
    expires = _date(entry["expires"])
    assert expires is not None  # _faults has seen to it
    return Exemption(place, texts["rule"], texts["resource"], texts["reason"], texts["owner"], expires), iter(())


def _faults(entry: Mapping[str, Any], place: str) -> Iterator[tuple[str, str]]:
    for key in FIELDS:
        value = entry.get(key)
        if value is None or not str(value).strip():
            yield f"{place}.{key}", "is missing: an exception has a rule, a resource, a reason, an owner and an expiry"
        elif key == "expires" and _date(value) is None:
            yield f"{place}.expires", f"expected a date such as 2027-03-31, seen {str(value)!r}"
        elif key != "expires" and not isinstance(value, str):
            yield f"{place}.{key}", f"expected text, seen {value!r}"
    for key in entry:
        if key not in FIELDS:
            yield f"{place}.{key}", f"is not known; expected {', '.join(FIELDS)}"


def _date(value: Any) -> date | None:
    """A date as YAML gives it, or as text; JSON has no dates, and Pulumi writes them with a time."""
    match = _DATE.fullmatch(str(value))
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:  # 31 June
        return None
