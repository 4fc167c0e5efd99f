"""Which objects must be there before which: definitions before custom resources, namespaces before what is in them.

Beside these there is what an object's own annotation names. The order is that of sigs.k8s.io/cli-utils, by which
Pulumi's provider goes: in generations, each of which needs only those before it, and within one by kind and name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Final, TypeAlias

from engine.providers.base import ProviderError
from engine.providers.kubernetes import manifests
from engine.providers.kubernetes.components.objects import Declared
from engine.values import Properties, reveal

DEPENDS_ON: Final = "config.kubernetes.io/depends-on"
_FORM: Final = "expected GROUP/KIND/NAME or GROUP/namespaces/NAMESPACE/KIND/NAME, separated by commas"
# Source: sigs.k8s.io/cli-utils, pkg/ordering (2026-11): kinds that go first; what is not named goes by group and kind.
_FIRST: Final = (
    ("", "Namespace"), ("", "ResourceQuota"), ("storage.k8s.io", "StorageClass"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"), ("", "ServiceAccount"),
    ("extensions", "PodSecurityPolicy"), ("policy", "PodSecurityPolicy"), ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "ClusterRole"), ("rbac.authorization.k8s.io", "RoleBinding"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"), ("", "ConfigMap"), ("", "Secret"), ("", "Service"),
    ("", "LimitRange"), ("scheduling.k8s.io", "PriorityClass"), ("extensions", "Deployment"), ("apps", "Deployment"),
    ("apps", "StatefulSet"), ("batch", "CronJob"), ("policy", "PodDisruptionBudget"),
)  # fmt: skip
_LAST: Final = ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration")
_RANKS: Final = {kind: place - len(_FIRST) for place, kind in enumerate(_FIRST)} | {_LAST: 1}
Identity: TypeAlias = tuple[str, str, str, str]  # group, kind, namespace, name


@dataclass(frozen=True)
class Ordered:
    """An object, and the places of those before it in the order that it needs."""

    declared: Declared
    needs: tuple[int, ...]


def ordered(objects: Sequence[Declared]) -> list[Ordered]:
    """The objects, each after what it needs; of one that is declared twice, the last. Raises ProviderError."""
    by_identity = {one.identity: one for one in objects}
    needs = _needs(by_identity)
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " -> ".join(str(by_identity[identity]) for identity in reversed(error.args[1]))
        raise ProviderError(f"objects wait for each other: {circle}") from error
    places: dict[Identity, int] = {}
    while sorter.is_active():
        generation = sorted(sorter.get_ready(), key=_rank)
        places.update({identity: len(places) + number for number, identity in enumerate(generation)})
        sorter.done(*generation)
    return [
        Ordered(by_identity[identity], tuple(sorted(places[needed] for needed in needs[identity])))
        for identity in places
    ]


def twice(objects: Iterable[Declared]) -> Iterator[tuple[Declared, Declared]]:
    """Objects that are declared again, and what is declared instead."""
    seen: dict[Identity, Declared] = {}
    for one in objects:
        if one.identity in seen:
            yield seen[one.identity], one
        seen[one.identity] = one


def _rank(identity: Identity) -> tuple[int, Identity]:
    return _RANKS.get(identity[:2], 0), identity


def _needs(objects: Mapping[Identity, Declared]) -> dict[Identity, set[Identity]]:
    definitions = {kind: identity for identity, one in objects.items() if (kind := _defined(one)) is not None}
    namespaces = {name: identity for identity in objects if (name := _namespace_of(identity)) is not None}
    needs: dict[Identity, set[Identity]] = {}
    problems: list[str] = []
    for identity, one in objects.items():
        implied = (definitions.get(identity[:2]), namespaces.get(one.namespace))
        needs[identity] = {needed for needed in implied if needed is not None}
        try:
            needs[identity].update(_named(one, objects))
        except ProviderError as error:
            problems.append(str(error))
    if problems:
        raise ProviderError("\n".join(problems))
    return needs


def _namespace_of(identity: Identity) -> str | None:
    """The name of a namespace; None for what is none."""
    group, kind, _, name = identity
    return name if (group, kind) == ("", "Namespace") else None


def _defined(one: Declared) -> tuple[str, str] | None:
    """The group and kind that a CustomResourceDefinition defines; None for what is none."""
    if one.identity[:2] != ("apiextensions.k8s.io", "CustomResourceDefinition"):
        return None
    spec = reveal(one.manifest.get("spec"))
    names = spec.get("names") if isinstance(spec, dict) else None
    group, kind = (spec.get("group"), names.get("kind")) if isinstance(names, dict) else (None, None)
    return (group, kind) if isinstance(group, str) and isinstance(kind, str) else None


def _named(one: Declared, objects: Mapping[Identity, Declared]) -> Iterator[Identity]:
    """What the object's annotation says that it needs. Raises ProviderError."""
    manifest: Properties = reveal(one.manifest)
    text = manifests.annotation(manifest, DEPENDS_ON)
    seen: set[Identity] = set()
    for part in () if text is None else text.split(","):
        identity = _identity(part.strip())
        problem = (
            f"{_FORM}, got {part.strip()!r}" if identity is None
            else f"{part.strip()} is named twice" if identity in seen
            else f"there is no {part.strip()} among the objects of this component" if identity not in objects
            else ""
        )  # fmt: skip
        if problem or identity is None:
            raise ProviderError(f"{one.place}: {one}: {DEPENDS_ON}: {problem}")
        seen.add(identity)
        yield identity


def _identity(text: str) -> Identity | None:
    parts = text.split("/")
    if len(parts) == 3:
        return parts[0], parts[1], "", parts[2]
    if len(parts) == 5 and parts[1] == "namespaces":
        return parts[0], parts[3], parts[2], parts[4]
    return None
