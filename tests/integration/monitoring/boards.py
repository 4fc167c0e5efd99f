"""The expressions of a dashboard as Grafana would send them, with everything chosen that can be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

# Grafana's own, for a view of six hours at a step of a minute.
_GRAFANAS: Final = {
    "__rate_interval": "5m",
    "__interval": "1m",
    "__interval_ms": "60000",
    "__range": "6h",
    "__range_s": "21600",
    "__range_ms": "21600000",
}
_LABEL_VALUES: Final = re.compile(r"label_values\((?:(?P<series>.+),)?\s*(?P<label>\w+)\)", re.DOTALL)
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)|\[\[(\w+)\]\]")


@dataclass(frozen=True)
class Asked:
    """An expression, and where it stands: in which dashboard's file, in which panel or for which variable."""

    file: str
    panel: str
    expr: str


def asked(file: str, dashboard: Mapping[str, Any]) -> Iterator[Asked]:
    """What a dashboard asks: its panels, also those in rows, and the values of its variables."""
    values = _values(dashboard)
    for panel in _panels(dashboard["panels"]):
        for target in panel.get("targets", []):
            yield Asked(file, f"{panel['title']} ({target['refId']})", _filled(target["expr"], values))
    for variable in _variables(dashboard):
        found = _LABEL_VALUES.fullmatch(_query(variable))
        if found:
            series = _filled(found["series"].strip(), values) if found["series"] else '{__name__!=""}'
            labelled = f"count by ({found['label']}) ({series})"
            yield Asked(file, f"values of ${variable['name']}", labelled)


def _panels(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for panel in panels:
        yield panel
        yield from _panels(panel.get("panels", []))


def _variables(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    return dashboard.get("templating", {}).get("list", [])


def _query(variable: Mapping[str, Any]) -> str:
    query = variable.get("query", "")
    return query["query"] if isinstance(query, dict) else query


def _values(dashboard: Mapping[str, Any]) -> dict[str, str]:
    """What each variable stands for where "All" is chosen; a constant stands for itself."""
    made = dict(_GRAFANAS)
    for variable in _variables(dashboard):
        if variable["type"] == "constant":
            made[variable["name"]] = _query(variable)
        elif variable["type"] == "query":
            made[variable["name"]] = variable.get("allValue") or ".*"
    return made


def _filled(expr: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name = next(filter(None, found.groups()))
        assert name in values, f"${name} in {expr} is no variable of its dashboard"
        return values[name]

    return _VARIABLE.sub(value, expr)
