"""Server-side apply's work on values: merge what is applied into what there is, compare two objects, remove fields.

Source of the rules: structured-merge-diff 6.3. ``ABSENT`` stands for a side that has no such part; null is a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, cast

from engine.emulator.kubernetes.fields import ANYTHING, Fields, Json, Path, below, merges, of_field, of_item, steps
from engine.kubernetes import Schema

ABSENT: Final[Any] = object()


def merge(schema: Schema, live: Any, applied: Any) -> Any:
    """What there is with what is applied laid over it; keys of maps and items of lists that only one side has, stay."""
    if applied is ABSENT:
        return live
    if live is ABSENT or live is None or not merges(schema, applied) or not merges(schema, live):
        return applied
    if isinstance(applied, dict) and isinstance(live, dict):
        return _merge_maps(schema, cast(Json, live), cast(Json, applied))
    if isinstance(applied, list) and isinstance(live, list):
        return _merge_lists(schema, cast("list[Any]", live), cast("list[Any]", applied))
    return applied


def _merge_maps(schema: Schema, live: Json, applied: Json) -> Json:
    merged = {name: merge(below(schema, name)[0], part, applied.get(name, ABSENT)) for name, part in live.items()}
    return merged | {name: part for name, part in applied.items() if name not in live}


def _merge_lists(schema: Schema, live: list[Any], applied: list[Any]) -> list[Any]:
    """Items in the order in which they are applied; those that only the live list has stay where they stood, as far
    as the order of the others lets them."""
    item = schema.item or ANYTHING
    old, new = _indexed(schema, live), _indexed(schema, applied)
    shared = [step for step in new if step in old]
    merged: list[Any] = []
    left, right = list(old), list(new)
    while left or right:
        if left and right and left[0] == right[0]:
            merged.append(merge(item, old[left.pop(0)], new[step := right.pop(0)]))
            shared.remove(step)
        elif left and left[0] not in new:
            merged.append(old[left.pop(0)])
        elif left and (left[0] not in shared or left[0] != shared[0]):
            left.pop(0)  # it has been merged already, or will be where the applied list has it
        else:
            step = right.pop(0)
            merged.append(merge(item, old.get(step, ABSENT), new[step]))
            if step in shared:
                shared.remove(step)
    return merged


def _indexed(schema: Schema, items: list[Any]) -> dict[str, Any]:
    return {of_item(schema, item) or f"?{index}": item for index, item in enumerate(items)}


@dataclass
class Comparison:
    """What differs between two objects, as sets of fields."""

    added: Fields = field(default_factory=set)
    modified: Fields = field(default_factory=set)
    removed: Fields = field(default_factory=set)

    def drop(self, fields: Fields) -> None:
        """Take no notice of these fields and of what is below them."""
        for among in (self.added, self.modified, self.removed):
            among -= {path for path in among if any(path[: len(root)] == root for root in fields)}


def compare(schema: Schema, before: Any, after: Any) -> Comparison:
    comparison = Comparison()
    _compare(schema, before, after, (), comparison)
    return comparison


def _compare(schema: Schema, before: Any, after: Any, at: Path, into: Comparison) -> None:
    sides = [side for side in (before, after) if side is not ABSENT and side is not None]
    leaf = not all(merges(schema, side) for side in sides) or not any(sides)
    if len(sides) == 2 and type(before) is not type(after):
        leaf = True
    if leaf:
        if before is ABSENT:
            into.added.add(at)
        elif after is ABSENT:
            into.removed.add(at)
        elif before != after:
            into.modified.add(at)
        return
    for step, known, one, other in _zip(schema, before, after):
        _compare(known, one, other, (*at, step), into)
    if at and before is ABSENT:
        into.added.add(at)
    elif at and after is ABSENT:
        into.removed.add(at)


def _zip(schema: Schema, before: Any, after: Any) -> Iterator[tuple[str, Schema, Any, Any]]:
    sides = [
        {step: (known, part) for step, known, part, _ in steps(schema, side)} if side not in (ABSENT, None) else {}
        for side in (before, after)
    ]
    for step in dict.fromkeys([*sides[0], *sides[1]]):
        known = (sides[0].get(step) or sides[1][step])[0]
        yield step, known, *(side[step][1] if step in side else ABSENT for side in sides)


def remove(schema: Schema, value: Any, fields: Fields) -> Any:
    """``value`` without these fields; a container of which nothing is left becomes null."""
    if not fields or not merges(schema, value):
        return value if not fields or not isinstance(value, dict | list) else None
    kept: list[tuple[str, Any]] = []
    for step, known, part, _ in steps(schema, value):
        if (step,) in fields:
            continue
        inner = {path[1:] for path in fields if path[0] == step}
        kept.append((step, remove(known, part, inner) if inner else part))
    if not kept:
        return None
    return {step[2:]: part for step, part in kept} if isinstance(value, dict) else [part for _, part in kept]


__all__ = ["ABSENT", "Comparison", "compare", "merge", "of_field", "remove"]
