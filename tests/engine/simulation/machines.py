"""The table of instance types, and plans described by hand. Their form: ``tests/cases/simulation/README.md``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from engine import urn as urns
from engine.plan import Op, Plan, Reason, Step
from engine.simulation.declared import Declared
from engine.simulation.model import Catalogue
from engine.state.model import ResourceState
from stacks.settings.instances import instance_types
from tests.special_values import Loader

CATALOGUE: Final[Catalogue] = instance_types()
CASES: Final = Path(__file__).parents[2] / "cases" / "simulation"


def read_case(path: Path) -> Mapping[str, Any]:
    # A subclass of the safe loader, with three tags more.
    return yaml.load(path.read_text(), Loader=Loader)


def plan_of(resources: list[Mapping[str, Any]]) -> Plan:
    """A plan that creates (or does what ``op`` says with) each of ``resources``."""
    named = {one["name"]: urns.make("prod", "demo", None, one["type"], one["name"]) for one in resources}
    return Plan([_step(one, named) for one in resources])


def _step(one: Mapping[str, Any], named: Mapping[str, str]) -> Step:
    depends = {key: tuple(named[name] for name in names) for key, names in one.get("depends", {}).items()}
    custom = ":components:" not in one["type"]
    parent = named.get(one.get("in", ""), "")
    state = ResourceState(
        named[one["name"]], one["type"], custom, one.get("id", ""), one.get("inputs", {}), one.get("outputs", {}),
        parent, property_dependencies=depends,
    )  # fmt: skip
    op = Op(one.get("op", "create"))
    return Step(op, state.urn, state.type, Reason.NEW, None if op is Op.CREATE else state, state)


def declared_by(case: Mapping[str, Any]) -> Declared:
    return Declared.by(plan_of(case["resources"]))
