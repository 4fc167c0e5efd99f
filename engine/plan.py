"""What a run is going to do, as a value: steps with their reasons, before and after.

A plan is made by a preview and only read afterwards: by views, policies, cost, and by the apply that checks each of its
own steps against it (``Plan.objection``).
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.analyzer.findings import Verdict
from engine.providers.base import DiffKind
from engine.state.model import ResourceState
from engine.values import Properties, Value


class Op(enum.StrEnum):
    """A step's operation, by Pulumi's name for it."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    REPLACE = "replace"
    CREATE_REPLACEMENT = "create-replacement"
    DELETE_REPLACED = "delete-replaced"
    READ = "read"
    READ_REPLACEMENT = "read-replacement"
    DISCARD = "discard"
    DISCARD_REPLACED = "discard-replaced"
    REFRESH = "refresh"
    IMPORT = "import"
    IMPORT_REPLACEMENT = "import-replacement"
    REMOVE_PENDING_REPLACE = "remove-pending-replace"

    @classmethod
    def _missing_(cls, value: object) -> Op | None:
        """An operation that only a newer Pulumi knows keeps the name that it has there."""
        if not isinstance(value, str) or not value:
            return None
        op = str.__new__(cls, value)
        op._name_, op._value_ = value.upper(), value
        return cls._value2member_map_.setdefault(value, op)  # pyright: ignore[reportReturnType]


class Reason(enum.StrEnum):
    """Why a step is due. Nothing branches on it; it is there for the reader."""

    UNCHANGED = "unchanged"
    NEW = "new"
    CHANGED = "changed"
    IMMUTABLE = "a property that cannot change in place"
    REPLACE_ON_CHANGES = "replace_on_changes"
    PROVIDER_REPLACED = "its provider changed"
    KIND_CHANGED = "a component became a resource, or the other way round"
    REPLACED_DEPENDENCY = "a resource that it depends on is replaced"
    REPLACED_WITH = "a resource that it is replaced with is replaced"
    TAINTED = "it is marked to be replaced"
    ASKED = "asked for by --replace"
    TRIGGERED = "its replacement trigger changed"
    DELETED_WITH = "the resource that it is deleted with is replaced"
    INTERRUPTED_REPLACEMENT = "an earlier replacement was interrupted"
    UNFINISHED = "it was not ready when it was last changed"
    IMPORTED = "asked for by import_"
    READ = "read from what exists"
    NOT_DECLARED = "the program does not declare it any more"
    DESTROYED = "the stack is destroyed"
    REPLACED = "its replacement exists"
    ADOPTED = "only referenced so far, now managed"
    NOT_TARGETED = "not among the targets"
    DRIFTED = "it differs from the state"
    GONE = "it does not exist any more"


REPLACEMENTS = frozenset({Op.REPLACE, Op.CREATE_REPLACEMENT, Op.IMPORT_REPLACEMENT, Op.READ_REPLACEMENT})
DISCARDS: Mapping[Op, Op] = {Op.DELETE: Op.DISCARD, Op.DELETE_REPLACED: Op.DISCARD_REPLACED}  # of what is only read
DELETIONS = frozenset({*DISCARDS, *DISCARDS.values(), Op.REMOVE_PENDING_REPLACE})

