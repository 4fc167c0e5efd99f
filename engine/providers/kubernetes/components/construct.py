"""Constructing a component: reading its manifests, then registering it and each object as a child of it.

Nothing is registered where something is wrong with a manifest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import cast

from engine import wire
from engine.goals import Goal
from engine.providers.base import Caller, ProviderError, Returned
from engine.providers.declaring import Child, Declaring
from engine.providers.kubernetes import manifests, tokens
from engine.providers.kubernetes.check import with_secrets
from engine.providers.kubernetes.components import CONFIG_FILE
from engine.providers.kubernetes.components.objects import Declared, Objects, objects_of
from engine.providers.kubernetes.components.ordering import Ordered, ordered, twice
from engine.providers.kubernetes.components.sources import Found, in_file, in_files, in_text, in_values
from engine.providers.kubernetes.kinds import Kinds
from engine.values import UNKNOWN, Properties, Secret, Value, reveal

_INCOMPLETE = "some of its inputs are not known yet: there may be more in it than this preview shows"


def construct(goal: Goal, caller: Caller, kinds: Kinds, namespace: str) -> Returned:
    """Construct the component ``goal``, its objects in ``namespace`` where they say nothing. Raises ProviderError."""
    inputs = cast("Properties", wire.flatten_outputs(goal.inputs, set()))
    objects = objects_of(_found(goal.type, inputs, caller.folder), kinds, namespace)
    prefix, skip_await = _text(inputs, "resourcePrefix", goal.name), _flag(inputs, "skipAwait")
    if prefix is UNKNOWN or skip_await is UNKNOWN:  # what all children are called, and are
        objects = Objects((), whole=False)
    order = ordered(objects.declared)
    declaring = Declaring(caller.ask)
    component = declaring.component(_without_inputs(goal))
    urn = component.reference.urn
    for before, after in twice(objects.declared):
        declaring.warn(f"{before.place}: {before} is declared again in {after.place}, which counts", urn)
    if not objects.whole:
        declaring.warn(_INCOMPLETE, urn)
    made = declaring.children([_child(each, urn, prefix, skip_await=skip_await is True) for each in order])
    if component.failed or not objects.whole or any(each.failed for each in made):
        return Returned({"resources": UNKNOWN}, urn=urn, whole=objects.whole)
    references = [each.reference for each in made if each.there]
    return Returned({"resources": list[Value](references)}, {"resources": [each.urn for each in references]}, urn)


def _found(type_: str, inputs: Properties, folder: Path) -> Iterator[Found]:
    if type_ == CONFIG_FILE:
        return in_file(inputs, "file", folder)
    return chain(in_files(inputs, "files", folder), in_text(inputs, "yaml"), in_values(inputs, "objs"))


def _text(inputs: Mapping[str, Value], key: str, default: str) -> Value:
    value = reveal(inputs.get(key))
    if value is None:
        return default
    if value is not UNKNOWN and not isinstance(value, str):
        raise ProviderError(f"{key}: expected a text, got {type(value).__name__}")
    return value


def _flag(inputs: Mapping[str, Value], key: str) -> Value:
    value = reveal(inputs.get(key))
    if value not in (None, True, False) and value is not UNKNOWN:
        raise ProviderError(f"{key}: expected true or false, got {value!r}")
    return value


def _without_inputs(goal: Goal) -> Goal:
    """The component as Pulumi's provider registers it: with its options, but nothing of what it is made of."""
    return replace(goal, inputs={}, property_dependencies={}, remote=False, provider="", import_id="")


def _child(each: Ordered, parent: str, prefix: str, *, skip_await: bool) -> Child:
    one = each.declared
    name = f"{prefix}:{one.label}" if prefix else one.label
    inputs = _without_waiting(one) if skip_await else one.manifest
    return Child(
        Goal(tokens.token(one.kind), name, custom=True, inputs=with_secrets(inputs), parent=parent), each.needs
    )


def _without_waiting(one: Declared) -> Properties:
    metadata = cast("Properties", one.manifest["metadata"])
    given = metadata.get("annotations")
    inner = given.value if isinstance(given, Secret) else given
    if inner is UNKNOWN:
        return one.manifest
    if not (inner is None or isinstance(inner, dict)):
        raise ProviderError(f"{one.place}: {one}: metadata.annotations: expected an object, got {type(inner).__name__}")
    annotations: Value = {**cast("Properties", inner or {}), manifests.SKIP_AWAIT: "true"}
    kept = Secret(annotations) if isinstance(given, Secret) else annotations
    return {**one.manifest, "metadata": {**metadata, "annotations": kept}}
