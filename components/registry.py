"""Image registry: repositories whose tags don't change, scanned and encrypted, and caches of public registries.

ECR makes the repositories of a cache by itself, on the first pull; a creation template says what they get.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import names
from components.account import Account
from components.base import PlatformComponent
from components.keys import KeyPurpose, KeyUser
from components.names import Naming
from components.roles import ServiceRoleArgs, service_role
from components.tags import component_tags

# Host of each upstream that can be cached.
# Source: Amazon ECR User Guide, "Creating a pull through cache rule", 2026-11.
UPSTREAMS: Mapping[str, str] = {
    "ecr-public": "public.ecr.aws",
    "kubernetes": "registry.k8s.io",
    "quay": "quay.io",
    "docker-hub": "registry-1.docker.io",
    "github": "ghcr.io",
    "gitlab": "registry.gitlab.com",
}
# ECR finds credentials only under this prefix, and only if Secrets Manager's own key encrypts them.
# Source: Amazon ECR User Guide, "Storing your upstream repository credentials", 2026-11.
_CREDENTIALS_PREFIX = "ecr-pullthroughcache"
_DELETION_WINDOW_DAYS = 7
_MAKER = "maker"


@dataclass(frozen=True)
class Credentials:
    username: str
    access_token: pulumi.Output[str]  # a Pulumi secret


@dataclass(frozen=True)
class PullThrough:
    """A cache of ``upstream``, a key of UPSTREAMS."""

    upstream: str
    credentials: Credentials | None = None


@dataclass(frozen=True)
class RegistryChoices:
    """What an environment decides about its images."""

    repositories: Sequence[str]
    keep_tagged: int
    untagged_days: int
    pull_through: Sequence[PullThrough]
    force_delete: bool
    protect: bool


@dataclass(frozen=True)
class RegistryArgs:
    """``tags`` are for the repositories that ECR makes: the provider's default tags don't reach them."""

    account: Account
    kms_key_arn: pulumi.Input[str]
    boundary_arn: pulumi.Input[str]
    tags: Mapping[str, str]
    choices: RegistryChoices


class Registry(PlatformComponent, area="registry"):
    """Repositories by name (``urls``) and caches by upstream (``caches``: prefix of cached images)."""

    urls: Mapping[str, pulumi.Output[str]]
    caches: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args = args
        self.urls = {repository: self._repository(repository) for repository in args.choices.repositories}
        maker = self._maker() if args.choices.pull_through else None
        self.caches = {rule.upstream: self._cache(rule, maker) for rule in args.choices.pull_through}
        self.register_outputs({"urls": self.urls, "caches": self.caches})

    def _repository(self, part: str) -> pulumi.Output[str]:
        choices = self._args.choices
        repository = aws.ecr.Repository(
            self.child(part),
            name=self.naming.path(names.REPOSITORY, part),
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            encryption_configurations=[{"encryption_type": "KMS", "kms_key": self._args.kms_key_arn}],
            force_delete=choices.force_delete,
            opts=self.options(protect=choices.protect),
        )
        aws.ecr.LifecyclePolicy(
            self.child(part),
            repository=repository.name,
            policy=self._lifecycle(),
            opts=self.options(),
        )
        return repository.repository_url

    def _lifecycle(self) -> str:
        return json.dumps({"rules": [self._expire_untagged(), self._keep_tagged()]})

    def _expire_untagged(self) -> Mapping[str, object]:
        days = self._args.choices.untagged_days
        return {
            "rulePriority": 1,
            "description": f"untagged images: {days} days",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": days,
            },
            "action": {"type": "expire"},
        }

    def _keep_tagged(self) -> Mapping[str, object]:
        count = self._args.choices.keep_tagged
        return {
            "rulePriority": 2,
            "description": f"tagged images: the last {count}",
            "selection": {
                "tagStatus": "tagged",
                "tagPatternList": ["*"],
                "countType": "imageCountMoreThan",
                "countNumber": count,
            },
            "action": {"type": "expire"},
        }

    def _cache(self, rule: PullThrough, maker: aws.iam.Role | None) -> pulumi.Output[str]:
        prefix = self.physical(names.REPOSITORY_PREFIX, rule.upstream)
        template = aws.ecr.RepositoryCreationTemplate(
            self.child(rule.upstream),
            prefix=prefix,
            description=f"Images from {UPSTREAMS[rule.upstream]}",
            applied_fors=["PULL_THROUGH_CACHE"],
            custom_role_arn=maker.arn if maker else None,
            encryption_configurations=[{"encryption_type": "KMS", "kms_key": self._args.kms_key_arn}],
            image_tag_mutability="MUTABLE",  # a cache follows its upstream, where tags move
            lifecycle_policy=self._lifecycle(),
            resource_tags={**self._args.tags, **component_tags(self.component_name, prefix)},
            opts=self.options(),
        )
        cache = aws.ecr.PullThroughCacheRule(
            self.child(rule.upstream),
            ecr_repository_prefix=prefix,
            upstream_registry_url=UPSTREAMS[rule.upstream],
            credential_arn=self._secret(rule.upstream, rule.credentials) if rule.credentials else None,
            # A repository keeps what it was made with: no pull before the template is there.
            opts=self.options(depends_on=[template]),
        )
        return cache.ecr_repository_prefix

    def _maker(self) -> aws.iam.Role:
        # Source: Amazon ECR User Guide, "Creating an IAM role for repository creation templates", 2026-11.
        account = self._args.account
        return service_role(
            self,
            _MAKER,
            ServiceRoleArgs(
                account=account,
                service="ecr.amazonaws.com",
                sources=None,  # ECR names none, and refuses a template with a role of another account
                statements=[
                    {
                        "Sid": "MakeRepositories",
                        "Effect": "Allow",
                        "Action": ["ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"],
                        "Resource": [
                            account.arn("ecr", f"repository/{self.physical(names.REPOSITORY_PREFIX, rule.upstream)}/*")
                            for rule in self._args.choices.pull_through
                        ],
                    },
                ],
                boundary_arn=self._args.boundary_arn,
            ),
        )

    def _secret(self, upstream: str, credentials: Credentials) -> pulumi.Output[str]:
        # A deleted secret keeps its name for the recovery window, and a sandbox is made again within minutes.
        window = 0 if self._args.choices.force_delete else _DELETION_WINDOW_DAYS
        secret = aws.secretsmanager.Secret(
            self.child(upstream),
            name=f"{_CREDENTIALS_PREFIX}/{self.physical(names.SECRET, upstream)}",
            recovery_window_in_days=window,
            opts=self.options(),
        )
        value = pulumi.Output.json_dumps({"username": credentials.username, "accessToken": credentials.access_token})
        version = aws.secretsmanager.SecretVersion(
            self.child(upstream), secret_id=secret.id, secret_string=value, opts=self.options()
        )
        # By way of the version, so that a rule is only made once its credentials are there: ECR checks them.
        return version.secret_arn


def key_users(naming: Naming, name: str, choices: RegistryChoices) -> Mapping[KeyPurpose, Sequence[KeyUser]]:
    """The roles of the registry component called ``name``, and their use of keys."""
    if not choices.pull_through:
        return {}
    # Source: Amazon ECR User Guide, "Creating an IAM role for repository creation templates", 2026-11.
    maker = naming.dashed(names.ROLE, name, _MAKER)
    grant = ["kms:CreateGrant", "kms:RetireGrant"]
    return {KeyPurpose.IMAGES: [KeyUser("Maker", maker, ["kms:DescribeKey"], grant, via="ecr")]}
