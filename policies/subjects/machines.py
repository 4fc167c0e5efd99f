"""Machines that a resource may start: each place where instance types are named, or described by requirements.

Covered are all AWS resources that say ``instanceType``, ``instanceTypes`` or ``instanceRequirements`` wherever they say
it (instances, launch templates, fleets, node groups, scaling groups, Batch, capacity reservations, all of SageMaker),
and the node pools of Karpenter by their requirements.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from components.instance_types import InstanceType, instance_types
from policies.kit import Resource, Value
from policies.subjects import requirements

KARPENTER_POOLS: Final = ("kubernetes:karpenter.sh/v1:NodePool", "kubernetes:karpenter.sh/v1beta1:NodePool")
_SERVICES: Final = ("ec2", "ec2transitgateway", "eks", "autoscaling", "batch", "sagemaker", "emr", "ecs", "gamelift")
_NAMED: Final = ("instanceType", "instanceTypes")
# What holds places of machines further in: where it is not known yet, neither are the machines.
_HOLDERS: Final = re.compile(
    r"(shadowP|p)roductionVariants|overrides?|launchTemplateConfigs?|launchSpecifications|mixedInstancesPolicy"
    r"|computeResources|resourceConfig|clusterConfig|jobResources|instanceRequirements|defaultResourceSpec"
)
# Families of EC2 that have a GPU or another accelerator. Source: Amazon EC2 Instance Types, "Accelerated computing".
_ACCELERATED: Final = re.compile(r"(p|g|gr|trn|inf|dl|vt|f)\d")


@dataclass(frozen=True, eq=False)
class Machines:
    """One place that says which machines may be started."""

    value: Value
    types: ClassVar[tuple[str, ...]] = (*(f"aws:{service}/*" for service in _SERVICES), *KARPENTER_POOLS)

    @classmethod
    def found_in(cls, resource: Resource) -> Iterable[Self]:
        """Each place in the resource; what encloses a place and is not known yet stands for it."""
        return cls.within(resource, resource.properties)

    @classmethod
    def within(cls, resource: Resource, properties: Value) -> Iterator[Self]:
        """Each place in these properties of the resource: where the stack is in view, those that it is made from."""
        if resource.is_a(*KARPENTER_POOLS):
            yield cls(properties.get("spec", "template", "spec", "requirements"))
            return
        for value in _places(properties):
            yield cls(value)

    @property
    def path(self) -> str:
        return self.value.path

    def accelerators(self) -> dict[str, str]:
        """GPUs and other accelerators by name, each with an instance type that has it. Raises Unreadable."""
        found: dict[str, str] = {}
        for kind in self.kinds():
            if name := accelerator_of(kind):
                found.setdefault(name, kind.name)
        return found

    def kinds(self) -> Iterator[InstanceType]:
        """The instance types that may be started, as far as they are in the table."""
        if self.value.path.endswith("requirements"):
            return requirements.of_karpenter(self.value)
        if self.value.path.endswith("instanceRequirements"):
            return requirements.of_ec2(self.value)
        return self._named()

    def unlisted(self) -> Iterator[str]:
        """Types of accelerated families that are not in the table: what they have can't be said."""
        return (name for name in self._names() if not any(_kinds_called(name)) and _ACCELERATED.match(_plain(name)))

    def _named(self) -> Iterator[InstanceType]:
        return (kind for name in self._names() for kind in _kinds_called(name))

    def _names(self) -> Iterator[str]:
        """The types that are named, one by one. Raises Unreadable."""
        if self.value.path.endswith(("requirements", "Requirements")):
            return iter(())
        values = self.value.items() if self.value.kind == "a list" else (self.value,)
        return (value.text("") for value in values)


def accelerator_of(kind: InstanceType) -> str:
    """The name of the GPU or other accelerator of an instance type, "" where it has none."""
    return kind.gpu_name or kind.accelerator_name


def _kinds_called(name: str) -> Iterator[InstanceType]:
    """The type of that name, or all types of the family, which Batch takes, too."""
    plain, known = _plain(name), instance_types()
    if plain in known:
        return iter((known[plain],))
    return (kind for kind in known.values() if kind.family == plain)


def _plain(name: str) -> str:
    """SageMaker's names of EC2's types begin with ``ml.``."""
    return name.removeprefix("ml.")


def _places(value: Value) -> Iterator[Value]:
    if value.kind == "a list":
        for element in value.items():
            yield from _places(element)
    if value.kind != "an object":
        return
    for key, inner in value.entries():
        if key in _NAMED or key == "instanceRequirements" or (inner.unknown and _HOLDERS.fullmatch(key)):
            if inner.unknown or inner.present:
                yield inner
        elif key not in ("tags", "tagsAll"):
            yield from _places(inner)
