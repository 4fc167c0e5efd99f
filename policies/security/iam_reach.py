"""Rules 28 and 29: no policy lets its holder become more than it is, or reach everything of a kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from policies.iam_actions import Access, is_wild
from policies.kit import Finding
from policies.security.escalations import CREDENTIALS, ESCALATIONS, EXFILTRATION
from policies.security.pack import SECURITY
from policies.subjects.documents import IdentityDocument
from policies.subjects.statements import Statement

_SHOWN = 5  # actions named in one finding; the rest is counted
_LIMIT = "Name the resources (ARNs), or give a condition, such as aws:ResourceTag or aws:RequestTag."


@SECURITY.rule(
    "iam-no-privilege-escalation",
    number=28,
    title="No policy lets its holder gain more rights",
    severity="high",
    fix=f"{_LIMIT} Actions of IAM that change rights belong to the deployment alone.",
    frameworks=("AISF:IAM-02",),
    tags=("checkov:CKV_AWS_286", "checkov:CKV_AWS_110"),
)
def iam_no_privilege_escalation(document: IdentityDocument) -> Iterator[Finding]:
    """A few actions together, allowed on everything without a condition, are as good as administration.

    Each way is named with the actions that it takes; taking one of them away, or limiting it, closes the way.
    """
    content = document.content
    for way, actions in ESCALATIONS.items():
        if all(content.unlimited_statement(action) for action in actions):
            yield Finding(
                f"its holder {way}: {' with '.join(actions)} on everything, without a condition", document.path
            )
    document.settle(lambda statement: _allows_any(statement, chain.from_iterable(ESCALATIONS.values())))


@SECURITY.rule(
    "iam-pass-role-filtered",
    number=28,
    title="iam:PassRole names the roles, or the service that they go to",
    severity="high",
    fix="Name the roles in Resource, or the service in a condition on iam:PassedToService.",
    frameworks=("AISF:IAM-02",),
    tags=("trivy:AWS-0342",),
)
def iam_pass_role_filtered(document: IdentityDocument) -> Iterator[Finding]:
    """Who may hand any role to any service may use any role."""
    filters = ("iam:PassedToService", "iam:AssociatedResourceArn")
    denied = document.content.denied("iam:PassRole")
    for statement in document.acting:
        if (
            _allows_any(statement, ("iam:PassRole",))
            and _any_role(statement)
            and not (denied or statement.unknown_reach)
        ):
            narrowing = (one for key in filters for one in statement.on(key))
            if not any(_narrows(one.operator, one.values) for one in narrowing):
                yield Finding(f"{statement.place} lets any role be passed to any service", document.path)
    document.settle(lambda statement: _allows_any(statement, ("iam:PassRole",)) and not denied)


@SECURITY.rule(
    "iam-no-credentials-exposure",
    number=29,
    title="No policy hands out credentials without limits",
    severity="high",
    fix=_LIMIT,
    tags=("checkov:CKV_AWS_287",),
)
def iam_no_credentials_exposure(document: IdentityDocument) -> Iterator[Finding]:
    """Actions that answer with credentials (keys, tokens, passwords) make their holder somebody else."""
    yield from _unlimited(document, CREDENTIALS, "hands out credentials")


@SECURITY.rule(
    "iam-no-data-exfiltration",
    number=29,
    title="No policy reads all objects, parameters or secrets",
    severity="high",
    fix=_LIMIT,
    frameworks=("FSBP:KMS.1",),
    tags=("checkov:CKV_AWS_288", "trivy:AWS-0345"),
)
def iam_no_data_exfiltration(document: IdentityDocument) -> Iterator[Finding]:
    """Reading every bucket, parameter or secret of an account is how data leaves it."""
    yield from _unlimited(document, EXFILTRATION, "reads data of the whole account")


@SECURITY.rule(
    "iam-no-decryption-everywhere",
    number=29,
    title="No policy decrypts with every key",
    severity="high",
    fix="Name the keys in Resource, or the service in a condition on kms:ViaService.",
    frameworks=("FSBP:KMS.1", "FSBP:KMS.2"),
)
def iam_no_decryption_everywhere(document: IdentityDocument) -> Iterator[Finding]:
    """Decrypting with all keys of the account undoes what separate keys are for."""
    yield from _unlimited(document, ("kms:Decrypt", "kms:ReEncryptFrom"), "decrypts with every key")


@SECURITY.rule(
    "iam-no-unlimited-permissions",
    number=29,
    title="No policy changes permissions without limits",
    severity="high",
    fix=_LIMIT,
    tags=("checkov:CKV_AWS_289",),
)
def iam_no_unlimited_permissions(document: IdentityDocument) -> Iterator[Finding]:
    """Actions at AWS's level "Permissions management" expose resources to others: policies, grants, shares."""
    yield from _at_level(document, Access.PERMISSIONS, "changes permissions of every resource")


@SECURITY.rule(
    "iam-no-unlimited-write",
    number=29,
    title="No policy writes without limits",
    severity="high",
    fix=_LIMIT,
    tags=("checkov:CKV_AWS_290",),
)
def iam_no_unlimited_write(document: IdentityDocument) -> Iterator[Finding]:
    """Actions at AWS's level "Write" that can be limited to resources are limited, or have a condition."""
    yield from _at_level(document, Access.WRITE, "writes to every resource")


@SECURITY.rule(
    "iam-resources-named",
    number=29,
    title="Actions that can be limited to resources name them",
    severity="low",
    fix=_LIMIT,
    tags=("checkov:CKV_AWS_355", "checkov:CKV_AWS_356"),
    level="advisory",  # reading a few descriptions everywhere is what many controllers are documented to need
)
def iam_resources_named(document: IdentityDocument) -> Iterator[Finding]:
    """``Resource: *`` is for actions that know no resources; the others say which ones they mean."""
    names = [action.name for action in document.content.unlimited]
    if names:
        yield Finding(f"names no resources for {_some(names)}", document.path)
    document.settle(lambda statement: statement.allows and any(one.restrictable for one in statement.covered()))


def _unlimited(document: IdentityDocument, actions: Sequence[str], what: str) -> Iterator[Finding]:
    content = document.content
    found = [action for action in actions if content.unlimited_statement(action)]
    if found:
        yield Finding(f"{what}: {_some(found)} on everything, without a condition", document.path)
    document.settle(lambda statement: _allows_any(statement, actions))


def _at_level(document: IdentityDocument, level: Access, what: str) -> Iterator[Finding]:
    found = [action.name for action in document.content.unlimited if action.access is level]
    if found:
        yield Finding(f"{what}, without a condition: {_some(found)}", document.path)

    def matters(statement: Statement) -> bool:
        return statement.allows and any(one.access is level and one.restrictable for one in statement.covered())

    document.settle(matters)


def _allows_any(statement: Statement, actions: Iterable[str]) -> bool:
    return statement.allows and any(map(statement.covers, actions))


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _any_role(statement: Statement) -> bool:
    """Whether it stands for all roles: ``*``, or ``role/*`` of an account."""
    rests = (resource.split(":", 5)[-1] for resource in statement.resources)
    return statement.everywhere or any(is_wild(rest) or rest == "role/*" for rest in rests)


def _narrows(operator: str, values: Iterable[str]) -> bool:
    return operator.lower().startswith(("stringequals", "stringlike", "arn")) and not any(map(is_wild, values))
