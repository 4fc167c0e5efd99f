"""Pools of machines that grow and shrink: managed node groups, scaling groups and Karpenter's node pools.

They are read from what is declared: of the types that AWS fills in where a launch template has them, a preview only
knows that they are not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from components.nodepools import GPU_RESOURCE
from policies.kit import Resource, Stack, Unreadable, Value
from policies.subjects.machines import KARPENTER_POOLS, Machines

NODE_GROUP: Final = "aws:eks/nodeGroup:NodeGroup"
SCALING_GROUP: Final = "aws:autoscaling/group:Group"
# What a pool may start machines from, by the property that names it; the second is what AWS had before templates.
_SOURCES: Final = {
    "launchTemplate": "aws:ec2/launchTemplate:LaunchTemplate",
    "mixedInstancesPolicy": "aws:ec2/launchTemplate:LaunchTemplate",
    "launchConfiguration": "aws:ec2/launchConfiguration:LaunchConfiguration",
}
_IDENTITIES: Final = ("id", "name", "launchTemplateId", "launchTemplateName")
_ACCELERATED_IMAGES: Final = ("NVIDIA", "NEURON", "GPU")
_CAPACITY_LABEL: Final = "karpenter.sh/capacity-type"


class NotDeclared(Unreadable):
    """What a pool starts its machines from is declared elsewhere."""

    def __init__(self, named: Value) -> None:
        message = (
            f"{named.path}: {named.shown()} is not declared in this stack, so which machines the pool starts can't be "
            "said: name their types in the pool, declare it here, or write an exception with reason, owner and expiry"
        )
        super().__init__(message, named.path, named.owner)


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
        if self.by_karpenter and self._declared.get("spec", "limits", GPU_RESOURCE).present:
            return True
        image = self._declared.get("amiType")
        if self.resource.type == NODE_GROUP and any(mark in image.text("") for mark in _ACCELERATED_IMAGES):
            return True
        places = list(Machines.within(self.resource, self._declared))
        if any(machines.accelerators() for machines in places):
            return True
        templates = self._templates(stack, named=bool(places)) if stack is not None else ()
        return any(machines.accelerators() for one in templates for machines in Machines.within(one, one.inputs))

    def spot(self, stack: Stack) -> bool:
        """Whether it buys spot capacity, at least where there is some. Raises Unreadable."""
        if self.resource.type == NODE_GROUP:
            return self._declared.get("capacityType").text("ON_DEMAND") == "SPOT"
        if self.by_karpenter:
            return _may_be_spot(self._declared.get("spec", "template", "spec", "requirements"))
        if self._declared.get("mixedInstancesPolicy").missing:
            templates = list(self._templates(stack, named=False))
            return bool(templates) and all(_asks_for_spot(template) for template in templates)
        shares = self._declared.get("mixedInstancesPolicy", "instancesDistribution")
        base = shares.get("onDemandBaseCapacity").number(0)
        return base == 0 and shares.get("onDemandPercentageAboveBaseCapacity").number(100) < 100

    @property
    def _declared(self) -> Value:
        return self.resource.inputs

    def _templates(self, stack: Stack, *, named: bool) -> Iterator[Resource]:
        """What its machines are started from, as far as the pool (``named``) doesn't say of what types they are."""
        if self.resource.type == SCALING_GROUP and self._declared.get("mixedInstancesPolicy").present:
            for reference in _references(self._declared.get("mixedInstancesPolicy", "launchTemplate")):
                yield from self._referred(stack, "mixedInstancesPolicy", reference)
            return
        for name in () if named or self.by_karpenter else ("launchTemplate", "launchConfiguration"):
            reference = self._declared.get(name)
            if reference.present:
                yield from self._referred(stack, name, reference)

    def _referred(self, stack: Stack, name: str, reference: Value) -> list[Resource]:
        """By id or name, else by what the property ``name`` depends on. Raises Unreadable where it is neither."""
        inside = reference.kind == "an object"
        identities = [one for key in _IDENTITIES if (one := reference.get(key)).present] if inside else [reference]
        texts = {one.text("") for one in identities if one.known}
        declared = list(stack.of(_SOURCES[name]))
        leads = self.resource.depends_on.get(name, ())
        found = [one for one in declared if one.names & texts] or [one for one in declared if one.urn in leads]
        if not found:
            for one in identities:
                one.text()  # says that it is not known
            raise NotDeclared(identities[0] if identities else reference)
        return found

    def _size(self, name: str, *of_karpenter: str) -> Value:
        if self.by_karpenter:
            return self._declared.get(*of_karpenter)
        within = ("scalingConfig", name) if self.resource.type == NODE_GROUP else (name,)
        return self._declared.get(*within)


def _references(policy: Value) -> Iterator[Value]:
    """The launch templates of a mixed instances policy by which machines are started whose type it does not say."""
    usual, overrides = policy.get("launchTemplateSpecification"), list(policy.get("overrides").items())
    for override in overrides:
        if override.get("instanceType").missing and override.get("instanceRequirements").missing:
            own = override.get("launchTemplateSpecification")
            yield own if own.present else usual
    if not overrides:
        yield usual


def _asks_for_spot(template: Resource) -> bool:
    """A launch template by its market, a launch configuration by its price."""
    inputs = template.inputs
    return inputs.get("instanceMarketOptions", "marketType").text("") == "spot" or inputs.get("spotPrice").present


def _may_be_spot(requirements: Value) -> bool:
    """Karpenter buys on demand only where a requirement doesn't say otherwise."""
    for requirement in requirements.items():
        if requirement.get("key").text("") != _CAPACITY_LABEL:
            continue
        values = [value.text("") for value in requirement.get("values").items()]
        operator = requirement.get("operator").text("")
        return ("spot" in values) == (operator == "In") if operator in ("In", "NotIn") else operator == "Exists"
    return False
