"""The tags that the platform puts on everything, and where they come from.

Seven tags describe the deployment and are the provider's default tags, so a resource cannot be without them:
``Project``, ``Environment``, ``Team``, ``Owner``, ``CostCenter``, ``DeploymentId`` and ``ManagedBy``. Two more,
``Name`` and ``Component``, differ by resource and are added by ``PlatformComponent``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MANAGED_BY = "bedplate"


@dataclass(frozen=True)
class Ownership:
    """Who answers and pays for what is deployed; ``extra`` are an organisation's own tags."""

    team: str
    owner: str
    cost_center: str
    deployment_id: str
    extra: Mapping[str, str] = field(default_factory=dict)


def deployment_tags(project: str, stack: str, ownership: Ownership) -> dict[str, str]:
    """The provider's default tags of one deployment."""
    return {
        **ownership.extra,
        "Project": project,
        "Environment": stack,
        "Team": ownership.team,
        "Owner": ownership.owner,
        "CostCenter": ownership.cost_center,
        "DeploymentId": ownership.deployment_id,
        "ManagedBy": MANAGED_BY,
    }


def component_tags(component: str, name: str) -> dict[str, str]:
    """The tags of one resource: the component it belongs to, and the name that the AWS console shows."""
    return {"Name": name, "Component": component}
