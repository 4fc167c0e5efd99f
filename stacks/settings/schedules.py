"""Settings of the hours in which a pool has nodes: cron as EC2 Auto Scaling takes it, and its time zone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from stacks.settings.base import Contradiction, Section

_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# What each field is, its least and largest number, and the names that stand for numbers from the least on.
_FIELDS: Final[tuple[tuple[str, int, int, tuple[str, ...]], ...]] = (
    ("a minute", 0, 59, ()),
    ("an hour", 0, 23, ()),
    ("a day of the month", 1, 31, ()),
    ("a month", 1, 12, _MONTHS),
    ("a weekday", 0, 7, _WEEKDAYS),
)
# One entry of a field's list: everything, a value or a range, each with an optional step.
_ENTRY: Final = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/([1-9]\d?))?", re.ASCII)


def _cron(text: str) -> str:
    for field, (what, least, largest, names) in zip(text.split(" "), _FIELDS, strict=True):
        if not all(_is_entry(entry, least, largest, names) for entry in field.split(",")):
            known = f"{least} to {largest}" + (f" or {names[0]} to {names[-1]}" if names else "")
            raise PydanticCustomError("cron", "{text}", {"text": f"has '{field}' for {what}, which is {known}"})
    return text


def _is_entry(entry: str, least: int, largest: int, names: tuple[str, ...]) -> bool:
    found = _ENTRY.fullmatch(entry)
    values = [_value(each, least, names) for each in found.groups()[:2] if each] if found else [None]
    known = [each for each in values if each is not None and least <= each <= largest]
    return len(known) == len(values) and known == sorted(known)


def _value(text: str, least: int, names: tuple[str, ...]) -> int | None:
    if text.upper() in names:
        return names.index(text.upper()) + least
    return int(text) if text.isdecimal() else None


def _time_zone(name: str) -> str:
    if not _exists(name) and _exists("Etc/UTC"):  # a machine without a table of time zones knows none
        raise PydanticCustomError("time_zone", "is no time zone of IANA's")
    return name


def _exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, OSError, ValueError):  # the latter for the name of a folder of the table
        return False
    return True


Cron = Annotated[str, Field(pattern=r"^\S+( \S+){4}$"), AfterValidator(_cron)]
TimeZone = Annotated[str, Field(pattern=r"^[A-Za-z]+(/[A-Za-z0-9_+-]+)*$"), AfterValidator(_time_zone)]


class ScheduleSettings(Section):
    """Hours in which the pool has nodes; outside of them it has none."""

    start: Cron = "0 8 * * MON-FRI"
    """When the pool gets its desired size: minute, hour, day, month, weekday, as cron has them."""
    stop: Cron = "0 20 * * MON-FRI"
    """When the pool is scaled to zero."""
    time_zone: TimeZone = "Etc/UTC"
    """Time zone of both, by its IANA name such as Europe/Berlin."""

    def contradictions(self) -> Iterable[Contradiction]:
        if self.start == self.stop:
            # EC2 Auto Scaling refuses two actions of a group at one time.
            yield Contradiction("stop", f"is '{self.stop}', when the pool starts, too", "give another time")
