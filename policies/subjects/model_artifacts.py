"""Where models come from that a resource deploys: SageMaker's containers, and what KServe loads.

Sources: CreateModel of the SageMaker API reference; the API types of KServe 0.16; 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from policies.kit import Resource, Value

SAGEMAKER_MODEL: Final = "aws:sagemaker/model:Model"
_KSERVE: Final = "kubernetes:serving.kserve.io/*"
# Where KServe's kinds name an artefact; `uri` names one in those places only, elsewhere it may be any address.
_NAMES: Final = ("storageUri", "modelUri")
_URI_HOLDERS: Final = ("storageUris", "model", "adapters")


@dataclass(frozen=True, eq=False)
class SageMakerContainer:
    """A container of a SageMaker model, alone or in a pipeline."""

    value: Value
    types: ClassVar[tuple[str, ...]] = (SAGEMAKER_MODEL,)

    @classmethod
    def found_in(cls, resource: Resource) -> Iterable[Self]:
        single = resource.properties.get("primaryContainer")
        if single.present:
            yield cls(single)
        containers = resource.properties.get("containers")
        for value in (containers,) if containers.unknown else containers.items():
            yield cls(value)

    @property
    def path(self) -> str:
        return self.value.path

    @property
    def package(self) -> Value:
        return self.value.get("modelPackageName")

    @property
    def image(self) -> Value:
        return self.value.get("image")

    @property
    def has_artifact(self) -> bool:
        """Whether it brings a model of its own; an inference container may be code alone."""
        return any(self.value.get(name).present for name in ("modelDataUrl", "modelDataSource", "image"))


@dataclass(frozen=True, eq=False)
class ModelArtifact:
    """One place that says which model is loaded."""

    value: Value
    types: ClassVar[tuple[str, ...]] = (SAGEMAKER_MODEL, _KSERVE)

    @classmethod
    def found_in(cls, resource: Resource) -> Iterable[Self]:
        if resource.type != SAGEMAKER_MODEL:
            yield from (cls(value) for value in _of_kserve(resource.properties.get("spec")))
            return
        for container in SageMakerContainer.found_in(resource):
            for path in (("modelPackageName",), ("modelDataUrl",), ("modelDataSource", "s3DataSources", 0, "s3Uri")):
                if (value := _below(container.value, *path)) is not None:
                    yield cls(value)


def _below(value: Value, *path: str | int) -> Value | None:
    """What lies at ``path``, or the first value on the way that is not known yet."""
    for key in path:
        if value.unknown:
            return value
        value = value.get(key)
    return value if value.unknown or value.present else None


def _of_kserve(value: Value, holder: str = "") -> Iterator[Value]:
    if value.kind == "a list":
        for element in value.items():
            yield from _of_kserve(element, holder)
    if value.kind != "an object":
        return
    for key, inner in value.entries():
        if key in _NAMES or (key == "uri" and holder in _URI_HOLDERS):
            yield inner
        else:
            yield from _of_kserve(inner, key)
