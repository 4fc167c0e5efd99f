"""Labels of what costs money in a cluster: namespaces, pods wherever they are declared, and claims for volumes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from policies.kit import Resource, Value
from policies.subjects.kubernetes import KUBERNETES, KubernetesObject
from policies.subjects.pods import PodTemplate

_THEMSELVES: Final = ("Namespace", "PersistentVolumeClaim")
_BUILT_IN: Final = ("", "apps", "batch", "extensions")


@dataclass(frozen=True, eq=False)
class Labels:
    """The labels of one thing; ``rest``, where it is not known yet, may hold more."""

    path: str
    values: Mapping[str, Value]
    rest: Value | None = None
    types: ClassVar[tuple[str, ...]] = KUBERNETES

    @classmethod
    def found_in(cls, resource: Resource) -> Iterable[Self]:
        for each in KubernetesObject.found_in(resource):
            if each.group == "" and each.kind in _THEMSELVES and not each.partial:
                yield cls.of(each.metadata)
            if (each.group, each.kind) == ("apps", "StatefulSet"):
                yield from cls._of_claims(each.body.get("spec", "volumeClaimTemplates"))
        for template in PodTemplate.found_in(resource):
            if not template.partial:
                # The controllers of custom kinds hand the labels of the whole down to their pods.
                own = template.object.group in _BUILT_IN
                yield cls.of(*([template.metadata] if own else [template.metadata, template.object.metadata]))

    @classmethod
    def of(cls, *holders: Value) -> Self:
        """The labels in the metadata ``holders``, the first one winning. Raises WrongType."""
        values: dict[str, Value] = {}
        rest: Value | None = None
        for holder in reversed(holders):
            labels = holder if holder.unknown else holder.get("labels")
            if labels.unknown:
                rest = labels
            else:
                values |= dict(labels.entries())
        return cls(f"{holders[0].path}.labels", values, rest)

    def value(self, key: str) -> Value | None:
        """The label of that key, None where there is none. Raises UnknownValue where there may be one."""
        if key not in self.values and self.rest is not None:
            self.rest.text()
        return self.values.get(key)

    @classmethod
    def _of_claims(cls, claims: Value) -> Iterator[Self]:
        if claims.unknown:
            yield cls(claims.path, {}, claims)
            return
        for claim in claims.items():
            yield cls.of(claim.get("metadata"))
