"""Pools of machines that grow and shrink: managed node groups, scaling groups and Karpenter's node pools."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from components.nodepools import GPU_RESOURCE
from policies.kit import Resource, Stack, Value
from policies.subjects.machines import KARPENTER_POOLS, Machines

NODE_GROUP: Final = "aws:eks/nodeGroup:NodeGroup"
SCALING_GROUP: Final = "aws:autoscaling/group:Group"
_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
_ACCELERATED_IMAGES: Final = ("NVIDIA", "NEURON", "GPU")
_CAPACITY_LABEL: Final = "karpenter.sh/capacity-type"


@dataclass(frozen=True, eq=False)
class NodePool:
    """One pool."""

    resource: Resource
    types: ClassVar[tuple[str, ...]] = (NODE_GROUP, SCALING_GROUP, *KARPENTER_POOLS)

    @classmethod
    def found_in(cls, resource: Resource) -> Iterable[Self]:
        yield cls(resource)

    @property
    def by_karpenter(self) -> bool:
        return self.resource.is_a(*KARPENTER_POOLS)

    @property
    def minimum(self) -> Value:
        """Nodes that are always there; Karpenter's pools have such only where they are of a fixed size."""
        return self._size("minSize", "spec", "replicas")

    @property
    def desired(self) -> Value:
        """Nodes that are asked for; missing where the pool itself decides."""
        name = "desiredSize" if self.resource.type == NODE_GROUP else "desiredCapacity"
        return self._size(name, "spec", "replicas")

    def accelerated(self, stack: Stack | None = None) -> bool:
        """Whether its machines may have GPUs or other accelerators. Raises Unreadable.

        Where the pool names no machines itself, those of its launch template in ``stack`` count.
        """
        properties = self.resource.properties
        if self.by_karpenter and properties.get("spec", "limits", GPU_RESOURCE).present:
            return True
        image = properties.get("amiType")
        if self.resource.type == NODE_GROUP and any(mark in image.text("") for mark in _ACCELERATED_IMAGES):
            return True
        places = list(Machines.found_in(self.resource))
        if not places and stack is not None:
            places = [one for template in self._templates(stack) for one in Machines.found_in(template)]
        return any(machines.accelerators() for machines in places)

    def _templates(self, stack: Stack) -> Iterable[Resource]:
        """The launch templates that it starts machines from."""
        for template in stack.of(_TEMPLATE):
            if any(self.resource.refers_to(template, "launchTemplate", name) for name in ("id", "name")):
                yield template

    def spot(self) -> bool:
        """Whether it buys spot capacity, at least where there is some. Raises Unreadable."""
        properties = self.resource.properties
        if self.resource.type == NODE_GROUP:
            return properties.get("capacityType").text("ON_DEMAND") == "SPOT"
        if self.by_karpenter:
            return _may_be_spot(properties.get("spec", "template", "spec", "requirements"))
        shares = properties.get("mixedInstancesPolicy", "instancesDistribution")
        base = shares.get("onDemandBaseCapacity").number(0)
        return base == 0 and shares.get("onDemandPercentageAboveBaseCapacity").number(100) < 100

    def _size(self, name: str, *of_karpenter: str) -> Value:
        properties = self.resource.properties
        if self.by_karpenter:
            return properties.get(*of_karpenter)
        return properties.get("scalingConfig", name) if self.resource.type == NODE_GROUP else properties.get(name)


def _may_be_spot(requirements: Value) -> bool:
    """Karpenter buys on demand only where a requirement doesn't say otherwise."""
    for requirement in requirements.items():
        if requirement.get("key").text("") != _CAPACITY_LABEL:
            continue
        values = [value.text("") for value in requirement.get("values").items()]
        operator = requirement.get("operator").text("")
        return ("spot" in values) == (operator == "In") if operator in ("In", "NotIn") else operator == "Exists"
    return False
