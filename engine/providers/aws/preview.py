"""What a create or an update will put out, told from the specification alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from engine.providers.aws.config import Config
from engine.providers.aws.difference import changed
from engine.providers.aws.schema import Field, Object
from engine.providers.aws.spec import Spec
from engine.values import UNKNOWN, Properties, Value


def of_create(spec: Spec, config: Config, inputs: Properties) -> Properties:
    """The inputs, and everything that AWS fills in as unknown; only the region is known beforehand."""
    computed = {key: UNKNOWN for key, field in spec.inputs.items() if field.computed}
    outputs = {**computed, **dict.fromkeys(spec.outputs, UNKNOWN), **_completed(spec.inputs, inputs, {}, frozenset())}
    if spec.taggable and "tagsAll" not in inputs:
        outputs.pop("tagsAll")
    if spec.regional and outputs.get("region") is UNKNOWN and inputs.get("region") is not UNKNOWN:
        outputs["region"] = config.region_of(inputs)
    return outputs


def of_update(spec: Spec, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties) -> Properties:
    """The old outputs with the new inputs over them; what the specification says changes with them is unknown."""
    differing = changed(spec, old_inputs, old_outputs, new_inputs)
    kept = {
        key: value
        for key, value in old_outputs.items()
        if key in new_inputs or (key in spec.outputs and key != "tagsAll") or _is_computed(spec, key)
    }
    moved = frozenset(key for key, causes in spec.changes_with.items() if differing.intersection(causes))
    unknown = {key: UNKNOWN for key in moved if "." not in key}
    # What means the same stays as AWS gave it: an address without its scheme, a block with what was filled in.
    touched = differing | {key.partition(".")[0] for key in moved}
    same = {key: old_outputs[key] for key in new_inputs if key in old_outputs and key not in touched}
    return {**kept, **unknown, **_completed(spec.inputs, new_inputs, old_outputs, moved), **same}


def _completed(
    fields: Mapping[str, Field], given: Properties, before: Properties, moved: frozenset[str], path: str = ""
) -> Properties:
    """What is given, and within it what AWS fills in: as it was before, or unknown where there was nothing before.

    ``moved`` are the paths of what becomes unknown though there was something before.
    """
    return {
        key: _with_computed(fields.get(key), value, before.get(key), moved, f"{path}{key}.")
        for key, value in given.items()
    }


def _with_computed(field: Field | None, given: Value, before: Value, moved: frozenset[str], path: str) -> Value:
    if field is None or not isinstance(field.type, Object) or not isinstance(given, dict):
        return given
    members = cast("Properties", given)
    known = cast("Properties", before) if isinstance(before, dict) else None
    filled: Properties = {}
    for key, inner in field.type.fields.items():
        if not inner.computed or key in members:
            continue
        if known is None or f"{path}{key}" in moved:
            filled[key] = UNKNOWN
        elif key in known:
            filled[key] = known[key]
    return {**_completed(field.type.fields, members, known or {}, moved, path), **filled}


def _is_computed(spec: Spec, key: str) -> bool:
    return key in spec.inputs and spec.inputs[key].computed
