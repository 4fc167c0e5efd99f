"""What a create or an update will put out, told from the specification alone. Pure."""

from __future__ import annotations

from engine.providers.aws.config import Config
from engine.providers.aws.difference import changed
from engine.providers.aws.spec import Spec
from engine.values import UNKNOWN, Properties


def of_create(spec: Spec, config: Config, inputs: Properties) -> Properties:
    """The inputs, and everything that AWS fills in as unknown; only the region is known beforehand."""
    computed = {key: UNKNOWN for key, field in spec.inputs.items() if field.computed}
    outputs = {**computed, **dict.fromkeys(spec.outputs, UNKNOWN), **inputs}
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
    moved = {key: UNKNOWN for key, causes in spec.changes_with.items() if differing.intersection(causes)}
    # What means the same stays as AWS gave it: an address without its scheme, a block with what was filled in.
    same = {key: old_outputs[key] for key in new_inputs if key in old_outputs and key not in differing}
    return {**kept, **moved, **new_inputs, **same}


def _is_computed(spec: Spec, key: str) -> bool:
    return key in spec.inputs and spec.inputs[key].computed
