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
_STEP: Final = re.compile(r'\.?([^.\[\]"]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]')


def mend_each(
    subject: type[_Subject], properties: dict[str, Any], patch: Callable[[_Subject], Patch]
) -> dict[str, Any] | None:
    """``properties`` with ``patch`` of each subject laid over it; None where nothing changes.

    What can't be read (it is not known yet, or malformed) is left alone: a finding says so.
    """
    mended: dict[str, Any] = copy.deepcopy(properties)
    changed = False
    for found in _found(subject, properties):
        change = _asked(patch, found)
        if change is not None:
            _lay_over(_at(mended, _path(found)), change)
            changed = True
    return mended if changed else None


def _found(subject: type[_Subject], properties: dict[str, Any]) -> list[_Subject]:
    token = f"kubernetes:{properties.get('apiVersion')}:{properties.get('kind')}"
    try:
        return list(subject.found_in(Resource(token, "", "", Value(properties))))  # pyright: ignore[reportReturnType]
    except Unreadable:
        return []


def _asked(patch: Callable[[_Subject], Patch], found: _Subject) -> Patch:
    try:
        return patch(found)
    except Unreadable:
        return None


def _path(found: PodTemplate | Container | KubernetesObject) -> str:
    return found.body.path if isinstance(found, KubernetesObject) else found.path


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
