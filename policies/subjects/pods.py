"""Pods and their containers wherever a resource declares them: in the built-in kinds and in custom resources.

In the kinds of Kubernetes itself a pod's template lies at a fixed place. In a custom resource whatever looks like a
pod's specification is one: an object that has a list ``containers``, ``initContainers`` or ``ephemeralContainers`` of
objects with a ``name`` or an ``image``, however deep it lies; its metadata is what lies beside it. So PyTorchJob,
JobSet, RayCluster, Rollout, Knative's Service and kinds that nobody here has heard of need no list. Where a pod may
stand (``spec``, ``template``, ``podTemplate``, ``containers``) and the value is not known yet, there is a pod that is
not known yet. Kinds that write pods in their own way are in ``pod_dialects``; the patterns of policy engines
(Kyverno, Gatekeeper) and the schemas of custom kinds are no pods.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from policies.kit import Resource, Value
from policies.subjects.kubernetes import KUBERNETES, KubernetesObject
from policies.subjects.pod_dialects import Place, places_in

ContainerKind = Literal["containers", "initContainers", "ephemeralContainers"]
# In the order in which Kubernetes starts them.
CONTAINER_KINDS: Final[tuple[ContainerKind, ...]] = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True, eq=False)
class PodTemplate:
    """A pod as some object declares it: ``get`` reads a field of its specification."""

    types: ClassVar = KUBERNETES

    object: KubernetesObject
    place: Place

    @classmethod
    def found_in(cls, resource: Resource) -> Iterator[PodTemplate]:
        """The pods of ``resource``; none where it has none. Raises WrongType where no pod can be in their place."""
        for each in KubernetesObject.found_in(resource):
            yield from (cls(each, place) for place in places_in(each))

    @property
    def resource(self) -> Resource:
        return self.object.resource

    @property
    def value(self) -> Value:
        """The specification itself: the innermost, where an outer one holds what all have in common."""
        return self.place.layers[0]

    @property
    def path(self) -> str:
        return self.value.path

    @property
    def partial(self) -> bool:
        """True where fields that are absent come from elsewhere: from the live object, or from a runtime's template."""
        return self.object.partial or self.place.partial

    @property
    def metadata(self) -> Value:
        return self.place.metadata

    def get(self, *path: str) -> Value:
        """A field of the specification: of the innermost layer that has it."""
        first, *rest = path
        inner = next((layer for layer in self.place.layers if layer.get(first).present), self.value)
        return inner.get(first, *rest)

    @property
    def containers(self) -> Sequence[Container]:
        """All of them: those that run before, those that run, and those that debug."""
        return [*self._listed(), *(Container(self, "containers", each) for each in self.place.containers)]

    @property
    def volumes(self) -> Sequence[Value]:
        return [volume for layer in self.place.layers for volume in layer.get("volumes").items()]

    @property
    def is_windows(self) -> bool:
        """True where the pod says that it is of Windows, which has none of Linux's ways to hold it down."""
        return self.get("os", "name").text() == "windows"

    @property
    def has_own_users(self) -> bool:
        """True where it has a user namespace: root inside is nobody outside."""
        return not self.get("hostUsers").boolean(True)

    def _listed(self) -> Iterator[Container]:
        if self.value.unknown:
            yield Container(self, "containers", self.value)  # one, so that it is said once that nobody knows
            return
        for kind in CONTAINER_KINDS:
            listed = self.value.get(kind)
            # A list that is not known yet holds a container that is not known yet.
            yield from (Container(self, kind, each) for each in ([listed] if listed.unknown else listed.items()))


@dataclass(frozen=True, eq=False)
class Container:
    """One container of a pod: ``get`` reads its fields."""

    types: ClassVar = KUBERNETES

    pod: PodTemplate
    kind: ContainerKind
    value: Value

    @classmethod
    def found_in(cls, resource: Resource) -> Iterator[Container]:
        return (each for pod in PodTemplate.found_in(resource) for each in pod.containers)

    @property
    def resource(self) -> Resource:
        return self.pod.resource

    @property
    def path(self) -> str:
        return self.value.path

    @property
    def partial(self) -> bool:
        return self.pod.partial

    @property
    def name(self) -> str:
        """For messages."""
        name = self.value.get("name") if self.value.kind == "an object" else self.value
        return name.plain() if name.kind == "text" else self.path

    @property
    def security(self) -> Value:
        """Its own security context."""
        return self.value.get("securityContext")

    @property
    def resources(self) -> Value:
        """What it asks for. A TrainJob writes it for each of its nodes."""
        own = self.value.get("resources")
        return own if own.present else self.value.get("resourcesPerNode")

    def get(self, *path: str) -> Value:
        return self.value.get(*path)

    def effective(self, field: str) -> Value:
        """A field of the security context: the pod's where the container has none of its own."""
        own = self.security.get(field)
        return own if own.present else self.pod.get("securityContext", field)
