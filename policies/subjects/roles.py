"""Rights in the cluster: the rules of roles, and who they are bound to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from policies.kit import Resource, Stack, Value
from policies.subjects.cluster import objects_in
from policies.subjects.kubernetes import KUBERNETES, KubernetesObject

RBAC: Final = "rbac.authorization.k8s.io"
_ROLES: Final = ("Role", "ClusterRole")
_BINDINGS: Final = ("RoleBinding", "ClusterRoleBinding")
_ANY: Final = "*"


@dataclass(frozen=True, eq=False)
class PolicyRule:
    """One rule of a Role or ClusterRole. Each of its lists is what is granted in combination with the others."""

    types: ClassVar = KUBERNETES

    role: KubernetesObject
    value: Value

    @classmethod
    def found_in(cls, resource: Resource) -> Iterator[PolicyRule]:
        for each in KubernetesObject.found_in(resource):
            if each.group == RBAC and each.kind in _ROLES:
                yield from rules_of(each)

    @property
    def path(self) -> str:
        return self.value.path

    def texts(self, field: str) -> list[str]:
        return [each.text("") for each in self.value.get(field).items()]

    def grants(self, group: str, resources: Iterable[str], verbs: Iterable[str]) -> bool:
        """Whether it grants one of ``verbs`` on one of ``resources`` of ``group``, by name or by wildcard."""
        return (
            not {group, _ANY}.isdisjoint(self.texts("apiGroups"))
            and not {*verbs, _ANY}.isdisjoint(self.texts("verbs"))
            and any(_covers(granted, asked) for granted in self.texts("resources") for asked in resources)
        )


def _covers(granted: str, asked: str) -> bool:
    """``*`` covers every resource and subresource, ``*/scale`` that subresource of every resource."""
    if granted in (_ANY, asked):
        return True
    return granted.startswith("*/") and "/" in asked and granted[2:] == asked.partition("/")[2]


def rules_of(role: KubernetesObject) -> Iterator[PolicyRule]:
    rules = role.body.get("rules")
    # A list that is not known yet holds a rule that is not known yet.
    return (PolicyRule(role, each) for each in ([rules] if rules.unknown else rules.items()))


@dataclass(frozen=True, eq=False)
class Binding:
    """A RoleBinding or ClusterRoleBinding."""

    types: ClassVar = KUBERNETES

    object: KubernetesObject

    @classmethod
    def found_in(cls, resource: Resource) -> Iterator[Binding]:
        for each in KubernetesObject.found_in(resource):
            if each.group == RBAC and each.kind in _BINDINGS:
                yield cls(each)

    @property
    def role(self) -> Value:
        """The reference to the role: ``kind`` and ``name``."""
        return self.object.body.get("roleRef")

    @property
    def subjects(self) -> Iterator[Value]:
        return self.object.body.get("subjects").items()

    def role_in(self, stack: Stack) -> KubernetesObject | None:
        """The role itself, where the stack declares it."""
        objects = objects_in(stack)
        kind, name = self.role.get("kind").text(""), self.role.get("name")
        for role in objects.naming(name, RBAC, kind, "metadata", "name"):
            named = role.metadata.get("name")
            same = name.text("") == named.text("") if name.known and named.known else _depends(self, role)
            home = objects.namespace_of(role).is_that_of(objects.namespace_of(self.object))
            if same and (kind == "ClusterRole" or home):
                return role
        return None


def _depends(binding: Binding, role: KubernetesObject) -> bool:
    return role.resource.urn in binding.object.resource.depends_on.get("roleRef", ())
