"""Mending pods: what a rule would change of a container or a pod, laid over the resource's properties."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from pulumi_policy import Secret

from policies.kit import Resource, Unreadable, Value
from policies.subjects.kubernetes import KubernetesObject
from policies.subjects.pods import Container, PodTemplate

_Subject = TypeVar("_Subject", PodTemplate, Container, KubernetesObject)
# What a subject's part of the properties gets laid over it; None where it is as it should be.
Patch = Mapping[str, Any] | None
# As a rule takes it: the properties, the rule's parameters, the resource's type.
Mend = Callable[[dict[str, Any], Mapping[str, Any], str], "dict[str, Any] | None"]
_STEP: Final = re.compile(r'\.?([^.\[\]"]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]')


def mending(subject: type[_Subject], patch: Callable[[_Subject], Patch]) -> Mend:
    """A mend that lays ``patch`` of each subject over the properties.

    What can't be read (it is not known yet, or malformed) is left alone: a finding says so.
    """
    return mending_by(subject, lambda found, _: patch(found))


def mending_by(subject: type[_Subject], patch: Callable[[_Subject, Mapping[str, Any]], Patch]) -> Mend:
    """The same, where what is laid over depends on the rule's parameters."""

    def mend(properties: dict[str, Any], parameters: Mapping[str, Any], token: str) -> dict[str, Any] | None:
        mended: dict[str, Any] = copy.deepcopy(properties)
        changed = False
        for found in _found(subject, properties, token):
            change = _asked(lambda each: patch(each, parameters), found)
            if change is not None:
                _lay_over(_at(mended, _path(found, change)), change)
                changed = True
        return mended if changed else None

    return mend


def _found(subject: type[_Subject], properties: dict[str, Any], token: str) -> list[_Subject]:
    try:
        return list(subject.found_in(Resource(token, "", "", Value(properties))))  # pyright: ignore[reportReturnType]
    except Unreadable:
        return []


def _asked(patch: Callable[[_Subject], Patch], found: _Subject) -> Patch:
    try:
        return patch(found)
    except Unreadable:
        return None


def _path(found: PodTemplate | Container | KubernetesObject, change: Mapping[str, Any]) -> str:
    if isinstance(found, KubernetesObject):
        return found.body.path
    if isinstance(found, PodTemplate):
        # What an outer layer says is changed there: a workflow's step has no hostNetwork of its own.
        layers = found.place.layers
        return next((layer.path for layer in layers if any(layer.get(key).present for key in change)), found.path)
    return found.path


def _at(properties: Any, path: str) -> Any:
    here = _open(properties)
    for name, index, quoted in _STEP.findall(path):
        here = _open(here[int(index)] if index else here[name or quoted.replace('\\"', '"')])
    return here


def _open(value: Any) -> Any:
    """What is secret is mended, too, and stays secret."""
    return value.value if isinstance(value, Secret) else value


def _lay_over(target: dict[str, Any], change: Mapping[str, Any]) -> None:
    """Objects are merged, anything else is put in place of what was there."""
    for key, value in change.items():
        below = _open(target.get(key))
        if isinstance(value, Mapping) and isinstance(below, dict):
            _lay_over(below, value)
        else:
            target[key] = copy.deepcopy(value)
