"""Rule 48: what SageMaker runs as may do what its work needs, not what a service offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies import iam_actions
from policies.kit import Finding, Resource, Stack
from policies.security.pack import SECURITY
from policies.subjects.documents import IdentityDocument, TrustDocument

_ROLE = "aws:iam/role:Role"
_SERVICE = "sagemaker.amazonaws.com"
_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
_OWN_POLICY = "aws:iam/rolePolicy:RolePolicy"
_POLICY = "aws:iam/policy:Policy"


_FORBIDDEN: Final = {
    "description": "Names of AWS's managed policies, as globs with *, that no role of SageMaker has",
    "type": "array",
    "items": {"type": "string"},
    "default": ["*FullAccess", "AdministratorAccess", "PowerUserAccess"],
}


@SECURITY.rule(
    "sagemaker-role-minimal",
    number=48,
    title="Roles of SageMaker are not over-permissive",
    severity="high",
    fix="Write policies of your own that name the buckets, images and keys of the work.",
    frameworks=("AISF:ML-01",),
    tags=("checkov:CKV2_AWS_68",),
    types=(_ROLE,),
    parameters={"forbidden": _FORBIDDEN},
)
def sagemaker_role_minimal(role: Resource, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """A notebook runs what its user types, with its role: AmazonSageMakerFullAccess reads every bucket of that name.

    Judged are the policies that the role itself lists; what is attached to it is judged by the rule beside this one.
    """
    if _is_for_sagemaker(role):
        for arn in role.properties.get("managedPolicyArns").items():
            yield from _far_more_than_its_work(arn.text(""), parameters)
        yield from (Finding(reach) for document in IdentityDocument.found_in(role) for reach in _too_much(document))


@SECURITY.rule(
    "sagemaker-role-attachments-minimal",
    number=48,
    title="What is attached to roles of SageMaker is not over-permissive",
    severity="high",
    fix="Attach policies of your own that name the buckets, images and keys of the work.",
    frameworks=("AISF:ML-01",),
    tags=("checkov:CKV2_AWS_68",),
    types=(_ROLE,),
    parameters={"forbidden": _FORBIDDEN},
)
def sagemaker_role_attachments_minimal(
    role: Resource, stack: Stack, parameters: Mapping[str, Any]
) -> Iterator[Finding]:
    """A role's rights lie in resources beside it: its own policies, and attachments of policies of AWS or of ours."""
    if not _is_for_sagemaker(role):
        return
    for attachment in stack.referring(role, _ATTACHMENT, "role"):
        if not any(_attached(stack, attachment)):
            yield from _far_more_than_its_work(attachment.properties.get("policyArn").text(""), parameters)
    for policy in _policies(stack, role):
        for document in IdentityDocument.found_in(policy):
            yield from (Finding(f"{policy.name}: {reach}") for reach in _too_much(document))


def _is_for_sagemaker(role: Resource) -> bool:
    """Whether SageMaker may assume it. Raises UnknownValue where that isn't known yet."""
    return any(
        statement.allows and (kind, principal) == ("Service", _SERVICE)
        for document in TrustDocument.found_in(role)
        for statement in document.statements
        for kind, principal in statement.principals
    )


def _far_more_than_its_work(arn: str, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    name = arn.rpartition("/")[2]
    if any(iam_actions.matches(name, pattern) for pattern in parameters["forbidden"]):
        yield Finding(f"has {name}, which allows far more than its work")


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
