"""What is wrong with a dashboard, by the document that Grafana would read: our own, or anybody's.

Each check is a function that yields findings; ``CHECKS`` lists them. They ask what only shows when somebody looks, at
night: a query that does not parse or names what nobody exports, a legend whose label was summed away, a variable that
nothing heeds, a panel on top of another.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final, cast

from grafana_foundation_sdk.models import units

from components.observability.dashboards.board import WIDTH, Place
from components.observability.dashboards.schema import schema_problems
from components.observability.labels import LabelsOf
from components.observability.lint_queries import query_problems

# Every unit that Grafana has a name for. Source: its foundation SDK, models/units.py, of 2026-01.
UNITS: Final = frozenset(value for value in vars(units).values() if isinstance(value, str) and " " not in value)
# Panels that show what queries give.
_WITHOUT_QUERIES: Final = frozenset({"row", "text"})
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?:[:.][^}]*)?\}|(\w+))|\[\[(\w+)\]\]")
_LABEL_VALUES = re.compile(r"label_values\((?:(.+),\s*)?(\w+)\)")
_UID_LIMIT = 40


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: in which panel ("" is the dashboard itself) of which dashboard."""

    dashboard: str
    panel: str
    message: str

    def __str__(self) -> str:
        return f"{self.dashboard}{f', panel {self.panel!r}' if self.panel else ''}: {self.message}"


@dataclass(frozen=True)
class Subject:
    """A dashboard's document, with its panels; ``uids`` are those of all dashboards that there are."""

    document: Mapping[str, Any]
    labels_of: LabelsOf
    uids: frozenset[str] = field(default_factory=frozenset[str])

    @property
    def name(self) -> str:
        return str(self.document.get("uid") or self.document.get("title"))

    @property
    def panels(self) -> Sequence[Mapping[str, Any]]:
        return self.document.get("panels") or []

    @property
    def drawn(self) -> list[Mapping[str, Any]]:
        return [panel for panel in self.panels if panel["type"] not in _WITHOUT_QUERIES]

    @property
    def variables(self) -> Sequence[Mapping[str, Any]]:
        return self.document.get("templating", {}).get("list", [])

    def finding(self, message: str, panel: Mapping[str, Any] | None = None) -> Finding:
        return Finding(self.name, "" if panel is None else str(panel.get("title")), message)


Check = Callable[[Subject], Iterable[Finding]]


def lint(documents: Iterable[Mapping[str, Any]], labels_of: LabelsOf) -> list[Finding]:
    """What is wrong with each of ``documents``, and with them together. ``labels_of`` knows the metrics."""
    all_of_them = list(documents)
    uids = frozenset(str(each.get("uid")) for each in all_of_them)
    found = [finding for each in all_of_them for finding in _of_one(Subject(each, labels_of, uids))]
    for uid, count in Counter(str(each.get("uid")) for each in all_of_them).items():
        if count > 1:
            found.append(Finding(uid, "", f"{count} dashboards have this uid"))
    return found


def _of_one(subject: Subject) -> Iterator[Finding]:
    # What is not even of the right form is not looked at more closely.
    malformed = [subject.finding(f"the document{problem}") for problem in schema_problems(subject.document)]
    yield from malformed or (finding for check in CHECKS for finding in check(subject))


def _identity(subject: Subject) -> Iterator[Finding]:
    uid = str(subject.document.get("uid") or "")
    if not re.fullmatch(rf"[a-zA-Z0-9_-]{{1,{_UID_LIMIT}}}", uid):
        yield subject.finding(f"the uid {uid!r} is none: up to {_UID_LIMIT} letters, digits, - and _")
    if not subject.document.get("title"):
        yield subject.finding("has no title")
    for what, values in (
        ("id", [panel.get("id") for panel in subject.panels]),
        ("title", [panel.get("title") for panel in subject.drawn]),
    ):
        for value, count in Counter(values).items():
            if count > 1:
                yield subject.finding(f"{count} panels have the {what} {value!r}")


def _said(subject: Subject) -> Iterator[Finding]:
    for panel in subject.drawn:
        if not panel.get("title"):
            yield subject.finding(f"panel {panel.get('id')} has no title", panel)
        if not panel.get("description"):
            yield subject.finding("has no description: what does it say, and when is it bad?", panel)
        if not panel.get("targets"):
            yield subject.finding("has no query", panel)


def _units(subject: Subject) -> Iterator[Finding]:
    for panel in subject.drawn:
        unit = panel["fieldConfig"]["defaults"].get("unit")
        if not unit:
            yield subject.finding("has no unit", panel)
        elif unit not in UNITS and not unit.startswith(("suffix:", "prefix:", "currency:", "si:", "count:", "time:")):
            yield subject.finding(f"has the unit '{unit}', which Grafana does not know", panel)


