"""A plan that was kept to be reviewed: what each resource will be, and how a later plan or step differs from that.

A value that was not known may become anything. Everything else is held to: operations, inputs, options, outputs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.paths import Path, join
from engine.plan import Op, Plan, Step
from engine.provider_registry import split_reference
from engine.providers.base import unchanged
from engine.redaction import MASK
from engine.state.model import CustomTimeouts
from engine.values import UNKNOWN, Properties, Secret, Value, has_secret, reveal

LONGEST_VALUE: Final = 60  # characters of a value that a difference shows


@dataclass(frozen=True)
class Change:
    """How properties change: those that are added, that get another value, and that go."""

    adds: Properties = field(default_factory=dict[str, Value])
    updates: Properties = field(default_factory=dict[str, Value])
    removes: Sequence[str] = ()

    @classmethod
    def between(cls, old: Properties, new: Properties) -> Change:
        """What makes ``new`` of ``old``."""
        adds = {key: value for key, value in new.items() if key not in old}
        updates = {key: value for key, value in new.items() if key in old and not unchanged(old[key], value)}
        return cls(adds, updates, tuple(sorted(key for key in old if key not in new)))

    def applied(self, old: Properties) -> Properties:
        """The properties that ``old`` becomes."""
        return {key: value for key, value in old.items() if key not in self.removes} | self.adds | self.updates


@dataclass(frozen=True)
class PlannedGoal:
    """What a resource is to be: its inputs as they change, and its options by Pulumi's names for them."""

    type: str
    custom: bool
    inputs: Change
    parent: str = ""
    provider: str = ""  # a URN: the id of a new one is not known yet
    dependencies: frozenset[str] = frozenset()
    protect: bool = False
    ignore_changes: frozenset[str] = frozenset()
    additional_secret_outputs: frozenset[str] = frozenset()
    import_id: str = ""
    custom_timeouts: CustomTimeouts = field(default_factory=CustomTimeouts)

    @classmethod
    def of(cls, step: Step) -> PlannedGoal:
        new = step.new
        assert new is not None, "asked of steps that lead to a state"
        provider = split_reference(new.provider)[0] if new.provider else ""
        return cls(
            new.type, new.custom, Change.between(step.old.inputs if step.old else {}, new.inputs), new.parent,
            provider, frozenset(new.dependencies), new.protect, frozenset(new.ignore_changes),
            frozenset(new.additional_secret_outputs), new.import_id, new.custom_timeouts,
        )  # fmt: skip

    def differences(self, step: Step) -> Iterator[str]:
        """How ``step`` leads to something else."""
        new = step.new
        assert new is not None, "asked of steps that lead to a state"
        yield from self._other_options(PlannedGoal.of(step))
        # Of what is made anew, Pulumi's plans have all inputs, whatever the old ones were.
        bases: list[Properties] = [step.old.inputs, {}] if step.old else [{}]
        yield from min((list(_changes(self.inputs.applied(base), new.inputs)) for base in bases), key=len)

    def _other_options(self, due: PlannedGoal) -> Iterator[str]:
        for name, said in _OPTIONS.items():
            planned, found = getattr(self, name), getattr(due, name)
            if planned != found:
                yield f"{said}: {_shown(_plain(planned))} was planned, {_shown(_plain(found))} is due"


_OPTIONS: Final[Mapping[str, str]] = {
    "custom": "whether it is managed by a provider", "parent": "parent", "provider": "provider",
    "dependencies": "dependencies", "protect": "protect", "ignore_changes": "ignore_changes",
    "additional_secret_outputs": "additional_secret_outputs", "import_id": "import_",
    "custom_timeouts": "custom_timeouts",
}  # fmt: skip


@dataclass(frozen=True)
class PlannedResource:
    """One resource: its operations in their order, its goal (None where it only goes), the seed of its name."""

    ops: Sequence[Op]
    goal: PlannedGoal | None = None
    seed: str = ""


