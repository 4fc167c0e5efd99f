"""What differs between two sets of properties, for the eye: lists aligned, JSON by its structure, secrets taken out.

``engine.differ`` decides whether values are equal; this decides what of the difference is shown, and never shows a
secret: where either side is one, both are hidden, since a value may have become a secret without changing.
"""

from __future__ import annotations

import difflib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cli.views.values import HIDDEN, masked
from engine import paths
from engine.differ import ABSENT, equal
from engine.paths import Path
from engine.plan import Op, Reason, Step
from engine.providers.base import DiffKind
from engine.state.model import ResourceState
from engine.values import UNKNOWN, Properties, Secret, Value, reveal

_NAMING_KEYS: Final = ("id", "name", "key", "Sid", "deviceName", "cidrBlock")
MISSING: Final[Properties] = {}
_FROM_OUTPUTS: Final = frozenset({Reason.DRIFTED, Reason.GONE})


@dataclass(frozen=True)
class PropertyChange:
    """One property: ADD has no ``old``, DELETE no ``new`` (both ABSENT then). Secrets are ``HIDDEN`` in both."""

    path: Path
    kind: DiffKind
    old: Value
    new: Value
    replaces: bool = False


def of_step(step: Step) -> list[PropertyChange]:
    """What a step changes: of its inputs, or where the cloud has drifted, of its outputs."""
    if step.op is Op.REFRESH or step.reason in _FROM_OUTPUTS:
        found = _as_the_provider_sees_it(step, list(between(_outputs(step.old), _outputs(step.new))))
    else:
        old, new = (step.old.inputs if step.old else MISSING), (step.new.inputs if step.new else MISSING)
        found = list(between(MISSING if step.op is Op.CREATE else old, MISSING if step.op is Op.DELETE else new))
        found = _as_the_provider_sees_it(step, found)
    return [_marked(change, step) for change in found]


def _outputs(state: ResourceState | None) -> Properties:
    return state.outputs if state else MISSING


def _as_the_provider_sees_it(step: Step, found: list[PropertyChange]) -> list[PropertyChange]:
    """Leave out what the provider holds for equal, put in what it alone has seen."""
    if not step.detailed or step.old is None or step.new is None:
        return found
    named = {text: paths.parse(text) for text in step.detailed if not text.startswith("#")}
    kept = [one for one in found if any(_related(path, one.path) for path in named.values())]
    for path, kind in ((named[text], kind) for text, kind in step.detailed.items() if text in named):
        if not any(_related(path, one.path) for one in kept):
            kept.append(_seen_by_the_provider(path, kind, step.old, step.new))
    return kept


def _seen_by_the_provider(path: Path, kind: DiffKind, before: ResourceState, after: ResourceState) -> PropertyChange:
    """A change that the inputs do not show: from the old outputs to the new inputs, unknown where neither has it."""
    kind = DiffKind(kind.value.removesuffix("-replace"))
    if _is_secret_on_the_way(before.outputs, path) or _is_secret_on_the_way(after.inputs, path):
        return PropertyChange(path, DiffKind.UPDATE, HIDDEN, HIDDEN)
    old, new = _at(before.outputs, path), _at(after.inputs, path)
    if old is ABSENT and new is ABSENT:
        old = ABSENT if kind is DiffKind.ADD else UNKNOWN
        new = ABSENT if kind is DiffKind.DELETE else UNKNOWN
    elif old is ABSENT:
        kind = DiffKind.ADD
    else:
        kind = DiffKind.DELETE if new is ABSENT else DiffKind.UPDATE
    return PropertyChange(path, kind, _masked(old), _masked(new))


def _related(one: Path, other: Path) -> bool:
    return paths.contains(one, other) or paths.contains(other, one)


def _marked(change: PropertyChange, step: Step) -> PropertyChange:
    forced = any(kind.replaces and _related(paths.parse(text), change.path) for text, kind in step.detailed.items())
    if not forced and change.path:
        forced = str(change.path[0]) in step.replace_keys and not step.detailed
    return PropertyChange(change.path, change.kind, change.old, change.new, forced)


def _at(value: Value, path: Path) -> Value:
    for part in path:
        if isinstance(value, Secret):
            value = value.value
        members: Mapping[str | int, Value] = {}
        if isinstance(value, dict | list):
            members = dict(enumerate(value)) if isinstance(value, list) else value
        if part not in members:
            return ABSENT
        value = members[part]
    return value


def _is_secret_on_the_way(value: Value, path: Path) -> bool:
    return any(isinstance(_at(value, path[:length]), Secret) for length in range(len(path) + 1))


def between(old: Value, new: Value, path: Path = ()) -> Iterator[PropertyChange]:
    """Every difference between two values, in the order of their paths."""
    if old is ABSENT:
        yield PropertyChange(path, DiffKind.ADD, ABSENT, masked(new))
    elif new is ABSENT:
        yield PropertyChange(path, DiffKind.DELETE, masked(old), ABSENT)
    elif isinstance(old, Secret) or isinstance(new, Secret):
        if not equal(old, new):
            yield PropertyChange(path, DiffKind.UPDATE, HIDDEN, HIDDEN)
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from between(old.get(key, ABSENT), new.get(key, ABSENT), (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(old, new, path)
    elif isinstance(old, str) and isinstance(new, str) and old != new:
        yield from _strings(old, new, path)
    elif not equal(old, new):
        yield PropertyChange(path, DiffKind.UPDATE, masked(old), masked(new))


def _lists(old: Sequence[Value], new: Sequence[Value], path: Path) -> Iterator[PropertyChange]:
    """Members that moved because another came or went before them are no difference."""
    before, after = [_key(item) for item in old], [_key(item) for item in new]
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            continue
        for index, other_index in _pairs(old, new, range(start, end), range(new_start, new_end)):
            one = ABSENT if index is None else old[index]
            other = ABSENT if other_index is None else new[other_index]
            yield from between(one, other, (*path, _first(other_index, index)))


def _first(*indexes: int | None) -> int:
    return next(index for index in indexes if index is not None)


def _pairs(
    old: Sequence[Value], new: Sequence[Value], olds: range, news: range
) -> Sequence[tuple[int | None, int | None]]:
    """Which members to compare with each other: those that name themselves alike, else those at the same place."""
    for key in _NAMING_KEYS:
        before = {_naming(old[index], key): index for index in olds}
        after = {_naming(new[index], key): index for index in news}
        if len(before) == len(olds) and len(after) == len(news) and None not in before and None not in after:
            gone = [(index, None) for name, index in before.items() if name not in after]
            return [*gone, *((before.get(name), index) for name, index in after.items())]
    return list(itertools.zip_longest(olds, news))


def _naming(member: Value, key: str) -> str | None:
    value = member.get(key) if isinstance(member, dict) else None
    return value if isinstance(value, str) else None


def _key(value: Value) -> str:
    """Equal for members that are the same; an unknown is like nothing else. Never shown."""
    return json.dumps(
        reveal(value), sort_keys=True, default=lambda item: repr(item) if item is not UNKNOWN else id(item)
    )


def _strings(old: str, new: str, path: Path) -> Iterator[PropertyChange]:
    before, after = parsed_json(old), parsed_json(new)
    if before is None or after is None:
        yield PropertyChange(path, DiffKind.UPDATE, old, new)
    else:
        yield from between(before, after, path)


def parsed_json(text: Value) -> dict[str, Any] | list[Any] | None:
    """The document in ``text``, when that is a JSON object or array."""
    if not isinstance(text, str) or text[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _masked(value: Value) -> Value:
    return value if value is ABSENT else masked(value)