def _layout(subject: Subject) -> Iterator[Finding]:
    places = [(panel, _place(panel)) for panel in subject.panels]
    for panel, place in places:
        if place.width < 1 or place.height < 1 or place.x < 0 or place.x + place.width > WIDTH:
            yield subject.finding(f"lies at {place.x}, {place.width} wide: a dashboard has {WIDTH} columns", panel)
    for (panel, place), (other, beside) in combinations(places, 2):
        if place.overlaps(beside):
            yield subject.finding(f"lies on panel {other.get('title')!r}", panel)


def _place(panel: Mapping[str, Any]) -> Place:
    grid = panel.get("gridPos") or {}
    return Place(grid.get("x", 0), grid.get("y", 0), grid.get("w", 0), grid.get("h", 0))


def _thresholds(subject: Subject) -> Iterator[Finding]:
    for panel in subject.drawn:
        steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
        values = [step["value"] for step in steps[1:]]
        if steps and steps[0]["value"] is not None:
            yield subject.finding("the first threshold must have no value: it is what is below all others", panel)
        elif None in values or values != sorted(set(values)):
            yield subject.finding(f"thresholds must rise, but are {values}", panel)


def _queries(subject: Subject) -> Iterator[Finding]:
    for panel in subject.drawn:
        for target in panel.get("targets") or []:
            for problem in query_problems(target["expr"], str(target.get("legendFormat") or ""), subject.labels_of):
                yield subject.finding(f"query {target['refId']}: {problem}", panel)
        for name, count in Counter(target["refId"] for target in panel.get("targets") or []).items():
            if count > 1:
                yield subject.finding(f"{count} queries are called {name}", panel)
    for each in subject.document["annotations"].get("list") or []:
        if each.get("expr"):
            for problem in query_problems(each["expr"], str(each.get("titleFormat") or ""), subject.labels_of):
                yield subject.finding(f"annotation '{each['name']}': {problem}")


def _sources(subject: Subject) -> Iterator[Finding]:
    for panel in subject.drawn:
        for target in [panel, *(panel.get("targets") or [])]:
            source = target.get("datasource")
            uid = cast("Mapping[str, Any]", source).get("uid") if isinstance(source, Mapping) else None
            if not _VARIABLE.fullmatch(str(uid)):
                yield subject.finding(f"asks the source {uid!r}, not the one that is chosen (${{datasource}})", panel)
                break


def _variables(subject: Subject) -> Iterator[Finding]:
    defined = [str(variable["name"]) for variable in subject.variables]
    used = dict(_used(subject))
    for name, where in used.items():
        if name not in defined:
            yield Finding(subject.name, where, f"names the variable '{name}', which is not defined")
    for name in defined:
        if name not in used:
            yield subject.finding(f"the variable '{name}' is used nowhere: whoever chooses it changes nothing")
    for name, count in Counter(defined).items():
        if count > 1:
            yield subject.finding(f"the variable '{name}' is defined {count} times")
    yield from _variable_queries(subject)


def _used(subject: Subject) -> Iterator[tuple[str, str]]:
    """The variables that are named, with the panel that names them; those of Grafana itself are not among them."""
    places: list[tuple[str, Any]] = [(str(panel.get("title")), panel) for panel in subject.panels]
    places += [("", {key: value for key, value in subject.document.items() if key not in ("panels", "templating")})]
    places += [("", variable.get("query")) for variable in subject.variables]
    for title, value in places:
        for text in _texts(value):
            for match in _VARIABLE.finditer(text):
                name = match[1] or match[2] or match[3]
                if not name.startswith("__"):
                    yield name, title


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in cast("Mapping[str, Any]", value).values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in cast("list[Any]", value):
            yield from _texts(one)


def _variable_queries(subject: Subject) -> Iterator[Finding]:
    for variable in subject.variables:
        if variable["type"] != "query":
            continue
        query = variable.get("query")
        text = cast("Mapping[str, Any]", query).get("query") if isinstance(query, Mapping) else query
        match = _LABEL_VALUES.fullmatch(str(text))
        if match is None:
            yield subject.finding(f"the variable '{variable['name']}' asks {text!r}, which is no label_values(...)")
            continue
        for problem in query_problems(match[1] or "up", f"{{{{{match[2]}}}}}", subject.labels_of) if match[1] else ():
            yield subject.finding(f"the variable '{variable['name']}': {problem}")


def _links(subject: Subject) -> Iterator[Finding]:
    for holder in [subject.document, *subject.panels]:
        for link in holder.get("links") or []:
            url = str(link.get("url") or "")
            inside = re.match(r"/d/([\w-]+)", url)
            if inside and inside[1] not in subject.uids:
                yield subject.finding(f"links to the dashboard '{inside[1]}', which there is not")
            elif link.get("type") == "link" and not inside and not url.startswith("https://"):
                yield subject.finding(f"links to {url!r}, which is no https:// address and no dashboard")


CHECKS: Final[Sequence[Check]] = (
    _identity, _said, _units, _layout, _thresholds, _queries, _sources, _variables, _links,
)  # fmt: skip
