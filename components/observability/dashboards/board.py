"""Dashboards as values: sections of panels, the variables that narrow them, and where everything lies."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from components.observability.values import Panel

# A dashboard is this wide. Source: Grafana, "Dashboard JSON model", panel size and position, 2026-11.
WIDTH: Final = 24
# Every dashboard of ours has it, and is found by it from all others.
TAG: Final = "bedplate"
# The longest identifier that Grafana takes. Source: grafana/grafana, pkg/util/shortid_generator.go, 13.2.
_UID_LIMIT = 40
# A section has fewer panels than that: so numbers of one don't depend on what is above it.
_NUMBERS: Final = 100


@dataclass(frozen=True)
class Folder:
    """Where dashboards lie; ``uid`` stays when the title changes."""

    uid: str
    title: str


@dataclass(frozen=True)
class Link:
    """A way from a dashboard or a panel to elsewhere."""

    title: str
    url: str


@dataclass(frozen=True)
class Variable:
    """Something that whoever looks may choose: values of ``label`` of the series ``metric``, or ``value`` alone.

    Without a metric it is one of the dashboard's queries. ``within`` are matchers (``team=~"$team"``) that narrow the
    choice by another variable.
    """

    label: str
    title: str
    metric: str = ""
    within: str = ""
    value: str | None = None


@dataclass(frozen=True)
class Section:
    """Panels below one heading, with the links that belong to them."""

    title: str
    panels: Sequence[Panel]
    links: Sequence[Link] = ()


@dataclass(frozen=True)
class Board:
    """A dashboard. ``fires`` are the matchers of alerts that are marked in its panels."""

    uid: str
    title: str
    description: str
    folder: Folder
    sections: Sequence[Section]
    variables: Sequence[Variable] = ()
    links: Sequence[Link] = ()
    tags: Sequence[str] = ()
    fires: str = ""


@dataclass(frozen=True)
class Place:
    """A rectangle of the grid, in its units: x and y from the top left."""

    x: int
    y: int
    width: int
    height: int

    def overlaps(self, other: Place) -> bool:
        beside = self.x + self.width <= other.x or other.x + other.width <= self.x
        above = self.y + self.height <= other.y or other.y + other.height <= self.y
        return not beside and not above


@dataclass(frozen=True)
class Placed:
    """A section's heading (``panel`` is None) or one of its panels, its number on the dashboard, and where it lies."""

    panel: Panel | None
    number: int
    place: Place


@dataclass
class _Cursor:
    """Where the next panel goes: beside the last one while there is room, else below all that are beside it."""

    y: int
    x: int = 0
    below: int = 0

    def take(self, width: int, height: int) -> Place:
        if self.x + width > WIDTH:
            self.x, self.y = 0, self.below
        place = Place(self.x, self.y, width, height)
        self.x += width
        self.below = max(self.below, self.y + height)
        return place


@dataclass(frozen=True)
class Laid:
    """Section ``index`` of a dashboard, from ``y`` on: where its panels lie follows from these alone."""

    index: int
    section: Section
    y: int

    def parts(self) -> list[Placed]:
        """Its heading and its panels: left to right, then down, and nothing on anything else."""
        cursor, first = _Cursor(self.y), self.index * _NUMBERS + 1
        heading = Placed(None, first, cursor.take(WIDTH, 1))
        panels = self.section.panels
        return [
            heading,
            *(Placed(one, first + 1 + n, cursor.take(one.width, one.height)) for n, one in enumerate(panels)),
        ]

    @property
    def height(self) -> int:
        return max(each.place.y + each.place.height for each in self.parts()) - self.y


def laid(board: Board) -> Iterator[Laid]:
    """The sections of ``board`` one below the other."""
    y = 0
    for index, section in enumerate(board.sections):
        each = Laid(index, section, y)
        y += each.height
        yield each


def stable_uid(*parts: str) -> str:
    """An identifier of ``parts`` that Grafana takes, the same every time; what is too long is cut and told apart."""
    uid = re.sub(r"[^a-zA-Z0-9_-]", "-", "-".join(parts))
    if len(uid) <= _UID_LIMIT and uid == "-".join(parts):
        return uid
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]
    return f"{uid[: _UID_LIMIT - 9]}-{digest}"


def url_of(uid: str) -> str:
    """The address of a dashboard, relative to where Grafana is."""
    return f"/d/{uid}"
