"""Constructing a component: reading its manifests, then registering it and each object as a child of it.

Nothing is registered where something is wrong with a manifest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Final, cast

from engine import wire
from engine.goals import Goal
from engine.providers.base import Caller, ProviderError, Returned
from engine.providers.declaring import Child, Declaring
from engine.providers.kubernetes import manifests, tokens
from engine.providers.kubernetes.check import with_secrets
from engine.providers.kubernetes.components import CHART, CONFIG_FILE, DIRECTORY
from engine.providers.kubernetes.components.charts import in_chart, is_kept
from engine.providers.kubernetes.components.kustomize import in_directory
from engine.providers.kubernetes.components.objects import Declared, Objects, objects_of
from engine.providers.kubernetes.components.ordering import Ordered, ordered, twice
from engine.providers.kubernetes.components.sources import Found, in_file, in_files, in_text, in_values
from engine.providers.kubernetes.kinds import Kinds
from engine.values import UNKNOWN, Properties, Secret, Value, reveal

_WITH_NAMESPACE: Final = frozenset({CHART, DIRECTORY})
_INCOMPLETE: Final = "some of its inputs are not known yet: there may be more in it than this preview shows"


@dataclass(frozen=True)
class Surroundings:
    """What a component's provider is configured with. Once ``stopping`` is set, programs that run are ended."""

    kinds: Kinds
    namespace: str
    stopping: Event


def construct(goal: Goal, caller: Caller, around: Surroundings) -> Returned:
    """Construct the component ``goal``. Raises ProviderError, NotHere where a program is missing that it takes."""
    inputs = cast("Properties", wire.flatten_outputs(goal.inputs, set()))
    prefix, skip_await = _text(inputs, "resourcePrefix", goal.name), _flag(inputs, "skipAwait")
    namespace = _text(inputs, "namespace", "") if goal.type in _WITH_NAMESPACE else ""
    if UNKNOWN in (prefix, skip_await, namespace):  # what all children are called, and are
        objects = Objects((), whole=False)
    else:
        around = replace(around, namespace=namespace or around.namespace)
        objects = objects_of(_found(goal, inputs, caller.folder, around), around.kinds, around.namespace)
    of_chart = goal.type == CHART
    children = [
        _child(each, prefix, skip_await=skip_await is True, of_chart=of_chart) for each in ordered(objects.declared)
    ]
    declaring = Declaring(caller.ask)
    component = declaring.component(_without_inputs(goal))
    urn = component.reference.urn
    for before, after in twice(objects.declared):
        declaring.warn(f"{before.place}: {before} is declared again in {after.place}, which counts", urn)
    if not objects.whole:
        declaring.warn(_INCOMPLETE, urn)
    if of_chart and _flag(inputs, "includeHooks") is True:
        declaring.warn("includeHooks has no effect: hooks are run by Helm alone, as a Release has it", urn)
    made = declaring.children([replace(child, goal=replace(child.goal, parent=urn)) for child in children])
    if component.failed or not objects.whole or any(each.failed for each in made):
        return Returned({"resources": UNKNOWN}, urn=urn, whole=objects.whole)
    references = [each.reference for each in made if each.there]
    return Returned({"resources": list[Value](references)}, {"resources": [each.urn for each in references]}, urn)


def _found(goal: Goal, inputs: Properties, folder: Path, around: Surroundings) -> Iterator[Found]:
    if goal.type == CHART:
        return in_chart(goal.name, inputs, folder, around.namespace, around.kinds.version, around.stopping)
    if goal.type == DIRECTORY:
        return in_directory(inputs, "directory", folder, around.stopping)
    if goal.type == CONFIG_FILE:
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


def _child(each: Ordered, prefix: str, *, skip_await: bool, of_chart: bool) -> Child:
    one = each.declared
    name = f"{prefix}:{one.label}" if prefix else one.label
    inputs = _without_waiting(one) if skip_await else one.manifest
    goal = Goal(tokens.token(one.kind), name, custom=True, inputs=with_secrets(inputs))
    if of_chart and is_kept(one.manifest):
        goal = replace(goal, retain_on_delete=True)
    return Child(goal, each.needs)


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