@dataclass(frozen=True)
class Circumstances:
    """What a plan of ours was made against; each as text that is another when the thing is."""

    project: str
    stack: str
    state: str
    settings: str
    flags: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class SavedPlan:
    """A plan by URN. A plan of Pulumi's own says neither ``made_for`` what it was made, nor the outputs."""

    resources: Mapping[str, PlannedResource]
    made_for: Circumstances | None = None
    outputs: Properties | None = None

    @classmethod
    def of(cls, plan: Plan, seeds: Mapping[str, str], made_for: Circumstances) -> SavedPlan:
        resources = {
            urn: PlannedResource([step.op for step in steps], _goal(steps), seeds.get(urn, ""))
            for urn, steps in plan.by_urn().items()
        }
        return cls(resources, made_for, dict(plan.outputs_after))

    @property
    def seeds(self) -> dict[str, str]:
        return {urn: planned.seed for urn, planned in self.resources.items() if planned.seed}

    def differences(self, plan: Plan) -> list[tuple[str, str]]:
        """Where ``plan`` is another: each with the URN that it is about, "" for the stack's outputs."""
        found = list(self._resources(plan))
        if self.outputs is not None:
            changed = _changes(self.outputs, dict(plan.outputs_after), ("outputs",))
            found += [("", difference) for difference in changed]
        return found

    def _resources(self, plan: Plan) -> Iterator[tuple[str, str]]:
        due = plan.by_urn()
        for urn, steps in due.items():
            planned = self.resources.get(urn)
            for difference in _of_resource(planned, steps):
                yield urn, difference
        for urn, planned in self.resources.items():
            if urn not in due:
                yield from ((urn, difference) for difference in _of_ops(planned.ops, ()))

    def objection(self, step: Step) -> str | None:
        """Why ``step``, whose operation is as planned, may not run all the same."""
        planned = self.resources.get(step.urn)
        if planned is None or planned.goal is None or step.new is None:
            return None
        return "; ".join(planned.goal.differences(step)) or None


def _goal(steps: Sequence[Step]) -> PlannedGoal | None:
    leading = [step for step in steps if step.new is not None]
    return PlannedGoal.of(leading[0]) if leading else None


def _of_resource(planned: PlannedResource | None, steps: Sequence[Step]) -> Iterator[str]:
    yield from _of_ops(planned.ops if planned else (), [step.op for step in steps])
    leading = [step for step in steps if step.new is not None]
    if planned is not None and planned.goal is not None and leading:
        yield from planned.goal.differences(leading[0])


def _of_ops(planned: Sequence[Op], due: Sequence[Op]) -> Iterator[str]:
    """Operations in any order, as far as they are any: what stays as it is may as well not be mentioned."""
    if sorted(planned) != sorted(due) and any(op is not Op.SAME for op in (*planned, *due)):
        yield f"{_listed(planned)} was planned, {_listed(due)} is due"


def _listed(ops: Sequence[Op]) -> str:
    """The operation that a reader knows the others by: a replacement for its halves."""
    return str(Op.REPLACE) if Op.REPLACE in ops else " and ".join(dict.fromkeys(map(str, ops))) or "nothing"


def _changes(planned: Value, due: Value, path: Path = ()) -> Iterator[str]:
    """Where two values differ; what was not known when it was planned may be anything, or nothing."""
    if planned is UNKNOWN:
        return
    if isinstance(planned, Secret) or isinstance(due, Secret):
        if next(_changes(reveal(planned), reveal(due), path), None) is not None:
            yield f"{join(path)}: another secret value is due than was planned"
    elif isinstance(planned, dict) and isinstance(due, dict):
        for key in sorted({*planned, *due}):
            yield from _member(planned, due, key, (*path, key))
    elif isinstance(planned, list) and isinstance(due, list) and len(planned) == len(due):
        for index, (one, other) in enumerate(zip(planned, due, strict=True)):
            yield from _changes(one, other, (*path, index))
    elif not unchanged(planned, due):
        yield f"{join(path)}: {_shown(planned)} was planned, {_shown(due)} is due"


def _member(planned: Mapping[str, Value], due: Mapping[str, Value], key: str, path: Path) -> Iterator[str]:
    if key not in planned:
        yield f"{join(path)}: nothing was planned, {_shown(due[key])} is due"
    elif key in due:
        yield from _changes(planned[key], due[key], path)
    elif planned[key] is not UNKNOWN:
        yield f"{join(path)}: {_shown(planned[key])} was planned, nothing is due"


def _plain(value: object) -> Value:
    return sorted(value) if isinstance(value, frozenset) else str(value) if not isinstance(value, str | bool) else value


def _shown(value: Value) -> str:
    if has_secret(value):
        return MASK
    if value is UNKNOWN:
        return "something unknown"
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
