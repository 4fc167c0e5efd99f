"""Image repositories: tags that stay, scans, keys, and what is cleared away (rows 10 to 12 and 14)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.kit import Finding, Resource, Stack
from policies.security.pack import SECURITY

REPOSITORY: Final = "aws:ecr/repository:Repository"
# What ECR gives to repositories that it makes by itself.
TEMPLATE: Final = "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"


def _freeze(properties: dict[str, Any]) -> dict[str, Any]:
    mended = {**properties, "imageTagMutability": "IMMUTABLE"}
    mended.pop("imageTagMutabilityExclusionFilters", None)
    return mended


@SECURITY.rule(
    "ecr-immutable-tags",
    number=10,
    title="A tag of an image stays with its image",
    severity="high",
    fix="Set imageTagMutability to IMMUTABLE.",
    frameworks=("FSBP:ECR.2",),
    tags=("checkov:CKV_AWS_51", "trivy:AWS-0031", "pulumi:ecr-repository-disallow-mutable-image"),
    types=(REPOSITORY, TEMPLATE),
    mend=_freeze,
)
def ecr_immutable_tags(resource: Resource) -> Iterator[Finding]:
    """What was scanned and approved under a tag must be what runs under it.

    Tags that are excluded from it move as ever. Caches are left out: they follow their upstream, where tags move.
    """
    if resource.type == TEMPLATE and [each.text() for each in resource.properties.get("appliedFors").items()] == [
        "PULL_THROUGH_CACHE"
    ]:
        return
    mutability = resource.properties.get("imageTagMutability")
    if mutability.text("MUTABLE") != "IMMUTABLE":
        yield Finding(f"{mutability.shown()} is not IMMUTABLE", mutability.path)


def _scan(properties: dict[str, Any]) -> dict[str, Any]:
    return {**properties, "imageScanningConfiguration": {"scanOnPush": True}}


@SECURITY.rule(
    "ecr-scan-on-push",
    number=11,
    title="Images are scanned when they are pushed",
    severity="high",
    fix="Set imageScanningConfiguration.scanOnPush to true.",
    frameworks=("FSBP:ECR.1", "CIS-EKS:5.1.1"),
    tags=("checkov:CKV_AWS_163", "trivy:AWS-0030", "pulumi:ecr-repository-enable-image-scan"),
    types=(REPOSITORY,),
    mend=_scan,
)
def ecr_scan_on_push(repository: Resource) -> Iterator[Finding]:
    """A known weakness in an image should be known before the image runs."""
    scan = repository.properties.get("imageScanningConfiguration", "scanOnPush")
    if not scan.boolean():
        yield Finding(f"{scan.shown()} is not true", scan.path)


def _encrypt(properties: dict[str, Any]) -> dict[str, Any]:
    return {**properties, "encryptionConfigurations": [{"encryptionType": "KMS"}]}


@SECURITY.rule(
    "ecr-kms",
    number=12,
    title="Images are encrypted with KMS",
    severity="low",
    fix="Set encryptionConfigurations to encryptionType KMS, and name a key of your own with kmsKey.",
    frameworks=("AISF:AISF-DATA",),
    tags=("checkov:CKV_AWS_136", "trivy:AWS-0033", "pulumi:ecr-repository-configure-customer-managed-key"),
    types=(REPOSITORY, TEMPLATE),
    parameters={
        "own_key": {
            "type": "boolean",
            "default": False,
            "description": "A key must be named: not the one of ECR itself.",
        }
    },
    mend=_encrypt,
    mend_risk="A repository keeps the encryption that it was made with: changing it replaces the repository.",
)
def ecr_kms(resource: Resource, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """With a key of KMS, who can pull an image is decided by the key, too, and each use of it is recorded."""
    configurations = resource.properties.get("encryptionConfigurations")
    if not len(configurations):
        yield Finding("without it ECR encrypts with AES256, not with KMS", configurations.path)
    for configuration in configurations.items():
        kind, key = configuration.get("encryptionType"), configuration.get("kmsKey")
        if kind.text("AES256") not in ("KMS", "KMS_DSSE"):
            yield Finding(f"{kind.shown()} is not KMS", kind.path)
        elif parameters["own_key"] and key.missing:
            yield Finding("no key of your own is named", key.path)


@SECURITY.rule(
    "ecr-lifecycle",
    number=14,
    title="Each repository clears away old images",
    severity="low",
    fix="Add an aws.ecr.LifecyclePolicy that expires untagged images and all but the last tagged ones.",
    frameworks=("FSBP:ECR.3",),
    tags=("prowler:ecr_repositories_lifecycle_policy_enabled",),
    types=(REPOSITORY,),
)
def ecr_lifecycle(repository: Resource, stack: Stack) -> Iterator[str]:
    """Images of GPU frameworks have 5 to 20 GB, and each build leaves one that is paid for and never scanned again."""
    policies = list(stack.referring(repository, "aws:ecr/lifecyclePolicy:LifecyclePolicy", "repository"))
    if not policies:
        yield "no lifecycle policy names this repository"
    elif not any(_expires(policy) for policy in policies):
        yield "no rule of its lifecycle policy expires images"


def _expires(policy: Resource) -> bool:
    rules = policy.properties.get("policy").json().get("rules").items()
    return any(rule.get("action", "type").text("") == "expire" for rule in rules)
