"""Rule 48: what SageMaker runs as may do what its work needs, not what a service offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policies import iam_actions
from policies.kit import Finding, Resource, Stack
from policies.security.pack import SECURITY
from policies.subjects.documents import IdentityDocument, TrustDocument

_ROLE = "aws:iam/role:Role"
_SERVICE = "sagemaker.amazonaws.com"
_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
_OWN_POLICY = "aws:iam/rolePolicy:RolePolicy"
_POLICY = "aws:iam/policy:Policy"


@SECURITY.rule(
    "sagemaker-role-minimal",
    number=48,
    title="Roles of SageMaker are not over-permissive",
    severity="high",
    fix="Attach policies of your own that name the buckets, images and keys of the work.",
    frameworks=("AISF:ML-01",),
    tags=("checkov:CKV2_AWS_68",),
    types=(_ROLE,),
    parameters={
        "forbidden": {
            "description": "Names of AWS's managed policies, as globs with *, that no role of SageMaker has",
            "type": "array",
            "items": {"type": "string"},
            "default": ["*FullAccess", "AdministratorAccess", "PowerUserAccess"],
        }
    },
)
def sagemaker_role_minimal(role: Resource, stack: Stack, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """A notebook runs what its user types, with its role: AmazonSageMakerFullAccess reads every bucket of that name.

    Judged are the role's own policies, those attached to it, and its list of managed policies.
    """
    if not _is_for_sagemaker(role):
        return
    for policy in _managed(stack, role):
        name = policy.rpartition("/")[2]
        if any(iam_actions.matches(name, pattern) for pattern in parameters["forbidden"]):
            yield Finding(f"has {name}, which allows far more than its work")
    for holder in (role, *_policies(stack, role)):
        for document in IdentityDocument.found_in(holder):
            for reach in _too_much(document):
                yield Finding(f"{holder.name}: {reach}")


def _is_for_sagemaker(role: Resource) -> bool:
    """Whether SageMaker may assume it. Raises UnknownValue where that isn't known yet."""
    return any(
        statement.allows and (kind, principal) == ("Service", _SERVICE)
        for document in TrustDocument.found_in(role)
        for statement in document.statements
        for kind, principal in statement.principals
    )


def _managed(stack: Stack, role: Resource) -> Iterator[str]:
    """The ARNs of policies that the role has, but for those that this stack makes: their documents are judged.

    Raises UnknownValue for one that isn't known.
    """
    for arn in role.properties.get("managedPolicyArns").items():
        yield arn.text("")
    for attachment in stack.referring(role, _ATTACHMENT, "role"):
        if not any(_attached(stack, attachment)):
            yield attachment.properties.get("policyArn").text("")


def _policies(stack: Stack, role: Resource) -> Iterator[Resource]:
    yield from stack.referring(role, _OWN_POLICY, "role")
    for attachment in stack.referring(role, _ATTACHMENT, "role"):
        yield from _attached(stack, attachment)


def _attached(stack: Stack, attachment: Resource) -> Iterator[Resource]:
    return (policy for policy in stack.of(_POLICY) if attachment.refers_to(policy, "policyArn"))


def _too_much(document: IdentityDocument) -> Iterator[str]:
    """Whole services, or everything, on everything."""
    for statement in document.statements:
        if statement.allows and statement.unconstrained:
            whole = [action for action in statement.actions if iam_actions.is_wild(action.rpartition(":")[2])]
            if whole:
                yield f"allows {', '.join(whole)} on everything"
            elif statement.not_actions:
                yield f"allows everything but {', '.join(statement.not_actions)} on everything"
