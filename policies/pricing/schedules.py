"""Schedules as hours: how long in an average week a pool that is started and stopped by the clock runs.

Cron as EC2 Auto Scaling has it: five fields, names of days and months, lists, ranges and steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from policies.pricing.model import HOURS_A_MONTH
from policies.pricing.reading import NotPriceable

_DAYS: Final = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))}
_MINUTES_A_WEEK: Final = 7 * 24 * 60


class NotCron(NotPriceable):
    def __init__(self, text: str) -> None:
        super().__init__(f"the recurrence {text!r} is no weekly schedule that hours can be counted of")


@dataclass(frozen=True)
class Action:
    """At ``recurrence``, the pool gets ``size`` nodes."""

    recurrence: str
    size: float


def average_nodes(actions: Sequence[Action]) -> float:
    """How many nodes there are on the average of a week. Raises NotCron."""
    events = sorted((minute, action.size) for action in actions for minute in minutes_of(action.recurrence))
    if not events:
        raise NotCron("")
    minutes = [minute for minute, _ in events]
    total = 0.0
    for index, (minute, size) in enumerate(events):
        following = minutes[index + 1] if index + 1 < len(events) else minutes[0] + _MINUTES_A_WEEK
        total += size * (following - minute)
    return total / _MINUTES_A_WEEK


def hours_a_month(average: float) -> float:
    """Node-hours a month of so many nodes on the average."""
    return average * HOURS_A_MONTH


def minutes_of(recurrence: str) -> list[int]:
    """The minutes of the week, from Sunday 00:00, at which a recurrence falls. Raises NotCron."""
    fields = recurrence.split()
    if len(fields) != 5 or fields[2] not in ("*", "?") or fields[3] != "*":
        raise NotCron(recurrence)  # by the day of the month: no two weeks are alike
    minutes = _values(fields[0], 0, 59, recurrence)
    hours = _values(fields[1], 0, 23, recurrence)
    days = {day % 7 for day in _values(fields[4].upper(), 0, 7, recurrence)}
    return [(day * 24 + hour) * 60 + minute for day in sorted(days) for hour in hours for minute in minutes]


def _values(text: str, low: int, high: int, whole: str) -> list[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span in ("*", "?"):
            start, end = low, 6 if high == 7 else high
        else:
            start = _value(first, whole)
            end = _value(last, whole) if last else (high if step else start)
            end = high if high == 7 and end == 0 < start else end  # MON-SUN
        stride = _value(step, whole) if step else 1
        if not low <= start <= end <= high or stride < 1:
            raise NotCron(whole)
        found.update(range(start, end + 1, stride))
    return sorted(found)


def _value(text: str, whole: str) -> int:
    if text in _DAYS:
        return _DAYS[text]
    if not text.isdecimal():
        raise NotCron(whole)
    return int(text)
