"""Reads the requests of ECR and writes the answers."""

from __future__ import annotations

import json
from typing import Any, cast

from moto.core.responses import ActionResult
from moto.ecr.responses import ECRResponse

from engine.emulator.ecr.models import ExtendedECRBackend


class ExtendedECRResponse(ECRResponse):
    @property
    def extended(self) -> ExtendedECRBackend:
        return cast(ExtendedECRBackend, self.ecr_backend)

    @property
    def request(self) -> dict[str, Any]:
        return json.loads(self.body)

    def create_pull_through_cache_rule(self) -> ActionResult:
        return ActionResult(self.extended.create_pull_through_cache_rule(self.request))

    def describe_pull_through_cache_rules(self) -> ActionResult:
        rules = self.extended.describe_pull_through_cache_rules(self.request.get("ecrRepositoryPrefixes"))
        return ActionResult({"pullThroughCacheRules": rules})

    def update_pull_through_cache_rule(self) -> ActionResult:
        return ActionResult(self.extended.update_pull_through_cache_rule(self.request))

    def delete_pull_through_cache_rule(self) -> ActionResult:
        return ActionResult(self.extended.delete_pull_through_cache_rule(self.request["ecrRepositoryPrefix"]))

    def validate_pull_through_cache_rule(self) -> ActionResult:
        return ActionResult(self.extended.validate_pull_through_cache_rule(self.request["ecrRepositoryPrefix"]))

    def create_repository_creation_template(self) -> ActionResult:
        return self._template(self.extended.create_repository_creation_template(self.request))

    def describe_repository_creation_templates(self) -> ActionResult:
        found = self.extended.describe_repository_creation_templates(self.request.get("prefixes"))
        return ActionResult({"registryId": self.extended.account_id, "repositoryCreationTemplates": found})

    def update_repository_creation_template(self) -> ActionResult:
        return self._template(self.extended.update_repository_creation_template(self.request))

    def delete_repository_creation_template(self) -> ActionResult:
        return self._template(self.extended.delete_repository_creation_template(self.request["prefix"]))

    def _template(self, template: dict[str, Any]) -> ActionResult:
        return ActionResult({"registryId": self.extended.account_id, "repositoryCreationTemplate": template})
