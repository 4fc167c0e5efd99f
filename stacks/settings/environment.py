"""What an environment is, who answers for it, and its keys and logs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from stacks.settings.base import Contradiction, Section

AccountId = Annotated[str, Field(pattern=r"^\d{12}$")]
RoleArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$")]
TagValue = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[\w .:/=+@-]+$")]
TagKey = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[\w .:/=+@-]+$")]

# Set by the platform on every resource; `tags.extra` may not change them.
OWN_TAGS = ("Project", "Environment", "Team", "Owner", "CostCenter", "DeploymentId", "ManagedBy", "Name", "Component")


class AwsSettings(Section):
    """Where in AWS the environment lives."""

    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    """AWS region, such as `us-east-1`."""
    allowed_account_ids: tuple[AccountId, ...] = Field(default=(), max_length=1, alias="allowedAccountIds")
    """The one account (12 digits) that this environment may be deployed to; empty: whichever the credentials belong to.
    A preview without credentials knows account ids in policies only if it is given."""


class EnvironmentSettings(Section):
    """What the environment is for, and how well it is guarded."""

    stage: Literal["dev", "staging", "prod", "sandbox"]
    """What the environment is for: `sandbox` may be thrown away with its data, `prod` must be protected."""
    protect: bool = True
    """Refuse to delete or replace what holds data (buckets, keys, image repositories)."""
    deployment_id: TagValue | None = None
    """Value of the tag DeploymentId, by which everything of one deployment is found; default: project-stack."""


class TagSettings(Section):
    """Who answers and pays: tags on every resource."""

    team: TagValue
    """Tag Team: the team that runs the platform; costs are grouped by it."""
    owner: TagValue
    """Tag Owner: whom to ask, such as a mailing list."""
    cost_center: TagValue
    """Tag CostCenter: the account in your books."""
    extra: dict[TagKey, TagValue] = Field(default_factory=dict, max_length=30)
    """More tags for every resource, at most 30 (AWS allows 50 in all)."""

    def contradictions(self) -> Iterable[Contradiction]:
        # IAM tells no capital letter from a small one: to a role, `team` is a second `Team`.
        # Source: IAM User Guide, "Tags for AWS Identity and Access Management resources", 2026-11.
        own = {tag.lower(): tag for tag in OWN_TAGS}
        seen: dict[str, str] = {}
        for key in self.extra:
            tag, before = own.get(key.lower()), seen.setdefault(key.lower(), key)
            if tag is not None:
                why = "is set by the platform" + ("" if key == tag else f", as '{tag}', which is the same to IAM")
                yield Contradiction(f"extra.{key}", why, f"leave it out, or use tags.{_setting(tag)}")
            elif before != key:
                yield Contradiction(f"extra.{key}", f"is the same to IAM as '{before}'", "keep one of them")
            if key.lower().startswith("aws:"):
                yield Contradiction(f"extra.{key}", "begins with 'aws:', which AWS keeps for itself", "rename the tag")


def _setting(tag: str) -> str:
    return {"Team": "team", "Owner": "owner", "CostCenter": "cost_center"}.get(tag, "extra under another name")


class IdentitySettings(Section):
    """Encryption keys and the limits of roles."""

    key_deletion_window_days: int = Field(default=30, ge=7, le=30)
    """Days between the order to delete a key and its deletion, in which it can be undone (AWS: 7 to 30)."""
    key_rotation_days: int = Field(default=365, ge=90, le=2560)
    """Days between rotations of a key's material (AWS: 90 to 2560)."""
    key_administrators: tuple[RoleArn, ...] = ()
    """ARNs of roles that administer the keys; empty: whoever the account's IAM policies allow to. Name the role that
    deploys among them: AWS refuses a key policy that shuts out whoever sets it."""
    permissions_boundary_arn: str | None = Field(default=None, pattern=r"^arn:aws[a-z-]*:iam::(\d{12}|aws):policy/.+$")
    """ARN of an existing policy that bounds every role; default: the platform makes one."""


class LogSettings(Section):
    """CloudWatch log groups."""

    retention_days: Literal[
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
    ] = 90
    """Days that log events are kept; CloudWatch takes these numbers only."""
