"""Repository creation templates: what a repository gets that ECR makes by itself, for a cache or a replica.

Sources: ECR API reference, CreateRepositoryCreationTemplate; ECR user guide, "Templates to control repositories created
during a pull through cache or replication action": tags and keys need a role of one's own.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from moto.core.exceptions import ServiceException
from moto.core.utils import unix_time
from moto.ecr.models import ECRBackend

Fields = dict[str, Any]

_PART: Final = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*"
_PREFIX: Final = re.compile(f"ROOT|(?=.{{1,256}}$){_PART}(?:/{_PART})*/?")
ACTIONS: Final = frozenset({"CREATE_ON_PUSH", "PULL_THROUGH_CACHE", "REPLICATION"})


class Refused(ServiceException):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)


class TemplateBackend(ECRBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.templates: dict[str, Fields] = {}

    def create_repository_creation_template(self, request: Fields) -> Fields:
        prefix = request["prefix"]
        if not _PREFIX.fullmatch(prefix):
            raise Refused("InvalidParameterException", f"Invalid parameter at 'prefix': {prefix!r}")
        if prefix in self.templates:
            message = f"A repository creation template with the prefix {prefix!r} already exists"
            raise Refused("TemplateAlreadyExistsException", message)
        defaults = {"imageTagMutability": "MUTABLE", "encryptionConfiguration": {"encryptionType": "AES256"}}
        template = defaults | request
        _check(template)
        now = unix_time()
        self.templates[prefix] = template | {"createdAt": now, "updatedAt": now}
        return self.templates[prefix]

    def describe_repository_creation_templates(self, prefixes: list[str] | None) -> list[Fields]:
        """Those that there are: unknown prefixes are left out, as the real service does."""
        return [item for prefix, item in self.templates.items() if not prefixes or prefix in prefixes]

    def update_repository_creation_template(self, request: Fields) -> Fields:
        changed = self._template(request["prefix"]) | request
        _check(changed)
        self.templates[request["prefix"]] = changed | {"updatedAt": unix_time()}
        return changed

    def delete_repository_creation_template(self, prefix: str) -> Fields:
        template = self._template(prefix)
        del self.templates[prefix]
        return template

    def _template(self, prefix: str) -> Fields:
        if prefix not in self.templates:
            message = f"The repository creation template with the prefix {prefix!r} does not exist"
            raise Refused("TemplateNotFoundException", message)
        return self.templates[prefix]


def _check(template: Fields) -> None:
    """Raise Refused for what the service refuses of a template."""
    applied = template.get("appliedFor") or []
    if not applied or not ACTIONS.issuperset(applied):
        message = f"Invalid parameter at 'appliedFor': expected some of {', '.join(sorted(ACTIONS))}, got {applied}"
        raise Refused("InvalidParameterException", message)
    encrypted = template["encryptionConfiguration"].get("encryptionType") != "AES256"
    if (encrypted or template.get("resourceTags")) and not template.get("customRoleArn"):
        message = "Invalid parameter at 'customRoleArn': resource tags and encryption with KMS need a custom role"
        raise Refused("InvalidParameterException", message)
    for name in ("lifecyclePolicy", "repositoryPolicy"):
        if text := template.get(name):
            try:
                json.loads(text)
            except ValueError:
                raise Refused("InvalidParameterException", f"Invalid parameter at {name!r}: not JSON") from None
