"""Rules 27 and 31: nobody administers the whole account, and what a policy document says is well-formed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policies import iam_actions
from policies.kit import Finding, Resource, Value
from policies.security.pack import SECURITY
from policies.subjects.documents import IdentityDocument, PolicyDocument
from policies.subjects.statements import Statement

_ATTACHMENTS = {
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": "policyArn",
    "aws:iam/policyAttachment:PolicyAttachment": "policyArn",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "policyArn",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": "policyArn",
    "aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment": "managedPolicyArn",
}
_LISTS_OF_ATTACHMENTS = {
    "aws:iam/groupPolicyAttachmentsExclusive:GroupPolicyAttachmentsExclusive": "policyArns",
    "aws:iam/role:Role": "managedPolicyArns",
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": "policyArns",
    "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive": "policyArns",
}


@SECURITY.rule(
    "iam-document-well-formed",
    number=27,
    title="Policy documents are what AWS takes",
    severity="high",
    fix="Write the document with aws.iam.getPolicyDocument, or as JSON text made by the language's own JSON writer.",
    frameworks=("bedplate:iam/1",),
    tags=("parliament:MALFORMED",),
)
def iam_document_well_formed(document: PolicyDocument) -> Iterator[Finding]:
    """Text that is not JSON, a statement without an effect, an element with another name: AWS refuses such a document.

    It would do so in the middle of a deployment. The other rules of documents judge what can be read of it.
    """
    for fault in document.faults:
        said = "it is no document that AWS takes (what is wrong is secret)" if document.value.secret else fault
        yield Finding(said, document.path)


@SECURITY.rule(
    "iam-no-full-admin",
    number=27,
    title="No policy allows everything on everything",
    severity="high",
    fix="Name the actions and the resources that are needed; administrators come through single sign-on.",
    frameworks=("CIS:1.15", "FSBP:IAM.1"),
    tags=("checkov:CKV_AWS_62", "checkov:CKV_AWS_1", "trivy:AWS-0057"),
)
def iam_no_full_admin(document: IdentityDocument) -> Iterator[Finding]:
    """``*`` on ``*`` is the account itself: whoever has it can take every guard away.

    Everything but a few actions (Allow with NotAction on everything) counts as everything: the exceptions age.
    """
    for statement in document.acting:
        if _is_nearly_everything(statement) and statement.everywhere:
            excepted = f"everything but {', '.join(statement.not_actions)}" if statement.not_actions else "every action"
            yield _finding(document, statement, f"allows {excepted} on every resource")
    document.settle(_is_nearly_everything)


@SECURITY.rule(
    "iam-no-wildcard-action",
    number=27,
    title="No policy allows every action",
    severity="high",
    fix="Name the actions that are needed, or patterns within one service, such as s3:Get*.",
    frameworks=("CIS:1.15",),
    tags=("checkov:CKV_AWS_63", "checkov:CKV_AWS_49"),
)
def iam_no_wildcard_action(document: IdentityDocument) -> Iterator[Finding]:
    """``Action: *`` grants what AWS will invent tomorrow, on whatever resources it names."""
    for statement in document.acting:
        if statement.allows and any(_is_everything(action) for action in statement.actions):
            yield _finding(document, statement, "allows every action")


@SECURITY.rule(
    "iam-no-service-wildcard",
    number=27,
    title="No policy allows every action of a service",
    severity="medium",
    fix="Name the actions that are needed, or patterns such as s3:Get*.",
    frameworks=("FSBP:IAM.21",),
)
def iam_no_service_wildcard(document: IdentityDocument) -> Iterator[Finding]:
    """``ec2:*`` takes in the actions that delete, share and hand over, which hardly any workload needs."""
    for statement in document.acting:
        whole = [action for action in (*statement.actions, *statement.not_actions) if _is_whole_service(action)]
        if statement.allows and whole:
            verb = "excepts, by NotAction," if statement.not_actions else "allows"
            yield _finding(document, statement, f"{verb} every action of a service: {', '.join(whole)}")


@SECURITY.rule(
    "iam-no-admin-attached",
    number=31,
    title="No administrator's policy of AWS is attached",
    severity="high",
    fix="Attach a policy of your own that names what is needed.",
    frameworks=("CIS:1.15",),
    tags=("checkov:CKV_AWS_274", "checkov:CKV_AWS_275", "checkov:CKV2_AWS_56"),
    types=(*_ATTACHMENTS, *_LISTS_OF_ATTACHMENTS),
    parameters={
        "forbidden": {
            "description": "Names of AWS's managed policies that nobody gets",
            "type": "array",
            "items": {"type": "string"},
            "default": ["AdministratorAccess", "IAMFullAccess"],
        }
    },
)
def iam_no_admin_attached(resource: Resource, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """AdministratorAccess and IAMFullAccess are the account itself, whoever has them."""
    for arn in _attached(resource):
        owner, _, name = arn.text("").partition(":policy/")
        if owner.endswith(":iam::aws") and name.rpartition("/")[2] in parameters["forbidden"]:
            yield Finding(f"attaches {name}, which gives the whole account away", arn.path)


def _attached(resource: Resource) -> Iterator[Value]:
    if resource.type in _ATTACHMENTS:
        yield resource.properties.get(_ATTACHMENTS[resource.type])
    else:
        yield from resource.properties.get(_LISTS_OF_ATTACHMENTS[resource.type]).items()


def _is_nearly_everything(statement: Statement) -> bool:
    return statement.allows and (bool(statement.not_actions) or any(map(_is_everything, statement.actions)))


def _is_everything(action: str) -> bool:
    service, colon, name = action.partition(":")
    return iam_actions.is_wild(service) and (not colon or iam_actions.is_wild(name))


def _is_whole_service(action: str) -> bool:
    service, colon, name = action.partition(":")
    return bool(colon) and iam_actions.is_wild(name) and not iam_actions.is_wild(service)


def _finding(document: PolicyDocument, statement: Statement, message: str) -> Finding:
    return Finding(f"{statement.place} {message}", document.path)
