"""Rows 66 and 67: which images pods run, and that it is always the same one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.kit import Finding
from policies.security.pack import SECURITY
from policies.subjects.images import Image

# Where the platform's own pods come from: ECR (its own repositories and caches, and EKS's add-ons), NVIDIA's registry,
# those of Karpenter and Kueue, and those of monitoring: only the Prometheus project's and Grafana's own images.
APPROVED_REGISTRIES: Final = (
    "*.dkr.ecr.*.amazonaws.com",
    "*.dkr.ecr.*.amazonaws.com.cn",
    "docker.io/grafana",
    "docker.io/prom",
    "nvcr.io/nvidia",
    "public.ecr.aws",
    "quay.io/prometheus",
    "registry.k8s.io",
)


@SECURITY.rule(
    "image-digest",
    number=66,
    title="Images are named by their digest",
    severity="medium",
    fix="Name the image as repository:tag@sha256:…; `docker buildx imagetools inspect` and the registry show it.",
    frameworks=("EU-AI-Act:12",),
    tags=("checkov:CKV_K8S_43", "gatekeeper:imagedigests", "kyverno:require-image-checksum"),
)
def image_digest(image: Image) -> Iterator[Finding]:
    """A tag can be moved; a digest names one image for ever, so that what ran can be told and run again.

    Judged are all containers and the images that are mounted as volumes.
    """
    name = image.name
    if not name.is_pinned:
        lacks = f"has no valid digest ({name.digest})" if name.digest else "has no digest"
        yield Finding(f"the image of {image.user}, {image.value.shown()}, {lacks}", image.value.path)


@SECURITY.rule(
    "image-latest",
    number=66,
    title="No image is whatever is the latest",
    severity="medium",
    fix="Name a version in the tag, and its digest.",
    tags=("checkov:CKV_K8S_14", "trivy:KSV-0013", "gatekeeper:disallowedtags"),
)
def image_latest(image: Image) -> Iterator[Finding]:
    """``latest``, which no tag means, too, is another image tomorrow. With a digest it is harmless."""
    name = image.name
    if name.tag in ("", "latest") and not name.digest:
        state = "has the tag latest" if name.tag else "has no tag, which means latest"
        yield Finding(f"the image of {image.user}, {image.value.shown()}, {state}", image.value.path)


@SECURITY.rule(
    "image-registry",
    number=67,
    title="Images come from approved registries",
    severity="medium",
    fix="Copy the image into the platform's registry (or its pull-through cache), or approve its registry.",
    frameworks=("CISE:5.1.4",),
    tags=("trivy:KSV-0125", "gatekeeper:allowedreposv2"),
    parameters={
        "registries": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "default": list(APPROVED_REGISTRIES),
            "description": "Registries, with the path below which images are approved; * is part of a name.",
        }
    },
)
def image_registry(image: Image, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """Whoever can put an image where it is pulled from runs code in the cluster. No registry means docker.io."""
    approved: list[str] = parameters["registries"]
    name = image.name
    if not any(name.comes_from(place) for place in approved):
        yield Finding(
            f"the image of {image.user}, {image.value.shown()}, comes from {name.registry}/{name.repository}, "
            f"and approved are {', '.join(approved) or 'none'}",
            image.value.path,
        )
