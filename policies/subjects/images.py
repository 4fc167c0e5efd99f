"""Names of container images: registry, repository, tag and digest."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from policies.kit import Resource, Value
from policies.subjects.kubernetes import KUBERNETES
from policies.subjects.pods import PodTemplate

# What a name without a registry means. Source: github.com/distribution/reference, normalize.go.
_DEFAULT_REGISTRY: Final = "docker.io"
_OLD_DEFAULT: Final = "index.docker.io"
_OFFICIAL: Final = "library"
# Of whatever length: one that can't be pulled runs nothing.
_DIGEST: Final = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[A-Za-z0-9=_-]+")


@dataclass(frozen=True)
class ImageName:
    """``nvcr.io/nvidia/pytorch:25.10@sha256:…`` in its parts; ``tag`` and ``digest`` are "" where it has none."""

    registry: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def of(cls, text: str) -> ImageName:
        named, _, digest = text.strip().partition("@")
        path, colon, tag = named.rpartition(":")
        if not colon or "/" in tag:  # the colon of a registry's port
            path, tag = named, ""
        first, slash, rest = path.partition("/")
        if not slash or not _is_registry(first):
            first, rest = _DEFAULT_REGISTRY, path
        registry = _DEFAULT_REGISTRY if first == _OLD_DEFAULT else first.lower()
        if registry == _DEFAULT_REGISTRY and "/" not in rest:
            rest = f"{_OFFICIAL}/{rest}"
        return cls(registry, rest, tag, digest)

    @property
    def is_pinned(self) -> bool:
        """Whether it has a digest."""
        return _DIGEST.fullmatch(self.digest) is not None

    def comes_from(self, place: str) -> bool:
        """Whether it is of the registry ``place`` (a glob), or below the path that follows the registry there.

        A place without a registry is of docker.io, as an image is.
        """
        registry, _, path = place.rstrip("/").partition("/")
        if not _is_registry(registry):
            registry, path = _DEFAULT_REGISTRY, place.rstrip("/")
        if not fnmatch.fnmatchcase(self.registry, registry.lower()):
            return False
        wanted, own = path.split("/") if path else [], self.repository.split("/")
        return len(own) >= len(wanted) and all(map(fnmatch.fnmatchcase, own, wanted))


def _is_registry(first: str) -> bool:
    """Whether the first part of a name is a host: it has a dot or a port, or is this machine."""
    return "." in first or ":" in first or first in ("localhost", "*")


@dataclass(frozen=True, eq=False)
class Image:
    """An image that a pod runs, or mounts as a volume."""

    types: ClassVar = KUBERNETES

    user: str  # who uses it, for messages
    value: Value

    @classmethod
    def found_in(cls, resource: Resource) -> Iterator[Image]:
        """Where a container names none, its runtime does (KServe), or a template elsewhere, or the API refuses it."""
        for pod in PodTemplate.found_in(resource):
            for container in pod.containers:
                if container.get("image").present:
                    yield cls(f"container '{container.name}'", container.get("image"))
            for volume in pod.volumes:
                if volume.get("image", "reference").present:
                    name = volume.get("name").shown().strip('"')
                    yield cls(f"volume '{name}'", volume.get("image", "reference"))

    @property
    def name(self) -> ImageName:
        return ImageName.of(self.value.text(""))