_ALLOWED: Mapping[Op, frozenset[Op]] = {
    Op.UPDATE: frozenset({Op.SAME, Op.UPDATE}),
    Op.REPLACE: frozenset({Op.SAME, Op.UPDATE, Op.REPLACE}),
    Op.CREATE_REPLACEMENT: frozenset({Op.SAME, Op.UPDATE, Op.CREATE_REPLACEMENT}),
    Op.DELETE_REPLACED: frozenset({Op.SAME, Op.UPDATE, Op.DELETE_REPLACED}),
    Op.DISCARD_REPLACED: frozenset({Op.SAME, Op.UPDATE, Op.DISCARD, Op.DISCARD_REPLACED}),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on one resource: ``old`` is what stands, ``new`` what will (one of them may be None).

    ``detailed`` maps property paths to what happens to them, ``replace_keys`` names the properties that force a
    replacement. ``retained`` says that a deletion only forgets the resource.
    """

    op: Op
    urn: str
    type: str
    reason: Reason
    old: ResourceState | None = None
    new: ResourceState | None = None
    detailed: Mapping[str, DiffKind] = field(default_factory=dict[str, DiffKind])
    replace_keys: Sequence[str] = ()
    retained: bool = False

    @property
    def state(self) -> ResourceState:
        """The resource that the step is about: as it will be, or as it was where it goes."""
        state = self.new or self.old
        assert state is not None, "a step has an old or a new state"
        return state

    @property
    def provider(self) -> str:
        return self.state.provider

    @property
    def left_out(self) -> bool:
        """Whether the resource is new and, not being among the targets, is not created: Pulumi calls that the same."""
        return self.op is Op.SAME and self.old is None


@dataclass(frozen=True)
class Plan:
    """A run's steps in the order in which they were decided, the stack's outputs before and after, and notes.

    ``policy`` is what the policy packs say about it, None where none was asked. ``drift`` is how what exists differed
    from the state, where that was refreshed first; the steps start from what was found.
    """

    steps: Sequence[Step]
    outputs_before: Properties = field(default_factory=dict[str, Value])
    outputs_after: Properties = field(default_factory=dict[str, Value])
    notes: Sequence[str] = ()
    unknown_types: Sequence[str] = ()
    state_only_changes: bool = False
    policy: Verdict | None = None
    drift: Sequence[Step] = ()

    @property
    def counts(self) -> Mapping[Op, int]:
        """How many resources each operation touches; the halves of a replacement count as one replacement."""
        halves = {*REPLACEMENTS, Op.DELETE_REPLACED, Op.DISCARD_REPLACED} - {Op.REPLACE}
        return Counter(step.op for step in self.steps if step.op not in halves)

    @property
    def has_changes(self) -> bool:
        """Whether an apply would touch a resource."""
        return any(step.op not in (Op.SAME, Op.READ) for step in self.steps)

    def by_urn(self) -> Mapping[str, Sequence[Step]]:
        """The steps of each resource."""
        steps: dict[str, list[Step]] = {}
        for step in self.steps:
            steps.setdefault(step.urn, []).append(step)
        return steps


class Reviewed(Protocol):
    """A plan that was kept to be reviewed, which is stricter: it holds each resource to its properties, too."""

    def objection(self, step: Step) -> str | None:
        """Why a step, whose operation is as planned, may not run all the same."""
        ...


class Constraint:
    """Holds an apply to the plan that was shown: the questions that the apply asks before each step."""

    def __init__(self, plan: Plan, reviewed: Reviewed | None = None) -> None:
        self._reviewed = reviewed
        self._order = {urn: [step.op for step in steps] for urn, steps in plan.by_urn().items()}
        self._ops = {urn: set(order) for urn, order in self._order.items()}

    def leaves(self, dependent: str, root: str, *, replaced: bool) -> bool:
        """Whether ``root`` is planned to be deleted before it is replaced, and ``dependent`` not to go along.

        The program had come to the dependent when the preview came to this; which is first may differ by a moment.
        Of what is ``replaced`` already, nothing more than its deletion is planned.
        """
        going = {Op.DELETE, Op.DISCARD} if replaced else {Op.DELETE_REPLACED, Op.DISCARD_REPLACED}
        order, along = self._order.get(root, []), self._ops.get(dependent, set())
        planned = [op for op in order if op in (Op.DELETE_REPLACED, Op.CREATE_REPLACEMENT)]
        return planned[:1] == [Op.DELETE_REPLACED] and not along & going

    def objection(self, step: Step) -> str | None:
        """Why ``step`` may not run, or None. What the preview could not see (a create below an unknown) may."""
        planned = self._ops.get(step.urn)
        if planned is None:
            return None if step.op in (Op.SAME, Op.CREATE, Op.READ) else f"{step.op} was not in the plan"
        allowed = planned.union(*(_ALLOWED.get(op, frozenset({op})) for op in planned))
        if step.op in allowed:
            return self._reviewed.objection(step) if self._reviewed else None
        return f"{step.op} was not in the plan (expected {' or '.join(sorted(planned))})"
