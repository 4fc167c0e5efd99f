"""Tags and labels by which costs are told apart, wherever they are written.

Tags: a resource's own together with its provider's default tags (``tagsAll``, which the provider fills in), the list of
a scaling group, and what a launch template, Karpenter's node class or a storage class puts on machines and volumes that
no program declares: a provider's default tags don't reach those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from policies.kit import Resource, Value
from policies.subjects.taggable import taggable_types

_SCALING_GROUP: Final = "aws:autoscaling/group:Group"
_LAUNCH_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
_NODE_CLASS: Final = "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass"
_STORAGE_CLASSES: Final = (
    "kubernetes:storage.k8s.io/v1:StorageClass",
    "kubernetes:storage.k8s.io/v1beta1:StorageClass",
)
_EBS_DRIVER: Final = "ebs.csi.aws.com"
_SPECIFICATION: Final = "tagSpecification_"
# What costs money of what a launch template makes.
_LAUNCHED: Final = ("instance", "volume")


@dataclass(frozen=True, eq=False)
class Tags:
    """The tags that one thing will carry. ``on`` is "" for the resource itself, else what the resource makes.

    ``values`` are the tags that are known to be there; ``rest``, where it is not known yet, may hold more.
    """

    path: str
    on: str
    values: Mapping[str, Value]
    rest: Value | None = None
    types: ClassVar[tuple[str, ...]] = ("aws:*", _NODE_CLASS, *_STORAGE_CLASSES)

    @classmethod
    def found_in(cls, resource: Resource) -> Iterable[Self]:
        properties = resource.properties
        if resource.is_a(_NODE_CLASS):
            yield cls.of(properties.get("spec", "tags"), on="the nodes that it makes")
        elif resource.is_a(*_STORAGE_CLASSES):
            yield from cls._of_storage_class(properties)
        elif resource.type == _SCALING_GROUP:
            yield cls._of_list(properties.get("tags"))
        elif resource.type in taggable_types():
            yield cls.of(properties.get("tags"), properties.get("tagsAll"))
        if resource.type == _LAUNCH_TEMPLATE:
            yield from cls._of_launch_template(properties.get("tagSpecifications"))

    @classmethod
    def of(cls, *layers: Value, on: str = "") -> Self:
        """Tags that are written in any of these objects, the first one winning. Raises WrongType."""
        values: dict[str, Value] = {}
        rest: Value | None = None
        for layer in reversed(layers):
            if layer.unknown:
                rest = layer
            else:
                values |= dict(layer.entries())
        return cls(layers[0].path, on, values, rest)

    def value(self, key: str) -> Value | None:
        """The tag of that key, None where there is none. Raises UnknownValue where there may be one."""
        if key not in self.values and self.rest is not None:
            self.rest.text()
        return self.values.get(key)

    @classmethod
    def _of_launch_template(cls, specifications: Value) -> Iterator[Self]:
        if specifications.unknown:
            yield cls(specifications.path, "what it launches", {}, specifications)
            return
        given = {each.get("resourceType").text(""): each.get("tags") for each in specifications.items()}
        for kind in _LAUNCHED:
            yield cls.of(given.get(kind, specifications.get(len(given))), on=f"each {kind} that it launches")

    @classmethod
    def _of_storage_class(cls, properties: Value) -> Iterator[Self]:
        if properties.get("provisioner").text("") != _EBS_DRIVER:
            return
        parameters, found = properties.get("parameters"), dict[str, Value]()
        for name, value in parameters.entries():
            if name.startswith(_SPECIFICATION):
                key, _, text = value.text("").partition("=")
                found[key] = Value(text, value.path, owner=value.owner, secret=value.secret)
        yield cls(parameters.path, "the volumes that it makes", found)

    @classmethod
    def _of_list(cls, tags: Value) -> Self:
        """The tags of a scaling group, as far as they reach its instances."""
        if tags.unknown:
            return cls(tags.path, "", {}, tags)
        given = [tag for tag in tags.items() if tag.get("propagateAtLaunch").boolean(default=False)]
        return cls(tags.path, "", {tag.get("key").text(""): tag.get("value") for tag in given})
