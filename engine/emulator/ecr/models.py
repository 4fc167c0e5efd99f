"""ECR with pull-through cache rules and repository creation templates.

Sources: ECR API reference, CreatePullThroughCacheRule; ECR user guide, "Creating a pull through cache rule": which
upstream registries need a secret, and that its name begins with ``ecr-pullthroughcache/``.
"""

from __future__ import annotations

import re

from moto.core.utils import unix_time
from moto.secretsmanager.exceptions import SecretNotFoundException as NoSuchSecret
from moto.secretsmanager.models import secretsmanager_backends

from engine.emulator.ecr.templates import Fields, Refused, TemplateBackend

ROOT = "ROOT"  # the prefix that stands for the whole registry
MAX_RULES = 50
SECRET_PREFIX = "ecr-pullthroughcache/"  # noqa: S105  # the prefix of a name, not a secret
OPEN_REGISTRIES = {"public.ecr.aws": "ecr-public", "quay.io": "quay", "registry.k8s.io": "k8s"}
LOCKED_REGISTRIES = {
    "registry-1.docker.io": "docker-hub",
    "ghcr.io": "github-container-registry",
    "registry.gitlab.com": "gitlab-container-registry",
    "cgr.dev": "chainguard",
}
_AZURE = re.compile(r"[a-z0-9-]+\.azurecr\.(io|cn|us)")
_ECR = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
_PART = "[a-z0-9]+(?:[._-][a-z0-9]+)*"
_PREFIX = re.compile(f"(?=.{{2,30}}$){_PART}(?:/{_PART})*/?")


class ExtendedECRBackend(TemplateBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.pull_through_rules: dict[str, Fields] = {}

    def create_pull_through_cache_rule(self, request: Fields) -> Fields:
        prefix = request["ecrRepositoryPrefix"]
        if prefix != ROOT and not _PREFIX.fullmatch(prefix):
            raise Refused("InvalidParameterException", f"Invalid parameter at 'ecrRepositoryPrefix': {prefix!r}")
        if prefix in self.pull_through_rules:
            message = f"Pull through cache rule already exists for ecrRepositoryPrefix {prefix!r}"
            raise Refused("PullThroughCacheRuleAlreadyExistsException", message)
        if len(self.pull_through_rules) >= MAX_RULES:
            raise Refused("LimitExceededException", f"The limit of {MAX_RULES} pull through cache rules is reached")
        upstream = self._check_upstream(request)
        now = unix_time()
        rule = {"upstreamRepositoryPrefix": ROOT} | request | upstream
        self.pull_through_rules[prefix] = rule | {"createdAt": now, "updatedAt": now, "registryId": self.account_id}
        return self.pull_through_rules[prefix]

    def describe_pull_through_cache_rules(self, prefixes: list[str] | None) -> list[Fields]:
        return [self._rule(prefix) for prefix in prefixes] if prefixes else list(self.pull_through_rules.values())

    def update_pull_through_cache_rule(self, request: Fields) -> Fields:
        rule = self._rule(request["ecrRepositoryPrefix"])
        changed = rule | {key: request[key] for key in ("credentialArn", "customRoleArn") if key in request}
        self._check_upstream(changed)
        rule.update(changed, updatedAt=unix_time())
        return rule

    def delete_pull_through_cache_rule(self, prefix: str) -> Fields:
        rule = self._rule(prefix)
        del self.pull_through_rules[prefix]
        return rule

    def validate_pull_through_cache_rule(self, prefix: str) -> Fields:
        rule = self._rule(prefix)
        try:
            self._check_upstream(rule)
        except Refused as refusal:
            return rule | {"isValid": False, "failure": refusal.message}
        return rule | {"isValid": True}

    def _rule(self, prefix: str) -> Fields:
        if prefix not in self.pull_through_rules:
            message = (
                f"Pull through cache rule does not exist for ecrRepositoryPrefix {prefix!r} "
                f"in the registry with id {self.account_id!r}"
            )
            raise Refused("PullThroughCacheRuleNotFoundException", message)
        return self.pull_through_rules[prefix]

    def _check_upstream(self, rule: Fields) -> Fields:
        """The name of the upstream registry. Raises Refused when it isn't supported or its credentials don't fit."""
        host = rule["upstreamRegistryUrl"].removeprefix("https://").rstrip("/")
        if host in OPEN_REGISTRIES:
            return {"upstreamRegistry": OPEN_REGISTRIES[host]}
        if _ECR.fullmatch(host):
            return {"upstreamRegistry": "ecr"}
        name = LOCKED_REGISTRIES.get(host) or ("azure-container-registry" if _AZURE.fullmatch(host) else None)
        if name is None:
            message = f"The upstream registry {host!r} is not supported for pull through cache"
            raise Refused("UnsupportedUpstreamRegistryException", message)
        self._check_credentials(rule.get("credentialArn"), host)
        return {"upstreamRegistry": name}

    def _check_credentials(self, arn: str | None, host: str) -> None:
        if not arn:
            message = f"Invalid parameter at 'credentialArn': the upstream registry {host!r} needs credentials"
            raise Refused("InvalidParameterException", message)
        if f":secret:{SECRET_PREFIX}" not in arn:
            message = f"Invalid parameter at 'credentialArn': the secret's name must begin with {SECRET_PREFIX!r}"
            raise Refused("InvalidParameterException", message)
        try:
            secretsmanager_backends[self.account_id][self.region_name].describe_secret(arn)
        except NoSuchSecret:
            message = f"The ARN of the secret specified in the pull through cache rule was not found: {arn}"
            raise Refused("SecretNotFoundException", message) from None
