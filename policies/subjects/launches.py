"""What EC2 instances are started from: instances, launch templates, launch configurations, Karpenter's node classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from policies.kit import Resource, Value, WrongType

INSTANCES: Final = ("aws:ec2/instance:Instance", "aws:ec2/spotInstanceRequest:SpotInstanceRequest")
LAUNCH_CONFIGURATION: Final = "aws:ec2/launchConfiguration:LaunchConfiguration"
LAUNCH_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
NODE_CLASSES: Final = "kubernetes:karpenter.k8s.aws/*:EC2NodeClass"
NODE_GROUP: Final = "aws:eks/nodeGroup:NodeGroup"


@dataclass(frozen=True)
class Launch:
    """The settings of instances, wherever they are written: ``settings`` holds them under EC2's names."""

    resource: Resource
    settings: Value

    types: ClassVar = (*INSTANCES, LAUNCH_CONFIGURATION, LAUNCH_TEMPLATE, NODE_CLASSES)

    @classmethod
    def found_in(cls, resource: Resource) -> Iterator[Self]:
        of_karpenter = resource.is_a(NODE_CLASSES)
        yield cls(resource, resource.properties.get("spec") if of_karpenter else resource.properties)

    @property
    def of_karpenter(self) -> bool:
        """Karpenter has safe defaults of its own, where EC2 leaves the choice to the image and the account."""
        return self.resource.is_a(NODE_CLASSES)

    @property
    def has_template(self) -> bool:
        """Whether what it doesn't say is said by a launch template, which is judged by itself."""
        return self.settings.get("launchTemplate").present

    @property
    def metadata(self) -> Value:
        """The options of the instance metadata service."""
        return self.settings.get("metadataOptions")

    @property
    def has_metadata_service(self) -> bool:
        return self.metadata.get("httpEndpoint").text("enabled") != "disabled"

    def public_addresses(self) -> Iterator[Value]:
        """Where it says whether instances get a public address."""
        if self.resource.type == LAUNCH_TEMPLATE:
            for interface in self.settings.get("networkInterfaces").items():
                yield interface.get("associatePublicIpAddress")
        else:
            yield self.settings.get("associatePublicIPAddress" if self.of_karpenter else "associatePublicIpAddress")

    def mapped_volumes(self) -> Iterator[Value]:
        """The volumes of a launch template or of a node class."""
        mappings = self.settings.get("blockDeviceMappings").items()
        return (ebs for ebs in (mapping.get("ebs") for mapping in mappings) if ebs.present)


def switched_on(value: Value, default: bool = False) -> bool:
    """True or false, also as the text that launch templates and storage classes take. Raises what reading raises."""
    if value.kind != "text":
        return value.boolean(default)
    text = value.text("").lower()
    if text not in ("true", "false", ""):
        raise WrongType(value.path, "true or false", value.shown(), value.owner)
    return text == "true" if text else default
