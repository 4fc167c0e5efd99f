"""Properties on the way to a provider and back: marked as far as the provider takes marks."""

from __future__ import annotations

from typing import Any, Final

from engine import wire
from engine.differ import property_changes
from engine.paths import join
from engine.providers.base import Diff, DiffKind
from engine.providers.remote.connection import Abilities
from engine.values import UNKNOWN, Properties, ResourceRef, Secret, Value, marked_like, transform, walk
from engine.wire import UNKNOWN_STRING

NOTHING: Final = Abilities()


def sent(properties: Properties, abilities: Abilities) -> Any:
    """``properties`` as a message for a provider that takes what ``abilities`` say."""

    def leaf(value: Value) -> Value:
        if isinstance(value, Secret):
            inner = transform(value.value, leaf)
            return Secret(inner) if abilities.secrets else inner
        if isinstance(value, ResourceRef) and not abilities.resources:
            return value.urn if value.id is None else transform(value.id, leaf)
        return value

    return wire.encode(transform(properties, leaf))


def got(message: Any, given: Properties, abilities: Abilities) -> Properties:
    """What a provider answers. Where it was told of no secrets, what echoes one of ``given`` is marked.

    Raises ValueError where a value has a form that this engine does not know.
    """
    outputs: Properties = wire.flatten_outputs(wire.decode(message), set())
    if abilities.secrets:
        return outputs
    return {key: marked_like(value, given.get(key)) for key, value in outputs.items()}


def all_known(properties: Properties) -> bool:
    """Whether nothing in ``properties`` is unknown; a text with the mark of an unknown value in it is."""
    return not any(item is UNKNOWN or (isinstance(item, str) and UNKNOWN_STRING in item) for item in walk(properties))


_KINDS: Final = (
    DiffKind.ADD, DiffKind.ADD_REPLACE, DiffKind.DELETE, DiffKind.DELETE_REPLACE, DiffKind.UPDATE,
    DiffKind.UPDATE_REPLACE,
)  # fmt: skip
_UNSAID, _NONE, _SOME = range(3)  # of the message's ``changes``


def difference(message: Any, old_inputs: Properties, new_inputs: Properties) -> Diff:
    """What a provider says of a difference; where it does not say whether there is one, the inputs tell.

    Raises ValueError where it says neither this nor that.
    """
    if message.changes not in (_UNSAID, _NONE, _SOME):
        raise ValueError(f"the state of its difference is {message.changes}")
    if message.changes == _UNSAID:
        found = property_changes(old_inputs, new_inputs)
        changes, detailed = bool(found), {join(one.path): one.kind for one in found}
    else:
        changes, detailed = message.changes == _SOME, _detailed(message)
    if not changes:
        return Diff(changes=False, stables=tuple(message.stables))
    return Diff(True, detailed, tuple(message.replaces), tuple(message.stables), message.deleteBeforeReplace)


def _detailed(message: Any) -> dict[str, DiffKind]:
    """The properties that differ; without details the keys that changed are told as updates."""
    if not message.hasDetailedDiff:
        return dict.fromkeys(message.diffs, DiffKind.UPDATE)
    return {
        path: _KINDS[one.kind] if one.kind < len(_KINDS) else DiffKind.UPDATE
        for path, one in message.detailedDiff.items()
    }
