"""Row 82: which model serves can be told for years: it comes from a registry, by version, its image by digest.

EU AI Act, Regulation 2024/1689: technical documentation (Article 11, Annex IV), kept for 10 years (Article 18).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.governance.pack import GOVERNANCE
from policies.kit import Finding, Resource
from policies.subjects.model_artifacts import ModelArtifact, SageMakerContainer

_DIGEST: Final = re.compile(r".+@sha256:[0-9a-f]{64}")
_PACKAGE_VERSION: Final = re.compile(r"arn:[\w-]+:sagemaker:[\w-]+:\d{12}:model-package/[\w-]+/\d+")
# A segment that names a version or a content: v3, 1.4.2, 20261110-093000, a commit, a digest.
_VERSIONED_PATH: Final = (
    r".*[/=:](v\d+(\.\d+)*|\d+(\.\d+)+|\d{8}[T-]?\d{0,6}Z?|sha256[:-]?[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{64})([/.].*)?"
)
_HUGGING_FACE: Final = re.compile(r"hf://[^/]+/[^:]+:[0-9a-f]{40}(/.*)?")
_MLFLOW: Final = re.compile(r"models:/[^/@]+/\d+")


@GOVERNANCE.rule(
    "model-from-registry",
    number=82,
    title="SageMaker models come from a model registry",
    severity="medium",
    fix="Register the model in a model package group and deploy the version: model_package_name instead of "
    "image and model_data_url.",
    frameworks=("EU-AI-Act:Art.11", "AISF:ML-04"),
    tags=("prowler:sagemaker_models_registry_in_use",),
)
def model_from_registry(container: SageMakerContainer) -> Iterator[Finding]:
    """A registry says who approved what, trained on what; a file in a bucket says nothing of the kind."""
    if container.package.missing and container.has_artifact:
        yield Finding(f"{container.path}: no modelPackageName, so no registry knows what is deployed")


@GOVERNANCE.rule(
    "model-version-pinned",
    number=82,
    title="Models are deployed by version",
    severity="medium",
    fix="Name one version: a model package's ARN with its version, an OCI artefact by digest, a Hugging Face revision "
    "by commit, an MLflow version by number, or an object key that holds a version or a digest.",
    frameworks=("EU-AI-Act:Annex IV", "AISF:ML-04"),
    parameters={
        "pattern": {
            "type": "string",
            "default": _VERSIONED_PATH,
            "description": "What paths in buckets and volumes must match in full to count as one version.",
        }
    },
)
def model_version_pinned(artifact: ModelArtifact, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """What is called ``latest``, ``Production`` or nothing at all is another model tomorrow, with nobody having changed
    anything: neither a rollback nor an audit finds what answered."""
    where = artifact.value.text("")
    if where and not _pinned(where, parameters["pattern"]):
        yield Finding(f"{artifact.value.path}: {artifact.value.shown()} names no version")


@GOVERNANCE.rule(
    "model-image-digest",
    number=82,
    title="SageMaker containers are pinned by digest",
    severity="medium",
    fix="Use repository@sha256:... instead of a tag.",
    frameworks=("EU-AI-Act:Annex IV",),
)
def model_image_digest(container: SageMakerContainer) -> Iterator[Finding]:
    """A tag can be moved; with it moves what a model does, and how."""
    image = container.image
    if image.present and not _DIGEST.fullmatch(image.text("")):
        yield Finding(f"{image.path}: {image.shown()} has no digest")


@GOVERNANCE.rule(
    "model-group-described",
    number=82,
    title="Groups of models say what they are for",
    severity="low",
    level="advisory",
    fix="Give the group a model_package_group_description with purpose and owner.",
    frameworks=("EU-AI-Act:Annex IV",),
    types=("aws:sagemaker/modelPackageGroup:ModelPackageGroup",),
)
def model_group_described(resource: Resource) -> Iterator[Finding]:
    """Annex IV begins with the intended purpose; the group is where every version of a model has it."""
    description = resource.properties.get("modelPackageGroupDescription")
    if not description.text("").strip():
        yield Finding("modelPackageGroupDescription: nothing says what the models are for")


def _pinned(where: str, pattern: str) -> bool:
    if where.startswith("arn:"):
        return bool(_PACKAGE_VERSION.fullmatch(where))
    if where.startswith("oci://"):
        return bool(_DIGEST.fullmatch(where))
    if where.startswith("hf://"):
        return bool(_HUGGING_FACE.fullmatch(where))
    if where.startswith("models:/"):
        return bool(_MLFLOW.fullmatch(where))
    return bool(re.fullmatch(pattern, where))
