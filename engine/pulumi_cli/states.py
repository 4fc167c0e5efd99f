"""Resources and steps as the CLI's events have them, as our own values.

An event knows less of a resource than a state does: nothing of its dependencies, and of a secret only that it is one.
What the stack's state and the saved plan know beside is put in from there. (Source of the form: Pulumi 3.260,
``apitype.StepEventMetadata``.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from engine.plan import Op, Reason, Step
from engine.providers.base import DiffKind
from engine.redaction import MASK
from engine.state import properties
from engine.state.errors import StateError
from engine.state.model import ResourceState, Snapshot
from engine.state.secrets import Keyring, SecretCodec
from engine.values import Properties, Value

Encoded = Mapping[str, Any]
BLINDED: Final = json.dumps(MASK)


class _Blinded(SecretCodec):
    """For values whose secrets nobody can open any more, and nobody is to."""

    def __init__(self) -> None:
        super().__init__(Keyring(""))

    def open(self, ciphertext: str) -> str:
        return BLINDED


def values(encoded: Any) -> Properties:
    """Properties from an event. A value in a form that only a newer Pulumi knows stays as it came."""
    if not isinstance(encoded, dict):
        return {}
    try:
        return properties.decode(encoded, _Blinded())
    except StateError:
        return {str(key): _value(value) for key, value in encoded.items()}


def _value(encoded: Any) -> Value:
    try:
        return properties.decode_value(encoded, _Blinded())
    except StateError:
        return encoded


class Known:
    """What is known of resources beside an event: by the state before the run."""

    def __init__(self, base: Snapshot) -> None:
        self._states: dict[str, list[ResourceState]] = {}
        for state in base.resources:
            self._states.setdefault(state.urn, []).append(state)

    def old(self, encoded: Any) -> ResourceState | None:
        """A resource as it stands."""
        told = _told(encoded)
        if told is None:
            return None
        known = [state for state in self._states.get(told.urn, ()) if state.id == told.id]
        return _completed(told, known[0]) if known else told

    def new(self, encoded: Any) -> ResourceState | None:
        """A resource as it will be."""
        told = _told(encoded)
        if told is None:
            return None
        known = self._states.get(told.urn)
        return _completed(told, known[0]) if known else told


def with_goal(step: Step, goal: Encoded | None) -> Step:
    """The step with what a saved plan says of its resource: on which others it depends, and by which of its inputs."""
    if goal is None or step.new is None:
        return step
    by_property = goal.get("propertyDependencies")
    new = replace(
        step.new,
        dependencies=_texts(goal.get("dependencies")),
        property_dependencies={str(key): _texts(urns) for key, urns in by_property.items()}
        if isinstance(by_property, dict) else {},
        ignore_changes=_texts(goal.get("ignoreChanges")),
        additional_secret_outputs=_texts(goal.get("additionalSecretOutputs")),
    )  # fmt: skip
    return replace(step, new=new)


def goals_in(path: Path) -> dict[str, Encoded]:
    """What a saved plan says that the program wants, by URN; nothing where there is no plan, or none that we know."""
    try:
        content = json.loads(path.read_bytes())
        plans = content.get("resourcePlans") or content["plan"]["resourcePlans"]
        return {str(urn): plan["goal"] for urn, plan in plans.items() if plan.get("goal")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _completed(told: ResourceState, known: ResourceState) -> ResourceState:
    """``told`` with what only the state knows; values stay as the events have them, with the same secrets hidden."""
    return replace(
        known, type=told.type, id=told.id, inputs=told.inputs, outputs=told.outputs, parent=told.parent,
        provider=told.provider, protect=told.protect, taint=told.taint, external=told.external, delete=told.delete,
        retain_on_delete=told.retain_on_delete, init_errors=told.init_errors,
    )  # fmt: skip


def _told(encoded: Any) -> ResourceState | None:
    if not isinstance(encoded, dict):
        return None
    return ResourceState(
        urn=_text(encoded, "urn"),
        type=_text(encoded, "type"),
        custom=encoded.get("custom") is True,
        id=_text(encoded, "id").replace(properties.UNKNOWN_TEXT, ""),
        inputs=values(encoded.get("inputs")),
        outputs=values(encoded.get("outputs")),
        parent=_text(encoded, "parent"),
        provider=_text(encoded, "provider"),
        protect=encoded.get("protect") is True,
        taint=encoded.get("taint") is True,
        external=encoded.get("external") is True,
        delete=encoded.get("delete") is True,
        init_errors=_texts(encoded.get("initErrors")),
        retain_on_delete=encoded.get("retainOnDelete") is True,
        hide_diff=tuple(encoded.get("hideDiffs") or ()),
    )


def _text(encoded: Encoded, key: str) -> str:
    value = encoded.get(key)
    return value if isinstance(value, str) else ""


def _texts(encoded: Any) -> tuple[str, ...]:
    return tuple(map(str, encoded)) if isinstance(encoded, list) else ()


# Steps


def step_in(metadata: Encoded, known: Known, *, destroying: bool = False) -> Step | None:
    """The step that an event is about; None where it names neither an old nor a new state."""
    old, new = known.old(metadata.get("old")), known.new(metadata.get("new"))
    state = new or old
    if state is None:
        return None
    op = Op(_text(metadata, "op"))
    detailed = _detailed(metadata.get("detailedDiff"))
    keys = _texts(metadata.get("keys"))
    reason = _reason(op, old, new, bool(keys) or any(kind.replaces for kind in detailed.values()), destroying)
    urn, type_ = _text(metadata, "urn") or state.urn, _text(metadata, "type") or state.type
    retained = new is None and old is not None and (old.external or old.retain_on_delete)
    return Step(op, urn, type_, reason, old, new, detailed, keys, retained)


def _detailed(encoded: Any) -> dict[str, DiffKind]:
    if not isinstance(encoded, dict):
        return {}
    return {str(path): _kind(diff) for path, diff in encoded.items()}


def _kind(diff: Any) -> DiffKind:
    kind = diff.get("diffKind") if isinstance(diff, dict) else None
    return DiffKind(kind) if kind in set(DiffKind) else DiffKind.UPDATE


_PLAIN_REASONS: Final[Mapping[Op, Reason]] = {
    Op.SAME: Reason.UNCHANGED,
    Op.CREATE: Reason.NEW,
    Op.UPDATE: Reason.CHANGED,
    Op.READ: Reason.READ,
    Op.IMPORT: Reason.IMPORTED,
    Op.REFRESH: Reason.DRIFTED,
    Op.DELETE_REPLACED: Reason.REPLACED,
    Op.REMOVE_PENDING_REPLACE: Reason.INTERRUPTED_REPLACEMENT,
}


def _reason(op: Op, old: ResourceState | None, new: ResourceState | None, immutable: bool, destroying: bool) -> Reason:
    """Why a step is due, as far as can be told from what the CLI says of it."""
    if op is Op.DELETE:
        if destroying:
            return Reason.DESTROYED
        return Reason.REPLACED if old is not None and old.delete else Reason.NOT_DECLARED
    if op in _PLAIN_REASONS:
        return _PLAIN_REASONS[op]
    if old is None or new is None:
        return Reason.CHANGED
    if old.taint:
        return Reason.TAINTED
    if old.external and not new.external:
        return Reason.ADOPTED
    if old.custom != new.custom:
        return Reason.KIND_CHANGED
    if old.provider.rpartition("::")[0] != new.provider.rpartition("::")[0]:
        return Reason.PROVIDER_REPLACED
    return Reason.IMMUTABLE if immutable else Reason.REPLACED_DEPENDENCY
